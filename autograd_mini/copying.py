"""Copies and pickles of a whole graph, at any depth: both walk the graph with a list, never by recursion."""

from collections.abc import Callable
from typing import Any, TypeVar

from autograd_mini.backward import differentiable_arguments
from autograd_mini.graph import topological_order

__all__ = ["copy_graph", "copy_node", "pack_graph"]

V = TypeVar("V", bound=Any)


def copy_node(node: V) -> V:
    """Make a twin of one node; it shares the parents."""
    twin: V = object.__new__(node.__class__)
    state = object.__getstate__(node)  # what a subclass adds is in it too
    for attributes in state if isinstance(state, tuple) else (state,):
        for name, value in (attributes or {}).items():
            setattr(twin, name, value)
    return twin


def copy_graph(root: V, memo: dict[int, Any]) -> V:
    """Copy `root` and all it depends on, sharing included. `memo` is that of ``copy.deepcopy``."""
    for node in topological_order(root):
        if id(node) not in memo:
            memo[id(node)] = twin = copy_node(node)
            twin._args = tuple(memo[id(arg)] for arg in node.parents)
            twin._inputs = tuple(memo[id(parent)] for parent in node._inputs)
    copy: V = memo[id(root)]
    return copy


def pack_graph(root: V) -> tuple[Callable[..., V], tuple[Any, ...]]:
    """Describe `root` and all it depends on for pickle.

    Leaves go in as themselves, so that leaves shared by several roots of one pickle (a model and its loss, say) stay
    shared; interior nodes go in as records that name their parents by position.
    """
    if not root._args:
        return _unpack_leaf, (type(root), *_state(root))
    order = topological_order(root)
    leaves = [node for node in order if not node._args]
    interior = [node for node in order if node._args]
    position = {node: i for i, node in enumerate(leaves + interior)}
    records = [
        (_state(node), [position[parent] for parent in node.parents], [*differentiable_arguments(node)], node._locals)
        for node in interior
    ]
    return _unpack_graph, (type(root), leaves, records)


def _state(node: Any) -> tuple[float, float | None, str, str]:
    return node.data, node.grad if node.has_grad else None, node.label, node.op


def _unpack_leaf(kind: type[V], data: float, grad: float | None, label: str, op: str) -> V:
    leaf: V = kind(data, label)
    leaf.grad = grad
    leaf.op = op
    return leaf


def _unpack_graph(kind: type[V], leaves: list[V], records: list[tuple[Any, ...]]) -> V:
    nodes = list(leaves)
    for state, parents, differentiable, locals_ in records:
        node = _unpack_leaf(kind, *state)
        node._args = tuple(nodes[i] for i in parents)
        node._inputs = tuple(node._args[i] for i in differentiable)
        node._locals = locals_
        nodes.append(node)
    root: V = nodes[-1]
    return root
