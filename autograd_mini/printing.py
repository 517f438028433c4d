"""Foreign text in what people read: labels that cannot break a line or a terminal, and reprs that always answer."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["Listing", "always_answers", "printable"]

V = TypeVar("V")


class Listing(dict[str, V]):
    """A dict of texts, or of things with a summary or a docstring, that prints as a table of two columns.

    Example:
        >>> Listing(red="A warm colour.", blue="A cold one.")
        red   A warm colour.
        blue  A cold one.
    """

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(f"{name:<{width}}  {_summary(thing)}" for name, thing in self.items()) or "{}"


def _summary(thing: Any) -> str:
    text = thing if isinstance(thing, str) else getattr(thing, "summary", None) or thing.__doc__ or ""
    return printable(text.partition("\n")[0], 120)


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
