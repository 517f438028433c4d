"""Parts of a group that is too full for one picture."""

from collections.abc import Iterator, Mapping
from typing import Any

from autograd_mini.folding import Path
from autograd_mini.grouping import Groups

__all__ = ["FULL", "divided"]

FULL = 400
"""More things than that in one picture are put into parts."""

_PART = 150
_MOST_PARTS = 24


def divided(groups: Groups, what: str) -> Groups:
    """Put what is in a full group into parts, in the order of the forward pass, and many parts into larger ones.

    Example:
        >>> parts = divided({i: ("g",) for i in range(1000)}, "operations")
        >>> parts[0], parts[999]
        (('g', 'operations 1 to 150'), ('g', 'operations 901 to 1,000'))
    """
    inside: dict[Path, dict[Path, None]] = {}
    direct: dict[Path, list[Any]] = {}
    for node, path in groups.items():
        direct.setdefault(path, []).append(node)
        for length in range(len(path), 0, -1):
            inside.setdefault(path[: length - 1], {})[path[:length]] = None
    result = dict(groups)
    for path, nodes in direct.items():
        if len(nodes) + len(inside.get(path, ())) > FULL and len(nodes) > _PART:
            result |= {node: path + names for node, names in zip(nodes, _runs(0, len(nodes), what), strict=True)}
    into = {
        child: names
        for path, children in inside.items()
        if len(children) > FULL
        for child, names in zip(children, _runs(0, len(children), "groups"), strict=True)
    }
    return {node: _inserted(path, into) for node, path in result.items()} if into else result


def _inserted(path: Path, into: Mapping[Path, Path]) -> Path:
    """A path with the parts that its groups were put into."""
    return tuple(name for i in range(len(path)) for name in (*into.get(path[: i + 1], ()), path[i]))


def _runs(start: int, end: int, what: str) -> Iterator[Path]:
    size = max(_PART, -(-(end - start) // _MOST_PARTS))
    for first in range(start, end, size):
        last = min(first + size, end)
        name = f"{what} {first + 1:,} to {last:,}"
        inner = _runs(first, last, what) if last - first > _PART else iter([()] * (last - first))
        yield from ((name, *names) for names in inner)
