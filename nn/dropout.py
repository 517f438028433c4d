"""``Dropout``: in training, each number is left out with some probability."""

import random
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autograd_mini import TraceError, Value
from autograd_mini.printing import always_answers
from autograd_mini.source import user_line
from autograd_mini.tracer import Draw, Tracer, current_tracer
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
            if current_tracer() is None:
                self.mask = None
            return rows
        widths = list(map(len, rows))
        mask: Rows = self._draw(widths) if (tracer := current_tracer()) is None else self._ask(tracer, widths)
        return [[x * factor for x, factor in zip(*both, strict=True)] for both in zip(rows, mask, strict=True)]

    def _kept(self) -> float:
        return 1.0 / (1.0 - self.p) if self.p < 1.0 else 0.0

    def _draw(self, widths: Iterable[int]) -> list[list[float]]:
        draw, p, kept = self.generator.random, self.p, self._kept()
        self.mask = [[0.0 if draw() < p else kept for _ in range(width)] for width in widths]
        return self.mask

    def _ask(self, tracer: Tracer, widths: list[int]) -> Rows:
        """Leave the draw to the program that is being made."""
        if len(set(widths)) > 1:
            got = f"rows of {min(widths)} and of {max(widths)} numbers"
            raise TraceError(f"{user_line()}: {self!r} is compiled for rows of one length, got {got}; fill them up")
        mask = [[Value(self._kept(), f"mask[{i}][{j}]") for j in range(width)] for i, width in enumerate(widths)]
        tracer.ask(Draw("dropout", mask, lambda rows: self._draw([widths[0]] * rows)))
        return mask

    @always_answers
    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"
