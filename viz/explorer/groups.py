"""The groups that an explorer can open: those of ``groups_of``, and parts where a picture would be too full.

Groups are paths of names, as everywhere. Operations without a name are grouped by their structure where they are many.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from autograd_mini.folding import Group, Path, groups_of
from autograd_mini.grouping import Groups, with_leaves
from autograd_mini.printing import printable
from autograd_mini.quotient import acyclic_classes
from autograd_mini.structure import structure_of
from viz.explorer.parts import FULL, divided

__all__ = ["GroupList"]

_READABLE = 45  # operations without a name; of more those of one structure are put together
_REPEATED = 4  # operations to a structure, or they are not worth it
_TORN = 2_000  # groups that take turns are in parts; more parts than that, and their names are of no help
_FEW_INPUTS = 8
_LONGEST_NAME = 60


class GroupList:
    """All groups of a graph, numbered as the page knows them.

    Args:
        order: the graph, in topological order, its root last.

    Attributes:
        paths: the path of the innermost group that each node is in.
        bundles: the same of the leaves that are in groups of leaves.
        members: the nodes that are in each group and in none within it; the whole graph, (), is the first.
        within: the nodes that are in each group, those of the groups in it too.
        openable: the paths that have groups within them.
    """

    def __init__(self, order: Sequence[Any]) -> None:
        named = groups_of(order[-1])
        operations = _readable({node: named[node] for node in order if node.parents}, order[-1])
        operations = divided(operations, "operations")
        taken = {path[:length] for path in set(operations.values()) for length in range(len(path) + 1)}
        leaves = _leaves(order, operations, named, taken)
        self.paths = operations | leaves
        self.bundles = {leaf: path for leaf, path in leaves.items() if path not in taken}
        self.members: dict[Path, list[Any]] = {(): []}
        self.within: dict[Path, list[Any]] = {}
        for node in order:
            path = self.paths[node]
            for length in range(1, len(path) + 1):
                self.members.setdefault(path[:length], [])
                self.within.setdefault(path[:length], []).append(node)
            self.members[path].append(node)
        self._number = {path: i for i, path in enumerate(self.members)}
        self._others: dict[tuple[Any, ...], tuple[int, Group]] = {}
        self.openable = {path[:-1] for path in self.members if path}

    @property
    def depth(self) -> int:
        """How deep groups are in each other."""
        return max(map(len, self.members))

    def number(self, shown: Group | Path, *, is_outside: bool = False) -> int:
        """The number of a group. What is no group of the list, such as a part of one that was split, is added to it.

        Around the inside of another group only what is next to it is folded, and stands for the whole.
        """
        path = shown.path if isinstance(shown, Group) else shown
        is_part = isinstance(shown, Group) and shown.parts > 1 and not is_outside
        if not isinstance(shown, Group) or (path in self._number and self._is(shown) and not is_part):
            return self._number[path]
        return self._others.setdefault((shown.name, shown.members), (len(self._number) + len(self._others), shown))[0]

    def _is(self, group: Group) -> bool:
        return bool(group.operations) or group.leaves[0] in self.bundles

    def as_list(self, index: Mapping[Any, int]) -> list[dict[str, Any]]:
        """All groups for the page: their names, the groups around them, and of those added the nodes in them."""
        listed: list[dict[str, Any]] = [
            {"name": printable(path[-1], _LONGEST_NAME) if path else "graph",
             "parent": self._number[path[:-1]] if path else None}
            for path in self._number
        ]  # fmt: skip
        others = [
            {"name": printable(group.name.removeprefix(".".join((*group.path[:-1], ""))), _LONGEST_NAME),
             "parent": self._number.get(group.path[:-1], 0), "nodes": [index[node] for node in group.members]}
            for _, group in self._others.values()
        ]  # fmt: skip
        return listed + others

    def level_names(self) -> list[str]:
        """What to call the picture of each depth: by layers and neurons where the groups are these."""
        depths = range(1, self.depth + 1)
        names = {depth: [path[-1] for path in self.members if len(path) == depth] for depth in depths}
        neurons = [depth for depth in depths if any(re.fullmatch(r"neuron\d+", name) for name in names[depth])]
        if not neurons:
            return ["groups"] if self.depth == 1 else [f"depth {depth}" for depth in depths]
        known = {neurons[0]: "neurons", neurons[0] - 1: "layers"}
        return [known.get(depth, f"depth {depth}") for depth in depths]


def _readable(groups: Groups, root: Any) -> Groups:
    """Group operations without a name by their structure, if they are many of a kind; and all, of torn groups."""
    nameless = [node for node, path in groups.items() if not path]
    is_torn = _parts(groups) > _TORN
    if not is_torn and len(nameless) <= _READABLE:
        return groups
    structure = structure_of(root)
    if is_torn:
        return {node: structure[node] for node in groups}
    kinds = {structure[node][:1] for node in nameless}
    is_worth_it = len(nameless) > min(FULL, _REPEATED * len(kinds))
    return groups | {node: structure[node] for node in nameless} if is_worth_it else groups


def _parts(groups: Groups) -> int:
    """In how many parts the outermost groups are, so that none depends on itself."""
    if not any(groups.values()):
        return 0
    classes = acyclic_classes(list(groups), {node: path[:1] or node for node, path in groups.items()})
    return sum(isinstance(name, tuple) for name, _ in classes)


def _leaves(order: Sequence[Any], operations: Groups, named: Groups, taken: set[Path]) -> Groups:
    """The paths of leaves: that of what uses them; else their own, or one for all inputs, which no operation has."""
    paths = with_leaves(order, operations)
    leaves = {node: paths[node] for node in order if not node.parents}
    leaves |= {leaf: named[leaf] for leaf, path in leaves.items() if not path and named[leaf][:1] not in taken}
    inputs = [leaf for leaf in leaves if not leaf.op]
    if len(inputs) > _FEW_INPUTS:
        name = "input"
        while (name,) in taken:
            name += "s"
        leaves |= dict.fromkeys(inputs, (name,))
    return divided(leaves, "leaves")
