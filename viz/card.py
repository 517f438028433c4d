"""How a neuron is set on the page: its weights as the inputs lie, then bias, weighted sum and activation."""

from collections.abc import Iterator

from autograd_mini.number import number_text
from viz.colors import ink
from viz.markup import cell, font, html_text, row, stacked, table
from viz.paint import Paint, grid, scale, short, swatches, tooltip
from viz.scene import Dropped, NeuronCard, Norm, Number

__all__ = ["card_table"]

_LISTED = 2  # weights in a row of those listed beside a map
_MAP = 168
_WIDTHS = (76, 44, 8, 58)  # of the cells of a row below the weights


def card_table(card: NeuronCard, paint: Paint, *, columns: int, opened: bool = False) -> str:
    """Set a neuron: its name, its weights, or a map of them and the largest, and what is made of them.

    Args:
        card: the neuron.
        paint: the colours of the picture.
        columns: how many weights stand side by side.
        opened: show in each cell what the weight is multiplied with, and the product.
    """
    theme = paint.theme
    is_out = card.dropped is not None and card.dropped.factor == 0.0
    head = theme.roles["constant" if is_out else "operation"]
    name = html_text(f"{card.title} = {card.feeds}" if card.feeds else card.title)
    title = f"{name}  dropped" if is_out else name
    # The cells overlap: where they only touch, the card shines through, a hairline across the bias.
    summary = table(*(row(*cells) for cells in _rows(card, paint)), cellpadding=2, cellspacing=-1)
    return table(
        row(cell(stacked(font(title, 10, ink(head), bold=True)), bgcolor=head)),
        *(row(cell(part)) for part in _weights(card, paint, columns, opened)),
        row(cell(summary)),
        border=1, cellpadding=1, color=theme.line, bgcolor=theme.card, **({"style": "dashed"} if is_out else {}),
    )  # fmt: skip


def _weights(card: NeuronCard, paint: Paint, columns: int, opened: bool) -> Iterator[str]:
    """Yield the grid of weights; of many a map, a grid of those listed, and a word on the rest."""
    places = range(len(card.weights)) if card.listed is None else card.listed
    products = [""] * len(card.weights)
    if opened and card.inputs:
        products = [f"× {short(x)} = {short(flow)}" for x, flow in zip(card.inputs, card.flows, strict=True)]
    cells = [_weight(card, i, products[i], paint) for i in places]
    if card.listed is None:
        yield grid(cells, columns)
        return
    largest, fills = paint.own_scale(card.weights)
    shown = swatches(card.weights, fills, columns, card.title, _MAP)
    key = table(row(*scale(largest, paint.theme, small=True)))
    yield table(row(cell(shown, cellpadding=4), cell(grid(cells, _LISTED), rowspan=2)), row(cell(key)))
    if card.rest is not None:
        yield font(html_text(f"… {card.rest.count:,} {card.rest.text}", 80), 8, paint.theme.faint)


def _weight(card: NeuronCard, place: int, product: str, paint: Paint) -> str:
    weight, owner = card.weights[place], card.title
    fill = paint.fill(weight, card.largest)
    color = ink(fill)
    small = [font(text, 7, color) for text in (product, paint.gradient(weight, owner)) if text]
    lines = [font(weight.name, 7, color), font(short(weight.value), 9, color, bold=True), *small]
    return cell(stacked(*lines), bgcolor=fill, width=54, **tooltip(weight, owner))


def _rows(card: NeuronCard, paint: Paint) -> Iterator[list[str]]:
    """Yield the rows below the weights."""
    title, plain = card.title, paint.theme.card
    yield _summary(card.bias, "bias b", paint, title, paint.fill(card.bias, card.largest))
    sign = "" if card.activity is None else "&gt;" if card.activity.active else "≤"
    evidence = (
        f"Σ w·x = {short(card.activity.sum)} {sign} -b = {short(card.activity.threshold)}" if card.activity else ""
    )
    yield _summary(card.z, "z = Σ w·x + b", paint, title, plain, evidence)
    yield from _norm(card.norm, card, paint)
    z = card.norm.symbol if card.norm else "z"
    if card.activation != "linear" or card.output.value is None:  # it would be the same number again
        yield _summary(card.output, f"{html_text(card.activation, 20)}({z})", paint, title, plain, card.state)
    if card.dropped is not None:
        yield _summary(card.dropped.output, "dropout", paint, title, plain, _fate(card.dropped))


def _fate(dropped: Dropped) -> str:
    return "× 0: dropped" if dropped.factor == 0.0 else f"× {number_text(dropped.factor, 3)}: kept"


def _norm(norm: Norm | None, card: NeuronCard, paint: Paint) -> Iterator[list[str]]:
    """Yield the rows of a batch normalization: ẑ by which mean and variance, then scale, shift, and what comes out."""
    if norm is None:
        return
    notes: list[str] = []
    for which, numbers in (("batch ", norm.of_batch), ("running " if norm.of_batch else "", norm.statistics)):
        if numbers:
            notes.append("{}μ {}, σ² {}".format(which, *map(short, numbers)))
    note, plain = "".join(f'{note}<BR ALIGN="LEFT"/>' for note in notes), paint.theme.card
    if not norm.parameters:
        yield _summary(norm.output, "ẑ = norm z", paint, card.title, plain, note)
        return
    texts = ("ẑ = norm z", short(norm.standard), note, "")
    fonts = [font(text, 8, ink(plain)) for text in texts]
    fonts[1] = stacked(font(texts[1], 9, ink(plain), bold=True))
    yield [cell(t, align="left", bgcolor=plain, width=w) for t, w in zip(fonts, _WIDTHS, strict=True)]
    for parameter, words in zip(norm.parameters, ("scale γ", "shift β"), strict=False):
        yield _summary(parameter, words, paint, "", paint.fill(parameter, card.largest))
    yield _summary(norm.output, norm.output.name, paint, card.title, plain)


def _summary(number: Number, words: str, paint: Paint, owner: str, fill: str, note: str = "") -> list[str]:
    """The cells of a row below the weights: what it is, the number, a word on it, its gradient."""
    color = ink(fill)
    gradient = paint.gradient(number, owner) if number.value is not None else ""
    texts = (
        font(words, 8, color),
        stacked(font(short(number.value), 9, color, bold=True)),
        font(f"{note}&#160;&#160;" if note and not note.endswith(">") else note, 8, color),
        font(gradient, 8, color),
    )
    link = tooltip(number, owner)
    return [cell(t, align="left", bgcolor=fill, width=w, **link) for t, w in zip(texts, _WIDTHS, strict=True)]
