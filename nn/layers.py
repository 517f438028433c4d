"""Neurons, layers of neurons, and networks of layers, every weight and bias a ``Value``."""

import random
import reprlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd_mini import Value, dot, parameter
from autograd_mini.printing import always_answers, printable
from nn.activations import Activation, activation_function
from nn.checks import rows_of_numbers, whole_number
from nn.initializers import Initializer, initializer_function, random_generator
from nn.module import Child, Module

__all__ = ["MLP", "Layer", "Neuron"]

_SHORT = reprlib.Repr()
_SHORT.maxlist = 12


class _Network(Module):
    """What Neuron, Layer and MLP share: how they are called."""

    inputs: int

    def __call__(self, x: Any) -> Any:
        """Compute the outputs.

        Args:
            x: one example, `inputs` numbers or Values; or a batch, a sequence of such rows. NumPy arrays will do.

        Returns:
            A list of outputs, or the Value itself where there is only one; for a batch a list of these, one per row.

        Raises:
            ValueError: for a wrong number of inputs, ragged rows or an empty batch.
            TypeError: for inputs that are not numbers.
        """
        rows, is_batch = rows_of_numbers(f"the input of {self!r}", x, self.inputs)
        outputs = [_alone(self.forward(row)) for row in rows]
        return outputs if is_batch else outputs[0]

    def forward(self, row: list[Any]) -> list[Any]:
        """Compute the outputs of one example that has been checked."""
        raise NotImplementedError


class Neuron(_Network):
    """``activation(w · x + b)``.

    Args:
        inputs: how many numbers the neuron sees.
        activation: a name from ``ACTIVATIONS`` or a function of one Value.
        initializer: a name from ``INITIALIZERS`` or ``(inputs, outputs, generator) -> float``; the bias starts at 0.
        seed: a whole number, a ``random.Random`` to draw from, or None for a different start every time.
        outputs: how many neurons stand beside this one; some initializers want to know.

    Attributes:
        w: the weights, a list of Values.
        b: the bias, a Value.
        activation: the activation function.

    Raises:
        ValueError, TypeError: for a size that is not a whole number of at least 1, or an unknown name.

    Example:
        >>> neuron = Neuron(2, activation="sigmoid", initializer="zeros")
        >>> neuron.b.data = -15.0
        >>> neuron([1, 1]).data < 0.5
        True
    """

    def __init__(
        self,
        inputs: int,
        *,
        activation: Activation = "relu",
        initializer: Initializer = "xavier",
        seed: int | random.Random | None = None,
        outputs: int = 1,
    ) -> None:
        self.inputs = whole_number("the number of inputs", inputs, 1)
        self.activation = activation_function(activation)
        outputs = whole_number("the number of neurons", outputs, 1)
        draw, generator = initializer_function(initializer), random_generator(seed)
        self.w = [parameter(draw(self.inputs, outputs, generator)) for _ in range(self.inputs)]
        self.b = parameter(0.0)
        self.label_parameters()

    def weighted_sum(self, row: Sequence[Any]) -> Value:
        """Compute ``z = w · x + b``, what the activation function is given."""
        z: Value = dot(self.w, row) + self.b
        return z

    def forward(self, row: list[Any]) -> list[Any]:
        output = self.activation(self.weighted_sum(row))
        if not isinstance(output, Value):
            raise TypeError(f"the activation {_name(self.activation)} must return a Value, got {output!r:.60}")
        return [output]

    @always_answers
    def __repr__(self) -> str:
        return f"Neuron({self.inputs}, activation={_name(self.activation)!r})"


class Layer(_Network):
    """Neurons side by side, each seeing all the inputs.

    Args:
        inputs: how many numbers each neuron sees.
        outputs: how many neurons there are.
        **options: those of ``Neuron``; one seed serves the whole layer.

    Attributes:
        neurons: the neurons; their parameters are named from ``neuron1`` on.

    Example:
        >>> layer = Layer(49, 3, activation="sigmoid", seed=0)
        >>> len(layer.parameters())
        150
        >>> layer.parameters()[-1].label
        'neuron3.b'
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        activation: Activation = "relu",
        initializer: Initializer = "xavier",
        seed: int | random.Random | None = None,
    ) -> None:
        self.inputs = whole_number("the number of inputs", inputs, 1)
        self.outputs = whole_number("the number of neurons", outputs, 1)
        generator = random_generator(seed)
        self.neurons = [
            Neuron(inputs, activation=activation, initializer=initializer, seed=generator, outputs=outputs)
            for _ in range(outputs)
        ]
        self.label_parameters()

    def named_children(self) -> Iterator[tuple[str, Child]]:
        return ((f"neuron{i}", neuron) for i, neuron in enumerate(self.neurons, 1))

    def forward(self, row: list[Any]) -> list[Any]:
        return [output for neuron in self.neurons for output in neuron.forward(row)]

    @always_answers
    def __repr__(self) -> str:
        return f"Layer({self.inputs}, {self.outputs}, activation={_name(self.neurons[0].activation)!r})"


class MLP(_Network):
    """A multi-layer perceptron: layers one behind the other, each seeing the outputs of the one before.

    Args:
        inputs: how many numbers an example has.
        sizes: how many neurons each layer has, the output layer last.
        activation: of the hidden layers; a name from ``ACTIVATIONS`` or a function of one Value.
        output_activation: of the output layer; "linear" gives logits for ``cross_entropy``.
        initializer: a name from ``INITIALIZERS`` or ``(inputs, outputs, generator) -> float``; biases start at 0.
        seed: a whole number, a ``random.Random`` to draw from, or None for a different start every time.

    Attributes:
        activation: the activation function of the hidden layers.
        layers: the layers; their parameters are named ``hidden…`` (``hidden1…``, ``hidden2…``) and ``output…``.

    Raises:
        ValueError, TypeError: for sizes that are not whole numbers of at least 1, no sizes, or an unknown name.

    Example:
        >>> model = MLP(49, [3, 10], activation="sigmoid", seed=0)
        >>> len(model.parameters()), model.parameters()[8].label
        (190, 'hidden.neuron1.w[8]')
        >>> len(model([0.0] * 49)), len(model([[0.0] * 49] * 5))
        (10, 5)
    """

    def __init__(
        self,
        inputs: int,
        sizes: Sequence[int],
        *,
        activation: Activation = "relu",
        output_activation: Activation = "linear",
        initializer: Initializer = "xavier",
        seed: int | random.Random | None = None,
    ) -> None:
        sized = hasattr(sizes, "__len__") and getattr(sizes, "shape", None) != ()
        if isinstance(sizes, (str, bytes)) or not sized or not len(sizes):
            raise ValueError(f"an MLP needs a list of layer sizes such as [3, 10], got {sizes!r:.60}")
        self.inputs = whole_number("the number of inputs", inputs, 1)
        self.sizes = [whole_number("the size of a layer", size, 1) for size in sizes]
        self.activation = activation_function(activation)
        generator = random_generator(seed)
        activations = [activation] * (len(self.sizes) - 1) + [output_activation]
        self.layers = [
            Layer(n_inputs, n_outputs, activation=function, initializer=initializer, seed=generator)
            for n_inputs, n_outputs, function in zip([self.inputs, *self.sizes], self.sizes, activations, strict=False)
        ]
        self.label_parameters()

    def named_children(self) -> Iterator[tuple[str, Child]]:
        *hidden, output = self.layers
        names = ["hidden"] if len(hidden) == 1 else [f"hidden{i}" for i in range(1, len(hidden) + 1)]
        return zip([*names, "output"], [*hidden, output], strict=True)

    def forward(self, row: list[Any]) -> list[Any]:
        for layer in self.layers:
            row = layer.forward(row)
        return row

    @always_answers
    def __repr__(self) -> str:
        return f"MLP({self.inputs}, {_SHORT.repr(self.sizes)}, activation={_name(self.activation)!r})"


def _alone(outputs: list[Any]) -> Any:
    return outputs[0] if len(outputs) == 1 else outputs


def _name(function: Callable[..., Any]) -> str:
    return printable(str(getattr(function, "__name__", repr(function))))
