"""Backpropagation as people write it wrong: every algorithm small, and wrong in one way that occurs.

Each one fills ``gradient``, a plain dict that starts at 0 for every node, and yields an ``Edge`` whenever it has handed
a contribution on along it; ``lab.compare`` watches from there. What is right is ``backward.sweep``. Recursions are
written with a list of what is still to do, in the order in which a recursive function would do it, so that depth is no
limit.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from autograd_mini.backward import differentiable_arguments, sweep_order
from autograd_mini.kits import FLOAT
from autograd_mini.rules import RULES

__all__ = ["TABLE", "Edge", "Seen", "Wrong", "edges"]

Gradients: TypeAlias = dict[Any, float]
Algorithm: TypeAlias = Callable[[Any, Gradients], Iterator["Edge"]]


class Edge(NamedTuple):
    """An edge from an operation to one of its arguments.

    Attributes:
        node: the operation.
        argument: which of its arguments, counted from 0.
        parent: that argument.
        local: the local derivative ∂node/∂parent.
    """

    node: Any
    argument: int
    parent: Any
    local: float


@dataclass(frozen=True, slots=True)
class Wrong:
    """An algorithm, and when a graph shows that it is wrong.

    Attributes:
        function: the algorithm.
        why: what goes wrong, in one sentence.
        lacks: what is true of a graph that cannot show it.
        can_show: whether a graph can, by what was seen of it.
        by_path: whether it goes every path, of which there may be exponentially many.
    """

    function: Algorithm
    why: str
    lacks: str
    can_show: Callable[["Seen"], bool]
    by_path: bool = False


class Seen(NamedTuple):
    """What decides whether a graph can show a mistake.

    Attributes:
        too_early: whether a node handed on before all that comes to it had arrived.
        used_twice: whether a node is used twice.
        operations: how many operations hand a gradient on.
    """

    too_early: bool
    used_twice: bool
    operations: int


TABLE: dict[str, Wrong] = {}
"""The algorithms by name."""


def edges(node: Any) -> list[Edge]:
    """List the edges along which `node` hands its gradient on; a leaf has none.

    Example:
        >>> from autograd_mini import Value
        >>> a = Value(3.0, "a")
        >>> [(edge.argument, edge.parent.label, edge.local) for edge in edges(a * a)]
        [(0, 'a', 3.0), (1, 'a', 3.0)]
    """
    along = zip(differentiable_arguments(node), node._inputs, node._locals, strict=True)
    return [Edge(node, argument, parent, local) for argument, parent, local in along]


def _listed(
    why: str, *, lacks: str, can_show: Callable[[Seen], bool], by_path: bool = False
) -> Callable[[Algorithm], Algorithm]:
    def add(function: Algorithm) -> Algorithm:
        TABLE[function.__name__] = Wrong(function, why, lacks, can_show, by_path)
        return function

    return add


@_listed(
    "a node that is used twice is visited twice, and the second visit hands its first part on once more",
    lacks="no operation is used twice",
    can_show=lambda seen: seen.too_early,
    by_path=True,
)
def recursive(root: Any, gradient: Gradients) -> Iterator[Edge]:
    """Depth-first recursion without an order: each visit hands on, at once, all that the node has so far."""
    gradient[root] = 1.0
    to_do = edges(root)[::-1]
    while to_do:
        edge = to_do.pop()
        gradient[edge.parent] += gradient[edge.node] * edge.local
        yield edge
        to_do += edges(edge.parent)[::-1]


@_listed(
    "its sum over all paths is right; but where numbers overflow, it matters in which order they are added up",
    lacks="it is right on every graph, only slow: each node that is used twice doubles the paths below it",
    can_show=lambda seen: False,
    by_path=True,
)
def every_path(root: Any, gradient: Gradients) -> Iterator[Edge]:
    """Depth-first recursion that hands on only what has just come in: right, but it walks every path by itself."""
    gradient[root] = 1.0
    to_do = [(edge, 1.0) for edge in edges(root)[::-1]]
    while to_do:
        edge, coming_in = to_do.pop()
        contribution = coming_in * edge.local
        gradient[edge.parent] += contribution
        yield edge
        to_do += [(further, contribution) for further in edges(edge.parent)[::-1]]


@_listed(
    "a node hands on at its first visit, and what arrives later stays with it",
    lacks="no operation is used twice",
    can_show=lambda seen: seen.too_early,
)
def visited_once(root: Any, gradient: Gradients) -> Iterator[Edge]:
    """Depth-first recursion with a visited set: each node hands on once, at its first visit."""
    gradient[root] = 1.0
    visited = {root}
    to_do = edges(root)[::-1]
    while to_do:
        edge = to_do.pop()
        gradient[edge.parent] += gradient[edge.node] * edge.local
        yield edge
        if edge.parent not in visited:
            visited.add(edge.parent)
            to_do += edges(edge.parent)[::-1]


@_listed(
    "a node near the root has its turn although a longer way to it is still open, and what arrives later stays with it",
    lacks="no operation has its turn in the queue before all its users have had theirs",
    can_show=lambda seen: seen.too_early,
)
def breadth_first(root: Any, gradient: Gradients) -> Iterator[Edge]:
    """A queue, nodes near the root first, instead of a topological order."""
    gradient[root] = 1.0
    queue, queued = deque([root]), {root}
    while queue:
        for edge in edges(queue.popleft()):
            gradient[edge.parent] += gradient[edge.node] * edge.local
            yield edge
            if edge.parent not in queued:
                queued.add(edge.parent)
                queue.append(edge.parent)


@_listed(
    "every node has its turn before its users, and hands on the 0 that it still has",
    lacks="the root alone has a gradient to hand on",
    can_show=lambda seen: seen.operations > 1,
)
def forward_order(root: Any, gradient: Gradients) -> Iterator[Edge]:
    """The topological order, not reversed: from the leaves to the root."""
    gradient[root] = 1.0
    for node in reversed(sweep_order([root])):
        for edge in edges(node):
            gradient[edge.parent] += gradient[edge.node] * edge.local
            yield edge


@_listed(
    "what arrives later replaces what was there; by the chain rule, the gradient is the sum over all uses",
    lacks="no node is used twice",
    can_show=lambda seen: seen.used_twice,
)
def overwrite(root: Any, gradient: Gradients) -> Iterator[Edge]:
    """``=`` instead of ``+=``."""
    gradient[root] = 1.0
    for node in sweep_order([root]):
        for edge in edges(node):
            gradient[edge.parent] = gradient[edge.node] * edge.local
            yield edge


@_listed(
    "everything is a multiple of the root's gradient, ∂root/∂root = 1, and that was left at 0",
    lacks="there is no such graph",
    can_show=lambda seen: True,
)
def no_seed(root: Any, gradient: Gradients) -> Iterator[Edge]:
    """Forgets ``root.grad = 1``."""
    for node in sweep_order([root]):
        for edge in edges(node):
            gradient[edge.parent] += gradient[edge.node] * edge.local
            yield edge


@_listed(
    "the leaves still hold the gradient of the first pass, and that of the second is added to it",
    lacks="no operation hands a gradient on",
    can_show=lambda seen: seen.operations > 0,
)
def no_zero_grad(root: Any, gradient: Gradients) -> Iterator[Edge]:
    """Two training passes, the leaves not zeroed between them (the operations are new in each pass)."""
    for _ in range(2):
        order = sweep_order([root])
        for node in order:
            gradient[node] = 0.0
        gradient[root] = 1.0
        for node in order:
            for edge in edges(node):
                gradient[edge.parent] += gradient[edge.node] * edge.local
                yield edge


@_listed(
    "the operations still hold their gradients of the first pass, and hand them on a second time",
    lacks="there is no operation but the root, whose gradient is set anew",
    can_show=lambda seen: seen.operations > 1,
)
def zero_leaves_only(root: Any, gradient: Gradients) -> Iterator[Edge]:
    """Two passes over one graph, where only the leaves are zeroed between them, as by micrograd's ``zero_grad()``."""
    for _ in range(2):
        order = sweep_order([root])
        for node in list(gradient):
            if not node._inputs:
                gradient[node] = 0.0
        gradient[root] = 1.0
        for node in order:
            for edge in edges(node):
                gradient[edge.parent] += gradient[edge.node] * edge.local
                yield edge


@_listed(
    "a local derivative belongs to the numbers of the forward pass, and these have changed since",
    lacks="no change of a number since the forward pass makes a difference to it",
    can_show=lambda seen: False,
)
def new_data(root: Any, gradient: Gradients) -> Iterator[Edge]:
    """Takes the local derivatives in the backward pass, of the numbers as they are by then."""
    gradient[root] = 1.0
    for node in sweep_order([root]):
        numbers = [float(argument) for argument in node._args]
        for edge in edges(node):
            now = RULES[node.op].partial(FLOAT, edge.argument, node.data, numbers)
            gradient[edge.parent] += gradient[edge.node] * now
            yield edge._replace(local=now)
