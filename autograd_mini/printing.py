"""Foreign text in what people read: labels that cannot break a line or a terminal, and reprs that always answer."""

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["always_answers", "printable"]


def printable(text: str, longest: int = 40) -> str:
    r"""Write foreign text on one line: shortened, with a mark for each character that cannot be printed.

    Example:
        >>> printable("two\nlines"), printable("far too long", 5)
        ('two�lines', 'far …')
    """
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    return shown if shown.isprintable() else "".join(c if c.isprintable() else "�" for c in shown)


def always_answers(describe: Callable[[Any], str]) -> Callable[[Any], str]:
    """Make a ``__repr__`` answer for an object that is only half made, too, as debuggers and tracebacks meet it."""

    @functools.wraps(describe)
    def answer(self: Any) -> str:
        try:
            return describe(self)
        except (AttributeError, LookupError):
            return f"<{type(self).__name__}, not initialised>"

    return answer
