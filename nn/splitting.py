"""How many rows of each class go to which part of a split."""

import math
from numbers import Real

import numpy as np
from numpy.typing import NDArray

__all__ = ["deal"]


def deal(fractions: dict[str, float], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Say for each row which part it goes to, 0 for the first of `fractions`: every class in proportion, in order."""
    sizes = _sizes(fractions, len(labels))
    counts = _shares(np.unique(labels, return_counts=True)[1], sizes)
    part = np.empty(len(labels), dtype=np.int64)
    part[np.argsort(labels, kind="stable")] = np.repeat(np.tile(np.arange(len(sizes)), len(counts)), counts.ravel())
    return part


def _sizes(fractions: dict[str, float], rows: int) -> NDArray[np.int64]:
    """Turn fractions into whole numbers of rows by the method of largest remainders."""
    for name, fraction in fractions.items():
        if isinstance(fraction, bool) or not isinstance(fraction, Real):
            raise TypeError(f"{name} is {fraction!r}, but must be a fraction of the rows, such as {name}=0.2")
        if not 0 <= fraction <= 1:
            raise ValueError(f"{name} is {fraction}, but must be from 0 to 1: write 20 % as {name}=0.2")
    total = math.fsum(fractions.values())
    if abs(total - 1) > 1e-9:
        fix = "give all three, such as train=0.8, validation=0.1, test=0.1"
        raise ValueError(f"train + validation + test is {total:g}, but must be 1: {fix}")
    exact = np.array(list(fractions.values())) / total * rows
    sizes = np.floor(exact).astype(np.int64)
    sizes[np.argsort(sizes - exact, kind="stable")[: rows - sizes.sum()]] += 1
    for (name, fraction), size in zip(fractions.items(), sizes, strict=True):
        if fraction > 0 and size == 0:
            raise ValueError(f"{name}={fraction} of {rows} rows leaves no row: raise it, set it to 0, or add rows")
    return sizes


def _shares(counts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Divide each class among the parts: a table with row sums `counts` and column sums `sizes`, in proportion.

    Each entry is its exact share rounded down or one more; giving what is left of a class to the parts that miss most
    always comes out even (Gale and Ryser's theorem on tables of 0 and 1).
    """
    table: NDArray[np.int64] = np.outer(counts, sizes) // counts.sum()
    missing = sizes - table.sum(axis=0)
    for row, count in zip(table, counts, strict=True):
        parts = np.argsort(-missing, kind="stable")[: count - row.sum()]
        row[parts] += 1
        missing[parts] -= 1
    return table
