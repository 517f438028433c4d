"""``Dropout``: in training, each number is left out with some probability."""

import random
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autograd_mini.printing import always_answers
from nn.checks import finite_number
from nn.initializers import random_generator
from nn.network import Network, Rows

__all__ = ["Dropout"]


class Dropout(Network):
    """Inverted dropout (Srivastava et al. 2014): a number becomes 0 with probability `p`, else it is divided by 1 - p.

    The expected value stays what it was, so that in evaluation mode there is nothing to do: what goes in comes out.

    Args:
        p: the probability that a number is left out, 0 to 1.
        seed: a whole number, a ``random.Random`` to draw from, or None for other draws every time.

    Attributes:
        mask: what each number of the last batch was multiplied with, 0 or 1/(1 - p), row by row; None before the
            first batch and in evaluation mode.
        generator_state: where the generator stands, 625 words of 32 bits, to go on from the same place.

    Raises:
        ValueError, TypeError: for a probability that is not a number from 0 to 1, or a seed that is none.

    Example:
        >>> dropout = Dropout(0.5, seed=3)
        >>> dropout([1.0, 2.0, 3.0, 4.0]), dropout.mask
        ([0.0, 4.0, 0.0, 8.0], [[0.0, 2.0, 0.0, 2.0]])
        >>> dropout.eval()([1.0, 2.0, 3.0, 4.0])
        [1.0, 2.0, 3.0, 4.0]
    """

    buffers: ClassVar[tuple[str, ...]] = ("generator_state",)

    def __init__(self, p: float = 0.5, *, seed: int | random.Random | None = None) -> None:
        self.p = finite_number("the probability of Dropout", p, least=0.0, most=1.0)
        self.generator = random_generator(seed)
        self.mask: list[list[float]] | None = None

    @property
    def generator_state(self) -> NDArray[Any]:
        return np.array(self.generator.getstate()[1], dtype=np.uint32)

    @generator_state.setter
    def generator_state(self, words: NDArray[Any]) -> None:
        *numbers, place = words.tolist()
        # Of the first word a Mersenne Twister uses one bit. From nothing but zeros it draws 0 forever.
        dead = not (numbers[0] >> 31 or any(numbers[1:]))
        if dead or place > len(numbers):
            legal = f"{len(numbers)} words that are not all 0, then a place from 0 to {len(numbers)}"
            got = "only zeros" if dead else f"place {place}"
            raise ValueError(f"the state of a generator is {legal}, got {got}; load what state() gave")
        self.generator.setstate((random.Random.VERSION, (*numbers, place), None))

    def forward(self, rows: Rows) -> Rows:
        if not self.training:
            self.mask = None
            return rows
        draw, p = self.generator.random, self.p
        kept = 1.0 / (1.0 - p) if p < 1.0 else 0.0
        self.mask = [[0.0 if draw() < p else kept for _ in row] for row in rows]
        return [[x * factor for x, factor in zip(*both, strict=True)] for both in zip(rows, self.mask, strict=True)]

    @always_answers
    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"
