"""``Cursor``: a place in the reverse sweep that can be moved both ways.

It holds the gradients so far in a dict of its own and writes nothing into the graph. The last steps are remembered, so
going back restores what was there; to go back further, the sweep is run again up to that place, which gives the same
numbers bit for bit. Running far is done without looking, by ``hand_down``.
"""

from collections import ChainMap, deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

from autograd_mini.backward import NOT_COMPUTED, Step, differentiable_arguments, hand_down, hand_on
from autograd_mini.value import Value

__all__ = ["Cursor", "Place"]

_REMEMBERED = 1000

Place: TypeAlias = tuple[int, int]
"""How many operations have handed their gradient on, and how many edges of the next one."""


class Cursor:
    """A place in the reverse sweep of a graph, at its start.

    Args:
        order: the operations as ``sweep_order`` lists them.
        root: where the sweep starts.
        opened: for some of the operations, what hands their gradient on in their stead.

    Attributes:
        gradient: the gradients so far.
        log: the steps taken last, 1000 or so of them.
    """

    def __init__(self, order: Sequence[Value], root: Value, opened: Mapping[Value, Value]) -> None:
        self.order = order
        self.root = root
        self.opened = opened
        self.start_over()

    def start_over(self) -> None:
        """Go to the start."""
        self._operation = self._edge = 0
        self.gradient: dict[Value, float] = {self.root: 1.0}
        self.log: deque[Step] = deque(maxlen=_REMEMBERED)
        self._arguments_of: tuple[Value | None, Sequence[int]] = None, ()

    @property
    def place(self) -> Place:
        return self._operation, self._edge

    @property
    def node(self) -> Value | None:
        """The operation whose turn it is; None at the end."""
        return self.order[self._operation] if self._operation < len(self.order) else None

    def step(self, edge: int | None = None, gradient: Mapping[Value, float] | None = None) -> Step:
        """The step along an edge of the current node, the next one unless given; it is not taken."""
        node = self.order[self._operation]
        edges = self.opened.get(node, node)  # a dot, or the sum that stands in for it
        edge = self._edge if edge is None else edge
        gradient = self.gradient if gradient is None else gradient
        return hand_on(gradient, node, self._arguments(edges)[edge], edges._inputs[edge], edges._locals[edge])

    def take(self) -> Step:
        """Take the next step."""
        step = self.step()
        self.log.append(step)
        self.gradient[step.parent] = step.after
        self._operation, self._edge = self.normal(self._operation, self._edge + 1)
        return step

    def back(self, count: int) -> int:
        """Take up to `count` steps back, and return how many there were."""
        operation, edge = self.place
        place = self._earlier(self.place, count)
        if place == (0, 0):
            count = edge + sum(map(self.edges, range(operation)))
        self.go(place)
        return count

    def go(self, place: Place) -> None:
        """Go to a place, ahead or behind."""
        behind = place < self.place
        while self.log and place < self.place:
            step = self.log.pop()
            if step.before is NOT_COMPUTED:
                del self.gradient[step.parent]
            else:
                self.gradient[step.parent] = step.before
            self._operation, self._edge = self._earlier(self.place, 1)
        if behind and not self.log:
            self.start_over()  # and from there to the place, so that its last steps are known
        self._run(max(self.place, self._earlier(place, _REMEMBERED)))
        while self.place < place:
            self.take()

    def run_again(self, place: Place) -> None:
        """Start over and go to a place; should anything be raised on the way, such as by Ctrl-C, stand at the start."""
        self.start_over()
        try:
            self.go(place)
        except BaseException:
            self.start_over()  # a step may be half done
            raise

    def run_up_to(self, operation: int) -> None:
        """Go ahead to near an operation, so near that when one stands at it, the last steps are remembered."""
        place = self._earlier((min(operation, len(self.order)), 0), _REMEMBERED)
        if place > self.place:
            self._run(place)

    def ledger(self, around: int) -> tuple[list[Step], list[Step], int]:
        """The steps of the current node: the last ones done and the next ones, and how many it has in all.

        Args:
            around: how many to list of either kind, at most.
        """
        if self.node is None:
            return [], [], 0
        edges = self.edges(self._operation)
        gradient: ChainMap[Value, float] = ChainMap({}, self.gradient)
        coming = []
        for edge in range(self._edge, min(self._edge + around, edges)):
            coming.append(step := self.step(edge, gradient))
            gradient[step.parent] = step.after
        done = min(self._edge, around, len(self.log))
        return list(islice(self.log, len(self.log) - done, None)), coming, edges

    def edges(self, operation: int) -> int:
        """How many edges an operation has."""
        node = self.order[operation]
        return len(self.opened.get(node, node)._inputs)

    def normal(self, operation: int, edge: int) -> Place:
        """The place after so many edges of an operation; after the last one it is the next operation's turn."""
        return (operation, edge) if edge < self.edges(operation) else (operation + 1, 0)

    def _run(self, place: Place) -> None:
        """Go ahead without remembering the steps."""
        if place == self.place:
            return
        self.log.clear()
        operation, edge = place
        if operation == self._operation:
            self._hand_down([self.order[operation]], slice(self._edge, edge))
        else:
            first, *others = self.order[self._operation : operation]
            self._hand_down([first], slice(self._edge, None))
            self._hand_down(others)
            if edge:
                self._hand_down([self.order[operation]], slice(edge))
        self._operation, self._edge = place

    def _hand_down(self, nodes: Iterable[Value], part: slice | None = None) -> None:
        if not self.opened:
            return hand_down(self.gradient, nodes, part)
        for node in nodes:
            stand_in = self.opened.get(node, node)
            self.gradient[stand_in] = self.gradient[node]
            hand_down(self.gradient, [stand_in], part)
            if stand_in is not node:
                del self.gradient[stand_in]

    def _earlier(self, place: Place, steps: int) -> Place:
        """The place so many steps earlier; the start, if there are fewer."""
        operation, edge = place
        while edge < steps and operation:
            operation -= 1
            edge += self.edges(operation)
        return operation, max(edge - steps, 0)

    def _arguments(self, node: Any) -> Sequence[int]:
        if len(node._inputs) == len(node._args):
            return range(len(node._args))
        if self._arguments_of[0] is not node:
            self._arguments_of = node, tuple(differentiable_arguments(node))
        return self._arguments_of[1]
