"""The page that the demo leaves behind: one HTML file and its pictures, to be put on a projector."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograd_mini.errors import RenderError
from autograd_mini.number import number_text
from autograd_mini.value import Scalar
from nn.history import History
from nn.layers import MLP
from nn.metrics import predicted_class
from viz.chart import line_chart
from viz.colors import diverging, grey, ink
from viz.figure import Figure

__all__ = ["Prediction", "write_demo_page"]

_TEMPLATE = Path(__file__).with_name("demo_page.html")


@dataclass(frozen=True, slots=True)
class Prediction:
    """A digit and what the network made of it: `shares` are the ten softmax outputs."""

    pixels: list[float]
    target: int
    shares: list[float]

    @property
    def predicted(self) -> int:
        return predicted_class(self.shares)


def write_demo_page(
    folder: Path,
    model: MLP,
    pictures: Mapping[str, Mapping[str, Figure]],
    history: History,
    predictions: Sequence[Prediction],
    matrix: Sequence[Sequence[int]],
    command: str,
) -> Path:
    """Write ``index.html`` and the pictures beside it.

    Args:
        folder: an existing folder.
        model: the trained network; each hidden neuron sees 7×7 pixels.
        pictures: ``"before"`` and ``"after"`` training → theme → the network's cards for the first prediction's digit.
        history: of the training, with validation.
        predictions: one per test digit.
        matrix: the confusion matrix of the predictions.
        command: the command line that repeats the run.

    Returns:
        The path of ``index.html``. Where no picture can be rendered, the page says how to get them and links the DOT
        text instead.
    """
    right = sum(p.predicted == p.target for p in predictions) / len(predictions)
    hidden = model.layers[0]
    wrong = next((p for p in predictions if p.predicted != p.target), None)
    correct = next((p for p in predictions if p.predicted == p.target), None)
    sections = [
        f"<p class=facts>49 pixels → {hidden.outputs} sigmoid neurons ({len(hidden.parameters())} parameters) → "
        f"10 softmax outputs. Epochs: {len(history)}. <b>{right:.1%}</b> of {len(predictions)} test digits are read "
        f"correctly. To repeat it: <code>{html.escape(command)}</code></p>",
        _section(
            "The network before training",
            f"One test digit, a {predictions[0].target}. Every weight, bias and gradient of the loss is here; "
            "a click opens the picture on its own, where it can be enlarged.",
            _pictures(folder, "before", pictures["before"]),
        ),
        _section(
            "The network after training",
            "The same digit. The weights say which pixels matter to a neuron, the bias how much evidence it needs.",
            _pictures(folder, "after", pictures["after"]),
        ),
        _section(
            "What each hidden neuron looks for",
            "Its 49 weights laid out as the image is: ink on a blue pixel excites it, ink on a red one holds it back.",
            _row(map(_weights, range(1, hidden.outputs + 1), [neuron.w for neuron in hidden.neurons])),
        ),
        _section(
            "Learning",
            "Loss and accuracy in each epoch: of the digits it learns from while it learns, and of others after it.",
            _curves(history),
        ),
        _section(
            "Two digits from the test set",
            "One that the network reads correctly, and one that it does not.",
            _row(_digit(p) for p in (correct, wrong) if p is not None),
        ),
        _section("Who is taken for whom", "A row for each digit, a column for each answer.", _confusion(matrix)),
    ]
    path = folder / "index.html"
    path.write_text(_TEMPLATE.read_text(encoding="utf-8").replace("CONTENT", "\n".join(sections)), encoding="utf-8")
    return path


def _section(title: str, text: str, content: str) -> str:
    return f"<section><h2>{title}</h2><p>{text}</p>{content}</section>"


def _row(parts: Iterable[str]) -> str:
    return f"<div class=row>{''.join(parts)}</div>"


def _pictures(folder: Path, name: str, themes: Mapping[str, Figure]) -> str:
    """Save the pictures of both themes and show the one that the reader's device prefers."""
    files = {"light": f"{name}.svg", "dark": f"{name}-dark.svg"}
    try:
        for theme, file in files.items():
            themes[theme].save(folder / file)
    except RenderError as error:
        themes["light"].save(folder / f"{name}.dot")
        text = html.escape(str(error)).replace("\n", "<br>")
        return f'<p class=missing>{text}<br>The text of this picture is in <a href="{name}.dot">{name}.dot</a>.</p>'
    dark = f'<source srcset="{files["dark"]}" media="(prefers-color-scheme: dark)">'
    light = f'<img src="{files["light"]}" alt="The network {name} training, cards of weights, biases and gradients">'
    return f'<a class=wide href="{files["light"]}"><picture>{dark}{light}</picture></a>'


def _weights(number: int, weights: Sequence[Scalar]) -> str:
    numbers = [float(w) for w in weights]
    limit = max(map(abs, numbers))
    colors = [diverging(w, limit) for w in numbers]
    cells = [_cell(number_text(w, 2), color) for w, color in zip(numbers, colors, strict=True)]
    return f"<figure>{_grid(cells)}<figcaption>hidden.neuron{number}, ±{number_text(limit, 3)}</figcaption></figure>"


def _cell(text: str, color: str) -> str:
    return f'<td style="background:{color};color:{ink(color)}">{text}</td>'


def _grid(cells: Sequence[str], columns: int = 7) -> str:
    rows = ("".join(cells[i : i + columns]) for i in range(0, len(cells), columns))
    return "<table class=grid>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def _curves(history: History) -> str:
    loss = {"train": history["loss"], "validation": history["validation_loss"]}
    right = {"train": history["accuracy"], "validation": history["validation_accuracy"]}
    return _row([line_chart("loss (mean cross-entropy)", loss), line_chart("accuracy", right, percent=True)])


def _digit(prediction: Prediction) -> str:
    cells = [_cell("&nbsp;", grey(pixel, 0.0, 1.0)) for pixel in prediction.pixels]
    bars = "".join(
        f"<tr{' class=answer' if digit == prediction.predicted else ''}><th>{digit}</th>"
        f'<td><span class=bar style="width:{share * 9:.2f}em"></span> {share:.1%}</td></tr>'
        for digit, share in enumerate(prediction.shares)
    )
    verdict = "correct" if prediction.predicted == prediction.target else "wrong"
    caption = f"a {prediction.target}, read as {prediction.predicted}: {verdict}"
    image_and_bars = f"<div class=row>{_grid(cells)}<table class=bars>{bars}</table></div>"
    return f"<figure>{image_and_bars}<figcaption>{caption}</figcaption></figure>"


def _confusion(matrix: Sequence[Sequence[int]]) -> str:
    head = "".join(f"<th scope=col>{p}</th>" for p in range(len(matrix)))
    rows = "".join(
        f"<tr><th scope=row>{t}</th>"
        + "".join(f'<td class="{"right" if t == p else "wrong" if n else "none"}">{n}</td>' for p, n in enumerate(row))
        + "</tr>"
        for t, row in enumerate(matrix)
    )
    return f"<table class=confusion><tr><th>true ↓ read as →</th>{head}</tr>{rows}</table>"
