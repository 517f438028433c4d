"""The door through which numbers come in and go out: what counts as a real number, how one is read and written."""

import math
import numbers
from collections.abc import Callable
from typing import Any

from autograd_mini import modes
from autograd_mini.source import Located, warn
from autograd_mini.tracer import held, is_unknown, refuse_unknown

__all__ = ["Comparable", "as_recorded", "constant", "elementwise", "number", "number_text", "product_text"]

_ONE_EACH = "wrap each element instead: [Value(x) for x in array]"


def number(x: Any, what: str = "a Value") -> float:
    """Turn any real number into a Python float.

    Args:
        x: an ``int``, ``float``, ``bool``, ``Fraction`` or NumPy scalar.
        what: what the number is for; it opens the error message.

    Returns:
        The nearest double. An integer beyond the range of a double becomes ±inf, with a ``RuntimeWarning``.

    Raises:
        TypeError: for a complex number, text, None, an array or anything else that is not one real number.

    Example:
        >>> number(True), number(7)
        (1.0, 7.0)
    """
    if isinstance(x, (float, int)) or _is_real_scalar(x):
        try:
            return float(x)
        except OverflowError:
            infinity = math.inf if x > 0 else -math.inf
            warn(f"{what} was given a number that is beyond the range of a float; it becomes {infinity}")
            return infinity
    raise TypeError(f"{what} needs one real number, got {_description(x)}")


def _is_real_scalar(x: Any) -> bool:
    if isinstance(x, numbers.Real):
        return True
    dtype = getattr(x, "dtype", None)
    is_numpy_scalar = dtype is not None and not hasattr(x, "__len__") and hasattr(x, "item")
    return is_numpy_scalar and getattr(dtype, "kind", "") in "biuf"


def _description(x: Any) -> str:
    if x is None:
        return "None; write 0.0 if you mean zero"
    if isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c":
        return f"the complex number {x!r}; write its parts, x.real or x.imag"
    if isinstance(x, (str, bytes)):
        return f"the text {x!r:.60}; write float(text)"
    if getattr(x, "shape", None) == ():
        return f"a 0-d array; write array.item(): {x!r:.60}"
    if hasattr(x, "shape"):
        return f"an array of shape {tuple(x.shape)}; {_ONE_EACH}"
    if isinstance(x, (list, tuple)):
        return f"a {type(x).__name__} of {len(x)}; {_ONE_EACH.replace('array', type(x).__name__)}"
    return f"{x!r:.60} of type {type(x).__name__}; write a float"


def number_text(x: float, digits: int = 6) -> str:
    """Write a number for people: `digits` significant digits, and never a ``-0``.

    Example:
        >>> number_text(0.1 + 0.2), number_text(-0.0), number_text(-0.0000123, 3)
        ('0.3', '0', '-1.23e-05')
    """
    return format(x + 0.0, f".{digits}g")


def product_text(a: float, b: float, product: float) -> str:
    """Write ``a × b = product`` for people, as all steps are written.

    Example:
        >>> product_text(2.0, -0.5, -1.0)
        '2 × (-0.5) = -1'
    """
    factor = number_text(b)
    return f"{number_text(a)} × {f'({factor})' if factor.startswith('-') else factor} = {number_text(product)}"


def constant(x: Any) -> float | None:
    """The plain number that `x` is; None for what deals with a Value itself: an array, a type with own operators."""
    kind = type(x)
    if kind is float:
        return x  # type: ignore[no-any-return]
    if kind is int and -1e300 < x < 1e300:
        return float(x)
    if (hasattr(x, "shape") and hasattr(x, "__len__")) or _has_reflected_operators(x):
        return None
    return number(x, "arithmetic with a Value")


def _has_reflected_operators(x: Any) -> bool:
    kind = type(x)
    if kind.__module__ == "builtins" or hasattr(x, "dtype") or isinstance(x, numbers.Number):
        return False
    return any(hasattr(kind, name) for name in ("__radd__", "__rsub__", "__rmul__", "__rtruediv__", "__rpow__"))


def elementwise(function: Callable[[Any], Any], array: Any) -> Any:
    """Call `function` on each element of a NumPy array; the result is an object array of the same shape."""
    result = array.astype(object)
    for i, element in enumerate(result.flat):
        result.flat[i] = function(element)
    return result


def as_recorded(x: Any) -> float:
    """The number that a Value was recorded with, or a plain one, for checks and messages; a tracer does not object."""
    return float(x._data if isinstance(x, Comparable) else x)


def _plain(x: Any) -> float | None:
    return x._data if isinstance(x, Comparable) else constant(x)


class Comparable(Located):
    """The reading half of a Value: it compares, converts and formats as the number it holds."""

    __slots__ = ("_data",)

    _data: float

    @property
    def data(self) -> float:
        if modes.switched:
            refuse_unknown("data", self)
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        if modes.switched:
            refuse_unknown("assigned data", self)
        self._data = number(data, "the data of a Value")

    def __lt__(self, other: Any) -> Any:
        if (c := _plain(other)) is None:
            return NotImplemented
        return held("less", self, other) if modes.switched and is_unknown(self, other) else self._data < c

    def __le__(self, other: Any) -> Any:
        if (c := _plain(other)) is None:
            return NotImplemented
        return held("less_equal", self, other) if modes.switched and is_unknown(self, other) else self._data <= c

    def __gt__(self, other: Any) -> Any:
        if (c := _plain(other)) is None:
            return NotImplemented
        return held("greater", self, other) if modes.switched and is_unknown(self, other) else self._data > c

    def __ge__(self, other: Any) -> Any:
        if (c := _plain(other)) is None:
            return NotImplemented
        return held("greater_equal", self, other) if modes.switched and is_unknown(self, other) else self._data >= c

    def __float__(self) -> float:
        if modes.switched:
            refuse_unknown("float", self)
        return self._data

    def __bool__(self) -> bool:
        if modes.switched:
            refuse_unknown("bool", self)
        return self._data != 0.0

    def __format__(self, specification: str) -> str:
        if not specification:
            return repr(self)
        refuse_unknown("format", self)
        return format(self._data, specification)
