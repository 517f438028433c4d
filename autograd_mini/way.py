"""The way from a result down to one of the numbers it depends on: the part of a graph that one gradient is made of."""

from collections.abc import Iterator
from typing import Any

from autograd_mini.backward import Step, sweep, sweep_order
from autograd_mini.notation import Names
from autograd_mini.number import number_text
from autograd_mini.tracer import refuse_unknown

__all__ = ["Way"]


class Way:
    """The nodes between a result and one of the numbers it may depend on.

    Args:
        loss: the result.
        w: the number.

    Attributes:
        loss, w: the two ends.
        order: the operations on the way, the loss first, each before what it hands a gradient to; `w` is not among
            them. It is empty if no path leads from the loss to `w`, or if they are the same.

    Raises:
        TypeError: if one of them is not a Value.

    Example:
        >>> from autograd_mini import Value
        >>> w, x = Value(2.0, "w"), Value(3.0, "x")
        >>> way = Way(x.exp() * w + 1, w)
        >>> list(map(way.name, way.order))
        ['L', 'v2']
    """

    def __init__(self, loss: Any, w: Any) -> None:
        for end, what in (loss, "the result to explain"), (w, "the number it is differentiated by"):
            if not hasattr(end, "_inputs"):
                raise TypeError(
                    f"{what} must be a Value, got {end!r:.60} of type {type(end).__name__}; "
                    "the order is explain(w, loss) and paths(loss, w)"
                )
        refuse_unknown("steps", loss)
        self.loss, self.w = loss, w
        every = sweep_order([loss])
        self._names = Names(every or [loss])
        self._inside = {w}
        for node in reversed(every):
            if not self._inside.isdisjoint(node._inputs):
                self._inside.add(node)
        self.order = [node for node in every if node in self._inside and node is not w]
        # Elsewhere it would be called by its number or its op; ∂L/∂0.5 says nothing.
        self._own_name = "" if w.label or (self.exists and w is not loss) else self._names.free("w")

    @property
    def exists(self) -> bool:
        """Whether a path leads from the loss to `w`."""
        return self.loss in self._inside

    @property
    def is_reversed(self) -> bool:
        """Whether a path leads from `w` to the loss instead, as where the two were given in the wrong order."""
        return not self.exists and Way(self.w, self.loss).exists

    def count(self) -> int:
        """How many paths lead from the loss to `w`, exactly; a graph of n nodes may have 2ⁿ of them."""
        counts = {self.loss: 1}
        for node in self.order:
            arriving = counts.pop(node)
            for parent in node._inputs:
                if parent in self._inside:
                    counts[parent] = counts.get(parent, 0) + arriving
        return counts.get(self.w, 0)

    def steps(self) -> Iterator[Step]:
        """Sweep over the way: the same numbers as ``steps(loss)``, without the edges that lead elsewhere."""
        return sweep({self.loss: 1.0}, self.order, to=self._inside)

    def name(self, node: Any) -> str:
        """The name of a node, or a constant as text."""
        if isinstance(node, float):
            return number_text(node)
        if node is self.loss and not node.label:
            return self._names.free("L")
        return self._own_name if node is self.w and self._own_name else self._names(node)
