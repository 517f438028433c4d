"""What the tests of training share: small data, small runs, and all that a run is made of as bytes."""

import json
from typing import Any

from autograd_mini import Value
from nn import MLP, Dataset, Module, Network, Optimizer, Trainer, blobs
from nn.saving import pack

DATA = blobs(40, seed=1)
TRAIN, VALIDATION = DATA[:14], DATA[14:22]

Contents = dict[str, Any]


def contents(trainer: Trainer) -> Contents:
    """All that a checkpoint would hold: the manifest as text, each array as dtype, shape and bytes."""
    manifest, arrays = pack(trainer)
    told = {"manifest": json.dumps(manifest, sort_keys=True)}
    return told | {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()}


def network(**options: Any) -> MLP:
    return MLP(2, [3, 3], **{"seed": 0, "batch_norm": True, "dropout": 0.3, **options})


def trainer(model: Module | None = None, **options: Any) -> Trainer:
    return Trainer(network() if model is None else model, **{"progress": False, **options})


def fit(one: Trainer, epochs: int | None = None, **options: Any) -> Trainer:
    one.fit(TRAIN, **{"validation": VALIDATION, "epochs": epochs, "batch_size": 5, **options})
    return one


def overflowing_norm() -> None:
    """Train with three gradients of 1.5e308: finite, but not their norm."""
    one = trainer(MLP(2, [3]), loss=lambda outputs, targets: sum(outputs[0]) * 1.5e308, clip_norm=1.0)
    one.fit(Dataset([[0.0, 0.0]] * 2, [0, 1]), epochs=1)


class Micrograd(Module):
    """As micrograd's networks are written, with ``parameters()``; and a buffer that it changes in place."""

    buffers = ("seen",)

    def __init__(self) -> None:
        self.rows = [[Value(0.1 * i - 0.2 * j) for i in range(3)] for j in range(3)]
        self.seen = [0.0]

    def __call__(self, x: Any) -> list[list[Value]]:
        if self.training:
            self.seen[0] += len(x)
        return [[w[0] * a + w[1] * b + w[2] for w in self.rows] for a, b in x.tolist()]

    def parameters(self) -> list[Value]:
        return [w for row in self.rows for w in row]


class Scaled(Network):
    """A network of one's own."""

    def __init__(self) -> None:
        self.inner, self.scale = MLP(2, [3], seed=3), Value(0.5)

    def forward(self, rows: Any) -> Any:
        return [[self.scale * y for y in row] for row in self.inner.forward(rows)]


class Sign(Optimizer):
    """An optimizer of one's own, which changes its buffer in place."""

    def __init__(self, parameters: Any, *, learning_rate: float = 0.01, weight_decay: float = 0.0) -> None:
        self.maximize = False
        super().__init__(parameters, learning_rate=learning_rate, weight_decay=weight_decay)

    def buffers(self) -> dict[str, float]:
        return {"sum": 0.0}

    def moved(self, parameters: Any, gradients: Any, state: Any) -> Any:
        state["sum"] *= 0.5
        state["sum"] += gradients
        return parameters - self.learning_rate * state["sum"], state


def own_loss(outputs: Any, targets: Any) -> Value:
    """The sum of squared logits that are not the target's, and never of one row alone."""
    if len(targets) < 2:
        raise ValueError("one row is too few for this loss")
    return sum((y * y for row, t in zip(outputs, targets, strict=True) for i, y in enumerate(row) if i != t), Value(0))


def halve_after_second(trainer: Trainer) -> None:
    """A callback that changes the learning rate."""
    if len(trainer.history) == 2:
        trainer.optimizer.learning_rate /= 2


def own_metric(outputs: Any, targets: Any) -> float:
    """Undefined for a batch without class 0."""
    found = [
        row[0].data if isinstance(row[0], Value) else row[0] for row, t in zip(outputs, targets, strict=True) if t == 0
    ]
    return sum(found) / len(found) if found else float("nan")


def of(data: Dataset, *rows: int) -> Dataset:
    return Dataset(data.inputs[list(rows)], data.targets[list(rows)], classes=data.classes)
