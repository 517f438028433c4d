"""The bytes of a checkpoint: a zip archive in which nothing is left to choice, so that every byte can be checked.

Only names, sizes and CRCs vary from member to member; the reader makes the rest with the code of the writer, and
compares. Sources: PKWARE's APPNOTE.TXT (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT) and NumPy's NEP 1
(https://numpy.org/neps/nep-0001-npy-format.html), version 1.0 of the .npy format.
"""

import hashlib
import itertools
import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CENTRAL", "DTYPES", "END", "LARGEST_FILE", "LOCAL", "MANIFEST", "SEAL", "Spec", "central_header",
           "end_record", "file_parts", "local_header", "size_of_file"]  # fmt: skip

MANIFEST = "manifest.json"
DTYPES = {"float64": "<f8", "int64": "<i8", "uint32": "<u4", "bool": "|b1"}
LARGEST_FILE = 2**27
MOST_SIDES = 32

LOCAL, CENTRAL, END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")
SEAL = len("sha256:") + 64
# Version 2.0, names in UTF-8, stored, midnight of 1980-01-01; the directory adds Unix and the mode -rw-r--r--.
COMMON = (20, 0x800, 0, 0, 0x21)
UNIX, MODE = 3 << 8 | 20, 0o100644 << 16


class Spec(NamedTuple):
    """Shape and dtype of an array, and so the exact size of its member."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def header(self) -> bytes:
        # Not with NumPy's writer: the room it leaves for a longer shape has changed between its versions.
        text = f"{{'descr': '{DTYPES[self.dtype]}', 'fortran_order': False, 'shape': {self.shape}, }}"
        text += " " * (-(len(text) + 11) % 64) + "\n"
        return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode("ascii")

    @property
    def size(self) -> int:
        return len(self.header) + math.prod(self.shape) * np.dtype(DTYPES[self.dtype]).itemsize

    def objection(self) -> str | None:
        """What is wrong with it as the description of an array in a checkpoint; None if nothing is."""
        if self.dtype not in DTYPES:
            return f"dtype {self.dtype!r:.40}, but a checkpoint holds {', '.join(DTYPES)}"
        if len(self.shape) > MOST_SIDES:
            return f"{len(self.shape)} dimensions, but may have {MOST_SIDES}"
        # A side of 0 counts as 1: (0, 10**30) holds nothing, and no NumPy can make it.
        if min(self.shape, default=0) < 0 or math.prod(side or 1 for side in self.shape) > LARGEST_FILE // 8:
            return f"shape {self.shape!r:.60}, but may hold {LARGEST_FILE // 8:,} numbers"
        return None


def size_of_file(manifest: int, specs: Mapping[str, Spec]) -> int:
    """How many bytes a checkpoint has with a manifest of so many bytes and these arrays."""
    sizes = [(MANIFEST, manifest), *((f"{name}.npy", spec.size) for name, spec in specs.items())]
    return sum(LOCAL.size + CENTRAL.size + 2 * len(name.encode()) + size for name, size in sizes) + END.size + SEAL


def local_header(name: bytes, size: int, crc: int) -> bytes:
    """What stands before a member."""
    return LOCAL.pack(b"PK\3\4", *COMMON, crc, size, size, len(name), 0) + name


def central_header(name: bytes, size: int, crc: int, offset: int) -> bytes:
    """The entry of a member in the directory, which follows the last member."""
    return CENTRAL.pack(b"PK\1\2", UNIX, *COMMON, crc, size, size, len(name), 0, 0, 0, 0, MODE, offset) + name


def end_record(count: int, size: int, offset: int) -> bytes:
    """What follows the directory, up to the comment."""
    return END.pack(b"PK\5\6", 0, 0, count, count, size, offset, SEAL)


def file_parts(manifest: bytes, specs: Mapping[str, Spec], arrays: Mapping[str, NDArray[Any]]) -> Iterator[bytes]:
    """Give the bytes of the file part by part, the digest last; one array is copied at a time."""
    members = (
        (f"{name}.npy", spec.header, arrays[name].astype(DTYPES[spec.dtype]).tobytes()) for name, spec in specs.items()
    )
    digest, directory, offset = hashlib.sha256(), [], 0
    for name, header, contents in itertools.chain([(MANIFEST, b"", manifest)], members):
        size, crc = len(header) + len(contents), zlib.crc32(contents, zlib.crc32(header))
        directory.append(central_header(name.encode(), size, crc, offset))
        for part in (local_header(name.encode(), size, crc), header, contents):
            digest.update(part)
            offset += len(part)
            yield part
    entries = b"".join(directory)
    last = entries + end_record(len(directory), len(entries), offset)
    digest.update(last)
    yield last + b"sha256:" + digest.hexdigest().encode()
