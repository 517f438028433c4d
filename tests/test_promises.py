"""The promises of a Value at their extremes: every op with every awkward number, every depth, every interruption.

The everyday side of each promise is tested where its mechanism is: data, text, comparison and warnings in test_value,
rows and their kinks in test_rules, sweeps in test_backward, copies in test_copying, switches in test_modes, arrays in
test_numpy. Here each promise that speaks of every op is held for every row of ``RULES``, so that a new row is held to
it on arrival; what speaks of size, threads, Ctrl-C and copies is driven to the limit that the promise names.
"""

import copy
import enum
import gc
import itertools
import math
import operator
import pickle
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from types import FrameType
from typing import Any

import numpy as np
import pytest

import autograd_mini as am
import nn
from autograd_mini import RULES, AnomalyError, Value, gradients, topological_order

INF, NAN = math.inf, math.nan
MAGNITUDES = [0.0, 5e-324, 2.2e-308, 1e-300, 0.5, 1.0, 1e4, 1e300, sys.float_info.max, INF]
EXTREMES = [NAN, *MAGNITUDES, *(-x for x in MAGNITUDES)]
EVERY_OP = pytest.mark.parametrize("op", RULES)
QUIET = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def call(op: str, args: Sequence[Any]) -> Any:
    """Call the public function of a row."""
    function = getattr(am, op)
    if op == "dot":
        return function(args[: len(args) // 2], args[len(args) // 2 :])
    return function(list(args)) if RULES[op].arity is None else function(*args)


def arity(op: str) -> int:
    return RULES[op].arity or 2


def every_point(op: str) -> Iterator[tuple[float, ...]]:
    return itertools.product(EXTREMES, repeat=arity(op))


def bits(*numbers: Any) -> list[str]:
    """Each float written so that equal text is the same float, the sign of a zero included; any nan is ``nan``."""
    assert {type(number) for number in numbers} <= {float}
    return [number.hex() for number in numbers]


def caught_by(make: Callable[[], Any]) -> tuple[Any, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = make()
    assert all(warning.category is RuntimeWarning for warning in caught)
    return result, [str(warning.message) for warning in caught]


# Data: any real number


class Share(float):
    """A float of a subclass."""


class Level(enum.IntEnum):
    ONE = 1


ONES = [1, True, 1.0, Share(1.0), Level.ONE, Fraction(1), np.float64(1), np.float32(1), np.float16(1), np.longdouble(1)]
ONES += [np.int64(1), np.uint8(1), np.bool_(True)]


@EVERY_OP
def test_every_op_takes_every_kind_of_real_number(op: str) -> None:
    n = arity(op)
    wanted = bits(call(op, [1.0] * n))
    for one in ONES:
        assert bits(call(op, [one] * n)) == wanted
        for values in itertools.product([False, True], repeat=n):
            args = [Value(1.0) if is_value else one for is_value in values]
            if any(values):
                node = call(op, args)
                assert bits(node.data) == wanted
                assert bits(*(parent.data for parent in node.parents)) == bits(*[1.0] * n)
                assert [local is None for local in node.local_derivatives] == [not is_value for is_value in values]


NOT_ONE_REAL_NUMBER = [None, "1", b"1", 1j, np.complex64(1), Decimal(1), [1.0], (1.0,), {}, np.array(1.0), object]


@EVERY_OP
def test_every_op_refuses_what_is_not_one_real_number_wherever_it_stands(op: str) -> None:
    n = arity(op)
    for bad, position, other in itertools.product(NOT_ONE_REAL_NUMBER, range(n), (1.0, Value(1.0))):
        if n == 1 and isinstance(bad, np.ndarray):
            continue  # NumPy's functions take a 0-d array as a number, and so do the unary ones here
        args = [bad if i == position else other for i in range(n)]
        with pytest.raises(TypeError, match=f"^{op} needs one real number, got "):
            call(op, args)


@EVERY_OP
def test_every_op_takes_an_integer_beyond_the_range_of_a_float_as_infinite(op: str) -> None:
    n = arity(op)
    for sign, huge in ((1.0, 10**400), (-1.0, -(10**5000))):
        wanted, _ = caught_by(lambda sign=sign: call(op, [sign * INF] * n))
        found, messages = caught_by(lambda huge=huge: call(op, [huge] * n))
        assert bits(found) == bits(wanted)
        assert sum("is beyond the range of a float" in message for message in messages) == n


# Overflow and domain: IEEE 754, as NumPy has it, and a warning where an operation spoils its operands

NUMPY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative, "pow": np.power,
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "square": np.square,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh, "abs": np.abs, "sign": np.sign,
    "maximum": np.maximum, "minimum": np.minimum, "where": lambda c, a, b: np.where(c != 0.0, a, b),
    "relu": lambda a: np.maximum(a, 0.0), "softplus": lambda a: np.logaddexp(0.0, a), "logsumexp": np.logaddexp,
    "dot": lambda a, b: np.dot([a], [b]), "sum": lambda *args: np.sum(args), "mean": lambda *args: np.mean(args),
    "leaky_relu": lambda a, slope: np.where(a > 0.0, a, slope * a),
    "elu": lambda a, alpha: np.where(a > 0.0, a, alpha * np.expm1(np.minimum(a, 0.0))),
}  # fmt: skip
NOT_IN_NUMPY = {"sigmoid", "silu", "erf", "erfc", "gelu"}
# IEEE 754 does not say which zero is the larger; sums start from 0.0 here; libraries differ in the sign of -0.0.
SIGN_OF_ZERO_IS_OPEN = {"maximum", "minimum", "relu", "sum", "mean", "dot", "sign"}


def test_every_op_is_compared_with_numpy_or_listed_as_missing_there() -> None:
    assert NUMPY_FUNCTIONS.keys() | NOT_IN_NUMPY >= RULES.keys()
    assert not NUMPY_FUNCTIONS.keys() & NOT_IN_NUMPY


@QUIET
@pytest.mark.parametrize("op", [op for op in RULES if op in NUMPY_FUNCTIONS])
def test_every_op_is_numpy_s_at_every_extreme(op: str) -> None:
    for args in every_point(op):
        if op == "pow" and args[1] == 0.5 and args[0] in (0.0, -INF):
            continue  # np.power takes this exponent as a square root, which is not IEEE 754's pow of -0.0 and -inf
        with np.errstate(all="ignore"):
            wanted = float(NUMPY_FUNCTIONS[op](*map(np.float64, args)))
        found = call(op, list(map(Value, args))).data
        # libm and NumPy round transcendental functions differently in the last place or two, subnormal ones too.
        np.testing.assert_allclose(found, wanted, rtol=1e-15, atol=1e-323, err_msg=f"{op}{args}")
        if wanted == 0.0 and op not in SIGN_OF_ZERO_IS_OPEN:
            assert math.copysign(1.0, found) == math.copysign(1.0, wanted), (args, found, wanted)


@EVERY_OP
def test_values_numbers_and_mixtures_give_the_same_float_the_same_warning_and_float_gradients(op: str) -> None:
    n = arity(op)
    for args in every_point(op):
        plain, messages = caught_by(lambda args=args: call(op, args))
        made_nan = math.isnan(plain) and not any(map(math.isnan, args))
        made_inf = math.isinf(plain) and all(map(math.isfinite, args))
        shown = ", ".join(f"{x + 0.0:.6g}" for x in args)
        assert messages == [f"{op}({shown}) is {plain}"] * (made_nan or made_inf)
        for first_constant in {n, 1, n - 1} - {0}:
            leaves = [Value(x) for x in args[:first_constant]]
            mixture = [*leaves, *args[first_constant:]]
            node, of_mixture = caught_by(lambda mixture=mixture: call(op, mixture))
            assert bits(node.data) == bits(plain)
            assert of_mixture == messages
            locals_ = node.local_derivatives[:first_constant]
            node.backward()
            # A gradient is a sum that starts from 0.0, which turns -0.0 into 0.0 and nothing else.
            assert bits(*(leaf.grad for leaf in leaves)) == bits(*(0.0 + local for local in locals_))


# Parents, local derivatives, passes


@EVERY_OP
def test_every_op_keeps_duplicate_parents_an_edge_each(op: str) -> None:
    n = arity(op)
    x = Value(0.75)
    distinct = [Value(0.75) for _ in range(n)]
    node, wanted = call(op, [x] * n), call(op, distinct)
    node.backward()
    wanted.backward()
    assert node.parents == (x,) * n
    assert wanted.parents == tuple(distinct)
    assert node.local_derivatives == wanted.local_derivatives
    assert x.grad == sum(leaf.grad for leaf in distinct)


@EVERY_OP
def test_every_op_keeps_the_local_derivatives_of_the_pass_that_was_run(op: str) -> None:
    leaves = [Value(0.5 + 0.25 * i) for i in range(arity(op))]
    node = call(op, leaves)
    data, locals_ = node.data, node.local_derivatives
    for leaf in leaves:
        leaf.data = NAN
    node.data = NAN
    node.backward()
    assert node.local_derivatives == locals_
    assert tuple(leaf.grad for leaf in leaves) == locals_
    assert call(op, [Value(0.5 + 0.25 * i) for i in range(arity(op))]).data == data


@EVERY_OP
def test_a_second_pass_through_any_op_doubles_the_leaves_and_nothing_else(op: str) -> None:
    leaves = [Value(0.3 + 0.15 * i) for i in range(arity(op))]
    middle = call(op, [3.0 * leaf for leaf in leaves])
    root = middle * 0.7
    root.backward()
    once = [leaf.grad for leaf in leaves]
    inside = {node: node.grad for node in topological_order(root) if node.parents}
    root.backward()
    assert [leaf.grad for leaf in leaves] == [2.0 * grad for grad in once]
    assert {node: node.grad for node in inside} == inside


# Not computed


def test_a_gradient_that_was_not_computed_is_assigned_as_a_plain_zero() -> None:
    p, q = Value(1.0), Value(2.0)
    p.grad = q.grad
    assert (p.has_grad, p.grad, q.has_grad) == (True, 0.0, False)
    assert "grad=0" in repr(p)
    p.grad = -0.0
    assert bits(p.grad) == bits(-0.0)
    p.grad = NAN
    assert math.isnan(p.grad)


# Equality, comparison, conversion


def test_equality_is_identity_for_numpy_scalars_lists_and_dictionaries_too() -> None:
    v, w = Value(1.0), Value(1.0)
    assert not any(v == other or other == v for other in (1, 1.0, np.float64(1.0), np.bool_(True), Fraction(1), w))
    assert all(v != other and other != v for other in (1, 1.0, np.float64(1.0), np.bool_(True), Fraction(1), w))
    assert (v in [w, v], v in [w, 1.0], [w, v].index(v), [v, w, v].count(v)) == (True, False, 1, 2)
    names = {v: "v", w: "w"}
    v.data, v.label = 5.0, "renamed"
    v.backward()
    assert (names[v], names[w], v == v) == ("v", "w", True)
    nan = Value(NAN)
    assert nan == nan


def test_values_mix_with_numbers_in_sorting_and_the_functions_of_math() -> None:
    a, b = Value(1.5), Value(-2.0)
    assert sorted([3, a, Fraction(1, 2), b, np.float64(-1.0)]) == [b, np.float64(-1.0), Fraction(1, 2), a, 3]
    assert math.isclose(a, 1.5)
    assert math.isclose(1.5 + 1e-12, a)
    assert (math.floor(a), math.fsum([a, b]), math.copysign(1.0, b), math.isnan(a)) == (1, -0.5, -1.0, False)
    assert ("%.1f" % a, complex(a)) == ("1.5", 1.5 + 0j)  # noqa: UP031  # the operator is what is tested


REFUSED: list[Callable[[Any], Any]] = [
    int, round, math.trunc, range, operator.invert, operator.index, lambda v: v // 2, lambda v: 2 // v, lambda v: v % 2,
    lambda v: divmod(v, 2), lambda v: v @ v, lambda v: v | 1,
]  # fmt: skip


@pytest.mark.parametrize("use", REFUSED)
def test_what_would_cut_the_number_and_its_gradient_is_refused(use: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"\bValue\b"):
        use(Value(2.5))


class Pair:
    """A user's own kind of number, which knows what to do with a Value on either side."""

    def __init__(self, *items: Any) -> None:
        self.items = items

    def __rmul__(self, other: Any) -> "Pair":
        return Pair(*(other * item for item in self.items))

    __mul__ = __rmul__


def test_a_type_with_reflected_operators_has_its_say() -> None:
    x = Value(3.0)
    right, left = x * Pair(1.0, x), Pair(1.0, x) * x
    assert [item.data for item in right.items] == [item.data for item in left.items] == [3.0, 9.0]
    right.items[1].backward()
    assert x.grad == 6.0
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'Value' and 'Pair'"):
        x + Pair(1.0)
    with pytest.raises(TypeError, match=r"'<' not supported between instances of 'Value' and 'Pair'"):
        x < Pair(1.0)  # noqa: B015  # the comparison is what raises


# In place, kinks


def test_in_place_arithmetic_on_one_name_leaves_every_other_name_alone() -> None:
    x = Value(3.0, "x")
    alias, items = x, [x, x]
    alias += 1.0
    items[0] *= x
    items[1] -= items[0]
    assert (x.data, x.label, alias.data, [item.data for item in items]) == (3.0, "x", 4.0, [9.0, -6.0])
    items[1].backward()
    assert (x.grad, alias.has_grad) == (1.0 - 6.0, False)


@pytest.mark.parametrize(("a", "b"), [(0.0, -0.0), (-0.0, 0.0), (INF, INF), (-INF, -INF), (5e-324, 5e-324), (1, True)])
def test_every_tie_is_shared_half_and_half(a: float, b: float) -> None:
    for function in (am.maximum, am.minimum):
        assert function(Value(a), Value(b)).local_derivatives == (0.5, 0.5)
        assert function(Value(a), b).local_derivatives == (0.5, None)
        assert function(a, Value(b)).local_derivatives == (None, 0.5)
        x = Value(a)
        function(x, x).backward()
        assert x.grad == 1.0


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_kinks_are_the_same_at_either_zero(zero: float) -> None:
    for function, slope in ((am.relu, 0.0), (am.abs, 0.0), (abs, 0.0), (am.sign, 0.0), (am.leaky_relu, 0.01)):
        assert function(Value(zero)).local_derivatives[0] == slope
    assert am.pow(Value(zero), Value(0.0)).local_derivatives == (0.0, 0.0)
    for power in (Value(zero) ** 0, zero ** Value(0.0), Value(zero) ** Value(-0.0), am.pow(zero, Value(zero))):
        assert power.data == 1.0
        assert {local for local in power.local_derivatives if local is not None} == {0.0}


# NaN hunting and no_grad


@EVERY_OP
def test_every_op_is_caught_by_its_name_where_it_is_not_finite_and_nowhere_else(op: str) -> None:
    for args in every_point(op):
        leaves = [Value(x) for x in args]
        wanted, _ = caught_by(lambda args=args: call(op, args))
        with am.detect_anomaly():
            if math.isfinite(wanted):
                node = call(op, leaves)
                assert bits(node.data) == bits(wanted)
                assert "test_promises.py" in str(node.line)
            else:
                with pytest.raises(AnomalyError) as caught:
                    call(op, leaves)
                message = str(caught.value)
                assert message.startswith(f"{op}(")
                assert f") is {wanted}; at {__file__}:" in message
                continue
            if all(map(math.isfinite, node.local_derivatives)):
                node.backward()
            else:
                with pytest.raises(AnomalyError, match=f"op={op}"):
                    node.backward()
                assert not any(leaf.has_grad for leaf in leaves)


@EVERY_OP
def test_every_op_records_nothing_under_no_grad_and_computes_the_same(op: str) -> None:
    args = [0.25 + 0.25 * i for i in range(arity(op))]
    with am.no_grad():
        node = call(op, list(map(Value, args)))
    assert (type(node), node.op, node.parents, node.local_derivatives, node.line) == (Value, "", (), (), None)
    assert bits(node.data) == bits(call(op, args))
    node.backward()
    assert node.grad == 1.0


# Logits far out

LOGITS = [0.0, 1e-300, 0.5, 5.0, 18.0, 40.0, 300.0, 700.0, 745.0, 1e4, 1e5, 1e16, 1e300]
LOGITS += [-x for x in LOGITS]
ROWS = [
    [1e4, -1e4], [1e4, 1e4], [-1e4, -1e4], [1e4, 1e4 - 1.0, 1e4 - 40.0], [-1e4, -1e4, -1e4 + 3.0], [1e4, 0.0, -1e4],
    [40.0, 0.0], [700.0, -700.0, 3.0], [-745.0, 0.0], [5e-324, 0.0], [3.0], [0.1, -1e4, 2.5, 30.0], [1e300, -1e300],
]  # fmt: skip


@pytest.fixture
def mp() -> Iterator[Any]:
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(400):  # enough for 1 - p where p differs from 1 by exp(-745)
        yield mpmath


def assert_close(found: float, wanted: Any, *, scale: float = 0.0) -> None:
    """Equal to 1e-12 of the true number (or of `scale`, where that is larger), or to the last subnormal digit."""
    assert math.isfinite(found)
    assert abs(found - wanted) <= max(1e-12 * max(abs(wanted), scale), 1e-323), (found, float(wanted))


def exp(mp: Any, x: Any) -> Any:
    return mp.exp(x) if x > -1e6 else mp.mpf(0)  # far below the smallest double


def sigmoid(mp: Any, z: Any) -> Any:
    e = exp(mp, -abs(z))
    return (1 if z >= 0 else e) / (1 + e)


ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sigmoid": (sigmoid, lambda mp, z: sigmoid(mp, z) * sigmoid(mp, -z)),
    "softplus": (lambda mp, z: max(z, 0) + mp.log1p(exp(mp, -abs(z))), sigmoid),
    "tanh": (
        lambda mp, z: sigmoid(mp, 2 * z) - sigmoid(mp, -2 * z),
        lambda mp, z: 4 * sigmoid(mp, 2 * z) * sigmoid(mp, -2 * z),
    ),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_accurate_at_any_logit(name: str, mp: Any) -> None:
    value, slope = ACTIVATIONS[name]
    for x in LOGITS:
        leaf = Value(x)
        y = getattr(am, name)(leaf)
        y.backward()
        assert_close(y.data, value(mp, mp.mpf(x)))
        assert_close(leaf.grad, slope(mp, mp.mpf(x)))


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_the_softmax_family_is_accurate_at_any_logits(row: list[float], mp: Any) -> None:
    logits = list(map(mp.mpf, row))
    top = max(logits)
    weights = [exp(mp, z - top) for z in logits]
    total = mp.fsum(weights)
    share = [weight / total for weight in weights]
    others = [mp.fsum(weights[:i] + weights[i + 1 :]) / total for i in range(len(row))]  # 1 - share, without cancelling
    log_share = [z - top - mp.log(total) for z in logits]

    def check(function: Callable[[list[Any]], Any], value: Any, slopes: list[Any], *, scale: float) -> None:
        leaves = list(map(Value, row))
        root = function(leaves)
        root.backward()
        assert_close(root.data, value)
        assert_close(function(row), value)
        for leaf, slope in zip(leaves, slopes, strict=True):
            assert_close(leaf.grad, slope, scale=scale)

    check(am.logsumexp, top + mp.log(total), share, scale=0.0)
    for i in range(len(row)):
        one_hot = [float(j == i) for j in range(len(row))]
        slopes = [others[i] if j == i else -share[j] for j in range(len(row))]
        # Built from nodes, the slope by a share's own logit is 1 minus the share: 1e-12 is of that 1.
        check(lambda z, i=i: am.softmax(z)[i], share[i], [share[i] * slope for slope in slopes], scale=1.0)
        check(lambda z, i=i: am.log_softmax(z)[i], log_share[i], slopes, scale=1.0)
        down = [-slope for slope in slopes]
        check(lambda z, i=i: nn.cross_entropy(z, i), -log_share[i], down, scale=0.0)
        check(lambda z, hot=one_hot: nn.cross_entropy(z, hot), -log_share[i], down, scale=1.0)


@pytest.mark.parametrize(
    ("function", "row"),
    [
        (am.logsumexp, [1e6, 1e6 - 0.7]),
        (am.logsumexp, [1e16, 1e16 + 2.0]),
        (am.logsumexp, [1e300, 1e300]),
        (lambda z: nn.cross_entropy(z, 2), [1e4, 1e4 - 0.7, -1e4]),
        (lambda z: nn.cross_entropy(z, 2), [1e300, 1e300, -1e300]),
    ],
)
def test_slopes_of_logsumexp_are_the_softmax_at_any_logits(function: Any, row: list[float], mp: Any) -> None:
    weights = [exp(mp, mp.mpf(x) - max(row)) for x in row]
    leaves = list(map(Value, row))
    function(leaves).backward()
    for leaf, weight in zip(leaves[:2], weights, strict=False):
        assert_close(leaf.grad, weight / mp.fsum(weights))


# Depth: no recursion, no reference cycles


def values_alive() -> int:
    return sum(type(thing) is Value for thing in gc.get_objects())


@pytest.fixture
def _little_stack_and_no_collector() -> Iterator[None]:
    depth, frame, limit = 0, sys._getframe(), sys.getrecursionlimit()
    while frame := frame.f_back:  # type: ignore[assignment]
        depth += 1
    gc.collect()
    gc.disable()
    sys.setrecursionlimit(depth + 150)
    yield
    sys.setrecursionlimit(limit)
    gc.enable()


# Each takes 1 to 1; the number beside it is its exact derivative there.
LINKS: dict[str, tuple[Callable[[Value, Value], Value], float]] = {
    "second argument": (lambda y, x: Value(0.0) + y, 1.0),
    "second argument after a constant": (lambda y, x: 2.0 - y, -1.0),
    "dot, first half": (lambda y, x: am.dot([y, x], [1.0, 0.0]), 1.0),
    "dot, second half": (lambda y, x: am.dot([Value(0.5), Value(0.5)], [y, y]), 1.0),
    "sum": (lambda y, x: am.sum([1.0, y, -1.0]), 1.0),
    "diamonds": (lambda y, x: y * y * 0.5 + 0.5, 1.0),
    "ladder": (lambda y, x: (y + y) * 0.25 + am.maximum(y, y) * 0.5, 1.0),
    "back to the leaf": (lambda y, x: am.where(1.0, y, x) + 0.0 * x, 1.0),
    "alternating": (lambda y, x: 2.0 - am.square(am.sqrt(-am.mean([-y, -y]))) ** 1.0 / am.abs(Value(1.0)), -1.0),
}


def chain(link: Callable[[Value, Value], Value], links: int, x: Value) -> Value:
    y = x
    for _ in range(links):
        y = link(y, x)
    return y


@pytest.mark.usefixtures("_little_stack_and_no_collector")
@pytest.mark.parametrize(("link", "slope"), LINKS.values(), ids=LINKS)
def test_a_deep_graph_of_any_shape_works_from_build_to_deletion(link: Any, slope: float) -> None:
    before = values_alive()
    x = Value(1.0, "x")
    y = chain(link, 10_001, x)
    y.backward()
    assert (y.data, x.grad) == (1.0, slope)
    assert repr(y).startswith("Value(data=1, grad=1, op=")
    assert gradients(y)[x] == x.grad
    del y
    assert values_alive() == before + 1

    y = chain(link, 1_001, x)
    x.grad = None
    for twin in (copy.deepcopy(y), *(pickle.loads(pickle.dumps(y, protocol)) for protocol in (0, 5))):
        twin.backward()
        assert not x.has_grad
        twin_of_x = next(node for node in topological_order(twin) if node.label == "x")
        assert (twin.data, twin_of_x.grad) == (1.0, slope)
        del twin, twin_of_x
    assert am.statistics(y).depth >= 1_000
    del y, x
    assert values_alive() == before


@pytest.mark.usefixtures("_little_stack_and_no_collector")
def test_a_chain_of_a_million_nodes_through_second_arguments_works() -> None:
    before = values_alive()
    x, step = Value(1.0), Value(0.5)
    y = x
    for _ in range(1_000_000):
        y = step + y
    y.backward()
    assert (y.data, x.grad, step.grad) == (500_001.0, 1.0, 1_000_000.0)
    assert repr(y) == "Value(data=500001, grad=1, op=add)"
    del y
    assert values_alive() == before + 2


# Width: a node used a hundred thousand times

USES = 100_000


@pytest.mark.parametrize(
    ("use", "gradient"),
    [
        (lambda x: am.dot([x] * USES, [x] * USES), 2.0 * 0.5 * USES),
        (lambda x: am.dot([x] * USES, [3.0] * USES), 3.0 * USES),
        (lambda x: am.dot([2.0, x] * (USES // 2), [x, 3.0] * (USES // 2)), 2.5 * USES),
        (lambda x: am.sum([x, 1.0] * USES), 1.0 * USES),
        (lambda x: sum([x] * USES), 1.0 * USES),
        (lambda x: am.sum([x * float(i) for i in range(USES)]), USES * (USES - 1) / 2.0),
        (lambda x: am.sum([x * x] * USES), 1.0 * USES),
        (lambda x: am.mean([x] * 2**17), 1.0),
        (lambda x: am.maximum(x, am.sum([x] * USES)) - am.sum([-x] * USES), 2.0 * USES),
    ],
)
def test_a_node_used_a_hundred_thousand_times_has_an_exact_gradient(use: Any, gradient: float) -> None:
    x = Value(0.5)
    root = use(x)
    assert gradients(root)[x] == gradient
    root.backward()
    assert x.grad == gradient


def test_an_inner_node_used_a_hundred_thousand_times_has_an_exact_gradient() -> None:
    x = Value(0.5)
    inner = x * 4.0
    am.sum([inner * 0.25 for _ in range(USES)]).backward()
    assert (inner.grad, x.grad) == (0.25 * USES, 1.0 * USES)


# Threads


def network(parameters: Sequence[Any], seed: int) -> Any:
    numbers = [math.sin(seed + i) for i in range(4)]
    hidden = [am.tanh(am.dot(parameters[i : i + 4], numbers) + parameters[i]) for i in range(4)]
    for _ in range(20):
        hidden = [am.sigmoid(h * parameters[i] - hidden[i - 1]) for i, h in enumerate(hidden)]
    return nn.cross_entropy(hidden, seed % 4) + am.logsumexp(hidden)


def test_eight_threads_with_graphs_and_modes_of_their_own_find_what_one_thread_finds() -> None:
    shared = [Value(math.cos(i)) for i in range(8)]
    data = [leaf.data for leaf in shared]
    barrier = threading.Barrier(8, timeout=60)
    modes = [am.no_grad, am.detect_anomaly, am.record_lines, None]

    def work(thread: int, together: bool) -> list[Any]:
        found: list[Any] = []
        for turn in range(8):
            if together:
                barrier.wait()
            mode = modes[(thread + turn) % 4]
            own = [Value(x) for x in data]
            if mode is None:
                root, over_shared = network(own, thread), network(shared, turn)
            else:
                with mode():
                    root, over_shared = network(own, thread), network(shared, turn)
            root.backward()
            root.backward()
            of_shared = gradients(over_shared)
            found.append((root.data, root.line and root.line.number, [leaf.grad for leaf in own]))
            found.append((over_shared.data, [of_shared.get(leaf) for leaf in shared]))
        return found

    wanted = [work(thread, False) for thread in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(work, range(8), [True] * 8))
    finally:
        sys.setswitchinterval(interval)
    assert found == wanted
    assert [(leaf.data, leaf.has_grad) for leaf in shared] == [(x, False) for x in data]
    kinds = {(line is None, any(grads)) for result in wanted for _, line, grads in result[::2]}
    assert kinds == {(True, False), (False, True), (True, True)}  # no_grad, lines, nothing


# Ctrl-C


def interrupted_graph() -> tuple[list[Value], Value]:
    """Nodes of one, two and many inputs, a repeated parent, constants; leaves with a gradient, a zero one and none."""
    a, b, c = Value(2.0, "a"), Value(3.0, "b"), am.parameter(5.0, "c")
    a.grad, b.grad = 100.0, 0.0
    h = -(a * b)
    return [a, b, c], am.dot([h, c, h], [a, h, 2.0]) * h + c * 3.0


def interrupted_at_instruction(run: Callable[[], None], instruction: int) -> bool:
    """Raise KeyboardInterrupt before an instruction that runs in backward.py; False if there are fewer."""
    left = instruction

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith("backward.py"):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    earlier = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(earlier)
    return False


def test_a_pass_interrupted_at_any_instruction_never_happened_or_was_complete_and_the_next_is_right() -> None:
    _, root = interrupted_graph()
    data = [node.data for node in topological_order(root)]
    outcomes = set()
    for instruction in itertools.count():
        leaves, root = interrupted_graph()
        before = [(leaf.grad, leaf.has_grad) for leaf in leaves]
        gradient = gradients(root)
        after = [(leaf.grad + gradient[leaf], True) for leaf in leaves]
        interrupted = interrupted_at_instruction(root.backward, instruction)
        now = [(leaf.grad, leaf.has_grad) for leaf in leaves]
        assert now in (before, after), instruction
        outcomes.add((interrupted, now == after))
        assert [node.data for node in topological_order(root)] == data
        interior = [node for node in topological_order(root) if node.parents]
        assert now == after or not any(node.has_grad for node in interior)

        root.backward()
        for leaf, (grad, _) in zip(leaves, now, strict=True):
            assert leaf.grad == grad + gradient[leaf]
        assert [node.grad for node in interior] == [gradient[node] for node in interior]
        if not interrupted:
            break
    assert {(True, False), (False, True)} <= outcomes
    assert instruction > 500


# Copies and pickles

COPIES: dict[str, Callable[[Any], Any]] = {"deepcopy": copy.deepcopy} | {
    f"pickle {protocol}": lambda x, protocol=protocol: pickle.loads(pickle.dumps(x, protocol))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
}
EVERY_COPY = pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)


def description(*roots: Value) -> list[tuple[Any, ...]]:
    order = topological_order(*roots)
    position = {node: i for i, node in enumerate(order)}
    return [
        (n.op, n.label, bits(n.data), n.has_grad, bits(n.grad), n.local_derivatives, [position[p] for p in n.parents])
        for n in order
    ]


@EVERY_COPY
@EVERY_OP
def test_a_node_of_any_op_survives_with_its_edges(op: str, duplicate: Callable[[Any], Any]) -> None:
    n = arity(op)
    leaves = [Value(0.5 + 0.125 * i, f"x{i}") for i in range(n)]
    for args in (leaves, [leaves[0]] * n, [leaves[0], *[0.5] * (n - 1)], [*[0.5] * (n - 1), leaves[0]]):
        node = call(op, args)
        node.label = "result"
        leaves[0].grad = 2.0
        twin = duplicate(node)
        assert description(twin) == description(node)
        twin.backward()
        assert [leaf.grad for leaf in leaves[1:]] == [0.0] * (n - 1)
        assert leaves[0].grad == 2.0
        assert not node.has_grad


class Weight(Value):
    """A subclass with another signature, and with attributes in slots and out of them."""

    __slots__ = ("__dict__", "history")

    def __init__(self, *, size: float) -> None:
        super().__init__(size, "weight")
        self.history: list[Any] = [self]
        self.note = {"at": Value(7.0)}


class Plain(Value):
    __slots__ = ()


@EVERY_COPY
def test_a_leaf_of_a_subclass_keeps_its_type_and_what_it_adds(duplicate: Callable[[Any], Any]) -> None:
    weight, plain = Weight(size=3.0), Plain(4.0, "p")
    weight.op, weight.grad = "parameter", -0.0
    root, weights = weight * plain + weight, [weight, plain]
    twins, twin = duplicate((weights, root))
    first, second = twins
    assert (type(first), type(second), type(twin)) == (Weight, Plain, Value)
    assert twin.parents == (twin.parents[0], first)
    assert twin.parents[0].parents == (first, second)
    assert description(twin) == description(root)
    assert first.history == [first]
    assert first.note["at"].data == 7.0
    assert first.note["at"] is not weight.note["at"]
    twin.backward()
    assert (first.grad, second.grad, weight.grad, plain.has_grad) == (5.0, 3.0, 0.0, False)


def test_a_shallow_copy_of_a_subclass_shares_what_it_adds() -> None:
    weight = Weight(size=3.0)
    twin = copy.copy(weight)
    assert (type(twin), twin.data, twin.history, twin.note) == (Weight, 3.0, weight.history, weight.note)
    twin.data = 4.0
    assert weight.data == 3.0


@EVERY_COPY
def test_a_copy_is_independent_both_ways(duplicate: Callable[[Any], Any]) -> None:
    x, unused = Value(3.0, "x"), Value(1.0, "unused")
    root = (x * x + 2.0) * am.exp(x)
    root.backward()
    roots = duplicate([root, x, unused, root])
    twin, leaf = roots[0], roots[1]
    assert roots[3] is twin
    assert (roots[2].label, roots[2].has_grad) == ("unused", False)
    before, twin_before = description(root), description(twin)
    for node in topological_order(twin):
        node.data, node.grad, node.label = -1.0, 5.0, "changed"
    assert description(root) == before
    twin = duplicate(root)
    for node in topological_order(root):
        node.data, node.grad, node.label = -1.0, 5.0, "changed"
    assert description(twin) == twin_before
    assert leaf.label == "changed"


@EVERY_COPY
def test_a_copy_is_whole_whatever_is_switched_on(duplicate: Callable[[Any], Any]) -> None:
    x = Value(3.0, "x")
    with am.record_lines():
        root = x * x + 2.0
    for mode in (am.no_grad, am.detect_anomaly, am.record_lines):
        with mode():
            twin = duplicate(root)
        twin.backward()
        assert description(duplicate(root)) == description(root)
        assert next(node.grad for node in topological_order(twin) if node.label == "x") == 6.0


# Labels


def test_a_label_that_is_no_text_after_all_breaks_no_message() -> None:
    x = Value(0.0)
    x.label = 3  # type: ignore[assignment]
    assert repr(x) == "Value(data=0, grad=not computed, label='3')"
    with pytest.warns(RuntimeWarning, match=r"^log\(3=0\) is -inf$"):
        am.log(x)
