"""Looking back into a training run: one moment of it as a live graph, and which rows pushed a parameter which way."""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from autograd_mini import Value, dot, gradients
from autograd_mini.number import number_text
from autograd_mini.printing import always_answers, printable
from nn.checks import whole_number
from nn.data import Dataset
from nn.dropout import Dropout
from nn.learner import Answer, Learner
from nn.module import Module
from nn.saving import beginning

__all__ = ["Blame", "Push", "Replay", "blame", "replay"]

_SHOWN = 16


@dataclass(frozen=True, repr=False)
class Replay:
    """One moment of training, brought back: a copy of the model as it then was, and the graph of its loss.

    Attributes:
        epoch, batch, row: which moment; epochs and batches counted from 1, rows of the batch from 0, or None.
        data: the batch.
        model: the copy, in training mode, its parameters as they were before this iteration's step.
        outputs: what it made of each row of the batch.
        loss: of the row, or of the whole batch with its penalties: a Value to draw, step through and differentiate.
        masks: what each ``Dropout`` multiplied with, row by row, by the name of its place in the model.
        learning_rate: of the step that followed.
    """

    epoch: int
    batch: int
    row: int | None
    data: Dataset
    model: Module
    outputs: list[Any]
    loss: Value
    masks: dict[str, list[list[float]]]
    learning_rate: float

    @always_answers
    def __repr__(self) -> str:
        row = "" if self.row is None else f", row {self.row}"
        return f"Replay(epoch {self.epoch}, batch {self.batch}{row}: loss {number_text(self.loss.data)})"


@dataclass(frozen=True, slots=True)
class Push:
    """What one row of a batch did to a parameter.

    Attributes:
        row: of the batch.
        number: of the data that the batch was dealt from.
        target: what the row should have given.
        gradient: the row's part of the gradient of the loss by the parameter.
    """

    row: int
    number: int
    target: Any
    gradient: float

    @property
    def direction(self) -> str:
        """Where the row pushes the parameter: against its gradient."""
        return "up" if self.gradient < 0.0 else "down" if self.gradient > 0.0 else "nowhere"


@dataclass(frozen=True, repr=False)
class Blame:
    """Which rows of a batch pushed a parameter, and which way.

    Attributes:
        name: the parameter's.
        epoch, batch: counted from 1.
        gradient: of the loss by the parameter, before clipping; the sum of all pushes and of the penalties'.
        pushes: one for each row, the strongest first.
        penalty: the part of the gradient that comes from the penalties.
    """

    name: str
    epoch: int
    batch: int
    gradient: float
    pushes: tuple[Push, ...]
    penalty: float

    @always_answers
    def __repr__(self) -> str:
        total = f"gradient {number_text(self.gradient)}, the sum over {len(self.pushes)} rows"
        total += f" and penalties of {number_text(self.penalty)}" if self.penalty else ""
        table = [("row", "of the data", "target", "gradient", "pushes it")]
        for push in self.pushes[:_SHOWN]:
            cells = (push.row, push.number, printable(str(push.target), 20), number_text(push.gradient), push.direction)
            table.append(tuple(map(str, cells)))  # type: ignore[arg-type]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
        more = [f"… {len(self.pushes) - _SHOWN} more, weaker ones"] * (len(self.pushes) > _SHOWN)
        where = f"{printable(self.name)} at epoch {self.epoch}, batch {self.batch}"
        return "\n".join([f"{where}: {total}", *lines, *more])


def replay(trainer: Any, epoch: int, batch: int, row: int | None) -> Replay:
    """Do what ``Trainer.replay`` says."""
    if row is not None:
        whole_number("row", row, 0)
    learner, data, (outputs, loss) = _brought_back(trainer, epoch, batch)
    if row is not None and row >= len(data):
        raise ValueError(f"batch {batch} has rows 0 to {len(data) - 1}, got row {row}")
    if row is not None:
        loss = learner.row_loss(outputs, data, row)
    masks = {n: m.mask for n, m in learner.model.modules() if isinstance(m, Dropout) and m.mask is not None}
    rate = learner.optimizer.learning_rate
    return Replay(epoch, batch, row, data, learner.model, outputs, loss, masks, rate)


def blame(trainer: Any, parameter: Value | str, epoch: int, batch: int) -> Blame:
    """Do what ``Trainer.blame`` says.

    The loss is a function of all outputs, so its gradient is the sum over the rows of what came through each row's
    outputs (and, if the batch is normalized, through other rows from there).
    """
    name = _name_of(trainer.model, parameter)
    learner, data, answer = _brought_back(trainer, epoch, batch)
    value = dict(learner.model.named_parameters())[name]
    # Copies without a past, so that each output is told from all others, even from those that it was computed from.
    copies = [[Value(float(y)) for y in row] if _is_row(row) else Value(float(row)) for row in answer.outputs]
    upstream = gradients(learner.loss(copies, data.targets))
    pushes = [
        Push(i, number, target, gradients(_as_it_counts(row, twin, upstream)).get(value, 0.0))
        for i, (row, twin, number, target) in enumerate(
            zip(answer.outputs, copies, data.rows.tolist(), data.targets.tolist(), strict=True)
        )
    ]
    pushes.sort(key=lambda push: -abs(push.gradient))
    penalty = learner.penalty()
    of_penalty = 0.0 if penalty is None else gradients(penalty).get(value, 0.0)
    return Blame(name, epoch, batch, gradients(answer.loss).get(value, 0.0), tuple(pushes), of_penalty)


def _as_it_counts(outputs: Any, copies: Any, upstream: Mapping[Value, float]) -> Value:
    """A row's outputs as one Value, each weighed by the gradient of the loss that reaches it."""
    row, twins = (outputs, copies) if _is_row(outputs) else ([outputs], [copies])
    weighed: Value = Value(0.0) + dot(row, [upstream.get(twin, 0.0) for twin in twins])
    return weighed


def _name_of(model: Module, parameter: Value | str) -> str:
    names = dict(model.named_parameters())
    if isinstance(parameter, Value):
        found = [name for name, value in names.items() if value is parameter]
    else:
        found = [parameter] if parameter in names else []
    if not found:
        some = ", ".join(list(names)[:3])
        raise ValueError(f"{parameter!r:.60} is no parameter of the model; their names are {some}, …")
    return found[0]


def _brought_back(trainer: Any, epoch: int, batch: int) -> tuple[Learner, Dataset, Answer]:
    """Train a copy from the start of an epoch up to a batch; return it, the batch and what it makes of that.

    Each loss must be the one in the history: then nothing was changed meanwhile, such as by a callback. The graph is
    the eager engine's, so that of a compiled run the last bits may be others.
    """
    whole_number("epoch", epoch, 1)
    whole_number("batch", batch, 1)
    count, place = trainer.batches_in_epoch, trainer.position
    if batch > count or (epoch, batch) > (place.epoch + 1, place.batch + 1):
        next_one = f"the next to come is batch {place.batch + 1} of epoch {place.epoch + 1}"
        raise ValueError(f"batch {batch} of epoch {epoch} has not been; each epoch has {count}, and {next_one}")
    learner = copy.deepcopy(trainer.learner)
    learner.load(beginning(trainer, epoch))
    learner.model.train()
    history, done = trainer.history.iterations, (epoch - 1) * count
    for i, data in enumerate(islice(trainer.batches(epoch), batch), 1):
        trainer.set_rate(learner.optimizer, epoch, i)
        has_been = done + i <= len(history["loss"])
        if has_been:  # a callback may have set another rate
            learner.optimizer.learning_rate = history["learning_rate"][done + i - 1]
        answer = learner.forward(data) if i == batch else learner.learn(data)
        if has_been and not _same(answer.loss.data, history["loss"][done + i - 1]):
            losses = f"{answer.loss.data!r}, and was {history['loss'][done + i - 1]!r}"
            raise ValueError(
                f"epoch {epoch} cannot be brought back: the loss of batch {i} is now {losses}; "
                "a callback or something else changed what is trained, or the loss is random"
            )
    learner.model.zero_grad()  # those of the iteration before
    return learner, data, answer


def _same(loss: float, was: float) -> bool:
    return math.isclose(loss, was, rel_tol=1e-9, abs_tol=1e-12)


def _is_row(outputs: Any) -> bool:
    return hasattr(outputs, "__len__")
