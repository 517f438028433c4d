"""How good predictions are, as plain numbers."""

import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from autograd_mini.printing import printable
from autograd_mini.value import Scalar, Value
from nn.checks import row_of_numbers, whole_number

__all__ = [
    "ClassScores",
    "Metric",
    "accuracy",
    "class_table",
    "confusion_matrix",
    "confusion_table",
    "measure",
    "metric_name",
    "per_class",
    "predicted_class",
]

Metric: TypeAlias = Callable[[Any, Any], Any]


def predicted_class(outputs: Sequence[Scalar] | Scalar) -> int:
    """Return the index of the largest output, the first of equals; of a lone logit, 1 if it is above 0 and else 0.

    Example:
        >>> predicted_class([0.1, 0.7, 0.3, 0.1, 0.4, 0.1, 0.01, 0.5, 0.1, 0.4])
        1
        >>> predicted_class(-2.5)  # of a model that answers a yes-or-no question
        0
    """
    if isinstance(outputs, (Value, Real)):
        return int(float(outputs) > 0.0)
    numbers = [float(output) for output in row_of_numbers("the outputs", outputs)]
    return max(range(len(numbers)), key=numbers.__getitem__)


def accuracy(predictions: Sequence[int], targets: Sequence[int]) -> float:
    """Return the share of predictions that are right, between 0 and 1.

    Raises:
        ValueError: if the lengths differ or there are none.

    Example:
        >>> accuracy([1, 7, 3, 3], [1, 7, 3, 5])
        0.75
    """
    _check_lengths(predictions, targets)
    for name in (*predictions, *targets):
        if not isinstance(name, Integral):
            raise TypeError(f"a class is a whole number, got {name!r:.60}; predicted_class(outputs) finds it")
    return sum(p == t for p, t in zip(predictions, targets, strict=True)) / len(targets)


def confusion_matrix(predictions: Sequence[int], targets: Sequence[int], classes: int) -> list[list[int]]:
    """Count: row t, column p says how many of class t were taken for class p.

    Raises:
        ValueError: if the lengths differ, there are none, or a class is not one of 0 to classes - 1.

    Example:
        >>> confusion_matrix([0, 1, 1], [0, 1, 0], classes=2)
        [[1, 1], [0, 1]]
    """
    _check_lengths(predictions, targets)
    classes = whole_number("the number of classes", classes, 1)
    matrix = [[0] * classes for _ in range(classes)]
    for prediction, target in zip(predictions, targets, strict=True):
        if not (isinstance(prediction, Integral) and isinstance(target, Integral)):
            raise TypeError(f"a class is a whole number from 0 to {classes - 1}, got {prediction!r} for {target!r}")
        if not (0 <= prediction < classes and 0 <= target < classes):
            raise ValueError(f"a class is a whole number from 0 to {classes - 1}, got {prediction} for {target}")
        matrix[target][prediction] += 1
    return matrix


def metric_name(metric: Metric | None, dataset: Any) -> str | None:
    """Say what the history calls a metric; None where there is none.

    Args:
        metric: a function of outputs and targets, or None: ``accuracy`` then, where the targets are classes.
        dataset: the ``Dataset`` it is taken of.
    """
    if metric is None:
        return None if dataset.classes is None else "accuracy"
    name = str(getattr(metric, "__name__", ""))
    taken = name in ("loss", "learning_rate") or name.startswith("validation_")
    return name if name.isidentifier() and not taken else "metric"


def measure(metric: Metric | None, outputs: Sequence[Any], dataset: Any) -> float:
    """Compute a metric of the outputs for a data set."""
    if isinstance(outputs, np.ndarray):  # those of a compiled program
        if metric is None:
            taken = outputs.argmax(axis=1) if outputs.ndim == 2 else outputs > 0.0
            return float(np.count_nonzero(taken == dataset.targets) / len(dataset))
        outputs = [[Value(y) for y in row] if isinstance(row, list) else Value(row) for row in outputs.tolist()]
    if metric is None:
        return accuracy([predicted_class(output) for output in outputs], dataset.targets.tolist())
    return float(metric(outputs, dataset.targets))


class ClassScores(NamedTuple):
    """How well one class is told from the others, each share from 0 to 1, or nan where it would be 0/0.

    Of the rows taken for the class, `precision` is the share that is in it; of the rows that are in it, `recall` is the
    share that was taken for it. `f1` is their harmonic mean, and `support` counts the rows that are in the class.
    """

    precision: float
    recall: float
    f1: float
    support: int


def per_class(predictions: Sequence[int], targets: Sequence[int], classes: int) -> list[ClassScores]:
    """Return precision, recall and F1 of each class, as scikit-learn's `precision_recall_fscore_support`.

    What is undefined is nan, as with scikit-learn's `zero_division=nan`: the precision of a class that nothing was
    taken for, the recall of a class without rows, and the F1 of a class that is both.

    Source: https://scikit-learn.org/stable/modules/model_evaluation.html#precision-recall-f-measure-metrics

    Raises:
        ValueError: if the lengths differ, there are none, or a class is not one of 0 to classes - 1.

    Example:
        >>> per_class([0, 1, 1, 1], [0, 1, 1, 0], classes=2)[0]
        ClassScores(precision=1.0, recall=0.5, f1=0.6666666666666666, support=2)
    """
    matrix = confusion_matrix(predictions, targets, classes)
    scores = []
    for c, row in enumerate(matrix):
        right, support, taken = row[c], sum(row), sum(other[c] for other in matrix)
        scores.append(
            ClassScores(_share(right, taken), _share(right, support), _share(2 * right, taken + support), support)
        )
    return scores


def class_table(scores: Sequence[ClassScores], class_names: Sequence[str] | None = None) -> str:
    """Write the scores of each class as text; what is undefined is a dash.

    Example:
        >>> print(class_table(per_class([0, 1, 1, 1], [0, 1, 1, 0], classes=2), ["cat", "dog"]))
        class  precision  recall     f1    rows
          cat      1.000   0.500  0.667       2
          dog      0.667   1.000  0.800       2
    """
    names = _names(class_names, len(scores))
    width = max(len("class"), *map(len, names))
    lines = [f"{'class':>{width}}  precision  recall     f1  {'rows':>6}"]
    for name, score in zip(names, scores, strict=True):
        precision, recall, f1 = ("–" if math.isnan(share) else f"{share:.3f}" for share in score[:3])
        lines.append(f"{name:>{width}}  {precision:>9}  {recall:>6}  {f1:>5}  {score.support:>6}")
    return "\n".join(lines)


def confusion_table(matrix: Sequence[Sequence[int]], class_names: Sequence[str] | None = None) -> str:
    """Write a confusion matrix as text: a row for each true class, a column for each prediction.

    Example:
        >>> print(confusion_table([[5, 1], [0, 7]]))
        true ↓ taken for →    0    1
                         0    5    1
                         1    ·    7
    """
    heading = "true ↓ taken for →"
    names = _names(class_names, len(matrix))
    cells = [[str(n or "·") for n in row] for row in matrix]
    width = 2 + max(3, *map(len, names), *(len(cell) for row in cells for cell in row))
    lines = [heading + "".join(f"{name:>{width}}" for name in names)]
    lines += [
        f"{name:>{len(heading)}}" + "".join(f"{n:>{width}}" for n in row)
        for name, row in zip(names, cells, strict=True)
    ]
    return "\n".join(lines)


def _names(class_names: Sequence[str] | None, classes: int) -> list[str]:
    if class_names is None:
        return list(map(str, range(classes)))
    if len(class_names) != classes:
        raise ValueError(f"{len(class_names)} class names do not go with {classes} classes: give one for each")
    return [printable(name, 18) for name in class_names]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _check_lengths(predictions: Sequence[int], targets: Sequence[int]) -> None:
    if not (hasattr(predictions, "__len__") and hasattr(targets, "__len__")):
        raise TypeError(f"predictions and targets are lists of classes, got {predictions!r:.40} and {targets!r:.40}")
    if len(predictions) != len(targets) or not len(targets):
        count = f"{len(predictions)} predictions do not go with {len(targets)} targets"
        raise ValueError(f"{count}: give one for each, and at least one")
