"""Which edges of a picture dot is given: it does not end with many long ones."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

__all__ = ["Chosen", "chosen"]

_FAR = 8  # ranks from the first use of a leaf to another one whose edge dot is not given
_WIDEST = 6_000  # ranks that all edges of a picture cross; dot's time grows with them, to about a second


class Chosen(NamedTuple):
    """The edges of a picture.

    Attributes:
        edges: from item to item, by place.
        far: those of them from what nothing leads to, such as a shared weight, to uses a long way on from its first
            one; they are drawn without dot.
        hidden: how many more there are, the longest ones, of a picture that would be all edges.
    """

    edges: tuple[tuple[int, int], ...]
    far: frozenset[tuple[int, int]]
    hidden: int


def chosen(items: int, edges: Collection[tuple[int, int]]) -> Chosen:
    """Choose among the edges between so many items.

    Example:
        >>> chosen(3, [(0, 1), (1, 2)])
        Chosen(edges=((0, 1), (1, 2)), far=frozenset(), hidden=0)
    """
    rank = _ranks(items, edges)
    far = _far(rank, edges)
    kept = [*_thinned(rank, [edge for edge in edges if edge not in far]), *sorted(far)]
    return Chosen(tuple(kept), far, len(edges) - len(kept))


def _ranks(items: int, edges: Collection[tuple[int, int]]) -> list[int]:
    rank = [0] * items
    for tail, head in sorted(edges, key=lambda edge: edge[1]):
        if tail < head:
            rank[head] = max(rank[head], rank[tail] + 1)
    return rank


def _far(rank: Sequence[int], edges: Collection[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    fed = {head for _, head in edges}
    first: dict[int, int] = {}
    for tail, head in edges:
        if tail not in fed:
            first[tail] = min(first.get(tail, rank[head]), rank[head])
    return frozenset((tail, head) for tail, head in edges if tail in first and rank[head] - first[tail] >= _FAR)


def _thinned(rank: Sequence[int], edges: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    """The edges, shortest first, until they cross too many ranks together; all of them where there are few."""
    fed = {head for _, head in edges}

    def length(edge: tuple[int, int]) -> int:
        tail, head = edge
        return abs(rank[head] - rank[tail]) if tail in fed else 1  # what nothing leads to is moved next to its use

    if sum(map(length, edges)) <= _WIDEST:
        return list(edges)
    kept = []
    total = 0
    for edge in sorted(edges, key=length):
        total += length(edge)
        if total > _WIDEST:
            break
        kept.append(edge)
    return kept
