"""Reverse-mode differentiation: from a root back to the leaves, edge by edge.

``sweep`` is reverse mode in the open: it changes nothing and yields one ``Step`` per edge, over floats or over Values;
``hand_on`` is that one step, for whoever goes at a pace of their own. ``backward``, and ``hand_down`` for a part of the
way, are the same sweep with its eyes shut, for speed: same additions in the same order, the same gradients bit for bit.
Algorithm: reverse accumulation over a topological order (Linnainmaa 1970; Griewank & Walther, *Evaluating
Derivatives*, §3.2).
"""

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from autograd_mini import modes
from autograd_mini.errors import AnomalyError
from autograd_mini.number import as_recorded, number_text, product_text
from autograd_mini.printing import printable
from autograd_mini.source import SourceLine
from autograd_mini.tracer import refuse_unknown

__all__ = [
    "NOT_COMPUTED",
    "Step",
    "backward",
    "differentiable_arguments",
    "hand_down",
    "hand_on",
    "path_sizes",
    "made_at",
    "product",
    "refuse_anomaly",
    "steps",
    "sweep",
    "sweep_order",
]

# A zero told apart by identity: a gradient that no backward pass has written reads 0.0 and *is* this object.
NOT_COMPUTED = float("0.0")


class Step(NamedTuple):
    """One edge of the sweep: upstream × local = contribution.

    Attributes:
        node: the node whose gradient is being handed on.
        argument: which of ``node.parents`` receives it, counted from 0.
        parent: that parent.
        upstream: ∂root/∂node, complete by now.
        local: ∂node/∂parent along this edge.
        contribution: upstream × local, what this edge adds to the parent's gradient.
        before: the parent's gradient in this sweep before the step; `NOT_COMPUTED`, a 0.0, if this is the first one.
        after: and after it.
    """

    node: Any
    argument: int
    parent: Any
    upstream: float
    local: float
    contribution: float
    before: float
    after: float

    def __repr__(self) -> str:
        product = product_text(*map(as_recorded, (self.upstream, self.local, self.contribution)))
        total = f", total {number_text(as_recorded(self.after))}" if as_recorded(self.before) else ""
        return f"Step({_name(self.node)} → {_name(self.parent)}: {product}{total})"


def _name(node: Any) -> str:
    return printable(str(node.label)) or (node.op if node._inputs else number_text(as_recorded(node)))


def sweep_order(roots: Iterable[Any], stop: Iterable[Any] = ()) -> list[Any]:
    """List the nodes that hand a gradient on, roots first, each after everything that hands a gradient to it.

    Args:
        roots: where the gradients start.
        stop: nodes that hand nothing on, as if they were leaves.
    """
    order: list[Any] = []
    seen = set(stop)
    path: list[Any] = []
    stack: list[Any] = [root for root in roots if root._inputs]
    emit, pop, push, see = order.append, stack.pop, stack.append, seen.add
    while stack:
        node = pop()
        if node is None:
            emit(path.pop())
        elif node not in seen:
            see(node)
            path.append(node)
            push(None)  # comes up again when all that the node depends on has been emitted
            for parent in node._inputs:
                if parent._inputs and parent not in seen:
                    push(parent)
    order.reverse()
    return order


def steps(root: Any) -> Iterator[Step]:
    """Sweep from `root` to the leaves, yielding every edge as a ``Step``; no gradient in the graph is touched.

    Args:
        root: the Value to differentiate.

    Raises:
        TypeError: for anything but a Value.

    Example:
        >>> from autograd_mini import Value
        >>> a = Value(3.0, "a")
        >>> for step in steps(a * a):
        ...     print(step.argument, step.upstream, "×", step.local, "=", step.contribution, "; total", step.after)
        0 1.0 × 3.0 = 3.0 ; total 3.0
        1 1.0 × 3.0 = 3.0 ; total 6.0
    """
    if not hasattr(root, "_inputs"):
        raise TypeError(f"a gradient is taken of a Value, got {root!r:.60} of type {type(root).__name__}")
    refuse_unknown("steps", root)
    return sweep({root: 1.0}, sweep_order([root]))


def sweep(
    seeds: Mapping[Any, Any],
    order: Iterable[Any],
    *,
    to: Container[Any] | None = None,
    local_derivative: Callable[[Any, int], Any] | None = None,
) -> Iterator[Step]:
    """Hand gradients down through the nodes of `order`, yielding every edge as a ``Step``.

    Args:
        seeds: the nodes where the sweep starts and the gradients they start with.
        order: what ``sweep_order`` lists for these nodes.
        to: the only nodes to hand a gradient to; None for all.
        local_derivative: ``(node, argument)`` -> ∂node/∂argument. Where it returns Values, the sweep is of
            Values; without it the numbers are those that the forward pass recorded.
    """
    gradient: dict[Any, Any] = dict(seeds)
    for node in order:
        if node not in gradient:
            continue
        for argument, parent, recorded in zip(differentiable_arguments(node), node._inputs, node._locals, strict=True):
            if to is not None and parent not in to:
                continue
            step = hand_on(
                gradient, node, argument, parent, local_derivative(node, argument) if local_derivative else recorded
            )
            gradient[parent] = step.after
            yield step


def hand_on(gradient: Mapping[Any, Any], node: Any, argument: int, parent: Any, local: Any) -> Step:
    """Make the ``Step`` along one edge: upstream × local = contribution. The gradients so far are read, not written."""
    upstream = gradient[node]
    contribution = product(upstream, local)
    before = gradient.get(parent, NOT_COMPUTED)
    # Of Values, only sums that have two terms are recorded; of floats, 0.0 + -0.0 is the 0.0 of backward.
    is_sum = before is not NOT_COMPUTED or isinstance(contribution, float)
    after = before + contribution if is_sum else contribution
    return Step(node, argument, parent, upstream, local, contribution, before, after)


def hand_down(gradient: dict[Any, float], nodes: Iterable[Any], part: slice | None = None) -> None:
    """Do what ``sweep`` does for these nodes, into `gradient`, without a ``Step`` for each edge.

    Args:
        gradient: the gradients so far.
        nodes: nodes in the order of ``sweep_order``.
        part: which of a node's edges to take; None for all.
    """
    so_far = gradient.get
    for node in nodes:
        upstream = gradient[node]
        inputs, locals_ = node._inputs, node._locals
        if part is not None:
            inputs, locals_ = inputs[part], locals_[part]
        if len(inputs) == 2:  # spelled out, as in _sweep, because it takes a third of the time
            a, b = inputs
            local_a, local_b = locals_
            gradient[a] = so_far(a, 0.0) + upstream * local_a
            gradient[b] = so_far(b, 0.0) + upstream * local_b
        else:
            for parent, local in zip(inputs, locals_):  # noqa: B905  # as in _sweep
                gradient[parent] = so_far(parent, 0.0) + upstream * local


def path_sizes(root: Any) -> tuple[dict[Any, float], dict[Any, float], list[Any]]:
    """Add up the sizes of all paths from `root`: what a gradient was before its terms cancelled.

    Returns:
        Σ |∂ along the path| to every node; the same with each path weighted by its edges, which is the scale of the
        rounding errors in a gradient; and the nodes, root first.
    """
    order = sweep_order([root])
    size, doubt = {root: 1.0}, {root: 0.0}
    for node in order:
        for parent, local in zip(node._inputs, node._locals, strict=True):
            size[parent] = size.get(parent, 0.0) + size[node] * abs(local)
            doubt[parent] = doubt.get(parent, 0.0) + (doubt[node] + size[node]) * abs(local)
    return size, doubt, order


def product(a: Any, b: Any) -> Any:
    """a · b, where a factor that is the plain number 1 leaves no node behind."""
    if type(a) is float and a == 1.0:
        return b
    return a if type(b) is float and b == 1.0 else a * b


def differentiable_arguments(node: Any) -> Iterator[int]:
    """Yield the positions of ``node._inputs`` among its arguments; those between them are constants."""
    position = 0
    for wanted in node._inputs:
        while node._args[position] is not wanted:
            position += 1
        yield position
        position += 1


def backward(root: Any) -> None:
    """Write ∂root/∂node into ``node.grad`` of every node that `root` depends on.

    Interior nodes are overwritten. Leaves accumulate over passes, each pass being summed by itself first, so that a
    second pass doubles a leaf exactly. If the pass is interrupted, every leaf gets back the gradient it had.

    Args:
        root: the Value to differentiate.

    Raises:
        AnomalyError: under ``detect_anomaly()``, at the first gradient that is not finite; nothing is written then.
    """
    refuse_unknown("backward", root)
    if modes.switched and modes.current().anomaly:
        _refuse_anomalies(root)
    leaves: list[Any] = []
    earlier: list[float] = []
    try:
        _sweep(root, leaves, earlier)
        if any(earlier):
            for leaf, gradient in zip(leaves, earlier, strict=True):
                leaf._grad += gradient
    except BaseException:
        for leaf, gradient in zip(leaves, earlier, strict=False):
            leaf._grad = gradient
        for node in sweep_order([root]):
            if node._inputs:
                node._grad = NOT_COMPUTED
        raise


def _sweep(root: Any, leaves: list[Any], earlier: list[float]) -> None:
    """Do what ``steps`` does, into ``_grad``; leaves and their earlier gradients are noted in the lists given.

    Two zeros of this pass's own serve as marks: `opened` on a node whose parents are being visited, `done` on one that
    is in the order. That saves a set of all nodes, and sets the gradients to 0 on the way.
    """
    opened, done = float("0.0"), float("0.0")
    order: list[Any] = []
    stack: list[Any] = [root]
    push, pop, emit = stack.append, stack.pop, order.append
    if not root._inputs:
        earlier.append(root._grad)
        leaves.append(root)
    while stack:
        node = stack[-1]
        mark = node._grad
        if mark is opened:
            emit(pop())
            node._grad = done
        elif mark is done:
            pop()
        else:
            node._grad = opened
            for parent in node._inputs:
                if parent._grad is not done:
                    if parent._inputs:
                        push(parent)
                    else:
                        earlier.append(parent._grad)
                        leaves.append(parent)
                        parent._grad = done
    root._grad = 1.0
    order.reverse()
    for node in order:
        upstream = node._grad
        inputs = node._inputs
        if len(inputs) == 2:
            a, b = inputs
            local_a, local_b = node._locals
            a._grad += upstream * local_a
            b._grad += upstream * local_b
        elif len(inputs) == 1:
            inputs[0]._grad += upstream * node._locals[0]
        else:
            for parent, local in zip(inputs, node._locals):  # noqa: B905  # strict= costs time; a node has one local an input
                parent._grad += upstream * local


def _refuse_anomalies(root: Any) -> None:
    for step in steps(root):
        refuse_anomaly(step)


def refuse_anomaly(step: Step) -> None:
    """Raise an AnomalyError if the gradient that this step has brought to is not finite."""
    if not math.isfinite(as_recorded(step.after)):
        adds_up = f", which brings it to {step.after}" if math.isfinite(as_recorded(step.contribution)) else ""
        raise AnomalyError(
            f"the gradient that {step.node!r} hands to its argument {step.argument}, {step.parent!r}, is "
            f"{step.upstream} × {step.local} = {step.contribution}{adds_up}; {made_at(step.node.line)}"
        )


def made_at(line: SourceLine | None) -> str:
    """Say where a node was made, or how to find out."""
    if line is None:
        return "run the forward pass under detect_anomaly() too and this message will name the line"
    return f"the node was made at {line}"
