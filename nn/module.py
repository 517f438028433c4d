"""``Module``: a thing with parameters, found by looking at its attributes, each with a readable name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_mini import Value
from nn.checks import same_arrays
from nn.naming import Arrays, fold, unfold

__all__ = ["Module", "evaluating"]

_SHOWN = 8
Child: TypeAlias = "Module | Value"


class Module:
    """Base class of everything that has parameters.

    A subclass assigns Values, Modules, or lists of them to attributes; they are its parameters, in that order.

    Attributes:
        training: True in training mode, False in evaluation mode.
        buffers: of a subclass, the names of its attributes that are state but no parameters: numbers, lists and arrays.

    Example:
        >>> class Line(Module):
        ...     def __init__(self):
        ...         self.slope, self.offset = Value(2.0), Value(1.0)
        >>> [(name, p.data) for name, p in Line().named_parameters()]
        [('slope', 2.0), ('offset', 1.0)]
    """

    training: bool = True
    buffers: ClassVar[tuple[str, ...]] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        is_parameter = isinstance(old := vars(self).get(name), Value) and not old.parents
        if is_parameter and not (isinstance(value, Value) and not value.parents):
            raise TypeError(f"{name} is a parameter, got {value!r:.60}; write {name}.data = … to change its number")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        parts = []
        for name, attribute in vars(self).items():
            if isinstance(attribute, (Module, Value)):
                parts.append(name)
            elif isinstance(attribute, (list, tuple)) and any(isinstance(item, (Module, Value)) for item in attribute):
                parts.append(f"{name}[{len(attribute)}]")
        return f"{type(self).__name__}({', '.join(parts[:_SHOWN] + ['…'] * (len(parts) > _SHOWN))})"

    def named_children(self) -> Iterator[tuple[str, Child]]:
        """Yield the parts of this module with the names they have in it; a subclass may give better names."""
        for name, attribute in vars(self).items():
            if isinstance(attribute, (Module, Value)):
                yield name, attribute
            elif isinstance(attribute, (list, tuple)):
                for i, item in enumerate(attribute):
                    if isinstance(item, (Module, Value)):
                        yield f"{name}[{i}]", item

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield every parameter once with its name, such as ``hidden.neuron2.w[13]``."""
        seen: set[Value] = set()
        for name, value in _named_values(self, ""):
            if value not in seen:
                seen.add(value)
                yield name, value

    def parameters(self) -> list[Value]:
        """List every parameter once; layer after layer, neuron after neuron, weights before the bias."""
        return [value for _, value in self.named_parameters()]

    def label_parameters(self) -> None:
        """Label every parameter with its name, for pictures and messages."""
        for name, value in self.named_parameters():
            value.label = name

    def zero_grad(self) -> None:
        """Make every parameter's gradient *not computed* again, so that the next backward pass starts from 0."""
        for value in self.parameters():
            value.grad = None

    def modules(self) -> Iterator[tuple[str, "Module"]]:
        """Yield this module and every module in it, once each, with its name, such as ``hidden.neuron2``."""
        seen: set[int] = set()
        todo: list[tuple[str, Module]] = [("", self)]
        while todo:
            name, module = todo.pop()
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module
                parts = [(part, child) for part, child in module.named_children() if isinstance(child, Module)]
                todo += [(f"{name}.{part}" if name else part, child) for part, child in reversed(parts)]

    def named_buffers(self) -> Iterator[tuple[str, Any]]:
        """Yield every buffer with its name, such as ``hidden.batch_norm.running_mean``."""
        for name, module in self.modules():
            for buffer in module.buffers:
                yield f"{name}.{buffer}" if name else buffer, getattr(module, buffer)

    def state(self) -> Arrays:
        """Copy all the numbers of this module: parameters and buffers.

        Returns:
            Arrays by name. Parameters that make a list are one array: ``hidden.neuron1.w`` of shape (49,).

        Raises:
            TypeError: for a buffer that is not made of numbers.

        Example:
            >>> from nn import Neuron
            >>> {name: array.shape for name, array in Neuron(2).state().items()}
            {'w': (2,), 'b': ()}
        """
        parameters = dict(self.named_parameters())
        numbers = fold(list(parameters), [parameter.data for parameter in parameters.values()])
        return numbers | {name: _array(name, buffer) for name, buffer in self.named_buffers()}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take all the numbers from what ``state()`` gave, of this module or of one built alike.

        Raises:
            ValueError: if names or shapes differ, listing them, or a number is not legal; nothing is changed then.
            TypeError: for a state that is no mapping.

        Example:
            >>> from nn import MLP
            >>> model, other = MLP(2, [3, 1]), MLP(2, [3, 1])
            >>> other.load_state(model.state())([1.0, 2.0]).data == model([1.0, 2.0]).data
            True
        """
        before = self.state()
        same_arrays("the state", state, before)
        try:
            self._take(state)
        except BaseException:
            self._take(before)
            raise
        return self

    def _take(self, state: Mapping[str, NDArray[Any]]) -> None:
        parameters = dict(self.named_parameters())
        for parameter, number in zip(parameters.values(), unfold(list(parameters), state).tolist(), strict=True):
            parameter.data = number
        for name, module in self.modules():
            for buffer in module.buffers:
                array, old = state[f"{name}.{buffer}" if name else buffer], getattr(module, buffer)
                setattr(module, buffer, array.copy() if isinstance(old, np.ndarray) else array.tolist())

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all its parts to training mode, or to evaluation mode if `mode` is False."""
        for _, module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch this module and all its parts to evaluation mode."""
        return self.train(False)


@contextmanager
def evaluating(module: Module) -> Iterator[None]:
    """Put a module in evaluation mode for a while; afterwards each of its parts is in the mode it was in.

    Example:
        >>> from nn import Dropout
        >>> dropout = Dropout(0.5)
        >>> with evaluating(dropout):
        ...     print(dropout([1.0, 2.0]), dropout.training)
        [1.0, 2.0] False
        >>> dropout.training
        True
    """
    modes = [(part, part.training) for _, part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _array(name: str, buffer: Any) -> NDArray[Any]:
    array = np.array(buffer)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"the buffer {name} is {buffer!r:.60}, but must be a number, a list of numbers or an array")
    # Whole numbers of Python are as wide on every system, so that a state can move from one to another.
    return array.astype(np.int64) if array.dtype.kind == "i" and not isinstance(buffer, np.ndarray) else array


def _named_values(module: Module, prefix: str) -> Iterator[tuple[str, Value]]:
    if type(module).parameters is not Module.parameters:  # as micrograd's modules are written: what it lists counts
        names = {value: name for name, value in _named_attributes(module, prefix)}
        for i, value in enumerate(module.parameters()):
            yield names.get(value, f"{prefix}parameters[{i}]"), value
    else:
        yield from _named_attributes(module, prefix)


def _named_attributes(module: Module, prefix: str) -> Iterator[tuple[str, Value]]:
    for name, child in module.named_children():
        if isinstance(child, Value):
            yield prefix + name, child
        else:
            yield from _named_values(child, f"{prefix}{name}.")
