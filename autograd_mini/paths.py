"""``paths``: a gradient is the sum over all paths of the product along each; these are the ones that count.

That sum over paths is the chain rule itself (Bauer 1974, *Computational graphs and rounding error*; Griewank & Walther,
*Evaluating Derivatives*, §9). There may be exponentially many. The k best are found without listing the others, by
keeping the k best to every node: multiplying by the same factor leaves an order by size as it is, so the best to a node
are made of the best to its users (Bellman & Kalaba 1960, *On kth best policies*).
"""

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

from autograd_mini.number import number_text
from autograd_mini.products import ONE, Product, power_of_ten
from autograd_mini.way import Way

__all__ = ["Path", "Paths", "paths"]

_MOST_PATHS = 100_000  # that top=None lists
_MOST_NODES = 10  # of a path that are printed; of more, the ends
_ENDS = 4

# A path as a linked list: its product, a number that breaks ties, the last factor and node, and the path before them.
_Link: TypeAlias = tuple[Product, int, float, Any, Any]


@dataclass(frozen=True, slots=True)
class Path:
    """One path.

    Attributes:
        nodes: from the loss to the number.
        factors: the local derivatives along it, one less than there are nodes.
        product: the product of the factors. Beyond the range of floats it is ±inf or 0.
        share: what part of the gradient that is; None if the gradient is 0 or not finite.
        size: the product as a ``Product``, which has no such range.
    """

    nodes: tuple[Any, ...]
    factors: tuple[float, ...]
    product: float
    share: float | None
    size: Product


@dataclass(frozen=True, slots=True, repr=False)
class Paths:
    """The paths from a loss to a number. Its repr is a table.

    Attributes:
        gradient: ∂loss/∂w, the sum over all paths.
        count: how many paths there are.
        largest: those with the largest products, the largest first.
        rest: what the others contribute together: the gradient less the products of `largest`.
    """

    gradient: float
    count: int
    largest: tuple[Path, ...]
    rest: float
    _text: str = field(compare=False)

    def __repr__(self) -> str:
        return self._text


def paths(loss: Any, w: Any, top: int | None = 5) -> Paths:
    """Find the paths from a loss to one of the numbers it depends on that contribute most to the gradient.

    Paths are ranked by the size of their product, and the size is exact where a float would overflow or underflow.
    Those with a factor that is inf or nan come first, as they decide what the gradient is, and those with a factor 0
    last.

    Args:
        loss: the result.
        w: the number.
        top: how many paths to list; None for all, if there are no more than 100,000.

    Raises:
        TypeError: if `loss` or `w` is not a Value, or `top` is not a whole number.
        ValueError: if `top` is less than 1, or None where there are too many paths.

    Example:
        >>> from autograd_mini import Value, exp
        >>> w, x = Value(2.0, "w"), Value(3.0, "x")
        >>> paths(w * x + w * w * 0.5, w)
        ∂L/∂w = 5, the sum over 3 paths from L to w:
          60 %  3 = 1 × 3
                L → v3 → w
          20 %  1 = 1 × 0.5 × 2
                L → v2 → v1 → w
          20 %  1 = 1 × 0.5 × 2
                L → v2 → v1 → w
    """
    way = Way(loss, w)
    number = way.count()
    if top is None:
        if number > _MOST_PATHS:
            raise ValueError(f"top=None lists all paths, and there are {_whole(number)}; give a number, such as top=5")
        top = max(number, 1)
    elif not isinstance(top, int):
        raise TypeError(f"top is how many paths to list, a whole number, or None for all; got {top!r:.60}")
    elif top < 1:
        raise ValueError(f"top is how many paths to list, at least 1, or None for all; got {top!r}")
    gradient, best = _best(way, top)
    has_shares = math.isfinite(gradient) and gradient != 0.0
    largest = tuple(_path(link, gradient if has_shares else None) for link in best)
    rest = _difference(gradient, largest) if number > len(largest) else 0.0
    text = "\n".join(_lines(way, gradient, number, largest, rest))
    return Paths(gradient, number, largest, rest, text)


def _best(way: Way, top: int) -> tuple[float, list[_Link]]:
    """The gradient, and the links of the `top` largest paths."""
    gradient = float(way.w is way.loss)
    heaps: dict[Any, list[_Link]] = {way.loss: [(ONE, 0, 1.0, way.loss, None)]}
    ties = count(1)
    user, arriving = None, []
    for step in way.steps():
        if step.node is not user:
            user = step.node
            arriving = sorted(heaps.pop(user), reverse=True)
        heap = heaps.setdefault(step.parent, [])
        for link in arriving:
            candidate = (link[0].times(step.local), -next(ties), step.local, step.parent, link)
            if len(heap) < top:
                heapq.heappush(heap, candidate)
            elif candidate > heap[0]:
                heapq.heapreplace(heap, candidate)
            else:
                break  # those that follow are no larger
        if step.parent is way.w:
            gradient = step.after
    return gradient, sorted(heaps.get(way.w, []), reverse=True)


def _path(link: _Link, gradient: float | None) -> Path:
    size = link[0]
    nodes, factors = [], []
    last: Any = link
    while last is not None:
        _, _, factor, node, last = last
        nodes.append(node)
        factors.append(factor)
    product = float(size)
    share = None if gradient is None else product / gradient
    return Path(tuple(reversed(nodes)), tuple(reversed(factors[:-1])), product, share, size)


def _difference(gradient: float, largest: Sequence[Path]) -> float:
    numbers = [gradient, *(-path.product for path in largest)]
    return math.fsum(numbers) if all(map(math.isfinite, numbers)) else math.nan


def _lines(way: Way, gradient: float, number: int, largest: Sequence[Path], rest: float) -> Iterator[str]:
    top, bottom = way.name(way.loss), way.name(way.w)
    head = f"∂{top}/∂{bottom} = {number_text(gradient)}"
    if not largest:
        reverse = f"; {bottom} depends on {top}, and the order is paths(loss, w)" if way.is_reversed else ""
        yield f"{head}: no path leads from {top} to {bottom}{reverse}"
        return
    yield f"{head}, the sum over {_whole(number)} path{'s' * (number > 1)} from {top} to {bottom}:"
    shares = [_percent(path.share) for path in largest]
    products = [str(path.size) for path in largest]
    others = number - len(largest)
    if others:
        has_share = largest[0].share is not None and math.isfinite(rest)
        shares.append(_percent(rest / gradient if has_share else None))
        products.append(number_text(rest))
    wide = max(map(len, shares))
    for path, share, product in zip(largest, shares, products, strict=False):
        factors = " × ".join(_ends(path.factors, "factors", number_text))
        yield f"  {share.rjust(wide)}  {product}" + f" = {factors}" * (len(path.factors) > 1)
        yield " " * (wide + 4) + " → ".join(_ends(path.nodes, "nodes", way.name))
    if others:
        count_ = f"{_whole(others)} path{'s' * (others > 1)} together"
        yield f"  {shares[-1].rjust(wide)}  {products[-1]}, the other {count_}"
    yield from _remarks(gradient, largest)


def _remarks(gradient: float, largest: Sequence[Path]) -> Iterator[str]:
    """Why there are no shares, where there are none."""
    if not math.isfinite(gradient):
        non_finite = (
            "first those with a factor that is inf or nan" if largest[0].size.non_finite else "the largest first"
        )
        yield f"The gradient is {gradient}, so no path has a share of it; {non_finite}."
    elif gradient == 0.0 and largest[0].size.zeros:
        yield "The gradient is 0 because every path has a factor 0, so no path has a share of it."
    elif gradient == 0.0 and largest[0].product == 0.0:
        yield "The gradient is 0 because the products are too small for a float, so no path has a share of it."
    elif gradient == 0.0:
        yield "The gradient is 0 because the paths cancel, so no path has a share of it."


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{number_text(100.0 * share, 3)} %"


def _whole(number: int) -> str:
    """A whole number of any length."""
    return f"{number:,}" if number < 10**12 else power_of_ten(math.log10(number), digits=2)


def _ends(items: Sequence[Any], what: str, text: Callable[[Any], str] = str) -> list[str]:
    if len(items) <= _MOST_NODES:
        return list(map(text, items))
    left_out = f"… {len(items) - 2 * _ENDS:,} {what} …"
    return [*map(text, items[:_ENDS]), left_out, *map(text, items[-_ENDS:])]
