"""What every check looks at: the graph of a loss, walked once, its gradients, and the parameters by name."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograd_mini.backward import Step, steps
from autograd_mini.printing import printable
from autograd_mini.value import Value

__all__ = ["Scene", "scene"]

# Ops that only add up lead no further from the loss, nor does the step to a leaf: w and b are of one layer.
_ADDITIVE = frozenset({"add", "sub", "sum", "mean", "neg"})
_LISTED, _LONGEST = 3, 80


@dataclass(frozen=True, slots=True)
class Scene:
    """The graph of a loss and the parameters that are to be trained.

    Attributes:
        loss: the root.
        names: the parameters, each with its label or its place in what the user passed.
        order: the nodes that an operation made, the loss first, each after everything that depends on it.
        gradient: ∂loss/∂node of every node that a path reaches; no ``.grad`` was touched.
        depth: how many ops, mere additions aside, stand between the loss and a node on the shortest way.
        blown: the first step of the sweep whose gradient is not finite.
    """

    loss: Value
    names: dict[Value, str]
    order: list[Value]
    gradient: dict[Value, float]
    depth: dict[Value, int]
    blown: Step | None

    def is_parameter(self, arg: Any) -> bool:
        """Whether the argument of an op is a parameter; those the user did not pass count too."""
        return isinstance(arg, Value) and (arg.op == "parameter" or arg in self.names)

    def listed(self, values: Iterable[Value]) -> str:
        """Name some parameters, whole layers together: ``all 12 parameters of hidden2, output.neuron1.b``."""
        group = set(values)
        if len(group) > _LISTED and group >= self.names.keys():
            return f"all {len(group)} parameters"
        texts = []
        layers: dict[str, list[Value]] = {}
        for value in self.names:
            layers.setdefault(layer_name(self.names[value]), []).append(value)
        for layer, members in layers.items():
            if layer and len(members) > _LISTED and group.issuperset(members):
                texts.append(f"all {len(members)} parameters of {layer}")
                group.difference_update(members)
        rest = [self.name(value) for value in (*self.names, *values) if value in group]
        rest = list(dict.fromkeys(rest))
        if len(rest) > _LISTED + 1:
            rest[_LISTED:] = [f"{len(rest) - _LISTED} more"]
        texts += rest
        return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))

    def name(self, value: Value) -> str:
        """What a node is called in a message."""
        return self.names.get(value) or printable(str(value.label), _LONGEST) or repr(value)


def layer_name(label: str) -> str:
    """The layer that a name leads through: ``hidden1`` of ``hidden1.neuron2.b``; empty if there is none."""
    layer, _, last = label.rpartition(".")[0].rpartition(".")
    return layer if layer and last.startswith("neuron") else label.rpartition(".")[0]


def scene(loss: Any, parameters: Any) -> Scene:
    """Walk the graph of `loss` once.

    Raises:
        TypeError: if `loss` is not a Value, or if there is something among the parameters that is not one.
        ValueError: if there is no parameter.
    """
    if not isinstance(loss, Value):
        raise TypeError(
            f"a diagnosis is made of a loss that is a Value, got {loss!r:.60} of type {type(loss).__name__}; "
            "pass the loss itself, not its number, and one loss, such as mean(losses)"
        )
    names: dict[Value, str] = {}
    for place, value in _values("parameters", parameters):
        # In a model the name is the way to the parameter; two parts of it may have the same labels.
        names.setdefault(
            value, place if not place.startswith("parameters") else printable(value.label, _LONGEST) or place
        )
    if not names:
        raise ValueError("a diagnosis needs at least one parameter, got none; a generator may have been used up")
    order: list[Value] = []
    gradient = {loss: 1.0}
    depth = {loss: 0}
    blown = None
    for step in steps(loss):
        node, parent = step.node, step.parent
        if not order or node is not order[-1]:
            order.append(node)
        gradient[parent] = step.after
        below = depth[node] + (node.op not in _ADDITIVE and bool(parent._inputs))
        if depth.get(parent, below) >= below:
            depth[parent] = below
        if blown is None and not math.isfinite(step.after):
            blown = step
    return Scene(loss, names, order, gradient, depth, blown)


def _values(place: str, item: Any) -> Iterator[tuple[str, Value]]:
    if isinstance(item, Value):
        yield place, item
    elif callable(getattr(item, "named_parameters", None)):
        yield from item.named_parameters()
    elif callable(getattr(item, "parameters", None)):
        yield from _values(f"{place}.parameters()" if place != "parameters" else place, item.parameters())
    elif isinstance(item, Mapping):
        for key, member in item.items():
            yield from _values(f"{place}[{key!r}]", member)
    elif isinstance(item, Iterable) and not isinstance(item, (str, bytes)):
        for i, member in enumerate(item):
            yield from _values(f"{place}[{i}]", member)
    else:
        raise TypeError(
            f"{place} is {item!r:.60} of type {type(item).__name__}; parameters are Values, lists or dicts of them, "
            "or a model with a method parameters()"
        )
