"""Algebra in two scripts, plain text and LaTeX: names, numbers, operations, and brackets where they are needed."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

from autograd_mini.kits import FLOAT
from autograd_mini.notation import shortened, symbol_of, written
from autograd_mini.number import number_text
from autograd_mini.products import Product
from autograd_mini.rules import RULES
from autograd_mini.slopes import SLOPES, slope

__all__ = ["LATEX", "TEXT", "Script"]

_SUM, _SIGN, _PRODUCT, _POWER, _ATOM = range(5)  # how tightly a text holds together


class _Term(NamedTuple):
    text: str
    level: int


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """A way to write algebra down.

    Attributes:
        templates: how an op is written with its arguments; one that is missing is written as a function.
        levels: how tightly what the template makes holds together, and how tightly each argument has to, or else it
            is put in brackets.
        brackets: a template.
        name: turns a node's name into this script.
        number: turns a number into this script.
        derivative: a template with ``y`` and ``x``.
        call: writes a function of arguments.
        condition: a template with ``then``, ``left``, ``sign``, ``right`` and ``otherwise``.
    """

    templates: Mapping[str, str]
    levels: Mapping[str, tuple[int, ...]]
    brackets: str
    name: Callable[[str], str]
    number: Callable[[float], str]
    derivative: str
    call: Callable[[str, Sequence[str]], str]
    condition: str

    def operation(self, op: str, names: Sequence[str], keep: Collection[int] = ()) -> str:
        """Write an op with the names of its arguments; a long list is shortened, but for those to `keep`."""
        if self is TEXT:
            return written(op, names, keep=keep)
        terms = [self._named(name) for name in names]
        if op == "dot":
            half = len(terms) // 2
            pairs = zip(terms[:half], terms[half:], strict=True)
            products = [rf"{self._enclosed(a, _PRODUCT)} \cdot {self._enclosed(b, _PRODUCT)}" for a, b in pairs]
            return " + ".join(self._shortened(products, {i % half for i in keep})) or "0"
        if op in RULES and RULES[op].arity is not None:
            return self._write(op, *terms).text
        return self.call(op, self._shortened([term.text for term in terms], keep))

    def slope(self, node: Any, argument: int, name: Callable[[Any], str]) -> str:
        """Write ∂node/∂argument, ready to stand behind a ``×``.

        Args:
            node: the operation.
            argument: the argument, counted from 0.
            name: names a node or a constant.
        """
        args = node._args
        lines = SLOPES.get(node.op)
        if lines is None or node.op not in RULES:
            return self.derivative.format(y=self.name(name(node)), x=self.name(name(args[argument])))
        pi = _Term(self.name("π"), _ATOM)
        known: dict[str, Any] = {"y": self._named(name(node)), "n": float(len(args)), "pi": pi}
        if RULES[node.op].arity is None:
            known["a"] = self._operand(args[argument], name)
            known["b"] = self._operand(args[argument - len(args) // 2], name)
        else:
            known.update({letter: self._operand(arg, name) for letter, arg in zip("abc", args, strict=False)})
        source = lines[argument if len(lines) > 1 else 0]
        term = self._term(slope(source, _functions(self, tuple(RULES)), known))
        return self.brackets.format(term.text) if term.text.startswith("-") else self._enclosed(term, _PRODUCT)

    def factor(self, x: float) -> str:
        """Write a number, ready to stand behind a ``×``."""
        return self._enclosed(self._term(x), _PRODUCT)

    def product(self, x: Product) -> str:
        """Write a product of any size, ready to stand behind a ``×``."""
        return self._enclosed(self._named(str(x)), _PRODUCT)

    def _shortened(self, texts: Sequence[str], keep: Collection[int]) -> list[str]:
        return [self.name(text) if text == "…" else text for text in shortened(texts, keep=keep)]

    def _operand(self, arg: Any, name: Callable[[Any], str]) -> "_Term | float":
        is_constant = isinstance(arg, float) or (arg.op == "constant" and not arg.label)
        return float(arg) if is_constant else self._named(name(arg))

    def _named(self, name: str) -> _Term:
        return _Term(self.name(name), _SIGN if name.startswith("-") else _ATOM)

    def _term(self, operand: "_Term | float") -> _Term:
        if isinstance(operand, _Term):
            return operand
        return _Term(self.number(operand), _SIGN if number_text(operand).startswith("-") else _ATOM)

    def _apply(self, op: str, *operands: "_Term | float") -> "_Term | float":
        """Write an op of a slope; arithmetic with numbers is done, and what has no effect is left out."""
        if op in TEXT.templates and all(isinstance(operand, float) for operand in operands):
            return float(RULES[op].forward(FLOAT, *operands))
        if op == "mul" and 0.0 in operands:
            return 0.0
        if op == "mul" and 1.0 in operands:
            return operands[1] if operands[0] == 1.0 else operands[0]
        if op == "pow" and operands[1] in (0.0, 1.0):
            return operands[0] if operands[1] else 1.0
        return self._write(op, *map(self._term, operands))

    def _write(self, op: str, *terms: _Term) -> _Term:
        level, *needed = self.levels.get(op, (_ATOM,))
        texts = [self._enclosed(t, n) for t, n in zip(terms, needed or [_SUM] * len(terms), strict=True)]
        if op in self.templates:
            return _Term(self.templates[op].format(*texts), level)
        return _Term(self.call(op, texts), level)

    def _choose(self, then: Any, left: Any, sign: str, right: Any, otherwise: Any) -> _Term:
        parts = {"then": then, "left": left, "right": right, "otherwise": otherwise}
        texts = {part: self._term(operand).text for part, operand in parts.items()}
        return _Term(self.condition.format(sign=self.name(sign), **texts), _SUM)

    def _enclosed(self, term: _Term, needed: int) -> str:
        return term.text if term.level >= needed else self.brackets.format(term.text)


@cache
def _functions(script: Script, ops: Sequence[str]) -> dict[str, Callable[..., Any]]:
    return {op: partial(script._apply, op) for op in ops} | {"if": script._choose}


def _text_call(op: str, texts: Sequence[str]) -> str:
    return f"{symbol_of(op)}({', '.join(texts)})"


_LATEX_SIGNS = {
    "\\": r"\backslash ", "{": r"\lbrace ", "}": r"\rbrace ", "^": r"\wedge ", "~": r"\sim ", " ": r"\ ",
    **{sign: "\\" + sign for sign in "$%#&_"}, "…": r"\dots ",
}  # fmt: skip
_LATEX_SYMBOLS = {"!=": r"\neq", "<": "<", ">": ">", "…": r"\dots", "π": r"\pi"}


def _latex_name(name: str) -> str:
    """``v7`` with an index, ``hidden.neuron1.w[8]`` too, and all else upright and escaped."""
    if name in _LATEX_SYMBOLS:
        return _LATEX_SYMBOLS[name]
    if match := re.fullmatch(r"(.+)\[(\d+(?:, ?\d+)*)\]", name) or re.fullmatch(r"([^\W\d_])(\d+)", name):
        base = _latex_name(match[1])
        return f"{f'{{{base}}}' if '_{' in base else base}_{{{match[2]}}}"
    if re.fullmatch(r"-?(inf|nan|[\d.]+(e[+-]?\d+)?)", name):
        return _latex_digits(name)
    # In braces a full stop is a letter, and no space follows it.
    escaped = "".join(sign if sign.isalnum() else _LATEX_SIGNS.get(sign, f"{{{sign}}}") for sign in name)
    return escaped if len(name) == 1 else rf"\mathrm{{{escaped}}}"


def _latex_digits(digits: str) -> str:
    mantissa, _, exponent = digits.partition("e")
    if exponent:
        return rf"{mantissa} \times 10^{{{int(exponent)}}}"
    return digits.replace("inf", r"\infty ").replace("nan", r"\mathrm{nan}")


def _latex_call(op: str, texts: Sequence[str]) -> str:
    args = ", ".join(texts)
    try:
        return RULES[op].latex.format(*texts, args=args)
    except (LookupError, ValueError):  # the row is gone, or a user's template is no template
        return rf"{_latex_name(op)}\left({args}\right)"


TEXT = Script(
    templates={"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "pow": "{}**{}", "neg": "-{}"},
    levels={
        "add": (_SUM, _SUM, _PRODUCT), "sub": (_SUM, _SUM, _PRODUCT), "neg": (_SIGN, _PRODUCT),
        "mul": (_PRODUCT, _SIGN, _POWER), "div": (_PRODUCT, _SIGN, _POWER), "pow": (_POWER, _ATOM, _ATOM),
    },
    brackets="({})", name=str, number=number_text, derivative="∂{y}/∂{x}", call=_text_call,
    condition="{then} if {left} {sign} {right} else {otherwise}",
)  # fmt: skip
"""Algebra as in a formula of ``Expression``."""

LATEX = Script(
    templates={},
    levels={
        "add": (_SUM, _SUM, _PRODUCT), "sub": (_SUM, _SUM, _PRODUCT), "neg": (_SIGN, _PRODUCT),
        "mul": (_PRODUCT, _SIGN, _POWER), "div": (_POWER, _SUM, _SUM), "pow": (_POWER, _ATOM, _SUM),
        "exp": (_POWER, _SUM), "square": (_POWER, _ATOM),
    },
    brackets=r"\left({}\right)", name=_latex_name, number=lambda x: _latex_digits(number_text(x)),
    derivative=r"\frac{{\partial {y}}}{{\partial {x}}}", call=_latex_call,
    condition=r"\begin{{cases}}{then} & {left} {sign} {right} \\ {otherwise} & \text{{otherwise}}\end{{cases}}",
)  # fmt: skip
"""Algebra in the mathematics of LaTeX, by the templates of the table."""
