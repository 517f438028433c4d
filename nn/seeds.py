"""Random numbers that only a seed decides: NumPy generators, never NumPy's global one."""

import numpy as np

from nn.checks import whole_number

__all__ = ["seeded_generator"]


def seeded_generator(seed: int, *stream: int) -> np.random.Generator:
    """Make the generator of one of a seed's streams, so that two uses of one seed do not draw the same numbers.

    Example:
        >>> seeded_generator(0, 1).integers(100, size=3).tolist() == seeded_generator(0, 1).integers(
        ...     100, size=3
        ... ).tolist()
        True
        >>> seeded_generator(0, 1).random() == seeded_generator(0, 2).random()
        False
    """
    # A spawn key keeps streams apart; SeedSequence([seed, epoch]) would repeat SeedSequence([seed]) in epoch 0.
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(whole_number("seed", seed, 0), spawn_key=stream)))
