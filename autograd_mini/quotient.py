"""Putting the nodes of a graph together in classes without making a circle of it.

Two operations may be of one class while a third between them is not. Seen as one node, the class would then depend on
itself, and no order of the nodes would let a gradient be complete before it is handed on. Such classes are split.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

__all__ = ["acyclic_classes"]

K = TypeVar("K", bound=Hashable)


def acyclic_classes(order: Sequence[Any], class_of: Mapping[Any, K]) -> list[tuple[K, list[Any]]]:
    """Group nodes by class so that the classes are a graph without circles, splitting as few classes as that takes.

    A class that lies on no circle stays whole. In each strongly connected component of the classes, every class is
    split by how often the longest path to a node has changed class, so that an edge between parts always leads upwards.

    Args:
        order: nodes, parents first; parents that are not in `class_of` do not count.
        class_of: the class of each node.

    Returns:
        The classes, or the parts of them, each with its nodes in order; parents first.

    Example:
        >>> from autograd_mini import Value, topological_order
        >>> a = Value(2.0, "a").exp()
        >>> c = a.sin().exp()
        >>> acyclic = acyclic_classes(order := topological_order(c)[1:], {node: node.op for node in order})
        >>> [name for name, _ in acyclic]
        ['exp', 'sin', 'exp']
    """
    members: dict[K, list[Any]] = {}
    below: dict[K, dict[K, None]] = {}
    for node in order:
        own = class_of[node]
        members.setdefault(own, []).append(node)
        classes = below.setdefault(own, {})
        for parent in node.parents:
            other = class_of.get(parent, own)
            if other is not own and other != own:
                classes[other] = None
    position = {node: i for i, node in enumerate(order)}
    result: list[tuple[K, list[Any]]] = []
    for component in _components(below):
        if len(component) == 1:
            result.append((component[0], members[component[0]]))
        else:
            nodes = sorted((node for one in component for node in members[one]), key=position.__getitem__)
            result += _parts(nodes, class_of)
    return result


def _parts(nodes: Sequence[Any], class_of: Mapping[Any, K]) -> list[tuple[K, list[Any]]]:
    """Split the classes of these nodes by how often the longest path among them has changed class."""
    changes: dict[Any, int] = {}
    parts: dict[tuple[int, K], list[Any]] = {}
    for node in nodes:
        own = class_of[node]
        before = (changes[parent] + (class_of[parent] != own) for parent in node.parents if parent in changes)
        changes[node] = max(before, default=0)
        parts.setdefault((changes[node], own), []).append(node)
    return [(own, part) for (_, own), part in sorted(parts.items(), key=lambda item: item[0][0])]


def _components(below: Mapping[K, Mapping[K, None]]) -> Iterator[list[K]]:
    """The strongly connected components, those below first (Tarjan 1972), with an explicit stack."""
    index: dict[K, int] = {}
    lowest: dict[K, int] = {}
    pending: dict[K, None] = {}
    walk: list[tuple[K, Iterator[K]]] = []

    def enter(one: K) -> None:
        index[one] = lowest[one] = len(index)
        pending[one] = None
        walk.append((one, iter(below[one])))

    for start in below:
        if start not in index:
            enter(start)
        while walk:
            one, others = walk[-1]
            for other in others:
                if other not in index:
                    enter(other)
                    break
                if other in pending:
                    lowest[one] = min(lowest[one], index[other])
            else:
                walk.pop()
                if walk:
                    lowest[walk[-1][0]] = min(lowest[walk[-1][0]], lowest[one])
                if lowest[one] == index[one]:
                    component = [pending.popitem()[0]]
                    while component[-1] is not one:
                        component.append(pending.popitem()[0])
                    yield component
