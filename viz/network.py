"""``draw_network``: a neural network as cards, every weight, bias and gradient of it on one page."""

from collections.abc import Callable, Sequence
from typing import Any

import graphviz

from autograd_mini import Report, Value
from autograd_mini.number import number_text
from nn import Neuron
from viz.card import card_table
from viz.colors import Theme, theme_named
from viz.figure import Figure
from viz.marks import Proof, proof_for
from viz.markup import cell, font, row, stacked, table
from viz.network_text import network_text
from viz.observing import observe, size
from viz.paint import Paint, columns_for
from viz.panels import input_table, legend_table, output_table, rest_table
from viz.scene import Edge, NetworkScene
from viz.shape import checked_shape
from viz.summary import summarised

__all__ = ["draw_network", "loss_node"]

_MOST_NEURONS = 64
_MOST_PARAMETERS = 500
_MOST_PARAMETERS_OF_ONE = 1000  # a single card has the whole page: 28×28 weights can be read there


def draw_network(
    model: Any,
    *,
    example: Any = None,
    loss: Callable[[Any], Value] | None = None,
    batch: Any = None,
    row: int = 0,
    input_shape: Sequence[int] | None = None,
    edges: str | None = None,
    marks: bool | Report = False,
    theme: str = "light",
    force: bool = False,
) -> Figure:
    """Draw a network as one card per neuron: its weights laid out as the inputs are, its bias, sum and activation.

    Cells are coloured by gradient (by weight where there are none), on one scale; or on one for each layer, where the
    largest of a layer is three times that of another. The gradients are those of a fresh forward and backward pass; no
    ``.data``, ``.grad``, label, mode, mask or running statistic of the model is touched.

    A network of more than 64 neurons or 500 parameters (1,000 for a single neuron) is summarised: of wide layers the
    neurons with the largest gradients are shown, of many weights the largest, beside a map of all; the rest is counted
    with a bound on its size.

    Args:
        model: an ``MLP``, a ``Layer`` or a ``Neuron``, or a ``Sequential`` of these, with activation functions, batch
            norm and dropout; a single neuron with an example shows w, x and w·x in each cell.
        example: the inputs of one example, numbers or Values, for passes of evaluation mode: batch normalization goes
            by its running statistics, and dropout leaves nothing out. Without it the cards show the parameters alone,
            and the gradients they hold.
        loss: a function of what ``model(example)`` gives, such as ``lambda outputs: cross_entropy(outputs, 7)``; or of
            what ``model(batch)`` gives, a list with the outputs of each row, so that it needs a list of targets.
        batch: instead of an example, rows of inputs for passes of training mode: batch normalization measures them
            against each other, and dropout leaves out what its mask of the last batch says, if that was one of this
            size, and else the mask that comes next.
        row: which row of the batch the cards show.
        input_shape: rows and columns of the inputs, such as (7, 7); chosen to read well if None.
        edges: what thickness and colour of an edge stand for: ``"gradient"``, ∂loss/∂z of the neuron it enters, or
            ``"contribution"``, the w·x that it carries. The first where there is a loss if None.
        marks: True to check each gradient by finite differences and write a sign beside it; or a report of
            ``gradcheck`` on the same loss, whose verdicts are taken over.
        theme: a name from ``viz.colors.THEMES``.
        force: draw all of a large network.

    Returns:
        A Figure; its ``text`` says the same in lines.

    Raises:
        TypeError: for another model, or a loss that is not a function or does not give a Value.
        ValueError: for a loss without an example, an example of the wrong width, a shape that does not hold the
            inputs, marks or edges by gradient without a loss, or an unknown theme.

    Example:
        >>> from nn import MLP, cross_entropy
        >>> model = MLP(4, [3, 2], seed=0)
        >>> figure = draw_network(model, example=[0, 1, 1, 0], loss=lambda outputs: cross_entropy(outputs, 1))
        >>> "hidden.neuron3.w[0]" in figure.source
        True
    """
    colors = theme_named(theme)
    neurons, parameters = size(model)
    shape = checked_shape(input_shape, model.inputs)
    scene = observe(model, example, loss, batch=batch, row=row, edges=edges)
    most = _MOST_PARAMETERS if neurons > 1 else _MOST_PARAMETERS_OF_ONE
    if (neurons > _MOST_NEURONS or parameters > most) and not force:
        scene = summarised(scene)
    proof = proof_for(scene.root, marks)
    graph = _graph(scene, colors, shape, proof, opened=isinstance(model, Neuron))
    return Figure(graph.source, scene.title, lambda: network_text(scene, proof))


def _graph(
    scene: NetworkScene, theme: Theme, shape: Sequence[int] | None, proof: Proof | None, *, opened: bool
) -> graphviz.Digraph:
    """Write a scene as DOT."""
    paint = Paint(scene, theme, proof)
    widest = max(map(len, scene.layers))
    graph = graphviz.Digraph(
        graph_attr={"rankdir": "LR", "bgcolor": theme.background, "ordering": "out", "splines": "line",
                    "nodesep": "0.12", "ranksep": f"{1.0 + 0.06 * widest:g}", "fontname": "Verdana", "labelloc": "t"},
        node_attr={"shape": "plain", "fontname": "Verdana", "fontcolor": theme.text},
        edge_attr={"color": theme.line, "arrowsize": "0.4", "tailport": "e", "headport": "w"},
    )  # fmt: skip
    columns = columns_for(len(scene.inputs), shape)
    graph.node("inputs", f"<{input_table(scene, theme, columns)}>", tooltip="the inputs")
    for i, (layer, rest) in enumerate(zip(scene.layers, scene.rests, strict=True)):
        for card in layer:
            width = columns if i == 0 else columns_for(len(card.weights))
            label = card_table(card, paint, columns=width, opened=opened)
            graph.node(card.id, f"<{label}>", tooltip=card.title)
        if rest is not None:
            width = 290 if any(card.state for card in layer) else 230 if layer else 0
            graph.node(f"rest{i}", f"<{rest_table(rest, theme, width)}>", tooltip="what is left out")
    for edge in scene.edges:
        graph.edge(edge.tail, edge.head, **_line(edge, paint))
    if scene.outputs:
        graph.node("outputs", f"<{output_table(scene, theme)}>", tooltip="the outputs")
        for card in scene.layers[-1]:
            graph.edge(card.id, f"outputs:o{card.index}:w", headport=None)
        if scene.rests[-1] is not None:
            graph.edge(f"rest{len(scene.rests) - 1}", "outputs", style="dotted")
    if scene.loss is not None:
        node = loss_node(scene.loss, theme, scene.loss_name)
        graph.node("loss", f"<{node}>", tooltip=f"{scene.loss_name} = {number_text(scene.loss)}")
        graph.edge("outputs", "loss")
    graph.attr(label=f"<{legend_table(scene, paint)}>")  # last: it says which marks were given
    return graph


def _line(edge: Edge, paint: Paint) -> dict[str, str]:
    """How an edge is drawn: as thick as it is strong, in a colour and a dash for its sign."""
    if edge.summed:
        return {"style": "dotted", "edgetooltip": edge.text}
    line = {"penwidth": f"{0.4 + 3.6 * paint.share(edge):.2f}", "edgetooltip": edge.text}
    if edge.sign:
        line["color"] = paint.theme.above if edge.sign > 0 else paint.theme.below
    return line | ({"style": "dashed"} if edge.sign < 0 else {})


def loss_node(loss: float, theme: Theme, name: str = "loss") -> str:
    """Set the loss, with a word on what it is of."""
    head = stacked(font(name, 10, theme.text, bold=True))
    number = stacked(font(number_text(loss, 4), 14, theme.text, bold=True))
    return table(row(cell(head)), row(cell(number)), border=2, cellpadding=4, color=theme.line, bgcolor=theme.card)
