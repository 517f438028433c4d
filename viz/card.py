"""How each part of a network is set on the page: neuron cards, the grid of inputs, the outputs and the legend."""

import math
from collections.abc import Iterable, Iterator, Sequence

from autograd_mini.number import number_text
from viz.colors import Theme, diverging, grey, ink
from viz.markup import cell, font, html_text, row, table
from viz.scene import Edge, NetworkScene, NeuronCard, Norm, Number

__all__ = ["Paint", "card_table", "columns_for", "input_table", "legend_table", "output_table"]

_DIGITS = 3


class Paint:
    """The colours of one picture: a theme, and one scale for all its parameters."""

    def __init__(self, scene: NetworkScene, theme: Theme) -> None:
        self.theme = theme
        self.by_gradient = scene.has_gradients
        self.largest = _largest(self._shown(parameter) for parameter in scene.parameters())
        self.strongest = _largest(edge.strength for edge in scene.edges)

    def fill(self, parameter: Number) -> str:
        """The colour of a parameter: its gradient's where there are gradients, else its own."""
        shown = self._shown(parameter)
        return self.theme.card if shown is None else diverging(shown, self.largest)

    def share(self, edge: Edge) -> float:
        """How thick an edge is, from 0 to 1."""
        return min(edge.strength / self.strongest, 1.0) if self.strongest > 0.0 and edge.strength > 0.0 else 0.0

    def lacks_gradient(self, number: Number) -> bool:
        """True for a number without a gradient in a picture of gradients: nothing leads from it to the loss."""
        return self.by_gradient and number.gradient is None

    def _shown(self, parameter: Number) -> float | None:
        return parameter.gradient if self.by_gradient else parameter.value


def columns_for(count: int, shape: Sequence[int] | None = None) -> int:
    """How many columns lay `count` numbers out well: those of `shape`, a short row, or about a square.

    Example:
        >>> [columns_for(n) for n in (3, 10, 13, 49)], columns_for(8, (4, 2))
        ([3, 5, 4, 7], 2)
    """
    if shape is not None:
        return shape[1]
    root = math.isqrt(count - 1) + 1
    return count if count < 5 else next((n for n in range(root, 2 * root) if count % n == 0), root)


def card_table(card: NeuronCard, paint: Paint, *, columns: int, opened: bool = False) -> str:
    """Set a neuron: its name, its weights as the inputs lie, then bias, weighted sum and activation.

    Args:
        card: the neuron.
        paint: the colours of the picture.
        columns: how many weights stand side by side.
        opened: show in each cell what the weight is multiplied with, and the product.
    """
    theme = paint.theme
    head = theme.roles["operation"]
    products = [""] * len(card.weights)
    if opened and card.inputs:
        products = [f"× {_short(x)} = {_short(flow)}" for x, flow in zip(card.inputs, card.flows, strict=True)]
    weights = [_weight(w, card.title, product, paint) for w, product in zip(card.weights, products, strict=True)]
    name = html_text(card.activation, 20)
    title = html_text(f"{card.title} = {card.feeds}" if card.feeds else card.title)
    z = "ẑ" if card.norm else "z"
    summary = table(
        row(*_summary(card.bias, "bias b", paint, card.title, paint.fill(card.bias))),
        row(*_summary(card.z, "z = Σ w·x + b", paint, card.title, theme.card)),
        *(row(*cells) for cells in _norm(card.norm, card.title, paint)),
        row(*_summary(card.output, f"{name}({z})", paint, card.title, theme.card, card.state)),
        cellpadding=1,
    )
    return table(
        row(cell(font(title, 10, ink(head), bold=True), bgcolor=head)),
        row(cell(_grid(weights, columns))),
        row(cell(summary)),
        border=1, cellpadding=1, color=theme.line, bgcolor=theme.card,
    )  # fmt: skip


def input_table(inputs: Sequence[Number], theme: Theme, columns: int) -> str:
    """Set the inputs as they lie in the example, each with its index and its value, on a grey scale."""
    values = [0.0, *(x.value for x in inputs if x.value is not None and math.isfinite(x.value))]
    low, high = min(values), max(values)

    def pixel(x: Number) -> str:
        fill = theme.card if x.value is None else grey(x.value, low, high)
        color = theme.text if x.value is None else ink(fill)
        content = font(x.name, 7, color)
        if x.value is not None:
            content += "<BR/>" + font(_short(x.value), 9, color, bold=True)
        return cell(content, bgcolor=fill, width=38, height=28, **_tooltip(x, ""))

    head = theme.roles["input"]
    title = font("input", 10, ink(head), bold=True)
    return table(
        row(cell(title, bgcolor=head)), row(cell(_grid([pixel(x) for x in inputs], columns))),
        border=1, cellpadding=1, color=theme.line, bgcolor=theme.card,
    )  # fmt: skip


def output_table(scene: NetworkScene, theme: Theme) -> str:
    """Set the outputs one below the other, with their softmax shares and a word for the largest."""
    head = theme.roles["output"]
    largest = max(range(len(scene.outputs)), key=lambda i: scene.outputs[i].value or 0.0)
    rows = [row(cell(font("output", 10, ink(head), bold=True), bgcolor=head, colspan=4))]
    if scene.shares:
        names = ("", "logit", "softmax", "")
        rows.append(row(*(cell(font(name, 7, theme.faint), align="right") for name in names)))
    for i, output in enumerate(scene.outputs):
        share = _percent(scene.shares[i]) if scene.shares else ""
        word = "largest" if i == largest and len(scene.outputs) > 1 else ""
        texts = (output.name, _short(output.value), share, word)
        cells = [cell(font(t, 9, theme.text, bold=i == largest), align="right") for t in texts]
        cells[0] = cells[0].replace("<TD", f'<TD PORT="o{i}"', 1)
        rows.append(row(*cells))
    return table(*rows, border=1, cellpadding=3, color=theme.line, bgcolor=theme.card)


def legend_table(scene: NetworkScene, paint: Paint) -> str:
    """Set the title, the colour scale with its ends, and what the thickness of an edge says."""
    theme = paint.theme
    swatches = [cell("", bgcolor=diverging(i / 5.0, 1.0), width=14, height=10) for i in range(-5, 6)]
    ends = [cell(font(_short(end), 9, theme.text)) for end in (-paint.largest, paint.largest)]
    if scene.loss is not None:
        gradient, strength = "∂: ∂L/∂ of the number beside it, L the loss", "|∂L/∂z| of the neuron it enters"
    else:
        gradient, strength = (
            "∂: the .grad that a parameter holds",
            f"{'Σ|w·x|' if scene.has_example else 'Σ|w|'} over it",
        )
    words = [
        f"cell colour: {'gradient' if paint.by_gradient else 'weight; gradients are not computed'}",
        gradient if paint.by_gradient else "",
        "∂ —: not computed" if any(map(paint.lacks_gradient, scene.parameters())) else "",
        f"edge thickness: {strength}, up to {_short(paint.strongest)}",
    ]
    text = ";  ".join(word for word in words if word)
    scale = table(row(ends[0], *swatches, ends[1], cell(font(text, 9, theme.faint))))
    title = font(html_text(scene.title, 120), 13, theme.text, bold=True)
    return table(row(cell(title)), row(cell(scale)), cellpadding=4)


def _grid(cells: Sequence[str], columns: int) -> str:
    rows = [row(*cells[i : i + columns]) for i in range(0, len(cells), columns)]
    return table(*rows, cellspacing=1, cellpadding=1)


def _weight(weight: Number, owner: str, product: str, paint: Paint) -> str:
    fill = paint.fill(weight)
    color = ink(fill)
    small = [font(text, 7, color) for text in (product, _gradient(weight, paint)) if text]
    lines = [font(weight.name, 7, color), font(_short(weight.value), 9, color, bold=True), *small]
    return cell("<BR/>".join(lines), bgcolor=fill, width=54, **_tooltip(weight, owner))


def _summary(number: Number, words: str, paint: Paint, owner: str, fill: str, note: str = "") -> list[str]:
    """The cells of a row below the weights: what it is, the number, a word on it, its gradient."""
    color = ink(fill)
    gradient = _gradient(number, paint) if number.value is not None else ""
    texts = (
        font(words, 8, color),
        font(_short(number.value), 9, color, bold=True),
        font(note, 8, color),
        font(gradient, 8, color),
    )
    link = _tooltip(number, owner)
    return [cell(t, align="left", bgcolor=fill, width=w, **link) for t, w in zip(texts, (76, 44, 8, 58), strict=True)]


def _norm(norm: Norm | None, owner: str, paint: Paint) -> Iterator[list[str]]:
    """The rows of a batch normalization: scale, shift, and what comes out by which mean and variance."""
    if norm is not None:
        for parameter, words in zip(norm.parameters, ("scale γ", "shift β"), strict=False):
            yield _summary(parameter, words, paint, "", paint.fill(parameter))
        note = "μ {}, σ² {}".format(*map(_short, norm.statistics)) if norm.statistics else ""
        yield _summary(norm.output, "ẑ = norm z", paint, owner, paint.theme.card, note)


def _gradient(number: Number, paint: Paint) -> str:
    if number.gradient is not None:
        return f"∂ {_short(number.gradient)}"
    return "∂ —" if paint.lacks_gradient(number) else ""


def _tooltip(number: Number, owner: str) -> dict[str, str]:
    """Name a number in full and say all its digits; Graphviz shows a cell's title only if the cell is a link."""
    name = f"{owner}.{number.name}" if owner else number.name
    value = "not computed" if number.value is None else number_text(number.value)
    gradient = "not computed" if number.gradient is None else number_text(number.gradient)
    return {"href": f"#{name}", "title": f"{name} = {value}, gradient {gradient}"}


def _short(number: float | None) -> str:
    return "" if number is None else number_text(number, _DIGITS)


def _percent(share: float) -> str:
    return "&lt; 0.01 %" if share < 1e-4 else f"{number_text(100.0 * share, _DIGITS)} %"


def _largest(numbers: Iterable[float | None]) -> float:
    return max((abs(n) for n in numbers if n is not None and math.isfinite(n)), default=0.0)
