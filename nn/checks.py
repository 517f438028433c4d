"""Checks at the door of ``nn``: sizes, names of registries, and the shape of what a model or a loss is given."""

import math
from collections.abc import Mapping, Set
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np

from autograd_mini import Value
from autograd_mini.number import number

__all__ = [
    "choice",
    "finite_number",
    "list_of_values",
    "row_of_numbers",
    "rows_of_numbers",
    "same_arrays",
    "true_or_false",
    "whole_number",
]

T = TypeVar("T")


def whole_number(what: str, value: Any, least: int) -> int:
    """Return `value` as an int of at least `least`, or say what is wrong with it."""
    message = f"{what} is {value!r:.60}, but must be a whole number, {least} or more"
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(message)
    if value < least:
        raise ValueError(message)
    return int(value)


def finite_number(
    what: str,
    value: Any,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
) -> float:
    """Return `value` as a finite float from `least` (or above `above`) to `most` (or below `below`), or complain."""
    bounds = {"{:g} or more": least, "more than {:g}": above, "at most {:g}": most, "less than {:g}": below}
    limits = ", " + " and ".join(text.format(bound) for text, bound in bounds.items() if math.isfinite(bound))
    if math.isfinite(least) and math.isfinite(most):
        limits = f" from {least:g} to {most:g}"
    message = f"{what} is {value!r:.60}, but must be a finite number{limits.rstrip(', ')}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(message)
    try:
        result = float(value)
    except OverflowError:
        raise ValueError(message) from None
    if not (math.isfinite(result) and least <= result <= most and above < result < below):
        raise ValueError(message)
    return result


def true_or_false(what: str, value: Any) -> bool:
    """Return `value` as a bool if it is one; a 1 or a "yes" is likely to be another option's."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{what} is {value!r:.60}, but must be True or False")
    return bool(value)


def choice(what: str, name: Any, registry: Mapping[str, T], *, alternative: str = ", or give a function") -> T:
    """Look `name` up in `registry`, or list the legal names."""
    try:
        return registry[name]
    except (KeyError, TypeError):
        legal = ", ".join(map(repr, registry))
        raise ValueError(f"unknown {what} {name!r:.60}; the names are {legal}{alternative}") from None


def list_of_values(who: str, values: Any) -> list[Value]:
    """Return `values` as a list of at least one Value, or say what it has instead.

    Args:
        who: who needs them, such as "an optimizer"; it opens an error message.
        values: Values, in anything that can be iterated over.
    """
    if isinstance(values, Value) or not hasattr(values, "__iter__"):
        raise TypeError(f"{who} needs a list of Values, got {values!r:.60}; write [value] or model.parameters()")
    found = list(values)
    if not found:
        raise ValueError(f"{who} needs at least one parameter, got none; a generator may have been used up")
    for i, value in enumerate(found):
        if not isinstance(value, Value):
            raise TypeError(f"parameter {i} is {value!r:.60} of type {type(value).__name__}; {who} needs Values")
    return found


def same_arrays(what: str, given: Any, wanted: Mapping[str, Any]) -> None:
    """Check that two mappings hold arrays of the same names, shapes and kinds, or list what differs."""
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} must be a mapping of names to arrays, as state() gives it, got {given!r:.60}")
    complaints = {
        "missing": sorted(wanted.keys() - given.keys()),
        "unknown": sorted(f"{name!s:.60}" for name in given.keys() - wanted.keys()),
        "wrong": [
            f"{name} is {_kind(given[name])} and must be {_kind(wanted[name])}"
            for name in wanted
            if name in given and _kind(given[name]) != _kind(wanted[name])
        ],
    }
    told = [f"{word}: {_listed(names)}" for word, names in complaints.items() if names]
    if told:
        raise ValueError(f"{what} does not fit; {'; '.join(told)}; it must come from one that is built alike")


def _kind(array: Any) -> str:
    """Say what an array holds and its shape; the order of bytes does not count."""
    kind = getattr(array, "dtype", None)
    return f"a {type(array).__name__}" if kind is None else f"{kind.name} of shape {array.shape}"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def row_of_numbers(what: str, numbers: Any, width: int | None = None) -> list[Any]:
    """Return a 1-D sequence as a list of Values and plain floats.

    Args:
        what: what the sequence is; it opens an error message.
        numbers: Values and numbers; a NumPy array will do.
        width: how many there must be; any number but zero if None.
    """
    row = _as_list(what, numbers)
    if width is None and not row:
        raise ValueError(f"{what} must not be empty; it needs at least one number")
    if width is not None and len(row) != width:
        raise ValueError(f"{what} needs {width} numbers, got {len(row)}")
    if set(map(type, row)) <= {Value, float}:
        return row
    return [x if isinstance(x, Value) else number(x, f"{what.rstrip(',')}, at index {i},") for i, x in enumerate(row)]


def rows_of_numbers(what: str, numbers: Any, width: int | None = None) -> tuple[list[list[Any]], bool]:
    """Return one example (1-D) or a batch (2-D) as rows, and whether it was a batch.

    Raises:
        ValueError: for an empty batch, a wrong width or ragged rows, naming the row.
        TypeError: for anything that is not numbers in one or two dimensions.
    """
    rows = _as_list(what, numbers)
    if not rows:
        raise ValueError(
            f"{what} must not be empty; give one example of {width or 'n'} numbers, or a batch of such rows"
        )
    if not hasattr(rows[0], "__len__"):
        return [row_of_numbers(what, rows, width)], False
    width = width or len(rows[0]) or None
    return [row_of_numbers(f"{what}, row {i},", row, width) for i, row in enumerate(rows)], True


def _as_list(what: str, numbers: Any) -> list[Any]:
    if hasattr(numbers, "tolist"):
        numbers = numbers.tolist()
    if isinstance(numbers, (str, bytes, Value, Mapping, Set)) or not hasattr(numbers, "__iter__"):
        raise TypeError(f"{what} must be a sequence of numbers, got {numbers!r:.60}")
    return list(numbers)
