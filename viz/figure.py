"""``Figure``: a picture as text, which becomes a file, an SVG or a Jupyter output when somebody asks."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from autograd_mini import RenderError
from autograd_mini.printing import always_answers, printable
from viz.render import render

__all__ = ["Figure"]

_SUFFIXES = (".svg", ".png", ".pdf", ".dot")


class Figure:
    """A picture in the DOT language. Making, reading and saving it as text needs no Graphviz program.

    Args:
        source: a graph in the DOT language.
        description: what the picture shows, in a few words; for the repr.
        text: the same in lines of plain text, or a function that writes it when somebody asks.

    Attributes:
        source: the DOT text.

    Example:
        >>> figure = Figure("digraph { a -> b }")
        >>> figure
        Figure(picture, 18 characters of DOT; .save("picture.svg") draws it)
    """

    def __init__(self, source: str, description: str = "picture", text: str | Callable[[], str] = "") -> None:
        self.source = source
        self._description = description
        self._text = text

    @property
    def text(self) -> str:
        """What the picture shows, as lines of plain text, for a terminal or a screen reader.

        Example:
            >>> from viz import draw_network
            >>> from nn import Neuron
            >>> print(draw_network(Neuron(1, initializer="zeros")).text)
            Neuron(1, activation='relu'): 1 neuron, 2 parameters
            neuron: relu
              w[0] = 0
              b = 0
        """
        if callable(self._text):
            self._text = self._text()
        return self._text or printable(self._description, 200)

    def svg(self) -> str:
        """Draw the picture.

        Returns:
            An SVG document.

        Raises:
            RenderError: if no renderer is installed, or it fails.
        """
        return render(self.source, "svg").decode()

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture into a file.

        Args:
            path: where to; its ending decides the format: ``.svg``, ``.png``, ``.pdf``, or ``.dot`` for the text.

        Returns:
            The path.

        Raises:
            ValueError: for another ending.
            FileNotFoundError: if the folder does not exist.
            RenderError: if no renderer is installed, or it fails; no file is written then.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     Figure("digraph { a -> b }").save(folder + "/picture.dot").read_text()
            'digraph { a -> b }'
        """
        path = _checked_path(path)
        suffix = path.suffix.lower()
        path.write_bytes(self.source.encode() if suffix == ".dot" else render(self.source, suffix[1:]))
        return path

    @always_answers
    def __repr__(self) -> str:
        what = printable(self._description, 80)
        return f'Figure({what}, {len(self.source):,} characters of DOT; .save("picture.svg") draws it)'

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg()
        except RenderError:
            return None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except RenderError as error:
            return {"text/plain": f"{self!r}\n{error}"}


def _checked_path(path: str | PathLike[str]) -> Path:
    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"a picture is saved as {', '.join(_SUFFIXES)}, got {str(path)!r}; change its ending")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r}; make it first, or choose another")
    return path
