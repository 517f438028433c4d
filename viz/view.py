"""Which part of a graph a picture shows: all of it, what is near a node, or what lies on the paths to one."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from typing import Any

from autograd_mini import Value
from autograd_mini.backward import hand_down
from autograd_mini.folding import Fold, Group, fold
from autograd_mini.number import number_text
from autograd_mini.way import Way
from viz.looks import Looks
from viz.markup import clean

__all__ = ["View"]


class View:
    """A folded graph, and which of its nodes are shown.

    Args:
        root: the Value whose graph it is.
        how: how far to fold, as for ``fold``.
        focus: a node to stay near to, or None.
        radius: how many edges away from it a node may be.
        paths_to: a node that every node shown must lie on a path to, or None.

    Attributes:
        folded: the whole graph, folded.
        nodes: what is shown, Values and Groups, each after those it depends on; siblings in the order of their numbers.
        on_paths: the Values on the paths to emphasise; empty if none are.
        marked: the node that is in focus, or None.
        more: how many of the nodes that a node depends on, and of those that depend on it, are left out.

    Raises:
        TypeError: if `focus` or `paths_to` is not a Value, or `radius` not a whole number.
        ValueError: if the root does not depend on them, `radius` is below 1, or for an unknown way to fold.
    """

    def __init__(self, root: Value, how: Fold, focus: Value | None, radius: int, paths_to: Value | None) -> None:
        if isinstance(radius, bool) or not isinstance(radius, int):
            raise TypeError(f"radius is a whole number of edges, got {radius!r:.60}")
        if radius < 1:
            raise ValueError(f"radius is {radius!r}, but must be 1 or more")
        for name, node in ("focus", focus), ("paths_to", paths_to):
            if node is not None and not isinstance(node, Value):
                raise TypeError(f"{name} is a Value of the graph, got {node!r:.60} of type {type(node).__name__}")
        self.folded = fold(root, how, apart=[node for node in (focus, paths_to) if node is not None])
        self.on_paths: Collection[Any] = ()
        self.marked: Any = None
        self.more: dict[Any, tuple[int, int]] = {}
        self._caption: list[str] = []
        self.nodes: list[Any] = list(self._in_order())
        if paths_to is not None:
            self._keep_paths(root, paths_to)
        if focus is not None:
            self._keep_near(focus, radius)
        if any(isinstance(node, Group) for node in self.nodes):
            self._caption.append("double frame: a folded group; total: d output / d input, over all paths inside it")

    @cached_property
    def handed_down(self) -> dict[Any, float]:
        """What the folded graph hands to every Value from outside its group, for each unit that reaches the root."""
        return self.folded.gradients()

    @property
    def description(self) -> str:
        """What the picture shows, in a few words."""
        count, size = len(self.nodes), self.folded.size
        if len(self.folded.nodes) < size:
            whole = f"graph of {size:,} nodes folded to {len(self.folded.nodes):,}"
            return whole if count == len(self.folded.nodes) else f"{count:,} nodes of a {whole}"
        return f"graph of {count} nodes" if count == size else f"{count:,} nodes of {size:,}"

    @property
    def caption(self) -> str:
        """A line below the picture."""
        return ";  ".join(self._caption)

    def is_emphasised(self, source: Any, target: Any) -> bool:
        """Whether the edge from one Value to another lies on a path."""
        return source in self.on_paths and target in self.on_paths

    def looks(self, looks: Looks) -> Looks:
        """Add what this part of the graph needs."""
        return replace(looks, mark="here", marked=self.marked, more=self.more, caption=self.caption)

    def plain_looks(self, looks: Looks) -> Looks:
        """Add what this part of a graph that is not folded needs."""
        notes = {
            (node, i): "" if local is None else f"local {number_text(local, 4)}"
            for node in self.nodes
            if node in self.on_paths
            for i, (parent, local) in enumerate(zip(node.parents, node.local_derivatives, strict=True))
            if self.is_emphasised(parent, node)
        }
        return replace(self.looks(looks), notes=notes)

    def _in_order(self) -> Iterator[Any]:
        """Yield all nodes; where several like groups stand side by side, such as the neurons of a layer, by number."""
        for _, siblings in groupby(self.folded.nodes, _family):
            several = list(siblings)
            if len(several) > 1 and isinstance(several[0], Group):
                among = set(several)
                if not any(among.intersection(self.folded.sources(node)) for node in several):
                    several.sort(key=_number)
            yield from several

    def _keep_paths(self, root: Value, w: Value) -> None:
        way = Way(root, w)
        if not way.exists:
            hint = "; it is the other way round" if way.is_reversed else ""
            raise ValueError(f"no path leads from {root!r} to paths_to, {w!r}{hint}; give a node that it depends on")
        self.on_paths = {w, *way.order}
        of = self.folded.node_of
        shown = {of[node] for node in self.on_paths}
        self.nodes = [node for node in self.nodes if node in shown]
        gradient = {root: 1.0}
        hand_down(gradient, way.order)
        count = way.count()
        paths = f"{count:,} path{'s' * (count > 1)}" if count < 10**12 else "many paths"
        top, bottom = clean(way.name(root)), clean(way.name(w))
        text = f"∂{top}/∂{bottom} = {number_text(gradient[w], 4)}, the sum over {paths}, all of which are shown"
        self._caption.append(text.replace("\\", "\\\\"))

    def _keep_near(self, focus: Value, radius: int) -> None:
        of = self.folded.node_of
        if focus not in of:
            root = self.folded.root
            raise ValueError(f"focus is {focus!r}, which {root!r} does not depend on; give a node of its graph")
        self.marked = of[focus]
        below = {node: self.folded.sources(node) for node in self.nodes}
        above: dict[Any, list[Any]] = {}
        for node, sources in below.items():
            for source in sources:
                above.setdefault(source, []).append(node)
        found = near = {self.marked}
        for _ in range(radius):
            near = {other for node in near for other in (*below.get(node, ()), *above.get(node, ()))} - found
            found = found | near
        self.nodes = [node for node in self.nodes if node in found]
        self.more = {node: (_missing(below[node], found), _missing(above.get(node, ()), found)) for node in self.nodes}


def _family(node: Any) -> Any:
    """What siblings have in common: the path without the number at its end."""
    return (*node.path[:-1], node.path[-1].rstrip("0123456789")) if isinstance(node, Group) else id(node)


def _number(group: Group) -> tuple[int, str]:
    """The number at the end of a name, to sort by; as text, for a label may be longer than any int is read from."""
    name = group.path[-1]
    digits = name[len(name.rstrip("0123456789")) :].lstrip("0")
    return len(digits), digits


def _missing(nodes: Iterable[Any], shown: Collection[Any]) -> int:
    return sum(node not in shown for node in nodes)
