"""Vectors and the names of their numbers: ``w[0]``, ``w[1]``, … make one array ``w``."""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "fold", "unfold"]

Arrays: TypeAlias = dict[str, NDArray[Any]]


def fold(names: Sequence[str], numbers: Sequence[float] | NDArray[Any]) -> Arrays:
    """Deal a vector to arrays: the numbers of a whole list go into one, all others into one of shape () each.

    Args:
        names: the name of each number; no name twice.
        numbers: as many numbers.

    Example:
        >>> fold(["w[0]", "w[1]", "b"], [1.0, 2.0, 3.0])
        {'w': array([1., 2.]), 'b': array(3.)}
    """
    vector = np.asarray(numbers, dtype=np.float64)
    return {name: np.array(vector[places]) for name, places in _groups(tuple(names))}


def unfold(names: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Gather the vector that ``fold`` dealt.

    Example:
        >>> names = ["w[0]", "w[1]", "b"]
        >>> unfold(names, fold(names, [1.0, 2.0, 3.0]))
        array([1., 2., 3.])
    """
    vector = np.empty(len(names))
    for name, places in _groups(tuple(names)):
        vector[places] = arrays[name]
    return vector


@functools.lru_cache(maxsize=8)
def _groups(names: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
    """The name of each array, and where its numbers are: a list of places, or one place for a lone number."""
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        listed = re.fullmatch(r"(.+)\[\d+\]", name)
        groups.setdefault(listed[1] if listed else name, []).append(place)
    found: list[tuple[str, Any]] = []
    for group, places in groups.items():
        if [names[place] for place in places] == [f"{group}[{i}]" for i in range(len(places))]:
            found.append((group, places))
        else:  # a lone number, or a list with other things among them
            found += [(names[place], place) for place in places]
    return tuple(found)
