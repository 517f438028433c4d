"""The canonical form of a recorded graph: equal nodes are one, constants are folded, chains are sums or dots.

However a neuron was written, as ``dot(w, x) + b`` or as Python's ``sum(wi * xi for …) + b``, it comes out as one
``dot`` of the pairs (w, x) and (b, 1).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autograd_mini.flattening import Flattening
from autograd_mini.numbered import Graph, Source
from autograd_mini.tracer import HELD
from autograd_mini.value import Value

__all__ = ["canonical", "canonical_with_places"]

_NEUTRAL_ON_THE_RIGHT = {"sub": 0.0, "div": 1.0, "pow": 1.0}


def canonical(roots: Sequence[Value | float], sources: Mapping[Value, Source]) -> Graph:
    """Bring a recorded graph into canonical form.

    Args:
        roots: what is to be computed.
        sources: for every leaf whose number is not known before the program runs, where it comes from.
    """
    return canonical_with_places(roots, sources)[0]


def canonical_with_places(
    roots: Sequence[Value | float], sources: Mapping[Value, Source]
) -> tuple[Graph, dict[Value, int]]:
    """Bring a recorded graph into canonical form, and tell of each Value into which node it went.

    A product that became part of a dot belongs to the dot, a partial sum to the dot or the sum that its terms are in.
    A Value that equals another, or that changes nothing, belongs to the other. What only constants go into is a
    constant.

    Args:
        roots: as for ``canonical``.
        sources: as for ``canonical``.

    Example:
        >>> from autograd_mini import Value
        >>> a, b, c, d = [Value(x) for x in (1.0, 2.0, 3.0, 4.0)]
        >>> product = a * b
        >>> total = product + c * d
        >>> sources = {x: Source("inputs", i) for i, x in enumerate((a, b, c, d))}
        >>> graph, places = canonical_with_places([total], sources)
        >>> graph.op[places[product]], graph.op[places[total]]
        ('dot', 'dot')
    """
    plain = Graph()
    numbered = _number(plain, roots, sources)
    leaves = [node for node in numbered if not node._args]
    plain.roots = [numbered[root] if isinstance(root, Value) else plain.constant(root) for root in roots]
    flat = Flattening(plain)
    result, moved, inside = _with_biases_of_rows_alone(flat.result)
    result.leaves = leaves
    places = {index: moved[place] for index, place in flat.moved.items()}
    places |= {index: inside.get(place, moved[place]) for index, place in flat.absorbed.items()}
    return result, {value: places[index] for value, index in numbered.items() if index in places}


def _with_biases_of_rows_alone(graph: Graph) -> tuple[Graph, Sequence[int], dict[int, int]]:
    """Take a bias out of the dot again where the same weights have another one elsewhere, as places do.

    Returns:
        The graph; where in it each node is now; and of the dots without their biases, where those are.
    """
    biases: dict[tuple[int, ...], set[int]] = {}
    for op, args in zip(graph.op, graph.args, strict=True):
        if op == "dot" and graph.number.get(args[-1]) == 1.0:
            half = len(args) // 2
            biases.setdefault(args[: half - 1], set()).add(args[half - 1])
    several = {weights for weights, found in biases.items() if len(found) > 1}
    if not several:
        return graph, range(len(graph)), {}
    result, moved, inside = Graph(), list[int](), dict[int, int]()
    for index, (op, args) in enumerate(zip(graph.op, graph.args, strict=True)):
        half = len(args) // 2
        if index in graph.source:
            moved.append(result.leaf(graph.source[index]))
        elif index in graph.number:
            moved.append(result.constant(graph.number[index]))
        elif op == "dot" and graph.number.get(args[-1]) == 1.0 and args[: half - 1] in several:
            mine = [moved[arg] for arg in args]
            product = inside[index] = result.node("dot", (*mine[: half - 1], *mine[half:-1]))
            moved.append(result.node("add", (product, mine[half - 1])))
        else:
            moved.append(result.node(op, tuple([moved[arg] for arg in args])))
    result.roots = [moved[root] for root in graph.roots]
    return result, moved, inside


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
