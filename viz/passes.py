"""The passes behind a picture of a network: what ``forward`` does, with every weighted sum kept, the model untouched.

A picture of evaluation mode takes one example. One of training mode takes a batch, and is of one of its rows: batch
normalization measures it against the others, and dropout leaves out what its mask says.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from autograd_mini import Value
from nn import MLP, BatchNorm, Dropout, Layer, Neuron
from nn.module import Module, evaluating
from nn.network import Network, Rows

__all__ = ["Passes", "neurons_of", "run"]


@dataclass(slots=True)
class Passes:
    """What one row of the examples became on its way; a list for each layer, and in it one item for each neuron.

    Attributes:
        inputs: the row; empty without one.
        zs: the weighted sums.
        normalized: the same after batch normalization.
        activated: what the activation functions make of them.
        outputs: the same after dropout, which is what the next layer is given.
        statistics: mean and variance of the batch, for each neuron; empty unless a layer normalizes by them.
        masks: what dropout multiplies with; empty unless a layer drops.
        results: what ``model(examples)`` gives: of the one example, or of the batch.
        notes: in words, what training or evaluation mode makes of the parts that know a difference.
    """

    inputs: list[Any]
    zs: Rows = field(default_factory=list)
    normalized: Rows = field(default_factory=list)
    activated: Rows = field(default_factory=list)
    outputs: Rows = field(default_factory=list)
    statistics: list[list[tuple[float, float]]] = field(default_factory=list)
    masks: list[list[float]] = field(default_factory=list)
    results: Any = None
    notes: list[str] = field(default_factory=list)


def neurons_of(model: Any) -> list[list[tuple[str, Neuron]]]:
    """List the neurons of each layer with their names.

    Raises:
        TypeError: for anything but an MLP, a Layer or a Neuron, and for one with a forward of its own.
    """
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
        return [[(f"{name}.{title}", neuron) for title, neuron in neurons_of(layer)[0]] for name, layer in layers]
    fix = "use draw_dot(value)" if isinstance(model, Value) else "give it a model such as MLP(49, [3, 10])"
    fix = "draw what it computes with draw_dot(model(example))" if isinstance(model, Network) else fix
    raise TypeError(f"draw_network draws an MLP, a Layer or a Neuron, got {model!r:.60}; {fix}")


def run(model: Any, rows: Rows | None, row: int | None) -> Passes:
    """Run a model on checked rows.

    Args:
        model: an MLP, a Layer or a Neuron.
        rows: the example alone, or the batch; None to run nothing.
        row: which row of the batch to follow, in training mode; None for evaluation mode.
    """
    layers = neurons_of(model)
    parts = getattr(model, "layers", [model])
    if rows is None:
        nothing: Rows = [[None] * len(layer) for layer in layers]
        none: list[Any] = [[] for _ in layers]
        return Passes([], nothing, nothing, nothing, nothing, none, none)
    at = row or 0
    passes = Passes(rows[at])
    with evaluating(model) if row is None else _training(model):
        for layer, part in zip(layers, parts, strict=True):
            sums = [[neuron.weighted_sum(inputs) for _, neuron in layer] for inputs in rows]
            batch_norm, dropout = getattr(part, "batch_norm", None), getattr(part, "dropout", None)
            normalized = sums if batch_norm is None else batch_norm.forward(sums)
            pairs = [zip(layer, zs, strict=True) for zs in normalized]
            activated = [[neuron.activation(z) for (_, neuron), z in pair] for pair in pairs]
            mask = [] if dropout is None or row is None else _mask(dropout, len(rows), len(layer), passes.notes)
            rows = _masked(activated, mask) if mask else activated
            passes.zs.append(sums[at])
            passes.normalized.append(normalized[at])
            passes.activated.append(activated[at])
            passes.outputs.append(rows[at])
            passes.masks.append(mask[at] if mask else [])
            by_batch = batch_norm is not None and (row is not None or not batch_norm.track)
            passes.statistics.append(_statistics(sums) if by_batch else [])
    results = [outputs[0] if len(outputs) == 1 else outputs for outputs in rows]
    passes.results = results[0] if row is None else results
    passes.notes[:0] = _mode_notes(parts, row, len(rows))
    return passes


def _mode_notes(parts: Sequence[Any], row: int | None, count: int) -> Iterator[str]:
    """Say which mode it was, if any part knows a difference."""
    if row is not None:
        yield f"training mode: row {row} of a batch of {count}"
    elif any(getattr(part, name, None) is not None for part in parts for name in ("batch_norm", "dropout")):
        drops = any(getattr(part, "dropout", None) is not None for part in parts)
        norms = any(getattr(part, "batch_norm", None) is not None for part in parts)
        words = ["batch norm goes by its running statistics"] * norms + ["dropout leaves nothing out"] * drops
        yield f"evaluation mode: {', '.join(words)}"


@contextmanager
def _training(model: Module) -> Iterator[None]:
    """Put a model in training mode for a while; afterwards modes and running statistics are what they were."""
    parts = [part for _, part in model.modules()]
    modes = [part.training for part in parts]
    norms = [
        (part, part.running_mean, part.running_variance, part.batches) for part in parts if isinstance(part, BatchNorm)
    ]
    model.train()
    try:
        yield
    finally:
        for part, mode in zip(parts, modes, strict=True):
            part.training = mode
        for norm, mean, variance, batches in norms:
            norm.running_mean, norm.running_variance, norm.batches = mean, variance, batches


def _mask(dropout: Dropout, rows: int, width: int, notes: list[str]) -> list[list[float]]:
    """The mask of the last batch if it was one like this, else the one that the next batch will get."""
    mask = dropout.mask
    is_last = mask is not None and len(mask) == rows and all(len(one) == width for one in mask)
    if not is_last:
        twin = copy.deepcopy(dropout).train()
        twin.forward([[1.0] * width] * rows)
        mask = twin.mask
    notes.append(f"dropout p = {dropout.p:g}: the mask {'of the last batch' if is_last else 'that comes next'}")
    assert mask is not None
    return mask


def _masked(rows: Rows, mask: list[list[float]]) -> Rows:
    return [[x * factor for x, factor in zip(*both, strict=True)] for both in zip(rows, mask, strict=True)]


def _statistics(rows: Rows) -> list[tuple[float, float]]:
    """Mean and variance of each column, as batch normalization takes them."""
    found = []
    for column in zip(*rows, strict=True):
        numbers = list(map(float, column))
        centre = sum(numbers) / len(numbers)
        found.append((centre, sum((x - centre) ** 2 for x in numbers) / len(numbers)))
    return found
