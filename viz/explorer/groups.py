"""The groups of a graph as a tree: layers and neurons by their names, and parts where a picture would be too full."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autograd_mini.printing import printable
from viz.explorer.data import GraphData

__all__ = ["Group", "GroupTree"]

_FULL = 400  # more things than that in one picture are put into parts
_PART = 150
_MOST_PARTS = 24
_FEW_INPUTS = 8
_LONGEST_NAME = 60


@dataclass(eq=False)
class Group:
    """One group.

    Attributes:
        number: its place in the tree's list; 0 is the whole graph.
        name: the last part of its path.
        parent: the group around it; None for the whole graph.
        groups: the groups in it.
        nodes: the nodes in it that are in none of those, by number.
    """

    number: int
    name: str
    parent: "Group | None"
    groups: list["Group"] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.depth: int = 0 if self.parent is None else self.parent.depth + 1

    def ancestors(self) -> Iterator["Group"]:
        """Yield the group itself, the one around it, and so on up to the whole graph."""
        group: Group | None = self
        while group is not None:
            yield group
            group = group.parent


class GroupTree:
    """All groups of a graph.

    Args:
        data: the graph.
        paths: for each node, by number, the names of the groups it is in, the outermost first.

    Attributes:
        groups: every group, the whole graph first.
        of_node: for each node the innermost group that it is in.
    """

    def __init__(self, data: GraphData, paths: Sequence[tuple[str, ...]]) -> None:
        self.groups: list[Group] = []
        self.root = self._add("graph", None)
        known: dict[tuple[str, ...], Group] = {(): self.root}
        inputs = [i for i, node in enumerate(data.nodes) if not node.op and not node.parents]
        as_input = set(inputs) if len(inputs) > _FEW_INPUTS else set()
        self.of_node: list[Group] = []
        for i, path in enumerate(paths):
            group = self._find(known, ("input",) if i in as_input else tuple(path))
            group.nodes.append(i)
            self.of_node.append(group)
        for group in list(self.groups):
            self._divide(group)

    @property
    def depth(self) -> int:
        """How deep groups are in each other."""
        return max(group.depth for group in self.groups)

    def level_names(self) -> list[str]:
        """What to call the picture of each depth: by layers and neurons where the groups are these."""
        depths = range(1, self.depth + 1)
        names = {depth: [group.name for group in self.groups if group.depth == depth] for depth in depths}
        neurons = [depth for depth in depths if any(re.fullmatch(r"neuron\d+", name) for name in names[depth])]
        if not neurons:
            return ["groups"] if self.depth == 1 else [f"depth {depth}" for depth in depths]
        known = {neurons[0]: "neurons", neurons[0] - 1: "layers"}
        return [known.get(depth, f"depth {depth}") for depth in depths]

    def _find(self, known: dict[tuple[str, ...], Group], path: tuple[str, ...]) -> Group:
        for length in range(1, len(path) + 1):
            if path[:length] not in known:
                known[path[:length]] = self._add(path[length - 1], known[path[: length - 1]])
        return known[path]

    def _add(self, name: str, parent: Group | None) -> Group:
        group = Group(len(self.groups), printable(name, _LONGEST_NAME), parent)
        self.groups.append(group)
        if parent is not None:
            parent.groups.append(group)
        return group

    def _divide(self, group: Group) -> None:
        """Put the nodes of a full group into parts, in the order of the forward pass, and many parts into larger ones.

        Runs of a topological order depend on each other one way, so the picture of the parts has no cycle.
        """
        if len(group.nodes) + len(group.groups) <= _FULL or len(group.nodes) <= _PART:
            return
        nodes, group.nodes = group.nodes, []
        self._fill(group, nodes)

    def _fill(self, group: Group, nodes: list[int]) -> None:
        size = max(_PART, -(-len(nodes) // _MOST_PARTS))
        for start in range(0, len(nodes), size):
            run = nodes[start : start + size]
            part = self._add(f"operations {start + 1:,} to {start + len(run):,}", group)
            if len(run) > _PART:
                self._fill(part, run)
            else:
                part.nodes = run
                for i in run:
                    self.of_node[i] = part
