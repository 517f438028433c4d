"""Data sets: rows of numbers with their targets, split into train, validation and test, dealt out in batches."""

import copy
import operator
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, SupportsIndex, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd_mini.printing import always_answers, printable
from nn.arrays import class_labels, distinct_names, frozen, numbers, shape_of_input
from nn.checks import whole_number
from nn.csv_files import read_table
from nn.label_columns import read_labels
from nn.normalization import Normalization
from nn.npz_files import read_arrays
from nn.seeds import seeded_generator
from nn.splitting import deal

__all__ = ["Dataset", "Row", "Split"]

Row = tuple[list[float], int | float | list[float]]
"""One input and its target, as plain Python numbers."""


class Dataset:
    """Inputs and their targets, row by row: copied, checked and read-only.

    Whole-number targets are class labels, from 0 to classes-1. Targets written as floats (1.0, not 1), or several to a
    row, are quantities to predict (regression), unless `classes` or `class_names` says that they are labels.

    `.rows` has the number of each row in the data set that was made first: slices, parts and batches keep it.

    Args:
        inputs: shape (n, width), finite numbers; kept as float64 in `.inputs`.
        targets: shape (n,) or (n, k), finite numbers; kept in `.targets`, labels as int64 and quantities as float64.
            With shape (n, 0) there is nothing to learn from the rows.
        classes: how many classes there are; None takes the largest label plus one, and stays None for quantities.
        shape: the shape of one input, such as (7, 7) for a picture; None takes (width,).
        columns: the names of the columns of inputs; kept as a tuple.
        class_names: the names of the classes, from class 0 on; kept as a tuple.
        label: the name of the column that the targets come from.

    Raises:
        TypeError: something that is not a real number, a `classes` or `shape` not made of whole numbers, or a name that
            is not a text.
        ValueError: no rows, rows of different lengths, more inputs than targets or fewer, a nan or an infinity, a label
            that is not a class, a `shape` that does not hold `width` numbers, or too few, too many or equal names.

    Example:
        >>> data = Dataset([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
        >>> data
        Dataset(rows=4, shape=(2,), classes=2)
        >>> data[1]
        ([0.0, 1.0], 1)
    """

    def __init__(
        self,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        classes: int | None = None,
        shape: Sequence[int] | None = None,
        columns: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        label: str | None = None,
    ) -> None:
        rows, answers = numbers("inputs", inputs), numbers("targets", targets, least_width=0)
        if rows.ndim != 2:
            fix = "inputs.reshape(len(inputs), -1), and shape= for a picture"
            raise ValueError(f"inputs has shape {rows.shape}, but must be (rows, width): use {fix}")
        if answers.ndim not in (1, 2):
            raise ValueError(f"targets has shape {answers.shape}, but must be (rows,) or (rows, k): reshape it")
        if len(rows) != len(answers):
            both = f"inputs has {len(rows)} rows and targets has {len(answers)}"
            raise ValueError(f"{both}, but each row needs one of both: leave out the rows without a partner")
        self.columns = (
            None if columns is None else distinct_names("columns", columns, rows.shape[1], "column of inputs")
        )
        self.class_names = None if class_names is None else distinct_names("class_names", class_names, classes, "class")
        classes = classes if self.class_names is None else len(self.class_names)
        if classes is not None or (answers.ndim == 1 and answers.dtype.kind != "f"):
            answers, classes = class_labels(answers, classes)
        self.inputs: NDArray[np.float64] = frozen(rows.astype(np.float64))
        self.targets: NDArray[Any] = frozen(answers.astype(np.float64 if classes is None else np.int64))
        self.rows: NDArray[np.int64] = frozen(np.arange(len(rows)))
        self.classes = classes
        self.shape = (self.width,) if shape is None else shape_of_input(shape, self.width)
        self.label = label

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike[str],
        *,
        label: str | int | None = -1,
        header: bool | str = "auto",
        delimiter: str = ",",
        columns: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        quantities: bool = False,
    ) -> "Dataset":
        """Read a CSV file: a line for each row, with numbers as inputs and one column that has the targets.

        Targets that are texts, or whole numbers without a point, are classes: what they are called, sorted, becomes
        `.class_names`, and their places among these are the labels. Numbers with a point (1.0, not 1) are quantities.

        Args:
            path: the file, in UTF-8.
            label: the column of the targets: its name, or its number, counted from 0, or from the end as -1, the last.
                None if there are no targets; they then have the shape (n, 0).
            header: whether line 1 has the names of the columns. "auto" finds names if it has `label` or one of
                `columns`, or a cell that is not a number above a column of numbers.
            delimiter: the character between the cells.
            columns: the inputs to take, by name: the `.columns` of the data that a network has learned from. The file
                may have them in any order, but no others besides the label.
            class_names: the names of the classes in order: the `.class_names` of the data learned from.
            quantities: True if the targets are quantities even where they are whole numbers.

        Raises:
            OSError: the file cannot be read.
            TypeError: a label that is neither a name nor a number.
            ValueError: a missing value (an empty cell, ?, NA, nan, None, ...), a cell that is not a finite number where
                one is needed, an unknown class or column, or a file that is no such table; it says file, line, column.

        Example:
            >>> from pathlib import Path
            >>> from tempfile import mkdtemp
            >>> file = Path(mkdtemp(), "animals.csv")
            >>> _ = file.write_text("\\n".join(["legs,weight,animal", "4,5.5,cat", "2,0.03,bird"]))
            >>> data = Dataset.from_csv(file)
            >>> data.columns, data.class_names, data[0]
            (('legs', 'weight'), ('bird', 'cat'), ([4.0, 5.5], 1))
        """
        names = [*(columns or ()), *([label] if isinstance(label, str) else ())]
        table = read_table(path, header=header, delimiter=delimiter, names=names)
        target = None if label is None else table.index(label)
        chosen = table.inputs(columns, target)
        table.refuse_missing({*chosen, *(() if target is None else (target,))})
        answers: NDArray[Any] = np.empty((len(table.rows), 0))
        if target is not None:
            answers, class_names = read_labels(table, target, class_names=class_names, quantities=quantities)
        return cls(
            table.numbers(chosen),
            answers,
            columns=columns if table.columns is None else [table.columns[i] for i in chosen],
            class_names=None if target is None else class_names,
            label=table.columns[target] if target is not None and table.columns is not None else None,
        )

    @classmethod
    def from_npz(
        cls,
        path: str | os.PathLike[str],
        *,
        inputs: str = "inputs",
        targets: str = "targets",
        quantities: bool = False,
    ) -> "Dataset":
        """Read a file of NumPy's `savez` or `savez_compressed`; Python objects in it are refused, as pickles run code.

        Args:
            path: the file.
            inputs: the name of an array (n, width), or (n, height, width) of pictures, whose shape is kept.
            targets: the name of an array as `Dataset` takes it.
            quantities: True if the targets are quantities even where they are whole numbers.

        Raises:
            OSError: the file cannot be opened.
            TypeError, ValueError: not an NPZ file or a damaged one, no such array, or arrays that `Dataset` refuses.

        Example:
            >>> from importlib.resources import files
            >>> Dataset.from_npz(files("nn") / "datasets/digits_7x7.npz", inputs="images", targets="labels")
            Dataset(rows=1797, shape=(7, 7), classes=10)
        """
        rows, answers = read_arrays(path, inputs, targets)
        answers = answers.astype(np.float64) if quantities and answers.dtype.kind in "biu" else answers
        shape = rows.shape[1:] if rows.ndim > 2 and rows.size else None
        try:
            return cls(rows if shape is None else rows.reshape(len(rows), -1), answers, shape=shape)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{printable(Path(path).name, 60)}: {error}") from None

    @property
    def width(self) -> int:
        """How many numbers one input has."""
        return int(self.inputs.shape[1])

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[Row]:
        return zip(self.inputs.tolist(), self.targets.tolist(), strict=True)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> "Dataset": ...
    def __getitem__(self, index: SupportsIndex | slice) -> "Row | Dataset":
        if isinstance(index, slice):
            return self._take(index)
        row = operator.index(index)
        if not -len(self) <= row < len(self):
            raise IndexError(f"there is no row {row} in a data set of {len(self)} rows")
        return self.inputs[row].tolist(), self.targets[row].tolist()

    @always_answers
    def __repr__(self) -> str:
        return f"Dataset(rows={len(self)}, shape={self.shape}, classes={self.classes})"

    def split(
        self, *, train: float = 0.7, validation: float = 0.15, test: float = 0.15, seed: int = 0, stratify: bool = True
    ) -> "Split":
        """Deal every row, shuffled, to exactly one of three parts.

        Args:
            train: fraction of the rows to learn from, 0 to 1.
            validation: fraction to choose hyper-parameters with, 0 to 1.
            test: fraction to judge the finished network by, 0 to 1. The three add up to 1.
            seed: whole number, 0 or more; the same seed gives the same split.
            stratify: give each part its share of every class, to within one row. Regression data has no classes and is
                only shuffled.

        Returns:
            `Split(train, validation, test)`. A part whose fraction is 0 has no rows.

        Raises:
            TypeError: a fraction that is not a number, or a seed that is not a whole number.
            ValueError: a fraction outside 0 to 1, another sum than 1, a negative seed, or a part that gets no rows
                though its fraction is above 0.

        Example:
            >>> data = Dataset([[x] for x in range(1797)], [x % 2 for x in range(1797)])
            >>> [len(part) for part in data.split(train=0.8, validation=0.1, test=0.1)]
            [1437, 180, 180]
        """
        order = seeded_generator(seed, 0).permutation(len(self))
        labels = self.targets[order] if stratify and self.classes is not None else np.zeros(len(self), dtype=np.int64)
        # Sorting by class only decides which part a row goes to: within its part it keeps its shuffled place.
        part = deal({"train": train, "validation": validation, "test": test}, labels)
        return Split(*(self._take(order[part == i]) for i in range(3)))

    def batches(self, size: int, *, seed: int | None, epoch: int = 0, drop_last: bool = False) -> Iterator["Dataset"]:
        """Deal every row once, in mini-batches.

        Args:
            size: rows in a batch, 1 or more; the last batch has what is left.
            seed: whole number, 0 or more: shuffles the rows, anew in each epoch and always the same way for the same
                seed and epoch. None keeps the order of the data set.
            epoch: which pass over the data this is, 0 or more.
            drop_last: leave out the last batch if it has fewer rows than `size`; in each epoch these are others.

        Returns:
            An iterator over `Dataset`s.

        Raises:
            TypeError: a `size`, `seed` or `epoch` that is not a whole number.
            ValueError: a `size` below 1, a `seed` or `epoch` below 0, or a `drop_last` that leaves no batch.

        Example:
            >>> data = Dataset([[1.0], [2.0], [3.0]], [0, 1, 0])
            >>> [batch.inputs.ravel().tolist() for batch in data.batches(2, seed=None)]
            [[1.0, 2.0], [3.0]]
        """
        size, epoch = whole_number("size", size, 1), whole_number("epoch", epoch, 0)
        order = np.arange(len(self)) if seed is None else seeded_generator(seed, 1, epoch).permutation(len(self))
        if drop_last and len(self) < size:
            what = f"drop_last leaves no batch of {size} rows, as there are {len(self)}"
            raise ValueError(f"{what}: use a size up to {max(len(self), 1)}, or drop_last=False")
        end = len(self) - (len(self) % size if drop_last else 0)
        return (self._take(order[start : min(start + size, end)]) for start in range(0, end, size))

    def with_inputs(self, inputs: ArrayLike) -> "Dataset":
        """Return the same rows with other numbers for inputs, such as normalised ones.

        Raises:
            TypeError: something that is not a real number.
            ValueError: another shape than that of `.inputs`, or a nan or an infinity.
        """
        array = numbers("inputs", inputs) if len(self) else np.asarray(inputs)
        if array.shape != self.inputs.shape:
            raise ValueError(
                f"inputs has shape {array.shape}, but must be {self.inputs.shape}: one number for each old one"
            )
        changed = copy.copy(self)
        changed.inputs = frozen(array.astype(np.float64))
        return changed

    def _take(self, rows: slice | NDArray[np.int64]) -> "Dataset":
        part = copy.copy(self)
        part.inputs, part.targets, part.rows = (frozen(a[rows]) for a in (self.inputs, self.targets, self.rows))
        return part


class Split(NamedTuple):
    """The parts of a data set: rows to learn from, to choose hyper-parameters with, and to judge the result by.

    Example:
        >>> from nn import digits
        >>> train, validation, test = digits().split(seed=1)
        >>> train
        Dataset(rows=1258, shape=(7, 7), classes=10)
    """

    train: Dataset
    validation: Dataset
    test: Dataset

    def normalized(self) -> tuple["Split", Normalization]:
        """Normalise every part as the training rows have it, and return what new rows are normalised with.

        Raises:
            ValueError: the training part has no rows.

        Example:
            >>> data = Dataset([[1.0], [3.0], [5.0]], [0, 1, 0])
            >>> split, normalization = Split(data[:2], data[2:], data[:0]).normalized()
            >>> [part.inputs.ravel().tolist() for part in split]
            [[-1.0, 1.0], [3.0], []]
        """
        normalization = Normalization.fit(self.train)
        return Split(*map(normalization, self)), normalization
