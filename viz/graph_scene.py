"""What a picture of a graph shows: operations, folded groups, their numbers, and the derivatives on the edges.

Nothing here knows about DOT, HTML, colours or fonts. The DOT language and plain text are written of this scene; so is
the explorer's page, of its nodes and edges alone, since the page computes every number anew. Graphviz says where things
stand.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from autograd_mini import RULES, Value
from autograd_mini.backward import product, sweep_order
from autograd_mini.folding import Edge, FoldedGraph, Group
from autograd_mini.notation import Names, symbol_of
from autograd_mini.number import number_text, product_text
from viz.scene import Number
from viz.summary import at_most

__all__ = ["Card", "GraphScene", "Link", "by_number"]

_MOST_OUTPUTS = 4  # of a group that are listed


@dataclass(frozen=True, slots=True)
class Card:
    """What there is to say of a node.

    Attributes:
        role: ``"input"``, ``"parameter"``, ``"constant"``, ``"operation"``, ``"output"`` for the root, or what a node
            is pointed out as.
        head: the sign of its operation, or its role; of a group its name.
        name: the label of a single node.
        alias: what a single node without a label is called elsewhere, such as ``v1``; empty for a constant.
        counts: what is folded into a group; empty for a single node.
        lines: a single node's number; of a group its outputs and the leaf with the largest gradient, and words.
        hint: a line on all of it.
    """

    role: str
    head: str
    name: str
    alias: str
    counts: str
    lines: tuple[Number | str, ...]
    hint: str


@dataclass(frozen=True, slots=True)
class Link:
    """An edge of the picture, which may stand for several of the graph.

    Attributes:
        tail, head: what it leads from and to.
        argument: which argument of an operation it is, where their order counts.
        text: the derivative that it carries, or of several their number and the largest; or a note.
        hint: the chain rule across it.
        emphasis: ``"solid"`` or ``"dashed"`` to point it out, or empty.
    """

    tail: Any
    head: Any
    argument: int | None
    text: str
    hint: str
    emphasis: str


def _label(node: Value) -> str:
    return str(node.label)


@dataclass(frozen=True, kw_only=True)
class GraphScene:
    """A graph, or a part of one, ready to be drawn.

    Attributes:
        folded: the graph.
        nodes: what is shown of it: Values and Groups, each after those it depends on.
        rests: what is left out, as pairs of ends of which one is a Rest.
        description: what is shown, in a few words.
        caption: what the picture says as a whole.
        mark: the role of what is pointed out.
        marked: the node to point out, or None.
        on_paths: the Values on the paths to emphasise; empty if none are.
        notes: what to write on the edge to a node's argument instead of its derivative; it is emphasised.
        dashed: the edges with notes that are drawn dashed.
        tells_derivatives: whether edges of single operations say their derivative; those of groups always do.
        gradients: gradients to show instead of the ones that the nodes hold.
        names: gives the name that a single Value is shown with; where its number needs one, it is that of ``name``.
        unknown: Values whose number is not to be shown, since it is not computed yet.
        stand_ins: nodes to show in the place of others: their arguments and local derivatives.
    """

    folded: FoldedGraph
    nodes: Sequence[Any]
    rests: Sequence[tuple[Any, Any]] = ()
    description: str = ""
    caption: str = ""
    mark: str = "here"
    marked: Any = None
    on_paths: Collection[Any] = ()
    notes: Mapping[tuple[Value, int], str] = field(default_factory=dict)
    dashed: Container[tuple[Value, int]] = ()
    tells_derivatives: bool = False
    gradients: Mapping[Value, float] | None = None
    names: Callable[[Value], str] = _label
    unknown: Container[Value] = ()
    stand_ins: Mapping[Value, Value] = field(default_factory=dict)

    @property
    def root(self) -> Value:
        """The Value that the gradients are of."""
        root: Value = self.folded.root
        return root

    @cached_property
    def name(self) -> Names:
        """Gives every Value the one name that ``debug``, ``explain`` and the explorer know it by, too."""
        return Names(sweep_order([self.root]) or [self.root])

    @cached_property
    def _handed_down(self) -> Mapping[Any, float]:
        """What the folded graph hands to every Value from outside its group, for each unit that reaches the root."""
        return self.folded.gradients()

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """Yield what each edge leads from and to, each pair once."""
        shown = set(self.nodes)
        for node in self.nodes:
            yield from ((source, node) for source in self.folded.sources(node) if source in shown)
        yield from self.rests

    def links(self) -> Iterator[Link]:
        """Yield the edges into each node, in the order of its arguments; into a group in the order of the nodes."""
        place = {node: i for i, node in enumerate(self.nodes)}
        for node in self.nodes:
            if isinstance(node, Group):
                bundles: dict[Any, list[Edge]] = {}
                for edge in self.folded.edges_into(node):
                    bundles.setdefault(edge.source, []).append(edge)
                for source in sorted(bundles.keys() & place.keys(), key=place.__getitem__):
                    yield self._bundle(bundles[source])
            else:
                shown = self.stand_ins.get(node, node)
                order_counts = len(shown.parents) > 1 and not (shown.op in RULES and RULES[shown.op].commutative)
                of = self.folded.node_of
                for i, (parent, local) in enumerate(zip(shown.parents, shown.local_derivatives, strict=True)):
                    if of.get(parent) in place:
                        yield self._single(Edge(of[parent], node, local, parent, node), i, order_counts)

    def card(self, node: Any) -> Card:
        """Say what there is to say of a node."""
        return self._group_card(node) if isinstance(node, Group) else self._value_card(node)

    def gradient(self, node: Value) -> float | None:
        """The gradient to show; None if it is not computed."""
        if self.gradients is not None:
            return self.gradients.get(node)
        return node.grad if node.has_grad else None

    def _number(self, name: str, node: Value) -> Number:
        return Number(name, None if node in self.unknown else node.data, self.gradient(node), node)

    def _value_card(self, node: Value) -> Card:
        role = "operation" if node.parents else node.op if node.op in ("parameter", "constant") else "input"
        head = symbol_of(node.op) if node.parents else node.op or "input"
        role, head = self._pointed_out(role, head, node is self.root, node)
        hint = repr(node) if self.gradients is None else str(node.line or node.label)  # the repr has no gradient then
        alias = "" if node.label or node.op == "constant" else self.name(node)
        hint = f"{alias}: {hint}" if alias else hint
        return Card(role, head, self.names(node), alias, "", (self._number("", node),), hint)

    def _group_card(self, group: Group) -> Card:
        kind = "operation" if group.operations else (group.leaves[0].op or "input")
        role, head = self._pointed_out(kind, group.name, self.root in group.outputs, group)
        counts = _counts(group)
        ends = f"; {_counted(group.inputs, 'input')}, {_counted(group.outputs, 'output')}" if group.operations else ""
        lines = (*(self._outputs(group) if group.operations else self._range(group)), *self._largest_leaf(group))
        return Card(role, head, "", "", counts, lines, f"{group.name}: {counts}{ends}")

    def _pointed_out(self, role: str, head: str, is_root: bool, node: Any) -> tuple[str, str]:
        if is_root:
            role, head = "output", f"{head}  output"
        return (self.mark, f"{head}  {self.mark}") if node is self.marked else (role, head)

    def _outputs(self, group: Group) -> Iterator[Number | str]:
        """The outputs with the largest gradients, by number: in the graph neuron10 may come before neuron2."""
        outputs = sorted(group.outputs, key=lambda node: -_size(self.gradient(node)))
        shown = {node: self._output_name(node, group) for node in outputs[:_MOST_OUTPUTS]}
        yield from (self._number(shown[node], node) for node in sorted(shown, key=lambda node: by_number(shown[node])))
        if len(outputs) > _MOST_OUTPUTS:
            rest = outputs[_MOST_OUTPUTS:]
            largest = self.gradient(rest[0])
            bound = "" if largest is None else f", |∂| ≤ {at_most(abs(largest))}"
            yield f"{len(rest):,} more output{'s' * (len(rest) > 1)}{bound}"

    def _output_name(self, node: Any, group: Group) -> str:
        """What an output is called within its group."""
        path = self.folded.paths.get(node, ())
        inner = path[len(group.path) :] if path[: len(group.path)] == group.path else path
        return ": ".join([".".join(inner)] * bool(inner and not node.label) + [self.name(node)])

    def _range(self, group: Group) -> Iterator[str]:
        numbers = [leaf.data for leaf in group.leaves]
        yield f"data {number_text(min(numbers), 4)} to {number_text(max(numbers), 4)}"

    def _largest_leaf(self, group: Group) -> Iterator[Number | str]:
        """The largest gradient among the leaves that are folded into the group."""
        leaves = [leaf for leaf in group.leaves if leaf.op != "constant" and self.gradient(leaf) is not None]
        if leaves:
            largest = max(leaves, key=lambda leaf: _size(self.gradient(leaf)))
            several = f"largest gradient of {_counts_of(leaves)}"
            yield several if len(leaves) > 1 else f"its {largest.op or 'input'}"
            yield self._number(self.name(largest), largest)

    def _single(self, edge: Edge, argument: int, order_counts: bool) -> Link:
        """The edge from one argument of an operation."""
        key = edge.output, argument
        number, text, hint, emphasis = edge.derivative, "", "", ""
        if key in self.notes:
            text, emphasis = self.notes[key], "dashed" if key in self.dashed else "solid"
        else:
            emphasis = "solid" if self._is_emphasised(edge) else ""
            is_told = self.tells_derivatives or bool(emphasis)
            if number is not None and is_told and edge.output not in self.unknown:
                text, hint = f"local {number_text(number, 4)}", self._chain(edge, number, "local")
        return Link(edge.source, edge.target, argument if order_counts else None, text, hint, emphasis)

    def _bundle(self, edges: Sequence[Edge]) -> Link:
        """The edges between one node and a group; of those on a path alone, if there are any."""
        emphasised = [edge for edge in edges if self._is_emphasised(edge)]
        known = [(edge, edge.derivative) for edge in emphasised or edges if edge.derivative is not None]
        text = hint = ""
        if known:
            largest, number = max(known, key=lambda pair: _size(pair[1]))
            shown = number_text(number, 4)
            text = f"total {shown}" if len(known) == 1 else f"{len(known):,} totals\nlargest {shown}"
            hint = self._chain(largest, number, f"total d {self.name(largest.output)} / d {self.name(largest.input)}")
        return Link(edges[0].source, edges[0].target, None, text, hint, "solid" if emphasised else "")

    def _is_emphasised(self, edge: Edge) -> bool:
        return edge.input in self.on_paths and edge.output in self.on_paths

    def _chain(self, edge: Edge, number: float, what: str) -> str:
        """Say what an edge does in the backward pass."""
        upstream = self._upstream(edge)
        if upstream is None:
            return f"{what} = {number_text(number)}"
        return f"upstream × {what}: {product_text(upstream, number, product(upstream, number))}"

    def _upstream(self, edge: Edge) -> float | None:
        """What arrives at an output: its gradient, unless its group uses it too, for that is in the totals already."""
        gradient = self.gradient(edge.output)
        if gradient is None or not isinstance(edge.target, Group) or not edge.target.uses(edge.output):
            return gradient
        seed = self.gradient(self.root)
        return None if seed is None else seed * self._handed_down.get(edge.output, 0.0)


def by_number(name: str) -> tuple[tuple[str, int, str], ...]:
    """A key to sort names by, which puts the numbers in them in their order, of however many digits they are.

    Example:
        >>> sorted(["neuron10: v2", "neuron9: v5"], key=by_number)
        ['neuron9: v5', 'neuron10: v2']
    """
    return tuple((word, len(digits), digits) for word, digits in re.findall(r"([^0-9]*)0*([0-9]*)", name))


def _counts(group: Group) -> str:
    operations = [_counted(group.operations, "operation")] * bool(group.operations)
    return ", ".join([*operations, *([_counts_of(group.leaves)] if group.leaves else [])])


def _counts_of(leaves: Iterable[Any]) -> str:
    counts = Counter((leaf.op or "input") for leaf in leaves)
    return ", ".join(f"{n:,} {kind}{'s' * (n > 1)}" for kind, n in counts.items())


def _counted(nodes: Sequence[Any], kind: str) -> str:
    return f"{len(nodes):,} {kind}{'s' * (len(nodes) != 1)}"


def _size(number: float | None) -> float:
    """The size of a number, to find the largest by: nan is larger than all, as it is what a reader should see."""
    return -1.0 if number is None else math.inf if math.isnan(number) else abs(number)
