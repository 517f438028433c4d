"""What all parts of one picture of a network share: its colours, its scales, its marks, and how a number is written."""

import math
from collections.abc import Sequence

from autograd_mini.number import number_text
from viz.colors import Theme, diverging
from viz.marks import Proof
from viz.markup import cell, font, html_text, row, table
from viz.scene import Edge, NetworkScene, NeuronCard, Number

__all__ = ["Paint", "columns_for", "grid", "scale", "short", "swatches", "tooltip"]

_DIGITS = 3


class Paint:
    """The colours of one picture: a theme, the scales of its parameters, and the marks of its gradients.

    Args:
        scene: what is drawn.
        theme: the theme.
        proof: what checks each gradient; None for no marks.
    """

    def __init__(self, scene: NetworkScene, theme: Theme, proof: Proof | None = None) -> None:
        self.theme = theme
        self.proof = proof
        self.by_gradient = scene.has_gradients
        self.ends = {_layer_of(layer, scene): layer[0].largest for layer in scene.layers if layer}
        self.strongest = max((e.strength for e in scene.edges if math.isfinite(e.strength)), default=0.0)

    def fill(self, parameter: Number, largest: float) -> str:
        """The colour of a parameter: its gradient's where there are gradients, else its own."""
        shown = self._shown(parameter)
        return self.theme.card if shown is None else diverging(shown, largest)

    def scales(self) -> list[list[str]]:
        """The scale of each layer, with its name, as cells of a row; a single one, without, if they are the same."""
        several = len(set(self.ends.values())) > 1
        if not several:
            return [scale(max(self.ends.values(), default=0.0), self.theme)]
        return [
            [cell(font(html_text(name, 24), 9, self.theme.text, bold=True)), *scale(end, self.theme)]
            for name, end in self.ends.items()
        ]

    def own_scale(self, parameters: Sequence[Number]) -> tuple[float, list[str]]:
        """Colours on a scale of their own, and where it ends; on that of a layer, a map of small gradients is white."""
        shown = list(map(self._shown, parameters))
        largest = max((abs(x) for x in shown if x is not None and math.isfinite(x)), default=0.0)
        return largest, [self.theme.card if x is None else diverging(x, largest) for x in shown]

    def _shown(self, parameter: Number) -> float | None:
        return parameter.gradient if self.by_gradient else parameter.value

    def share(self, edge: Edge) -> float:
        """How thick an edge is, from 0 to 1."""
        return min(edge.strength / self.strongest, 1.0) if self.strongest > 0.0 and edge.strength > 0.0 else 0.0

    def lacks_gradient(self, number: Number) -> bool:
        """True for a number without a gradient in a picture of gradients: nothing leads from it to the loss."""
        return self.by_gradient and number.gradient is None

    def gradient(self, number: Number, owner: str) -> str:
        """Write the gradient of a number with its mark; empty where the picture is not of gradients."""
        text = f"∂ {short(number.gradient)}" if number.gradient is not None else ""
        text = "∂ —" if not text and self.lacks_gradient(number) else text
        if self.proof is None or number.node is None or not text:
            return text
        mark = self.proof.mark(number.node, number.gradient, f"{owner}.{number.name}" if owner else number.name)
        return text if mark is None else f"{text} {mark.sign}"


def _layer_of(layer: Sequence[NeuronCard], scene: NetworkScene) -> str:
    """The name of the part that holds a layer; of a neuron that stands alone, or behind others in it, its own."""
    parts = [one[0].title.rpartition(".")[0] for one in scene.layers if one]
    part = layer[0].title.rpartition(".")[0]
    return part if part and parts.count(part) == 1 else layer[0].title


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


def short(number: float | None) -> str:
    """Write a number in the digits that fit a cell; nothing for None."""
    return "" if number is None else number_text(number, _DIGITS)


def grid(cells: Sequence[str], columns: int) -> str:
    """Cells in rows of so many columns."""
    rows = [row(*cells[i : i + columns]) for i in range(0, len(cells), columns)]
    return table(*rows, cellspacing=1, cellpadding=1)


def scale(largest: float, theme: Theme, *, small: bool = False) -> list[str]:
    """The red-blue scale as cells of a row, its ends written out."""
    size, width, height = (8, 6, 7) if small else (9, 14, 10)
    ends = [cell(font(short(end), size, theme.text)) for end in (-largest, largest)]
    colors = [cell("", bgcolor=diverging(i / 5.0, 1.0), width=width, height=height) for i in range(-5, 6)]
    return [ends[0], *colors, ends[1]]


def swatches(numbers: Sequence[Number], fills: Sequence[str], columns: int, owner: str, width: float) -> str:
    """A map of numbers by their colours alone, about `width` wide; pointing at one tells its number."""
    side = max(3, min(12, int(width / columns)))
    cells = [
        cell("", bgcolor=fill, width=side, height=side, fixedsize="true", **tooltip(number, owner))
        for number, fill in zip(numbers, fills, strict=True)
    ]
    rows = [row(*cells[i : i + columns]) for i in range(0, len(cells), columns)]
    size = {"width": side * columns + 2, "height": side * len(rows) + 2}  # fixed, or the cells would drift apart
    paper = diverging(0.0, 1.0)  # it shines through the seams, and frames the map
    return table(*rows, cellpadding=0, border=1, color=paper, bgcolor=paper, fixedsize="true", **size)


def tooltip(number: Number, owner: str) -> dict[str, str]:
    """Name a number in full and say all its digits; Graphviz shows a cell's title only if the cell is a link."""
    name = f"{owner}.{number.name}" if owner else number.name
    value = "not computed" if number.value is None else number_text(number.value)
    gradient = "not computed" if number.gradient is None else number_text(number.gradient)
    return {"href": f"#{name}", "title": f"{name} = {value}, gradient {gradient}"}
