"""How good a trained model is on a data set, and what it says about new rows."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_mini.functions import sigmoid, softmax
from autograd_mini.number import number_text
from autograd_mini.shell.run_notes import RunNotes
from nn.data import Dataset
from nn.metrics import ClassScores, accuracy, class_table, confusion_matrix, confusion_table, per_class, predicted_class
from nn.trainer import Trainer

__all__ = ["probabilities", "score_text", "scores", "tables"]


def probabilities(output: Any) -> list[float]:
    """Turn logits into the probability of each class; a lone logit answers a question of yes or no.

    Example:
        >>> probabilities(0.0), probabilities([1.0, 1.0])
        ([0.5, 0.5], [0.5, 0.5])
    """
    if not isinstance(output, list):
        yes = float(sigmoid(output))
        return [1.0 - yes, yes]
    return [float(share) for share in softmax(output)]


def scores(trainer: Trainer, notes: RunNotes, dataset: Dataset) -> dict[str, Any]:
    """Judge the model: loss and accuracy with what each class has, or, for quantities, errors in their own units."""
    outputs = trainer.predict(dataset)
    loss = float(trainer.learner.loss(outputs, dataset.targets))
    if notes.classes is None:
        wanted, said = notes.plain(dataset.targets), notes.plain(_numbers(outputs))
        left = float(np.mean((said - wanted) ** 2))
        spread = float(np.mean((wanted - wanted.mean(axis=0)) ** 2))
        r_squared = 1.0 - left / spread if spread else math.nan
        return {"loss": loss, "root_mean_squared_error": math.sqrt(left), "r_squared": r_squared}
    taken, targets = [predicted_class(output) for output in outputs], dataset.targets.tolist()
    by_class = per_class(taken, targets, notes.classes)
    return {
        "loss": loss,
        "accuracy": accuracy(taken, targets),
        "classes": {name: score._asdict() for name, score in zip(notes.names, by_class, strict=True)},
        "confusion_matrix": confusion_matrix(taken, targets, notes.classes),
    }


def score_text(numbers: Mapping[str, Any]) -> str:
    """Write loss and the like on one line.

    Example:
        >>> score_text({"loss": 0.25, "accuracy": 0.5, "confusion_matrix": [[1]]})
        'loss 0.25, accuracy 50.0 %'
    """
    words = []
    for name, number in numbers.items():
        if isinstance(number, float):
            text = f"{100 * number:.1f} %" if name == "accuracy" else number_text(number, 4)
            words.append(f"{name.replace('_', ' ')} {text}")
    return ", ".join(words)


def tables(numbers: Mapping[str, Any], names: Sequence[str]) -> str:
    """Write the scores of the classes and the confusion matrix as text; nothing for quantities."""
    matrix = numbers.get("confusion_matrix")
    if matrix is None:
        return ""
    by_class = [ClassScores(**score) for score in numbers["classes"].values()]
    return f"\n{class_table(by_class, names)}\n\n{confusion_table(matrix, names)}"


def _numbers(outputs: Sequence[Any]) -> list[Any]:
    return [[float(x) for x in row] if isinstance(row, list) else float(row) for row in outputs]
