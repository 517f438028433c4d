"""A statement as a line of NumPy."""

import re
from collections.abc import Callable
from typing import Any

from autograd_mini.compiler.program import Statement

__all__ = ["NUMPY_NAMES", "statement_line"]

NUMPY_NAMES = (
    "absolute", "add", "copyto", "cos", "divide", "dot", "empty", "equal", "exp", "expm1", "greater", "greater_equal", "less",
    "less_equal", "log", "log1p", "logaddexp", "matmul", "maximum", "minimum", "multiply", "negative", "ones", "power",
    "sign", "sin", "sqrt", "subtract", "tan", "tanh", "take", "zeros", "inf", "nan",
)  # fmt: skip


def statement_line(statement: Statement, name: Callable[[Any], str]) -> str:
    """Write a statement down; `name` says what its views and numbers are called."""
    function, args, out = statement.function, statement.args, statement.out
    given = [name(arg) for arg in args]
    target = name(out) if out is not None else ""
    if function in ("copy", "constant"):
        return f"{target}[...] = {given[0]}"
    if function == "choose":
        return f"copyto({target}, {given[0]}, where={given[1]})"
    if function.endswith(".reduce"):
        return f"{function}({given[0]}, axis={statement.keywords}, out={target})"
    if function == "take":
        text = f"take({given[0]}, {given[1]}, axis=0, out={target}, mode='clip')"
        return text if statement.keywords != "spread" else f"{target}[...] = {given[0]}[{given[1]}, None]"
    if function == "put":
        return f"{target}[{given[0]}] = {given[1]}"
    if function == "add_at":
        return f"{target}[{given[0]}] += {given[1]}"
    if function in ("erf", "erfc", "on_grid") or function.startswith("own:"):
        return f"{target}[...] = {re.sub(chr(92) + 'W', '_', function)}({', '.join(given)})"
    return f"{function}({', '.join(given)}, out={target})"
