"""Make `digits_7x7.npz`, the handwritten digits this project ships, from scikit-learn's copy of them.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
https://doi.org/10.24432/C50P49, licence CC BY 4.0. scikit-learn's `load_digits` is a copy of its test set: 1,797
pictures of 8×8 pixels, each an integer from 0 (paper) to 16 (full ink).

Changed by us: resampled from 8×8 to 7×7. The leftmost column, which holds less than 0.01 % of the ink, is dropped, and
the 8 rows are averaged into 7 by area. Nothing is rounded.

scikit-learn is needed to run this script, and by nothing else in the project:

    pip install scikit-learn
    python nn/datasets/make_digits.py
"""

import importlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["DATA_FILE", "FULL_INK", "main", "resample"]

DATA_FILE = Path(__file__).with_name("digits_7x7.npz")

FULL_INK = 128
"""The stored value of a pixel that is all ink: 16 of the source's levels, in steps of 1/8."""


def resample(images: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Turn 8×8 pictures into 7×7 ones: drop column 0, average the 8 rows into 7 by area.

    Output row i covers the input rows from i·8/7 to (i+1)·8/7, that is (7-i)/8 of its area in input row i and (i+1)/8
    in input row i+1. Every result is therefore a multiple of 1/8, and eight times it is stored, exactly.

    Args:
        images: shape (n, 8, 8), integers from 0 to 16.

    Returns:
        Shape (n, 7, 7), from 0 to `FULL_INK`; each column keeps its mean.

    Example:
        >>> ramp = np.repeat(np.arange(8), 8).reshape(1, 8, 8)
        >>> resample(ramp)[0, :, 0] / 8
        array([0.125, 1.25 , 2.375, 3.5  , 4.625, 5.75 , 6.875])
    """
    i = np.arange(7).reshape(7, 1)
    kept = images[:, :, 1:]
    return ((7 - i) * kept[:, :-1] + (i + 1) * kept[:, 1:]).astype(np.uint8)


def main(path: Path = DATA_FILE) -> None:
    """Write the data file to `path` and print what was measured on the way.

    Args:
        path: where the compressed archive of `images` (1797, 7, 7) and `labels` (1797,), both uint8, goes.

    Raises:
        ValueError: the source is not the one this script was written for.
    """
    source = importlib.import_module("sklearn.datasets").load_digits()
    images = source.images.astype(np.int64)
    if images.shape != (1797, 8, 8) or not np.array_equal(images, source.images) or images.max() > 16:
        raise ValueError(f"load_digits gave {images.shape} pictures up to {source.images.max()}, not 1797 of 8×8 to 16")
    dropped = images[:, :, 0].sum() / images.sum()
    if dropped > 1e-4:
        raise ValueError(f"column 0 holds {dropped:.4%} of the ink, which is too much to drop")

    np.savez_compressed(path, images=resample(images), labels=source.target.astype(np.uint8))
    print(f"column 0 held {images[:, :, 0].sum()} of {images.sum()} units of ink ({dropped:.4%}) and was dropped")
    print(f"columns 1 to 7 hold {images[:, :, 1:].sum()}: a mean of {float(images[:, :, 1:].mean()) / 16} of full ink")
    print(f"wrote {path} ({path.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
