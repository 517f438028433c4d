"""The checks of a checkpoint's bytes, in small memory: the digest first, then every field of every header."""

import hashlib
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, NoReturn

from autograd_mini.errors import CheckpointError
from autograd_mini.printing import printable
from nn.checkpoint.archive import (
    CENTRAL,
    END,
    LARGEST_FILE,
    LOCAL,
    MANIFEST,
    SEAL,
    Spec,
    central_header,
    end_record,
    local_header,
)
from nn.checkpoint.manifest import LARGEST_MANIFEST
from nn.checkpoint.names import listed

__all__ = ["check_digest", "check_members", "exactly", "read_manifest"]

LARGEST_DIRECTORY = 2**23
CHUNK = 2**20

_SHARED = ("flags", "compression method", "time", "date", "CRC", "compressed size", "size", "length of the name",
           "length of the extra field")  # fmt: skip
FIELDS: dict[bytes, tuple[struct.Struct, tuple[str, ...]]] = {
    b"PK\3\4": (LOCAL, ("signature", "version needed", *_SHARED)),
    b"PK\1\2": (CENTRAL, ("signature", "version made by", "version needed", *_SHARED, "length of the comment", "disk",
                          "internal attributes", "external attributes", "offset")),
    b"PK\5\6": (END, ("signature", "disk", "disk of the directory", "number of entries here", "number of entries",
                      "size of the directory", "offset of the directory", "length of the comment")),
}  # fmt: skip
REASONS = {
    "flags": "encrypted members and sizes given later are not allowed",
    "compression method": "members are stored as they are, never compressed",
    "CRC": "the local header and the directory must agree",
    "compressed size": "so the manifest's shape and dtype say",
    "size": "so the manifest's shape and dtype say",
    "offset": "members neither overlap nor leave gaps",
}


def check_digest(file: BinaryIO, size: int) -> None:
    """Read the whole file once, and hold it to the digest that its last bytes are."""
    if not size:
        _refuse("it is empty (0 bytes)")
    begin = file.read(4)
    if begin != b"PK\3\4":
        _refuse(f"it begins with {begin!r}, but a checkpoint is a zip file, which begins with b'PK\\x03\\x04'")
    if size > LARGEST_FILE:
        _refuse(f"it has {size:,} bytes, but a checkpoint has {LARGEST_FILE:,} at most")
    file.seek(max(size - SEAL, 0))
    seal = file.read(SEAL)
    if not re.fullmatch(rb"sha256:[0-9a-f]{64}", seal):
        causes = "it was cut short, something was appended, or another program wrote it"
        _refuse(f"it does not end in its digest (sha256:...): {causes}")
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in _chunks(file, size - SEAL):
        digest.update(chunk)
    if seal != b"sha256:" + digest.hexdigest().encode():
        written = f"but the digest at its end is {seal[7:19].decode()}..."
        _refuse(f"its bytes give the digest {digest.hexdigest()[:12]}..., {written}: at least one bit was changed")


def read_manifest(file: BinaryIO, size: int) -> bytes:
    """Read the first member; its place and its header are the same in all versions of the format."""
    file.seek(0)
    header = exactly(file, LOCAL.size)
    *_, crc, _, length, name_length, _ = LOCAL.unpack(header)
    name = exactly(file, name_length)
    if name != MANIFEST.encode():
        found = printable(name.decode(errors="replace"))
        _refuse(f"its first member is '{found}', but must be '{MANIFEST}': another program wrote it")
    _compare(f"the local header of '{MANIFEST}'", header + name, local_header(name, length, crc))
    if length > min(LARGEST_MANIFEST, size - file.tell()):
        limit = f"but {LARGEST_MANIFEST:,} are the limit, and they must be in the file"
        _refuse(f"'{MANIFEST}' claims to have {length:,} bytes, {limit}")
    return exactly(file, length)


def check_members(file: BinaryIO, size: int, manifest: bytes, specs: Mapping[str, Spec]) -> None:
    """Hold the directory, and then each member, to what the manifest says; contents are read, but not kept."""
    sizes = {MANIFEST.encode(): len(manifest)} | {f"{name}.npy".encode(): spec.size for name, spec in specs.items()}
    entries, end = _directory(file, size)
    _check_names([name for name, _ in entries], list(sizes))
    if sum(sizes.values()) > size:
        largest = listed(sorted(specs, key=lambda name: -specs[name].size), 3)
        needed = f"its arrays have {sum(sizes.values()):,} bytes by their shapes"
        _refuse(f"{needed}, but it has {size:,}; largest: {largest}")
    offset, crcs = 0, []
    for name, entry in entries:
        crcs.append(CENTRAL.unpack_from(entry)[7])
        due = central_header(name, sizes[name], crcs[-1], offset)
        _compare(f"the directory's entry of {_quoted(name)}", entry, due)
        offset += LOCAL.size + len(name) + sizes[name]
    _compare("the end record", end, end_record(len(entries), sum(len(entry) for _, entry in entries), offset))
    file.seek(0)
    for (name, _), crc, spec in zip(entries, crcs, (None, *specs.values()), strict=True):
        due = local_header(name, sizes[name], crc)
        _compare(f"the local header of {_quoted(name)}", exactly(file, len(due)), due)
        header = b"" if spec is None else spec.header
        if (found := exactly(file, len(header))) != header:
            _refuse_header(name, found, header)
        _check_contents(file, name, sizes[name] - len(header), zlib.crc32(header), crc, spec)


def _directory(file: BinaryIO, size: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Read the directory without trusting it: each member's name and entry, and the end record."""
    place = size - SEAL - END.size
    file.seek(max(place, 0))
    end = exactly(file, END.size)
    *_, length, offset, _ = END.unpack(end)
    if end[:4] != b"PK\5\6" or offset + length != place or length > LARGEST_DIRECTORY:
        _refuse("it has no directory of its members before the digest, or one of a wrong size")
    file.seek(offset)
    raw, begin = exactly(file, length), 0
    entries: list[tuple[bytes, bytes]] = []
    while begin < length:
        if begin + CENTRAL.size > length or raw[begin : begin + 4] != b"PK\1\2":
            _refuse(f"entry {len(entries)} of its directory is not one")
        lengths = CENTRAL.unpack_from(raw, begin)[10:13]
        end_of_name = begin + CENTRAL.size + lengths[0]
        following = begin + CENTRAL.size + sum(lengths)
        entries.append((raw[begin + CENTRAL.size : end_of_name], raw[begin:following]))
        begin = following
    return entries, end


def _check_names(found: Sequence[bytes], due: Sequence[bytes]) -> None:
    """Both directory and manifest list the members, each once and in one order."""
    if found == due:
        return
    counts, wanted = Counter(found), set(due)
    faults = {
        "missing": [name for name in due if name not in counts],
        "extra": [name for name in found if name not in wanted],
        "duplicate": [name for name, count in counts.items() if count > 1],
    }
    told = [f"{what} members: {listed(map(_text, names))}" for what, names in faults.items() if names]
    if not told:
        place = next(i for i, (a, b) in enumerate(zip(found, due, strict=True)) if a != b)
        told = [f"its members are out of order: {_quoted(found[place])} is where {_quoted(due[place])} belongs"]
    _refuse("; ".join(told))


def _compare(what: str, found: bytes, due: bytes) -> None:
    """Compare two headers byte for byte, and name the first field that differs."""
    if found == due:
        return
    layout, fields = FIELDS[due[:4]]
    pairs = zip(fields, layout.unpack_from(found), layout.unpack_from(due), strict=True)
    field, is_, must_be = next(
        (row for row in pairs if row[1] != row[2]), ("name", _text(found[layout.size :]), _text(due[layout.size :]))
    )
    reason = f": {REASONS[field]}" if field in REASONS else ""
    _refuse(f"{what} has the {field} {is_!r:.80}, but {must_be!r:.80} is due{reason}")


def _refuse_header(name: bytes, found: bytes, due: bytes) -> NoReturn:
    described = [printable(header[10:].decode("latin-1").strip(), 100) for header in (found, due)]
    if re.search(rb"'descr':[^}]*O", found):
        _refuse(f"{_quoted(name)} is an object array ({described[0]}), whose reading could run code")
    _refuse(f"the header of {_quoted(name)} says {described[0]}, but the manifest asks for {described[1]}")


def _check_contents(file: BinaryIO, name: bytes, length: int, crc: int, due: int, spec: Spec | None) -> None:
    for chunk in _chunks(file, length):
        crc = zlib.crc32(chunk, crc)
        if spec and spec.dtype == "bool" and chunk.translate(None, b"\0\1"):
            _refuse(f"{_quoted(name)} holds a byte that is neither 0 nor 1, but its dtype is bool")
    if crc != due:
        _refuse(f"the contents of {_quoted(name)} have the CRC {crc:#010x}, but its headers give {due:#010x}")


def exactly(file: BinaryIO, length: int) -> bytes:
    """Read so many bytes, or refuse the file."""
    raw = file.read(length)
    if len(raw) < length:
        _refuse(f"it ends at byte {file.tell():,}, in the middle of something: it is cut short, or being written to")
    return raw


def _chunks(file: BinaryIO, length: int) -> Iterator[bytes]:
    for begin in range(0, length, CHUNK):
        yield exactly(file, min(CHUNK, length - begin))


def _text(name: bytes) -> str:
    return name.decode(errors="replace")


def _quoted(name: bytes) -> str:
    return listed([_text(name)])


def _refuse(reason: str) -> NoReturn:
    raise CheckpointError(reason)
