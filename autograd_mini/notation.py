"""How nodes and operations are written for people: a name for every node, and an operation as a line of algebra."""

import re
from collections.abc import Sequence
from typing import Any

from autograd_mini.number import number_text
from autograd_mini.rules import RULES

__all__ = ["Names", "written"]

_LONGEST = 40
_INFIX = {"add": " + ", "sub": " - ", "mul": " * ", "div": " / ", "pow": " ** "}
_BEFORE, _AFTER = 3, 1  # how much of a long list is shown, in front and at its end


class Names:
    """A name for every node of a graph.

    That is the label where there is one; else the number itself for a leaf, ``L`` for the root, and ``v1``, ``v2``, …
    for the other operations in the order of the forward pass.

    Args:
        order: the operations of the graph as ``sweep_order`` lists them, root first.

    Example:
        >>> from autograd_mini import Value
        >>> from autograd_mini.backward import sweep_order
        >>> w = Value(3.0, "w")
        >>> double = w * 2
        >>> loss = double + 1
        >>> list(map(Names(sweep_order([loss])), [w, double, loss]))
        ['w', 'v1', 'L']
    """

    def __init__(self, order: Sequence[Any]) -> None:
        self._order = order
        self._known: dict[Any, str] = {}

    def __call__(self, node: Any) -> str:
        if label := str(node.label):
            shown = label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
            return "".join(c if c.isprintable() else "�" for c in shown)
        if not node._inputs:
            return number_text(node.data)
        if node not in self._known:
            place = self._order.index(node)
            self._known[node] = f"v{len(self._order) - place}" if place else "L"
        return self._known[node]

    def node(self, name: str) -> Any:
        """Find the operation without a label that has this name; None if none has.

        Example:
            >>> from autograd_mini import Value
            >>> from autograd_mini.backward import sweep_order
            >>> Names(sweep_order([Value(3.0) * 2 + 1])).node("v1")
            Value(data=6, grad=not computed, op=mul)
        """
        if name != "L" and not re.fullmatch(r"v[1-9]\d*", name):
            return None
        place = 0 if name == "L" else len(self._order) - int(name[1:])
        nodes = self._order[place : place + 1] if place > 0 or name == "L" else ()
        return next((node for node in nodes if not node.label), None)


def written(op: str, arguments: Sequence[str]) -> str:
    """Write an operation as a line of algebra.

    Args:
        op: a row of the table.
        arguments: its arguments as text; a long list is shortened to its ends.

    Example:
        >>> written("sub", ["a", "-1"]), written("dot", ["w", "v", "x", "y"]), written("tanh", ["a"])
        ('a - (-1)', 'w*x + v*y', 'tanh(a)')
    """
    if op in _INFIX:
        first, second = arguments
        return _INFIX[op].join((_enclosed(first) if op == "pow" else first, _enclosed(second)))
    if op == "neg":
        return "-" + _enclosed(arguments[0])
    if op == "dot":
        half = len(arguments) // 2
        pairs = zip(arguments[:half], arguments[half:], strict=True)
        return " + ".join(_ends([f"{_enclosed(a)}*{_enclosed(b)}" for a, b in pairs])) or "0"
    if op == "sum":
        return " + ".join(_ends([_enclosed(a) for a in arguments])) or "0"
    symbol = RULES[op].symbol if op in RULES else op
    return f"{symbol}({', '.join(_ends(arguments))})"


def _enclosed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _ends(texts: Sequence[str]) -> list[str]:
    if len(texts) <= _BEFORE + _AFTER + 1:
        return list(texts)
    return [*texts[:_BEFORE], "…", *texts[-_AFTER:]]
