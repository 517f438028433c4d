"""``debug``: walk through back propagation on a graph of your own, forwards and backwards, edge by edge."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Self

from autograd_mini.backward import Step, sweep_order
from autograd_mini.breakpoints import Breakpoint, breakpoint_at
from autograd_mini.cursor import Cursor, Place
from autograd_mini.notation import Names
from autograd_mini.opening import is_crosswise, opened
from autograd_mini.printing import always_answers
from autograd_mini.replay import recompute
from autograd_mini.standing import standing
from autograd_mini.stops import nodes_at, run_back, run_on
from autograd_mini.value import Value

__all__ = ["Debugger", "debug"]


def debug(loss: Value, *, open_dots: bool = False) -> "Debugger":
    """Step through back propagation on the graph of `loss`, in both directions.

    The debugger keeps its gradients to itself and writes none into the graph.

    Args:
        loss: the Value to differentiate.
        open_dots: show every ``dot`` that can be opened as the products it adds up, as ``Debugger.open`` does for one.

    Returns:
        A Debugger, which stands at the turn: the forward pass is done, the backward pass about to start.

    Raises:
        TypeError: for anything but a Value.

    Example:
        >>> x, w = Value(0.5, "x"), Value(2.0, "w")
        >>> dbg = debug((w * x).tanh())
        >>> dbg.until("x").finished
        True
    """
    if not isinstance(loss, Value):
        raise TypeError(f"debug steps through the graph of a Value, got {loss!r:.60} of type {type(loss).__name__}")
    debugger = Debugger(loss)
    return debugger.open_all() if open_dots else debugger


class Debugger:
    """A walk through the forward and the backward pass of a graph; ``debug`` makes one.

    Every method that moves returns the debugger, so that a REPL prints where it stands. Interrupted by Ctrl-C, or by an
    error in a function given to it, it stands where it stood; interrupted on the way there, at the start of the pass.

    Attributes:
        root: the Value that is differentiated.
        names: gives the name of a node.
        breakpoints: where ``until()`` stops.
        notice: what the last command has to say, if anything.
    """

    def __init__(self, root: Value) -> None:
        self.root = root
        self._cursor = Cursor(sweep_order([root]), root, {})
        self._computed = len(self.order)
        self.names = Names(self.order)
        self.breakpoints: list[Breakpoint] = []
        self.notice = ""

    @property
    def order(self) -> Sequence[Value]:
        """The operations in the order of the backward pass, root first."""
        return self._cursor.order

    @property
    def in_forward_pass(self) -> bool:
        """Whether operations of the forward pass are still to come."""
        return self._computed < len(self.order)

    @property
    def finished(self) -> bool:
        """Whether every operation has handed its gradient on."""
        return self._cursor.node is None

    @property
    def place(self) -> Place:
        """How many operations of the current pass are done, and how many edges of the next one."""
        return (self._computed, 0) if self.in_forward_pass else self._cursor.place

    @property
    def node(self) -> Value | None:
        """The operation whose turn it is; None when the backward pass is over."""
        return self.order[-1 - self._computed] if self.in_forward_pass else self._cursor.node

    @property
    def last(self) -> Step | None:
        """The step taken last; None in the forward pass and at the turn."""
        return self._cursor.log[-1] if self._cursor.log else None

    @property
    def upcoming(self) -> Step | None:
        """The step to be taken next; None in the forward pass and at the end."""
        return None if self.in_forward_pass or self.finished else self._cursor.step()

    @property
    def gradients(self) -> Mapping[Value, float]:
        """∂root/∂node as far as this pass has come, of every node that a contribution has reached."""
        return MappingProxyType(self._cursor.gradient)

    def gradient(self, node: Value | str) -> float:
        """∂root/∂node as far as this pass has come; 0.0 where no contribution has arrived.

        Args:
            node: the node, or its label or name.

        Raises:
            ValueError: for a label that no node has, or several.
        """
        return self._cursor.gradient.get(self._one(node), 0.0)

    def reached(self, node: Value) -> bool:
        """Whether a contribution has arrived at the node."""
        return node in self._cursor.gradient

    def stand_in(self, node: Value) -> Value:
        """The node itself; for an opened dot the sum of its products, whose parents get the dot's gradient."""
        return self._cursor.opened.get(node, node)

    def ledger(self, around: int = 4) -> tuple[list[Step], list[Step], int]:
        """The steps of the current node: `around` of the last and the next ones at most, and how many it has in all."""
        return ([], [], 0) if self.in_forward_pass else self._cursor.ledger(around)

    def find(self, where: Any) -> list[Value]:
        """List the nodes that a breakpoint at `where` would stand at, in the order of the forward pass.

        Raises:
            ValueError: if there is none.

        Example:
            >>> [node.data for node in debug(Value(2.0, "w1") * Value(3.0, "w2")).find("w*")]
            [2.0, 3.0]
        """
        return nodes_at(self._point(where), self.root, self.order)

    def step(self, count: int = 1) -> Self:
        """Hand `count` contributions on, or in the forward pass compute so many operations."""
        return self._advance(count, self._cursor.take)

    def next(self, count: int = 1) -> Self:
        """Go to the end of the current node: hand on all that is left of its contributions. So `count` times."""
        return self._advance(count, lambda: self._cursor.go((self._cursor.place[0] + 1, 0)))

    def back(self, count: int = 1) -> Self:
        """Take `count` steps back. Before the start of the backward pass lies the end of the forward pass."""
        with self._moving():
            left = len(_times(count))
            if not self.in_forward_pass:
                left -= self._cursor.back(left)
            if left > self._computed:
                self.notice = "this is the start of the forward pass"
            self._computed = max(self._computed - left, 0)
        return self

    def until(self, where: Any = None, **conditions: Any) -> Self:
        """Run on to the next stop: to what is described here, or to a breakpoint; without arguments to a breakpoint.

        An operation is reached when its turn comes, its gradient complete; a leaf each time a contribution arrives.
        With `when` or `non_finite` it stops after the step for which that holds. Where nothing stops it, it runs to the
        end of the backward pass, and says so.

        Args:
            where, **conditions: as for ``break_at``: ``op=``, ``line=``, ``when=``, ``non_finite=``; all must hold.

        Raises:
            TypeError: for a condition of the wrong kind.
            ValueError: if no node of the graph is meant, or there is nothing to stop at.
        """
        return self._run(run_on, where, **conditions)

    def back_until(self, where: Any = None, **conditions: Any) -> Self:
        """Run back to the stop before; see ``until``. Where nothing stops it, to the start of the forward pass."""
        return self._run(run_back, where, **conditions)

    def finish(self) -> Self:
        """Run to the end of the pass, past all breakpoints: in the forward pass to the turn."""
        with self._moving():
            if self.in_forward_pass:
                self._computed = len(self.order)
            else:
                self._cursor.go((len(self.order), 0))
        return self

    def restart(self, *, forward: bool = False) -> Self:
        """Go to the start of the backward pass, or of the forward pass."""
        with self._moving():
            self._computed = 0 if forward else len(self.order)
            self._cursor.start_over()
        return self

    def break_at(
        self,
        where: Any = None,
        *,
        op: str | None = None,
        line: str | int | None = None,
        when: Callable[[Step], Any] | None = None,
        non_finite: bool = False,
    ) -> Breakpoint:
        """Set a breakpoint, at which ``until()`` stops from now on. Of several conditions all must hold.

        Args:
            where: a Value; a label, in which ``*`` and ``?`` stand for anything and for one character; a name such as
                ``v7``, under which it is shown; several Values; or a module, whose parameters are meant.
            op: a row of the table, such as ``"tanh"``.
            line: the source line that made the node, ``"train.py:12"`` or 12; known under ``record_lines()``.
            when: a function of the ``Step`` just taken; the other conditions are then asked of its parent.
            non_finite: stop after a step that brings inf or nan; in the forward pass after an operation that does.

        Raises:
            TypeError: for a condition of the wrong kind.
            ValueError: if no node of the graph is meant.
        """
        point = self._point(where, op=op, line=line, when=when, non_finite=non_finite)
        nodes_at(point, self.root, self.order)
        self.breakpoints.append(point)
        return point

    def clear(self, number: int | None = None) -> Self:
        """Remove a breakpoint, counted from 1, or all of them; ValueError for a number that none has."""
        if number is not None and not 1 <= number <= len(self.breakpoints):
            raise ValueError(f"there is no breakpoint {number!r}; there are {len(self.breakpoints)}, counted from 1")
        del self.breakpoints[slice(None) if number is None else slice(number - 1, number)]
        return self

    def open(self, *dots: Value) -> Self:
        """Open a fused ``dot`` into its products, which then have a turn each; without arguments the current one.

        A dot that has begun to hand its gradient on is gone back to.

        Raises:
            ValueError: for a node that is not a ``dot`` of this graph, or in which a factor stands crosswise, so that
                product by product its contributions would be added in another order than ``backward()`` adds them.
        """
        cursor = self._cursor
        wanted = {dot for dot in dots or (self.node,) if dot not in cursor.opened}
        where = [(place, 0) for place, node in enumerate(self.order) if node in wanted]
        if len(where) < len(wanted):
            raise ValueError("only a dot of this graph can be opened into products")
        fresh: dict[Any, Value] = {dot: opened(dot, self.names) for dot in wanted}
        with self._moving():
            cursor.go(min([cursor.place, *where]))
            fans = [(node, *(fresh[node]._inputs if node in fresh else ())) for node in self.order]
            computed = sum(map(len, fans[len(fans) - self._computed :]))
            cursor.order, cursor.opened = [node for fan in fans for node in fan], {**cursor.opened, **fresh}
            self._computed = computed
        return self

    def open_all(self) -> Self:
        """Open every ``dot`` of the graph but those that ``open`` refuses, and say how many those are."""
        dots = [node for node in self.order if node.op == "dot"]
        closed = sum(map(is_crosswise, dots))
        if closed < len(dots):
            self.open(*(dot for dot in dots if not is_crosswise(dot)))
        if closed or not dots:
            some = f"{closed} of {len(dots)} dots stay closed: a factor stands in them crosswise"
            self.notice = some if dots else "there is no dot to open in this graph"
        return self

    def set(self, leaf: Value | str, data: float) -> Self:
        """Give a leaf another number, run the forward pass again, and stand at the same place again.

        This writes into the graph. The recorded operations are computed: an ``if`` in the function that made the graph
        is not decided anew.

        Args:
            leaf: the leaf, or its label.
            data: the number.

        Raises:
            TypeError: if `data` is not a real number.
            ValueError: if there is no such leaf, or several; or if an operation has no row in the table.
        """
        node = self._one(leaf)
        if node._inputs:
            raise ValueError(f"a number is set at a leaf, and {self.names(node)} is computed from others")
        nodes_at(self._point(node), self.root, self.order)
        with self._moving():
            recompute(reversed(self.order), node, data)
            self._cursor.run_again(self._cursor.place)
        return self

    __repr__ = always_answers(standing)

    def _one(self, where: Value | str) -> Value:
        first, *others = [where] if isinstance(where, Value) else self.find(where)
        if others:
            raise ValueError(f"{where!r:.60} is the name of {len(others) + 1} nodes; give the node itself")
        return first

    def _advance(self, count: int, move: Callable[[], Any]) -> Self:
        with self._moving():
            for _ in _times(count):
                if self.in_forward_pass:
                    self._computed += 1
                elif self.finished:
                    break
                else:
                    move()
        return self

    def _point(self, where: Any, **conditions: Any) -> Breakpoint:
        named = self.names.node(where) if isinstance(where, str) else None  # v7, as we call it
        return breakpoint_at(where, **conditions) if named is None else breakpoint_at(named, called=where, **conditions)

    def _run(self, search: Callable[..., tuple[int, bool]], where: Any, **conditions: Any) -> Self:
        points = list(self.breakpoints)
        is_asked = where is not None or any(condition not in (None, False) for condition in conditions.values())
        if is_asked:
            points.append(self._point(where, **conditions))
        if not points:
            raise ValueError('nothing to stop at: say until("label") or until(op="tanh"), or set a break_at(...)')
        with self._moving():
            self._computed, found = search(points, self._cursor, self._computed)
            if is_asked and (self.breakpoints or not found):  # looked for late, because it is there as a rule
                nodes_at(points[-1], self.root, self.order)
            if not found:
                texts = " or ".join(dict.fromkeys(point.text for point in points))
                self.notice = f"ran to the {'start' if self.in_forward_pass else 'end'}: nothing more at {texts}"
        return self

    @contextmanager
    def _moving(self) -> Iterator[None]:
        """Clear the notice; and should anything be raised, stand where one stood."""
        self.notice = ""
        computed, place = self._computed, self._cursor.place
        try:
            yield
        except BaseException:
            self._computed = computed
            self._cursor.run_again(place)
            raise


def _times(count: Any) -> range:
    if not isinstance(count, int) or count < 0:
        raise ValueError(f"count is {count!r}, but must be a whole number, 0 or more")
    return range(count)
