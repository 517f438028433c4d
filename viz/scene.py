"""What a picture of a network shows: the neurons with their numbers and gradients, and what flows between them.

Nothing here knows about DOT, colours or fonts; cards and plain text are two writers of this scene.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nn import Activity

__all__ = ["Dropped", "Edge", "NetworkScene", "NeuronCard", "Norm", "Number", "Rest"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its name and its gradient; what is None is not computed.

    Attributes:
        name: what it is called.
        value: the number.
        gradient: ∂loss/∂number.
        node: the Value, or None; a check of the gradient begins there.
    """

    name: str
    value: float | None
    gradient: float | None = None
    node: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Norm:
    """What batch normalization does to one neuron's weighted sum.

    Attributes:
        parameters: the scale and the shift, under their full names; empty without them.
        statistics: the running mean and variance; empty if none are kept.
        of_batch: the mean and variance of the batch, by which it is normalized in training; empty in evaluation.
        standard: ẑ, the sum less the mean, by the standard deviation; None without an example.
        output: y = γ·ẑ + β, which the activation function is given; ẑ itself without parameters.
    """

    parameters: tuple[Number, ...]
    statistics: tuple[float, ...]
    of_batch: tuple[float, ...]
    standard: float | None
    output: Number

    @property
    def symbol(self) -> str:
        """What the activation function is given: y after scale and shift, ẑ if there are none."""
        return "y" if self.parameters else "ẑ"


@dataclass(frozen=True, slots=True)
class Dropped:
    """What dropout does to one neuron's output in training: it is multiplied by `factor`, 0 if it is left out."""

    factor: float
    output: Number


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """What a picture leaves out: how many, and of what; of a summary also how large the largest of them is."""

    count: int
    text: str


@dataclass(frozen=True, slots=True)
class NeuronCard:
    """One neuron.

    Attributes:
        id: a name for the node, without spaces or colons.
        index: its place in its layer.
        title: the neuron's name in its model, such as ``hidden.neuron1``; its parameters are ``<title>.w[0]``, ….
        weights: the weights.
        inputs: what each weight is multiplied with; empty without an example.
        flows: weight × input, or the weights alone without an example.
        bias, z, output: the bias, the weighted sum and the activation function's value.
        norm: what batch normalization does to the weighted sum; None without it.
        dropped: what dropout does to the output; None where there is none, and in evaluation mode.
        activation: the name of the activation function.
        feeds: the output of the network that the neuron is, such as ``output[2]``; empty for a hidden neuron.
        activity: Σ w·x against the threshold -b; None if the activation function draws no such line.
        state: in words, whether the neuron is active; empty if the activation function draws no such line.
        listed: the places of the weights that are written out; None for all of them.
        rest: the others.
        largest: where the scale of its colours ends: the size of the largest gradient of a parameter in its layer, or
            in the network, of those left out too; without gradients, of the largest parameter.
    """

    id: str
    index: int
    title: str
    weights: tuple[Number, ...]
    inputs: tuple[float, ...]
    flows: tuple[float, ...]
    bias: Number
    z: Number
    norm: Norm | None
    output: Number
    dropped: Dropped | None
    activation: str
    feeds: str
    activity: Activity | None
    state: str
    listed: tuple[int, ...] | None = None
    rest: Rest | None = None
    largest: float = 0.0

    def parameters(self) -> Iterator[Number]:
        """Yield the weights, the bias, and the parameters of the normalization."""
        yield from (*self.weights, self.bias, *(self.norm.parameters if self.norm else ()))


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection.

    Attributes:
        tail, head: the ids of its ends.
        strength: how strong it is, 0 or more.
        sign: 1 or -1, or 0.
        text: its strength in words.
        summed: whether it stands for the connections of all that a summary leaves out.
    """

    tail: str
    head: str
    strength: float
    sign: int
    text: str
    summed: bool = False


@dataclass(frozen=True, slots=True)
class NetworkScene:
    """A whole network.

    Attributes:
        title: the model and its size.
        inputs: the example, pixel by pixel; the values are None without one.
        layers: the neurons, layer by layer.
        rests: for each layer the neurons that a summary leaves out, or None.
        outputs: the outputs; empty without an example.
        shares: their softmax, if they are the logits of a choice; empty if the loss takes them for something else.
        loss: the loss, if there is one.
        edges: the connections between inputs and neurons.
        by_gradient: whether edges are as strong as the gradient that comes back along them, or as what they carry.
        has_example: whether the network was run; without an example only the parameters have numbers.
        notes: in words, how it was run, where that makes a difference.
        is_summary: whether something was left out.
        rows: how many rows of a batch the loss is of; 0 if the loss is of one example.
        root: the loss as a Value, or None.
    """

    title: str
    inputs: tuple[Number, ...]
    layers: tuple[tuple[NeuronCard, ...], ...]
    rests: tuple[Rest | None, ...]
    outputs: tuple[Number, ...]
    shares: tuple[float, ...]
    loss: float | None
    edges: tuple[Edge, ...]
    by_gradient: bool
    has_example: bool
    notes: tuple[str, ...]
    has_gradients: bool
    is_summary: bool = False
    rows: int = 0
    root: Any = field(default=None, repr=False, compare=False)

    @property
    def loss_name(self) -> str:
        """What the loss is called: the cards are of one row, but the loss of a batch is of all its rows."""
        return f"loss of the batch of {self.rows}" if self.rows else "loss"

    def parameters(self) -> Iterator[Number]:
        """Yield every parameter of every neuron shown and its normalization."""
        for layer in self.layers:
            for card in layer:
                yield from card.parameters()
