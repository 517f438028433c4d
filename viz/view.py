"""Which part of a graph ``draw_dot`` shows: all of it, what is near a node, or what lies on the paths to one."""

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from autograd_mini import Value
from autograd_mini.backward import hand_down
from autograd_mini.folding import Fold, FoldedGraph, Group, fold
from autograd_mini.number import number_text
from autograd_mini.primitive import is_own
from autograd_mini.replay import refuse_changed_data
from autograd_mini.way import Way
from nn.checks import whole_number
from viz.graph_scene import GraphScene, by_number
from viz.markup import clean
from viz.scene import Rest

__all__ = ["in_order", "left_out", "near_by", "part_of"]

_MOST, _FEW = 20, 3  # leaves of one operation, or uses of one node, near the focus; of more a few are shown


def part_of(
    root: Value, how: Fold, focus: Value | None, radius: int, paths_to: Value | None, *, show_local: bool
) -> GraphScene:
    """Fold a graph and choose what to show of it.

    Args:
        root: the Value whose graph it is.
        how: how far to fold, as for ``fold``.
        focus: a node to stay near to, or None.
        radius: how many edges away from it a node may be.
        paths_to: a node that every node shown must lie on a path to, or None.
        show_local: whether the edges of single operations say their derivative where nothing is folded.

    Raises:
        TypeError: if `focus` or `paths_to` is not a Value, or `radius` not a whole number.
        ValueError: if the root does not depend on them, `radius` is below 1, or for an unknown way to fold.
    """
    radius = whole_number("radius", radius, 1)
    for name, node in ("focus", focus), ("paths_to", paths_to):
        if node is not None and not isinstance(node, Value):
            raise TypeError(f"{name} is a Value of the graph, got {node!r:.60} of type {type(node).__name__}")
    folded = fold(root, how, apart=[node for node in (focus, paths_to) if node is not None])
    nodes = in_order(folded)
    captions: list[str] = []
    on_paths: set[Any] = set()
    rests: list[tuple[Any, Any]] = []
    if paths_to is not None:
        way = _way(root, paths_to)
        on_paths = {paths_to, *way.order}
        shown = {folded.node_of[node] for node in on_paths}
        nodes = [node for node in nodes if node in shown]
        captions.append(_told(way))
    if focus is not None:
        nodes, rests = _near(folded, nodes, focus, radius)
    try:  # of the table's own ops: those of the user's are not to be run again for a picture
        rows = (one for node in nodes for one in _values(node) if not is_own(one.op))
        refuse_changed_data(rows, partials=False)
    except ValueError as error:
        captions.append(f"numbers of different times: {clean(str(error), 200)}")
    return GraphScene(
        folded=folded,
        nodes=nodes,
        rests=rests,
        description=_description(folded, len(nodes)),
        caption=";  ".join(captions),
        marked=None if focus is None else folded.node_of[focus],
        on_paths=on_paths,
        tells_derivatives=show_local or how is not None,
    )


def in_order(folded: FoldedGraph) -> list[Any]:
    """List all nodes; where several like groups stand side by side, such as the neurons of a layer, by number."""
    nodes: list[Any] = []
    for _, siblings in groupby(folded.nodes, _family):
        several = list(siblings)
        if len(several) > 1 and isinstance(several[0], Group):
            among = set(several)
            if not any(among.intersection(folded.sources(node)) for node in several):
                several.sort(key=lambda group: by_number(group.path[-1]))
        nodes += several
    return nodes


def _way(root: Value, w: Value) -> Way:
    way = Way(root, w)
    if not way.exists:
        hint = "; it is the other way round" if way.is_reversed else ""
        raise ValueError(f"no path leads from {root!r} to paths_to, {w!r}{hint}; give a node that it depends on")
    return way


def _told(way: Way) -> str:
    """Say what the paths shown add up to."""
    gradient = {way.loss: 1.0}
    hand_down(gradient, way.order)
    count = way.count()
    paths = f"{count:,} paths" if count < 10**12 else "many paths"
    how = "along the only path" if count == 1 else f"the sum over {paths}, all of which are shown"
    output = clean(way.name(way.loss))
    ends = f"∂{output}/∂{clean(way.name(way.w))}"
    told = f"{ends} = {number_text(gradient[way.w], 4)}, {how}"
    return told if way.loss.label else f"{told};  {output}: the output"


def _near(
    folded: FoldedGraph, nodes: Sequence[Any], focus: Value, radius: int
) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """The nodes near a Value, and what is left out around them."""
    if focus not in folded.node_of:
        raise ValueError(f"focus is {focus!r}, which {folded.root!r} does not depend on; give a node of its graph")
    below = {node: folded.sources(node) for node in folded.nodes}
    above: dict[Any, list[Any]] = {node: [] for node in folded.nodes}
    for node, sources in below.items():
        for source in sources:
            above[source].append(node)
    found = near = {folded.node_of[focus]}
    for _ in range(radius):
        below_near = {source for node in near for source in _few(node, below[node], found)}
        above_near = (uses[:_FEW] if len(uses := above[node]) > _MOST else uses for node in near)
        near = below_near.union(*above_near) - found
        found = found | near
    shown = [node for node in nodes if node in found]
    if not shown:
        raise ValueError(f"no path to paths_to comes within {radius} edges of focus, {focus!r}; give a larger radius")
    users = _users(folded, folded.nodes)
    values = {value for node in shown for value in _values(node)}
    rests = [left_out(node, _arguments(node), users.get(node, ()), values) for node in shown]
    return shown, [pair for some in rests for pair in some]


def _values(node: Any) -> tuple[Any, ...]:
    return node.members if isinstance(node, Group) else (node,)


def _arguments(node: Any) -> Iterable[Any]:
    return dict.fromkeys(node.inputs if isinstance(node, Group) else node.parents)


def _users(folded: FoldedGraph, nodes: Sequence[Any]) -> dict[Any, dict[Any, None]]:
    """For each node the operations outside of it that use a Value of it."""
    users: dict[Any, dict[Any, None]] = {}
    for node in nodes:
        for user in node.operations if isinstance(node, Group) else (node,):
            for parent in user.parents:
                if (source := folded.node_of[parent]) is not node:
                    users.setdefault(source, {})[user] = None
    return users


def _few(node: Any, sources: Sequence[Any], found: Container[Any]) -> Sequence[Any]:
    """Leave out leaves of an operation that has many, but those next to what is shown already."""
    arguments = () if isinstance(node, Group) else node.parents
    if sum(not argument.parents for argument in arguments) <= _MOST:
        return sources
    middle = next((i for i, argument in enumerate(arguments) if argument in found), 0)
    kept = {arguments[i] for i in near_by(node.op, len(arguments), middle)}
    return [source for source in sources if source in kept or isinstance(source, Group) or source.parents]


def near_by(op: str, count: int, middle: int) -> list[int]:
    """The arguments of an operation with many that are next to one of them; of a dot with the factors beside them.

    Example:
        >>> near_by("sum", 10, 4), near_by("dot", 10, 4)
        ([3, 4, 5], [3, 4, 8, 9])
    """
    half = count // 2 if op == "dot" else count
    first = middle // half * half  # of the factors on this side of a dot
    near = range(max(middle - 1, first), min(middle + 2, first + half))
    return sorted({*near, *((i + half) % count for i in near)})


def left_out(node: Any, below: Iterable[Any], above: Iterable[Any], shown: Container[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield what is left out of what a node depends on and of what depends on it, as edges from and to a Rest."""
    arguments, uses = (sum(one not in shown for one in some) for some in (below, above))
    if arguments:
        kind = "input" if isinstance(node, Group) else "argument"
        yield Rest(arguments, f"more {kind}{'s' * (arguments > 1)}"), node
    if uses:
        yield node, Rest(uses, f"more use{'s' * (uses > 1)}")


def _description(folded: FoldedGraph, count: int) -> str:
    size, all_of_it = folded.size, len(folded.nodes)
    if all_of_it < size:
        whole = f"graph of {size:,} nodes folded to {all_of_it:,}"
        return whole if count == all_of_it else f"{count:,} nodes of a {whole}"
    return f"graph of {count} node{'s' * (count != 1)}" if count == size else f"{count:,} nodes of {size:,}"


def _family(node: Any) -> Any:
    """What siblings have in common: the path without the number at its end."""
    return (*node.path[:-1], node.path[-1].rstrip("0123456789")) if isinstance(node, Group) else id(node)
