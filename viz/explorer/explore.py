"""``explore``: a graph or a training run as one HTML file that opens from disk and computes by itself."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from autograd_mini import Value
from autograd_mini.printing import always_answers, printable
from nn import Module, Normalization, Trainer
from viz.colors import THEMES
from viz.explorer.data import GraphData, packed
from viz.explorer.groups import GroupList
from viz.explorer.layout import Pictures, laid_out
from viz.explorer.maps import maps_of
from viz.explorer.page import html_page
from viz.explorer.run import Content, content_of
from viz.explorer.tables import javascript_table
from viz.explorer.views import views

__all__ = ["Explorer", "explore"]

_READABLE = (1500, 1000)  # how wide and high a picture is that can be read when it is fitted into a window


@dataclass(frozen=True, slots=True, repr=False)
class Explorer:
    """A page that was written.

    Attributes:
        path: the file.
        nodes: how many nodes the graph has.
        size: of the file, in bytes.
    """

    path: Path
    nodes: int
    size: int

    @always_answers
    def __repr__(self) -> str:
        count = f"{self.nodes:,} node{'s' * (self.nodes != 1)}"
        return f"Explorer({printable(str(self.path), 200)}: {count}, {self.size / 1e6:.2f} MB)"


def explore(
    subject: Value | Trainer,
    out: str | PathLike[str] = "explorer.html",
    *,
    theme: str = "auto",
    title: str | None = None,
    input_shape: tuple[int, int] | None = None,
    row: int = 0,
    normalization: Normalization | None = None,
) -> Explorer:
    """Write a page to look into a graph with: pictures to fold and unfold, both passes step by step, numbers to change.

    The page is one file without a server or a network: it holds the graph, pictures laid out by Graphviz, and the
    derivative table as JavaScript. Changing an input or a weight computes both passes again in the page. Of a trainer
    that has been trained it shows the loss of one row of the data, in evaluation mode, with a slider over the
    checkpoints that the run has kept (all epochs, if it was saved), the learning curves and, where the rows have two
    numbers, the decision boundary.

    Args:
        subject: the root of a graph, such as a loss; or a trainer with its data, after ``fit`` or ``attach``.
        out: the file to write; one that is there is replaced.
        theme: ``"light"``, ``"dark"``, or ``"auto"`` for what the reader's device prefers.
        title: of the page.
        input_shape: rows and columns that the inputs are laid out as; by itself a square where they make one.
        row: of the training data, counted from 0; for a trainer.
        normalization: how the trainer's inputs were normalized, so that the page can show them in the data's own units;
            by itself as a run of ``autograd-mini train`` has noted it.

    Returns:
        What was written, with the size of the file.

    Raises:
        TypeError: for anything but a Value or a Trainer, a title that is not text, or a normalization that is none.
        ValueError: for an unknown theme; for a graph whose data was changed after the forward pass; for a trainer
            without data, a row that it has not, or a normalization of another width; for either beside a Value.
        RenderError: if Graphviz is missing.
        FileNotFoundError, IsADirectoryError: if the folder of `out` does not exist, or `out` is one.

    Example:
        >>> import tempfile
        >>> x, w = Value(0.5, "x"), Value(-2.0, "w")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     explore((w * x).tanh(), folder + "/page.html")  # doctest: +ELLIPSIS
        Explorer(...page.html: 4 nodes, ... MB)
    """
    themes = ("auto", *THEMES)
    if theme not in themes:
        raise ValueError(f"unknown theme {theme!r}; the themes are {', '.join(map(repr, themes))}")
    if title is not None and not isinstance(title, str):
        raise TypeError(f"a title is text, got {title!r:.60} of type {type(title).__name__}; write str(...)")
    path = Path(out)
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; name a file in it, {str(path / 'explorer.html')!r}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r}; make it first, or choose another")
    if not isinstance(normalization, Normalization | None):
        raise TypeError(f"normalization is what Split.normalized() gives, got {normalization!r:.60}")
    content = _content(subject, row, normalization)
    data = GraphData(content.root)
    groups = GroupList(data.nodes)
    pictures = laid_out(views(data, groups), data, groups)
    units = content.units(data)
    told: dict[str, Any] = {
        "graph": data.as_dict(),
        "groups": groups.as_list(data.index),
        "groupOf": packed((groups.number(groups.paths[node]) for node in data.nodes), "i4"),
        "pictures": {"views": pictures.views, "layouts": pictures.layouts},
        "levels": groups.level_names(),
        "start": _start(pictures),
        **maps_of(data, input_shape, units),
        "units": units,
        "answer": content.answer(data),
        "boundary": content.boundary(data),
        "run": content.run(data),
    }
    if title is not None and told["run"]:
        told["run"]["title"] = None  # it is the reader's own, and does not follow the slider
    table = javascript_table(node.op for node in data.nodes if node.parents)
    shown = title if title is not None else content.title
    page = html_page(told, table, title=shown, theme=theme).encode("utf-8", errors="replace")
    path.write_bytes(page)
    return Explorer(path, len(data.nodes), len(page))


def _content(subject: Any, row: int, normalization: Normalization | None) -> Content:
    if isinstance(subject, Trainer):
        return content_of(subject, row, normalization)
    if not isinstance(subject, Value):
        kind = type(subject).__name__
        of_model = "; explore(loss), of a loss computed from model(example), or draw_network(model) for its weights"
        fix = of_model if isinstance(subject, Module) else ""
        got = f"{printable(repr(subject), 60)} of type {kind}{fix}"
        raise TypeError(f"explore shows the graph of a Value, or a Trainer; got {got}")
    if row or normalization is not None:
        what = f"row={row!r:.40}" if row else "normalization"
        raise ValueError(f"{what} is of the data of a Trainer, and a Value has none; leave it out, or explore(trainer)")
    return Content(subject, "The graph of " + (printable(str(subject.label), 60) or "a loss"))


def _start(pictures: Pictures) -> int:
    """The picture to open with: the most open one of the whole graph that can be read, else the one with the least."""
    whole = [(i, view) for i, view in enumerate(pictures.views) if view["group"] == 0]
    shapes = {i: pictures.layouts[view["layout"]] for i, view in whole}
    readable = [i for i, shape in shapes.items() if shape["width"] <= _READABLE[0] and shape["height"] <= _READABLE[1]]
    return readable[-1] if readable else min(whole, key=lambda one: len(one[1]["items"]))[0]
