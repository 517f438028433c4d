"""What the gallery knows of a picture."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

__all__ = ["Drawn", "Picture"]


class Drawn(Protocol):
    """A Figure or a plot: it can be saved, and says the same in words."""

    @property
    def text(self) -> str: ...
    def save(self, path: Path) -> Path: ...


class Picture(NamedTuple):
    """A picture of the gallery.

    Attributes:
        caption: what it shows.
        call: the call that draws it.
        draw: draws it in a theme.
        suffixes: the files it is saved as.
    """

    caption: str
    call: str
    draw: Callable[[str], Drawn]
    suffixes: tuple[str, ...] = (".svg", ".png")
