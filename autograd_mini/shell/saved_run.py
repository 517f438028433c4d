"""Runs that ``autograd-mini train --save`` has made, opened again: to go on, to judge, and to look back from Python."""

import shlex
from contextlib import suppress
from pathlib import Path

from autograd_mini.errors import CheckpointError
from autograd_mini.shell.run_notes import RunNotes
from autograd_mini.shell.run_output import command_text
from nn.data import Split
from nn.saving import RunFolder
from nn.trainer import Trainer

__all__ = ["load_run", "opened"]


def load_run(path: str | Path, *, data: str | None = None) -> tuple[Trainer, Split]:
    """Open a run of the command line to look back into it from Python; nothing is trained.

    Args:
        path: its folder, or a checkpoint in it.
        data: where the file that it learned from is now, if that has moved.

    Returns:
        The trainer as it stands, with its data, so that ``replay`` and ``blame`` work at once; and that data, dealt and
        normalized as in training: ``Split(train, validation, test)``.

    Raises:
        OSError: there is no such run, or its data is gone.
        ValueError: a damaged checkpoint, one that ``autograd-mini train`` has not made, or data that has changed.

    Example:
        >>> from tempfile import mkdtemp
        >>> from autograd_mini.cli import main
        >>> run = mkdtemp()
        >>> main(["train", "--data", "moons", "--layers", "4", "--epochs", "2", "--json", "--save", run])
        {"event": "epoch", ...
        0
        >>> trainer, split = load_run(run)
        >>> trainer.replay(epoch=2, batch=3).loss.data == trainer.history.iterations["loss"][7]
        True
        >>> sorted(trainer.evaluate(split.test))
        ['accuracy', 'loss']
    """
    trainer, notes = opened(path, progress=False)
    split = notes.parts(data)
    trainer.attach(split.train, validation=split.validation if len(split.validation) else None)
    return trainer, split


def opened(path: str | Path, *, progress: bool, engine: str | None = None) -> tuple[Trainer, RunNotes]:
    """Resume the trainer of a run, and find the run's notes.

    Args:
        path: the folder of the run or the checkpoint.npz in it, which mean the same; or that of one epoch.
        progress: show a progress bar.
        engine: what runs the iterations from here on; None for what ran them.

    Raises:
        FileNotFoundError, CheckpointError: if there is none to read; where that of an epoch will do, it says how.
    """
    place = Path(path)
    place = place.parent if place.name == RunFolder(place).latest.name else place
    folder = RunFolder(place)
    if place.suffix != ".npz" and not folder.latest.exists():
        fix = _mended(folder) or f"; begin one with {command_text('train', '--data', 'FILE', '--save', place)}"
        raise FileNotFoundError(f"{place} holds no run: {folder.latest} is not there{fix}")
    try:
        trainer = Trainer.resume(place, progress=progress, **({} if engine is None else {"engine": engine}))
    except CheckpointError as error:
        raise CheckpointError(f"{error}{_mended(folder)}") from error
    return trainer, RunNotes.of(trainer.notes, place)


def _mended(folder: RunFolder) -> str:
    """Say how the last epoch that was kept whole takes the place of a checkpoint that is not."""
    kept = [path for path in folder.of_epoch(0).parent.glob("*.npz") if path.stem.isdecimal()]
    for path in sorted(kept, key=lambda path: int(path.stem), reverse=True):
        with suppress(CheckpointError):
            Trainer.resume(path, progress=False)
            command = shlex.join(["cp", str(path), str(folder.latest)])
            return f"; that of epoch {int(path.stem)} is whole, so put it in its place: {command}"
    return ""
