"""A checkpoint comes back bit for bit, is the same bytes wherever it is made, and needs only NumPy to be read."""

import enum
import hashlib
import json
import math
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import nn
from nn import Checkpoint, read_checkpoint, write_checkpoint
from nn.checkpoint.names import name_objection
from tests.damage import ARRAYS, sound

ROOT = Path(__file__).resolve().parent.parent
DTYPES = ("float64", "int64", "uint32", "bool")


def bits(arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name: (array.shape, array.dtype.str, array.tobytes()) for name, array in arrays.items()}


@st.composite
def array(draw: st.DrawFn) -> Any:
    """An array of any bits: each kind of nan, both zeros, subnormal numbers; in any order of axes and bytes."""
    shape = draw(st.lists(st.integers(0, 3), max_size=4).map(tuple))
    name = draw(st.sampled_from(DTYPES))
    size = math.prod(shape) * np.dtype(name).itemsize
    raw = draw(st.binary(min_size=size, max_size=size))
    if name == "bool":
        raw = bytes(byte & 1 for byte in raw)
    made = np.ndarray(shape, name, raw)
    if draw(st.booleans()):
        made = made.astype(made.dtype.newbyteorder(">"), order="F")
    return made


names = st.text(st.characters(exclude_categories=("Cs",)), max_size=20).filter(
    lambda name: name_objection(name) is None
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\u00e9\n"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(
    manifest=st.dictionaries(st.text('abc\u00e9"\\\n'), plain, max_size=4),
    arrays=st.dictionaries(names, array(), max_size=5),
)
def test_what_is_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, manifest: dict[str, Any], arrays: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.npz"
    write_checkpoint(path, manifest, arrays)
    found = read_checkpoint(path, {name: (array.shape, array.dtype) for name, array in arrays.items()})
    assert found.manifest == manifest
    assert json.dumps(found.manifest, sort_keys=True) == json.dumps(manifest, sort_keys=True)  # 1 is not 1.0, nor True
    native = {name: array.astype(array.dtype.newbyteorder("=")) for name, array in arrays.items()}
    assert bits(found.arrays) == bits(native)
    for made in found.arrays.values():
        assert made.flags.writeable
        assert made.flags.owndata
        assert made.flags.c_contiguous
    raw = path.read_bytes()
    write_checkpoint(path, found.manifest, found.arrays)
    assert path.read_bytes() == raw


def test_special_numbers_keep_their_bits(tmp_path: Path) -> None:
    patterns = [0x7FF8000000000001, 0xFFF4DEADBEEF0000, 1 << 63, 1, 0x7FF0000000000000, 0xFFEFFFFFFFFFFFFF]
    numbers = np.array(patterns, dtype=np.uint64).view(np.float64)
    write_checkpoint(tmp_path / "a.npz", {}, {"x": numbers, "extremes": np.array([-(2**63), 2**63 - 1])})
    found = read_checkpoint(tmp_path / "a.npz").arrays
    assert found["x"].view(np.uint64).tolist() == patterns
    assert found["extremes"].tolist() == [-(2**63), 2**63 - 1]


def test_the_bytes_are_those_that_the_format_asks_for(tmp_path: Path) -> None:
    """The second writer, in damage.py, was written from the description of the format."""
    write_checkpoint(tmp_path / "a.npz", {"epoch": 3}, ARRAYS)
    assert (tmp_path / "a.npz").read_bytes() == sound()


SAVE = """
import hashlib, numpy as np
from pathlib import Path
from nn import write_checkpoint
names = {"w", "b", "hidden.w", "hidden.b", "output.w", "output.b"}  # in the order of their hashes
arrays = {f"parameters/{name}": np.arange(len(name), dtype=float) for name in names}
write_checkpoint("a.npz", {name: {n: len(n) for n in names} for name in names}, arrays)
print(hashlib.sha256(Path("a.npz").read_bytes()).hexdigest(), list(names)[0])
"""


def test_the_same_content_is_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    seen, orders = set(), set()
    for seed in ("0", "1", "2"):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}"}
        command = [sys.executable, "-c", SAVE]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        digest, first = done.stdout.split()
        seen.add(digest)
        orders.add(first)
    assert len(seen) == 1
    assert len(orders) > 1


def test_the_order_and_the_kind_of_the_mappings_do_not_matter(tmp_path: Path) -> None:
    path, seen = tmp_path / "a.npz", set()
    manifest: dict[str, Any] = {"epoch": 3, "shape": (7, 7), "options": {"b": 1, "a": None}}
    for turn in (1, -1):
        given = dict(list(manifest.items())[::turn]) | {"options": MappingProxyType({"b": 1, "a": None})}
        write_checkpoint(path, MappingProxyType(given), MappingProxyType(dict(list(ARRAYS.items())[::turn])))
        seen.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(seen) == 1
    assert read_checkpoint(path).manifest == {"epoch": 3, "shape": [7, 7], "options": {"a": None, "b": 1}}


def test_the_global_generators_are_left_alone(tmp_path: Path) -> None:
    before = random.getstate(), repr(np.random.get_state())
    write_checkpoint(tmp_path / "a.npz", {}, ARRAYS)
    read_checkpoint(tmp_path / "a.npz")
    assert (random.getstate(), repr(np.random.get_state())) == before


def test_numpy_reads_it(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.npz", {"epoch": 3}, ARRAYS)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        manifest = json.loads(file["manifest.json"])
        arrays = {name: file[name] for name in manifest["arrays"]}
    assert manifest["epoch"] == 3
    assert bits(arrays) == bits(ARRAYS)


def test_zipfile_reads_it_and_finds_nothing_to_complain_about(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.npz", {"name": "größe"}, {"größe/w": np.zeros(2)})
    raw = (tmp_path / "a.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as file:
        assert file.testzip() is None
        assert file.namelist() == ["manifest.json", "größe/w.npy"]
        assert file.comment == b"sha256:" + hashlib.sha256(raw[:-71]).hexdigest().encode()
        assert {(i.compress_type, i.date_time, i.external_attr >> 16) for i in file.infolist()} == {
            (zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0), 0o100644)
        }
        assert "größe" in file.read("manifest.json").decode()


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed")
def test_unzip_reads_it(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.npz", {"epoch": 3}, ARRAYS)
    shown = subprocess.run(["unzip", "-p", "a.npz", "manifest.json"], cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(shown.stdout)["epoch"] == 3
    subprocess.run(["unzip", "-q", "a.npz"], cwd=tmp_path, capture_output=True, check=True)
    assert np.load(tmp_path / "random" / "state.npy").tolist() == [0, 1, 2, 3, 4]


def test_the_page_about_the_format_tells_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its code runs in the order of the page, on a checkpoint that is damaged before the last block."""
    page = (ROOT / "docs" / "checkpoint_format.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in page.split("```python\n")[1:]]
    assert len(blocks) == 2
    assert len(blocks[0].strip().splitlines()) <= 6
    monkeypatch.chdir(tmp_path)
    write_checkpoint("best.npz", {"epoch": 3}, {"parameters/hidden.neuron1.w": np.ones(2)})
    found: dict[str, Any] = {}
    exec(blocks[0] + blocks[1], found)
    assert found["manifest"]["epoch"] == 3
    assert found["arrays"]["parameters/hidden.neuron1.w"].tolist() == [1, 1]
    Path("best.npz").write_bytes(Path("best.npz").read_bytes() + b"\0")
    with pytest.raises(AssertionError):
        exec(blocks[1], found)


def test_its_repr_is_short() -> None:
    assert repr(Checkpoint({"epoch": 3}, {"w": np.zeros(9)})) == "Checkpoint('epoch'; arrays=1, numbers=9)"
    assert repr(Checkpoint({}, {})) == "Checkpoint(empty manifest; arrays=0, numbers=0)"
    assert repr(Checkpoint.__new__(Checkpoint)) == "<Checkpoint, not initialised>"


class Color(enum.IntEnum):
    RED = 1


LOOP: list[Any] = []
LOOP.append(LOOP)
Case = tuple[Any, Any, type[Exception], str]
BAD: dict[str, Case] = {
    "a reserved key": (
        {"version": 2, "arrays": 1},
        {},
        ValueError,
        "the keys 'arrays', 'version', which the file itself",
    ),
    "a number for a key": ({1: 2}, {}, TypeError, "the manifest has the key 1, but JSON has only text for keys"),
    "None for a key inside": ({"a": [{None: 2}]}, {}, TypeError, r"the manifest\['a'\]\[0\] has the key None"),
    "nan": (
        {"a": {"b": [1.0, math.nan]}},
        {},
        ValueError,
        r"the manifest\['a'\]\['b'\]\[1\] is nan, for which JSON has",
    ),
    "an infinity": ({"a": -math.inf}, {}, ValueError, r"the manifest\['a'\] is -inf, for which"),
    "an array": ({"a": np.zeros(2)}, {}, TypeError, r"the manifest\['a'\] is array\(.*\(ndarray\), but JSON has text"),
    "a NumPy whole number": ({"a": np.int64(1)}, {}, TypeError, r"is .*1.* \(int64\), but JSON has .*use \.item\(\)"),
    "a set": ({"a": {1}}, {}, TypeError, r"the manifest\['a'\] is \{1\} \(set\), but"),
    "bytes": ({"a": b"x"}, {}, TypeError, r"is b'x' \(bytes\), but"),
    "half a character": ({"a": "\ud800"}, {}, ValueError, r"the manifest\['a'\] is .*, which is not Unicode text"),
    "half a character in a key": ({"\ud800": 1}, {}, ValueError, "a key of the manifest is .* not Unicode text"),
    "a list in itself": ({"a": LOOP}, {}, ValueError, "more than 64 levels deep"),
    "a long number": (
        {"a": 10**1000},
        {},
        ValueError,
        r"the manifest\['a'\] has more than 1000 digits: keep it as text",
    ),
    "a long text": ({"a": "x" * 2**21}, {}, ValueError, "the manifest takes 2,097,.* bytes, but may take 2,097,152"),
    "a number for a name": ({}, {1: np.zeros(1)}, TypeError, "the name of an array is 1, but must be text, such as"),
    "an empty name": ({}, {"": np.zeros(1)}, ValueError, "'' is not a legal name of an array: it is empty"),
    "a name out of the folder": ({}, {"../w": np.zeros(1)}, ValueError, r"'\.\./w' is not a legal name"),
    "a name with a surrogate": ({}, {"\ud800": np.zeros(1)}, ValueError, r"'\\ud800' is not a legal name"),
    "the manifest's name": ({}, {"manifest.json": np.zeros(1)}, ValueError, "is not a legal name"),
    "a list for an array": ({}, {"w": [1.0]}, TypeError, r"w is \[1\.0\] \(list\), but must be a NumPy array"),
    "a NumPy number": ({}, {"w": np.float64(1)}, TypeError, r"w is .*1\.0.* \(float64\), but must be a NumPy array"),
    "a masked array": ({}, {"w": np.ma.zeros(1)}, TypeError, r"w is .*\(MaskedArray\), but must be a NumPy array"),
    "objects": (
        {},
        {"w": np.array([None])},
        ValueError,
        "w has dtype 'object', but a checkpoint holds float64, int64, u",
    ),
    "text": ({}, {"w": np.array(["a"])}, ValueError, r"w has dtype 'str32', .*: convert it with \.astype"),
    "float32": ({}, {"w": np.zeros(1, np.float32)}, ValueError, "w has dtype 'float32', but a checkpoint holds"),
    "records": ({}, {"w": np.zeros(1, "f8,f8")}, ValueError, "w has dtype 'void128', but"),
    "33 dimensions": ({}, {"w": np.zeros([1] * 33)}, ValueError, "w has 33 dimensions, but may have 32"),
    "too many numbers": (
        {},
        {"w": np.broadcast_to(0.0, 2**25)},
        ValueError,
        r"w has shape \(33554432,\), but may hold",
    ),
    "none of many": ({}, {"w": np.zeros((0, 2**40))}, ValueError, r"w has shape \(0, 1099511627776\), but may hold"),
    "too many arrays": (
        {},
        dict.fromkeys(map(str, range(20_001)), np.zeros(1)),
        ValueError,
        "20,001 arrays, but 20,000",
    ),
    "too many bytes": (
        {},
        {n: np.broadcast_to(0.0, 2**23) for n in "abc"},
        ValueError,
        "would have 201,.* bytes, but 134,",
    ),
    "a path that is a number": ({}, {}, TypeError, "expected str, bytes or os.PathLike"),
}


@pytest.mark.parametrize(("manifest", "arrays", "kind", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_saved_is_refused_before_anything_is_written(
    tmp_path: Path, manifest: Any, arrays: Any, kind: type[Exception], message: str
) -> None:
    if "33" in message and np.lib.NumpyVersion(np.__version__) < "2.0.0":
        pytest.skip("NumPy 1 has no arrays of 33 dimensions")
    path: Any = 5 if "os.PathLike" in message else tmp_path / "a.npz"
    with pytest.raises(kind, match=message) as caught:
        write_checkpoint(path, manifest, arrays)
    assert len(str(caught.value)) < 400
    assert list(tmp_path.iterdir()) == []


def test_subclasses_of_plain_types_come_back_plain(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.npz", {"color": Color.RED, "x": np.float64(0.1)}, {})
    assert read_checkpoint(tmp_path / "a.npz").manifest == {"color": 1, "x": 0.1}


def test_the_largest_and_deepest_that_may_be_written_can_be_read(tmp_path: Path, request: Any) -> None:
    path = tmp_path / "a.npz"
    deep: Any = 1
    for _ in range(63):
        deep = [deep]
    most: dict[str, Callable[[], tuple[Any, Any]]] = {
        "deep": lambda: ({"a": deep}, {}),
        "digits": lambda: ({"a": -(10**1000) + 1}, {}),
        "a name": lambda: ({}, {"w" * 200: np.zeros(1)}),
        "arrays": lambda: ({}, dict.fromkeys(map(str, range(20_000)), np.zeros(1))),
    }
    if request.config.getoption("--deep"):
        most["numbers"] = lambda: ({}, {"w": np.zeros(2**24 - 200)})
    for make in most.values():
        manifest, arrays = make()
        write_checkpoint(path, manifest, arrays)
        found = read_checkpoint(path)
        assert found.manifest == manifest
        assert found.arrays.keys() == arrays.keys()


def test_the_names_are_public() -> None:
    assert {"Checkpoint", "read_checkpoint", "write_checkpoint"} <= set(nn.__all__)
