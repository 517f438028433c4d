"""What every optimizer promises besides its rule: a pure update, a state to read, keep and load, checked options."""

import copy
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autograd_mini import Value, parameter
from nn import MLP, OPTIMIZERS, SGD, Adagrad, Adam, AdamW, Optimizer, RMSProp, optimizer_class
from nn.optimizer import CHECKS

START = [0.7, -1.3, 2.5]
GRADIENTS = [[0.5, -2.0, 1e-3], [1.5, 1.0, -1e-3], [-0.25, 0.0, 4.0], [1.0, -1.0, 0.5]]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "sgd": [{}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.5, "dampening": 0.25, "weight_decay": 0.1}],
    "rmsprop": [{}, {"centered": True, "momentum": 0.9, "weight_decay": 0.1}],
    "adagrad": [{}, {"initial_accumulator_value": 0.5, "lr_decay": 0.1, "maximize": True}],
    "adam": [{}, {"amsgrad": True, "weight_decay": 0.1, "betas": (0.5, 0.75)}],
    "adamw": [{}, {"amsgrad": True, "weight_decay": 0.1, "maximize": True}],
}
EVERY = pytest.mark.parametrize(
    ("name", "options"), [(name, options) for name, all_options in OPTIONS.items() for options in all_options]
)


def make(name: str, **options: Any) -> Optimizer:
    return OPTIMIZERS[name]([parameter(x, label) for x, label in zip(START, ("w", "", "b"), strict=True)], **options)


def step(optimizer: Optimizer, gradients: list[float]) -> None:
    for value, gradient in zip(optimizer.parameters, gradients, strict=True):
        value.grad = gradient
    optimizer.step()


def numbers(optimizer: Optimizer) -> list[float]:
    return [value.data for value in optimizer.parameters]


def plain(state: dict[str, Any]) -> dict[str, Any]:
    return {name: part.tolist() if isinstance(part, np.ndarray) else part for name, part in state.items()}


def test_every_optimizer_has_options_here() -> None:
    assert list(OPTIONS) == list(OPTIMIZERS)


# update


@EVERY
def test_update_is_pure(name: str, options: dict[str, Any]) -> None:
    optimizer = make(name, **options)
    step(optimizer, GRADIENTS[0])
    w, g, state = np.array(START), np.array(GRADIENTS[1]), optimizer.state
    before = copy.deepcopy((w.tolist(), g.tolist(), plain(state), numbers(optimizer), optimizer.options))
    for array in (w, g, *(part for part in state.values() if isinstance(part, np.ndarray))):
        array.flags.writeable = False
    first, second = optimizer.update(w, g, state), optimizer.update(w, g, state)
    assert (w.tolist(), g.tolist(), plain(state), numbers(optimizer), optimizer.options) == before
    assert plain(optimizer.state) == before[2]
    assert (first[0].tolist(), plain(first[1])) == (second[0].tolist(), plain(second[1]))


@EVERY
def test_update_returns_arrays_of_its_own(name: str, options: dict[str, Any]) -> None:
    optimizer = make(name, **options)
    w, g, state = np.array(START), np.array(GRADIENTS[0]), optimizer.state
    for _ in range(2):
        moved, after = optimizer.update(w, g, state)
        given = [w, g, *(part for part in state.values() if isinstance(part, np.ndarray))]
        for array in (moved, *(part for part in after.values() if isinstance(part, np.ndarray))):
            assert not any(np.shares_memory(array, other) for other in given)
        w, state = moved, after


@EVERY
def test_step_is_update_written_into_the_values(name: str, options: dict[str, Any]) -> None:
    optimizer = make(name, **options)
    w, state = np.array(START), optimizer.state
    for number, row in enumerate(GRADIENTS, start=1):
        step(optimizer, row)
        w, state = optimizer.update(w, np.array(row), state)
        assert numbers(optimizer) == w.tolist()
        assert plain(optimizer.state) == plain(state)
        assert state["steps"] == number


@EVERY
def test_every_parameter_moves_by_itself(name: str, options: dict[str, Any]) -> None:
    together = make(name, **options)
    alone = [OPTIMIZERS[name]([parameter(x)], **options) for x in START]
    for row in GRADIENTS:
        step(together, row)
        for optimizer, gradient in zip(alone, row, strict=True):
            step(optimizer, [gradient])
    assert numbers(together) == [x for optimizer in alone for x in numbers(optimizer)]


@EVERY
@pytest.mark.parametrize("gradient", [1e200, math.inf, -math.inf, math.nan])
def test_what_overflows_is_silent_and_stays_with_its_parameter(
    name: str, options: dict[str, Any], gradient: float
) -> None:
    optimizer, calm = make(name, **options), make(name, **options)
    for _ in range(2):
        step(optimizer, [1.0, gradient, 1.0])
        step(calm, [1.0, 1.0, 1.0])
    assert (numbers(optimizer)[0], numbers(optimizer)[2]) == (numbers(calm)[0], numbers(calm)[2])


# Gradients that were not computed


@EVERY
def test_a_parameter_without_a_gradient_keeps_its_number_and_its_buffers(name: str, options: dict[str, Any]) -> None:
    optimizer = make(name, **options)
    step(optimizer, GRADIENTS[0])
    number, buffers = numbers(optimizer)[1], list(optimizer.named_state())[1]
    optimizer.zero_grad()
    optimizer.parameters[0].grad = 1.0
    optimizer.step()
    assert numbers(optimizer)[1] == number
    assert list(optimizer.named_state())[1] == buffers
    assert optimizer.state["steps"] == 2


@EVERY
def test_the_others_move_as_if_it_were_not_there(name: str, options: dict[str, Any]) -> None:
    three, two = make(name, **options), OPTIMIZERS[name]([parameter(START[0]), parameter(START[2])], **options)
    for row in GRADIENTS:
        three.zero_grad()
        three.parameters[0].grad, three.parameters[2].grad = row[0], row[2]
        three.step()
        step(two, [row[0], row[2]])
    assert numbers(three) == [numbers(two)[0], START[1], numbers(two)[1]]


@EVERY
def test_a_step_without_any_gradient_is_none(name: str, options: dict[str, Any]) -> None:
    optimizer = make(name, **options)
    optimizer.step()
    assert numbers(optimizer) == START
    assert optimizer.state["steps"] == 0


@EVERY
def test_a_gradient_of_0_is_a_gradient(name: str, options: dict[str, Any]) -> None:
    optimizer = make(name, **options)
    step(optimizer, [0.0, 0.0, 0.0])
    assert optimizer.state["steps"] == 1
    assert (numbers(optimizer) != START) == bool(optimizer.weight_decay)


# State


def test_state_is_named_like_the_parameters() -> None:
    optimizer = make("adam")
    step(optimizer, GRADIENTS[0])
    assert [name for name, _ in optimizer.named_state()] == ["w", "parameter[1]", "b"]
    buffers = dict(optimizer.named_state())["b"]
    assert buffers == {"exp_avg": pytest.approx(1e-4), "exp_avg_sq": pytest.approx(1e-9)}
    assert all(type(number) is float for number in buffers.values())


def test_state_is_named_like_the_parameters_of_a_model() -> None:
    model = MLP(2, [2, 1], seed=0)
    model.label_parameters()
    named = SGD(model.parameters(), momentum=0.9).named_state()
    assert [name for name, _ in named] == [name for name, _ in model.named_parameters()]


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        (SGD([Value(1.0)]), []),
        (SGD([Value(1.0)], momentum=0.9), ["momentum_buffer"]),
        (RMSProp([Value(1.0)]), ["square_avg"]),
        (RMSProp([Value(1.0)], centered=True, momentum=0.9), ["square_avg", "grad_avg", "momentum_buffer"]),
        (Adagrad([Value(1.0)]), ["sum"]),
        (Adam([Value(1.0)]), ["exp_avg", "exp_avg_sq"]),
        (AdamW([Value(1.0)], amsgrad=True), ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]),
    ],
)
def test_buffers_have_pytorchs_names(optimizer: Optimizer, names: list[str]) -> None:
    assert list(optimizer.state) == ["steps", *names]
    assert all(optimizer.state[name].dtype == np.float64 and optimizer.state[name].shape == (1,) for name in names)


@EVERY
def test_a_loaded_state_goes_on_bit_for_bit(name: str, options: dict[str, Any]) -> None:
    straight, first = make(name, **options), make(name, **options)
    for row in GRADIENTS[:2]:
        step(straight, row)
        step(first, row)
    second = OPTIMIZERS[name]([parameter(x) for x in numbers(first)], **json.loads(json.dumps(first.options)))
    second.load_state({part: copy.deepcopy(kept) for part, kept in first.state.items()})
    for row in GRADIENTS[2:]:
        step(straight, row)
        step(second, row)
    assert numbers(second) == numbers(straight)
    assert plain(second.state) == plain(straight.state)


@EVERY
def test_a_state_loaded_is_a_copy(name: str, options: dict[str, Any]) -> None:
    optimizer = make(name, **options)
    step(optimizer, GRADIENTS[0])
    kept = {part: copy.deepcopy(x) for part, x in optimizer.state.items()}
    optimizer.load_state(kept)
    before = plain(optimizer.state)
    for part in kept.values():
        if isinstance(part, np.ndarray):
            part += 1.0
    assert plain(optimizer.state) == before


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"exp_avg": None}, TypeError, "exp_avg is None, but must be a NumPy array of real numbers"),
        ({"exp_avg": [1.0] * 3}, TypeError, r"exp_avg is \[1.0, 1.0, 1.0\], but must be a NumPy array"),
        ({"exp_avg": np.array([None] * 3)}, TypeError, "exp_avg is array.*, but must be a NumPy array of real numbers"),
        ({"exp_avg": np.ones(3, complex)}, TypeError, "must be a NumPy array of real numbers"),
        ({"exp_avg_sq": np.ones(2)}, ValueError, r"exp_avg_sq has shape \(2,\), but must be \(3,\): one number for"),
        ({"exp_avg_sq": np.ones((3, 1))}, ValueError, r"exp_avg_sq has shape \(3, 1\), but must be \(3,\)"),
        ({"steps": -1}, ValueError, "the number of steps is -1, but must be a whole number, 0 or more"),
        ({"steps": 1.0}, TypeError, r"the number of steps is 1\.0, but must be a whole number"),
        (
            {"sum": np.ones(3)},
            ValueError,
            "this Adam has steps, exp_avg, exp_avg_sq, got steps, .*sum; the options may",
        ),
    ],
)
def test_a_bad_state_changes_nothing(change: dict[str, Any], kind: type[Exception], message: str) -> None:
    optimizer = make("adam")
    step(optimizer, GRADIENTS[0])
    before = plain(optimizer.state)
    with pytest.raises(kind, match=message):
        optimizer.load_state(optimizer.state | {"exp_avg": np.full(3, 7.0)} | change)
    assert plain(optimizer.state) == before


def test_a_state_with_infinities_can_be_loaded() -> None:
    optimizer = make("adagrad")
    optimizer.load_state({"steps": 3, "sum": np.array([math.inf, math.nan, 1.0])})
    assert plain(optimizer.state)["sum"][0] == math.inf


# Options


@EVERY
def test_options_make_the_same_optimizer_again(name: str, options: dict[str, Any]) -> None:
    optimizer = make(name, learning_rate=0.25, **options)
    again = OPTIMIZERS[name]([Value(1.0)], **json.loads(json.dumps(optimizer.options)))
    assert again.options == optimizer.options
    assert json.loads(json.dumps(optimizer.options)) == optimizer.options
    assert optimizer.options["learning_rate"] == 0.25


def test_every_option_is_checked() -> None:
    for name, kind in OPTIMIZERS.items():
        for option in kind([Value(1.0)]).options:
            assert option in CHECKS
            with pytest.raises(TypeError):
                make(name, **{option: "x"})
            optimizer = make(name)
            with pytest.raises(TypeError):
                setattr(optimizer, option, None)
            assert optimizer.options == make(name).options


def test_options_are_those_of_now() -> None:
    optimizer = make("adam")
    optimizer.learning_rate, optimizer.betas = 0.5, (0.0, 0.25)  # type: ignore[attr-defined]
    assert optimizer.options["learning_rate"] == 0.5
    assert optimizer.options["betas"] == [0.0, 0.25]


def test_a_momentum_turned_on_later_starts_from_nothing() -> None:
    optimizer = SGD([parameter(1.0)], learning_rate=0.5)
    step(optimizer, [1.0])
    optimizer.momentum = 0.5
    assert plain(optimizer.state) == {"steps": 1, "momentum_buffer": [0.0]}
    step(optimizer, [1.0])
    step(optimizer, [1.0])
    assert numbers(optimizer) == [1.0 - 0.5 - 0.5 - 0.75]


def test_the_learning_rate_is_the_only_thing_that_scales_adams_first_step() -> None:
    for gradient in (1e-3, 1.0, 1e6):
        optimizer = Adam([parameter(0.0)], learning_rate=0.25, eps=0.0)
        step(optimizer, [gradient])
        assert numbers(optimizer) == [pytest.approx(-0.25, rel=1e-12)]


def test_what_is_not_the_default_is_shown() -> None:
    assert repr(make("sgd", momentum=0.9)) == "SGD(3 parameters, learning_rate=0.001, momentum=0.9)"
    assert repr(make("adamw", betas=[0.5, 0.75])) == "AdamW(3 parameters, learning_rate=0.001, betas=(0.5, 0.75))"


def test_classes_are_found_by_name() -> None:
    assert [optimizer_class(name) for name in OPTIMIZERS] == [SGD, RMSProp, Adagrad, Adam, AdamW]
    assert optimizer_class(AdamW) is AdamW


def test_an_optimizer_of_ones_own_needs_its_rule_only() -> None:
    class Sign(Optimizer):
        def __init__(self, parameters: Any, *, learning_rate: float = 0.5) -> None:
            super().__init__(parameters, learning_rate=learning_rate)

        def moved(self, parameters: Any, gradients: Any, state: Any) -> Any:
            return parameters - self.learning_rate * np.sign(gradients), state

    optimizer = Sign([parameter(x) for x in START])
    step(optimizer, [3.0, -4.0, 0.0])
    assert numbers(optimizer) == [START[0] - 0.5, START[1] + 0.5, START[2]]
    assert repr(optimizer) == "Sign(3 parameters, learning_rate=0.5)"
    assert optimizer.options == {"learning_rate": 0.5}


FINITE = st.floats(-1e3, 1e3)


@given(st.lists(FINITE, min_size=1, max_size=5), st.data())
def test_adamw_without_decay_is_adam(start: list[float], data: st.DataObject) -> None:
    row = data.draw(st.lists(FINITE, min_size=len(start), max_size=len(start)))
    adam, adamw = Adam(map(parameter, start)), AdamW(map(parameter, start), weight_decay=0.0)
    for _ in range(3):
        step(adam, row)
        step(adamw, row)
    assert numbers(adam) == numbers(adamw)


@given(st.lists(FINITE, min_size=1, max_size=5), st.data())
def test_maximize_is_a_step_with_minus_the_gradient(start: list[float], data: st.DataObject) -> None:
    row = data.draw(st.lists(FINITE, min_size=len(start), max_size=len(start)))
    for kind in OPTIMIZERS.values():
        up, down = kind(map(parameter, start), maximize=True), kind(map(parameter, start))
        step(up, row)
        step(down, [-x for x in row])
        assert numbers(up) == numbers(down)
