"""Every optimizer on the landscapes that optimizers are tried on: it must get down, and a wrong one must not."""

from collections.abc import Callable
from typing import Any

import pytest

from autograd_mini import Value, parameter
from nn import OPTIMIZERS, SGD, Optimizer


def rosenbrock(x: Value, y: Value) -> Value:
    """A curved valley with steep walls; the minimum is at (1, 1) (Rosenbrock 1960)."""
    return (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2


def beale(x: Value, y: Value) -> Value:
    """A flat floor between steep corners; the minimum is at (3, 0.5) (Beale 1958)."""
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def bowl(x: Value, y: Value) -> Value:
    """A bowl that is a hundred times as steep in y; the minimum is at (0, 0)."""
    return x * x + 100.0 * y * y


Landscape = Callable[[Value, Value], Value]
LANDSCAPES: dict[str, tuple[Landscape, tuple[float, float], tuple[float, float]]] = {
    "rosenbrock": (rosenbrock, (-1.2, 1.0), (1.0, 1.0)),
    "beale": (beale, (1.0, 1.0), (3.0, 0.5)),
    "bowl": (bowl, (3.0, -2.0), (0.0, 0.0)),
}
"""Each with its start and its minimum, where it is 0."""

SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "sgd": {
        "rosenbrock": {"learning_rate": 0.002, "momentum": 0.9},
        "beale": {"learning_rate": 0.02, "momentum": 0.9},
        "bowl": {"learning_rate": 0.005, "momentum": 0.9},
    },
    "rmsprop": {
        "rosenbrock": {"learning_rate": 0.01, "momentum": 0.9, "centered": True},
        "beale": {"learning_rate": 0.01, "momentum": 0.9, "centered": True},
        "bowl": {"learning_rate": 0.05},
    },
    "adagrad": {
        "rosenbrock": {"learning_rate": 1.0},
        "beale": {"learning_rate": 0.5},
        "bowl": {"learning_rate": 1.0},
    },
    "adam": {
        "rosenbrock": {"learning_rate": 0.5},
        "beale": {"learning_rate": 0.2},
        "bowl": {"learning_rate": 0.5},
    },
    "adamw": {
        "rosenbrock": {"learning_rate": 0.5, "weight_decay": 1e-4},
        "beale": {"learning_rate": 0.2, "weight_decay": 1e-4},
        "bowl": {"learning_rate": 0.5, "weight_decay": 1e-4},
    },
}
STEPS, MOST_STEPS = 500, 1500
EVERY = pytest.mark.parametrize("name", OPTIMIZERS)
EVERYWHERE = pytest.mark.parametrize("landscape", LANDSCAPES)


def check_descends(kind: type[Optimizer], name: str, landscape: str) -> None:
    height, start, minimum = LANDSCAPES[landscape]
    x, y = parameter(start[0]), parameter(start[1])
    optimizer = kind([x, y], **SETTINGS[name][landscape])
    first = height(x, y).data
    # Adagrad's steps get ever smaller, and the valley is long.
    for _ in range(MOST_STEPS if (name, landscape) == ("adagrad", "rosenbrock") else STEPS):
        optimizer.zero_grad()
        now = height(x, y)
        assert now.data < 1e3 * first, "it climbs"
        now.backward()
        optimizer.step()
    assert height(x, y).data < 1e-3 * first
    assert (x.data, y.data) == pytest.approx(minimum, abs=0.35)  # the valley's floor is nearly flat


@EVERYWHERE
@EVERY
def test_every_optimizer_gets_down(name: str, landscape: str) -> None:
    check_descends(OPTIMIZERS[name], name, landscape)


@EVERYWHERE
@EVERY
def test_an_optimizer_with_a_wrong_sign_is_caught(name: str, landscape: str) -> None:
    right = OPTIMIZERS[name]

    def wrong(self: Optimizer, parameters: Any, gradients: Any, state: Any) -> Any:
        return right.moved(self, parameters, -gradients, state)

    with pytest.raises(AssertionError):
        check_descends(type("Wrong", (right,), {"moved": wrong}), name, landscape)


def test_an_optimizer_that_does_not_move_is_caught() -> None:
    still = type("Still", (SGD,), {"moved": lambda self, parameters, gradients, state: (parameters, state)})
    with pytest.raises(AssertionError):
        check_descends(still, "sgd", "bowl")


@EVERY
def test_maximize_climbs_what_is_upside_down(name: str) -> None:
    x = parameter(3.0)
    optimizer = OPTIMIZERS[name]([x], learning_rate=0.1, maximize=True)
    for _ in range(200):
        optimizer.zero_grad()
        (-x * x).backward()
        optimizer.step()
    assert abs(x.data) < 2.0
