"""``summarised``: what fits a page of a scene that does not, the largest gradients first, the rest counted."""

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Context, Decimal

from viz.scene import Edge, NetworkScene, NeuronCard, Number, Rest

__all__ = ["at_most", "largest_of", "listed", "summarised"]

_MOST_LAYERS, _FIRST, _LAST = 8, 4, 3
_MOST_CARDS, _CARDS = 10, 6
_MOST_WEIGHTS, _WEIGHTS = 25, 8


def summarised(scene: NetworkScene) -> NetworkScene:
    """Leave out of a scene what is smallest: layers in the middle, neurons of wide layers, weights of many.

    A layer of up to 10 neurons stays whole, of a wider one 6 stay; of a neuron with more than 25 weights 8 are listed
    (a map of their colours still has all). Whatever is left out is counted, with a bound on how large it is.

    Example:
        >>> from nn import MLP
        >>> from viz.observing import observe
        >>> scene = summarised(observe(MLP(2, [12, 1], initializer="zeros")))
        >>> [len(layer) for layer in scene.layers], scene.rests[0]
        ([6, 1], Rest(count=6, text='more neurons, each number of them ≤ 0 in size'))
    """
    layers: list[tuple[NeuronCard, ...]] = []
    rests: list[Rest | None] = []
    by_gradient = scene.has_gradients
    for layer in _without_the_middle(scene.layers, by_gradient):
        if isinstance(layer, Rest):
            layers.append(())
            rests.append(layer)
            continue
        kept, others = _parted(layer, _CARDS if len(layer) > _MOST_CARDS else len(layer), by_gradient)
        layers.append(tuple(listed(card, by_gradient) for card in kept))
        what = f"more neuron{'s' * (len(others) > 1)}, {_bound(_numbers(others), by_gradient)}"
        rests.append(Rest(len(others), what) if others else None)
    edges = tuple(_edges(scene.edges, layers, rests))
    return replace(scene, layers=tuple(layers), rests=tuple(rests), edges=edges, is_summary=True)


def at_most(x: float) -> str:
    """Write a bound in 2 digits, rounded up, so that it holds.

    Example:
        >>> at_most(0.003141), at_most(0.0), at_most(99.2)
        ('0.0032', '0', '1e+02')
    """
    if not math.isfinite(x) or x == 0.0:
        return format(x + 0.0, "g")
    return format(float(Context(prec=2, rounding=ROUND_CEILING).create_decimal(Decimal(x))), ".2g")


def _without_the_middle(
    layers: Sequence[tuple[NeuronCard, ...]], by_gradient: bool
) -> list[tuple[NeuronCard, ...] | Rest]:
    if len(layers) <= _MOST_LAYERS:
        return list(layers)
    cards = [card for layer in layers[_FIRST:-_LAST] for card in layer]
    what = f"more layers with {len(cards):,} neurons, {_bound(_numbers(cards), by_gradient)}"
    return [*layers[:_FIRST], Rest(len(layers) - _FIRST - _LAST, what), *layers[-_LAST:]]


def listed(card: NeuronCard, by_gradient: bool) -> NeuronCard:
    """List the largest weights of a card that has many."""
    if len(card.weights) <= _MOST_WEIGHTS:
        return card
    places, rest = largest_of(card.weights, by_gradient)
    return replace(card, listed=places, rest=rest)


def largest_of(numbers: Sequence[Number], by_gradient: bool) -> tuple[tuple[int, ...], Rest]:
    """Give the places of the 8 numbers with the largest gradients, or the largest themselves, and count the others."""
    sizes = [_size(number, by_gradient) for number in numbers]
    places = sorted(heapq.nlargest(_WEIGHTS, range(len(sizes)), key=sizes.__getitem__))
    others = [number for i, number in enumerate(numbers) if i not in places]
    return tuple(places), Rest(len(others), f"more, {_bound(others, by_gradient)}")


def _parted(layer: Sequence[NeuronCard], count: int, by_gradient: bool) -> tuple[list[NeuronCard], list[NeuronCard]]:
    """Part a layer into the cards with the largest numbers and the others, both in their order."""
    sizes = {card.id: max(_size(number, by_gradient) for number in card.parameters()) for card in layer}
    kept = heapq.nlargest(count, sizes, key=sizes.__getitem__)
    return [card for card in layer if card.id in kept], [card for card in layer if card.id not in kept]


def _edges(
    edges: Iterable[Edge], layers: Sequence[Sequence[NeuronCard]], rests: Sequence[Rest | None]
) -> Iterator[Edge]:
    """Keep the edges between what is shown, and add one for each bundle that goes by way of a rest."""
    shown = [[card.id for card in layer] for layer in layers]
    known = {"inputs", *(name for layer in shown for name in layer)}
    kept = [edge for edge in edges if edge.tail in known and edge.head in known]
    places = [[*names, f"rest{i}"] if rests[i] else names for i, names in enumerate(shown)]
    for i, (before, heads) in enumerate(zip([["inputs"], *places], places, strict=False)):
        for head in heads:
            yield from (edge for edge in kept if edge.head == head)
            bundles = before if head == f"rest{i}" else before[-1:] if before[-1] == f"rest{i - 1}" else ()
            for tail in bundles:
                yield Edge(tail, head, 0.0, 0, "not shown one by one", summed=True)


def _numbers(cards: Iterable[NeuronCard]) -> list[Number]:
    return [number for card in cards for number in card.parameters()]


def _bound(numbers: Iterable[Number], by_gradient: bool) -> str:
    largest = at_most(max((_size(number, by_gradient) for number in numbers), default=0.0))
    return f"|∂| ≤ {largest}" if by_gradient else f"each number of them ≤ {largest} in size"


def _size(number: Number, by_gradient: bool) -> float:
    shown = number.gradient if by_gradient else number.value
    return 0.0 if shown is None else math.inf if math.isnan(shown) else abs(shown)
