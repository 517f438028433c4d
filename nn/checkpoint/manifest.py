"""The manifest of a checkpoint: JSON that can only be read in one way, written and read with the same strictness."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from autograd_mini.errors import CheckpointError
from autograd_mini.printing import printable
from nn.checkpoint.names import listed

__all__ = ["DEEPEST", "LARGEST_MANIFEST", "MOST_DIGITS", "decoded", "encoded"]

LARGEST_MANIFEST = 2**21
DEEPEST = 64
MOST_DIGITS = 1000


def encoded(manifest: Mapping[str, Any]) -> bytes:
    """Write a manifest as UTF-8 JSON with sorted keys: the same content is the same bytes.

    Raises:
        TypeError: something that JSON has no word for, or a key that is not text.
        ValueError: nan, an infinity, text that is not Unicode, lists in lists without end, or more than 2 MiB.

    Example:
        >>> encoded({"epoch": 3, "classes": ("no", "yes")})
        b'{"classes": ["no", "yes"], "epoch": 3}'
    """
    plain = _plain(manifest, "the manifest", 0)
    raw = json.dumps(plain, sort_keys=True, allow_nan=False, ensure_ascii=False).encode()
    if len(raw) > LARGEST_MANIFEST:
        fix = "keep long lists of numbers as arrays"
        raise ValueError(f"the manifest takes {len(raw):,} bytes, but may take {LARGEST_MANIFEST:,}: {fix}")
    return raw


def _plain(thing: Any, place: str, depth: int) -> Any:
    """Check `thing` and all that is in it, and turn tuples and mappings into what JSON has."""
    if depth > DEEPEST:
        raise ValueError(f"the manifest is more than {DEEPEST} levels deep (does it hold itself?): keep it flat")
    if isinstance(thing, Mapping):
        for key in thing:
            if not isinstance(key, str):
                raise TypeError(f"{place} has the key {key!r:.60}, but JSON has only text for keys: use str(...)")
            _plain(key, f"a key of {place}", depth)
        return {str(key): _plain(item, f"{place}[{printable(key)!r}]", depth + 1) for key, item in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_plain(item, f"{place}[{i}]", depth + 1) for i, item in enumerate(thing)]
    if isinstance(thing, str):
        try:
            thing.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{place} is {thing!r:.60}, which is not Unicode text: leave the surrogates out") from None
    elif isinstance(thing, float):
        if not math.isfinite(thing):
            raise ValueError(f"{place} is {thing}, for which JSON has no word: keep it in an array, or as text")
    elif isinstance(thing, int):
        if abs(thing) >= 10**MOST_DIGITS:
            raise ValueError(f"{place} has more than {MOST_DIGITS} digits: keep it as text")
    elif thing is not None:
        legal = "JSON has text, numbers, True, False, None, lists and dicts: use .item(), .tolist() or an array"
        raise TypeError(f"{place} is {printable(repr(thing), 60)} ({type(thing).__name__}), but {legal}")
    return thing


def decoded(raw: bytes) -> dict[str, Any]:
    """Read a manifest, refusing whatever two readers might understand differently, or would choke on.

    Raises:
        CheckpointError: anything but one JSON object in UTF-8, each key once, finite numbers, up to 64 levels deep.
    """
    try:
        text = raw.decode()
        if _depth(raw) > DEEPEST:
            _refuse(f"has more than {DEEPEST} levels of nesting")
        found = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
        if re.search(rb"\\u[dD][89a-fA-F]", raw):  # half of a character, perhaps
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        _refuse("holds half a character (a lone surrogate), which is not Unicode text")
    except UnicodeDecodeError as error:
        _refuse(f"is not UTF-8 text (byte {error.start})")
    except json.JSONDecodeError as error:
        _refuse(f"is not valid JSON ({error.msg} at character {error.pos})")
    if not isinstance(found, dict):
        _refuse(f"is a JSON {type(found).__name__}, but must be an object in braces")
    return found


def _depth(raw: bytes) -> int:
    """How deep the brackets outside of strings are nested; asked first, because the parser recurses."""
    marks = np.frombuffer(re.sub(rb'"(?:[^"\\]|\\.)*+"', b"", raw, flags=re.DOTALL), np.uint8)
    marks = marks[np.isin(marks, list(b"[]{}"))]
    return int(np.where(np.isin(marks, list(b"[{")), 1, -1).cumsum(dtype=np.int32).max(initial=0))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        _refuse(f"has duplicate keys: {listed(key for key, count in counts.items() if count > 1)}")
    return found


def _constant(token: str) -> NoReturn:
    _refuse(f"holds {token}, which is not a finite number and not JSON")


def _float(token: str) -> float:
    if not math.isfinite(result := float(token)):
        _refuse(f"holds {printable(token)}, which is beyond the finite numbers")
    return result


def _int(token: str) -> int:
    if len(token.lstrip("-")) > MOST_DIGITS:
        _refuse(f"holds a number of {len(token):,} digits, but {MOST_DIGITS:,} are the limit")
    return int(token)


def _refuse(reason: str) -> NoReturn:
    raise CheckpointError(f"manifest.json {reason}")
