"""The derivative table: every row is held to finite differences, to its edges, to NumPy, and to its second derivative.

Everything loops over ``RULES``, so a new row is tested on arrival. The `check_…` functions take the row as an argument,
because the last tests here plant wrong rows and expect those same functions to object.
"""

import builtins
import itertools
import math
import operator
import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import autograd_mini
from autograd_mini import RULES, Value, topological_order
from autograd_mini.functions import VALUE
from autograd_mini.kits import FLOAT, array_kit
from autograd_mini.rules import Edge, Rule
from autograd_mini.value import record

NUMPY = array_kit(np)
OPS = sorted(RULES)
POINTS = 12
EVERY_OP = pytest.mark.parametrize("op", OPS)

# Wider than the widest finite-difference step, so that no difference straddles a kink.
KINK_MARGIN = 0.05

# Four-level Richardson extrapolation from 0.01 leaves a truncation error below 1e-14; the rounding of f, divided by the
# smallest step 0.00125, leaves about 1e-12. Measured over the whole table: at most 2e-12.
DIFFERENCE_TOLERANCE = 1e-11


def arities(op: str, rule: Rule) -> tuple[int, ...]:
    if rule.arity is not None:
        return (rule.arity,)
    return (2, 4, 10) if op == "dot" else (1, 2, 5)


def is_near_kink(rule: Rule, point: Sequence[float]) -> bool:
    places = [point[0], *(point[0] - other for other in point[1:2])]
    return any(abs(place - kink) < KINK_MARGIN for place, kink in itertools.product(places, rule.kinks))


def sample(op: str, rule: Rule) -> list[tuple[float, ...]]:
    """Points of the box away from kinks, the same in every run."""
    generator = random.Random(op)
    points: list[tuple[float, ...]] = []
    for arity in arities(op, rule):
        box = rule.box if rule.arity else rule.box * arity
        while sum(len(point) == arity for point in points) < POINTS:
            point = tuple(generator.uniform(*interval) for interval in box)
            if not is_near_kink(rule, point):
                points.append(point)
    return points


def difference(function: Callable[[tuple[float, ...]], float], point: tuple[float, ...], i: int) -> float:
    """∂function/∂point[i] by central differences, Richardson-extrapolated."""

    def central(step: float) -> float:
        up, down = list(point), list(point)
        up[i] += step
        down[i] -= step
        return (function(tuple(up)) - function(tuple(down))) / (up[i] - down[i])

    estimates = [central(0.01 / 2**level) for level in range(4)]
    for order in range(1, 4):
        estimates = [b + (b - a) / (4.0**order - 1.0) for a, b in itertools.pairwise(estimates)]
    return estimates[0]


def is_close(a: float, b: float, tolerance: float) -> bool:
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)


def is_same(found: float, wanted: float) -> bool:
    """Equal as an edge row means it: nan is nan, and a -0.0 that is written down is meant."""
    if math.isnan(wanted):
        return math.isnan(found)
    return found == wanted and (wanted != 0.0 or math.copysign(1.0, wanted) > 0.0 or math.copysign(1.0, found) < 0.0)


def is_identical(found: float | None, wanted: float | None) -> bool:
    """Equal bit for bit, but any nan is as good as another."""
    if found is None or wanted is None:
        return found is wanted
    if math.isnan(wanted):
        return math.isnan(found)
    return found == wanted and math.copysign(1.0, found) == math.copysign(1.0, wanted)


def call(op: str, args: Sequence[Any]) -> Any:
    """Call the public function of a row."""
    function = getattr(autograd_mini, op)
    if op == "dot":
        return function(args[: len(args) // 2], args[len(args) // 2 :])
    return function(list(args)) if RULES[op].arity is None else function(*args)


def partials(rule: Rule, point: Sequence[float]) -> list[float]:
    y = rule.forward(FLOAT, *point)
    return [rule.partial(FLOAT, i, y, point) for i in range(len(point))]


def check_partials(op: str, rule: Rule) -> None:
    for point in sample(op, rule):
        for i, found in enumerate(partials(rule, point)):
            wanted = difference(lambda at: rule.forward(FLOAT, *at), point, i)
            assert is_close(found, wanted, DIFFERENCE_TOLERANCE), f"{op}: partial {i} at {point}: {found} != {wanted}"


def check_second_partials(op: str, rule: Rule) -> None:
    """The partials, run over the kit of Values and differentiated by ``backward``, equal their own differences."""
    for point in sample(op, rule):
        for i in range(len(point)):
            leaves = [Value(x) for x in point]
            partial = rule.partial(VALUE, i, rule.forward(VALUE, *leaves), leaves)
            if isinstance(partial, Value):
                partial.backward()
            for j, leaf in enumerate(leaves):
                wanted = difference(lambda at, i=i: partials(rule, at)[i], point, j)
                assert is_close(leaf.grad, wanted, DIFFERENCE_TOLERANCE), (
                    f"{op}: second partial {i}, {j} at {point}: {leaf.grad} != {wanted}"
                )


def check_edges(op: str, rule: Rule) -> None:
    for edge in rule.edges:
        value = rule.forward(FLOAT, *edge.at)
        assert is_same(value, edge.value), f"{op}{edge.at} is {value}, and its edge says {edge.value}"
        assert len(edge.partials) == len(edge.at), f"{op}: the edge at {edge.at} does not tell every partial"
        for i, (found, wanted) in enumerate(zip(partials(rule, edge.at), edge.partials, strict=True)):
            assert is_same(found, wanted), f"{op}: partial {i} at {edge.at} is {found}, and its edge says {wanted}"


def check_closure(op: str, rule: Rule) -> None:
    for point in sample(op, rule):
        leaves = [Value(x) for x in point]
        y = rule.forward(VALUE, *leaves)
        for i in range(len(point)):
            partial = rule.partial(VALUE, i, y, leaves)
            nodes = topological_order(partial) if isinstance(partial, Value) else []
            without_row = {node.op for node in nodes if node.parents} - set(RULES)
            assert not without_row, f"{op}: partial {i} uses {without_row}, which have no row"
            assert isinstance(partial, (Value, float)), f"{op}: partial {i} is {partial!r}"


def check_array_parity(op: str, rule: Rule) -> None:
    """FLOAT and NumPy agree, value and partials, in the box and at the edges."""
    points = [*sample(op, rule), *(edge.at for edge in rule.edges)]
    for arity in {len(point) for point in points}:
        columns = [np.array(column) for column in zip(*(p for p in points if len(p) == arity), strict=True)]
        with np.errstate(all="ignore"):
            y = rule.forward(NUMPY, *columns)
            slopes = [rule.partial(NUMPY, i, y, columns) for i in range(arity)]
        for row, point in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            found = [np.broadcast_to(array, columns[0].shape)[row].item() for array in (y, *slopes)]
            wanted = [rule.forward(FLOAT, *point), *partials(rule, point)]
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=0.0, err_msg=f"{op}{point}")


def check_box(op: str, rule: Rule) -> None:
    corners = [
        corner
        for arity in arities(op, rule)
        for corner in itertools.product(*(rule.box if rule.arity else rule.box * arity))
    ]
    for point in corners + sample(op, rule):
        numbers = [rule.forward(FLOAT, *point), *partials(rule, point)]
        assert all(map(math.isfinite, numbers)), f"{op}{point} and its partials are {numbers}: not finite in the box"


def check_printed_form(op: str, rule: Rule) -> None:
    assert rule.symbol.strip(), f"{op} has no symbol"
    assert rule.summary.endswith("."), f"{op} has no summary that is a sentence"
    names = ["alpha", "beta", "gamma"][: rule.arity]
    latex = rule.latex.format(*names) if rule.arity else rule.latex.format(args=", ".join(names))
    assert all(name in latex for name in names), f"{op}: {latex} lacks an argument"
    assert latex.count("{") == latex.count("}"), f"{op}: {latex} has unbalanced braces"


@EVERY_OP
def test_partials_equal_central_differences(op: str) -> None:
    check_partials(op, RULES[op])


@EVERY_OP
def test_second_partials_equal_central_differences_of_the_partials(op: str) -> None:
    check_second_partials(op, RULES[op])


@EVERY_OP
def test_edges_hold_literally(op: str) -> None:
    check_edges(op, RULES[op])


@EVERY_OP
def test_edges_hold_for_the_public_function(op: str) -> None:
    for edge in RULES[op].edges:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            node = call(op, [Value(x) for x in edge.at])
            plain = call(op, edge.at)
        assert is_same(node.data, edge.value), edge
        assert is_same(plain, edge.value), edge
        assert all(map(is_same, node.local_derivatives, edge.partials)), (edge, node.local_derivatives)


@EVERY_OP
def test_partials_use_only_ops_that_have_rows(op: str) -> None:
    check_closure(op, RULES[op])


@EVERY_OP
def test_floats_and_numpy_agree(op: str) -> None:
    check_array_parity(op, RULES[op])


@EVERY_OP
def test_values_hold_exactly_what_the_row_says_of_floats(op: str) -> None:
    rule = RULES[op]
    for point in sample(op, rule):
        node = call(op, [Value(x) for x in point])
        assert (node.op, node.data) == (op, rule.forward(FLOAT, *point))
        assert list(node.local_derivatives) == partials(rule, point)
        assert call(op, point) == node.data


@EVERY_OP
def test_results_are_finite_in_the_box(op: str) -> None:
    check_box(op, RULES[op])


@EVERY_OP
def test_printed_form_is_complete(op: str) -> None:
    check_printed_form(op, RULES[op])


@EVERY_OP
def test_every_row_is_a_public_function_and_a_unary_one_a_method(op: str) -> None:
    assert callable(getattr(autograd_mini, op))
    shadows_a_builtin = hasattr(builtins, op)
    assert (op in autograd_mini.__all__) == (not shadows_a_builtin), "a star import replaces no built-in"
    if RULES[op].arity == 1 and op != "neg":  # neg is an operator, as are + - * / **
        assert getattr(Value, op)(Value(0.5)).op == op


@pytest.mark.parametrize(
    ("at", "by_base_twice", "by_base_and_exponent", "by_exponent_twice"),
    [
        ((0.0, 0.0), 0.0, None, 0.0),
        ((0.0, 1.0), 0.0, None, 0.0),
        ((0.0, 2.0), 2.0, 0.0, 0.0),
        ((0.0, 3.0), 0.0, 0.0, 0.0),
        ((0.0, 4.0), 0.0, 0.0, 0.0),
        ((0.0, 1.5), math.inf, 0.0, 0.0),
        ((2.0, 0.0), 0.0, 0.5, math.log(2.0) ** 2),
        ((2.0, 1.0), 0.0, 1.0 + math.log(2.0), 2.0 * math.log(2.0) ** 2),
        ((1e-300, 2.0), 2.0, 0.0, 0.0),
    ],
)
def test_second_partials_of_pow_at_its_edges(
    at: tuple[float, float], by_base_twice: float, by_base_and_exponent: float | None, by_exponent_twice: float
) -> None:
    """None where there is none: the slope of 0**b by b jumps at b = 0, and that of b·a**(b-1) goes to -inf."""
    rule, found = RULES["pow"], []
    for i in (0, 1):
        a, b = Value(at[0]), Value(at[1])
        rule.partial(VALUE, i, rule.forward(VALUE, a, b), (a, b)).backward()
        found.append((a.grad, b.grad))
    assert found[0][0] == by_base_twice
    assert math.isclose(found[1][1], by_exponent_twice, rel_tol=1e-15)
    if by_base_and_exponent is not None:
        for mixed in (found[0][1], found[1][0]):
            assert math.isclose(mixed, by_base_and_exponent, rel_tol=1e-15, abs_tol=1e-290), found
    assert not any(map(math.isnan, (*found[0], *found[1])))


def test_second_derivatives_of_elu_at_its_kink_are_those_from_below_like_the_slope() -> None:
    for alpha in (0.5, 1.0, 2.0):
        assert autograd_mini.hessian(autograd_mini.elu, (0, 1))(0.0, alpha) == ((alpha, 1.0), (1.0, 0.0))


NUMBERS = st.floats() | st.sampled_from(
    [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, math.inf, -math.inf, math.nan, 1e300, -1e300, 1e-300, 5e-324, -5e-324]
)
OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
}


def assert_equals_row(op: str, node: Any, args: Sequence[Value | float]) -> None:
    """`node` is bit for bit what the row of `op` says of `args`: data, local derivatives, op and parents."""
    data = [float(arg) for arg in args]
    y = RULES[op].forward(FLOAT, *data)
    assert type(node) is Value
    assert is_identical(node.data, y)
    assert node.op == op
    for i, (arg, parent, local) in enumerate(zip(args, node.parents, node.local_derivatives, strict=True)):
        wanted = RULES[op].partial(FLOAT, i, y, data) if isinstance(arg, Value) else None
        assert is_identical(local, wanted)
        if isinstance(arg, Value):
            assert parent is arg
        else:
            assert parent.op == "constant"
            assert is_identical(parent.data, arg)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("op", OPERATORS)
@given(a=NUMBERS, b=NUMBERS)
def test_operators_equal_their_rows_bit_for_bit(op: str, a: float, b: float) -> None:
    mixtures = [(Value(a), Value(b)), (Value(a), b), (a, Value(b))] if RULES[op].arity == 2 else [(Value(a),)]
    for args in mixtures:
        assert_equals_row(op, OPERATORS[op](*args), args)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("op", [op for op, rule in RULES.items() if rule.arity == 1])
@given(a=NUMBERS)
def test_unary_functions_equal_their_rows_bit_for_bit(op: str, a: float) -> None:
    x = Value(a)
    assert_equals_row(op, call(op, [x]), [x])


MIXTURES = st.lists(st.one_of(NUMBERS, NUMBERS.map(Value)), max_size=6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(MIXTURES)
def test_sum_equals_its_row_in_every_mixture(terms: list[Value | float]) -> None:
    result = autograd_mini.sum(terms)
    if any(isinstance(term, Value) for term in terms):
        assert_equals_row("sum", result, terms)
    else:
        assert is_identical(result, RULES["sum"].forward(FLOAT, *terms))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(
    st.lists(NUMBERS, max_size=5).flatmap(
        lambda data: st.tuples(st.just(data), st.tuples(*[NUMBERS] * len(data)), st.integers(0, 4 ** len(data) - 1))
    )
)
def test_dot_equals_its_row_in_every_mixture(drawn: tuple[list[float], tuple[float, ...], int]) -> None:
    w, x, mask = drawn
    masks = {mask, 0, 2 ** len(w) - 1, 4 ** len(w) - 1, 4 ** len(w) - 2 ** len(w)}  # any; none, all w, all, all x
    for bits in masks:
        args = [Value(n) if bits >> i & 1 else n for i, n in enumerate((*w, *x))]
        result = call("dot", args)
        if bits:
            assert_equals_row("dot", result, args)
        else:
            assert is_identical(result, RULES["dot"].forward(FLOAT, *args))


def wrong_partial(op: str, i: int, spoil: Callable[..., Any]) -> Rule:
    """The row of `op` with partial `i` passed through `spoil`."""
    rule = RULES[op]
    assert isinstance(rule.partials, tuple)
    spoilt = list(rule.partials)
    spoilt[i] = lambda *args: spoil(rule.partials[i](*args))
    return replace(rule, partials=tuple(spoilt))


def without_row(slope: Value) -> Value:
    return record("mystery", slope.data, (slope,), (slope,), (1.0,))


@pytest.mark.parametrize(
    ("check", "op", "rule"),
    [
        (check_partials, "cos", wrong_partial("cos", 0, operator.neg)),
        (check_partials, "sub", wrong_partial("sub", 1, operator.neg)),
        (check_partials, "tanh", wrong_partial("tanh", 0, lambda slope: slope + 1e-6)),
        (check_partials, "div", wrong_partial("div", 1, lambda slope: slope * (1.0 + 1e-9))),
        (check_partials, "sign", wrong_partial("sign", 0, lambda slope: slope + 1e-6)),
        (check_partials, "mul", replace(RULES["mul"], partials=RULES["mul"].partials[::-1])),
        (check_partials, "logsumexp", replace(RULES["logsumexp"], partials=lambda k, y, i, a: k.exp(a[0] - y))),
        (check_second_partials, "sin", wrong_partial("sin", 0, float)),
        (check_second_partials, "mul", wrong_partial("mul", 1, float)),
        (check_edges, "abs", replace(RULES["abs"], edges=(Edge((0.0,), 0.0, (1.0,)),))),
        (check_edges, "log", replace(RULES["log"], edges=(Edge((0.0,), math.nan, (math.inf,)),))),
        (check_edges, "neg", replace(RULES["neg"], edges=(Edge((-0.0,), -0.0, (-1.0,)),))),
        (check_edges, "add", replace(RULES["add"], edges=(Edge((1.0, 2.0), 3.0, (1.0,)),))),
        (check_closure, "exp", wrong_partial("exp", 0, without_row)),
        (check_closure, "neg", wrong_partial("neg", 0, str)),
        (check_array_parity, "exp", replace(RULES["exp"], forward=lambda k, a: k.exp(a) + (k is NUMPY) * 1e-9)),
        (check_array_parity, "sin", wrong_partial("sin", 0, lambda s: s + isinstance(s, np.ndarray) * 1e-9)),
        (check_box, "log", replace(RULES["log"], box=((0.0, 1.0),))),
        (check_box, "sqrt", replace(RULES["sqrt"], box=((-1.0, 1.0),))),
        (check_printed_form, "exp", replace(RULES["exp"], latex=r"e^{{0}}")),
        (check_printed_form, "exp", replace(RULES["exp"], symbol="")),
    ],
)
def test_a_wrong_row_is_caught_and_named(check: Callable[[str, Rule], None], op: str, rule: Rule) -> None:
    with pytest.raises(AssertionError, match=op):
        check(op, rule)
