"""What the commands of a training run print: JSON for machines, lines for people, and what to type next."""

import json
import math
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograd_mini.shell.run_model import fixed_length
from autograd_mini.shell.run_notes import RunNotes, numbered
from nn.callbacks import Callback
from nn.data import Split
from nn.trainer import Trainer

__all__ = [
    "EpochLines",
    "batches_text",
    "beginning",
    "command_text",
    "complete_text",
    "folder_text",
    "next_commands",
    "said_in_json",
]

_MANY = 20


def said_in_json(thing: Mapping[str, Any]) -> None:
    """Print one object on one line at once; what is not finite is null."""
    print(json.dumps(_plain(thing), ensure_ascii=False, allow_nan=False), flush=True)


def _plain(thing: Any) -> Any:
    if isinstance(thing, Mapping):
        return {str(key): _plain(item) for key, item in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_plain(item) for item in thing]
    return None if isinstance(thing, float) and not math.isfinite(thing) else thing


class EpochLines(Callback):
    """Prints an object of each epoch: its number, and its row of the history."""

    sees_model = False

    def on_epoch_end(self, trainer: Any) -> None:
        numbers = {name: column[-1] for name, column in trainer.history.epochs.items()}
        said_in_json(
            {"event": "epoch", "epoch": len(trainer.history), "epochs": trainer.hyper_parameters.epochs, **numbers}
        )


def beginning(trainer: Trainer, notes: RunNotes, split: Split) -> str:
    """Say what is learned from, and what learns."""
    if notes.classes is None:
        kind = f"{notes.label or 'quantities'} to predict"
    else:
        # So many classes with numbers for names are likely to be quantities.
        doubtful = notes.classes > _MANY and notes.sha256 is not None and numbered(notes.names)
        doubt = " (if they are quantities, say --quantities)" if doubtful else ""
        kind = f"{notes.classes} classes{doubt}"
    train, validation, test = map(len, split)
    dealt = f"{train:,} rows to train, {validation:,} for validation, {test:,} for test"
    told, place = trainer.hyper_parameters, trainer.position
    model = f"{trainer.model!r}, {len(trainer.model.parameters()):,} parameters, {told.loss}"
    rate = f"{told.optimizer['name']} at {trainer.optimizer.learning_rate:g}" + ", compiled" * (
        told.engine == "compiled"
    )
    here = f"; goes on after epoch {place.epoch}" + (f" and {batches_text(place.batch)}" if place.batch else "")
    begun = here if place.epoch or place.batch else ""
    return f"{Path(notes.data).name}: {notes.width} inputs, {kind}; {dealt}\n{model}; {rate}{begun}"


def batches_text(count: int) -> str:
    """Count batches in words.

    Example:
        >>> batches_text(1), batches_text(2)
        ('1 batch', '2 batches')
    """
    return f"{count} batch{'es' * (count != 1)}"


def command_text(*words: object) -> str:
    """Write a command as it is typed in a shell.

    Example:
        >>> command_text("train", "--resume", "my run")
        "autograd-mini train --resume 'my run'"
    """
    return shlex.join(["autograd-mini", *map(str, words)])


def complete_text(trainer: Trainer) -> str:
    """Say why a run has nothing left to train, and what would go on."""
    told, stopping, epochs = trainer.hyper_parameters, trainer.early_stopping, trainer.position.epoch
    if stopping is not None and (reason := stopping.reason(trainer.history)):
        patience = stopping.patience
        return (
            f"{reason}; --early-stopping {patience} has stopped it: to train longer, begin a new run with more patience"
        )
    done = f"all {epochs} epochs are done"
    if told.schedule is not None and fixed_length(told.schedule):
        kind = told.schedule["name"]
        return f"{done}, and its {kind} schedule ends there: to train longer, begin a new run with more --epochs"
    return f"{done}; to train longer, say --epochs with a number above {epochs}"


def next_commands(run: str, epochs: int, *, lengthen: bool) -> str:
    """Say what may be done with a run that is complete."""
    commands = [command_text("evaluate", run), f"{command_text('predict', run)} FILE.csv"]
    if lengthen:
        commands.append(command_text("train", "--resume", run, "--epochs", 2 * epochs))
    return "next:\n" + "\n".join(f"  {command}" for command in commands)


def folder_text(run: str) -> str:
    """Write a folder so that it is seen to be one.

    Example:
        >>> folder_text("run")
        'run/'
    """
    return run if run.endswith(os.sep) else run + os.sep
