"""What the page shows of a training run: one row's loss, the checkpoints, the learning curves, the boundary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_mini import Value
from nn import Trainer
from nn.checks import whole_number
from nn.learner import Moment, part
from nn.losses import mean_squared_error, sum_squared_error
from nn.module import evaluating
from nn.naming import unfold
from nn.saving import beginning
from viz.explorer.data import GraphData, packed
from viz.explorer.tables import is_computable

__all__ = ["Scene", "scene_of"]

_MOST_CHECKPOINTS = 200
_MOST_POINTS = 400
_COLORS = ("#b2182b", "#2166ac", "#1b7837", "#e08214", "#762a83", "#35978f", "#8c510a", "#c51b7d", "#4d4d4d", "#bf812d")


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be shown.

    Attributes:
        root: the result.
        title: of the page.
        boundary: what the page needs to draw the decision boundary, given the graph; or None.
        run: the same for the run; or None.
    """

    root: Value
    title: str
    boundary: Callable[[GraphData], Any] = field(default=lambda data: None)
    run: Callable[[GraphData], Any] = field(default=lambda data: None)


def scene_of(trainer: Trainer, row: int) -> Scene:
    """Compute the loss of one row of the training data, in evaluation mode, with all numbers of the row as inputs.

    Raises:
        ValueError: if the trainer has no data, or no such row.
    """
    if "train" not in trainer.data:
        raise ValueError("the trainer has no data to explore; call fit first, or attach with the data of the run")
    train = trainer.data["train"]
    if whole_number("row", row, 0) >= len(train):
        raise ValueError(f"the training data has rows 0 to {len(train) - 1}, got row {row}")
    numbers = np.asarray(train.inputs[row], dtype=np.float64).tolist()
    inputs = [Value(number, f"x[{i}]") for i, number in enumerate(numbers)]
    with evaluating(trainer.model):
        outputs: Any = trainer.model([inputs])  # type: ignore[operator]
        loss: Value = trainer.learner.loss(outputs, train.targets[row : row + 1])
    made = outputs[0] if isinstance(outputs[0], list) else [outputs[0]]
    for i, output in enumerate(made):
        if isinstance(output, Value) and not output.label and output.parents:
            output.label = f"output[{i}]" if len(made) > 1 else "output"
    target = train.targets[row].item()
    epochs = trainer.position.epoch
    start = f"Training, row {row}, target {target}"
    title = f"{start}, after {epochs} epoch{'s' * (epochs != 1)}"

    def run(data: GraphData) -> Any:
        return _run(trainer, data, start)

    return Scene(loss, title, lambda data: _boundary(trainer, inputs, made, data), run)


def _boundary(trainer: Trainer, inputs: Sequence[Value], outputs: Sequence[Value], data: GraphData) -> Any:
    train = trainer.data["train"]
    targets = np.asarray(train.targets)
    kinds = sorted({int(t) for t in targets.tolist() if t == int(t)}) if targets.ndim == 1 else []
    count = max(len(outputs), 2)
    if len(inputs) != 2 or not kinds or kinds[0] < 0 or kinds[-1] >= count or count > len(_COLORS):
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
        "names": [value.label for value in inputs],
        "box": [float(low[0] - margin[0]), float(high[0] + margin[0]),
                float(low[1] - margin[1]), float(high[1] + margin[1])],
        "points": [[round(float(points[i, 0]), 4), round(float(points[i, 1]), 4), int(targets[i])] for i in some],
        "colors": list(_COLORS[:count]),
        "isProbability": _is_probability(trainer, outputs),
    }  # fmt: skip


def _is_probability(trainer: Trainer, outputs: Sequence[Value]) -> bool:
    """Whether a lone output is the probability of class 1, or a number fitted to it, and not its logit."""
    return outputs[0].op == "sigmoid" or trainer.learner.loss in (sum_squared_error, mean_squared_error)


def _run(trainer: Trainer, data: GraphData, title: str) -> Any:
    parameters = {name: value for name, value in trainer.model.named_parameters() if value in data.index}
    if not trainer.position.epoch or not parameters:
        return None
    epochs, rows = [], []
    last = trainer.position.epoch
    for epoch in _thinned(last):
        try:
            moment = beginning(trainer, epoch + 1)
        except ValueError:  # kept nowhere
            continue
        epochs.append(epoch)
        rows.append(_numbers(trainer, moment, list(parameters)))
    if not epochs or epochs[-1] != last or trainer.position.batch:
        epochs.append(last)
        rows.append([value.data for value in parameters.values()])
    has_buffers = any(module.buffers for _, module in trainer.model.modules())
    return {
        "title": title,
        "epochs": epochs,
        "leaves": [data.index[value] for value in parameters.values()],
        "parameters": packed((number for row in rows for number in row), "f8"),
        "curves": _curves(trainer),
        "note": "Running means and variances stay those of the end of training." if has_buffers else "",
    }


def _thinned(last: int) -> list[int]:
    """The epochs to show, from before training on; of many, evenly spaced ones."""
    return sorted({round(i) for i in np.linspace(0, last, min(last + 1, _MOST_CHECKPOINTS)).tolist()})


def _numbers(trainer: Trainer, moment: Moment, wanted: Sequence[str]) -> list[float]:
    """The parameters of a moment, by name; the trainer is not touched."""
    names = [name for name, _ in trainer.model.named_parameters()]
    numbers = dict(zip(names, unfold(names, part(moment.arrays, "model")).tolist(), strict=True))
    return [numbers[name] for name in wanted]


def _curves(trainer: Trainer) -> list[dict[str, Any]]:
    """Loss and metric, of training and of validation in one picture each."""
    history = trainer.history
    titles = [name for name in history.epochs if not name.startswith("validation_")]
    curves = []
    for title in titles:
        lines = [{"name": "training", "numbers": _finite(history[title])}] if title != "learning_rate" else []
        if title == "learning_rate":
            lines = [{"name": "each epoch", "numbers": _finite(history[title])}]
        if f"validation_{title}" in history:
            lines.append({"name": "validation", "numbers": _finite(history[f"validation_{title}"])})
        curves.append({"title": title.replace("_", " "), "lines": lines})
    return curves


def _finite(numbers: Sequence[float]) -> list[float | None]:
    return [x if np.isfinite(x) else None for x in numbers]
