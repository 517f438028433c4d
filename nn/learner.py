"""``Learner``: one iteration of training: forward pass, back propagation, clipping and the optimizer's step."""

import copy
import functools
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from autograd_mini import NonFiniteError, Value, gradients, no_grad
from nn.checks import choice, finite_number, same_arrays
from nn.clipping import clip_gradient_norm, clip_gradient_value
from nn.data import Dataset
from nn.hyper_parameters import describe_model
from nn.losses import LOSSES
from nn.module import Module, evaluating
from nn.naming import Arrays, fold, unfold
from nn.network import name_of
from nn.optimizer import Optimizer
from nn.optimizers import OPTIMIZERS, optimizer_class
from nn.penalties import l1_penalty, l2_penalty

__all__ = ["Answer", "Learner", "Loss", "Moment", "part"]

V = TypeVar("V")
Loss: TypeAlias = Callable[[Any, Any], Any]


class Answer(NamedTuple):
    """What a model made of a batch: its outputs, row by row, and the loss."""

    outputs: Any
    loss: Value


class Undo(NamedTuple):
    """All that an iteration changes, as it was before; quick to take, and good for this process alone."""

    parameters: Any
    buffers: list[Any]
    state: dict[str, Any]
    options: dict[str, Any]


class Moment(NamedTuple):
    """All that a learner is made of at one moment, by name.

    Attributes:
        steps: how many steps the optimizer has made.
        options: its options, such as the learning rate, as they are.
        arrays: the model's numbers as ``model/…``, the optimizer's as ``optimizer/<buffer>/…``.
    """

    steps: int
    options: dict[str, Any]
    arrays: Arrays


@dataclass
class Learner:
    """A model with all that teaches it.

    Attributes:
        model: the network; in training mode whenever it learns.
        loss: a function of the outputs for a batch and their targets.
        optimizer: what moves the parameters.
        l1, l2: how strongly ``l1_penalty`` and ``l2_penalty`` of all parameters count in the loss.
        clip_norm, clip_value: limits of the gradient, or None.
    """

    model: Module
    loss: Loss
    optimizer: Optimizer
    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None

    def __post_init__(self) -> None:
        self.survey()

    def survey(self) -> None:
        """Look up all parameters and buffers of the model, for ``undo()``; once for many iterations, as it is slow."""
        self._parameters = self.model.parameters()  # also those that do not move: a callback may change them
        self._places = [(module, name) for _, module in self.model.modules() for name in module.buffers]

    @classmethod
    def of(
        cls,
        model: Any,
        loss: str | Loss,
        optimizer: str | type[Optimizer] | Optimizer,
        *,
        clip_norm: float | None,
        clip_value: float | None,
        **strengths: float,
    ) -> Self:
        """Make one of what a user gives: names will do for the loss and the optimizer."""
        if not isinstance(model, Module):
            raise TypeError(f"a Trainer trains a Module such as MLP(49, [3, 10]), got {model!r:.60}")
        if not isinstance(optimizer, Optimizer):
            optimizer = optimizer_class(optimizer)(model.parameters())
        foreign = set(optimizer.parameters) - set(model.parameters())
        if foreign:
            raise ValueError(f"{len(foreign)} parameters of {optimizer!r} are not the model's; use model.parameters()")
        for name, limit in (("clip_norm", clip_norm), ("clip_value", clip_value)):
            if limit is not None and not finite_number(name, limit, least=0.0):
                raise ValueError(f"{name} is 0, which stops all learning; give a limit above 0, or None for no limit")
        loss = loss if callable(loss) else choice("loss", loss, LOSSES)
        checked = {name: finite_number(name, strength, least=0.0) for name, strength in strengths.items()}
        return cls(model, loss, optimizer, clip_norm=clip_norm, clip_value=clip_value, **checked)

    def described(self) -> dict[str, Any]:
        """Say by names and numbers what this learner is made of, as ``HyperParameters`` has it."""
        name = name_of(self.loss)
        return {
            "model": describe_model(self.model),
            "loss": name if LOSSES.get(name) is self.loss else f"{name} (not one of nn.LOSSES)",
            "optimizer": {"name": _name_of_kind(type(self.optimizer)), **self.optimizer.options},
            "l1": self.l1,
            "l2": self.l2,
            "clip_norm": self.clip_norm,
            "clip_value": self.clip_value,
        }

    def forward(self, batch: Dataset) -> Answer:
        """Compute outputs and loss of a batch, penalties included; the graph is there to be looked at."""
        outputs = self.model(batch.inputs)  # type: ignore[operator]
        loss = self.loss(outputs, batch.targets)
        if not isinstance(loss, Value):
            raise TypeError(f"the loss of a batch must be one Value, got {loss!r:.60}; compute it from the outputs")
        penalty = self.penalty()
        return Answer(outputs, loss if penalty is None else loss + penalty)

    def outputs(self, rows: Any) -> Any:
        """Compute the outputs for rows of inputs in evaluation mode."""
        with evaluating(self.model), no_grad():
            return self.model(rows)  # type: ignore[operator]

    def judge(self, dataset: Dataset) -> Answer:
        """Compute outputs and loss of a data set in evaluation mode, without penalties."""
        outputs = self.outputs(dataset.inputs)
        with no_grad():
            return Answer(outputs, Value(float(self.loss(outputs, dataset.targets))))

    def store(self) -> None:
        """Write what has been learned into the Values, where it is kept elsewhere between iterations."""

    def hand_over(self) -> None:
        """Do so, and reckon with changes of the Values, the model and all else from here on."""

    def penalty(self) -> Value | None:
        """Compute what the penalties add to the loss; None where there are none."""
        terms = [
            strength * penalty(self.optimizer.parameters)
            for strength, penalty in ((self.l1, l1_penalty), (self.l2, l2_penalty))
            if strength
        ]
        return functools.reduce(operator.add, terms) if terms else None

    def learn(self, batch: Dataset) -> Answer:
        """Run one iteration.

        Raises:
            NonFiniteError: if the loss, a gradient or a parameter is not finite, naming it.
        """
        answer = self.forward(batch)
        if not np.isfinite(answer.loss.data):
            raise NonFiniteError(f"the loss is {answer.loss.data}{self.culprit(answer.outputs, batch)}")
        parameters = self.optimizer.parameters
        self.optimizer.zero_grad()
        answer.loss.backward()
        self._check("the gradient of", [parameter.grad for parameter in parameters], answer, batch)
        if self.clip_value is not None:
            clip_gradient_value(parameters, self.clip_value)
        if self.clip_norm is not None:
            try:
                clip_gradient_norm(parameters, self.clip_norm)
            except ValueError as error:  # each gradient is finite, but their norm is not
                raise NonFiniteError(str(error)) from None
        self.optimizer.step()
        self._check("after the step,", [parameter.data for parameter in parameters])
        return answer

    def row_loss(self, outputs: list[Any], batch: Dataset, row: int) -> Value:
        """Compute the loss of one row alone, as if it were the whole batch; without penalties."""
        loss: Value = self.loss([outputs[row]], batch.targets[row : row + 1])
        return loss

    def culprit(self, outputs: list[Any], batch: Dataset, parameter: Value | None = None, whole: str = "batch") -> str:
        """Name the first row that alone has a loss, or a gradient of it by a parameter, that is not finite."""
        try:
            for row, number in enumerate(batch.rows.tolist()):
                alone = self.row_loss(outputs, batch, row)
                found = float(alone) if parameter is None else gradients(alone).get(parameter, 0.0)
                if not np.isfinite(found):
                    return f", for row {row} of the {whole}, which is row {number} of the data, it is {found}"
        except Exception:  # a loss of one's own need not make sense for one row
            return ""
        return ", though it is finite for each row alone"

    def _check(
        self, what: str, numbers: list[float], answer: Answer | None = None, batch: Dataset | None = None
    ) -> None:
        bad = np.flatnonzero(~np.isfinite(numbers))
        if bad.size:
            parameter = self.optimizer.parameters[bad[0]]
            more = f" (and {bad.size - 1:,} more)" if bad.size > 1 else ""
            row = "" if answer is None or batch is None else self.culprit(answer.outputs, batch, parameter)
            name = parameter.label or f"parameter[{bad[0]}]"
            raise NonFiniteError(f"{what} {name} is {numbers[bad[0]]}{more}{row}")

    def undo(self) -> Undo:
        """Remember all that an iteration may change, in copies: one's own module may change a buffer in place."""
        data = [parameter.data for parameter in self._parameters]
        buffers = [copy.deepcopy(getattr(module, name)) for module, name in self._places]
        return Undo(data, buffers, copy.deepcopy(self.optimizer.state), self.optimizer.options)

    def redo(self, before: Undo) -> None:
        """Put back what ``undo()`` remembered."""
        for parameter, number in zip(self._parameters, before.parameters, strict=True):
            parameter.data = number
        for (module, name), buffer in zip(self._places, before.buffers, strict=True):
            setattr(module, name, buffer)
        self.set_options(before.options)
        self.optimizer.load_state(before.state)

    def _arrays(self) -> Arrays:
        arrays = {f"model/{name}": array for name, array in self.model.state().items()}
        names = self._names
        for buffer, vector in self._vectors():
            arrays |= {f"optimizer/{buffer}/{name}": array for name, array in fold(names, vector).items()}
        return arrays

    def moment(self) -> Moment:
        """Copy everything: the model's numbers, the optimizer's, how many steps it has made, and its options now."""
        return Moment(self.optimizer.state["steps"], self.optimizer.options, self._arrays())

    def load(self, moment: Moment) -> None:
        """Take over what ``moment()`` gave.

        Raises:
            ValueError, TypeError: if it does not fit; nothing is changed then.
        """
        before = self.undo()
        try:
            self.set_options(moment.options)  # they decide which buffers there are
            same_arrays("the checkpoint", moment.arrays, self._arrays())
            vectors = {
                name: unfold(self._names, part(moment.arrays, f"optimizer/{name}")) for name, _ in self._vectors()
            }
            self.optimizer.load_state({"steps": moment.steps, **vectors})
            self.model.load_state(part(moment.arrays, "model"))
        except BaseException:
            self.redo(before)
            raise

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Set all options of the optimizer.

        Raises:
            ValueError, TypeError: for other options, or values that are not legal.
        """
        if options.keys() != (legal := self.optimizer.options).keys():
            both = f"are {', '.join(legal)}, got {', '.join(options) or 'none':.200}"
            raise ValueError(f"the options of {type(self.optimizer).__name__} {both}")
        for name, option in options.items():
            setattr(self.optimizer, name, option)

    def _vectors(self) -> Iterator[tuple[str, NDArray[Any]]]:
        return ((name, vector) for name, vector in self.optimizer.state.items() if isinstance(vector, np.ndarray))

    @property
    def _names(self) -> list[str]:
        names = {parameter: name for name, parameter in self.model.named_parameters()}
        return [names[parameter] for parameter in self.optimizer.parameters]


def _name_of_kind(kind: type[Optimizer]) -> str:
    name = kind.__name__.lower()
    return name if OPTIMIZERS.get(name) is kind else f"{kind.__name__} (not one of nn.OPTIMIZERS)"


def part(arrays: Mapping[str, V], name: str) -> dict[str, V]:
    """Select what stands under a name, as files stand in a folder.

    Example:
        >>> part({"model/w": 1, "model/b": 2, "best/w": 3}, "model")
        {'w': 1, 'b': 2}
    """
    return {key.removeprefix(f"{name}/"): array for key, array in arrays.items() if key.startswith(f"{name}/")}
