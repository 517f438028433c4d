"""Networks, neurons and activation functions of the gallery."""

from functools import cache, partial
from typing import Any

from nn import ACTIVATIONS, MLP, SGD, Layer, Neuron, cross_entropy, digits, sum_squared_error
from viz.activation import draw_activation
from viz.figure import Figure
from viz.gallery.picture import Picture
from viz.network import draw_network
from viz.neuron import draw_neuron

__all__ = ["NETWORKS", "trained"]


@cache
def trained() -> tuple[MLP, Any, int]:
    """The lecture's network after five epochs, and a digit that it has not seen."""
    train, _, test = digits().split(seed=0)
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    optimizer = SGD(model.parameters(), learning_rate=1.0)
    for epoch in range(5):
        for batch in train.batches(16, seed=0, epoch=epoch):
            optimizer.zero_grad()
            cross_entropy(model(batch.inputs), batch.targets).backward()
            optimizer.step()
    model.zero_grad()
    image, label = test[0]
    return model, image, int(label)  # type: ignore[arg-type]


def _network(theme: str, **options: Any) -> Figure:
    model, image, label = trained()
    if "edges" not in options:
        options["loss"] = lambda outputs: cross_entropy(outputs, label)
    return draw_network(model, example=image, input_shape=(7, 7), theme=theme, **options)


def _lecture(theme: str) -> Figure:
    layer = Layer(49, 3, activation="sigmoid", seed=1)
    _, image, _ = trained()
    return draw_network(
        layer, example=image, loss=lambda y: sum_squared_error(y, [1.0, 0.0, 0.0]), input_shape=(7, 7), theme=theme
    )


def _parameters(theme: str) -> Figure:
    return draw_network(MLP(6, [4, 2], seed=0), input_shape=(2, 3), theme=theme)


_BATCH = [[1.0, -2.0, 0.5, 0.0], [0.5, 3.0, 1.0, 1.0], [-1.5, 0.25, 0.0, 2.0]]


@cache
def _normalized() -> MLP:
    model = MLP(4, [4, 3], seed=0, batch_norm=True, dropout=0.5)
    model(_BATCH)
    return model


def _training(theme: str) -> Figure:
    return draw_network(
        _normalized(), batch=_BATCH, row=1, loss=lambda rows: cross_entropy(rows, [0, 1, 2]), marks=True, theme=theme
    )


def _evaluation(theme: str) -> Figure:
    return draw_network(_normalized(), example=_BATCH[1], loss=lambda y: cross_entropy(y, 1), theme=theme)


@cache
def _large() -> tuple[MLP, list[float]]:
    ring = [(r - 13.5) ** 2 + (c - 13.5) ** 2 for r in range(28) for c in range(28)]
    return MLP(784, [64, 10], activation="sigmoid", seed=2), [1.0 if 30 < d < 90 else 0.0 for d in ring]


def _wide(theme: str) -> Figure:
    model, image = _large()
    return draw_network(model, example=image, loss=lambda y: cross_entropy(y, 0), input_shape=(28, 28), theme=theme)


def _deep(theme: str) -> Figure:
    model = MLP(2, [3] * 40 + [2], activation="tanh", seed=0)
    return draw_network(model, example=[0.5, -1.0], loss=lambda y: cross_entropy(y, 1), theme=theme)


def _neuron(theme: str) -> Figure:
    model, image, label = trained()
    return draw_neuron(
        model.layers[0].neurons[0], image, model=model, loss=lambda y: cross_entropy(y, label), input_shape=(7, 7),
        theme=theme,
    )  # fmt: skip


def _small_neuron(theme: str) -> Figure:
    neuron = Neuron(4, activation="sigmoid", seed=0)
    neuron.b.data = -0.5
    return draw_neuron(neuron, [1.0, 0.0, 0.5, 1.0], loss=lambda y: (y - 1.0) ** 2, marks=True, theme=theme)


def _large_neuron(theme: str) -> Figure:
    model, image = _large()
    neuron = model.layers[0].neurons[0]
    return draw_neuron(
        neuron, image, model=model, loss=lambda y: cross_entropy(y, 0), input_shape=(28, 28), theme=theme
    )


def _layer_activation(theme: str) -> Figure:
    model, image, _ = trained()
    return draw_activation(model.layers[0], image, theme=theme)


def _activation(name: str, theme: str) -> Figure:
    return draw_activation(name, at=[-2.5, -0.5, 0.0, 1.5], theme=theme)


NETWORKS: dict[str, Picture] = {
    "network": Picture(
        "The lecture's network reads a digit", "draw_network(model, example=image, loss=loss, input_shape=(7, 7))",
        _network,
    ),
    "network_marks": Picture(
        "Every gradient of it checked", "draw_network(model, example=image, loss=loss, marks=True)",
        partial(_network, marks=True),
    ),
    "network_contribution": Picture(
        "What its edges carry", 'draw_network(model, example=image, edges="contribution")',
        partial(_network, edges="contribution"),
    ),
    "layer": Picture("A layer of 150 parameters", "draw_network(layer, example=image, loss=loss)", _lecture),
    "parameters": Picture("Parameters alone", "draw_network(model, input_shape=(2, 3))", _parameters),
    "training": Picture(
        "Training mode: batch normalization and dropout",
        "draw_network(model, batch=rows, row=1, loss=loss, marks=True)", _training,
    ),
    "evaluation": Picture("The same in evaluation mode", "draw_network(model, example=row, loss=loss)", _evaluation),
    "wide": Picture(
        "50,890 parameters: the largest gradients, the rest counted",
        "draw_network(model, example=image, loss=loss, input_shape=(28, 28))", _wide,
    ),
    "deep": Picture("41 layers", "draw_network(model, example=[0.5, -1.0], loss=loss)", _deep),
    "neuron": Picture(
        "One neuron opened", "draw_neuron(model.layers[0].neurons[0], image, model=model, loss=loss)", _neuron
    ),
    "small_neuron": Picture("A neuron by itself", "draw_neuron(neuron, x, loss=loss, marks=True)", _small_neuron),
    "large_neuron": Picture("A neuron with 784 inputs", "draw_neuron(neuron, image, model=model, ...)", _large_neuron),
    "activation_layer": Picture(
        "Where the neurons of a layer stand", "draw_activation(model.layers[0], image)", _layer_activation,
    ),
    **{
        f"activation_{name}": Picture(
            f"The activation function {name}", f'draw_activation("{name}", at=[-2.5, -0.5, 0.0, 1.5])',
            partial(_activation, name),
        )
        for name in ACTIVATIONS
    },
}  # fmt: skip
"""Every picture of a network by its name."""
