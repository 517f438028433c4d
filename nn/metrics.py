"""How good predictions are, as plain numbers."""

from collections.abc import Sequence
from numbers import Integral

from autograd_mini.value import Scalar
from nn.checks import row_of_numbers, whole_number

__all__ = ["accuracy", "confusion_matrix", "predicted_class"]


def predicted_class(outputs: Sequence[Scalar]) -> int:
    """Return the index of the largest output, the first of equals.

    Example:
        >>> predicted_class([0.1, 0.7, 0.3, 0.1, 0.4, 0.1, 0.01, 0.5, 0.1, 0.4])
        1
    """
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


def _check_lengths(predictions: Sequence[int], targets: Sequence[int]) -> None:
    if not (hasattr(predictions, "__len__") and hasattr(targets, "__len__")):
        raise TypeError(f"predictions and targets are lists of classes, got {predictions!r:.40} and {targets!r:.40}")
    if len(predictions) != len(targets) or not len(targets):
        count = f"{len(predictions)} predictions do not go with {len(targets)} targets"
        raise ValueError(f"{count}: give one for each, and at least one")
