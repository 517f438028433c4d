"""``explain``: the whole chain rule of one gradient, written out.

The page goes from the loss down to the number, as backpropagation does: what stands on the right of a line stands on
the left of a line above it. All numbers are those of ``steps``.
"""

from dataclasses import dataclass, field
from typing import Any

from autograd_mini.chain_rule import Fold, Gradient, chain_rule
from autograd_mini.page import latex_page, text_page
from autograd_mini.way import Way

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """The chain rule of one gradient. Its repr is the page as text, and Jupyter shows it as mathematics.

    Attributes:
        w: the number that the loss is differentiated by.
        loss: the result.
        gradient: ∂loss/∂w, bit for bit what ``backward()`` finds.
        lines: what is on the page, a ``Gradient`` for each node from the loss to `w`, and a ``Fold`` for those that are
            left out; nothing if no path leads there.
    """

    w: Any
    loss: Any
    gradient: float
    lines: tuple[Gradient | Fold, ...]
    _text: str = field(compare=False)
    _latex: str = field(compare=False)

    def latex(self) -> str:
        """The page as LaTeX: an ``aligned`` environment, to be put in a displayed formula."""
        return self._latex

    def __repr__(self) -> str:
        return self._text

    def _repr_latex_(self) -> str:
        return f"$$\n{self._latex}\n$$"


def explain(w: Any, loss: Any, *, full: bool = False) -> Explanation:
    """Write out the chain rule for ∂loss/∂w: with symbols, with numbers, edge by edge and summed over uses.

    It works whether or not ``backward()`` has been called, and touches no gradient.

    Args:
        w: the number that the loss is differentiated by: a leaf, or any other node of the graph.
        loss: the result.
        full: write out everything. Otherwise a page stays a page: of many uses of a node those that contribute most
            are shown, and of a long way its two ends. What is left out is counted and added up.

    Raises:
        TypeError: if one of them is not a Value.

    Example:
        >>> from autograd_mini import Value
        >>> w, x = Value(2.0, "w"), Value(3.0, "x")
        >>> v = w * x
        >>> explain(w, v * v + w)
        ∂L/∂w = 37
        The chain rule, from L down to w over 3 operations. A gradient is the sum, over all uses of a
        number, of the gradient of what it is used in × the local derivative.
        <BLANKLINE>
        L = v2 + w = 38
          ∂L/∂L = 1
        <BLANKLINE>
        v2 = v1 * v1 = 36
          ∂L/∂v2 = ∂L/∂L × 1 = 1 × 1 = 1
        <BLANKLINE>
        v1 = w * x = 6
          ∂L/∂v1 = ∂L/∂v2 × v1 = 1 × 6 =  6
                 + ∂L/∂v2 × v1 = 1 × 6 =  6
                                       = 12
        <BLANKLINE>
        w = 2
          ∂L/∂w = ∂L/∂L × 1  = 1 × 1  =  1
                + ∂L/∂v1 × x = 12 × 3 = 36
                                      = 37
    """
    way = Way(loss, w)
    lines = chain_rule(way, full=full) if way.exists else []
    last = lines[-1] if lines else None
    gradient = last.gradient if isinstance(last, Gradient) else 0.0
    return Explanation(
        w, loss, gradient, tuple(lines), text_page(way, lines, gradient), latex_page(way, lines, gradient)
    )
