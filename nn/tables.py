"""Tables of text, where every cell knows its line and column of the file, and the numbers in them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autograd_mini.printing import printable

__all__ = ["MISSING", "Table", "is_number"]

MISSING = frozenset(["", "?", "NA", "N/A", "n/a", "<NA>", "nan", "NaN", "NAN", "null", "NULL", "None"])
"""What files write in a cell that has no value."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)
_SHOWN = 10


@dataclass(frozen=True, repr=False)
class Table:
    """The cells of a file as text, without the spaces around them.

    Args:
        name: the name of the file; it opens an error message.
        columns: the names in the header; None if there is none, and columns are then counted from 0.
        rows: the cells, row by row, all rows of one length.
        lines: the line of the file that each row begins in, as an editor counts: the first is 1.
    """

    name: str
    columns: tuple[str, ...] | None
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.rows[0])

    def __repr__(self) -> str:
        names = "without names" if self.columns is None else printable(", ".join(self.columns), 60)
        return f"Table({printable(self.name)}, rows={len(self.rows)}, columns={self.width}: {names})"

    def index(self, column: str | int) -> int:
        """Find a column by its name, or by its number, which may count from the end as -1 does."""
        if isinstance(column, bool) or not isinstance(column, (str, int)):
            raise TypeError(f"label is {column!r:.60}, but must be the name or the number of a column, or None")
        if isinstance(column, int) and -self.width <= column < self.width:
            return column % self.width
        if self.columns is None or isinstance(column, int):
            numbers = f"its {self.width} columns have the numbers 0 to {self.width - 1}"
            header = "; if line 1 has their names, say header=True" if self.columns is None else f": {self._names()}"
            raise self.error(f"there is no column {column!r:.60}; {numbers}{header}")
        if column not in self.columns:
            raise self.error(f"there is no column {column!r:.60}; the columns are {self._names()}")
        return self.columns.index(column)

    def inputs(self, columns: Sequence[str] | None = None, leave_out: int | None = None) -> list[int]:
        """Find the columns that are inputs: all but `leave_out`, or exactly those with the names `columns`, so ordered.

        A table without a header has them in the order of `columns`.
        """
        found = [i for i in range(self.width) if i != leave_out]
        if not found:
            raise self.error(
                f"line {self.lines[0]} has one cell, so that no column is left for the inputs{self._fix()}"
            )
        if columns is None:
            return found
        if self.columns is None:
            if len(found) != len(columns):
                names = printable(", ".join(columns), 200)
                raise self.error(f"it has {len(found)} columns of inputs, but needs {len(columns)}: {names}")
            return found
        missing = [name for name in columns if name not in self.columns]
        extra = [self.columns[i] for i in found if self.columns[i] not in columns]
        if missing:
            raise self.error(f"it lacks {_listed(missing)}; the columns are {self._names()}")
        if extra:
            raise self.error(f"it has {_listed(extra)} besides what is asked for, {_listed(columns)}: leave it out")
        return [self.columns.index(name) for name in columns]

    def refuse_missing(self, columns: Collection[int]) -> None:
        """Raise a ValueError that says where cells are empty or say that there is no value."""
        suspects = ((row, cells) for row, cells in enumerate(self.rows) if not MISSING.isdisjoint(cells))
        empty = [(row, i) for row, cells in suspects for i in sorted(columns) if cells[i] in MISSING]
        if empty:
            places = "; ".join(self.place(row, i) for row, i in empty[:_SHOWN])
            more = f" and {len(empty) - _SHOWN} more" if len(empty) > _SHOWN else ""
            count = "a value is" if len(empty) == 1 else f"{len(empty)} values are"
            raise self.error(f"{count} missing, at {places}{more}: fill in a number, or leave out the line")

    def numbers(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """Read some columns as finite numbers."""
        self.refuse_missing(columns)
        for row, cells in enumerate(self.rows):
            for i in columns:
                if not is_number(cells[i]):
                    what = f"{self.place(row, i)} is {cells[i]!r:.60}, but must be a number"
                    raise self.error(what + self._fix(cells[i]))
        array = np.array([[float(cells[i]) for i in columns] for cells in self.rows])
        if not np.isfinite(array).all():
            row, i = np.argwhere(~np.isfinite(array))[0].tolist()
            what = f"{self.place(row, columns[i])} is {self.rows[row][columns[i]]!r:.60}"
            raise self.error(f"{what}, but only finite numbers are legal: leave the line out, or write a finite number")
        return array

    def place(self, row: int, column: int) -> str:
        """Say where a cell is."""
        name = column if self.columns is None else repr(printable(self.columns[column]))
        return f"line {self.lines[row]}, column {name}"

    def error(self, message: str) -> ValueError:
        """Make an error that names the file."""
        counted = " (no header, columns count from 0)" if self.columns is None else ""
        return ValueError(f"{self.name}{counted}: {message}")

    def _names(self) -> str:
        return _listed(self.columns or ())

    def _fix(self, cell: str | None = None) -> str:
        text = ",".join(self.columns or self.rows[0]) if cell is None else cell
        for delimiter in ";\t|":
            if delimiter in text:
                return f": if {delimiter!r} is between the cells, say delimiter={delimiter!r}"
        if cell is None:
            return ": add the columns of inputs, or say which character is between the cells with delimiter="
        if re.fullmatch(r"[+-]?\d*,\d+", text):
            return f": write it with a point, {text.replace(',', '.')}"
        return ": write one, or leave the column out"


def is_number(cell: str) -> bool:
    """Say whether a cell holds a number as people write it in files; `1_000` and `0x10` are none.

    Example:
        >>> [cell for cell in ("1", "-.5", "2e-3", "1_000", "nan", "red") if is_number(cell)]
        ['1', '-.5', '2e-3']
    """
    return _NUMBER.fullmatch(cell) is not None


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(repr(printable(name)) for name in list(names)[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
