"""The only file that runs an executable: DOT text in, a picture out."""

import importlib
from typing import Any

import graphviz

from autograd_mini import RenderError

__all__ = ["render"]

_REMEDIES = """\
Any one of these gives you a renderer:
  apt install graphviz          (Debian, Ubuntu)
  brew install graphviz         (macOS)
  conda install graphviz        (Anaconda, any system)
  pip install pygraphviz        (2.0.1 or later brings its own Graphviz)
Without one, .save("picture.dot") always works, and so does pasting .source into a Graphviz page on the web."""


def render(source: str, format: str) -> bytes:
    """Draw DOT text with Graphviz.

    Graphviz's ``dot`` is used if it is on the PATH, else the library inside pygraphviz if that is installed.

    Args:
        source: a graph in the DOT language.
        format: ``"svg"``, ``"png"``, ``"pdf"`` or any other format that Graphviz writes.

    Returns:
        The picture as the bytes of a file.

    Raises:
        RenderError: if there is no renderer, saying how to get one; or if the renderer fails, with its message.
    """
    if format == "png":  # as sharp as print; an SVG must not be told, or some versions of dot crop it
        source = source.replace("{", "{\n\tgraph [dpi=192]", 1)
    try:
        return bytes(graphviz.pipe("dot", format, source.encode(errors="replace"), quiet=True))
    except graphviz.ExecutableNotFound:
        no_dot = "there is no program dot on the PATH"
    except graphviz.CalledProcessError as error:
        message = (error.stderr or b"").decode(errors="replace").strip()
        raise RenderError(f"Graphviz's dot failed (exit status {error.returncode}): {message}") from error
    except OSError as error:
        no_dot = f"the program dot does not start ({error})"
    try:
        pygraphviz: Any = importlib.import_module("pygraphviz")
    except ImportError as error:
        tried = f"{no_dot}, and the Python package pygraphviz does not import ({error})"
        raise RenderError(f"no renderer: {tried}.\n{_REMEDIES}") from error
    try:
        graph = pygraphviz.AGraph(string=source)
        graph.layout(prog="dot")
        return bytes(graph.draw(format=format))
    except Exception as error:  # pygraphviz raises whatever its layers raise; before 2.0 it needs the program too
        raise RenderError(f"{no_dot}, and pygraphviz failed: {error!r}.\n{_REMEDIES}") from error
