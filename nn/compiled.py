"""``CompiledLearner``: iterations of training by compiled programs, over flat vectors instead of Values."""

import copy
import functools
import operator
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd_mini import Value, no_grad
from autograd_mini.compiler import CompiledStep, compile
from nn.batch_norm import BatchNorm
from nn.clipping import norm_of, scaled_to
from nn.data import Dataset
from nn.dropout import Dropout
from nn.learner import Answer, Learner, Moment, Undo
from nn.module import evaluating
from nn.naming import Arrays
from nn.optimizer import Optimizer, Vector
from nn.penalties import l1_penalty, l2_penalty
from nn.programs import Numbers, Program, close, fitting, judging

__all__ = ["ENGINES", "CompiledLearner"]

_KEPT = 8
_TRIED = 32
_PLAIN = (bool, int, float, str)


class _Wanted(NamedTuple):
    """What the eager engine makes of a batch; gradients are by the optimizer's parameters."""

    answer: Answer
    gradients: Vector
    reached: NDArray[np.bool_]
    buffers: list[Any]


class CompiledLearner(Learner):
    """A learner whose iterations are compiled programs.

    Parameters are one flat vector, which the optimizer updates. The Values have them again after ``store()``, and
    whatever is done to the Values counts after ``hand_over()``, which is called before any code of the user's runs.

    A program is made for each state that the model is in: its parts, whether they train, and of each part the
    attributes that are numbers, texts and functions. It is used once it has given, on the batch that it was made for,
    the same as the eager engine. Where a number is not finite, the batch is computed again by the eager engine, which
    says why.
    """

    def __post_init__(self) -> None:
        self._programs: OrderedDict[Any, Any] = OrderedDict()
        self._key: Any = None
        self._before: Undo | None = None
        super().__post_init__()

    def survey(self) -> None:
        super().survey()
        self._vector: Vector = self._read()
        self._gradients: Vector = np.zeros(0)
        self._reached: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._penalties: dict[tuple[bool, bool], CompiledStep] = {}
        self._is_ahead = self._is_known = False
        places = {parameter: i for i, parameter in enumerate(self._parameters)}
        mine = self.optimizer.parameters
        self._own: Any = slice(None) if mine == self._parameters else np.array([places[one] for one in mine])

    def __getstate__(self) -> dict[str, Any]:
        self.hand_over()
        return vars(self) | {"_programs": OrderedDict(), "_penalties": {}, "_key": None, "_before": None}

    # The vector and the Values

    def store(self) -> None:
        if not self._is_ahead:
            return
        for parameter, number in zip(self._parameters, self._vector.tolist(), strict=True):
            parameter.data = number
        found = zip(self.optimizer.parameters, self._gradients.tolist(), self._reached.tolist(), strict=True)
        for parameter, gradient, reached in found:
            parameter.grad = gradient if reached else None
        self._is_ahead = False

    def hand_over(self) -> None:
        self.store()
        self._is_known, self._before = False, None

    def _read(self) -> Vector:
        return np.array([parameter.data for parameter in self._parameters])

    def undo(self) -> Undo:
        self._notice()
        self._before = Undo(self._vector.copy(), self._buffers(), self._copied_state(), self.optimizer.options)
        return self._before

    def redo(self, before: Undo) -> None:
        self._is_ahead = self._is_known = False
        super().redo(before._replace(parameters=np.asarray(before.parameters).tolist()))

    def _copied_state(self) -> dict[str, Any]:
        return {name: one.copy() if hasattr(one, "copy") else one for name, one in self.optimizer.state.items()}

    def load(self, moment: Moment) -> None:
        self.hand_over()
        try:
            super().load(moment)
        finally:
            self.hand_over()

    def _arrays(self) -> Arrays:
        self.store()
        return super()._arrays()

    def forward(self, batch: Dataset) -> Answer:
        self.store()
        return super().forward(batch)

    # Training

    def learn(self, batch: Dataset) -> Answer:
        before = self._before or self.undo()
        self._before = None
        with np.errstate(all="ignore"):
            if (answer := self._learned(batch)) is not None:
                return answer
        options = self.optimizer.options
        self.redo(before)
        self.set_options(options)
        return super().learn(batch)

    def _learned(self, batch: Dataset) -> Answer | None:
        """Run one iteration; None if a number is not finite, or a target not legal."""
        self._notice()
        if (program := self._program(batch)) is None:
            return None
        numbers = self._penalized(program.learn(self._vector, batch))
        if numbers is None or not np.isfinite(numbers.loss):
            return None
        gradients = self._clipped(numbers.gradients)
        if gradients is None or not np.isfinite(gradients).all():
            return None
        self._move(gradients, program.reached)
        if not np.isfinite(self._vector).all():
            return None
        return Answer(numbers.outputs, Value(numbers.loss))

    def _notice(self) -> None:
        """Take over the Values, and look whether the model is still what it was, unless nobody can have changed it."""
        if self._is_known:
            return
        if (key := self._described()) != self._key:
            self.survey()
            self._key = key
        self._vector[...] = self._read()
        self._is_known = True

    def _move(self, gradients: Vector, reached: NDArray[np.bool_]) -> None:
        optimizer = self.optimizer
        self._gradients, self._reached = gradients, reached
        if type(optimizer).step is Optimizer.step:
            self._vector[self._own] = optimizer.advance(self._vector[self._own].copy(), gradients.copy(), reached)
            self._is_ahead = True
        else:  # one of the user's own, which moves Values
            self._is_ahead = True
            self.store()
            optimizer.step()
            self._vector[...] = self._read()

    def _clipped(self, gradients: Vector) -> Vector | None:
        if self.clip_value is not None:
            gradients = np.clip(gradients, -self.clip_value, self.clip_value)
        if self.clip_norm is not None:
            total = norm_of(gradients)
            return scaled_to(gradients, self.clip_norm, total) if np.isfinite(total) else None
        return gradients

    def _penalized(self, numbers: Numbers | None) -> Numbers | None:
        """Numbers with the penalties, and of the gradients those by the optimizer's parameters."""
        if numbers is None:
            return None
        if not (self.l1 or self.l2):
            return numbers._replace(gradients=numbers.gradients[self._own])
        kinds = bool(self.l1), bool(self.l2)
        step = self._penalties.get(kinds) or self._penalties.setdefault(kinds, self._penalty_step())
        step.parameters[...] = self._vector[self._own]
        penalty, gradients = step(np.float64(self.l1), np.float64(self.l2))
        return numbers._replace(loss=numbers.loss + float(penalty), gradients=numbers.gradients[self._own] + gradients)

    def _penalty_step(self) -> CompiledStep:
        """The penalties as a program of their strengths, so that a change of these needs no other."""
        mine, kinds = self.optimizer.parameters, [l1_penalty] * bool(self.l1) + [l2_penalty] * bool(self.l2)
        return compile(
            lambda l1, l2: functools.reduce(
                operator.add, [(l1 if kind is l1_penalty else l2) * kind(mine) for kind in kinds]
            ),
            self.l1, self.l2, parameters=mine,
        )  # fmt: skip

    # Evaluation

    def outputs(self, rows: Any) -> Any:
        try:
            inputs = np.asarray(rows, dtype=np.float64)
            batch = Dataset(inputs, np.zeros(len(inputs)))
        except (ValueError, TypeError):  # the model will say what is wrong with them
            batch = None
        made = None if batch is None else self._judged(batch, None)
        if made is not None:
            return made[1]
        self.store()
        return super().outputs(rows)

    def judge(self, dataset: Dataset) -> Answer:
        made = self._judged(dataset, self.loss)
        if made is None or not np.isfinite(made[0]):
            self.store()
            return super().judge(dataset)
        return Answer(made[1], Value(made[0]))

    def _judged(self, batch: Dataset, loss: Any) -> tuple[float, Any] | None:
        if not self._is_known:
            self.survey()
        with evaluating(self.model), np.errstate(all="ignore"):
            shapes = batch.inputs.shape[1:], batch.targets.shape[1:], batch.targets.dtype.kind
            key = ("evaluation", self._described(), loss is None, shapes)
            program: Program | None = self._kept(key, lambda: self._judging(batch[:_TRIED], loss))
            return None if program is None else program.judge(self._vector, batch)

    def _judging(self, batch: Dataset, loss: Any) -> Program | None:
        self.store()
        with no_grad():
            outputs = self.model(batch.inputs)  # type: ignore[operator]
            wanted = 0.0 if loss is None else float(loss(outputs, batch.targets))

        def fits(program: Program) -> str | None:
            made = program.judge(self._vector, batch)
            return None if made and close(made[0], wanted) and close(made[1], _plain(outputs)) else "it differs"

        return judging(self.model, loss, self._parameters, batch, outputs, fits)

    # Programs

    def _kept(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._programs:
            self._programs[key] = make()
            if len(self._programs) > _KEPT:
                self._programs.popitem(last=False)
        return self._programs[key]

    def _program(self, batch: Dataset) -> Program | None:
        """The program for a batch like this one; None where a number is not finite at the first."""
        shapes = batch.inputs.shape[1:], batch.targets.shape[1:], batch.targets.dtype.kind
        for size in (None, len(batch)):
            if (found := self._programs.get((self._key, size, shapes))) is not None:
                program: Program = found
                return program
        self.store()
        wanted = self._wanted(batch)
        if not (np.isfinite(wanted.answer.loss.data) and np.isfinite(wanted.gradients).all()):
            return None

        def fits(program: Program) -> str | None:
            before = Learner.undo(self)
            try:
                return self._complaint(program, batch, wanted)
            finally:
                Learner.redo(self, before)

        program = fitting(self.model, self.loss, self._parameters, batch, wanted.answer.outputs, fits)
        program.reached = wanted.reached
        size = len(batch) if program.whole else None
        found = self._kept((self._key, size, shapes), lambda: program)
        return program

    def _wanted(self, batch: Dataset) -> _Wanted:
        before = Learner.undo(self)
        try:
            self.model.zero_grad()
            answer = super().forward(batch)
            answer.loss.backward()
            mine = self.optimizer.parameters
            gradients = np.array([parameter.grad for parameter in mine])
            return _Wanted(answer, gradients, np.array([one.has_grad for one in mine]), self._buffers())
        finally:
            Learner.redo(self, before)

    def _complaint(self, program: Program, batch: Dataset, wanted: _Wanted) -> str | None:
        """Say how what a program computes differs from what the eager engine does."""
        numbers = self._penalized(program.learn(self._vector, batch))
        if numbers is None:
            return "the targets of the first batch are not legal"
        loss, gradients = wanted.answer.loss.data, wanted.gradients
        if not close(numbers.loss, loss):
            return f"its loss of a batch is {numbers.loss!r} when compiled, and {loss!r} otherwise"
        if not close(numbers.gradients, gradients):
            worst = int(np.argmax(np.abs(numbers.gradients - gradients)))
            name = self.optimizer.parameters[worst].label or f"parameter[{worst}]"
            both = f"{float(numbers.gradients[worst])!r} when compiled, and {float(gradients[worst])!r} otherwise"
            return f"the gradient of {name} is {both}"
        if not close(numbers.outputs, _plain(wanted.answer.outputs)):
            return "its outputs are others when compiled"
        for (module, name), now, then in zip(self._places, self._buffers(), wanted.buffers, strict=True):
            if not close(now, then):
                return f"its {type(module).__name__} changes {name} while it runs, which is not recorded"
        return None

    def _described(self) -> Any:
        """All that a program depends on but does not read at each call."""
        parts: list[Any] = [self.loss, self.optimizer]
        for _, module in self.model.modules():
            parts += (module, module.training)
            parts += [
                (name, one if one.__hash__ else id(one))
                for name, one in vars(module).items()
                if isinstance(one, _PLAIN) or callable(one)
                if name not in module.buffers
            ]
            if not isinstance(module, (BatchNorm, Dropout)):  # these are read at each call
                parts += [np.asarray(getattr(module, name)).tobytes() for name in module.buffers]
        return tuple(parts)

    def _buffers(self) -> list[Any]:
        return [copy.deepcopy(getattr(module, name)) for module, name in self._places]


def _plain(outputs: Any) -> Any:
    return [[float(y) for y in row] if hasattr(row, "__len__") else float(row) for row in outputs]


ENGINES: dict[str, type[Learner]] = {"eager": Learner, "compiled": CompiledLearner}
"""What runs the iterations, by name."""
