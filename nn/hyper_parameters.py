"""``HyperParameters``: everything that was decided before training, in one record that can be saved and read again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nn.activations import ACTIVATIONS
from nn.dropout import Dropout
from nn.layers import MLP, Layer
from nn.module import Module

__all__ = ["HyperParameters", "build_model", "describe_model"]


@dataclass(frozen=True)
class HyperParameters:
    """What a training run was told; with the same data it repeats the run.

    Attributes:
        model: how to build the network, or ``{"kind": ...}`` alone for one of the user's own making.
        loss: the name of the loss.
        optimizer: the name of the optimizer and its options at the start.
        schedule: the name of the schedule of the learning rate and its options, or None.
        epochs, batch_size, drop_last: how the data set is dealt; the numbers are None until ``fit`` is told.
        seed: of the order of the batches.
        l1, l2: strengths of the penalties.
        clip_norm, clip_value: limits of the gradient, or None.
        early_stopping: the options of ``EarlyStopping``, or None.

    Example:
        >>> HyperParameters(model={"kind": "MLP", "inputs": 2, "sizes": [3, 1]}, loss="cross_entropy").l2
        0.0
    """

    model: dict[str, Any]
    loss: str
    optimizer: dict[str, Any] = field(default_factory=dict)
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
    by_names = None not in (description["activation"], description["output_activation"])
    alike = by_names and _parts(build_model(description)) == _parts(model)  # nobody has changed a layer by hand
    return description if alike else {"kind": kind}


def build_model(description: Mapping[str, Any]) -> MLP:
    """Build a network from its description; its numbers are yet to be loaded.

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
    return MLP(options.pop("inputs"), options.pop("sizes"), initializer="zeros", seed=0, **options)


def _parts(model: MLP) -> list[Any]:
    return [list(_options_of(layer)) for layer in model.layers]


def _options_of(layer: Layer) -> Any:
    yield [neuron.activation for neuron in layer.neurons]
    norm, dropout = layer.batch_norm, layer.dropout
    yield None if norm is None else (norm.momentum, norm.epsilon, bool(norm.scale), norm.track)
    yield dropout.p if isinstance(dropout, Dropout) else None
