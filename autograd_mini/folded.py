"""A folded graph: groups, the total derivatives across their boundaries, and the chain rule over them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from autograd_mini.backward import hand_down
from autograd_mini.notation import symbol_of
from autograd_mini.number import number_text
from autograd_mini.printing import always_answers, printable

__all__ = ["Derivatives", "Edge", "FoldedGraph", "Group"]

Derivatives: TypeAlias = dict[Any, dict[Any, float]]
_SHOWN = 8
_PLURALS = {"operation": "operations", "leaf": "leaves", "output": "outputs"}


class Edge(NamedTuple):
    """One number that goes from a node of the folded graph to another.

    Attributes:
        source: the node it comes from, a Value or a Group.
        target: the node it goes into, a Value or a Group.
        derivative: the total derivative d output / d input within the target; None where none is recorded, as for a
            constant.
        input: the Value that is handed over; the source itself unless that is a group.
        output: the Value it takes part in; the target itself unless that is a group.
    """

    source: Any
    target: Any
    derivative: float | None
    input: Any
    output: Any

    def __repr__(self) -> str:
        names = [printable(_name(node), 40) for node in (self.source, self.target)]
        number = "no derivative" if self.derivative is None else number_text(self.derivative)
        return f"Edge({' → '.join(names)}: {number})"


class Group:
    """Operations that are shown as one node, or leaves that are.

    Attributes:
        path: the names of the group, from the outside in.
        operations: its operations, each after those it is made of; none in a group of leaves.
        leaves: the leaves that are folded into it.
        inputs: what it is given from outside.
        outputs: what of it is used outside, or is the root.
        part: which part of a group that had to be split this is, counted from 1.
        parts: how many parts there are; 1 if it is whole.
    """

    def __init__(
        self,
        path: tuple[str, ...],
        operations: Sequence[Any],
        leaves: Sequence[Any],
        inputs: Sequence[Any],
        outputs: Sequence[Any],
    ) -> None:
        self.path, self.part, self.parts = path, 1, 1
        self.operations, self.leaves = tuple(operations), tuple(leaves)
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)

    @property
    def name(self) -> str:
        """The names of the group in one, such as ``hidden.neuron1``."""
        name = ".".join(self.path)
        return f"{name} ({self.part} of {self.parts})" if self.parts > 1 else name

    @property
    def members(self) -> tuple[Any, ...]:
        """Its leaves and its operations."""
        return self.leaves + self.operations

    @cached_property
    def _used(self) -> frozenset[Any]:
        return frozenset(parent for node in self.operations for parent in node.parents)

    def uses(self, node: Any) -> bool:
        """Whether an operation of the group is made of this Value."""
        return node in self._used

    @cached_property
    def derivatives(self) -> Derivatives:
        """d output / d input for every output and each input and own leaf that a path inside the group leads to."""
        if not self.operations:
            return {leaf: {} for leaf in self.leaves}
        by_inputs = len(self.inputs) + len(self.leaves) < len(self.outputs)
        return self._forwards() if by_inputs else self._backwards()

    def _backwards(self) -> Derivatives:
        """Reverse mode: one sweep from each output through the operations it is made of."""
        position = {node: i for i, node in enumerate(self.operations)}
        table: Derivatives = {}
        for output in self.outputs:
            found, todo = {output}, [output]
            while todo:
                for parent in todo.pop()._inputs:
                    if parent in position and parent not in found:
                        found.add(parent)
                        todo.append(parent)
            gradient = {output: 1.0}
            hand_down(gradient, sorted(found, key=position.__getitem__, reverse=True))
            table[output] = {node: number for node, number in gradient.items() if node not in position}
        return table

    def _forwards(self) -> Derivatives:
        """Forward mode: the derivatives of every operation by all inputs, once over the group."""
        uses = dict.fromkeys(self.outputs, 1)
        for node in self.operations:
            for parent in node._inputs:
                uses[parent] = uses.get(parent, 0) + 1
        inside = set(self.operations)
        rows: Derivatives = {}
        for node in self.operations:
            row = rows[node] = {}
            for parent, local in zip(node._inputs, node._locals, strict=True):
                if parent in inside:
                    for x, number in rows[parent].items():
                        row[x] = row.get(x, 0.0) + local * number
                    uses[parent] -= 1
                    if not uses[parent]:
                        del rows[parent]
                else:
                    row[parent] = row.get(parent, 0.0) + local
        return {output: rows[output] for output in self.outputs}

    @always_answers
    def __repr__(self) -> str:
        return f"Group({printable(self.name)}: {_counted(self)})"


class FoldedGraph:
    """A graph whose groups are single nodes; what ``fold`` returns.

    Attributes:
        root: the Value whose graph it is.
        nodes: Values and Groups, each after those it depends on.
        size: how many nodes the graph had.
        paths: the names of the group of each Value, as far as they are known.
    """

    def __init__(
        self, root: Any, nodes: Sequence[Any], size: int, paths: Mapping[Any, tuple[str, ...]] = MappingProxyType({})
    ) -> None:
        self.root, self.nodes, self.size, self.paths = root, tuple(nodes), size, paths

    @cached_property
    def node_of(self) -> dict[Any, Any]:
        """The node that shows a Value: the group it is folded into, or itself."""
        return {
            member: node for node in self.nodes for member in (node.members if isinstance(node, Group) else (node,))
        }

    def sources(self, node: Any) -> list[Any]:
        """The nodes here that one node depends on, each once."""
        inputs = node.inputs if isinstance(node, Group) else node.parents
        return list(dict.fromkeys(self.node_of[x] for x in inputs if x in self.node_of))

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every edge between nodes: one per argument of a single operation, one per input and output of a group."""
        return tuple(edge for node in self.nodes for edge in self.edges_into(node))

    def edges_into(self, node: Any) -> Iterator[Edge]:
        """Yield the edges that lead to one node."""
        of = self.node_of
        if not isinstance(node, Group):
            for parent, local in zip(node.parents, node.local_derivatives, strict=True):
                yield Edge(of[parent], node, local, parent, node)
            return
        for output, row in node.derivatives.items():
            for x, number in row.items():
                if of[x] is not node:
                    yield Edge(of[x], node, number, x, output)

    def gradients(self) -> dict[Any, float]:
        """Apply the chain rule to the folded graph: the derivative of the root by what groups hand over and by leaves.

        Example:
            >>> from autograd_mini import Value, fold, scope
            >>> x = Value(3.0, "x")
            >>> with scope("square"):
            ...     y = x * x
            >>> fold(y, 0).gradients()[x]
            6.0
        """
        gradient: dict[Any, float] = {self.root: 1.0}
        for node in reversed(self.nodes):
            if not isinstance(node, Group):
                if node in gradient:
                    hand_down(gradient, (node,))
                continue
            for output, row in node.derivatives.items():
                if output in gradient:
                    for x, derivative in row.items():
                        gradient[x] = gradient.get(x, 0.0) + gradient[output] * derivative
        return gradient

    @always_answers
    def __repr__(self) -> str:
        names = [printable(_name(node), 40) for node in self.nodes]
        shown = names if len(names) <= _SHOWN else [*names[: _SHOWN // 2], "…", *names[-_SHOWN // 2 :]]
        return f"FoldedGraph({len(names):,} nodes for {self.size:,}: {', '.join(shown)})"


def _name(node: Any) -> str:
    if isinstance(node, Group):
        return node.name
    return str(node.label) or (symbol_of(node.op) if node.parents else number_text(node.data))


def _counted(group: Group) -> str:
    counts = (len(group.operations), "operation"), (len(group.leaves), "leaf"), (len(group.outputs), "output")
    return ", ".join(f"{n:,} {what if n == 1 else _PLURALS[what]}" for n, what in counts if n)
