"""A training run in files: what goes into a checkpoint, how it comes back, and the folder that a run is kept in."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
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

__all__ = ["RunFolder", "beginning", "keep", "made_as_told", "pack", "resumed"]

T = TypeVar("T")
_OPTIONS = ("model", "loss", "optimizer", "metric", "schedule", "callbacks", "progress", "save", "save_every", "engine")
_WRONG = (ValueError, TypeError, LookupError, AttributeError, OverflowError)
_MOST = 2**53


@dataclass
class RunFolder:
    """Where the checkpoints of a run are: ``checkpoint.npz`` as it stands, ``epochs/0003.npz`` as after epoch 3.

    Attributes:
        claimed: whether the run in it is the trainer's.
    """

    path: Path
    claimed: bool = False

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
        if self.latest.exists() and not self.claimed:
            raise ValueError(
                f"{self.path} holds a run; go on with Trainer.resume({str(self.path)!r}), or save elsewhere"
            )
        try:
            (self.path / "epochs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"cannot make the folder {self.path}: {error.strerror}; save elsewhere") from None
        self.claimed = True


def pack(trainer: Any) -> tuple[dict[str, Any], Arrays]:
    """Gather all that a run is made of, for ``write_checkpoint``."""
    moment: Moment = trainer.learner.moment()
    manifest = {
        "hyper_parameters": trainer.hyper_parameters.as_dict(),
        "position": trainer.position._asdict(),
        "optimizer": {"steps": moment.steps, "options": moment.options},
        "data": trainer.fingerprints,
        "notes": trainer.notes,
    }
    history = {f"history/{name}": column for name, column in trainer.history.arrays().items()}
    best = {f"best/{name}": array for name, array in (trainer.best or {}).items()}
    return manifest, {**moment.arrays, **best, **history}


def keep(trainer: Any) -> None:
    """Keep a run as it stands, and between two epochs also how the next begins: in its folder, or else in memory."""
    place, folder = trainer.position, trainer.folder
    if folder is not None:
        packed = pack(trainer)
        if place.batch == 0:
            write_checkpoint(folder.of_epoch(place.epoch), *packed)
        write_checkpoint(folder.latest, *packed)
    elif place.batch == 0:
        trainer.beginnings[place.epoch + 1] = trainer.learner.moment()
    trainer.kept = place


def beginning(trainer: Any, epoch: int) -> Moment:
    """Find how an epoch began.

    Raises:
        ValueError: if it is kept nowhere.
        CheckpointError: for a damaged file, or one of another run.
    """
    if (epoch, 0) == (trainer.position.epoch + 1, trainer.position.batch):  # not yet, but it would begin like this
        moment: Moment = trainer.learner.moment()
        return moment
    if epoch in trainer.beginnings:
        return trainer.beginnings[epoch]  # type: ignore[no-any-return]
    path = None if trainer.folder is None else trainer.folder.of_epoch(epoch - 1)
    if path is None or not path.exists():
        kept = ", ".join(map(str, sorted(trainer.beginnings))) or "none"
        raise ValueError(
            f"how epoch {epoch} began is kept nowhere; this trainer has {kept}, and a run saved in a folder has all"
        )
    checkpoint = read_checkpoint(path)
    try:
        moment = _moment_of(checkpoint)
    except _WRONG as error:
        raise CheckpointError(f"{path} is no moment of a run: {error}") from error
    return moment


def _moment_of(checkpoint: Checkpoint) -> Moment:
    """Find in a checkpoint what ``Learner.load`` takes."""
    match checkpoint.manifest.get("optimizer"):
        case {"steps": steps, "options": dict(options), **rest} if not rest:
            whole_number("the number of steps", steps, 0)
        case other:
            raise ValueError(f"its optimizer is {other!r:.60}, but must be a dict of steps and options")
    if steps > _MOST:
        raise ValueError(f"the number of steps is {steps!r:.60}, but may be {_MOST:,}")
    ours = {name: a for name, a in checkpoint.arrays.items() if name.startswith(("model/", "optimizer/"))}
    return Moment(steps, options, ours)


def resumed(kind: Any, path: Path, options: dict[str, Any]) -> Any:
    """Do what ``Trainer.resume`` says."""
    if strange := [name for name in options if name not in _OPTIONS]:
        raise TypeError(f"resume takes no {', '.join(strange)}; it takes {', '.join(_OPTIONS)}, and the rest is told")
    folder = path if path.is_dir() else None
    checkpoint = read_checkpoint(path if folder is None else RunFolder(folder).latest)
    try:
        trainer = _rebuilt(kind, checkpoint, {"save": folder, **options})
    except _WRONG as error:
        raise CheckpointError(f"{path} cannot be resumed: {error}") from error
    if trainer.folder is not None and trainer.folder.path == folder:
        trainer.folder.claimed, trainer.kept = True, trainer.position
    return trainer


def made_as_told(kind: Any, told: HyperParameters, options: dict[str, Any]) -> Any:
    """Do what ``Trainer.from_hyper_parameters`` says."""
    given = dict(options)
    model = given.pop("model", None)
    model = build_model(told.model) if model is None else model
    if "loss" not in given:
        given["loss"] = _known("loss", told.loss, LOSSES)
    if "optimizer" not in given:
        chosen = dict(told.optimizer)
        given["optimizer"] = _known("optimizer", chosen.pop("name", None), OPTIMIZERS)(model.parameters(), **chosen)
    if "metric" not in given and told.metric is not None:
        raise ValueError(f"its metric is {told.metric!r:.60}, which is your own; pass it, metric=...")
    if "schedule" not in given and told.schedule is not None:
        given["schedule"] = schedule_from(told.schedule)
    if told.early_stopping is not None:
        given["early_stopping"] = EarlyStopping(**told.early_stopping)
    given.setdefault("engine", told.engine)
    limits = {name: getattr(told, name) for name in ("l1", "l2", "clip_norm", "clip_value", "seed")}
    trainer = kind(model, **limits, **given)
    now = trainer.hyper_parameters
    for name, was, given_now in (
        ("model", _built_of(told.model), _built_of(now.model)),
        ("loss", told.loss if told.loss in LOSSES else None, now.loss if now.loss in LOSSES else None),
        ("optimizer", *(one.get("name") if one.get("name") in OPTIMIZERS else None for one in
                        (told.optimizer, now.optimizer))),
        ("schedule", told.schedule, now.schedule),
    ):  # fmt: skip
        if was != given_now:
            raise ValueError(f"its {name} is {was!r:.120}, got {given_now!r:.120}; pass one like it")
    trainer.learner.set_options({name: option for name, option in told.optimizer.items() if name != "name"})
    trainer.hyper_parameters = replace(told, engine=now.engine)
    return trainer


def _rebuilt(kind: Any, checkpoint: Checkpoint, options: dict[str, Any]) -> Any:
    manifest, arrays = checkpoint.manifest, checkpoint.arrays
    told, position, data = _told(manifest)
    best, history, moment = part(arrays, "best"), part(arrays, "history"), _moment_of(checkpoint)
    strange = [name for name in arrays if name.split("/")[0] not in ("model", "optimizer", "best", "history")]
    if strange:
        raise ValueError(f"it has arrays that belong to no run: {', '.join(strange):.200}")
    _check_history(history, position, told, data)
    if bool(best) != ("epochs/validation_loss" in history):
        raise ValueError("it has numbers of a best epoch, but no validation loss, or the other way round")
    if options.get("model") is None:
        _check_size(told.model, part(arrays, "model"))
    trainer = made_as_told(kind, told, {**options, "notes": manifest["notes"]})
    learner, before = trainer.learner, trainer.learner.undo()
    try:
        if best:
            learner.model.load_state(best)  # to see that it can be
        learner.load(moment)
    except BaseException:
        learner.redo(before)
        raise
    trainer.history.load(history)
    trainer.position, trainer.best, trainer.fingerprints = position, best or None, data
    return trainer


def _told(manifest: Mapping[str, Any]) -> tuple[HyperParameters, Position, dict[str, Any]]:
    """Read the parts of a manifest that are no numbers of the model."""
    match manifest:
        case {"hyper_parameters": dict(told), "position": dict(place), "data": dict(data), "notes": dict(), **rest}:
            extra = rest.keys() - {"optimizer"}
        case _:
            extra = {"other things"}
    if extra or "optimizer" not in manifest:
        needs = "hyper_parameters, position, optimizer, data and notes"
        raise ValueError(
            f"its manifest has {', '.join(sorted(manifest)):.200}, but a run has {needs}, all of them dicts"
        )
    for name, number in (position := Position(**place))._asdict().items():
        if whole_number(f"the {name} of its position", number, 0) > _MOST:
            raise ValueError(f"the {name} of its position is {number!r:.60}, but may be {_MOST:,}")
    for one in data.values():
        match one:
            case {"rows": rows, "sha256": str()}:
                whole_number("a number of rows of its data", rows, 1)
            case other if other is not None:
                raise ValueError(f"its data is {one!r:.60}, but must be a number of rows and their sha256")
    return HyperParameters(**told), position, data


def _check_size(description: Mapping[str, Any], arrays: Arrays) -> None:
    """Hold a description to the numbers that are there, before anything of its size is built."""
    inputs, sizes = description.get("inputs"), description.get("sizes")
    if not isinstance(sizes, list) or not sizes:
        return  # not one to build a model from, which will be told
    there = f"there are {len(arrays):,} arrays of it with {sum(array.size for array in arrays.values()):,} numbers"
    if len(sizes) > len(arrays):
        raise ValueError(f"its model has {len(sizes):,} layers, and {there}")
    widths = [whole_number("a size of its model", size, 1) for size in (inputs, *sizes)]
    for what, count, most in (
        ("neurons", sum(widths[1:]), len(arrays) // 2),
        (
            "weights",
            sum(n * out for n, out in itertools.pairwise(widths)),
            sum(array.size for array in arrays.values()),
        ),
    ):
        if count > most:
            raise ValueError(f"its model has {_text(count)} {what}, and {there}")


def _text(count: int) -> str:
    return f"{count:,}" if count < _MOST else "absurdly many"


def _known(what: str, name: Any, registry: Mapping[str, T]) -> T:
    if not isinstance(name, str) or name not in registry:
        raise ValueError(f"its {what} is {name!r:.60}, which is your own; pass it, {what}=...")
    return registry[name]


def _built_of(description: Mapping[str, Any]) -> dict[str, Any]:
    return {name: option for name, option in description.items() if name not in ("initializer", "seed")}


def _check_history(columns: Arrays, position: Position, told: HyperParameters, data: Mapping[str, Any]) -> None:
    rows = (data.get("train") or {"rows": 0})["rows"]
    count = told.batches(rows)
    done = position.epoch * count + position.batch
    if position.batch >= max(count, 1):
        raise ValueError(f"its position is batch {position.batch:,} of an epoch of {count:,}")
    due = {"iterations/loss": (done,), "iterations/learning_rate": (done,)}
    if position.epoch:
        due |= {"epochs/loss": (position.epoch,), "epochs/learning_rate": (position.epoch,)}
        due |= {"epochs/validation_loss": (position.epoch,)} if data.get("validation") else {}
    for name in columns:
        if name.startswith("iterations/") or (position.epoch and name.startswith("epochs/")):
            due[name] = (position.epoch,) if name.startswith("epochs/") else (done,)
    same_arrays("its history", columns, {name: np.broadcast_to(0.0, shape) for name, shape in due.items()})
    rates = columns["iterations/learning_rate"]
    if not (np.isfinite(rates).all() and (rates >= 0.0).all()):
        raise ValueError("a learning rate in its history is below 0 or not finite")
