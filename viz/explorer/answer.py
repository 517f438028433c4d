"""What a network answers for the row of the page: its outputs, and whether they are read as probabilities."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from autograd_mini import Value
from nn import ACTIVATIONS
from viz.explorer.data import GraphData
from viz.observing import is_of_shares

__all__ = ["answer_of", "labelled_outputs"]


def labelled_outputs(nodes: Iterable[Value]) -> list[Value]:
    """Find the values labelled ``output[0]``, ``output[1]`` … or one ``output``; none where two have one label."""
    found: dict[str, list[Value]] = {}
    for node in nodes:
        if re.fullmatch(r"output(\[\d+\])?", str(node.label)):
            found.setdefault(str(node.label), []).append(node)
    labels = ["output"] if "output" in found else [f"output[{i}]" for i in range(len(found))]
    if set(labels) != set(found) or any(len(some) > 1 for some in found.values()):
        return []
    return [found[label][0] for label in labels]


def answer_of(
    data: GraphData, outputs: Sequence[Any], *, names: Sequence[str] = (), target: Any = None, units: Any = None
) -> dict[str, Any] | None:
    """Say how the page shows outputs: with softmax shares where ``draw_network`` does, by a sigmoid, or as numbers.

    Args:
        data: the graph.
        outputs: of the network.
        names: of the classes, or of the quantities.
        target: of the row, as the loss is given it: a list of a class, probabilities or quantities; None without one.
        units: how targets were normalized, as dict of ``mean`` and ``scale``; None if they were not.
    """
    if not outputs or any(output not in data.index or not output.parents for output in outputs):
        return None
    is_raw = all(output.op not in ACTIVATIONS for output in outputs)
    kind = "numbers"
    if len(outputs) > 1 and is_raw and is_of_shares(data.nodes[-1]):
        kind = "softmax"
    elif len(outputs) == 1 and is_raw and _is_logit(outputs[0], data.nodes):
        kind = "sigmoid"
    count = 2 if kind == "sigmoid" else len(outputs)
    known = dict(enumerate(names if kind != "numbers" or len(names) == count else ()))
    return {
        "outputs": [data.index[output] for output in outputs],
        "kind": kind,
        "names": [known.get(i, "" if kind == "numbers" else str(i)) for i in range(count)],
        "target": target if target is None or kind == "numbers" else _class_of(target, kind),
        "units": units,
    }


def _class_of(target: Sequence[float], kind: str) -> int | None:
    """The class that a target is, by its number or by a probability of 1; None if the row is partly in several."""
    if kind == "sigmoid":
        return int(target[0]) if target[0] in (0.0, 1.0) else None
    if len(target) == 1:
        return int(target[0])
    return target.index(1.0) if 1.0 in target else None


def _is_logit(output: Value, nodes: Iterable[Value]) -> bool:
    """Whether a loss takes an output as ``binary_cross_entropy`` does: the softplus of it, or of its negative."""
    taken = [node.parents[0] for node in nodes if node.op == "softplus"]
    return any(one is output or (one.op == "neg" and one.parents[0] is output) for one in taken)
