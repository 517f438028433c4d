"""The only file that runs an executable: DOT text in, a picture out."""

import importlib
import subprocess
from typing import Any

import graphviz

from autograd_mini import RenderError

__all__ = ["RenderFailedError", "render"]

_REMEDIES = """\
Any one of these gives you a renderer:
  apt install graphviz          (Debian, Ubuntu)
  brew install graphviz         (macOS)
  conda install graphviz        (Anaconda, any system)
  pip install pygraphviz        (2.0.1 or later brings its own Graphviz)
Without one, .save("picture.dot") always works, and so does pasting .source into a Graphviz page on the web."""


class RenderFailedError(RenderError):
    """The renderer is there, but did not finish with this picture: it stopped, or took too long."""


def render(source: str, format: str, *, seconds: float | None = None) -> bytes:
    """Draw DOT text with Graphviz.

    Graphviz's ``dot`` is used if it is on the PATH, else the library inside pygraphviz if that is installed.

    Args:
        source: a graph in the DOT language.
        format: ``"svg"``, ``"png"``, ``"pdf"`` or any other format that Graphviz writes.
        seconds: how long ``dot`` may take; by itself as long as it wants.

    Returns:
        The picture as the bytes of a file.

    Raises:
        RenderError: if there is no renderer, saying how to get one; or if the renderer fails, with its message;
            this is a RenderFailedError if it is the picture that was too much.
    """
    if format == "png":  # as sharp as print; an SVG must not be told, or some versions of dot crop it
        source = source.replace("{", "{\n\tgraph [dpi=192]", 1)
    try:
        return _piped(source.encode(errors="replace"), format, seconds)
    except graphviz.ExecutableNotFound:
        no_dot = "there is no program dot on the PATH"
    except graphviz.CalledProcessError as error:
        message = (error.stderr or b"").decode(errors="replace").strip()
        raise RenderFailedError(f"Graphviz's dot failed (exit status {error.returncode}): {message}") from error
    except subprocess.TimeoutExpired as error:
        raise RenderFailedError(f"Graphviz's dot took longer than {seconds:g} seconds") from error
    except OSError as error:
        no_dot = f"the program dot does not start ({error})"
    try:
        pygraphviz: Any = importlib.import_module("pygraphviz")
    except ImportError as error:
        tried = f"{no_dot}, and the Python package pygraphviz does not import ({error})"
        raise RenderError(f"no renderer: {tried}.\n{_REMEDIES}") from error
    try:
        graph = pygraphviz.AGraph(string=source)
        graph.layout(prog="dot")  # or by the engine that the graph itself names, as it is with the program
        return bytes(graph.draw(format=format))
    except Exception as error:  # pygraphviz raises whatever its layers raise; before 2.0 it needs the program too
        raise RenderError(f"{no_dot}, and pygraphviz failed: {error!r}.\n{_REMEDIES}") from error


def _piped(source: bytes, format: str, seconds: float | None) -> bytes:
    if seconds is None:
        return bytes(graphviz.pipe("dot", format, source, quiet=True))
    command = ["dot", f"-T{format}"]  # graphviz.pipe has no time limit
    try:
        return subprocess.run(command, input=source, capture_output=True, check=True, timeout=seconds).stdout
    except FileNotFoundError as error:
        raise graphviz.ExecutableNotFound(command) from error
    except subprocess.CalledProcessError as error:
        raise graphviz.CalledProcessError(error.returncode, command, error.output, error.stderr) from error
