"""A statement as a line of NumPy, and what the names in such lines stand for."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_mini.compiler.program import Axis, Ref, Statement
from autograd_mini.kits import array_kit

__all__ = ["RESERVED", "given_name", "scope", "simplified", "statement_line"]

_NUMPY = (
    "absolute", "add", "copyto", "cos", "divide", "dot", "empty", "equal", "exp", "expm1", "greater", "greater_equal",
    "less", "less_equal", "log", "log1p", "logaddexp", "matmul", "maximum", "minimum", "multiply", "negative", "ones",
    "power", "sign", "sin", "sqrt", "subtract", "take", "tan", "tanh", "zeros", "inf", "nan",
)  # fmt: skip
_OURS = ("erf", "erfc", "on_grid", "strided")
_LIMITS = ("largest_number", "largest_exponent")
RESERVED = ("parameters", "gradients", "batch", "share", "dtype", "prepare", "step", "bool", *_NUMPY, *_OURS, *_LIMITS)
"""Names that a program has for other things."""

_NOT_ELEMENTWISE = frozenset({"matmul", "dot", "take", "put", "add_at", "constant", "keep"})
_ONE = Axis(1, 0)


def scope(own: dict[str, Callable[..., float]], dtype: Any) -> dict[str, Any]:
    """What the names in a program's source stand for; `own` are functions of floats, made to work on arrays."""
    kit, largest = array_kit(np), np.finfo(dtype).max
    names: dict[str, Any] = {name: getattr(np, name) for name in _NUMPY}
    names |= {"erf": kit.erf, "erfc": kit.erfc, "on_grid": kit.on_grid, "strided": _strided}
    names |= {"largest_number": float(largest), "largest_exponent": float(np.floor(np.log(largest)))}
    return names | {name: np.vectorize(function, otypes=[float]) for name, function in own.items()}


def _strided(buffer: Any, start: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """A view of contiguous memory; start and strides count numbers."""
    size = buffer.itemsize
    reach = [(n - 1) * stride for n, stride in zip(shape, strides, strict=True)]
    first, last = (start + sum(f(0, step) for step in reach) for f in (min, max))
    assert 0 <= first <= last < buffer.size  # else it would read and write what is not its own
    return np.lib.stride_tricks.as_strided(buffer.reshape(-1)[start:], shape, [stride * size for stride in strides])


def given_name(name: str) -> str:
    """What the source calls an argument as it is given, where `name` is its memory."""
    return name.upper() if name.upper() != name else f"new_{name}"


def simplified(statement: Statement) -> Statement:
    """The same without leading axes of size 1, which NumPy's broadcasting puts back."""
    out, function = statement.out, statement.function
    if out is None or function in _NOT_ELEMENTWISE or function.endswith(".reduce"):
        return statement
    views = [arg for arg in statement.args if isinstance(arg, Ref)]
    common = 0
    while common < len(out.axes) - 1 and all(ref.axes[common] == _ONE for ref in (*views, out)):
        common += 1
    args = [_trimmed(arg._replace(axes=arg.axes[common:])) if isinstance(arg, Ref) else arg for arg in statement.args]
    return Statement(function, tuple(args), out._replace(axes=out.axes[common:]), statement.keywords)


def _trimmed(ref: Ref) -> Ref:
    axes = ref.axes
    while len(axes) > 1 and axes[0] == _ONE:
        axes = axes[1:]
    return ref._replace(axes=axes)


def statement_line(statement: Statement, name: Callable[[Any], str]) -> str:
    """Write a statement down; `name` says what its views and numbers are called."""
    function = statement.function
    given = [name(arg) for arg in statement.args]
    target = name(statement.out) if statement.out is not None else ""
    if function in ("copy", "constant"):
        return f"{target}[...] = {given[0]}"
    if function == "choose":
        return f"copyto({target}, {given[0]}, where={given[1]})"
    if function.endswith(".reduce"):
        return f"{function}({given[0]}, axis={statement.keywords}, out={target})"
    if function == "take":
        if statement.keywords == "spread":
            return f"{target}[...] = {given[0]}[{given[1]}, None]"
        return f"take({given[0]}, {given[1]}, axis=0, out={target}, mode='clip')"
    if function == "put":
        return f"{target}[{given[0]}] = {given[1]}"
    if function == "add_at":
        return f"{target}[{given[0]}] += {given[1]}"
    if function in _OURS or function.startswith("own:"):
        return f"{target}[...] = {re.sub(r'[^0-9A-Za-z_]', '_', function)}({', '.join(given)})"
    return f"{function}({', '.join(given)}, out={target})"
