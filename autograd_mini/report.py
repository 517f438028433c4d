"""What a gradient check found, to be read: a table of the derivatives, and who is to blame."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self

from autograd_mini.blame import Blame
from autograd_mini.differences import AGREES, DIFFERS, KINK, TOO_STEEP
from autograd_mini.number import number_text
from autograd_mini.printing import printable
from autograd_mini.value import Value

__all__ = ["Check", "Report"]

_MOST_AGREEING, _MOST_OTHERS = 12, 60


@dataclass(frozen=True, slots=True, repr=False)
class Check:
    """One derivative, found twice.

    Attributes:
        name: what it is by: an input, or two for a second derivative.
        at: the number at that input.
        gradient: the derivative to check.
        numeric: the same by differences, or by a complex step.
        error: how far they are apart.
        left, right: the slopes on either side as far as small steps tell; they differ at a kink.
        verdict: ``"agrees"``, ``"differs"``, ``"kink here"`` or ``"too steep to tell"``.
        method: ``"central differences"`` or ``"complex step"``.
    """

    name: str
    at: float
    gradient: float
    numeric: float
    error: float
    left: float
    right: float
    verdict: str
    method: str

    def __repr__(self) -> str:
        by, at = printable(self.name), number_text(self.at)
        gradient, numeric = number_text(self.gradient, 10), number_text(self.numeric, 10)
        return f"Check(by {by} at {at}: {gradient}, and {numeric} by {self.method}; {self.verdict})"


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """What ``gradcheck`` found. True, as in ``assert gradcheck(f, x)``, if every derivative agrees.

    Attributes:
        checks: one ``Check`` per derivative.
        blame: the first wrong op, if a derivative differs and the culprit was found.
        root: the graph that was checked.
        by_hand: whether the gradients are those of a function that was given.
        left_out: what was asked for and not done, and why.
    """

    checks: tuple[Check, ...]
    blame: Blame | None
    root: Value
    by_hand: bool = False
    left_out: str = ""

    def __bool__(self) -> bool:
        return all(check.verdict == AGREES for check in self.checks)

    def having(self, kind: str) -> list[Check]:
        """List the checks with this verdict."""
        return [check for check in self.checks if check.verdict == kind]

    def require(self, allow: Collection[str] = ()) -> Self:
        """Return the report if every derivative agrees, and fail with it otherwise.

        Args:
            allow: verdicts to let pass besides, such as ``("kink here",)``.

        Raises:
            AssertionError: with the whole report.
            ValueError: for a verdict that does not exist.
        """
        __tracebackhide__ = True
        if isinstance(allow, str) or not {*allow} <= {KINK, TOO_STEEP, DIFFERS}:
            raise ValueError(f"verdicts to allow are a tuple of {KINK!r}, {TOO_STEEP!r} or {DIFFERS!r}, got {allow!r}")
        if any(check.verdict not in (AGREES, *allow) for check in self.checks):
            raise AssertionError(repr(self))
        return self

    def __repr__(self) -> str:
        return "\n".join(_lines(self))


def _lines(report: Report) -> Iterator[str]:
    agreeing, others = report.having(AGREES), [check for check in report.checks if check.verdict != AGREES]
    # In one line what a failing assertion shows when it cuts the rest.
    guilty = f"; {report.blame.headline}" if report.blame else ""
    yield f"gradcheck: {len(agreeing)} of {len(report.checks)} derivatives agree{guilty}"
    shown = [*others[:_MOST_OTHERS], *agreeing[:_MOST_AGREEING]]
    rows = [("by", "at", "gradient", "numeric", "error", "verdict", "method")]
    rows += [
        (printable(c.name), number_text(c.at), number_text(c.gradient, 10), number_text(c.numeric, 10),
         f"{c.error:.1e}", c.verdict, c.method) for c in shown
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if shown else ():
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if len(others) > _MOST_OTHERS:
        yield f"  and {len(others) - _MOST_OTHERS:,} more that do not agree"
    if len(agreeing) > _MOST_AGREEING:
        yield f"  and {len(agreeing) - _MOST_AGREEING} more that agree"
    for check in report.having(KINK)[:_MOST_AGREEING]:
        slopes = f"{number_text(check.left)} on the left and {number_text(check.right)} on the right"
        same = ", but operations on the way sit on their kinks" if math.isclose(check.left, check.right) else ""
        yield f"kink here: by {printable(check.name)} the slope is {slopes}{same}; check at another point"
    if any(check.verdict == TOO_STEEP for check in others):
        yield "too steep to tell: no difference resolves this slope (it is lost in rounding, the function jumps, or is "
        yield "not finite); check at another point"
    if report.blame:
        yield str(report.blame)
    elif report.having(DIFFERS):
        yield "every op of the graph is right by itself" + (
            ": the mistake is in the gradient given"
            if report.by_hand
            else "; did rounding take it (a difference of nearly equal numbers), or has the function state?"
        )
    if report.left_out:
        yield report.left_out
