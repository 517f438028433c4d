"""``Canvas``: a page in the DOT language on which everything has its fixed place.

Graphviz's engine ``nop2`` draws nodes and edges where they say that they are: https://graphviz.org/docs/layouts/nop2/
"""

import itertools
from collections.abc import Sequence

import graphviz

from viz.colors import Theme
from viz.markup import cell, font, html_text, row, table, tooltip_text

__all__ = ["Canvas", "Place", "smooth", "straight"]

Place = tuple[float, float]

_INCH = 72.0


class Canvas:
    """An empty page; places are in points from its lower left corner, as everywhere in Graphviz.

    Args:
        width, height: of the page, in points.
        theme: its colours.

    Example:
        >>> from viz.colors import THEMES
        >>> canvas = Canvas(72, 36, THEMES["light"])
        >>> canvas.line(straight([(0.0, 18.0), (72.0, 18.0)]), "#000000")
        >>> '-- page [color="#000000" penwidth=1 pos="0,18 24,18 48,18 72,18"' in canvas.source
        True
    """

    def __init__(self, width: float, height: float, theme: Theme) -> None:
        self._theme = theme
        self._count = 0
        self._graph = graphviz.Graph(
            graph_attr={"layout": "nop2", "bb": f"0,0,{width:g},{height:g}", "notranslate": "true", "pad": "0",
                        "bgcolor": theme.background, "outputorder": "edgesfirst"},
            node_attr={"shape": "plain", "fontname": "Verdana", "label": "", "tooltip": " "},
            edge_attr={"tooltip": " "},
        )  # fmt: skip
        middle = (width / 2, height / 2)
        self._graph.node("page", shape="box", style="invis", pos=_written(middle), **_sized(width, height))

    @property
    def source(self) -> str:
        """The page in the DOT language."""
        return str(self._graph.source)

    def line(self, path: Sequence[Place], color: str, *, width: float = 1.0, style: str = "solid") -> None:
        """Draw a line.

        Args:
            path: the control points of a B-spline, as ``straight`` and ``smooth`` give them; nothing is drawn if empty.
            color: of the line.
            width: of the line.
            style: ``"solid"``, ``"dashed"`` or ``"dotted"``.
        """
        if path:
            pos = " ".join(map(_written, path))
            look = {"color": color, "penwidth": f"{width:g}", "style": style}
            self._graph.edge("page", "page", pos=pos, **look)  # between whatever: a line is where it says

    def mark(
        self, at: Place, size: float, edge: str, *, fill: str | None = None, shape: str = "circle", hint: str = ""
    ) -> None:
        """Draw a small shape about a place, empty without `fill`; pointing at it tells the `hint`."""
        filling = {"style": "filled", "fillcolor": fill} if fill else {}
        look = {"shape": shape, "color": edge, "penwidth": "1.2", "tooltip": tooltip_text(hint) or " "}
        self._node(at, **look, **filling, **_sized(size, size))

    def text(
        self, at: Place, text: str, *, size: float = 9.0, align: str = "left", room: float = 300.0, bold: bool = False
    ) -> None:
        """Write a line of text at a place: it begins there, ends there (``"right"``), or has its middle there.

        It must not be longer than the `room` it has, and that must be on the page, which grows otherwise.
        """
        shift = {"left": room / 2, "center": 0.0, "right": -room / 2}[align]
        content = font(html_text(text, 120), size, self._theme.text, bold=bold)
        self.table((at[0] + shift, at[1]), content, (room, 1.5 * size), align=align, valign="middle")

    def table(
        self, middle: Place, content: str, size: tuple[float, float], *, align: str = "left", valign: str = "top"
    ) -> None:
        """Set an HTML-like text or table within an area, which it must not be larger than."""
        area = cell(content, width=size[0], height=size[1], align=align, valign=valign)
        self._node(middle, label=f"<{table(row(area), cellpadding=0)}>")

    def _node(self, at: Place, **attributes: str) -> None:
        self._count += 1
        self._graph.node(f"n{self._count}", pos=_written(at), **attributes)


def straight(points: Sequence[Place]) -> list[Place]:
    """Join points by straight lines; the control points of one that bends nowhere lie at its thirds.

    Example:
        >>> straight([(0.0, 0.0), (3.0, 6.0)])
        [(0.0, 0.0), (1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]
    """
    path = list(points[:1])
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        third = ((to_x - x) / 3.0, (to_y - y) / 3.0)
        path += [(x + third[0], y + third[1]), (to_x - third[0], to_y - third[1]), (to_x, to_y)]
    return path if len(path) > 1 else []


def smooth(points: Sequence[Place]) -> list[Place]:
    """Join points, from left to right, by a smooth line that nowhere leaves the band between two neighbours.

    The slope at a point is the harmonic mean of those to its neighbours, 0 if they have different signs: F. N. Fritsch
    and J. Butland, A Method for Constructing Local Monotone Piecewise Cubic Interpolants, 1984,
    https://doi.org/10.1137/0905021.
    """
    secants = [(to_y - y) / (to_x - x) for (x, y), (to_x, to_y) in itertools.pairwise(points)]
    means = [2.0 * a * b / (a + b) if a * b > 0.0 else 0.0 for a, b in itertools.pairwise(secants)]
    slopes = [*secants[:1], *means, *secants[-1:]]
    path = list(points[:1])
    for i, ((x, y), (to_x, to_y)) in enumerate(itertools.pairwise(points)):
        third = (to_x - x) / 3.0
        path += [(x + third, y + slopes[i] * third), (to_x - third, to_y - slopes[i + 1] * third), (to_x, to_y)]
    return path if len(path) > 1 else []


def _sized(width: float, height: float) -> dict[str, str]:
    return {"fixedsize": "true", "width": f"{width / _INCH:.4f}", "height": f"{height / _INCH:.4f}"}


def _written(place: Place) -> str:
    return ",".join(format(round(x, 2) + 0.0, "g") for x in place)
