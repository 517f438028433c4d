"""A graph of numbered nodes, in which equal nodes are one: a node is an index, its arguments are indices."""

from typing import Any, NamedTuple

from autograd_mini.tracer import HELD
from autograd_mini.value import Value

__all__ = ["NO_GRADIENT", "Graph", "Source"]

NO_GRADIENT = frozenset({*HELD, "detach"})
"""Ops that hand on no gradient: conditions, what counts as a constant though it is none, and what no_grad() made."""

_COMMUTATIVE = frozenset({"add", "mul", "maximum", "minimum", "equal"})


class Source(NamedTuple):
    """Where a leaf's number comes from: an argument, the parameters or a supply, and the position in it."""

    store: str
    position: int


class Graph:
    """Numbered nodes, arguments before what is made of them.

    Attributes:
        op: the op of each node; ``"source"`` and ``"constant"`` for leaves.
        args: its arguments as indices; for a dot all left factors, then all right ones.
        source: of the leaves, where their numbers come from.
        number: of the constants, their numbers.
        roots: the nodes that the program computes.
        leaves: the Values that were leaves when it was recorded.
    """

    def __init__(self) -> None:
        self.op: list[str] = []
        self.args: list[tuple[int, ...]] = []
        self.source: dict[int, Source] = {}
        self.number: dict[int, float] = {}
        self.roots: list[int] = []
        self.leaves: list[Value] = []
        self._found: dict[tuple[Any, ...], int] = {}

    def __len__(self) -> int:
        return len(self.op)

    def constant(self, number: float) -> int:
        """The node of a constant."""
        key = ("constant", number, str(number)) if number == 0.0 else ("constant", number)
        index = self._found.get(key)
        if index is None:
            index = self._found[key] = self._append("constant", ())
            self.number[index] = number
        return index

    def leaf(self, source: Source) -> int:
        """The node of a leaf."""
        key = ("source", *source)
        index = self._found.get(key)
        if index is None:
            index = self._found[key] = self._append("source", ())
            self.source[index] = source
        return index

    def node(self, op: str, args: tuple[int, ...]) -> int:
        """The node that `op` makes of `args`, which may be there already."""
        if op in _COMMUTATIVE and args[0] > args[1]:
            key: tuple[Any, ...] = (op, args[1], args[0])
        elif op == "dot" and args[half := len(args) // 2] < args[0]:
            key = (op, *args[half:], *args[:half])
        else:
            key = (op, *args)
        index = self._found.get(key)
        if index is None:
            index = self._found[key] = self._append(op, args)
        return index

    def _append(self, op: str, args: tuple[int, ...]) -> int:
        self.op.append(op)
        self.args.append(args)
        return len(self.op) - 1
