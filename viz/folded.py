"""A folded graph in the DOT language: single operations, groups, and the derivatives on the edges between them."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from autograd_mini import RULES, Value
from autograd_mini.folding import Edge, Group
from autograd_mini.number import number_text, product_text
from viz.colors import ink
from viz.looks import Looks, draw_rest, finished, gradient_of, gradient_text, new_graph, node_table, numbered
from viz.markup import cell, font, html_text, row, table, tooltip_text
from viz.view import View

__all__ = ["folded_source", "summary"]

_MOST_OUTPUTS = 4  # of a group that are listed


def folded_source(view: View, looks: Looks) -> str:
    """Write the nodes of a view and the edges between them in the DOT language."""
    looks = view.looks(looks)
    graph = new_graph(looks)
    name = {node: f"v{i}" for i, node in enumerate(view.nodes)}
    root = view.folded.root
    for node in view.nodes:
        if isinstance(node, Group):
            content, hint = _group_table(node, view, looks), summary(node)
        else:
            content, hint = node_table(node, node is root, looks), repr(node)
        graph.node(name[node], f"<{content}>", tooltip=tooltip_text(hint))
    for node in view.nodes:
        order_counts = not isinstance(node, Group) and len(node.parents) > 1 and not _is_commutative(node.op)
        for i, edges in enumerate(_bundles(node, view)):
            if edges[0].source in name:
                attributes = _edge_attributes(edges, isinstance(node, Group), view, looks)
                attributes = numbered(attributes, i) if order_counts else attributes
                graph.edge(name[edges[0].source], name[node], **attributes)
        kinds = ("input" if isinstance(node, Group) else "argument", "use")
        draw_rest(graph, name[node], looks.more.get(node, (0, 0)), looks, kinds)
    return finished(graph, looks)


def _bundles(node: Any, view: View) -> Iterable[list[Edge]]:
    """The edges into an operation one by one, in the order of its arguments; those into a group by where they start.

    What a group depends on is in no order of its own, so that it comes as the nodes do, and neurons stay in a row.
    """
    if not isinstance(node, Group):
        return [[edge] for edge in view.folded.edges_into(node)]
    bundles: dict[Any, list[Edge]] = {}
    for edge in view.folded.edges_into(node):
        bundles.setdefault(edge.source, []).append(edge)
    place = {other: i for i, other in enumerate(view.nodes)}
    return sorted(bundles.values(), key=lambda edges: place.get(edges[0].source, -1))


def _edge_attributes(edges: Sequence[Edge], is_group: bool, view: View, looks: Looks) -> dict[str, str]:
    emphasised = [edge for edge in edges if view.is_emphasised(edge.input, edge.output)]
    known = [(edge, edge.derivative) for edge in emphasised or edges if edge.derivative is not None]
    attributes: dict[str, str] = {}
    if known:
        kind = "total" if is_group else "local"
        largest, number = max(known, key=lambda pair: _size(pair[1]))
        text = f"{kind} {number_text(number, 4)}"
        text = text if len(known) == 1 else f"{len(known):,} {kind}s\\nlargest {number_text(number, 4)}"
        hint = _chain(largest, number, kind, view, looks)
        attributes |= {"label": f" {text} ", "edgetooltip": hint, "labeltooltip": hint}
    if emphasised:
        color = looks.colors.roles[looks.mark]
        attributes |= {"color": color, "fontcolor": color, "penwidth": "2"}
    return attributes


def _chain(edge: Edge, number: float, kind: str, view: View, looks: Looks) -> str:
    """Say what an edge does in the backward pass."""
    ends = f"d {_name(edge.output)} / d {_name(edge.input)}"
    upstream = _upstream(edge, view, looks)
    if upstream is None:
        return tooltip_text(f"{kind} {ends} = {number_text(number)}")
    return tooltip_text(f"upstream × {kind} {ends}: {product_text(upstream, number, upstream * number)}")


def _upstream(edge: Edge, view: View, looks: Looks) -> float | None:
    """What arrives at an output: its gradient, unless its group uses it too, for that part is in the totals already."""
    group, output = edge.target, edge.output
    gradient = gradient_of(output, looks)
    if gradient is None or not isinstance(group, Group) or not group.uses(output):
        return gradient
    seed = gradient_of(view.folded.root, looks)
    return None if seed is None else seed * view.handed_down.get(output, 0.0)


def _group_table(group: Group, view: View, looks: Looks) -> str:
    colors = looks.colors
    kind = "operation" if group.operations else (group.leaves[0].op or "input")
    fill = colors.roles["output" if view.folded.root in group.outputs else kind]
    title = html_text(group.name)
    if view.folded.root in group.outputs:
        title += "  output"
    if group is looks.marked:
        fill, title = colors.roles[looks.mark], f"{title}  {looks.mark}"
    wide: dict[str, str | float] = {"colspan": 3}
    rows = [
        row(cell(font(title, 11, ink(fill), bold=True), bgcolor=fill, **wide)),
        row(cell(font(_counts(group), 8, colors.faint), **wide)),
        *(_output_rows(group, view, looks) if group.operations else _range_rows(group, looks)),
        *_parameter_rows(group, looks),
    ]
    inner = table(*rows, border=1, color=colors.line, bgcolor=colors.card)
    return table(row(cell(inner)), border=1, color=colors.line, bgcolor=colors.card, cellpadding=2)


def _output_rows(group: Group, view: View, looks: Looks) -> list[str]:
    outputs = sorted(group.outputs, key=lambda node: -_size(gradient_of(node, looks)))
    shown = set(outputs[:_MOST_OUTPUTS])
    rows = [_numbers_row("output", "data", "grad", looks, faint=True)]
    for node in group.outputs:
        if node in shown:
            texts = number_text(node.data, 4), gradient_text(node, looks)
            rows.append(_numbers_row(html_text(_output_name(node, group, view), 24), *texts, looks))
    if len(outputs) > _MOST_OUTPUTS:
        rest = f"{len(outputs) - _MOST_OUTPUTS:,} more outputs, with smaller gradients"
        if gradient_of(outputs[0], looks) is None:
            rest = f"{len(outputs) - _MOST_OUTPUTS:,} more outputs"
        rows.append(row(cell(font(rest, 8, looks.colors.faint), colspan=3)))
    return rows


def _range_rows(group: Group, looks: Looks) -> list[str]:
    numbers = [leaf.data for leaf in group.leaves]
    ends = f"data {number_text(min(numbers), 4)} to {number_text(max(numbers), 4)}"
    return [row(cell(font(ends, 9, looks.colors.text), colspan=3))]


def _parameter_rows(group: Group, looks: Looks) -> list[str]:
    """The largest gradient among the leaves that are folded into the group."""
    leaves = [leaf for leaf in group.leaves if leaf.op != "constant" and gradient_of(leaf, looks) is not None]
    if not leaves:
        return []
    largest = max(leaves, key=lambda leaf: _size(gradient_of(leaf, looks)))
    what = f"largest gradient of {_counts_of(leaves)}" if len(leaves) > 1 else f"its {largest.op or 'input'}"
    texts = number_text(largest.data, 4), gradient_text(largest, looks)
    return [
        row(cell(font(what, 8, looks.colors.faint), colspan=3)),
        _numbers_row(html_text(str(largest.label), 24), *texts, looks),
    ]


def _numbers_row(name: str, data: str, gradient: str, looks: Looks, *, faint: bool = False) -> str:
    size, color = (8, looks.colors.faint) if faint else (9, looks.colors.text)
    return row(
        cell(font(name, size, color), align="left"),
        *(cell(font(text, size, color), align="right") for text in (data, gradient)),
    )


def _output_name(node: Any, group: Group, view: View) -> str:
    """What an output is called within its group."""
    path = view.folded.paths.get(node, ())
    inner = path[len(group.path) :] if path[: len(group.path)] == group.path else path
    return str(node.label) or ".".join(inner) or _symbol(node.op)


def _counts(group: Group) -> str:
    operations = [f"{len(group.operations):,} operation{'s' * (len(group.operations) > 1)}"] * bool(group.operations)
    return ", ".join([*operations, *([_counts_of(group.leaves)] if group.leaves else [])])


def _counts_of(leaves: Iterable[Any]) -> str:
    counts = Counter((leaf.op or "input") for leaf in leaves)
    return ", ".join(f"{n:,} {kind}{'s' * (n > 1)}" for kind, n in counts.items())


def summary(group: Group) -> str:
    """Say in a line what is folded into a group."""
    ends = ", ".join(
        f"{len(some):,} {kind}{'s' * (len(some) != 1)}"
        for some, kind in ((group.inputs, "input"), (group.outputs, "output"))
    )
    inputs = f"; {ends}" if group.operations else ""
    return f"{group.name}: {_counts(group)}{inputs}"


def _name(node: Value) -> str:
    return str(node.label) or (_symbol(node.op) if node.parents else number_text(node.data))


def _symbol(op: str) -> str:
    return RULES[op].symbol if op in RULES else op


def _is_commutative(op: str) -> bool:
    return op in RULES and RULES[op].commutative


def _size(number: float | None) -> float:
    """The size of a number, to find the largest by: nan is larger than all, as it is what a reader should see."""
    return -1.0 if number is None else math.inf if math.isnan(number) else abs(number)
