"""Whatever happens while a checkpoint is saved, the old file or the new one is there, whole, and nothing else is."""

import errno
import gc
import inspect
import itertools
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import nn.atomic
from autograd_mini import CheckpointError
from nn import read_checkpoint, write_checkpoint
from nn.atomic import LEFTOVER

ROOT = Path(__file__).resolve().parent.parent
UNTOUCHED = "what was there before is untouched: "


def save(path: Any, turn: int) -> None:
    write_checkpoint(path, {"turn": turn}, {"w": np.full(2000, float(turn))})


def turn_of(path: Any) -> int:
    """Read a checkpoint that `save` made, and hold its two parts to each other."""
    found = read_checkpoint(path, {"w": ((2000,), float)})
    assert set(found.arrays["w"].tolist()) == {found.manifest["turn"]}
    return int(found.manifest["turn"])


def leftovers(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if LEFTOVER.fullmatch(name)]


def script(text: str, folder: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start a process with `save` and `turn_of` at hand, in `folder`."""
    begin = "import os, resource, signal, sys\nfrom pathlib import Path\nimport numpy as np\n"
    begin += (
        "from autograd_mini import CheckpointError\nfrom nn import read_checkpoint, write_checkpoint\nAny = object\n"
    )
    begin += inspect.getsource(save) + inspect.getsource(turn_of)
    command = [*prefix, sys.executable, "-c", begin + text, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def output(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


# An interruption between two instructions may leave it to Python to close a file; the file is removed all the same.
UNCLOSED = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

# Errors of the operating system, at each step


class Failing:
    """A file whose method of this name fails."""

    def __init__(self, file: Any, method: str, error: BaseException) -> None:
        self.file, self.method, self.error = file, method, error

    def __enter__(self) -> "Failing":
        return self

    def __exit__(self, *details: Any) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        if name == self.method:
            raise self.error
        return getattr(self.file, name)


def fail(monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException) -> None:
    """Make one step of a save fail."""

    def raise_error(*arguments: Any, **options: Any) -> Any:
        raise error

    def failing_open(*arguments: Any, **options: Any) -> Failing:
        return Failing(open(*arguments, **options), step, error)

    if step in ("write", "flush"):
        monkeypatch.setattr(nn.atomic, "open", failing_open, raising=False)
    elif step in ("fsync", "fsync of the folder"):
        real, folder = os.fsync, step != "fsync"
        monkeypatch.setattr(
            os, "fsync", lambda fd: raise_error() if stat.S_ISDIR(os.fstat(fd).st_mode) == folder else real(fd)
        )
    else:
        monkeypatch.setattr(os, step, raise_error)


STEPS = ("write", "flush", "fsync", "chmod", "replace", "stat", "open")
ERRORS = {
    errno.ENOSPC: ("No space left on device", "free some space, or save on another disk"),
    errno.EDQUOT: (".*[Qq]uota exceeded", "free some space, or save on another disk"),
    errno.EIO: ("Input/output error", "save in another folder, or on another disk"),
    errno.EROFS: ("Read-only file system", "save in a folder that can be written to"),
    errno.EPERM: ("Operation not permitted", "make the file and its folder writable"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
def test_an_error_at_any_step_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    path, (why, fix) = tmp_path / "a.npz", ERRORS[number]
    save(path, 1)
    with monkeypatch.context() as patch:
        fail(patch, step, OSError(number, os.strerror(number)))
        with pytest.raises(CheckpointError, match=rf"a\.npz could not be saved: {why}; {UNTOUCHED}{fix}") as caught:
            save(path, 2)
    assert isinstance(caught.value.__cause__, OSError)
    assert turn_of(path) == 1
    assert os.listdir(tmp_path) == ["a.npz"]


@pytest.mark.parametrize("step", [*STEPS, "fsync of the folder"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interruption_at_any_step_leaves_the_old_file_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, kind: type[BaseException]
) -> None:
    path = tmp_path / "a.npz"
    save(path, 1)
    with monkeypatch.context() as patch:
        fail(patch, step, kind())
        with pytest.raises(kind):
            save(path, 2)
    assert turn_of(path) == 1 + (step == "fsync of the folder")
    assert os.listdir(tmp_path) == ["a.npz"]


def test_a_folder_that_cannot_be_synced_is_told_as_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    with monkeypatch.context() as patch:
        fail(patch, "fsync of the folder", OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(
            CheckpointError, match=r"a\.npz is saved; the new file is in place, but may not outlast a pow"
        ):
            save(path, 1)
    assert turn_of(path) == 1
    fail(monkeypatch, "fsync of the folder", OSError(errno.EINVAL, "some file systems have no such thing"))
    save(path, 2)
    assert turn_of(path) == 2


def test_everything_is_on_the_disk_before_the_rename_and_the_rename_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def noted(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def note(*arguments: Any) -> Any:
            if name == "fsync":
                status = os.fstat(arguments[0])
                seen.append("folder synced" if stat.S_ISDIR(status.st_mode) else f"{status.st_size} bytes synced")
            else:
                seen.append("replaced")
            return real(*arguments)

        return note

    monkeypatch.setattr(os, "fsync", noted("fsync"))
    monkeypatch.setattr(os, "replace", noted("replace"))
    save(tmp_path / "a.npz", 1)
    assert seen == [f"{(tmp_path / 'a.npz').stat().st_size} bytes synced", "replaced", "folder synced"]


@UNCLOSED
def test_an_interruption_at_any_line_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    """As if Ctrl-C was pressed at each line of the code in turn, the ones that clean up excepted."""
    path, outcomes = tmp_path / "a.npz", []
    for moment in itertools.count(1):
        save(path, 1)
        interrupted = save_interrupted(path, moment)
        outcomes.append(turn_of(path))
        assert os.listdir(tmp_path) == ["a.npz"], moment
        if not interrupted:
            break
    assert len(outcomes) > 50
    assert set(outcomes) == {1, 2}


def save_interrupted(path: Path, moment: int) -> bool:
    """Save turn 2, with a KeyboardInterrupt at this line of all that are run; False if there are not so many."""
    files = (nn.atomic.__file__, sys.modules["nn.checkpoint.archive"].__file__)
    lines = itertools.count(1)

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line" and next(lines) == moment:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        save(path, 2)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


# Folders and files that refuse


REFUSALS: dict[str, tuple[str, str]] = {
    "nowhere/a.npz": ("there is no folder .*nowhere", r"make the folder first \(mkdir -p\)"),
    "file/a.npz": ("Not a directory", "give the path of a file in a folder"),
    "folder": ("there is a folder of this name", "give the path of a file in that folder"),
    ".": ("there is a folder of this name", "give the path of a file in that folder"),
    "pipe": ("there is a device, a pipe or a socket of this name", "save in another folder"),
    "loop": ("Too many levels of symbolic links", "save in another folder"),
    "x" * 300: ("File name too long", "give a shorter name"),
}


@pytest.mark.parametrize("name", REFUSALS, ids=lambda name: name[:20])
def test_a_path_that_cannot_be_saved_to_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.mkdir("folder")
    os.symlink("loop", "loop")
    Path("file").touch()
    before = sorted(os.listdir())
    why, fix = REFUSALS[name]
    with pytest.raises(
        CheckpointError, match=rf"^{re.escape(name)[:200]}.* could not be saved: {why}; {UNTOUCHED}{fix}"
    ):
        save(name, 1)
    assert sorted(os.listdir()) == before
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)


AS_NOBODY = """
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
for name in ("closed/a.npz", "open/read_only.npz"):
    try:
        save(name, 2)
    except CheckpointError as error:
        print(error)
"""


def test_a_read_only_folder_and_a_read_only_file_are_not_written_to() -> None:
    folder = Path(tempfile.mkdtemp())  # that of pytest is closed to other users
    try:
        for name in ("closed", "open"):
            (folder / name).mkdir()
        save(folder / "closed" / "a.npz", 1)
        save(folder / "open" / "read_only.npz", 1)
        modes = {"closed/a.npz": 0o666, "open/read_only.npz": 0o444, "closed": 0o555, "open": 0o777, ".": 0o755}
        for name, mode in modes.items():
            (folder / name).chmod(mode)
        told = output(script(AS_NOBODY, folder)).splitlines()
        fix = "make the file and its folder writable, or save in another folder"
        assert told == [
            f"closed/a.npz could not be saved: Permission denied; {UNTOUCHED}{fix}",
            f"open/read_only.npz could not be saved: the file there is read-only; {UNTOUCHED}{fix}",
        ]
        assert turn_of(folder / "closed" / "a.npz") == turn_of(folder / "open" / "read_only.npz") == 1
        assert not leftovers(folder / "closed") + leftovers(folder / "open")
    finally:
        (folder / "closed").chmod(0o755)
        shutil.rmtree(folder)


FULL = """
save("a.npz", 1)
before = Path("a.npz").read_bytes()
with open("ballast", "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(4096))
    except OSError:
        pass
try:
    save("a.npz", 2)
except CheckpointError as error:
    print(error)
assert Path("a.npz").read_bytes() == before and turn_of("a.npz") == 1
assert sorted(os.listdir()) == ["a.npz", "ballast"]
os.unlink("ballast")
save("a.npz", 3)
print(turn_of("a.npz"))
"""
MOUNT = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=100k none . && cd "$PWD" && exec "$@"', "sh")


def can_mount() -> bool:
    command = [*MOUNT, "true"]
    return (
        bool(shutil.which("unshare"))
        and subprocess.run(command, cwd=ROOT / "docs", capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not can_mount(), reason="no small disk can be mounted here (unshare -rm)")
def test_a_full_disk_leaves_the_old_file_and_is_told(tmp_path: Path) -> None:
    told = output(script(FULL, tmp_path, prefix=MOUNT)).splitlines()
    why = "No space left on device"
    fix = "free some space, or save on another disk"
    assert told == [f"a.npz could not be saved: {why}; {UNTOUCHED}{fix}", "3"]


LIMITED = """
save("a.npz", 1)
for limit in (0, 1, 100, 5000, 16000, 16500):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        save("a.npz", 2)
    except CheckpointError as error:
        print(error)
    assert turn_of("a.npz") == 1 and os.listdir() == ["a.npz"]
"""


def test_a_limit_on_the_size_of_files_leaves_the_old_file(tmp_path: Path) -> None:
    process = script(LIMITED, tmp_path)
    told = output(process).splitlines()
    assert (
        told
        == [
            f"a.npz could not be saved: File too large; {UNTOUCHED}raise the limit (ulimit -f), or save on another disk"
        ]
        * 6
    )


# Signals


LOOP = """
def leave(*ignored):
    raise SystemExit(7)
signal.signal(signal.SIGTERM, leave)
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background jobs do not have
turn = turn_of("a.npz")
print("ready", flush=True)
while True:
    turn += 1
    save("a.npz", turn)
"""


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda kind: kind.name)
def test_a_signal_at_any_moment_leaves_a_whole_file(tmp_path: Path, request: Any, kind: signal.Signals) -> None:
    times = 50 if request.config.getoption("--deep") else 2
    path, last, moments = tmp_path / "a.npz", 0, random.Random(kind)
    save(path, 0)
    for _ in range(times):
        process = script(LOOP, tmp_path)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.02 + moments.random() / 20)
        process.send_signal(kind)
        process.communicate(timeout=60)
        assert process.returncode in {signal.SIGKILL: {-9}, signal.SIGINT: {-2, 130}, signal.SIGTERM: {7}}[kind]
        assert turn_of(path) >= last
        last = turn_of(path)
        assert len(leftovers(tmp_path)) <= (kind == signal.SIGKILL)
    assert last > 1
    save(path, 0)
    assert os.listdir(tmp_path) == ["a.npz"]


@pytest.fixture
def interrupting() -> Iterator[Callable[[float], Any]]:
    """Ctrl-C after so many seconds, from the system's clock."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # its callbacks, such as Hypothesis has, would swallow the exception
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    gc.enable()
    signal.signal(signal.SIGALRM, before)


@UNCLOSED
def test_two_hundred_interruptions_at_random_moments(tmp_path: Path, interrupting: Callable[[float], Any]) -> None:
    path, moments, interruptions = tmp_path / "a.npz", random.Random(1), 0
    start = time.perf_counter()
    save(path, 0)
    duration = time.perf_counter() - start
    for turn in range(1, 201):
        before = turn_of(path)
        try:
            interrupting(1e-5 + moments.random() * duration)
            save(path, turn)
            interrupting(0)
        except KeyboardInterrupt:
            interruptions += 1
        assert turn_of(path) in (before, turn)
        assert leftovers(tmp_path) == []
    assert interruptions > 20


# Leftovers, locks, links, modes


def test_leftovers_of_killed_processes_are_removed_and_nothing_else(tmp_path: Path) -> None:
    ours = tmp_path / ".autograd_mini-0123456789abcdef.tmp"
    other = [".autograd_mini-0123456789abcdef.tmp.npz", ".autograd_mini-xyz.tmp", "a.tmp", ".a.npz.tmp"]
    for name in (ours.name, *other):
        (tmp_path / name).write_bytes(b"half of a checkpo")
    with pytest.raises(CheckpointError, match="it begins with"):
        read_checkpoint(ours)
    save(tmp_path / "b.npz", 1)
    assert sorted(os.listdir(tmp_path)) == sorted([*other, "b.npz"])


def test_what_somebody_else_is_writing_is_not_removed(tmp_path: Path) -> None:
    """Two threads write files of their own, slowly, and both get there; what a third one left is removed after that."""
    leftover = tmp_path / ".autograd_mini-0123456789abcdef.tmp"
    inside, go_on = threading.Event(), threading.Event()

    def slowly() -> Iterator[bytes]:
        yield b"one "
        inside.set()
        assert go_on.wait(60)
        yield b"two"

    thread = threading.Thread(target=nn.atomic.replace_file, args=(tmp_path / "slow", slowly()))
    thread.start()
    assert inside.wait(60)
    leftover.touch()
    save(tmp_path / "a.npz", 1)
    assert len(leftovers(tmp_path)) == 2
    go_on.set()
    thread.join()
    assert (tmp_path / "slow").read_bytes() == b"one two"
    save(tmp_path / "a.npz", 2)
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "slow"]


def test_many_threads_may_save_into_one_file(tmp_path: Path) -> None:
    turns: list[int] = []
    path = tmp_path / "a.npz"
    save(path, 0)

    def many(number: int) -> None:
        for turn in range(20):
            save(path, 100 * number + turn)
            turns.append(turn_of(path))

    threads = [threading.Thread(target=many, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(turns) == 80
    save(path, 0)
    assert os.listdir(tmp_path) == ["a.npz"]


def test_without_locks_saving_works_and_leftovers_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*arguments: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    (tmp_path / ".autograd_mini-0123456789abcdef.tmp").touch()
    save(tmp_path / "a.npz", 1)
    assert turn_of(tmp_path / "a.npz") == 1
    assert len(leftovers(tmp_path)) == 1


def test_no_descriptors_stay_open(tmp_path: Path) -> None:
    if not os.path.isdir("/dev/fd"):
        pytest.skip("there is no /dev/fd to count them in")
    before = len(os.listdir("/dev/fd"))
    for turn in range(5):
        save(tmp_path / "a.npz", turn)
        turn_of(tmp_path / "a.npz")
        with pytest.raises(CheckpointError):
            save(tmp_path / "nowhere" / "a.npz", turn)
    assert len(os.listdir("/dev/fd")) == before


def test_a_new_file_gets_the_mode_of_the_umask_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    path, before = tmp_path / "a.npz", os.umask(0o027)
    try:
        save(path, 1)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        for mode in (0o600, 0o666, 0o755):
            path.chmod(mode)
            save(path, 2)
            assert stat.S_IMODE(path.stat().st_mode) == mode
    finally:
        os.umask(before)


def test_a_private_file_is_private_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "private"
    path.touch(0o600)
    modes = []

    def parts() -> Iterator[bytes]:
        (name,) = leftovers(tmp_path)
        modes.append(stat.S_IMODE((tmp_path / name).stat().st_mode))
        yield b""

    nn.atomic.replace_file(path, parts())
    assert modes == [0o600]


def test_the_file_that_a_link_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "latest.npz"
    link.symlink_to("real/a.npz")
    save(link, 1)
    save(link, 2)
    assert link.is_symlink()
    assert turn_of(tmp_path / "real" / "a.npz") == turn_of(link) == 2
    assert os.listdir(tmp_path / "real") == ["a.npz"]


def test_another_name_of_the_old_file_keeps_the_old_content(tmp_path: Path) -> None:
    save(tmp_path / "a.npz", 1)
    os.link(tmp_path / "a.npz", tmp_path / "kept.npz")
    save(tmp_path / "a.npz", 2)
    assert (turn_of(tmp_path / "a.npz"), turn_of(tmp_path / "kept.npz")) == (2, 1)


def test_a_path_may_be_text_bytes_or_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for turn, path in enumerate(("a.npz", b"a.npz", Path("a.npz"), "./a.npz", tmp_path / "x" / ".." / "a.npz")):
        (tmp_path / "x").mkdir(exist_ok=True)
        save(path, turn)
        assert turn_of(path) == turn
