"""``draw_blame``: the way from an input past the guilty op to the result, for a gradient check that failed."""

from collections import deque
from collections.abc import Collection

from autograd_mini import Report, Value, gradients, topological_order
from autograd_mini.folding import FoldedGraph
from autograd_mini.number import number_text
from viz.colors import theme_named
from viz.figure import Figure
from viz.graph_dot import graph_source
from viz.graph_scene import GraphScene

__all__ = ["draw_blame"]


def draw_blame(report: Report, *, theme: str = "light", rankdir: str = "LR") -> Figure:
    """Draw the guilty path of a gradient check: a shortest way from a wrong input past the wrong op to the result.

    The guilty node is marked, all its arguments are shown, and each edge carries its local derivative; on the guilty
    edge stands the one recorded beside the one that differences give.

    Args:
        report: what ``gradcheck`` returned.
        theme: a name from ``viz.colors.THEMES``.
        rankdir: where the graph runs to, as for ``draw_dot``.

    Returns:
        A Figure.

    Raises:
        TypeError: for anything but a Report.
        ValueError: if nobody is to blame: every derivative agrees, or the culprit was not found.

    Example:
        >>> from autograd_mini import gradcheck, primitive
        >>> @primitive(lambda y, x: 2 * x)
        ... def cubed(x):
        ...     return x * x * x
        >>> draw_blame(gradcheck(lambda x: cubed(x) + 1, 2.0))  # doctest: +ELLIPSIS
        Figure(cubed is wrong, ... characters of DOT; .save("picture.svg") draws it)
    """
    if not isinstance(report, Report):
        raise TypeError(f"draw_blame draws what gradcheck returned, got {report!r:.60}")
    blame = report.blame
    if blame is None:
        raise ValueError("draw_blame draws the way to a wrong op, and this report blames none; print it")
    shown = {*_way(report.root, {blame.node}), *_way(blame.node, set(blame.inputs)), *blame.node.parents}
    order = topological_order(report.root)
    nodes = [node for node in order if node in shown]
    notes = {}
    if blame.argument is not None:
        found, expected = _told_apart(blame.found, blame.expected)
        what = "the local derivative's own slope" if blame.is_second else "local"
        note = f"{what} {found}, by differences {expected}"
        notes[blame.node, blame.argument] = note
    scene = GraphScene(
        folded=FoldedGraph(report.root, nodes, len(order)),
        nodes=nodes,
        mark="wrong",
        marked=blame.node,
        notes=notes,
        tells_derivatives=True,
        gradients=gradients(report.root),
    )
    return Figure(graph_source(scene, theme_named(theme), rankdir), f"{blame.op} is wrong", lambda: repr(report))


def _told_apart(a: float, b: float) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to see that they differ."""
    for digits in range(4, 17):
        texts = number_text(a, digits), number_text(b, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _way(start: Value, goals: Collection[Value]) -> list[Value]:
    """The nodes on a shortest way down from `start` to one of `goals`; `start` alone if there is none."""
    came_from: dict[Value, Value | None] = {start: None}
    queue = deque([start])
    while queue:
        node: Value | None = queue.popleft()
        if node in goals:
            way = []
            while node is not None:
                way.append(node)
                node = came_from[node]
            return way
        assert node is not None
        for parent in node.parents:
            if parent not in came_from:
                came_from[parent] = node
                queue.append(parent)
    return [start]
