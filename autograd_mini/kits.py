"""Kits: the same elementary functions for floats and for arrays, so that one rule serves every kind of number.

A rule writes ``k.exp(a)`` and is then true for whatever kit `k` it is given: ``FLOAT`` here, ``array_kit(numpy)`` or
``array_kit(jax.numpy)``, and ``VALUE``, which lives with the recorded functions in ``functions.py``.
All kits follow IEEE 754 at the edges: ``log(0)`` is -inf, ``log(-1)`` is nan, an overflow is ±inf. Nothing raises.
"""

import cmath
import functools
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["COMPLEX", "FLOAT", "Kit", "array_kit"]

Function = Callable[..., Any]
_INF, _NAN = math.inf, math.nan
_TO_GRID = 1.5 * 2.0**32  # so large that the doubles around it are 2**-20 apart


@dataclass(frozen=True, slots=True, repr=False)
class Kit:
    """The functions a rule may call; each takes and returns numbers of the kit's kind.

    ``on_grid(a)`` alone returns a constant, whose derivative is 0: `a` rounded to a multiple of 2**-20 if it is below
    2**31, so that the square of what is below 64 has no rounding error.
    """

    exp: Function
    expm1: Function
    log: Function
    log1p: Function
    sqrt: Function
    sin: Function
    cos: Function
    tan: Function
    tanh: Function
    sigmoid: Function
    erf: Function
    erfc: Function
    abs: Function
    sign: Function
    maximum: Function
    minimum: Function
    div: Function
    pow: Function
    where: Function
    equal: Function
    on_grid: Function
    sum: Function
    dot: Function
    logsumexp: Function

    def __repr__(self) -> str:
        return f"Kit({len(fields(self))} functions of numbers: exp, expm1, …, logsumexp)"


def _ieee(function: Callable[[float], float], *, domain: float = _NAN, overflow: float = _INF) -> Function:
    """Make a function of ``math`` return what IEEE 754 prescribes where it would raise."""

    def quiet(a: float) -> float:
        try:
            return function(a)
        except ValueError:
            return domain
        except OverflowError:
            return overflow

    return quiet


def _logarithm(function: Callable[[float], float], pole: float) -> Function:
    def quiet(a: float) -> float:
        try:
            return function(a)
        except ValueError:
            return -_INF if a == pole else _NAN

    return quiet


def _sigmoid(a: float) -> float:
    try:
        return 1.0 / (1.0 + math.exp(-a))
    except OverflowError:
        return math.exp(a)


def _sign(a: float) -> float:
    return 1.0 if a > 0.0 else -1.0 if a < 0.0 else a


def _maximum(a: float, b: float) -> float:
    return a if a > b or a != a else b


def _minimum(a: float, b: float) -> float:
    return a if a < b or a != a else b


def _div(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        return a * math.copysign(_INF, b)


def _pow(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -_INF if a < 0.0 and b % 2.0 == 1.0 else _INF
    except ValueError:
        if a != 0.0:
            return _NAN
        return math.copysign(_INF, a) if b % 2.0 == 1.0 else _INF


def _on_grid(a: Any) -> Any:
    return (a + _TO_GRID) - _TO_GRID


def _sum(terms: Sequence[float]) -> float:
    return sum(terms, 0.0)


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return float(sum(map(operator.mul, a, b)))


def _logsumexp(terms: Sequence[float]) -> float:
    top = max(terms)
    if any(t != t for t in terms):
        return _NAN
    if math.isinf(top):
        return top
    # The largest term is exactly 1 after the shift; taking it out keeps the small ones' digits.
    return top + math.log1p(math.fsum([*(math.exp(t - top) for t in terms), -1.0]))


_exp = _ieee(math.exp)

FLOAT = Kit(
    exp=_exp,
    expm1=_ieee(math.expm1),
    log=_logarithm(math.log, pole=0.0),
    log1p=_logarithm(math.log1p, pole=-1.0),
    sqrt=_ieee(math.sqrt),
    sin=_ieee(math.sin),
    cos=_ieee(math.cos),
    tan=_ieee(math.tan),
    tanh=math.tanh,
    sigmoid=_sigmoid,
    erf=math.erf,
    erfc=math.erfc,
    abs=abs,
    sign=_sign,
    maximum=_maximum,
    minimum=_minimum,
    div=_div,
    pow=_pow,
    where=lambda condition, a, b: a if condition else b,
    equal=operator.eq,
    on_grid=_on_grid,
    sum=_sum,
    dot=_dot,
    logsumexp=_logsumexp,
)
"""The kit of Python floats."""


def _not_analytic(*args: Any) -> Any:
    raise TypeError("this function is not analytic, or not known over the complex numbers")


def _complex_sigmoid(a: complex) -> complex:
    if a.real >= 0.0:
        return 1.0 / (1.0 + cmath.exp(-a))
    e = cmath.exp(a)
    return e / (1.0 + e)


def _complex_logsumexp(terms: Sequence[complex]) -> complex:
    top = max(t.real for t in terms)
    return top + cmath.log(sum(cmath.exp(t - top) for t in terms))


COMPLEX = Kit(
    exp=cmath.exp,
    expm1=lambda a: complex(
        math.expm1(a.real) * math.cos(a.imag) - 2.0 * math.sin(0.5 * a.imag) ** 2, math.exp(a.real) * math.sin(a.imag)
    ),
    log=cmath.log,
    log1p=lambda a: complex(0.5 * math.log1p(a.real * (2.0 + a.real) + a.imag**2), math.atan2(a.imag, 1.0 + a.real)),
    sqrt=cmath.sqrt,
    sin=cmath.sin,
    cos=cmath.cos,
    tan=cmath.tan,
    tanh=cmath.tanh,
    sigmoid=_complex_sigmoid,
    erf=_not_analytic,
    erfc=_not_analytic,
    abs=_not_analytic,
    sign=_not_analytic,
    maximum=_not_analytic,
    minimum=_not_analytic,
    div=operator.truediv,
    pow=operator.pow,
    where=_not_analytic,
    equal=operator.eq,
    on_grid=lambda a: _on_grid(a.real),
    sum=lambda terms: sum(terms, 0j),
    dot=lambda a, b: sum(map(operator.mul, a, b), 0j),
    logsumexp=_complex_logsumexp,
)
"""The kit of Python's complex numbers, for the complex step: analytic functions alone, and errors are raised."""


def array_kit(xp: Any, *, erf: Function | None = None, erfc: Function | None = None) -> Kit:
    """Make the kit of an array library with NumPy's names.

    Args:
        xp: the module, such as ``numpy`` or ``jax.numpy``; it is passed in because the core imports neither.
        erf, erfc: the library's error functions where it has them (``scipy.special``, ``jax.scipy.special``);
            without them those of ``math`` are called once per element.

    Returns:
        A kit whose functions work element by element and broadcast. n-ary functions take a sequence of arrays.

    Example:
        >>> import numpy
        >>> array_kit(numpy).sigmoid(numpy.array([0.0, -1e4]))
        array([0.5, 0. ])
    """

    def sigmoid(a: Any) -> Any:
        e = xp.exp(-xp.abs(a))
        return xp.where(a >= 0.0, 1.0, e) / (1.0 + e)

    def add_up(terms: Sequence[Any]) -> Any:
        return functools.reduce(operator.add, terms, 0.0)

    def logsumexp(terms: Sequence[Any]) -> Any:
        top = functools.reduce(xp.maximum, terms)
        shift = xp.where(xp.isfinite(top), top, 0.0)
        return shift + xp.log(add_up([xp.exp(t - shift) for t in terms]))

    return Kit(
        exp=xp.exp,
        expm1=xp.expm1,
        log=xp.log,
        log1p=xp.log1p,
        sqrt=xp.sqrt,
        sin=xp.sin,
        cos=xp.cos,
        tan=xp.tan,
        tanh=xp.tanh,
        sigmoid=sigmoid,
        erf=erf or xp.vectorize(math.erf, otypes=[float]),
        erfc=erfc or xp.vectorize(math.erfc, otypes=[float]),
        abs=xp.abs,
        sign=xp.sign,
        maximum=xp.maximum,
        minimum=xp.minimum,
        div=xp.divide,
        pow=xp.power,
        where=xp.where,
        equal=xp.equal,
        on_grid=_on_grid,
        sum=add_up,
        dot=lambda a, b: add_up([x * y for x, y in zip(a, b, strict=True)]),
        logsumexp=logsumexp,
    )
