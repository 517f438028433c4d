"""What the page needs to draw the decision boundary of a network of two inputs, as ``plot_decision_boundary`` does."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_mini import Value
from autograd_mini.printing import printable
from nn import Trainer
from nn.losses import mean_squared_error, sum_squared_error
from viz.colors import CLASS_COLORS
from viz.explorer.data import GraphData
from viz.explorer.tables import is_computable

__all__ = ["boundary_of"]

_MOST_POINTS = 400
_LONGEST_NAME = 40


def boundary_of(trainer: Trainer, inputs: Sequence[Value], outputs: Sequence[Value], data: GraphData) -> Any:
    """Collect the places of inputs and outputs in the graph, and the points; None where there is no such boundary."""
    train = trainer.data["train"]
    targets, names = np.asarray(train.targets), train.class_names or ()
    is_sign = targets.size == len(train) and set(targets.ravel().tolist()) == {-1.0, 1.0}
    if is_sign:  # as hinge has them
        targets, names = (targets.ravel() > 0.0).astype(np.int64), ("-1", "1")
    kinds = sorted({int(t) for t in targets.tolist() if t == int(t)}) if targets.ndim == 1 else []
    count = max(len(outputs), 2)
    if len(inputs) != 2 or not kinds or kinds[0] < 0 or kinds[-1] >= count or count > len(CLASS_COLORS):
        return None
    if any(node.parents and not is_computable(node.op) for node in data.nodes):
        return None
    if any(value not in data.index for value in (*inputs, *outputs)) or not np.array_equal(targets, targets.round()):
        return None
    points = np.asarray(train.inputs, dtype=np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * np.maximum(high - low, 1e-9)
    some = range(0, len(points), -(-len(points) // _MOST_POINTS))
    return {
        "inputs": [data.index[value] for value in inputs],
        "outputs": [data.index[value] for value in outputs],
        "names": [printable(str(name), _LONGEST_NAME) for name in train.columns or [value.label for value in inputs]],
        "box": [float(low[0] - margin[0]), float(high[0] + margin[0]),
                float(low[1] - margin[1]), float(high[1] + margin[1])],
        "points": [[round(float(points[i, 0]), 4), round(float(points[i, 1]), 4), int(targets[i])] for i in some],
        "left": len(points) - len(some),
        "classes": [printable(names[i], _LONGEST_NAME) if i < len(names) else str(i) for i in range(count)],
        "colors": list(CLASS_COLORS[:count]),
        "isProbability": not is_sign and _is_probability(trainer, outputs),
    }  # fmt: skip


def _is_probability(trainer: Trainer, outputs: Sequence[Value]) -> bool:
    """Whether a lone output is the probability of class 1, or a number fitted to it, and not its logit."""
    return outputs[0].op == "sigmoid" or trainer.learner.loss in (sum_squared_error, mean_squared_error)
