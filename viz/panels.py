"""What stands around the cards of a network: the grid of inputs, the outputs, the legend, and what is left out."""

import math
from collections.abc import Iterator, Sequence

from viz.colors import Theme, grey, ink
from viz.markup import cell, font, html_text, row, stacked, table
from viz.paint import Paint, grid, short, swatches, tooltip
from viz.scene import NetworkScene, NeuronCard, Number, Rest
from viz.summary import at_most

__all__ = ["input_table", "legend_table", "output_table", "rest_table"]

_MOST_PLAIN = 8  # inputs that are no picture
_MOST_PIXELS = 144  # of a summary; beyond, a pixel is a colour and its number is told when pointed at
_MOST_OUTPUTS = 20
_LINE = 150  # characters in a line of the legend


def input_table(scene: NetworkScene, theme: Theme, columns: int) -> str:
    """Set the inputs as they lie in the example, each with its index and its value; of many on a grey scale."""
    inputs = scene.inputs
    values = [0.0, *(x.value for x in inputs if x.value is not None and math.isfinite(x.value))]
    low, high = min(values), max(values)
    head = theme.roles["input"]
    is_grey = scene.has_example and len(inputs) > _MOST_PLAIN
    fills = [theme.card if x.value is None or not is_grey else grey(x.value, low, high) for x in inputs]
    key = f"{short(low)} (white) to {short(high)} (black)" if is_grey else ""
    title = row(cell(stacked(font("input", 10, ink(head), bold=True)), bgcolor=head))
    if scene.is_summary and len(inputs) > _MOST_PIXELS:
        words = f"{len(inputs):,} inputs, {key}" if key else f"{len(inputs):,} inputs"
        shown = [row(cell(swatches(inputs, fills, columns, "", 224)))] if scene.has_example else []
        rows = [title, *shown, row(cell(font(words, 8, theme.faint)))]
    else:
        rows = [
            title,
            row(cell(grid([_pixel(x, fill, theme) for x, fill in zip(inputs, fills, strict=True)], columns))),
            *([row(cell(font(key, 8, theme.faint)))] if key else []),
        ]
    return table(*rows, border=1, cellpadding=1, color=theme.line, bgcolor=theme.card)


def _pixel(x: Number, fill: str, theme: Theme) -> str:
    color = theme.text if x.value is None else ink(fill)
    content = stacked(font(x.name, 7, color), font(short(x.value), 9, color, bold=True))
    return cell(content, bgcolor=fill, width=38, height=28, cellpadding=3, **tooltip(x, ""))


def output_table(scene: NetworkScene, theme: Theme) -> str:
    """Set the outputs one below the other, with their softmax shares and a word for the largest."""
    head = theme.roles["output"]
    values = [output.value or 0.0 for output in scene.outputs]
    largest = max(range(len(values)), key=values.__getitem__)
    places = range(len(values))
    if scene.is_summary and len(values) > _MOST_OUTPUTS:
        places = sorted({largest, *(card.index for card in scene.layers[-1])})  # type: ignore[assignment]
    rows = [row(cell(stacked(font("output", 10, ink(head), bold=True)), bgcolor=head, colspan=4))]
    if scene.shares:
        names = ("", "logit", "softmax", "")
        rows.append(row(*(cell(font(name, 7, theme.faint), align="right") for name in names)))
    for i in places:
        share = _percent(scene.shares[i]) if scene.shares else ""
        word = "largest" if i == largest and len(values) > 1 else ""
        texts = (scene.outputs[i].name, short(scene.outputs[i].value), share, word)
        cells = [cell(font(t, 9, theme.text, bold=i == largest), align="right") for t in texts]
        cells[0] = cells[0].replace("<TD", f'<TD PORT="o{i}"', 1)
        rows.append(row(*cells))
    if len(places) < len(values):
        bound = at_most(max(abs(v) for i, v in enumerate(values) if i not in places))
        text = f"… {len(values) - len(places):,} more, each ≤ {bound} in size"
        rows.append(row(cell(font(text, 8, theme.faint), colspan=4)))
    return table(*rows, border=1, cellpadding=3, color=theme.line, bgcolor=theme.card)


def rest_table(rest: Rest, theme: Theme, width: int) -> str:
    """Set what a summary leaves out of a layer, as wide as the cards, so that its edges pass none of them."""
    text = html_text(f"… {rest.count:,} {rest.text}", 120).replace(", ", ",<BR/>", 1)
    return table(
        row(cell(font(text, 9, theme.text), width=width)), border=1, cellpadding=6, color=theme.line, style="dashed"
    )


def legend_table(scene: NetworkScene, paint: Paint) -> str:
    """Set the title, the colour scale with its ends, and what colours, edges and marks say."""
    theme = paint.theme
    words = [
        f"cell colour: {'gradient' if paint.by_gradient else 'weight; gradients are not computed'}",
        _what_gradients_are(scene) if paint.by_gradient else "",
        "each layer has a scale of its own" if len(paint.scales()) > 1 else "",
        "a map has a scale of its own, below it" if any(card.listed is not None for card in _cards(scene)) else "",
        "∂ —: not computed" if any(paint.lacks_gradient(n) for n in _shown(scene) if n.value is not None) else "",
        f"edge thickness: {_what_edges_are(scene)}, up to {short(paint.strongest)}",
        f"dashed edges: {_what_has_the_sign(scene)} below 0" if any(edge.sign < 0 for edge in scene.edges) else "",
        *scene.notes,
    ]
    lines = _lines([word for word in words if word])
    scales, gap = paint.scales(), row(cell("", height=3, cellpadding=0))
    words_beside = cell(font(html_text(lines[0], 200), 9, theme.faint), rowspan=2 * len(scales) - 1)
    below = (part for cells in scales[1:] for part in (gap, row(*cells)))
    first = table(row(*scales[0], words_beside), *below)
    marks = [f"marks: {paint.proof.legend()}"] if paint.proof else []
    rest = [row(cell(font(html_text(line, 300), 9, theme.faint))) for line in (*lines[1:], *marks)]
    title = font(html_text(scene.title, 120), 13, theme.text, bold=True)
    return table(row(cell(title)), row(cell(first)), *rest, cellpadding=4)


def _cards(scene: NetworkScene) -> Iterator[NeuronCard]:
    for layer in scene.layers:
        yield from layer


def _shown(scene: NetworkScene) -> Iterator[Number]:
    for card in _cards(scene):
        yield from (*card.parameters(), card.z, card.output)


def _what_gradients_are(scene: NetworkScene) -> str:
    if scene.loss is None:
        return "∂: the .grad that a parameter holds"
    return f"∂: ∂L/∂ of the number beside it, L the {scene.loss_name}"


def _what_edges_are(scene: NetworkScene) -> str:
    if scene.by_gradient:
        return "|∂L/∂z| of the neuron it enters"
    return f"{'Σ|w·x|' if scene.has_example else 'Σ|w|'} over it"


def _what_has_the_sign(scene: NetworkScene) -> str:
    """Not the thickness: what is added up in that is above 0, each part of it."""
    return "∂L/∂z" if scene.by_gradient else "Σ w·x" if scene.has_example else "Σ w"


def _lines(words: Sequence[str]) -> list[str]:
    """Join words with ``;``, as many to a line as it holds."""
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) < _LINE:
            lines[-1] += f";  {word}"
        else:
            lines.append(word)
    return lines


def _percent(share: float) -> str:
    return "&lt; 0.01 %" if share < 1e-4 else f"{short(100.0 * share)} %"
