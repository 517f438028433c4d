"""The kits: floats follow IEEE 754 as NumPy does, nothing raises, and large arguments lose nothing."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autograd_mini import Value
from autograd_mini.functions import VALUE
from autograd_mini.kits import COMPLEX, FLOAT, Kit, array_kit

NUMPY = array_kit(np)
UNARY = ["exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "erf", "erfc", "abs", "sign"]
BINARY = ["maximum", "minimum", "div", "pow", "equal"]
N_ARY = ["sum", "logsumexp"]
INF, NAN = math.inf, math.nan
# No 0.5: np.power computes that exponent as a square root, which is not IEEE 754's pow of -0.0 and -inf.
SPECIAL = [0.0, -0.0, 0.3, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 1e4, -1e4, 1e308, -1e308, 5e-324, INF, -INF, NAN]


def assert_same(found: Any, wanted: Any, rtol: float, message: str) -> None:
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=0.0, err_msg=message)
    if wanted == 0.0 and message != "sign(-0.0)":  # 0.0 in NumPy, -0.0 in JAX
        assert math.copysign(1.0, found) == math.copysign(1.0, wanted), message


def test_every_function_of_a_kit_is_tested_here() -> None:
    assert {field.name for field in dataclasses.fields(Kit)} == {*UNARY, *BINARY, *N_ARY, "dot", "where", "on_grid"}


@pytest.mark.parametrize("name", UNARY)
def test_unary_functions_follow_numpy_at_special_numbers(name: str) -> None:
    for a in SPECIAL:
        with np.errstate(all="ignore"):
            wanted = getattr(NUMPY, name)(np.float64(a)).item()
        # libm and NumPy round transcendental functions differently in the last place or two.
        assert_same(getattr(FLOAT, name)(a), wanted, 1e-15, f"{name}({a})")


@pytest.mark.parametrize("name", BINARY)
def test_binary_functions_follow_numpy_at_special_numbers(name: str) -> None:
    for a, b in itertools.product(SPECIAL, repeat=2):
        if name in ("maximum", "minimum") and a == b == 0.0:
            continue  # IEEE 754 leaves open which of 0.0 and -0.0 is the larger
        with np.errstate(all="ignore"):
            wanted = getattr(NUMPY, name)(np.float64(a), np.float64(b)).item()
        assert_same(getattr(FLOAT, name)(a, b), wanted, 1e-15, f"{name}({a}, {b})")


@pytest.mark.parametrize("name", N_ARY)
def test_n_ary_functions_follow_numpy_at_special_numbers(name: str) -> None:
    for terms in itertools.product(SPECIAL, repeat=2):
        with np.errstate(all="ignore"):
            wanted = getattr(NUMPY, name)([np.float64(t) for t in terms]).item()
        np.testing.assert_allclose(
            getattr(FLOAT, name)(terms), wanted, rtol=1e-15, atol=1e-16, err_msg=f"{name}{terms}"
        )


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1))
def test_dot_of_floats_and_arrays_agree(pairs: list[tuple[float, float]]) -> None:
    a, b = zip(*pairs, strict=True)
    # Summation order may differ between the kits and between Pythons; 1e-12 of the sum of magnitudes bounds that.
    scale = math.fsum(abs(x * y) for x, y in pairs)
    exact = math.fsum(x * y for x, y in pairs)
    assert math.isclose(FLOAT.dot(a, b), exact, rel_tol=0.0, abs_tol=1e-12 * scale)
    assert math.isclose(NUMPY.dot(list(map(np.float64, a)), b), exact, rel_tol=0.0, abs_tol=1e-12 * scale)


def test_sums_of_nothing_are_zero() -> None:
    assert (FLOAT.sum(()), FLOAT.dot((), ())) == (0.0, 0.0)
    assert type(FLOAT.dot((), ())) is float


@pytest.mark.parametrize("kit", [FLOAT, NUMPY], ids=["float", "numpy"])
def test_where_chooses_by_truth(kit: Kit) -> None:
    assert [float(kit.where(c, 1.0, 2.0)) for c in (True, False, 1.0, 0.0, -3.0, NAN)] == [1, 2, 1, 2, 1, 1]


@pytest.mark.parametrize("name", UNARY)
@given(a=st.floats())
def test_a_unary_function_of_any_float_is_a_float(name: str, a: float) -> None:
    assert type(getattr(FLOAT, name)(a)) is float


@pytest.mark.parametrize("name", BINARY)
@given(a=st.floats(), b=st.floats())
def test_a_binary_function_of_any_floats_is_a_float(name: str, a: float, b: float) -> None:
    assert type(getattr(FLOAT, name)(a, b)) is (bool if name == "equal" else float)


@pytest.mark.parametrize("name", N_ARY)
@given(terms=st.lists(st.floats(), min_size=1))
def test_an_n_ary_function_of_any_floats_is_a_float(name: str, terms: list[float]) -> None:
    assert type(getattr(FLOAT, name)(terms)) is float


def exact_sigmoid(a: Decimal) -> Decimal:
    return 1 / (1 + (-a).exp())


def exact_logsumexp(a: Decimal) -> Decimal:
    return (a.exp() + (a / 2).exp()).ln()


@pytest.mark.parametrize("kit", [FLOAT, NUMPY], ids=["float", "numpy"])
@pytest.mark.parametrize(
    ("exact", "function"),
    [
        (exact_sigmoid, lambda k, a: k.sigmoid(a)),
        (exact_logsumexp, lambda k, a: k.logsumexp([a, a / 2])),
    ],
    ids=["sigmoid", "logsumexp"],
)
def test_stable_functions_are_accurate_far_out(
    kit: Kit, exact: Callable[..., Any], function: Callable[..., Any]
) -> None:
    for a in (-1e4, -700.0, -30.0, -1.5, 0.0, 1.5, 30.0, 700.0, 1e4):
        with localcontext() as context:
            context.prec, context.Emin, context.Emax = 60, -99999, 99999
            wanted = float(exact(Decimal(a)))
        with np.errstate(under="ignore"):
            found = float(function(kit, np.float64(a) if kit is NUMPY else a))
        assert math.isclose(found, wanted, rel_tol=1e-15), (a, found, wanted)


def test_a_number_on_the_grid_is_near_has_an_exact_square_and_is_a_constant() -> None:
    for a in (0.0, -0.3, math.pi, -26.543210987654321, 63.99999999999, 64.0, 5e-324):
        near = FLOAT.on_grid(a)
        assert abs(near - a) <= 2.0**-21
        assert Fraction(near) ** 2 == Fraction(near * near)
        assert type(VALUE.on_grid(Value(a))) is float
        assert (
            near == VALUE.on_grid(Value(a)) == NUMPY.on_grid(np.array([a])).item() == COMPLEX.on_grid(complex(a, 1.0))
        )
    assert math.isnan(FLOAT.on_grid(NAN))


def test_arrays_work_element_by_element_and_broadcast() -> None:
    column, row = np.array([[0.0], [1.0]]), np.array([1.0, 2.0, 3.0])
    assert NUMPY.maximum(column, row).shape == NUMPY.logsumexp([column, row]).shape == (2, 3)
    assert NUMPY.sigmoid(row).tolist() == [FLOAT.sigmoid(x) for x in row.tolist()]


def test_an_array_kit_uses_the_error_functions_it_is_given() -> None:
    kit = array_kit(np, erf=lambda a: "erf", erfc=lambda a: "erfc")
    assert (kit.erf(0.0), kit.erfc(0.0)) == ("erf", "erfc")


@pytest.mark.parametrize("name", UNARY)
def test_the_kit_of_values_records_unary_functions(name: str) -> None:
    x = Value(0.5)
    node = getattr(VALUE, name)(x)
    assert (node.op, node.parents, node.data) == (name, (x,), getattr(FLOAT, name)(0.5))


def test_the_kit_of_values_records_the_other_functions() -> None:
    a, b = Value(0.5), Value(2.0)
    for name in ("maximum", "minimum", "div", "pow"):
        node = getattr(VALUE, name)(a, b)
        assert (node.op, node.parents, node.data) == (name, (a, b), getattr(FLOAT, name)(0.5, 2.0))
    for name in N_ARY:
        node = getattr(VALUE, name)([a, b])
        assert (node.op, node.parents, node.data) == (name, (a, b), getattr(FLOAT, name)([0.5, 2.0]))
    assert VALUE.dot([a], [b]).data == 1.0
    assert VALUE.where(True, a, b).data == 0.5
    assert VALUE.equal(a, 0.5)
    assert not VALUE.equal(a, b)
