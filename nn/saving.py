"""A training run in files: what goes into a checkpoint, how it comes back, and the folder that a run is kept in."""

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from autograd_mini import CheckpointError
from nn.callbacks import EarlyStopping
from nn.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from nn.checks import same_arrays, whole_number
from nn.history import Position
from nn.hyper_parameters import HyperParameters, build_model
from nn.learner import Moment, part
from nn.losses import LOSSES
from nn.naming import Arrays
from nn.optimizers import OPTIMIZERS
from nn.schedules import schedule_from

__all__ = ["RunFolder", "moment_of", "pack", "resumed"]

T = TypeVar("T")


@dataclass(frozen=True)
class RunFolder:
    """Where the checkpoints of a run are: ``checkpoint.npz`` as it stands, ``epochs/0003.npz`` as after epoch 3."""

    path: Path

    @property
    def latest(self) -> Path:
        return self.path / "checkpoint.npz"

    def of_epoch(self, epoch: int) -> Path:
        return self.path / "epochs" / f"{epoch:04}.npz"

    def claim(self) -> None:
        """Make the folder, for a new run alone.

        Raises:
            ValueError: if there is a run in it.
            CheckpointError: if it cannot be made.
        """
        if self.latest.exists():
            raise ValueError(
                f"{self.path} holds a run; go on with Trainer.resume({str(self.path)!r}), or save elsewhere"
            )
        try:
            (self.path / "epochs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"cannot make the folder {self.path}: {error.strerror}; save elsewhere") from None

    def save(self, manifest: Mapping[str, Any], arrays: Arrays, epoch: int | None = None) -> None:
        """Write the run as it stands, and as it stands after an epoch."""
        if epoch is not None:
            write_checkpoint(self.of_epoch(epoch), manifest, arrays)
        write_checkpoint(self.latest, manifest, arrays)


def pack(trainer: Any) -> tuple[dict[str, Any], Arrays]:
    """Gather all that a run is made of, for ``write_checkpoint``."""
    moment: Moment = trainer.learner.moment()
    manifest = {
        "hyper_parameters": trainer.hyper_parameters.as_dict(),
        "position": asdict(trainer.position),
        "optimizer": {"steps": moment.steps, "options": moment.options},
        "data": trainer.fingerprints,
        "notes": trainer.notes,
    }
    history = {f"history/{name}": column for name, column in trainer.history.arrays().items()}
    best = {f"best/{name}": array for name, array in (trainer.best or {}).items()}
    return manifest, {**moment.arrays, **best, **history}


def moment_of(checkpoint: Checkpoint) -> Moment:
    """Find in a checkpoint what ``Learner.load`` takes."""
    optimizer = checkpoint.manifest["optimizer"]
    ours = {name: a for name, a in checkpoint.arrays.items() if name.startswith(("model/", "optimizer/"))}
    return Moment(optimizer["steps"], optimizer["options"], ours)


def resumed(kind: Any, path: Path, options: dict[str, Any]) -> Any:
    """Do what ``Trainer.resume`` says."""
    folder = RunFolder(path) if path.is_dir() else None
    checkpoint = read_checkpoint(path if folder is None else folder.latest)
    try:
        return _rebuilt(kind, checkpoint, {"save": None if folder is None else path, **options})
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise CheckpointError(f"{path} cannot be resumed: {error}") from error


def _rebuilt(kind: Any, checkpoint: Checkpoint, options: dict[str, Any]) -> Any:
    manifest, arrays = checkpoint.manifest, checkpoint.arrays
    told = HyperParameters(**manifest["hyper_parameters"])
    model = options.pop("model", None)
    if model is None:
        _check_size(told.model, part(arrays, "model"))
        model = build_model(told.model)
    options.setdefault("loss", _known("loss", told.loss, LOSSES))
    if "optimizer" not in options:
        given = dict(told.optimizer)
        options["optimizer"] = _known("optimizer", given.pop("name", None), OPTIMIZERS)(model.parameters(), **given)
    if told.schedule is not None:
        options.setdefault("schedule", schedule_from(told.schedule))
    if told.early_stopping is not None:
        options.setdefault("early_stopping", EarlyStopping(**told.early_stopping))
    limits = {name: getattr(told, name) for name in ("l1", "l2", "clip_norm", "clip_value", "seed")}
    trainer = kind(model, notes=manifest["notes"], **limits, **options)
    position = Position(**manifest["position"])
    best, history = part(arrays, "best"), part(arrays, "history")
    if best:
        same_arrays("the best epoch", best, model.state())
    _check_history(history, position)
    trainer.learner.load(moment_of(checkpoint))
    trainer.history.load(history)
    trainer.position, trainer.best = position, best or None
    trainer.fingerprints, trainer.hyper_parameters = manifest["data"], told
    return trainer


def _check_size(description: Mapping[str, Any], arrays: Arrays) -> None:
    """Hold a description to the numbers that are there, before anything of its size is built."""
    widths = [description["inputs"], *description["sizes"]]
    wanted = sum(out * (n + 1) for n, out in itertools.pairwise(widths))
    there = sum(array.size for array in arrays.values())
    if not 0 < wanted <= there:
        raise ValueError(f"its model has {wanted:,} weights and biases, and there are {there:,} numbers of a model")


def _known(what: str, name: Any, registry: Mapping[str, T]) -> T:
    if name not in registry:
        raise ValueError(f"its {what} is {name!r:.60}, which is your own; pass it, {what}=...")
    return registry[name]


def _check_history(columns: Arrays, position: Position) -> None:
    numbers = (position.epoch, position.batch, position.rows)
    epochs, _, _ = (whole_number("a number of its position", number, 0) for number in numbers)
    lengths = {name: array.shape for name, array in columns.items()}
    iterations = lengths.get("iterations/loss", (-1,))
    right = {"iterations/loss": iterations, "iterations/learning_rate": iterations}
    right |= {name: (epochs,) for name in lengths if name.startswith("epochs/")}
    if lengths != right or any(array.dtype != np.float64 for array in columns.values()):
        raise ValueError(f"its history has columns that do not go together: {lengths!s:.200}")
