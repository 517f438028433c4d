"""The derivative table as JavaScript: every row that a graph needs, run on symbols and printed.

The formulas are those of ``RULES``, so an op that is added there computes in the page too. Ops of any number of
arguments have a hand-written kernel in ``static/kernels.js``; a test holds both to Python.
"""

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from autograd_mini import RULES
from autograd_mini.algebra import TEXT
from autograd_mini.compiler.symbols import KIT, Sheet, Symbol
from autograd_mini.primitive import is_own
from autograd_mini.value import Value

__all__ = ["NARY", "is_computable", "javascript_table", "op_texts"]

NARY = ("sum", "mean", "dot", "logsumexp")
"""The ops of any number of arguments that ``static/kernels.js`` has kernels for."""

_INFIX = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "less": "<", "less_equal": "<=", "greater": ">",
    "greater_equal": ">=", "equal": "===",
}  # fmt: skip
_LETTERS = "abcdefgh"


def is_computable(op: str) -> bool:
    """Whether the page can compute this op; one of the user's own is Python, and keeps the numbers it had."""
    return op in RULES and not is_own(op) and (RULES[op].arity is not None or op in NARY)


def javascript_table(ops: Iterable[str]) -> str:
    """Write the rows of these ops as a JavaScript object: op → value and partials.

    Args:
        ops: names; those that the page cannot compute, and those of any number of arguments, are left out.

    Returns:
        An expression. ``value(a, b)`` is the number; ``partials[i](y, a, b)`` its derivative by argument i.

    Example:
        >>> print(javascript_table(["mul"]))
        {
          "mul": {value: (a, b) => a * b, partials: [(y, a, b) => b, (y, a, b) => a]},
        }
    """
    rows = [f"  {_quoted(op)}: {_row(op)},\n" for op in dict.fromkeys(ops) if is_computable(op) and op not in NARY]
    return "{\n" + "".join(rows) + "}"


def op_texts(op: str, arity: int) -> dict[str, Any]:
    """Write an op and its slopes for people, as ``explain`` does, with ``{0}``, ``{1}`` and ``{y}`` for the names.

    Example:
        >>> op_texts("tanh", 1)
        {'formula': 'tanh({0})', 'slopes': ['(1 - {y}**2)']}
    """
    names = [f"{{{i}}}" for i in range(arity)]
    node = Value(0.0, "{y}")
    args = tuple(Value(0.0, name) for name in names)
    node.op, node._args = op, args
    slopes = [TEXT.slope(node, i, lambda arg: str(arg.label)) for i in range(arity)]
    return {"formula": TEXT.operation(op, names), "slopes": slopes}


def _row(op: str) -> str:
    rule = RULES[op]
    arity = rule.arity or 0
    sheet = Sheet()
    kit = dataclasses.replace(KIT, sigmoid=lambda a: sheet.write("sigmoid", a))
    y, *args = (sheet.write(f"input:{letter}") for letter in ("y", *_LETTERS[:arity]))
    value = _function(_LETTERS[:arity], rule.forward(kit, *args))
    partials = [_function("y" + _LETTERS[:arity], rule.partial(kit, i, y, args)) for i in range(arity)]
    return f"{{value: {value}, partials: [{', '.join(partials)}]}}"


def _function(parameters: Sequence[str], formula: Any) -> str:
    """An arrow function; what its formula uses twice gets a name."""
    uses: Counter[int] = Counter()
    _count(formula, uses)
    names: dict[int, str] = {}
    lines: list[str] = []
    result = _outer(_written(formula, uses, names, lines))
    body = f"{{ {' '.join(lines)} return {result}; }}" if lines else result
    return f"({', '.join(parameters)}) => {body}"


def _count(formula: Any, uses: Counter[int]) -> None:
    if isinstance(formula, Symbol):
        uses[formula.place] += 1
        if uses[formula.place] == 1:
            for arg in formula.args:
                _count(arg, uses)


def _written(formula: Any, uses: Counter[int], names: dict[int, str], lines: list[str]) -> str:
    """A formula as a JavaScript expression; `lines` gets what is to be computed before."""
    if not isinstance(formula, Symbol):
        return _literal(float(formula))
    if formula.op.startswith("input:"):
        return formula.op.removeprefix("input:")
    if formula.place in names:
        return names[formula.place]
    text = _operation(formula.op, [_written(arg, uses, names, lines) for arg in formula.args])
    if uses[formula.place] < 2:
        return text
    names[formula.place] = name = f"t{len(lines)}"
    lines.append(f"const {name} = {_outer(text)};")
    return name


def _operation(op: str, texts: Sequence[str]) -> str:
    if op in _INFIX:
        return f"({texts[0]} {_INFIX[op]} {texts[1]})"
    if op == "neg":
        return f"(-{texts[0]})"
    if op == "where":
        return f"({texts[0]} ? {texts[1]} : {texts[2]})"
    if op == "indicator":
        return f"({texts[0]} ? 1 : 0)"
    if op == "bounded_exp":
        return f"kit.exp(kit.minimum({texts[0]}, 709))"
    return f"kit.{op}({', '.join(map(_outer, texts))})"


def _literal(x: float) -> str:
    if math.isfinite(x):
        text = repr(x).removesuffix(".0")
        return f"({text})" if text.startswith("-") else text
    return "NaN" if math.isnan(x) else "Infinity" if x > 0.0 else "(-Infinity)"


def _outer(text: str) -> str:
    """Take off brackets around the whole of an expression."""
    if not text.startswith("("):
        return text
    depth = 0
    for i, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if not depth:
            return text[1:-1] if i == len(text) - 1 else text
    return text


def _quoted(op: str) -> str:
    return json.dumps(op).replace("<", "\\u003c")
