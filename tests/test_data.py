"""What `nn.data` and the shipped digits promise."""

import hashlib
import os
import pickle
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from nn import Dataset, Split, digits
from nn.datasets import make_digits

NAN, INF = float("nan"), float("inf")


def numbered(labels: Any, **options: Any) -> Dataset:
    """A data set whose input is the number of its row, so that rows can be followed around."""
    return Dataset(np.arange(len(labels)).reshape(-1, 1), labels, **options)


def rows_of(data: Dataset) -> list[int]:
    return [int(row) for row in data.inputs[:, 0]]


def fingerprint(seed: int) -> str:
    """A hash of one split and two epochs of batches."""
    parts = digits().split(seed=seed)
    batches = [batch for epoch in range(2) for batch in parts.train.batches(32, seed=seed, epoch=epoch)]
    return hashlib.sha256(b"".join(part.inputs.tobytes() for part in [*parts, *batches])).hexdigest()


# Construction


def test_inputs_become_float64_and_whole_number_targets_become_labels() -> None:
    data = Dataset([[0, 1.0, True], [2, 3, 0.5]], [2, 0])
    assert data.inputs.dtype == np.float64
    assert data.inputs.tolist() == [[0, 1, 1], [2, 3, 0.5]]
    assert data.targets.dtype == np.int64
    assert (data.classes, data.shape, data.width, len(data)) == (3, (3,), 3, 2)


@pytest.mark.parametrize("labels", [[True, False], [1.0, 0.0], np.array([1, 0], dtype=np.uint8)])
def test_any_whole_numbers_are_labels_when_classes_is_given(labels: Any) -> None:
    data = Dataset([[1], [2]], labels, classes=4)
    assert data.targets.dtype == np.int64
    assert (data.targets.tolist(), data.classes) == ([1, 0], 4)


@pytest.mark.parametrize("targets", [[1.0, 2.0], [0.5, -7.0], [[1, 2], [3, 4]], [[1.0], [0.0]]])
def test_floats_and_several_targets_a_row_are_quantities(targets: Any) -> None:
    data = Dataset([[1], [2]], targets)
    assert data.targets.dtype == np.float64
    assert (data.targets.tolist(), data.classes) == (targets, None)


def test_repr_is_one_line() -> None:
    assert repr(Dataset([[1] * 49], [1], shape=(7, 7))) == "Dataset(rows=1, shape=(7, 7), classes=2)"
    assert repr(Dataset([[1, 2]], [0.5])) == "Dataset(rows=1, shape=(2,), classes=None)"


def test_later_mutation_changes_nothing() -> None:
    inputs, targets = np.ones((2, 2)), np.array([0, 1])
    data = Dataset(inputs, targets)
    inputs[:], targets[:] = 9, 9
    assert data[1] == ([1.0, 1.0], 1)
    row, _ = data[0]
    row[0] = 9
    assert data[0] == ([1.0, 1.0], 0)


@pytest.mark.parametrize("part", ["whole", "slice", "split", "batch"])
def test_arrays_are_read_only_everywhere(part: str) -> None:
    whole = numbered([0, 1] * 10)
    data = {"whole": whole, "slice": whole[:3], "split": whole.split().train, "batch": next(whole.batches(4, seed=0))}
    for array in (data[part].inputs, data[part].targets, data[part].rows):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize(
    ("inputs", "targets", "options", "error", "message"),
    [
        ([[1, 2], [3]], [0, 1], {}, ValueError, r"^inputs: row 1 has length 1, row 0 has 2: give every row the same"),
        ([[1, 2], 3], [0, 1], {}, ValueError, r"^inputs: row 1 has length 0, row 0 has 2: give every row the same"),
        ([[[1], [2, 3]]], [0], {}, ValueError, r"^inputs: rows differ inside: give every row the same length"),
        ([[1], [2]], [[0], [0, 1]], {}, ValueError, r"^targets: row 1 has length 2, row 0 has 1: give every row"),
        ([], [], {}, ValueError, r"^inputs is empty \(shape \(0,\)\): give at least one row"),
        (
            [[], []],
            [0, 1],
            {},
            ValueError,
            r"^inputs is empty \(shape \(2, 0\)\): give at least one row of at least one",
        ),
        ([[1]], [], {}, ValueError, r"^targets is empty"),
        (3, [0], {}, ValueError, r"^inputs has shape \(\), but must be \(rows, width\)"),
        (
            [1, 2],
            [0, 1],
            {},
            ValueError,
            r"shape \(2,\), but must be \(rows, width\): use inputs.reshape\(len\(inputs\)",
        ),
        (np.ones((2, 7, 7)), [0, 1], {}, ValueError, r"shape \(2, 7, 7\), but must be .*, and shape= for a picture"),
        ([[1]], 0, {}, ValueError, r"^targets has shape \(\), but must be \(rows,\) or \(rows, k\): reshape it"),
        ([[1]], [[[0]]], {}, ValueError, r"^targets has shape \(1, 1, 1\), but must be \(rows,\) or \(rows, k\)"),
        ([[1], [2]], [0], {}, ValueError, r"^inputs has 2 rows and targets has 1, .*: leave out the rows"),
        (
            [[1, 2], [3, NAN]],
            [0, 1],
            {},
            ValueError,
            r"^row 1, column 1 of inputs is nan, but only finite .*nan_to_num",
        ),
        ([[1, -INF], [3, 4]], [0, 1], {}, ValueError, r"^row 0, column 1 of inputs is -inf, but only finite"),
        ([[1], [2]], [0.5, NAN], {}, ValueError, r"^row 1 of targets is nan, but only finite .*: leave its row out"),
        ([[1], [2]], [[1, 2], [INF, 1]], {}, ValueError, r"^row 1, column 0 of targets is inf, but only finite"),
        ([[1]], [NAN], {"classes": 2}, ValueError, r"^row 0 of targets is nan, but only finite"),
        (
            [[1, "two"]],
            [0],
            {},
            TypeError,
            r"^row 0, column 1 of inputs is 'two' \(str\), but only real .*: convert it",
        ),
        ([[1], [None]], [0, 1], {}, TypeError, r"^row 1, column 0 of inputs is None \(NoneType\), but only real"),
        ([[1, 2j]], [0], {}, TypeError, r"^row 0, column 1 of inputs is 2j \(complex\), but only real numbers"),
        ([[10**400]], [0], {}, TypeError, r"^row 0, column 0 of inputs is 10+\.\.\.0+ \(int\), but only real"),
        ([[1], [2]], [0, "cat"], {}, TypeError, r"^row 1 of targets is 'cat' \(str\), but only real numbers"),
        (None, [0], {}, TypeError, r"^inputs is None \(NoneType\), but only real numbers are legal: convert it"),
        ([[1]], None, {}, TypeError, r"^targets is None \(NoneType\), but only real numbers are legal"),
        ({1, 2}, [0, 1], {}, TypeError, r"^inputs is \{1, 2\} \(set\), but only real numbers are legal"),
        (np.zeros(1, dtype=[("a", int)]), [0], {}, TypeError, r"^inputs is array\(.*\(ndarray\), but only real"),
        (
            [[1], [2]],
            [0, 2.5],
            {"classes": 3},
            ValueError,
            r"^row 1 of targets is 2.5, .* whole numbers from 0 to 2: ren",
        ),
        ([[1], [2]], [0, 3], {"classes": 3}, ValueError, r"^row 1 of targets is 3, .* from 0 to 2: .*set classes="),
        ([[1], [2]], [1, -1], {"classes": 3}, ValueError, r"^row 1 of targets is -1, .* whole numbers from 0 to 2"),
        ([[1]], [1e300], {"classes": 3}, ValueError, r"^row 0 of targets is 1e\+300, .* whole numbers from 0 to 2"),
        ([[1], [2]], [-1, 1], {}, ValueError, r"^row 0 of targets is -1, .* for regression write floats"),
        ([[1]], [-1], {}, ValueError, r"^row 0 of targets is -1, .* whole numbers from 0 to 0"),
        ([[1]], np.array([2**63], np.uint64), {}, ValueError, r"^row 0 of targets is 9223372036854775808, but labels"),
        (
            [[1]],
            [[0]],
            {"classes": 2},
            ValueError,
            r"^targets has shape \(1, 1\), .* one label per row: leave classes=",
        ),
        ([[1]], [0], {"classes": 0}, ValueError, r"^classes is 0, but must be a whole number, 1 or more"),
        ([[1]], [0], {"classes": 2.5}, TypeError, r"^classes is 2.5, but must be a whole number, 1 or more"),
        ([[1]], [0], {"classes": True}, TypeError, r"^classes is True, but must be a whole number"),
        (
            [[1] * 49],
            [0],
            {"shape": (7, 8)},
            ValueError,
            r"^shape \(7, 8\) holds 56 numbers, but one input has 49: make",
        ),
        ([[1] * 49], [0], {"shape": (-7, -7)}, ValueError, r"^a side of shape is -7, but must be a whole number, 1 or"),
        ([[1] * 49], [0], {"shape": (7, 7.0)}, TypeError, r"^a side of shape is 7.0, but must be a whole number"),
    ],
)
def test_a_bad_data_set_is_refused_with_its_place_and_the_fix(
    inputs: Any, targets: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Dataset(inputs, targets, **options)


# Reading rows


def test_an_index_gives_plain_python_numbers() -> None:
    x, label = Dataset([[1, 2]], [1])[0]
    assert (x, label) == ([1.0, 2.0], 1)
    assert [type(number) for number in [*x, label]] == [float, float, int]
    assert type(Dataset([[1]], [1.0])[0][1]) is float
    assert Dataset([[1]], [[1, 2]])[0] == ([1.0], [1.0, 2.0])


def test_indices_count_from_the_end_too_and_may_be_numpy_integers() -> None:
    data = numbered([0, 1, 2])
    assert data[-1] == data[2] == data[np.int64(2)] == ([2.0], 2)


@pytest.mark.parametrize("index", [3, -4])
def test_a_row_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError, match=f"^there is no row {index} in a data set of 3 rows"):
        numbered([0, 1, 2])[index]


@pytest.mark.parametrize("index", ["0", 1.0, None, [0, 1]])
def test_an_index_that_is_not_a_whole_number(index: Any) -> None:
    with pytest.raises(TypeError, match=f"'{type(index).__name__}' object cannot be interpreted as an integer"):
        numbered([0, 1, 2])[index]


def test_a_slice_is_a_data_set_of_the_same_kind() -> None:
    data = Dataset(np.arange(24).reshape(6, 4), [0, 1, 2, 0, 1, 2], shape=(2, 2))
    part = data[1:6:2]
    assert isinstance(part, Dataset)
    assert list(part) == [data[1], data[3], data[5]]
    assert (data[:2].classes, data[:2].shape) == (3, (2, 2))
    assert list(data[::-1]) == list(data)[::-1]
    assert list(data[4:2]) == []


def test_iteration_gives_every_row_in_order_and_can_be_repeated() -> None:
    data = numbered([0.5, 1.5, 2.5])
    assert list(data) == [data[0], data[1], data[2]] == list(data)


# Names, and the numbers of rows


def test_names_of_columns_and_classes_go_wherever_the_rows_go() -> None:
    whole = Dataset(
        np.ones((20, 2)), [0, 1] * 10, columns=["a", "b"], class_names=np.array(["no", "yes", "?"]), label="y"
    )
    for data in (whole, whole[3:], whole.split().test, next(whole.batches(4, seed=0)), whole.with_inputs(whole.inputs)):
        assert (data.columns, data.class_names, data.classes, data.label) == (("a", "b"), ("no", "yes", "?"), 3, "y")
    assert (numbered([0]).columns, numbered([0]).class_names, numbered([0]).label) == (None, None, None)
    assert Dataset([[1]], [1.0], class_names=["no", "yes"]).targets.tolist() == [1]


def test_row_numbers_are_those_of_the_first_data_set() -> None:
    data = numbered([0, 1] * 20)
    assert data.rows.tolist() == list(range(40))
    assert data.rows.dtype == np.int64
    assert data[30:2:-3][1:4].rows.tolist() == [27, 24, 21]
    for part in data.split(seed=1):
        assert part.rows.tolist() == rows_of(part)
        for batch in part.batches(4, seed=2, epoch=3):
            assert batch.rows.tolist() == rows_of(batch)


def test_rows_may_have_no_targets() -> None:
    data = Dataset([[1], [2]], np.empty((2, 0)))
    assert (data[0], data.classes, next(data.batches(1, seed=None)).targets.shape) == (([1.0], []), None, (1, 0))


def test_other_inputs_leave_the_old_ones_alone() -> None:
    data = numbered([0, 1])
    assert data.with_inputs([[5], [6]]).inputs.tolist() == [[5.0], [6.0]]
    assert data.inputs.tolist() == [[0.0], [1.0]]


# Splits

weights = st.tuples(*[st.integers(0, 20)] * 3).filter(any)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), weights, st.integers(0, 2**70), st.booleans())
def test_a_split_is_a_partition_in_proportion(
    labels: list[int], weights: tuple[int, int, int], seed: int, stratify: bool
) -> None:
    data = numbered(labels)
    fractions = dict(zip(Split._fields, (weight / sum(weights) for weight in weights), strict=True))
    try:
        parts = data.split(**fractions, seed=seed, stratify=stratify)
    except ValueError:
        # A part has its share rounded down at least, so it is refused as empty only if its share is below one row.
        assert any(0 < fraction * len(data) < 1 for fraction in fractions.values())
        return
    assert sorted(row for part in parts for row in rows_of(part)) == list(range(len(data)))
    counts = Counter(labels)
    for part, fraction in zip(parts, fractions.values(), strict=True):
        assert abs(len(part) - fraction * len(data)) < 1
        assert (len(part) == 0) == (fraction == 0)
        assert part.targets.tolist() == [labels[row] for row in rows_of(part)]
        assert (part.classes, part.shape) == (data.classes, data.shape)
        if stratify:
            found = Counter(part.targets.tolist())
            assert all(abs(found[c] - counts[c] * len(part) / len(data)) <= 1 for c in counts)


def test_the_default_split_of_the_digits() -> None:
    data = digits()
    split = data.split()
    assert split._fields == ("train", "validation", "test")
    assert [len(part) for part in split] == [1258, 270, 269]
    for part, fraction in zip(split, (0.7, 0.15, 0.15), strict=True):
        expected = np.bincount(data.targets) * fraction
        assert np.abs(np.bincount(part.targets) - expected).max() < 1.2  # one row, and the rounding of the part's size


def test_rare_classes_are_shared_out_and_do_not_crowd_the_others() -> None:
    split = numbered([0] * 50 + list(range(1, 51))).split()
    assert [int((part.targets == 0).sum()) for part in split] == pytest.approx([35, 7.5, 7.5], abs=1)
    assert [int((part.targets != 0).sum()) for part in split] == pytest.approx([35, 7.5, 7.5], abs=1)


def test_a_split_is_shuffled_and_does_not_sort_by_class() -> None:
    data = numbered([0] * 50 + [1] * 50)
    train = data.split().train
    assert rows_of(train) != sorted(rows_of(train))
    assert set(train.targets[:35].tolist()) == set(train.targets[35:].tolist()) == {0, 1}


def test_a_seed_repeats_its_split_and_another_gives_another() -> None:
    data = numbered([0, 1] * 50)
    assert rows_of(data.split(seed=3).test) == rows_of(data.split(seed=3).test)
    assert rows_of(data.split(seed=3).test) != rows_of(data.split(seed=4).test)


def test_without_stratify_the_classes_fall_as_they_may() -> None:
    data = numbered([0, 1] * 50)
    ones = [[int(data.split(seed=seed, stratify=s).train.targets.sum()) for seed in range(9)] for s in (True, False)]
    assert set(ones[0]) == {35}
    assert len(set(ones[1])) > 2


def test_regression_data_is_shuffled_whatever_stratify_says() -> None:
    data = numbered([0.0, 1.0] * 20)
    for stratified, plain in zip(data.split(stratify=True), data.split(stratify=False), strict=True):
        assert rows_of(stratified) == rows_of(plain)


def test_a_fraction_of_zero_is_a_part_without_rows() -> None:
    train, validation, test = numbered([0, 1] * 5).split(train=0.8, validation=0, test=0.2)
    assert (len(train), len(validation), len(test)) == (8, 0, 2)
    assert list(validation) == []
    assert list(validation.batches(4, seed=0)) == []
    assert (validation.width, validation.classes) == (1, 2)
    assert len(numbered([0]).split(train=1, validation=0, test=0).train) == 1


@pytest.mark.parametrize("rows", [1, 2])
def test_too_few_rows_for_three_parts(rows: int) -> None:
    with pytest.raises(ValueError, match=rf"=0.15 of {rows} rows leaves no row: raise it, set it to 0, or add rows"):
        numbered([0] * rows).split()


def test_an_empty_part_cannot_be_split() -> None:
    with pytest.raises(ValueError, match=r"^train=0.7 of 0 rows leaves no row"):
        numbered([0, 1])[:0].split()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"train": 1.2}, ValueError, r"^train is 1.2, but must be from 0 to 1: write 20 % as train=0.2"),
        ({"test": -0.1}, ValueError, r"^test is -0.1, but must be from 0 to 1"),
        ({"validation": NAN}, ValueError, r"^validation is nan, but must be from 0 to 1"),
        ({"train": 0.8}, ValueError, r"^train \+ validation \+ test is 1.1, but must be 1: give all three, such as"),
        ({"train": 0, "validation": 0, "test": 0}, ValueError, r"^train \+ validation \+ test is 0, but must be 1"),
        ({"train": "0.7"}, TypeError, r"^train is '0.7', but must be a fraction of the rows, such as train=0.2"),
        ({"test": None}, TypeError, r"^test is None, but must be a fraction of the rows"),
        ({"validation": True}, TypeError, r"^validation is True, but must be a fraction of the rows"),
        ({"seed": -1}, ValueError, r"^seed is -1, but must be a whole number, 0 or more"),
        ({"seed": 1.5}, TypeError, r"^seed is 1.5, but must be a whole number, 0 or more"),
        ({"seed": None}, TypeError, r"^seed is None, but must be a whole number, 0 or more"),
    ],
)
def test_a_bad_split_is_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        numbered([0, 1] * 10).split(**options)


# Batches


@given(st.integers(1, 60), st.integers(1, 70), st.none() | st.integers(0, 2**70), st.integers(0, 2**40))
def test_batches_hold_each_row_exactly_once(rows: int, size: int, seed: int | None, epoch: int) -> None:
    data = numbered([row % 3 for row in range(rows)])
    batches = list(data.batches(size, seed=seed, epoch=epoch))
    assert sorted(row for batch in batches for row in rows_of(batch)) == list(range(rows))
    assert [len(batch) for batch in batches] == [size] * (rows // size) + [rows % size] * (rows % size > 0)
    for batch in batches:
        assert batch.targets.tolist() == [row % 3 for row in rows_of(batch)]
        assert (batch.classes, batch.shape) == (data.classes, data.shape)


@given(st.integers(1, 60), st.integers(1, 70), st.none() | st.integers(0, 99), st.integers(0, 9))
def test_without_the_last_short_batch_all_are_full(rows: int, size: int, seed: int | None, epoch: int) -> None:
    data = numbered([0] * rows)
    if size > rows:
        with pytest.raises(
            ValueError, match=f"^drop_last leaves no batch of {size} rows, as there are {rows}: use a size"
        ):
            data.batches(size, seed=seed, epoch=epoch, drop_last=True)
        return
    every = list(data.batches(size, seed=seed, epoch=epoch))
    full = list(data.batches(size, seed=seed, epoch=epoch, drop_last=True))
    assert [rows_of(batch) for batch in full] == [rows_of(batch) for batch in every if len(batch) == size]


def test_other_rows_are_left_out_in_each_epoch() -> None:
    data = numbered([0] * 10)
    kept = [
        {row for batch in data.batches(4, seed=0, epoch=e, drop_last=True) for row in rows_of(batch)} for e in (0, 1)
    ]
    assert kept[0] != kept[1]


def order_of(data: Dataset, **options: Any) -> list[int]:
    return [row for batch in data.batches(8, **options) for row in rows_of(batch)]


def test_each_epoch_has_its_own_order_and_repeats_it() -> None:
    data = numbered([0] * 64)
    orders = [order_of(data, seed=seed, epoch=epoch) for seed in (0, 1, 2**32) for epoch in range(4)]
    assert orders == [order_of(data, seed=seed, epoch=epoch) for seed in (0, 1, 2**32) for epoch in range(4)]
    assert len({tuple(order) for order in orders}) == len(orders)
    assert order_of(data, seed=0) == orders[0]


def test_batches_do_not_repeat_the_shuffle_of_the_split() -> None:
    data = numbered([0.0] * 64)
    assert rows_of(data.split(train=1, validation=0, test=0, seed=5).train) != order_of(data, seed=5)


def test_without_a_seed_the_rows_keep_their_order() -> None:
    assert order_of(numbered([0] * 20), seed=None, epoch=7) == list(range(20))


@pytest.mark.parametrize(
    ("size", "options", "error", "message"),
    [
        (0, {}, ValueError, r"^size is 0, but must be a whole number, 1 or more"),
        (-1, {}, ValueError, r"^size is -1, but must be a whole number, 1 or more"),
        (2.5, {}, TypeError, r"^size is 2.5, but must be a whole number, 1 or more"),
        (True, {}, TypeError, r"^size is True, but must be a whole number"),
        (None, {}, TypeError, r"^size is None, but must be a whole number"),
        (4, {"seed": -1}, ValueError, r"^seed is -1, but must be a whole number, 0 or more"),
        (4, {"seed": "a"}, TypeError, r"^seed is 'a', but must be a whole number, 0 or more"),
        (4, {"epoch": -1}, ValueError, r"^epoch is -1, but must be a whole number, 0 or more"),
        (4, {"epoch": 0.5}, TypeError, r"^epoch is 0.5, but must be a whole number, 0 or more"),
    ],
)
def test_bad_batches_are_refused_at_the_call(
    size: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        numbered([0] * 8).batches(size, **{"seed": 0, **options})


# Randomness


def test_the_global_generators_are_not_touched() -> None:
    def states() -> bytes:
        return pickle.dumps((random.getstate(), np.random.get_state()))

    before = states()
    fingerprint(0)
    assert states() == before


def test_another_process_deals_the_same_rows() -> None:
    root = Path(__file__).parents[1]
    script = "import sys; sys.path[:0] = ['tests', '.']; from test_data import fingerprint; print(fingerprint(11))"
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == fingerprint(11) != fingerprint(12)


# The digits

# Ink in columns 1 to 7 of scikit-learn's 8×8 pictures, in the source's units of 1/16: their sum is 561,671.
SOURCE_INK = [22_060, 111_764, 139_371, 140_798, 111_088, 34_994, 1_596]


def stored() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    with np.load(make_digits.DATA_FILE, allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"]


def test_the_stored_arrays() -> None:
    images, labels = stored()
    assert images.dtype == labels.dtype == np.uint8
    assert (images.shape, labels.shape) == ((1797, 7, 7), (1797,))
    assert (images.min(), images.max()) == (0, make_digits.FULL_INK)
    assert make_digits.DATA_FILE.stat().st_size < 64 * 1024


def test_the_digits_are_1797_pictures_between_0_and_1() -> None:
    data = digits()
    assert (len(data), data.width, data.shape, data.classes) == (1797, 49, (7, 7), 10)
    assert np.bincount(data.targets).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (data.inputs.min(), data.inputs.max()) == (0.0, 1.0)
    assert np.array_equal(data.inputs * make_digits.FULL_INK, stored()[0].reshape(1797, 49))
    assert data.targets[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_the_first_digit_looks_like_a_zero() -> None:
    picture = digits().inputs[0].reshape(7, 7)
    assert picture[3, 3] == 0
    assert all(picture[3, side].max() > 0.3 for side in (slice(0, 3), slice(4, 7)))


def test_resampling_kept_the_ink_of_every_column() -> None:
    # Seven rows of eighths instead of eight rows of ones: the same mean is 7 times the sum.
    assert stored()[0].sum(axis=(0, 1)).tolist() == [7 * ink for ink in SOURCE_INK]
    assert digits().inputs.mean() == pytest.approx(561_671 / (1797 * 56 * 16), rel=1e-12)


def test_resampling_is_the_integral_over_each_new_pixel() -> None:
    images = np.random.Generator(np.random.PCG64(0)).integers(0, 17, size=(50, 8, 8))
    # Cut each row into 7 slices: a new row is exactly 8 of them, of weight 1/8 each.
    slices = np.repeat(images[:, :, 1:], 7, axis=1).reshape(50, 7, 8, 7)
    assert np.array_equal(make_digits.resample(images), slices.sum(axis=2))
    assert make_digits.resample(np.full((1, 8, 8), 16)).tolist() == np.full((1, 7, 7), 128).tolist()


def test_the_shipped_file_is_what_the_script_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn", reason="only the script that made the digits needs scikit-learn")
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    make_digits.main(first)
    make_digits.main(second)
    assert first.read_bytes() == second.read_bytes()
    assert "column 0 held 47 of 561718 units of ink (0.0084%)" in capsys.readouterr().out
    with np.load(first, allow_pickle=False) as made:
        for name, array in zip(("images", "labels"), stored(), strict=True):
            assert np.array_equal(made[name], array)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.ones((2, 8, 8)), r"^load_digits gave \(2, 8, 8\) pictures up to 1.0, not 1797"),
        (np.full((1797, 8, 8), 17.0), r"pictures up to 17.0, not 1797 of 8×8 to 16"),
        (np.full((1797, 8, 8), 0.5), r"pictures up to 0.5, not 1797 of 8×8 to 16"),
        (np.ones((1797, 8, 8)), r"^column 0 holds 12.5000% of the ink, which is too much to drop"),
    ],
)
def test_the_script_refuses_another_source(
    images: NDArray[np.float64], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = SimpleNamespace(load_digits=lambda: SimpleNamespace(images=images, target=np.zeros(len(images))))
    monkeypatch.setitem(sys.modules, "sklearn.datasets", source)
    with pytest.raises(ValueError, match=message):
        make_digits.main(tmp_path / "digits.npz")
    assert not list(tmp_path.iterdir())
