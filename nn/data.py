"""Data sets: rows of numbers with their targets, split into train, validation and test, dealt out in batches."""

import copy
import math
import operator
import reprlib
from collections.abc import Iterator, Sequence, Sized
from importlib import resources
from numbers import Real
from typing import Any, NamedTuple, SupportsIndex, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd_mini.printing import always_answers
from nn.checks import whole_number

__all__ = ["Dataset", "Row", "Split", "digits"]

Row = tuple[list[float], int | float | list[float]]
"""One input and its target, as plain Python numbers."""


class Dataset:
    """Inputs and their targets, row by row: copied, checked and read-only.

    Whole-number targets are class labels, from 0 to classes-1. Targets written as floats (1.0, not 1), or several to a
    row, are quantities to predict (regression), unless `classes` says that they are labels.

    Args:
        inputs: shape (n, width), finite numbers; kept as float64 in `.inputs`.
        targets: shape (n,) or (n, k), finite numbers; kept in `.targets`, labels as int64 and quantities as float64.
        classes: how many classes there are; None takes the largest label plus one, and stays None for quantities.
        shape: the shape of one input, such as (7, 7) for a picture; None takes (width,).

    Raises:
        TypeError: something that is not a real number, or a `classes` or `shape` not made of whole numbers.
        ValueError: no rows, rows of different lengths, more inputs than targets or fewer, a nan or an infinity, a label
            that is not a class, or a `shape` that does not hold `width` numbers.

    Example:
        >>> data = Dataset([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
        >>> data
        Dataset(rows=4, shape=(2,), classes=2)
        >>> data[1]
        ([0.0, 1.0], 1)
    """

    def __init__(
        self, inputs: ArrayLike, targets: ArrayLike, *, classes: int | None = None, shape: Sequence[int] | None = None
    ) -> None:
        rows, answers = _numbers("inputs", inputs), _numbers("targets", targets)
        if rows.ndim != 2:
            fix = "inputs.reshape(len(inputs), -1), and shape= for a picture"
            raise ValueError(f"inputs has shape {rows.shape}, but must be (rows, width): use {fix}")
        if answers.ndim not in (1, 2):
            raise ValueError(f"targets has shape {answers.shape}, but must be (rows,) or (rows, k): reshape it")
        if len(rows) != len(answers):
            both = f"inputs has {len(rows)} rows and targets has {len(answers)}"
            raise ValueError(f"{both}, but each row needs one of both: leave out the rows without a partner")
        if classes is not None or (answers.ndim == 1 and answers.dtype.kind != "f"):
            answers, classes = _labels(answers, classes)
        self.inputs: NDArray[np.float64] = _frozen(rows.astype(np.float64))
        self.targets: NDArray[Any] = _frozen(answers.astype(np.float64 if classes is None else np.int64))
        self.classes = classes
        self.shape = (self.width,) if shape is None else _shape(shape, self.width)

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
            >>> [len(part) for part in digits().split(train=0.8, validation=0.1, test=0.1)]
            [1437, 180, 180]
        """
        sizes = _sizes({"train": train, "validation": validation, "test": test}, len(self))
        order = _generator(seed, 0).permutation(len(self))
        labels = self.targets[order] if stratify and self.classes is not None else np.zeros(len(self), dtype=np.int64)
        counts = _shares(np.unique(labels, return_counts=True)[1], sizes)
        # Sorting by class only decides which part a row goes to: within its part it keeps its shuffled place.
        part = np.empty(len(self), dtype=np.int64)
        part[np.argsort(labels, kind="stable")] = np.repeat(np.tile(np.arange(3), len(counts)), counts.ravel())
        return Split(*(self._take(order[part == i]) for i in range(3)))

    def batches(self, size: int, *, seed: int | None, epoch: int = 0) -> Iterator["Dataset"]:
        """Deal every row once, in mini-batches.

        Args:
            size: rows in a batch, 1 or more; the last batch has what is left.
            seed: whole number, 0 or more: shuffles the rows, anew in each epoch and always the same way for the same
                seed and epoch. None keeps the order of the data set.
            epoch: which pass over the data this is, 0 or more.

        Returns:
            An iterator over `Dataset`s.

        Raises:
            TypeError: a `size`, `seed` or `epoch` that is not a whole number.
            ValueError: a `size` below 1, or a `seed` or `epoch` below 0.

        Example:
            >>> data = Dataset([[1.0], [2.0], [3.0]], [0, 1, 0])
            >>> [batch.inputs.ravel().tolist() for batch in data.batches(2, seed=None)]
            [[1.0, 2.0], [3.0]]
        """
        size, epoch = whole_number("size", size, 1), whole_number("epoch", epoch, 0)
        order = np.arange(len(self)) if seed is None else _generator(seed, 1, epoch).permutation(len(self))
        return (self._take(order[start : start + size]) for start in range(0, len(self), size))

    def _take(self, rows: slice | NDArray[np.int64]) -> "Dataset":
        part = copy.copy(self)
        part.inputs, part.targets = _frozen(self.inputs[rows]), _frozen(self.targets[rows])
        return part


class Split(NamedTuple):
    """The parts of a data set: rows to learn from, to choose hyper-parameters with, and to judge the result by.

    Example:
        >>> train, validation, test = digits().split(seed=1)
        >>> train
        Dataset(rows=1258, shape=(7, 7), classes=10)
    """

    train: Dataset
    validation: Dataset
    test: Dataset


def digits() -> Dataset:
    """Load 1,797 handwritten digits of 7×7 pixels, from 0.0 (paper) to 1.0 (full ink).

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
    1998, https://doi.org/10.24432/C50P49, CC BY 4.0; resampled by us from 8×8 as `nn/datasets/README.md` says.

    Returns:
        A `Dataset` with inputs (1797, 49), pixel by pixel along the rows from the top left, and labels 0 to 9.

    Example:
        >>> digits()
        Dataset(rows=1797, shape=(7, 7), classes=10)
    """
    path = resources.files("nn") / "datasets" / "digits_7x7.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        images, labels = stored["images"], stored["labels"]
    return Dataset(images.reshape(len(images), -1) / 128, labels, classes=10, shape=images.shape[1:])


def _numbers(name: str, values: Any) -> NDArray[Any]:
    """Read `values` as an array of finite real numbers, at least one of them."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        widths = [len(row) if isinstance(row, Sized) else 0 for row in values]
        odd = (f"row {i} has length {w}, row 0 has {widths[0]}" for i, w in enumerate(widths) if w != widths[0])
        raise ValueError(f"{name}: {next(odd, 'rows differ inside')}: give every row the same length") from error
    if array.dtype.kind not in "biuf":
        entries = np.ndenumerate(np.array(values, dtype=object))
        bad = ((_place(name, i), entry) for i, entry in entries if np.asarray(entry).dtype.kind not in "biuf")
        place, entry = next(bad, (name, values))
        what = f"{place} is {reprlib.repr(entry)} ({type(entry).__name__}), but only real numbers are legal"
        raise TypeError(f"{what}: convert it with float(...), or leave its row out")
    if array.size == 0:
        raise ValueError(f"{name} is empty (shape {array.shape}): give at least one row of at least one number")
    if not np.isfinite(array).all():
        index = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        what = f"{_place(name, index)} is {array[index]}, but only finite numbers are legal"
        raise ValueError(f"{what}: leave its row out, or fill it in with numpy.nan_to_num(...)")
    return array


def _place(name: str, index: tuple[int, ...]) -> str:
    steps = ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column"), index, strict=False))
    return f"{steps} of {name}" if steps else name


def _labels(targets: NDArray[Any], classes: int | None) -> tuple[NDArray[np.int64], int]:
    """Check that `targets` are class labels, and infer the number of classes if it is None."""
    if targets.ndim != 1:
        raise ValueError(f"targets has shape {targets.shape}, but classes= needs one label per row: leave classes= out")
    classes = max(int(targets.max()), 0) + 1 if classes is None else whole_number("classes", classes, 1)
    with np.errstate(invalid="ignore"):
        labels = targets.astype(np.int64)
    bad = np.flatnonzero((labels != targets) | (labels < 0) | (labels >= classes))
    if bad.size:
        what = f"row {bad[0]} of targets is {targets[bad[0]]}, but labels are whole numbers from 0 to {classes - 1}"
        raise ValueError(f"{what}: renumber the labels or set classes=; for regression write floats, and no classes=")
    return labels, classes


def _sizes(fractions: dict[str, float], rows: int) -> NDArray[np.int64]:
    """Turn fractions into whole numbers of rows by the method of largest remainders."""
    for name, fraction in fractions.items():
        if isinstance(fraction, bool) or not isinstance(fraction, Real):
            raise TypeError(f"{name} is {fraction!r}, but must be a fraction of the rows, such as {name}=0.2")
        if not 0 <= fraction <= 1:
            raise ValueError(f"{name} is {fraction}, but must be from 0 to 1: write 20 % as {name}=0.2")
    total = math.fsum(fractions.values())
    if abs(total - 1) > 1e-9:
        fix = "give all three, such as train=0.8, validation=0.1, test=0.1"
        raise ValueError(f"train + validation + test is {total:g}, but must be 1: {fix}")
    exact = np.array(list(fractions.values())) / total * rows
    sizes = np.floor(exact).astype(np.int64)
    sizes[np.argsort(sizes - exact, kind="stable")[: rows - sizes.sum()]] += 1
    for (name, fraction), size in zip(fractions.items(), sizes, strict=True):
        if fraction > 0 and size == 0:
            raise ValueError(f"{name}={fraction} of {rows} rows leaves no row: raise it, set it to 0, or add rows")
    return sizes


def _shares(counts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Divide each class among the parts: a table with row sums `counts` and column sums `sizes`, in proportion.

    Each entry is its exact share rounded down or one more; giving what is left of a class to the parts that miss most
    always comes out even (Gale and Ryser's theorem on tables of 0 and 1).
    """
    table: NDArray[np.int64] = np.outer(counts, sizes) // counts.sum()
    missing = sizes - table.sum(axis=0)
    for row, count in zip(table, counts, strict=True):
        parts = np.argsort(-missing, kind="stable")[: count - row.sum()]
        row[parts] += 1
        missing[parts] -= 1
    return table


def _shape(shape: Sequence[int], width: int) -> tuple[int, ...]:
    sides = tuple(whole_number("a side of shape", side, 1) for side in np.atleast_1d(shape).tolist())
    if math.prod(sides) != width:
        raise ValueError(f"shape {sides} holds {math.prod(sides)} numbers, but one input has {width}: make them agree")
    return sides


def _generator(seed: int, *stream: int) -> np.random.Generator:
    # A spawn key keeps streams apart; SeedSequence([seed, epoch]) would repeat SeedSequence([seed]) in epoch 0.
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(whole_number("seed", seed, 0), spawn_key=stream)))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
