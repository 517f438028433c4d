"""Where plots are drawn: matplotlib, looked for when it is needed, and the Axes of the caller or new ones."""

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_mini.printing import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLORS", "MARKERS", "axes_for", "ink", "legend_above", "matplotlib_part", "one_axes_for", "plain", "tidy"]

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#7f7f7f")
"""Colours that colour-blind readers tell apart: Okabe & Ito 2008, Color Universal Design, https://jfly.uni-koeln.de/color;
with grey in the place of black, which a dark page would swallow."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "p", "h")
"""The shapes of points, so that no class is told by colour alone."""


def matplotlib_part(name: str) -> Any:
    """Import a module of matplotlib.

    Args:
        name: the module, such as ``"pyplot"``.

    Raises:
        ImportError: if matplotlib is not installed, saying how to get it.
    """
    try:
        return importlib.import_module(f"matplotlib.{name}")
    except ImportError as error:
        remedy = "pip install autograd_mini[plots], or pip install matplotlib"
        raise ImportError(f"plots are drawn by matplotlib, which does not import ({error}): {remedy}") from error


def axes_for(ax: Any, names: list[str], *, width: float, height: float, columns: int) -> "list[Axes]":
    """Check the Axes given, one for each name; or make a figure of so many panels, each `width` by `height` inches.

    Raises:
        TypeError: for what is not Axes.
        ValueError: for fewer or more Axes than names.
        ImportError: if matplotlib is not installed.
    """
    pyplot = matplotlib_part("pyplot")
    if ax is None:
        rows = -(-len(names) // columns)
        size = (width * columns, height * rows)
        figure, grid = pyplot.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
        axes: list[Axes] = grid.ravel().tolist()
        for unused in axes[len(names) :]:
            figure.delaxes(unused)
        return axes[: len(names)]
    given: list[Any] = np.ravel(np.asarray(ax, dtype=object)).tolist()
    if not all(isinstance(one, matplotlib_part("axes").Axes) for one in given):
        raise TypeError(f"ax is Axes of matplotlib, as plt.subplots() makes them, got {ax!r:.60}")
    if len(given) != len(names):
        shown = printable(", ".join(names), 60)
        need = f"{len(names)} Axes, one each for {shown}" if len(names) > 1 else f"1 Axes, for {shown}"
        raise ValueError(f"ax needs {need}; got {len(given)}: plt.subplots(1, {len(names)})[1] makes as many")
    return given


def one_axes_for(ax: Any, name: str, *, width: float, height: float) -> "Axes":
    """Check the Axes given, or make a figure with one."""
    return axes_for(ax, [name], width=width, height=height, columns=1)[0]


def ink() -> Any:
    """The colour of text in the style that is in use: dark on a light page, light on a dark one."""
    return matplotlib_part("pyplot").rcParams["text.color"]


def plain(text: str, longest: int = 40) -> str:
    r"""Write foreign text so that matplotlib takes nothing in it for mathematics, and lists it in a legend.

    Example:
        >>> plain("$x$"), plain("_hidden")
        ('\\$x\\$', ' _hidden')
    """
    shown = printable(text, longest).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def legend_above(ax: Any, *, columns: int) -> None:
    """Set the legend above the frame, where it covers nothing that is drawn."""
    place = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.2}
    ax.legend(frameon=False, ncols=columns, fontsize="small", columnspacing=1.2, **place)


def tidy(ax: Any, *, grid: str | None = "y") -> None:
    """Leave out the lines of the frame that measure nothing, and draw a grid that stays in the background."""
    ax.spines[["top", "right"]].set_visible(False)
    if grid is not None:
        ax.grid(axis=grid, alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
