"""Which nodes of a canonical graph are computed alike: those of one level that do the same to as many arguments.

The compiler makes a kernel of such a group, and ``fold(root, "structure")`` one node.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd_mini.numbered import Graph

__all__ = ["Alike", "alike"]


class Alike(NamedTuple):
    """A group of nodes that do not depend on each other and are computed alike.

    Attributes:
        level: its place in the order of computing; what has a lower one comes before.
        op: what all of them are made by.
        nodes: their indices.
    """

    level: int
    op: str
    nodes: list[int]


def alike(graph: Graph, batched: Sequence[bool] = ()) -> list[Alike]:
    """Find the groups, in the order of computing: by how early nodes can be computed, or how late if that is fewer.

    Args:
        graph: its nodes.
        batched: of every node, whether it differs from example to example; what does is not grouped with what does not.
            Without, nothing does.
    """
    grouped = [_grouped(graph, level, batched) for level in (_earliest(graph), _latest(graph))]
    groups = min(grouped, key=len)
    keys = sorted(groups, key=lambda key: (key[0], groups[key][0]))
    return [Alike(key[0], key[1], groups[key]) for key in keys]


def _grouped(graph: Graph, level: list[int], batched: Sequence[bool]) -> dict[tuple[Any, ...], list[int]]:
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for index, args in enumerate(graph.args):
        if args:
            op = graph.op[index]
            constants: tuple[Any, ...] = ()
            if len(args) <= 3 and op != "dot":
                constants = tuple([arg in graph.number for arg in args])
                if op == "pow" and constants[1]:
                    constants = (graph.number[args[1]],)
            groups[level[index], op, len(args), bool(batched) and batched[index], constants].append(index)
    return groups


def _earliest(graph: Graph) -> list[int]:
    """Of every node the number of steps before it."""
    level = [0] * len(graph)
    for index, args in enumerate(graph.args):
        if args:
            level[index] = 1 + max([level[arg] for arg in args])
    return level


def _latest(graph: Graph) -> list[int]:
    """Of every node the number of steps behind it, as a negative number."""
    level = [0] * len(graph)
    for index in range(len(graph) - 1, -1, -1):
        before = level[index] - 1
        for arg in graph.args[index]:
            if level[arg] > before:
                level[arg] = before
    return level
