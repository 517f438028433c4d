"""NumPy's NPZ files: named arrays, read without ever running what a file holds."""

import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd_mini.printing import printable

__all__ = ["read_arrays"]

# What zipfile, zlib and NumPy's reader raise for bytes that are not what their headers say.
_DAMAGES = (ValueError, OSError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)


def read_arrays(path: str | os.PathLike[str], *names: str) -> list[NDArray[Any]]:
    """Read the arrays of these names, without pickle.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is not an NPZ file, is damaged, lacks an array, or has Python objects in one.
    """
    name = printable(Path(path).name, 60)
    with Path(path).open("rb") as file:
        if not zipfile.is_zipfile(file):
            fix = "write it with numpy.savez(...), and if you did, copy it again: its end may be cut off"
            raise ValueError(f"{name} is not an NPZ file: {fix}")
        file.seek(0)
        try:
            stored = np.load(file, allow_pickle=False)
            found = stored.files
        except _DAMAGES as error:
            raise ValueError(
                f"{name} is a damaged NPZ file ({printable(str(error), 100)}): write or copy it again"
            ) from error
        for wanted in names:
            if wanted not in found:
                there = ", ".join(repr(printable(one)) for one in found[:10]) or "none"
                raise ValueError(f"{name} has no array {wanted!r:.60}; the names in it are {there}: say which to take")
        return [_member(name, stored, wanted) for wanted in names]


def _member(name: str, stored: Any, wanted: str) -> NDArray[Any]:
    try:
        array = stored[wanted]
    except _DAMAGES as error:
        if "allow_pickle" in str(error):
            fix = "store numbers, such as array.astype(float)"
            raise ValueError(f"{name}: the array {wanted!r} holds Python objects, which are not read: {fix}") from None
        what = f"{name}: the array {wanted!r} is damaged ({printable(str(error) or type(error).__name__, 100)})"
        raise ValueError(f"{what}: write or copy it again") from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name}: {wanted!r} is not an array: write the file with numpy.savez(...)")
    return array
