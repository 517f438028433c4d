"""Where numbers live: stores, places in them, and which sets of places are a regular grid, a view without copying."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "Grid", "Indices", "Layout", "Store", "common_sizes", "grid"]

Indices: TypeAlias = NDArray[np.intp]


class Grid(NamedTuple):
    """Places in a store: ``start + Σ index · stride`` over axes of these sizes; a stride of 0 repeats."""

    start: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def strides_of_long_axes(self) -> list[int]:
        return [stride for size, stride in zip(self.sizes, self.strides, strict=True) if size > 1]

    @property
    def overlaps(self) -> bool:
        """Whether a place comes several times, other than along an axis that repeats."""
        axes = zip(self.sizes, self.strides, strict=True)
        kept = sorted([(abs(stride), size) for size, stride in axes if size > 1 and stride])
        reach = 0
        for stride, size in kept:
            if stride <= reach:
                places = Grid(0, tuple([size for _, size in kept]), tuple([stride for stride, _ in kept])).places()
                return len(np.unique(places)) < len(places)
            reach += (size - 1) * stride
        return False

    @property
    def is_in_order(self) -> bool:
        """Whether it is a run of places, one after the other."""
        stride = 1
        for size, own in zip(reversed(self.sizes), reversed(self.strides), strict=True):
            if size > 1 and own != stride:
                return False
            stride *= size
        return True

    def places(self) -> Indices:
        """All places, in order."""
        places: Any = np.array(self.start)
        for size, stride in zip(self.sizes, self.strides, strict=True):
            places = np.add.outer(places, stride * np.arange(size))
        flat: Indices = np.asarray(places).ravel()
        return flat


@dataclass(slots=True)
class Block:
    """A run of places that one kernel fills, and the rows of ones that may follow it."""

    name: str
    store: str
    start: int
    size: int


@dataclass(slots=True)
class Store:
    """A row of numbers: an argument, the parameters, or what the program computes.

    Attributes:
        batched: whether each of its places has one number for each example.
        size: how many places there are.
        rows: how many of them, one after the other, may be followed by a place for the constant 1.
        ones: places that hold the constant 1.
    """

    name: str
    batched: bool
    size: int = 0
    rows: Collection[int] = ()
    ones: set[int] = field(default_factory=set)


class Layout:
    """The place of every node.

    Attributes:
        stores: the stores by name.
        store, position: of every node the number of its store and its place there; -1 before it has one.
    """

    def __init__(self, nodes: int) -> None:
        self.stores: dict[str, Store] = {}
        self.names: list[str] = []
        self.store: Indices = np.full(nodes, -1)
        self.position: Indices = np.full(nodes, -1)

    def add_store(self, store: Store) -> int:
        """Take in a store; its number comes back."""
        self.stores[store.name] = store
        self.names.append(store.name)
        return len(self.names) - 1

    def place(self, nodes: Any, store: str, positions: Any) -> None:
        """Give nodes their places."""
        self.store[nodes] = self.names.index(store)
        self.position[nodes] = positions


def grid(positions: Indices, sizes: Sequence[int]) -> Grid | None:
    """The regular grid that these places are, taken in this order and shape; None if they are not regular.

    Example:
        >>> grid(np.array([3, 5, 10, 12]), (2, 2))
        Grid(start=3, sizes=(2, 2), strides=(7, 2))
    """
    shaped = positions.reshape(sizes)
    start = int(positions.flat[0])
    expected: Any = start
    strides = []
    for axis, size in enumerate(sizes):
        first = (0,) * axis
        stride = int(shaped[(*first, 1) + (0,) * (len(sizes) - axis - 1)]) - start if size > 1 else 0
        strides.append(stride)
        expected = np.add.outer(expected, stride * np.arange(size))
    return Grid(start, tuple(sizes), tuple(strides)) if np.array_equal(shaped, expected) else None


def _runs(positions: Indices) -> tuple[int, ...] | None:
    """The sizes, from the innermost out, of the axes of a regular grid; None if there is none of up to three axes."""
    sizes: list[int] = []
    rest = positions
    while len(rest) > 1:
        steps = np.diff(rest)
        breaks = np.flatnonzero(steps != steps[0])
        size = int(breaks[0]) + 1 if len(breaks) else len(rest)
        if len(rest) % size or len(sizes) == 3:
            return None
        sizes.append(size)
        rest = rest[::size]
    return tuple(sizes)


def common_sizes(several: Iterable[Indices], count: int, bound: int = 1) -> tuple[tuple[int, ...], list[bool]]:
    """Axes over which as many as can of several rows of places are regular grids.

    Args:
        several: rows of `count` places each.
        count: how many.
        bound: the size of an innermost part that must be made of whole axes.

    Returns:
        The sizes of the axes, outermost first, and for each row whether it is a grid over them.
    """
    bounds, regular = {1, bound, count}, []
    for positions in several:
        sizes = _runs(positions)
        mine, product = set(bounds), 1
        for size in sizes or ():
            product *= size
            mine.add(product)
        steps = sorted(mine)
        fits = sizes is not None and all(b % a == 0 for a, b in pairwise(steps))
        if fits:
            bounds = mine
        regular.append(fits)
    steps = sorted(bounds)
    sizes = tuple(b // a for a, b in pairwise(steps))[::-1]
    found = [
        fits and grid(positions, sizes or (1,)) is not None for fits, positions in zip(regular, several, strict=True)
    ]
    return sizes or (1,), found
