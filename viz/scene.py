"""What a picture of a network shows: the neurons with their numbers and gradients, and what flows between them.

Nothing here knows about DOT, colours or fonts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import mul
from typing import Any

from autograd_mini import Value, gradients, softmax, topological_order
from autograd_mini.number import number_text
from nn import ACTIVATIONS, MLP, BatchNorm, Layer, Neuron
from nn.checks import row_of_numbers
from nn.module import evaluating
from nn.network import Network, Rows

__all__ = ["Edge", "NetworkScene", "NeuronCard", "Norm", "Number", "described", "observe", "size"]

_ABOVE_ZERO = ("relu", "leaky_relu", "elu", "gelu", "silu")


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its name and its gradient; what is None is not computed."""

    name: str
    value: float | None
    gradient: float | None = None


@dataclass(frozen=True, slots=True)
class Norm:
    """What batch normalization does to one neuron's weighted sum.

    Attributes:
        parameters: the scale and the shift, under their full names; empty without them.
        statistics: the running mean and variance; empty if none are kept.
        output: the normalized sum, which the activation function is given.
    """

    parameters: tuple[Number, ...]
    statistics: tuple[float, ...]
    output: Number


@dataclass(frozen=True, slots=True)
class NeuronCard:
    """One neuron.

    Attributes:
        id: a name for the node, without spaces or colons.
        title: the neuron's name in its model, such as ``hidden.neuron1``; its parameters are ``<title>.w[0]``, ….
        weights: the weights.
        inputs: what each weight is multiplied with; empty without an example.
        flows: weight × input, or the weights alone without an example.
        bias, z, output: the bias, the weighted sum and the activation function's value.
        norm: what batch normalization does to the weighted sum; None without it.
        activation: the name of the activation function.
        feeds: the output of the network that the neuron is, such as ``output[2]``; empty for a hidden neuron.
        state: in words, whether the neuron is active; empty if the activation function draws no such line.
    """

    id: str
    title: str
    weights: tuple[Number, ...]
    inputs: tuple[float, ...]
    flows: tuple[float, ...]
    bias: Number
    z: Number
    norm: Norm | None
    output: Number
    activation: str
    feeds: str
    state: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection, how strong it is, and that strength in words."""

    tail: str
    head: str
    strength: float
    text: str


@dataclass(frozen=True, slots=True)
class NetworkScene:
    """A whole network.

    Attributes:
        title: the model and its size.
        inputs: the example, pixel by pixel; the values are None without one.
        layers: the neurons, layer by layer.
        outputs: the outputs; empty without an example.
        shares: their softmax, if they are the logits of a choice; empty if the loss takes them for something else.
        loss: the loss, if there is one.
        edges: the connections between inputs and neurons.
        has_example: whether the network was run; without an example only the parameters have numbers.
    """

    title: str
    inputs: tuple[Number, ...]
    layers: tuple[tuple[NeuronCard, ...], ...]
    outputs: tuple[Number, ...]
    shares: tuple[float, ...]
    loss: float | None
    edges: tuple[Edge, ...]
    has_example: bool

    @property
    def has_gradients(self) -> bool:
        """Whether any parameter has a gradient."""
        return any(parameter.gradient is not None for parameter in self.parameters())

    def parameters(self) -> Iterator[Number]:
        """Yield every parameter of every neuron and its normalization."""
        for layer in self.layers:
            for card in layer:
                yield from (*card.weights, card.bias, *(card.norm.parameters if card.norm else ()))


def size(model: Any) -> tuple[int, int]:
    """Count the neurons and the parameters of an MLP, a Layer or a Neuron.

    Raises:
        TypeError: for anything else.
    """
    neurons = [neuron for layer in _neurons(model) for _, neuron in layer]
    return len(neurons), len(model.parameters())


def described(model: Any) -> str:
    """Say what a model is and how large.

    Example:
        >>> described(Neuron(2))
        "Neuron(2, activation='relu'): 1 neuron, 3 parameters"
    """
    neurons, parameters = size(model)
    return f"{model!r}: {neurons:,} neuron{'s' * (neurons > 1)}, {parameters:,} parameters"


def observe(model: Any, example: Any = None, loss: Callable[[Any], Value] | None = None) -> NetworkScene:
    """Run a model on one example, differentiate its loss, and write down every number; the model is not touched.

    It is run in evaluation mode: one example has no batch to be normalized by, and nothing is dropped.

    Args:
        model: an MLP, a Layer or a Neuron.
        example: the inputs of one example, or None.
        loss: a function of what ``model(example)`` gives, or None.

    Raises:
        TypeError: for another model, a loss that is not a function, or one that does not give a Value.
        ValueError: for a loss without an example, an example of the wrong width, or a loss that no output leads to.
    """
    layers = _neurons(model)
    if loss is not None and not callable(loss):
        raise TypeError(f"loss is a function of the model's outputs, such as lambda y: (y - 1) ** 2, got {loss!r:.80}")
    if loss is not None and example is None:
        raise ValueError("a loss needs an example to be computed on: draw_network(model, example=[...], loss=...)")
    with evaluating(model):
        xs, zs, normalized, outputs = _forward(model, layers, example)
    value = None if loss is None else _loss_value(loss, outputs[-1])
    table = None if value is None else gradients(value)

    def number(name: str, v: Any) -> Number:
        if table is not None:
            gradient = table.get(v)
        else:
            gradient = v.grad if isinstance(v, Value) and v.has_grad else None
        return Number(name, None if v is None else float(v), gradient)

    def norm(batch_norm: tuple[str, BatchNorm], j: int, v: Any) -> Norm:
        name, part = batch_norm
        pairs = [(f"{name}.scale[{j}]", part.scale), (f"{name}.shift[{j}]", part.shift)]
        return Norm(
            parameters=tuple(number(full, values[j]) for full, values in pairs if values),
            statistics=(part.running_mean[j], part.running_variance[j]) if part.track else (),
            output=number("ẑ", v),
        )

    norms = _norms(model)
    cards: list[tuple[NeuronCard, ...]] = []
    for i, (layer, before) in enumerate(zip(layers, [xs, *outputs], strict=False)):
        x = tuple(map(float, before)) if xs else ()
        cards.append(())
        for j, ((title, neuron), z, output) in enumerate(zip(layer, zs[i], outputs[i], strict=True)):
            card = NeuronCard(
                id=f"layer{i}_neuron{j}",
                title=title,
                weights=tuple(number(f"w[{k}]", w) for k, w in enumerate(neuron.w)),
                inputs=x,
                flows=tuple(map(mul, map(float, neuron.w), x or [1.0] * neuron.inputs)),
                bias=number("b", neuron.b),
                z=number("z", z),
                norm=None if (batch_norm := norms[i]) is None else norm(batch_norm, j, normalized[i][j]),
                output=number("output", output),
                activation=(activation := _activation_name(neuron)),
                feeds=f"output[{j}]" if i == len(layers) - 1 and len(layer) > 1 else "",
                state=_state(activation, output),
            )
            cards[i] += (card,)
    last = outputs[-1] if xs else []
    is_choice = len(last) > 1 and cards[-1][0].activation == "linear" and _is_of_shares(value)
    return NetworkScene(
        title=described(model),
        inputs=tuple(number(f"x[{i}]", x) for i, x in enumerate(xs or [None] * model.inputs)),
        layers=tuple(cards),
        outputs=tuple(number(f"output[{i}]", output) for i, output in enumerate(last)),
        shares=tuple(softmax([float(output) for output in last])) if is_choice else (),
        loss=None if value is None else value.data,
        edges=tuple(_edges(cards, by_gradient=value is not None)),
        has_example=bool(xs),
    )


def _neurons(model: Any) -> list[list[tuple[str, Neuron]]]:
    """List the neurons of each layer with their names."""
    for kind in (Neuron, Layer, MLP):
        if isinstance(model, kind) and type(model).forward is not kind.forward:
            fix = "draw what it computes with draw_dot(model(example))"
            raise TypeError(f"{type(model).__name__} has a forward of its own, which cards cannot show; {fix}")
    if isinstance(model, Neuron):
        return [[("neuron", model)]]
    if isinstance(model, Layer):
        return [[(name, child) for name, child in model.named_children() if isinstance(child, Neuron)]]
    if isinstance(model, MLP):
        layers = [(name, child) for name, child in model.named_children() if isinstance(child, Layer)]
        return [[(f"{name}.{title}", neuron) for title, neuron in _neurons(layer)[0]] for name, layer in layers]
    fix = "use draw_dot(value)" if isinstance(model, Value) else "give it a model such as MLP(49, [3, 10])"
    fix = "draw what it computes with draw_dot(model(example))" if isinstance(model, Network) else fix
    raise TypeError(f"draw_network draws an MLP, a Layer or a Neuron, got {model!r:.60}; {fix}")


def _norms(model: Any) -> list[tuple[str, BatchNorm] | None]:
    """List each layer's batch normalization with its name, or None."""
    found: list[tuple[str, BatchNorm] | None] = []
    for layer in getattr(model, "layers", [model]):
        batch_norm = getattr(layer, "batch_norm", None)
        found.append(None if batch_norm is None else next(pair for pair in model.modules() if pair[1] is batch_norm))
    return found


def _forward(model: Any, layers: list[list[tuple[str, Neuron]]], example: Any) -> tuple[list[Any], Rows, Rows, Rows]:
    """Do what ``model.forward`` does, but keep every weighted sum, raw and normalized; all None without an example."""
    if example is None:
        nothing: Rows = [[None] * len(layer) for layer in layers]
        return [], nothing, nothing, nothing
    row = row_of_numbers(f"the input of {model!r}", example, model.inputs)
    xs = row = [x if isinstance(x, Value) else Value(x) for x in row]
    zs, normalized, outputs = [], [], []
    for layer, part in zip(layers, getattr(model, "layers", [model]), strict=True):
        batch_norm = getattr(part, "batch_norm", None)
        zs.append([neuron.weighted_sum(row) for _, neuron in layer])
        normalized.append(zs[-1] if batch_norm is None else batch_norm.forward([zs[-1]])[0])
        row = [neuron.activation(z) for (_, neuron), z in zip(layer, normalized[-1], strict=True)]
        outputs.append(row)
    return xs, zs, normalized, outputs


def _loss_value(loss: Callable[[Any], Value], outputs: list[Any]) -> Value:
    value = loss(outputs[0] if len(outputs) == 1 else outputs)
    if not isinstance(value, Value):
        raise TypeError(f"loss gives one Value computed from the model's outputs, got {value!r:.80}")
    if not gradients(value).keys() & set(outputs):
        raise ValueError(
            f"no path leads from the model's outputs to the loss, {value!r}: compute it from the outputs the function "
            "is given, and draw outside of no_grad()"
        )
    return value


def _is_of_shares(loss: Value | None) -> bool:
    return loss is None or any(node.op == "logsumexp" for node in topological_order(loss))


def _edges(cards: list[tuple[NeuronCard, ...]], *, by_gradient: bool) -> Iterator[Edge]:
    """Yield one edge from the inputs to each neuron of the first layer, then from every neuron to every next one."""
    for layer, before in zip(cards, [None, *cards], strict=False):
        for card in layer:
            flows = [abs(flow) for flow in card.flows]
            carried = [("inputs", sum(flows))] if before is None else zip((c.id for c in before), flows, strict=True)
            for tail, flow in carried:
                strength = abs(card.z.gradient or 0.0) if by_gradient else flow
                yield Edge(tail, card.id, strength, f"into {card.title}: {number_text(strength, 4)}")


def _activation_name(neuron: Neuron) -> str:
    named = {function: name for name, function in ACTIVATIONS.items()}
    return named.get(neuron.activation) or str(getattr(neuron.activation, "__name__", "activation"))


def _state(activation: str, output: Any) -> str:
    threshold = 0.5 if activation == "sigmoid" else 0.0 if activation in _ABOVE_ZERO else None
    if output is None or threshold is None:
        return ""
    return f"active: above {threshold:g}" if float(output) > threshold else f"not active: at most {threshold:g}"
