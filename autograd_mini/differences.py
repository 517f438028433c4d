"""Finite differences that know how far to trust themselves: the numeric side of every gradient check.

Central differences at a ladder of steps, each half the one above, extrapolated to step 0 (Richardson 1911, in the
tableau of Neville; Ridders 1982 picks its best entry). The step is thereby chosen for each input. Rungs that straddle a
kink or leave the domain are left out, and an entry that the smaller steps contradict is not believed.
"""

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["AGREES", "DIFFERS", "KINK", "TOO_STEEP", "Estimate", "Probe", "estimate", "judge", "verdict"]

AGREES, DIFFERS, KINK, TOO_STEEP = "agrees", "differs", "kink here", "too steep to tell"

Probe = Callable[[float], tuple[float, Any]]
"""A function of one number to differentiate; beside its value it tells on which branch it was, as anything with ==."""

_EPSILON = 2.0**-52
_RUNGS = 30
_FAR = 12  # rungs further down, where a converged estimate is looked at once more
_WIDEST = 0.09  # not commensurate with the periods people write, so that no sine is sampled at its zeros alone


class Estimate(NamedTuple):
    """A derivative by differences.

    Attributes:
        derivative: the estimate; nan where there is none.
        error: how far it may be off.
        widest: the largest slope on either side that was seen on the way.
        left, right: the slopes on either side, as far as the smallest step tells.
        kink: whether the two slopes differ beyond doubt, or no step is small enough to stay on one branch.
        crossed: whether the branches differ, but not the slopes.
    """

    derivative: float
    error: float
    widest: float = 0.0
    left: float = math.nan
    right: float = math.nan
    kink: bool = False
    crossed: bool = False

    def is_near(self, other: "Estimate") -> bool:
        """Whether neither of two estimates contradicts the other; a kink contradicts nothing."""
        return self.kink or abs(self.derivative - other.derivative) <= 10.0 * (self.error + other.error)


def estimate(probe: Probe, x: float, noise: float, enough: float = 1e-12) -> Estimate:
    """Differentiate a function at `x`.

    Args:
        probe: the function.
        x: where, a finite number.
        noise: the size of the rounding errors in the function's value.
        enough: the relative error to be content with.

    Returns:
        An Estimate; its derivative is nan and its error inf if the function is finite at no pair of points.

    Example:
        >>> found = estimate(lambda x: (x * x, None), 3.0, 1e-15)
        >>> abs(found.derivative - 6.0) < 1e-12
        True
    """
    found = _best(probe, x, noise, enough)
    if not found.kink:
        return found
    # The branches differ, but the function may be smooth across: x·|x| is, and a kink that where() does not choose.
    across = _best(lambda at: (probe(at)[0], None), x, noise, enough)
    is_smooth = not across.kink and across.error <= 1e-6 * across.widest
    return across._replace(crossed=True) if is_smooth else found


def _best(probe: Probe, x: float, noise: float, enough: float) -> Estimate:
    """Try ladders of several widths."""
    found, here = [], probe(x)
    for scale in dict.fromkeys((_WIDEST * max(1.0, abs(x)), _WIDEST * abs(x) or _WIDEST, _WIDEST)):
        ladder = _Ladder(probe, x, here, noise, scale)
        found.append(ladder.climb(enough))
        if ladder.converged:  # a wider ladder may have led over a pole
            found = [one for one in found if one.is_near(found[-1])]
            break
    # The finest step there is: of a function that is faster than all steps, the slopes of wide ones agree by chance.
    finest, slopes = _Ladder(probe, x, here, noise, 4.0 * math.ulp(x)), _Tableau(2)
    if finest.step(0, slopes, _Tableau(1)) and slopes.rungs:
        found = [
            one if slopes.is_near(one.derivative, 10.0 * one.error) else one._replace(error=math.inf) for one in found
        ]
    return min(found, key=lambda one: (one.kink, one.error))


class _Ladder:
    """Differences of one function around one point."""

    def __init__(self, probe: Probe, x: float, here: tuple[float, Any], noise: float, scale: float) -> None:
        self.probe, self.x, self.noise, self.scale = probe, x, noise, scale
        self.here, self.branch = here
        self.left = self.right = math.nan
        self.widest = 0.0
        self.slopes, self.bends = _Tableau(2), _Tableau(1)
        self.straddled = self.converged = False

    def climb(self, enough: float) -> Estimate:
        """Go down the ladder until the estimate is good enough."""
        for rung in range(_RUNGS):
            if self.step(rung, self.slopes, self.bends):
                best, error, _ = self.slopes.settled()
                good = max(enough * abs(best), 4.0 * self.noise / self.scale)
                if self.slopes.rungs >= 4 and error <= good and self.is_confirmed(best, error, rung + _FAR):
                    self.converged = True
                    break
            elif self.slopes.rungs:
                self.slopes, self.bends = _Tableau(2), _Tableau(1)
        derivative, error, rung = self.slopes.settled()
        error = max(error, 1e-10 * abs(derivative))  # the estimate of an error is itself an estimate
        if any(self.bends.is_growth(*later, rung) for later in self.bends.entries_after(rung)):
            error = math.inf
        kink = self.straddled or self.bends.is_jump(derivative)
        return Estimate(derivative, error, self.widest, self.left, self.right, kink)

    def step(self, rung: int, slopes: "_Tableau", bends: "_Tableau") -> bool:
        """Take the differences at one rung; False if they mean nothing."""
        h = self.scale / 2.0**rung
        above, below = self.x + h, self.x - h
        width = above - below
        if not (below < self.x < above and math.isfinite(width) and slopes.is_wider_than(width)):
            return True  # too small a step for this x, or too large: nothing was seen
        (up, branch_up), (down, branch_down) = self.probe(above), self.probe(below)
        self.left, self.right = (self.here - down) / (self.x - below), (up - self.here) / (above - self.x)
        is_finite = math.isfinite(up - down)
        self.straddled = is_finite and not branch_up == self.branch == branch_down
        if self.straddled or not is_finite:
            return False
        rounding = 2.0 * max(self.noise, _EPSILON * abs(up), _EPSILON * abs(down)) / width
        self.widest = max(self.widest, abs(self.left), abs(self.right))
        slopes.add(width, (up - down) / width, rounding)
        bends.add(width, self.right - self.left, 4.0 * rounding)
        return True

    def is_confirmed(self, best: float, error: float, rung: int) -> bool:
        """Whether a far smaller step sees the same slope; if not, the ladder goes on from where it was."""
        slopes, bends = _Tableau(2), _Tableau(1)
        if not self.step(rung, slopes, bends) or not slopes.rungs:
            return True
        (bend, rounding), (before, _) = bends.last, self.bends.last
        if abs(bend) > 0.25 * abs(before) + 10.0 * rounding:
            return False  # on a kink or a spike: the bend of a smooth function shrinks with the step
        self.bends.last = bends.last
        return slopes.is_near(best, 10.0 * error + 1e-6 * abs(best))


class _Tableau:
    """Extrapolation to step 0 of numbers whose error is a power series in step**power."""

    def __init__(self, power: int) -> None:
        self.power = power
        self.rungs = 0
        self.last = (math.nan, math.inf)
        self._entries: list[tuple[float, float, int]] = []
        self._plain: list[tuple[float, float, float]] = []
        self._row: list[float] = []

    def add(self, width: float, entry: float, rounding: float) -> None:
        """Take in the number found at the next smaller width."""
        self._plain.append((width, entry, rounding))
        self.last = entry, rounding
        before, self._row = self._row, [entry]
        for column, earlier in enumerate(before):
            ratio = self._plain[self.rungs - column - 1][0] / width
            last = self._row[-1]
            better = last + (last - earlier) / (ratio**self.power - 1.0)
            self._row.append(better)
            self._entries.append((max(abs(better - last), abs(better - earlier)) + rounding, better, self.rungs))
        self.rungs += 1

    def settled(self) -> tuple[float, float, int]:
        """The entry with the least error that no smaller step contradicts, its error, and its rung."""
        for error, entry, rung in sorted(self._entries):
            if all(abs(plain - entry) <= 10.0 * (error + rounding) for plain, rounding in self.entries_after(rung)):
                return entry, error, rung
        return math.nan, math.inf, self.rungs

    def entries_after(self, rung: int) -> list[tuple[float, float]]:
        """The numbers found at smaller steps, each with its rounding error."""
        return [(plain, rounding) for _, plain, rounding in self._plain[rung + 1 :]]

    def is_growth(self, plain: float, rounding: float, rung: int) -> bool:
        """Whether a number is larger than all up to a rung: a bend is, if steps led over a spike, as beside a pole."""
        return abs(plain) > 2.0 * max(abs(before) for _, before, _ in self._plain[: rung + 1]) + 10.0 * rounding

    def is_wider_than(self, width: float) -> bool:
        """Whether the step went down, as it does unless rounding keeps it up."""
        return not self._plain or width < 0.75 * self._plain[-1][0]

    def is_jump(self, slope: float) -> bool:
        """Whether the numbers, slopes on the right less slopes on the left, go to a limit that is not 0."""
        limit, doubt, _ = self.settled()
        return abs(limit) > 10.0 * doubt + 1e-6 * abs(slope) and self.is_near(limit, 0.1 * abs(limit))

    def is_near(self, wanted: float, tolerance: float) -> bool:
        """Whether the last number is near another one, its rounding errors apart."""
        plain, rounding = self.last
        return abs(plain - wanted) <= tolerance + 10.0 * rounding


def verdict(exact: float, found: Estimate, size: float, doubt: float | None = None) -> str:
    """Judge a derivative by its estimate.

    Args:
        exact: the derivative to judge.
        found: the estimate.
        size: Σ |upstream × local| over all that was added up in `exact`.
        doubt: the same with each path weighted by its edges, the scale of the rounding errors in `exact`; None for 1.

    Returns:
        AGREES, DIFFERS, KINK or TOO_STEEP; the last wherever the estimate could not have told a wrong derivative.

    Example:
        >>> verdict(6.0, Estimate(6.0, 1e-12), 6.0), verdict(6.001, Estimate(6.0, 1e-12), 6.0)
        ('agrees', 'differs')
    """
    if found.kink:
        return KINK
    if not math.isfinite(found.error):
        return TOO_STEEP
    if not math.isfinite(exact + size):
        is_resolved = found.error <= 1e-4 * abs(found.derivative)
        return DIFFERS if is_resolved and not math.isfinite(exact) else TOO_STEEP
    own = 1e-15 * (size if doubt is None else doubt)  # what rounding may do to the sum; it must not hide the number
    if abs(exact - found.derivative) > own + 10.0 * found.error:
        return KINK if found.crossed else DIFFERS
    largest = max(abs(exact), abs(found.derivative))
    if found.error <= 1e-4 * largest and own <= 1e-2 * largest:
        return AGREES
    # Otherwise both may be 0, as far as a sum of such terms can be, or the slopes that were seen on the way.
    is_zero = abs(exact) <= own and found.error <= 1e-6 * size
    is_flat = found.error <= 1e-6 * found.widest or found.widest == 0.0
    return AGREES if is_zero or (exact == 0.0 and is_flat) else TOO_STEEP


def judge(
    probe: Probe, x: float, exact: float, size: float, noise: float, enough: float = 1e-12, doubt: float | None = None
) -> tuple[Estimate, str]:
    """Estimate a derivative and judge one by it; where they do not agree, the noise of the function is measured first.

    Args:
        probe: the function.
        x: where.
        exact: the derivative to judge.
        size: as for ``verdict``.
        noise: a bound on the rounding errors in the function's value, which an op of the user's may not keep.
        enough: as for ``estimate``.
        doubt: as for ``verdict``.
    """
    found = estimate(probe, x, noise, enough)
    judged = verdict(exact, found, size, doubt)
    measured = measured_noise(probe, x) if judged in (DIFFERS, TOO_STEEP) else 0.0
    # Where nothing could be told, scatter that is no rounding (a jump, say) must not be taken for it.
    if measured > noise and (judged == DIFFERS or measured <= 1e6 * noise):
        found = estimate(probe, x, measured, enough)
        judged = verdict(exact, found, size, doubt)
    return found, judged


def measured_noise(probe: Probe, x: float) -> float:
    """How far neighbouring values of a function scatter: the size of its fourth differences.

    Those of noise are as large at half the spacing, and small beside the values; those of waves are not.

    Source: Moré & Wild 2011, *Estimating computational noise*.
    """
    noise = 0.0
    for share in (2.0**-40, 2.0**-26, 2.0**-12):
        spacing = max(share * abs(x), 8.0 * math.ulp(x))
        wide, _ = _scatter(probe, x, spacing)
        narrow, largest = _scatter(probe, x, 0.5 * spacing)
        if wide <= 4.0 * narrow <= 4e-2 * largest:
            noise = max(noise, wide)
    return noise


def _scatter(probe: Probe, x: float, spacing: float) -> tuple[float, float]:
    """The size of the fourth differences of nine values, and that of the largest value."""
    values = [probe(x + i * spacing)[0] for i in range(-4, 5)]
    largest = max(map(abs, values))
    for _ in range(4):
        values = [b - a for a, b in itertools.pairwise(values)]
    scatter = math.sqrt(sum(value * value for value in values) / len(values) / 70.0)
    # Of one sign, they are those of a curve.
    return (scatter if min(values) < 0.0 < max(values) and math.isfinite(scatter) else 0.0), largest
