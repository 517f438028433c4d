"""How nodes and operations are written for people: a name for every node, and an operation as a line of algebra."""

import re
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Any

from autograd_mini.number import number_text
from autograd_mini.rules import RULES

__all__ = ["Names", "shortened", "written"]

_LONGEST = 40
_INFIX = {"add": " + ", "sub": " - ", "mul": " * ", "div": " / ", "pow": " ** "}
_BEFORE, _AFTER = 3, 1  # how much of a long list is shown, in front and at its end


class Names:
    """A name for every node of a graph.

    That is the label where there is one; else the number itself for a leaf, ``L`` for the root, and ``v1``, ``v2``, …
    for the other operations in the order of the forward pass. A node of another graph is called by its op.

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
        self._places: dict[Any, int] = {}

    def __call__(self, node: Any) -> str:
        if label := str(node.label):
            shown = label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
            return "".join(c if c.isprintable() else "�" for c in shown)
        if not node._inputs:
            return number_text(node.data)
        if not self._places:  # in one walk, when the first is asked for: a page may ask for all of them
            self._places = {known: place for place, known in enumerate(self._order)}
        place = self._places[node]
        return f"v{len(self._order) - place}" if place else "L"

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


def written(op: str, arguments: Sequence[Any], text: Callable[[Any], str] = str, *, keep: Collection[int] = ()) -> str:
    """Write an operation as a line of algebra.

    Args:
        op: a row of the table.
        arguments: its arguments; a long list is shortened to its ends.
        text: writes one of them.
        keep: which of the arguments are not left out in any case, counted from 0.

    Example:
        >>> written("sub", ["a", "-1"]), written("dot", ["w", "v", "x", "y"]), written("tanh", [0.5], "{:.2f}".format)
        ('a - (-1)', 'w*x + v*y', 'tanh(0.50)')
    """
    if op == "dot":
        half = len(arguments) // 2
        kept = {i % half for i in keep}
        pairs = shortened(range(half), kept, lambda i: "*".join(_enclosed(text(arguments[j])) for j in (i, i + half)))
        return " + ".join(pairs) or "0"
    if op == "sum":
        return " + ".join(shortened(arguments, keep, lambda argument: _enclosed(text(argument)))) or "0"
    if op == "neg":
        return "-" + _enclosed(text(arguments[0]))
    if op in _INFIX:
        first, second = map(text, arguments)
        return _INFIX[op].join((_enclosed(first) if op == "pow" else first, _enclosed(second)))
    symbol = RULES[op].symbol if op in RULES else op
    return f"{symbol}({', '.join(shortened(arguments, keep, text))})"


def _enclosed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def shortened(items: Sequence[Any], keep: Collection[int] = (), text: Callable[[Any], str] = str) -> list[str]:
    """Write the ends of a long list and what is to be kept, with ``…`` for what is left out.

    Example:
        >>> shortened("abcdefgh"), shortened("abcdefgh", keep=[4])
        (['a', 'b', 'c', '…', 'h'], ['a', '…', 'e', '…', 'h'])
    """
    if len(items) <= _BEFORE + _AFTER + 1:
        return list(map(text, items))
    before = 1 if keep else _BEFORE
    shown = sorted({*range(before), *keep, *range(len(items) - _AFTER, len(items))})
    gaps = ([] if place == last + 1 else ["…"] for last, place in pairwise([-1, *shown]))
    return [part for gap, place in zip(gaps, shown, strict=True) for part in (*gap, text(items[place]))]
