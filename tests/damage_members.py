"""Damaged checkpoints whose digest and manifest are right, but whose members are not; and the list of all damage.

``python -m tests.damage_members FOLDER`` writes all damaged files into a folder, for a look at them.
"""

import hashlib
import os
import pickle
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.damage import (
    ARRAYS,
    DECLARED,
    FOREIGN,
    JSON,
    LIMIT,
    MASK,
    STATE,
    VERSIONS,
    Damaged,
    Member,
    W,
    archive,
    described,
    flips,
    manifest,
    members,
    npy,
    npy_of,
    reseal,
    truncations,
)

__all__ = ["DAMAGED", "Bomb", "write_large"]

W_NPY = f"parameters/{W}.npy"
NUMBERS = ARRAYS["parameters/" + W].tobytes()


class Bomb:
    """An object whose unpickling makes a file; if `bomb-went-off` is there, something was executed."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return open, ("bomb-went-off", "w")


def w(**changed: Any) -> Callable[[], bytes]:
    return lambda: archive(members(**{W: changed}))


def pickled() -> bytes:
    return npy("(1,)", "|O", pickle.dumps(np.array([Bomb()], dtype=object), protocol=4))


def deflated(raw: bytes) -> bytes:
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return machine.compress(raw) + machine.flush()


def bomb(of: str) -> Callable[[], bytes]:
    """A member of 50 MB that takes 50 kB, where its headers tell the truth."""

    def make() -> bytes:
        data = bytes(50_000_000)
        fields = {"method": 8, "size": len(data), "crc": zlib.crc32(data)}
        return archive(members(**{of: {"data": deflated(data), "both": fields}}))

    return make


def without(*names: str) -> Callable[[], bytes]:
    return lambda: archive([m for m in members() if m.name not in names])


def more(*extra: Member) -> Callable[[], bytes]:
    return lambda: archive([*members(), *extra])


def order(*places: int) -> Callable[[], bytes]:
    return lambda: archive([members()[i] for i in places])


def overlapping() -> bytes:
    """Two members of one size that share their bytes: the second entry points to the first member."""
    arrays = {"a": np.zeros(2), "b": np.zeros(2)}
    first = Member("manifest.json", manifest(arrays=described(arrays)))
    a = Member("a.npy", npy_of(arrays["a"]))
    offset = 30 + len(first.name) + len(first.data)
    return archive([first, a, Member("b.npy", a.data, central={"offset": offset})])


def nearly_all() -> bytes:
    arrays = {f"a{i:05}": np.zeros(1) for i in range(20_000)}
    raw = manifest(arrays=described(arrays))
    everything = [Member("manifest.json", raw), *(Member(f"{name}.npy", npy_of(arrays[name])) for name in arrays)]
    return archive(everything[:10_001] + everything[10_002:])


def many_entries(count: int, name: str = "a") -> Callable[[], bytes]:
    def make() -> bytes:
        raw = manifest()
        head = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0x800, 0, 0, 33, zlib.crc32(raw), len(raw), len(raw), 13, 0)
        begin = head + b"manifest.json" + raw
        entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 0x314, 20, 0x800, 0, 0, 33, 0, 0, 0, len(name), *[0] * 4, 0, 0)
        length = count * (46 + len(name))
        end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, length, len(begin), 71)
        return reseal(begin + (entry + name.encode()) * count + end)

    return make


def write_large(path: Path) -> None:
    """Write a file as large as a checkpoint may be, where all is right but the last member's CRC; mostly a hole."""
    numbers = LIMIT // 8 - 1000
    raw = manifest(arrays={"w": {"shape": [numbers], "dtype": "float64"}})
    header, size = npy(f"({numbers},)"), 128 + 8 * numbers
    whole = archive(
        [Member("manifest.json", raw), Member("w.npy", header, both={"crc": 1, "size": size, "packed": size})]
    )
    begin = whole.index(header) + len(header)
    unsealed = whole[begin:-71].replace(struct.pack("<I", begin), struct.pack("<I", begin + 8 * numbers))
    path.write_bytes(whole[:begin])
    os.truncate(path, begin + 8 * numbers)
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(unsealed)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256")
        file.seek(0, os.SEEK_END)
        file.write(b"sha256:" + digest.hexdigest().encode())


MISSING = "missing members: "
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "one missing": (without(W_NPY), f"{MISSING}'{W_NPY}'"),
    "two missing": (without(W_NPY, "buffers/mask.npy"), f"{MISSING}'buffers/mask.npy', '{W_NPY}'"),
    "all missing": (lambda: archive(members()[:1]), f"{MISSING}'buffers/mask.npy', .*'random/state.npy'"),
    "no members": (lambda: archive([]), "it begins with"),
    "nine missing": (
        lambda: archive(members(manifest(arrays=described({f"a{i}": np.zeros(1) for i in range(9)})))),
        "missing members: .*'a4.npy' and 4 more; extra members: 'buffers",
    ),
    "one extra": (more(Member("a.npy", npy_of(np.zeros(1)))), "extra members: 'a.npy'"),
    "an extra that is no array": (more(Member("readme.txt", b"hello")), "extra members: 'readme.txt'"),
    "an extra out of the folder": (more(Member("../../etc/passwd", b"root")), r"extra members: '\.\./\.\./etc/passwd'"),
    "an extra without a name": (more(Member("", b"")), "extra members: ''"),
    "an extra folder": (more(Member("parameters/", b"")), "extra members: 'parameters/'"),
    "an extra that is not UTF-8": (more(Member(b"\xff\n\x1b", b"")), "extra members: '���'"),
    "one twice": (more(members()[1]), "duplicate members: 'buffers/mask.npy'"),
    "the manifest twice": (more(Member("manifest.json", manifest(epoch=4))), "duplicate members: 'manifest.json'"),
    "all twice": (lambda: archive(members() * 2), "duplicate members: 'manifest.json', .* and 1 more"),
    "another name": (
        w(name="parameters/hidden.neuron2.w.npy"),
        "missing members: '.*1.w.npy'; extra members: '.*2.w.npy'",
    ),
    "another case": (w(name=W_NPY.upper()), "missing members: 'parameters.*'; extra members: 'PARAMETERS"),
    "no ending": (w(name="parameters/" + W), "missing members: '.*'; extra members: 'parameters/hidden.neuron1.w'"),
    "swapped": (order(0, 2, 1, 3, 4, 5), "out of order: 'buffers/mean.npy' is where 'buffers/mask.npy' belongs"),
    "reversed": (order(0, 5, 4, 3, 2, 1), "out of order: 'random/state.npy' is where"),
    "manifest last": (order(1, 2, 3, 4, 5, 0), "first member is 'buffers/mask.npy', but must be 'manifest.json'"),
    "19,999 of 20,000": (nearly_all, "missing members: 'a10000.npy'$"),
    "20 entries of nothing": (many_entries(20), "missing members: .*extra members: 'a', .*duplicate members: 'a'"),
    "65,535 entries": (many_entries(65_535), "missing members: .*extra members: 'a', .* and 65,530 more"),
    "170,000 entries": (many_entries(170_000), "missing members: .*extra members: 'a', .* and 169,995 more"),
    "500,000 entries": (many_entries(500_000), "no directory of its members"),
    "a name of 65,000 bytes": (many_entries(100, "x" * 65_000), "extra members: 'x+…'"),
}

ENTRY, HEAD, BOTH = "central", "local", "both"
DIRECTORY_OF, LOCAL_OF = f"directory's entry of '{W_NPY}'", f"local header of '{W_NPY}'"
HEADERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "compressed": (
        lambda: archive(members(**{W: {"data": deflated(npy_of(ARRAYS["parameters/" + W])), "both": {"method": 8}}})),
        f"{DIRECTORY_OF} has the compression method 8, but 0 is due: .*never compressed",
    ),
    "a compression bomb": (bomb(W), f"{DIRECTORY_OF} has the compression method 8"),
    "a compression bomb for a manifest": (
        bomb("manifest.json"),
        "local header of 'manifest.json' has the compression method 8",
    ),
    "compressed with LZMA": (w(both={"method": 14}), "compression method 14"),
    "encrypted": (w(both={"flags": 0x801}), f"{DIRECTORY_OF} has the flags 2049, but 2048 is due: encrypted"),
    "encrypted by the directory": (w(central={"flags": 0x801}), f"{DIRECTORY_OF} has the flags 2049"),
    "encrypted by the local header": (w(local={"flags": 0x801}), f"{LOCAL_OF} has the flags 2049"),
    "sizes given later": (w(both={"flags": 0x808}), "flags 2056, but 2048 is due: .*sizes given later"),
    "names not in UTF-8": (w(both={"flags": 0}), "flags 0, but 2048 is due"),
    "compressed by the local header": (w(local={"method": 8}), f"{LOCAL_OF} has the compression method 8"),
    "another date": (w(both={"date": 0x5A21}), f"{DIRECTORY_OF} has the date"),
    "another time": (w(local={"time": 1}), f"{LOCAL_OF} has the time 1"),
    "another version needed": (w(local={"needed": 45}), f"{LOCAL_OF} has the version needed 45"),
    "made by another system": (w(central={"made": 20}), f"{DIRECTORY_OF} has the version made by"),
    "another CRC in both": (
        w(both={"crc": 1}),
        f"contents of '{W_NPY}' have the CRC 0x.*, but its headers give 0x00000001",
    ),
    "another CRC in the directory": (
        w(central={"crc": 1}),
        f"{LOCAL_OF} has the CRC .*, but 1 is due: the local header and",
    ),
    "another CRC in the local header": (w(local={"crc": 1}), f"{LOCAL_OF} has the CRC 1, but"),
    "another size in the local header": (w(local={"size": 9, "packed": 9}), f"{LOCAL_OF} has the compressed size 9"),
    "4 GiB in the local header": (w(local={"size": 2**32 - 1}), f"{LOCAL_OF} has the size 4294967295, but 200 is due"),
    "4 GiB in the directory": (w(central={"size": 2**32 - 1}), f"{DIRECTORY_OF} has the size 4294967295, but 200"),
    "another name in the local header": (
        w(local_name=W_NPY[:-5] + "v.npy"),
        f"{LOCAL_OF} has the name 'p.*v.npy', but 'p.*w.npy' is due",
    ),
    "a longer name in the local header": (
        w(local_name=W_NPY + "x"),
        "'random/state.npy' has the offset 1223, but 1222 is due",
    ),
    "an extra field": (w(extra=b"UT\5\0\1abcd"), f"{DIRECTORY_OF} has the length of the extra field 9, but 0"),
    "a zip64 field": (w(extra=b"\1\0\x10\0" + bytes(16), both={"size": 2**32 - 1}), f"{DIRECTORY_OF} has the size 429"),
    "a comment": (w(comment=b"hello"), f"{DIRECTORY_OF} has the length of the comment 5"),
    "on another disk": (w(central={"disk": 1}), f"{DIRECTORY_OF} has the disk 1, but 0 is due"),
    "text": (w(central={"internal": 1}), f"{DIRECTORY_OF} has the internal attributes 1"),
    "a symbolic link": (w(central={"external": 0o120777 << 16}), f"{DIRECTORY_OF} has the external attributes"),
    "the place of another member": (
        w(central={"offset": 0}),
        "has the offset 0, but .* is due: members neither overlap",
    ),
    "a place behind the file": (
        w(central={"offset": 2**32 - 1}),
        "offset 4294967295, but .* neither overlap nor leave gaps",
    ),
    "two members in one place": (overlapping, "entry of 'b.npy' has the offset .*: members neither overlap"),
    "a gap between members": (
        w(before=b"hidden bytes"),
        "has the offset .* is due: members neither overlap nor leave gaps",
    ),
    "a gap before the directory": (
        lambda: archive(members(), gap=b"hidden bytes"),
        "end record has the offset of the dir",
    ),
    "a gap before the end record": (lambda: archive(members(), before_end=b"hidden"), "no directory of its members"),
    "a signature before the end record": (
        lambda: archive(members(), before_end=bytes(6), length=504),
        "no directory|entry 6 of its",
    ),
    "another count": (lambda: archive(members(), count=5), "end record has the number of entries 5, but 6 is due"),
    "another count here": (lambda: archive(members(), here=65_535), "end record has the number of entries here 65535"),
    "a second disk": (lambda: archive(members(), disk=1), "end record has the disk 1, but 0 is due"),
    "a directory on a second disk": (lambda: archive(members(), start=1), "end record has the disk of the directory 1"),
    "a long directory": (lambda: archive(members(), length=2**32 - 1), "no directory of its members"),
    "a directory of no length": (lambda: archive(members(), length=0), "no directory of its members"),
    "a directory elsewhere": (lambda: archive(members(), offset=0), "no directory of its members"),
    "another length of the digest": (
        lambda: archive(members(), comment=70),
        "end record has the length of the comment 70",
    ),
    "a manifest's local header": (
        lambda: archive(members(**{"manifest.json": {"local": {"flags": 0}}})),
        "local header of 'manifest.json' has the flags 0",
    ),
    "a manifest of another CRC": (
        lambda: archive(members(**{"manifest.json": {"both": {"crc": 1}}})),
        "contents of 'manifest.json' have the CRC",
    ),
    "a manifest's size in the directory": (
        lambda: archive(members(**{"manifest.json": {"central": {"size": 1}}})),
        "entry of 'manifest.json' has the size 1",
    ),
    "a manifest behind the file": (
        lambda: archive(members(**{"manifest.json": {"both": {"size": 10**6, "packed": 10**6}}})),
        "'manifest.json' claims to have 1,000,000 bytes",
    ),
}

OBJECTS = "is an object array .*, whose reading could run code"
SAYS = f"header of '{W_NPY}' says "
ARRAYS_IN_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a pickle of the right size": (
        w(data=npy("(9,)", "|O", pickle.dumps(np.array([Bomb()], dtype=object)))[:200].ljust(200, b".")),
        f"'{W_NPY}' {OBJECTS}",
    ),
    "objects in fields": (w(data=npy("(9,)", "|O", NUMBERS).replace(b"'|O'", b"[('a','O')]")[:200]), OBJECTS),
    "a pickle": (w(data=pickled()), "has the compressed size .*, but 200 is due"),
    "a pickle with no header": (w(data=pickle.dumps(Bomb()).ljust(200, b".")), SAYS),
    "big-endian": (w(data=npy("(9,)", ">f8", NUMBERS)), f"{SAYS}.*>f8.*, but the manifest asks for .*<f8"),
    "Fortran order": (w(data=npy("(9,)", "<f8", NUMBERS, order="True")), f"{SAYS}.*'fortran_order': True"),
    "another shape": (
        w(data=npy("(3, 3)", "<f8", NUMBERS)),
        rf"{SAYS}.*\(3, 3\).*, but the manifest asks for .*\(9,\)",
    ),
    "a huge shape": (w(data=npy("(10000000000000,)", "<f8", NUMBERS)), rf"{SAYS}.*\(10000000000000,\)"),
    "another dtype": (w(data=npy("(9,)", "<i8", NUMBERS)), f"{SAYS}.*<i8"),
    "version 2.0": (w(data=npy("(9,)", "<f8", NUMBERS, version=b"\2\0")), SAYS),
    "version 1.1": (w(data=npy("(9,)", "<f8", NUMBERS, version=b"\1\1")), SAYS),
    "code for a shape": (w(data=npy("__import__('os').abort()", "<f8", NUMBERS)[:200]), SAYS),
    "zeros": (w(data=bytes(200)), SAYS),
    "empty": (w(data=b""), "has the compressed size 0, but 200 is due"),
    "only a header": (w(data=npy("(9,)")), "has the compressed size 128, but 200 is due"),
    "a byte less": (w(data=npy("(9,)", "<f8", NUMBERS[:-1])), "has the compressed size 199, but 200 is due"),
    "a byte more": (w(data=npy("(9,)", "<f8", NUMBERS + b"\0")), "has the compressed size 201, but 200 is due"),
    "a bool of 2": (
        lambda: archive(members(**{MASK: {"data": npy("(3,)", "|b1", b"\0\1\2")}})),
        "'buffers/mask.npy' holds a byte that is neither 0 nor 1",
    ),
    "a mask for a state": (
        lambda: archive(members(**{STATE: {"data": npy("(3,)", "|b1", b"\0\1\0")}})),
        "'random/state.npy' has the compressed size 131, but 148",
    ),
}


def resealed() -> Iterator[Damaged]:
    """The same flips, but with a right digest: now the checks of the structure must refuse them."""
    for flip in flips():
        if "digest" not in flip.name:
            yield Damaged("resealed flip", flip.name, lambda flip=flip: reseal(flip.make()[:-71]), "")  # type: ignore[misc]


TABLES = {
    "foreign": FOREIGN,
    "version": VERSIONS,
    "json": JSON,
    "declared": DECLARED,
    "members": FILES,
    "headers": HEADERS,
    "arrays": ARRAYS_IN_FILES,
}
DAMAGED = [
    *flips(),
    *truncations(),
    *resealed(),
    *(Damaged(family, name, *case) for family, table in TABLES.items() for name, case in table.items()),
]

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(DAMAGED):
        (folder / f"{number:04}-{case.family}.npz").write_bytes(case.make())
    print(f"{len(DAMAGED)} damaged files are in {folder}")
