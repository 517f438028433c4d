"""The partials of the table that take more than a line, because the formula of the textbook loses digits or is nan.

Like every partial they are written over any kit, and are right to every order: no branch has a kink that the function
has not, and no branch that is not taken is inf or nan, since its derivative, 0 times that, would be nan.
"""

import math
from collections.abc import Sequence
from typing import Any

from autograd_mini.kits import Kit

__all__ = [
    "bell",
    "cumulative_normal",
    "gelu_slope",
    "power_by_base",
    "power_by_exponent",
    "share",
    "silu_slope",
    "tanh_slope",
]


def power_by_base(k: Kit, y: Any, a: Any, b: Any) -> Any:
    """b·a**(b - 1), and 0 for b = 0 at every base."""
    if type(b) is float:  # also a constant exponent that has come down to 0
        return b * k.pow(a, b - 1.0) if b else 0.0
    has_no_pole = k.where(k.equal(b, 0.0), k.abs(a), 1.0) > 1e-300
    return k.where(has_no_pole, b * k.pow(k.where(has_no_pole, a, 1.0), b - 1.0), 0.0)


def power_by_exponent(k: Kit, y: Any, a: Any, b: Any) -> Any:
    """y·log(a); at the base 0 that is 0, or -inf for a negative b."""
    return y * k.log(k.where(k.equal(a, 0.0), k.where(b >= 0.0, 1.0, 0.0), a))


def bell(k: Kit, a: Any) -> Any:
    """exp(-a²)."""
    return _bell(k, _clamp(k, a, 64.0), 1.0)  # beyond, the result is 0


def cumulative_normal(k: Kit, a: Any) -> Any:
    """The probability that a standard normal variable is below `a`."""
    return 0.5 * k.erfc(-a * math.sqrt(0.5))


def tanh_slope(k: Kit, y: Any, a: Any) -> Any:
    """4·sigmoid(2a)·sigmoid(-2a). It is 1 - y², which has no digits left where y is near ±1."""
    return 4.0 * k.sigmoid(2.0 * a) * k.sigmoid(-2.0 * a)


def gelu_slope(k: Kit, y: Any, a: Any) -> Any:
    """The cumulative normal distribution plus `a` times its density."""
    x = _clamp(k, a, 64.0)  # beyond, the slope is 0 or 1
    return cumulative_normal(k, x) + x * (_bell(k, x, 0.5) / math.sqrt(2.0 * math.pi))


def silu_slope(k: Kit, y: Any, a: Any) -> Any:
    """sigmoid(a)·(1 + a·sigmoid(-a))."""
    x = _clamp(k, a, 2000.0)  # beyond, the slope is 0 or 1
    return k.sigmoid(x) * (1.0 + x * k.sigmoid(-x))


def share(k: Kit, y: Any, i: int, args: Sequence[Any]) -> Any:
    """exp(a - y); of floats as a share of all of them, so that the rounding of y, that of the largest, cancels."""
    if type(y) is not float:  # recorded for every argument, the sum would make a graph of n² nodes
        return k.exp(args[i] - y)
    whole = k.sum([k.exp(a - y) for a in args])
    return k.div(k.exp(args[i] - y), k.where(k.equal(whole, whole), whole, 1.0))  # one is nan where a number is inf


def _clamp(k: Kit, a: Any, limit: float) -> Any:
    return k.minimum(k.maximum(a, -limit), limit)


def _bell(k: Kit, x: Any, c: float) -> Any:
    """exp(-c·x²) for |x| up to 64. Rounding x² would cost up to 700 ulp; the square of a number on a grid is exact."""
    on_grid = k.on_grid(x)
    return k.exp(-c * (on_grid * on_grid)) * k.exp(-c * ((x - on_grid) * (x + on_grid)))
