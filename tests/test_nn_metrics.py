"""Metrics: the predicted class, the share of right ones, and who is taken for whom."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autograd_mini import Value
from nn import MLP, accuracy, class_table, confusion_matrix, confusion_table, per_class, predicted_class

LECTURE_OUTPUT = [0.1, 0.7, 0.3, 0.1, 0.4, 0.1, 0.01, 0.5, 0.1, 0.4]
CLASSES = st.integers(0, 3)


def test_the_prediction_of_the_lecture_is_1() -> None:
    assert predicted_class(LECTURE_OUTPUT) == 1


@pytest.mark.parametrize("form", [list, tuple, np.array, lambda x: [Value(y) for y in x], iter])
def test_outputs_may_come_in_any_form(form: Any) -> None:
    found = predicted_class(form(LECTURE_OUTPUT))
    assert found == 1
    assert type(found) is int


def test_the_first_of_equals_is_predicted() -> None:
    assert predicted_class([0.5, 2.0, 2.0]) == 1
    assert predicted_class([0.0, -0.0]) == 0
    assert predicted_class([-math.inf, -math.inf]) == 0
    assert predicted_class([3]) == 0


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_the_prediction_is_numpys_argmax(outputs: list[float]) -> None:
    assert predicted_class(outputs) == int(np.argmax(outputs))


def test_a_prediction_of_a_model() -> None:
    model = MLP(2, [3, 4], seed=0)
    outputs = model([1.0, -1.0])
    assert predicted_class(outputs) == int(np.argmax([y.data for y in outputs]))


def test_accuracy_is_the_share_that_is_right() -> None:
    assert accuracy([1, 7, 3, 3], [1, 7, 3, 5]) == 0.75
    assert accuracy([1], [0]) == 0.0
    assert accuracy(np.array([1, 2]), np.array([1, 2])) == 1.0  # type: ignore[arg-type]
    assert accuracy((1, 2, 3), np.array([1, 0, 0])) == 1 / 3  # type: ignore[arg-type]


def test_rows_of_the_matrix_are_targets_and_columns_are_predictions() -> None:
    assert confusion_matrix([0, 1, 1, 2], [0, 1, 0, 2], classes=4) == [
        [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]
    ]  # fmt: skip
    assert confusion_matrix(np.array([1]), np.array([0]), 2) == [[0, 1], [0, 0]]  # type: ignore[arg-type]
    assert confusion_matrix([0], [0], classes=np.int64(1)) == [[1]]  # type: ignore[arg-type]


@given(st.lists(st.tuples(CLASSES, CLASSES), min_size=1))
def test_the_matrix_counts_every_pair_and_holds_the_accuracy(pairs: list[tuple[int, int]]) -> None:
    predictions, targets = zip(*pairs, strict=True)
    matrix = np.array(confusion_matrix(predictions, targets, classes=4))
    assert matrix.sum(axis=1).tolist() == [targets.count(t) for t in range(4)]
    assert matrix.sum(axis=0).tolist() == [predictions.count(p) for p in range(4)]
    assert np.trace(matrix) / len(pairs) == accuracy(predictions, targets)


def test_rows_of_the_matrix_are_not_one_list() -> None:
    matrix = confusion_matrix([0], [0], classes=2)
    matrix[1][1] = 9
    assert matrix == [[1, 0], [0, 9]]


def test_confusion_table_writes_zeros_as_dots() -> None:
    assert confusion_table([[5, 1], [0, 7]]).splitlines()[-1].split() == ["1", "·", "7"]


def test_the_table_makes_room_for_names_and_large_counts() -> None:
    lines = confusion_table([[123_456, 1], [0, 7]], ["cat", "guinea pig"]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].endswith("cat  guinea pig")
    assert lines[1].split() == ["cat", "123456", "1"]


# Each class


def test_precision_recall_and_f1_of_an_example() -> None:
    scores = per_class([0, 0, 1, 1, 1, 2], [0, 1, 1, 1, 2, 2], classes=3)
    assert [tuple(score) for score in scores] == [
        (1 / 2, 1, 2 / 3, 1),
        (2 / 3, 2 / 3, 2 / 3, 3),
        (1, 1 / 2, 2 / 3, 2),
    ]


def test_what_would_be_0_by_0_is_nan() -> None:
    never_taken, never_there, neither, _ = per_class([1, 3], [0, 3], classes=4)
    assert math.isnan(never_taken.precision)
    assert (never_taken.recall, never_taken.f1, never_taken.support) == (0, 0, 1)
    assert math.isnan(never_there.recall)
    assert (never_there.precision, never_there.f1, never_there.support) == (0, 0, 0)
    assert all(map(math.isnan, neither[:3]))
    assert neither.support == 0


@given(st.lists(st.tuples(CLASSES, CLASSES), min_size=1))
def test_the_scores_agree_with_their_definitions(pairs: list[tuple[int, int]]) -> None:
    predictions, targets = zip(*pairs, strict=True)
    scores = per_class(predictions, targets, classes=4)
    assert sum(score.support for score in scores) == len(pairs)
    weighted = sum(score.recall * score.support for score in scores if score.support)
    assert weighted / len(pairs) == pytest.approx(accuracy(predictions, targets), rel=1e-12)
    for c, (precision, recall, f1, _) in enumerate(scores):
        taken, there = [t == c for p, t in pairs if p == c], [p == c for p, t in pairs if t == c]
        assert precision == pytest.approx(sum(taken) / len(taken) if taken else math.nan, rel=1e-12, nan_ok=True)
        assert recall == pytest.approx(sum(there) / len(there) if there else math.nan, rel=1e-12, nan_ok=True)
        if precision > 0 and recall > 0:
            assert f1 == pytest.approx(2 / (1 / precision + 1 / recall), rel=1e-12)


@given(st.lists(st.tuples(CLASSES, CLASSES), min_size=1))
def test_the_scores_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is only a peer to compare with")
    predictions, targets = zip(*pairs, strict=True)
    theirs = metrics.precision_recall_fscore_support(targets, predictions, labels=range(4), zero_division=math.nan)
    for mine, expected in zip(per_class(predictions, targets, classes=4), zip(*theirs, strict=True), strict=True):
        assert list(mine) == pytest.approx(list(expected), rel=1e-12, nan_ok=True)


def test_the_table_of_the_scores() -> None:
    lines = class_table(
        per_class([0, 1], [0, 0], classes=3), ["cat", "a class of a very long name", "x\ny"]
    ).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert [line.split()[-4:] for line in lines[1:]] == [
        ["1.000", "0.500", "0.667", "2"], ["0.000", "–", "0.000", "0"], ["–", "–", "–", "0"]
    ]  # fmt: skip
    assert class_table(per_class([0], [0], classes=1)).splitlines()[1].split()[0] == "0"
