"""How weights are drawn at the start; every draw comes from a generator that is passed in, never from a global one."""

import math
import random
from collections.abc import Callable
from numbers import Integral
from typing import TypeAlias

from autograd_mini.printing import Listing
from nn.checks import choice

__all__ = [
    "INITIALIZERS",
    "Initializer",
    "he",
    "initializer_function",
    "random_generator",
    "uniform",
    "xavier",
    "zeros",
]

Draw: TypeAlias = Callable[[int, int, random.Random], float]
Initializer: TypeAlias = str | Draw


def uniform(inputs: int, outputs: int, generator: random.Random) -> float:
    """Draw from the uniform distribution between -1 and 1, as micrograd does."""
    return generator.uniform(-1.0, 1.0)


def xavier(inputs: int, outputs: int, generator: random.Random) -> float:
    """Draw uniformly with variance 2/(inputs + outputs), for sigmoid and tanh (Glorot & Bengio 2010, eq. 16)."""
    bound = math.sqrt(6.0 / (inputs + outputs))
    return generator.uniform(-bound, bound)


def he(inputs: int, outputs: int, generator: random.Random) -> float:
    """Draw normally with variance 2/inputs, for relu (He et al. 2015, eq. 10)."""
    return generator.gauss(0.0, math.sqrt(2.0 / inputs))


def zeros(inputs: int, outputs: int, generator: random.Random) -> float:
    """Start at 0: every neuron of a layer then learns the same, which is the point of showing it."""
    return 0.0


INITIALIZERS: dict[str, Draw] = Listing(uniform=uniform, xavier=xavier, he=he, zeros=zeros)
"""Every initializer by its name."""


def initializer_function(initializer: Initializer) -> Draw:
    """Return the function that a name stands for; a function ``(inputs, outputs, generator) -> float`` itself.

    Raises:
        ValueError: for a name that is not in ``INITIALIZERS``.
    """
    return initializer if callable(initializer) else choice("initializer", initializer, INITIALIZERS)


def random_generator(seed: int | random.Random | None) -> random.Random:
    """Return a generator: a new one from a seed, from the operating system if None, or the one given.

    Raises:
        TypeError: for any other seed.
    """
    if isinstance(seed, random.Random):
        return seed
    if seed is None:
        return random.Random()
    message = f"a seed is a whole number, 0 or more, a random.Random or None, got {seed!r:.60}"
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise TypeError(message)
    if seed < 0:
        raise ValueError(message)
    return random.Random(int(seed))
