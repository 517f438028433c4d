"""The canonical form of a recorded graph: equal nodes are one, constants are folded, chains are sums or dots.

However a neuron was written, as ``dot(w, x) + b`` or as Python's ``sum(wi * xi for …) + b``, it comes out as one
``dot`` of the pairs (w, x) and (b, 1). Everything is numbered: a node is an index, its arguments are indices.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from autograd_mini.tracer import HELD
from autograd_mini.value import Value

__all__ = ["NO_GRADIENT", "Graph", "Source", "canonical"]

NO_GRADIENT = frozenset({*HELD, "detach"})
"""Ops that hand on no gradient: conditions, what counts as a constant though it is none, and what no_grad() made."""

_COMMUTATIVE = frozenset({"add", "mul", "maximum", "minimum", "equal"})
_NEUTRAL_ON_THE_RIGHT = {"sub": 0.0, "div": 1.0, "pow": 1.0}
Term = tuple[int, bool]
"""A node of a sum, and whether it is subtracted."""

_CHAINED = frozenset({"add", "sub", "sum", "neg"})


class Source(NamedTuple):
    """Where a leaf's number comes from: an argument, the parameters or a supply, and the position in it."""

    store: str
    position: int


class Graph:
    """Numbered nodes, arguments before what is made of them.

    Attributes:
        op: the op of each node; ``"source"`` and ``"constant"`` for leaves.
        args: its arguments as indices; for a dot all left factors, then all right ones.
        source: of the leaves, where their numbers come from.
        number: of the constants, their numbers.
        roots: the nodes that the program computes.
        leaves: the Values that were leaves when it was recorded.
    """

    def __init__(self) -> None:
        self.op: list[str] = []
        self.args: list[tuple[int, ...]] = []
        self.source: dict[int, Source] = {}
        self.number: dict[int, float] = {}
        self.roots: list[int] = []
        self.leaves: list[Value] = []
        self._found: dict[tuple[Any, ...], int] = {}

    def __len__(self) -> int:
        return len(self.op)

    def constant(self, number: float) -> int:
        """The node of a constant."""
        key = ("constant", number, str(number)) if number == 0.0 else ("constant", number)
        index = self._found.get(key)
        if index is None:
            index = self._found[key] = self._append("constant", ())
            self.number[index] = number
        return index

    def leaf(self, source: Source) -> int:
        """The node of a leaf."""
        key = ("source", *source)
        index = self._found.get(key)
        if index is None:
            index = self._found[key] = self._append("source", ())
            self.source[index] = source
        return index

    def node(self, op: str, args: tuple[int, ...]) -> int:
        """The node that `op` makes of `args`, which may be there already."""
        if op in _COMMUTATIVE and args[0] > args[1]:
            key: tuple[Any, ...] = (op, args[1], args[0])
        elif op == "dot" and args[half := len(args) // 2] < args[0]:
            key = (op, *args[half:], *args[:half])
        else:
            key = (op, *args)
        index = self._found.get(key)
        if index is None:
            index = self._found[key] = self._append(op, args)
        return index

    def _append(self, op: str, args: tuple[int, ...]) -> int:
        self.op.append(op)
        self.args.append(args)
        return len(self.op) - 1


def canonical(roots: Sequence[Value | float], sources: Mapping[Value, Source]) -> Graph:
    """Bring a recorded graph into canonical form.

    Args:
        roots: what is to be computed.
        sources: for every leaf whose number is not known before the program runs, where it comes from.
    """
    plain = Graph()
    numbered = _number(plain, roots, sources)
    leaves = [node for node in numbered if not node._args]
    plain.roots = [numbered[root] if isinstance(root, Value) else plain.constant(root) for root in roots]
    result = _with_biases_of_rows_alone(_Flattening(plain).result)
    result.leaves = leaves
    return result


def _with_biases_of_rows_alone(graph: Graph) -> Graph:
    """Take a bias out of the dot again where the same weights have another one elsewhere, as places do."""
    biases: dict[tuple[int, ...], set[int]] = {}
    for op, args in zip(graph.op, graph.args, strict=True):
        if op == "dot" and graph.number.get(args[-1]) == 1.0:
            half = len(args) // 2
            biases.setdefault(args[: half - 1], set()).add(args[half - 1])
    several = {weights for weights, found in biases.items() if len(found) > 1}
    if not several:
        return graph
    result, moved = Graph(), list[int]()
    for index, (op, args) in enumerate(zip(graph.op, graph.args, strict=True)):
        half = len(args) // 2
        if op == "source":
            moved.append(result.leaf(graph.source[index]))
        elif op == "constant":
            moved.append(result.constant(graph.number[index]))
        elif op == "dot" and graph.number.get(args[-1]) == 1.0 and args[: half - 1] in several:
            mine = [moved[arg] for arg in args]
            product = result.node("dot", (*mine[: half - 1], *mine[half:-1]))
            moved.append(result.node("add", (product, mine[half - 1])))
        else:
            moved.append(result.node(op, tuple([moved[arg] for arg in args])))
    result.roots = [moved[root] for root in graph.roots]
    return result


def _order(roots: Iterable[Any]) -> list[Value]:
    """Every node with arguments below `roots`, arguments first; constants and leaves are left out."""
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Any] = [root for root in reversed(list(roots)) if not isinstance(root, float)]
    path: list[Value] = []
    while stack:
        node = stack.pop()
        if node is None:
            order.append(path.pop())
        elif node not in seen:
            seen.add(node)
            if node._args:
                path.append(node)
                stack.append(None)
                stack.extend(arg for arg in reversed(node._args) if type(arg) is not float and arg not in seen)
            else:
                order.append(node)
    return order


def _number(graph: Graph, roots: Iterable[Any], sources: Mapping[Value, Source]) -> dict[Value, int]:
    numbered = {value: graph.leaf(source) for value, source in sources.items()}
    constants = graph.number
    for node in _order(roots):
        if node in numbered:
            continue
        if not node._args:
            numbered[node] = graph.constant(node._data)
            continue
        args = tuple([numbered[arg] if isinstance(arg, Value) else graph.constant(arg) for arg in node._args])
        if all(arg in constants for arg in args):
            numbered[node] = graph.constant(node._data)
        else:
            numbered[node] = _simplified(graph, node.op, args)
            if not node._inputs and node.op not in HELD:  # made under no_grad()
                numbered[node] = graph.node("detach", (numbered[node],))
    return numbered


def _simplified(graph: Graph, op: str, args: tuple[int, ...]) -> int:
    """Leave out what changes nothing: + 0, * 1, / 1, ** 1, a sum of one."""
    numbers = graph.number
    if op == "dot" and len(args) == 2:
        op = "mul"
    if op == "add" or op == "mul":
        neutral = 0.0 if op == "add" else 1.0
        for i in (0, 1):
            if numbers.get(args[i]) == neutral:
                return args[1 - i]
        if op == "mul" and args[0] == args[1]:
            return graph.node("square", args[:1])
    elif op in _NEUTRAL_ON_THE_RIGHT and numbers.get(args[1]) == _NEUTRAL_ON_THE_RIGHT[op]:
        return args[0]
    elif op == "sum":
        args = tuple([arg for arg in args if numbers.get(arg) != 0.0])
        if len(args) == 1:
            return args[0]
    elif op in ("mean", "logsumexp") and len(args) == 1:
        return args[0]
    elif op == "largest" and len(args) == 1:
        return graph.node("detach", args)
    elif op == "mean":
        return graph.node("div", (_simplified(graph, "sum", args), graph.constant(float(len(args)))))
    return graph.node(op, args)


class _Flattening:
    """A plain graph with its chains of + made sums and dots, and what nothing needs left out."""

    def __init__(self, plain: Graph) -> None:
        self.plain = plain
        self.result = Graph()
        self.uses = [0] * len(plain)
        self.live = self._live()
        self.moved: dict[int, int] = {}
        self.terms: dict[int, list[Term]] = {}  # of the chains so far: nodes of `plain`, and is it minus
        for index in self.live:
            self._move(index)
        self.result.roots = [self._at(root) for root in plain.roots]

    def _live(self) -> list[int]:
        """The nodes that the roots need, in order; their uses are counted on the way."""
        uses, args = self.uses, self.plain.args
        for root in self.plain.roots:
            uses[root] += 2  # a root is wanted by itself: it is not spliced into a longer chain
        for index in range(len(self.plain) - 1, -1, -1):
            if uses[index]:
                for arg in args[index]:
                    uses[arg] += 1
        return [index for index, count in enumerate(uses) if count]

    def _move(self, index: int) -> None:
        op, args = self.plain.op[index], self.plain.args[index]
        if op in _CHAINED:
            self.terms[index] = self._chain(op, args)
            if self.uses[index] > 1:
                self._at(index)
        elif (op == "mul" or op == "dot") and self.uses[index] == 1:
            for arg in args:  # it waits to see whether it is a term of a sum
                self._at(arg)
        else:
            self._settle(index)

    def _chain(self, op: str, args: tuple[int, ...]) -> list[Term]:
        """The signed terms of a chain. The longest list is taken over, so that a long chain costs no copies."""
        parts = [self._taken(arg) for arg in args]
        if op in ("sub", "neg"):
            parts[-1] = [(term, not negative) for term, negative in parts[-1]]
        longest = max(parts, key=len)
        for part in parts:
            if part is not longest:
                longest += part
        return longest

    def _taken(self, index: int) -> list[Term]:
        """The terms of a chain that nothing else uses, to be spliced into a longer one; else the node as one term."""
        if index in self.terms and self.uses[index] == 1:
            return self.terms.pop(index)
        return [(index, False)]

    def _at(self, index: int) -> int:
        """The node of the result that stands for a node of the plain graph."""
        if index not in self.moved:
            if index in self.terms:
                self.moved[index] = self._total(self.terms.pop(index))
            else:
                self._settle(index)
        return self.moved[index]

    def _settle(self, index: int) -> None:
        plain, result = self.plain, self.result
        op = plain.op[index]
        if op == "source":
            self.moved[index] = result.leaf(plain.source[index])
        elif op == "constant":
            self.moved[index] = result.constant(plain.number[index])
        else:
            self.moved[index] = result.node(op, tuple([self._at(arg) for arg in plain.args[index]]))

    def _total(self, terms: list[Term]) -> int:
        """One node for a signed sum of terms: dots of the products, sums of the rest, and as few + and - as will do."""
        result = self.result
        plus: list[int] = []
        minus: list[int] = []
        many = len(terms) > 2
        for negative, parts in ((False, plus), (True, minus)):
            mine = [term for term, sign in terms if sign is negative]
            left: list[int] = []
            right: list[int] = []
            alone: list[int] = []
            products = sum(self._is_product(term) for term in mine)
            for term in mine:
                if self._is_product(term) and (many or products > 1 or self.plain.op[term] == "dot"):
                    self._add_pairs(term, left, right)
                else:
                    alone.append(self._at(term))
            constants = [term for term in alone if term in result.number]
            if len(constants) > 1:
                alone = [term for term in alone if term not in result.number]
                alone.append(result.constant(sum([result.number[term] for term in constants])))
            if left:
                biases = [term for term in alone if self._is_bias(term)]
                left += biases
                right += [result.constant(1.0)] * len(biases)
                alone = [term for term in alone if not self._is_bias(term)]
                parts.append(result.node("dot", (*left, *right)))
            if len(alone) > 2:
                parts.append(result.node("sum", tuple(alone)))
            else:
                parts += alone
        total = self._added(plus)
        if not minus:
            return total
        less = self._added(minus)
        return result.node("sub", (total, less)) if plus else result.node("neg", (less,))

    def _added(self, parts: list[int]) -> int:
        if not parts:
            return -1
        total = parts[0]
        for part in parts[1:]:
            total = self.result.node("add", (total, part))
        return total

    def _is_product(self, term: int) -> bool:
        return self.plain.op[term] in ("mul", "dot") and self.uses[term] == 1 and term not in self.moved

    def _is_bias(self, term: int) -> bool:
        """A parameter or a constant goes into the dot, beside the constant 1."""
        source = self.result.source.get(term)
        return term in self.result.number or (source is not None and source.store == "parameters")

    def _add_pairs(self, term: int, left: list[int], right: list[int]) -> None:
        args = [self._at(arg) for arg in self.plain.args[term]]
        half = len(args) // 2
        for a, b in zip(args[:half], args[half:], strict=True):
            a_first = self._rank(a) <= self._rank(b)
            left.append(a if a_first else b)
            right.append(b if a_first else a)

    def _rank(self, index: int) -> int:
        """Parameters first, then constants, then what depends on the input: all dots have the same on the left."""
        source = self.result.source.get(index)
        if source is not None:
            return 0 if source.store == "parameters" else 3
        return 1 if index in self.result.number else 2
