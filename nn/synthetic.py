"""Data sets by name: the handwritten digits, and points in the plane that are drawn from a seed."""

from collections.abc import Callable
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd_mini.printing import Listing
from nn.checks import finite_number, whole_number
from nn.data import Dataset
from nn.seeds import seeded_generator

__all__ = ["DATASETS", "blobs", "circles", "digits", "moons", "spirals", "xor"]


def digits(*, seed: int = 0) -> Dataset:
    """Load 1,797 handwritten digits of 7×7 pixels, from 0.0 (paper) to 1.0 (full ink).

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
    1998, https://doi.org/10.24432/C50P49, CC BY 4.0; resampled by us from 8×8 as `nn/datasets/README.md` says.

    Args:
        seed: changes nothing, as nothing is drawn; it is here so that everything in `DATASETS` is called alike.

    Returns:
        A `Dataset` with inputs (1797, 49), pixel by pixel along the rows from the top left, and labels 0 to 9.

    Example:
        >>> digits()
        Dataset(rows=1797, shape=(7, 7), classes=10)
    """
    path = resources.files("nn") / "datasets" / "digits_7x7.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        images, labels = stored["images"], stored["labels"]
    return Dataset(images.reshape(len(images), -1) / 128, labels, classes=10, shape=images.shape[1:])


def moons(n: int = 200, *, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Draw two half circles that reach into each other.

    Definition: https://scikit-learn.org/stable/modules/generated/sklearn.datasets.make_moons.html

    Args:
        n: how many points, 2 or more; half of them in each moon.
        noise: standard deviation of what is added to both coordinates, 0 or more.
        seed: whole number, 0 or more; the same seed gives the same points.

    Returns:
        A `Dataset` of points (x, y): class 0 is the upper moon, class 1 the lower.

    Raises:
        TypeError, ValueError: an argument that is not such a number.

    Example:
        >>> moons(100, noise=0.2, seed=1)
        Dataset(rows=100, shape=(2,), classes=2)
    """
    labels, t = _arms(n, 2)
    angle = np.pi * t
    x = np.where(labels == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(labels == 0, np.sin(angle), 0.5 - np.sin(angle))
    return _noisy(x, y, labels, noise, seed)


def circles(n: int = 200, *, noise: float = 0.1, seed: int = 0, factor: float = 0.5) -> Dataset:
    """Draw a circle inside another: no straight line keeps them apart.

    Definition: https://scikit-learn.org/stable/modules/generated/sklearn.datasets.make_circles.html

    Args:
        n: how many points, 2 or more; half of them on each circle.
        noise: standard deviation of what is added to both coordinates, 0 or more.
        seed: whole number, 0 or more; the same seed gives the same points.
        factor: radius of the inner circle, 0 to 1; the outer one's is 1.

    Returns:
        A `Dataset` of points (x, y): class 0 is the outer circle, class 1 the inner.

    Raises:
        TypeError, ValueError: an argument that is not such a number.

    Example:
        >>> circles(100)
        Dataset(rows=100, shape=(2,), classes=2)
    """
    factor = finite_number("factor", factor, least=0.0)
    if factor > 1:
        raise ValueError(f"factor is {factor:g}, but must be from 0 to 1: the inner circle lies in the outer")
    labels, t = _arms(n, 2, closed=True)
    radius, angle = np.where(labels == 0, 1.0, factor), 2 * np.pi * t
    return _noisy(radius * np.cos(angle), radius * np.sin(angle), labels, noise, seed)


def spirals(
    n: int = 200, *, noise: float = 0.02, seed: int = 0, classes: int = 2, turns: float = 1.0
) -> Dataset:  # fmt: skip
    """Draw spirals that wind around each other, one a class.

    Source: K. J. Lang and M. J. Witbrock, "Learning to Tell Two Spirals Apart", Proceedings of the 1988 Connectionist
    Models Summer School; here the radius goes from 0.1 to 1, and there may be more than two.

    Args:
        n: how many points, `classes` or more; dealt evenly to the spirals.
        noise: standard deviation of what is added to both coordinates, 0 or more.
        seed: whole number, 0 or more; the same seed gives the same points.
        classes: how many spirals, 1 or more.
        turns: how often each goes around, 0 or more.

    Returns:
        A `Dataset` of points (x, y).

    Raises:
        TypeError, ValueError: an argument that is not such a number.

    Example:
        >>> spirals(90, classes=3)
        Dataset(rows=90, shape=(2,), classes=3)
    """
    labels, t = _arms(n, classes)
    radius = 0.1 + 0.9 * t
    angle = 2 * np.pi * (finite_number("turns", turns, least=0.0) * t + labels / classes)
    return _noisy(radius * np.cos(angle), radius * np.sin(angle), labels, noise, seed)


def xor(n: int = 200, *, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Draw points in a square around 0, of class 1 where just one coordinate is above 0.

    Source: the exclusive or of M. Minsky and S. Papert, "Perceptrons", MIT Press 1969, which no single neuron learns.

    Args:
        n: how many points, 2 or more; dealt evenly to the four quadrants.
        noise: standard deviation of what is added to both coordinates after the classes are settled, 0 or more.
        seed: whole number, 0 or more; the same seed gives the same points.

    Returns:
        A `Dataset` of points (x, y) from -1 to 1, and beyond by the noise.

    Raises:
        TypeError, ValueError: an argument that is not such a number.

    Example:
        >>> xor(8, noise=0).targets.tolist().count(1)
        4
    """
    quadrant = np.arange(whole_number("n", n, 2)) % 4
    x, y = 1 - seeded_generator(seed, 0).random((2, len(quadrant)))  # above 0, never on an axis
    x_side, y_side = np.where(quadrant % 3 == 0, 1, -1), np.where(quadrant < 2, 1, -1)
    return _noisy(x * x_side, y * y_side, (x_side != y_side).astype(np.int64), noise, seed)


def blobs(n: int = 200, *, noise: float = 1.0, seed: int = 0, classes: int = 3) -> Dataset:
    """Draw clouds of points, one a class, around centres drawn evenly from -10 to 10.

    Definition: https://scikit-learn.org/stable/modules/generated/sklearn.datasets.make_blobs.html

    Args:
        n: how many points, `classes` or more; dealt evenly to the classes.
        noise: standard deviation of each cloud in both coordinates, 0 or more.
        seed: whole number, 0 or more; the same seed gives the same centres and points.
        classes: how many clouds, 1 or more.

    Returns:
        A `Dataset` of points (x, y).

    Raises:
        TypeError, ValueError: an argument that is not such a number.

    Example:
        >>> blobs(90)
        Dataset(rows=90, shape=(2,), classes=3)
    """
    labels, _ = _arms(n, classes)
    x, y = seeded_generator(seed, 0).uniform(-10, 10, (2, classes))
    return _noisy(x[labels], y[labels], labels, noise, seed)


DATASETS: Listing[Callable[..., Dataset]] = Listing(
    digits=digits, moons=moons, circles=circles, spirals=spirals, xor=xor, blobs=blobs
)
"""Data sets by name. Each takes ``seed=``, and all but the digits take how many points."""


def _arms(n: int, classes: int, *, closed: bool = False) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Deal n points to classes in turn, each with its place on its curve: from 0 to 1, or just below 1."""
    classes = whole_number("classes", classes, 1)
    labels = np.arange(whole_number("n", n, classes)) % classes
    steps = np.bincount(labels)[labels] - (not closed)
    return labels, np.arange(n) // classes / np.maximum(steps, 1)


def _noisy(x: NDArray[Any], y: NDArray[Any], labels: NDArray[np.int64], noise: float, seed: int) -> Dataset:
    """Shuffle the points, and move each a little."""
    deviation, generator = finite_number("noise", noise, least=0.0), seeded_generator(seed, 1)
    order = generator.permutation(len(labels))
    points = np.column_stack([x, y])[order] + deviation * generator.standard_normal((len(labels), 2))
    return Dataset(points, labels[order], classes=int(labels.max()) + 1, columns=["x", "y"])
