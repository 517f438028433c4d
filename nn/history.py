"""``History``: how the numbers of a training run went, epoch by epoch and iteration by iteration."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from autograd_mini.number import number_text
from autograd_mini.printing import always_answers, printable
from nn.naming import Arrays

__all__ = ["History", "Position"]

_SHOWN = 8


class Position(NamedTuple):
    """How far training has come: `epoch` epochs are done, and `batch` batches of the next one."""

    epoch: int = 0
    batch: int = 0


class History:
    """The record of a training run.

    Attributes:
        epochs: columns by name, one number for each epoch: ``loss`` and the metric, both means over the epoch while it
            trained; ``validation_…`` of the same after it; and ``learning_rate``, as it was at its end.
        iterations: ``loss``, ``learning_rate`` and the metric of each iteration.

    Example:
        >>> history = History()
        >>> history.add_epoch({"loss": 0.5, "accuracy": 0.75})
        >>> history["loss"], history
        ([0.5], History(1 epoch, 0 iterations: loss 0.5, accuracy 0.75))
    """

    def __init__(self) -> None:
        self.epochs: dict[str, list[float]] = {}
        self.iterations: dict[str, list[float]] = {"loss": [], "learning_rate": []}

    def __len__(self) -> int:
        return len(self.epochs.get("loss", []))

    def __getitem__(self, column: str) -> list[float]:
        if column not in self.epochs:
            raise KeyError(
                f"the history has no column {column!r:.60}; it has {', '.join(self.epochs) or 'no epochs yet'}"
            )
        return self.epochs[column]

    def __contains__(self, column: object) -> bool:
        return column in self.epochs

    @always_answers
    def __repr__(self) -> str:
        n, m = len(self), len(self.iterations["loss"])
        last = [f"{printable(name)} {number_text(column[-1], 4)}" for name, column in self.epochs.items() if column]
        shown = ", ".join(last[:_SHOWN] + ["…"] * (len(last) > _SHOWN))
        return f"History({n:,} epoch{'s' * (n != 1)}, {m:,} iteration{'s' * (m != 1)}{': ' * bool(shown)}{shown})"

    @property
    def best_epoch(self) -> int | None:
        """The epoch with the smallest validation loss, counted from 1, the first of several; None without any.

        Example:
            >>> history = History()
            >>> for loss in (0.5, 0.25, 0.75):
            ...     history.add_epoch({"validation_loss": loss})
            >>> history.best_epoch
            2
        """
        losses = self.epochs.get("validation_loss", [])
        finite = [loss for loss in losses if math.isfinite(loss)]
        return losses.index(min(finite)) + 1 if finite else None

    def add_epoch(self, numbers: Mapping[str, float]) -> None:
        """Write down an epoch."""
        for name, number in numbers.items():
            self.epochs.setdefault(name, []).append(float(number))

    def add_iteration(self, numbers: Mapping[str, float]) -> None:
        """Write down an iteration."""
        for name, number in numbers.items():
            self.iterations.setdefault(name, []).append(float(number))

    def means(self, rows: Sequence[int]) -> dict[str, float]:
        """Compute the means of loss and metric over the last iterations, whose batches had so many rows."""
        start, total = len(self.iterations["loss"]) - len(rows), math.fsum(rows)
        return {
            name: math.fsum(x * n for x, n in zip(column[start:], rows, strict=True)) / total
            for name, column in self.iterations.items()
            if name != "learning_rate"
        }

    def forget(self, epochs: int, iterations: int) -> None:
        """Keep only so many epochs and iterations from the start."""
        for columns, keep in ((self.epochs, epochs), (self.iterations, iterations)):
            for numbers in columns.values():
                del numbers[keep:]
        if not epochs:
            self.epochs.clear()
        if not iterations:
            self.iterations = {"loss": [], "learning_rate": []}

    def save(self, path: str | Path) -> None:
        """Write the epochs as a CSV file with a header, each number so that it reads back the same."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *self.epochs])
            writer.writerows([i, *map(repr, row)] for i, row in enumerate(zip(*self.epochs.values(), strict=True), 1))

    def arrays(self) -> Arrays:
        """Return all columns as arrays, named ``epochs/loss``, ``iterations/loss``, …."""
        tables = {"epochs": self.epochs, "iterations": self.iterations}
        return {
            f"{table}/{name}": np.array(column) for table, columns in tables.items() for name, column in columns.items()
        }

    def load(self, arrays: Mapping[str, object]) -> None:
        """Take all columns from what ``arrays()`` gave."""
        self.forget(0, 0)
        for path in sorted(arrays, key=_as_written):
            table, _, name = path.partition("/")
            (self.epochs if table == "epochs" else self.iterations)[name] = np.asarray(
                arrays[path], dtype=np.float64
            ).tolist()


def _as_written(column: str) -> tuple[bool, bool, bool]:
    """Columns in the order in which a trainer writes them: loss, metric, those of the validation, learning rate."""
    name = column.partition("/")[2]
    return name == "learning_rate", name.startswith("validation_"), name not in ("loss", "validation_loss")
