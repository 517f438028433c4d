"""Compiled programs of a model with its loss, each held to the numbers of the eager engine before it is used."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd_mini import Value
from autograd_mini.compiler import CompiledStep, compile
from autograd_mini.errors import TraceError
from nn.data import Dataset
from nn.losses import LOSSES, binary_cross_entropy, cross_entropy, hinge
from nn.optimizer import Vector

__all__ = ["Numbers", "Program", "close", "fitting", "judging"]

_NEAR = 1e-9
_LEGAL: dict[Any, Callable[[Any], Any]] = {
    binary_cross_entropy: lambda t: ((t >= 0.0) & (t <= 1.0)).all(),
    hinge: lambda t: (np.abs(t) == 1.0).all(),
    cross_entropy: lambda t: (t >= 0.0).all() and np.allclose(t.sum(axis=-1), 1.0, rtol=1e-6, atol=0.0),
}


class Numbers(NamedTuple):
    """What a model makes of a batch: the loss, the outputs row by row, and the gradient by each parameter."""

    loss: float
    outputs: Any
    gradients: Vector


class Program:
    """A compiled program of a model and its loss.

    Args:
        step: the program.
        loss: what it was made of, to know which targets are legal; None for a program of the outputs alone.
        classes: how many there are, if targets are given to it as one-hot rows.
        whole: whether it was traced with a whole batch instead of one example.
        adds: whether the loss of a batch is the sum over its rows instead of their mean.

    Attributes:
        reached: of the optimizer's parameters, whether the loss depends on it.
    """

    reached: NDArray[np.bool_]

    def __init__(self, step: CompiledStep, loss: Any, classes: int | None, whole: bool, adds: bool = False) -> None:
        self.step, self.classes, self.whole, self.adds = step, classes, whole, adds
        self.outputs_only = loss is None
        self._is_legal = _LEGAL.get(loss)

    def targets(self, batch: Dataset) -> NDArray[Any] | None:
        """The targets as the program is given them; None if they are not legal, which the loss itself will tell."""
        targets = batch.targets
        if self.classes is not None:
            if targets.dtype.kind not in "iu" or targets.min() < 0 or targets.max() >= self.classes:
                return None
            one_hot: NDArray[Any] = np.eye(self.classes)[targets]
            return one_hot
        return targets if self._is_legal is None or self._is_legal(targets) else None

    def learn(self, parameters: Vector, batch: Dataset) -> Numbers | None:
        """Compute loss, outputs and gradients; None for targets that are not legal."""
        if (targets := self.targets(batch)) is None:
            return None
        self.step.parameters[...] = parameters
        (loss, outputs), gradients = self.step(batch.inputs, targets)
        scale = float(len(batch)) if self.adds else 1.0
        return Numbers(scale * float(loss), outputs, scale * gradients)

    def judge(self, parameters: Vector, batch: Dataset) -> tuple[float, Any] | None:
        """Compute loss and outputs, for a program without gradients."""
        if self.outputs_only:
            self.step.parameters[...] = parameters
            return 0.0, self.step(batch.inputs)
        if (targets := self.targets(batch)) is None:
            return None
        self.step.parameters[...] = parameters
        losses, outputs = self.step(batch.inputs, targets)
        return float(losses.sum() if self.adds else losses.mean()), outputs


def fitting(
    model: Any, loss: Any, parameters: list[Value], batch: Dataset, outputs: Any, fits: Callable[[Program], str | None]
) -> Program:
    """Find the program that computes what the eager engine does.

    One example is traced, and a batch axis added. Where that is not the same, since the rows of a batch are coupled, as
    by ``BatchNorm``, a batch of this size is traced as one graph.

    Args:
        model, loss: what to compile; in training mode.
        parameters: all that these use.
        batch: to be traced, and tried.
        outputs: what the model makes of it.
        fits: says how a program's numbers differ from those wanted; None if they do not.

    Raises:
        TraceError: if there is none.
    """
    tried: list[tuple[str, Exception | None]] = []
    for whole in (False, True):
        for classes in _encodings(loss, batch, outputs):
            try:
                x, y = _examples(batch, classes, whole)
                traced = _of_batch(model, loss) if whole else _of_one(model, loss)
                step = compile(traced, x, y, parameters=parameters, has_aux=True)
                for adds in (False, True)[: 1 if whole else 2]:
                    program = Program(step, loss, classes, whole, adds)
                    if (complaint := fits(program)) is None:
                        return program
                    tried.append((complaint, None))
            except Exception as error:  # of code that is not ours, which was not written to be traced
                tried.append((str(error), error))
    complaint, cause = next((one for one in tried if isinstance(one[1], TraceError)), tried[-1])
    why = "" if cause is None or isinstance(cause, TraceError) else "; inputs and targets are Values while it is traced"
    raise TraceError(
        f"this model with this loss cannot be compiled: {complaint}{why}; engine='eager' trains it"
    ) from cause


def judging(
    model: Any, loss: Any, parameters: list[Value], batch: Dataset, outputs: Any, fits: Callable[[Program], str | None]
) -> Program | None:
    """Find the program for evaluation as ``fitting`` does for training; None if rows are coupled, or there is none.

    Where `loss` is None, it is one of the outputs alone.
    """
    for classes in _encodings(loss, batch, outputs) if loss is not None else [None]:
        try:
            x, y = _examples(batch, classes, whole=False)
            if loss is None:
                step = compile(lambda x: model(_array([x]))[0], x, parameters=parameters, gradients=False)
            else:
                step = compile(_of_one(model, loss), x, y, parameters=parameters, gradients=False)
            for adds in (False, True)[: 1 if loss is None else 2]:
                program = Program(step, loss, classes, False, adds)
                if fits(program) is None:
                    return program
        except Exception:  # as above; the eager engine is there, and complains where it should
            continue
    return None


def close(ours: Any, theirs: Any) -> bool:
    """Whether numbers are the same but for rounding."""
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    size = float(np.abs(b).max(initial=0.0))
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=_NEAR, atol=_NEAR * size + 1e-12))


def _encodings(loss: Any, batch: Dataset, outputs: Any) -> Iterator[int | None]:
    """As how many one-hot columns to give the targets; None as they are."""
    count = len(outputs[0]) if hasattr(outputs[0], "__len__") else 1
    is_class = batch.targets.ndim == 1 and batch.targets.dtype.kind in "iu"
    if not (is_class and loss is cross_entropy):
        yield None
    if is_class and (loss is cross_entropy or LOSSES.get(getattr(loss, "__name__", "")) is not loss):
        yield count


def _examples(batch: Dataset, classes: int | None, whole: bool) -> tuple[Any, Any]:
    targets = batch.targets if classes is None else np.eye(classes)[batch.targets]
    return (batch.inputs, targets) if whole else (batch.inputs[0], targets[0])


def _of_one(model: Any, loss: Any) -> Callable[[Any, Any], Any]:
    def traced(x: Any, y: Any) -> Any:
        outputs = model(_array([x]))
        return loss(outputs, _array([y])), outputs[0]

    return traced


def _of_batch(model: Any, loss: Any) -> Callable[[Any, Any], Any]:
    def traced(x: Any, y: Any) -> Any:
        outputs = model(_array(x))
        return loss(outputs, _array(y)), outputs

    return traced


def _array(rows: Any) -> NDArray[Any]:
    """Inputs and targets come as arrays, as they do without compilation."""
    shape = (len(rows), *([len(rows[0])] if hasattr(rows[0], "__len__") else []))
    array = np.empty(shape, dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array
