"""What the page shows of a training run: one row's loss, the checkpoints, the learning curves, the boundary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_mini import Value
from autograd_mini.printing import printable
from nn import Dataset, Normalization, Trainer
from nn.checks import whole_number
from nn.module import Module, evaluating
from viz.explorer.answer import answer_of, labelled_outputs
from viz.explorer.boundary import boundary_of
from viz.explorer.checkpoints import checkpoints_of
from viz.explorer.data import GraphData

__all__ = ["Content", "content_of"]


@dataclass(frozen=True, slots=True)
class Content:
    """What is to be shown.

    Attributes:
        root: the result.
        title: of the page.
        boundary: what the page needs to draw the decision boundary, given the graph; or None.
        run: the same for the run; or None.
        answer: the same for what the network answers; or None.
        units: the input nodes that are normalized, with ``mean`` and ``scale`` of each; or None.
    """

    root: Value
    title: str
    boundary: Callable[[GraphData], Any] = field(default=lambda data: None)
    run: Callable[[GraphData], Any] = field(default=lambda data: None)
    answer: Callable[[GraphData], Any] = field(default=lambda data: answer_of(data, labelled_outputs(data.nodes)))
    units: Callable[[GraphData], Any] = field(default=lambda data: None)


def content_of(trainer: Trainer, row: int, normalization: Normalization | None = None) -> Content:
    """Compute the loss of one row of the training data, in evaluation mode, with all numbers of the row as inputs.

    Raises:
        ValueError: if the trainer has no data, or no such row; or for a normalization of another width.
    """
    if "train" not in trainer.data:
        raise ValueError("the trainer has no data to explore; call fit first, or attach with the data of the run")
    train = trainer.data["train"]
    if whole_number("row", row, 0) >= len(train):
        raise ValueError(f"the training data has rows 0 to {len(train) - 1}, got row {row}")
    normalization = normalization or _noted(trainer, "inputs")
    if normalization is not None:
        normalization.transform(train.inputs[row])  # refuses another width
    numbers = np.asarray(train.inputs[row], dtype=np.float64).tolist()
    names = [printable(name, 40).strip() for name in train.columns or [""] * len(numbers)]
    inputs = [Value(number, name or f"x[{i}]") for i, (number, name) in enumerate(zip(numbers, names, strict=True))]

    def record(model: Module) -> tuple[Any, Value]:
        with evaluating(model):
            outputs: Any = model([inputs])  # type: ignore[operator]
            loss: Value = trainer.learner.loss(outputs, train.targets[row : row + 1])
            return outputs[0], loss

    output, loss = record(trainer.model)
    made = output if isinstance(output, list) else [output]
    for i, one in enumerate(made):
        if isinstance(one, Value) and not one.label and one.parents:
            one.label = f"output[{i}]" if len(made) > 1 else "output"
    epochs = trainer.position.epoch
    of_targets = _noted(trainer, "targets")
    told = _target(train, row, of_targets)
    start = f"Training, row {row}, target {told}"
    title = f"{start}, after {epochs} epoch{'s' * (epochs != 1)}"

    def run(data: GraphData) -> Any:
        if not epochs or not any(value in data.index for value in trainer.model.parameters()):
            return None
        moving = checkpoints_of(trainer, data, lambda model: record(model)[1])
        return {
            "title": start,
            "row": _told(train, row, told),
            "curves": _curves(trainer),
            "best": None if trainer.best is None else trainer.history.best_epoch,  # what load_best takes
            **moving,
        }

    def answer(data: GraphData) -> Any:
        is_class = train.classes is not None and train.targets.ndim == 1
        names = train.class_names or () if is_class else _quantities(train, len(made))
        return answer_of(
            data,
            made,
            names=[printable(name, 40) for name in names],
            target=np.atleast_1d(train.targets[row]).tolist(),
            units=None if of_targets is None else _as_lists(of_targets),
        )

    def units(data: GraphData) -> Any:
        if normalization is None:
            return None
        told = _as_lists(normalization)
        places = [i for i, value in enumerate(inputs) if value in data.index]
        nodes = [data.index[inputs[i]] for i in places]
        return {"nodes": nodes} | {name: [numbers[i] for i in places] for name, numbers in told.items()}

    return Content(loss, title, lambda data: boundary_of(trainer, inputs, made, data), run, answer, units)


def _quantities(train: Dataset, count: int) -> list[str]:
    """What the targets are called, as ``autograd-mini predict`` does."""
    if train.label is None:
        return []
    return [train.label] if count == 1 else [f"{train.label}[{i}]" for i in range(count)]


def _noted(trainer: Trainer, what: str) -> Normalization | None:
    """How a run of ``autograd-mini train`` normalized its inputs or targets, as its notes have it."""
    notes = trainer.notes.get("command_line")
    told = notes.get(what) if isinstance(notes, dict) else None
    return None if told is None else Normalization(**told)


def _as_lists(normalization: Normalization) -> dict[str, list[float]]:
    return {"mean": normalization.mean.tolist(), "scale": normalization.scale.tolist()}


def _told(train: Dataset, row: int, target: str) -> list[str]:
    """Which row the page is of, and how to see another one."""
    name = f" ({printable(train.class_names[train.targets[row]], 40)})" if train.class_names else ""
    other = (row + 1) % len(train)
    return [
        f"This page is of row {row} of the {len(train):,} training rows, target {target}{name}, in evaluation mode.",
        f"For another row, explore(trainer, row={other}) or autograd-mini explore RUN --row {other} writes a page.",
    ]


def _target(train: Dataset, row: int, normalization: Normalization | None) -> str:
    target = train.targets[row]
    own = np.atleast_1d(target) if normalization is None else normalization.inverse(np.atleast_1d(target))
    text = ", ".join(f"{number:,.12g}" for number in own.tolist())  # as the data has it
    return printable(text if np.ndim(target) == 0 else f"[{text}]", 60)


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
