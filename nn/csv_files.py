"""CSV files: read as tables, with or without a line of names at the top."""

import csv
import io
import os
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autograd_mini.printing import printable
from nn.tables import MISSING, Table, is_number

__all__ = ["read_inputs", "read_table"]


def read_inputs(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    label: str | None = None,
    header: bool | str = "auto",
    delimiter: str = ",",
) -> NDArray[np.float64]:
    """Read rows of inputs without their targets, to predict these.

    Args:
        path: the file, as `Dataset.from_csv` reads it.
        columns: the `.columns` of the data set learned from. They are found by the names in the header, in any order;
            None takes every column as it comes.
        label: the name of a column that is left out if the file has it.
        header: whether line 1 has the names of the columns, as for `Dataset.from_csv`.
        delimiter: the character between the cells.

    Returns:
        An array (rows, columns).

    Raises:
        ValueError: what `Dataset.from_csv` refuses in inputs.
    """
    table = read_table(path, header=header, delimiter=delimiter, names=columns or ())
    has_label = label is not None and table.columns is not None and label in table.columns
    return table.numbers(table.inputs(columns, table.index(label) if label is not None and has_label else None))


def read_table(
    path: str | os.PathLike[str], *, header: bool | str = "auto", delimiter: str = ",", names: Collection[str] = ()
) -> Table:
    """Read a CSV file in UTF-8, with or without a byte order mark; blank lines are skipped.

    Args:
        path: the file.
        header: True or False; "auto" finds names in line 1 if it has one of `names`, or a cell that is not a number
            above a column of numbers.
        delimiter: the character between the cells.
        names: names of columns that a header may have.

    Raises:
        OSError: the file cannot be read.
        ValueError: text that is not UTF-8 or not CSV, no rows, rows of different lengths, a column without a name or
            two of one name, and a first line that may be a header or not.
    """
    if header not in (True, False, "auto"):
        raise ValueError(f"header is {header!r:.60}, but must be True, False or 'auto'")
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ValueError(f"delimiter is {delimiter!r:.60}, but must be one character, such as ',', ';' or '\\t'")
    name = printable(Path(path).name, 60)
    rows, lines = _parse(name, _text(name, Path(path).read_bytes()), delimiter)
    if not rows:
        raise ValueError(f"{name} is empty: it needs a line for each row, with {delimiter!r} between the cells")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            what = f"line {line} has {len(row)} cells, but line {lines[0]} has {len(rows[0])}"
            raise ValueError(f'{name}: {what}: make them agree; a cell with {delimiter!r} in it needs quotes, "…"')
    if header is False or (header == "auto" and not _is_header(name, rows, names)):
        return Table(name, None, tuple(rows), tuple(lines))
    if len(rows) == 1:
        raise ValueError(f"{name} has a header, but no rows: add some, or say header=False if line 1 is one")
    for i, column in enumerate(rows[0]):
        if not column:
            fix = "name it, or leave it out (pandas leaves out its row numbers with to_csv(index=False))"
            raise ValueError(f"{name}: column {i} of the header, counted from 0, has no name: {fix}")
        if column in rows[0][:i]:
            raise ValueError(f"{name}: two columns of the header have the name {column!r:.60}: rename one")
    return Table(name, rows[0], tuple(rows[1:]), tuple(lines[1:]))


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"{name}: line {line} has the byte 0x{content[error.start]:02x}, which is not UTF-8"
        raise ValueError(f"{what}: save the file with the encoding UTF-8") from None


def _parse(name: str, text: str, delimiter: str) -> tuple[list[tuple[str, ...]], list[int]]:
    # strict: without it a quote that is never closed swallows the rest of the file as one cell.
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != " ", strict=True
    )
    rows, lines, line = [], [], 1
    try:
        for cells in reader:
            if cells:
                rows.append(tuple(cell.strip() for cell in cells))
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        what = f"{name}: the row that begins in line {line} is not CSV ({error})"
        raise ValueError(f'{what}: close every quote, and write a quote inside quotes twice, ""') from None
    # A line of spaces comes as one empty cell, which is a value that is missing only where rows have one cell.
    if any(len(row) > 1 for row in rows) or not any(map(any, rows)):
        lines = [line for row, line in zip(rows, lines, strict=True) if row != ("",)]
        rows = [row for row in rows if row != ("",)]
    return rows, lines


def _is_header(name: str, rows: Sequence[tuple[str, ...]], names: Collection[str]) -> bool:
    first, *below = rows
    if not set(names).isdisjoint(first):
        return True
    if not below:
        return not any(map(is_number, first))
    columns = [{cell for cell in column if cell not in MISSING} for column in zip(*below, strict=True)]
    above = [cell for cell, column in zip(first, columns, strict=True) if column and all(map(is_number, column))]
    texts = [cell for cell in above if not is_number(cell) and cell not in MISSING]
    counts = [cell for cell in above if is_number(cell)]
    if texts and counts:
        what = (
            f"line 1 may be a header or a row: it has {texts[0]!r:.60} and {counts[0]!r:.60} above columns of numbers"
        )
        raise ValueError(f"{name}: {what}: say header=True or header=False")
    return bool(texts)
