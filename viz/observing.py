"""``observe``: a network and an example become a scene; every picture of a network begins here."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from numbers import Integral
from operator import mul
from typing import Any

from autograd_mini import Value, gradients, softmax, topological_order
from autograd_mini.number import number_text
from autograd_mini.printing import printable
from nn import ACTIVATIONS, BatchNorm
from nn.checks import row_of_numbers, rows_of_numbers
from viz.passes import Passes, run
from viz.scene import Dropped, Edge, NetworkScene, NeuronCard, Norm, Number
from viz.stages import Stage, stages_of

__all__ = ["described", "is_of_shares", "observe", "size"]

_ABOVE_ZERO = ("relu", "leaky_relu", "elu", "gelu", "silu")
_EDGES = ("gradient", "contribution")
_APART = 3.0  # layers whose largest numbers are that many times each other's have scales of their own


def size(model: Any) -> tuple[int, int]:
    """Count the neurons and the parameters of a model.

    Raises:
        TypeError: for what cards cannot show.
    """
    return sum(len(stage.neurons) for stage in stages_of(model)), len(model.parameters())


def described(model: Any) -> str:
    """Say what a model is and how large.

    Example:
        >>> from nn import Neuron
        >>> described(Neuron(2))
        "Neuron(2, activation='relu'): 1 neuron, 3 parameters"
    """
    neurons, parameters = size(model)
    return f"{printable(repr(model), 80)}: {neurons:,} neuron{'s' * (neurons > 1)}, {parameters:,} parameters"


def observe(
    model: Any,
    example: Any = None,
    loss: Callable[[Any], Value] | None = None,
    *,
    batch: Any = None,
    row: int = 0,
    edges: str | None = None,
) -> NetworkScene:
    """Run a model, differentiate its loss, and write down every number; the model is not touched.

    With an example it is run in evaluation mode: one example has no batch to be normalized by, and nothing is dropped.
    With a batch it is run in training mode, and the scene is of one of its rows.

    Args:
        model: what ``stages_of`` takes.
        example: the inputs of one example, or None.
        loss: a function of what ``model(example)``, or ``model(batch)``, gives, or None.
        batch: rows of inputs, or None.
        row: the row of the batch that is shown.
        edges: what makes an edge strong, ``"gradient"`` or ``"contribution"``; the first where there is a loss if None.

    Raises:
        TypeError: for another model, a loss that is not a function, or one that does not give a Value.
        ValueError: for a loss without an example, both an example and a batch, a row or a width that does not exist, a
            loss that no output leads to, or edges by a gradient that there is none of.
    """
    stages = stages_of(model)
    _check(loss, example, batch, edges)
    rows, shown = _rows(model, example, batch, row)
    passes = run(model, stages, rows, shown)
    root = None if loss is None else _loss_value(loss, passes)
    table = None if root is None else gradients(root)

    def number(name: str, v: Any) -> Number:
        if table is not None:
            gradient = table.get(v)
        else:
            gradient = v.grad if isinstance(v, Value) and v.has_grad else None
        return Number(name, None if v is None else float(v), gradient, v)

    cards = _cards(stages, passes, number)
    every = [parameter for layer in cards for card in layer for parameter in card.parameters()]
    has_gradients = any(parameter.gradient is not None for parameter in every)
    cards = _scaled(cards, by_gradient=has_gradients)
    last = passes.outputs[-1] if passes.inputs else []
    is_choice = len(last) > 1 and cards[-1][0].activation == "linear" and is_of_shares(root)
    by_gradient = root is not None if edges is None else edges == "gradient"
    return NetworkScene(
        title=described(model),
        inputs=tuple(number(f"x[{i}]", x) for i, x in enumerate(passes.inputs or [None] * model.inputs)),
        layers=cards,
        rests=(None,) * len(cards),
        outputs=tuple(number(f"output[{i}]", output) for i, output in enumerate(last)),
        shares=tuple(softmax([float(output) for output in last])) if is_choice else (),
        loss=None if root is None else root.data,
        edges=tuple(_edges(cards, by_gradient=by_gradient)),
        by_gradient=by_gradient,
        has_example=bool(passes.inputs),
        notes=tuple(passes.notes),
        has_gradients=has_gradients,
        rows=0 if shown is None else len(rows),
        root=root,
    )


def _check(loss: Any, example: Any, batch: Any, edges: Any) -> None:
    if loss is not None and not callable(loss):
        raise TypeError(f"loss is a function of the model's outputs, such as lambda y: (y - 1) ** 2, got {loss!r:.80}")
    if loss is not None and example is None and batch is None:
        raise ValueError("a loss needs an example to be computed on: draw_network(model, example=[...], loss=...)")
    if example is not None and batch is not None:
        raise ValueError("example= is run in evaluation mode and batch= in training mode; give one of the two")
    if edges is not None and edges not in _EDGES:
        raise ValueError(f"edges are drawn by {' or by '.join(map(repr, _EDGES))}, got {edges!r:.40}")
    if edges == "gradient" and loss is None:
        raise ValueError('edges="gradient" needs a loss to differentiate: give loss=..., or edges="contribution"')


def _rows(model: Any, example: Any, batch: Any, row: Any) -> tuple[Any, int | None]:
    """Check the rows that the model is run on, and make Values of their numbers."""
    if example is None and batch is None:
        return None, None
    rows = [example]
    if batch is None:
        rows = [row_of_numbers(f"the input of {model!r}", example, model.inputs)]
    else:
        rows, is_batch = rows_of_numbers(f"the batch for {model!r}", batch, model.inputs)
        if not is_batch:
            raise ValueError(f"batch is one row of {len(rows[0])} numbers; give a list of rows, batch=[row]")
        if isinstance(row, bool) or not (isinstance(row, Integral) and 0 <= int(row) < len(rows)):
            raise ValueError(f"row is {row!r:.40}, but must be a row of the batch, 0 to {len(rows) - 1}")
    return [[x if isinstance(x, Value) else Value(x) for x in one] for one in rows], None if batch is None else row


def _cards(
    stages: Sequence[Stage], passes: Passes, number: Callable[[str, Any], Number]
) -> tuple[tuple[NeuronCard, ...], ...]:
    cards = []
    for i, (stage, before) in enumerate(zip(stages, [passes.inputs, *passes.outputs], strict=False)):
        x = tuple(map(float, before)) if passes.inputs else ()
        row = []
        for j, (title, neuron) in enumerate(stage.neurons):
            activation, output = _activation_name(stage.activations[j]), passes.activated[i][j]
            has_threshold = stage.batch_norm is None and _threshold(activation) is not None
            activity = neuron.activity(x) if x and has_threshold else None
            row.append(
                NeuronCard(
                    id=f"layer{i}_neuron{j}",
                    index=j,
                    title=title,
                    weights=tuple(number(f"w[{k}]", w) for k, w in enumerate(neuron.w)),
                    inputs=x,
                    flows=tuple(map(mul, map(float, neuron.w), x or [1.0] * neuron.inputs)),
                    bias=number("b", neuron.b),
                    z=number("z", passes.zs[i][j]),
                    norm=_norm(stage.batch_norm, i, j, passes, number),
                    output=number("output", output),
                    dropped=Dropped(passes.masks[i][j], number("dropout", passes.outputs[i][j]))
                    if passes.masks[i]
                    else None,
                    activation=activation,
                    feeds=f"output[{j}]" if i == len(stages) - 1 and len(stage.neurons) > 1 else "",
                    activity=activity,
                    state=_state(activation, output),
                )
            )
        cards.append(tuple(row))
    return tuple(cards)


def _scaled(cards: Sequence[Sequence[NeuronCard]], *, by_gradient: bool) -> tuple[tuple[NeuronCard, ...], ...]:
    """Say where the scale of each card's colours ends: layers have scales of their own where one of all is white."""
    ends = []
    for layer in cards:
        numbers = [p.gradient if by_gradient else p.value for card in layer for p in card.parameters()]
        ends.append(max((abs(x) for x in numbers if x is not None and math.isfinite(x)), default=0.0))
    above_zero = [end for end in ends if end]
    if above_zero and max(above_zero) < _APART * min(above_zero):
        ends = [max(ends)] * len(ends)
    return tuple(tuple(replace(card, largest=end) for card in layer) for layer, end in zip(cards, ends, strict=True))


def _norm(
    named: tuple[str, BatchNorm] | None, i: int, j: int, passes: Passes, number: Callable[[str, Any], Number]
) -> Norm | None:
    if named is None:
        return None
    name, part = named
    pairs = [(f"{name}.scale[{j}]", part.scale), (f"{name}.shift[{j}]", part.shift)]
    parameters = tuple(number(full, values[j]) for full, values in pairs if values)
    running = (part.running_mean[j], part.running_variance[j]) if part.track else ()
    of_batch = passes.statistics[i][j] if passes.statistics[i] else ()
    z = passes.zs[i][j]
    return Norm(
        parameters=parameters,
        statistics=running,
        of_batch=of_batch,
        standard=None if z is None else _standard(float(z), of_batch or running, part.epsilon),
        output=number("y = γ·ẑ + β" if parameters else "ẑ", passes.normalized[i][j]),
    )


def _standard(z: float, statistics: Sequence[float], epsilon: float) -> float:
    centre, variance = statistics
    square = variance + epsilon
    return (z - centre) * (square**-0.5 if square > 0.0 else math.inf if square == 0.0 else math.nan)


def _loss_value(loss: Callable[[Any], Value], passes: Passes) -> Value:
    value = loss(passes.results)
    if not isinstance(value, Value):
        raise TypeError(f"loss gives one Value computed from the model's outputs, got {value!r:.80}")
    if not gradients(value).keys() & set(passes.outputs[-1]):
        raise ValueError(
            f"no path leads from the model's outputs to the loss, {value!r}: compute it from the outputs the function "
            "is given, and draw outside of no_grad()"
        )
    return value


def is_of_shares(loss: Value | None) -> bool:
    """Say whether a loss, or none, reads outputs that come from no activation by their softmax."""
    return loss is None or any(node.op == "logsumexp" for node in topological_order(loss))


def _edges(cards: Sequence[Sequence[NeuronCard]], *, by_gradient: bool) -> Iterator[Edge]:
    """Yield one edge from the inputs to each neuron of the first layer, then from every neuron to every next one."""
    for layer, before in zip(cards, [None, *cards], strict=False):
        for card in layer:
            if before is None:
                carried = [("inputs", sum(card.flows), sum(map(abs, card.flows)))]
            else:
                carried = [(tail.id, flow, abs(flow)) for tail, flow in zip(before, card.flows, strict=True)]
            for tail, flow, amount in carried:
                if by_gradient:
                    flow = card.z.gradient or 0.0
                    amount = abs(flow)
                yield Edge(tail, card.id, amount, (flow > 0) - (flow < 0), f"into {card.title}: {number_text(flow, 4)}")


def _activation_name(activation: Callable[[Any], Any]) -> str:
    named = {function: name for name, function in ACTIVATIONS.items()}
    return named.get(activation) or str(getattr(activation, "__name__", "activation"))


def _threshold(activation: str) -> float | None:
    return 0.5 if activation == "sigmoid" else 0.0 if activation in _ABOVE_ZERO else None


def _state(activation: str, output: Any) -> str:
    threshold = _threshold(activation)
    if output is None or threshold is None:
        return ""
    return f"active: above {threshold:g}" if float(output) > threshold else f"not active: at most {threshold:g}"
