"""What the commands of a training run print: JSON for machines, lines for people, and what to type next."""

import json
import math
import os
import shlex
from collections.abc import Mapping
from typing import Any

from nn.callbacks import Callback

__all__ = ["EpochLines", "command_text", "folder_text", "next_commands", "said_in_json"]


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

    def on_epoch_end(self, trainer: Any) -> None:
        numbers = {name: column[-1] for name, column in trainer.history.epochs.items()}
        said_in_json(
            {"event": "epoch", "epoch": len(trainer.history), "epochs": trainer.hyper_parameters.epochs, **numbers}
        )


def command_text(*words: object) -> str:
    """Write a command as it is typed in a shell.

    Example:
        >>> command_text("train", "--resume", "my run")
        "autograd-mini train --resume 'my run'"
    """
    return shlex.join(["autograd-mini", *map(str, words)])


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
