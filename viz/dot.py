"""``draw_dot``: the graph behind a Value, operation by operation."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import graphviz

from autograd_mini import RULES, GraphTooLargeError, Report, Value, topological_order
from autograd_mini.backward import hand_on
from autograd_mini.number import number_text
from nn import Module
from viz.colors import Theme, ink, theme_named
from viz.figure import Figure
from viz.graph_text import graph_text
from viz.marks import Mark, graph_marks, proof_for
from viz.markup import cell, font, html_text, row, table, tooltip_text

__all__ = ["Looks", "draw_dot", "graph_source"]

_MOST_NODES = 300
_DIRECTIONS = ("LR", "RL", "TB", "BT")


def draw_dot(
    value: Value,
    *,
    show_local: bool = False,
    marks: bool | Report = False,
    force: bool = False,
    theme: str = "light",
    rankdir: str = "LR",
) -> Figure:
    """Draw every operation that `value` was made by, with its number and its gradient.

    Each node says what it is: ``input``, ``parameter``, ``constant``, the sign of its operation, and ``output`` for
    `value` itself. An edge runs from each argument to the node made of it, in the order of the arguments.

    Args:
        value: the root of the graph, such as a loss.
        show_local: write the local derivative ∂node/∂argument on each edge.
        marks: True to check each gradient by finite differences and write a sign beside it; or a report of
            ``gradcheck`` on the same root, whose verdicts are taken over.
        force: draw a graph of more than 300 nodes too.
        theme: a name from ``viz.colors.THEMES``.
        rankdir: where the graph runs to: ``"LR"`` (to the right), ``"RL"``, ``"TB"`` or ``"BT"``.

    Returns:
        A Figure; its ``text`` says the same in lines.

    Raises:
        TypeError: for anything but a Value.
        GraphTooLargeError: for more than 300 nodes, unless forced.
        ValueError: for an unknown theme or direction, or marks on a graph whose data was changed.

    Example:
        >>> a = Value(3.0, label="a")
        >>> figure = draw_dot(a * a + 1)
        >>> figure.source.count("->")
        4
    """
    if not isinstance(value, Value):
        raise TypeError(_wrong_type(value))
    order = topological_order(value)
    if len(order) > _MOST_NODES and not force:
        raise GraphTooLargeError(
            f"this graph has {len(order):,} nodes, more than the {_MOST_NODES} that a picture of single operations can "
            "show; draw a network as cards, draw_network(model, example=..., loss=...), or a smaller part of the "
            "graph, draw_dot(node) for a node further from the loss, or insist, draw_dot(loss, force=True)"
        )
    proof = proof_for(value, marks)
    found = {} if proof is None else graph_marks(order, proof)
    caption = "" if proof is None else f"marks: {proof.legend()}"
    looks = Looks(theme_named(theme), rankdir, show_local, marks=found, caption=caption)
    source = graph_source(order, value, looks)
    return Figure(source, f"graph of {len(order)} nodes", lambda: graph_text(order, value, found))


@dataclass(frozen=True, slots=True)
class Looks:
    """How a graph is drawn.

    Attributes:
        colors: the theme.
        rankdir: where the graph runs to.
        show_local: whether edges carry their local derivatives.
        mark: the role, a colour and a word, that points out a node and the edges with notes.
        marked: the node to point out.
        notes: what to write on the edge to a node's argument instead of the local derivative.
        dashed: the edges with notes that are drawn dashed.
        gradients: gradients to show instead of the ones the nodes hold.
        names: gives the name that a node is shown with.
        unknown: nodes whose number is not to be shown, since it is not computed yet.
        more: how many arguments, and how many uses, of a node are left out; the picture says so.
        opened: nodes to show in the place of others: their arguments and local derivatives.
        marks: what a check says of the gradients shown.
        caption: a line below the picture.
    """

    colors: Theme
    rankdir: str
    show_local: bool
    mark: str = "wrong"
    marked: Value | None = None
    notes: Mapping[tuple[Value, int], str] = field(default_factory=dict)
    dashed: Container[tuple[Value, int]] = ()
    gradients: Mapping[Value, float] | None = None
    names: Callable[[Value], str] = lambda node: str(node.label)
    unknown: Container[Value] = ()
    more: Mapping[Value, tuple[int, int]] = field(default_factory=dict)
    opened: Mapping[Value, Value] = field(default_factory=dict)
    marks: Mapping[Value, Mark] = field(default_factory=dict)
    caption: str = ""

    def __post_init__(self) -> None:
        if self.rankdir not in _DIRECTIONS:
            legal = ", ".join(map(repr, _DIRECTIONS))
            raise ValueError(f"unknown rankdir {self.rankdir!r}; the directions are {legal}")


def graph_source(nodes: Sequence[Value], root: Value, looks: Looks) -> str:
    """Write these nodes and the edges between them in the DOT language."""
    colors = looks.colors
    graph = graphviz.Digraph(
        graph_attr={"rankdir": looks.rankdir, "bgcolor": colors.background, "ordering": "in", "nodesep": "0.15",
                    "ranksep": "0.45", "fontname": "Verdana", "fontsize": "9", "fontcolor": colors.faint,
                    **({"label": looks.caption} if looks.caption else {})},
        node_attr={"shape": "plain", "fontname": "Verdana", "fontsize": "10", "fontcolor": colors.text},
        edge_attr={"color": colors.line, "arrowsize": "0.6", "fontname": "Verdana", "fontsize": "8",
                   "fontcolor": colors.text},
    )  # fmt: skip
    name = {node: f"v{i}" for i, node in enumerate(nodes)}
    for node in nodes:
        hint = repr(node) if looks.gradients is None else str(node.line or node.label)  # the repr has no gradient then
        graph.node(name[node], f"<{_node_table(node, node is root, looks)}>", tooltip=tooltip_text(hint))
    for node in nodes:
        shown = looks.opened.get(node, node)
        numbered = len(shown.parents) > 1 and not (shown.op in RULES and RULES[shown.op].commutative)
        for i, (parent, local) in enumerate(zip(shown.parents, shown.local_derivatives, strict=True)):
            if parent not in name:
                continue
            attributes = {"headlabel": f" {i} "} if numbered else {}
            if (node, i) in looks.notes:
                color = colors.roles[looks.mark]
                attributes |= {"label": f" {looks.notes[node, i]} ", "fontcolor": color, "color": color}
                attributes |= {"penwidth": "2", "style": "dashed" if (node, i) in looks.dashed else "solid"}
            elif looks.show_local and node not in looks.unknown:
                attributes |= _local(node, i, local, looks)
            graph.edge(name[parent], name[node], **attributes)
        for kind, count in zip(("argument", "use"), looks.more.get(node, ()), strict=False):
            if count:
                rest, text = f"{name[node]}_{kind}s", f"{count:,} more {kind}{'s' * (count > 1)}"
                graph.node(rest, text, fontcolor=colors.faint)
                graph.edge(*((rest, name[node]) if kind == "argument" else (name[node], rest)), style="dotted")
    return str(graph.source)


def _gradient(node: Value, looks: Looks) -> float | None:
    if looks.gradients is not None:
        return looks.gradients.get(node)
    return node.grad if node.has_grad else None


def _node_table(node: Value, is_root: bool, looks: Looks) -> str:
    colors = looks.colors
    number = "not computed" if node in looks.unknown else number_text(node.data, 4)
    if node.op == "constant" and not is_root:
        fill = colors.roles["constant"]
        content = font(number, 9, ink(fill)) + "<BR/>" + font("constant", 7, ink(fill))
        return table(row(cell(content)), border=1, cellpadding=3, color=colors.line, bgcolor=fill, style="dashed")
    role, head = _role(node)
    if is_root:
        role, head = "output", f"{head}  output"
    if node is looks.marked:
        role, head = looks.mark, f"{head}  {looks.mark}"
    fill = colors.roles[role]
    label = html_text(looks.names(node))
    gradient = _gradient(node, looks)
    written = "not computed" if gradient is None else number_text(gradient, 4)
    written += f" {looks.marks[node].sign}" if node in looks.marks else ""
    wide: dict[str, str | float] = {"colspan": 2}
    rows = [
        row(cell(font(html_text(head), 12 if node.parents else 9, ink(fill), bold=True), bgcolor=fill, **wide)),
        *([row(cell(font(label, 10, colors.text, bold=True), **wide))] if label else []),
        row(cell(font("data", 8, colors.faint), align="left"), cell(font(number, 10, colors.text), align="right")),
        row(cell(font("grad", 8, colors.faint), align="left"), cell(font(written, 10, colors.text), align="right")),
    ]
    return table(*rows, border=2 if is_root else 1, color=colors.line, bgcolor=colors.card)


def _role(node: Value) -> tuple[str, str]:
    if node.parents:
        return "operation", RULES[node.op].symbol if node.op in RULES else node.op
    role = node.op or "input"
    return (role if role in ("parameter", "constant") else "input"), role


def _local(node: Value, argument: int, local: float | None, looks: Looks) -> dict[str, str]:
    """Say what an edge does in the backward pass; a constant takes no part in it."""
    if local is None:
        return {}
    text = f"local {number_text(local, 4)}"
    upstream = _gradient(node, looks)
    if upstream is None:
        return {"label": f" {text} "}
    step = hand_on({node: upstream}, node, argument, None, local)
    chain = f"upstream {number_text(upstream)} × local {number_text(local)} = {number_text(step.contribution)}"
    return {"label": f" {text} ", "edgetooltip": chain, "labeltooltip": chain}


def _wrong_type(value: Any) -> str:
    if isinstance(value, Module):
        return f"draw_dot draws the graph of a Value, got the module {value!r}; use draw_network(model)"
    if isinstance(value, (list, tuple)):
        return f"draw_dot draws the graph of one Value, got a {type(value).__name__} of {len(value)}; draw one of them"
    return f"draw_dot draws the graph of a Value, got {value!r:.60} of type {type(value).__name__}; make it a Value"
