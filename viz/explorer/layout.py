"""Where things stand: Graphviz's dot lays each picture out, and its plain output is read.

Pictures of one shape, such as the insides of all neurons of a layer, are laid out once. Nothing of the user's goes into
the DOT text, only sizes and edges. Format: https://graphviz.org/docs/outputs/plain/
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from viz.explorer.views import Node, Rest, View
from viz.render import render

__all__ = ["Pictures", "laid_out"]

_INCH = 72.0
_SIZES = {"node": (172, 46), "group": (190, 64), "rest": (120, 34)}
_MOST_ITEMS = 6_000  # that are laid out in all
_TOGETHER = 1_000  # items that one call of dot is given
_SIMPLE = 700  # more edges than that are drawn straight, which takes a tenth of the time


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures that are laid out.

    Attributes:
        views: the pictures; what each shows, and which layout it has.
        layouts: each shape once: size, the middle of every item, and the points of every edge.
        left_out: how many pictures were left out.
    """

    views: list[dict[str, Any]]
    layouts: list[dict[str, Any]]
    left_out: int


def laid_out(views: Iterable[View]) -> Pictures:
    """Lay pictures out, until there are about 6,000 things in them.

    Raises:
        RenderError: if there is no renderer, or it fails.
    """
    shapes: dict[str, int] = {}
    sizes: list[int] = []
    told: list[dict[str, Any]] = []
    left_out = items = 0
    for view in views:
        source = _dot(view)
        if source not in shapes and items > _MOST_ITEMS:
            left_out += 1
            continue
        if source not in shapes:
            shapes[source] = len(shapes)
            sizes.append(len(view.items) + len(view.edges))
            items += len(view.items)
        told.append(_told(view, shapes[source]))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        layouts = [layout for some in pool.map(_drawn, _batches(list(shapes), sizes)) for layout in some]
    return Pictures(told, layouts, left_out)


def _dot(view: View) -> str:
    lines = ["digraph {", "rankdir=LR nodesep=0.16 ranksep=0.7 nslimit=2 nslimit1=2 mclimit=0.5"]
    lines.append('node [shape=box fixedsize=true label=""] edge [arrowhead=none]')
    if len(view.edges) > _SIMPLE:
        lines.append("splines=line")
    for i, item in enumerate(view.items):
        kind = "node" if isinstance(item, Node) else "rest" if isinstance(item, Rest) else "group"
        width, height = _SIZES[kind]
        lines.append(f"n{i} [width={width / _INCH:.3f} height={height / _INCH:.3f}]")
    lines += [f"n{a} -> n{b}" for a, b in view.edges]
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
    plain = render("".join(sources), "plain").decode()
    graphs = plain.split("\nstop\n")[: len(sources)]
    return [_read(graph, source.count("->")) for graph, source in zip(graphs, sources, strict=True)]


def _read(graph: str, edges: int) -> dict[str, Any]:
    """Read one graph: lines such as ``node n0 x y …`` and ``edge n0 n1 4 x y x y x y x y …``, in inches from below."""
    width = height = 0.0
    nodes: list[int] = []
    points: dict[tuple[int, int], list[int]] = {}
    for line in graph.splitlines():
        what, *words = line.split(" ")
        if what == "graph":
            width, height = float(words[1]) * _INCH, float(words[2]) * _INCH
        elif what == "node":
            nodes += (round(float(words[1]) * _INCH), round(height - float(words[2]) * _INCH))
        elif what == "edge":
            count = 2 * int(words[2])
            numbers = [float(word) * _INCH for word in words[3 : 3 + count]]
            flat = [round(height - n if i % 2 else n) for i, n in enumerate(numbers)]
            points[int(words[0][1:]), int(words[1][1:])] = flat
    assert len(points) == edges
    return {"width": round(width), "height": round(height), "nodes": nodes,
            "edges": [[a, b, *flat] for (a, b), flat in points.items()]}  # fmt: skip


def _told(view: View, layout: int) -> dict[str, Any]:
    items: list[Any] = []
    for item in view.items:
        if isinstance(item, Node):
            items.append(item.number)
        else:
            items.append(f"{item.count} {'users' if item.uses else 'operands'}" if isinstance(item, Rest) else [item])
    return {"group": view.group, "depth": view.depth, "items": items, "inside": view.inside, "layout": layout,
            "hidden": view.hidden}  # fmt: skip
