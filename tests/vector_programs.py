"""A strategy for programs over vectors, shaped as people write them: layers, shared and ragged sums, gathers, softmax.

A program is a list of steps; each takes earlier vectors by number and makes a new one. It prints as that list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

import autograd_mini as am
from autograd_mini import dot, grad, no_grad

__all__ = ["STEPS", "VectorProgram", "vector_programs"]

Vector = list[Any]
LONGEST = 12
FUNCTIONS = [
    am.tanh,
    am.sigmoid,
    am.relu,
    am.gelu,
    am.silu,
    am.softplus,
    am.sin,
    am.square,
    am.elu,
    am.leaky_relu,
    am.erf,
]
CONSTANTS = (0.5, -1.5, 2.0, 1.0, 0.0, -0.25)


@dataclass(frozen=True)
class Arguments:
    """What a step has: two vectors, the parameters, and a number to choose by."""

    v: Vector
    u: Vector
    parameters: Sequence[Any]
    choice: int

    def weight(self, i: int) -> Any:
        """A parameter, or a constant where there are none or the choice is so."""
        if self.parameters and self.choice % 4:
            return self.parameters[(self.choice + i) % len(self.parameters)]
        return CONSTANTS[(self.choice + i) % len(CONSTANTS)]

    def matrix(self, rows: int) -> list[Vector]:
        width = len(self.v)
        return [[self.weight(i * width + j) for j in range(width)] for i in range(rows)]


def dense(a: Arguments) -> Vector:
    rows = a.choice % 4 + 1
    return [dot(row, a.v) + a.weight(i) for i, row in enumerate(a.matrix(rows))]


def dense_by_hand(a: Arguments) -> Vector:
    return [sum(w * x for w, x in zip(row, a.v, strict=True)) + a.weight(i) for i, row in enumerate(a.matrix(3))]


def dense_one_by_one(a: Arguments) -> Vector:
    out = []
    for i, row in enumerate(a.matrix(2)):
        total = a.weight(i + 3)
        for w, x in zip(row, a.v, strict=True):
            total = total + x * w
        out.append(total)
    return out


def there_and_back(a: Arguments) -> Vector:
    matrix = a.matrix(2)
    hidden = [dot(row, a.v) for row in matrix]
    return [dot(list(column), hidden) for column in zip(*matrix, strict=True)]


def gathered(a: Arguments) -> Vector:
    return [a.v[(i * 7 + a.choice) % len(a.v)] for i in range(len(a.v))]


def windows(a: Arguments) -> Vector:
    width = min(3, len(a.v))
    kernel = [a.weight(i) for i in range(width)]
    return [dot(kernel, a.v[i : i + width]) for i in range(len(a.v) - width + 1)]


def prefix_sums(a: Arguments) -> Vector:
    out = [a.v[0]]
    for x in a.v[1:]:
        out.append(out[-1] + x)
    return out


def detached(a: Arguments) -> Vector:
    with no_grad():
        still = [x * 0.5 for x in a.v]
    return [x * y for x, y in zip(a.v, still, strict=True)]


def slopes(a: Arguments) -> Vector:
    def bent(*x: Any) -> Any:
        return dot(list(x), list(x)) * 0.5 + am.sum([am.tanh(y) for y in x])

    return [grad(bent)(*a.v[:3]), *a.v[:2]]


STEPS: dict[str, Callable[[Arguments], Vector]] = {
    "add": lambda a: [x + y for x, y in zip(a.v, a.u, strict=False)],
    "function": lambda a: [FUNCTIONS[a.choice % len(FUNCTIONS)](x) for x in a.v],
    "dense": dense,
    "dense_by_hand": dense_by_hand,
    "dense_one_by_one": dense_one_by_one,
    "there_and_back": there_and_back,
    "gathered": gathered,
    "reversed": lambda a: a.v[::-1],
    "part": lambda a: a.v[a.choice % len(a.v) :],
    "every_other": lambda a: a.v[::2],
    "joined": lambda a: a.v + a.u,
    "repeated": lambda a: [a.v[0]] * (a.choice % 3 + 1) + [a.v[-1]],
    "windows": windows,
    "prefix_sums": prefix_sums,
    "products": lambda a: [x * y * 0.3 for x, y in zip(a.v, a.u, strict=False)],
    "quotients": lambda a: [x / (y * y + 1.0) for x, y in zip(a.v, a.u, strict=False)],
    "powers": lambda a: [(x * x + 1.0) ** (2, -1, 0.5, 3, -0.5, 1.5)[a.choice % 6] * 0.2 for x in a.v],
    "outer": lambda a: [x * y * 0.2 for x in a.v[:3] for y in a.u[:3]],
    "with_itself": lambda a: [dot(a.v, a.v) * 0.1, *(x * x * 0.1 for x in a.v)],
    "both_ways": lambda a: [dot(a.v, a.v[::-1]) * 0.1, dot(a.v[::-1], a.v) * 0.1],
    "ragged_dots": lambda a: [dot(a.v[: i + 1], a.v[: i + 1]) * 0.1 for i in range(len(a.v))],
    "ragged_sums": lambda a: [am.sum([x * a.weight(i) for x in a.v[: i + 1]]) for i in range(len(a.v))],
    "centred": lambda a: [x - mu for mu in [am.mean(a.v)] for x in a.v],
    "shared": lambda a: [t * x * 0.4 + t for t in [a.v[0] + a.u[0]] for x in a.v],
    "with_constants": lambda a: [2.0 * x + 1.0 if i % 2 else 0.5 - x for i, x in enumerate(a.v)],
    "with_zeros": lambda a: [dot(a.v, [0.0] * len(a.v)) + a.v[0], dot(a.v, [1.0] * len(a.v)), a.v[0] - 0.1 - 0.2],
    "shifted": lambda a: [x + a.weight(i) for i, x in enumerate(a.v)],
    "largest": lambda a: [am.maximum(x, y) for x, y in zip(a.v, [*a.u[1:], 0.25], strict=False)],
    "chosen": lambda a: [am.where(x > y * 0.5, x * y, y - x) for x, y in zip(a.v, a.u, strict=False)],
    "softmax": lambda a: am.softmax(a.v),
    "log_softmax": lambda a: am.log_softmax(a.v),
    "logsumexp": lambda a: [am.logsumexp(a.v), am.logsumexp([x * 0.5 for x in a.u])],
    "detached": detached,
    "slopes": slopes,
}

ENDS: tuple[Callable[[Vector, Vector], Any], ...] = (
    lambda last, other: am.sum(last),
    lambda last, other: last[0] * 1.0,
    lambda last, other: dot(last, last) * 0.5,
    lambda last, other: am.mean([am.square(x) for x in last]) + am.sum(other) * 0.1,
    lambda last, other: -am.sum([x * 0.5 for x in last]) / 3.0,
)


@dataclass(frozen=True)
class VectorProgram:
    """A function of two vectors, which reads parameters besides."""

    steps: tuple[tuple[str, int, int, int], ...]
    end: int

    def __call__(self, x: Vector, y: Vector, parameters: Sequence[Any]) -> Any:
        vectors = [list(x), list(y), *([list(parameters)] if parameters else [])]
        for name, first, second, choice in self.steps:
            v, u = vectors[-1 - first % len(vectors)], vectors[-1 - second % len(vectors)]
            vectors.append(STEPS[name](Arguments(v, u, parameters, choice))[:LONGEST])
        return ENDS[self.end](vectors[-1], vectors[-2])


_numbers = st.integers(0, 11)
_steps = st.tuples(st.sampled_from(list(STEPS)), _numbers, _numbers, _numbers)


def vector_programs(max_steps: int = 7) -> st.SearchStrategy[VectorProgram]:
    """Programs of one to `max_steps` steps."""
    steps = st.lists(_steps, min_size=1, max_size=max_steps).map(tuple)
    return st.builds(VectorProgram, steps, st.integers(0, len(ENDS) - 1))
