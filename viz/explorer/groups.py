"""The groups that an explorer can open: those of ``groups_of``, and parts where a picture would be too full.

Groups are paths of names, as everywhere. Operations without a name are grouped by their structure where they are many.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autograd_mini.folding import Group, Path, groups_of
from autograd_mini.grouping import Groups, with_leaves
from autograd_mini.printing import printable
from autograd_mini.quotient import acyclic_classes
from autograd_mini.structure import structure_of

__all__ = ["GroupList", "divided"]

_READABLE = 45  # operations without a name; of more those of one structure are put together
_REPEATED = 4  # operations to a structure, or they are not worth it
_FULL = 400  # more things than that in one picture are put into parts
_TORN = 2_000  # groups that take turns are in parts; more parts than that, and their names are of no help
_PART = 150
_MOST_PARTS = 24
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
        operations = {node: named[node] for node in order if node.parents}
        nameless = [node for node, path in operations.items() if not path]
        is_torn = _parts(operations) > _TORN
        if is_torn or len(nameless) > _READABLE:
            structure = structure_of(order[-1])
            fewer = min(_FULL, _REPEATED * len({structure[node][:1] for node in nameless}))
            if is_torn or len(nameless) > fewer:
                operations |= {node: structure[node] for node in (operations if is_torn else nameless)}
        operations = divided(operations, "operations")
        taken = {path[:length] for path in set(operations.values()) for length in range(len(path) + 1)}
        paths = with_leaves(order, operations)
        inputs = [node for node in order if not node.parents and not node.op]
        own = {node: named[node] for node in order if not (node.parents or paths[node] or named[node][:1] in taken)}
        name = "input"
        while (name,) in taken:
            name += "s"
        paths |= own | (dict.fromkeys(inputs, (name,)) if len(inputs) > _FEW_INPUTS else {})
        self.paths = paths | divided({node: paths[node] for node in order if not node.parents}, "leaves")
        self.bundles = {node: path for node, path in self.paths.items() if not node.parents and path not in taken}
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


def _parts(groups: Groups) -> int:
    """In how many parts the outermost groups are, so that none depends on itself."""
    if not any(groups.values()):
        return 0
    classes = acyclic_classes(list(groups), {node: path[:1] or node for node, path in groups.items()})
    return sum(isinstance(name, tuple) for name, _ in classes)


def divided(groups: Groups, what: str) -> Groups:
    """Put what is in a full group into parts, in the order of the forward pass, and many parts into larger ones.

    Example:
        >>> parts = divided({i: ("g",) for i in range(1000)}, "operations")
        >>> parts[0], parts[999]
        (('g', 'operations 1 to 150'), ('g', 'operations 901 to 1,000'))
    """
    inside: dict[Path, dict[Path, None]] = {}
    direct: dict[Path, list[Any]] = {}
    for node, path in groups.items():
        direct.setdefault(path, []).append(node)
        for length in range(len(path), 0, -1):
            inside.setdefault(path[: length - 1], {})[path[:length]] = None
    result = dict(groups)
    for path, nodes in direct.items():
        if len(nodes) + len(inside.get(path, ())) > _FULL and len(nodes) > _PART:
            result |= {node: path + names for node, names in zip(nodes, _runs(0, len(nodes), what), strict=True)}
    into = {
        child: names
        for path, children in inside.items()
        if len(children) > _FULL
        for child, names in zip(children, _runs(0, len(children), "groups"), strict=True)
    }
    return {node: _inserted(path, into) for node, path in result.items()} if into else result


def _inserted(path: Path, into: Mapping[Path, Path]) -> Path:
    """A path with the parts that its groups were put into."""
    return tuple(name for i in range(len(path)) for name in (*into.get(path[: i + 1], ()), path[i]))


def _runs(start: int, end: int, what: str) -> Iterator[Path]:
    size = max(_PART, -(-(end - start) // _MOST_PARTS))
    for first in range(start, end, size):
        last = min(first + size, end)
        name = f"{what} {first + 1:,} to {last:,}"
        inner = _runs(first, last, what) if last - first > _PART else iter([()] * (last - first))
        yield from ((name, *names) for names in inner)
