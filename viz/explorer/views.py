"""The pictures of an explorer: what is in each, before it is laid out.

One picture shows the whole graph folded to a depth, or the inside of one group with the groups in it folded. What a
group depends on and what uses it stands around its inside, so that no edge is lost.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

from autograd_mini.folding import Path, fold, fold_nodes, within
from viz.explorer.data import GraphData
from viz.explorer.edges import Chosen, chosen
from viz.explorer.groups import GroupList
from viz.graph_scene import GraphScene
from viz.scene import Rest
from viz.view import in_order

__all__ = ["MOST_NODES", "View", "views"]

MOST_NODES = 2000
"""A graph up to this size has a picture of all its operations at once."""

_MOST_AROUND = 14


@dataclass(frozen=True, slots=True)
class View:
    """One picture.

    Attributes:
        group: the path of the group that it is the inside of; () for the whole graph.
        depth: how deep groups are shown; None for single operations throughout.
        items: what is in it: Values, Groups and Rests.
        inside: how many of the items belong to the group; the others stand around it.
        chosen: its edges, from item to item, by place in `items`; each pair once.
    """

    group: Path
    depth: int | None
    items: tuple[Any, ...]
    inside: int
    chosen: Chosen


def views(data: GraphData, groups: GroupList) -> Iterator[View]:
    """List the pictures: the whole graph at each depth, then the inside of each group, from the outside inwards."""
    for depth in range(1, groups.depth + 1):
        opened = {path for path in groups.openable if len(path) < depth}
        folded = fold_nodes(data.nodes[-1], data.nodes, groups.paths, within(1), opened, (), groups.bundles)
        view = _view((), depth, GraphScene(folded=folded, nodes=in_order(folded)))
        if depth == 1 or (len(view.items) <= MOST_NODES and not view.chosen.hidden):
            yield view
    if len(data.nodes) <= MOST_NODES:
        operations = _view((), None, GraphScene(folded=fold(data.nodes[-1]), nodes=data.nodes))
        if not operations.chosen.hidden:
            yield operations
    users = _users(data)
    for path in sorted(groups.within, key=len):
        if len(groups.within[path]) > 1:
            yield _inside(data, groups, users, path)


def _view(path: Path, depth: int | None, scene: GraphScene, inside: Container[Any] | None = None) -> View:
    """Number what is in a scene; of the edges those that an end inside has."""
    rests = [end for pair in scene.rests for end in pair if isinstance(end, Rest)]
    own = list(scene.nodes) if inside is None else [node for node in scene.nodes if node in inside]
    place = {item: i for i, item in enumerate(dict.fromkeys([*own, *scene.nodes, *rests]))}
    edges = [(place[tail], place[head]) for tail, head in scene.pairs()]
    of_group = [edge for edge in edges if min(edge) < len(own)]
    return View(path, depth, tuple(place), len(own), chosen(len(place), of_group))


def _inside(data: GraphData, groups: GroupList, users: list[list[int]], path: Path) -> View:
    """The inside of a group, and around it what it is next to: by the groups they are in, else the nodes themselves.

    Of many that are in no group, only their number is told.
    """
    members = groups.within[path]
    opened = {path[: k + 1] for k in range(len(path))}
    numbers = {data.index[node] for node in members}
    arguments = {i: [j for j in data.arguments[i] if j not in numbers] for i in numbers}
    uses = {i: [j for j in users[i] if j not in numbers] for i in numbers}
    shown = set(numbers)
    apart = {node for node in members if not node.parents and groups.paths[node] == path}
    left_out: list[tuple[Rest, dict[int, list[int]], set[int]]] = []
    for kind, near in ("arguments", arguments), ("uses", uses):
        outside = {j for several in near.values() for j in several}
        alone = {j for j in outside if _is_alone(data.nodes[j], path, groups)}
        if len(alone) > _MOST_AROUND:
            left_out.append((Rest(len(alone), f"more {kind}"), near, alone))
            outside -= alone
        shown |= outside
        apart |= {data.nodes[j] for j in alone}
    window = [data.nodes[i] for i in sorted(shown)]
    folded = fold_nodes(data.nodes[-1], window, groups.paths, within(1), opened, apart, groups.bundles)
    rests: dict[tuple[Any, Any], None] = {}
    for rest, near, alone in left_out:
        for i in sorted(numbers):
            if not alone.isdisjoint(near[i]):
                node = folded.node_of[data.nodes[i]]
                rests[(rest, node) if near is arguments else (node, rest)] = None
    own = {folded.node_of[node] for node in members}
    return _view(path, len(path) + 1, GraphScene(folded=folded, nodes=in_order(folded), rests=list(rests)), own)


def _is_alone(node: Any, path: Path, groups: GroupList) -> bool:
    """Whether a node that a group is next to is in no group that it could be folded into there."""
    own = groups.paths[node]
    return own == path[: len(own)] if node.parents else node not in groups.bundles


def _users(data: GraphData) -> list[list[int]]:
    users: list[list[int]] = [[] for _ in data.nodes]
    for user, arguments in enumerate(data.arguments):
        for argument in dict.fromkeys(arguments):
            users[argument].append(user)
    return users
