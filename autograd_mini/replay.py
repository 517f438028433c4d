"""A graph that stands, computed again from its table rows: with other numbers, or with another kind of number."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from autograd_mini.anomalies import operation_text
from autograd_mini.backward import differentiable_arguments, sweep_order
from autograd_mini.graph import topological_order
from autograd_mini.kits import COMPLEX, FLOAT, Kit
from autograd_mini.number import as_recorded, number
from autograd_mini.rules import RULES
from autograd_mini.tracer import refuse_unknown
from autograd_mini.value import Value

__all__ = ["Replay", "branches", "misfits", "recompute", "refuse_changed_data"]

_LEAST_IMAGINARY = 1e-290  # well above the subnormal numbers, which have fewer digits
_NO_ROW = "the op {!r} has no row to compute it by; define it with @primitive"
_LEAST_STEP = 1e-100  # with a smaller one, an imaginary part of 0 may be one that has underflowed


class Replay:
    """A graph, ready to be computed again.

    Args:
        root: its root.

    Example:
        >>> from autograd_mini.kits import FLOAT
        >>> x = Value(3.0)
        >>> Replay(x * x + 1).at(x, FLOAT)(5.0)
        (26.0, [])
    """

    def __init__(self, root: Value) -> None:
        self.root = root
        self.nodes = topological_order(root)
        self._position = {node: i for i, node in enumerate(self.nodes)}
        self._users: dict[Value, list[Value]] = {}
        for node in self.nodes:
            for parent in node._inputs:
                self._users.setdefault(parent, []).append(node)

    def depending_on(self, x: Value) -> list[Value]:
        """List the nodes that are computed from `x`, parents before children."""
        found: set[Value] = set()
        stack = [x]
        while stack:
            fresh = [user for user in self._users.get(stack.pop(), ()) if user not in found]
            found.update(fresh)
            stack += fresh
        return sorted(found, key=self._position.__getitem__)

    def compute(
        self, numbers: Mapping[Value, Any], nodes: Iterable[Value], result_of: Callable[[Value, list[Any]], Any]
    ) -> Any:
        """Compute `nodes` again, with other `numbers` at some others, and return what stands at the root then."""
        results = dict(numbers)
        for node in nodes:
            args = [results.get(arg, arg.data) if isinstance(arg, Value) else arg for arg in node._args]
            results[node] = result_of(node, args)
        return results.get(self.root, self.root.data)

    def at(self, x: Value, k: Kit) -> Callable[[Any], tuple[Any, list[Any]]]:
        """Make the function from a number at `x` to the number at the root, and the sides of all kinks on the way.

        Raises:
            ValueError: if an op on the way has no row in the table.
        """
        nodes = self.depending_on(x)
        for node in nodes:
            if node.op not in RULES:
                raise ValueError(_NO_ROW.format(node.op))

        def value_and_branch(number: Any) -> tuple[Any, list[Any]]:
            sides: list[Any] = []

            def result_of(node: Value, args: list[Any]) -> Any:
                rule = RULES[node.op]
                if rule.kinks:
                    sides.append(rule.sides(args))
                return rule.forward(k, *args)

            return self.compute({x: number}, nodes, result_of), sides

        return value_and_branch

    def complex_step(self, x: Value, at: float | None = None) -> float | None:
        """∂root/∂x as the imaginary part of the graph computed at x + i·h, which loses no digits.

        Source: Squire & Trapp 1998, *Using complex variables to estimate derivatives of real functions*.

        Args:
            x: the node to differentiate by.
            at: the number to have there; None for its own.

        Returns:
            The derivative; None if an op on the way is not analytic, or not known over the complex numbers, or if the
            imaginary part is too small to be told.

        Example:
            >>> import math
            >>> from autograd_mini import sin
            >>> x = Value(1.0)
            >>> Replay(sin(x) * x).complex_step(x) == math.cos(1.0) + math.sin(1.0)
            True
        """
        place = x.data if at is None else at
        step = 1e-30 * (abs(place) or 1.0)
        try:
            y, _ = self.at(x, COMPLEX)(complex(place, step))
            is_lost = abs(y.imag) < _LEAST_IMAGINARY and (y.imag != 0.0 or step < _LEAST_STEP)
            return None if is_lost else float(y.imag / step)
        except Exception:  # an op of the user's, given a complex number, may raise anything
            return None

    def scatter(self, x: Value) -> float:
        """How far the complex steps at the floats next to `x` are from that at `x`: what roundings may do to it."""
        here = self.complex_step(x)
        near = [self.complex_step(x, x.data + steps * math.ulp(x.data)) for steps in (-2, -1, 1, 2)]
        return max((abs(one - here) for one in near if one is not None and here is not None), default=0.0)


def branches(root: Value) -> list[tuple[Any, ...]]:
    """Tell which operations were recorded and on which side of its kinks each of them was.

    Two runs of a function that differ in this are on different branches of it, and no difference may be taken between
    them.
    """
    found: list[tuple[Any, ...]] = [(root.op, len(root._inputs))]
    for node in sweep_order([root]):
        rule = RULES.get(node.op)
        sides = rule.sides(list(map(float, node._args))) if rule and rule.kinks else ()
        found.append((node.op, len(node._inputs), *sides))
    return found


def misfits(node: Value) -> Iterator[tuple[int | None, float, float]]:
    """Yield what a node holds and its row no longer gives: derivative by which argument (None: value), held, given."""
    rule = RULES.get(node.op)
    if rule is None or not node._args:
        return
    args, data = list(map(as_recorded, node._args)), as_recorded(node)
    y = rule.forward(FLOAT, *args)
    if not _is_same(data, y):
        yield None, data, y
    # Of a sum, a mean and logsumexp the derivatives follow from the value, or are constant.
    elif not (rule.arity is None and rule.commutative):
        for argument, local in zip(differentiable_arguments(node), node._locals, strict=True):
            now = rule.partial(FLOAT, argument, y, args)
            if not _is_same(local, now):
                yield argument, local, now


def recompute(order: Iterable[Value], leaf: Value, data: Any) -> None:
    """Give a leaf another number and run the recorded forward pass again, in place.

    All operations are computed, also those that do not depend on the leaf: other data may have been changed before.

    Args:
        order: the operations, parents before children.
        leaf: the leaf.
        data: the number.

    Raises:
        TypeError: if `data` is not a real number.
        ValueError: if an op has no row in the table. Nothing is changed then.

    Example:
        >>> x = Value(3.0)
        >>> y = x * x
        >>> recompute([y], x, 4)
        >>> y.data, y.local_derivatives
        (16.0, (4.0, 4.0))
    """
    refuse_unknown("assigned data", leaf)
    fresh: dict[Value, tuple[float, tuple[float, ...]]] = {leaf: (number(data, "the number to set"), ())}
    for node in order:
        if node.op not in RULES:
            raise ValueError(_NO_ROW.format(node.op))
        rule = RULES[node.op]
        args = [fresh[arg][0] if arg in fresh else float(arg) for arg in node._args]
        y = rule.forward(FLOAT, *args)
        fresh[node] = y, tuple(rule.partial(FLOAT, i, y, args) for i in differentiable_arguments(node))
    held = {node: (node._data, node._locals) for node in fresh}
    try:
        _write(fresh)
    except BaseException:  # Ctrl-C: all of the numbers, or none
        _write(held)
        raise


def _write(numbers: Mapping[Value, tuple[float, tuple[float, ...]]]) -> None:
    for node, (y, local) in numbers.items():
        node._data, node._locals = y, local


def refuse_changed_data(nodes: Iterable[Value], *, partials: bool = True) -> None:
    """Make sure that every node still holds what its row gives for its operands.

    Args:
        nodes: the nodes.
        partials: look at the local derivatives too; 0 · b is 0 whatever b has become.

    Raises:
        ValueError: if one does not, because data was assigned after the forward pass.
    """
    for node in nodes:
        for argument, was, now in misfits(node):
            if argument is None or partials:
                what = operation_text(node.op, node._args)
                if argument is not None:
                    what = f"the derivative of {what} by argument {argument}"
                raise ValueError(
                    f"{what} was {was} in the forward pass and is {now} now: data was changed; run the forward pass "
                    "again"
                )


def _is_same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))
