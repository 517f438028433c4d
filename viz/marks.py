"""Proof in the picture: beside a gradient a sign that says whether finite differences agree with it.

A sign never stands for a colour, and the legend under the picture says in words what each of them means.
"""

import math
from collections import Counter
from typing import Any, NamedTuple

from autograd_mini import Report, Value, modes, topological_order
from autograd_mini.differences import AGREES, DIFFERS, KINK, TOO_STEEP
from autograd_mini.gradcheck import Judge
from autograd_mini.replay import refuse_changed_data

__all__ = ["MARKS", "Mark", "Proof", "proof_for"]


class Mark(NamedTuple):
    """A sign and what it says."""

    sign: str
    words: str


MARKS: dict[str, Mark] = {
    AGREES: Mark("✓", "agrees with finite differences"),
    "zero": Mark("○", "zero, and finite differences agree"),
    DIFFERS: Mark("✗", "differs from finite differences"),
    KINK: Mark("∠", "kink here: the slopes on either side differ"),
    TOO_STEEP: Mark("?", "too steep to tell"),
    "not computed": Mark("…", "not computed"),
    "no path": Mark("∅", "no path leads here"),
}
"""Every mark by its verdict."""


class Proof:
    """Checks the gradients of one graph, each when it is asked for, and counts what was found.

    Args:
        root: the node that the gradients are of.
        report: what ``gradcheck`` found; its verdicts are used, and what it has none for is not marked. None to check
            every gradient, interior ones too.

    Raises:
        ValueError: if data was changed after the forward pass: the gradients are then not those of these numbers.

    Example:
        >>> x = Value(3.0, "x")
        >>> proof = Proof(x * x)
        >>> proof.mark(x, 6.0).sign, proof.mark(x, None).words
        ('✓', 'not computed')
        >>> proof.legend()
        '1 … not computed'
    """

    def __init__(self, root: Value, report: Report | None = None) -> None:
        if report is None:
            refuse_changed_data(topological_order(root), partials=False)
        self._judge = Judge(root)
        self._checks = None if report is None else {check.name: check for check in report.checks}
        self._found: dict[Any, str] = {}

    def mark(self, node: Value, gradient: float | None, name: str = "") -> Mark | None:
        """Judge the gradient that a picture shows.

        Args:
            node: the node that it is the gradient of.
            gradient: the number; None if there is none.
            name: what a report calls the node; its label if empty.

        Returns:
            A Mark; None where a report says nothing about this number.
        """
        verdict = self._verdict(node, gradient, name)
        if verdict is None:
            return None
        self._found[node] = verdict
        return MARKS[verdict]

    def _verdict(self, node: Value, gradient: float | None, name: str) -> str | None:
        if gradient is None:
            return "not computed" if self._judge.reaches(node) else "no path"
        if self._checks is None:
            with modes.recording(), modes.quiet():  # differences may leave the domain
                verdict = self._judge.check(node, "", node.data, gradient).verdict
        else:
            check = self._checks.get(node.label) or self._checks.get(name)
            # A report may be of another run; its verdict is about the number that it saw.
            if check is None or not math.isclose(check.gradient, gradient, rel_tol=1e-9):
                return None
            verdict = check.verdict
        return "zero" if verdict == AGREES and gradient == 0.0 else verdict

    def legend(self) -> str:
        """Say what the marks given so far mean, and how many there are of each; empty without any."""
        counts = Counter(self._found.values())
        return ";  ".join(f"{counts[v]:,} {mark.sign} {mark.words}" for v, mark in MARKS.items() if v in counts)


def proof_for(root: Value | None, marks: Any) -> Proof | None:
    """Make what the option ``marks`` of a picture asks for.

    Args:
        root: the node that the gradients are of, or None.
        marks: True, a report of ``gradcheck``, or False for none.

    Raises:
        TypeError: for anything else.
        ValueError: for marks without a loss, or data that was changed.
    """
    if marks is False:
        return None
    if marks is not True and not isinstance(marks, Report):
        raise TypeError(f"marks is True, False or a report, marks=gradcheck(loss), got {marks!r:.60}")
    if root is None:
        raise ValueError("marks compare gradients with finite differences of a loss: give example=... and loss=... too")
    return Proof(root, None if marks is True else marks)
