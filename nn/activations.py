"""Activation functions by name."""

from collections.abc import Callable
from typing import Any, TypeAlias

from autograd_mini import Value, elu, gelu, leaky_relu, relu, sigmoid, silu, softplus, tanh
from autograd_mini.printing import Listing
from nn.checks import choice

__all__ = ["ACTIVATIONS", "Activation", "activation_function", "linear"]

Activation: TypeAlias = str | Callable[[Value], Value]


def linear(z: Any) -> Any:
    """The identity: the neuron's output is its weighted sum."""
    return z


ACTIVATIONS: dict[str, Callable[[Any], Any]] = Listing(
    linear=linear,
    sigmoid=sigmoid,
    tanh=tanh,
    relu=relu,
    leaky_relu=leaky_relu,
    elu=elu,
    gelu=gelu,
    silu=silu,
    softplus=softplus,
)
"""Every activation function by its name."""


def activation_function(activation: Activation) -> Callable[[Any], Any]:
    """Return the function that a name stands for; a function stands for itself.

    Raises:
        ValueError: for a name that is not in ``ACTIVATIONS``.

    Example:
        >>> activation_function("relu")(-2.0)
        0.0
    """
    return activation if callable(activation) else choice("activation", activation, ACTIVATIONS)
