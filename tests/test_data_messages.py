"""Every error of what reads and makes data sets names the place, the bad value, what would be legal, and the fix."""

import ast
import io
import re
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest

import nn
from nn import Dataset, Normalization, Split, blobs, circles, moons, spirals, xor
from nn.csv_files import read_inputs, read_table

NN = Path(nn.__file__).resolve().parent
MODULES = ("tables", "csv_files", "label_columns", "npz_files", "normalization", "synthetic")
SMALL = "a,b,c\n1,2,x\n3,4,y\n"
PLAIN = "1,2,x\n3,4,y\n"

# The text or bytes of a file, options of Dataset.from_csv, and what the error says after the name of the file.
CSV: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "an empty file": ("", {}, " is empty: it needs a line for each row, with ',' between"),
    "blank lines only": ("\n  \n\r\n", {}, " is empty: it needs a line"),
    "a header only": ("a,b,c\n", {}, " has a header, but no rows: add some, or say header=False"),
    "a forced header only": ("1,2\n", {"header": True}, " has a header, but no rows"),
    "Latin-1": (b"a,b\n1,2\n3,\xe9\n", {}, ": line 3 has the byte 0xe9, which is not UTF-8: save the file"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), {}, ": line 1 has the byte 0x.., which is not UTF-8"),
    "an open quote": ('a,b\n1,2\n3,"4\n5,6\n', {}, r": the row that begins in line 3 is not CSV \(.*: close every"),
    "a quote in a quote": ('a,b\n"x"y,2\n', {}, ": the row that begins in line 2 is not CSV"),
    "a short row": (
        "a,b,c\n1,2,x\n3,4\n",
        {},
        ': line 3 has 2 cells, but line 1 has 3: make them agree; .*quotes, "…"',
    ),
    "a long row after a cell of two lines": ('a,b\n"1\n",2\n3,4,5\n', {}, ": line 4 has 3 cells, but line 1 has 2"),
    "two columns of one name": ("a,a,b\n1,2,3\n", {}, ": two columns of the header have the name 'a': rename one"),
    "a column without a name": (",a,b\n1,2,3\n", {}, ": column 0 of the header, counted from 0, has no name: name it"),
    "half a header": ("a,2,c\n1,2,3\n", {}, ": line 1 may be a header .* it has 'a' and '2' above .*: say header=True"),
    "an empty cell": (
        "a,b,c\n1,,x\n",
        {},
        ": a value is missing, at line 2, column 'b': fill in a number, or leave out",
    ),
    "a label without a value": (
        "a,b,c\n1,2,x\n1,NA,?\n",
        {},
        ": 2 values are missing, at line 3, column 'b'; line 3, column 'c':",
    ),
    "a missing value below quoted lines": (
        'a,b\n"1\n\n",2\nnan,4\n',
        {},
        ": a value is missing, at line 5, column 'a'",
    ),
    "a missing value without a header": (
        "1,2\nnull,4\n",
        {},
        r" \(no header, columns count from 0\): .* line 2, column 0",
    ),
    "many missing values": (
        "a,b\n" + "1,2\n,\n" * 6,
        {},
        r": 12 values are missing, .* column 'b' and 2 more: fill in",
    ),
    "text among numbers": (
        "a,b,c\n1,2,x\n3,oops,y\n5,6,z\n",
        {"header": True},
        ": line 3, column 'b' is 'oops', but must be a number: write one, or leave the column out",
    ),
    "text among quantities": ("a,b\n1,2.5\n3,oops\n", {}, ": line 3, column 'b' is 'oops', but must be a number"),
    "text where quantities are asked for": (
        "a,b\n1,x\n",
        {"quantities": True},
        ": line 2, column 'b' is 'x', but must",
    ),
    "a number of programmers": ("a,b\n1,2\n1_0,2\n2,2\n", {"header": True}, ": line 3, column 'a' is '1_0', but must"),
    "a decimal comma": (
        "a;b\n1,5;2\n",
        {"delimiter": ";", "header": True},
        ": .* is '1,5', .*: write it with a point, 1.5",
    ),
    "semicolons between cells": ("1;2\n3;4\n", {}, r".*: line 1 has one cell, .*: if ';' is between .* delimiter=';'"),
    "semicolons and decimal commas": ("1,5;2,x\n3,5;4,y\n", {}, ".* is '5;2', but must be a number: if ';' is between"),
    "one column": ("1\n2\n", {}, ".* no column is left for the inputs: add the columns of inputs, or say which"),
    "an infinite number": (
        "a,b\n1,2\n-inf,2\n",
        {},
        ": line 3, column 'a' is '-inf', but only finite numbers are legal",
    ),
    "a number beyond range": ("a,b\n1,2\n1e999,2\n", {}, ": line 3, column 'a' is '1e999', but only finite"),
    "an infinite quantity": ("a,b\n1,2.5\n2,inf\n", {}, ": line 3, column 'b' is 'inf', but only finite"),
    "an unknown label": (SMALL, {"label": "d"}, ": there is no column 'd'; the columns are 'a', 'b', 'c'"),
    "a label out of range": (
        SMALL,
        {"label": 3},
        ": there is no column 3; its 3 columns have the numbers 0 to 2: 'a',",
    ),
    "a label by name without a header": (PLAIN, {"label": "d"}, ".*: there is no column 'd'; .*, say header=True"),
    "a number beyond a headerless file": (PLAIN, {"label": -4}, ".*: there is no column -4; its 3 columns have the"),
    "a class not learned": (
        SMALL,
        {"class_names": ["x", "z"]},
        ": line 3, column 'c' is 'y', but the classes are 'x', 'z': correct it, or leave the line out",
    ),
    "a class not learned among many": (
        SMALL,
        {"class_names": list("xabcdefghijk")},
        ": .* classes are .* and 2 more: corr",
    ),
    "a column not there": (SMALL, {"columns": ["b", "q", "r"]}, ": it lacks 'q', 'r'; the columns are 'a', 'b', 'c'"),
    "a column too many": (SMALL, {"columns": ["b"]}, ": it has 'a' besides what is asked for, 'b': leave it out"),
    "too few columns without a header": (
        PLAIN,
        {"columns": list("stu")},
        ".*: it has 2 columns .*, but needs 3: s, t, u",
    ),
    "a header of text": (SMALL, {"header": "yes"}, "header is 'yes', but must be True, False or 'auto'"),
    "a delimiter of two": (SMALL, {"delimiter": "::"}, "delimiter is '::', but must be one character, such as"),
    "a quote between cells": (SMALL, {"delimiter": '"'}, "delimiter is '\"', but must be one character"),
}


def saved(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


PAIR = {"inputs": np.ones((2, 3)), "targets": np.array([0, 1])}
DAMAGED = saved(**PAIR).replace(b"NUMPY", b"NAMPY")
NPZ: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", " is not an NPZ file: write it with numpy.savez"),
    "some text": (b"1,2,3\n", " is not an NPZ file"),
    "the first half": (saved(**PAIR)[:200], " is not an NPZ file: .*: its end may be cut off"),
    "a broken directory": (
        saved(**PAIR).replace(b"PK\x01\x02", b"PK\x01\x03"),
        r" is a damaged NPZ file \(.*: write or copy",
    ),
    "broken bytes": (DAMAGED, ": the array 'inputs' is damaged .*: write or copy it again"),
    "no targets": (
        saved(inputs=np.ones(2), y=[0, 1]),
        " has no array 'targets'; the names in it are 'inputs', 'y': say",
    ),
    "no arrays": (saved(), " has no array 'inputs'; the names in it are none"),
    "Python objects": (
        saved(inputs=np.array([{}, "a"]), targets=[0, 1]),
        ": the array 'inputs' holds Python objects, which",
    ),
    "a nan": (saved(inputs=[[1.0, np.nan]], targets=[0]), ": row 0, column 1 of inputs is nan, but only finite"),
    "text": (saved(inputs=[["a"]], targets=[0]), r": row 0, column 0 of inputs is .*'a'.*, but only real numbers"),
    "numbers in a row": (
        saved(inputs=np.ones(4), targets=[0] * 4),
        r": inputs has shape \(4,\), but must be \(rows, width\)",
    ),
    "pictures without pixels": (
        saved(inputs=np.ones((2, 0, 3)), targets=[0, 1]),
        r": inputs is empty \(shape \(2, 0, 3\)",
    ),
    "rows without targets": (saved(inputs=np.ones((3, 2, 2)), targets=[0, 1]), ": inputs has 3 rows and targets has 2"),
}


def foreign_member() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("inputs", b"hello")
        archive.writestr("targets", b"hello")
    return file.getvalue()


NPZ["a zip of something else"] = (foreign_member(), ": 'inputs' is not an array: write the file with numpy.savez")

NORMAL = Normalization([0.0, 1.0], [1.0, 2.0])
ROWS = Dataset([[0.0, 1.0]] * 3, [0, 1, 0])
MADE: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a label of True": (lambda: read_table(example()).index(True), TypeError, "label is True, but must be the name or"),
    "a label of half": (lambda: read_table(example()).index(0.5), TypeError, "label is 0.5, but must be the name or"),  # type: ignore[arg-type]
    "no training rows": (lambda: Normalization.fit(ROWS[:0]), ValueError, "fitted to rows, but this data set has none"),
    "a split without training": (
        lambda: Split(ROWS[:0], ROWS, ROWS).normalized(),
        ValueError,
        "give train a larger part",
    ),
    "a square mean": (
        lambda: Normalization([[1.0]], [1.0]),
        ValueError,
        r"mean has shape \(1, 1\), but must be \(width,\)",
    ),
    "one scale too many": (
        lambda: Normalization([1.0], [1.0, 2.0]),
        ValueError,
        "mean has 1 numbers and scale has 2, but",
    ),
    "a scale of 0": (
        lambda: Normalization([1, 1], [1, 0]),
        ValueError,
        "column 1 of scale is 0, but must be above 0: a",
    ),
    "a mean of nan": (lambda: Normalization([np.nan], [1]), ValueError, "row 0 of mean is nan, but only finite"),
    "a scale of text": (lambda: Normalization([1], ["a"]), TypeError, "row 0 of scale is 'a'"),
    "a mean set later": (
        lambda: setattr(NORMAL, "mean", 1),
        AttributeError,
        "a Normalization is frozen, so mean cannot",
    ),
    "rows of another width": (
        lambda: NORMAL(Dataset([[1.0]], [0])),
        ValueError,
        r"inputs has shape \(1, 1\), but must be \(rows, 2\) as in the training rows",
    ),
    "text to normalise": (lambda: NORMAL.transform(["a", "b"]), TypeError, "row 0 of inputs is 'a'"),
    "too large to normalise": (
        lambda: Normalization([-1e308], [1e-3])(Dataset([[1e308]], [0])),
        ValueError,
        "row 0, column 0 of inputs is inf, but only finite",
    ),
    "no points": (lambda: moons(0), ValueError, "n is 0, but must be a whole number, 2 or more"),
    "half a point": (lambda: xor(1.5), TypeError, "n is 1.5, but must be a whole number, 2 or more"),  # type: ignore[arg-type]
    "fewer points than classes": (lambda: blobs(2, classes=3), ValueError, "n is 2, but must be a whole number, 3 or"),
    "no classes": (lambda: spirals(classes=0), ValueError, "classes is 0, but must be a whole number, 1 or more"),
    "negative noise": (lambda: moons(noise=-1), ValueError, "noise is -1, but must be a finite number, 0 or more"),
    "a seed below 0": (lambda: circles(seed=-1), ValueError, "seed is -1, but must be a whole number, 0 or more"),
    "a seed of text": (lambda: xor(seed="a"), TypeError, "seed is 'a', but must be a whole number"),  # type: ignore[arg-type]
    "an outer inner circle": (
        lambda: circles(factor=1.5),
        ValueError,
        "factor is 1.5, but must be from 0 to 1: the inner",
    ),
    "spirals unwound": (lambda: spirals(turns=-1), ValueError, "turns is -1, but must be a finite number, 0 or more"),
    "columns in a text": (
        lambda: Dataset([[1, 2]], [0], columns="ab"),
        TypeError,
        "columns is 'ab', but must be a list",
    ),
    "columns of numbers": (
        lambda: Dataset([[1, 2]], [0], columns=["a", 2]),
        TypeError,
        "columns has 2, but must be texts",
    ),  # type: ignore[list-item]
    "a column without a name": (
        lambda: Dataset([[1, 2]], [0], columns=["a"]),
        ValueError,
        "columns has 1 names, but there",
    ),
    "classes of one name": (
        lambda: Dataset([[1], [2]], [0, 1], class_names=["a", "a"]),
        ValueError,
        "class_names has 'a' twice: give each class a name of its own",
    ),
    "more classes than names": (
        lambda: Dataset([[1]], [0], classes=3, class_names=["a"]),
        ValueError,
        "class_names has 1 names, but there are 3: give one for each class",
    ),
    "a label beyond the names": (
        lambda: Dataset([[1]], [1], class_names=["a"]),
        ValueError,
        "row 0 of targets is 1, but",
    ),
    "other inputs of another shape": (
        lambda: ROWS.with_inputs([[1.0]]),
        ValueError,
        r"inputs has shape \(1, 1\), but must be \(3, 2\): one number for each old one",
    ),
    "batches without the last, of none": (
        lambda: ROWS.batches(4, seed=0, drop_last=True),
        ValueError,
        "drop_last leaves no batch of 4 rows, as there are 3: use a size up to 3, or drop_last=False",
    ),
}


def example() -> Path:
    path = Path(mkdtemp()) / "small.csv"
    path.write_text(SMALL)
    return path


def well_formed(text: str) -> bool:
    return not re.search(r",,|  |\n|[.,;:]$", text) and len(text) < 600


@pytest.mark.parametrize(("content", "options", "message"), CSV.values(), ids=CSV)
def test_a_bad_csv_file_is_refused(content: str | bytes, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    start = "" if message.startswith(("header", "delimiter")) else "bad.csv"
    with pytest.raises(ValueError, match=f"^{start}{message}") as caught:
        Dataset.from_csv(path, **options)
    assert well_formed(str(caught.value)), str(caught.value)


@pytest.mark.parametrize(("content", "message"), NPZ.values(), ids=NPZ)
def test_a_bad_npz_file_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises((TypeError, ValueError), match=f"^bad.npz{message}") as caught:
        Dataset.from_npz(path)
    assert well_formed(str(caught.value)), str(caught.value)


@pytest.mark.parametrize(("provoke", "kind", "message"), MADE.values(), ids=MADE)
def test_an_error_says_what_came_and_what_would_be_legal(
    provoke: Callable[[], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        provoke()
    assert well_formed(str(caught.value)), str(caught.value)


def test_every_raise_of_these_modules_has_a_case(tmp_path: Path) -> None:
    def csv_case(i: int, content: str | bytes, options: dict[str, Any]) -> Callable[[], Any]:
        path = tmp_path / f"{i}.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return lambda: Dataset.from_csv(path, **options)

    def npz_case(i: int, content: bytes) -> Callable[[], Any]:
        path = tmp_path / f"{i}.npz"
        path.write_bytes(content)
        return lambda: Dataset.from_npz(path)

    cases = [provoke for provoke, _, _ in MADE.values()]
    cases += [csv_case(i, content, options) for i, (content, options, _) in enumerate(CSV.values())]
    cases += [npz_case(i, content) for i, (content, _) in enumerate(NPZ.values())]
    provoked = set()
    for provoke in cases:
        try:
            provoke()
        except Exception as error:  # what it says is the business of the tests above
            for caught in (error, error.__context__):
                for frame in traceback.extract_tb(caught.__traceback__) if caught else ():
                    provoked.add((Path(frame.filename).name, frame.lineno))
    raised = {
        (path.name, node.lineno)
        for path in (NN / f"{module}.py" for module in MODULES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise) and node.exc is not None
    }
    assert raised <= provoked


def test_a_long_name_is_shortened(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f"{'x' * 10_000},{'y' * 10_000}\n1,2\noops,\n")
    with pytest.raises(ValueError, match="missing") as caught:
        Dataset.from_csv(path, header=True)
    assert well_formed(str(caught.value))
    with pytest.raises(ValueError, match="lacks") as caught:
        read_inputs(path, columns=["z" * 10_000], header=True)
    assert well_formed(str(caught.value))


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    for read in (Dataset.from_csv, Dataset.from_npz, read_inputs):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            read(tmp_path / "nowhere")  # type: ignore[operator]
