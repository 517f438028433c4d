"""``History``: how the numbers of a training run went, epoch by epoch and iteration by iteration."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograd_mini.number import number_text
from autograd_mini.printing import always_answers
from nn.naming import Arrays

__all__ = ["History", "Position"]


@dataclass(frozen=True, slots=True)
class Position:
    """How far training has come: `epoch` epochs are done, and `batch` batches of the next one, with their sums."""

    epoch: int = 0
    batch: int = 0
    rows: int = 0
    loss: float = 0.0
    metric: float = 0.0


class History:
    """The record of a training run.

    Attributes:
        epochs: columns by name, one number for each epoch: ``loss`` and the metric, both means over the epoch while it
            trained; ``validation_…`` of the same after it; and ``learning_rate``, as it was at its end.
        iterations: ``loss`` and ``learning_rate`` of each iteration.

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
            raise KeyError(f"the history has no column {column!r}; it has {', '.join(self.epochs) or 'no epochs yet'}")
        return self.epochs[column]

    def __contains__(self, column: object) -> bool:
        return column in self.epochs

    @always_answers
    def __repr__(self) -> str:
        n, m = len(self), len(self.iterations["loss"])
        last = ", ".join(f"{name} {number_text(numbers[-1], 4)}" for name, numbers in self.epochs.items() if numbers)
        return f"History({n:,} epoch{'s' * (n != 1)}, {m:,} iteration{'s' * (m != 1)}{': ' * bool(last)}{last})"

    def add_epoch(self, numbers: Mapping[str, float]) -> None:
        """Write down an epoch."""
        for name, number in numbers.items():
            self.epochs.setdefault(name, []).append(float(number))

    def add_iteration(self, loss: float, learning_rate: float) -> None:
        """Write down an iteration."""
        self.iterations["loss"].append(loss)
        self.iterations["learning_rate"].append(learning_rate)

    def forget(self, epochs: int, iterations: int) -> None:
        """Keep only so many epochs and iterations from the start."""
        for columns, keep in ((self.epochs, epochs), (self.iterations, iterations)):
            for numbers in columns.values():
                del numbers[keep:]
        if not epochs:
            self.epochs.clear()

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
            getattr(self, table)[name] = np.asarray(arrays[path], dtype=np.float64).tolist()


def _as_written(column: str) -> tuple[bool, bool, bool]:
    """Columns in the order in which a trainer writes them: loss, metric, those of the validation, learning rate."""
    return column.endswith("/learning_rate"), "/validation_" in column, not column.endswith("loss")
