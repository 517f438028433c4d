"""Schedules: how the learning rate changes in the course of training.

A schedule has no state: the rate is a function of the rate at the start and of how much is done, so that training goes
on after a stop as if there had been none. Definitions and defaults are PyTorch's, in closed form
(https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate); a test compares them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, ClassVar

from autograd_mini.printing import Listing
from nn.checks import choice, finite_number, whole_number
from nn.one_cycle import OneCycle
from nn.plateau import ReduceOnPlateau
from nn.schedule import Schedule, cosine

__all__ = [
    "SCHEDULES",
    "CosineSchedule",
    "ExponentialSchedule",
    "LinearWarmUp",
    "StepSchedule",
    "schedule_from",
]


@dataclass(frozen=True)
class StepSchedule(Schedule):
    """``base · gamma^⌊epochs / step_size⌋``, as PyTorch's ``StepLR``.

    Args:
        step_size: after how many epochs the rate falls, again and again.
        gamma: what it is multiplied by.

    Raises:
        ValueError: for an option out of range.
        TypeError: for an option of the wrong type.

    Example:
        >>> [StepSchedule(2).learning_rate(1.0, epoch) for epoch in range(5)]
        [1.0, 1.0, 0.1, 0.1, 0.010000000000000002]
    """

    name: ClassVar[str] = "step"
    step_size: int
    _: KW_ONLY
    gamma: float = 0.1

    def __post_init__(self) -> None:
        self._check("step_size", whole_number, 1)
        self._check("gamma", finite_number, least=0.0)

    def rate(self, base: float, count: int, metrics: Sequence[float]) -> float:
        return base * self.gamma ** (count // self.step_size)


@dataclass(frozen=True)
class ExponentialSchedule(Schedule):
    """``base · gamma^epochs``, as PyTorch's ``ExponentialLR``.

    Args:
        gamma: what the rate is multiplied by after every epoch.

    Raises:
        ValueError, TypeError: as `StepSchedule`.

    Example:
        >>> [ExponentialSchedule(0.5).learning_rate(1.0, epoch) for epoch in range(4)]
        [1.0, 0.5, 0.25, 0.125]
    """

    name: ClassVar[str] = "exponential"
    gamma: float

    def __post_init__(self) -> None:
        self._check("gamma", finite_number, least=0.0)

    def rate(self, base: float, count: int, metrics: Sequence[float]) -> float:
        return base * self.gamma**count


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """``least + (base - least) · (1 + cos(π·epoch/epochs)) / 2`` (Loshchilov & Hutter 2017, eq. 5, without restarts).

    As PyTorch's ``CosineAnnealingLR``: after `epochs` the rate would rise again.

    Args:
        epochs: after how many epochs the rate is at its lowest.
        least: the lowest rate, at least 0.

    Raises:
        ValueError, TypeError: as `StepSchedule`.

    Example:
        >>> [round(CosineSchedule(4).learning_rate(1.0, epoch), 3) for epoch in range(5)]
        [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    name: ClassVar[str] = "cosine"
    epochs: int
    _: KW_ONLY
    least: float = 0.0

    def __post_init__(self) -> None:
        self._check("epochs", whole_number, 1)
        self._check("least", finite_number, least=0.0)

    def rate(self, base: float, count: int, metrics: Sequence[float]) -> float:
        return cosine(base, self.least, count / self.epochs)


@dataclass(frozen=True)
class LinearWarmUp(Schedule):
    """A straight line from ``base · start_factor`` to ``base · end_factor``, and after it another schedule.

    As PyTorch's ``LinearLR``; with `then`, as its ``SequentialLR`` of the two.

    Args:
        epochs: how long the line is.
        start_factor: the factor of the first epoch, from 0 to 1; PyTorch's must be above 0.
        end_factor: the factor after `epochs`, from 0 to 1.
        then: a schedule of epochs that begins where the line ends, its count at 0 and with the base rate; None stays.

    Raises:
        ValueError: for an option out of range, or a `then` that counts iterations.
        TypeError: for an option of the wrong type.

    Example:
        >>> schedule = LinearWarmUp(2, start_factor=0.5, then=ExponentialSchedule(0.5))
        >>> [schedule.learning_rate(1.0, epoch) for epoch in range(5)]
        [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    name: ClassVar[str] = "warm_up"
    epochs: int = 5
    _: KW_ONLY
    start_factor: float = 1.0 / 3.0
    end_factor: float = 1.0
    then: Schedule | None = None

    def __post_init__(self) -> None:
        self._check("epochs", whole_number, 1)
        self._check("start_factor", finite_number, least=0.0, most=1.0)
        self._check("end_factor", finite_number, least=0.0, most=1.0)
        if not isinstance(self.then, Schedule | None):
            raise TypeError(f"then of LinearWarmUp is {self.then!r:.60}, but must be a schedule or None")
        if self.then is not None and self.then.every != self.every:
            raise ValueError(f"a warm-up of epochs cannot go on with {self.then!r:.60}, which counts iterations")

    def rate(self, base: float, count: int, metrics: Sequence[float]) -> float:
        if self.then is not None and count >= self.epochs:
            return self.then.rate(base, count - self.epochs, metrics[self.epochs :])
        share = min(count, self.epochs) / self.epochs
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


SCHEDULES: dict[str, type[Schedule]] = Listing(
    step=StepSchedule,
    exponential=ExponentialSchedule,
    cosine=CosineSchedule,
    warm_up=LinearWarmUp,
    one_cycle=OneCycle,
    plateau=ReduceOnPlateau,
)
"""Every schedule by its name."""


def schedule_from(description: Mapping[str, Any]) -> Schedule:
    """Make a schedule from its ``.options``: a dict with its name and its options.

    Raises:
        ValueError: for a name that is not in ``SCHEDULES`` or an option that the schedule does not have.
        TypeError: for anything but a dict, or if an option without a default is missing.

    Example:
        >>> schedule_from({"name": "step", "step_size": 3})
        StepSchedule(step_size=3, gamma=0.1)
    """
    if not isinstance(description, Mapping):
        raise TypeError(f"a schedule is described by a dict such as {{'name': 'step', …}}, got {description!r:.60}")
    options = dict(description)
    kind = choice("schedule", options.pop("name", None), SCHEDULES, alternative="")
    legal = [field.name for field in fields(kind)]
    for name in options:
        if name not in legal:
            raise ValueError(f"{kind.__name__} has no option {name!r:.60}; it has {', '.join(legal)}")
    if isinstance(options.get("then"), Mapping):
        options["then"] = schedule_from(options["then"])
    return kind(**options)
