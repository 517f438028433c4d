"""The transforms against closed forms, differences and each other, over every structure, at any depth and order."""

import math
import threading
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, strategies as st

import autograd_mini as am
from autograd_mini import (
    AnomalyError,
    Value,
    derivative,
    detect_anomaly,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    record_lines,
    topological_order,
    value_and_grad,
    vjp,
)

ORDINARY = st.floats(-1.5, 1.5)
THREE = st.tuples(ORDINARY, ORDINARY, ORDINARY).map(list)


class Pair(NamedTuple):
    left: Any
    right: Any


def bowl(x: Any) -> Any:
    """A smooth function of three numbers in which everything depends on everything."""
    return am.sin(x[0] * x[1]) + x[2] ** 3 * am.exp(x[0]) + am.logsumexp([*x, 0.5]) / (x[1] * x[1] + 1.0)


def three(x: Any) -> list[Any]:
    return [bowl(x), x[0] * am.tanh(x[2]), 7.0]


def slopes(f: Callable[[list[float]], Any], x: list[float]) -> list[float]:
    """Central differences of f by each number, with one step of extrapolation: an error of order h⁴ = 1e-12."""

    def slope(i: int, h: float) -> float:
        up, down = [*x[:i], x[i] + h, *x[i + 1 :]], [*x[:i], x[i] - h, *x[i + 1 :]]
        return (float(f(up)) - float(f(down))) / (up[i] - down[i])

    return [(4.0 * slope(i, 5e-4) - slope(i, 1e-3)) / 3.0 for i in range(len(x))]


def near(wanted: Any, relative: float = 1e-12) -> Any:
    return pytest.approx(wanted, rel=relative, abs=relative)


# Differences of numbers around 10 with h = 1e-3 are good for about 1e-11 / 1e-3 of rounding and h⁴ of truncation.
BY_DIFFERENCES = 1e-8


# Values


@given(THREE)
def test_a_gradient_is_that_of_finite_differences(x: list[float]) -> None:
    value, gradient = value_and_grad(bowl)(x)
    assert value == bowl(x)
    assert gradient == near(slopes(bowl, x), BY_DIFFERENCES)


@given(THREE, THREE)
def test_jvp_vjp_jacobian_and_differences_agree(x: list[float], v: list[float]) -> None:
    rows = jacobian(three)(x)
    for i, row in enumerate(rows):
        assert row == near(slopes(lambda z, i=i: three(z)[i], x), BY_DIFFERENCES)
    value, pushed = jvp(three, (x,), (v,))
    assert value == three(x)
    assert pushed == near([float(am.dot(row, v)) for row in rows])
    value, pull_back = vjp(three, x)
    assert value == three(x)
    assert pull_back(v) == (near([float(am.dot(column, v)) for column in zip(*rows, strict=True)]),)


@given(THREE, THREE)
def test_the_hessian_is_symmetric_and_hvp_is_it_times_a_vector(x: list[float], v: list[float]) -> None:
    rows = hessian(bowl)(x)
    assert np.array(rows) == near(np.array(rows).T)
    for i, row in enumerate(rows):
        assert row == near(slopes(lambda z, i=i: grad(bowl)(z)[i], x), BY_DIFFERENCES)
    assert hvp(bowl, (x,), (v,)) == near([float(am.dot(row, v)) for row in rows])


def test_jacobians_need_not_be_square() -> None:
    wide, tall = jacobian(lambda x: [am.sum(x)]), jacobian(lambda x: [x[0], x[0] * x[1], x[1], 3.0, x[0]])
    assert wide([1.0, 2.0, 3.0, 4.0]) == [[1.0] * 4]
    assert tall([3.0, 2.0]) == [[1.0, 0.0], [2.0, 3.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    assert jacobian(lambda x: x * x)(3.0) == 6.0
    assert jacobian(lambda x: [x, x * x])(3.0) == [1.0, 6.0]


def sine(n: int, x: float) -> float:
    return math.sin(x + n * math.pi / 2)


def of_polynomial(n: int, coefficients: list[float], x: float) -> float:
    """The n-th derivative of Σ coefficients[k] · xᵏ."""
    return math.fsum(math.perm(k, n) * c * x ** (k - n) for k, c in enumerate(coefficients) if k >= n)


def of_logistic(n: int, x: float) -> float:
    """d/dx p(s) = p'(s) · (s - s²) for a polynomial p in s = sigmoid(x), over exact integer coefficients."""
    p = [0, 1]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(p)][1:]
        p = [a - b for a, b in zip([0, *slope, 0], [0, 0, *slope], strict=True)]
    s = Fraction(1.0 / (1.0 + math.exp(-x)))
    return float(sum(c * s**k for k, c in enumerate(p)))


def of_tanh(n: int, x: float) -> float:
    """d/dx p(t) = p'(t) · (1 - t²) for a polynomial p in t = tanh(x)."""
    p = [0, 1]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(p)][1:]
        p = [a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    t = Fraction(math.tanh(x))
    return float(sum(c * t**k for k, c in enumerate(p)))


def of_log1p(n: int, x: float) -> float:
    return -math.factorial(n - 1) / (-1.0 - x) ** n if n else math.log1p(x)


COEFFICIENTS = [2.0, -1.0, 0.5, 3.0, -0.25, 1.5]
TOWERS: dict[str, tuple[Callable[[Any], Any], Callable[[int, float], float]]] = {
    "exp": (am.exp, lambda n, x: math.exp(x)),
    "sin": (am.sin, sine),
    "tanh": (am.tanh, of_tanh),
    "sigmoid": (am.sigmoid, of_logistic),
    "log1p": (am.log1p, of_log1p),
    "powers": (
        lambda x: am.sum([c * x**k for k, c in enumerate(COEFFICIENTS)]),
        lambda n, x: of_polynomial(n, COEFFICIENTS, x),
    ),
    "Horner": (
        lambda x: ((((1.5 * x - 0.25) * x + 3.0) * x + 0.5) * x - 1.0) * x + 2.0,
        lambda n, x: of_polynomial(n, COEFFICIENTS, x),
    ),
}  # fmt: skip


@pytest.mark.parametrize("x", [0.0, 0.7, -0.4])
@pytest.mark.parametrize(("f", "closed_form"), TOWERS.values(), ids=TOWERS)
def test_derivatives_of_every_order_have_their_closed_form(f: Any, closed_form: Any, x: float) -> None:
    found = [derivative(f, order)(x) for order in range(9)]
    # An eighth derivative is a sum of terms up to thousands times as large as itself, hence 1e-10 of the largest.
    wanted = [closed_form(order, x) for order in range(9)]
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-13 * max(map(abs, wanted)))


@pytest.mark.parametrize("x", [0.0, 1e-200, 2.0, -3.0])
def test_derivatives_of_powers_end_in_zeros(x: float) -> None:
    for power in range(5):
        found = [derivative(lambda x, n=power: x**n, order)(x) for order in range(1, 9)]
        assert found == [
            near(math.perm(power, order) * (x ** (power - order) if order <= power else 0.0)) for order in range(1, 9)
        ]
        assert found[power:] == [0.0] * (8 - power)


def test_the_hessian_of_a_power_by_a_value_is_symmetric_where_the_exponent_is_zero() -> None:
    log2 = math.log(2.0)
    assert hessian(lambda x: x[0] ** x[1])([2.0, 0.0]) == [near([0.0, 0.5]), near([0.5, log2 * log2])]
    assert hessian(lambda x: x[0] ** x[1])([2.0, 3.0])[0] == near([12.0, 4.0 + 12.0 * log2])
    assert hessian(lambda x: x[0] ** x[1])([0.0, 0.0]) == [[0.0, 0.0], [0.0, 0.0]]


def test_second_derivatives_at_kinks_are_zero() -> None:
    for f in (am.relu, am.abs, am.leaky_relu, am.sign):
        assert [derivative(f, order)(0.0) for order in (2, 3)] == [0.0, 0.0]
    assert derivative(am.leaky_relu)(0.0) == 0.01
    assert [derivative(am.elu, order)(0.0) for order in range(4)] == [0.0, 1.0, 1.0, 1.0]  # those of exp(x) - 1
    for f in (am.maximum, am.minimum):
        assert grad(f, (0, 1))(1.0, 1.0) == (0.5, 0.5)
        assert hessian(f, (0, 1))(1.0, 1.0) == ((0.0, 0.0), (0.0, 0.0))
    assert hessian(lambda x: am.where(x > 0.0, x * x, -x))(0.0) == 0.0


# Structures


STRUCTURES: dict[str, tuple[Any, Callable[[Any], Any], Any]] = {
    "a number": (3.0, lambda x: x * x, 6.0),
    "an int": (3, lambda x: x * x, 6.0),
    "a bool": (True, lambda x: x * x, 2.0),
    "a Fraction": (Fraction(1, 4), lambda x: x * x, 0.5),
    "a scalar of NumPy": (np.float32(0.5), lambda x: x * x, 1.0),
    "an integer of NumPy": (np.int8(100), lambda x: x * x, 200.0),
    "a list": ([3.0, 2.0], lambda x: x[0] * x[1], [2.0, 3.0]),
    "a tuple": ((3.0, 2.0), lambda x: x[0] * x[1], (2.0, 3.0)),
    "a named tuple": (Pair(3.0, [2.0]), lambda x: x.left * x.right[0], Pair(2.0, [3.0])),
    "a dict": ({"w": [3.0, 1.0], "b": 2.0}, lambda p: p["w"][0] * p["b"], {"w": [2.0, 0.0], "b": 3.0}),
    "a nest": (
        [{"a": (1.0, 2.0)}, [[3.0]]], lambda x: x[0]["a"][0] * x[0]["a"][1] * x[1][0][0], [{"a": (6.0, 3.0)}, [[2.0]]]
    ),
    "an empty list": ([], lambda x: 1.0, []),
    "empties in a dict": ({"a": [], "b": (), "c": 2.0}, lambda x: x["c"], {"a": [], "b": (), "c": 1.0}),
}  # fmt: skip


@pytest.mark.parametrize(("x", "f", "wanted"), STRUCTURES.values(), ids=STRUCTURES)
def test_a_gradient_is_structured_like_its_argument(x: Any, f: Any, wanted: Any) -> None:
    found = grad(f)(x)
    assert found == wanted
    assert type(found) is type(wanted)
    assert grad(f, (0,))(x) == (wanted,)
    assert vjp(f, x)[1](1.0) == (wanted,)


def test_arrays_give_arrays() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = grad(lambda x: np.sum(np.exp(x) * x))(x)
    assert found.dtype == float
    assert found == near((x + 1.0) * np.exp(x))
    assert grad(lambda w, a: np.dot(w, a), 1)(np.array([1.0, 2.0]), np.array([5, 6])).tolist() == [1.0, 2.0]
    value, tangent = jvp(lambda x: x @ x, (x,), (np.eye(2),))
    assert value.tolist() == (x @ x).tolist()
    assert tangent.tolist() == (2 * x).tolist()
    _, pull_back = vjp(lambda x: x @ x, x)
    assert pull_back(np.eye(2))[0].tolist() == (2 * x.T).tolist()
    assert hvp(lambda x: np.sum(x**3), (x,), (x,)).tolist() == (6 * x * x).tolist()
    empty = grad(lambda x: 1.0)(np.zeros((0, 2)))
    assert (empty.shape, empty.dtype) == ((0, 2), np.dtype(float))


def test_an_array_of_outputs_counts_as_a_list() -> None:
    x = np.array([1.0, 2.0])
    rows = jacobian(lambda x: x * x)(x)
    assert type(rows) is list
    assert [row.tolist() for row in rows] == [[2.0, 0.0], [0.0, 4.0]]
    assert [row.tolist() for row in hessian(lambda x: np.sum(x**3))(x)] == [[6.0, 0.0], [0.0, 12.0]]


def test_an_object_array_may_hold_values() -> None:
    a, b = Value(2.0), Value(3.0)
    found = grad(lambda x: x[0] * x[1] ** 2)(np.array([a, b], dtype=object))
    assert [one.data for one in found] == [9.0, 12.0]
    found[1].backward()
    assert (a.grad, b.grad) == (6.0, 4.0)


def test_jacobian_and_hessian_nest_structures() -> None:
    found = jacobian(lambda p: Pair(p["a"] * p["b"], [p["a"], 1.0]))({"a": 3.0, "b": 2.0})
    assert found == Pair({"a": 2.0, "b": 3.0}, [{"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 0.0}])
    assert type(found) is Pair
    second = hessian(lambda p: p.left**2 * p.right)(Pair(3.0, 2.0))
    assert second == Pair(Pair(4.0, 6.0), Pair(6.0, 0.0))
    assert type(second) is type(second.left) is Pair
    assert jacobian(lambda x: [])([1.0]) == []
    assert jacobian(lambda x: [1.0, 2])([]) == [[], []]
    assert hessian(lambda x: 1.0)({}) == {}


def test_tangents_may_be_structured_like_lists_and_keys_come_in_any_order() -> None:
    def f(p: Any) -> Any:
        return p["a"] * p["b"]

    assert jvp(f, ({"a": 3.0, "b": 2.0},), ({"b": 1.0, "a": 10.0},)) == (6.0, 23.0)
    assert jvp(lambda x: x[0] * x[1], [(3.0, 2.0)], (np.array([10.0, 1.0]),)) == (6.0, 23.0)
    _, pull_back = vjp(lambda x: {"double": 2 * x, "half": x / 2}, 1.0)
    assert pull_back({"half": 2.0, "double": 10.0}) == (21.0,)


def test_argnums_pick_positional_arguments() -> None:
    def f(x: Any, y: Any, z: Any) -> Any:
        return x * y**2 * z**3

    at = (2.0, 3.0, 1.0)
    assert [grad(f, i)(*at) for i in (0, 1, 2, -1, -3)] == [9.0, 12.0, 54.0, 54.0, 9.0]
    assert grad(f, (2, 0))(*at) == (54.0, 9.0)
    assert grad(f, [0, -1])(*at) == (9.0, 54.0)
    assert grad(f, range(2))(*at) == (9.0, 12.0)
    assert grad(f, np.int64(1))(*at) == 12.0
    assert grad(f, ())(*at) == ()
    assert value_and_grad(f, (1,))(*at) == (18.0, (12.0,))
    assert jacobian(lambda x, y: [x, y], (1, 0))(1.0, 2.0) == [(0.0, 1.0), (1.0, 0.0)]
    assert hessian(f, (0, 1))(*at) == ((0.0, 6.0), (6.0, 4.0))


def test_other_arguments_may_be_anything() -> None:
    def f(x: Any, how: str, *more: Any, scale: Any = 1.0, **names: Any) -> Any:
        assert (how, names) == ("fast", {"unit": None})
        return x * scale + am.sum(more)

    assert grad(f)(2.0, "fast", 3.0, scale=5.0, unit=None) == 5.0
    assert grad(f, 2)(2.0, "fast", 3.0, unit=None) == 1.0
    assert hessian(f)(2.0, "fast", unit=None) == 0.0
    weight = Value(4.0)
    found = grad(f)(2.0, "fast", scale=weight, unit=None)
    found.backward()
    assert (found.data, weight.grad) == (4.0, 1.0)


def test_arguments_are_never_changed() -> None:
    def f(x: Any) -> Any:
        x.append(x.pop() * 2.0)
        return x[0] * x[1]

    x = [3.0, 2.0]
    assert grad(f)(x) == [4.0, 6.0]
    assert x == [3.0, 2.0]


def test_an_unused_input_has_gradient_zero_and_no_path() -> None:
    def f(x: Any) -> Any:
        return x[0] * 0.0 + x[2] ** 2

    assert grad(f, no_path=True)([1.0, 2.0, 0.0]) == ([0.0, 0.0, 0.0], [False, True, False])
    value, (gradient, missing) = value_and_grad(f, no_path=True)(np.array([1.0, 2.0, 0.0]))
    assert (value, gradient.tolist(), missing.tolist()) == (0.0, [0.0, 0.0, 0.0], [False, True, False])
    assert gradient[~missing].tolist() == [0.0, 0.0]  # a mask, not an array of objects
    assert grad(lambda x, y: y, no_path=True)(1.0, 2.0) == (0.0, True)
    assert grad(lambda x: x, no_path=True)(1.0) == (1.0, False)


@pytest.mark.parametrize("result", [3, 3.0, True, np.float64(3.0), Fraction(3)])
def test_a_function_may_return_a_plain_number(result: Any) -> None:
    assert value_and_grad(lambda x: result, no_path=True)(2.0) == (float(result), (0.0, True))
    assert hessian(lambda x: result)(2.0) == hvp(lambda x: result, (2.0,), (1.0,)) == 0.0
    assert jvp(lambda x: [result, x], (2.0,), (5.0,)) == ([float(result), 2.0], [0.0, 5.0])
    assert derivative(lambda x: result, 3)(2.0) == 0.0


# Values as arguments and in closures


def test_plain_numbers_in_give_plain_numbers_out() -> None:
    found = (
        *value_and_grad(bowl)([0.1, 0.2, 0.3]), jacobian(three)([0.1, 0.2, 0.3]), hessian(bowl)([0.1, 0.2, 0.3]),
        *jvp(three, ([0.1, 0.2, 0.3],), ([1, 0, 0],)), vjp(bowl, [0.1, 0.2, 0.3])[1](1),
        hvp(bowl, ([0.1, 0.2, 0.3],), ([1, 0, 0],)),
    )  # fmt: skip
    assert {type(x) for _, x in am.trees.leaves(found)} == {float}


def test_a_closure_over_values_gives_values_connected_to_them() -> None:
    w = Value(3.0, "w")
    inner = w * w
    found = grad(lambda x: am.sin(inner * x))(0.5)
    assert isinstance(found, Value)
    assert found.data == near(9.0 * math.cos(4.5))
    found.backward()
    assert w.grad == near(6.0 * (math.cos(4.5) - 4.5 * math.sin(4.5)))
    rows = jacobian(lambda x: [w * x, x])(2.0)
    assert [isinstance(one, Value) for one in rows] == [True, True]
    assert gradients(rows[0], w) == 1.0
    _, tangent = jvp(lambda x: w * x * x, (2.0,), (1.0,))
    assert gradients(tangent, w) == 4.0
    value, pull_back = vjp(lambda x: w * x * x, 2.0)
    assert (gradients(value, w), gradients(pull_back(10.0)[0], w)) == (4.0, 40.0)
    assert gradients(hvp(lambda x: w * x**3, (2.0,), (1.0,)), w) == 12.0
    assert gradients(hessian(lambda x: w * x**3)(2.0), w) == 12.0


def test_values_as_arguments_give_derivatives_that_backward_differentiates_again() -> None:
    x, y = Value(2.0, "x"), Value(5.0, "y")
    value, (by_x, by_y) = value_and_grad(lambda x, y: x**3 * y, (0, 1))(x, y)
    assert (value.data, by_x.data, by_y.data) == (40.0, 60.0, 8.0)
    by_x.backward()
    assert (x.grad, y.grad) == (60.0, 12.0)
    value.backward()
    assert (x.grad, y.grad) == (120.0, 20.0)


def test_values_as_tangents_and_cotangents_are_connected_too() -> None:
    v, u = Value(10.0), Value(7.0)
    _, tangent = jvp(lambda x: x**3, (2.0,), (v,))
    assert gradients(tangent, v) == 12.0
    assert gradients(hvp(lambda x: x**3, (2.0,), (v,)), v) == 12.0
    _, pull_back = vjp(lambda x: x**3, 2.0)
    assert gradients(pull_back(u)[0], u) == 12.0
    assert pull_back(1.0) == (12.0,)


def test_a_value_in_two_places_is_two_inputs() -> None:
    x = Value(3.0)
    by_place = grad(lambda x, y: x * y**2, (0, 1))(x, x)
    assert [one.data for one in by_place] == [9.0, 18.0]
    by_place[1].backward()
    assert x.grad == 12.0  # of 2·x·x
    assert [one.data for one in grad(lambda p: p[0] * p[1])([x, x])] == [3.0, 3.0]
    assert gradients(x * x, [x, x]) == [6.0, 6.0]


def test_no_path_to_a_value_gives_a_constant() -> None:
    found = grad(lambda x, y: y)(Value(1.0), 2.0)
    assert isinstance(found, Value)
    assert (found.data, found.op) == (0.0, "constant")


def test_the_inputs_of_a_trace_bear_the_names_of_the_arguments() -> None:
    seen: list[str] = []

    def f(weights: Any, *rest: Any) -> Any:
        seen.extend(x.label for x in (*weights["w"], *rest))
        return rest[0]

    grad(f, (0, 1, 2))({"w": [1.0, Value(2.0), Value(3.0, "mine")]}, 4.0, 5.0)
    assert seen == ["weights['w'][0]", "weights['w'][1]", "mine", "rest[0]", "rest[1]"]


def test_no_gradient_is_touched() -> None:
    w, x = Value(3.0), Value(2.0)
    x.grad = 5.0
    y = w * x * x
    for found in (
        grad(lambda a: w * a)(x), hessian(lambda a: w * a**2)(x), jvp(lambda a: w * a, (x,), (w,)),
        vjp(lambda a: w * a, x)[1](1.0), hvp(lambda a: w * a**2, (x,), (w,)), jacobian(lambda a: [a, w])(x),
        gradients(y), gradients(y, x, create_graph=True),
    ):  # fmt: skip
        assert found is not None
    assert [node.has_grad for node in (w, x, y, y.parents[0])] == [False, True, False, False]
    assert x.grad == 5.0


# Modes


def test_no_grad_outside_gives_the_same_numbers_and_records_nothing() -> None:
    x, plain = Value(2.0), [3.0, 2.0]

    def f(x: Any) -> Any:
        return x[0] ** 2 * x[1]

    with no_grad():
        assert grad(f)(plain) == [12.0, 9.0]
        assert hessian(f)(plain) == [[4.0, 6.0], [6.0, 0.0]]
        assert hvp(f, (plain,), ([1.0, 10.0],)) == [64.0, 6.0]
        assert jvp(f, (plain,), ([1.0, 10.0],)) == (18.0, 102.0)
        assert vjp(f, plain)[1](2.0) == ([24.0, 18.0],)
        assert derivative(lambda z: z**4, 3)(x) == 48.0
        assert hessian(lambda z: z**3)(x) == 12.0
        assert grad(lambda z: z * x)(3.0) == 2.0
        assert (x * x).parents == ()
        square = x * x
    assert [type(grad(lambda z, s=square: s * z)(3.0))] == [Value]
    assert (x * x).parents == (x, x)


def test_no_grad_inside_holds_what_is_in_it_fixed() -> None:
    def f(x: Any) -> Any:
        with no_grad():
            fixed = x * x
        return fixed * x

    assert float(grad(f)(3.0)) == 9.0
    assert float(derivative(f, 2)(3.0)) == 0.0


def test_under_no_grad_a_pull_back_records_nothing_and_create_graph_does() -> None:
    x = Value(2.0)
    y = x**3
    _, pull_back = vjp(lambda z: z**3, x)
    with no_grad():
        (found,) = pull_back(1.0)
        again = gradients(y, x, create_graph=True)
    assert (found.data, found.parents) == (12.0, ())
    assert gradients(again, x) == 12.0
    assert gradients(pull_back(1.0)[0], x) == 12.0


def test_an_exception_inside_leaves_the_modes_as_they_were() -> None:
    def fail(x: Any) -> Any:
        with no_grad(), detect_anomaly():
            raise LookupError("inside")

    before = (am.modes.current(), am.modes.switched)
    for transform in (grad(fail), hessian(fail), jacobian(fail), derivative(fail, 3)):
        with pytest.raises(LookupError, match="inside"):
            transform(1.0)
    with no_grad():
        inside = am.modes.current()
        with pytest.raises(LookupError, match="inside"):
            jvp(fail, (1.0,), (1.0,))
        with pytest.raises(TypeError, match="a result under hvp"):
            hvp(lambda x: None, (1.0,), (1.0,))
        assert am.modes.current() == inside
    assert (am.modes.current(), am.modes.switched) == before


def test_detect_anomaly_hunts_derivatives_that_are_not_finite() -> None:
    assert grad(am.sqrt)(0.0) == math.inf
    x = Value(0.0, "x")
    y = am.sqrt(x)
    with detect_anomaly():
        for wrong in (
            lambda: grad(am.sqrt)(0.0), lambda: jvp(am.sqrt, (0.0,), (1.0,)), lambda: jacobian(am.sqrt)(0.0),
            lambda: vjp(am.sqrt, 0.0)[1](1.0), lambda: gradients(y, x), lambda: hessian(am.sqrt)(0.0),
            lambda: grad(am.sqrt)(x), lambda: jvp(lambda z: 1e200 * z, (1.0,), (1e200,)),
        ):  # fmt: skip
            with pytest.raises(AnomalyError):
                wrong()
        assert grad(am.sqrt)(4.0) == 0.25


def test_recorded_lines_change_nothing() -> None:
    with record_lines():
        assert hessian(lambda x: x**3)(2.0) == 12.0


def test_threads_do_not_disturb_each_other() -> None:
    found: dict[int, Any] = {}
    gate = threading.Barrier(4)

    def work(i: int) -> None:
        gate.wait()
        x = [0.1 * i, 0.2, 0.3]
        results = []
        for _ in range(10):
            with no_grad():
                results.append(hessian(bowl)(x))
            results.append(hessian(bowl)(x))
        found[i] = results

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        assert found[i] == [hessian(bowl)([0.1 * i, 0.2, 0.3])] * 20


# Nesting


def by_jvp(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: jvp(f, (x,), (1.0,))[1]


BOTH = {"grad": grad, "jvp": by_jvp}


@pytest.mark.parametrize("inner", BOTH.values(), ids=BOTH)
@pytest.mark.parametrize("outer", BOTH.values(), ids=BOTH)
def test_there_is_no_perturbation_confusion(outer: Any, inner: Any) -> None:
    # Siskind & Pearlmutter 2005: d/dx x · d/dy (x + y) is 1, and 2 if the two perturbations are taken for one.
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y * y)(3.0))(5.0) == 60.0
    assert outer(lambda x: inner(lambda y: x)(1.0) + x)(2.0) == 1.0
    assert outer(lambda x: inner(lambda y: x * y)(x))(2.0) == 1.0
    assert outer(inner(lambda x: x**4))(2.0) == 48.0
    w = Value(3.0)
    found = outer(lambda x: x * inner(lambda y: w * x * y)(2.0))(5.0)  # d/dx w·x² = 2·w·x
    assert found.data == 30.0
    assert gradients(found, w) == 10.0


@pytest.mark.parametrize("third", BOTH.values(), ids=BOTH)
@pytest.mark.parametrize("second", BOTH.values(), ids=BOTH)
@pytest.mark.parametrize("first", BOTH.values(), ids=BOTH)
def test_nor_three_levels_deep(first: Any, second: Any, third: Any) -> None:
    assert first(second(third(lambda x: x**5)))(2.0) == 240.0
    found = first(lambda x: x * second(lambda y: y * third(lambda z: x * y * z * z)(y))(x))(2.0)
    # third: 2·x·y·z at z = y is 2·x·y²; second: d/dy 2·x·y³ at y = x is 6·x³; first: d/dx 6·x⁴ is 24·x³.
    assert found == 192.0


def test_hessian_by_every_route() -> None:
    x = [0.4, -0.7, 1.1]
    wanted = near(np.array(hessian(bowl)(x)))
    unit = [[float(i == j) for j in range(3)] for i in range(3)]
    routes = [
        jacobian(grad(bowl))(x),
        jacobian(jacobian(bowl))(x),
        [jvp(grad(bowl), (x,), (e,))[1] for e in unit],
        [grad(lambda z, e=e: jvp(bowl, (z,), (e,))[1])(x) for e in unit],
        [vjp(grad(bowl), x)[1](e)[0] for e in unit],
    ]
    for route in routes:
        assert np.array(route) == wanted
    third = jacobian(hessian(bowl))(x)
    for i in range(3):
        for j in range(3):
            for k in range(3):
                assert third[i][j][k] == near(third[k][i][j])


# Cost


@pytest.mark.parametrize(
    "transform",
    [
        lambda f, x: jvp(f, (x,), (x,)), lambda f, x: hvp(f, (x,), (x,)), lambda f, x: vjp(f, x)[1](1.0),
        lambda f, x: value_and_grad(f)(x), lambda f, x: jacobian(f)(x), lambda f, x: hessian(f)(x),
        lambda f, x: derivative(lambda z: f([z, 0.1, 0.2]), 5)(0.3),
    ],
    ids=["jvp", "hvp", "vjp", "value_and_grad", "jacobian", "hessian", "derivative"],
)  # fmt: skip
def test_the_function_runs_once(transform: Any) -> None:
    calls = []

    def counted(x: Any) -> Any:
        calls.append(x)
        return bowl(x)

    transform(counted, [0.1, 0.2, 0.3])
    assert len(calls) == 1


def recorded_by(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]) -> int:
    """How many nodes `work` records."""
    count = 0
    careful = am.value._record_carefully

    def counting(*args: Any) -> Value:
        nonlocal count
        count += 1
        return careful(*args)

    with monkeypatch.context() as patch, record_lines():  # a switched mode sends every node this way
        patch.setattr(am.value, "_record_carefully", counting)
        work()
    return count


def test_the_cost_of_hvp_grows_linearly(monkeypatch: pytest.MonkeyPatch) -> None:
    def cost(n: int) -> int:
        x = [0.01 * i for i in range(n)]
        return recorded_by(
            monkeypatch,
            lambda: hvp(lambda x: am.sum([am.sin(a * b) for a, b in pairwise(x)]), (x,), (x,)),
        )

    ten, twenty, forty = cost(10), cost(20), cost(40)
    assert forty - twenty == 2 * (twenty - ten) > 0


def test_jvp_of_plain_numbers_records_the_function_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    x = [0.1, 0.2, 0.3]
    alone = recorded_by(monkeypatch, lambda: bowl([Value(a) for a in x]))
    assert recorded_by(monkeypatch, lambda: jvp(bowl, (x,), (x,))) == alone > 0


def test_each_order_costs_a_small_multiple_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = [recorded_by(monkeypatch, lambda n=n: derivative(am.tanh, n)(0.5)) for n in range(2, 9)]
    assert all(after <= 4 * before for before, after in pairwise(costs))


# Depth


def chain(x: Any) -> Any:
    for _ in range(100_000):
        x = x * 1.00001
    return am.sin(x)


def test_no_transform_recurses() -> None:
    """A chain of 1e5 operations is far beyond Python's stack."""
    c = math.exp(1e5 * math.log1p(1e-5))
    value, first, second = math.sin(c), c * math.cos(c), -c * c * math.sin(c)

    def close(wanted: float) -> Any:
        return near(wanted, 1e-10)  # after 1e5 roundings; jacobian and hvp go the ways that hessian goes

    assert value_and_grad(chain)(1.0) == (close(value), close(first))
    assert jvp(chain, (1.0,), (1.0,)) == (close(value), close(first))
    assert vjp(chain, 1.0)[1](1.0) == (close(first),)
    assert hessian(chain)(1.0) == close(second)
    assert derivative(chain, 2)(1.0) == close(second)
    leaf = Value(1.0)
    assert gradients(gradients(chain(leaf), leaf, create_graph=True), leaf) == close(second)


# Graphs that stand


def test_gradients_by_anything_in_the_graph() -> None:
    a, b, stranger = Value(3.0, "a"), Value(4.0, "b"), Value(1.0)
    c = a * b
    d = c * c + a
    assert gradients(d, c) == 24.0
    assert gradients(d, d) == 1.0
    assert gradients(d, {"a": a, "b": [b, c]}) == {"a": 97.0, "b": [72.0, 24.0]}
    assert gradients(d, (a, stranger), no_path=True) == ((97.0, 0.0), (False, True))
    assert gradients(d, []) == []
    assert gradients(d, np.array([a, b], dtype=object)).tolist() == [97.0, 72.0]
    found = gradients(d)
    assert {node: found[node] for node in (a, b, c, d)} == {a: 97.0, b: 72.0, c: 24.0, d: 1.0}
    assert set(found) == {node for node in topological_order(d) if node.op != "constant"}
    assert gradients(c, d, no_path=True) == (0.0, True)


def test_gradients_of_a_leaf() -> None:
    a, b = Value(3.0), Value(4.0)
    assert gradients(a) == {a: 1.0}
    assert gradients(a, [a, b]) == [1.0, 0.0]
    one, nothing = gradients(a, [a, b], create_graph=True)
    assert [(x.data, x.op) for x in (one, nothing)] == [(1.0, "constant"), (0.0, "constant")]


def test_gradients_are_those_of_backward() -> None:
    leaves = [Value(0.4), Value(-0.7), Value(1.1)]
    root = bowl(leaves)
    found = gradients(root)
    root.backward()
    assert found == {node: node.grad for node in topological_order(root) if node.op != "constant"}


def test_create_graph_goes_on_and_on() -> None:
    x = Value(2.0)
    y = x**5
    orders = [y]
    for _ in range(6):
        orders.append(gradients(orders[-1], x, create_graph=True))
    assert [one.data for one in orders] == [32.0, 80.0, 160.0, 240.0, 240.0, 120.0, 0.0]
    again = gradients(y, x, create_graph=True)
    assert again.data == 80.0
    assert again is not orders[1]


def test_create_graph_by_an_interior_node() -> None:
    x = Value(2.0)
    s = x * x
    y = s**3
    slope = gradients(y, s, create_graph=True)
    assert (slope.data, gradients(slope, s), gradients(slope, x)) == (48.0, 24.0, 96.0)
    slope.backward()
    assert x.grad == 96.0


def test_changed_data_that_shows_in_a_derivative_alone_is_refused() -> None:
    a, b = Value(0.0, "a"), Value(3.0, "b")
    product = a * b
    b.data = 7.0  # the product is 0 still
    assert gradients(product, a) == 3.0
    with pytest.raises(
        ValueError, match=r"the derivative of mul\(a=0, b=7\) by argument 0 was 3.0 in the forward pass"
    ):
        gradients(product, a, create_graph=True)


def test_data_changed_after_the_forward_pass_is_refused_only_where_it_is_needed() -> None:
    x, w = Value(2.0, "x"), Value(3.0, "w")
    y = w * am.sin(x)
    x.data = 5.0
    assert gradients(y, x) == 3.0 * math.cos(2.0)
    with pytest.raises(ValueError, match="data was changed; run the forward pass again"):
        gradients(y, x, create_graph=True)
    assert gradients(y, w, create_graph=True).data == math.sin(2.0)  # no edge on the way uses x
    x.data = 2.0
    assert gradients(y, x, create_graph=True).data == 3.0 * math.cos(2.0)
    cube = x**3
    x.data = -2.0  # the first derivative 3x² would be the same, the second would not
    with pytest.raises(ValueError, match="data was changed; run the forward pass again"):
        gradients(cube, x, create_graph=True)


def test_nan_in_the_data_is_not_taken_for_a_change() -> None:
    x = Value(math.nan)
    assert math.isnan(gradients(am.sin(x) * x, x, create_graph=True).data)


def test_order_zero_is_the_function() -> None:
    assert derivative(am.sin, 0) is am.sin
