"""The derivative table: for every op its value and its partial derivatives, written once, over any kind of number.

A row is data. ``RULES["mul"].forward(k, a, b)`` is the value in the number kind of the kit `k`, and partial `i` is
∂value/∂argument `i`, a function of the value `y` as well, since many derivatives are cheapest in terms of it.
Partials use only functions that have a row, so the derivative of a derivative needs nothing new.

Kinks follow the field: relu'(0) = 0 (PyTorch, JAX), abs'(0) = 0 (PyTorch), ties of maximum and minimum share ½ and ½
(both); each such choice is an ``Edge`` of its row. Over the whole range of doubles the value and the partial of a row
of one argument are within 4 ulp of the true ones, or its ``Allowance`` says how far they may be off, and why. Formulas:
Abramowitz & Stegun, *Handbook of Mathematical Functions*, ch. 3-4 and 7; Griewank & Walther, *Evaluating Derivatives*,
table 2.3; an activation's paper is named in its row.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_mini.kits import Kit
from autograd_mini.partials import (
    bell,
    cumulative_normal,
    gelu_slope,
    power_by_base,
    power_by_exponent,
    share,
    silu_slope,
    tanh_slope,
)
from autograd_mini.printing import Listing, printable

__all__ = ["RULES", "Allowance", "Edge", "Rule"]

_INF, _NAN = math.inf, math.nan
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Edge:
    """One corner case, literally: at these arguments the value and the partials are exactly these numbers."""

    at: tuple[float, ...]
    value: float
    partials: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a row may miss by beyond the 4 ulp that every row has.

    Attributes:
        reason: where that happens, how far it goes, and why it is left so.
        argument_ulps: the result may be that of an argument so many ulp away, which counts where the function is steep
            or its slope crosses 0.
        absolute: and be off by this much more.
    """

    reason: str
    argument_ulps: float = 0.0
    absolute: float = 0.0


@dataclass(frozen=True, slots=True, repr=False)
class Rule:
    """One row of the table.

    Attributes:
        forward: ``(k, *args) -> y``.
        partials: one ``(k, y, *args) -> ∂y/∂arg`` per argument; for an n-ary op one ``(k, y, i, args) -> ∂y/∂args[i]``.
        box: an interval per argument from which tests and strategies may sample; away from kinks and poles the
            function is smooth there. An n-ary op has one interval for all its arguments.
        symbol: how the op is printed: an infix sign or the function's name.
        latex: a template with ``{0}``, ``{1}`` for the arguments; an n-ary op has ``{args}``.
        summary: one line for people: what it is, and its range or domain where that matters.
        edges: corner cases, each held literally by a test.
        commutative: whether the order of the arguments makes no difference to the value.
        kinks: points in the box where the derivative jumps: by argument 0, or by a - b if the op is commutative.
        allowance: by how much, and why, a one-argument row may miss by more than 4 ulp; None if it does not.
    """

    forward: Callable[..., Any]
    partials: tuple[Callable[..., Any], ...] | Callable[..., Any]
    box: tuple[Interval, ...]
    symbol: str
    latex: str
    summary: str
    edges: tuple[Edge, ...] = ()
    kinks: tuple[float, ...] = ()
    commutative: bool = False
    allowance: Allowance | None = None

    def __repr__(self) -> str:
        return f"Rule({printable(self.symbol)}: {printable(self.summary, 100)})"

    @property
    def arity(self) -> int | None:
        """How many arguments the op takes; None for an n-ary op."""
        return len(self.partials) if isinstance(self.partials, tuple) else None

    def partial(self, k: Kit, i: int, y: Any, args: Sequence[Any]) -> Any:
        """∂y/∂args[i] in the number kind of the kit `k`."""
        if isinstance(self.partials, tuple):
            return self.partials[i](k, y, *args)
        return self.partials(k, y, i, args)

    def sides(self, args: Sequence[float]) -> tuple[int, ...]:
        """Tell for each kink on which side of it the arguments are: -1, 0 (on it) or 1."""
        if not self.kinks:
            return ()
        place = args[0] - args[1] if self.commutative else args[0]
        return tuple((place > kink) - (place < kink) for kink in self.kinks)


def _one(k: Kit, y: Any, *args: Any) -> Any:
    return 1.0


def _minus_one(k: Kit, y: Any, *args: Any) -> Any:
    return -1.0


def _zero(k: Kit, y: Any, *args: Any) -> Any:
    return 0.0


def _larger(k: Kit, a: Any, b: Any) -> Any:
    """1 where a > b, 0 where a < b, ½ at a tie."""
    return k.where(a > b, 1.0, k.where(a < b, 0.0, 0.5))


def _not_above_zero(k: Kit, a: Any) -> Any:
    """a below 0, else 0; at 0 its slope is that of the left side alone, as minimum's is not."""
    return k.where(a > 0.0, 0.0, a)


def _unary(
    symbol: str,
    forward: Callable[..., Any],
    partial: Callable[..., Any],
    box: Interval,
    summary: str,
    *edges: Edge,
    latex: str | None = None,
    kinks: tuple[float, ...] = (),
    allowance: Allowance | None = None,
) -> Rule:
    template = latex or rf"\operatorname{{{{{symbol}}}}}\left({{0}}\right)"
    return Rule(forward, (partial,), (box,), symbol, template, summary, edges, kinks, allowance=allowance)


def _edge(at: float, value: float, partial: float) -> Edge:
    return Edge((at,), value, (partial,))


_WIDE: Interval = (-3.0, 3.0)
_POSITIVE: Interval = (0.2, 3.0)


RULES: dict[str, Rule] = Listing({
    "add": Rule(
        lambda k, a, b: a + b, (_one, _one), (_WIDE, _WIDE), "+", "{0} + {1}", "Sum of two numbers.",
        (Edge((1e308, 1e308), _INF, (1.0, 1.0)), Edge((_INF, -_INF), _NAN, (1.0, 1.0))), commutative=True,
    ),
    "sub": Rule(
        lambda k, a, b: a - b, (_one, _minus_one), (_WIDE, _WIDE), "-", "{0} - {1}", "Difference of two numbers.",
        (Edge((_INF, _INF), _NAN, (1.0, -1.0)),),
    ),
    "mul": Rule(
        lambda k, a, b: a * b, (lambda k, y, a, b: b, lambda k, y, a, b: a), (_WIDE, _WIDE),
        "*", r"{0} \cdot {1}", "Product of two numbers.",
        (Edge((1e200, 1e200), _INF, (1e200, 1e200)), Edge((0.0, _INF), _NAN, (_INF, 0.0))), commutative=True,
    ),
    "div": Rule(
        lambda k, a, b: k.div(a, b),
        (lambda k, y, a, b: k.div(1.0, b), lambda k, y, a, b: k.div(-y, b)), (_WIDE, _POSITIVE),
        "/", r"\frac{{{0}}}{{{1}}}", "Quotient of two numbers; ±inf for a division by zero, nan for 0/0.",
        (Edge((1.0, 0.0), _INF, (_INF, -_INF)), Edge((1.0, -0.0), -_INF, (-_INF, -_INF)),
         Edge((0.0, 0.0), _NAN, (_INF, _NAN))),
    ),
    "neg": Rule(lambda k, a: -a, (_minus_one,), (_WIDE,), "neg", "-{0}", "The number with the opposite sign."),
    "pow": Rule(
        lambda k, a, b: k.pow(a, b), (power_by_base, power_by_exponent), (_POSITIVE, _WIDE),
        "**", "{{{0}}}^{{{1}}}", "a to the power b; nan for a negative base with a fractional exponent, and 0**0 = 1.",
        (Edge((0.0, 0.0), 1.0, (0.0, 0.0)), Edge((0.0, 2.0), 0.0, (0.0, 0.0)), Edge((0.0, 1.0), 0.0, (1.0, 0.0)),
         Edge((0.0, -1.0), _INF, (-_INF, -_INF)), Edge((-8.0, 1.0 / 3.0), _NAN, (_NAN, _NAN)),
         Edge((-2.0, 3.0), -8.0, (12.0, _NAN)), Edge((-1e200, 3.0), -_INF, (_INF, _NAN)),
         Edge((0.0, 0.5), 0.0, (_INF, 0.0)), Edge((0.0, 3.0), 0.0, (0.0, 0.0)), Edge((0.0, _NAN), _NAN, (_NAN, _NAN)),
         Edge((_NAN, 0.0), 1.0, (0.0, _NAN)), Edge((_INF, 0.0), 1.0, (0.0, _INF)), Edge((5e-324, 0.0), 1.0,
         (0.0, math.log(5e-324))), Edge((2.0, 0.0), 1.0, (0.0, math.log(2.0))), Edge((-2.0, 0.0), 1.0, (0.0, _NAN))),
    ),
    "exp": _unary(
        "exp", lambda k, a: k.exp(a), lambda k, y, a: y, _WIDE, "e to the power a.",
        _edge(0.0, 1.0, 1.0), _edge(1000.0, _INF, _INF), _edge(-1000.0, 0.0, 0.0), latex=r"e^{{{0}}}",
    ),
    "expm1": _unary(
        "expm1", lambda k, a: k.expm1(a), lambda k, y, a: k.exp(a), _WIDE, "exp(a) - 1, accurate near 0.",
        _edge(0.0, 0.0, 1.0), _edge(1e-300, 1e-300, 1.0), _edge(1000.0, _INF, _INF),
        latex=r"\left(e^{{{0}}} - 1\right)",
    ),
    "log": _unary(
        "log", lambda k, a: k.log(a), lambda k, y, a: k.div(1.0, a), _POSITIVE,
        "Natural logarithm; log(0) = -inf, and nan below 0.",
        _edge(1.0, 0.0, 1.0), _edge(0.0, -_INF, _INF), _edge(-1.0, _NAN, -1.0), latex=r"\ln\left({0}\right)",
    ),
    "log1p": _unary(
        "log1p", lambda k, a: k.log1p(a), lambda k, y, a: k.div(1.0, 1.0 + a), _POSITIVE,
        "log(1 + a), accurate near 0.",
        _edge(0.0, 0.0, 1.0), _edge(-1.0, -_INF, _INF), _edge(-2.0, _NAN, -1.0), latex=r"\ln\left(1 + {0}\right)",
    ),
    "sqrt": _unary(
        "sqrt", lambda k, a: k.sqrt(a), lambda k, y, a: k.div(0.5, y), _POSITIVE,
        "Square root; nan below 0, and an infinite slope at 0.",
        _edge(4.0, 2.0, 0.25), _edge(0.0, 0.0, _INF), _edge(-1.0, _NAN, _NAN), latex=r"\sqrt{{{0}}}",
    ),
    "square": _unary(
        "square", lambda k, a: a * a, lambda k, y, a: 2.0 * a, _WIDE, "a times a.",
        _edge(0.0, 0.0, 0.0), _edge(1e200, _INF, 2e200), latex="{{{0}}}^2",
    ),
    "sin": _unary(
        "sin", lambda k, a: k.sin(a), lambda k, y, a: k.cos(a), _WIDE, "Sine of an angle in radians.",
        _edge(0.0, 0.0, 1.0), _edge(_INF, _NAN, _NAN), latex=r"\sin\left({0}\right)",
    ),
    "cos": _unary(
        "cos", lambda k, a: k.cos(a), lambda k, y, a: -k.sin(a), _WIDE, "Cosine of an angle in radians.",
        _edge(0.0, 1.0, 0.0), _edge(_INF, _NAN, _NAN), latex=r"\cos\left({0}\right)",
    ),
    "tan": _unary(
        "tan", lambda k, a: k.tan(a), lambda k, y, a: 1.0 + y * y, (-1.2, 1.2), "Tangent of an angle in radians.",
        _edge(0.0, 0.0, 1.0), _edge(_INF, _NAN, _NAN), latex=r"\tan\left({0}\right)",
    ),
    "tanh": _unary(
        "tanh", lambda k, a: k.tanh(a), tanh_slope, _WIDE, "Hyperbolic tangent, between -1 and 1.",
        _edge(0.0, 0.0, 1.0), _edge(1e4, 1.0, 0.0), _edge(-1e4, -1.0, 0.0), latex=r"\tanh\left({0}\right)",
    ),
    "sigmoid": _unary(
        "sigmoid", lambda k, a: k.sigmoid(a), lambda k, y, a: y * k.sigmoid(-a), _WIDE,
        "Logistic function 1/(1 + exp(-a)), between 0 and 1.",
        _edge(0.0, 0.5, 0.25), _edge(1e4, 1.0, 0.0), _edge(-1e4, 0.0, 0.0), latex=r"\sigma\left({0}\right)",
    ),
    "erf": _unary(
        "erf", lambda k, a: k.erf(a), lambda k, y, a: (2.0 / math.sqrt(math.pi)) * bell(k, a), _WIDE,
        "Error function, between -1 and 1.",
        _edge(0.0, 0.0, 2.0 / math.sqrt(math.pi)), _edge(1e4, 1.0, 0.0),
    ),
    "erfc": _unary(
        "erfc", lambda k, a: k.erfc(a), lambda k, y, a: (-2.0 / math.sqrt(math.pi)) * bell(k, a), _WIDE,
        "1 - erf(a), accurate where erf is near 1.",
        _edge(0.0, 1.0, -2.0 / math.sqrt(math.pi)), _edge(1e4, 0.0, 0.0),
    ),
    "relu": _unary(
        "relu", lambda k, a: k.maximum(a, 0.0), lambda k, y, a: k.where(a > 0.0, 1.0, 0.0), _WIDE,
        "Rectified linear unit max(a, 0) (Nair & Hinton 2010); slope 0 at 0.",
        _edge(0.0, 0.0, 0.0), _edge(2.0, 2.0, 1.0), _edge(-2.0, 0.0, 0.0), _edge(_NAN, _NAN, 0.0), kinks=(0.0,),
    ),
    "leaky_relu": Rule(
        lambda k, a, slope: k.where(a > 0.0, a, slope * a),
        (lambda k, y, a, slope: k.where(a > 0.0, 1.0, slope), lambda k, y, a, slope: k.where(a > 0.0, 0.0, a)),
        (_WIDE, (0.01, 0.5)), "leaky_relu", r"\operatorname{{leaky\_relu}}\left({0}, {1}\right)",
        "a above 0 and slope·a below (Maas et al. 2013); slope 0.01 unless given.",
        (Edge((0.0, 0.25), 0.0, (0.25, 0.0)), Edge((-2.0, 0.25), -0.5, (0.25, -2.0))), (0.0,),
    ),
    "elu": Rule(
        lambda k, a, alpha: k.where(a > 0.0, a, alpha * k.expm1(k.minimum(a, 0.0))),
        (lambda k, y, a, alpha: k.where(a > 0.0, 1.0, alpha * k.exp(_not_above_zero(k, a))),
         lambda k, y, a, alpha: k.where(a > 0.0, 0.0, k.expm1(_not_above_zero(k, a)))),
        (_WIDE, (0.5, 2.0)), "elu", r"\operatorname{{elu}}\left({0}, {1}\right)",
        "a above 0 and alpha·(exp(a) - 1) below (Clevert et al. 2015); alpha 1 unless given.",
        (Edge((0.0, 2.0), 0.0, (2.0, 0.0)), Edge((-1000.0, 1.0), -1.0, (0.0, -1.0)),
         Edge((1000.0, 1.0), 1000.0, (1.0, 0.0))), (0.0,),
    ),
    "gelu": _unary(
        "gelu", lambda k, a: k.maximum(a, -64.0) * cumulative_normal(k, a), gelu_slope, _WIDE,
        "a times the cumulative normal distribution at a, exactly, by erf (Hendrycks & Gimpel 2016).",
        _edge(0.0, 0.0, 0.5), _edge(100.0, 100.0, 1.0), _edge(-100.0, 0.0, 0.0), _edge(_INF, _INF, 1.0),
        _edge(-_INF, 0.0, 0.0), allowance=Allowance(
            "Rounding a·sqrt(½) makes up to 1,700 ulp in the left tail, and the slope's two terms cancel near its zero "
            "at -0.75; below -37.5 the distribution is subnormal, and a magnifies its rounding.", 4.0, 4e-322),
    ),
    "silu": _unary(
        "silu", lambda k, a: k.maximum(a, -2000.0) * k.sigmoid(a), silu_slope, _WIDE,
        "a times sigmoid(a), also called swish (Elfwing et al. 2017).",
        _edge(0.0, 0.0, 0.5), _edge(1e4, 1e4, 1.0), _edge(-1e4, 0.0, 0.0), _edge(_INF, _INF, 1.0),
        _edge(-_INF, 0.0, 0.0), allowance=Allowance(
            "The slope's two terms cancel near its zero at -1.28; below -708 sigmoid is subnormal, and a magnifies its "
            "rounding.", 2.0, 2e-321),
    ),
    "softplus": _unary(
        "softplus", lambda k, a: k.maximum(a, 0.0) + k.log1p(k.exp(-k.abs(a))), lambda k, y, a: k.sigmoid(a), _WIDE,
        "log(1 + exp(a)), a smooth relu (Dugas et al. 2000).",
        _edge(0.0, math.log(2.0), 0.5), _edge(1e4, 1e4, 1.0), _edge(-1e4, 0.0, 0.0),
    ),
    "abs": _unary(
        "abs", lambda k, a: k.abs(a), lambda k, y, a: k.sign(a), _WIDE, "Absolute value; slope 0 at 0.",
        _edge(0.0, 0.0, 0.0), _edge(-2.0, 2.0, -1.0), latex=r"\left|{0}\right|", kinks=(0.0,),
    ),
    "sign": _unary(
        "sign", lambda k, a: k.sign(a), _zero, _WIDE, "-1, 0 or 1; its slope counts as 0 everywhere.",
        _edge(0.0, 0.0, 0.0), _edge(-2.0, -1.0, 0.0), _edge(_NAN, _NAN, 0.0), kinks=(0.0,),
    ),
    "maximum": Rule(
        lambda k, a, b: k.maximum(a, b), (lambda k, y, a, b: _larger(k, a, b), lambda k, y, a, b: _larger(k, b, a)),
        (_WIDE, _WIDE), "maximum",
        r"\max\left({0}, {1}\right)", "The larger of two numbers; a tie shares the slope ½ and ½.",
        (Edge((1.0, 1.0), 1.0, (0.5, 0.5)), Edge((2.0, 1.0), 2.0, (1.0, 0.0)), Edge((_NAN, 1.0), _NAN, (0.5, 0.5))),
        (0.0,), commutative=True,
    ),
    "minimum": Rule(
        lambda k, a, b: k.minimum(a, b), (lambda k, y, a, b: _larger(k, b, a), lambda k, y, a, b: _larger(k, a, b)),
        (_WIDE, _WIDE), "minimum",
        r"\min\left({0}, {1}\right)", "The smaller of two numbers; a tie shares the slope ½ and ½.",
        (Edge((1.0, 1.0), 1.0, (0.5, 0.5)), Edge((2.0, 1.0), 1.0, (0.0, 1.0)), Edge((1.0, _NAN), _NAN, (0.5, 0.5))),
        (0.0,), commutative=True,
    ),
    "where": Rule(
        lambda k, c, a, b: k.where(c, a, b),
        (_zero, lambda k, y, c, a, b: k.where(c, 1.0, 0.0), lambda k, y, c, a, b: k.where(c, 0.0, 1.0)),
        (_WIDE, _WIDE, _WIDE), "where", r"\operatorname{{where}}\left({0}, {1}, {2}\right)",
        "a where the condition is true (not 0), else b; no slope by the condition.",
        (Edge((1.0, 2.0, 3.0), 2.0, (0.0, 1.0, 0.0)), Edge((0.0, 2.0, 3.0), 3.0, (0.0, 0.0, 1.0))), (0.0,),
    ),
    "dot": Rule(
        lambda k, *args: k.dot(args[: len(args) // 2], args[len(args) // 2 :]),
        lambda k, y, i, args: args[i - len(args) // 2], (_WIDE,), "dot", r"\left({args}\right)_{{\cdot}}",
        "Dot product of two sequences of the same length: the first half of the arguments with the second.",
        (Edge((1.0, 2.0, 3.0, 4.0), 11.0, (3.0, 4.0, 1.0, 2.0)),),
    ),
    "sum": Rule(
        lambda k, *args: k.sum(args), lambda k, y, i, args: 1.0, (_WIDE,), "sum", r"\sum\left({args}\right)",
        "Sum of a sequence.", (Edge((1.0, 2.0, 3.0), 6.0, (1.0, 1.0, 1.0)),), commutative=True,
    ),
    "mean": Rule(
        lambda k, *args: k.div(k.sum(args), float(len(args))), lambda k, y, i, args: 1.0 / len(args), (_WIDE,),
        "mean", r"\operatorname{{mean}}\left({args}\right)", "Arithmetic mean of a sequence.",
        (Edge((1.0, 3.0), 2.0, (0.5, 0.5)),), commutative=True,
    ),
    "logsumexp": Rule(
        lambda k, *args: k.logsumexp(args), share, (_WIDE,),
        "logsumexp", r"\operatorname{{logsumexp}}\left({args}\right)",
        "log(exp(a) + exp(b) + …), finite for large numbers; its slopes are the softmax.",
        (Edge((0.0, 0.0), math.log(2.0), (0.5, 0.5)), Edge((1e4, 0.0), 1e4, (1.0, 0.0)),
         Edge((-_INF, 0.0), 0.0, (0.0, 1.0)), Edge((_INF, 0.0), _INF, (_NAN, 0.0))), commutative=True,
    ),
})  # fmt: skip
"""Every op by its name."""
