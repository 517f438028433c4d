"""``fold``: a graph in which groups of operations are one node each, with total derivatives across their boundaries.

The chain rule holds at every zoom: a group hands on upstream × total derivative as a single operation hands on
upstream × local derivative, and what arrives at the leaves is the gradient of the graph that was folded. The total
derivative of an output by an input is the sum over the paths between them inside the group (Griewank & Walther,
*Evaluating Derivatives*, §9: the vertices between are eliminated).
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from autograd_mini.folded import Edge, FoldedGraph, Group
from autograd_mini.graph import topological_order
from autograd_mini.grouping import LEVELS, Groups, cut_at, groups_of, structure_of
from autograd_mini.quotient import acyclic_classes
from autograd_mini.tracer import refuse_unknown

__all__ = ["Edge", "Fold", "FoldedGraph", "Group", "fold", "groups_of"]

Fold: TypeAlias = int | str | None
"""How far to fold: a number of levels to leave open, a name of ``FOLDS``, or None for not at all."""

FOLDS = (*LEVELS, "structure", "auto")
_MOST_NODES = 300  # that "auto" leaves
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
            groups of the same op and level, whatever they are called; ``"auto"`` for as open as 300 nodes allow; None
            for every operation by itself.
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
        paths: Mapping[Any, tuple[str, ...]] = {}
    else:
        paths = groups if groups is not None else structure_of(root) if depth == "structure" else groups_of(root)
    return _folded(root, order, paths, depth, set(opened), set(apart))


def _fitting(root: Any, order: Sequence[Any], opened: Any, apart: Any, groups: Groups | None) -> FoldedGraph:
    """The most open way to fold that has few enough nodes, or else the one by structure."""
    opened, apart = set(opened), set(apart)
    folded = _folded(root, order, {}, None, opened, apart)
    if len(folded.nodes) <= _MOST_NODES:
        return folded
    paths = groups if groups is not None else groups_of(root)
    structure = structure_of(root)
    for depth in range(max(map(len, paths.values())) - 1, -1, -1):
        folded = _folded(root, order, paths, depth, opened, apart)
        if len(folded.nodes) <= _MOST_NODES:
            return folded
    both = {node: path or structure[node] for node, path in paths.items()}
    folded = _folded(root, order, both, 0, opened, apart)
    return folded if len(folded.nodes) <= _MOST_NODES else _folded(root, order, structure, 0, opened, apart)


def _folded(
    root: Any,
    order: Sequence[Any],
    paths: Mapping[Any, tuple[str, ...]],
    depth: Fold,
    opened: set[tuple[str, ...]],
    apart: set[Any],
) -> FoldedGraph:
    operations = [node for node in order if node.parents]
    class_of = {node: _cut(paths.get(node, ()), depth, opened) or node for node in operations}
    classes = acyclic_classes(operations, class_of)
    place = {node: i for i, (_, members) in enumerate(classes) for node in members}
    used_by: dict[Any, dict[int, None]] = {node: {} for node in order}
    for node in operations:
        for parent in node.parents:
            used_by[parent][place[node]] = None
    used_by[root][-1] = None
    is_group = [isinstance(name, tuple) for name, _ in classes]
    own: dict[int, list[Any]] = {}
    free: dict[int, list[Any]] = {}
    for node in order:
        if not node.parents:
            first = next(iter(used_by[node]))
            alone = len(used_by[node]) == 1 and first >= 0 and is_group[first] and node.op and node not in apart
            (own if alone else free).setdefault(first, []).append(node)
    owned = {leaf: i for i, leaves in own.items() for leaf in leaves}
    nodes: list[Any] = []
    count: dict[Any, int] = {}
    for i, (name, members) in enumerate(classes):
        nodes += _bundled(free.get(i, ()), apart, opened) if is_group[i] else free.get(i, ())
        if not is_group[i]:
            nodes += members
            continue
        count[name] = count.get(name, 0) + 1
        outputs = [node for node in members if used_by[node].keys() - {i}]
        inputs = {
            parent: None for node in members for parent in node.parents if place.get(parent, owned.get(parent)) != i
        }
        nodes.append(Group(name, members, own.get(i, ()), tuple(inputs), outputs, part=count[name]))
    nodes += free.get(-1, ())
    for node in nodes:
        if isinstance(node, Group) and node.operations:
            node.parts = count.get(node.path, 1)
    return FoldedGraph(root, tuple(nodes), len(order))


def _cut(path: tuple[str, ...], depth: Fold, opened: set[tuple[str, ...]]) -> tuple[str, ...]:
    """The group that a node of this path is folded into; () for none."""
    if depth is None or not path:
        return ()
    if isinstance(depth, int):
        cut = path[: depth + 1] if len(path) > depth else ()
    else:
        cut = path if depth == "structure" else cut_at(depth, path)
    while cut in opened:
        length = len(cut) if cut == path[: len(cut)] else 0
        cut = path[: length + 1] if length < len(path) else ()
    return cut


def _bundled(leaves: Sequence[Any], apart: set[Any], opened: set[tuple[str, ...]]) -> list[Any]:
    """Put leaves of the same kind together where there are many."""
    kinds: dict[str, list[Any]] = {}
    result: list[Any] = []
    for leaf in leaves:
        if leaf in apart:
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
    if isinstance(depth, bool) or not isinstance(depth, (int, str, type(None))):
        raise TypeError(f"a graph is folded to {legal}, got {depth!r:.60} of type {type(depth).__name__}")
    if isinstance(depth, int) and depth < 0:
        raise ValueError(f"a graph is folded to {legal}, got {depth}; 0 folds most")
