"""Which part of a model or a program each node of a graph belongs to, as a path of names from the outside in.

The names are those of the scopes a node was recorded in, then those of the layer and the neuron whose parameters it
uses, read off their labels. A graph without either is grouped by its structure; see ``structure_of``.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from autograd_mini.graph import topological_order
from autograd_mini.rules import RULES

__all__ = ["LEVELS", "Groups", "cut_at", "groups_of", "layers_among", "with_leaves"]

Groups: TypeAlias = dict[Any, tuple[str, ...]]

LEVELS = ("neuron", "layer", "network")
"""Where the names of a model can be cut, from the inside out."""

_LOSS = ("loss",)
_UNIT = re.compile(r"neuron\d*|batch_norm|dropout")  # what nn calls the parts of a layer
_NORM = re.compile(r"batch_?norm\d*")
_ARITHMETIC = ("add", "sub", "mul", "div", "neg", "pow", "square")


def groups_of(root: Any) -> Groups:
    """Find the path of names of the group that each node belongs to.

    An operation on parameters belongs where their labels say, ``hidden.neuron1.w[0]`` to ``("hidden", "neuron1")``, and
    what is made of it goes with it, up to the next operation on parameters; what is made of several such parts, with
    the last of them. Behind the last operation on parameters that is only the activation function, and the rest is the
    group ``("loss",)``, unless it is in a scope. A parameter or constant goes with what uses it. Scopes stand in front
    of these names. What is in no group has the path ``()``.

    Example:
        >>> from autograd_mini import Value, dot, parameter
        >>> w, x = parameter(2.0, "hidden.neuron1.w[0]"), Value(3.0, "x")
        >>> groups = groups_of(y := dot([w], [x]).tanh())
        >>> groups[y], groups[w], groups[x]
        (('hidden', 'neuron1'), ('hidden', 'neuron1'), ())
    """
    order = topological_order(root)
    owners = {node: owner for node in order if (owner := _owner(node))}
    labels = _labels(order, owners)
    groups = {node: node.scope if path is _LOSS and node.scope else _joined(node.scope, path)
              for node, path in labels.items()}  # fmt: skip
    leaves = with_leaves(order, groups)
    return leaves | {leaf: owner for leaf, owner in owners.items() if not leaves[leaf]}


def with_leaves(order: Sequence[Any], groups: Groups) -> Groups:
    """Add the paths of the leaves to those of the operations: a parameter or constant goes with what uses it.

    Args:
        order: the whole graph, in topological order.
        groups: the paths of its operations.
    """
    uses: dict[Any, list[tuple[str, ...]]] = {}
    for node in groups:
        for parent in node.parents:
            if parent.op in ("parameter", "constant") and not parent.parents:
                uses.setdefault(parent, []).append(groups[node])
    return groups | {node: _common(uses.get(node, ())) for node in order if not node.parents}


def layers_among(paths: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """The paths of layers: what neurons, or other parts that ``nn`` knows, are in."""
    known = (path for path in set(paths) if any(_UNIT.fullmatch(name) or _NORM.fullmatch(name) for name in path))
    return {cut_at("layer", path) for path in known}


def cut_at(level: str, path: tuple[str, ...], layers: Collection[tuple[str, ...]] = frozenset()) -> tuple[str, ...]:
    """Cut a path of names at the neuron, at the layer around it, or at the network around that.

    Args:
        level: ``"neuron"``, ``"layer"`` or ``"network"``.
        path: the names. Without a neuron among them, it stays as it is, unless it is a layer to be put into a network.
        layers: the paths of layers.

    Example:
        >>> path = ("encoder", "hidden", "neuron1", "gate")
        >>> [cut_at(level, path) for level in LEVELS]
        [('encoder', 'hidden', 'neuron1'), ('encoder', 'hidden'), ('encoder',)]
        >>> [cut_at(level, ("hidden", "neuron1")) for level in LEVELS]
        [('hidden', 'neuron1'), ('hidden',), ('network',)]
    """
    unit = next((i for i, name in enumerate(path) if _UNIT.fullmatch(name)), None)
    if unit is None:
        return path[:-1] or ("network",) if level == "network" and path in layers else path
    if level == "neuron":
        return path[: unit + 1]
    return path[:unit] or ("layer",) if level == "layer" else path[: max(unit - 1, 0)] or ("network",)


def _owner(node: Any) -> tuple[str, ...]:
    """The path in the label of a parameter, without the last part, which names the parameter itself."""
    if node.op != "parameter" or node.parents:
        return ()
    return tuple(part for part in str(node.label).split(".")[:-1] if part.strip())


def _before_parameters(order: Sequence[Any], owners: Groups) -> set[Any]:
    """The nodes from which a path leads on to an operation on parameters."""
    found: set[Any] = set()
    for node in reversed(order):
        if node in found or any(parent in owners for parent in node.parents):
            found.update(node.parents)
    return found


def _labels(order: Sequence[Any], parameters: Groups) -> Groups:
    """The path of each operation by the labels of parameters."""
    owners = dict(parameters)
    for node in order:  # a parameter times a constant is as good as a parameter
        scaled = [parameters[parent] for parent in node.parents if parent in parameters]
        if node.op == "mul" and len(scaled) == 1 and any(parent.op == "constant" for parent in node.parents):
            owners[node] = scaled[0]
    ahead = _before_parameters(order, owners)
    labels: Groups = {}
    stage: dict[Any, int] = {}  # how many parts of the model lie before a node
    for node in order:
        if node.parents:
            labels[node] = owners.get(node) or _label(node, owners, labels, stage, node in ahead)
            before = (stage[p] + (labels[p] != labels[node]) for p in node.parents if p in labels)
            stage[node] = max(before, default=0)
    return _normalized(order, owners, labels)


def _label(node: Any, owners: Groups, labels: Groups, stage: Mapping[Any, int], is_ahead: bool) -> tuple[str, ...]:
    used = [owners[parent] for parent in node.parents if parent in owners]
    if used:
        return _common(used)
    made_of = [parent for parent in node.parents if parent.parents]
    alone = len([parent for parent in node.parents if parent.op != "constant"]) == 1
    if is_ahead or (alone and _is_activation(node.op)):
        last = max((stage[parent] for parent in made_of), default=0)
        return _common([labels[parent] for parent in made_of if stage[parent] == last])
    return _LOSS if any(labels[parent] for parent in made_of) else ()


def _normalized(order: Sequence[Any], owners: Groups, labels: Groups) -> Groups:
    """Put arithmetic that a batch normalization alone uses, such as the mean of a batch, into it."""
    into: dict[Any, set[tuple[str, ...]]] = {}
    for node in reversed(order):
        if not node.parents:
            continue
        users = into.get(node, set())
        if len(users) == 1 and not _is_activation(node.op) and not any(parent in owners for parent in node.parents):
            (path,) = users
            if path and _NORM.fullmatch(path[-1]):
                labels[node] = path
        for parent in node.parents:
            into.setdefault(parent, set()).add(labels[node])
    return labels


def _is_activation(op: str) -> bool:
    return op in RULES and RULES[op].arity is not None and op not in _ARITHMETIC


def _joined(scope: tuple[str, ...], labels: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the scopes and then those of the labels; what both say is said once."""
    shared = next(k for k in range(min(len(scope), len(labels)), -1, -1) if scope[len(scope) - k :] == labels[:k])
    return scope + labels[shared:]


def _common(paths: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The names that all the paths begin with."""
    different = list(set(paths))
    if len(different) <= 1:
        return different[0] if different else ()
    first, last = min(different), max(different)
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]
