"""Neurons that have stopped learning: relus that are never active, sigmoids and tanhs on the flat part.

A relu of a healthy network is often inactive for a whole batch, so that alone is no finding. It is dead if no likely
input could wake it: its bias outweighs its weights for inputs as large as those seen, or up to 1. A whole layer of
relus that is inactive passes no gradient on, and is reported for that alone, as is a sigmoid or tanh that is flat for
several examples, which hardly happens by chance. In the last layer, flat may be right: a sigmoid that is sure of the
right answer, a hinge that is satisfied. There the loss has to pull the neuron back as well.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from autograd_mini.diagnose.findings import Finding
from autograd_mini.diagnose.scene import Scene, layer_name
from autograd_mini.kits import FLOAT
from autograd_mini.number import number_text
from autograd_mini.rules import RULES
from autograd_mini.value import Value

__all__ = ["stuck_units"]

# Flat: a slope below 1 % of the steepest, 1, ¼ and 1. For sigmoid this is beyond ±6, for tanh beyond ±3.
_FLAT = {"relu": 0.0, "sigmoid": 0.0025, "tanh": 0.01}
_FOUND = {"relu": "dead relu", "sigmoid": "saturated sigmoid", "tanh": "saturated tanh"}
# How often a layer, or one sigmoid or tanh alone, must have been computed before flatness everywhere is no coincidence.
_EVIDENCE = {"relu": 8, "sigmoid": 4, "tanh": 4}
# How many standard deviations of a sum of independent inputs count as out of reach.
_SIGMAS = 6.0
# The share of examples for which the loss must pull back a neuron of the last layer.
_PULLED = 0.25
_LISTED = 3


@dataclass(slots=True)
class _Sum:
    """A weighted sum on its way to an activation: whose parameters, a fixed part, and how far its terms can swing."""

    key: int = 0
    parameter: Value | None = None
    fixed: float = 0.0
    swing: float = 0.0
    variance: float = 0.0

    @property
    def reach(self) -> float:
        return min(self.swing, _SIGMAS * math.sqrt(self.variance))


@dataclass(slots=True)
class _Unit:
    """One neuron with its uses in the graph, one per example."""

    op: str
    parameter: Value
    depth: int
    uses: list[Value] = field(default_factory=list)
    flat: bool = True
    stuck: bool = True
    last: bool = False
    pulled_back: int = 0

    @property
    def may_be_right(self) -> bool:
        return self.last and self.pulled_back < _PULLED * len(self.uses)


def stuck_units(look: Scene) -> Iterator[Finding]:
    """Find the neurons that have stopped learning."""
    if not math.isfinite(look.loss.data) or not any(node.op in _FLAT for node in look.order):
        return
    units = _units(look)
    for op, name in _FOUND.items():
        layers: dict[int, list[_Unit]] = {}
        for unit in units:
            if unit.op == op:
                layers.setdefault(unit.depth, []).append(unit)
        found = [(layer, stopped) for layer in layers.values() if (stopped := _stopped(layer))]
        if found:
            who = ", ".join(_shown(look, layer, stopped) for layer, stopped in found)
            yield _finding(name, who, [unit for _, stopped in found for unit in stopped])


def _stopped(layer: list[_Unit]) -> list[_Unit]:
    op = layer[0].op
    flat = [unit for unit in layer if unit.flat]
    uses = [len(unit.uses) for unit in layer]
    # One example, all zeros say, may leave any layer of relus inactive.
    whole = len(flat) == len(layer) and sum(uses) >= _EVIDENCE[op] and (op != "relu" or max(uses) > 1)
    return [
        unit
        for unit in flat
        if (whole or unit.stuck or (op != "relu" and len(unit.uses) >= _EVIDENCE[op])) and not unit.may_be_right
    ]


def _shown(look: Scene, layer: list[_Unit], stopped: list[_Unit]) -> str:
    places = {layer_name(look.name(unit.parameter)) for unit in layer}
    if len(stopped) == len(layer) > _LISTED and len(places) == 1 and (place := places.pop()):
        return f"all {len(layer)} neurons of {place}"
    order = {p: i for i, p in enumerate(look.names)}
    stopped = sorted(stopped, key=lambda unit: order.get(unit.parameter, len(order)))
    more = f" and {len(stopped) - _LISTED} more" if len(stopped) > _LISTED else ""
    return ", ".join(_name(look, unit.parameter) for unit in stopped[:_LISTED]) + more


def _finding(name: str, who: str, units: list[_Unit]) -> Finding:
    op, examples = units[0].op, max(len(unit.uses) for unit in units)
    nodes = tuple(node for unit in units for node in unit.uses)
    z = [node._inputs[0].data for node in nodes]
    span = (
        f"z from {number_text(min(z), 3)} to {number_text(max(z), 3)}" if len(z) > 1 else f"z = {number_text(z[0], 3)}"
    )
    for_all = f"for all {examples} examples" if examples > 1 else "for the one example"
    if op == "relu":
        message = f"{who}: never active, {for_all} of this graph ({span}), so no gradient reaches the weights"
        fix = "lower the learning rate, start again with biases at 0, or use leaky_relu, which has a slope below 0"
    else:
        slope = max(abs(node._locals[0]) for node in nodes)
        message = (
            f"{who}: on the flat part of {op}, {for_all} of this graph ({span}), where the slope is at most "
            f"{number_text(slope, 2)}, so hardly any gradient reaches the weights"
        )
        fix = "scale the inputs to about -1 to 1, start with smaller weights, or lower the learning rate"
    return Finding(name, message, nodes, nodes[0].line, fix)


def _units(look: Scene) -> list[_Unit]:
    """Group the activations by the parameters of their weighted sums."""
    sums: dict[Value, _Sum] = {}
    units: dict[tuple[str, int], _Unit] = {}
    last = _facing_the_loss(look)
    for node in reversed(look.order):
        if node.op in ("add", "sub", "sum"):
            sums[node] = _added(look, node, sums)
        elif node.op in ("mul", "dot"):
            sums[node] = _multiplied(look, node)
        elif node.op in _FLAT and (total := sums.get(node._inputs[0])) and total.parameter is not None:
            key = (node.op, total.key)
            unit = units.get(key) or units.setdefault(key, _Unit(node.op, total.parameter, look.depth[node]))
            unit.uses.append(node)
            unit.depth = min(unit.depth, look.depth[node])
            unit.flat &= _is_flat(node.op, node._locals[0])
            unit.stuck &= _is_stuck(node.op, total)
            unit.last |= node in last
            unit.pulled_back += _is_pulled_back(node, look.gradient[node])
    return list(units.values())


def _facing_the_loss(look: Scene) -> set[Value]:
    """The nodes from which a way leads to the loss past no parameter."""
    facing = {look.loss}
    for node in look.order:
        if node in facing and not any(map(look.is_parameter, node._inputs)):
            facing.update(node._inputs)
    return facing


def _added(look: Scene, node: Value, sums: dict[Value, _Sum]) -> _Sum:
    total = _Sum()
    for i, arg in enumerate(node._args):
        if isinstance(arg, Value) and (part := sums.get(arg)):
            total.key += part.key
            total.parameter = total.parameter if part.parameter is None else part.parameter
            total.fixed += -part.fixed if i and node.op == "sub" else part.fixed
            total.swing += part.swing
            total.variance += part.variance
        elif isinstance(arg, Value) and not look.is_parameter(arg):
            total.swing += abs(arg.data)
            total.variance += arg.data * arg.data
        else:
            total.fixed += -float(arg) if i and node.op == "sub" else float(arg)
            if isinstance(arg, Value):
                total.key += _key(arg)
                total.parameter = arg
    return total


def _multiplied(look: Scene, node: Value) -> _Sum:
    parameters = [arg for arg in node._inputs if look.is_parameter(arg)]
    inputs = [float(arg) for arg in node._args if not look.is_parameter(arg)]
    largest = max(1.0, max(map(abs, inputs), default=0.0))
    swings = [abs(parameter.data) * largest for parameter in parameters]
    key = sum(map(_key, parameters))
    return _Sum(key, parameters[-1] if parameters else None, 0.0, sum(swings), sum(x * x for x in swings))


def _key(parameter: Value) -> int:
    return hash(str(id(parameter)))  # mixed well: keys are added up, and ids stand in rows, whose sums coincide


def _name(look: Scene, parameter: Value) -> str:
    return look.name(parameter).rpartition(".")[0] or f"the neuron of {look.name(parameter)}"


def _is_flat(op: str, slope: float) -> bool:
    return abs(slope) <= _FLAT[op]


def _is_stuck(op: str, total: _Sum) -> bool:
    """Whether z is on the flat part even where it comes nearest to the bend."""
    z = min(total.fixed + total.reach, 0.0) if op == "relu" else max(abs(total.fixed) - total.reach, 0.0)
    y = RULES[op].forward(FLOAT, z)
    return z != 0.0 and _is_flat(op, RULES[op].partial(FLOAT, 0, y, [z]))


def _is_pulled_back(node: Value, upstream: float) -> bool:
    """Whether the loss falls as the activation leaves its flat part: up from a relu's 0, inwards from either side."""
    return upstream < 0.0 if node.op == "relu" or node._inputs[0].data < 0.0 else upstream > 0.0
