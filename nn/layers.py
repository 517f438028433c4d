"""Neurons, layers of neurons, and networks of layers, every weight and bias a ``Value``."""

import random
import reprlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_mini import Value, dot, parameter
from autograd_mini.printing import always_answers
from nn.activations import Activation, activation_function
from nn.batch_norm import BatchNorm
from nn.checks import finite_number, row_of_numbers, true_or_false, whole_number
from nn.dropout import Dropout
from nn.initializers import Initializer, initializer_function, random_generator
from nn.module import Child
from nn.network import Network, Rows, activate, name_of

__all__ = ["MLP", "Activity", "Layer", "Neuron"]

_SHORT = reprlib.Repr()
_SHORT.maxlist = 12


@dataclass(frozen=True, slots=True)
class Activity:
    """Whether a neuron is active: its weighted inputs must add up to more than its threshold, which is -b.

    Attributes:
        sum: Σ w·x.
        threshold: -b, how much evidence the neuron needs.
        active: whether the sum is above the threshold; a sigmoid is then above 0.5.
    """

    sum: float
    threshold: float
    active: bool


class Neuron(Network):
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

    inputs: int

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
        self.outputs = 1
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

    def activity(self, x: Sequence[Any]) -> Activity:
        """Say whether the neuron is active for one example.

        Args:
            x: `inputs` numbers or Values.

        Example:
            >>> neuron = Neuron(2, activation="sigmoid", initializer="zeros")
            >>> neuron.w[0].data, neuron.b.data = 10.0, -15.0
            >>> neuron.activity([1.0, 1.0])
            Activity(sum=10.0, threshold=15.0, active=False)
        """
        row = list(map(float, row_of_numbers(f"the input of {self!r}", x, self.inputs)))
        total, threshold = dot([w.data for w in self.w], row), -self.b.data + 0.0
        return Activity(total, threshold, total > threshold)

    def forward(self, rows: Rows) -> Rows:
        return [activate([self.activation], [self.weighted_sum(row)]) for row in rows]

    @always_answers
    def __repr__(self) -> str:
        return f"Neuron({self.inputs}, activation={name_of(self.activation)!r})"


class Layer(Network):
    """Neurons side by side, each seeing all the inputs.

    Args:
        inputs: how many numbers each neuron sees.
        outputs: how many neurons there are.
        activation, initializer, seed: as for ``Neuron``; one seed serves the whole layer.
        batch_norm: whether to normalize the weighted sums before the activation function.
        dropout: the probability that an output is left out in training.

    Attributes:
        neurons: the neurons; their parameters are named from ``neuron1`` on.
        batch_norm: a ``BatchNorm`` or None.
        dropout: a ``Dropout`` or None.

    Example:
        >>> layer = Layer(49, 3, activation="sigmoid", seed=0)
        >>> len(layer.parameters())
        150
        >>> layer.parameters()[-1].label
        'neuron3.b'
    """

    inputs: int
    outputs: int

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        activation: Activation = "relu",
        initializer: Initializer = "xavier",
        seed: int | random.Random | None = None,
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        self.inputs = whole_number("the number of inputs", inputs, 1)
        self.outputs = whole_number("the number of neurons", outputs, 1)
        p = finite_number("the probability of dropout", dropout, least=0.0, most=1.0)
        self.batch_norm = BatchNorm(self.outputs) if true_or_false("batch_norm", batch_norm) else None
        generator = random_generator(seed)
        self.neurons = [
            Neuron(inputs, activation=activation, initializer=initializer, seed=generator, outputs=outputs)
            for _ in range(outputs)
        ]
        # A generator of its own: how many masks are drawn then changes nothing else.
        self.dropout = Dropout(p, seed=generator.getrandbits(64)) if p else None
        self.label_parameters()

    def named_children(self) -> Iterator[tuple[str, Child]]:
        yield from ((f"neuron{i}", neuron) for i, neuron in enumerate(self.neurons, 1))
        yield from ((name, part) for name in ("batch_norm", "dropout") if (part := getattr(self, name)) is not None)

    def forward(self, rows: Rows) -> Rows:
        rows = [[neuron.weighted_sum(row) for neuron in self.neurons] for row in rows]
        if self.batch_norm is not None:
            rows = self.batch_norm.forward(rows)
        activations = [neuron.activation for neuron in self.neurons]
        rows = [activate(activations, row) for row in rows]
        return rows if self.dropout is None else self.dropout.forward(rows)

    @always_answers
    def __repr__(self) -> str:
        options = f"activation={name_of(self.neurons[0].activation)!r}{_regularized(self)}"
        return f"Layer({self.inputs}, {self.outputs}, {options})"


class MLP(Network):
    """A multi-layer perceptron: layers one behind the other, each seeing the outputs of the one before.

    Args:
        inputs: how many numbers an example has.
        sizes: how many neurons each layer has, the output layer last.
        activation: of the hidden layers; a name from ``ACTIVATIONS`` or a function of one Value.
        output_activation: of the output layer; "linear" gives logits for ``cross_entropy``.
        initializer: a name from ``INITIALIZERS`` or ``(inputs, outputs, generator) -> float``; biases start at 0.
        seed: a whole number, a ``random.Random`` to draw from, or None for a different start every time.
        batch_norm: whether the hidden layers normalize their weighted sums before the activation function.
        dropout: the probability that an output of a hidden layer is left out in training.

    Attributes:
        activation: the activation function of the hidden layers.
        initializer, seed: where the numbers came from, as given.
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

    inputs: int
    outputs: int

    def __init__(
        self,
        inputs: int,
        sizes: Sequence[int],
        *,
        activation: Activation = "relu",
        output_activation: Activation = "linear",
        initializer: Initializer = "xavier",
        seed: int | random.Random | None = None,
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        sized = hasattr(sizes, "__len__") and getattr(sizes, "shape", None) != ()
        if isinstance(sizes, (str, bytes)) or not sized or not len(sizes):
            raise ValueError(f"an MLP needs a list of layer sizes such as [3, 10], got {sizes!r:.60}")
        self.inputs = whole_number("the number of inputs", inputs, 1)
        self.sizes = [whole_number("the size of a layer", size, 1) for size in sizes]
        self.outputs = self.sizes[-1]
        self.activation = activation_function(activation)
        self.initializer, self.seed = initializer, seed
        p = finite_number("the probability of dropout", dropout, least=0.0, most=1.0)
        generator = random_generator(seed)
        widths, last = [self.inputs, *self.sizes], len(self.sizes) - 1
        self.layers = [
            Layer(
                widths[i],
                widths[i + 1],
                activation=activation if i < last else output_activation,
                initializer=initializer,
                seed=generator,
                batch_norm=true_or_false("batch_norm", batch_norm) and i < last,
            )
            for i in range(len(self.sizes))
        ]
        for layer in self.layers[: last if p else 0]:  # after all weights, which are then the same without dropout
            layer.dropout = Dropout(p, seed=generator.getrandbits(64))
        self.label_parameters()

    def named_children(self) -> Iterator[tuple[str, Child]]:
        *hidden, output = self.layers
        names = ["hidden"] if len(hidden) == 1 else [f"hidden{i}" for i in range(1, len(hidden) + 1)]
        return zip([*names, "output"], [*hidden, output], strict=True)

    def forward(self, rows: Rows) -> Rows:
        for layer in self.layers:
            rows = layer.forward(rows)
        return rows

    @always_answers
    def __repr__(self) -> str:
        options = f"activation={name_of(self.activation)!r}{_regularized(self.layers[0])}"
        return f"MLP({self.inputs}, {_SHORT.repr(self.sizes)}, {options})"


def _regularized(layer: Layer) -> str:
    dropout = "" if layer.dropout is None else f", dropout={layer.dropout.p:g}"
    return ", batch_norm=True" * (layer.batch_norm is not None) + dropout
