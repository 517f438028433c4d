"""Reduce on plateau: the learning rate falls when the watched number has stopped improving."""

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from nn.checks import choice, finite_number, whole_number
from nn.schedule import Schedule

__all__ = ["ReduceOnPlateau"]

_SIGNS = {"min": 1.0, "max": -1.0}
_THRESHOLDS = {"rel": "a share of the best", "abs": "a difference from the best"}


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """The rate times `factor` when the watched number has not improved for a while, as ``ReduceLROnPlateau``.

    Args:
        mode: ``"min"`` if a smaller number is better, ``"max"`` if a larger one is.
        factor: what the rate is multiplied by, from 0 to below 1.
        patience: how many epochs without improvement to let pass; one more reduces the rate.
        threshold: by how much a number must be better than the best, at least 0.
        threshold_mode: ``"rel"`` for a share of the best, ``"abs"`` for a difference.
        cooldown: how many epochs to wait after a reduction before counting again.
        min_learning_rate: where to stop.
        eps: a smaller change of the rate is left out.

    Raises:
        ValueError, TypeError: as `StepSchedule`.

    Example:
        >>> schedule = ReduceOnPlateau(patience=1)
        >>> losses = [5.0, 4.0, 4.0, 4.0, 3.0]
        >>> [schedule.learning_rate(1.0, epoch, losses) for epoch in range(6)]
        [1.0, 1.0, 1.0, 1.0, 0.1, 0.1]
    """

    name: ClassVar[str] = "plateau"
    _: KW_ONLY
    mode: str = "min"
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: str = "rel"
    cooldown: int = 0
    min_learning_rate: float = 0.0
    eps: float = 1e-8

    def __post_init__(self) -> None:
        choice("mode", self.mode, _SIGNS, alternative="")
        choice("threshold_mode", self.threshold_mode, _THRESHOLDS, alternative="")
        self._check("factor", finite_number, least=0.0, below=1.0)
        for name in ("patience", "cooldown"):
            self._check(name, whole_number, 0)
        for name in ("threshold", "min_learning_rate", "eps"):
            self._check(name, finite_number, least=0.0)

    def rate(self, base: float, count: int, metrics: Sequence[float]) -> float:
        if len(metrics) < count:
            raise ValueError(f"after {count} epochs a plateau schedule needs {count} metrics, got {len(metrics)}")
        rate, bad, waiting = base, 0, 0
        best = _SIGNS[self.mode] * math.inf
        for metric in metrics[:count]:
            better = self._is_better(metric, best)
            best, bad = (metric, 0) if better else (best, bad + 1)
            if waiting:
                waiting, bad = waiting - 1, 0
            if bad > self.patience:
                reduced = max(rate * self.factor, self.min_learning_rate)
                rate = reduced if rate - reduced > self.eps else rate
                waiting, bad = self.cooldown, 0
        return rate

    def _is_better(self, metric: float, best: float) -> bool:
        sign = _SIGNS[self.mode]
        to_beat = best * (1.0 - sign * self.threshold) if self.threshold_mode == "rel" else best - sign * self.threshold
        return metric < to_beat if sign > 0.0 else metric > to_beat
