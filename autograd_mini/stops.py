"""Finding where a breakpoint stops: the places in the sweep that the graph alone decides, found without running it."""

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from autograd_mini.backward import Step
from autograd_mini.breakpoints import Breakpoint
from autograd_mini.cursor import Cursor, Place
from autograd_mini.printing import printable
from autograd_mini.value import Value

__all__ = ["nodes_at", "run_back", "run_on"]

_STRETCH = 4096  # operations looked through at a time, so that they are in the cache still when the sweep comes


def _all_nodes(order: Sequence[Value]) -> dict[Value, None]:
    """Every node that takes part in the differentiation, in the order of the forward pass."""
    nodes: dict[Value, None] = {}
    for node in reversed(order):
        for parent in node._inputs:
            nodes[parent] = None
        nodes[node] = None
    return nodes


def nodes_at(point: Breakpoint, root: Value, order: Sequence[Value]) -> list[Value]:
    """List the nodes that a breakpoint stands at, in the order of the forward pass.

    Raises:
        ValueError: if there is none.
    """
    nodes = _all_nodes(order) or {root: None}
    if found := [node for node in nodes if point.holds(node)]:
        return found
    if point.by_line and not any(node.line for node in nodes):
        raise ValueError("no node of this graph knows its source line; make the graph in a file, under record_lines()")
    labels = [*dict.fromkeys(printable(str(node.label)) for node in nodes if node.label)]
    wanted = point.text.removeprefix("label ")
    near = difflib.get_close_matches(wanted, labels[:10_000], 3)
    if point.by_line:
        hint = f"its lines are {_some(sorted({str(node.line.number) for node in nodes if node.line}))}"
    elif point.text.startswith("op "):
        hint = f"its ops are {_some(sorted({node.op for node in order}))}"
    elif any(label.startswith(wanted) for label in labels):
        hint = f"write {wanted}* for all labels that begin so"
    elif near:
        hint = f"did you mean {' or '.join(near)}?"
    elif labels:
        hint = f"its labels are {_some(labels)}"
    else:
        hint = "its nodes have no labels; give them some where they are made, as in Value(2.0, 'w')"
    raise ValueError(f"no node of this graph is at {point.text}; {hint}")


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:8]) + ", …" * (len(texts) > 8)


def run_on(points: Sequence[Breakpoint], cursor: Cursor, computed: int) -> tuple[int, bool]:
    """Run to the next stop.

    Args:
        points: where to stop.
        cursor: where the backward pass stands; it is moved.
        computed: how many operations the forward pass has computed.

    Returns:
        How many it has computed then, and whether a breakpoint was met. If none was, all has been run to the end.
    """
    operations = len(cursor.order)
    if computed < operations:
        for done in range(computed + 1, operations + 1):
            if _stops_forward(points, cursor.order, done):
                return done, True
    numeric = [point for point in points if point.when]
    after = cursor.place
    while not (found := next(_places(points, cursor, after), None)) and after[0] < operations:
        after = after[0] + _STRETCH, -1
        if not numeric:
            cursor.run_up_to(after[0])
    end = found or (operations, 0)
    if not numeric:
        cursor.go(end)
    while cursor.place < end:
        if _stops_after(numeric, cursor.take()):
            return operations, True
    return operations, found is not None


def run_back(points: Sequence[Breakpoint], cursor: Cursor, computed: int) -> tuple[int, bool]:
    """Run back to the stop before; see ``run_on``. If none is met, the forward pass is about to start."""
    operations, here = len(cursor.order), cursor.place
    if here > (0, 0):
        stops = [(0, 0)] if _stops_forward(points, cursor.order, operations) else []
        for start in range(0, here[0] + 1, _STRETCH):
            stops += [place for place in _places(points, cursor, (start, -1)) if (0, 0) < place < here]
        if numeric := [point for point in points if point.when]:
            cursor.start_over()
            while cursor.place < here:
                if _stops_after(numeric, cursor.take()) and cursor.place < here:
                    stops.append(cursor.place)
        cursor.go(max(stops, default=(0, 0)))
        if stops:
            return operations, True
    for done in range(computed - 1, -1, -1):
        if _stops_forward(points, cursor.order, done):
            return done, True
    return 0, False


def _places(points: Sequence[Breakpoint], cursor: Cursor, after: Place) -> Iterator[Place]:
    """Yield where the points stop, on a stretch after a place: at the turn of an operation, after a step to a leaf."""
    at_turn = _any(point.holds for point in points if point.when is None and point.operations)
    at_leaf = _any(point.holds for point in points if point.when is None and point.leaves)
    first = after[0]
    for operation, node in enumerate(cursor.order[first : first + _STRETCH], first):
        if at_turn and at_turn(node) and (operation, 0) > after:
            yield operation, 0
        if at_leaf and node not in cursor.opened:
            for done, parent in enumerate(node._inputs, 1):
                if not parent._inputs and at_leaf(parent) and (operation, done) > after:
                    yield cursor.normal(operation, done)


def _any(tests: Iterable[Callable[[Value], bool]]) -> Callable[[Value], bool] | None:
    several = list(tests)
    return (lambda node: any(test(node) for test in several)) if len(several) > 1 else next(iter(several), None)


def _stops_at(points: Sequence[Breakpoint], node: Value) -> bool:
    return any(point.when is None and point.holds(node) for point in points)


def _stops_after(numeric: Sequence[Breakpoint], step: Step) -> bool:
    return any(point.when is not None and point.holds(step.parent) and point.when(step) for point in numeric)


def _stops_forward(points: Sequence[Breakpoint], order: Sequence[Value], done: int) -> bool:
    """Tell whether to stop in the forward pass when so many operations are done, or at the turn when all are."""
    if done < len(order):
        upcoming = order[-1 - done]
        here = [upcoming, *(parent for parent in upcoming._inputs if not parent._inputs)]
    else:
        here = [order[0]]  # its turn comes first in the backward pass
    if any(_stops_at(points, node) for node in here):
        return True
    computed = order[-done] if done else None
    return computed is not None and any(
        point.non_finite and not math.isfinite(computed.data) and point.holds(computed) for point in points
    )
