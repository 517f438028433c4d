"""``Module``: a thing with parameters, found by looking at its attributes, each with a readable name."""

from collections.abc import Iterator
from typing import Any, Self, TypeAlias

from autograd_mini import Value

__all__ = ["Module"]

_SHOWN = 8
Child: TypeAlias = "Module | Value"


class Module:
    """Base class of everything that has parameters.

    A subclass assigns Values, Modules, or lists of them to attributes; they are its parameters, in that order.

    Attributes:
        training: True in training mode, False in evaluation mode.

    Example:
        >>> class Line(Module):
        ...     def __init__(self):
        ...         self.slope, self.offset = Value(2.0), Value(1.0)
        >>> [(name, p.data) for name, p in Line().named_parameters()]
        [('slope', 2.0), ('offset', 1.0)]
    """

    training: bool = True

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

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all its parts to training mode, or to evaluation mode if `mode` is False."""
        self.training = mode
        for _, child in self.named_children():
            if isinstance(child, Module):
                child.train(mode)
        return self

    def eval(self) -> Self:
        """Switch this module and all its parts to evaluation mode."""
        return self.train(False)


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
