"""The wrong-algorithm lab: backpropagation done wrong, beside the right one, and the first node where they part."""

import inspect
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from autograd_mini.backward import Step, path_sizes, steps
from autograd_mini.errors import GraphTooLargeError
from autograd_mini.notation import Names
from autograd_mini.number import number_text, product_text
from autograd_mini.printing import Listing
from autograd_mini.wrong_algorithms import TABLE, Edge, Seen

__all__ = ["ALGORITHMS", "Comparison", "compare"]

ALGORITHMS: Mapping[str, str] = Listing(
    {name: (inspect.getdoc(wrong.function) or "").replace("``", "`") for name, wrong in TABLE.items()}
)
"""What each algorithm does, by its name."""

_MOST_EDGES = 5_000_000
_SHOWN_EDGES, _SHOWN_TIMES = 6, 2
# The same terms added up in another order differ by roundings, which are far below this share of the terms' sizes.
_ROUNDING = 1e-9


class HandOver(NamedTuple):
    """One contribution that the wrong algorithm handed on: upstream × local.

    Attributes:
        upstream: the gradient, at that moment, of the node that handed it on.
        local: the local derivative.
        arrived: how many contributions had come to that node by then.
    """

    upstream: float
    local: float
    arrived: int


@dataclass(slots=True)
class Entry:
    """One edge into the node where they part, by both algorithms.

    Attributes:
        step: what the right one hands on.
        uses: how many contributions come to ``step.node``.
        handed: what the wrong one hands on, the first few times.
        times: how often it does.
    """

    step: Step
    uses: int
    handed: list[HandOver] = field(default_factory=list)
    times: int = 0


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Comparison:
    """A wrong algorithm beside the right one, on one graph. It prints as what parts them, and why.

    Attributes:
        algorithm: its name, one of ``lab.ALGORITHMS``.
        root: the Value that was differentiated.
        node: the first node where they part, in the order in which the right sweep completes gradients (so that the
            nodes that use it are right); None if they agree.
        right, wrong: ∂root/∂node by either.
        wrong_nodes: how many nodes have a wrong gradient.
        nodes: how many nodes there are, constants aside.
        edges: how many contributions the right algorithm hands on, one an edge.
        handed_on: how many the wrong one does.
        reason: what goes wrong; or, where they agree, why this graph does not show it.
    """

    algorithm: str
    root: Any
    node: Any
    right: float
    wrong: float
    wrong_nodes: int
    nodes: int
    edges: int
    handed_on: int
    reason: str
    _ledger: tuple[Entry, ...]
    _names: Names

    @property
    def agree(self) -> bool:
        """Whether both algorithms find the same gradients on this graph."""
        return self.node is None

    @property
    def source(self) -> str:
        """The code of the wrong algorithm."""
        _, definition, rest = inspect.getsource(TABLE[self.algorithm].function).partition("def ")
        return definition + rest

    def __repr__(self) -> str:
        return "\n".join(_lines(self, self._names, self._ledger))


def compare(root: Any, algorithm: str) -> Comparison:
    """Run a wrong algorithm beside the right one, and find the first node where they part.

    Nothing is written into the graph.

    Args:
        root: the Value to differentiate.
        algorithm: a name from ``lab.ALGORITHMS``.

    Raises:
        TypeError: for anything but a Value.
        ValueError: for an unknown algorithm.
        GraphTooLargeError: if the algorithm goes every path, and there are more than anybody would wait for.

    Example:
        >>> from autograd_mini import Value, lab
        >>> a = Value(3.0, "a")
        >>> lab.compare(a * a, "overwrite")
        overwrite: `=` instead of `+=`.
        They part at a: ∂L/∂a is 6, and this gives 3.
          edge                 right      overwrite
          L → a as argument 0  1 × 3 = 3  1 × 3 = 3  lost: the next contribution took its place
          L → a as argument 1  1 × 3 = 3  1 × 3 = 3
        Why: what arrives later replaces what was there; by the chain rule, the gradient is the sum over all uses.
        1 of 2 gradients is wrong.
    """
    if algorithm not in [*TABLE]:  # a list takes what cannot be hashed, too
        raise ValueError(f"there is no algorithm {algorithm!r:.60}; the algorithms are {', '.join(TABLE)}")
    rule = TABLE[algorithm]
    right, uses = {root: 1.0}, Counter[Any]()
    for step in steps(root):
        right.pop(step.parent, None)  # keeps the dict in the order in which gradients are complete
        right[step.parent] = step.after
        uses[step.parent] += 1
    sizes, _, order = path_sizes(root)
    if rule.by_path:
        _refuse_too_many(algorithm, order)

    wrong: defaultdict[Any, float] = defaultdict(float)
    handed_on, too_early = 0, False
    for edge, arrived in _watched(root, algorithm, wrong):
        handed_on += 1
        too_early = too_early or arrived < uses[edge.node]
    parted = [node for node, gradient in right.items() if not _is_same(gradient, wrong[node], sizes[node])]
    node = parted[0] if parted else None

    if parted:
        reason = rule.why
    elif rule.can_show(Seen(too_early, max(uses.values(), default=0) > 1, len(order))):
        reason = "what it gets wrong is 0 here, or cancels"
    else:
        reason = rule.lacks
    return Comparison(
        algorithm,
        root,
        node,
        right.get(node, 0.0),
        wrong.get(node, 0.0),
        len(parted),
        len(right),
        uses.total(),
        handed_on,
        reason,
        _entries(root, algorithm, node, uses) if parted and algorithm != "every_path" else (),
        Names(order),
    )


def _watched(root: Any, algorithm: str, gradient: dict[Any, float]) -> Iterator[tuple[Edge, int]]:
    """Run an algorithm, and count with each edge how many contributions had come to its node by then."""
    arrived = Counter[Any]()
    for edge in TABLE[algorithm].function(root, gradient):
        yield edge, arrived[edge.node]
        arrived[edge.parent] += 1


def _entries(root: Any, algorithm: str, node: Any, uses: Mapping[Any, int]) -> tuple[Entry, ...]:
    """What both algorithms hand to `node`, in the order of the right one."""
    entries = {(step.node, step.argument): Entry(step, uses[step.node]) for step in steps(root) if step.parent is node}
    gradient: defaultdict[Any, float] = defaultdict(float)
    for edge, arrived in _watched(root, algorithm, gradient):
        if edge.parent is node:
            entry = entries[edge.node, edge.argument]
            entry.times += 1
            if entry.times <= _SHOWN_TIMES:
                entry.handed.append(HandOver(gradient[edge.node], edge.local, arrived))
    return tuple(entries.values())


def _is_same(right: float, wrong: float, size: float) -> bool:
    if right == wrong or (math.isnan(right) and math.isnan(wrong)):
        return True
    return abs(right - wrong) <= _ROUNDING * min(size, sys.float_info.max)


def _refuse_too_many(algorithm: str, order: Sequence[Any]) -> None:
    paths = defaultdict(float, dict.fromkeys(order[:1], 1.0))
    edges = 0.0
    for node in order:
        edges += paths[node] * len(node._inputs)
        for parent in node._inputs:
            paths[parent] += paths[node]
    right = sum(len(node._inputs) for node in order)
    if edges > max(_MOST_EDGES, 2.0 * right):
        raise GraphTooLargeError(
            f"{algorithm!r} goes every path by itself, and hands on {edges:.3g} contributions here, where the right "
            f"algorithm hands on {right:,}; the most it may is {_MOST_EDGES:,}; take a smaller graph"
        )


def _lines(found: Comparison, name: Names, entries: Sequence[Entry]) -> Iterator[str]:
    yield f"{found.algorithm}: {ALGORITHMS[found.algorithm]}"
    if found.agree:
        yield f"Both agree on this graph: {found.reason}."
    else:
        of = f"∂{name(found.root)}/∂{name(found.node)}"
        right, wrong = number_text(found.right), number_text(found.wrong)
        yield f"They part at {name(found.node)}: {of} is {right}, and this gives {wrong}."
        rows = [("edge", "right", found.algorithm, "")]
        rows += [_row(found.algorithm, entry, name, is_last=entry is entries[-1]) for entry in entries[:_SHOWN_EDGES]]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows if entries else ():
            yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if len(entries) > _SHOWN_EDGES:
            yield f"  and {len(entries) - _SHOWN_EDGES} more edges"
        yield f"Why: {found.reason}."
        yield f"{found.wrong_nodes:,} of {found.nodes:,} gradients {'is' if found.wrong_nodes == 1 else 'are'} wrong."
    if found.handed_on != found.edges:
        yield f"It hands on {found.handed_on:,} contributions, where the right algorithm hands on {found.edges:,}."


def _row(algorithm: str, entry: Entry, name: Names, *, is_last: bool) -> tuple[str, str, str, str]:
    step = entry.step
    edge = f"{name(step.node)} → {name(step.parent)}"
    if step.node._inputs.count(step.parent) > 1:
        edge += f" as argument {step.argument}"
    handed = [product_text(one.upstream, one.local, one.upstream * one.local) for one in entry.handed]
    if entry.times > len(handed):
        handed.append(f"… {entry.times} in all")
    return (
        edge,
        product_text(step.upstream, step.local, step.contribution),
        ", ".join(handed),
        "; ".join(_remarks(algorithm, entry, name(step.node), is_last=is_last)),
    )


def _remarks(algorithm: str, entry: Entry, node: str, *, is_last: bool) -> Iterator[str]:
    first = entry.handed[0]
    if first.arrived < entry.uses:
        yield f"too early: {node} had {first.arrived} of its {entry.uses} contributions"
    if entry.times > 1:
        yield f"counted {'twice' if entry.times == 2 else f'{entry.times:,} times'}"
    if first.local != entry.step.local:
        yield f"the local derivative was {number_text(entry.step.local)} in the forward pass"
    if algorithm == "overwrite" and not is_last:
        yield "lost: the next contribution took its place"
