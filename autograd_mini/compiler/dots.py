"""Which dots together are a matrix product: all pairs of some rows of factors with some columns of factors."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from autograd_mini.compiler.layout import Indices

__all__ = ["grids"]

_PATTERNS = 8
"""How many different sets of columns the rows of a grid with holes may have, each a product of its own."""


def grids(
    left: Indices, right: Indices, lead: Callable[[Indices], Indices], needs_several: Callable[[int], bool]
) -> tuple[list[list[Indices]], list[Indices]]:
    """Sort dots into matrix products.

    Args:
        left, right: the factors of each dot, a row each.
        lead: of rows of factors, a number for each that sorts them as their places are.
        needs_several: whether a dot is no product of matrices if it stands alone.

    Returns:
        Lists of arrays (rows, columns) that say which dot is where, -1 where there is none, one for each shape; and
        parts that are better computed dot by dot.
    """
    rows, columns = _numbered(left), _numbered(right)
    stacks: dict[tuple[int, ...], list[Indices]] = defaultdict(list)
    loose = []
    for part in _components(rows, columns):
        r, row = _ranked(rows[part], lead(left[part]))
        c, column = _ranked(columns[part], lead(right[part]))
        cells = np.full((r, c), -1)
        cells[row, column] = part
        found = None if cells.size == 1 and needs_several(int(part[0])) else _filled(cells, len(part))
        if found is None:
            loose.append(part)
        for cells in found or ():
            stacks[cells.shape].append(cells)
    return list(stacks.values()), loose


def _filled(cells: Indices, count: int) -> list[Indices] | None:
    """Grids that together have all dots of this one; None if there would be too many.

    A grid that is at least half full is computed as a whole, as an expert computes attention before masking it.
    """
    if 2 * count >= cells.size:
        return [cells]
    alike: dict[bytes, list[int]] = defaultdict(list)
    for i, is_there in enumerate(cells >= 0):
        alike[is_there.tobytes()].append(i)
    if len(alike) > _PATTERNS:
        return None
    found = []
    for several in alike.values():
        chosen = cells[several]
        found.append(chosen[:, chosen[0] >= 0])
    return found


def _ranked(keys: Indices, lead: Indices) -> tuple[int, Indices]:
    """How many different keys there are, and the rank of each by its lead."""
    different, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(different), dtype=np.intp)
    rank[np.lexsort([different, lead[first]])] = np.arange(len(different))
    return len(different), rank[inverse]


def _numbered(rows: Indices) -> Indices:
    """Number equal rows alike."""
    found: dict[bytes, int] = {}
    return np.array([found.setdefault(row.tobytes(), len(found)) for row in rows])


def _components(rows: Indices, columns: Indices) -> list[Indices]:
    """Which pairs of a row and a column hang together, as arrays of their indices."""
    parent: dict[int, int] = {}

    def root(x: int) -> int:
        while parent.setdefault(x, x) != x:
            parent[x] = x = parent[parent[x]]
        return x

    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        parent[root(row)] = root(-1 - column)
    label = np.array([root(row) for row in rows.tolist()])
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    order = np.argsort(first[inverse], kind="stable")
    return np.split(order, np.flatnonzero(np.diff(inverse[order])) + 1)
