"""SGD: a step by hand, descent on known landscapes, and a network that learns."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograd_mini import Value, parameter
from nn import (
    LOSSES,
    MLP,
    SGD,
    accuracy,
    binary_cross_entropy,
    cross_entropy,
    mean_squared_error,
    predicted_class,
    sum_squared_error,
)

XOR_INPUTS, XOR_LABELS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]


def test_one_step_by_hand() -> None:
    x, y = parameter(3.0), parameter(-2.0)
    optimizer = SGD([x, y], learning_rate=0.1)
    (x * x + 4.0 * y).backward()
    optimizer.step()
    assert (x.data, y.data) == (3.0 - 0.1 * 6.0, -2.0 - 0.1 * 4.0)
    assert (x.grad, y.grad) == (6.0, 4.0)


def test_a_second_step_moves_by_the_same_gradient_again() -> None:
    x = parameter(1.0)
    optimizer = SGD([x], learning_rate=0.25)
    (2.0 * x).backward()
    optimizer.step()
    optimizer.step()
    assert x.data == 0.0


def test_without_zero_grad_gradients_add_up_as_in_pytorch() -> None:
    x = parameter(1.0)
    optimizer = SGD([x], learning_rate=0.5)
    for _ in range(2):
        (2.0 * x).backward()
    optimizer.step()
    assert x.data == 1.0 - 0.5 * 4.0


def test_what_no_pass_has_reached_does_not_move() -> None:
    reached, other = parameter(1.0), parameter(5.0)
    optimizer = SGD([reached, other], learning_rate=0.5)
    (3.0 * reached).backward()
    optimizer.step()
    assert (reached.data, other.data) == (-0.5, 5.0)
    assert not other.has_grad


def test_zero_grad_makes_gradients_not_computed() -> None:
    x, y = parameter(3.0), parameter(1.0)
    optimizer = SGD([x], learning_rate=0.1)
    (x * y).backward()
    optimizer.zero_grad()
    assert not x.has_grad
    assert x.grad == 0.0
    assert y.has_grad
    optimizer.step()
    assert x.data == 3.0


def test_a_step_leaves_what_was_computed_alone() -> None:
    x = parameter(3.0)
    y = x * x
    y.backward()
    SGD([x], learning_rate=0.1).step()
    assert (y.data, y.local_derivatives) == (9.0, (3.0, 3.0))


@pytest.mark.parametrize("rate", [0, 0.0, 1, np.float32(0.5), np.float64(0.1), np.int64(2), Fraction(1, 2), 1e300])
def test_a_learning_rate_is_any_finite_number_from_0(rate: Any) -> None:
    optimizer = SGD([parameter(1.0)], learning_rate=rate)
    assert type(optimizer.learning_rate) is float
    assert optimizer.learning_rate == float(rate)


def test_a_learning_rate_of_0_does_not_move() -> None:
    x = parameter(3.0)
    optimizer = SGD([x], learning_rate=0.0)
    (x * x).backward()
    optimizer.step()
    assert x.data == 3.0


def test_the_learning_rate_may_change_between_steps_but_only_to_a_legal_one() -> None:
    x = parameter(1.0)
    optimizer = SGD([x])
    assert optimizer.learning_rate == 1e-3
    x.grad = 1.0
    optimizer.learning_rate = 0.5
    optimizer.step()
    assert x.data == 0.5
    for bad in (-1, math.nan, math.inf, "x", True, None):
        with pytest.raises((TypeError, ValueError), match="learning rate"):
            optimizer.learning_rate = bad  # type: ignore[assignment]
    assert optimizer.learning_rate == 0.5


def test_the_learning_rate_is_named() -> None:
    with pytest.raises(TypeError):
        SGD([parameter(1.0)], 0.1)  # type: ignore[misc]


def test_parameters_may_come_from_a_generator_and_are_kept() -> None:
    model = MLP(2, [2, 1], seed=0)
    optimizer = SGD((p for p in model.parameters()), learning_rate=0.1)
    assert optimizer.parameters == model.parameters()
    model([1.0, 2.0]).backward()
    optimizer.zero_grad()
    assert not any(p.has_grad for p in model.parameters())


def test_the_list_of_parameters_is_a_copy() -> None:
    values = [parameter(1.0)]
    optimizer = SGD(values, learning_rate=0.1)
    values.append(parameter(2.0))
    assert len(optimizer.parameters) == 1


def test_plain_values_are_parameters_too() -> None:
    x = Value(2.0)
    x.grad = 1.0
    SGD([x], learning_rate=0.5).step()
    assert x.data == 1.5


# Landscapes


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.4])
def test_descent_on_a_bowl_is_geometric(rate: float) -> None:
    x, y = parameter(3.0), parameter(-2.0)
    optimizer = SGD([x, y], learning_rate=rate)
    losses = []
    for _ in range(30):
        loss = x * x + 0.5 * y * y
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == sorted(losses, reverse=True)
    # x ← x - rate · 2x, thirty times; every step rounds once or twice.
    assert x.data == pytest.approx(3.0 * (1.0 - 2.0 * rate) ** 30, rel=1e-12)
    assert y.data == pytest.approx(-2.0 * (1.0 - rate) ** 30, rel=1e-12)


def test_too_large_a_rate_climbs() -> None:
    x = parameter(1.0)
    optimizer = SGD([x], learning_rate=1.5)
    for _ in range(10):
        optimizer.zero_grad()
        (x * x).backward()
        optimizer.step()
    assert x.data == 2.0**10


def test_descent_finds_the_valley_of_rosenbrock() -> None:
    x, y = parameter(-0.5), parameter(0.5)
    optimizer = SGD([x, y], learning_rate=0.05)
    for _ in range(1000):
        optimizer.zero_grad()
        ((1.0 - x) ** 2 + 2.0 * (y - x * x) ** 2).backward()
        optimizer.step()
    assert (x.data, y.data) == pytest.approx((1.0, 1.0), abs=1e-6)


def test_linear_regression_takes_the_same_path_as_numpy() -> None:
    rng = np.random.default_rng(3)
    X, t = rng.uniform(-1.0, 1.0, (8, 3)), rng.uniform(-1.0, 1.0, 8)
    model = MLP(3, [1], seed=0)
    w, b = np.array([p.data for p in model.parameters()[:3]]), model.parameters()[3].data
    optimizer = SGD(model.parameters(), learning_rate=0.2)
    for _ in range(20):
        optimizer.zero_grad()
        mean_squared_error(model(X), t).backward()
        optimizer.step()
        error = X @ w + b - t
        w, b = w - 0.2 * 2.0 * (error @ X) / 8.0, b - 0.2 * 2.0 * error.mean()
    # Sums in another order, over twenty steps.
    np.testing.assert_allclose([p.data for p in model.parameters()], [*w, b], rtol=1e-12, atol=1e-14)


# Learning


def train(model: MLP, loss: Callable[[], Any], learning_rate: float, steps: int) -> float:
    optimizer = SGD(model.parameters(), learning_rate=learning_rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    return float(loss().data)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_tiny_network_learns_xor_as_a_yes_or_no_question(seed: int) -> None:
    model = MLP(2, [4, 1], activation="tanh", seed=seed)
    final = train(model, lambda: binary_cross_entropy(model(XOR_INPUTS), XOR_LABELS), learning_rate=1.0, steps=300)
    assert final < 0.05
    assert [int(y.data > 0.0) for y in model(XOR_INPUTS)] == XOR_LABELS


def test_a_tiny_network_learns_xor_as_two_classes() -> None:
    model = MLP(2, [4, 2], activation="tanh", seed=0)
    final = train(model, lambda: cross_entropy(model(XOR_INPUTS), XOR_LABELS), learning_rate=1.0, steps=300)
    assert final < 0.05
    assert accuracy([predicted_class(row) for row in model(XOR_INPUTS)], XOR_LABELS) == 1.0


def test_a_linear_network_cannot_learn_xor() -> None:
    model = MLP(2, [1], seed=0)
    final = train(model, lambda: binary_cross_entropy(model(XOR_INPUTS), XOR_LABELS), learning_rate=1.0, steps=100)
    assert final == pytest.approx(math.log(2.0), abs=1e-3)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_goes_down(name: str) -> None:
    targets: dict[str, Any] = {"cross_entropy": [1, 0], "hinge": [[-1, 1], [1, -1]]}
    model = MLP(2, [3, 2], activation="tanh", seed=0)

    def loss() -> Any:
        return LOSSES[name](model([[1.0, 2.0], [-1.0, 0.5]]), targets.get(name, [[0, 1], [1, 0]]))

    first = loss().data
    assert train(model, loss, learning_rate=0.05, steps=20) < 0.9 * first


def test_the_same_seed_learns_the_same_weights() -> None:
    def learn() -> list[float]:
        model = MLP(2, [3, 1], activation="sigmoid", seed=5)
        train(model, lambda: sum_squared_error(model(XOR_INPUTS), XOR_LABELS), learning_rate=0.5, steps=10)
        return [p.data for p in model.parameters()]

    assert learn() == learn()
