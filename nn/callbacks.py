"""What a trainer calls while it trains, and when it stops early."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from nn.checks import finite_number, whole_number
from nn.history import History

__all__ = ["Callback", "EarlyStopping", "list_of_callbacks"]


class Callback:
    """Base class of what wants to know how training goes; a subclass writes the methods that it needs.

    A plain function of the trainer is called as `on_epoch_end` is. To stop training, call ``trainer.stop("why")``.

    Attributes:
        sees_model: False says of a subclass that it neither reads nor changes model and optimizer, so that a compiled
            run need not write its numbers into the Values before it is called.

    Raises:
        TypeError: where a subclass has another method that begins with ``on_``, which nobody would call.

    Example:
        >>> class Tell(Callback):
        ...     def on_epoch_end(self, trainer):
        ...         print(f"epoch {len(trainer.history)}")
    """

    sees_model: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        hooks = [name for name in vars(Callback) if name.startswith("on_")]
        unknown = [name for name in vars(cls) if name.startswith("on_") and name not in hooks]
        if unknown:
            raise TypeError(f"{cls.__name__}.{unknown[0]} would never be called; a Callback has {', '.join(hooks)}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def on_fit_start(self, trainer: Any) -> None:
        """Called before the first epoch of a call of ``fit``."""

    def on_iteration_end(self, trainer: Any) -> None:
        """Called when the optimizer has moved the parameters."""

    def on_epoch_end(self, trainer: Any) -> None:
        """Called when the epoch stands in ``trainer.history``, and before it is saved."""

    def on_fit_end(self, trainer: Any) -> None:
        """Called after the last epoch, also of a training that was stopped early, but not after an error."""


class EachEpoch(Callback):
    """A plain function as a callback."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def on_epoch_end(self, trainer: Any) -> None:
        self.function(trainer)


def list_of_callbacks(callbacks: Any) -> list[Callback]:
    """Return callbacks, and functions as callbacks, or say what is none."""
    if isinstance(callbacks, Callback) or not hasattr(callbacks, "__iter__"):
        raise TypeError(f"callbacks is {callbacks!r:.60}, but must be a list of them: write [callback]")
    found = list(callbacks)
    for one in found:
        if not (isinstance(one, Callback) or callable(one)) or isinstance(one, type):
            raise TypeError(f"{one!r:.60} is no callback; give an instance of Callback, or a function of the trainer")
    return [one if isinstance(one, Callback) else EachEpoch(one) for one in found]


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Stop when a number of the history has not become better for some epochs (Prechelt 1998).

    It looks at nothing but the history, so that a resumed training stops where an uninterrupted one does.

    Args:
        patience: how many epochs in a row may pass without a better number, 1 or more.
        watch: a column of the history; ``validation_loss`` if None and there is one, else ``loss``.
        least_change: how much better a number must be than the best to count, 0 or more.
        mode: ``"min"`` if smaller is better, ``"max"`` if larger is.

    Example:
        >>> history = History()
        >>> for loss in (0.5, 0.4, 0.41, 0.42):
        ...     history.add_epoch({"loss": loss})
        >>> EarlyStopping(patience=2).reason(history)
        'loss has not become better than 0.4, of epoch 2, for 2 epochs'
    """

    patience: int = 10
    watch: str | None = None
    least_change: float = 0.0
    mode: str = "min"

    @classmethod
    def of(cls, given: Any) -> "EarlyStopping | None":
        """Make one of a patience; None and what is one already stay."""
        return given if isinstance(given, EarlyStopping | None) else cls(given)

    def __post_init__(self) -> None:
        whole_number("the patience of EarlyStopping", self.patience, 1)
        finite_number("least_change", self.least_change, least=0.0)
        if self.mode not in ("min", "max"):
            raise ValueError(f"the mode of EarlyStopping is 'min' or 'max', got {self.mode!r:.60}")
        if not isinstance(self.watch, str | None):
            raise TypeError(f"EarlyStopping watches a column of the history by its name, got {self.watch!r:.60}")

    def options(self) -> dict[str, Any]:
        """The options by name, to make the same again."""
        return asdict(self)

    def reason(self, history: History) -> str | None:
        """Say why training should stop now; None if it should go on."""
        column = self.watch or ("validation_loss" if "validation_loss" in history else "loss")
        if not len(history):
            return None
        sign = 1.0 if self.mode == "min" else -1.0
        best, best_epoch = math.inf, 0
        for epoch, number in enumerate(history[column], 1):
            if sign * number < best - self.least_change * (best < math.inf):
                best, best_epoch = sign * number, epoch
        if len(history) - best_epoch < self.patience:
            return None
        return (
            f"{column} has not become better than {sign * best:.4g}, of epoch {best_epoch}, "
            f"for {len(history) - best_epoch} epochs"
        )
