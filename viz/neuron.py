"""``draw_neuron``: one neuron opened, from each product of a weight and an input to what comes out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import graphviz

from autograd_mini import Report, Value
from autograd_mini.number import number_text
from autograd_mini.printing import printable
from nn import Neuron
from viz.colors import Theme, diverging, ink, theme_named
from viz.figure import Figure
from viz.marks import Proof, proof_for
from viz.markup import cell, font, html_text, row, stacked, table
from viz.network import loss_node
from viz.network_text import network_text
from viz.observing import observe
from viz.paint import Paint, columns_for, grid, scale, short, swatches, tooltip
from viz.scene import NetworkScene, NeuronCard, Number
from viz.shape import checked_shape
from viz.stages import stages_of
from viz.summary import listed

__all__ = ["draw_neuron"]

_MOST = 256


def draw_neuron(
    neuron: Neuron,
    x: Any,
    *,
    loss: Callable[[Any], Value] | None = None,
    model: Any = None,
    input_shape: Sequence[int] | None = None,
    marks: bool | Report = False,
    theme: str = "light",
) -> Figure:
    """Draw how one neuron comes to its output: w, x, w·x and ∂ in a cell for each input, then Σ, z and activation.

    Cells are coloured by w·x: what pushes the sum up is blue, what pulls it down is red. Beyond 256 inputs the 8 with
    the largest gradients (without a loss, the largest weights) are written out, beside a map of all.

    Args:
        neuron: the neuron.
        x: the example: what the neuron is given, or what the model is given.
        loss: a function of the neuron's output, or of what ``model(x)`` gives; without it there are no gradients.
        model: the MLP, Layer or Sequential that the neuron is part of; the picture then is of the neuron at work in it.
        input_shape: rows and columns of the neuron's inputs, such as (7, 7); chosen to read well if None.
        marks: True to check each gradient by finite differences, or a report of ``gradcheck``.
        theme: a name from ``viz.colors.THEMES``.

    Returns:
        A Figure; its ``text`` says the same in lines.

    Raises:
        TypeError: for anything but a Neuron.
        ValueError: if the neuron is no part of the model, and as for ``draw_network``.

    Example:
        >>> neuron = Neuron(2, activation="sigmoid", initializer="zeros")
        >>> neuron.w[0].data, neuron.b.data = 10.0, -15.0
        >>> figure = draw_neuron(neuron, [1, 1])
        >>> "10 ≤ -b = 15" in figure.source
        True
    """
    if not isinstance(neuron, Neuron):
        fix = "take one of its neurons, layer.neurons[0]" if hasattr(neuron, "neurons") else "give it a Neuron"
        raise TypeError(f"draw_neuron opens one Neuron, got {neuron!r:.60}; {fix}, or draw_network(model)")
    if x is None:
        raise ValueError("draw_neuron shows w·x, so it needs x: draw_neuron(neuron, [0.5, 1.0])")
    colors = theme_named(theme)
    shape = checked_shape(input_shape, neuron.inputs)
    stages = stages_of(neuron if model is None else model)
    places = [(i, j) for i, stage in enumerate(stages) for j, (_, one) in enumerate(stage.neurons) if one is neuron]
    if not places:
        raise ValueError(
            f"{neuron!r} is no part of {printable(repr(model), 60)}; give the model that it is in, or leave model= out"
        )
    if model is None and hasattr(x, "__len__") and len(x) != neuron.inputs:
        fix = "give model=, the network it is in, if they are the input of that"
        raise ValueError(f"the input of {neuron!r} needs {neuron.inputs} numbers, got {len(x)}; {fix}")
    scene = observe(neuron if model is None else model, x, loss)
    i, j = places[0]
    card = scene.layers[i][j]
    before = scene.layers[i - 1] if i else ()
    inputs = tuple(replace(other.output, name=other.title) for other in before) or scene.inputs
    proof = proof_for(scene.root, marks)
    if len(card.weights) > _MOST:
        card = listed(card, scene.has_gradients)
    title = repr(neuron) if model is None else f"{card.title} of {model!r}"
    only = replace(scene, title=title, inputs=inputs, layers=((card,),), rests=(None,), edges=(), shares=())
    source = _source(only, colors, columns_for(neuron.inputs, shape), proof, is_last=i == len(stages) - 1)
    return Figure(source, only.title, lambda: network_text(only, proof, _MOST))


def _source(scene: NetworkScene, theme: Theme, columns: int, proof: Proof | None, *, is_last: bool) -> str:
    card = scene.layers[0][0]
    paint = Paint(scene, theme, proof)
    largest = max((abs(flow) for flow in card.flows if math.isfinite(flow)), default=0.0)
    graph = graphviz.Digraph(
        graph_attr={"rankdir": "LR", "bgcolor": theme.background, "nodesep": "0.2", "ranksep": "0.45",
                    "fontname": "Verdana", "labelloc": "t"},
        node_attr={"shape": "plain", "fontname": "Verdana", "fontcolor": theme.text},
        edge_attr={"color": theme.line, "arrowsize": "0.6"},
    )  # fmt: skip
    graph.node("products", f"<{_products(card, scene.inputs, paint, columns, largest)}>", tooltip="w·x of each input")
    total = sum(card.flows)
    evidence = state = ""
    if card.activity is not None:
        total, is_active = card.activity.sum, card.activity.active
        evidence = f"{short(total)} {'>' if is_active else '≤'} -b = {short(card.activity.threshold)}"
        state = "active" if is_active else "not active"
    _box(graph, "sum", "Σ w·x", Number("sum", total), evidence, paint, "operation")
    _box(graph, "bias", f"{card.title}.b", card.bias, "bias", paint, "parameter")
    _box(graph, "z", "z = Σ w·x + b", card.z, "", paint, "operation")
    graph.edges([("products", "sum"), ("sum", "z"), ("bias", "z")])
    last, z = "z", "z"
    if card.norm is not None:
        mean, variance = card.norm.statistics or card.norm.of_batch
        note = f"μ {short(mean)}, σ² {short(variance)}"
        standard = Number("ẑ", card.norm.standard) if card.norm.parameters else card.norm.output
        _box(graph, "norm", "ẑ = norm z", standard, note, paint, "operation")
        graph.edge(last, "norm")
        last, z = "norm", card.norm.symbol
        if card.norm.parameters:
            note = ", ".join(f"{sign} {short(p.value)}" for sign, p in zip("γβ", card.norm.parameters, strict=False))
            _box(graph, "scaled", card.norm.output.name, card.norm.output, note, paint, "operation")
            graph.edge("norm", "scaled")
            last = "scaled"
    _box(graph, "output", f"{card.activation}({z})", card.output, state or card.state, paint, "output")
    graph.edge(last, "output")
    if scene.loss is not None:
        graph.node("loss", f"<{loss_node(scene.loss, theme)}>", tooltip=f"loss = {number_text(scene.loss)}")
        graph.edge(
            "output", "loss", **({} if is_last else {"style": "dotted", "edgetooltip": "by way of later layers"})
        )
    graph.attr(label=f"<{_legend(scene, paint, largest, is_last=is_last)}>")
    return str(graph.source)


def _products(card: NeuronCard, inputs: Sequence[Number], paint: Paint, columns: int, largest: float) -> str:
    """Set w, x, w·x and ∂ of each input, as the inputs lie; of many inputs a map, and those listed."""
    theme = paint.theme
    fills = [diverging(flow, largest) for flow in card.flows]
    places = range(len(card.weights)) if card.listed is None else card.listed
    cells = [_product(card, i, inputs[i], fills[i], paint) for i in places]
    head = theme.roles["parameter"]
    rows = [row(cell(stacked(font("w × x = w·x", 10, ink(head), bold=True)), bgcolor=head))]
    if card.listed is None:
        rows.append(row(cell(grid(cells, columns))))
    else:
        rows.append(row(cell(swatches(card.weights, fills, columns, card.title, 280))))
        rows.append(row(cell(grid(cells, 4))))
    if card.rest is not None:
        rows.append(row(cell(font(html_text(f"… {card.rest.count:,} {card.rest.text}"), 8, theme.faint))))
    return table(*rows, border=1, cellpadding=1, color=theme.line, bgcolor=theme.card)


def _product(card: NeuronCard, i: int, x: Number, fill: str, paint: Paint) -> str:
    color = ink(fill)
    weight = card.weights[i]
    lines = [
        font(f"{weight.name} {short(weight.value)}", 8, color),
        font(f"× {html_text(x.name, 20)} {short(x.value)}", 8, color),
        font(short(card.flows[i]), 10, color, bold=True),
    ]
    gradient = paint.gradient(weight, card.title)
    lines += [font(gradient, 8, color)] if gradient else []
    return cell(stacked(*lines), bgcolor=fill, width=74, **tooltip(weight, card.title))


def _box(graph: graphviz.Digraph, name: str, head: str, number: Number, note: str, paint: Paint, role: str) -> None:
    """Add a node: a head, a number, a word on it, and its gradient."""
    theme = paint.theme
    fill = theme.roles[role]
    gradient = paint.gradient(number, "") if number.node is not None else ""
    texts = [stacked(font(short(number.value), 13, theme.text, bold=True))]
    texts += [font(html_text(text), 9, theme.text) for text in (note, gradient) if text]
    title = stacked(font(html_text(head), 10, ink(fill), bold=True))
    rows = [row(cell(title, bgcolor=fill)), *(row(cell(text)) for text in texts)]
    label = table(*rows, border=1, cellpadding=3, color=theme.line, bgcolor=theme.card)
    graph.node(name, f"<{label}>", tooltip=f"{head} = {'' if number.value is None else number_text(number.value)}")


def _legend(scene: NetworkScene, paint: Paint, largest: float, *, is_last: bool) -> str:
    theme = paint.theme
    words = ["cell colour: w·x"]
    if scene.loss is not None:
        words.append("∂: in a cell ∂L/∂w, in a box ∂L/∂ of its number, L the loss")
        words += [] if is_last else ["dotted: by way of later layers"]
    lines = [";  ".join(words), *scene.notes]
    lines += [f"marks: {paint.proof.legend()}"] if paint.proof else []
    first = table(row(*scale(largest, theme), cell(font(lines[0], 9, theme.faint))))
    rest = [row(cell(font(html_text(line, 300), 9, theme.faint))) for line in lines[1:]]
    return table(row(cell(font(html_text(scene.title, 120), 13, theme.text, bold=True))), row(cell(first)), *rest)
