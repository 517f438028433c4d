"""Optimizers: how the parameters move once their gradients are known."""

from collections.abc import Iterable
from typing import Any

from autograd_mini import Value
from autograd_mini.printing import always_answers
from nn.checks import finite_number

__all__ = ["SGD"]


class SGD:
    """Stochastic gradient descent: ``parameter -= learning_rate * gradient`` (Robbins & Monro 1951).

    Args:
        parameters: the Values to move, such as ``model.parameters()``.
        learning_rate: how far to move, at least 0.

    Raises:
        ValueError: for a learning rate that is negative or not finite, for no parameters, for one given twice, or for
            a Value that an operation made.
        TypeError: for a parameter that is not a Value or a learning rate that is not a number.

    Example:
        >>> x = Value(3.0)
        >>> optimizer = SGD([x], learning_rate=0.1)
        >>> for _ in range(50):
        ...     optimizer.zero_grad()
        ...     (x * x).backward()
        ...     optimizer.step()
        >>> abs(x.data) < 1e-4
        True
    """

    def __init__(self, parameters: Iterable[Value], *, learning_rate: float = 0.01) -> None:
        self.parameters = _checked(parameters)
        self.learning_rate = learning_rate

    @property
    def learning_rate(self) -> float:
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self._learning_rate = finite_number("a learning rate", learning_rate, least=0.0)

    @always_answers
    def __repr__(self) -> str:
        count = len(self.parameters)
        return f"SGD({count:,} parameter{'s' * (count > 1)}, learning_rate={self.learning_rate:g})"

    def zero_grad(self) -> None:
        """Make every gradient *not computed* again, so that the next backward pass starts from 0."""
        for value in self.parameters:
            value.grad = None

    def step(self) -> None:
        """Move every parameter against its gradient."""
        for value in self.parameters:
            value.data -= self._learning_rate * value.grad


def _checked(parameters: Iterable[Value]) -> list[Value]:
    if isinstance(parameters, Value) or not hasattr(parameters, "__iter__"):
        raise TypeError(f"an optimizer needs a list of Values, got {parameters!r}; write [value] or model.parameters()")
    values = list(parameters)
    if not values:
        raise ValueError("an optimizer needs at least one parameter, got none; a generator may have been used up")
    for i, value in enumerate(values):
        if not isinstance(value, Value):
            raise TypeError(f"parameter {i} is {value!r:.60} of type {type(value).__name__}; an optimizer moves Values")
        if value.parents:
            raise ValueError(f"parameter {i}, {value!r}, was made by an operation; an optimizer moves leaves")
    if len(set(values)) < len(values):
        raise ValueError(f"{len(values) - len(set(values))} of the {len(values)} parameters are given twice")
    return values
