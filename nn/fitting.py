"""What ``Trainer.fit`` is given, checked before anything is changed."""

import hashlib
from dataclasses import replace
from typing import Any

from nn.batch_norm import BatchNorm
from nn.checks import whole_number
from nn.data import Dataset
from nn.history import Position
from nn.hyper_parameters import HyperParameters

__all__ = ["Fingerprints", "settled"]

Fingerprints = dict[str, str | None]

_ANEW = "to go on with something else, make a new Trainer of trainer.model"


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
        drop_last=before.drop_last if drop_last is None else drop_last,
    )
    prints = {"train": _fingerprint(train), "validation": _fingerprint(validation)}
    # With a folder, what training was begun with is saved before the first batch.
    begun = trainer.position != Position() or bool(trainer.folder and trainer.fingerprints)
    if begun:
        _check_same(told, before, prints, trainer.fingerprints)
    _check_batches(trainer.model, len(train), told)
    if not begun and trainer.folder is not None:
        trainer.folder.claim()
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


def _fingerprint(data: Dataset | None) -> str | None:
    if data is None:
        return None
    shape = repr((data.inputs.shape, data.targets.shape, data.targets.dtype.str)).encode()
    return hashlib.sha256(shape + data.inputs.tobytes() + data.targets.tobytes()).hexdigest()
