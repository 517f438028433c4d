"""What the words after a command mean: counts, numbers, nodes, and where to stop."""

import ast
import math
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from autograd_mini.backward import Step
from autograd_mini.expression import Expression
from autograd_mini.modes import quiet
from autograd_mini.rules import RULES
from autograd_mini.stepper import Debugger

__all__ = ["conditions", "count_of", "number_of"]

_NUMBERS = ("upstream", "local", "contribution", "before", "after")
_FUNCTIONS = {"abs": abs, "isfinite": math.isfinite, "isinf": math.isinf, "isnan": math.isnan}
# What a condition is made of: with attributes, strings or functions of its own it could reach anything there is.
_LEGAL = (
    ast.Expression, ast.BoolOp, ast.boolop, ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator, ast.Compare, ast.cmpop,
    ast.Call, ast.Load,
)  # fmt: skip
_NON_FINITE = ("nan", "inf", "non-finite")


def count_of(name: str, text: str) -> int:
    """Read how often to do a command."""
    if not text.isdecimal() or not int(text):
        fix = "; a breakpoint is set by break, or br" if name == "back" else ""
        raise ValueError(f"{name} takes a whole number, 1 or more, as in {name} 3, got {text!r:.40}{fix}")
    return int(text)


def number_of(text: str) -> float:
    """Read a number, or compute one; a formula runs nothing.

    Example:
        >>> number_of("nan"), number_of("1 - tanh(0)**2")
        (nan, 1.0)
    """
    with suppress(ValueError):
        return float(text)
    try:
        with quiet():
            return float(Expression(text)())
    except ValueError:
        fix = "write one, as in 0.7, or numbers to compute, as in 0.5*2"
        raise ValueError(f"{text!r:.60} is no number; {fix}") from None


def conditions(debugger: Debugger, text: str) -> dict[str, Any]:
    """Turn the words after break, until and reverse into the arguments of the Debugger's method.

    Example:
        >>> from autograd_mini import Value, debug
        >>> conditions(debug(Value(2.0, "x").tanh()), "tanh line=train.py:12")
        {'line': 'train.py:12', 'op': 'tanh'}
    """
    place, *condition = re.split(r"(?:^|\s)if\s", text, maxsplit=1)
    found: dict[str, Any] = {"when": _predicate(condition[0].strip())} if condition else {}
    words = []
    for word in place.split():
        key, equals, value = word.partition("=")
        if equals and key in ("op", "line"):
            found[key] = value
        else:
            words.append(word)
    return found | (_place(debugger, " ".join(words)) if words else {})


def _place(debugger: Debugger, text: str) -> dict[str, Any]:
    """A label or a name comes first, and what else the word may mean only if there is none."""
    try:
        debugger.find(text)
    except ValueError:
        if text in _NON_FINITE:
            return {"non_finite": True}
        if text in RULES:
            return {"op": text}
        if re.fullmatch(r"(.+\.py:)?\d+", text):
            return {"line": text}
        raise
    return {"where": text}


def _predicate(text: str) -> Callable[[Step], bool]:
    """Compile a condition on the numbers of a step."""
    try:
        tree = ast.parse(text, mode="eval")
        if strange := [ast.unparse(part) for part in ast.walk(tree) if not _is_legal(part)]:
            known = ", ".join((*_NUMBERS, *_FUNCTIONS))
            raise ValueError(
                f"a condition does not know {strange[0]!r:.60}; it knows {known}, as in: if abs(local) > 1"
            )
        code = compile(tree, "<condition>", "eval")
    except (SyntaxError, RecursionError, MemoryError) as error:
        why = getattr(error, "msg", "it nests too deeply")
        raise ValueError(f"the condition {text!r:.60} cannot be read: {why}") from None

    def holds(step: Step) -> bool:
        return bool(eval(code, {"__builtins__": {}, **_FUNCTIONS}, {name: getattr(step, name) for name in _NUMBERS}))

    holds.__name__ = text  # what the breakpoint says of itself
    return holds


def _is_legal(part: ast.AST) -> bool:
    if isinstance(part, ast.Name):
        return part.id in (*_NUMBERS, *_FUNCTIONS)
    return isinstance(part.value, (int, float)) if isinstance(part, ast.Constant) else isinstance(part, _LEGAL)
