"""Where things stand: Graphviz's dot lays each picture out, and its plain output is read.

Pictures of one shape, such as the insides of all neurons of a layer, are laid out once. Nothing of the user's goes into
the DOT text, only sizes and edges. Format: https://graphviz.org/docs/outputs/plain/
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from autograd_mini.folding import Group
from viz.explorer.data import GraphData
from viz.explorer.groups import GroupList
from viz.explorer.views import View
from viz.render import RenderFailedError, render
from viz.scene import Rest

__all__ = ["Pictures", "laid_out"]

_INCH = 72.0
_SIZES = {"node": (172, 46), "group": (190, 64), "rest": (120, 34)}
_MOST_ITEMS = 6_000  # that are laid out in all
_TOGETHER = 1_000  # items that one call of dot is given
_SECONDS = 12.0  # that dot is given for a batch, and half of it for one picture
_SIMPLE = 700  # more edges than that are drawn straight, which takes a tenth of the time


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures that are laid out.

    Attributes:
        views: the pictures; what each shows, and which layout it has.
        layouts: each shape once: size, the middle of every item, and the points of every edge; `far` says that the
            last so many edges are long and were drawn without dot, `simple` that dot did not end and all was.
    """

    views: list[dict[str, Any]]
    layouts: list[dict[str, Any]]


def laid_out(views: Iterable[View], data: GraphData, groups: GroupList) -> Pictures:
    """Lay pictures out, until there are about 6,000 things in them.

    Raises:
        RenderError: if there is no renderer, or it fails.
    """
    shapes: dict[str, int] = {}
    sizes: list[int] = []
    told: list[dict[str, Any]] = []
    items = 0
    for view in views:
        source = _dot(view)
        if source not in shapes and items > _MOST_ITEMS:
            continue
        if source not in shapes:
            shapes[source] = len(shapes)
            sizes.append(len(view.items) + len(view.chosen.edges))
            items += len(view.items)
        told.append(_told(view, shapes[source], data, groups))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        layouts = [layout for some in pool.map(_drawn, _batches(list(shapes), sizes)) for layout in some]
    return Pictures(told, layouts)


def _dot(view: View) -> str:
    edges, far, _ = view.chosen
    lines = ["digraph {", "rankdir=LR nodesep=0.16 ranksep=0.7 nslimit=2 nslimit1=2 mclimit=0.5"]
    lines += [f"//{a} {b}" for a, b in edges if (a, b) in far]
    lines.append('node [shape=box fixedsize=true label=""] edge [arrowhead=none]')
    if len(edges) - len(far) > _SIMPLE:
        lines.append("splines=line")
    for i, item in enumerate(view.items):
        kind = "group" if isinstance(item, Group) else "rest" if isinstance(item, Rest) else "node"
        width, height = _SIZES[kind]
        lines.append(f"n{i} [width={width / _INCH:.3f} height={height / _INCH:.3f}]")
    lines += [f"n{a} -> n{b}" for a, b in edges if (a, b) not in far]
    return "\n".join([*lines, "}\n"])


def _batches(sources: Sequence[str], sizes: Sequence[int]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for source, more in zip(sources, sizes, strict=True):
        batch.append(source)
        size += more
        if size > _TOGETHER:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _drawn(sources: list[str]) -> list[dict[str, Any]]:
    try:
        plain = render("".join(sources), "plain", seconds=_SECONDS if len(sources) > 1 else _SECONDS / 2).decode()
    except RenderFailedError:
        if len(sources) == 1:
            return [_simple(sources[0])]
        layouts: list[dict[str, Any]] = []
        for source in sources:  # one by one, until two have failed: dot may be broken altogether
            given_up = sum("simple" in layout for layout in layouts) >= 2
            layouts += [_simple(source)] if given_up else _drawn([source])
        return layouts
    graphs = plain.split("\nstop\n")[: len(sources)]
    return [_read(graph, source) for graph, source in zip(graphs, sources, strict=True)]


def _read(graph: str, source: str) -> dict[str, Any]:
    """Read one graph: lines such as ``node n0 x y …`` and ``edge n0 n1 4 x y x y x y x y …``, in inches from below."""
    width = height = 0.0
    nodes: list[tuple[int, int]] = []
    sizes: list[tuple[str, ...]] = []
    points: dict[tuple[int, int], list[int]] = {}
    for line in graph.splitlines():
        what, *words = line.split(" ")
        if what == "graph":
            width, height = float(words[1]) * _INCH, float(words[2]) * _INCH
        elif what == "node":
            nodes.append((round(float(words[1]) * _INCH), round(height - float(words[2]) * _INCH)))
            sizes.append((*words[3:5],))
        elif what == "edge":
            count = 2 * int(words[2])
            numbers = [float(word) * _INCH for word in words[3 : 3 + count]]
            flat = [round(height - n if i % 2 else n) for i, n in enumerate(numbers)]
            points[int(words[0][1:]), int(words[1][1:])] = flat
    edges, far = _edges(source)
    assert points.keys() == set(edges)
    stand = _in_order(nodes, sizes, [*edges, *far])
    now = {old: new for new, old in enumerate(stand)}
    return {"width": round(width), "height": round(height), "nodes": [n for i in stand for n in nodes[i]],
            "edges": [[now[a], now[b], *flat] for (a, b), flat in points.items()]
            + _lanes([nodes[i] for i in stand], far), "far": len(far)}  # fmt: skip


def _edges(source: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    edges, far = [], []
    for line in source.splitlines():
        if line.startswith("//"):
            a, b = line[2:].split(" ")
            far.append((int(a), int(b)))
        elif " -> " in line:
            a, b = line.split(" -> ")
            edges.append((int(a[1:]), int(b[1:])))
    return edges, far


def _in_order(
    nodes: Sequence[tuple[int, int]], sizes: Sequence[tuple[str, ...]], edges: Iterable[tuple[int, int]]
) -> list[int]:
    """For each item the one whose place it takes: among those with the same neighbours the first is put on top.

    Such items can change places without an edge being any different, and dot puts the neurons of a layer in any order.
    """
    near: list[set[int]] = [set() for _ in nodes]
    for a, b in edges:
        near[a].add(b)
        near[b].add(~a)
    alike: dict[Any, list[int]] = defaultdict(list)
    for i, (x, _) in enumerate(nodes):
        alike[x, sizes[i], frozenset(near[i])].append(i)
    stand = list(range(len(nodes)))
    for some in alike.values():
        for i, taken in zip(some, sorted(some, key=lambda i: nodes[i][1]), strict=True):
            stand[i] = taken
    return stand


def _line(nodes: Sequence[tuple[int, int]], a: int, b: int) -> list[int]:
    (x, y), (to_x, to_y) = nodes[a], nodes[b]
    third, up = (to_x - x) // 3, (to_y - y) // 3
    return [a, b, x, y, x + third, y + up, to_x - third, to_y - up, to_x, to_y]


def _lanes(nodes: Sequence[tuple[int, int]], far: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Long edges run together above the cards, a lane for each start, and come down to where they end."""
    lane = {a: 42 + 7 * (i % 5) for i, a in enumerate(dict.fromkeys(a for a, _ in far))}
    lines = []
    for a, b in far:
        (x, y), (to_x, to_y) = nodes[a], nodes[b]
        top, up, down = min(y, to_y) - lane[a], x + 120, to_x - 135
        lines.append([a, b, x, y, x + 90, y, x + 90, top, up, top, up, top, down, top, down, top,
                      down + 25, top, down + 25, to_y, to_x - 80, to_y])  # fmt: skip
    return lines


def _simple(source: str) -> dict[str, Any]:
    """Put what dot does not end with into columns, each item to the right of all that lead to it."""
    edges, far = _edges(source)
    count = source.count("height=")
    column = [0] * count
    for a, b in sorted([*edges, *far], key=lambda edge: edge[1]):
        if a < b:
            column[b] = max(column[b], column[a] + 1)
    filled: dict[int, int] = defaultdict(int)
    nodes = []
    for at in column:
        nodes.append(
            (round(_SIZES["group"][0] * (0.5 + 1.3 * at)), round(_SIZES["group"][1] * (0.5 + 1.2 * filled[at])))
        )
        filled[at] += 1
    width, height = (max((node[i] for node in nodes), default=0) + _SIZES["group"][i] // 2 for i in (0, 1))
    return {"width": width, "height": height, "nodes": [n for node in nodes for n in node],
            "edges": [_line(nodes, a, b) for a, b in [*edges, *far]], "far": len(far), "simple": True}  # fmt: skip


def _told(view: View, layout: int, data: GraphData, groups: GroupList) -> dict[str, Any]:
    """A picture for the page: a node is its number, a group its number in a list, the rest a text."""
    items = [
        [groups.number(item, is_outside=i >= view.inside)] if isinstance(item, Group)
        else f"{item.count:,} {item.text}" if isinstance(item, Rest) else data.index[item]
        for i, item in enumerate(view.items)
    ]  # fmt: skip
    return {"group": groups.number(view.group), "depth": view.depth, "items": items, "inside": view.inside,
            "layout": layout, "hidden": view.chosen.hidden}  # fmt: skip
