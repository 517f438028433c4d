"""Reverse-mode differentiation: from a root back to the leaves, edge by edge.

``steps`` is the sweep in the open: it changes nothing and yields one ``Step`` per edge. ``backward`` is the same sweep
with its eyes shut, for speed: same order, same additions, the same gradients bit for bit, written into the nodes.
Algorithm: reverse accumulation over a topological order (Linnainmaa 1970; Griewank & Walther, *Evaluating
Derivatives*, §3.2).
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from autograd_mini import modes
from autograd_mini.errors import AnomalyError
from autograd_mini.source import SourceLine

__all__ = ["NOT_COMPUTED", "Step", "backward", "differentiable_arguments", "gradients", "steps"]

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
        before: the parent's gradient in this sweep before the step.
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


def _sweep_order(root: Any) -> list[Any]:
    """List the nodes that hand a gradient on, root first, each after everything that hands a gradient to it."""
    if not hasattr(root, "_inputs"):
        raise TypeError(f"a gradient is taken of a Value, got {root!r:.60} of type {type(root).__name__}")
    order: list[Any] = []
    seen: set[Any] = set()
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        if node is None:
            order.append(stack.pop())
        elif node not in seen:
            seen.add(node)
            stack += (node, None)
            stack.extend(parent for parent in node._inputs if parent._inputs and parent not in seen)
    order.reverse()
    return order


def steps(root: Any) -> Iterator[Step]:
    """Sweep from `root` to the leaves, yielding every edge as a ``Step``; no gradient in the graph is touched.

    Args:
        root: the Value to differentiate.

    Example:
        >>> from autograd_mini import Value
        >>> a = Value(3.0, "a")
        >>> for step in steps(a * a):
        ...     print(step.argument, step.upstream, "×", step.local, "=", step.contribution, "; total", step.after)
        0 1.0 × 3.0 = 3.0 ; total 3.0
        1 1.0 × 3.0 = 3.0 ; total 6.0
    """
    gradient: dict[Any, float] = {root: 1.0}
    for node in _sweep_order(root):
        upstream = gradient[node]
        for argument, parent, local in zip(differentiable_arguments(node), node._inputs, node._locals, strict=True):
            contribution = upstream * local
            before = gradient.get(parent, 0.0)
            gradient[parent] = after = before + contribution
            yield Step(node, argument, parent, upstream, local, contribution, before, after)


def differentiable_arguments(node: Any) -> Iterator[int]:
    """Yield the positions of ``node._inputs`` among its arguments; those between them are constants."""
    position = 0
    for wanted in node._inputs:
        while node._args[position] is not wanted:
            position += 1
        yield position
        position += 1


def gradients(root: Any) -> dict[Any, float]:
    """Return ∂root/∂node for every node that a path reaches, root included, without touching any ``.grad``.

    Example:
        >>> from autograd_mini import Value
        >>> a, b = Value(3.0), Value(4.0)
        >>> gradients(a * b)[a]
        4.0
    """
    result = {root: 1.0}
    result.update((step.parent, step.after) for step in steps(root))
    return result


def backward(root: Any) -> None:
    """Write ∂root/∂node into ``node.grad`` of every node that `root` depends on.

    Interior nodes are overwritten. Leaves accumulate over passes, each pass being summed by itself first, so that a
    second pass doubles a leaf exactly. If the pass is interrupted, every leaf gets back the gradient it had.

    Args:
        root: the Value to differentiate.

    Raises:
        AnomalyError: under ``detect_anomaly()``, at the first gradient that is not finite; nothing is written then.
    """
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
        for node in _sweep_order(root):
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
        if not math.isfinite(step.after):
            adds_up = f", which brings it to {step.after}" if math.isfinite(step.contribution) else ""
            raise AnomalyError(
                f"the gradient that {step.node!r} hands to its argument {step.argument}, {step.parent!r}, is "
                f"{step.upstream} × {step.local} = {step.contribution}{adds_up}; " + _made_at(step.node.line)
            )


def _made_at(line: SourceLine | None) -> str:
    if line is None:
        return "run the forward pass under detect_anomaly() too and this message will name the line"
    return f"the node was made at {line}"
