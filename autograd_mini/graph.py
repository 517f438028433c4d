"""The graph as a graph: what a node must offer, the topological order, and how large and deep a graph is.

Nothing here knows how a number is computed; every walk is iterative, so depth is limited by memory alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

__all__ = ["GraphStatistics", "Node", "statistics", "topological_order"]


class Node(Protocol):
    """What the walks need: an op (`""`, `"constant"` and `"parameter"` mark leaves) and ordered parents."""

    op: str

    @property
    def parents(self) -> Sequence["Node"]: ...


N = TypeVar("N", bound=Node)


def topological_order(*roots: N) -> list[N]:
    """List every node that `roots` depend on, each once, parents before children, roots included.

    A depth-first search that emits a node after its parents (Cormen et al., *Introduction to Algorithms*, §20.4),
    with an explicit stack. The order depends only on the graph, never on memory addresses.

    Raises:
        TypeError: for a root that is not a Value.

    Example:
        >>> from autograd_mini import Value
        >>> a = Value(2.0, "a")
        >>> [node.label or node.op for node in topological_order(a * a + 1)]
        ['a', 'mul', 'constant', 'add']
    """
    for root in roots:
        if not hasattr(root, "parents"):
            raise TypeError(f"a graph is walked from a Value, got {root!r:.60} of type {type(root).__name__}")
    order: list[N] = []
    seen: set[N] = set()
    stack: list[N | None] = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node is None:
            order.append(stack.pop())  # type: ignore[arg-type]  # None always stands above the node it marks
        elif node not in seen:
            seen.add(node)
            stack += (node, None)
            stack.extend(parent for parent in reversed(node.parents) if parent not in seen)  # type: ignore[misc]
    return order


@dataclass(frozen=True, slots=True)
class GraphStatistics:
    """How large a graph is.

    Attributes:
        nodes: all nodes, leaves included.
        edges: all edges; ``a * a`` has two.
        depth: edges on the longest path from a leaf to a root.
        ops: how often each op occurs; leaves count as ``"leaf"``, ``"constant"`` or ``"parameter"``.
    """

    nodes: int
    edges: int
    depth: int
    ops: dict[str, int]


def statistics(*roots: Node) -> GraphStatistics:
    """Count the graph below `roots`.

    Example:
        >>> from autograd_mini import Value
        >>> a = Value(2.0)
        >>> statistics(a * a + 1)
        GraphStatistics(nodes=4, edges=4, depth=2, ops={'leaf': 1, 'mul': 1, 'constant': 1, 'add': 1})
    """
    depth: dict[Node, int] = {}
    for node in topological_order(*roots):
        depth[node] = max((depth[parent] + 1 for parent in node.parents), default=0)
    ops = Counter(node.op or "leaf" for node in depth)
    return GraphStatistics(
        len(depth), sum(len(node.parents) for node in depth), max(depth.values(), default=0), dict(ops)
    )
