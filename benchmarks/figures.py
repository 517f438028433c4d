"""A figure of the report: a median of ratios, its spread and its target."""

import math
from collections.abc import Iterable
from statistics import quantiles
from typing import NamedTuple

__all__ = ["Figure", "figure"]


class Figure(NamedTuple):
    """A median between its quartiles; `met` is None where there is no target."""

    benchmark: str
    measured: str
    median: float
    low: float
    high: float
    target: str
    met: bool | None

    def __str__(self) -> str:
        spread = f"({short(self.low)} to {short(self.high)})" if self.low < self.high else ""
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        measured = f"{self.benchmark:14}{self.measured:76}{short(self.median):>6} {spread:20}"
        return f"{measured} {self.target:11}{verdict}".rstrip()


def short(number: float) -> str:
    return f"{number:,.3g}" if abs(number) < 1000 else f"{number:,.0f}"


def figure(
    benchmark: str, measured: str, pairs: Iterable[tuple[float, float]], least: float = 0.0, most: float = math.inf
) -> Figure:
    """Take a ratio per pair, so that what slows a whole round drops out; `least` and `most` bound their median."""
    ratios = [a / b for a, b in pairs]
    low, median, high = quantiles(ratios if len(ratios) > 1 else ratios * 2, method="inclusive")
    bounds = [f"≥ {least:g}"] * (least > 0.0) + [f"≤ {most:g}"] * (most < math.inf)
    return Figure(
        benchmark, measured, median, low, high, ", ".join(bounds), least <= median <= most if bounds else None
    )
