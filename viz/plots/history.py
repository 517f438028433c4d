"""``plot_history``: how loss and metric went, epoch by epoch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd_mini.number import number_text
from nn import History, Trainer
from viz.plots.axes import COLORS, axes_for, ink, legend_above, matplotlib_part, plain, tidy

__all__ = ["plot_history"]

_TRAIN, _VALIDATION = (COLORS[0], "-"), (COLORS[1], "--")
_IN_NATS = ("cross_entropy", "binary_cross_entropy")


def plot_history(
    history: History | Trainer, *, columns: str | Sequence[str] | None = None, ax: Any = None
) -> NDArray[Any]:
    """Plot loss and metric of training and validation by epoch, a panel for each.

    A star on every panel marks the best epoch, which ``load_best`` would take: the one of the lowest validation loss.
    Without validation none is. A point of the training curve is the mean over its epoch while the parameters still
    moved, one of the validation curve was measured at the epoch's end; so validation may well lie below.

    Args:
        history: a ``History``, or a ``Trainer`` for its history; the trainer's loss is then called by its name.
        columns: which to plot, such as ``"loss"`` or ``["loss", "accuracy"]``; None takes loss and metric.
        ax: Axes to draw in, one for each column; None makes a figure.

    Returns:
        An array of the Axes, one for each column.

    Raises:
        TypeError: for what is no history, or an `ax` that is not Axes.
        ValueError: for a history without epochs, a column that it does not have, or a wrong number of Axes.
        ImportError: if matplotlib is not installed.

    Example:
        >>> from nn import History
        >>> history = History()
        >>> history.add_epoch({"loss": 0.7, "accuracy": 0.5, "validation_loss": 0.6, "validation_accuracy": 0.625})
        >>> history.add_epoch({"loss": 0.4, "accuracy": 0.75, "validation_loss": 0.5, "validation_accuracy": 0.75})
        >>> [ax.get_ylabel() for ax in plot_history(history)]
        ['loss', 'accuracy, % of rows']
    """
    record = history.history if isinstance(history, Trainer) else history
    if not isinstance(record, History):
        raise TypeError(f"plot_history plots a History or a Trainer, got {history!r:.60}; trainer.fit(...) returns one")
    names = _checked_columns(record, columns)
    panels = axes_for(ax, names, width=4.8, height=3.6, columns=len(names))
    loss = history.hyper_parameters.loss if isinstance(history, Trainer) else ""
    best = record.best_epoch
    for panel, name in zip(panels, names, strict=True):
        _draw(panel, record, name, best)
        panel.set_ylabel(_label(name, loss))
    result: NDArray[Any] = np.array(panels, dtype=object)
    return result


def _checked_columns(history: History, columns: str | Sequence[str] | None) -> list[str]:
    there = [name for name in history.epochs if name != "learning_rate" and not name.startswith("validation_")]
    if not len(history):
        raise ValueError("the history has no epochs yet, so there is nothing to plot; trainer.fit(...) writes them")
    asked = there if columns is None else [columns] if isinstance(columns, str) else list(columns)
    if not asked:
        raise ValueError(f"columns names nothing to plot; there is {', '.join(there)}")
    for name in asked:
        if name not in there:
            raise ValueError(f"there is no column {name!r:.60} to plot; there is {', '.join(there)}")
    return asked


def _label(name: str, loss: str) -> str:
    if name == "loss" and loss:
        return f"loss: {plain(loss)}{', in nats' * (loss in _IN_NATS)}"
    return f"{plain(name)}, % of rows" if name.endswith("accuracy") else plain(name)


def _draw(ax: Any, history: History, name: str, best: int | None) -> None:
    scale = 100.0 if name.endswith("accuracy") else 1.0
    judged: list[float] = []
    for column, label, color, dashes in ((name, "train", *_TRAIN), (f"validation_{name}", "validation", *_VALIDATION)):
        if column not in history:
            continue
        judged = numbers = [number * scale for number in history[column]]
        epochs = range(1, len(numbers) + 1)
        marker = "o" if len(numbers) <= 20 else ""
        ax.plot(epochs, numbers, dashes, color=color, marker=marker, markersize=3.5, label=label)
    if best is not None and best <= len(judged):
        number = judged[best - 1]
        text = number_text(number, 4) if scale == 1.0 else f"{number:.1f} %"
        where = "lowest validation loss" if name == "loss" else "at the lowest validation loss"
        ax.axvline(best, color=ink(), linewidth=0.8, linestyle=":", zorder=1)
        star = {"marker": "*", "markersize": 13, "markeredgecolor": ink(), "markeredgewidth": 0.8, "linestyle": "none"}
        ax.plot(best, number, color=COLORS[1], label=f"{where}, epoch {best}: {text}", clip_on=False, zorder=4, **star)
    ax.set_xlim(0.5, len(history) + 0.5)
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(matplotlib_part("ticker").MaxNLocator(integer=True, min_n_ticks=1))
    tidy(ax)
    legend_above(ax, columns=2)
