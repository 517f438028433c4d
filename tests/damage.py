"""Damaged checkpoints, made by hand: a second writer of the format, which can be told to get any field wrong.

The members are damaged in damage_members.py, which has the list of all.
"""

import functools
import gzip
import hashlib
import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FORMAT = "autograd_mini checkpoint"
ARRAYS = {
    "buffers/mean": np.array([[0.5, -0.0], [np.nan, np.inf]]),
    "buffers/mask": np.array([True, False, True]),
    "optimizer/steps": np.array(7, dtype=np.int64),
    "parameters/hidden.neuron1.w": np.linspace(-1, 1, 9),
    "random/state": np.arange(5, dtype=np.uint32),
}
HUGE = 2**21
LIMIT = 2**27


@dataclass
class Member:
    """A member of the zip; `both`, `local` and `central` set fields of its headers to something else."""

    name: str | bytes
    data: bytes
    both: dict[str, int] = field(default_factory=dict)
    local: dict[str, int] = field(default_factory=dict)
    central: dict[str, int] = field(default_factory=dict)
    local_name: str | bytes | None = None
    extra: bytes = b""
    comment: bytes = b""
    before: bytes = b""


def text(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else name.encode()


def archive(members: list[Member], *, gap: bytes = b"", before_end: bytes = b"", **end: int) -> bytes:
    """Write a zip as the format says, but for what the members and `end` change, and seal it with a right digest."""
    out, directory = bytearray(), bytearray()
    for m in members:
        name, short = text(m.name), text(m.name if m.local_name is None else m.local_name)
        out += m.before
        value = {
            "needed": 20, "flags": 0x800, "method": 0, "time": 0, "date": 0x21, "crc": zlib.crc32(m.data),
            "packed": len(m.data), "size": len(m.data), "made": 0x314, "disk": 0, "internal": 0,
            "external": 0o100644 << 16, "offset": len(out),
        } | m.both  # fmt: skip
        at, there = value | m.local, value | m.central
        order = ("needed", "flags", "method", "time", "date", "crc", "packed", "size")
        out += struct.pack("<4s5H3I2H", b"PK\3\4", *(at[key] for key in order), len(short), 0) + short + m.data
        head = (there["made"], *(there[key] for key in order), len(name), len(m.extra), len(m.comment))
        tail = (there["disk"], there["internal"], there["external"], there["offset"])
        directory += struct.pack("<4s6H3I5H2I", b"PK\1\2", *head, *tail) + name + m.extra + m.comment
    out += gap
    value = {
        "disk": 0, "start": 0, "here": len(members), "count": len(members), "length": len(directory),
        "offset": len(out), "comment": 71,
    } | end  # fmt: skip
    return reseal(bytes(out + directory) + before_end + struct.pack("<4s4H2IH", b"PK\5\6", *value.values()))


def reseal(unsealed: bytes) -> bytes:
    return unsealed + b"sha256:" + hashlib.sha256(unsealed).hexdigest().encode()


def npy(
    shape: Any, descr: str = "<f8", payload: bytes = b"", *, order: str = "False", version: bytes = b"\1\0"
) -> bytes:
    header = f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header.encode() + payload


def npy_of(array: Any) -> bytes:
    return npy(array.shape, array.dtype.str, array.tobytes())


def described(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: {"shape": list(a.shape), "dtype": a.dtype.name} for name, a in arrays.items()}


def manifest(**changed: Any) -> bytes:
    whole = {"format": FORMAT, "version": 1, "arrays": described(ARRAYS), "epoch": 3} | changed
    return json.dumps({key: value for key, value in whole.items() if value is not ...}, sort_keys=True).encode()


def members(raw: bytes | None = None, **changed: Any) -> list[Member]:
    """The members of a sound file; the options set fields of single members, as `mean={"both": {...}}`."""
    first = {"name": "manifest.json", "data": manifest() if raw is None else raw} | changed.pop("manifest.json", {})
    found = [Member(**first)]
    for name in sorted(ARRAYS):
        options = {"name": f"{name}.npy", "data": npy_of(ARRAYS[name])} | changed.pop(name.rpartition("/")[2], {})
        found.append(Member(**options))
    assert not changed, list(changed)
    return found


@functools.cache
def sound() -> bytes:
    return archive(members())


W, MASK, STATE = "hidden.neuron1.w", "mask", "state"


@dataclass(frozen=True)
class Damaged:
    """A damaged file: which family it is of, how to make it, and what the error must say."""

    family: str
    name: str
    make: Callable[[], bytes]
    match: str


def regions() -> dict[str, tuple[int, int]]:
    """Where each field of the sound file begins and ends."""
    raw, places = sound(), {}
    layouts = {
        b"PK\3\4": ((4, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2), "local header"),
        b"PK\1\2": ((4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4), "directory"),
        b"PK\5\6": ((4, 2, 2, 2, 2, 4, 4, 2), "end record"),
    }
    at, number = 0, 0
    while at < len(raw) - 71:
        widths, what = layouts[raw[at : at + 4]]
        start = at
        for i, width in enumerate(widths):
            places[f"{what} {number}, field {i}"] = (at, at + width)
            at += width
        if what == "local header":
            size, name = struct.unpack_from("<IH", raw, start + 22)
            places[f"local name {number}"] = (at, at + name)
            places[f"contents {number}"] = (at + name, at + name + size)
            at += name + size
        elif what == "directory":
            (name,) = struct.unpack_from("<H", raw, start + 28)
            places[f"name in the directory {number}"] = (at, at + name)
            at += name
        number += 1
    return places | {"digest": (len(raw) - 71, len(raw))}


def flipped(raw: bytes, bit: int) -> bytes:
    return raw[: bit // 8] + bytes([raw[bit // 8] ^ 1 << bit % 8]) + raw[bit // 8 + 1 :]


def flips() -> Iterator[Damaged]:
    for number, (what, (begin, end)) in enumerate(regions().items()):
        bit = (begin + end) // 2 * 8 + number % 8
        match = "it begins with" if begin == 0 else "does not end in its digest|at least one bit was changed"
        yield Damaged("flip", f"bit {bit} ({what})", lambda bit=bit: flipped(sound(), bit), match)  # type: ignore[misc]


def truncations() -> Iterator[Damaged]:
    ends = sorted({place for span in regions().values() for place in span} - {len(sound())})
    for end in ends:
        match = r"is empty \(0 bytes\)" if end == 0 else "it was cut short"
        yield Damaged("truncation", f"first {end} bytes", lambda end=end: sound()[:end], match)  # type: ignore[misc]
    for what, tail in {"a byte": b"\0", "a line": b"\n", "itself": sound(), "zeros": bytes(4096)}.items():
        match = "at least one bit|something was appended"
        yield Damaged("appended", what, lambda tail=tail: sound() + tail, match)  # type: ignore[misc]
    yield Damaged("appended", "junk before", lambda: b"MZ" + sound(), "it begins with b'MZPK'")
    yield Damaged(
        "appended", "zeros in the middle", lambda: sound()[:500] + bytes(500) + sound()[1000:], "at least one"
    )


def saved(write: Callable[[io.BytesIO], Any]) -> bytes:
    write(file := io.BytesIO())
    return file.getvalue()


def plain_zip(file: io.BytesIO) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "hello")


FOREIGN: dict[str, tuple[Callable[[], bytes], str]] = {
    "one byte": (lambda: b"P", "it begins with b'P', but a checkpoint is a zip file"),
    "zeros": (lambda: bytes(4096), r"it begins with b'\\x00\\x00"),
    "text": (lambda: b"hello, world\n" * 99, "it begins with b'hell'"),
    "a pickle": (lambda: pickle.dumps([1.0, 2.0]), r"it begins with b'\\x80"),
    "one .npy file": (lambda: saved(lambda file: np.save(file, np.zeros(3))), r"it begins with b'\\x93NUM'"),
    "a gzip of a checkpoint": (lambda: gzip.compress(sound(), mtime=0), r"it begins with b'\\x1f\\x8b"),
    "a zip": (lambda: saved(plain_zip), "another program wrote it"),
    "an empty zip": (lambda: b"PK\5\6" + bytes(18), r"it begins with b'PK\\x05\\x06'"),
    "numpy.savez": (lambda: saved(lambda file: np.savez(file, a=np.zeros(3))), "another program wrote it"),
    "numpy.savez_compressed": (lambda: saved(lambda file: np.savez_compressed(file, a=np.zeros(3))), "another program"),
    "a sealed zip": (
        lambda: archive([Member("readme.txt", b"hello")]),
        "first member is 'readme.txt', .*another program",
    ),
    "a sealed zip of nothing": (lambda: reseal(b"PK\3\4"), "its first member is|it is cut short"),
    "another format": (
        lambda: archive(members(manifest(format="x" * 99))),
        "its format is 'x+'?, but must be 'autograd",
    ),
    "no format": (lambda: archive(members(manifest(format=...))), "its format is None, but must be 'autograd_mini ch"),
}

NEWER = "was written by a newer version of autograd_mini: format {}, this one reads 1; update autograd_mini"
VERSIONS: dict[str, tuple[Callable[[], bytes], str]] = {
    "2": (lambda: archive(members(manifest(version=2))), NEWER.format(2)),
    "2 with other members": (
        lambda: archive([Member("manifest.json", manifest(version=2, arrays=...))]),
        NEWER.format(2),
    ),
    "10**30": (lambda: archive(members(manifest(version=10**30))), NEWER.format("10+")),
    "10**900": (lambda: archive(members(manifest(version=10**900))), NEWER.format("10+…")),
    "0": (lambda: archive(members(manifest(version=0))), "its version is 0, but must be a whole number, 1 or more"),
    "-1": (lambda: archive(members(manifest(version=-1))), "its version is -1, but"),
    "1.0": (lambda: archive(members(manifest(version=1.0))), r"its version is 1\.0, but"),
    "true": (lambda: archive(members(manifest(version=True))), "its version is True, but"),
    "'1'": (lambda: archive(members(manifest(version="1"))), "its version is '1', but"),
    "none": (lambda: archive(members(manifest(version=...))), "its version is None, but"),
}


def with_text(raw: str | bytes) -> Callable[[], bytes]:
    return lambda: archive([Member("manifest.json", text(raw))])


def filled(item: str, least: int = 4) -> bytes:
    """A manifest as large as one may be, full of one thing."""
    return text('{"a": [' + item * ((HUGE - 99) // len(item)) + "0]}")


JSON: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (with_text(""), r"is not valid JSON \(Expecting value"),
    "cut short": (with_text(manifest()[:-1]), "is not valid JSON"),
    "two objects": (with_text(b"{}{}"), r"is not valid JSON \(Extra data"),
    "single quotes": (with_text("{'a': 1}"), "is not valid JSON"),
    "a comma too many": (with_text("[1,]"), "is not valid JSON"),
    "a control character": (with_text('{"a": "\0"}'), "is not valid JSON"),
    "an unclosed string": (with_text('{"a": "' + "x" * 99), "is not valid JSON"),
    "a list": (with_text("[]"), "is a JSON list, but must be an object"),
    "a number": (with_text("1"), "is a JSON int, but must be an object"),
    "null": (with_text("null"), "is a JSON NoneType, but must be an object"),
    "not UTF-8": (with_text(b'{"a": "\xff"}'), r"is not UTF-8 text \(byte 7\)"),
    "UTF-16": (with_text('{"a": 1}'.encode("utf-16")), "is not UTF-8 text"),
    "a byte order mark": (with_text(b"\xef\xbb\xbf{}"), "is not valid JSON"),
    "half a character": (with_text(r'{"a": "\ud800"}'), "half a character"),
    "duplicate keys": (with_text('{"format": 1, "a": 2, "format": 1}'), "has duplicate keys: 'format'"),
    "duplicate keys inside": (with_text('{"a": [{"b": 1, "b": 1, "c": 2, "c": 3}]}'), "has duplicate keys: 'b', 'c'"),
    "an escaped duplicate": (with_text(r'{"a": 1, "\u0061": 1}'), "has duplicate keys: 'a'"),
    "NaN": (with_text('{"loss": NaN}'), "holds NaN, which is not a finite number"),
    "Infinity": (with_text('{"loss": Infinity}'), "holds Infinity, which is not a finite number"),
    "-Infinity": (with_text('{"loss": [-Infinity]}'), "holds -Infinity, which is not a finite number"),
    "1e999": (with_text('{"loss": 1e999}'), "holds 1e999, which is beyond the finite numbers"),
    "a long number": (with_text('{"a": ' + "9" * (HUGE - 99) + "}"), "holds a number of 2,097,053 digits"),
    "deep lists": (with_text("[" * HUGE), "more than 64 levels"),
    "deep objects": (with_text('{"a":' * 9999 + "1" + "}" * 9999), "more than 64 levels"),
    "65 levels": (with_text('{"a":' * 65 + "1" + "}" * 65), "more than 64 levels"),
    "too long by a byte": (
        with_text(b'{"a": "' + b"x" * (HUGE - 8) + b'"}'),
        "claims to have 2,097,153 bytes, but 2,097,152",
    ),
    "16 MiB": (with_text(bytes(2**24)), "claims to have 16,777,216 bytes, but"),
    **{
        f"full of {item}": (with_text(filled(item)), "its format is None")
        for item in ("[],", '{"a":0},', '"",', "1e1,")
    },
    "full of keys": (with_text("{" + ",".join(f'"{i:x}":0' for i in range(180_000)) + "}"), "its format is None"),
    "full of one key": (with_text("{" + '"a":0,' * 300_000 + '"a":0}'), "has duplicate keys: 'a'"),
}


def with_arrays(**changed: Any) -> Callable[[], bytes]:
    return lambda: archive(members(manifest(arrays=described(ARRAYS) | changed)))


def w_is(shape: Any, dtype: Any = "float64") -> Callable[[], bytes]:
    return with_arrays(**{"parameters/" + W: {"shape": shape, "dtype": dtype}})


def named(name: str) -> Callable[[], bytes]:
    def make() -> bytes:
        arrays = {name: np.zeros(2)}
        return archive(
            [Member("manifest.json", manifest(arrays=described(arrays))), Member(f"{name}.npy", npy_of(arrays[name]))]
        )

    return make


LEGAL = 'but must so: {"shape"'.replace("{", r"\{")
DECLARED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no arrays": (lambda: archive(members(manifest(arrays=...))), "manifest's 'arrays' is not an object"),
    "a list of arrays": (
        lambda: archive(members(manifest(arrays=list(ARRAYS)))),
        "manifest's 'arrays' is not an object",
    ),
    "20,001 arrays": (
        lambda: archive(members(manifest(arrays={f"a{i}": {"shape": [], "dtype": "bool"} for i in range(20_001)}))),
        "holds more than 20,000",
    ),
    "null for an array": (with_arrays(a=None), f"describes 'a' as None, {LEGAL}"),
    "no shape": (with_arrays(a={"dtype": "bool"}), f"describes 'a' as .*, {LEGAL}"),
    "no dtype": (with_arrays(a={"shape": []}), f"describes 'a' as .*, {LEGAL}"),
    "more than shape and dtype": (with_arrays(a={"shape": [], "dtype": "bool", "order": "F"}), LEGAL),
    "text for a shape": (w_is("9"), f"describes 'parameters/hidden.neuron1.w' as .*, {LEGAL}"),
    "a number for a shape": (w_is(9), LEGAL),
    "text for a side": (w_is(["9"]), LEGAL),
    "9.0 for a side": (w_is([9.0]), LEGAL),
    "true for a side": (w_is([True]), LEGAL),
    "a list for a side": (w_is([[9]]), LEGAL),
    "null for a side": (w_is([None]), LEGAL),
    "a number for a dtype": (w_is([9], 8), LEGAL),
    "an object dtype": (w_is([9], "object"), "dtype 'object', but a checkpoint holds float64, int64, uint32, bool"),
    "a void dtype": (w_is([9], "V9999999999"), "dtype 'V9999999999', but"),
    "NumPy's short dtype": (w_is([9], "<f8"), "dtype '<f8', but a checkpoint holds"),
    "a negative side": (w_is([-9]), r"'parameters/hidden.neuron1.w' shape \(-9,\), but may hold"),
    "two negative sides": (w_is([-3, -3]), r"shape \(-3, -3\), but may hold"),
    "10**12 numbers": (w_is([10**12]), r"shape \(1000000000000,\), but may hold 16,777,216"),
    "2**64 numbers": (w_is([2**32, 2**32]), "shape .*, but may hold"),
    "2**64 + 9 numbers": (w_is([2**64 + 9]), "shape .*, but may hold"),
    "10**900 numbers": (w_is([10**900]), "shape .*, but may hold"),
    "none of 10**900 numbers": (w_is([0, 10**900]), "shape .*, but may hold"),
    "33 sides": (w_is([1] * 33), "33 dimensions, but may have 32"),
    "100,000 sides": (w_is([1] * 100_000), "100000 dimensions, but may have 32"),
    "128 MiB": (
        w_is([2**24]),
        "its arrays have 134,.* bytes by their shapes, but it has .*: 'parameters/hidden.neuron1.w', ",
    ),
    "one number more": (
        w_is([10]),
        "hidden.neuron1.w.npy' has the compressed size 200, but 208 is due: so the manifest's",
    ),
    "one number less": (w_is([8]), "hidden.neuron1.w.npy' has the compressed size 200, but 192 is due"),
    "another shape": (w_is([3, 3]), r"header of '.*w.npy' says .*\(9,\).*, but the manifest asks for .*\(3, 3\)"),
    "another dtype": (w_is([9], "int64"), "header of '.*w.npy' says .*<f8.*, but the manifest asks for .*<i8"),
    "a parent folder": (named("../w"), r"names an array '\.\./w', which is illegal: it has a part that is empty"),
    "an absolute name": (named("/etc/w"), "names an array '/etc/w', which is illegal"),
    "a dot": (named("a/./w"), "which is illegal"),
    "a backslash": (named("..\\w"), "which is illegal: it holds a backslash"),
    "a drive": (named("C:w"), "which is illegal: it holds a backslash or a colon"),
    "an empty name": (named(""), "names an array '', which is illegal: it is empty"),
    "a folder": (named("a/"), "which is illegal"),
    "a long name": (named("w" * 201), "which is illegal: it is empty, has more than 200 bytes"),
    "a new line": (named("a\nb"), r"names an array 'a\\nb', which is illegal"),
    "NUL": (named("a\0b"), "which is illegal"),
    "text from right to left": (named("a\u202eb"), "which is illegal"),
    "the manifest": (named("manifest.json"), "which is illegal: it begins with manifest.json"),
    "two endings": (named("w.npy"), "which is illegal: .*ends in .npy"),
}
