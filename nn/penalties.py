"""Penalties: what large weights cost, as one Value to add to the loss."""

from collections.abc import Iterable

from autograd_mini import Value, abs, dot, sum
from nn.checks import list_of_values

__all__ = ["l1_penalty", "l2_penalty"]


def l1_penalty(parameters: Iterable[Value]) -> Value:
    """``Σ |w|``, which draws small weights to 0 (Tibshirani 1996): ``loss + 0.001 * l1_penalty(model.parameters())``.

    Args:
        parameters: the Values, such as ``model.parameters()``.

    Raises:
        ValueError: for no parameters.
        TypeError: for a parameter that is not a Value.

    Example:
        >>> x, y = Value(3.0), Value(-4.0)
        >>> penalty = l1_penalty([x, y])
        >>> penalty.backward()
        >>> penalty.data, x.grad, y.grad
        (7.0, 1.0, -1.0)
    """
    penalty: Value = sum(abs(value) for value in list_of_values("l1_penalty", parameters))
    return penalty


def l2_penalty(parameters: Iterable[Value]) -> Value:
    """``Σ w²``, which shrinks large weights (Hoerl & Kennard 1970).

    Its gradient is 2w, and weight decay λ adds λ·w to the gradient: ``loss + λ/2 * l2_penalty(parameters)`` moves the
    parameters as an optimizer with ``weight_decay=λ`` does (but not `AdamW`, whose decay does not pass through g), and
    shows the cost in the loss.

    Args:
        parameters: the Values, such as ``model.parameters()``.

    Raises:
        ValueError: for no parameters.
        TypeError: for a parameter that is not a Value.

    Example:
        >>> x, y = Value(3.0), Value(-4.0)
        >>> penalty = l2_penalty([x, y])
        >>> penalty.backward()
        >>> penalty.data, x.grad, y.grad
        (25.0, 6.0, -8.0)
    """
    values = list_of_values("l2_penalty", parameters)
    penalty: Value = dot(values, values)
    return penalty
