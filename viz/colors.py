"""Colours that carry numbers, the ink that stays legible on them, and the two themes.

Colours are ``#rrggbb`` texts. No picture says anything by colour alone: the number or a word stands beside it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "CLASS_COLORS",
    "NOT_A_NUMBER",
    "RED_BLUE",
    "THEMES",
    "Theme",
    "contrast",
    "diverging",
    "grey",
    "ink",
    "theme_named",
]

RED_BLUE = (
    "#67001f", "#b2182b", "#d6604d", "#f4a582", "#fddbc7", "#f7f7f7", "#d1e5f0", "#92c5de", "#4393c3", "#2166ac",
    "#053061",
)  # fmt: skip
"""ColorBrewer's 11-class RdBu, safe for colour-blind readers: Cynthia Brewer, https://colorbrewer2.org, Apache 2.0."""

NOT_A_NUMBER = "#ffd92f"
"""The colour of nan: a yellow that is on neither scale."""

CLASS_COLORS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#871eff", "#875a5a", "#c31e96", "#7887ff", "#d2002d", "#ff4b69",
)  # fmt: skip
"""The colours of classes 0 to 9, on every theme's background. The first four are those of Okabe & Ito 2008, Color
Universal Design, https://jfly.uni-koeln.de/color; the others are as far from them and from each other as ten such
colours can be, for colour-blind readers too."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture.

    Attributes:
        background, card, line: of the page, the cards and the lines.
        text, faint: of text, and of less important text.
        above, below: of lines that carry a number above 0, or below.
        roles: a head for each role of a node.
    """

    background: str
    card: str
    line: str
    text: str
    faint: str
    above: str
    below: str
    roles: Mapping[str, str]


THEMES: Mapping[str, Theme] = MappingProxyType({
    "light": Theme(
        background="#ffffff", card="#ffffff", line="#5b6470", text="#16191d", faint="#59616b",
        above="#2166ac", below="#b2182b",
        roles={"input": "#c9e7cb", "parameter": "#fbe0a3", "constant": "#e8eaed", "operation": "#d3e1f5",
               "output": "#2b4c7e", "wrong": "#b2182b", "here": "#b35806"},
    ),
    "dark": Theme(
        background="#14171b", card="#20252b", line="#8d98a5", text="#f1f3f5", faint="#b4bdc7",
        above="#92c5de", below="#f4a582",
        roles={"input": "#2f6b3c", "parameter": "#7a5a10", "constant": "#3a4049", "operation": "#34507a",
               "output": "#a9c8f5", "wrong": "#f4a582", "here": "#fdb863"},
    ),
})  # fmt: skip
"""Every theme by its name."""


def theme_named(name: str) -> Theme:
    """Look up a theme.

    Raises:
        ValueError: for a name that is not in ``THEMES``.
    """
    if name not in THEMES:
        raise ValueError(f"unknown theme {name!r}; the themes are {', '.join(map(repr, THEMES))}")
    return THEMES[name]


def diverging(x: float, largest: float) -> str:
    """Colour a number on the red-blue scale: red below 0, near-white at 0, blue above.

    Args:
        x: the number.
        largest: the size at which the scale ends on both sides; beyond it the end colour is used.

    Returns:
        A colour interpolated between the 11 classes.

    Example:
        >>> diverging(-1.0, 1.0), diverging(0.0, 1.0), diverging(0.4, 1.0)
        ('#67001f', '#f7f7f7', '#92c5de')
    """
    if math.isnan(x):
        return NOT_A_NUMBER
    share = 0.0 if x == 0.0 else math.copysign(1.0, x) if abs(x) >= largest else x / largest
    position = (share + 1.0) / 2.0 * (len(RED_BLUE) - 1)
    below = min(int(position), len(RED_BLUE) - 2)
    return _mix(RED_BLUE[below], RED_BLUE[below + 1], position - below)


def grey(x: float, low: float, high: float) -> str:
    """Colour a pixel: white paper at `low`, black ink at `high`.

    Example:
        >>> grey(0.0, 0.0, 1.0), grey(1.0, 0.0, 1.0)
        ('#ffffff', '#000000')
    """
    if math.isnan(x):
        return NOT_A_NUMBER
    if not math.isfinite(x):
        share = float(x > 0.0)
    else:
        share = min(max((x - low) / (high - low), 0.0), 1.0) if high > low else 0.0
    return _mix("#ffffff", "#000000", share)


def ink(background: str) -> str:
    """Choose black or white text, whichever has the larger contrast; it is never below 4.58.

    Example:
        >>> ink("#053061"), ink("#f7f7f7")
        ('#ffffff', '#000000')
    """
    return max("#000000", "#ffffff", key=lambda text: contrast(text, background))


def contrast(a: str, b: str) -> float:
    """The contrast ratio of two colours, from 1 to 21; text needs 4.5 (WCAG 2.2, success criterion 1.4.3, level AA).

    Example:
        >>> round(contrast("#000000", "#ffffff"), 6)
        21.0
    """
    darker, lighter = sorted((_luminance(a), _luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, from sRGB."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255.0 for v in _rgb(color))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _mix(a: str, b: str, share: float) -> str:
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in zip(_rgb(a), _rgb(b), strict=True))
