"""A function and its derivative as a chart: axes, two curves, kinks, points and the list that explains them."""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from autograd_mini.number import number_text
from viz.canvas import Canvas, Place, smooth, straight
from viz.colors import Theme
from viz.markup import cell, clean, font, html_text, row, table

__all__ = ["Curve", "Kink", "Point", "curve_chart"]

_PLOT = (420.0, 260.0)
_LEFT, _BOTTOM, _TOP, _GAP = 56.0, 42.0, 78.0, 18.0
_ROW, _ROWS, _KINKS_LISTED = 14.5, 21, 3  # of the list: as much as the page is high
_APART = 15.0  # numbers of points
_DRAWABLE = 1e100  # a number beyond has no place on a chart beside others


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

    Returns:
        The chart in the DOT language.

    Example:
        >>> from viz.colors import THEMES
        >>> line = tuple(Point("", x, x, 1.0) for x in (-1.0, 0.0, 1.0))
        >>> "linear and its derivative" in curve_chart(Curve("linear", line, (), ()), THEMES["light"])
        True
    """
    frame = _Frame(curve)
    canvas = Canvas(frame.right + _GAP + sum(_widths(curve)) + 12.0, frame.top + _TOP, theme)
    canvas.text((_LEFT, frame.top + _TOP - 18.0), f"{curve.name} and its derivative", size=13, bold=True, room=400.0)
    _legend(canvas, curve.name, frame, theme)
    _axes(canvas, frame, theme)
    _curves(canvas, curve, frame, theme)
    _kinks(canvas, curve, frame, theme)
    _points(canvas, curve, frame, theme)
    if curve.kinks or curve.points:
        _list(canvas, curve, frame, theme)
    return canvas.source


class _Frame:
    """Where numbers are on the page."""

    def __init__(self, curve: Curve) -> None:
        ys = [y for s in curve.samples for y in _heights(s) if not math.isnan(y)] or [0.0]
        self.lowest, self.highest = curve.samples[0].x, curve.samples[-1].x
        low, high = min(0.0, *ys), max(0.0, *ys)
        room = 0.05 * (high - low) or 1.0
        self.low, self.high = low - room, high + room
        self.left, self.right, self.bottom, self.top = _LEFT, _LEFT + _PLOT[0], _BOTTOM, _BOTTOM + _PLOT[1]

    def x(self, number: float) -> float:
        return self.left + (number - self.lowest) / (self.highest - self.lowest) * _PLOT[0]

    def y(self, number: float) -> float:
        return self.bottom + (number - self.low) / (self.high - self.low) * _PLOT[1]

    def place(self, x: float, y: float) -> Place:
        return self.x(x), self.y(y)


def _heights(point: Point) -> tuple[float, float]:
    """How high a point and its slope lie; nan for what is nowhere on a chart: where there is no function, no slope."""
    y = point.y if abs(point.y) < _DRAWABLE else math.nan
    return y, point.slope if y == y and abs(point.slope) < _DRAWABLE else math.nan


def _legend(canvas: Canvas, name: str, frame: _Frame, theme: Theme) -> None:
    y = frame.top + _TOP - 40.0
    for x, color, style, words in (
        (frame.left, theme.above, "solid", clean(name, 24)), (frame.left + 210.0, theme.below, "dashed", "derivative")
    ):  # fmt: skip
        canvas.line(straight([(x, y), (x + 28.0, y)]), color, width=2.0, style=style)
        canvas.text((x + 34.0, y), words, room=170.0)


def _axes(canvas: Canvas, frame: _Frame, theme: Theme) -> None:
    for tick in _ticks(frame.low, frame.high, 6):
        y = frame.y(tick)
        canvas.line(straight([(frame.left, y), (frame.right, y)]), theme.line, width=1.2 if tick == 0.0 else 0.3)
        canvas.text((frame.left - 6.0, y), number_text(tick), align="right", room=_LEFT - 6.0)
    for tick in _ticks(frame.lowest, frame.highest, 8):
        x = frame.x(tick)
        canvas.line(straight([(x, frame.bottom), (x, frame.top)]), theme.line, width=1.2 if tick == 0.0 else 0.3)
        canvas.text((x, frame.bottom - 9.0), number_text(tick), align="center", room=60.0)
    canvas.text(((frame.left + frame.right) / 2, 14.0), "z", align="center", room=60.0)


def _curves(canvas: Canvas, curve: Curve, frame: _Frame, theme: Theme) -> None:
    """Draw both curves in pieces, from kink to kink and without what has no place on the chart."""
    ends = [None, *curve.kinks, None]
    near = 1e-6 * (frame.highest - frame.lowest)  # a kink is found to some digits, and may be a sample too
    for start, end in itertools.pairwise(ends):
        low, high = start.x if start else -math.inf, end.x if end else math.inf
        inside = [s for s in curve.samples if low + near < s.x < high - near]
        first = [Point("", low, start.y, start.right)] if start else []
        last = [Point("", high, end.y, end.left)] if end else []
        piece = [(s.x, *_heights(s)) for s in (*first, *inside, *last)]
        for run in _runs((x, y) for x, y, _ in piece):
            canvas.line(smooth([frame.place(*place) for place in run]), theme.above, width=2.0)
        for run in _runs((x, slope) for x, _, slope in piece):
            canvas.line(smooth([frame.place(*place) for place in run]), theme.below, width=2.0, style="dashed")


def _runs(places: Iterable[Place]) -> Iterator[list[Place]]:
    """Yield what lies side by side, and has a height."""
    for is_gap, run in itertools.groupby(places, key=lambda place: math.isnan(place[1])):
        if not is_gap:
            yield list(run)


def _kinks(canvas: Canvas, curve: Curve, frame: _Frame, theme: Theme) -> None:
    for kink in curve.kinks:
        hint = f"kink at {number_text(kink.x)}"
        canvas.mark(frame.place(kink.x, kink.y), 13.0, theme.text, shape="square", hint=hint)
        for slope in (kink.left, kink.right):
            canvas.mark(frame.place(kink.x, slope), 7.0, theme.below, fill=theme.background, hint=hint)
        canvas.mark(frame.place(kink.x, kink.taken), 7.0, theme.below, fill=theme.below, hint=f"{hint}: taken")


def _points(canvas: Canvas, curve: Curve, frame: _Frame, theme: Theme) -> None:
    """A dot on each curve and a line up; the numbers of those that are listed stand in a row, where there is room."""
    xs = [frame.x(point.x) for point in curve.points]
    numbers = _spread(xs[: _listed(curve)], frame.left, frame.right)
    for i, (x, point) in enumerate(zip(xs, curve.points, strict=True)):
        heights = [y for y in _heights(point) if not math.isnan(y)]
        line = [(x, frame.y(min(heights, default=0.0))), (x, frame.top + 3.0)]
        if i < len(numbers):
            line.append((numbers[i], frame.top + 14.0))
            canvas.text((numbers[i], frame.top + 19.0), str(i + 1), align="center", size=8.0, room=24.0)
        canvas.line(straight(line), theme.faint, width=0.8)
        for y, size, color in zip(heights, (11.0, 6.5), (theme.above, theme.below), strict=False):  # both, if they meet
            canvas.mark((x, frame.y(y)), size, theme.background, fill=color, hint=f"point {i + 1}")


def _spread(xs: list[float], left: float, right: float) -> list[float]:
    """Move places apart, in their order, each as far to the right as to the left where they are too close."""
    last, up, down = len(xs) - 1, list(xs), list(xs)
    for i in range(1, len(xs)):
        up[i] = max(xs[i], up[i - 1] + _APART)
        down[last - i] = min(xs[last - i], down[last - i + 1] - _APART)
    middles = [(a + b) / 2.0 for a, b in zip(up, down, strict=True)]
    return [min(max(x, left + _APART * i), right - _APART * (last - i)) for i, x in enumerate(middles)]


def _listed(curve: Curve) -> int:
    """How many points have a place on the list, from the left; the last place says how many have not."""
    kinks = min(len(curve.kinks), _KINKS_LISTED)
    places = _ROWS - 1 - 2 * kinks - (len(curve.kinks) > kinks)
    return len(curve.points) if len(curve.points) <= places else places - 1


def _list(canvas: Canvas, curve: Curve, frame: _Frame, theme: Theme) -> None:
    """Set what stands on the curve in columns, and what the slopes on either side of each kink are."""
    widths = _widths(curve)

    def line(*texts: str, bold: bool = False) -> str:
        fonts = [font(html_text(text, 20), 9, theme.text, bold=bold) for text in texts]
        each = zip(fonts, widths, ("left", "left", "right", "right", "right"), strict=True)
        return row(*(cell(text, width=width, height=_ROW, align=side) for text, width, side in each))

    def note(text: str) -> str:
        return row(cell(""), cell(font(html_text(text, 80), 9, theme.text), height=_ROW, align="left", colspan=4))

    rows = [line("", "", "z", clean(curve.name, 10), "derivative", bold=True)]
    for kink in curve.kinks[:_KINKS_LISTED]:
        rows.append(line("□", "kink", *(number_text(x, 3) for x in (kink.x, kink.y, kink.taken))))
        rows.append(note(f"○ slope left {number_text(kink.left, 3)}, right {number_text(kink.right, 3)}"))
    rows += [note(f"… {more:,} more kinks") for more in (len(curve.kinks) - _KINKS_LISTED,) if more > 0]
    listed = _listed(curve)
    for i, point in enumerate(curve.points[:listed], 1):
        numbers = (number_text(x, 3) for x in (point.x, point.y, point.slope))
        rows.append(line(str(i), clean(point.name, 16), *numbers))
    rows += [note(f"… {more:,} more points") for more in (len(curve.points) - listed,) if more > 0]
    size = (sum(widths), _ROW * len(rows))
    canvas.table((frame.right + _GAP + size[0] / 2, frame.top + 14.0 - size[1] / 2), table(*rows, cellpadding=0), size)


def _widths(curve: Curve) -> tuple[float, ...]:
    """How wide the columns of the list are; none without a list."""
    if not curve.kinks and not curve.points:
        return ()
    names = 106.0 if any(point.name for point in curve.points) else 36.0
    return (22.0, names, 62.0, 70.0, 70.0)


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers from `low` to `high`, about `count` of them."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= 0.8 * rough)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
