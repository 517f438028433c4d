"""Which numbers of a graph the page lays out as the input is: an image, the weights over it, and their products."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from viz.colors import RED_BLUE, grey
from viz.explorer.data import GraphData
from viz.shape import checked_shape

__all__ = ["maps_of"]

_MOST_MAPS = 24
_SMALLEST = 9


def maps_of(
    data: GraphData, input_shape: Sequence[int] | None, units: Mapping[str, Sequence[Any]] | None = None
) -> dict[str, Any]:
    """Find the input and the weights that are as many, by their names: ``x[0]``, ``hidden.neuron1.w[0]``.

    Args:
        data: the graph.
        input_shape: rows and columns; None takes the inputs for a square image where they are 9 numbers or more.
        units: how inputs are normalized, if they are: nodes, and mean and scale of each.

    Raises:
        ValueError: if there are no inputs of that shape.
    """
    inputs = [i for i, node in enumerate(data.nodes) if not node.op and not node.parents]
    series = _series(data)
    columns = _columns(len(inputs), input_shape)
    maps: list[dict[str, Any]] = []
    if columns:
        maps.append({"title": "input", "nodes": inputs, "columns": columns, "grey": _is_grey(data, inputs, units)})
        for name, nodes in series.items():
            if len(nodes) == len(inputs) and set(nodes) != set(inputs):
                times = _factors(data, nodes)
                maps.append({"title": name, "nodes": nodes, "times": times, "columns": columns, "grey": False})
    greys = [grey(i / 10.0, 0.0, 1.0) for i in range(11)]
    return {
        "maps": maps[:_MOST_MAPS],
        "moreMaps": max(0, len(maps) - _MOST_MAPS),
        "scale": list(RED_BLUE),
        "greys": greys,
    }


def _series(data: GraphData) -> Mapping[str, list[int]]:
    """Parameters that are numbered from 0 under one name."""
    found: dict[str, dict[int, int]] = {}
    for i, node in enumerate(data.nodes):
        match = re.fullmatch(r"(.+)\[(\d{1,6})\]", str(node.label)) if node.op == "parameter" else None
        if match:
            found.setdefault(match[1], {})[int(match[2])] = i
    return {name: [nodes[k] for k in range(len(nodes))] for name, nodes in found.items() if max(nodes) < len(nodes)}


def _factors(data: GraphData, nodes: list[int]) -> list[int] | None:
    """What the nodes are multiplied by, where they are one side of a dot."""
    for node, arguments in zip(data.nodes, data.arguments, strict=True):
        half = len(arguments) // 2
        if node.op == "dot" and nodes in (sides := [arguments[:half], arguments[half:]]):
            return sides[1 - sides.index(nodes)]
    return None


def _columns(count: int, shape: Sequence[int] | None) -> int:
    if shape is not None:
        sides = checked_shape(shape, count)
        return sides[1] if sides else 0
    root = round(count**0.5)
    return root if count >= _SMALLEST and root * root == count else 0


def _is_grey(data: GraphData, inputs: Sequence[int], units: Mapping[str, Sequence[Any]] | None) -> bool:
    """Whether no input is below 0 in the data's own units, where a 0 that was normalized comes back rounded."""
    told = {} if units is None else {i: (mean, scale) for i, mean, scale in zip(*units.values(), strict=True)}
    for i in inputs:
        mean, scale = told.get(i, (0.0, 1.0))
        if data.nodes[i].data * scale + mean < -1e-9 * abs(mean):
            return False
    return True
