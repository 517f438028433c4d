"""Gradient clipping: gradients made smaller between the backward pass and the step (Pascanu et al. 2013)."""

import math
from collections.abc import Iterable
from numbers import Real

import numpy as np

from autograd_mini import Value
from autograd_mini.number import number_text
from autograd_mini.printing import printable
from nn.checks import finite_number, list_of_values
from nn.optimizer import Vector

__all__ = ["clip_gradient_norm", "clip_gradient_value", "norm_of", "scaled_to"]


def clip_gradient_value(parameters: Iterable[Value], limit: float) -> None:
    """Bring every gradient into -limit to limit, as ``torch.nn.utils.clip_grad_value_``; a nan stays one.

    Args:
        parameters: the Values; those whose gradient is *not computed* are left alone.
        limit: the largest gradient to allow, at least 0.

    Raises:
        ValueError: for no parameters or a limit below 0.
        TypeError: for a parameter that is not a Value or a limit that is not a number.

    Example:
        >>> x = Value(3.0)
        >>> (-x * x).backward()
        >>> clip_gradient_value([x], 0.5)
        >>> x.grad
        -0.5
    """
    values = _with_gradients("clip_gradient_value", parameters)
    limit = finite_number("the limit", limit, least=0.0)
    for value in values:
        value.grad = float(np.clip(value.grad, -limit, limit))


def clip_gradient_norm(parameters: Iterable[Value], max_norm: float, *, norm: float = 2.0) -> float:
    """Scale all gradients by ``max_norm / (their norm + 1e-6)`` where that is below 1, and return their norm before.

    As ``torch.nn.utils.clip_grad_norm_`` does with ``error_if_nonfinite=True``.

    Args:
        parameters: the Values; those whose gradient is *not computed* are left alone.
        max_norm: the largest norm to allow, at least 0.
        norm: the p of ``(Σ |g|ᵖ)^(1/p)``, above 0; ``math.inf`` for the largest |g|.

    Raises:
        ValueError: for no parameters, an option out of range, or a norm that is not finite: then the message names a
            parameter, and no gradient has changed.
        TypeError: for a parameter that is not a Value or an option that is not a number.

    Example:
        >>> x, y = Value(3.0), Value(4.0)
        >>> (x * x / 2 + y * y / 2).backward()
        >>> clip_gradient_norm([x, y], 1.0)
        5.0
        >>> round(x.grad, 6), round(y.grad, 6)
        (0.6, 0.8)
    """
    values = _with_gradients("clip_gradient_norm", parameters)
    max_norm = finite_number("max_norm", max_norm, least=0.0)
    if not (isinstance(norm, Real) and norm == math.inf):
        norm = finite_number("norm (math.inf is legal too)", norm, above=0.0)
    gradients = np.array([value.grad for value in values])
    total = norm_of(gradients, float(norm))
    if not math.isfinite(total):
        worst = values[int(np.argmax(np.abs(gradients)))]  # a nan, if there is one
        name = f"{printable(worst.label)!r}" if worst.label else repr(worst)
        raise ValueError(f"the norm of the gradients is {total}; that of {name} is {number_text(worst.grad)}")
    for value, gradient in zip(values, scaled_to(gradients, max_norm, total).tolist(), strict=True):
        value.grad = gradient
    return total


def scaled_to(gradients: Vector, max_norm: float, total: float) -> Vector:
    """Return gradients whose norm is `total` as ``clip_gradient_norm`` leaves them."""
    scale = max_norm / (total + 1e-6)
    return scale * gradients if scale < 1.0 else gradients


def norm_of(gradients: Vector, norm: float = 2.0) -> float:
    """Compute ``(Σ |g|ᵖ)^(1/p)`` for p = `norm`; what overflows becomes inf or nan, silently."""
    sizes = np.abs(gradients)
    largest = float(sizes.max(initial=0.0))
    if norm == math.inf or largest == 0.0 or not math.isfinite(largest):
        return largest
    with np.errstate(over="ignore"):  # divided by the largest first, so that a power overflows where the norm does only
        return float(largest * np.sum((sizes / largest) ** norm) ** (1.0 / norm))


def _with_gradients(who: str, parameters: Iterable[Value]) -> list[Value]:
    return [value for value in list_of_values(who, parameters) if value.has_grad]
