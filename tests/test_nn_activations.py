"""Activation functions: every entry of ``ACTIVATIONS`` against NumPy, finite differences and its limits."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd_mini import Value
from nn import ACTIVATIONS, Neuron, activation_function, linear

EVERY_ACTIVATION = pytest.mark.parametrize("name", sorted(ACTIVATIONS))
POINTS = [-6.0, -2.5, -1.0, -0.3, 0.2, 0.7, 1.0, 3.5, 6.0]

# Independent formulas: as the papers write them, in NumPy. A new activation needs a line here.
FORMULAS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1.0 / (1.0 + np.exp(-z)),
    "tanh": lambda z: 1.0 - 2.0 / (np.exp(2.0 * z) + 1.0),
    "relu": lambda z: np.maximum(z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0.0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0.0, z, np.exp(z) - 1.0),
    "gelu": lambda z: 0.5 * z * (1.0 + np.vectorize(math.erf)(z / np.sqrt(2.0))),
    "silu": lambda z: z / (1.0 + np.exp(-z)),
    "softplus": lambda z: np.log(1.0 + np.exp(z)),
}

# The slope at 0, where relu, leaky_relu and elu have their kinks; and value and slope at -1e4 and at 1e4.
SLOPE_AT_0 = {
    "linear": 1.0, "sigmoid": 0.25, "tanh": 1.0, "relu": 0.0, "leaky_relu": 0.01, "elu": 1.0, "gelu": 0.5, "silu": 0.5,
    "softplus": 0.5,
}  # fmt: skip
FAR: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "linear": ((-1e4, 1.0), (1e4, 1.0)),
    "sigmoid": ((0.0, 0.0), (1.0, 0.0)),
    "tanh": ((-1.0, 0.0), (1.0, 0.0)),
    "relu": ((0.0, 0.0), (1e4, 1.0)),
    "leaky_relu": ((-100.0, 0.01), (1e4, 1.0)),
    "elu": ((-1.0, 0.0), (1e4, 1.0)),
    "gelu": ((0.0, 0.0), (1e4, 1.0)),
    "silu": ((0.0, 0.0), (1e4, 1.0)),
    "softplus": ((0.0, 0.0), (1e4, 1.0)),
}

# Four-level Richardson extrapolation from 0.01 leaves a truncation error below 1e-13; the rounding of a function value
# of about 1, divided by the smallest step 0.00125, leaves about 1e-12.
DIFFERENCE_TOLERANCE = 1e-11


def difference(function: Callable[[float], float], at: float) -> float:
    """The derivative of `function` by central differences, Richardson-extrapolated."""
    steps = [0.01 / 2**level for level in range(4)]
    estimates = [(function(at + step) - function(at - step)) / ((at + step) - (at - step)) for step in steps]
    for order in range(1, 4):
        estimates = [b + (b - a) / (4.0**order - 1.0) for a, b in itertools.pairwise(estimates)]
    return estimates[0]


def value_and_slope(function: Callable[[Any], Any], at: float) -> tuple[float, float]:
    z = Value(at)
    y = function(z)
    y.backward()
    return y.data, z.grad


def test_every_activation_is_described_here() -> None:
    assert FORMULAS.keys() == SLOPE_AT_0.keys() == FAR.keys() == ACTIVATIONS.keys()


@EVERY_ACTIVATION
def test_value_equals_the_formula(name: str) -> None:
    found = [ACTIVATIONS[name](z) for z in POINTS]
    # Beside 1e-12 relative: the formulas subtract numbers near 1, which leaves 1e-16 absolute, and z scales it.
    np.testing.assert_allclose(found, FORMULAS[name](np.array(POINTS)), rtol=1e-12, atol=1e-15)


@EVERY_ACTIVATION
def test_slope_equals_central_differences(name: str) -> None:
    function = ACTIVATIONS[name]
    for at in POINTS:
        _, slope = value_and_slope(function, at)
        assert slope == pytest.approx(difference(function, at), rel=DIFFERENCE_TOLERANCE, abs=DIFFERENCE_TOLERANCE)


@EVERY_ACTIVATION
def test_slope_at_0(name: str) -> None:
    assert value_and_slope(ACTIVATIONS[name], 0.0)[1] == SLOPE_AT_0[name]


@EVERY_ACTIVATION
def test_far_from_0_value_and_slope_are_the_limits(name: str) -> None:
    found = value_and_slope(ACTIVATIONS[name], -1e4), value_and_slope(ACTIVATIONS[name], 1e4)
    assert found == FAR[name]


@EVERY_ACTIVATION
def test_a_plain_number_gives_the_plain_float_that_a_value_holds(name: str) -> None:
    for at in [*POINTS, 0.0]:
        plain = ACTIVATIONS[name](at)
        assert type(plain) is float
        assert plain == ACTIVATIONS[name](Value(at)).data


@EVERY_ACTIVATION
def test_a_name_stands_for_a_function_of_that_name(name: str) -> None:
    function = activation_function(name)
    assert function is ACTIVATIONS[name]
    assert function.__name__ == name


@EVERY_ACTIVATION
def test_a_name_and_its_function_make_the_same_neuron(name: str) -> None:
    by_name = Neuron(3, activation=name, seed=4)
    by_function = Neuron(3, activation=ACTIVATIONS[name], seed=4)
    assert by_name([0.5, -1.0, 2.0]).data == by_function([0.5, -1.0, 2.0]).data
    assert repr(by_name) == repr(by_function) == f"Neuron(3, activation='{name}')"


def test_any_function_of_a_value_is_an_activation() -> None:
    def cube(z: Any) -> Any:
        return z**3

    assert activation_function(cube) is cube
    neuron = Neuron(1, activation=cube, initializer="zeros")
    neuron.w[0].data, neuron.b.data = 2.0, 1.0
    y = neuron([0.5])
    y.backward()
    assert (y.data, neuron.w[0].grad, neuron.b.grad) == (8.0, 6.0, 12.0)


def test_linear_is_the_identity() -> None:
    z = Value(3.0)
    assert linear(z) is z


def test_sigmoid_is_between_0_and_1_and_active_above_half() -> None:
    sigmoid = ACTIVATIONS["sigmoid"]
    assert sigmoid(0.0) == 0.5
    grid = [sigmoid(z / 4.0) for z in range(-120, 121)]
    assert all(0.0 < y < 1.0 for y in grid)
    assert all(a < b for a, b in itertools.pairwise(grid))
    assert all((sigmoid(z) > 0.5) == (z > 0.0) for z in POINTS)
    assert all(sigmoid(-z) == pytest.approx(1.0 - sigmoid(z), abs=2e-16) for z in POINTS)
