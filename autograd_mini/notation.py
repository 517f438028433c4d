"""How nodes and operations are written for people: a name for every node, and an operation as a line of algebra."""

import re
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Any

from autograd_mini.number import number_text
from autograd_mini.printing import printable
from autograd_mini.rules import RULES

__all__ = ["Names", "shortened", "symbol_of", "written"]

_INFIX = {"add": " + ", "sub": " - ", "mul": " * ", "div": " / ", "pow": " ** "}
_FEW = 100  # names are looked for one by one, and from then on all are known
_MOST_LEAVES = 100_000
_BEFORE, _AFTER = 3, 1  # how much of a long list is shown, in front and at its end


class Names:
    """A name for every node of a graph.

    That is the label where there is one; else, in the order of the forward pass, ``x1``, ``x2``, … for leaves and
    ``v1``, ``v2``, … for operations, but ``L`` for the root; ``v1'`` where a node is labelled ``v1``. A constant is its
    number, as is a leaf beyond the first 100,000; an operation of another graph is called by its op.

    Args:
        order: the operations of the graph as ``sweep_order`` lists them, root first.

    Example:
        >>> from autograd_mini import Value
        >>> from autograd_mini.backward import sweep_order
        >>> w, x = Value(3.0, "w"), Value(2.0)
        >>> product = w * x
        >>> loss = product + 1
        >>> list(map(Names(sweep_order([loss])), [w, x, product, loss]))
        ['w', 'x1', 'v1', 'L']
    """

    def __init__(self, order: Sequence[Any]) -> None:
        self._order = order
        self._known: dict[Any, int] = {}
        self._labels: set[str] | None = None
        self._leaves: dict[Any, str] | None = None

    def __call__(self, node: Any) -> str:
        if label := str(node.label):
            return printable(label)
        if not node._inputs:
            return self._unlabelled_leaves().get(node) or number_text(node.data)
        if node not in self._known:
            if node not in self._order:
                return str(node.op)
            if len(self._known) < _FEW:
                self._known[node] = self._order.index(node)
            else:
                self._known = {known: place for place, known in enumerate(self._order)}
        place = self._known[node]
        return self.free(f"v{len(self._order) - place}" if place else "L")

    def free(self, name: str) -> str:
        """Give the name, with a prime behind it if it is the label of a node."""
        if self._labels is None:
            self._labels = {str(node.label) for user in self._order for node in (user, *user._inputs) if node.label}
        while name in self._labels:
            name += "'"
        return name

    def node(self, name: str) -> Any:
        """Find the node without a label that has this name; None if none has.

        Example:
            >>> from autograd_mini import Value
            >>> from autograd_mini.backward import sweep_order
            >>> names = Names(sweep_order([Value(3.0) * 2 + 1]))
            >>> names.node("v1"), names.node("x1")
            (Value(data=6, grad=not computed, op=mul), Value(data=3, grad=not computed))
        """
        if name.startswith("x"):
            return next((leaf for leaf, known in self._unlabelled_leaves().items() if known == name), None)
        match = re.fullmatch(r"(?:L|v([1-9]\d{0,17}))'*", name)
        place = len(self._order) - int(match[1] or len(self._order)) if match else -1
        nodes = self._order[place : place + 1] if place >= 0 else ()
        return next((node for node in nodes if not node.label and self(node) == name), None)

    def _unlabelled_leaves(self) -> dict[Any, str]:
        if self._leaves is None:
            self._leaves = {}
            every = (leaf for user in reversed(self._order) for leaf in user._inputs if not leaf._inputs)
            for leaf in every:
                if not leaf.label and leaf.op != "constant" and leaf not in self._leaves:
                    self._leaves[leaf] = self.free(f"x{len(self._leaves) + 1}")
                    if len(self._leaves) == _MOST_LEAVES:
                        break
        return self._leaves


def written(op: str, arguments: Sequence[Any], text: Callable[[Any], str] = str, keep: Collection[int] = ()) -> str:
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

    def enclosed(argument: Any) -> str:
        shown = text(argument)
        return f"({shown})" if shown.startswith("-") else shown

    if op == "dot":
        half = len(arguments) // 2
        kept = {i % half for i in keep}
        products = shortened(range(half), lambda i: f"{enclosed(arguments[i])}*{enclosed(arguments[i + half])}", kept)
        return " + ".join(products) or "0"
    if op == "sum":
        return " + ".join(shortened(arguments, enclosed, keep)) or "0"
    if op == "neg":
        return "-" + enclosed(arguments[0])
    if op in _INFIX:
        first, second = arguments
        return _INFIX[op].join((enclosed(first) if op == "pow" else text(first), enclosed(second)))
    return f"{symbol_of(op)}({', '.join(shortened(arguments, text, keep))})"


def symbol_of(op: str) -> str:
    """The sign of an op, such as ``*`` for ``mul``; the name of one that is not in the table."""
    return RULES[op].symbol if op in RULES else op


def shortened(items: Sequence[Any], text: Callable[[Any], str] = str, keep: Collection[int] = ()) -> list[str]:
    """Leave a long list its ends and what is to be kept, with ``…`` for what is left out.

    Args:
        items: the list.
        text: writes one of them.
        keep: the places of those to be kept.

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
