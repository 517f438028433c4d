"""``Symbol``: a formula that is written down, not computed; a rule of the derivative table run on symbols gives code.

Symbols are hash-consed (Ershov 1958): equal formulas are one object, so what forward and backward have in common is
found by itself. The few rewritings below are exact, or as accurate as the row they come from.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd_mini.kits import FLOAT, Kit
from autograd_mini.primitive import is_own
from autograd_mini.rules import RULES

__all__ = [
    "CONDITIONS",
    "KIT",
    "LARGEST_EXPONENT",
    "Operand",
    "Sheet",
    "Symbol",
    "opaque_function",
    "partial_formula",
    "value_formula",
]

Operand = "Symbol | float"

CONDITIONS = frozenset({"less", "less_equal", "greater", "greater_equal", "equal"})
"""Ops whose result is true or false; ``"indicator"`` makes it 1 or 0."""

_FOLDS: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "neg": lambda a: -a,
    "greater": lambda a, b: float(a > b),
    "greater_equal": lambda a, b: float(a >= b),
    "less": lambda a, b: float(a < b),
    "less_equal": lambda a, b: float(a <= b),
}
LARGEST_EXPONENT = 709.0
"""Where a bounded exp of doubles ends: there it does not overflow yet."""

_WHOLE_POWERS = (2.0, 3.0, 4.0)


class Symbol:
    """One node of a formula: an op of the kit and its operands, symbols or plain numbers."""

    __slots__ = ("args", "op", "place", "sheet")

    def __init__(self, sheet: "Sheet", op: str, args: tuple[Any, ...], place: int) -> None:
        self.sheet, self.op, self.args, self.place = sheet, op, args, place

    def __repr__(self) -> str:
        return f"{self.op}({', '.join(map(repr, self.args))})"

    def __bool__(self) -> bool:
        raise TypeError("a symbol is neither true nor false; a rule chooses with k.where")

    def __add__(self, other: Any) -> Any:
        return self.sheet.make("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self.sheet.make("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self.sheet.make("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.sheet.make("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return self.sheet.make("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.sheet.make("mul", other, self)

    def __truediv__(self, other: Any) -> Any:
        return self.sheet.make("div", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.sheet.make("div", other, self)

    def __neg__(self) -> Any:
        return self.sheet.make("neg", self)

    def __gt__(self, other: Any) -> Any:
        return self.sheet.make("greater", self, other)

    def __ge__(self, other: Any) -> Any:
        return self.sheet.make("greater_equal", self, other)

    def __lt__(self, other: Any) -> Any:
        return self.sheet.make("less", self, other)

    def __le__(self, other: Any) -> Any:
        return self.sheet.make("less_equal", self, other)


class Sheet:
    """The paper that symbols are written on, each different formula once.

    Attributes:
        symbols: all of them in order, operands before what is made of them.
    """

    def __init__(self) -> None:
        self.symbols: list[Symbol] = []
        self._found: dict[tuple[Any, ...], Symbol] = {}

    def make(self, op: str, *args: Any) -> Any:
        """Write down `op` of `args`, simplified where that loses nothing."""
        if op in _FOLDS and not any(isinstance(arg, Symbol) for arg in args):
            return _FOLDS[op](*args)
        simpler = _SIMPLIFIED[op](self, *args) if op in _SIMPLIFIED else None
        return self.write(op, *args) if simpler is None else simpler

    def write(self, op: str, *args: Any) -> Symbol:
        """Write down `op` of `args` as it stands."""
        key = (op, *[(arg.place,) if isinstance(arg, Symbol) else arg for arg in args])
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = Symbol(self, op, args, len(self.symbols))
            self.symbols.append(found)
        return found


def _sheet(*args: Any) -> Sheet | None:
    return next((arg.sheet for arg in args if isinstance(arg, Symbol)), None)


def _add(sheet: Sheet, a: Any, b: Any) -> Any:
    if type(b) is float:
        a, b = b, a
    if type(a) is float and a == 0.0:
        return b
    if isinstance(a, Symbol) and isinstance(b, Symbol):
        if b.op == "neg":
            return sheet.make("sub", a, b.args[0])
        if a.op == "neg":
            return sheet.make("sub", b, a.args[0])
    return sheet.write("add", b, a) if type(a) is float else None


def _sub(sheet: Sheet, a: Any, b: Any) -> Any:
    if type(b) is float and b == 0.0:
        return a
    if isinstance(b, Symbol) and b.op == "neg":
        return sheet.make("add", a, b.args[0])
    return sheet.make("neg", b) if type(a) is float and a == 0.0 else None


def _mul(sheet: Sheet, a: Any, b: Any) -> Any:
    if type(a) is float:
        a, b = b, a
    if type(b) is not float:
        if isinstance(a, Symbol) and isinstance(b, Symbol):
            if a.op == "neg" and b.op == "neg":
                return sheet.make("mul", a.args[0], b.args[0])
            if a.op == "neg":
                return sheet.make("neg", sheet.make("mul", a.args[0], b))
            if b.op == "neg":
                return sheet.make("neg", sheet.make("mul", a, b.args[0]))
            if a.place > b.place:
                return sheet.write("mul", b, a)
        return None
    if b == 0.0:
        return 0.0
    if b < 0.0:  # the sign in front, where neg(neg(a)) and sums find it
        return sheet.make("neg", sheet.make("mul", a, -b))
    if b == 1.0:
        return a
    if isinstance(a, Symbol) and a.op == "neg":
        return sheet.make("neg", sheet.make("mul", a.args[0], b))
    if isinstance(a, Symbol) and a.op == "mul" and type(a.args[1]) is float:
        return sheet.make("mul", a.args[0], a.args[1] * b)
    return sheet.write("mul", a, b)


def _neg(sheet: Sheet, a: Any) -> Any:
    return a.args[0] if a.op == "neg" else sheet.write("sub", a.args[1], a.args[0]) if a.op == "sub" else None


def _div(sheet: Sheet, a: Any, b: Any) -> Any:
    if type(b) is float:
        if b == 1.0:
            return a
        if b and math.isfinite(1.0 / b) and math.frexp(b)[0] in (0.5, -0.5):  # a power of two: 1/b is exact
            return sheet.make("mul", a, 1.0 / b)
        return FLOAT.div(a, b) if type(a) is float else None
    if isinstance(a, Symbol) and a.op == "neg":
        return sheet.make("neg", sheet.make("div", a.args[0], b))
    return None


def _pow(sheet: Sheet, a: Any, b: Any) -> Any:
    if type(a) is float and type(b) is float:
        return FLOAT.pow(a, b)
    if b == 1.0:
        return a
    if b == 0.0:
        return 1.0
    if b == -1.0:
        return sheet.make("div", 1.0, a)
    if b in _WHOLE_POWERS:
        product = a
        for _ in range(int(b) - 1):
            product = sheet.make("mul", product, a)
        return product
    return None


def _where(sheet: Sheet, condition: Any, a: Any, b: Any) -> Any:
    if not isinstance(condition, Symbol):
        return a if condition else b
    if condition.op == "indicator":
        return sheet.make("where", condition.args[0], a, b)
    if condition.op not in CONDITIONS:  # a number: 0 is false, and all others are true, nan too
        return sheet.make("where", sheet.write("equal", condition, 0.0), b, a)
    return sheet.write("indicator", condition) if (a, b) == (1.0, 0.0) else None


def _sigmoid(sheet: Sheet, a: Any) -> Any:
    """1/(1 + exp(-a)), and of -a the same times exp(-a): no digit is lost, and nothing overflows."""
    if isinstance(a, Symbol) and a.op == "neg":
        return sheet.make("mul", sheet.make("sigmoid", a.args[0]), _decay(sheet, a.args[0]))
    return sheet.make("div", 1.0, sheet.make("add", _decay(sheet, a), 1.0))


def _decay(sheet: Sheet, a: Any) -> Any:
    return sheet.write("bounded_exp", sheet.make("neg", a))


_SIMPLIFIED: dict[str, Callable[..., Any]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "neg": _neg,
    "div": _div,
    "pow": _pow,
    "where": _where,
    "sigmoid": _sigmoid,
}


def _function(op: str) -> Callable[..., Any]:
    def function(*args: Any) -> Any:
        sheet = _sheet(*args)
        return getattr(FLOAT, op)(*args) if sheet is None else sheet.make(op, *args)

    return function


def _add_up(terms: Sequence[Any]) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _logsumexp(terms: Sequence[Any]) -> Any:
    sheet = _sheet(*terms)
    return FLOAT.logsumexp(terms) if sheet is None else sheet.make("logsumexp", *terms)


KIT = Kit(
    **{op: _function(op) for op in Kit.__dataclass_fields__ if op not in ("sum", "dot", "logsumexp")},
    sum=_add_up,
    dot=lambda a, b: _add_up([x * y for x, y in zip(a, b, strict=True)]),
    logsumexp=_logsumexp,
)
"""The kit that writes formulas down."""


def value_formula(sheet: Sheet, op: str, args: Sequence[Any]) -> Any:
    """The formula of an op of numbers: its row of the table, run on symbols. A user's own op stays one call."""
    if op == "detach":
        return args[0]
    if op == "dot":
        half = len(args) // 2
        return _add_up([value_formula(sheet, "mul", pair) for pair in zip(args[:half], args[half:], strict=True)])
    if op == "mul" and 0.0 in args and _sheet(*args):  # inf · 0 is nan; a partial of 0, though, is as good as no path
        return sheet.write(op, *sorted(args, key=lambda arg: type(arg) is float))
    if op not in RULES or is_own(op):
        return sheet.make(f"own:{op}" if op in RULES else op, *args)
    return RULES[op].forward(KIT, *args)


def partial_formula(sheet: Sheet, op: str, i: int, y: Any, args: Sequence[Any]) -> Any:
    """The formula of ∂op/∂args[i]."""
    if is_own(op):
        return sheet.make(f"own:{op}:{i}", y, *args)
    return RULES[op].partial(KIT, i, y, args)


def opaque_function(op: str) -> Callable[..., float]:
    """The function of floats that ``"own:cube"`` or, for a partial, ``"own:cube:0"`` stands for."""
    _, name, *which = op.split(":")
    rule = RULES[name]
    if which:
        return lambda y, *args: float(rule.partial(FLOAT, int(which[0]), y, args))
    return lambda *args: float(rule.forward(FLOAT, *args))
