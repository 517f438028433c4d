"""``fold``: a graph in which groups of operations are one node each, with total derivatives across their boundaries.

The chain rule holds at every zoom: a group hands on upstream × total derivative as a single operation hands on
upstream × local derivative, and what arrives at the leaves is the gradient of the graph that was folded. The total
derivative of an output by an input is the sum over the paths between them inside the group (Griewank & Walther,
*Evaluating Derivatives*, §9: the vertices between are eliminated).
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from numbers import Integral
from types import MappingProxyType
from typing import Any, TypeAlias

from autograd_mini.folded import Edge, FoldedGraph, Group
from autograd_mini.graph import topological_order
from autograd_mini.grouping import LEVELS, Groups, cut_at, groups_of, layers_among
from autograd_mini.quotient import acyclic_classes
from autograd_mini.structure import structure_of
from autograd_mini.tracer import refuse_unknown

__all__ = ["Cut", "Edge", "Fold", "FoldedGraph", "Group", "Path", "fold", "fold_nodes", "groups_of", "within"]

Fold: TypeAlias = int | str | None
"""How far to fold: a number of levels to leave open, a name of ``FOLDS``, or None for not at all."""

Path: TypeAlias = tuple[str, ...]
Cut: TypeAlias = Callable[[Path], Path]

FOLDS = (*LEVELS, "structure", "auto")
MOST_NODES, _MOST_ABREAST = 300, 40  # that "auto" leaves, in all and in one column of a picture
_BUNDLE = 5  # leaves that are used by the same groups first become one node if there are so many


def fold(
    root: Any,
    depth: Fold = None,
    *,
    opened: Collection[tuple[str, ...]] = (),
    apart: Iterable[Any] = (),
    groups: Groups | None = None,
) -> FoldedGraph:
    """Fold the graph of `root`: every group becomes one node with the total derivatives across its boundary.

    A parameter or a constant that only one group uses is folded into it; five or more other leaves that are first used
    by the same group become a group of leaves. A group that other operations both depend on and feed is split into
    parts, as the folded graph has no circles.

    Args:
        root: the Value to look at the graph of.
        depth: how many levels of groups stay open: 0 for the outermost groups as one node each, 1 for the groups within
            them, and so on; ``"neuron"``, ``"layer"`` or ``"network"`` for these parts of a model; ``"structure"`` for
            groups of what a compiled program would compute at once, whatever it is called; ``"auto"`` for as open as
            300 nodes, 40 of them side by side, allow; None for every operation by itself.
        opened: paths of groups that stay open nevertheless.
        apart: leaves that stay nodes of their own.
        groups: the path of every node's group, if not that of ``groups_of``.

    Raises:
        TypeError: if `root` is not a Value, or `depth` is neither a whole number nor a name.
        ValueError: for a negative or unknown `depth`.

    Example:
        >>> from autograd_mini import Value, scope
        >>> x = Value(2.0, "x")
        >>> with scope("cube"):
        ...     y = x * x * x
        >>> folded = fold(y + x, 0)
        >>> folded
        FoldedGraph(3 nodes for 4: x, cube, +)
        >>> [edge.derivative for edge in folded.edges], folded.gradients()[x]
        ([12.0, 1.0, 1.0], 13.0)
    """
    refuse_unknown("steps", root)
    _check(depth)
    order = topological_order(root)
    if depth == "auto":
        return _fitting(root, order, opened, apart, groups)
    if depth is None:
        return FoldedGraph(root, order, len(order))
    paths = groups if groups is not None else structure_of(root) if depth == "structure" else groups_of(root)
    return fold_nodes(root, order, paths, _cutter(depth, paths), set(opened), set(apart))


def _fitting(root: Any, order: Sequence[Any], opened: Any, apart: Any, groups: Groups | None) -> FoldedGraph:
    """The most open way to fold that can be read, or else the one by structure."""
    opened, apart = set(opened), set(apart)
    if len(order) <= MOST_NODES and _is_readable(whole := FoldedGraph(root, order, len(order))):
        return whole
    paths = groups if groups is not None else groups_of(root)
    for depth in range(max(map(len, paths.values())) - 1, -1, -1):
        folded = fold_nodes(root, order, paths, within(depth + 1), opened, apart)
        if _is_readable(folded):
            return folded
    structure = structure_of(root)
    both = {node: path or structure[node] for node, path in paths.items()}
    folded = fold_nodes(root, order, both, within(1), opened, apart)
    return folded if _is_readable(folded) else fold_nodes(root, order, structure, within(1), opened, apart)


def _is_readable(folded: FoldedGraph) -> bool:
    """Whether there are few nodes, and few side by side: a leaf stands beside what else its first user is made of."""
    if len(folded.nodes) > MOST_NODES:
        return False
    column: dict[Any, int] = {}
    first: dict[Any, int] = {}
    for node in folded.nodes:
        sources = folded.sources(node)
        column[node] = max((column[source] + 1 for source in sources), default=0)
        for source in sources:
            first[source] = min(column[node], first.get(source, column[node]))
    sizes = Counter(column[node] or first.get(node, 1) - 1 for node in folded.nodes)
    return max(sizes.values(), default=0) <= _MOST_ABREAST


def fold_nodes(
    root: Any,
    order: Sequence[Any],
    paths: Mapping[Any, Path],
    cut: Cut,
    opened: Collection[Path] = (),
    apart: Collection[Any] = (),
    bundles: Mapping[Any, Path] = MappingProxyType({}),
) -> FoldedGraph:
    """Fold these nodes of a graph: all of it, or a part such as a group and what is next to it.

    Args:
        root: the Value whose graph it is.
        order: nodes, each after those of them that it is made of.
        paths: the path of every node's group.
        cut: gives the path of the group to fold into; () for none.
        opened: paths of groups that stay open nevertheless.
        apart: leaves that stay nodes of their own.
        bundles: the paths of groups of leaves.
    """
    operations = [node for node in order if node.parents]
    class_of = {node: _opened(cut, paths.get(node, ()), opened) or node for node in operations}
    classes = acyclic_classes(operations, class_of)
    place = {node: i for i, (_, members) in enumerate(classes) for node in members}
    used_by: dict[Any, set[int]] = {node: set() for node in order}
    for node in operations:
        for parent in node.parents:
            if parent in used_by:
                used_by[parent].add(place[node])
    for uses in used_by.values():
        if not uses:  # the root, or what only the rest of the graph uses: an output
            uses.add(len(classes))
    bundled = {leaf: _opened(cut, bundles[leaf], opened) for leaf in order if leaf in bundles}
    own, free = _placed_leaves(order, [name for name, _ in classes], used_by, apart, bundled)
    place |= {leaf: i for i, leaves in own.items() for leaf in leaves}
    nodes: list[Any] = []
    parts: dict[Any, list[Group]] = {}
    for i, (name, members) in enumerate(classes):
        if not isinstance(name, tuple):
            nodes += free.get(i, [])
            nodes += members
            continue
        nodes += _bundled(free.get(i, ()), apart, opened)
        outputs = [node for node in members if used_by[node] != {i}]
        parents = dict.fromkeys(parent for node in members for parent in node.parents)
        group = Group(name, members, own.get(i, ()), [x for x in parents if place.get(x) != i], outputs)
        parts.setdefault(name, []).append(group)
        nodes.append(group)
    for several in parts.values():
        for number, group in enumerate(several, 1):
            group.part, group.parts = number, len(several)
    return FoldedGraph(root, [*nodes, *free.get(len(classes), ())], len(order), paths)


def _placed_leaves(
    order: Sequence[Any],
    names: Sequence[Any],
    used_by: Mapping[Any, set[int]],
    apart: Collection[Any],
    bundled: Mapping[Any, Path],
) -> tuple[dict[int, list[Any]], dict[int, list[Any]]]:
    """List the leaves that go into each group, and those that stay outside by the first node that they go to."""
    groups = {i: name for i, name in enumerate(names) if isinstance(name, tuple)}
    taken = set(groups.values())
    own: dict[int, list[Any]] = {}
    free: dict[int, list[Any]] = {}
    together: dict[Path, list[Any]] = {}
    for leaf in order:
        if leaf.parents:
            continue
        first, bundle = min(used_by[leaf]), bundled.get(leaf, ())
        group = groups.get(first, ()) if leaf.op and len(used_by[leaf]) == 1 else ()
        if leaf in apart:
            free.setdefault(first, []).append(leaf)
        elif group and group[: len(bundle)] == bundle:
            own.setdefault(first, []).append(leaf)
        elif bundle and bundle not in taken:
            together.setdefault(bundle, []).append(leaf)
        else:
            free.setdefault(first, []).append(leaf)
    for path, leaves in together.items():
        first = min(min(used_by[leaf]) for leaf in leaves)
        free.setdefault(first, []).append(Group(path, (), leaves, (), leaves))
    return own, free


def _cutter(depth: int | str, paths: Groups) -> Cut:
    """Give the function from the path of a node to that of the group it is folded into; () for none."""
    if not isinstance(depth, str):
        return lambda path: path[: depth + 1] if len(path) > depth else ()
    return within(1) if depth == "structure" else partial(cut_at, depth, layers=layers_among(paths.values()))


def within(length: int) -> Cut:
    """Fold into groups so deep in each other at most; what is in fewer groups is folded too."""
    return lambda path: path[:length]


def _opened(cut: Cut, path: Path, opened: Collection[Path]) -> Path:
    """Cut a path, but so that the groups that are to stay open do."""
    group = cut(path)
    while group and group in opened:
        length = len(group) if group == path[: len(group)] else 0
        group = path[: length + 1] if length < len(path) else ()
    return group


def _bundled(leaves: Sequence[Any], apart: Collection[Any], opened: Collection[Path]) -> list[Any]:
    """Put leaves of the same kind together where there are many."""
    kinds: dict[str, list[Any]] = {}
    result: list[Any] = []
    for leaf in leaves:
        if isinstance(leaf, Group) or leaf in apart:
            result.append(leaf)
        else:
            kinds.setdefault(leaf.op, []).append(leaf)
    for kind, members in kinds.items():
        stems = {re.sub(r"(\[\d+\])+$", "", str(leaf.label)) for leaf in members}
        name = stems.pop() if len(stems) == 1 else ""
        path = (name or f"{kind or 'input'}s",)
        if len(members) < _BUNDLE or path in opened:
            result += members
        else:
            result.append(Group(path, (), members, (), members))
    return result


def _check(depth: Fold) -> None:
    legal = f"a number of levels to leave open, {', '.join(map(repr, FOLDS))} or None"
    if isinstance(depth, str) and depth not in FOLDS:
        raise ValueError(f"unknown fold {depth!r:.60}; it is {legal}")
    if isinstance(depth, bool) or not isinstance(depth, (Integral, str, type(None))):
        raise TypeError(f"a graph is folded to {legal}, got {depth!r:.60} of type {type(depth).__name__}")
    if isinstance(depth, Integral) and int(depth) < 0:
        raise ValueError(f"a graph is folded to {legal}, got {depth}; 0 folds most")
