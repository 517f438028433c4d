"""The passes behind a picture of a network: what ``forward`` does, with every weighted sum kept, the model untouched.

A picture of evaluation mode takes one example. One of training mode takes a batch, and is of one of its rows: batch
normalization measures it against the others, and dropout leaves out what its mask says.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nn import BatchNorm, Dropout
from nn.module import Module, evaluating
from nn.network import Rows
from viz.stages import Stage

__all__ = ["Passes", "run"]


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


def run(model: Any, stages: Sequence[Stage], rows: Rows | None, row: int | None) -> Passes:
    """Run a model on checked rows.

    Args:
        model: the model.
        stages: what ``stages_of(model)`` gives.
        rows: the example alone, or the batch; None to run nothing.
        row: which row of the batch to follow, in training mode; None for evaluation mode.
    """
    if rows is None:
        nothing: Rows = [[None] * len(stage.neurons) for stage in stages]
        none: list[Any] = [[] for _ in stages]
        return Passes([], nothing, nothing, nothing, nothing, none, none)
    at = row or 0
    passes = Passes(rows[at])
    with evaluating(model) if row is None else _training(model):
        for stage in stages:
            sums = [[neuron.weighted_sum(inputs) for _, neuron in stage.neurons] for inputs in rows]
            batch_norm, dropout = stage.batch_norm and stage.batch_norm[1], stage.dropout
            normalized = sums if batch_norm is None else batch_norm.forward(sums)
            activated = [[f(z) for f, z in zip(stage.activations, zs, strict=True)] for zs in normalized]
            mask = [] if dropout is None or row is None else _mask(dropout, len(rows), len(sums[0]), passes.notes)
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
    passes.notes[:0] = _mode_notes(stages, row, len(rows))
    return passes


def _mode_notes(stages: Sequence[Stage], row: int | None, count: int) -> Iterator[str]:
    """Say which mode it was, if any part knows a difference."""
    drops = any(stage.dropout is not None for stage in stages)
    norms = any(stage.batch_norm is not None for stage in stages)
    if row is not None:
        yield f"training mode: row {row} of a batch of {count}"
    elif drops or norms:
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
