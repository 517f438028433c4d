"""Loss functions: how wrong the outputs are, as one Value to differentiate.

Each takes one example or a whole batch, and gives a plain float when nothing in it is a Value.
"""

import math
import operator
from typing import Any

from autograd_mini import dot, log_softmax, logsumexp, mean, relu, softplus, square, sum
from autograd_mini.number import as_recorded, number_text
from autograd_mini.printing import Listing
from autograd_mini.tracer import known, refuse_unknown
from nn.checks import row_of_numbers, rows_of_numbers

__all__ = ["LOSSES", "binary_cross_entropy", "cross_entropy", "hinge", "mean_squared_error", "sum_squared_error"]


def sum_squared_error(outputs: Any, targets: Any) -> Any:
    """``Σ (output - target)²`` over everything given: the lecture's cost.

    Args:
        outputs: a Value, a list of n, or a batch of such lists.
        targets: numbers in the same shape.

    Raises:
        ValueError: if the shapes differ or are empty.

    Example:
        >>> outputs = [0.1, 0.7, 0.3, 0.1, 0.4, 0.1, 0.01, 0.5, 0.1, 0.4]
        >>> round(sum_squared_error(outputs, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 4)
        0.7901
    """
    return sum(square(output - target) for output, target in _pairs(outputs, targets))


def mean_squared_error(outputs: Any, targets: Any) -> Any:
    """The mean of ``(output - target)²`` over everything given, as PyTorch's ``MSELoss``.

    Args:
        outputs: a Value, a list of n, or a batch of such lists.
        targets: numbers in the same shape.

    Raises:
        ValueError: if the shapes differ or are empty.

    Example:
        >>> mean_squared_error([1.0, 2.0], [0.0, 0.0])
        2.5
    """
    return mean(square(output - target) for output, target in _pairs(outputs, targets))


def cross_entropy(logits: Any, target: Any) -> Any:
    """``-log softmax(logits)[target]``, the mean over a batch; finite for logits as large as ±1e300.

    Args:
        logits: n numbers, one per class, before any softmax; or a batch of such rows.
        target: the class, a whole number from 0 to n - 1, or n probabilities (one-hot, say) that add up to 1; for a
            batch a sequence of these, one per row.

    Raises:
        ValueError: for a class out of range, probabilities that do not add up to 1, or different lengths.
        TypeError: for a class that is not a whole number.

    Example:
        >>> cross_entropy([0.0, 0.0], 1) == math.log(2)
        True
    """
    rows, is_batch = rows_of_numbers("the logits", logits)
    targets = _targets(target, len(rows)) if is_batch else [target]
    losses = [_cross_entropy_of_one(row, target) for row, target in zip(rows, targets, strict=True)]
    return mean(losses) if is_batch else losses[0]


def _targets(targets: Any, rows: int) -> list[Any]:
    sized = hasattr(targets, "__len__") and getattr(targets, "shape", None) != ()
    if not sized or len(targets) != rows:
        needs = f"a batch of {rows} row{'s' * (rows > 1)} needs {rows} target{'s' * (rows > 1)}"
        if sized:
            raise ValueError(f"{needs}, got {len(targets)} target{'s' * (len(targets) != 1)}; give one for each row")
        raise ValueError(f"{needs}, got one target, {targets!r:.60}; give a list with one for each row")
    return list(targets)


def _cross_entropy_of_one(logits: list[Any], target: Any) -> Any:
    if hasattr(target, "__len__"):
        probabilities = row_of_numbers("the target probabilities", target, len(logits))
        numbers = [x for x in map(known, probabilities) if x is not None]
        is_whole = len(numbers) < len(probabilities) or math.isclose(math.fsum(numbers), 1.0, rel_tol=1e-6)
        if not is_whole or min(numbers, default=0.0) < 0.0:
            raise ValueError(f"target probabilities are at least 0 and add up to 1, got {_short(probabilities)}")
        return -dot(log_softmax(logits), probabilities)
    index = _class_index(target, len(logits))
    # Differences keep the digits that large logits would lose; the target's own is 0 (recorded if it stands alone).
    others = [logit - logits[index] for i, logit in enumerate(logits) if i != index]
    return logsumexp([0.0, *others] if others else [logits[0] - logits[0]])


def _class_index(target: Any, classes: int) -> int:
    try:
        index = operator.index(target)
    except TypeError:
        refuse_unknown("class", target)
        raise TypeError(f"a class is a whole number from 0 to {classes - 1}, got {target!r}") from None
    if not 0 <= index < classes:
        raise ValueError(f"a class is a whole number from 0 to {classes - 1}, got {index}")
    return index


def binary_cross_entropy(logits: Any, targets: Any) -> Any:
    """``-t·log σ(z) - (1 - t)·log(1 - σ(z))``, the mean over everything given, by softplus and so accurate far out.

    Args:
        logits: a Value, a list of n, or a batch of such lists, before any sigmoid.
        targets: numbers between 0 and 1 in the same shape.

    Raises:
        ValueError: for a target outside 0 to 1, or if the shapes differ or are empty.

    Example:
        >>> binary_cross_entropy([1e4, -1e4], [1, 0])
        0.0
    """
    return mean(_binary(logit, _between_0_and_1(target)) for logit, target in _pairs(logits, targets))


def _binary(logit: Any, target: Any) -> Any:
    if target == 1.0:
        return softplus(-logit)
    return softplus(logit) if target == 0.0 else target * softplus(-logit) + (1.0 - target) * softplus(logit)


def _between_0_and_1(target: Any) -> Any:
    if (number := known(target)) is not None and not 0.0 <= number <= 1.0:
        raise ValueError(f"a binary target is a number between 0 and 1, got {number_text(number)}")
    return target


def hinge(scores: Any, targets: Any) -> Any:
    """``max(0, 1 - target·score)``, the mean over everything given: the max-margin loss.

    Args:
        scores: a Value, a list of n, or a batch of such lists.
        targets: -1 or 1 for each.

    Raises:
        ValueError: for a target that is neither -1 nor 1, or if the shapes differ or are empty.

    Example:
        >>> hinge([2.0, 0.25], [1, 1])
        0.375
    """
    return mean(relu(1.0 - _minus_1_or_1(target) * score) for score, target in _pairs(scores, targets))


def _minus_1_or_1(target: Any) -> Any:
    if (number := known(target)) not in (-1.0, 1.0, None):
        raise ValueError(f"a hinge target is -1 or 1, got {number_text(number or 0.0)}")
    return target


def _pairs(outputs: Any, targets: Any) -> list[tuple[Any, Any]]:
    """Pair every output with its target, whatever the common shape of the two is."""
    if not hasattr(outputs, "__len__"):
        outputs = [outputs]
        targets = [targets] if not hasattr(targets, "__len__") else targets
    output_rows, output_is_batch = rows_of_numbers("the outputs", outputs)
    target_rows, target_is_batch = rows_of_numbers("the targets", targets)
    output_shape, target_shape = _shape(output_rows, output_is_batch), _shape(target_rows, target_is_batch)
    if output_shape != target_shape:
        raise ValueError(f"outputs and targets need the same shape, got {output_shape} and {target_shape}")
    flat_outputs = [output for row in output_rows for output in row]
    flat_targets = [target for row in target_rows for target in row]
    return list(zip(flat_outputs, flat_targets, strict=True))


def _shape(rows: list[list[Any]], is_batch: bool) -> tuple[int, ...]:
    return (len(rows), len(rows[0])) if is_batch else (len(rows[0]),)


def _short(numbers: list[Any]) -> str:
    shown = ", ".join(number_text(as_recorded(x), 4) for x in numbers[:10])
    return f"[{shown}, …]" if len(numbers) > 10 else f"[{shown}]"


LOSSES = Listing(
    sum_squared_error=sum_squared_error,
    mean_squared_error=mean_squared_error,
    cross_entropy=cross_entropy,
    binary_cross_entropy=binary_cross_entropy,
    hinge=hinge,
)
"""Every loss by its name."""
