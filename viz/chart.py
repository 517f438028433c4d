"""A small line chart as SVG text, for pages that must open without any library."""

import html
import itertools
import math
from collections.abc import Mapping, Sequence

__all__ = ["line_chart"]

_WIDTH, _HEIGHT = 480, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 120, 34, 40


def line_chart(title: str, series: Mapping[str, Sequence[float]], *, percent: bool = False) -> str:
    """Draw one line per series over the epochs 1, 2, 3, …

    Colours come from the page: lines have the classes ``line0``, ``line1``, …, text and grid ``text`` and ``grid``.

    Args:
        title: above the chart.
        series: name → one number per epoch, each series equally long.
        percent: write the vertical axis in percent, from 0 to 100 %.

    Returns:
        An ``<svg>`` element.

    Example:
        >>> "<polyline" in line_chart("loss", {"train": [2.0, 1.0]})
        True
    """
    epochs = len(next(iter(series.values())))
    top = 1.0 if percent else _round_up(max(max(numbers) for numbers in series.values()))
    x_scale = (_WIDTH - _LEFT - _RIGHT) / max(epochs - 1, 1)
    y_scale = (_HEIGHT - _TOP - _BOTTOM) / top

    def x(epoch: int) -> float:
        return _LEFT + (epoch - 1) * x_scale

    def y(number: float) -> float:
        return _HEIGHT - _BOTTOM - number * y_scale

    parts = [_text(_LEFT, _TOP - 14, title, "title")]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        height = y(tick * top)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height:.1f}" y2="{height:.1f}"/>')
        parts.append(_text(_LEFT - 6, height + 4, f"{tick:.0%}" if percent else f"{tick * top:.3g}", "text", "end"))
    for epoch in sorted({1, (1 + epochs) // 2, epochs}):
        parts.append(_text(x(epoch), _HEIGHT - _BOTTOM + 18, str(epoch), "text", "middle"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, "epoch", "text", "middle"))
    heights = _spread([y(numbers[-1]) for numbers in series.values()])
    for i, ((name, numbers), height) in enumerate(zip(series.items(), heights, strict=True)):
        points = " ".join(f"{x(epoch):.1f},{y(number):.1f}" for epoch, number in enumerate(numbers, 1))
        dot = f'<circle class="dot{i}" cx="{x(epochs):.1f}" cy="{y(numbers[-1]):.1f}" r="3"/>'
        last = f"{numbers[-1]:.1%}" if percent else f"{numbers[-1]:.3g}"
        parts += [f'<polyline class="line{i}" points="{points}"/>', dot]
        parts.append(_text(x(epochs) + 8, height + 4, f"{name} {last}", f"label{i}"))
    label = html.escape(f"{title} over {epochs} epochs")
    return f'<svg class="chart" role="img" aria-label="{label}" viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(parts)}</svg>'


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _round_up(number: float) -> float:
    """The next 1, 2, 2.5, 5 or 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(number)) if number > 0 else 1.0
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= number or step == 10)


def _spread(heights: Sequence[float], gap: float = 15.0) -> list[float]:
    """Move labels apart that would lie on one another."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    result = list(heights)
    for upper, lower in itertools.pairwise(order):
        result[lower] = max(result[lower], result[upper] + gap)
    return result
