"""A graph as plain numbers for the page: ops, operands, values, names and source lines, packed tightly."""

import base64
import linecache
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_mini import RULES, Value, topological_order
from autograd_mini.backward import differentiable_arguments, sweep_order
from autograd_mini.notation import Names
from autograd_mini.printing import printable
from autograd_mini.replay import refuse_changed_data
from viz.explorer.tables import NARY, is_computable, op_texts

__all__ = ["GraphData", "packed"]

_LONGEST_LINE = 200


def packed(numbers: Iterable[float], kind: str) -> str:
    """Pack numbers as base64 of their little-endian bytes; `kind` is NumPy's name, such as ``"f8"``.

    Example:
        >>> packed([1, 2], "i4")
        'AQAAAAIAAAA='
    """
    array = np.fromiter(numbers, dtype=np.dtype(kind).newbyteorder("<"))
    return base64.b64encode(array.tobytes()).decode()


class GraphData:
    """All that the page has to know of a graph to compute it again.

    Args:
        root: the result, such as a loss.

    Attributes:
        nodes: in topological order, the root last.
        index: the place of each.
        arguments: for each node the places of its arguments.

    Raises:
        ValueError: if data was changed after the forward pass, so that the recorded numbers do not fit together.
    """

    def __init__(self, root: Value) -> None:
        self.nodes: list[Value] = topological_order(root)
        refuse_changed_data(node for node in self.nodes if node.parents)
        self.index: dict[Value, int] = {node: i for i, node in enumerate(self.nodes)}
        self.arguments: list[list[int]] = [[self.index[parent] for parent in node.parents] for node in self.nodes]
        self._order = sweep_order([root])
        self._root = root

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        ops = list(dict.fromkeys(node.op for node in self.nodes))
        number = {op: i for i, op in enumerate(ops)}
        names = Names(self._order or [self._root])
        for node in self._order[:101]:  # those in front are found at once, and from then on Names knows them all
            names(node)
        differentiable = [flag for node, args in zip(self.nodes, self.arguments, strict=True)
                          for flag in _differentiable(node, len(args))]  # fmt: skip
        return {
            "count": len(self.nodes),
            "ops": [_described(op, self.nodes[_first(self.nodes, op)]) for op in ops],
            "op": packed((number[node.op] for node in self.nodes), "u2"),
            "arity": packed(map(len, self.arguments), "i4"),
            "arguments": packed((i for args in self.arguments for i in args), "i4"),
            "differentiable": packed(differentiable, "u1"),
            "value": packed((node.data for node in self.nodes), "f8"),
            "order": packed((self.index[node] for node in self._order), "i4"),
            "names": [
                names(node) if node.label or node._inputs or node.op != "constant" else "" for node in self.nodes
            ],
            "frozen": self._frozen(),
            "lines": self._lines(),
        }

    def _frozen(self) -> dict[int, list[float | None]]:
        """The local derivatives of what the page cannot compute: they stay as Python found them."""
        frozen = {}
        for i, node in enumerate(self.nodes):
            if node.parents and not is_computable(node.op):
                frozen[i] = [_json_number(local) for local in node.local_derivatives]
        return frozen

    def _lines(self) -> dict[str, Any]:
        """Where each node was made, if that was recorded: the places once, and for each node which it is."""
        places: dict[Any, int] = {}
        of_node = [-1 if node.line is None else places.setdefault(node.line, len(places)) for node in self.nodes]
        if not places:
            return {}
        texts = [
            {
                "file": printable(_from_here(line.filename), _LONGEST_LINE),
                "number": line.number,
                "text": printable(linecache.getline(line.filename, line.number).strip(), _LONGEST_LINE),
            }
            for line in places
        ]
        return {"places": texts, "of": packed(of_node, "i4")}


def _from_here(filename: str) -> str:
    """A file as the page may tell it to others: from the working directory on, else its name alone."""
    path, here = os.path.abspath(filename), os.path.join(os.getcwd(), "")
    return path.removeprefix(here) if path.startswith(here) else os.path.basename(path)


def _differentiable(node: Value, count: int) -> Sequence[int]:
    if len(node._inputs) == count:
        return (1,) * count
    flags = [0] * count
    for argument in differentiable_arguments(node):
        flags[argument] = 1
    return flags


def _first(nodes: Sequence[Value], op: str) -> int:
    return next(i for i, node in enumerate(nodes) if node.op == op)


def _described(op: str, example: Value) -> Mapping[str, Any]:
    """What the page says of an op: its sign, a sentence, its formula and slopes."""
    if not example.parents:
        kind = op if op in ("parameter", "constant") else "input"
        return {"op": op, "kind": kind, "symbol": kind}
    rule = RULES.get(op)
    told: dict[str, Any] = {
        "op": op,
        "kind": "operation",
        "symbol": printable(rule.symbol, 24) if rule else printable(op, 24),
        "summary": printable(rule.summary, 200) if rule else "",
        "commutative": bool(rule and rule.commutative),
        "computed": is_computable(op),
    }
    if rule and rule.arity is not None:
        told |= op_texts(op, rule.arity)
    elif op in NARY:
        told["slopes"] = []
    return told


def _json_number(x: float | None) -> Any:
    """JSON has no inf and nan; a text that JavaScript's Number() reads is written instead."""
    if x is None or x - x == 0.0:
        return x
    return "NaN" if x != x else "Infinity" if x > 0.0 else "-Infinity"
