"""Normalization: inputs shifted and scaled to mean 0 and standard deviation 1, as the training rows have it."""

from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nn.arrays import frozen, numbers

__all__ = ["Normalization"]


class _HasInputs(Protocol):
    """A `Dataset`, whose module imports this one."""

    @property
    def inputs(self) -> NDArray[np.float64]: ...
    def with_inputs(self: "D", inputs: ArrayLike) -> "D": ...


D = TypeVar("D", bound=_HasInputs)


class Normalization:
    """The standard score ``(input - mean) / scale`` of each column; it never changes after it is made.

    `mean` and `scale` are all that it holds: save them as arrays, and ``Normalization(mean, scale)`` is the same again.

    Args:
        mean: shape (width,), finite numbers.
        scale: shape (width,), finite numbers above 0.

    Raises:
        TypeError: something that is not a real number.
        ValueError: other shapes, a number that is not finite, or a scale of 0 or less.

    Example:
        >>> from nn import Dataset
        >>> train = Dataset([[1.0, 5.0], [3.0, 5.0]], [0, 1])
        >>> normalization = Normalization.fit(train)
        >>> normalization.mean, normalization.scale
        (array([2., 5.]), array([1., 1.]))
        >>> normalization(train).inputs
        array([[-1.,  0.],
               [ 1.,  0.]])
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    def __init__(self, mean: ArrayLike, scale: ArrayLike) -> None:
        for name, values in {"mean": mean, "scale": scale}.items():
            array = numbers(name, values).astype(np.float64)
            if array.ndim != 1:
                raise ValueError(
                    f"{name} has shape {array.shape}, but must be (width,): give one number for each column"
                )
            object.__setattr__(self, name, frozen(array))
        if len(self.mean) != len(self.scale):
            both = f"mean has {len(self.mean)} numbers and scale has {len(self.scale)}"
            raise ValueError(f"{both}, but each column needs one of both: make them agree")
        if (self.scale <= 0).any():
            column = int(np.argmax(self.scale <= 0))
            what = f"column {column} of scale is {self.scale[column]:g}, but must be above 0"
            raise ValueError(f"{what}: a column that is to stay as wide as it is has scale 1")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"a Normalization is frozen, so {name} cannot be set: make another, Normalization(mean, scale)"
        )

    def __repr__(self) -> str:
        return f"Normalization(width={len(self.mean)})" if "scale" in vars(self) else "<Normalization, not initialised>"

    @classmethod
    def fit(cls, train: _HasInputs) -> "Normalization":
        """Find the mean and the standard deviation (of the population: divided by n) of each column.

        A constant column has the scale 1, so that it becomes 0 in these rows and stays finite in others.

        Args:
            train: the rows to learn from, and no others: a mean that has seen test rows tells the network about them.

        Raises:
            ValueError: no rows.
        """
        rows = train.inputs
        if not len(rows):
            raise ValueError("a normalization is fitted to rows, but this data set has none: give train a larger part")
        # Powers of 2 bring every column near 1 without rounding, where no square can overflow or vanish.
        exponents = np.frexp(np.abs(rows).max(axis=0))[1]
        scaled = np.ldexp(rows, -exponents)
        constant = rows.max(axis=0) == rows.min(axis=0)
        mean = np.where(constant, rows[0], np.ldexp(scaled.mean(axis=0), exponents))
        scale = np.ldexp(scaled.std(axis=0), exponents)
        return cls(mean, np.where(constant | (scale == 0), 1.0, scale))

    def __call__(self, dataset: D) -> D:
        """Return the data set with normalised inputs.

        Raises:
            ValueError: another width, or an input so large that it does not stay finite.
        """
        return dataset.with_inputs(self.transform(dataset.inputs))

    def transform(self, inputs: ArrayLike) -> NDArray[np.float64]:
        """Normalise plain inputs: one row (width,), or several (n, width)."""
        with np.errstate(over="ignore"):
            return (self._of_width(inputs) - self.mean) / self.scale

    def inverse(self, inputs: ArrayLike) -> NDArray[np.float64]:
        """Turn normalised inputs back into what they were, up to rounding.

        Example:
            >>> Normalization([2.0], [4.0]).inverse([[0.0], [0.5]]).tolist()
            [[2.0], [4.0]]
        """
        with np.errstate(over="ignore"):
            return self._of_width(inputs) * self.scale + self.mean

    def _of_width(self, inputs: ArrayLike) -> NDArray[np.float64]:
        nothing = isinstance(inputs, np.ndarray) and not inputs.size  # a part of a split may have no rows
        array = np.asarray(inputs if nothing else numbers("inputs", inputs), dtype=np.float64)
        if array.shape[-1:] != self.mean.shape:
            raise ValueError(
                f"inputs has shape {array.shape}, but must be (rows, {len(self.mean)}) as in the training rows"
            )
        return array
