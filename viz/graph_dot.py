"""The scene of a graph in the DOT language: a table for each node, a line for each edge."""

from collections.abc import Iterator, Sequence

import graphviz

from autograd_mini.folding import Group
from autograd_mini.number import number_text
from viz.colors import Theme, ink
from viz.graph_scene import Card, GraphScene, Link
from viz.marks import Proof
from viz.markup import cell, font, html_text, row, table, tooltip_text
from viz.scene import Number, Rest

__all__ = ["graph_source"]

_DIRECTIONS = ("LR", "RL", "TB", "BT")


def graph_source(scene: GraphScene, theme: Theme, rankdir: str, proof: Proof | None = None) -> str:
    """Write a graph in the DOT language.

    Args:
        scene: what is shown.
        theme: its colours.
        rankdir: where the graph runs to: ``"LR"``, ``"RL"``, ``"TB"`` or ``"BT"``.
        proof: what checks the gradients shown; None for no marks.

    Raises:
        ValueError: for an unknown direction.
    """
    if rankdir not in _DIRECTIONS:
        raise ValueError(f"unknown rankdir {rankdir!r}; the directions are {', '.join(map(repr, _DIRECTIONS))}")
    graph = graphviz.Digraph(
        graph_attr={"rankdir": rankdir, "bgcolor": theme.background, "ordering": "in", "nodesep": "0.15",
                    "ranksep": "0.45", "fontname": "Verdana", "fontsize": "9", "fontcolor": theme.faint},
        node_attr={"shape": "plain", "fontname": "Verdana", "fontsize": "10", "fontcolor": theme.text},
        edge_attr={"color": theme.line, "arrowsize": "0.6", "labeldistance": "1.7", "labelangle": "-32",
                   "fontname": "Verdana", "fontsize": "8", "fontcolor": theme.text},
    )  # fmt: skip
    name = {node: f"n{i}" for i, node in enumerate(scene.nodes)}
    for node in scene.nodes:
        card = scene.card(node)
        content = _group(card, theme, proof) if card.counts else _value(card, node is scene.root, theme, proof)
        graph.node(name[node], f"<{content}>", tooltip=tooltip_text(card.hint))
    links = list(scene.links())
    for link in links:
        graph.edge(name[link.tail], name[link.head], **_line(link, theme.roles[scene.mark]))
    for pair in scene.rests:
        for end in pair:
            if isinstance(end, Rest):
                name[end] = f"rest{len(name)}"
                room = {"shape": "plaintext", "margin": "0.08,0.03", "width": "0", "height": "0"}
                graph.node(name[end], f"{end.count:,} {end.text}", fontcolor=theme.faint, **room)
        graph.edge(name[pair[0]], name[pair[1]], style="dotted")
    legend = proof.legend() if proof else ""
    lines = (scene.caption, _key(scene, links), f"marks: {legend}" if legend else "")
    caption = [line.replace("\\", "\\\\") for line in lines if line]
    if caption:
        graph.attr(label="\\n".join(caption))
    return str(graph.source)


def _key(scene: GraphScene, links: Sequence[Link]) -> str:
    """Say what frames, and words on edges, stand for."""
    is_folded = any(isinstance(node, Group) for node in scene.nodes)
    locals_are_told = any(link.text.startswith("local ") for link in links)
    arguments_are_told = any(link.argument is not None for link in links)
    words = ["double frame: a folded group", "total: d output / d input, over all paths inside it"] * is_folded
    words += ["local: ∂node/∂argument"] * locals_are_told + ["0, 1, …: which argument"] * arguments_are_told
    return ";  ".join(words)


def _line(link: Link, color: str) -> dict[str, str]:
    text = link.text.replace("\n", "\\n")
    if link.argument is not None:  # in the label, as labels at the heads would lie on one another
        text = f"{link.argument}: {text}" if text else str(link.argument)
    attributes = {"label": f" {text} "} if text else {}
    if link.hint:
        attributes["edgetooltip"] = attributes["labeltooltip"] = tooltip_text(link.hint)
    if link.emphasis:
        attributes |= {"color": color, "fontcolor": color, "penwidth": "2", "style": link.emphasis}
    return attributes


def _value(card: Card, is_root: bool, theme: Theme, proof: Proof | None) -> str:
    """Set a single node: what it is, its name, its number and its gradient."""
    (number,) = card.lines
    assert isinstance(number, Number)
    fill = theme.roles[card.role]
    data = _data(number)
    if card.role == "constant":
        content = font(data, 9, ink(fill)) + "<BR/>" + font("constant", 7, ink(fill))
        return table(row(cell(content)), border=1, cellpadding=3, color=theme.line, bgcolor=fill, style="dashed")
    wide: dict[str, str | float] = {"colspan": 2}
    head = font(html_text(card.head), 12 if number.node.parents else 9, ink(fill), bold=True)
    if card.alias and not card.name:
        head += font(f"&#160;&#160;{html_text(card.alias)}", 8, ink(fill))
    label = html_text(card.name)
    rows = [
        row(cell(head, bgcolor=fill, **wide)),
        *([row(cell(font(label, 10, theme.text, bold=True), **wide))] if label else []),
        *(
            row(cell(font(word, 8, theme.faint), align="left"), cell(font(text, 10, theme.text), align="right"))
            for word, text in (("data", data), ("grad", _gradient(number, proof)))
        ),
    ]
    return table(*rows, border=2 if is_root else 1, color=theme.line, bgcolor=theme.card)


def _group(card: Card, theme: Theme, proof: Proof | None) -> str:
    """Set a folded group with a double frame: its name, what is in it, its outputs, its largest gradient."""
    fill = theme.roles[card.role]
    rows = [
        row(cell(font(html_text(card.head), 11, ink(fill), bold=True), bgcolor=fill, colspan=3)),
        row(cell(font(card.counts, 8, theme.faint), colspan=3)),
        *_lines(card, theme, proof),
    ]
    inner = table(*rows, border=1, color=theme.line, bgcolor=theme.card)
    return table(row(cell(inner)), border=1, color=theme.line, bgcolor=theme.card, cellpadding=2)


def _lines(card: Card, theme: Theme, proof: Proof | None) -> Iterator[str]:
    if isinstance(card.lines[0], Number):
        yield _columns(("output", "data", "grad"), 8, theme.faint)
    for line in card.lines:
        if isinstance(line, Number):
            yield _columns((html_text(line.name, 24), _data(line), _gradient(line, proof)), 9, theme.text)
        else:
            yield row(cell(font(line, 8, theme.faint), colspan=3))


def _columns(texts: tuple[str, str, str], size: float, color: str) -> str:
    name, *numbers = (font(text, size, color) for text in texts)
    return row(cell(name, align="left"), *(cell(number, align="right") for number in numbers))


def _data(number: Number) -> str:
    return "not computed" if number.value is None else number_text(number.value, 4)


def _gradient(number: Number, proof: Proof | None) -> str:
    """Write a gradient with its mark."""
    text = "not computed" if number.gradient is None else number_text(number.gradient, 4)
    mark = proof.mark(number.node, number.gradient) if proof else None
    return text if mark is None else f"{text} {mark.sign}"
