"""A random formula under construction, whose arguments are steered into the box of each row and away from its kinks.

Steering means that an argument which does not fit is moved by a short decimal: ``log(x)`` at x = -1.3 becomes
``log(x + 2.0)``. Nothing is ever rejected, every number stays moderate, and finite differences are safe everywhere.
"""

import ast
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from autograd_mini.expression import Expression
from autograd_mini.kits import FLOAT
from autograd_mini.rules import RULES, Interval, Rule

__all__ = ["KINK_MARGIN", "Draft", "is_near_kink"]

KINK_MARGIN = 0.05
"""How far from a kink every argument stays."""

_LONGEST_LINE = 100
_DEEPEST_LINE = 8
_LONGEST_SEARCH = 100
_SIGNS: dict[str, ast.operator] = {
    "add": ast.Add(),
    "sub": ast.Sub(),
    "mul": ast.Mult(),
    "div": ast.Div(),
    "pow": ast.Pow(),
}

_Argument: TypeAlias = int | float
"""An int is the position of a number, the inputs first and then each op; a float is a constant."""


def is_near_kink(rule: Rule, point: Sequence[float]) -> bool:
    """Whether the derivative of a row jumps within the margin: by argument 0, or by its difference from argument 1."""
    places = [point[0], *(point[0] - other for other in point[1:2])]
    return any(abs(place - kink) < KINK_MARGIN for place, kink in itertools.product(places, rule.kinks))


class Draft:
    """A formula that grows by one op at a time.

    Args:
        inputs: the numbers for its inputs. One that no op uses yet may be moved instead of steering by an addition.
        most_ops: how many ops there may be, those that steer included.
        shares: whether an op may be used again; an input always may.

    Example:
        >>> draft = Draft([0.5, -1.0], most_ops=3)
        >>> draft.add("mul", [0, 1])
        >>> draft.add("log", [0])
        >>> draft.expression()
        Expression('log(x * y + 1.0)', x=0.5, y=-1.0)
    """

    def __init__(self, inputs: Sequence[float], *, most_ops: int, shares: bool = True) -> None:
        self._values = list(inputs)
        self._ops: list[tuple[str, tuple[_Argument, ...]]] = []
        self._most_ops = most_ops
        self._shares = shares
        self._pickable = list(range(len(inputs)))[::-1]  # the last is picked first
        self._unused = set(self._pickable)
        self._root = 0

    def add(self, op: str, picks: Sequence[int | float]) -> None:
        """Put one op on top.

        Args:
            op: a row of the table.
            picks: for each argument a whole number, which counts back from the newest op to the inputs, round and
                round; or a float for a constant. Without room for an addition a constant stands in for an argument;
                an op for which nothing fits is left out.
        """
        rule = RULES[op]
        box = rule.box if rule.arity else rule.box * len(picks)
        arguments: list[_Argument] = []
        point: list[float] = []
        if not any(isinstance(pick, int) for pick in picks):
            picks = (0, *picks[1:])
        if len(self._ops) == self._most_ops:
            return
        for pick, interval in zip(picks, box, strict=True):

            def fits(place: float, interval: Interval = interval) -> bool:
                return interval[0] <= place <= interval[1] and not is_near_kink(rule, [*point, place][:2])

            argument = self._argument(pick, interval, fits)
            if argument is None:
                return
            arguments.append(argument)
            point.append(self._value(argument))
        value = rule.forward(FLOAT, *point)
        if math.isfinite(value) and any(isinstance(argument, int) for argument in arguments):
            self._root = self._record(op, tuple(arguments), value)
            self._pickable.append(self._root)

    def _argument(self, pick: int | float, interval: Interval, fits: Callable[[float], bool]) -> _Argument | None:
        """What is picked, or the nearest thing to it that fits."""
        if isinstance(pick, float):
            return _moved(pick, interval, fits)
        position = self._pickable[-1 - pick % len(self._pickable)]
        if not self._shares and position >= self._inputs:
            self._pickable.remove(position)
        is_unused = position in self._unused
        self._unused.discard(position)
        value = self._values[position]
        if fits(value):
            return position
        if is_unused and (moved := _moved(value, interval, fits)) is not None:
            self._values[position] = moved
            return position
        shift = _shift(value, interval, lambda shift: fits(value + shift))
        if shift is None or len(self._ops) + 1 < self._most_ops:
            return shift if shift is None else self._record("add", (position, shift), value + shift)
        return _moved(value, interval, fits)

    @property
    def _inputs(self) -> int:
        return len(self._values) - len(self._ops)

    def _value(self, argument: _Argument) -> float:
        return self._values[argument] if isinstance(argument, int) else argument

    def _record(self, op: str, arguments: tuple[_Argument, ...], value: float) -> int:
        self._ops.append((op, arguments))
        self._values.append(value)
        return len(self._values) - 1

    def expression(self) -> Expression:
        """Write down what the newest op depends on: what is used several times gets a name, the rest is written out."""
        inputs, uses, depth = self._inputs, {self._root: 1}, {}
        for position in range(self._root, inputs - 1, -1):
            if position in uses:
                for argument in self._ops[position - inputs][1]:
                    if isinstance(argument, int):
                        uses[argument] = uses.get(argument, 0) + 1
        input_names, names = _names("xyz"), _names("uvw")
        written: dict[int, ast.expr] = {}
        lines: list[str] = []
        numbers: dict[str, float] = {}
        for position in sorted(uses):
            if position < inputs:
                name = next(input_names)
                numbers[name] = self._values[position]
                written[position], depth[position] = ast.Name(name), 0
                continue
            op, arguments = self._ops[position - inputs]
            formula = _call(op, [_constant(a) if isinstance(a, float) else written[a] for a in arguments])
            height = 1 + max(depth[a] for a in arguments if isinstance(a, int))
            if position == self._root:
                written[position] = formula
            elif uses[position] > 1 or height == _DEEPEST_LINE:
                name = next(names)
                lines.append(f"{name} = {ast.unparse(formula)}")
                written[position], depth[position] = ast.Name(name), 0
            else:
                written[position], depth[position] = formula, height
        lines.append(ast.unparse(written[self._root]))
        text = "; ".join(lines)
        return Expression(text if len(text) <= _LONGEST_LINE else "\n".join(lines), **numbers)


def _shift(place: float, interval: Interval, fits: Callable[[float], bool]) -> float | None:
    """The number of fewest decimals, and then the smallest, that `fits`, when added to `place`."""
    low, high = interval
    for decimals in range(7):
        scale: int = 10**decimals
        start = math.ceil((low - place) * scale) if place < low else math.floor(min(high - place, 0.0) * scale)
        for away in range(_LONGEST_SEARCH):
            for steps in (start + away, start - away):
                if fits(steps / scale):
                    return steps / scale
            if low > place + (start - away) / scale and place + (start + away) / scale > high:
                break
    return None


def _moved(place: float, interval: Interval, fits: Callable[[float], bool]) -> float | None:
    def at(shift: float) -> float:
        return round(place + shift, 9)  # 0.1 + 0.2 is to be printed as 0.3

    shift = _shift(place, interval, lambda shift: fits(at(shift)))
    return shift if shift is None else at(shift)


def _names(letters: str) -> Iterator[str]:
    numbered = (f"{letters[0]}{i}" for i in itertools.count(len(letters) + 1))
    return (name for name in itertools.chain(letters, numbered) if name not in RULES)


def _constant(x: float) -> ast.expr:
    return ast.Constant(x) if math.copysign(1.0, x) > 0.0 else ast.UnaryOp(ast.USub(), ast.Constant(-x))


def _call(op: str, arguments: list[ast.expr]) -> ast.expr:
    if op in _SIGNS:
        return ast.BinOp(arguments[0], _SIGNS[op], arguments[1])
    if op == "neg":
        return ast.UnaryOp(ast.USub(), arguments[0])
    if RULES[op].arity is None:
        half = len(arguments) // 2
        lists = [arguments[:half], arguments[half:]] if op == "dot" else [arguments]
        arguments = [ast.List(elements) for elements in lists]
    return ast.Call(ast.Name(op), arguments, [])
