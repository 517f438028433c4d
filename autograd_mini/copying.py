"""Copies and pickles of a whole graph, at any depth: both walk the graph with a list, never by recursion."""

import copy
from typing import Any, TypeVar

from autograd_mini.backward import differentiable_arguments
from autograd_mini.graph import topological_order
from autograd_mini.tracer import refuse_unknown

__all__ = ["copy_graph", "copy_node", "pack_graph"]

V = TypeVar("V", bound=Any)


def copy_node(node: V) -> V:
    """Make a twin of one node; it shares the parents."""
    if not node._args:
        refuse_unknown("copy", node)
    twin: V = object.__new__(node.__class__)
    for name, value in _attributes(node).items():
        setattr(twin, name, value)
    return twin


def copy_graph(root: V, memo: dict[int, Any]) -> V:
    """Copy `root` and all it depends on, sharing included. `memo` is that of ``copy.deepcopy``."""
    refuse_unknown("copy", root)
    for node in topological_order(root):
        if id(node) in memo:
            continue
        if node._args:
            memo[id(node)] = twin = copy_node(node)
            twin._args = tuple(memo[id(arg)] for arg in node.parents)
            twin._inputs = tuple(memo[id(parent)] for parent in node._inputs)
        else:  # only a leaf is ever of a subclass, whose own attributes need copies too
            memo[id(node)] = twin = object.__new__(node.__class__)
            for name, value in _attributes(node).items():
                setattr(twin, name, copy.deepcopy(value, memo))
    duplicate: V = memo[id(root)]
    return duplicate


def pack_graph(root: V) -> tuple[Any, ...]:
    """Describe `root` and all it depends on for pickle.

    Leaves go in as themselves, so that leaves shared by several roots of one pickle (a model and its loss, say) stay
    shared; interior nodes go in as records that name their parents by position, once for every root that needs them.
    """
    refuse_unknown("copy", root)
    if not root._args:
        attributes = _attributes(root)
        for edges in ("_args", "_inputs", "_locals"):
            del attributes[edges]  # a leaf has none
        if not root.has_grad:
            del attributes["_grad"]  # the mark is an identity, which no pickle keeps
        return _bare_leaf, (type(root),), (None, attributes)
    order = topological_order(root)
    leaves = [node for node in order if not node._args]
    interior = [node for node in order if node._args]
    position = {node: i for i, node in enumerate(leaves + interior)}
    records = [
        (_state(node), [position[parent] for parent in node.parents], [*differentiable_arguments(node)], node._locals)
        for node in interior
    ]
    return _unpack_graph, (type(root), leaves, records)


def _attributes(node: Any) -> dict[str, Any]:
    """All attributes of a node by name, with those that a subclass adds, in slots or not."""
    state: Any = object.__getstate__(node)
    of_instance, of_slots = state
    return {**of_slots, **(of_instance or {})}


def _state(node: Any) -> tuple[Any, ...]:
    return node.data, node.grad if node.has_grad else None, node.label, node.op, getattr(node, "_origin", None)


def _bare_leaf(kind: type[V]) -> V:
    leaf: V = object.__new__(kind)
    leaf._args = leaf._inputs = leaf._locals = ()
    leaf.grad = None
    return leaf


def _unpack_graph(kind: type[V], leaves: list[V], records: list[tuple[Any, ...]]) -> V:
    nodes = list(leaves)
    for (data, grad, label, op, origin), parents, differentiable, locals_ in records:
        node = kind(data, label)
        node.grad = grad
        node.op = op
        node._args = tuple(nodes[i] for i in parents)
        node._inputs = tuple(node._args[i] for i in differentiable)
        node._locals = locals_
        if origin is not None:
            node._origin = origin
        nodes.append(node)
    root: V = nodes[-1]
    return root
