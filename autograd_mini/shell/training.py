"""The command ``autograd-mini train``: begin a run or go on with one, and lose nothing when it is stopped."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from autograd_mini.errors import CheckpointError, NonFiniteError
from autograd_mini.modes import quiet
from autograd_mini.shell.run_messages import in_options
from autograd_mini.shell.run_model import built, fixed_length
from autograd_mini.shell.run_notes import RunNotes, prepared
from autograd_mini.shell.run_options import RunOptions
from autograd_mini.shell.run_output import (
    EpochLines,
    batches_text,
    beginning,
    command_text,
    complete_text,
    folder_text,
    next_commands,
    said_in_json,
)
from autograd_mini.shell.run_scores import score_text, scores
from autograd_mini.shell.saved_run import opened
from autograd_mini.shell.signals import StopSignals, Terminated
from nn.data import Split
from nn.saving import RunFolder
from nn.trainer import Trainer

__all__ = ["train"]


def train(options: argparse.Namespace) -> int:
    """Begin a new run, or go on with a saved one.

    Args:
        options: of the command line; ``options.fail`` ends a wrong call with a message, ``options.words`` is the call.

    Returns:
        The exit code: 0 when the run is complete, 130 or 143 when a signal has stopped it.
    """
    with StopSignals() as signals:
        given = RunOptions.given(options)
        try:
            run = _Run.begun(given, options) if options.resume is None else _Run.resumed(given, options)
        except KeyboardInterrupt as stop:
            _complain(f"{_cause(stop)} before training began; begin with: {command_text(*options.words)}")
            return _code(stop)
        return run.go_on(signals)


class _Run:
    """A training run and what the command has to say about it."""

    def __init__(self, trainer: Trainer, notes: RunNotes, split: Split, options: argparse.Namespace) -> None:
        self.trainer, self.notes, self.split = trainer, notes, split
        self.json: bool = options.json
        self.words: list[str] = options.words
        self.folder = None if trainer.folder is None else str(trainer.folder.path)
        self.settings: dict[str, Any] = {}

    @classmethod
    def begun(cls, given: dict[str, Any], options: argparse.Namespace) -> "_Run":
        told = RunOptions(**given)
        _check_call(told, options.fail)
        if told.save is not None and RunFolder(Path(told.save)).latest.exists():
            go_on = command_text("train", "--resume", folder_text(told.save))
            raise ValueError(f"{told.save} already holds a run: save elsewhere, or go on with it: {go_on}")
        notes, split = prepared(told)
        trainer = built(told, notes, len(split.train), progress=not options.json)
        run = cls(trainer, notes, split, options)
        run.settings = {"epochs": told.epochs, "batch_size": told.batch_size, "drop_last": told.drop_last}
        return run

    @classmethod
    def resumed(cls, given: dict[str, Any], options: argparse.Namespace) -> "_Run":
        strange = [name for name in given if name not in ("epochs", "data", "engine")]
        if strange:
            name = "--" + strange[0].replace("_", "-")
            options.fail(f"{name} does not go with --resume: all but --epochs is read from the run")
        trainer, notes = opened(options.resume, progress=not options.json, engine=given.get("engine"))
        if trainer.folder is None:
            raise ValueError(f"{options.resume} is a checkpoint of its own: --resume takes the folder of a run")
        trainer.save_every = notes.save_every
        run = cls(trainer, notes, notes.parts(given.get("data")), options)
        told = trainer.hyper_parameters
        run.settings = {"epochs": given.get("epochs", told.epochs)}
        if run.settings["epochs"] > (told.epochs or 0) and fixed_length(told.schedule):
            kind = (told.schedule or {})["name"]
            raise ValueError(
                f"the {kind} schedule of this run ends with epoch {told.epochs}, so it cannot go on to epoch "
                f"{run.settings['epochs']}: begin a new run with --epochs {run.settings['epochs']}"
            )
        return run

    def go_on(self, signals: StopSignals) -> int:
        trainer = self.trainer
        if self._is_complete():
            return self._finish("complete already")
        trainer.callbacks += [signals, *([EpochLines()] if self.json else [])]
        if not self.json:
            print(beginning(trainer, self.notes, self.split), flush=True)
        validation = self.split.validation if len(self.split.validation) else None
        try:
            with quiet():  # of all that overflows, the error below says what there is to say
                trainer.fit(self.split.train, validation=validation, **self.settings)
        except KeyboardInterrupt as stop:
            signals.rearm()
            return self._stopped(stop)
        except BrokenPipeError:  # nobody reads our JSON any more
            self._rescue()
            raise
        except (NonFiniteError, CheckpointError) as error:
            if self.json:
                said_in_json(
                    {"event": "end", "status": "failed", "error": in_options(str(error)), "saved": self.folder}
                )
            if isinstance(error, CheckpointError):
                raise
            kept = "" if self.folder is None else f"; what was saved in {folder_text(self.folder)} is kept"
            raise NonFiniteError(f"{error}{kept}") from None
        return self._finish("complete" if trainer.stopped is None else "stopped early")

    def _is_complete(self) -> bool:
        place, stopping = self.trainer.position, self.trainer.early_stopping
        stops = stopping is not None and not place.batch and stopping.reason(self.trainer.history) is not None
        return stops or place.epoch >= self.settings["epochs"]

    def _finish(self, status: str) -> int:
        try:
            return self._end(status)
        except KeyboardInterrupt as stop:
            kept = (
                ""
                if self.folder is None
                else f"; look at it with: {command_text('evaluate', folder_text(self.folder))}"
            )
            _complain(f"{_cause(stop)} when training was complete{kept}")
            return _code(stop)

    def _end(self, status: str) -> int:
        trainer, epochs = self.trainer, self.trainer.position.epoch
        reason = None if trainer.early_stopping is None else trainer.early_stopping.reason(trainer.history)
        best = None if trainer.best is None else trainer.load_best()  # not saved any more, so it may
        judged = {
            name: scores(trainer, self.notes, part)
            for name, part in (("validation", self.split.validation), ("test", self.split.test))
            if len(part)
        }
        if self.json:
            told = {"status": status, "epochs": epochs, "best_epoch": best, "reason": reason, "saved": self.folder}
            said_in_json({"event": "end", **told, **{name: _short(numbers) for name, numbers in judged.items()}})
            return 0
        which = f"epoch {epochs}, the last" if best is None else f"epoch {best}, the best on validation of {epochs}"
        if status == "complete already":
            print(f"the run is complete: {complete_text(trainer)}")
        elif reason is not None:
            print(f"stopped early: {reason}")
        for name, numbers in judged.items():
            print(f"{name:<10}  {score_text(numbers)}  ({which})")
        if self.folder is None:
            print("nothing was saved: --save run/ keeps the run, to evaluate, predict and go on")
        else:
            lengthen = not fixed_length(trainer.hyper_parameters.schedule) and reason is None
            print(f"saved in {folder_text(self.folder)}")
            print(next_commands(folder_text(self.folder), epochs, lengthen=lengthen))
        return 0

    def _stopped(self, stop: KeyboardInterrupt) -> int:
        place, resume = self.trainer.position, None
        where = f"after epoch {place.epoch}" + (f" and {batches_text(place.batch)} of the next" if place.batch else "")
        if self.folder is None:
            again = command_text(*self.words, "--save", "run/")
            told = f"{where}; nothing was saved, as --save was not given; next time: {again}"
        elif failure := self._rescue():
            told = f"{where}; {failure}"
            resume = self._resume_command()
            told += f"; go on from there with: {resume}" if resume else ""
        else:
            resume = self._resume_command()
            told = f"{where}; saved in {folder_text(self.folder)}, go on with: {resume}"
        _complain(f"{_cause(stop)} {told}")
        if self.json:
            end = {"epochs": place.epoch, "batches": place.batch, "saved": self.folder, "resume": resume}
            said_in_json({"event": "end", "status": _cause(stop), **end})
        return _code(stop)

    def _resume_command(self) -> str | None:
        folder = self.trainer.folder
        if folder is None or not folder.latest.exists():
            return None
        return command_text("train", "--resume", folder_text(str(folder.path)))

    def _rescue(self) -> str | None:
        """Save the run as it stands; say why where that fails."""
        if self.folder is None or not self.trainer.data:
            return None if self.folder is None else "training had not begun"
        try:
            self.trainer.save()
        except KeyboardInterrupt:
            return "interrupted again while saving, so what was saved before stands"
        except CheckpointError as error:
            return str(error)
        return None


def _cause(stop: KeyboardInterrupt) -> str:
    return "terminated" if isinstance(stop, Terminated) else "interrupted"


def _code(stop: KeyboardInterrupt) -> int:
    return 143 if isinstance(stop, Terminated) else 130


def _complain(message: str) -> None:
    print(f"\nautograd-mini: {message}", file=sys.stderr)


def _short(numbers: dict[str, Any]) -> dict[str, Any]:
    return {name: number for name, number in numbers.items() if isinstance(number, float)}


def _check_call(told: RunOptions, fail: Callable[[str], NoReturn]) -> None:
    """End a wrong call with exit code 2."""
    if not told.data:
        fail("--data is missing: give a file or the name of a data set, or --resume a run")
    if told.momentum and told.optimizer not in ("sgd", "rmsprop"):
        fail(f"--momentum does not go with {told.optimizer}: sgd and rmsprop have one")
    if told.save_every is not None and told.save is None:
        fail("--save-every needs --save RUN/")
    if told.validation + told.test >= 1.0:
        fail(f"--validation {told.validation:g} and --test {told.test:g} leave no rows to learn from: lower them")
