"""``Network``: what neurons, layers and whole networks share, which is how they are called; and ``Sequential``."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from autograd_mini import Value
from autograd_mini.printing import always_answers, printable
from nn.activations import Activation, activation_function
from nn.checks import rows_of_numbers
from nn.module import Child, Module

__all__ = ["Activate", "Network", "Rows", "Sequential", "activate", "name_of"]

Rows: TypeAlias = list[list[Any]]
"""A batch: one list of Values and floats for each example."""


class Network(Module):
    """Base class of what turns numbers into numbers; a subclass writes ``forward``.

    Attributes:
        inputs: how many numbers an example has; None if any number will do.
        outputs: how many numbers come out; None if as many as go in.

    Example:
        >>> class Double(Network):
        ...     def forward(self, rows):
        ...         return [[2 * x for x in row] for row in rows]
        >>> Double()([1.0, 2.0]), Double()([[1.0, 2.0], [3.0, 4.0]])
        ([2.0, 4.0], [[2.0, 4.0], [6.0, 8.0]])
    """

    inputs: int | None = None
    outputs: int | None = None

    def __call__(self, x: Any) -> Any:
        """Compute the outputs.

        Args:
            x: one example, `inputs` numbers or Values; or a batch, a sequence of such rows. NumPy arrays will do.

        Returns:
            A list of outputs, or the Value itself where there is only one; for a batch a list of these, one per row.

        Raises:
            ValueError: for a wrong number of inputs, ragged rows or an empty batch.
            TypeError: for inputs that are not numbers, or a ``forward`` that does not give a list for each row.
        """
        rows, is_batch = rows_of_numbers(f"the input of {self!r}", x, self.inputs)
        made: Any = self.forward(rows)
        if not isinstance(made, list) or len(made) != len(rows) or not all(isinstance(row, list) for row in made):
            lists = f"{len(rows)} rows, a list of lists" if len(rows) > 1 else "1 row, a list with one list in it"
            raise TypeError(f"forward of {self!r:.60} must give {lists}, got {made!r:.60}")
        outputs = [row[0] if len(row) == 1 else row for row in made]
        return outputs if is_batch else outputs[0]

    def forward(self, rows: Rows) -> Rows:
        """Compute the outputs of a batch that has been checked, a row for each of its rows."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(rows) that gives a list for each row")


class Activate(Network):
    """An activation function applied to each number.

    Args:
        activation: a name from ``ACTIVATIONS`` or a function of one Value.

    Example:
        >>> Activate("relu")([-1.0, 2.0])
        [0.0, 2.0]
    """

    def __init__(self, activation: Activation) -> None:
        self.activation = activation_function(activation)

    def forward(self, rows: Rows) -> Rows:
        return [activate(itertools.repeat(self.activation), row) for row in rows]

    @always_answers
    def __repr__(self) -> str:
        return repr(name_of(self.activation))


class Sequential(Network):
    """Networks one behind the other.

    Args:
        *parts: networks, such as ``Layer``, ``BatchNorm`` and ``Dropout``; and names from ``ACTIVATIONS`` or functions
            of one Value, which are applied number by number.

    Attributes:
        parts: the networks and functions; parameters are named by kind and place: ``layer1.neuron2.w[0]``.

    Raises:
        ValueError: for no parts, an unknown name, or a network that does not fit the outputs of the one before.
        TypeError: for a part that is none of these.

    Example:
        >>> from nn import BatchNorm, Layer
        >>> model = Sequential(Layer(2, 3, activation="linear", seed=0), BatchNorm(3), "relu", Layer(3, 1, seed=1))
        >>> [name for name, _ in model.named_parameters()][6:11]
        ['layer1.neuron3.w[0]', 'layer1.neuron3.w[1]', 'layer1.neuron3.b', 'batchnorm2.scale[0]', 'batchnorm2.scale[1]']
        >>> len(model([[0.0, 1.0], [1.0, 0.0]])), model[1].running_mean != [0.0, 0.0, 0.0]
        (2, True)
    """

    def __init__(self, *parts: Any) -> None:
        if not parts:
            raise ValueError("a Sequential needs at least one part, such as Sequential(Layer(2, 3), Layer(3, 1))")
        self.parts: list[Network] = []
        for i, part in enumerate(parts, 1):
            network = _network(i, part)
            if None not in (self.outputs, network.inputs) and self.outputs != network.inputs:
                fits = f"takes {network.inputs} numbers, but what comes before gives {self.outputs}"
                raise ValueError(f"part {i}, {part!r:.60}, {fits}; make the two agree")
            self.inputs = network.inputs if self.outputs is None else self.inputs
            self.outputs = network.outputs or network.inputs or self.outputs
            self.parts.append(network)
        self.label_parameters()

    def named_children(self) -> Iterator[tuple[str, Child]]:
        return ((f"{type(part).__name__.lower()}{i}", part) for i, part in enumerate(self.parts, 1))

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, index: int) -> Network:
        return self.parts[index]

    def forward(self, rows: Rows) -> Rows:
        for part in self.parts:
            rows = part.forward(rows)
        return rows

    @always_answers
    def __repr__(self) -> str:
        parts = [printable(repr(part), 70) for part in self.parts[:6]]
        return f"Sequential({', '.join(parts + ['…'] * (len(self.parts) > 6))})"


def _network(i: int, part: Any) -> Network:
    if isinstance(part, Network):
        return part
    if isinstance(part, Module):
        raise TypeError(f"part {i}, {part!r:.60}, is no Network; derive it from nn.Network, with forward(rows)")
    if isinstance(part, type) and issubclass(part, Module):
        raise TypeError(f"part {i}, {part!r:.60}, is a class; make a network of it, as Layer(2, 3) does")
    if not callable(part) and not isinstance(part, str):
        fix = "; write Sequential(*parts)" if isinstance(part, (list, tuple)) else ""
        raise TypeError(f"part {i}, {part!r:.60}, must be a network, a name from ACTIVATIONS or a function{fix}")
    return Activate(part)


def activate(functions: Iterable[Callable[[Any], Any]], row: list[Any]) -> list[Any]:
    """Apply to each number of a row its activation function.

    Raises:
        TypeError: if one turns a Value into something else.
    """
    outputs = []
    for function, z in zip(functions, row, strict=False):
        outputs.append(output := function(z))
        if isinstance(z, Value) and not isinstance(output, Value):
            raise TypeError(f"the activation {name_of(function)} must return a Value, got {output!r:.60}")
    return outputs


def name_of(function: Callable[..., Any]) -> str:
    """Say which function this is, for a repr or a message."""
    return printable(str(getattr(function, "__name__", repr(function))))
