"""Runs of the command line that are killed, interrupted or out of disk at any moment: none loses more than a batch.

What a run leaves behind after that and ``--resume`` is held, byte by byte, to a run that nothing has happened to.
"""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from autograd_mini.cli import main
from nn import read_checkpoint

ROOT = Path(__file__).resolve().parent.parent
TOLD = (
    "--data", "moons", "--layers", "4", "--epochs", "2", "--batch-size", "48", "--batch-norm", "--dropout", "0.2",
    "--schedule", "cosine", "--save-every", "1",
)  # fmt: skip
PLAIN = ("-m", "autograd_mini")
# Half of the time of this child goes by inside its saves.
SLOW = (
    "-c",
    """
import os, sys, time
def slowed(real):
    def call(*arguments):
        time.sleep(0.01)
        real(*arguments)
        time.sleep(0.01)
    return call
os.fsync, os.replace = slowed(os.fsync), slowed(os.replace)
from autograd_mini.cli import main
sys.exit(main())
""",
)
posix = pytest.mark.skipif(os.name != "posix", reason="there are no such signals here")
pytestmark = pytest.mark.usefixtures("heeded_ctrl_c")
Files = dict[str, bytes]


class Reference(NamedTuple):
    """What an undisturbed run leaves behind, and how long each kind of child takes for it."""

    files: Files
    seconds: dict[tuple[str, ...], float]


def files_in(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def words(run: Path) -> list[str]:
    """The call that begins the run, or goes on with it if there is something to go on with."""
    begun = (run / "checkpoint.npz").exists()
    return ["train", *(["--resume", str(run)] if begun else [*TOLD, "--save", str(run)]), "--json"]


def start(child: tuple[str, ...], run: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *child, *words(run)], env=env, stdout=pipe, stderr=pipe, text=True)


def finish(run: Path, reference: Reference) -> None:
    """Go on undisturbed, and compare."""
    assert main(words(run)) == 0
    files = files_in(run)
    assert sorted(files) == sorted(reference.files)
    assert [name for name in files if files[name] != reference.files[name]] == []


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    seconds, files = {}, []
    for child in (PLAIN, SLOW):
        run = tmp_path_factory.mktemp("reference") / "run"
        begun = time.perf_counter()
        process = start(child, run)
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
        seconds[child] = time.perf_counter() - begun
        files.append(files_in(run))
    assert files[0] == files[1]
    return Reference(files[0], seconds)


@posix
def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(
    reference: Reference, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    moments = random.Random(0)
    run, kills, loaded = tmp_path / "0" / "run", 0, 0
    while kills < (50 if request.config.getoption("--deep") else 5):
        child = PLAIN if kills % 2 else SLOW
        process = start(child, run)
        try:
            process.communicate(timeout=moments.uniform(0.1, 0.9) * reference.seconds[child])
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        kills += process.returncode == -signal.SIGKILL
        for path in run.rglob("*.npz"):
            read_checkpoint(path)
            loaded += 1
        if process.returncode == 0:  # it was through before its moment came
            finish(run, reference)
            run = run.parent / "next" / "run"
    finish(run, reference)
    assert loaded


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_a_random_moment_saves_the_run_and_says_how_to_go_on(
    reference: Reference, tmp_path: Path, number: signal.Signals, request: pytest.FixtureRequest
) -> None:
    moments = random.Random(int(number))
    for i in range(25 if request.config.getoption("--deep") else 2):
        run, child = tmp_path / str(i) / "run", SLOW if i % 2 else PLAIN
        process = start(child, run)
        time.sleep(moments.uniform(0.3, 0.95) * reference.seconds[child])
        process.send_signal(number)
        _, complaints = process.communicate(timeout=60)
        # Minus the signal: Python itself was starting or ending.
        assert process.returncode in (128 + number, -number, 0), complaints
        if process.returncode == 128 + number and (run / "checkpoint.npz").exists():
            assert "autograd-mini train --resume" in complaints or "evaluate" in complaints
        finish(run, reference)


def disturbed(monkeypatch: pytest.MonkeyPatch, disturb: Callable[[], None], at: set[int]) -> list[int]:
    """Disturb a save before the system calls of these numbers, counted from 0; returns a list of those made."""
    calls: list[int] = []

    def counted(real: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: object) -> None:
            calls.append(len(calls))
            if calls[-1] in at:
                disturb()
            real(*arguments)

        return call

    monkeypatch.setattr("nn.atomic.os.fsync", counted(os.fsync))
    monkeypatch.setattr("nn.atomic.os.replace", counted(os.replace))
    return calls


def full_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


DISTURBANCES = {
    "Ctrl-C": (lambda: signal.raise_signal(signal.SIGINT), 130, "interrupted after epoch"),
    "SIGTERM": (lambda: signal.raise_signal(signal.SIGTERM), 143, "terminated after epoch"),
    "a full disk": (full_disk, 1, "No space left on device"),
}


@posix
@pytest.mark.parametrize("name", DISTURBANCES)
def test_what_disturbs_a_save_costs_nothing(
    reference: Reference,
    tmp_path: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    disturb, code, message = DISTURBANCES[name]
    # Three calls to a save, and of these: two at the start, one for a batch and two for the last of an epoch, twice.
    for i in range(30) if request.config.getoption("--deep") else (1, 5, 13, 29):
        run = tmp_path / str(i) / "run"
        with monkeypatch.context() as patch:
            calls = disturbed(patch, disturb, {i})
            assert main(words(run)) == code
        assert len(calls) > i
        said = capsys.readouterr().err
        assert message in said
        if code > 128:
            assert f"saved in {run}/, go on with: autograd-mini train --resume {run}/" in said
        finish(run, reference)


@posix
def test_a_second_ctrl_c_in_the_save_after_the_first_leaves_the_checkpoint_before_it(
    reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in (0, 7, 16):
        run = tmp_path / str(i) / "run"
        with monkeypatch.context() as patch:
            disturbed(patch, DISTURBANCES["Ctrl-C"][0], {i, i + 1})
            assert main(words(run)) == 130
        said = capsys.readouterr().err
        assert "interrupted again while saving, so what was saved before stands" in said
        if (run / "checkpoint.npz").exists():
            read_checkpoint(run / "checkpoint.npz")
            assert f"go on from there with: autograd-mini train --resume {run}/" in said
        finish(run, reference)
