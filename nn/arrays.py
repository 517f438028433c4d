"""What a data set is given, checked: numbers, labels, names and shapes."""

import math
import reprlib
from collections.abc import Iterable, Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.checks import whole_number

__all__ = ["class_labels", "distinct_names", "frozen", "numbers", "shape_of_input"]


def numbers(name: str, values: Any, *, least_width: int = 1) -> NDArray[Any]:
    """Read `values` as an array of finite real numbers, at least one row of them."""
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
    if array.size == 0 and (least_width or not len(array)):
        raise ValueError(f"{name} is empty (shape {array.shape}): give at least one row of at least one number")
    if not np.isfinite(array).all():
        index = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        what = f"{_place(name, index)} is {array[index]}, but only finite numbers are legal"
        raise ValueError(f"{what}: leave its row out, or fill it in with numpy.nan_to_num(...)")
    return array


def _place(name: str, index: tuple[int, ...]) -> str:
    steps = ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column"), index, strict=False))
    return f"{steps} of {name}" if steps else name


def class_labels(targets: NDArray[Any], classes: int | None) -> tuple[NDArray[np.int64], int]:
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


def shape_of_input(shape: Sequence[int], width: int) -> tuple[int, ...]:
    sides = tuple(whole_number("a side of shape", side, 1) for side in np.atleast_1d(shape).tolist())
    if math.prod(sides) != width:
        raise ValueError(f"shape {sides} holds {math.prod(sides)} numbers, but one input has {width}: make them agree")
    return sides


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def distinct_names(name: str, names: Any, count: int | None, of: str) -> tuple[str, ...]:
    """Check that there are `count` texts, or any number, and that none comes twice."""
    if not isinstance(names, Iterable) or isinstance(names, str):
        raise TypeError(f"{name} is {names!r:.60}, but must be a list of texts, one for each {of}")
    given = list(names)
    odd = [one for one in given if not isinstance(one, str)]
    if odd:
        raise TypeError(f"{name} has {odd[0]!r:.60}, but must be texts, one for each {of}: write str(...)")
    texts = tuple(map(str, given))
    if count is not None and len(texts) != count:
        raise ValueError(f"{name} has {len(texts)} names, but there are {count}: give one for each {of}")
    twice = next((text for i, text in enumerate(texts) if text in texts[:i]), None)
    if twice is not None:
        raise ValueError(f"{name} has {twice!r:.60} twice: give each {of} a name of its own")
    return texts
