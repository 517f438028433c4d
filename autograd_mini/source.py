"""Finding the line of the user's code that is running now: the first frame outside this project and NumPy."""

import linecache
import sys
import warnings
from types import FrameType
from typing import NamedTuple

from autograd_mini.printing import printable

__all__ = ["NOWHERE", "Located", "Origin", "SourceLine", "user_line", "warn"]

_LONGEST = 300
_NOT_THE_USERS = frozenset({"autograd_mini", "nn", "viz", "numpy", "copy"})  # the last two call methods of a Value


class SourceLine(NamedTuple):
    """A place in a source file; ``str()`` of it is ``file.py:12: y = a * b``."""

    filename: str
    number: int

    def __str__(self) -> str:
        text = printable(linecache.getline(self.filename, self.number).strip(), _LONGEST)
        return f"{printable(self.filename, _LONGEST)}:{self.number}" + (f": {text}" if text else "")


class Origin(NamedTuple):
    """Where a node was recorded: the line of the user's code, if lines were recorded, and the scopes open around it."""

    line: SourceLine | None = None
    scope: tuple[str, ...] = ()


NOWHERE = Origin()


class Located:
    """What may remember where it was recorded."""

    __slots__ = ("_origin",)

    _origin: Origin  # set only where there is something to remember

    @property
    def line(self) -> SourceLine | None:
        """The line of the user's code that made this node, if ``record_lines()`` was on; else None."""
        return getattr(self, "_origin", NOWHERE).line

    @property
    def scope(self) -> tuple[str, ...]:
        """The names of the scopes that were open when this node was recorded, the outermost first; see ``scope()``."""
        return getattr(self, "_origin", NOWHERE).scope


def _user_frame() -> FrameType:
    frame = sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__", "")).partition(".")[0] in _NOT_THE_USERS:
        frame = frame.f_back
    return frame


def user_line() -> SourceLine:
    """Return the line of the user's code that called into the project."""
    frame = _user_frame()
    return SourceLine(frame.f_code.co_filename, frame.f_lineno)


def warn(message: str) -> None:
    """Issue a ``RuntimeWarning`` that points at the user's line, however deep inside the project it arose."""
    frame = _user_frame()
    warnings.warn_explicit(
        message,
        RuntimeWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__", "__main__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )
