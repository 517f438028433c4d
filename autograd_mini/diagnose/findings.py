"""What a diagnosis consists of: findings, each with its nodes, its place in the source and its fix."""

import textwrap
from dataclasses import dataclass
from typing import Any

from autograd_mini.source import SourceLine

__all__ = ["Diagnosis", "Finding"]

_WIDTH = 100
_NO_LINE = "make the graph under record_lines() to see the line"


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """One mistake.

    Attributes:
        name: what it is called, such as ``"dead relu"``.
        message: what was seen, with numbers.
        nodes: the Values it is about.
        line: the line that made the node to look at first; None unless the graph was made under ``record_lines()``.
        fix: what to do about it.
    """

    name: str
    message: str
    nodes: tuple[Any, ...]
    line: SourceLine | None
    fix: str

    def __repr__(self) -> str:
        where = str(self.line) if self.line else _NO_LINE
        return "\n".join([self.name, _paragraph("", self.message), f"  where: {where}", _paragraph("fix: ", self.fix)])


def _paragraph(head: str, text: str) -> str:
    """Wrap the first line of `text`; what follows it is a table and stays as it is."""
    first, *table = text.splitlines()
    wrapped = textwrap.fill(
        head + first, _WIDTH, initial_indent="  ", subsequent_indent="  " + " " * len(head), break_long_words=False
    )
    return "\n".join([wrapped, *(f"    {row}" for row in table)])


class Diagnosis(tuple[Finding, ...]):
    """The findings in the order of the list in ``diagnose``: empty, and so false, when nothing was found.

    Example:
        >>> from autograd_mini import parameter
        >>> from autograd_mini.diagnose import diagnose
        >>> w, forgotten = parameter(2.0, "w"), parameter(1.0, "forgotten")
        >>> diagnosis = diagnose((w - 1) ** 2, [w, forgotten])
        >>> diagnosis.names, "dead relu" in diagnosis
        (('no path to the loss',), False)
        >>> diagnose((w - 1) ** 2, [w])
        nothing found
    """

    __slots__ = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the findings."""
        return tuple(finding.name for finding in self)

    def __contains__(self, item: object) -> bool:
        """Whether a finding, or one of that name, is among them."""
        return item in self.names or super().__contains__(item)

    def __repr__(self) -> str:
        return "\n\n".join(map(str, self)) or "nothing found"
