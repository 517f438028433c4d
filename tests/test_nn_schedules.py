"""Schedules: rates by hand, no state, descriptions that remake them. ``test_peers_nn.py`` compares with PyTorch."""

import dataclasses
import inspect
import json
import math

import pytest
from hypothesis import given, strategies as st

from autograd_mini import parameter
from nn import (
    SCHEDULES,
    SGD,
    Adagrad,
    Adam,
    CosineSchedule,
    ExponentialSchedule,
    LinearWarmUp,
    OneCycle,
    ReduceOnPlateau,
    RMSProp,
    Schedule,
    StepSchedule,
    schedule_from,
)

SOME: list[Schedule] = [
    StepSchedule(3),
    ExponentialSchedule(0.9),
    CosineSchedule(20, least=0.001),
    LinearWarmUp(),
    LinearWarmUp(4, start_factor=0.0, then=StepSchedule(5, gamma=0.5)),
    LinearWarmUp(2, then=LinearWarmUp(3, then=ReduceOnPlateau(patience=0))),
    OneCycle(0.5, 30),
    OneCycle(0.5, 30, three_phase=True, anneal_strategy="linear", cycle_momentum=False),
    ReduceOnPlateau(mode="max", patience=1, cooldown=1),
]
EVERY = pytest.mark.parametrize("schedule", SOME, ids=repr)
METRICS = [1.0, 0.5, 0.5, 0.6, 0.7, 0.2] * 5


def rates(schedule: Schedule, count: int, base: float = 1.0) -> list[float]:
    return [schedule.learning_rate(base, i, METRICS[:i]) for i in range(count)]


def test_every_schedule_is_tried() -> None:
    assert {type(schedule) for schedule in SOME} == set(SCHEDULES.values())
    assert [kind.name for kind in SCHEDULES.values()] == list(SCHEDULES)


@EVERY
def test_a_description_in_json_makes_the_same_schedule(schedule: Schedule) -> None:
    again = schedule_from(json.loads(json.dumps(schedule.options)))
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert again.options == schedule.options
    assert SCHEDULES[again.options["name"]] is type(schedule)


@EVERY
def test_a_schedule_cannot_be_changed(schedule: Schedule) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedule.gamma = 0.5  # type: ignore[attr-defined]


@EVERY
def test_the_rate_depends_on_nothing_but_the_count(schedule: Schedule) -> None:
    forwards = rates(schedule, 30)
    backwards = [schedule.learning_rate(1.0, i, METRICS) for i in reversed(range(30))]
    assert forwards == backwards[::-1]
    assert all(type(rate) is float and 0.0 <= rate <= 1.0 for rate in forwards)


@EVERY
def test_apply_sets_the_rate(schedule: Schedule) -> None:
    optimizer = SGD([parameter(1.0)], learning_rate=0.5)
    for count in range(30):
        schedule.apply(optimizer, 0.25, count, METRICS[:count])
        assert optimizer.learning_rate == schedule.learning_rate(0.25, count, METRICS[:count])


@pytest.mark.parametrize("kind", SCHEDULES.values())
def test_only_what_has_no_default_may_be_given_by_position(kind: type[Schedule]) -> None:
    for one in inspect.signature(kind).parameters.values():
        positional = one.kind is one.POSITIONAL_OR_KEYWORD
        assert positional == (one.default is one.empty or one.name == "epochs")


# By hand


def test_steps() -> None:
    assert rates(StepSchedule(2, gamma=0.5), 6) == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]


def test_a_cosine_from_top_to_bottom() -> None:
    schedule = CosineSchedule(2, least=0.5)
    assert rates(schedule, 3) == [1.0, pytest.approx(0.75), 0.5]


def test_a_warm_up_stays_where_it_ends() -> None:
    assert rates(LinearWarmUp(4, start_factor=0.0), 7) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_after_a_warm_up_the_next_schedule_begins_at_its_beginning() -> None:
    schedule = LinearWarmUp(2, start_factor=0.5, then=ReduceOnPlateau(patience=0, factor=0.5))
    metrics = [9.0, 9.0, 5.0, 5.0, 4.0, 4.0]  # what was watched during the warm-up does not count
    found = [schedule.learning_rate(1.0, count, metrics[:count]) for count in range(7)]
    assert found == [0.5, 0.75, 1.0, 1.0, 0.5, 0.5, 0.25]


@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("anneal_strategy", ["cos", "linear"])
def test_one_cycle_goes_up_and_down_and_its_momentum_down_and_up(three_phase: bool, anneal_strategy: str) -> None:
    cycle = OneCycle(2.0, 21, pct_start=8.0 / 21.0, three_phase=three_phase, anneal_strategy=anneal_strategy)
    found, momenta = rates(cycle, 21), [cycle.momentum(i) for i in range(21)]
    assert found[0] == pytest.approx(2.0 / 25.0, rel=1e-12)
    assert found[7] == max(found) == pytest.approx(2.0, rel=1e-12)
    assert found[:8] == sorted(found[:8])
    assert found[7:] == sorted(found[7:], reverse=True)
    assert found[20] == pytest.approx(2.0 / 25.0 / 1e4, rel=1e-12)
    assert (momenta[0], momenta[7], momenta[20]) == pytest.approx((0.95, 0.85, 0.95), rel=1e-12)
    if three_phase:
        assert found[14] == pytest.approx(found[0], rel=1e-12)
        assert momenta[14:] == pytest.approx([0.95] * 7, rel=1e-12)


def test_one_cycle_after_its_last_iteration_is_at_its_end_and_then_over() -> None:
    cycle = OneCycle(1.0, 10)
    assert cycle.learning_rate(1.0, 10) == cycle.learning_rate(1.0, 9)
    with pytest.raises(ValueError, match="a one-cycle schedule of total_steps=10 has no iteration 11"):
        cycle.learning_rate(1.0, 11)


@given(st.integers(1, 40), st.floats(0.0, 1.0), st.booleans(), st.sampled_from(["cos", "linear"]))
def test_one_cycle_stays_between_its_ends(steps: int, share: float, three_phase: bool, anneal: str) -> None:
    cycle = OneCycle(1.0, steps, pct_start=share, three_phase=three_phase, anneal_strategy=anneal)
    for i in range(steps + 1):
        assert 1.0 / 25.0 / 1e4 * (1.0 - 1e-9) <= cycle.learning_rate(0.0, i) <= 1.0 + 1e-12
        assert 0.85 - 1e-12 <= cycle.momentum(i) <= 0.95 + 1e-12


def test_one_cycle_sets_the_momentum_or_the_first_beta() -> None:
    cycle = OneCycle(1.0, 10)
    sgd, rmsprop, adam = SGD([parameter(1.0)]), RMSProp([parameter(1.0)]), Adam([parameter(1.0)], betas=(0.5, 0.75))
    for optimizer in (sgd, rmsprop, adam):
        cycle.apply(optimizer, 0.1, 0)
    assert [sgd.momentum, rmsprop.momentum, *adam.betas] == pytest.approx([0.95, 0.95, 0.95, 0.75], rel=1e-12)
    OneCycle(1.0, 10, cycle_momentum=False).apply(adagrad := Adagrad([parameter(1.0)]), 0.1, 0)
    assert adagrad.learning_rate == pytest.approx(0.04, rel=1e-12)


def test_a_schedule_that_does_not_fit_the_optimizer_changes_nothing() -> None:
    optimizer, bad = Adagrad([parameter(1.0)]), Adam([parameter(1.0)])
    with pytest.raises(ValueError, match=r"Adagrad has neither momentum nor betas; .* cycle_momentum=False"):
        OneCycle(1.0, 10).apply(optimizer, 0.1, 0)
    with pytest.raises(ValueError, match=r"beta 1 is 1\.5"):
        OneCycle(1.0, 10, max_momentum=1.5).apply(bad, 0.1, 0)
    assert optimizer.learning_rate == 1e-2
    assert bad.options == Adam([parameter(1.0)]).options


def test_plateau_waits_as_long_as_its_patience() -> None:
    schedule = ReduceOnPlateau(patience=2, factor=0.5)
    metrics = [1.0] * 10
    found = [schedule.learning_rate(1.0, count, metrics) for count in range(11)]
    assert found == [1.0] * 4 + [0.5] * 3 + [0.25] * 3 + [0.125]


def test_plateau_cools_down_and_stops_at_its_least() -> None:
    schedule = ReduceOnPlateau(patience=0, factor=0.5, cooldown=2, min_learning_rate=0.3)
    found = [schedule.learning_rate(1.0, count, [1.0] * 12) for count in range(12)]
    assert found == [1.0, 1.0, 0.5, 0.5, 0.5] + [0.3] * 7


def test_a_nan_is_no_improvement() -> None:
    schedule = ReduceOnPlateau(patience=0, factor=0.5)
    assert schedule.learning_rate(1.0, 3, [math.nan, 1.0, math.nan]) == 0.25
