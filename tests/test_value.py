"""What a Value promises: its data, its neighbours' data, its gradient's state, its text, and IEEE 754 at every edge."""

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

import autograd_mini as am
from autograd_mini import RULES, Value

INF, NAN = math.inf, math.nan
SPECIAL = [0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -3.0, 1e4, -1e4, 1e308, -1e308, 5e-324, INF, -INF, NAN]


def call(op: str, args: Sequence[Any]) -> Any:
    """Call the public function of a row."""
    function = getattr(am, op)
    if op == "dot":
        return function(args[: len(args) // 2], args[len(args) // 2 :])
    return function(list(args)) if RULES[op].arity is None else function(*args)


def arity(op: str) -> int:
    return RULES[op].arity or 2


@pytest.mark.parametrize("x", [3, 3.0, True, False, -0.0, Fraction(1, 3), 10**300, 5e-324, INF])
def test_data_is_a_python_float(x: Any) -> None:
    v = Value(x)
    assert (type(v.data), v.data) == (float, float(x))


@pytest.mark.parametrize(
    "number", [10**400, -(10**400), 10**5000, Fraction(10**5000, 3)], ids=["1e400", "-1e400", "1e5000", "fraction"]
)
def test_a_number_beyond_the_range_of_a_float_becomes_inf_with_a_warning(number: Any) -> None:
    with pytest.warns(RuntimeWarning, match="is beyond the range of a float; it becomes -?inf") as caught:
        v = Value(number)
    assert v.data == (INF if number > 0 else -INF)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "use",
    [
        lambda v, x: v + x,
        lambda v, x: x * v,
        lambda v, x: v < x,
        lambda v, x: am.maximum(v, x),
        lambda v, x: setattr(v, "data", x),
        lambda v, x: setattr(v, "grad", x),
    ],
    ids=["+", "reflected *", "<", "maximum", "data", "grad"],
)
def test_the_warning_about_a_number_beyond_range_points_at_the_user_s_line(use: Callable[..., Any]) -> None:
    with pytest.warns(RuntimeWarning, match="is beyond the range of a float") as caught:
        use(Value(1.0), 10**400)
    assert (caught[0].filename, caught[0].lineno) == (__file__, use.__code__.co_firstlineno)


def test_parents_are_ordered_and_duplicates_are_kept() -> None:
    a, b = Value(2.0), Value(3.0)
    assert (b - a).parents == (b, a)
    assert (a * a).parents == (a, a)
    assert am.dot([a, b], [b, b]).parents == (a, b, b, b)
    assert a.parents == ()


def test_each_edge_has_its_own_local_derivative() -> None:
    a, b = Value(2.0), Value(3.0)
    assert (a * a).local_derivatives == (2.0, 2.0)
    assert (a / a).local_derivatives == (0.5, -0.5)
    assert am.dot([a, b], [b, a]).local_derivatives == (3.0, 2.0, 2.0, 3.0)
    assert (5.0 - a).local_derivatives == (None, -1.0)
    assert a.local_derivatives == ()


def test_a_constant_becomes_one_parent_that_stays() -> None:
    y = 2.0 * Value(3.0)
    constant = y.parents[0]
    assert (constant.op, constant.data, constant.parents) == ("constant", 2.0, ())
    assert y.parents[0] is constant
    assert y.local_derivatives == (None, 2.0)


def test_ops_of_leaves_tell_what_they_are() -> None:
    assert (Value(1.0).op, am.parameter(1.0).op) == ("", "parameter")
    assert am.parameter(2, "w").label == "w"


def test_changing_data_afterwards_changes_neither_result_nor_gradient() -> None:
    a, b = Value(2.0), Value(3.0)
    y = a * b + am.tanh(a)
    data, local = y.data, y.parents[0].local_derivatives
    a.data, b.data = 100.0, -100.0
    y.backward()
    assert (y.data, y.parents[0].local_derivatives) == (data, local)
    assert (a.grad, b.grad) == (3.0 + 1.0 - math.tanh(2.0) ** 2, 2.0)
    assert (a * b).data == -10000.0


@pytest.mark.parametrize("operator", ["+=", "-=", "*=", "/=", "**="])
def test_in_place_operators_rebind_and_leave_the_old_node_alone(operator: str) -> None:
    names: dict[str, Any] = {"v": Value(3.0, "old")}
    old = names["v"]
    exec(f"v {operator} 2", names)
    assert names["v"] is not old
    assert names["v"].parents[0] is old
    assert names["v"].data == eval(f"3.0 {operator[:-1]} 2")
    assert (old.data, old.label, old.parents) == (3.0, "old", ())


def test_equality_and_hash_are_identity() -> None:
    a, b = Value(1.0), Value(1.0)
    assert a == a
    assert a != b
    assert a != 1.0
    assert len({a, b, a}) == 2
    a.data = 7.0
    assert a in {a}


def test_comparisons_compare_data() -> None:
    for x, y in itertools.product(SPECIAL, repeat=2):
        a = Value(x)
        for b in (Value(y), y):
            assert [a < b, a <= b, a > b, a >= b] == [x < y, x <= y, x > y, x >= y]
            assert [b > a, b >= a, b < a, b <= a] == [x < y, x <= y, x > y, x >= y]


def test_values_sort_by_data_and_keep_ties_in_order() -> None:
    a, b, c, d = Value(3.0), Value(1.0), Value(2.0), Value(1.0)
    assert sorted([a, b, c, d]) == [b, d, c, a]
    assert (min([a, b, c]), max([a, b, c]), max(a, 2.0), max(a, 4.0)) == (b, a, a, 4.0)


def test_a_value_reads_as_its_number() -> None:
    assert float(Value(2.5)) == 2.5
    assert [bool(Value(x)) for x in (0.0, -0.0, 5e-324, NAN)] == [False, False, True, True]
    assert math.isclose(Value(1.0), Value(1.0 + 1e-12))
    assert not math.isclose(Value(1.0), 1.1)
    assert math.sqrt(Value(4.0)) == 2.0


def test_abs_records_a_node() -> None:
    x = Value(-2.0)
    y = abs(x)
    y.backward()
    assert (y.data, y.op, x.grad) == (2.0, "abs", -1.0)


def test_plus_is_the_value_itself() -> None:
    x = Value(-2.0)
    assert +x is x


def test_a_format_specification_formats_the_number() -> None:
    v = Value(2.5, "v")
    assert (f"{v:.2f}", f"{v:>8}", f"{v}") == ("2.50", "     2.5", repr(v))


def test_repr_shows_data_gradient_op_and_label() -> None:
    x = Value(1 / 3, "x")
    y = x * 2
    assert repr(x) == "Value(data=0.333333, grad=not computed, label='x')"
    assert repr(y) == str(y) == "Value(data=0.666667, grad=not computed, op=mul)"
    y.backward()
    assert repr(x) == "Value(data=0.333333, grad=2, label='x')"
    assert repr(am.parameter(-0.0)) == "Value(data=0, grad=not computed, op=parameter)"


@pytest.mark.parametrize(
    "label", ["a\nb", "tab\t", "'\"\\", "\x00\x1b[31m", "\u2028\u2029\x85", "🙂" * 99, "x" * 10**6]
)
def test_repr_is_one_short_line_whatever_the_label(label: str) -> None:
    text = repr(Value(1.0, label))
    assert len(text.splitlines()) == 1
    assert text.isprintable()
    assert len(text) < 300


def test_a_label_can_be_given_and_changed() -> None:
    v = Value(1.0, label="w")
    assert v.label == "w"
    v.label = "b"
    assert (v.label, Value(1.0).label) == ("b", "")


def test_a_gradient_is_not_computed_before_a_pass_and_reads_zero() -> None:
    v = Value(1.0)
    assert (v.grad, type(v.grad), v.has_grad) == (0.0, float, False)


def test_a_zero_gradient_is_told_apart_from_none() -> None:
    v = Value(1.0)
    v.grad = 0
    assert (v.grad, type(v.grad), v.has_grad) == (0.0, float, True)
    assert "grad=0" in repr(v)


def test_assigning_none_makes_a_gradient_not_computed_again() -> None:
    v = Value(1.0)
    (v * 3.0).backward()
    assert v.has_grad
    v.grad = None
    assert (v.grad, v.has_grad) == (0.0, False)
    assert "grad=not computed" in repr(v)
    (v * 3.0).backward()
    assert v.grad == 3.0


def test_a_refused_assignment_changes_nothing() -> None:
    v = Value(1.0)
    v.grad = 2.0
    with pytest.raises(TypeError):
        v.data = "3"
    with pytest.raises(TypeError):
        v.grad = 1j
    assert (v.data, v.grad) == (1.0, 2.0)


def test_an_attribute_that_does_not_exist_is_refused() -> None:
    with pytest.raises(AttributeError):
        Value(1.0).gradient = 3.0  # type: ignore[attr-defined]


@pytest.mark.parametrize("op", RULES)
def test_plain_numbers_in_plain_floats_out(op: str) -> None:
    result = call(op, [1] * arity(op))
    assert type(result) is float
    assert result == call(op, [Value(1.0)] * arity(op)).data


def test_sequence_functions_take_generators_and_a_start() -> None:
    assert am.sum(x for x in (1, 2.0)) == 3.0
    assert am.sum((Value(1.0) for _ in range(3)), Value(10.0)).data == 13.0
    assert am.sum([1.0], start=2) == 3.0
    first, second = Value(1.0), Value(2.0)
    assert am.sum([second], first).parents == (first, second)
    assert am.mean(x for x in (1, 2)) == 1.5
    assert am.logsumexp(x for x in (0.0,)) == 0.0
    assert (am.sum([]), am.dot([], [])) == (0.0, 0.0)
    assert am.sum([], Value(4.0)).data == 4.0


def test_optional_arguments_have_the_usual_defaults() -> None:
    for x in (Value(-2.0), -2.0):
        assert float(am.leaky_relu(x)) == -0.02
        assert float(am.leaky_relu(x, slope=0.5)) == -1.0
        assert float(am.elu(x)) == math.expm1(-2.0)
        assert float(am.elu(x, alpha=2.0)) == 2.0 * math.expm1(-2.0)
    assert Value(-2.0).leaky_relu(0.5).data == -1.0
    assert Value(-2.0).elu().data == math.expm1(-2.0)
    assert Value(-2.0).leaky_relu().local_derivatives == (0.01, None)


@pytest.mark.parametrize("op", RULES)
def test_every_op_follows_ieee_and_warns_just_where_it_spoils_its_operands(op: str) -> None:
    for args in itertools.product(SPECIAL, repeat=arity(op)):
        operands = list(map(Value, args))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = call(op, operands).data
        made_nan = math.isnan(result) and not any(map(math.isnan, args))
        made_inf = math.isinf(result) and all(map(math.isfinite, args))
        assert type(result) is float
        assert len(caught) == (made_nan or made_inf), (args, result)
        for warning in caught:
            shown = ", ".join(f"{x + 0.0:.6g}" for x in args)
            assert warning.category is RuntimeWarning
            assert str(warning.message) == f"{op}({shown}) is {result}"
            assert warning.filename == __file__


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("op", RULES)
@given(data=st.data())
def test_any_floats_give_a_float_and_no_exception(op: str, data: st.DataObject) -> None:
    args = [data.draw(st.floats()) for _ in range(arity(op))]
    leaves = [Value(x) for x in args]
    node = call(op, leaves)
    assert {type(number) for number in (node.data, *node.local_derivatives)} == {float}
    assert type(call(op, args)) is float
    node.backward()
    assert {type(leaf.grad) for leaf in leaves} == {float}


@pytest.mark.parametrize(
    ("compute", "message", "wanted"),
    [
        (lambda x, y: am.log(x), "log(x=0) is -inf", -INF),
        (lambda x, y: 1 / x, "div(1, x=0) is inf", INF),
        (lambda x, y: x / 0, "div(x=0, 0) is nan", NAN),
        (lambda x, y: am.log(y), "log(y=-8) is nan", NAN),
        (lambda x, y: y ** (1 / 3), "pow(y=-8, 0.333333) is nan", NAN),
        (lambda x, y: x**-1, "pow(x=0, -1) is inf", INF),
        (lambda x, y: 0**y, "pow(0, y=-8) is inf", INF),
        (lambda x, y: am.exp(-100 * y), "exp(800) is inf", INF),
        (lambda x, y: (-y) ** 1e5, "pow(8, 100000) is inf", INF),
        (lambda x, y: am.sum([y, 1e308, 1e308]), "sum(y=-8, 1e+308, 1e+308) is inf", INF),
    ],
)
def test_a_warning_names_the_op_the_operands_and_their_labels(compute: Any, message: str, wanted: float) -> None:
    with pytest.warns(RuntimeWarning) as caught:
        result = compute(Value(0.0, "x"), Value(-8.0, "y")).data
    assert [str(warning.message) for warning in caught] == [message]
    assert (caught[0].filename, caught[0].lineno) == (__file__, compute.__code__.co_firstlineno)
    assert math.isnan(result) if math.isnan(wanted) else result == wanted


@pytest.mark.parametrize(
    ("function", "far_left", "far_right"),
    [
        (am.sigmoid, (0.0, 0.0), (1.0, 0.0)),
        (am.tanh, (-1.0, 0.0), (1.0, 0.0)),
        (am.softplus, (0.0, 0.0), (1e4, 1.0)),
        (am.silu, (0.0, 0.0), (1e4, 1.0)),
        (am.gelu, (0.0, 0.0), (1e4, 1.0)),
        (am.elu, (-1.0, 0.0), (1e4, 1.0)),
    ],
)
def test_activations_are_stable_far_out(function: Any, far_left: tuple[float, float], far_right: Any) -> None:
    for x, wanted in ((Value(-1e4), far_left), (Value(1e4), far_right)):
        y = function(x)
        y.backward()
        assert (y.data, x.grad) == wanted


LOGITS = [
    [1e4, -1e4],
    [1e4, 1e4],
    [-1e4, -1e4],
    [-1e4, -1e4 + 1.0, -1e4 + 2.5],
    [1e4, 1e4 - 3.0, 0.0],
    [0.5, -1.25, 2.0],
]


def exact_log_softmax(logits: list[float]) -> list[Decimal]:
    with localcontext() as context:
        context.prec, context.Emin, context.Emax = 60, -99999, 99999
        total = sum(Decimal(x).exp() for x in logits).ln()
        return [Decimal(x) - total for x in logits]


def exact_softmax(logits: list[float]) -> list[float]:
    with localcontext() as context:
        context.prec, context.Emin, context.Emax = 60, -99999, 99999
        return [float(share.exp()) for share in exact_log_softmax(logits)]


# Beside 1e-12 relative: a probability near 1 has a logarithm near 0, known to an ulp of 1.
ACCURACY = {"rel": 1e-12, "abs": 1e-15}


@pytest.mark.parametrize("logits", LOGITS)
def test_softmax_and_its_logarithm_are_accurate_far_out(logits: list[float]) -> None:
    for wrap in (float, Value):
        shares, logs = am.softmax(map(wrap, logits)), am.log_softmax(map(wrap, logits))
        assert list(map(float, shares)) == pytest.approx(exact_softmax(logits), **ACCURACY)
        assert list(map(float, logs)) == pytest.approx(list(map(float, exact_log_softmax(logits))), **ACCURACY)


@pytest.mark.parametrize("logits", LOGITS)
def test_gradients_of_logsumexp_softmax_and_log_softmax_are_accurate_far_out(logits: list[float]) -> None:
    p = exact_softmax(logits)
    leaves = [Value(x) for x in logits]

    def gradient(root: Value) -> list[float]:
        for leaf in leaves:
            leaf.grad = None
        root.backward()
        return [leaf.grad for leaf in leaves]

    # Probabilities are at most 1, and the differences of them below cancel: 1e-12 is relative to 1.
    accuracy = {"rel": 1e-12, "abs": 1e-12}
    assert gradient(am.logsumexp(leaves)) == pytest.approx(p, **accuracy)
    wanted = [p[0] * ((i == 0) - share) for i, share in enumerate(p)]
    assert gradient(am.softmax(leaves)[0]) == pytest.approx(wanted, **accuracy)
    wanted = [(i == 0) - share for i, share in enumerate(p)]
    assert gradient(am.log_softmax(leaves)[0]) == pytest.approx(wanted, **accuracy)


@pytest.mark.parametrize("size", [1e4, -1e4, 1e8, 1e16, -1e16, 1e300])
def test_equal_logits_share_equally_however_large(size: float) -> None:
    leaves = [Value(size) for _ in range(4)]
    assert [share.data for share in am.softmax(leaves)] == pytest.approx([0.25] * 4, rel=1e-12)
    assert am.log_softmax([size] * 4) == pytest.approx([-math.log(4.0)] * 4, rel=1e-12)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=10))
def test_softmax_adds_up_to_one(logits: list[float]) -> None:
    shares = am.softmax(logits)
    assert math.isclose(math.fsum(shares), 1.0, rel_tol=1e-12)
    assert all(0.0 <= share <= 1.0 for share in shares)


def test_kinks_and_ties_follow_the_table() -> None:
    for function, x, slope in ((am.relu, 0.0, 0.0), (am.abs, 0.0, 0.0), (am.sign, 2.0, 0.0), (am.sqrt, 0.0, INF)):
        assert function(Value(x)).local_derivatives == (slope,)
    a, b = Value(1.0), Value(1.0)
    assert am.maximum(a, b).local_derivatives == am.minimum(a, b).local_derivatives == (0.5, 0.5)
    assert am.maximum(a, a).local_derivatives == (0.5, 0.5)
