"""``draw_step``: where a Debugger stands, and the graph around it."""

from collections.abc import Iterable, Sequence
from typing import Any

from autograd_mini.backward import Step
from autograd_mini.folding import FoldedGraph
from autograd_mini.standing import product_line
from autograd_mini.stepper import Debugger
from autograd_mini.value import Value
from nn.checks import whole_number
from viz.colors import theme_named
from viz.figure import Figure
from viz.graph_dot import graph_source
from viz.graph_scene import GraphScene
from viz.view import left_out, near_by

__all__ = ["draw_step"]

_MOST_ARGUMENTS = 6
_MOST_USES = 3
_SMALL = 12
_CAPTION = "solid: the step just taken, upstream × local = contribution, against the arrow; dashed: the next one"


def draw_step(debugger: Debugger, *, radius: int = 2, theme: str = "light", rankdir: str = "LR") -> Figure:
    """Draw where a Debugger stands: the nodes near it, with the gradients that have arrived so far in this pass.

    The operation whose turn it is says ``here``. The edge of the step just taken, and dashed that of the next, carry
    ``upstream × local = contribution``. Of an operation with many arguments, such as a dot, those near the edge are
    shown, and how many more there are.

    Args:
        debugger: what ``debug`` returned.
        radius: how many edges away from there a node may be; a graph of up to 12 operations is shown whole.
        theme: a name from ``viz.colors.THEMES``.
        rankdir: where the graph runs to, as for ``draw_dot``.

    Returns:
        A Figure.

    Raises:
        TypeError: for anything but a Debugger, or a radius that is no whole number.
        ValueError: for an unknown theme or direction, or a radius below 1.

    Example:
        >>> from autograd_mini import debug
        >>> x, w = Value(0.5, "x"), Value(2.0, "w")
        >>> "1 × 0.419974 = 0.419974" in draw_step(debug((w * x).tanh()).step()).source
        True
    """
    if not isinstance(debugger, Debugger):
        raise TypeError(f"draw_step draws where a Debugger stands, got {debugger!r:.60}; write debug(loss)")
    radius = whole_number("radius", radius, 1)
    steps = [step for step in (debugger.last, debugger.upcoming) if step]
    surroundings = _Surroundings(debugger, steps)
    centre = [] if debugger.node is None else [debugger.node]  # the truth of a Value is its number
    if len(debugger.order) <= _SMALL:
        radius = len(debugger.order)
    nodes = surroundings.within(radius, [*centre, *(node for step in steps for node in (step.node, step.parent))])
    names = debugger.names
    scene = GraphScene(
        folded=FoldedGraph(debugger.root, nodes, len(debugger.order)),
        nodes=nodes,
        rests=surroundings.left_out(nodes),
        caption=_CAPTION if steps else "",
        marked=debugger.node,
        notes={(step.node, step.argument): product_line(step) for step in steps},
        dashed={(step.node, step.argument) for step in steps if step is not debugger.last},
        tells_derivatives=True,
        gradients={} if debugger.in_forward_pass else debugger.gradients,
        names=names,
        unknown=set(debugger.order[: -debugger.place[0] or None]) if debugger.in_forward_pass else (),
        stand_ins={node: debugger.stand_in(node) for node in nodes},
    )
    return Figure(
        graph_source(scene, theme_named(theme), rankdir),
        f"{len(nodes)} nodes around {names(nodes[0])}",
        repr(debugger),
    )


class _Surroundings:
    """The nodes near some steps."""

    def __init__(self, debugger: Debugger, steps: Sequence[Step]) -> None:
        self._debugger = debugger
        self._edge = {step.node: step.argument for step in steps}

    def within(self, radius: int, centre: Iterable[Value]) -> list[Value]:
        """The nodes up to `radius` edges away, in both directions."""
        found = frontier = dict.fromkeys(centre) or {self._debugger.root: None}
        for _ in range(radius):
            uses = self._uses(frontier)
            near = [node for user in frontier for node in (*self._arguments(user), *uses[user][:_MOST_USES])]
            frontier = {node: None for node in near if node not in found}
            found = found | frontier
        return list(found)

    def left_out(self, nodes: Sequence[Value]) -> list[tuple[Any, Any]]:
        """What of the arguments and uses of these nodes is not among them."""
        shown, uses = set(nodes), self._uses(nodes)
        return [pair for node in nodes for pair in left_out(node, self._parents(node), uses[node], shown)]

    def _parents(self, node: Value) -> tuple[Value, ...]:
        return self._debugger.stand_in(node).parents

    def _arguments(self, node: Value) -> list[Value]:
        """All arguments of a node if they are few, else those on either side of the step, and their partners."""
        parents = self._parents(node)
        count = len(parents)
        if count <= _MOST_ARGUMENTS:
            return list(parents)
        return [parents[i] for i in near_by(self._debugger.stand_in(node).op, count, self._edge.get(node, 0))]

    def _uses(self, nodes: Iterable[Value]) -> dict[Value, list[Value]]:
        """What each of these nodes goes into, each user once; one walk over the graph finds all."""
        uses: dict[Value, dict[Value, None]] = {node: {} for node in nodes}
        for user in self._debugger.order:
            for argument in self._debugger.stand_in(user)._inputs:  # parents would make Values of all constants
                if argument in uses:
                    uses[argument][user] = None
        return {node: list(users) for node, users in uses.items()}
