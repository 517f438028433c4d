"""Ctrl-C before any line of an iteration, and once more on the way back, costs nothing but that iteration.

By default a sample of the lines is tried; all of them with --deep.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from autograd_mini import CheckpointError
from nn import Callback, LinearWarmUp, OneCycle, Trainer, write_checkpoint
from tests import runs
from tests.runs import Contents, contents, fit, trainer

FILES = (
    "trainer.py", "loop.py", "learner.py", "history.py", "optimizer.py", "fitting.py", "compiled.py", "programs.py",
)  # fmt: skip
EPOCHS, ITERATIONS = 2, 6


def interrupted(command: Callable[[], Any], *lines: int, files: tuple[str, ...] = FILES) -> bool:
    """Press Ctrl-C before these lines that run in the files of nn, counted from 1; False at the end."""
    run, last = 0, max(lines)

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal run
        if run > last or not frame.f_code.co_filename.endswith(files) or "/nn/" not in frame.f_code.co_filename:
            return None
        if event == "line" and "genexpr" not in frame.f_code.co_name and "listcomp" not in frame.f_code.co_name:
            run += 1
            if run in lines:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        command()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def callback(one: Trainer) -> None:
    one.optimizer.learning_rate *= 0.9


def numbers(one: Trainer) -> Contents:
    """What the run is, but for what fit is told."""
    return {name: part for name, part in contents(one).items() if name != "manifest"} | {
        "position": one.position, "options": one.optimizer.options, "best": one.best is not None,
    }  # fmt: skip


class Recorder(Callback):
    """Remembers all that a trainer is made of after each iteration."""

    def __init__(self) -> None:
        self.states: list[Contents] = []

    def on_fit_start(self, trainer: Any) -> None:
        self.states.append(numbers(trainer))

    def on_epoch_end(self, trainer: Any) -> None:
        self.states[-1] = numbers(trainer)

    def on_iteration_end(self, trainer: Any) -> None:
        self.states.append(numbers(trainer))


MADE: dict[str, Callable[[], dict[str, Any]]] = {
    "adam": lambda: {},
    "one cycle": lambda: {"optimizer": "sgd", "schedule": OneCycle(0.1, ITERATIONS), "clip_norm": 0.5, "l1": 0.1},
    "one's own": lambda: {"model": runs.Micrograd(), "optimizer": runs.Sign, "schedule": LinearWarmUp(2)},
    "compiled": lambda: {"engine": "compiled"},
    "compiled by row": lambda: {
        "engine": "compiled", "model": runs.network(batch_norm=False), "optimizer": runs.Sign, "clip_norm": 0.5,
        "l1": 0.1,
    },
}  # fmt: skip


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
@pytest.mark.parametrize("again", [0, 1, 4, 9])
def test_ctrl_c_before_any_line(make: Callable[[], dict[str, Any]], again: int, pytestconfig: pytest.Config) -> None:
    stride = 1 if pytestconfig.getoption("--deep") else 53 + 40 * again
    recorder = Recorder()
    whole = fit(trainer(**make(), callbacks=[callback, recorder]), EPOCHS)
    line = 1
    while True:
        one = trainer(**make(), callbacks=[callback])
        if not interrupted(lambda one=one: fit(one, EPOCHS), line, line + again):  # type: ignore[misc]
            break
        done = len(one.history.iterations["loss"])
        assert numbers(one) == recorder.states[done], f"interrupted before line {line}"
        assert one.before is None
        if line % 3 == 0:
            assert contents(fit(one, EPOCHS)) == contents(whole)
        line += stride
    assert line > 500
    assert contents(one) == contents(whole)


# Between two instructions it may be left to Python to close a file; the file is removed all the same.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_ctrl_c_while_it_saves(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    stride = 1 if pytestconfig.getoption("--deep") else 299
    whole = fit(trainer(save=tmp_path / "whole"), EPOCHS)
    line = 1
    while True:
        folder = tmp_path / str(line)
        one = trainer(save=folder)
        if not interrupted(lambda one=one: fit(one, EPOCHS), line, files=("saving.py", "atomic.py", "file.py")):  # type: ignore[misc]
            break
        fit(one, EPOCHS)
        assert contents(one) == contents(whole)
        for name in ("checkpoint.npz", *(f"epochs/000{epoch}.npz" for epoch in range(3))):
            assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), (line, name)
        line += stride
    assert line > 100


def test_an_error_in_a_callback_undoes_the_batch() -> None:
    def meddle(one: Trainer) -> None:
        one.optimizer.learning_rate, one.model.parameters()[0].data = 0.5, 9.0

    def meddle_and_fail(one: Trainer) -> None:
        meddle(one)
        if len(one.history) == 2:
            raise ZeroDivisionError

    recorder = Recorder()
    fit(trainer(callbacks=[meddle, recorder]), 2)
    one = trainer(callbacks=[meddle_and_fail])
    with pytest.raises(ZeroDivisionError):
        fit(one, 2)
    assert numbers(one) == recorder.states[5]
    assert not one.model.training
    one.callbacks[:] = trainer(callbacks=[meddle]).callbacks
    assert numbers(fit(one, 2)) == recorder.states[6]


def test_what_could_not_be_saved_is_saved_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = fit(trainer(save=tmp_path), 1)

    for room, position in ((0, (1, 0)), (1, (1, 0)), (2, (2, 0)), (1, (2, 0))):
        files = iter(range(room))

        def write(*arguments: Any, files: Any = files) -> None:
            if next(files, None) is None:
                raise CheckpointError("no space left")
            write_checkpoint(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr("nn.saving.write_checkpoint", write)
            with pytest.raises(CheckpointError, match="no space left"):
                fit(one, 2)
        assert one.position == position
    fit(one, 2)
    assert contents(Trainer.resume(tmp_path)) == contents(one) == contents(fit(trainer(), 2))
