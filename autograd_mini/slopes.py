"""The local derivatives as a textbook prints them: one line of algebra for every partial of the table.

The table computes; these lines are read. A few partials of the table are written differently, to keep digits that the
textbook's form would lose; a test holds every line here to its partial, and an op without a line fails it.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from autograd_mini.expression import Expression

__all__ = ["SLOPES", "slope"]

SLOPES: dict[str, tuple[str, ...]] = {
    "add": ("1", "1"),
    "sub": ("1", "-1"),
    "mul": ("b", "a"),
    "div": ("1 / b", "-a / b**2"),
    "neg": ("-1",),
    "pow": ("b * a**(b - 1)", "y * log(a)"),
    "exp": ("y",),
    "expm1": ("exp(a)",),
    "log": ("1 / a",),
    "log1p": ("1 / (1 + a)",),
    "sqrt": ("1 / (2 * y)",),
    "square": ("2 * a",),
    "sin": ("cos(a)",),
    "cos": ("-sin(a)",),
    "tan": ("1 + y**2",),
    "tanh": ("1 - y**2",),
    "sigmoid": ("y * (1 - y)",),
    "erf": ("2 / sqrt(pi) * exp(-a**2)",),
    "erfc": ("-2 / sqrt(pi) * exp(-a**2)",),
    "relu": ("1 if a > 0 else 0",),
    "leaky_relu": ("1 if a > 0 else b", "0 if a > 0 else a"),
    "elu": ("1 if a > 0 else b * exp(a)", "0 if a > 0 else exp(a) - 1"),
    "gelu": ("erfc(-a / sqrt(2)) / 2 + a * exp(-a**2 / 2) / sqrt(2 * pi)",),
    "silu": ("sigmoid(a) * (1 + a * (1 - sigmoid(a)))",),
    "softplus": ("sigmoid(a)",),
    "abs": ("sign(a)",),
    "sign": ("0",),
    "maximum": ("1 if a > b else 0 if a < b else 0.5", "0 if a > b else 1 if a < b else 0.5"),
    "minimum": ("0 if a > b else 1 if a < b else 0.5", "1 if a > b else 0 if a < b else 0.5"),
    "where": ("0", "1 if a != 0 else 0", "0 if a != 0 else 1"),
    "dot": ("b",),
    "sum": ("1",),
    "mean": ("1 / n",),
    "logsumexp": ("exp(a - y)",),
}
"""A line for each argument of an op, in the language of ``Expression`` with ``… if … else …`` around it.

``a``, ``b``, ``c`` are the arguments and ``y`` is the result. An n-ary op has one line, where ``a`` is the argument
that it is the derivative by, ``b`` the one that a dot product multiplies it with, and ``n`` how many there are.
An op of your own prints as ``∂y/∂a`` until you add its lines here.
"""


def slope(source: str, functions: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    """Evaluate a line of ``SLOPES`` in any kind of number, text included.

    Args:
        source: the line.
        functions: as for ``Expression.evaluate``; for a line with ``if`` one called ``"if"`` besides, which is given
            the result, left side, sign and right side of the condition, and the other result.
        known: what the names stand for.

    Example:
        >>> from operator import mul, sub
        >>> slope("y * (1 - y)", {"mul": mul, "sub": sub}, {"y": 0.5})
        0.25
    """
    then, is_conditional, rest = source.partition(" if ")
    if is_conditional:
        condition, _, otherwise = rest.partition(" else ")
        left, sign, right = condition.split(" ")
        a, b, c, d = (slope(part, functions, known) for part in (then, left, right, otherwise))
        return functions["if"](a, b, sign, c, d)
    expression = _read(source)
    return expression.evaluate(functions, *(known[name] for name in expression.inputs))


@cache
def _read(source: str) -> Expression:
    # A name that is followed by a bracket is a function.
    return Expression(source, **dict.fromkeys(re.findall(r"\b[a-z]+\b(?!\()", source), 0.0))


for _row in SLOPES.values():  # read now: later the user may call an op `a`, and an input could have that name no more
    for _source in _row:
        for _part in re.split(r" if | else | [<>]=? | != ", _source):
            _read(_part)
