"""The gallery: one of every picture, light and dark, on a page that needs nothing from outside."""

import html
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from autograd_mini import RenderError, Value, debug, gradcheck, parameter, relu, sigmoid, tanh
from autograd_mini.primitive import primitive
from autograd_mini.rules import RULES
from nn import ACTIVATIONS, MLP, SGD, Layer, Neuron, cross_entropy, digits, sum_squared_error
from viz.activation import draw_activation
from viz.blame import draw_blame
from viz.colors import THEMES
from viz.dot import draw_dot
from viz.figure import Chart, Figure
from viz.network import draw_network
from viz.neuron import draw_neuron
from viz.step import draw_step

__all__ = ["PICTURES", "Picture", "write_gallery"]

_PAGE = Path(__file__).with_name("gallery_page.html")


class Picture(NamedTuple):
    """A picture of the gallery: what it shows, the call that draws it, and a function that does so in a theme."""

    caption: str
    call: str
    draw: Callable[[str], Figure | Chart]


@cache
def _trained() -> tuple[MLP, Any, int]:
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


def _network(theme: str, **options: Any) -> Figure:
    model, image, label = _trained()
    if "edges" not in options:
        options["loss"] = lambda outputs: cross_entropy(outputs, label)
    return draw_network(model, example=image, input_shape=(7, 7), theme=theme, **options)


def _lecture(theme: str) -> Figure:
    layer = Layer(49, 3, activation="sigmoid", seed=1)
    _, image, _ = _trained()
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
    model, image, label = _trained()
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


def _layer_activation(theme: str) -> Chart:
    model, image, _ = _trained()
    return draw_activation(model.layers[0], image, theme=theme)


def _activation(name: str, theme: str) -> Chart:
    return draw_activation(name, at=[-2.5, -0.5, 0.0, 1.5], theme=theme)


PICTURES: dict[str, Picture] = {
    "graph": Picture("A graph, operation by operation", "draw_dot(loss, show_local=True)", _graph),
    "marks": Picture("Proof in the picture", "draw_dot(loss, marks=True)", _marks),
    "step": Picture("Where a debugger stands", "draw_step(debug(loss).step(2))", _step),
    "blame": Picture("The way to a wrong op", "draw_blame(gradcheck(f, 2.0, 0.5))", _blame),
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
        "Where the neurons of a layer stand", "draw_activation(model.layers[0], image)", _layer_activation
    ),
    **{
        f"activation_{name}": Picture(
            f"The activation function {name}", f'draw_activation("{name}", at=[-2.5, -0.5, 0.0, 1.5])',
            partial(_activation, name),
        )
        for name in ACTIVATIONS
    },
}  # fmt: skip
"""Every picture of the gallery by its name."""


def write_gallery(out: Path, only: Sequence[str] = ()) -> Path:
    """Draw the pictures of the gallery in every theme, as SVG and PNG, and a page that shows them.

    Args:
        out: the folder to write into; made if need be.
        only: names from ``PICTURES``; all of them if empty.

    Returns:
        The path of ``index.html``. Where no renderer is installed the page says how to get one, and DOT text stands in
        the place of a picture.

    Raises:
        ValueError: for an unknown name; nothing is written then.
    """
    for name in only:
        if name not in PICTURES:
            raise ValueError(f"unknown picture {name!r:.60}; the gallery has {', '.join(PICTURES)}")
    out.mkdir(parents=True, exist_ok=True)
    sections = [_section(out, name, PICTURES[name]) for name in only or PICTURES]
    path = out / "index.html"
    path.write_text(_PAGE.read_text(encoding="utf-8").replace("CONTENT", "\n".join(sections)), encoding="utf-8")
    return path


def _section(out: Path, name: str, picture: Picture) -> str:
    drawn = {theme: picture.draw(theme) for theme in THEMES}
    text = html.escape(drawn["light"].text)
    try:
        shown = _shown(out, name, picture, drawn)
    except RenderError as error:
        drawn["light"].save(out / f"{name}.dot")
        shown = f'<p class=missing>{html.escape(str(error))}</p><p><a href="{name}.dot">{name}.dot</a></p>'
    return (
        f"<section id={name}><h2>{html.escape(picture.caption)}</h2><p><code>{html.escape(picture.call)}</code></p>"
        f"{shown}<details><summary>The same in words</summary><pre>{text}</pre></details></section>"
    )


def _shown(out: Path, name: str, picture: Picture, drawn: dict[str, Figure | Chart]) -> str:
    links = []
    for theme, figure in drawn.items():
        suffixes = (".svg",) if isinstance(figure, Chart) else (".svg", ".png")
        for suffix in suffixes:
            file = figure.save(out / f"{name}{'' if theme == 'light' else f'-{theme}'}{suffix}").name
            links.append(f'<a href="{file}">{theme}, {suffix[1:].upper()}</a>')
    alt = html.escape(picture.caption)
    return (
        f'<div class=wide tabindex=0><picture><source srcset="{name}-dark.svg" media="(prefers-color-scheme: dark)">'
        f'<img src="{name}.svg" alt="{alt}"></picture></div><p>{" · ".join(links)}</p>'
    )
