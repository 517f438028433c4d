"""``draw_network``: a neural network as cards, every weight, bias and gradient of it on one page."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import graphviz

from autograd_mini import GraphTooLargeError, Value
from autograd_mini.number import number_text
from nn import MLP, Layer, Neuron
from viz.card import Paint, card_table, columns_for, input_table, legend_table, output_table
from viz.colors import Theme, theme_named
from viz.figure import Figure
from viz.markup import cell, font, row, table
from viz.scene import NetworkScene, described, observe, size

__all__ = ["draw_network"]

_MOST_NEURONS = 64
_MOST_PARAMETERS = 500
_MOST_PARAMETERS_OF_ONE = 1000  # a single card has the whole page: 28×28 weights can be read there


def draw_network(
    model: Any,
    *,
    example: Any = None,
    loss: Callable[[Any], Value] | None = None,
    input_shape: Sequence[int] | None = None,
    theme: str = "light",
    force: bool = False,
) -> Figure:
    """Draw a network as one card per neuron: its weights laid out as the inputs are, its bias, sum and activation.

    Cells are coloured by gradient (by weight where there are none). Edges are as thick as |∂loss/∂z| of the neuron
    they enter; without a loss, as what they carry. The gradients are those of a fresh forward and backward pass; no
    ``.data``, ``.grad``, label or mode of the model is touched. The passes are those of evaluation mode: a batch
    normalization shows the running statistics it goes by, and dropout leaves nothing out.

    Args:
        model: an ``MLP``, a ``Layer`` or a ``Neuron``; a single neuron with an example shows w, x and w·x in each cell.
        example: the inputs of one example, numbers or Values. Without it the cards show the parameters alone, and
            the gradients they hold.
        loss: a function of what ``model(example)`` gives, such as ``lambda outputs: cross_entropy(outputs, 7)``.
        input_shape: rows and columns of the inputs, such as (7, 7); chosen to read well if None.
        theme: a name from ``viz.colors.THEMES``.
        force: draw a network of more than 64 neurons or 500 parameters (1,000 for a single neuron) too.

    Returns:
        A Figure.

    Raises:
        TypeError: for another model, or a loss that is not a function or does not give a Value.
        ValueError: for a loss without an example, an example of the wrong width, a shape that does not hold the
            inputs, or an unknown theme.
        GraphTooLargeError: for a network too large to be read, unless forced.

    Example:
        >>> from nn import MLP, cross_entropy
        >>> model = MLP(4, [3, 2], seed=0)
        >>> figure = draw_network(model, example=[0, 1, 1, 0], loss=lambda outputs: cross_entropy(outputs, 1))
        >>> "hidden.neuron3.w[0]" in figure.source
        True
    """
    colors = theme_named(theme)
    neurons, parameters = size(model)
    shape = _checked_shape(input_shape, model.inputs)
    most = _MOST_PARAMETERS if neurons > 1 else _MOST_PARAMETERS_OF_ONE
    if (neurons > _MOST_NEURONS or parameters > most) and not force:
        raise GraphTooLargeError(
            f"{described(model)}; a page can be read up to {_MOST_NEURONS} neurons and {most:,} parameters. "
            f"{_ways_to_narrow(model)}, or insist, draw_network(..., force=True)"
        )
    scene = observe(model, example, loss)
    graph = _graph(scene, colors, shape, opened=isinstance(model, Neuron))
    return Figure(graph.source, scene.title)


def _ways_to_narrow(model: Any) -> str:
    if isinstance(model, MLP):
        return "Draw one layer, draw_network(model.layers[-1]), or one neuron, draw_network(model.layers[0].neurons[0])"
    if isinstance(model, Layer):
        return "Draw one neuron, draw_network(layer.neurons[0])"
    return "Print its weights instead, neuron.w"


def _graph(scene: NetworkScene, theme: Theme, shape: Sequence[int] | None, *, opened: bool) -> graphviz.Digraph:
    """Write a scene as DOT."""
    paint = Paint(scene, theme)
    widest = max(map(len, scene.layers))
    graph = graphviz.Digraph(
        graph_attr={"rankdir": "LR", "bgcolor": theme.background, "ordering": "out", "splines": "line",
                    "nodesep": "0.12", "ranksep": f"{1.0 + 0.06 * widest:g}", "fontname": "Verdana",
                    "labelloc": "t", "label": f"<{legend_table(scene, paint)}>"},
        node_attr={"shape": "plain", "fontname": "Verdana", "fontcolor": theme.text},
        edge_attr={"color": theme.line, "arrowsize": "0.4", "tailport": "e", "headport": "w"},
    )  # fmt: skip
    columns = columns_for(len(scene.inputs), shape)
    graph.node("inputs", f"<{input_table(scene.inputs, theme, columns)}>", tooltip="the inputs")
    for i, layer in enumerate(scene.layers):
        for card in layer:
            width = columns if i == 0 else columns_for(len(card.weights))
            label = card_table(card, paint, columns=width, opened=opened)
            graph.node(card.id, f"<{label}>", tooltip=card.title)
    for edge in scene.edges:
        graph.edge(edge.tail, edge.head, penwidth=f"{0.4 + 3.6 * paint.share(edge):.2f}", edgetooltip=edge.text)
    if scene.outputs:
        graph.node("outputs", f"<{output_table(scene, theme)}>", tooltip="the outputs")
        for i, card in enumerate(scene.layers[-1]):
            graph.edge(card.id, f"outputs:o{i}:w", headport=None)
    if scene.loss is not None:
        head = font("loss", 10, theme.text, bold=True)
        number = font(number_text(scene.loss, 4), 14, theme.text, bold=True)
        label = table(row(cell(head)), row(cell(number)), border=2, cellpadding=4, color=theme.line, bgcolor=theme.card)
        graph.node("loss", f"<{label}>", tooltip=f"loss = {number_text(scene.loss)}")
        graph.edge("outputs", "loss")
    return graph


def _checked_shape(shape: Any, inputs: int) -> list[int] | None:
    if shape is None:
        return None
    try:
        sides = [operator.index(side) for side in shape]
    except TypeError:
        sides = []
    if sides == [inputs]:  # a row of numbers that are no picture, as ``Dataset.shape`` has it
        return None
    if len(sides) != 2 or min(sides) < 1 or sides[0] * sides[1] != inputs:
        raise ValueError(f"input_shape is (rows, columns) that hold {inputs} inputs, as (7, 7) holds 49; got {shape!r}")
    return sides
