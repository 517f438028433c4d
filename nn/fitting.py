"""What a ``Trainer`` and its ``fit`` are given, checked before anything is changed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nn.batch_norm import BatchNorm
from nn.checkpoint.manifest import encoded
from nn.checks import true_or_false, whole_number
from nn.data import Dataset
from nn.history import Position
from nn.hyper_parameters import HyperParameters
from nn.metrics import Metric, metric_name
from nn.schedule import Schedule

__all__ = ["Fingerprints", "checked_metric", "checked_notes", "checked_schedule", "settled"]

Fingerprints = dict[str, Any]
"""Of the data sets by name: how many rows there are, and a digest of them; None where there is no such data."""

_ANEW = "to go on with something else, make a new Trainer of trainer.model"


def checked_schedule(schedule: Any) -> Schedule | None:
    """Return a schedule, or say what it should be."""
    if not isinstance(schedule, Schedule | None):
        raise TypeError(f"schedule is {schedule!r:.60}, but must be a Schedule such as StepSchedule(10), or None")
    return schedule


def checked_metric(metric: Any) -> Metric | None:
    """Return a metric, or say what it should be."""
    if not (metric is None or callable(metric)):
        raise TypeError(f"metric is {metric!r:.60}, but must be a function of outputs and targets, or None")
    found: Metric | None = metric
    return found


def checked_notes(notes: Any) -> dict[str, Any]:
    """Return notes as they will be read again, or say what JSON cannot hold."""
    if not isinstance(notes, Mapping | None):
        raise TypeError(f"notes is {notes!r:.60}, but must be a dict of what JSON can hold")
    found: dict[str, Any] = json.loads(encoded(notes or {}))
    return found


def settled(
    trainer: Any, train: Any, validation: Any, epochs: int | None, batch_size: int | None, drop_last: bool | None
) -> tuple[HyperParameters, Fingerprints]:
    """Return what training is told now, and what tells its data from other data.

    Raises:
        TypeError, ValueError: for what ``fit`` cannot be given.
    """
    for name, data in (("train", train), ("validation", validation)):
        if not isinstance(data, Dataset) and (data is not None or name == "train"):
            raise TypeError(f"{name} is a Dataset, such as Dataset(inputs, targets), got {data!r:.60}")
        if data is not None and not len(data):
            raise ValueError(f"the {name} data has no rows; give it at least one" + ", or None" * (name != "train"))
    before: HyperParameters = trainer.hyper_parameters
    if epochs is None and before.epochs is None:
        raise ValueError("fit needs to know how many epochs to train in all: fit(train, epochs=20)")
    told = replace(
        before,
        epochs=whole_number("epochs", before.epochs if epochs is None else epochs, 1),
        batch_size=whole_number("batch_size", (before.batch_size or 32) if batch_size is None else batch_size, 1),
        drop_last=before.drop_last if drop_last is None else true_or_false("drop_last", drop_last),
    )
    prints = {"train": _fingerprint(train), "validation": _fingerprint(validation)}
    # With a folder, what training was begun with is saved before the first batch.
    if trainer.position != Position() or (trainer.folder is not None and trainer.fingerprints):
        _check_same(told, before, prints, trainer.fingerprints)
    _check_batches(trainer.model, len(train), told)
    if told.loss == "cross_entropy" and getattr(trainer.model, "outputs", None) == 1:
        better = "binary_cross_entropy" if train.classes is not None else "mean_squared_error"
        raise ValueError(f"cross_entropy chooses among two outputs or more, and the model has one; use loss={better!r}")
    _check_plans(trainer, train, validation, told)
    return told, prints


def _check_same(told: HyperParameters, before: HyperParameters, prints: Fingerprints, begun_with: Fingerprints) -> None:
    if (told.batch_size, told.drop_last) != (before.batch_size, before.drop_last):
        was = f"batch_size={before.batch_size}, drop_last={before.drop_last}"
        now = f"batch_size={told.batch_size}, drop_last={told.drop_last}"
        raise ValueError(f"training was begun with {was}, got {now}; {_ANEW}")
    other = [name for name in prints if prints[name] != begun_with[name]]
    if other:
        raise ValueError(f"the {' and the '.join(other)} data is not what training was begun with; {_ANEW}")


def _check_batches(model: Any, rows: int, told: HyperParameters) -> None:
    size = told.batch_size or 1
    if told.drop_last and rows < size:
        raise ValueError(
            f"drop_last leaves no batch of {size} rows, as there are {rows}; use batch_size={rows} or less"
        )
    alone = size == 1 or (rows % size == 1 and not told.drop_last)
    if alone and any(isinstance(module, BatchNorm) for _, module in model.modules()):
        which = "each batch" if size == 1 else f"the last batch of {rows} rows by {size}"
        raise ValueError(f"{which} has one row, too few for BatchNorm; use another batch_size, or drop_last=True")


def _check_plans(trainer: Any, train: Dataset, validation: Dataset | None, told: HyperParameters) -> None:
    """Ask now what schedule and early stopping would complain of after hours."""
    schedule, stopping = trainer.schedule, trainer.early_stopping
    if schedule is not None and schedule.every == "iteration":
        last = (told.epochs or 1) * told.batches(len(train)) - 1
        schedule.learning_rate(told.optimizer["learning_rate"], last)
    metric = metric_name(trainer.metric, train)
    columns = ["loss", *([metric] if metric else [])]
    columns += [f"validation_{name}" for name in columns] if validation is not None else []
    for table in (trainer.history.epochs, trainer.history.iterations):
        now = {"learning_rate", *(columns if table is trainer.history.epochs else columns[: 1 + bool(metric)])}
        if trainer.position != Position() and table and set(table) != now:
            raise ValueError(f"the history has {', '.join(table)}, and now come {', '.join(now)}; use the same metric")
    if stopping is not None and stopping.watch not in (None, "learning_rate", *columns):
        raise ValueError(f"EarlyStopping watches {stopping.watch!r:.60}, but the history has {', '.join(columns)}")


def _fingerprint(data: Dataset | None) -> dict[str, Any] | None:
    if data is None:
        return None
    shape = repr((data.inputs.shape, data.targets.shape, data.targets.dtype.str)).encode()
    digest = hashlib.sha256(shape + data.inputs.tobytes() + data.targets.tobytes()).hexdigest()
    return {"rows": len(data), "sha256": digest}
