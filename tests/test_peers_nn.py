"""Agreement of training with PyTorch: every optimizer and schedule, with every combination of options, and clipping.

Skipped unless asked for, as ``tests/test_peers.py``: ``./dev test --peers``.
"""

import itertools
import math
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from autograd_mini import Value, parameter
from nn import (
    OPTIMIZERS,
    SCHEDULES,
    SGD,
    CosineSchedule,
    ExponentialSchedule,
    LinearWarmUp,
    OneCycle,
    Optimizer,
    ReduceOnPlateau,
    Schedule,
    StepSchedule,
    clip_gradient_norm,
    clip_gradient_value,
)

torch: Any = None
"""PyTorch, which is large and slow to load: not before the first of these tests runs."""

STEPS, TOLERANCE = 20, 1e-12
START = [0.7345, -1.3218, 2.5111, -0.0429, 11.0973]
BOTH = (False, True)

CHOICES: dict[str, dict[str, tuple[Any, ...]]] = {
    "sgd": {
        "learning_rate": (1e-3, 0.07), "momentum": (0.0, 0.9), "dampening": (0.0, 0.3), "weight_decay": (0.0, 0.05),
        "nesterov": BOTH, "maximize": BOTH,
    },
    "rmsprop": {
        "learning_rate": (1e-2, 0.07), "alpha": (0.99, 0.5), "eps": (1e-8, 1e-3), "weight_decay": (0.0, 0.05),
        "momentum": (0.0, 0.9), "centered": BOTH, "maximize": BOTH,
    },
    "adagrad": {
        "learning_rate": (1e-2, 0.07), "lr_decay": (0.0, 0.1), "weight_decay": (0.0, 0.05),
        "initial_accumulator_value": (0.0, 0.25), "eps": (1e-10, 1e-3), "maximize": BOTH,
    },
    "adam": {
        "learning_rate": (1e-3, 0.07), "betas": ((0.9, 0.999), (0.3, 0.8), (0.0, 0.0)), "eps": (1e-8, 1e-3),
        "weight_decay": (0.0, 0.05), "amsgrad": BOTH, "maximize": BOTH,
    },
    "adamw": {
        "learning_rate": (1e-3, 0.07), "betas": ((0.9, 0.999), (0.3, 0.8), (0.0, 0.0)), "eps": (1e-8, 1e-3),
        "weight_decay": (0.0, 1e-2, 0.05), "amsgrad": BOTH, "maximize": BOTH,
    },
}  # fmt: skip
"""For every optimizer the values of every option to combine."""

THEIRS = {"sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad", "adam": "Adam", "adamw": "AdamW"}


@pytest.fixture(autouse=True, scope="module")
def _load_torch() -> None:
    global torch
    torch = pytest.importorskip("torch", reason="torch is not installed; ./dev test --peers installs it")


def is_legal(options: dict[str, Any]) -> bool:
    return not options.get("nesterov") or (options["momentum"] > 0.0 and options["dampening"] == 0.0)


def combinations(choices: dict[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def in_their_words(options: dict[str, Any]) -> dict[str, Any]:
    return {{"learning_rate": "lr"}.get(name, name): value for name, value in options.items()}


def gradients(seed: int) -> list[list[float]]:
    """One list for each step, of sizes that differ by a million."""
    generator = random.Random(seed)
    return [[generator.gauss(0.3, 1.0) * 10.0 ** generator.uniform(-5.0, 1.0) for _ in START] for _ in range(STEPS)]


class Pair:
    """The same parameters under our optimizer and under PyTorch's."""

    def __init__(self, name: str, **options: Any) -> None:
        self.values = [parameter(x) for x in START]
        self.tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in START]
        self.ours: Optimizer = OPTIMIZERS[name](self.values, **options)
        self.theirs = getattr(torch.optim, THEIRS[name])(self.tensors, **in_their_words(options))

    def step(self, gradients: list[float]) -> None:
        for value, tensor, gradient in zip(self.values, self.tensors, gradients, strict=True):
            value.grad, tensor.grad = gradient, torch.tensor(gradient, dtype=torch.float64)
        self.ours.step()
        self.theirs.step()

    def check(self, context: Any) -> None:
        found, expected = [v.data for v in self.values], [t.item() for t in self.tensors]
        assert found == pytest.approx(expected, rel=TOLERANCE, abs=0.0), context
        for i, (_, buffers) in enumerate(self.ours.named_state()):
            theirs = self.theirs.state[self.tensors[i]]
            for name, number in buffers.items():
                # A mean of numbers of both signs may pass so close to 0 that its last digits are the terms' roundings.
                assert number == pytest.approx(theirs[name].item(), rel=TOLERANCE, abs=1e-18), (context, name)


def check_optimizer(name: str, **options: Any) -> None:
    pair = Pair(name, **options)
    for number, row in enumerate(gradients(seed=1), start=1):
        pair.step(row)
        pair.check((name, options, number))


def test_every_optimizer_and_every_option_is_compared() -> None:
    assert list(CHOICES) == list(THEIRS) == list(OPTIMIZERS)
    for name, kind in OPTIMIZERS.items():
        assert set(CHOICES[name]) == set(kind([Value(1.0)]).options)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_defaults_are_theirs(name: str) -> None:
    pair = Pair(name)
    (group,) = pair.theirs.param_groups
    for option, value in in_their_words(pair.ours.options).items():
        assert (tuple(value) if isinstance(value, list) else value) == group[option], option
    check_optimizer(name)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_combination_of_options_agrees(name: str) -> None:
    for options in filter(is_legal, combinations(CHOICES[name])):
        check_optimizer(name, **options)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_parameter_without_a_gradient_is_left_alone_as_theirs_is(name: str) -> None:
    options = {option: values[-1] for option, values in CHOICES[name].items() if option not in ("nesterov", "maximize")}
    pair = Pair(name, **options)
    for row in gradients(seed=2):
        for value, tensor in zip(pair.values, pair.tensors, strict=True):
            value.grad = tensor.grad = None
        for i in range(3):  # the others never have one
            pair.values[i].grad, pair.tensors[i].grad = row[i], torch.tensor(row[i], dtype=torch.float64)
        pair.ours.step()
        pair.theirs.step()
        found, expected = [v.data for v in pair.values], [t.item() for t in pair.tensors]
        assert found == pytest.approx(expected, rel=TOLERANCE, abs=0.0)
        assert found[3:] == START[3:]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_that_is_off_by_little_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = OPTIMIZERS[name]

    def off(self: Optimizer, parameters: Any, gradients: Any, state: Any) -> Any:
        moved, state = kind.moved(self, parameters, gradients, state)
        return moved * (1.0 + 1e-11), state

    monkeypatch.setitem(OPTIMIZERS, name, type(kind.__name__, (kind,), {"moved": off}))
    with pytest.raises(AssertionError):
        check_optimizer(name)


# Schedules

Scheduler = Callable[[Any], Any]


def theirs(name: str, *arguments: Any, **options: Any) -> Scheduler:
    """What makes a scheduler of PyTorch for an optimizer."""
    return lambda optimizer: getattr(torch.optim.lr_scheduler, name)(optimizer, *arguments, **options)


def one_after_the_other(first: Scheduler, second: Scheduler, epochs: int) -> Scheduler:
    return lambda o: torch.optim.lr_scheduler.SequentialLR(o, [first(o), second(o)], milestones=[epochs])


def cases() -> Iterator[tuple[Schedule, Scheduler]]:
    """Our schedules with theirs."""
    for size, gamma in itertools.product((1, 3, 50), (0.1, 0.7, 1.5)):
        yield StepSchedule(size, gamma=gamma), theirs("StepLR", size, gamma=gamma)
    for gamma in (0.9, 0.5, 1.1):
        yield ExponentialSchedule(gamma), theirs("ExponentialLR", gamma)
    for epochs, least in itertools.product((1, 7, 20, 33), (0.0, 0.01)):
        yield CosineSchedule(epochs, least=least), theirs("CosineAnnealingLR", epochs, eta_min=least)
    for epochs, start, end in itertools.product((1, 5, 30), (1.0 / 3.0, 0.01, 1.0), (1.0, 0.5, 0.0)):
        line: dict[str, Any] = {"start_factor": start, "end_factor": end}
        linear = theirs("LinearLR", total_iters=epochs, **line)
        yield LinearWarmUp(epochs, **line), linear
        for then, after in [
            (CosineSchedule(12), theirs("CosineAnnealingLR", 12)),
            (StepSchedule(4), theirs("StepLR", 4)),
        ]:
            yield LinearWarmUp(epochs, **line, then=then), one_after_the_other(linear, after, epochs)


def check_rates(schedule: Schedule, scheduler: Scheduler, base: float = 0.3) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
    stepper = scheduler(optimizer)
    for count in range(26):
        # They multiply the rate of the epoch before, which keeps its rounding errors as the rate goes to 0.
        expected = pytest.approx(optimizer.param_groups[0]["lr"], rel=TOLERANCE, abs=1e-15)
        assert schedule.learning_rate(base, count) == expected, (schedule, count)
        optimizer.step()
        stepper.step()


@pytest.fixture
def quiet() -> Iterator[None]:
    """PyTorch warns of its own use of an argument that it has deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.usefixtures("quiet")
def test_schedules_agree() -> None:
    for schedule, scheduler in cases():
        check_rates(schedule, scheduler)


@pytest.mark.usefixtures("quiet")
def test_a_schedule_that_is_off_by_little_is_caught() -> None:
    with pytest.raises(AssertionError, match="ExponentialSchedule"):
        check_rates(ExponentialSchedule(0.9 + 1e-11), theirs("ExponentialLR", 0.9))


CYCLES: dict[str, tuple[Any, ...]] = {
    "max_learning_rate": (0.1,), "total_steps": (STEPS, 37), "pct_start": (0.3, 0.11, 0.0),
    "anneal_strategy": ("cos", "linear"), "cycle_momentum": BOTH, "base_momentum": (0.85, 0.5),
    "max_momentum": (0.95,), "div_factor": (25.0, 4.0), "final_div_factor": (1e4, 10.0), "three_phase": BOTH,
}  # fmt: skip


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "adamw"])
@pytest.mark.usefixtures("quiet")
def test_one_cycle_agrees_with_its_momentum(name: str) -> None:
    rows = gradients(seed=3)
    for options in combinations(CYCLES):
        pair, schedule = Pair(name), OneCycle(**options)
        words = {"max_learning_rate": "max_lr"}
        scheduler = theirs("OneCycleLR", **{words.get(option, option): x for option, x in options.items()})(pair.theirs)
        for count, row in enumerate(rows):
            schedule.apply(pair.ours, 0.123, count)
            found, (group,) = pair.ours.options, pair.theirs.param_groups
            assert found["learning_rate"] == pytest.approx(group["lr"], rel=TOLERANCE, abs=0.0), (options, count)
            for option in ("momentum", "betas"):
                if option in found:
                    assert found[option] == pytest.approx(group[option], rel=TOLERANCE, abs=0.0), (options, count)
            pair.step(row)
            if count < STEPS - 1:
                scheduler.step()
        pair.check(options)


PLATEAUS: dict[str, tuple[Any, ...]] = {
    "mode": ("min", "max"), "factor": (0.1, 0.5), "patience": (0, 1, 3), "threshold": (1e-4, 0.1),
    "threshold_mode": ("rel", "abs"), "cooldown": (0, 2), "min_learning_rate": (0.0, 0.02), "eps": (1e-8, 0.05),
}  # fmt: skip


def test_reduce_on_plateau_agrees() -> None:
    generator = random.Random(4)
    falling = [2.0 / (1 + i // 4) + 0.1 * generator.random() for i in range(30)]
    series = [falling, [-x for x in falling], [generator.gauss(0.0, 1.0) for _ in range(30)], [1.0, math.nan] * 15]
    for options, metrics in itertools.product(combinations(PLATEAUS), series):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
        words = {"min_learning_rate": "min_lr"}
        scheduler = theirs("ReduceLROnPlateau", **{words.get(option, option): x for option, x in options.items()})
        stepper, schedule = scheduler(optimizer), ReduceOnPlateau(**options)
        for count, metric in enumerate(metrics):
            expected = pytest.approx(optimizer.param_groups[0]["lr"], rel=TOLERANCE, abs=0.0)
            assert schedule.learning_rate(0.3, count, metrics[:count]) == expected, (options, count)
            stepper.step(metric)


@pytest.mark.usefixtures("quiet")
def test_defaults_of_the_schedules_are_theirs() -> None:
    check_rates(StepSchedule(3), theirs("StepLR", 3))
    check_rates(CosineSchedule(30), theirs("CosineAnnealingLR", 30))
    check_rates(LinearWarmUp(), theirs("LinearLR"))
    check_rates(OneCycle(0.1, 30), theirs("OneCycleLR", 0.1, 30, cycle_momentum=False))
    plateau = theirs("ReduceLROnPlateau")(torch.optim.SGD([torch.zeros(1, requires_grad=True)]))
    ours = ReduceOnPlateau().options
    for name in ("mode", "patience", "threshold", "threshold_mode", "cooldown", "eps", "factor"):
        assert ours[name] == getattr(plateau, name)
    assert [ours["min_learning_rate"]] == plateau.min_lrs


def test_every_schedule_is_compared() -> None:
    assert {type(schedule) for schedule, _ in cases()} | {OneCycle, ReduceOnPlateau} == set(SCHEDULES.values())
    assert set(CYCLES) == set(OneCycle(0.1, 2).options) - {"name"}
    assert set(PLATEAUS) == set(ReduceOnPlateau().options) - {"name"}


# Clipping


def with_gradients(row: list[float]) -> tuple[list[Value], list[Any]]:
    """The same parameters, ours and theirs; the last has no gradient."""
    values = [parameter(x) for x in START]
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in START]
    for value, tensor, gradient in zip(values[:-1], tensors[:-1], row[:-1], strict=True):
        value.grad, tensor.grad = gradient, torch.tensor(gradient, dtype=torch.float64)
    return values, tensors


def check_gradients(values: list[Value], tensors: list[Any]) -> None:
    expected = [tensor.grad.item() for tensor in tensors[:-1]]
    assert [value.grad for value in values[:-1]] == pytest.approx(expected, rel=TOLERANCE, abs=0.0)
    assert not values[-1].has_grad


@pytest.mark.parametrize("limit", [0.0, 1e-3, 1.0, 100.0])
def test_clipping_by_value_agrees(limit: float) -> None:
    for row in gradients(seed=5):
        values, tensors = with_gradients(row)
        clip_gradient_value(values, limit)
        torch.nn.utils.clip_grad_value_(tensors, limit)
        check_gradients(values, tensors)


@pytest.mark.parametrize("norm", [0.5, 1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("limit", [0.0, 1e-3, 1.0, 100.0])
def test_clipping_by_norm_agrees(limit: float, norm: float) -> None:
    for row in gradients(seed=5):
        values, tensors = with_gradients(row)
        before = torch.nn.utils.clip_grad_norm_(tensors, limit, norm).item()
        assert clip_gradient_norm(values, limit, norm=norm) == pytest.approx(before, rel=TOLERANCE, abs=0.0)
        check_gradients(values, tensors)


def test_weight_decay_is_half_the_l2_penalty() -> None:
    pair, decay = Pair("sgd", learning_rate=0.1), 0.3
    decayed = [parameter(x) for x in START]
    optimizer = SGD(decayed, learning_rate=0.1, weight_decay=decay)
    for row in gradients(seed=6):
        for value, gradient in zip(decayed, row, strict=True):
            value.grad = gradient
        optimizer.step()
        pair.theirs.zero_grad()
        squares = sum(tensor * tensor for tensor in pair.tensors)
        (sum(g * t for g, t in zip(row, pair.tensors, strict=True)) + decay / 2.0 * squares).backward()
        pair.theirs.step()
    assert [v.data for v in decayed] == pytest.approx([t.item() for t in pair.tensors], rel=TOLERANCE, abs=0.0)
