"""The pictures of an explorer: what is in each, before it is laid out.

One picture shows the whole graph folded to a depth, or the inside of one group with the groups in it folded. What a
group depends on and what uses it stands around its inside, so that no edge is lost.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from viz.explorer.data import GraphData
from viz.explorer.groups import Group, GroupTree

__all__ = ["MOST_NODES", "Item", "Node", "Rest", "View", "views"]

MOST_NODES = 2000
"""A graph up to this size has a picture of all its operations at once."""

_MOST_AROUND = 14
_FAR = 8  # ranks from the first use of a leaf to another one whose edge dot is not given
_WIDEST = 6_000  # ranks that all edges of a picture cross; dot's time grows with them, to about a second


@dataclass(frozen=True, slots=True)
class Node:
    """A single node, by number."""

    number: int


@dataclass(frozen=True, slots=True)
class Rest:
    """Nodes outside that are too many to show, by how many they are."""

    count: int
    uses: bool


Item = Node | Rest | int
"""What is in a picture: a node, a folded group by its number, or what is left out."""


@dataclass(frozen=True, slots=True)
class View:
    """One picture.

    Attributes:
        group: the number of the group that it is the inside of; 0 for the whole graph.
        depth: how deep groups are shown; None for single operations throughout.
        items: what is in it.
        inside: how many of the items belong to the group; the others stand around it.
        edges: from item to item, by place in `items`; each pair once.
        hidden: how many more edges there are, the longest ones, of a picture that would be all edges.
        far: those of the edges from what nothing leads to, such as a shared weight, to uses a long way on from its
            first one; dot does not end with many of them, so they are drawn without it.
    """

    group: int
    depth: int | None
    items: tuple[Item, ...]
    inside: int
    edges: tuple[tuple[int, int], ...]
    hidden: int = 0
    far: frozenset[tuple[int, int]] = frozenset()


def views(data: GraphData, tree: GroupTree) -> Iterator[View]:
    """List the pictures: the whole graph at each depth, then the inside of each group, from the outside inwards."""
    users = _users(data)
    if len(data.nodes) <= MOST_NODES:
        operations = _view(data, tree, users, tree.root, None)
        has_all = not operations.hidden
    else:
        has_all = False
    for depth in range(1, tree.depth + 1):
        view = _view(data, tree, users, tree.root, depth)
        if depth == 1 or (len(view.items) <= MOST_NODES and not view.hidden):
            yield view
    if has_all:
        yield operations
    for group in sorted(tree.groups[1:], key=lambda group: group.depth):
        if group.groups or len(group.nodes) > 1:
            yield _view(data, tree, users, group, group.depth + 1)


def _ranks(items: int, edges: Collection[tuple[int, int]]) -> list[int]:
    rank = [0] * items
    for tail, head in sorted(edges, key=lambda edge: edge[1]):
        if tail < head:
            rank[head] = max(rank[head], rank[tail] + 1)
    return rank


def _far(rank: Sequence[int], edges: Collection[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    fed = {head for _, head in edges}
    first: dict[int, int] = {}
    for tail, head in edges:
        if tail not in fed:
            first[tail] = min(first.get(tail, rank[head]), rank[head])
    return frozenset((tail, head) for tail, head in edges if tail in first and rank[head] - first[tail] >= _FAR)


def _thinned(rank: Sequence[int], edges: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    """The edges, shortest first, until they cross too many ranks together; all of them where there are few."""
    fed = {head for _, head in edges}

    def length(edge: tuple[int, int]) -> int:
        tail, head = edge
        return abs(rank[head] - rank[tail]) if tail in fed else 1  # what nothing leads to is moved next to its use

    if sum(map(length, edges)) <= _WIDEST:
        return list(edges)
    kept = []
    total = 0
    for edge in sorted(edges, key=length):
        total += length(edge)
        if total > _WIDEST:
            break
        kept.append(edge)
    return kept


def _users(data: GraphData) -> list[list[int]]:
    users: list[list[int]] = [[] for _ in data.nodes]
    for user, arguments in enumerate(data.arguments):
        for argument in dict.fromkeys(arguments):
            users[argument].append(user)
    return users


def _view(data: GraphData, tree: GroupTree, users: list[list[int]], group: Group, depth: int | None) -> View:
    place: dict[Item, int] = {}
    of_node: dict[int, int] = {}
    members = range(len(data.nodes)) if group is tree.root else sorted(_members(group))
    for number in members:
        of_node[number] = place.setdefault(_shown(group, tree.of_node[number], number, depth), len(place))
    inside = len(place)
    if group is not tree.root:
        for is_use in (False, True):
            near = _outside(data, users, of_node, members, is_use)
            _place_around(tree, group, near, is_use, place, of_node)
    edges: dict[tuple[int, int], None] = {}
    for number in members:
        here = of_node[number]
        for argument in data.arguments[number]:
            edges[of_node[argument], here] = None
        if group is not tree.root:
            for user in users[number]:
                edges[here, of_node[user]] = None
    between = [edge for edge in edges if edge[0] != edge[1]]
    rank = _ranks(len(place), between)
    far = _far(rank, between)
    kept = [*_thinned(rank, [edge for edge in between if edge not in far]), *sorted(far)]
    return View(group.number, depth, tuple(place), inside, tuple(kept), len(between) - len(kept), far)


def _members(group: Group) -> Iterator[int]:
    stack = [group]
    while stack:
        one = stack.pop()
        yield from one.nodes
        stack += one.groups


def _shown(view: Group, group: Group, number: int, depth: int | None) -> Item:
    """What a node is shown as where groups are opened down to `depth`: itself, or the group around it.

    A group without groups in it stays folded at every depth.
    """
    if depth is None or group is view or (group.depth < depth and group.groups):
        return Node(number)
    return next(around.number for around in group.ancestors() if around.depth <= depth)


def _outside(
    data: GraphData, users: list[list[int]], of_node: dict[int, int], members: Iterable[int], is_use: bool
) -> list[int]:
    """The nodes next to a group on one side that are not yet in the picture."""
    near: dict[int, None] = {}
    for number in members:
        for other in users[number] if is_use else data.arguments[number]:
            if other not in of_node:
                near[other] = None
    return list(near)


def _place_around(
    tree: GroupTree, group: Group, near: list[int], is_use: bool, place: dict[Item, int], of_node: dict[int, int]
) -> None:
    """Give the nodes around a group a place: their own if they are few, else that of their groups, else one for all."""
    own = set(group.ancestors())
    shown: dict[int, Item | None] = dict.fromkeys(near)
    if len(near) > _MOST_AROUND:
        for number in near:
            between = [around for around in tree.of_node[number].ancestors() if around not in own]
            shown[number] = between[-1].number if between else None
        alone = sum(item is None for item in shown.values())
        rest = Rest(alone, is_use) if alone > _MOST_AROUND else None
    else:
        rest = None
    for number, item in shown.items():
        of_node[number] = place.setdefault((rest or Node(number)) if item is None else item, len(place))
