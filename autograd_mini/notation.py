"""How nodes and operations are written for people: a name for every node, and an operation as a line of algebra."""

from collections.abc import Collection, Sequence
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


def written(op: str, arguments: Sequence[str], keep: Collection[int] = ()) -> str:
    """Write an operation as a line of algebra.

    Args:
        op: a row of the table.
        arguments: its arguments as text; a long list is shortened to its ends.
        keep: which of the arguments are not left out in any case, counted from 0.

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
        products = [f"{_enclosed(a)}*{_enclosed(b)}" for a, b in pairs]
        return " + ".join(shortened(products, {i % half for i in keep})) or "0"
    if op == "sum":
        return " + ".join(shortened([_enclosed(a) for a in arguments], keep)) or "0"
    symbol = RULES[op].symbol if op in RULES else op
    return f"{symbol}({', '.join(shortened(arguments, keep))})"


def _enclosed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def shortened(texts: Sequence[str], keep: Collection[int] = ()) -> list[str]:
    """Leave a long list its ends and what is to be kept, with ``…`` for what is left out.

    Example:
        >>> shortened("abcdefgh"), shortened("abcdefgh", keep=[4])
        (['a', 'b', 'c', '…', 'h'], ['a', '…', 'e', '…', 'h'])
    """
    if len(texts) <= _BEFORE + _AFTER + 1:
        return list(texts)
    before = 1 if keep else _BEFORE
    shown = sorted({*range(before), *keep, *range(len(texts) - _AFTER, len(texts))})
    gaps = ([] if place == last + 1 else ["…"] for last, place in pairwise([-1, *shown]))
    return [text for gap, place in zip(gaps, shown, strict=True) for text in (*gap, texts[place])]
