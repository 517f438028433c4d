"""The label column of a table: the names of classes, or quantities to predict."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd_mini.printing import printable
from nn.tables import Table, is_number

__all__ = ["read_labels"]

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


def read_labels(
    table: Table, column: int, *, class_names: Sequence[str] | None = None, quantities: bool = False
) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """Read a column as classes, numbered by their place among their sorted names, or as quantities.

    Args:
        table: the file.
        column: the number of the column.
        class_names: the names of the classes, in order; None finds out what is there.
        quantities: whether the column has quantities even if all of them are whole numbers.

    Returns:
        Whole numbers and the names of the classes, or floats and None.

    Raises:
        ValueError: a missing value, a class that is not among the names, or text among quantities.
    """
    table.refuse_missing([column])
    cells = [row[column] for row in table.rows]
    if class_names is None:
        whole = all(map(_WHOLE.fullmatch, cells))
        if quantities or (not whole and any(is_number(cell) and not _WHOLE.fullmatch(cell) for cell in cells)):
            return table.numbers([column])[:, 0], None
        class_names = [str(number) for number in sorted({int(cell) for cell in cells})] if whole else sorted({*cells})
    numbers = {name: i for i, name in enumerate(class_names)}
    labels = [numbers.get(cell, numbers.get(_plain(cell))) for cell in cells]
    if None in labels:
        row = labels.index(None)
        known = ", ".join(repr(printable(name)) for name in class_names[:10])
        what = f"{table.place(row, column)} is {cells[row]!r:.60}, but the classes are {known}"
        more = f" and {len(class_names) - 10} more" if len(class_names) > 10 else ""
        raise table.error(f"{what}{more}: correct it, or leave the line out")
    return np.array(labels), tuple(class_names)


def _plain(cell: str) -> str:
    """Write a whole number without the signs and zeros that do not change it: +01 is 1."""
    return str(int(cell)) if _WHOLE.fullmatch(cell) else cell
