"""``BatchNorm``: each number is measured against the same number in the other rows of the batch."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from autograd_mini import Value, mean, parameter, pow, square
from autograd_mini.printing import always_answers
from autograd_mini.tracer import Observation, Read, current_tracer
from nn.checks import finite_number, true_or_false, whole_number
from nn.network import Network, Rows

__all__ = ["BatchNorm"]


class BatchNorm(Network):
    """Batch normalization (Ioffe & Szegedy 2015): ``scale · (x - mean) / sqrt(variance + epsilon) + shift``.

    In training mode mean and variance are those of the batch, gradients flow through them, and the running statistics
    move towards them. In evaluation mode the running statistics take their place. Definitions and defaults are those
    of PyTorch's ``BatchNorm1d``.

    Args:
        inputs: how many numbers a row has; each is normalized by itself.
        momentum: how far the running statistics move towards a batch's, 0 to 1; None takes the mean over all batches.
        epsilon: what keeps the division finite, at least 0.
        affine: whether to learn a scale and a shift.
        track: whether to keep running statistics; without them, a batch is always measured against itself.

    Attributes:
        scale, shift: γ and β, lists of Values that start at 1 and 0; empty if not `affine`.
        running_mean, running_variance: lists of floats that start at 0 and 1; the variance is the unbiased one.
        batches: how many batches the running statistics have seen. A batch that fails is not counted.

    Raises:
        ValueError: for a batch of one row in training mode, whose variance says nothing.
        ValueError, TypeError: for options out of range.

    Example:
        >>> norm = BatchNorm(1)
        >>> [round(y.data, 3) for y in norm([[1.0], [2.0], [3.0]])]
        [-1.225, 0.0, 1.225]
        >>> [round(x, 6) for x in (*norm.running_mean, *norm.running_variance)], norm.batches
        ([0.2, 1.0], 1)
    """

    buffers: ClassVar[tuple[str, ...]] = ("running_mean", "running_variance", "batches")

    def __init__(
        self,
        inputs: int,
        *,
        momentum: float | None = 0.1,
        epsilon: float = 1e-5,
        affine: bool = True,
        track: bool = True,
    ) -> None:
        self.inputs = self.outputs = whole_number("the number of inputs", inputs, 1)
        self.momentum = None if momentum is None else finite_number("a momentum", momentum, least=0.0, most=1.0)
        self.epsilon = finite_number("epsilon", epsilon, least=0.0)
        self.track = true_or_false("track", track)
        learned = inputs if true_or_false("affine", affine) else 0
        self.scale = [parameter(1.0) for _ in range(learned)]
        self.shift = [parameter(0.0) for _ in range(learned)]
        self.running_mean = [0.0] * inputs
        self.running_variance = [1.0] * inputs
        self.batches = 0
        self.label_parameters()

    def forward(self, rows: Rows) -> Rows:
        if widths := {len(row) for row in rows} - {self.inputs}:
            raise ValueError(f"{self!r} needs {self.inputs} numbers in each row, got {min(widths)}")
        columns = list(map(list, zip(*rows, strict=True)))
        if self.track and not self.training:
            statistics: Sequence[tuple[Any, Any]] = self._running_statistics()
            centred = [[x - mu for x in column] for column, (mu, _) in zip(columns, statistics, strict=True)]
        else:
            if len(rows) < 2:
                when = "in training mode" if self.track else "without running statistics"
                fix = "give it 2 or more, deal batches with drop_last=True" + ", or call eval() first" * self.track
                raise ValueError(f"{self!r} {when} cannot take the variance of a batch of one row; {fix}")
            means = [mean(column) for column in columns]
            centred = [[x - mu for x in column] for column, mu in zip(columns, means, strict=True)]
            statistics = [(mu, mean(map(square, column))) for mu, column in zip(means, centred, strict=True)]
        outputs = list(map(list, zip(*self._scaled(centred, [variance for _, variance in statistics]), strict=True)))
        if self.training and self.track:
            self._remember(statistics, len(rows))
        return outputs

    def _running_statistics(self) -> Sequence[tuple[Any, Any]]:
        if (tracer := current_tracer()) is None:
            return list(zip(self.running_mean, self.running_variance, strict=True))
        means = [Value(x, f"running_mean[{i}]") for i, x in enumerate(self.running_mean)]
        variances = [Value(x, f"running_variance[{i}]") for i, x in enumerate(self.running_variance)]
        tracer.ask(Read("batch norm", [*means, *variances], lambda: [*self.running_mean, *self.running_variance]))
        return list(zip(means, variances, strict=True))

    def _scaled(self, centred: Rows, variances: list[Any]) -> Iterator[list[Any]]:
        """Divide each column by its standard deviation, and move it to where training wants it."""
        for i, (column, variance) in enumerate(zip(centred, variances, strict=True)):
            factor = pow(variance + self.epsilon, -0.5)
            if self.scale:
                factor, shift = self.scale[i] * factor, self.shift[i]
                yield [x * factor + shift for x in column]
            else:
                yield [x * factor for x in column]

    def _remember(self, statistics: Sequence[tuple[Any, Any]], rows: int) -> None:
        if (tracer := current_tracer()) is not None:  # a run of the program will have numbers to remember
            numbers = [x for pair in statistics for x in pair]
            tracer.ask(Observation(numbers, lambda y: self._remember(list(zip(y[::2], y[1::2], strict=True)), rows)))
            return
        batches = self.batches + 1
        share = 1.0 / batches if self.momentum is None else self.momentum
        unbiased = rows / (rows - 1)
        means = [
            (1.0 - share) * old + share * float(mu) for old, (mu, _) in zip(self.running_mean, statistics, strict=True)
        ]
        variances = [
            (1.0 - share) * old + share * unbiased * float(variance)
            for old, (_, variance) in zip(self.running_variance, statistics, strict=True)
        ]
        self.running_mean, self.running_variance, self.batches = means, variances, batches

    @always_answers
    def __repr__(self) -> str:
        return f"BatchNorm({len(self.running_mean)})"
