"""Inputs shifted and scaled as the training rows have it, and only these."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from nn import Dataset, Normalization, Split, digits

columns = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=width, max_size=width),
        min_size=2,
        max_size=30,
    )
)


def labelled(rows: Any) -> Dataset:
    return Dataset(rows, [0] * len(rows))


@given(columns)
def test_the_training_rows_have_mean_0_and_deviation_1(rows: list[list[float]]) -> None:
    train = labelled(rows)
    normalization = Normalization.fit(train)
    result = normalization(train).inputs
    constant = train.inputs.max(axis=0) == train.inputs.min(axis=0)
    assert (result[:, constant] == 0).all()
    # A column of numbers far larger than their deviation has that much fewer digits left.
    loss = 1e-12 * (1 + np.abs(normalization.mean) / normalization.scale)
    assert (np.abs(result.mean(axis=0)) <= loss).all()
    assert (np.abs(result.std(axis=0) - 1)[~constant] <= loss[~constant]).all()
    assert np.allclose(normalization.inverse(result), train.inputs, rtol=1e-12, atol=1e-9)


@given(columns, st.floats(-1e9, 1e9), st.integers(0, 1000))
def test_test_rows_never_influence_the_fit(rows: list[list[float]], other: float, seed: int) -> None:
    train, far = labelled(rows), labelled([[other] * len(rows[0])])
    split, normalization = Split(train, far, far).normalized()
    alone = Normalization.fit(train)
    assert normalization.mean.tolist() == alone.mean.tolist()
    assert normalization.scale.tolist() == alone.scale.tolist()
    assert split.train.inputs.tolist() == alone(train).inputs.tolist()
    assert split.test.inputs.tolist() == ((far.inputs - alone.mean) / alone.scale).tolist()


def test_the_numbers_of_an_example() -> None:
    normalization = Normalization.fit(labelled([[1.0, 5.0], [2.0, 5.0], [6.0, 5.0]]))
    assert normalization.mean.tolist() == [3.0, 5.0]
    assert normalization.scale.tolist() == pytest.approx([(14 / 3) ** 0.5, 1.0], rel=1e-15)  # divided by n, not n - 1
    assert normalization.transform([3.0, 7.0]).tolist() == [0.0, 2.0]


def test_a_constant_column_becomes_0_and_stays_finite_elsewhere() -> None:
    normalization = Normalization.fit(labelled([[0.1]] * 7))
    assert (normalization.mean.tolist(), normalization.scale.tolist()) == ([0.1], [1.0])
    assert normalization.transform([[0.1], [1.1]]).tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e200, 8e307])
def test_no_square_overflows_or_vanishes(size: float) -> None:
    train = labelled([[size], [-size]])
    assert Normalization.fit(train)(train).inputs.tolist() == [[1.0], [-1.0]]


def test_everything_else_of_the_rows_stays() -> None:
    data = Dataset(
        [[1.0, 2.0, 3.0, 4.0]] * 6, [0, 1] * 3, shape=(2, 2), columns=list("abcd"), class_names=["no", "yes"]
    )
    split, _ = data.split(train=0.5, validation=0, test=0.5).normalized()
    for before, after in zip(data.split(train=0.5, validation=0, test=0.5), split, strict=True):
        assert after.targets.tolist() == before.targets.tolist()
        assert after.rows.tolist() == before.rows.tolist()
        assert (after.shape, after.columns, after.class_names) == (before.shape, before.columns, before.class_names)
        assert not after.inputs.flags.writeable


def test_two_arrays_make_it_again() -> None:
    _, normalization = digits().split().normalized()
    again = Normalization(normalization.mean, normalization.scale)
    for other in (again, copy.deepcopy(normalization), pickle.loads(pickle.dumps(normalization))):
        assert np.array_equal(other(digits()).inputs, normalization(digits()).inputs)
    for array in (normalization.mean, normalization.scale):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_its_arrays_are_copies() -> None:
    mean, scale = np.zeros(2), np.ones(2)
    normalization = Normalization(mean, scale)
    mean[:], scale[:] = 9, 9
    assert (normalization.mean.tolist(), normalization.scale.tolist()) == ([0, 0], [1, 1])
    assert repr(normalization) == "Normalization(width=2)"
