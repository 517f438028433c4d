"""``Optimizer``: what all optimizers share. The rules by which they move are in ``nn.optimizers``."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_mini import Value
from autograd_mini.printing import always_answers
from nn.checks import finite_number, list_of_values, true_or_false, whole_number

__all__ = ["Optimizer", "State", "Vector"]

Vector: TypeAlias = NDArray[np.float64]
State: TypeAlias = dict[str, Any]
"""``"steps"``, a whole number, and the buffers by name: each a vector with one number for each parameter."""


def _betas(betas: Any) -> tuple[float, float]:
    if not (isinstance(betas, (tuple, list)) and len(betas) == 2):
        raise TypeError(f"betas is {betas!r:.60}, but must be two numbers, such as (0.9, 0.999)")
    first, second = (finite_number(f"beta {i + 1}", beta, least=0.0, below=1.0) for i, beta in enumerate(betas))
    return first, second


CHECKS: dict[str, Callable[[Any], Any]] = {
    "learning_rate": functools.partial(finite_number, "a learning rate", least=0.0),
    "weight_decay": functools.partial(finite_number, "the weight decay", least=0.0),
    "momentum": functools.partial(finite_number, "the momentum", least=0.0),
    "dampening": functools.partial(finite_number, "the dampening"),
    "nesterov": functools.partial(true_or_false, "nesterov"),
    "alpha": functools.partial(finite_number, "alpha", least=0.0, most=1.0),
    "centered": functools.partial(true_or_false, "centered"),
    "lr_decay": functools.partial(finite_number, "lr_decay", least=0.0),
    "initial_accumulator_value": functools.partial(finite_number, "the initial accumulator value", least=0.0),
    "betas": _betas,
    "eps": functools.partial(finite_number, "eps", least=0.0),
    "amsgrad": functools.partial(true_or_false, "amsgrad"),
    "maximize": functools.partial(true_or_false, "maximize"),
}
"""What each option may be, at the start and whenever it is set later."""


class Optimizer:
    """Base class of the optimizers: it moves parameters when their gradients are known.

    An option is an attribute that may be set at any time, and is checked then. A subclass says in `buffers` what it
    remembers, and in `moved` how it moves.

    A parameter whose gradient is *not computed* is left alone, as PyTorch does where ``grad`` is None: it does not
    move, not even by weight decay, and its buffers stay as they are. Steps are counted for all parameters together, so
    one that gets its first gradient after the others is treated like them: unlike PyTorch's, which counts for each.

    Args:
        parameters: the Values to move, such as ``model.parameters()``.
        options: what the subclass takes.

    Attributes:
        parameters: these Values, in order.

    Raises:
        ValueError: for an option out of range, no parameters, one given twice, or a Value that an operation made.
        TypeError: for a parameter that is not a Value or an option of the wrong type.
    """

    learning_rate: float
    weight_decay: float = 0.0
    maximize: bool = False

    def __init__(self, parameters: Iterable[Value], **options: Any) -> None:
        self.parameters = _leaves(parameters)
        for name, value in options.items():
            setattr(self, name, value)
        self._state: State = {"steps": 0}

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, CHECKS[name](value) if name in CHECKS else value)

    @always_answers
    def __repr__(self) -> str:
        kind: Any = type(self)
        count, defaults = len(self.parameters), _defaults(kind)
        shown = [f"{count:,} parameter{'s' * (count > 1)}", f"learning_rate={self.learning_rate:g}"]
        changed = ((name, getattr(self, name), default) for name, default in defaults.items())
        shown += [f"{name}={now!r}" for name, now, default in changed if name != "learning_rate" and now != default]
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def options(self) -> dict[str, Any]:
        """Every option as it now is, in what JSON can hold; ``type(optimizer)(parameters, **options)`` has the same."""
        kind: Any = type(self)
        now = {name: getattr(self, name) for name in _defaults(kind)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in now.items()}

    @property
    def state(self) -> State:
        """All that the steps so far have left behind: how many there were, and the buffers of the present options."""
        return self._completed(self._state, len(self.parameters))

    def named_state(self) -> Iterator[tuple[str, dict[str, float]]]:
        """Yield for every parameter its label, or ``parameter[3]`` if it has none, and its number in every buffer."""
        buffers = {name: buffer.tolist() for name, buffer in self.state.items() if name != "steps"}
        for i, value in enumerate(self.parameters):
            yield value.label or f"parameter[{i}]", {name: buffer[i] for name, buffer in buffers.items()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state` read earlier, from this optimizer or one with the same options: bit for bit the same.

        Raises:
            ValueError: for names or shapes that are not those of ``.state``; nothing has changed then.
            TypeError: for anything but numbers; nothing has changed then.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"the state of an optimizer is a dict, got {state!r:.60}")
        expected = self.state
        if set(state) != set(expected):
            both = f"has {', '.join(expected)}, got {', '.join(map(str, state)) or 'nothing':.200}"
            raise ValueError(f"the state of this {type(self).__name__} {both}; the options may differ")
        shape = (len(self.parameters),)
        loaded: State = {"steps": whole_number("the number of steps", state["steps"], 0)}
        for name in self.buffers():
            buffer = state[name]
            if not (isinstance(buffer, np.ndarray) and buffer.dtype.kind in "fiu"):
                raise TypeError(f"{name} is {buffer!r:.60}, but must be a NumPy array of real numbers")
            if buffer.shape != shape:
                raise ValueError(f"{name} has shape {buffer.shape}, but must be {shape}: one number for each parameter")
            loaded[name] = buffer.astype(np.float64)
        self._state = loaded

    def zero_grad(self) -> None:
        """Make every gradient *not computed* again, so that the next backward pass starts from 0."""
        for value in self.parameters:
            value.grad = None

    def step(self) -> None:
        """Move every parameter whose gradient was computed."""
        reached = np.array([value.has_grad for value in self.parameters])
        if not reached.any():
            return
        old = np.array([value.data for value in self.parameters])
        new = self.advance(old, np.array([value.grad for value in self.parameters]), reached)
        for value, data in zip(self.parameters, new.tolist(), strict=True):
            value.data = data

    def advance(self, parameters: Vector, gradients: Vector, reached: NDArray[np.bool_]) -> Vector:
        """Make one step from numbers instead of Values, which do not move, and remember its state.

        Args:
            parameters: one number for each parameter.
            gradients: the gradient of each.
            reached: whether that was computed, for each; where it was not, the parameter is left alone.

        Returns:
            The new parameters.
        """
        old_state = self.state
        new, state = self.update(parameters, gradients, old_state)
        if not reached.all():
            new = np.where(reached, new, parameters)
            state |= {name: np.where(reached, state[name], old_state[name]) for name in self.buffers()}
        self._state = state
        return new

    def update(self, parameters: Vector, gradients: Vector, state: State) -> tuple[Vector, State]:
        """One step as a pure function: it changes neither its arguments nor the optimizer nor the Values.

        Args:
            parameters: one number for each parameter.
            gradients: the gradient of each.
            state: the state before, such as ``.state``.

        Returns:
            The new parameters and the new state, in arrays of their own. What overflows becomes ±inf or nan, silently.
        """
        state = self._completed(state, len(parameters))
        state["steps"] += 1
        with np.errstate(all="ignore"):
            parameters, gradients = self.decayed(parameters, -gradients if self.maximize else gradients)
            return self.moved(parameters, gradients, state)

    def decayed(self, parameters: Vector, gradients: Vector) -> tuple[Vector, Vector]:
        """Apply weight decay: the gradient of ``½·weight_decay·w²`` joins that of the loss."""
        if not self.weight_decay:
            return parameters, gradients
        return parameters, gradients + self.weight_decay * parameters

    def buffers(self) -> dict[str, float]:
        """The names of the buffers that the present options need, each with the number it starts from."""
        return {}

    def moved(self, parameters: Vector, gradients: Vector, state: State) -> tuple[Vector, State]:
        """The rule itself: new parameters and new state, where ``state["steps"]`` already counts this step."""
        raise NotImplementedError(f"{type(self).__name__} needs a method moved(parameters, gradients, state)")

    def _completed(self, state: State, count: int) -> State:
        buffers = {name: state[name] if name in state else np.full(count, x) for name, x in self.buffers().items()}
        return {"steps": state["steps"], **buffers}


@functools.cache
def _defaults(kind: type[Optimizer]) -> dict[str, Any]:
    parameters = inspect.signature(kind).parameters.values()
    return {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}


def _leaves(parameters: Iterable[Value]) -> list[Value]:
    values = list_of_values("an optimizer", parameters)
    for i, value in enumerate(values):
        if value.parents:
            raise ValueError(f"parameter {i}, {value!r}, was made by an operation; an optimizer moves leaves")
    if len(set(values)) < len(values):
        raise ValueError(f"{len(values) - len(set(values))} of the {len(values)} parameters are given twice")
    return values
