"""``History``: what it holds, keeps and writes."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from nn import History
from tests.runs import fit, own_metric, trainer

FINITE_OR_NOT = st.floats()
NAMES = st.sampled_from(["accuracy", "validation_loss", "validation_accuracy", "a_loss", "learning_rate"])


def same(a: list[float], b: list[float]) -> bool:
    return [x.hex() for x in a] == [x.hex() for x in b]


def filled(names: list[str], rows: list[float]) -> History:
    history = History()
    for number in rows:
        history.add_epoch(dict.fromkeys(["loss", *names], number))
        history.add_iteration({"loss": number, "learning_rate": 0.1} | ({"accuracy": number} if names else {}))
    return history


@given(st.lists(NAMES, unique=True), st.lists(FINITE_OR_NOT))
def test_arrays_and_back(names: list[str], rows: list[float]) -> None:
    history, again = filled(names, rows), filled(["other"], [1.0, 2.0])
    again.load(history.arrays())
    assert again.epochs.keys() == history.epochs.keys()
    assert again.iterations.keys() == history.iterations.keys()
    for name, column in history.epochs.items():
        assert same(again.epochs[name], column)
    assert len(again) == len(rows)


@given(st.lists(FINITE_OR_NOT, min_size=1))
def test_the_csv_file_reads_back_the_same(tmp_path_factory: pytest.TempPathFactory, rows: list[float]) -> None:
    history = filled(["learning_rate"], rows)
    path = tmp_path_factory.mktemp("csv") / "history.csv"
    history.save(path)
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    assert header == ["epoch", "loss", "learning_rate"]
    assert [int(line[0]) for line in lines] == list(range(1, len(rows) + 1))
    assert same([float(line[1]) for line in lines], rows)


@given(st.lists(FINITE_OR_NOT, max_size=5), st.integers(0, 5), st.integers(0, 5))
def test_forget_keeps_the_start(rows: list[float], epochs: int, iterations: int) -> None:
    history, start = filled(["accuracy"], rows), filled(["accuracy"], rows[:epochs])
    history.forget(epochs, iterations)
    assert history.epochs.keys() == start.epochs.keys()
    assert len(history) == min(epochs, len(rows))
    assert len(history.iterations["loss"]) == min(iterations, len(rows))
    if not iterations:
        assert history.iterations == {"loss": [], "learning_rate": []}


def test_the_columns_of_a_trainer_come_back_in_their_order(tmp_path: Path) -> None:
    history = fit(trainer(metric=own_metric), 1).history
    again = History()
    again.load(dict(reversed(history.arrays().items())))
    order = ["loss", "own_metric", "validation_loss", "validation_own_metric", "learning_rate"]
    assert list(again.epochs) == list(history.epochs) == order
    assert list(again.iterations) == list(history.iterations) == ["loss", "learning_rate", "own_metric"]
    history.save(tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_text().split("\n")[0] == ",".join(["epoch", *order])


def test_means_are_weighted_with_rows() -> None:
    history = History()
    for loss in (9.0, 1.0, 4.0):
        history.add_iteration({"loss": loss, "learning_rate": 0.1, "accuracy": loss / 10})
    assert history.means([2, 1]) == {"loss": 2.0, "accuracy": pytest.approx(0.2, rel=1e-15)}


def test_it_is_asked_by_column() -> None:
    history = filled(["accuracy"], [0.5, math.nan])
    assert history["accuracy"][0] == 0.5
    assert "accuracy" in history
    assert "f1" not in history
    assert repr(history) == "History(2 epochs, 2 iterations: loss nan, accuracy nan)"
    assert repr(History()) == "History(0 epochs, 0 iterations)"
    with pytest.raises(KeyError, match=r"no column 'f1'; it has loss, accuracy"):
        history["f1"]
