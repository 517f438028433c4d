"""The data sets by name: seeded, evenly dealt, and of the shape that their names say."""

import pickle
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from nn import DATASETS, blobs, circles, digits, moons, spirals, xor

DRAWN = {name: make for name, make in DATASETS.items() if name != "digits"}
EVERY_DRAWN = pytest.mark.parametrize("name", DRAWN)


def test_the_names() -> None:
    assert list(DATASETS) == ["digits", "moons", "circles", "spirals", "xor", "blobs"]
    assert np.array_equal(DATASETS["digits"](seed=5).inputs, digits().inputs)


@EVERY_DRAWN
def test_a_seed_repeats_its_points_and_another_draws_others(name: str) -> None:
    make = DRAWN[name]
    first, again, other = make(50, seed=1), make(50, seed=1), make(50, seed=2)
    assert first.inputs.tobytes() == again.inputs.tobytes()
    assert first.targets.tobytes() == again.targets.tobytes()
    assert first.inputs.tobytes() != other.inputs.tobytes()


@EVERY_DRAWN
def test_the_global_generators_are_not_touched(name: str) -> None:
    before = pickle.dumps((random.getstate(), np.random.get_state()))
    DRAWN[name](seed=3)
    assert pickle.dumps((random.getstate(), np.random.get_state())) == before


@given(st.sampled_from(sorted(DRAWN)), st.integers(4, 60), st.integers(0, 2**70))
def test_classes_are_dealt_evenly_and_shuffled(name: str, n: int, seed: int) -> None:
    data = DRAWN[name](n, seed=seed)
    assert (len(data), data.shape, data.columns) == (n, (2,), ("x", "y"))
    counts = np.bincount(data.targets, minlength=data.classes or 0)
    assert counts.max() - counts.min() <= (2 if name == "xor" else 1)
    assert len(counts) == data.classes


@EVERY_DRAWN
def test_no_class_comes_first(name: str) -> None:
    data = DRAWN[name](200)
    assert set(data.targets[:50].tolist()) == set(range(data.classes))


@EVERY_DRAWN
def test_noise_moves_points_by_its_deviation(name: str) -> None:
    make: Any = DRAWN[name]
    still, moved = make(2000, noise=0, seed=4), make(2000, noise=0.3, seed=4)
    assert still.targets.tolist() == moved.targets.tolist()
    assert (moved.inputs - still.inputs).std() == pytest.approx(0.3, rel=0.05)  # 4,000 draws know it to 1.1 %


def test_moons_lie_on_their_half_circles() -> None:
    data = moons(101, noise=0)
    upper, lower = data.inputs[data.targets == 0], data.inputs[data.targets == 1]
    assert np.hypot(*upper.T) == pytest.approx(1, rel=1e-12)
    assert np.hypot(*(lower - [1, 0.5]).T) == pytest.approx(1, rel=1e-12)
    assert (upper[:, 1] >= 0).all()
    assert (lower[:, 1] <= 0.5).all()
    assert sorted(upper[:, 0])[:: len(upper) - 1] == [-1, 1]


def test_circles_lie_on_their_radius_without_a_point_twice() -> None:
    data = circles(100, noise=0, factor=0.25)
    assert np.hypot(*data.inputs.T) == pytest.approx(np.where(data.targets == 0, 1, 0.25), rel=1e-12)
    assert len(np.unique(data.inputs.round(9), axis=0)) == 100


def test_spirals_go_outwards_and_keep_apart() -> None:
    data = spirals(300, classes=3, noise=0)
    radius = np.hypot(*data.inputs.T)
    assert (radius.min(), radius.max()) == pytest.approx((0.1, 1), rel=1e-12)
    turned = data.inputs[:, 0] + 1j * data.inputs[:, 1]
    for c in range(3):  # turned back by its share, each is the first
        arm = turned[data.targets == c] * np.exp(-2j * np.pi * c / 3)
        first = turned[data.targets == 0]
        assert sorted(np.abs(arm)) == pytest.approx(sorted(np.abs(first)), rel=1e-12)
        assert arm[np.argsort(np.abs(arm))] == pytest.approx(first[np.argsort(np.abs(first))], rel=1e-9)


def test_xor_is_the_sign_of_the_product() -> None:
    data = xor(400, noise=0)
    assert data.targets.tolist() == (data.inputs.prod(axis=1) < 0).astype(int).tolist()
    assert np.abs(data.inputs).max() <= 1
    assert sorted(np.unique(np.sign(data.inputs), axis=0, return_counts=True)[1]) == [100] * 4


def test_blobs_lie_around_their_centres() -> None:
    data = blobs(400, classes=4, noise=0)
    assert len(np.unique(data.inputs, axis=0)) == 4
    assert np.abs(data.inputs).max() <= 10
    assert blobs(5, classes=1).classes == 1
