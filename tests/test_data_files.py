"""Data sets out of CSV and NPZ files."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from nn import Dataset, digits
from nn.csv_files import read_inputs, read_table


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def writer(content: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return writer


# What becomes of the cells


def test_texts_become_class_names_and_the_rest_inputs(write: Any) -> None:
    data = Dataset.from_csv(write("width, length ,kind\n1,2.5,cat\n-3e1, .5,ant\n4,5.,cat\n"))
    assert (data.columns, data.class_names, data.classes, data.label) == (
        ("width", "length"),
        ("ant", "cat"),
        2,
        "kind",
    )
    assert data.inputs.tolist() == [[1, 2.5], [-30, 0.5], [4, 5]]
    assert (data.targets.tolist(), data.targets.dtype) == ([1, 0, 1], np.int64)


@pytest.mark.parametrize(
    ("labels", "names", "targets"),
    [
        (["0", "1", "2"], ("0", "1", "2"), [0, 1, 2]),
        (["10", "9", "-1"], ("-1", "9", "10"), [2, 1, 0]),
        (["+1", "-1", "01"], ("-1", "1"), [1, 0, 1]),
        (["1", "2", "many"], ("1", "2", "many"), [0, 1, 2]),
        (["1.0", "2", "3"], None, [1.0, 2.0, 3.0]),
        (["1e0", "-2.5", ".5"], None, [1.0, -2.5, 0.5]),
        (["9" * 30, "1", "2"], None, [float("9" * 30), 1.0, 2.0]),
    ],
)
def test_labels_are_classes_unless_one_has_a_point(write: Any, labels: list[str], names: Any, targets: Any) -> None:
    data = Dataset.from_csv(write("x,y\n" + "".join(f"{i},{label}\n" for i, label in enumerate(labels))))
    assert (data.class_names, data.targets.tolist()) == (names, targets)
    assert data.classes == (None if names is None else len(names))


def test_whole_numbers_are_quantities_on_request(write: Any) -> None:
    data = Dataset.from_csv(write("x,y\n1,215000\n2,180000\n"), quantities=True)
    assert (data.targets.tolist(), data.targets.dtype, data.classes) == ([215000.0, 180000.0], np.float64, None)


def test_the_label_may_be_any_column_by_name_or_number(write: Any) -> None:
    path = write("kind,x,y\nb,1,2\na,3,4\n")
    for label in ("kind", 0, -3):
        data = Dataset.from_csv(path, label=label)
        assert (data.inputs.tolist(), data.class_names, data.columns) == ([[1, 2], [3, 4]], ("a", "b"), ("x", "y"))


def test_without_a_label_there_is_nothing_to_learn(write: Any) -> None:
    data = Dataset.from_csv(write("x,y\n1,2\n3,4\n"), label=None)
    assert (data.inputs.tolist(), data.targets.shape, data.label, data.classes) == (
        [[1, 2], [3, 4]],
        (2, 0),
        None,
        None,
    )
    assert data[1] == ([3.0, 4.0], [])


# The header


@pytest.mark.parametrize(
    ("text", "has_header"),
    [
        ("x,y\n1,2\n", True),
        ("1,2\n3,4\n", False),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n", False),
        ("a,b,kind\n5.1,3.5,setosa\n", True),
        ("a,2019\nb,3\n", False),
        ("x,y\nNA,2\n3,4\n", True),
        ("NA,2\n3,4\n", False),
        ("1,2\n", False),
        ("1,red\n", False),
    ],
)
def test_a_header_is_a_line_of_names_above_numbers(write: Any, text: str, has_header: bool) -> None:
    table = read_table(write(text))
    assert (table.columns is not None) == has_header
    assert table.lines[0] == 1 + has_header


def test_a_header_may_be_forced(write: Any) -> None:
    path = write("2019,2020\n1,2\n")
    assert Dataset.from_csv(path, header=True).columns == ("2019",)
    assert Dataset.from_csv(path, header=True).label == "2020"
    assert len(Dataset.from_csv(path, header=False)) == 2
    assert Dataset.from_csv(path, label="2020").columns == ("2019",)  # a name that was asked for is one


def test_spellings_of_files(write: Any) -> None:
    plain = Dataset.from_csv(write("x,y,kind\n1,2,a\n3,4,ü\n"))
    for text in (
        "\ufeffx,y,kind\n1,2,a\n3,4,ü\n",
        "x,y,kind\r\n1,2,a\r\n3,4,ü",
        "x,y,kind\r1,2,a\r3,4,ü\r",
        "\n\nx,y,kind\n\n1,2,a\n  \n3,4,ü\n\n",
        '"x", "y","kind"\n"1", 2 ,"a"\n3,"4",ü\n',
    ):
        data = Dataset.from_csv(write(text))
        assert list(data) == list(plain)
        assert (data.columns, data.class_names) == (plain.columns, plain.class_names)
    for delimiter in ";\t| ":
        data = Dataset.from_csv(write("x,y,kind\n1,2,a\n3,4,ü\n".replace(",", delimiter)), delimiter=delimiter)
        assert list(data) == list(plain)


def test_lines_are_counted_as_an_editor_shows_them(write: Any) -> None:
    assert read_table(write('a,b\n"1\n2",x\n\n3,"y\r\nz"\n4,5\n'), header=True).lines == (2, 5, 7)


def test_a_table_shows_its_size_and_its_names(write: Any) -> None:
    assert repr(read_table(write("x,y\n1,2\n"))) == "Table(data.csv, rows=1, columns=2: x, y)"
    assert repr(read_table(write("1,2\n"))) == "Table(data.csv, rows=1, columns=2: without names)"


# Reading like the training data


def test_a_second_file_is_read_like_the_first(write: Any) -> None:
    train = Dataset.from_csv(write("x,y,kind\n1,2,b\n3,4,a\n5,6,c\n"))
    assert (train.columns, train.class_names, train.label) == (("x", "y"), ("a", "b", "c"), "kind")
    path = write("kind,y,x\nc,20,10\nb,40,30\n", "other.csv")
    other = Dataset.from_csv(path, label=train.label, columns=train.columns, class_names=train.class_names)
    assert (other.inputs.tolist(), other.targets.tolist()) == ([[10, 20], [30, 40]], [2, 1])
    assert (other.classes, other.class_names, other.columns) == (3, train.class_names, train.columns)


def test_inputs_alone_are_found_by_name_with_or_without_the_label(write: Any) -> None:
    for text in ("y,x\n2,1\n4,3\n", "kind,y,x\n?,2,1\nb,4,3\n", "1,2\n3,4\n"):
        assert read_inputs(write(text), columns=("x", "y"), label="kind").tolist() == [[1, 2], [3, 4]]
    assert read_inputs(write("1,2\n3,4\n")).tolist() == [[1, 2], [3, 4]]


def test_whole_number_classes_are_known_in_any_spelling(write: Any) -> None:
    data = Dataset.from_csv(write("1,+3\n2,01\n"), class_names=("1", "2", "3"))
    assert data.targets.tolist() == [2, 0]


def test_points_in_names_of_classes_are_no_quantities_when_the_names_are_given(write: Any) -> None:
    assert Dataset.from_csv(write("1,1.0\n2,2.0\n"), class_names=("1.0", "2.0")).targets.tolist() == [0, 1]


# Round trips

names = st.lists(
    st.text("abcxyz äß\",;\n'", min_size=1).filter(lambda s: s.strip() == s), min_size=3, max_size=3, unique=True
)
cells = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(st.tuples(cells, cells, st.integers(0, 2)), min_size=1, max_size=20),
    names,
    st.sampled_from(["classes", "numbers", "quantities"]),
    st.sampled_from([",", ";", "\t"]),
)
def test_what_is_written_is_read_again(
    rows: list[tuple[float, float, int]], names: list[str], kind: str, delimiter: str
) -> None:
    text = {"classes": str, "numbers": lambda i: str(i * 5 - 3), "quantities": lambda i: repr(i / 2)}[kind]
    called = [f"c {name}" for name in names]
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter)
    writer.writerow(names)
    writer.writerows([repr(x), repr(y), called[i] if kind == "classes" else text(i)] for x, y, i in rows)
    with TemporaryDirectory() as folder:
        path = Path(folder, "data.csv")
        path.write_text(written.getvalue(), encoding="utf-8", newline="")
        data = Dataset.from_csv(path, delimiter=delimiter)
    assert data.columns == tuple(names[:2])
    assert data.inputs.tolist() == [[x, y] for x, y, _ in rows]
    if kind == "quantities":
        assert data.targets.tolist() == [i / 2 for *_, i in rows]
    else:
        assert data.class_names is not None
        found = [data.class_names[label] for label in data.targets]
        assert found == [called[i] if kind == "classes" else text(i) for *_, i in rows]


@given(st.text(max_size=60) | st.text('12.,\n;"ab- \r', max_size=60))
def test_any_text_is_a_table_or_refused_with_the_name_of_the_file(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "any.csv")
        path.write_bytes(text.encode("utf-8", "replace"))
        try:
            refusal = "" if len(Dataset.from_csv(path)) else "no rows"
        except ValueError as error:
            refusal = str(error)
    assert not refusal or refusal.startswith("any.csv")


# NPZ


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back_with_their_shape(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "pictures.npz"
    whole = digits()
    save(path, inputs=whole.inputs.reshape(-1, 7, 7), targets=whole.targets, other=[{}])
    data = Dataset.from_npz(path)
    assert (data.shape, data.classes, data.targets.tolist()) == ((7, 7), 10, whole.targets.tolist())
    assert np.array_equal(data.inputs, whole.inputs)
    save(path, X=np.arange(6).reshape(2, 3), y=[0.5, 1.5])
    data = Dataset.from_npz(path, inputs="X", targets="y")
    assert (data.shape, data.classes, data[1]) == ((3,), None, ([3.0, 4.0, 5.0], 1.5))


def test_a_pickle_in_a_file_does_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    path = tmp_path / "trap.npz"
    np.savez(path, inputs=np.array([Trap()], dtype=object), targets=[0])
    with pytest.raises(ValueError, match="holds Python objects, which are not read: store numbers"):
        Dataset.from_npz(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_file_is_read_or_refused_with_its_name(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "damaged.npz"
    save(path, inputs=np.arange(6.0).reshape(3, 2), targets=[0, 1, 0])
    good = path.read_bytes()
    flipped = [good[:i] + bytes([good[i] ^ 0x81]) + good[i + 1 :] for i in range(len(good))]
    for bad in [*flipped, *(good[:i] for i in range(0, len(good), 7))]:
        path.write_bytes(bad)
        outcome: Any
        try:
            data = Dataset.from_npz(path)
            outcome = data.inputs.ravel().tolist(), data.targets.tolist()
        except (TypeError, ValueError) as error:
            outcome = str(error)
        whole = outcome == (list(map(float, range(6))), [0, 1, 0])
        assert whole or outcome.startswith("damaged.npz"), outcome
