"""The trainer of a new run, put together from the options of the command line."""

import math
from typing import Any

from autograd_mini.shell.run_notes import RunNotes
from autograd_mini.shell.run_options import LOSSES_OF, RunOptions
from nn.layers import MLP
from nn.one_cycle import OneCycle
from nn.optimizer import Optimizer
from nn.optimizers import OPTIMIZERS
from nn.plateau import ReduceOnPlateau
from nn.schedule import Schedule
from nn.schedules import CosineSchedule, ExponentialSchedule, LinearWarmUp, StepSchedule
from nn.trainer import Trainer

__all__ = ["built", "fixed_length", "loss_for"]

_SATURATING = ("sigmoid", "tanh", "linear")


def built(told: RunOptions, notes: RunNotes, rows: int, *, progress: bool) -> Trainer:
    """Build model, optimizer, schedule and trainer.

    Args:
        told: the options.
        notes: of the data.
        rows: how many there are to learn from.
        progress: show a progress bar.

    Raises:
        ValueError: for a loss that does not go with the data.
    """
    loss = loss_for(told.loss, notes.classes)
    model = MLP(
        notes.width,
        [*told.layers, 1 if loss == "binary_cross_entropy" else notes.outputs],
        activation=told.activation,
        initializer="xavier" if told.activation in _SATURATING else "he",
        seed=told.seed,
        batch_norm=told.batch_norm,
        dropout=told.dropout,
    )
    return Trainer(
        model,
        loss=loss,
        optimizer=_optimizer(told, model),
        schedule=_schedule(told, rows),
        l1=told.l1,
        l2=told.l2,
        clip_norm=told.clip_norm,
        clip_value=told.clip_value,
        early_stopping=told.early_stopping,
        engine=told.engine,
        seed=told.seed,
        save=told.save,
        save_every=told.save_every,
        notes=notes.as_dict(),
        progress=progress,
    )


def loss_for(name: str, classes: int | None) -> str:
    """Find the loss that goes with classes, or with quantities if there are none.

    Example:
        >>> loss_for("auto", 10), loss_for("auto", None)
        ('cross_entropy', 'mean_squared_error')
    """
    kind = "quantities" if classes is None else "classes"
    legal = LOSSES_OF[kind] if classes is None or classes == 2 else LOSSES_OF[kind][:1]
    if name not in ("auto", *legal):
        what = kind if classes is None else f"{classes} classes"
        raise ValueError(f"--loss {name} does not go with {what}: take {' or '.join(legal)}")
    return legal[0] if name == "auto" else name


def fixed_length(schedule: dict[str, Any] | None) -> bool:
    """Say whether a schedule, by its options, is over when the epochs are that it was made for."""
    return schedule is not None and schedule["name"] in ("cosine", "warm_up", "one_cycle")


def _optimizer(told: RunOptions, model: MLP) -> Optimizer:
    options: dict[str, Any] = {"learning_rate": told.rate}
    if told.momentum:
        options["momentum"] = told.momentum
    if told.weight_decay is not None:
        options["weight_decay"] = told.weight_decay
    return OPTIMIZERS[told.optimizer](model.parameters(), **options)


def _schedule(told: RunOptions, rows: int) -> Schedule | None:
    epochs = told.epochs
    if told.schedule == "step":
        return StepSchedule(math.ceil(epochs / 3))
    if told.schedule == "exponential":
        return ExponentialSchedule(0.01 ** (1.0 / epochs))
    if told.schedule == "cosine":
        return CosineSchedule(epochs)
    if told.schedule == "warm_up":
        rise = math.ceil(epochs / 10)
        return LinearWarmUp(rise, then=CosineSchedule(max(1, epochs - rise)))
    if told.schedule == "one_cycle":
        batches = rows // told.batch_size if told.drop_last else math.ceil(rows / told.batch_size)
        cycles = told.optimizer in ("adam", "adamw") or bool(told.momentum)
        return OneCycle(told.rate, epochs * max(1, batches), cycle_momentum=cycles)
    return ReduceOnPlateau(patience=5) if told.schedule == "plateau" else None
