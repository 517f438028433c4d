"""``structure_of``: the groups that the compiler would compute at once, for folding a graph without names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from autograd_mini.alike import Alike, alike
from autograd_mini.canonical import canonical_with_places
from autograd_mini.graph import topological_order
from autograd_mini.grouping import Groups
from autograd_mini.notation import symbol_of
from autograd_mini.numbered import Source

__all__ = ["structure_of"]

_MOST_GROUPS = 100


def structure_of(root: Any) -> Groups:
    """Find for each operation the group it is computed in: however a layer was written, it is dots and activations.

    The graph is brought into canonical form, in which chains of ``+`` are sums and dots, and nodes of one level, op and
    number of arguments are a group, as they are for the compiler. A name says level, number and op of these nodes.
    Several that are made of more than one operation each, such as the sums of products of a layer, are groups within.

    Of a graph with more than a hundred groups, neighbouring levels are put together, whatever their ops. What changes
    nothing about a leaf, as ``0 + x``, goes with what uses it first. Leaves, and what only constants go into, have the
    path ``()``. Where no leaf is a parameter, any may be one.

    Example:
        >>> from autograd_mini import Value
        >>> us, vs, xs = ([Value(i / 10 + j) for i in range(3)] for j in range(3))
        >>> y = sum(u * x for u, x in zip(us, xs)).tanh()
        >>> sorted(set(structure_of(y).values()))
        [(), ('level 1: dot',), ('level 2: tanh',)]
        >>> z = sum(v * x for v, x in zip(vs, xs)).tanh()
        >>> structure_of(y * z)[z.parents[0]]
        ('level 1: 2 × dot', 'dot 2')
    """
    order = topological_order(root)
    graph, places = canonical_with_places([root], _sources(order))
    recorded: dict[int, list[str]] = {}
    for node in order:
        if node.parents and node in places:
            recorded.setdefault(places[node], []).append(node.op)
    groups = [group for group in alike(graph) if any(index in recorded for index in group.nodes)]
    number_of = {index: i for i, group in enumerate(groups) for index in group.nodes}
    found: dict[Any, int] = {}
    for node in reversed(order):
        if node.parents:
            number = number_of.get(places.get(node, -1), found.get(node, -1))
            if number >= 0:
                found[node] = number
                for parent in node.parents:
                    if places.get(parent) in graph.source:
                        found[parent] = min(number, found.get(parent, number))
    symbols = [_symbol(group, recorded) for group in groups]
    names = _names(groups, symbols)
    within = {
        index: (f"{symbol} {i:,}",)
        for group, symbol in zip(groups, symbols, strict=True)
        if len(group.nodes) > 1 and len(groups) <= _MOST_GROUPS
        if all(len(recorded.get(index, ())) > 1 for index in group.nodes)
        for i, index in enumerate(group.nodes, 1)
    }
    paths: Groups = {}
    for node in order:
        path = (names[found[node]],) if node.parents and node in found else ()
        paths[node] = path + within.get(places.get(node, -1), ()) if path else path
    return paths


def _sources(order: Sequence[Any]) -> dict[Any, Source]:
    """Number the leaves, but not constants that are no factors; of factors it is data, whatever number it is.

    Parameters are told apart, since a dot may end in one as its bias.
    """
    products = [node.parents for node in order if node.op in ("mul", "dot")]
    factors = {arg for args in products if any(arg.op != "constant" for arg in args) for arg in args}
    leaves = [node for node in order if not node.parents and (node.op != "constant" or node in factors)]
    is_plain = not any(leaf.op == "parameter" for leaf in leaves)
    return {
        leaf: Source("parameters" if leaf.op == "parameter" or (is_plain and not leaf.op) else "inputs", i)
        for i, leaf in enumerate(leaves)
    }


def _symbol(group: Alike, recorded: Mapping[int, Sequence[str]]) -> str:
    """The sign of a group's op; a mean is canonically a quotient, and nobody would look for it under that name."""
    ops = {op for index in group.nodes for op in recorded.get(index, ())}
    op = "mean" if ops == {"mean"} else group.op
    return symbol_of(op)


def _names(groups: Sequence[Alike], symbols: Sequence[str]) -> list[str]:
    """A name for each group, by its level and op, or by its level alone where there are many groups."""
    levels = sorted({group.level for group in groups})
    number = {level: i for i, level in enumerate(levels, 1)}
    if len(groups) > _MOST_GROUPS:
        size = -(-len(levels) // _MOST_GROUPS)
        return [_range((number[group.level] - 1) // size * size + 1, size, len(levels)) for group in groups]
    names = []
    taken: Counter[str] = Counter()
    for group, symbol in zip(groups, symbols, strict=True):
        count = f"{len(group.nodes):,} × " if len(group.nodes) > 1 else ""
        name = f"level {number[group.level]}: {count}{symbol}"
        taken[name] += 1
        names.append(f"{name} ({taken[name]})" if taken[name] > 1 else name)
    return names


def _range(first: int, size: int, most: int) -> str:
    last = min(first + size - 1, most)
    return f"level {first:,}" if first == last else f"levels {first:,} to {last:,}"
