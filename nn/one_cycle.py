"""The one-cycle schedule: the learning rate goes up once and comes down, and momentum does the opposite."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from nn.checks import choice, finite_number, true_or_false, whole_number
from nn.optimizer import Optimizer
from nn.schedule import Schedule, cosine, line

__all__ = ["OneCycle"]

_CURVES = {"cos": cosine, "linear": line}


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up to a large rate and down to a tiny one, over all iterations (Smith & Topin 2018), as PyTorch's ``OneCycleLR``.

    From ``max_learning_rate / div_factor`` up to the maximum, then down to ``1 / final_div_factor`` of the start; the
    rate the optimizer was given plays no part. Momentum goes the other way: it is `max_momentum` where the rate is low.

    Args:
        max_learning_rate: the largest rate.
        total_steps: how many iterations the training has.
        pct_start: the share of them in which the rate goes up, from 0 to 1.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: set the optimizer's momentum too, or the first of its betas.
        base_momentum: the momentum where the rate is largest.
        max_momentum: the momentum where the rate is low; below 1 for betas.
        div_factor: the maximum divided by the first rate, above 0.
        final_div_factor: the first rate divided by the last, above 0.
        three_phase: come down to the first rate in as many iterations as it took to go up, and only then to the last.

    Raises:
        ValueError, TypeError: as `StepSchedule`.

    Example:
        >>> cycle = OneCycle(1.0, 11, pct_start=0.5, anneal_strategy="linear", div_factor=10, final_div_factor=1)
        >>> [round(cycle.learning_rate(0.0, iteration), 2) for iteration in range(11)]
        [0.1, 0.3, 0.5, 0.7, 0.9, 0.92, 0.75, 0.59, 0.43, 0.26, 0.1]
    """

    name: ClassVar[str] = "one_cycle"
    every: ClassVar[str] = "iteration"
    max_learning_rate: float
    total_steps: int
    _: KW_ONLY
    pct_start: float = 0.3
    anneal_strategy: str = "cos"
    cycle_momentum: bool = True
    base_momentum: float = 0.85
    max_momentum: float = 0.95
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    three_phase: bool = False

    def __post_init__(self) -> None:
        self._check("max_learning_rate", finite_number, least=0.0)
        self._check("total_steps", whole_number, 1)
        self._check("pct_start", finite_number, least=0.0, most=1.0)
        choice("anneal_strategy", self.anneal_strategy, _CURVES, alternative="")
        for name in ("cycle_momentum", "three_phase"):
            self._check(name, true_or_false)
        for name in ("base_momentum", "max_momentum"):
            self._check(name, finite_number, least=0.0)
        for name in ("div_factor", "final_div_factor"):
            self._check(name, finite_number, above=0.0)

    def rate(self, base: float, count: int, metrics: Sequence[float]) -> float:
        first = self.max_learning_rate / self.div_factor
        return self._between(count, low=first, high=self.max_learning_rate, last=first / self.final_div_factor)

    def momentum(self, count: int) -> float:
        """The momentum, or first beta, after `count` iterations."""
        count = whole_number("the count of iterations", count, 0)
        return self._between(count, low=self.max_momentum, high=self.base_momentum, last=self.max_momentum)

    def apply(self, optimizer: Optimizer, base: float, count: int, metrics: Sequence[float] = ()) -> None:
        """Set the learning rate of an optimizer, and unless `cycle_momentum` is False its momentum or first beta."""
        learning_rate = self.learning_rate(base, count, metrics)
        if self.cycle_momentum:
            if hasattr(optimizer, "betas"):
                optimizer.betas = (self.momentum(count), optimizer.betas[1])
            elif hasattr(optimizer, "momentum"):
                optimizer.momentum = self.momentum(count)
            else:
                has_none = f"{type(optimizer).__name__} has neither momentum nor betas"
                raise ValueError(f"{has_none}; a one-cycle schedule for it needs cycle_momentum=False")
        optimizer.learning_rate = learning_rate

    def _between(self, count: int, *, low: float, high: float, last: float) -> float:
        if count > self.total_steps:
            raise ValueError(f"a one-cycle schedule of total_steps={self.total_steps} has no iteration {count}")
        count = min(count, self.total_steps - 1)  # the count after the last one sets the rate of none
        up, end = self.pct_start * self.total_steps - 1.0, self.total_steps - 1.0
        phases = [(up, low, high), (end, high, last)]
        if self.three_phase:
            phases[1:] = [(2.0 * up, high, low), (end, low, last)]
        start = 0.0
        while count > phases[0][0]:
            start, *_ = phases.pop(0)
        stop, before, after = phases[0]
        share = (count - start) / (stop - start) if stop > start else 1.0
        return _CURVES[self.anneal_strategy](before, after, share)
