"""The checkpoints of a run as numbers for the leaves of one graph: the parameters, and constants made of buffers."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from autograd_mini import Value
from nn import Trainer
from nn.learner import part
from nn.module import Module
from nn.naming import Arrays, unfold
from nn.saving import beginning
from viz.explorer.data import GraphData, packed

__all__ = ["checkpoints_of"]

_MOST_CHECKPOINTS = 200
_MOST_RECORDED = 500_000  # nodes, over all checkpoints: a few seconds

Rows: TypeAlias = tuple[list[int], list[list[float]]]


def checkpoints_of(trainer: Trainer, data: GraphData, record: Callable[[Module], Value]) -> dict[str, Any]:
    """Find what the leaves of a graph were at every checkpoint that is kept; the trainer is not touched.

    Args:
        trainer: the run.
        data: the graph, as it was recorded of the trainer's model.
        record: records that graph again, of a copy of the model.

    Returns:
        The epochs, the places of the leaves, and their numbers epoch by epoch, packed.
    """
    states = _kept(trainer)
    has_buffers = any(module.buffers for _, module in trainer.model.modules())
    found = None
    if has_buffers and len(data.nodes) * len(states) <= _MOST_RECORDED:
        found = _recorded(copy.deepcopy(trainer.model), data, list(states.values()), record)
    leaves, rows = found or _parameters(trainer.model, data, list(states.values()))
    return {
        "epochs": list(states),
        "leaves": leaves,
        "numbers": packed((number for row in rows for number in row), "f8"),
        "note": "Running means and variances stay those of the end of training." if has_buffers and not found else "",
    }


def _kept(trainer: Trainer) -> Mapping[float, Arrays]:
    """The model's state after each epoch, from before training on; of many, evenly spaced ones. The last is now."""
    last, batch = trainer.position.epoch, trainer.position.batch
    states: dict[float, Arrays] = {}
    for epoch in sorted({round(i) for i in np.linspace(0, last, min(last + 1, _MOST_CHECKPOINTS)).tolist()}):
        try:
            states[epoch] = part(beginning(trainer, epoch + 1).arrays, "model")
        except ValueError:  # kept nowhere
            continue
    now = last + batch / trainer.batches_in_epoch if batch else last
    return states | {now: trainer.model.state()}


def _parameters(model: Module, data: GraphData, states: Sequence[Arrays]) -> Rows:
    """The parameters alone: all that moves in a model without buffers."""
    named = dict(model.named_parameters())
    used = [i for i, value in enumerate(named.values()) if value in data.index]
    leaves = [data.index[value] for value in named.values() if value in data.index]
    return leaves, [unfold(list(named), state)[used].tolist() for state in states]


def _recorded(
    model: Module, data: GraphData, states: Sequence[Arrays], record: Callable[[Module], Value]
) -> Rows | None:
    """All leaves whose number is another at some checkpoint; None if a graph has another shape.

    A buffer reaches the graph only in what was computed from it, such as 1 / the standard deviation. So the graph is
    recorded again at each checkpoint, and laid beside the first.
    """
    ops = [node.op for node in data.nodes]
    leaves = [i for i, arguments in enumerate(data.arguments) if not arguments]
    rows = []
    for state in states:
        again = GraphData(record(model.load_state(state)))
        if again.arguments != data.arguments or [node.op for node in again.nodes] != ops:
            return None
        rows.append([again.nodes[i].data for i in leaves])
    numbers = np.asarray(rows)
    moves = np.flatnonzero((numbers != [data.nodes[i].data for i in leaves]).any(axis=0))
    return [leaves[i] for i in moves.tolist()], numbers[:, moves].tolist()
