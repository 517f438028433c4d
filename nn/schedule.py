"""``Schedule``: what all schedules share, and the two curves they follow. The schedules are in ``nn.schedules``."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from nn.checks import finite_number, whole_number
from nn.optimizer import Optimizer

__all__ = ["Schedule", "cosine", "line"]


@dataclass(frozen=True)
class Schedule:
    """Base class of the schedules: a learning rate for every epoch, or for every iteration.

    A subclass is a frozen dataclass that says in `rate` what the learning rate is.

    Attributes:
        name: the name in ``SCHEDULES``.
        every: what is counted, ``"epoch"`` or ``"iteration"``.
    """

    name: ClassVar[str] = ""
    every: ClassVar[str] = "epoch"

    def learning_rate(self, base: float, count: int, metrics: Sequence[float] = ()) -> float:
        """The learning rate after `count` epochs (or iterations).

        Args:
            base: the learning rate that the optimizer was given.
            count: how many are done, 0 at the start.
            metrics: the number watched after each of them, such as the validation loss; only
                `ReduceOnPlateau` reads it.

        Raises:
            ValueError: for a base or a count below 0, or a learning rate beyond the range of a float.
        """
        base = finite_number("the base learning rate", base, least=0.0)
        count = whole_number(f"the count of {self.every}s", count, 0)
        try:
            rate = self.rate(base, count, metrics)
        except OverflowError:
            rate = math.inf
        return finite_number(f"the learning rate after {count} {self.every}s of {self!r:.60}", rate, least=0.0)

    def rate(self, base: float, count: int, metrics: Sequence[float]) -> float:
        """The formula itself, for arguments that were checked."""
        raise NotImplementedError(f"{type(self).__name__} needs a method rate(base, count, metrics)")

    def apply(self, optimizer: Optimizer, base: float, count: int, metrics: Sequence[float] = ()) -> None:
        """Set the learning rate of an optimizer to that after `count` epochs (or iterations)."""
        optimizer.learning_rate = self.learning_rate(base, count, metrics)

    @property
    def options(self) -> dict[str, Any]:
        """The name and every option, in what JSON can hold; ``schedule_from(options)`` is the same schedule."""
        now = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {name: value.options if isinstance(value, Schedule) else value for name, value in now.items()}
        return {"name": self.name, **plain}

    def _check(self, name: str, check: Callable[..., Any], *args: Any, **bounds: Any) -> None:
        """Put a checked option in the place of the one given."""
        object.__setattr__(self, name, check(f"{name} of {type(self).__name__}", getattr(self, name), *args, **bounds))


def cosine(start: float, end: float, share: float) -> float:
    """Half a wave of the cosine from `start` to `end`, at a share of the way from 0 to 1."""
    return end + (start - end) * (1.0 + math.cos(math.pi * share)) / 2.0


def line(start: float, end: float, share: float) -> float:
    """A straight line from `start` to `end`, at a share of the way from 0 to 1."""
    return start + (end - start) * share
