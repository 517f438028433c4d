"""Graphs of the gallery."""

from functools import partial
from typing import Any

from autograd_mini import Value, debug, gradcheck, parameter, relu, scope, sigmoid, tanh
from autograd_mini.primitive import primitive
from autograd_mini.rules import RULES
from nn import MLP, cross_entropy
from viz.blame import draw_blame
from viz.dot import draw_dot
from viz.figure import Figure
from viz.gallery.picture import Picture
from viz.step import draw_step

__all__ = ["GRAPHS"]


def _graph(theme: str) -> Figure:
    x, w, b = Value(0.5, "x"), parameter(2.0, "w"), parameter(-1.5, "b")
    loss = (tanh(w * x + b) - 1.0) ** 2
    loss.backward()
    return draw_dot(loss, show_local=True, theme=theme)


def _marks(theme: str) -> Figure:
    x, w, v = Value(1.0, "x"), parameter(0.5, "w"), parameter(-0.5, "v")
    kink, dead = relu(w * x + v), relu(v * x)  # one sum is 0, where relu has its kink; the other is below
    loss = sigmoid(kink + dead + w) ** 2
    loss.backward()
    return draw_dot(loss, marks=True, theme=theme)


def _step(theme: str) -> Figure:
    x, w = Value(0.5, "x"), parameter(2.0, "w")
    return draw_step(debug((w * x).tanh() * w).step(2), theme=theme)


def _blame(theme: str) -> Figure:
    @primitive(lambda y, x: 2.0 * x)
    def cubed(x: Any) -> Any:
        return x * x * x

    try:
        return draw_blame(gradcheck(lambda x, w: cubed(x) * w + 1.0, 2.0, 0.5), theme=theme)
    finally:
        RULES.pop("cubed", None)


def _small_network() -> tuple[MLP, Value]:
    model = MLP(3, [3, 2], activation="tanh", seed=0)
    loss = cross_entropy(model([0.5, -1.0, 2.0]), 1)
    loss.backward()
    return model, loss


def _folded(theme: str, how: Any) -> Figure:
    return draw_dot(_small_network()[1], fold=how, theme=theme)


def _scopes(theme: str) -> Figure:
    x, w = Value(0.5, "x"), parameter(2.0, "w")
    with scope("error"):
        error = (tanh(w * x) - 1.0) ** 2
    with scope("penalty"):
        penalty = 0.1 * w**2
    loss = error + penalty
    loss.backward()
    return draw_dot(loss, fold=0, marks=True, theme=theme)


def _focus(theme: str) -> Figure:
    model, loss = _small_network()
    return draw_dot(loss, focus=model.layers[0].neurons[1].b, radius=3, theme=theme)


def _paths(theme: str) -> Figure:
    model, loss = _small_network()
    return draw_dot(loss, paths_to=model.layers[0].neurons[1].w[0], theme=theme)


GRAPHS: dict[str, Picture] = {
    "graph": Picture("A graph, operation by operation", "draw_dot(loss, show_local=True)", _graph),
    "marks": Picture("Proof in the picture", "draw_dot(loss, marks=True)", _marks),
    "step": Picture("Where a debugger stands", "draw_step(debug(loss).step(2))", _step),
    "blame": Picture("The way to a wrong op", "draw_blame(gradcheck(f, 2.0, 0.5))", _blame),
    "fold_layer": Picture("A network folded to layers", 'draw_dot(loss, fold="layer")', partial(_folded, how="layer")),
    "fold_neuron": Picture(
        "The same folded to neurons", 'draw_dot(loss, fold="neuron")', partial(_folded, how="neuron")
    ),
    "fold_scope": Picture("Folded to scopes of one's own", "draw_dot(loss, fold=0, marks=True)", _scopes),
    "focus": Picture("What is near a bias", "draw_dot(loss, focus=neuron.b, radius=3)", _focus),
    "paths": Picture("The paths to a weight", "draw_dot(loss, paths_to=neuron.w[0])", _paths),
}
"""Every picture of a graph by its name."""
