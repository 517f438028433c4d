"""Chains of + become sums and dots: however a neuron was written, it comes out as one dot."""

from typing import NamedTuple

from autograd_mini.numbered import Graph

__all__ = ["Flattening"]

Term = tuple[int, bool]
"""A node of a sum, and whether it is subtracted."""

_CHAINED = frozenset({"add", "sub", "sum", "neg"})


class _Chain(NamedTuple):
    """A signed sum of terms.

    Attributes:
        terms: what is added up, and whether it is subtracted.
        negated: whether the whole is to be subtracted, so that a sign in front of a long chain costs no copies.
        spliced: the shorter chains that became part of this one: nodes of the plain graph, in any order.
    """

    terms: list[Term]
    negated: bool
    spliced: list[int]


class Flattening:
    """A plain graph with its chains of + made sums and dots, and what nothing needs left out.

    Args:
        plain: the graph.

    Attributes:
        result: the flat one.
        moved: the nodes of the result that stand for nodes of the plain graph.
        absorbed: of other nodes, into which node of the result they went: products into dots, chains into what was made
            of their terms.
    """

    def __init__(self, plain: Graph) -> None:
        self.plain = plain
        self.result = Graph()
        self.uses = [0] * len(plain)
        self.live = self._live()
        self.moved: dict[int, int] = {}
        self.absorbed: dict[int, int] = {}
        self.chains: dict[int, _Chain] = {}  # that may still become part of longer ones
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
            self.chains[index] = self._chain(op, args)
            if self.uses[index] > 1:
                self._at(index)
        elif (op == "mul" or op == "dot") and self.uses[index] == 1:
            for arg in args:  # it waits to see whether it is a term of a sum
                self._at(arg)
        else:
            self._settle(index)

    def _chain(self, op: str, args: tuple[int, ...]) -> _Chain:
        """The signed terms of a chain. The longest list is taken over, so that a long chain costs no copies."""
        parts = [self._taken(arg) for arg in args]
        if op in ("sub", "neg"):
            parts[-1] = parts[-1]._replace(negated=not parts[-1].negated)
        longest = max(parts, key=lambda part: len(part.terms))
        for part in parts:
            if part is not longest:
                differs = part.negated is not longest.negated
                longest.terms.extend([(term, negative is not differs) for term, negative in part.terms])
                longest.spliced.extend(part.spliced)
        return longest

    def _taken(self, index: int) -> _Chain:
        """The terms of a chain that nothing else uses, to be spliced into a longer one; else the node as one term."""
        if index in self.chains and self.uses[index] == 1:
            chain = self.chains.pop(index)
            chain.spliced.append(index)
            return chain
        return _Chain([(index, False)], False, [])

    def _at(self, index: int) -> int:
        """The node of the result that stands for a node of the plain graph."""
        if index not in self.moved:
            if index in self.chains:
                self.moved[index] = self._total(self.chains.pop(index))
            else:
                self._settle(index)
        return self.moved[index]

    def _settle(self, index: int) -> None:
        plain, result = self.plain, self.result
        if index in plain.source:
            self.moved[index] = result.leaf(plain.source[index])
        elif index in plain.number:
            self.moved[index] = result.constant(plain.number[index])
        else:
            self.moved[index] = result.node(plain.op[index], tuple([self._at(arg) for arg in plain.args[index]]))

    def _total(self, chain: _Chain) -> int:
        """One node for a signed sum of terms: dots of the products, sums of the rest, and as few + and - as will do."""
        result = self.result
        plus: list[int] = []
        minus: list[int] = []
        home: dict[int, int] = {}  # of what is a term by itself, the dot or the sum it went into
        many = len(chain.terms) > 2
        for negative, parts in ((chain.negated, plus), (not chain.negated, minus)):
            mine = [term for term, sign in chain.terms if sign is negative]
            left: list[int] = []
            right: list[int] = []
            alone: list[int] = []
            paired: list[int] = []
            products = sum(self._is_product(term) for term in mine)
            for term in mine:
                if self._is_product(term) and (many or products > 1 or self.plain.op[term] == "dot"):
                    self._add_pairs(term, left, right)
                    paired.append(term)
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
                dot = result.node("dot", (*left, *right))
                parts.append(dot)
                self.absorbed.update(dict.fromkeys(paired, dot))
                home.update(dict.fromkeys(biases, dot))
            if len(alone) > 2:
                total = result.node("sum", tuple(alone))
                parts.append(total)
                home.update(dict.fromkeys(alone, total))
            else:
                parts += alone
        total = self._added(plus)
        if minus:
            less = self._added(minus)
            total = result.node("sub", (total, less)) if plus else result.node("neg", (less,))
        self._absorb(sorted(chain.spliced), home, total)
        return total

    def _absorb(self, spliced: list[int], home: dict[int, int], total: int) -> None:
        """Note into which dot or sum the parts of a chain went; a part of several belongs to the total."""
        for index in spliced:
            found = set()
            for arg in self.plain.args[index]:
                found.add(self.absorbed[arg] if arg in self.absorbed else home.get(self.moved[arg], total))
            self.absorbed[index] = found.pop() if len(found) == 1 else total

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
