"""Values and NumPy: scalars on either side, arrays of Values, NumPy's functions; arrays refused where they must be."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_mini as am
from autograd_mini import Value

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge]
SCALARS = [
    np.float64(2.0), np.float32(2.5), np.float16(2.5), np.int64(2), np.int8(3), np.uint8(2), np.bool_(True),
    np.longdouble(1.5),
]  # fmt: skip
EVERY_SCALAR = pytest.mark.parametrize("scalar", SCALARS, ids=lambda scalar: type(scalar).__name__)


def values(array: Any) -> np.ndarray:
    """An object array of Values of the same shape."""
    return np.array([Value(x) for x in np.ravel(array)], dtype=object).reshape(np.shape(array))


def data(array: np.ndarray) -> list[Any]:
    return [x.data for x in array.flat]


@EVERY_SCALAR
def test_a_numpy_scalar_becomes_a_python_float(scalar: Any) -> None:
    v = Value(scalar)
    v.grad = scalar
    assert (type(v.data), v.data, type(v.grad), v.grad) == (float, float(scalar), float, float(scalar))
    v.data = scalar
    assert type(v.data) is float


@EVERY_SCALAR
@pytest.mark.parametrize("operate", OPERATORS)
def test_a_numpy_scalar_is_a_constant_on_either_side(operate: Callable[..., Any], scalar: Any) -> None:
    v = Value(3.0)
    right, left = operate(v, scalar), operate(scalar, v)
    plain = float(scalar)
    assert (type(right), right.data) == (Value, operate(3.0, plain))
    assert (type(left), left.data) == (Value, operate(plain, 3.0))
    assert (right.parents[0], right.parents[1].op, right.parents[1].data) == (v, "constant", plain)
    assert (left.parents[0].op, left.parents[0].data, left.parents[1]) == ("constant", plain, v)
    assert right.local_derivatives == operate(Value(3.0), plain).local_derivatives


@EVERY_SCALAR
@pytest.mark.parametrize("compare", COMPARISONS)
def test_a_numpy_scalar_compares_on_either_side(compare: Callable[..., Any], scalar: Any) -> None:
    for x in (float(scalar) - 1.0, float(scalar), float(scalar) + 1.0):
        assert bool(compare(Value(x), scalar)) == compare(x, float(scalar))
        assert bool(compare(scalar, Value(x))) == compare(float(scalar), x)


@EVERY_SCALAR
def test_functions_take_numpy_scalars(scalar: Any) -> None:
    assert am.exp(scalar) == am.exp(float(scalar))
    assert type(am.exp(scalar)) is float
    assert am.dot([Value(2.0)], [scalar]).data == 2.0 * float(scalar)
    assert am.sum([Value(2.0), scalar]).data == 2.0 + float(scalar)


@pytest.mark.parametrize("operate", OPERATORS)
def test_a_value_meets_an_array_element_by_element(operate: Callable[..., Any]) -> None:
    v, array = Value(3.0), np.array([[1.0, 2.0], [0.5, 4.0]])
    right, left = operate(v, array), operate(array, v)
    assert right.shape == left.shape == (2, 2)
    assert data(right) == [operate(3.0, x) for x in array.flat]
    assert data(left) == [operate(x, 3.0) for x in array.flat]
    assert all(type(node) is Value for node in (*right.flat, *left.flat))


@pytest.mark.parametrize("operate", OPERATORS)
def test_a_zero_dimensional_array_in_an_operator_is_a_number(operate: Callable[..., Any]) -> None:
    assert operate(Value(3.0), np.array(2.0)).data == operate(3.0, 2.0)
    assert operate(np.array(2.0), Value(3.0)).data == operate(2.0, 3.0)


@pytest.mark.parametrize("compare", COMPARISONS)
def test_a_value_compares_with_an_array_element_by_element(compare: Callable[..., Any]) -> None:
    array = np.array([1.0, 2.0, 3.0])
    assert compare(Value(2.0), array).tolist() == compare(2.0, array).tolist()
    assert compare(array, Value(2.0)).tolist() == compare(array, 2.0).tolist()


def test_in_place_arithmetic_on_an_array_of_values_makes_new_nodes() -> None:
    array = values([1.0, 2.0])
    old = list(array)
    array += 1.0
    assert data(array) == [2.0, 3.0]
    assert [node.parents[0] for node in array] == old
    assert [leaf.data for leaf in old] == [1.0, 2.0]


def test_the_lecture_s_layer_of_three_neurons_on_49_pixels() -> None:
    generator = np.random.default_rng(7)
    weights, pixels, biases = generator.normal(size=(3, 49)), generator.random(49), generator.normal(size=3)
    w, b = values(weights), values(biases)
    a = am.sigmoid(np.dot(w, pixels) + b)
    assert a.shape == (3,)
    wanted = 1.0 / (1.0 + np.exp(-(weights @ pixels + biases)))
    # NumPy adds the 49 products pairwise, an object array one by one.
    np.testing.assert_allclose(np.array(data(a)), wanted, rtol=1e-12)

    am.sum(a).backward()
    slope = wanted * (1.0 - wanted)
    gradient = np.array([leaf.grad for leaf in w.flat]).reshape(3, 49)
    np.testing.assert_allclose(gradient, slope[:, None] * pixels, rtol=1e-12)
    np.testing.assert_allclose([leaf.grad for leaf in b], slope, rtol=1e-12)


def test_matrices_of_values_multiply_with_arrays_and_with_each_other() -> None:
    x, y = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for product in (values(x) @ y, x @ values(y), values(x) @ values(y), np.dot(values(x), y)):
        assert product.shape == (2, 4)
        assert data(product) == (x @ y).ravel().tolist()


def test_reductions_of_numpy_record_nodes() -> None:
    leaves = values([[1.0, 2.0], [3.0, 5.0]])
    assert leaves.sum().data == 11.0
    assert data(leaves.sum(axis=0)) == [4.0, 7.0]
    mean = leaves.mean()
    mean.backward()
    assert mean.data == 2.75
    assert [leaf.grad for leaf in leaves.flat] == [0.25] * 4


@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "abs"])
def test_functions_of_numpy_call_the_method_of_the_same_name(name: str) -> None:
    leaves = values([[0.25, 0.5]])
    for result in (getattr(np, name)(leaves), getattr(am, name)(leaves)):
        assert result.shape == (1, 2)
        assert [node.op for node in result.flat] == [name, name]
        assert [node.parents[0] for node in result.flat] == list(leaves.flat)
    assert getattr(np, name)(Value(0.25)).data == getattr(am, name)(0.25)


def test_np_square_and_np_maximum_work_on_values() -> None:
    a, b = values([3.0, -2.0]), values([1.0, 5.0])
    assert data(np.square(a)) == [9.0, 4.0]
    assert data(np.maximum(a, b)) == [3.0, 5.0]


UNARY = [op for op, rule in am.RULES.items() if rule.arity == 1 and op != "neg"]


@pytest.mark.parametrize("op", UNARY)
@pytest.mark.parametrize("shape", [(0,), (3,), (2, 3), (2, 1, 2)])
def test_unary_functions_work_on_arrays_of_any_shape_and_order(op: str, shape: tuple[int, ...]) -> None:
    plain = np.linspace(0.2, 0.9, int(np.prod(shape))).reshape(shape)
    function = getattr(am, op)
    for array in (plain, np.asfortranarray(plain)):
        of_floats, of_values = function(array), function(values(array))
        assert of_floats.shape == of_values.shape == shape
        assert list(of_floats.flat) == data(of_values) == [function(x) for x in array.ravel().tolist()]
        assert all(type(x) is float for x in of_floats.flat)


@pytest.mark.parametrize("array", [np.array([0, 1]), np.array([False, True]), np.array([0.0, 1.0], dtype=np.float32)])
def test_unary_functions_take_arrays_of_any_real_dtype(array: np.ndarray) -> None:
    assert am.exp(array).tolist() == [am.exp(0.0), am.exp(1.0)]


def test_sequence_functions_take_one_dimensional_arrays() -> None:
    x, plain = values([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 4.0])
    for sequence in (x, plain):
        assert float(am.sum(sequence)) == 7.0
        assert float(am.mean(sequence)) == 7.0 / 3.0
        assert float(am.logsumexp(sequence)) == am.logsumexp([1.0, 2.0, 4.0])
        assert float(am.dot(sequence, plain)) == 21.0
        assert list(map(float, am.softmax(sequence))) == am.softmax([1.0, 2.0, 4.0])
        assert list(map(float, am.log_softmax(sequence))) == am.log_softmax([1.0, 2.0, 4.0])


ARRAY = np.array([1.0, 2.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Value(ARRAY), r"^a Value needs one real number, got an array of shape \(2,\); wrap each element"),
        (lambda: Value(np.array(1.0)), r"^a Value needs one real number, got a 0-d array; write array\.item\(\)"),
        (lambda: Value(values([1.0])), r"^a Value needs one real number, got an array of shape \(1,\); wrap each"),
        (lambda: setattr(Value(1.0), "data", ARRAY), r"^the data of a Value needs one real number, got an array"),
        (lambda: setattr(Value(1.0), "grad", ARRAY), r"^a gradient needs one real number, got an array"),
        (lambda: am.maximum(Value(1.0), ARRAY), r"^maximum needs one real number, got an array of shape \(2,\)"),
        (lambda: am.sum([Value(1.0), ARRAY]), r"^sum needs one real number, got an array of shape \(2,\)"),
        (lambda: am.dot(np.ones((2, 2)), [Value(1.0)] * 2), r"^dot needs one real number, got an array of shape"),
        (lambda: Value(np.complex128(1j)), r"^a Value needs one real number, got the complex number"),
        (lambda: Value(1.0) + np.complex64(1j), r"^arithmetic with a Value needs one real number, got the complex"),
        (lambda: Value(np.datetime64("2020-01-01")), r"^a Value needs one real number, got .*datetime64"),
        (lambda: Value(np.str_("1")), r"^a Value needs one real number, got the text"),
    ],
)
def test_what_is_not_one_real_number_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()
