"""``HyperParameters``: everything that was decided before training, in one record that can be saved and read again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from autograd_mini.printing import always_answers, printable
from nn.activations import ACTIVATIONS
from nn.checks import finite_number, true_or_false, whole_number
from nn.dropout import Dropout
from nn.initializers import INITIALIZERS
from nn.layers import MLP, Layer
from nn.module import Module

__all__ = ["HyperParameters", "build_model", "describe_model"]


@dataclass(frozen=True, repr=False)
class HyperParameters:
    """What a training run was told; with the same data it repeats the run.

    Attributes:
        model: how to build the network, or ``{"kind": ...}`` alone for one of the user's own making; with initializer
            and seed where its numbers are, before training, those that they draw.
        loss: the name of the loss.
        optimizer: the name of the optimizer and its options at the start.
        metric: the name of a metric of the user's own, or None.
        schedule: the name of the schedule of the learning rate and its options, or None.
        epochs, batch_size, drop_last: how the data set is dealt; the numbers are None until ``fit`` is told.
        seed: of the order of the batches.
        l1, l2: strengths of the penalties.
        clip_norm, clip_value: limits of the gradient, or None.
        early_stopping: the options of ``EarlyStopping``, or None.
        engine: what ran the iterations, ``"eager"`` or ``"compiled"``.

    Raises:
        ValueError, TypeError: for what no training can be told.

    Example:
        >>> HyperParameters(model={"kind": "MLP", "inputs": 2, "sizes": [3, 1]}, loss="cross_entropy").l2
        0.0
    """

    model: dict[str, Any]
    loss: str
    optimizer: dict[str, Any] = field(default_factory=dict)
    metric: str | None = None
    schedule: dict[str, Any] | None = None
    epochs: int | None = None
    batch_size: int | None = None
    drop_last: bool = False
    seed: int = 0
    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    early_stopping: dict[str, Any] | None = None
    engine: str = "eager"

    def __post_init__(self) -> None:
        for name in ("model", "optimizer", "schedule", "early_stopping"):
            options = getattr(self, name)
            if not isinstance(options, dict) and not (options is None and name in ("schedule", "early_stopping")):
                raise TypeError(f"{name} is {options!r:.60}, but must be a dict of names and options")
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            if name == "seed" or getattr(self, name) is not None:
                whole_number(name, getattr(self, name), least)
        for name in ("l1", "l2", "clip_norm", "clip_value"):
            if name in ("l1", "l2") or getattr(self, name) is not None:
                finite_number(name, getattr(self, name), least=0.0)
        true_or_false("drop_last", self.drop_last)

    @always_answers
    def __repr__(self) -> str:
        told = [f"    {one.name}={printable(repr(getattr(self, one.name)), 300)}," for one in fields(self)]
        return "\n".join(["HyperParameters(", *told, ")"])

    def batches(self, rows: int) -> int:
        """How many batches so many rows make.

        Example:
            >>> HyperParameters({"kind": "MLP"}, "hinge", batch_size=4).batches(10)
            3
        """
        full, rest = divmod(rows, self.batch_size or 1)
        return full + (rest > 0 and not self.drop_last)

    def as_dict(self) -> dict[str, Any]:
        """Return the record as dicts, lists and numbers that JSON can hold; ``HyperParameters(**d)`` reads it."""
        return asdict(self)


def describe_model(model: Module) -> dict[str, Any]:
    """Say how to build a model like this one; its kind alone where ``build_model`` cannot.

    Example:
        >>> describe_model(MLP(49, [3, 10], activation="sigmoid"))["sizes"]
        [3, 10]
    """
    kind = type(model).__name__
    if type(model) is not MLP:
        return {"kind": kind}
    first, last = model.layers[0], model.layers[-1]
    names = {function: name for name, function in ACTIVATIONS.items()}
    description = {
        "kind": kind,
        "inputs": model.inputs,
        "sizes": list(model.sizes),
        "activation": names.get(model.activation),
        "output_activation": names.get(last.neurons[0].activation),
        "batch_norm": first.batch_norm is not None,
        "dropout": 0.0 if first.dropout is None else first.dropout.p,
    }
    if None in (description["activation"], description["output_activation"]):
        return {"kind": kind}
    if _parts(build_model(description)) != _parts(model):  # somebody has changed a layer by hand
        return {"kind": kind}
    start = {"initializer": model.initializer, "seed": model.seed}
    drawn = type(model.seed) is int and model.initializer in INITIALIZERS
    return description | start if drawn and _same_numbers(build_model(description | start), model) else description


def build_model(description: Mapping[str, Any]) -> MLP:
    """Build a network from its description; without initializer and seed, its numbers are yet to be loaded.

    Raises:
        ValueError, TypeError: for a description that is none.

    Example:
        >>> build_model({"kind": "MLP", "inputs": 49, "sizes": [3, 10]})
        MLP(49, [3, 10], activation='relu')
    """
    options = dict(description)
    if options.pop("kind", None) != "MLP" or "sizes" not in options:
        what = (
            f"the model is {description.get('kind', 'not described')!r:.60}, and only an MLP with activations by name"
        )
        raise ValueError(f"{what} can be rebuilt from a description; pass model= with one built alike")
    return MLP(options.pop("inputs"), options.pop("sizes"), **{"initializer": "zeros", "seed": 0, **options})


def _same_numbers(model: Module, other: Module) -> bool:
    ours, theirs = model.state(), other.state()
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


def _parts(model: MLP) -> list[Any]:
    return [list(_options_of(layer)) for layer in model.layers]


def _options_of(layer: Layer) -> Any:
    yield [neuron.activation for neuron in layer.neurons]
    norm, dropout = layer.batch_norm, layer.dropout
    yield None if norm is None else (norm.momentum, norm.epsilon, bool(norm.scale), norm.track)
    yield dropout.p if isinstance(dropout, Dropout) else None
