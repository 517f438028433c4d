"""Numbers out of range: a loss that is not finite, gradients that vanish or explode from layer to layer."""

import math
from collections.abc import Iterable, Iterator

from autograd_mini.anomalies import operation_text
from autograd_mini.diagnose.findings import Finding
from autograd_mini.diagnose.scene import Scene, layer_name
from autograd_mini.number import number_text
from autograd_mini.rules import RULES
from autograd_mini.value import Value

__all__ = ["non_finite_loss", "unbalanced_gradients"]

# One learning rate serves all layers, so a ratio of 100,000 means that one of two layers stands still. Two layers of
# leaky relus that happen to be inactive reach 10,000; ten of sigmoids, which pass on a quarter at best, a million.
_RATIO = 1e5
_HUGE = 1e6
_ROWS = 12


def non_finite_loss(look: Scene) -> Iterator[Finding]:
    """Find where an inf or nan that has reached the loss came from."""
    if math.isfinite(look.loss.data):
        return
    node = next((node for node in reversed(look.order) if not math.isfinite(node.data)), look.loss)
    bad = next((arg for arg in node._args if not math.isfinite(float(arg))), None)
    culprit = bad if isinstance(bad, Value) else node
    message = f"the loss is {look.loss.data}; "
    summary = ""
    if node._args:
        message += f"it begins at {operation_text(node.op, node._args)} is {node.data}"
        summary = f" ({node.op}: {RULES[node.op].summary.rstrip('.')})" if node.op in RULES else ""
    if bad is None:
        fix = f"keep the operands where the result is finite{summary}, lower the learning rate, or scale the inputs"
    elif culprit is node or not look.is_parameter(culprit):
        if node._args:
            message += f", whose operand {number_text(float(bad))} came in as data"
        fix = "clean the data: leave out or replace the inputs and targets that are inf or nan"
    else:
        message += f": the parameter {look.name(culprit)} is {culprit.data} already"
        fix = "an earlier step() did it: start again with a lower learning rate, and look at the losses before this one"
    yield Finding("loss not finite", message, (culprit,), node.line, fix)


def unbalanced_gradients(look: Scene) -> Iterator[Finding]:
    """Find gradients that vanish or explode on the way from the loss to the layer furthest from it."""
    if not math.isfinite(look.loss.data):
        return
    if look.blown is not None:
        step = look.blown
        yield Finding(
            "exploding gradients",
            f"the gradient that {step.node!r} hands to {look.name(step.parent)} is {number_text(step.upstream)} × "
            f"{number_text(step.local)}, which brings it to {step.after}",
            (step.node,),
            step.node.line,
            f"stay away from where the slope of {step.node.op} is infinite, such as by adding a small number, or lower "
            "the learning rate",
        )
        return
    size = {layer: _root_mean_square(look.gradient[p] for p in group) for layer, group in _layers(look).items()}
    largest = max(look.gradient.keys() & look.names.keys(), key=lambda p: abs(look.gradient[p]), default=look.loss)
    near, far = next(iter(size.values()), 0.0), next(reversed(size.values()), 0.0)
    if abs(look.gradient[largest]) > _HUGE or far > _RATIO * near > 0.0:
        yield _unbalanced(
            look, size, "exploding", largest,
            "lower the learning rate, start with smaller weights, scale inputs and targets to about -1 to 1, or clip "
            "the gradients",
        )  # fmt: skip
    elif 0.0 < far < near / _RATIO:
        yield _unbalanced(
            look, size, "vanishing", _layers(look).popitem()[1][0],
            "use fewer layers, relu in place of sigmoid or tanh, or larger weights at the start (initializer='he')",
        )  # fmt: skip


def _unbalanced(look: Scene, size: dict[str, float], what: str, node: Value, fix: str) -> Finding:
    rows = [f"{layer}: {number_text(rms, 3)}" for layer, rms in size.items()]
    if len(rows) > _ROWS:
        rows[_ROWS // 2 : -_ROWS // 2] = ["..."]
    message = f"{look.name(node)} has the gradient {number_text(look.gradient[node], 3)}"
    if len(size) > 1:
        message += "; root mean square of the gradients by layer, the one nearest to the loss first:"
    return Finding(f"{what} gradients", "\n".join([message, *rows]), (node,), look.loss.line, fix)


def _layers(look: Scene) -> dict[str, list[Value]]:
    """The parameters by layer, nearest to the loss first: by label (``hidden1.…``), without labels by depth.

    Layers that are equally far from the loss, such as neurons side by side, count as one.
    """
    reached = [p for p in look.names if p in look.gradient and p is not look.loss]
    labelled = all(layer_name(look.names[p]) for p in reached)
    groups: dict[str, list[Value]] = {}
    for p in sorted(reached, key=lambda p: look.depth[p]):
        groups.setdefault(layer_name(look.names[p]) if labelled else str(look.depth[p]), []).append(p)
    merged: dict[int, tuple[list[str], list[Value]]] = {}
    for name, group in groups.items():
        names, members = merged.setdefault(look.depth[group[0]], ([], []))
        names.append(name)
        members.extend(group)
    return {
        (" to ".join(dict.fromkeys((names[0], names[-1]))) if labelled else f"layer {i} from the loss"): members
        for i, (names, members) in enumerate(merged.values(), 1)
    }


def _root_mean_square(numbers: Iterable[float]) -> float:
    values = list(numbers)
    largest = max(map(abs, values)) or 1.0  # taken out, so that no square is out of range
    return largest * math.sqrt(sum((x / largest) ** 2 for x in values) / len(values))
