"""Every damaged checkpoint is refused with an error that says why: quickly, in small memory, executing nothing."""

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_mini import CheckpointError
from nn import read_checkpoint, write_checkpoint
from tests.damage import ARRAYS, flipped, manifest, reseal, sound
from tests.damage_members import DAMAGED, write_large

ROOT = Path(__file__).resolve().parent.parent
READER = """
import json, sys, time
from pathlib import Path
from autograd_mini import CheckpointError
from nn import read_checkpoint

def peak():
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = peak()
for path in sorted(Path(".").glob("*.npz")):
    start = time.process_time()  # the time of this process: others may make it wait
    try:
        read_checkpoint(path)
        text = "not refused"
    except CheckpointError as error:
        text = str(error)
    print(json.dumps([path.name, text, time.process_time() - start, peak() - before]), flush=True)
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, float, int]]:
    """What one process says to all of them: message, seconds and bytes of memory beyond what it had at the start."""
    folder = tmp_path_factory.mktemp("damaged")
    contents = set()
    for number, case in enumerate(DAMAGED):
        (folder / f"{number:04}.npz").write_bytes(content := case.make())
        contents.add(hashlib.sha256(content).digest())
    assert len(contents) >= 300
    write_large(folder / "large.npz")
    command = [sys.executable, "-c", READER]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=300)
    assert not (folder / "bomb-went-off").exists()
    for path in folder.glob("*.npz"):
        path.unlink()
    return {name: tuple(rest) for name, *rest in map(json.loads, done.stdout.splitlines())}  # type: ignore[misc]


def test_there_are_more_than_a_hundred_different_damaged_files(refusals: dict[str, tuple[str, float, int]]) -> None:
    assert len(refusals) > len(DAMAGED) > 300
    assert Counter((case.family, case.name) for case in DAMAGED).most_common(1)[0][1] == 1


def test_the_undamaged_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "sound.npz").write_bytes(sound())
    checkpoint = read_checkpoint(tmp_path / "sound.npz")
    assert checkpoint.manifest == {"epoch": 3}
    assert {name: (a.dtype, a.tobytes()) for name, a in checkpoint.arrays.items()} == {
        name: (a.dtype, a.tobytes()) for name, a in ARRAYS.items()
    }


@pytest.mark.parametrize("number", range(len(DAMAGED)), ids=[f"{case.family}: {case.name}"[:80] for case in DAMAGED])
def test_a_damaged_file_is_refused(number: int, refusals: dict[str, tuple[str, float, int]]) -> None:
    message, seconds, memory = refusals[f"{number:04}.npz"]
    assert message.startswith(f"{number:04}.npz is refused as a checkpoint, and nothing was loaded: ")
    assert re.search(DAMAGED[number].match, message), message
    assert message.isprintable()
    assert len(message) < 900
    assert seconds < 2
    assert memory < 200_000_000


def test_a_file_as_large_as_may_be_is_refused_in_small_memory_too(refusals: dict[str, tuple[str, float, int]]) -> None:
    message, seconds, memory = refusals["large.npz"]
    assert "the contents of 'w.npy' have the CRC 0x" in message
    assert seconds < 2
    assert memory < 200_000_000


def test_any_flipped_bit_is_noticed_and_so_it_is_with_a_new_digest(tmp_path: Path, request: Any) -> None:
    raw, path = sound(), tmp_path / "flipped.npz"
    bits = (
        range(8 * len(raw))
        if request.config.getoption("--deep")
        else [8 * i + i // 4 % 8 for i in range(0, len(raw), 4)]
    )
    for bit in bits:
        damaged = flipped(raw, bit)
        for content in [damaged] + [reseal(damaged[:-71])] * (bit < 8 * (len(raw) - 71)):
            path.write_bytes(content)
            with pytest.raises(CheckpointError, match="is refused as a checkpoint"):
                read_checkpoint(path)


def test_any_truncation_is_noticed(tmp_path: Path, request: Any) -> None:
    path = tmp_path / "short.npz"
    for length in range(0, len(sound()), 1 if request.config.getoption("--deep") else 5):
        path.write_bytes(sound()[:length])
        with pytest.raises(CheckpointError, match="is refused as a checkpoint"):
            read_checkpoint(path)


def test_a_file_of_a_terabyte_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "sparse.npz"
    path.write_bytes(sound())
    os.truncate(path, 2**40)
    with pytest.raises(
        CheckpointError, match="it has 1,099,511,627,776 bytes, but a checkpoint has 134,217,728 at most"
    ):
        read_checkpoint(path)


def test_what_is_no_plain_file_is_refused_and_does_not_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.symlink("pipe", "link to a pipe")
    os.symlink("loop", "loop")
    os.symlink("nowhere", "dangling")
    Path("file").write_bytes(sound())
    server = socket.socket(socket.AF_UNIX)
    server.bind("socket")
    server.close()
    special = "cannot be read: it is a device, a pipe or a socket"
    cases = {
        ".": "^. cannot be read: it is a folder: give the path of a file in it$",
        "pipe": special,
        "link to a pipe": special,
        "socket": special,
        "/dev/null": special,
        "/dev/zero": special,
        "loop": "loop cannot be read: Too many levels of symbolic links",
        "dangling": "cannot be read: No such file",
        "missing": "missing cannot be read: No such file or directory",
        "file/inside": "cannot be read: Not a directory",
        "x" * 9999: "x…? cannot be read: File name too long",
        "a\0b": "cannot be read: .*null",
    }
    for path, message in cases.items():
        with pytest.raises(CheckpointError, match=message):
            read_checkpoint(path)


def test_a_pipe_in_the_place_of_a_file_just_looked_at_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("stat.S_ISREG", lambda mode: True)
    with pytest.raises(CheckpointError, match=r"pipe (is refused .*: it is empty|cannot be read)"):
        read_checkpoint(tmp_path / "pipe")


def test_a_file_that_may_not_be_read_is_told_from_a_damaged_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret.npz").write_bytes(sound())

    def refuse(*arguments: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CheckpointError, match=r"secret.npz cannot be read: Permission denied$"):
        read_checkpoint(tmp_path / "secret.npz")


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shrinking.npz"
    for name in ("check_digest", "read_manifest", "check_members"):
        write_checkpoint(path, {}, {"w": np.zeros(100_000)})
        module = sys.modules["nn.checkpoint.file"]
        original: Callable[..., Any] = getattr(module, name)

        def shrink(*arguments: Any, original: Callable[..., Any] = original) -> Any:
            result = original(*arguments)
            os.truncate(path, 40)
            return result

        with monkeypatch.context() as patch:
            patch.setattr(module, name, shrink)
            with pytest.raises(CheckpointError, match="it is cut short, or being written to"):
                read_checkpoint(path)


EXPECTED = {name: (array.shape, array.dtype) for name, array in ARRAYS.items()}
UNEXPECTED: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"a": ((), float), "b": ((), float)}, "missing arrays: 'a', 'b'$"),
    "extra": ({"buffers/mask": None}, "extra arrays: 'buffers/mask'$"),
    "all are extra": (dict.fromkeys(ARRAYS), "extra arrays: 'buffers/mask', 'buffers/mean', .*'random/state'$"),
    "nine missing": ({f"a{i}": ((), float) for i in range(9)}, "missing arrays: 'a0', .*'a4' and 4 more$"),
    "a wrong shape": (
        {"buffers/mean": ((4,), float)},
        r"another shape or dtype: 'buffers/mean: float64 \(2, 2\) in the",
    ),
    "a wrong dtype": (
        {"random/state": ((5,), np.int64)},
        r"'random/state: uint32 \(5,\) in the file, int64 \(5,\) exp",
    ),
    "all at once": (
        {"a": ((), bool), "buffers/mask": None, "buffers/mean": ((), float)},
        "missing.*; extra.*; arrays of",
    ),
}


@pytest.mark.parametrize(("changed", "message"), UNEXPECTED.values(), ids=UNEXPECTED)
def test_other_arrays_than_expected_are_listed(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    (tmp_path / "sound.npz").write_bytes(sound())
    read_checkpoint(tmp_path / "sound.npz", EXPECTED)
    expected = {name: spec for name, spec in (EXPECTED | changed).items() if spec is not None}
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(tmp_path / "sound.npz", expected)


def test_the_damage_is_not_in_the_writer_of_these_tests() -> None:
    assert json.loads(manifest())["arrays"].keys() == ARRAYS.keys()
