"""The accuracy promise: every unary row, over its whole range of doubles, is within 4 ulp of mpmath's 50 digits.

A row that may miss by more has an ``Allowance``, which says how far and why, and is held to that. An ulp is the spacing
of doubles at the true number: 5e-324 around 0; where the true number rounds beyond the largest double, inf is right.
"""

import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from mpmath import mp, mpf

import autograd_mini
from autograd_mini import RULES, Value, topological_order
from autograd_mini.functions import VALUE
from autograd_mini.kits import FLOAT
from autograd_mini.rules import Allowance, Rule

ULPS = 4
BITS = 250  # 75 digits, of which a cancellation near a zero may eat 20
# The arguments after the first: the rows that are unary to most people.
DEFAULTS = {"leaky_relu": (0.01,), "elu": (1.0,)}
UNARY = [op for op, rule in RULES.items() if rule.arity == 1 or op in DEFAULTS]

Exact = Callable[[Any], Any]


def sigmoid(a: Any) -> Any:
    return 1 / (1 + mp.exp(-a))


def erfc(a: Any) -> Any:
    return mp.erfc(min(a, mpf(10) ** 6))  # mpmath gives up beyond 1e154; here it is 10**-434294481906 and less


def cumulative_normal(a: Any) -> Any:
    return erfc(-a / mp.sqrt(2)) / 2


def density(a: Any) -> Any:
    return mp.exp(-a * a / 2) / mp.sqrt(2 * mp.pi)


REFERENCES: dict[str, tuple[Exact, Exact]] = {
    "neg": (lambda a: -a, lambda a: mpf(-1)),
    "exp": (mp.exp, mp.exp),
    "expm1": (mp.expm1, mp.exp),
    "log": (mp.log, lambda a: 1 / a),
    "log1p": (mp.log1p, lambda a: 1 / (1 + a)),
    "sqrt": (mp.sqrt, lambda a: 1 / (2 * mp.sqrt(a))),
    "square": (lambda a: a * a, lambda a: 2 * a),
    "sin": (mp.sin, mp.cos),
    "cos": (mp.cos, lambda a: -mp.sin(a)),
    "tan": (mp.tan, lambda a: mp.sec(a) ** 2),
    "tanh": (mp.tanh, lambda a: mp.sech(a) ** 2),
    "sigmoid": (sigmoid, lambda a: sigmoid(a) * sigmoid(-a)),
    "erf": (mp.erf, lambda a: 2 / mp.sqrt(mp.pi) * mp.exp(-a * a)),
    "erfc": (erfc, lambda a: -2 / mp.sqrt(mp.pi) * mp.exp(-a * a)),
    "relu": (lambda a: max(a, mpf(0)), lambda a: mpf(a > 0)),
    "leaky_relu": (lambda a: a if a > 0 else mpf(0.01) * a, lambda a: mpf(1 if a > 0 else 0.01)),
    "elu": (lambda a: a if a > 0 else mp.expm1(a), lambda a: mpf(1) if a > 0 else mp.exp(a)),
    "gelu": (lambda a: a * cumulative_normal(a), lambda a: cumulative_normal(a) + a * density(a)),
    "silu": (lambda a: a * sigmoid(a), lambda a: sigmoid(a) * (1 + a * sigmoid(-a))),
    "softplus": (lambda a: mp.log1p(mp.exp(a)), sigmoid),
    "abs": (mp.fabs, mp.sign),
    "sign": (mp.sign, lambda a: mpf(0)),
}
"""Value and derivative of every unary row; each formula is free of cancellation, but near a zero that it truly has."""

LOWEST = {"log": 0.0, "log1p": -1.0, "sqrt": 0.0}
"""Where the domain begins, itself excluded: a pole or an infinite slope is an edge of the row."""

# Zeros, poles and saturation of some row: there the sample is dense.
PLACES = [
    0.0, 1.0, 0.5, math.log(2.0), 2.0, math.pi / 2, math.pi, 1.5 * math.pi, 2 * math.pi, 22.0, 355.0, 1e5,
    0.7517915246935645, 1.2784645427610738,  # where gelu' and silu' are 0, of the opposite sign
    5.9, 8.3, 19.06, 26.54, 27.22, 36.74, 37.5, 38.58, 354.9, 372.5, 708.4, 709.78, 744.4, 745.13, 1e154, 1.3e154,
]  # fmt: skip


def sample(op: str, *, points: int) -> list[float]:
    """About eight times `points` arguments over the whole range of `op`, the same in every run."""
    generator = random.Random(op)
    sizes = [10.0 ** generator.uniform(-323.3, 308.25) for _ in range(2 * points)]
    sizes += [10.0 ** generator.uniform(-20.0, 3.0) for _ in range(points)]
    sizes += [generator.uniform(0.0, 40.0) for _ in range(2 * points)]
    sizes += [2.0 ** generator.uniform(-60.0, -1.0) for _ in range(points // 2)]
    sizes += [generator.uniform(300.0, 800.0) for _ in range(points // 2)]
    sizes += [place * (1.0 + generator.uniform(-0.01, 0.01)) for place in PLACES for _ in range(points // 20)]
    sizes += [math.nextafter(place, towards) for place in PLACES for towards in (0.0, math.inf)] + PLACES
    near_one = [1.0 + sign * 2.0 ** -generator.uniform(1.0, 53.0) for sign in (-1, 1) for _ in range(points // 4)]
    ends = [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308]
    arguments = [sign * size for size in (*sizes, *near_one, *ends) for sign in (1.0, -1.0)]
    return [a for a in arguments if a > LOWEST.get(op, -math.inf)]


def exact(function: Exact, a: Any, bits: int = BITS) -> Any:
    with mp.workprec(bits):
        return +function(mpf(a))


def distance(found: float, low: Any, high: Any) -> Any:
    """How far `found` lies outside of `low` to `high`, where beyond the largest double there is only inf."""
    end = mpf(2) ** 1024
    with mp.workprec(BITS):
        low, high = (max(-end, min(end, limit)) for limit in (low, high))
        number = mp.sign(found) * end if math.isinf(found) else mpf(found)
        return max(low - number, number - high, mpf(0))


def spacing(number: Any) -> float:
    return math.ulp(min(abs(float(number)), 1.7976931348623157e308))


def misses(rule: Rule, function: Exact, found: Callable[[float], float], arguments: list[float]) -> Iterator[str]:
    """Every argument at which `found` is further from `function` than the row promises, with the numbers."""
    allowed = rule.allowance or Allowance("")
    for a in arguments:
        reach = allowed.argument_ulps * math.ulp(a)
        with mp.workprec(BITS):
            around = [function(mpf(a) + shift) for shift in ({-reach, 0.0, reach})]
        wanted = exact(function, a)
        got = found(a)
        error = distance(got, min(around), max(around)) if got == got else mp.inf
        if not error <= ULPS * spacing(wanted) + allowed.absolute:
            whole = distance(got, wanted, wanted) / spacing(wanted)
            yield f"at {a!r} is {got!r}, but wanted {float(wanted)!r}: off by {mp.nstr(whole, 4)} ulp"


def check_accuracy(op: str, rule: Rule, points: int) -> None:
    more = DEFAULTS.get(op, ())
    value, derivative = REFERENCES[op]
    arguments = sample(op, points=points)

    def partial(a: float) -> float:
        return float(rule.partial(FLOAT, 0, rule.forward(FLOAT, a, *more), (a, *more)))

    missed = [f"{op} {miss}" for miss in misses(rule, value, lambda a: rule.forward(FLOAT, a, *more), arguments)]
    missed += [f"{op}' {miss}" for miss in misses(rule, derivative, partial, arguments)]
    assert not missed, "\n".join(missed)


def derivative_node(y: Any, x: Value) -> Any:
    """∂y/∂x as a recorded node, by the partials run over the kit of Values, so that it can be differentiated again."""
    slopes: dict[Any, Any] = {y: 1.0}
    for node in reversed(topological_order(y)) if isinstance(y, Value) else []:
        for i, parent in enumerate(node.parents):
            if parent.op != "constant" and node in slopes:
                slope = slopes[node] * RULES[node.op].partial(VALUE, i, node, node.parents)
                slopes[parent] = slopes[parent] + slope if parent in slopes else slope
    return slopes.get(x, 0.0)


def check_higher_derivatives(op: str, rule: Rule) -> None:
    """The derivatives of order 2 to 4 are those of the reference, at the point 0 and around it."""
    more = DEFAULTS.get(op, ())
    for at in (0.0, 0.5, -0.5, 1.5, -1.5, 6.0, -6.0):
        if at <= LOWEST.get(op, -math.inf) or at in rule.kinks:
            continue
        x = Value(at)
        found: Any = rule.partial(VALUE, 0, getattr(autograd_mini, op)(x, *more), (x, *more))
        with mp.workprec(4 * BITS):
            taylor = list(map(float, mp.taylor(REFERENCES[op][0], mpf(at), 4)))
        for order in (2, 3, 4):
            found, wanted = derivative_node(found, x), taylor[order] * math.factorial(order)
            # The terms of a derivative may be larger than their sum: allow a hundred roundings of the largest.
            tolerance = 1e-14 * max(map(abs, taylor[1:]))
            assert math.isclose(found, wanted, rel_tol=1e-13, abs_tol=tolerance), (
                f"{op}: derivative {order} at {at} is {float(found)}, but wanted {wanted}"
            )


@pytest.mark.parametrize("at", [1e300, math.inf])
@pytest.mark.parametrize("op", ["tanh", "sigmoid", "erf", "erfc", "gelu", "silu", "softplus"])
def test_saturated_rows_are_straight_lines_at_the_ends_of_the_range(op: str, at: float) -> None:
    for a in (at, -at):
        x = Value(a)
        slope = RULES[op].partial(VALUE, 0, getattr(autograd_mini, op)(x), (x,))
        assert slope.data == (1.0 if op in ("gelu", "silu", "softplus") and a > 0.0 else 0.0)
        assert float(derivative_node(slope, x)) == 0.0


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 5])
def test_powers_have_their_derivatives_of_every_order_at_zero(exponent: int) -> None:
    for of_constant in (True, False):
        x = Value(0.0)
        found: Any = x ** (exponent if of_constant else Value(exponent))
        for order in range(1, 5):
            found = derivative_node(found, x)
            assert float(found) == (math.factorial(exponent) if order == exponent else 0.0), (order, found)


@pytest.fixture
def points(request: pytest.FixtureRequest) -> int:
    return 400 if request.config.getoption("--deep") else 40


@pytest.mark.parametrize("op", UNARY)
def test_value_and_partial_are_within_4_ulp_or_the_row_says_why_not(op: str, points: int) -> None:
    check_accuracy(op, RULES[op], points)


@pytest.mark.parametrize("op", UNARY)
def test_higher_derivatives_are_right_too(op: str) -> None:
    check_higher_derivatives(op, RULES[op])


def test_every_unary_row_has_a_reference_and_every_allowance_a_reason() -> None:
    assert set(UNARY) == set(REFERENCES), "write the value and the derivative of the new row in mpmath"
    for op, rule in RULES.items():
        if rule.allowance:
            assert op in UNARY, f"{op}: no test holds this row to its allowance"
            assert rule.allowance.reason.endswith("."), f"{op}: say why in a sentence"
            assert rule.allowance.argument_ulps or rule.allowance.absolute, f"{op}: an allowance of nothing"


@pytest.mark.parametrize("op", [op for op, rule in RULES.items() if rule.allowance])
def test_every_allowance_is_needed(op: str, points: int) -> None:
    with pytest.raises(AssertionError, match=op):
        check_accuracy(op, replace(RULES[op], allowance=None), points)


@pytest.mark.parametrize("op", UNARY)
def test_the_references_do_not_depend_on_their_precision(op: str) -> None:
    for function, a in itertools.product(REFERENCES[op], sample(op, points=2)):
        wanted, finer = exact(function, a), exact(function, a, 2 * BITS)
        assert abs(wanted - finer) <= mpf(10) ** -50 * abs(finer), f"{op} at {a!r}: {wanted} is not {finer}"


@pytest.mark.parametrize("op", [op for op in UNARY if not RULES[op].kinks])
def test_the_reference_of_the_derivative_is_that_of_the_value(op: str) -> None:
    value, derivative = REFERENCES[op]
    for a in (0.25, 1.0, 2.5, 7.0):
        found, wanted = exact(lambda a: mp.diff(value, a), a), exact(derivative, a)
        assert abs(found - wanted) <= mpf(10) ** -15 * abs(wanted), f"{op}' at {a}: {wanted} is not {found}"


def spoilt(op: str, **changes: Any) -> Rule:
    return replace(RULES[op], **changes)


@pytest.mark.parametrize(
    ("op", "rule"),
    [
        ("exp", spoilt("exp", forward=lambda k, a: k.exp(a) * (1.0 + 2e-15))),
        ("sin", spoilt("sin", forward=lambda k, a: k.sin(a) if abs(a) < 1e300 else 0.5)),
        ("sqrt", spoilt("sqrt", forward=lambda k, a: k.sqrt(a) + 1e-160)),
        ("square", spoilt("square", forward=lambda k, a: min(a * a, 1.7e308))),
        ("log1p", spoilt("log1p", forward=lambda k, a: k.log(1.0 + a))),
        ("tanh", spoilt("tanh", partials=(lambda k, y, a: 1.0 - y * y,))),
        ("sigmoid", spoilt("sigmoid", partials=(lambda k, y, a: y * (1.0 - y),))),
        ("erf", spoilt("erf", partials=(lambda k, y, a: 2.0 / math.sqrt(math.pi) * k.exp(-a * a),))),
        ("silu", spoilt("silu", partials=(lambda k, y, a: k.sigmoid(a) * (1.0 + a * (1.0 - k.sigmoid(a))),))),
        ("abs", spoilt("abs", partials=(lambda k, y, a: k.where(a > -1e-200, 1.0, -1.0),))),
        ("neg", spoilt("neg", forward=lambda k, a: math.nan)),
    ],
)
def test_an_inaccurate_row_is_caught_and_named(op: str, rule: Rule) -> None:
    with pytest.raises(AssertionError, match=rf"^{op}'? at .* but wanted .*: off by .* ulp"):
        check_accuracy(op, rule, 4)


@pytest.mark.parametrize(
    ("op", "slope"),
    [
        ("tanh", lambda k, y, a: 4.0 * k.sigmoid(-2.0 * k.abs(a)) * k.sigmoid(2.0 * k.abs(a))),
        ("sigmoid", lambda k, y, a: k.where(a > 1.0, y * float(1.0 - y), y * (1.0 - y))),
        ("gelu", lambda k, y, a: float(RULES["gelu"].partial(FLOAT, 0, float(y), (float(a),)))),
    ],
)
def test_a_row_that_is_right_to_the_first_order_only_is_caught_and_named(op: str, slope: Callable[..., Any]) -> None:
    with pytest.raises(AssertionError, match=rf"^{op}: derivative \d at "):
        check_higher_derivatives(op, spoilt(op, partials=(slope,)))
