"""A function and its derivative as a chart, an SVG document of its own: axes, two curves, kinks, points."""

import html
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograd_mini.number import number_text
from viz.colors import Theme

__all__ = ["Curve", "Kink", "Point", "curve_chart"]

_WIDTH, _HEIGHT = 840, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 350, 94, 46
_LISTED = 15
_LANES = 3


@dataclass(frozen=True, slots=True)
class Point:
    """Where something stands on the curve: its name, its place, the function there and its derivative."""

    name: str
    x: float
    y: float
    slope: float


@dataclass(frozen=True, slots=True)
class Kink:
    """Where the slopes on either side differ, what they are, and which derivative is taken there."""

    x: float
    y: float
    left: float
    right: float
    taken: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A function to draw.

    Attributes:
        name: of the function.
        samples: points along it, from left to right.
        kinks: its kinks, in the same order.
        points: what stands on it, from left to right.
    """

    name: str
    samples: tuple[Point, ...]
    kinks: tuple[Kink, ...]
    points: tuple[Point, ...]


def curve_chart(curve: Curve, theme: Theme) -> str:
    """Draw a function, solid, its derivative, dashed, and numbered points on both, which a list explains.

    Example:
        >>> from viz.colors import THEMES
        >>> line = tuple(Point("", x, x, 1.0) for x in (-1.0, 0.0, 1.0))
        >>> "<path" in curve_chart(Curve("linear", line, (), ()), THEMES["light"])
        True
    """
    frame = _Frame(curve)
    parts = [
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="{theme.background}"/>',
        _text(_LEFT, 24, f"{curve.name} and its derivative", theme.text, size=15, weight="bold"),
        *_axes(frame, theme),
        *_curves(curve, frame, theme),
        *_kinks(curve, frame, theme),
        *_points(curve, frame, theme),
        *_list(curve, theme),
    ]
    label = html.escape(f"{curve.name} and its derivative from {frame.left:g} to {frame.right:g}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="Verdana, DejaVu Sans, sans-serif">{"".join(parts)}</svg>'
    )


class _Frame:
    """Where numbers are on the page."""

    def __init__(self, curve: Curve) -> None:
        ys = [y for s in curve.samples for y in (s.y, s.slope) if math.isfinite(y)] or [0.0]
        self.left, self.right = curve.samples[0].x, curve.samples[-1].x
        low, high = min(0.0, *ys), max(0.0, *ys)
        room = 0.05 * (high - low) or 1.0
        self.low, self.high = low - room, high + room
        self._per_x = (_WIDTH - _LEFT - _RIGHT) / (self.right - self.left)
        self._per_y = (_HEIGHT - _TOP - _BOTTOM) / (self.high - self.low)

    def x(self, number: float) -> float:
        return _LEFT + (number - self.left) * self._per_x

    def y(self, number: float) -> float:
        return _HEIGHT - _BOTTOM - (number - self.low) * self._per_y


def _axes(frame: _Frame, theme: Theme) -> Iterator[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for tick in _ticks(frame.low, frame.high, 6):
        y = frame.y(tick)
        yield _line(_LEFT, y, right, y, theme.line, 1.2 if tick == 0.0 else 0.35)
        yield _text(_LEFT - 7, y + 4, number_text(tick), theme.text, anchor="end")
    for tick in _ticks(frame.left, frame.right, 8):
        x = frame.x(tick)
        yield _line(x, _TOP, x, bottom, theme.line, 1.2 if tick == 0.0 else 0.35)
        yield _text(x, bottom + 17, number_text(tick), theme.text, anchor="middle")
    yield _text((_LEFT + right) / 2, _HEIGHT - 8, "z", theme.text, anchor="middle")


def _curves(curve: Curve, frame: _Frame, theme: Theme) -> Iterator[str]:
    """The function in one go; the derivative in pieces between its jumps."""
    whole = [(frame.x(s.x), frame.y(s.y)) for s in curve.samples if math.isfinite(s.y)]
    yield _path(whole, theme.above, "")
    ends = [-math.inf, *(kink.x for kink in curve.kinks), math.inf]
    for i, (start, end) in enumerate(itertools.pairwise(ends)):
        piece = [(s.x, s.slope) for s in curve.samples if start < s.x < end and math.isfinite(s.slope)]
        before = [(start, curve.kinks[i - 1].right)] if i else []
        after = [(end, curve.kinks[i].left)] if i < len(curve.kinks) else []
        yield _path([(frame.x(x), frame.y(y)) for x, y in (*before, *piece, *after)], theme.below, "7 4")
    for x, color, dash, name in ((_LEFT, theme.above, "", curve.name), (_LEFT + 190, theme.below, "7 4", "derivative")):
        yield _path([(x, 42), (x + 30, 42)], color, dash)
        yield _text(x + 36, 46, _cut(name, 20), theme.text)


def _kinks(curve: Curve, frame: _Frame, theme: Theme) -> Iterator[str]:
    for kink in curve.kinks:
        x = frame.x(kink.x)
        yield f'<rect x="{x - 5:.1f}" y="{frame.y(kink.y) - 5:.1f}" width="10" height="10" fill="none" ' + _stroke(
            theme.text, 1.6
        )
        for slope in (kink.left, kink.right):
            yield _circle(x, frame.y(slope), 4, theme.background, theme.below)
        yield _circle(x, frame.y(kink.taken), 4, theme.below, theme.below)


def _points(curve: Curve, frame: _Frame, theme: Theme) -> Iterator[str]:
    """A dot on each curve, and above them its number; points are numbered from the left, so few may go without."""
    ends = [-math.inf] * _LANES
    for i, point in enumerate(curve.points, 1):
        x = frame.x(point.x)
        lane = next((n for n, end in enumerate(ends) if x - end > 18), None)
        top = _TOP - 4 - 12 * (lane or 0)
        yield _line(x, top, x, max(frame.y(point.y), frame.y(point.slope)), theme.faint, 0.8)
        yield _circle(x, frame.y(point.y), 4.5, theme.above, theme.background)
        yield _circle(x, frame.y(point.slope), 3.5, theme.below, theme.background)
        if lane is not None:
            ends[lane] = x
            yield _text(x, top - 2, str(i), theme.text, anchor="middle", size=11)


def _list(curve: Curve, theme: Theme) -> Iterator[str]:
    x, y = _WIDTH - _RIGHT + 22, _TOP
    lines = []
    for kink in curve.kinks:
        slopes = f"{number_text(kink.left, 3)} | {number_text(kink.right, 3)}"
        lines += [f"□ kink at {number_text(kink.x, 3)}: slopes {slopes}, taken {number_text(kink.taken, 3)}"]
    for i, point in enumerate(curve.points[:_LISTED], 1):
        numbers = f"{number_text(point.x, 3)} → {number_text(point.y, 3)}, slope {number_text(point.slope, 3)}"
        lines.append(f"{i}  {_cut(point.name, 16)}: {numbers}" if point.name else f"{i}:  {numbers}")
    if len(curve.points) > _LISTED:
        lines.append(f"… {len(curve.points) - _LISTED:,} more points")
    for i, line in enumerate(lines):
        yield _text(x, y + 4 + 17 * i, line, theme.text, size=11)


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers from `low` to `high`, about `count` of them."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= rough)
    return [round(i * step, 12) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _path(points: Sequence[tuple[float, float]], color: str, dash: str) -> str:
    steps = " L".join(f"{x:.2f},{y:.2f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="M{steps}" fill="none" stroke-linejoin="round"{dashes} {_stroke(color, 2.2)}' if points else ""


def _line(x1: float, y1: float, x2: float, y2: float, color: str, width: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {_stroke(color, width)}'


def _circle(x: float, y: float, radius: float, fill: str, edge: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" {_stroke(edge, 1.4)}'


def _stroke(color: str, width: float) -> str:
    return f'stroke="{color}" stroke-width="{width}"/>'


def _text(
    x: float, y: float, text: str, color: str, *, anchor: str = "start", size: float = 12, weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size:g}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{html.escape(text)}</text>'
    )
