"""How a graph of Values looks: the options of its pictures, and the table that stands for one node."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

import graphviz

from autograd_mini import RULES, Value
from autograd_mini.backward import hand_on
from autograd_mini.number import number_text
from viz.colors import Theme, ink
from viz.markup import cell, font, html_text, row, table

__all__ = ["Looks", "draw_rest", "gradient_of", "local_attributes", "new_graph", "node_table", "numbered"]

_DIRECTIONS = ("LR", "RL", "TB", "BT")


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
        caption: a line below the picture.
    """

    colors: Theme
    rankdir: str
    show_local: bool
    mark: str = "wrong"
    marked: Any = None
    notes: Mapping[tuple[Value, int], str] = field(default_factory=dict)
    dashed: Container[tuple[Value, int]] = ()
    gradients: Mapping[Value, float] | None = None
    names: Callable[[Value], str] = lambda node: str(node.label)
    unknown: Container[Value] = ()
    more: Mapping[Any, tuple[int, int]] = field(default_factory=dict)
    opened: Mapping[Value, Value] = field(default_factory=dict)
    caption: str = ""

    def __post_init__(self) -> None:
        if self.rankdir not in _DIRECTIONS:
            legal = ", ".join(map(repr, _DIRECTIONS))
            raise ValueError(f"unknown rankdir {self.rankdir!r}; the directions are {legal}")


def new_graph(looks: Looks) -> graphviz.Digraph:
    """Start a picture."""
    colors = looks.colors
    return graphviz.Digraph(
        graph_attr={"rankdir": looks.rankdir, "bgcolor": colors.background, "ordering": "in", "nodesep": "0.15",
                    "ranksep": "0.45", "fontname": "Verdana", "fontsize": "9", "fontcolor": colors.faint,
                    **({"label": looks.caption} if looks.caption else {})},
        node_attr={"shape": "plain", "fontname": "Verdana", "fontsize": "10", "fontcolor": colors.text},
        edge_attr={"color": colors.line, "arrowsize": "0.6", "labeldistance": "1.7", "labelangle": "-32",
                   "fontname": "Verdana", "fontsize": "8", "fontcolor": colors.text},
    )  # fmt: skip


def gradient_of(node: Value, looks: Looks) -> float | None:
    """The gradient to show; None if it is not computed."""
    if looks.gradients is not None:
        return looks.gradients.get(node)
    return node.grad if node.has_grad else None


def node_table(node: Value, is_root: bool, looks: Looks) -> str:
    """Set one node: what it is, its name, its number and its gradient."""
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
    gradient = gradient_of(node, looks)
    written = "not computed" if gradient is None else number_text(gradient, 4)
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


def draw_rest(
    graph: graphviz.Digraph, name: str, counts: tuple[int, int], looks: Looks, kinds: tuple[str, str]
) -> None:
    """Say how much is left out that a node depends on or that depends on it; `kinds` is what these are called."""
    for kind, count in zip(kinds, counts, strict=True):
        if count:
            rest, text = f"{name}_{kind}s", f"{count:,} more {kind}{'s' * (count > 1)}"
            graph.node(rest, text, fontcolor=looks.colors.faint)
            graph.edge(*((rest, name) if kind == kinds[0] else (name, rest)), style="dotted")


def numbered(attributes: dict[str, str], argument: int) -> dict[str, str]:
    """Say which argument an edge leads from: in its label, or if it has none at its head."""
    if label := attributes.get("label", "").strip():
        return attributes | {"label": f" {argument}: {label} "}
    return attributes | {"headlabel": f" {argument} "}


def local_attributes(node: Value, argument: int, local: float | None, looks: Looks) -> dict[str, str]:
    """Say what an edge does in the backward pass; a constant takes no part in it."""
    if local is None:
        return {}
    text = f"local {number_text(local, 4)}"
    upstream = gradient_of(node, looks)
    if upstream is None:
        return {"label": f" {text} "}
    step = hand_on({node: upstream}, node, argument, None, local)
    chain = f"upstream {number_text(upstream)} × local {number_text(local)} = {number_text(step.contribution)}"
    return {"label": f" {text} ", "edgetooltip": chain, "labeltooltip": chain}
