"""Saving to and reading from a checkpoint file: everything is checked before anything is written or returned."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from autograd_mini.errors import CheckpointError
from autograd_mini.printing import always_answers, printable
from nn.atomic import replace_file
from nn.checkpoint.archive import DTYPES, LARGEST_FILE, LOCAL, MANIFEST, Spec, file_parts, size_of_file
from nn.checkpoint.checks import check_digest, check_members, exactly, read_manifest
from nn.checkpoint.manifest import decoded, encoded
from nn.checkpoint.names import listed, name_objection

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]

FORMAT, VERSION = "autograd_mini checkpoint", 1
RESERVED = ("arrays", "format", "version")
MOST_ARRAYS = 20_000


@dataclass(frozen=True, eq=False, repr=False)
class Checkpoint:
    """What a checkpoint file holds.

    Args:
        manifest: what was given to `write_checkpoint`, with lists for tuples.
        arrays: the arrays by name, in the order of their names; each is a copy of its own that may be written to.
    """

    manifest: dict[str, Any]
    arrays: dict[str, NDArray[Any]]

    @always_answers
    def __repr__(self) -> str:
        numbers = sum(array.size for array in self.arrays.values())
        return f"Checkpoint({listed(self.manifest) or 'empty manifest'}; arrays={len(self.arrays)}, numbers={numbers})"


def write_checkpoint(
    path: str | os.PathLike[str], manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Save a manifest and arrays in one file, which replaces an older one in one indivisible step.

    The same content gives the same bytes, whatever the order of the mappings. docs/checkpoint_format.md says how to
    read the file without this project.

    Args:
        path: the file; by custom its name ends in .npz. The folder must be there.
        manifest: what JSON can hold: text keys, finite numbers; not "format", "version" or "arrays".
        arrays: NumPy arrays of float64, int64, uint32 or bool by name, such as "parameters/hidden.neuron1.w".

    Raises:
        TypeError: a name that is not text, something that is not an array, or that JSON has no word for.
        ValueError: another dtype, an illegal name, a number that is not finite, or more than a checkpoint may hold.
        CheckpointError: the file could not be saved (full disk, read-only or missing folder); the old one is untouched.

    Example:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = folder.name + "/first.npz"
        >>> write_checkpoint(path, {"epoch": 3}, {"parameters/w": np.array([0.5, -0.5])})
        >>> read_checkpoint(path)
        Checkpoint('epoch'; arrays=1, numbers=2)
        >>> np.load(path)["parameters/w"]
        array([ 0.5, -0.5])
        >>> folder.cleanup()
    """
    if taken := [key for key in RESERVED if key in manifest]:
        raise ValueError(f"the manifest has the keys {listed(taken)}, which the file itself uses: rename them")
    if len(arrays) > MOST_ARRAYS:
        raise ValueError(f"there are {len(arrays):,} arrays, but {MOST_ARRAYS:,} are the limit: join small ones")
    for name, array in arrays.items():
        _check_array(name, array)
    specs = {name: Spec(arrays[name].shape, arrays[name].dtype.name) for name in sorted(arrays)}
    described = {name: spec._asdict() for name, spec in specs.items()}
    raw = encoded({**manifest, "format": FORMAT, "version": VERSION, "arrays": described})
    if (size := size_of_file(len(raw), specs)) > LARGEST_FILE:
        raise ValueError(
            f"the checkpoint would have {size:,} bytes, but {LARGEST_FILE:,} are the limit: save less in it"
        )
    replace_file(path, file_parts(raw, specs, arrays))


def _check_array(name: Any, array: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the name of an array is {name!r:.60}, but must be text, such as 'parameters/hidden.w'")
    if objection := name_objection(name):
        raise ValueError(f"{name!r:.60} is not a legal name of an array: {objection}")
    if type(array) is not np.ndarray:
        found = f"{printable(repr(array), 60)} ({type(array).__name__})"
        raise TypeError(f"{name} is {found}, but must be a NumPy array: use np.array(...)")
    if objection := Spec(array.shape, array.dtype.name).objection():
        raise ValueError(f"{name} has {objection}: convert it with .astype(...), or save less in it")


def read_checkpoint(
    path: str | os.PathLike[str], expected: Mapping[str, tuple[tuple[int, ...], DTypeLike]] | None = None
) -> Checkpoint:
    """Read a checkpoint, after every byte of it has been checked; nothing in it is ever executed.

    Args:
        path: a file that `write_checkpoint` made.
        expected: the shape and dtype of each array that must be in it, by name; None takes whatever there is.

    Returns:
        A `Checkpoint` with the manifest and the arrays.

    Raises:
        CheckpointError: no such file, or not a plain file; a file that is damaged, from another program or from a newer
            version; or other arrays than `expected`.

    Example:
        >>> read_checkpoint("no/such.npz")
        Traceback (most recent call last):
        ...
        autograd_mini.errors.CheckpointError: no/such.npz cannot be read: No such file or directory
    """
    shown = printable(os.fsdecode(path), 300)
    try:
        with _plain_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            try:
                check_digest(file, size)
                raw = read_manifest(file, size)
                manifest, specs = _described(decoded(raw))
                check_members(file, size, raw, specs)
                if expected is not None:
                    _check_expected(specs, expected)
                return Checkpoint(manifest, _arrays(file, len(raw), specs))
            except CheckpointError as error:
                raise CheckpointError(f"{shown} is refused as a checkpoint, and nothing was loaded: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{shown} cannot be read: {error.strerror or error}") from error


def _plain_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file; opening a pipe or a device could wait for ever, or do something."""
    try:
        mode = os.stat(path).st_mode
    except ValueError as error:  # a path with a NUL in it
        raise OSError(str(error)) from None
    if not stat.S_ISREG(mode):
        kind = "a folder: give the path of a file in it" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
        raise OSError(f"it is {kind}")
    # Not blocking, in case a pipe has taken the place of the file just now.
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))


def _described(manifest: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Spec]]:
    """Split a manifest into what was given to `write_checkpoint` and the description of the arrays."""
    form, version, arrays = (manifest.pop(key, None) for key in ("format", "version", "arrays"))
    if form != FORMAT:
        raise CheckpointError(f"its format is {form!r:.60}, but must be {FORMAT!r}: another program wrote it")
    if type(version) is not int or version < 1:
        raise CheckpointError(f"its version is {version!r:.60}, but must be a whole number, 1 or more")
    if version > VERSION:
        formats = f"format {printable(str(version))}, this one reads {VERSION}"
        raise CheckpointError(f"it was written by a newer version of autograd_mini: {formats}; update autograd_mini")
    if not isinstance(arrays, dict) or len(arrays) > MOST_ARRAYS:
        raise CheckpointError(f"the manifest's 'arrays' is not an object in braces, or holds more than {MOST_ARRAYS:,}")
    specs = {}
    for name in sorted(arrays):
        if objection := name_objection(name):
            raise CheckpointError(f"the manifest names an array {name!r:.60}, which is illegal: {objection}")
        match arrays[name]:
            case {"shape": list(shape), "dtype": str(dtype), **rest} if not rest and {int} >= set(map(type, shape)):
                specs[name] = Spec(tuple(shape), dtype)
            case other:
                legal = '{"shape": [2, 3], "dtype": "float64"}'
                raise CheckpointError(f"the manifest describes {name!r:.60} as {other!r:.60}, but must so: {legal}")
        if objection := specs[name].objection():
            raise CheckpointError(f"the manifest gives {name!r:.60} {objection}")
    return manifest, specs


def _check_expected(specs: Mapping[str, Spec], expected: Mapping[str, tuple[tuple[int, ...], DTypeLike]]) -> None:
    due = {name: Spec(tuple(shape), np.dtype(dtype).name) for name, (shape, dtype) in expected.items()}
    faults = {
        "missing arrays": [name for name in due if name not in specs],
        "extra arrays": [name for name in specs if name not in due],
        "arrays of another shape or dtype": [
            f"{name}: {_spelt(specs[name])} in the file, {_spelt(due[name])} expected"
            for name in due
            if name in specs and specs[name] != due[name]
        ],
    }
    if told := [f"{what}: {listed(names)}" for what, names in faults.items() if names]:
        raise CheckpointError("; ".join(told))


def _spelt(spec: Spec) -> str:
    return f"{spec.dtype} {spec.shape}"


def _arrays(file: BinaryIO, begin: int, specs: Mapping[str, Spec]) -> dict[str, NDArray[Any]]:
    """Copy the arrays out of a file that has passed the checks."""
    arrays = {}
    file.seek(LOCAL.size + len(MANIFEST) + begin)
    for name, spec in specs.items():
        file.seek(LOCAL.size + len(f"{name}.npy".encode()) + len(spec.header), os.SEEK_CUR)
        stored = np.ndarray(spec.shape, DTYPES[spec.dtype], exactly(file, spec.size - len(spec.header)))
        arrays[name] = stored.astype(spec.dtype)
    return arrays
