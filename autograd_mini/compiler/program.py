"""The program: statements over views of buffers, ready to be written out as NumPy."""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from autograd_mini.compiler.layout import Grid

__all__ = ["Axis", "Buffer", "Number", "Ref", "Scalar", "Statement", "contiguous", "in_order", "view"]


class Axis(NamedTuple):
    """One axis of a view: its size and stride, each to be multiplied by the batch's size if so marked."""

    size: int
    stride: int
    per_batch: bool = False
    stride_per_batch: bool = False

    @property
    def length(self) -> tuple[int, bool]:
        return self.size, self.per_batch


@dataclass(eq=False, slots=True)
class Buffer:
    """Memory of the program.

    Attributes:
        name: what the source calls it.
        places: how many numbers it has, for each example if `batched`.
        batched: whether it has an axis of examples.
        batch_first: whether that axis is the first, as in inputs; else it is the last.
        kind: ``"given"`` from outside, ``"kept"``, or ``"temporary"``, which others may take over.
        dtype: ``"float"`` or ``"bool"``.
    """

    name: str
    places: int
    batched: bool
    batch_first: bool = False
    kind: str = "kept"
    dtype: str = "float"


class Ref(NamedTuple):
    """A view of a buffer: where it starts, in places, and its axes."""

    buffer: Buffer
    offset: int
    axes: tuple[Axis, ...]

    def reordered(self, *order: int) -> "Ref":
        """The same with its axes in another order."""
        return self._replace(axes=tuple([self.axes[i] for i in order]))

    def merged(self, first: int, second: int) -> "Ref | None":
        """The same with two neighbouring axes as one; None if memory does not allow it."""
        a, b = self.axes[first], self.axes[second]
        if a.length == (1, False):
            axis = b
        elif b.length == (1, False):
            axis = a
        elif (a.stride, a.stride_per_batch) == (b.size * b.stride, b.per_batch or b.stride_per_batch) and not (
            b.per_batch and b.stride_per_batch
        ):
            axis = Axis(a.size * b.size, b.stride, a.per_batch or b.per_batch, b.stride_per_batch)
        else:
            return None
        return self._replace(axes=(*self.axes[:first], axis, *self.axes[second + 1 :]))

    @property
    def is_in_order(self) -> bool:
        """Whether its numbers lie in memory one after the other."""
        size, per_batch = 1, False
        for axis in reversed(self.axes):
            if axis.length != (1, False):
                if (axis.stride, axis.stride_per_batch) != (size, per_batch):
                    return False
                size, per_batch = size * axis.size, per_batch or axis.per_batch
        return True

    @property
    def amount(self) -> tuple[int, bool]:
        """How many numbers it has, and whether that is for each example."""
        size = 1
        for axis in self.axes:
            size *= axis.size
        return size, any(axis.per_batch for axis in self.axes)

    @property
    def lengths(self) -> tuple[tuple[int, bool], ...]:
        return tuple([axis.length for axis in self.axes])


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number that is known when the batch's size is: a formula over ``batch``."""

    text: str


Number: TypeAlias = float | Scalar


@dataclass(slots=True, eq=False)
class Statement:
    """A call that writes into `out`; what it reads are views and numbers.

    Attributes:
        function: a NumPy function, or ``"copy"`` for an assignment.
        args: what it is given, in order.
        out: where the result goes.
        keywords: what else the function is told, as text.
    """

    function: str
    args: tuple[Any, ...]
    out: Ref | None
    keywords: str = ""


def view(buffer: Buffer, grid: Grid, examples: str = "") -> Ref:
    """A view of a buffer over the axes of a grid.

    Args:
        buffer: the memory.
        grid: the places.
        examples: ``"batch"`` for an axis of examples behind them, ``"one"`` for an axis of size 1, or none.
    """
    per_batch = buffer.batched and not buffer.batch_first
    axes = [
        Axis(1, 0) if size == 1 else Axis(size, stride, False, per_batch and stride != 0)
        for size, stride in zip(grid.sizes, grid.strides, strict=True)
    ]
    if examples == "batch":
        axes.append(Axis(1, buffer.places if buffer.batch_first else 1, True))
    elif examples == "one":
        axes.append(Axis(1, 0))
    return Ref(buffer, grid.start, tuple(axes))


def contiguous(buffer: Buffer, lengths: tuple[tuple[int, bool], ...]) -> Ref:
    """The whole of a buffer in the order of memory, over axes of these lengths."""
    axes: list[Axis] = []
    size, per_batch = 1, False
    for length, of_batch in reversed(lengths):
        axes.append(Axis(1, 0) if (length, of_batch) == (1, False) else Axis(length, size, of_batch, per_batch))
        size, per_batch = size * length, per_batch or of_batch
    return Ref(buffer, 0, tuple(reversed(axes)))


def in_order(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of axes whose numbers lie one after the other."""
    strides, stride = [], 1
    for size in reversed(sizes):
        strides.append(stride if size > 1 else 0)
        stride *= size
    return tuple(reversed(strides))
