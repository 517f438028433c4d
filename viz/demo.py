"""The demo: the lecture's network, trained on real handwritten digits with every number a ``Value``."""

from pathlib import Path
from typing import Any

from autograd_mini.functions import softmax
from autograd_mini.modes import no_grad
from autograd_mini.value import Value
from nn import (
    MLP,
    SGD,
    Dataset,
    History,
    LinearWarmUp,
    Trainer,
    accuracy,
    confusion_matrix,
    confusion_table,
    cross_entropy,
    digits,
)
from nn.checks import whole_number
from viz.demo_page import Prediction, write_demo_page
from viz.figure import Figure
from viz.network import draw_network

__all__ = ["run_demo"]

_BATCH_SIZE = 16
_LEARNING_RATE = 1.0


def run_demo(*, hidden: int = 3, epochs: int = 60, seed: int = 0, out: Path = Path("demo")) -> Path:
    """Train, print how it went, and write a page with pictures.

    Args:
        hidden: how many hidden neurons; the lecture's 3 have 150 parameters.
        epochs: passes over the training digits.
        seed: of the split, the initial weights and the order of the batches; it repeats the run exactly.
        out: folder that the page is written into; made if need be.

    Returns:
        The path of ``index.html``.

    Raises:
        ValueError, TypeError: for a number of neurons or epochs that is not a whole number of at least 1.
    """
    model = MLP(49, [whole_number("hidden", hidden, 1), 10], activation="sigmoid", seed=whole_number("seed", seed, 0))
    whole_number("epochs", epochs, 1)
    train, validation, test = digits().split(seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    in_hidden_layer = len(model.layers[0].parameters())
    print(
        f"49 pixels → {hidden} sigmoid neurons ({in_hidden_layer} parameters) → 10 digits; {len(train)} to learn from"
    )

    pictures = {"before": _pictures(model, *test[0])}
    history = _fit(model, train, validation, epochs, seed)
    pictures["after"] = _pictures(model, *test[0])

    predictions = _predict(model, test)
    matrix = confusion_matrix([p.predicted for p in predictions], [p.target for p in predictions], 10)
    print(f"\ntest accuracy {_share_right(predictions):.1%}, on {len(test)} digits never seen before\n")
    print(confusion_table(matrix))
    command = f"autograd-mini demo --hidden {hidden} --epochs {epochs} --seed {seed}"
    path = write_demo_page(out, model, pictures, history, predictions, matrix, command)
    if not (out / "after.svg").exists():
        print("\nthe pictures of the network could not be drawn; the page says how to get Graphviz")
    print(f"\nopen {path.resolve()}")
    return path


def _pictures(model: MLP, pixels: list[float], label: Any) -> dict[str, Figure]:
    def loss(outputs: list[Value]) -> Value:
        result: Value = cross_entropy(outputs, label)
        return result

    return {
        theme: draw_network(model, example=pixels, loss=loss, input_shape=(7, 7), theme=theme, force=True)
        for theme in ("light", "dark")
    }


def _fit(model: MLP, train: Dataset, validation: Dataset, epochs: int, seed: int) -> History:
    """Train by gradient descent on mini-batches, the learning rate falling in a straight line towards 0."""
    trainer = Trainer(
        model,
        optimizer=SGD(model.parameters(), learning_rate=_LEARNING_RATE),
        schedule=LinearWarmUp(epochs, start_factor=1.0, end_factor=0.0),
        seed=seed,
    )
    return trainer.fit(train, validation=validation, epochs=epochs, batch_size=_BATCH_SIZE)


def _predict(model: MLP, dataset: Dataset) -> list[Prediction]:
    with no_grad():
        shares = [[float(share) for share in softmax(outputs)] for outputs in model(dataset.inputs)]
    rows, labels = dataset.inputs.tolist(), dataset.targets.tolist()
    return list(map(Prediction, rows, labels, shares))


def _share_right(predictions: list[Prediction]) -> float:
    return accuracy([p.predicted for p in predictions], [p.target for p in predictions])
