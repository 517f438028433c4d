"""The chain rule of one gradient as data: a sum for every node between the loss and a number, folded to a page."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from autograd_mini.backward import Step
from autograd_mini.products import ONE, Product
from autograd_mini.way import Way

__all__ = ["Fold", "Gradient", "chain_rule"]

_MOST_USES = 4  # of one node; of more, the largest
_LARGEST = 3
_MOST_NODES = 24  # on a page; of more, the first and the last
_FIRST, _LAST = 6, 10


@dataclass(frozen=True, slots=True)
class Gradient:
    """The gradient of one node: a sum over its uses.

    Attributes:
        node: the node.
        gradient: ∂loss/∂node.
        steps: the uses that are written out, in the order of backpropagation; none for the loss itself.
        folded: how many uses are left out.
        rest: what those contribute together.
    """

    node: Any
    gradient: float
    steps: tuple[Step, ...]
    folded: int = 0
    rest: float = 0.0


@dataclass(frozen=True, slots=True)
class Fold:
    """Gradients that are left out.

    Attributes:
        count: how many.
        above: the last one before them.
        below: the last one of them.
        product: ∂above/∂below, if each of them is used by the one before it alone; else None.
    """

    count: int
    above: Gradient
    below: Gradient
    product: Product | None


def chain_rule(way: Way, *, full: bool) -> list[Gradient | Fold]:
    """List the gradients that the one of ``way.w`` is made of, the loss first, each after those it is computed from.

    Args:
        way: the way; a path has to lead there.
        full: leave nothing out.
    """
    uses: dict[Any, list[Step]] = {}
    for step in way.steps():
        uses.setdefault(step.parent, []).append(step)
    lines: list[Gradient] = []
    shown = {way.w}
    for node in (way.w, *reversed(way.order)):
        if node in shown:
            steps = uses.get(node, [])
            line = _gradient(node, steps, full or len(steps) <= _MOST_USES)
            shown.update(step.node for step in line.steps)
            lines.append(line)
    lines.reverse()
    if full or len(lines) <= _MOST_NODES:
        return [*lines]
    return [*lines[:_FIRST], _fold(lines[_FIRST - 1], lines[_FIRST:-_LAST]), *lines[-_LAST:]]


def _gradient(node: Any, steps: Sequence[Step], whole: bool) -> Gradient:
    gradient = steps[-1].after if steps else 1.0
    if whole:
        return Gradient(node, gradient, tuple(steps))
    largest = {*heapq.nlargest(_LARGEST, range(len(steps)), key=lambda place: _size(steps[place].contribution))}
    rest = sum(step.contribution for place, step in enumerate(steps) if place not in largest)
    return Gradient(node, gradient, tuple(steps[place] for place in sorted(largest)), len(steps) - _LARGEST, rest)


def _size(x: float) -> float:
    return math.inf if math.isnan(x) else abs(x)


def _fold(above: Gradient, folded: Sequence[Gradient]) -> Fold:
    users = [above, *folded]
    is_chain = all(
        not line.folded and all(step.node is user.node for step in line.steps)
        for user, line in zip(users, folded, strict=False)
    )
    locals_ = (sum(step.local for step in line.steps) for line in folded)
    return Fold(len(folded), above, folded[-1], reduce(Product.times, locals_, ONE) if is_chain else None)
