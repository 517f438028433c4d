"""``draw_dot``: the graph behind a Value, operation by operation."""

from typing import Any

from autograd_mini import GraphTooLargeError, Report, Value
from autograd_mini.folding import MOST_NODES, Fold, Group
from nn import Module
from viz.colors import theme_named
from viz.figure import Figure
from viz.graph_dot import graph_source
from viz.graph_scene import GraphScene
from viz.graph_text import graph_text
from viz.marks import proof_for
from viz.view import part_of

__all__ = ["draw_dot"]


def draw_dot(
    value: Value,
    *,
    fold: Fold = None,
    focus: Value | None = None,
    radius: int = 2,
    paths_to: Value | None = None,
    show_local: bool = False,
    marks: bool | Report = False,
    force: bool = False,
    theme: str = "light",
    rankdir: str = "LR",
) -> Figure:
    """Draw the operations that `value` was made by, with their numbers and their gradients; all, or as many as wanted.

    Each node says what it is: ``input``, ``parameter``, ``constant``, the sign of its operation, and ``output`` for
    `value` itself. An edge runs from each argument to the node made of it, in the order of the arguments, and has its
    number where that order counts. Pointing at a node tells its name, which is that of ``debug`` where it has no label.

    A group of operations that is folded, such as a neuron, a layer or a ``scope``, is one node with a double frame, and
    the edges carry derivatives: the local derivative of a single operation, the total derivative of a group's output by
    its input, so that the chain rule can be followed from `value` to the leaves. Of several between the same two nodes,
    their number and the largest are told.

    Args:
        value: the root of the graph, such as a loss.
        fold: how far to fold: ``"neuron"``, ``"layer"``, ``"network"``; how many levels of groups to leave open, 0 for
            none; ``"structure"`` for groups of what is computed alike, in a graph without names; ``"auto"`` for as open
            as 300 nodes, 40 of them side by side, allow; None for every operation by itself.
        focus: a node; only what is near it is drawn.
        radius: how many edges away from `focus` that may be, in both directions; of an operation with more than 20
            leaves among its arguments, such as a dot, those next to what is shown, and how many more there are.
        paths_to: a node; only what lies on a path from `value` to it is drawn, and the paths are emphasised.
        show_local: write the local derivative ∂node/∂argument on each edge.
        marks: True to check each gradient by finite differences and write a sign beside it; or a report of
            ``gradcheck`` on the same root, whose verdicts are taken over.
        force: draw a graph of more than 300 nodes too.
        theme: a name from ``viz.colors.THEMES``.
        rankdir: where the graph runs to: ``"LR"`` (to the right), ``"RL"``, ``"TB"`` or ``"BT"``.

    Returns:
        A Figure; its ``text`` says the same in lines.

    Raises:
        TypeError: for anything but a Value.
        GraphTooLargeError: for more than 300 nodes, unless forced.
        ValueError: for an unknown theme, direction or way to fold, a radius below 1, or a `focus` or `paths_to` that
            `value` does not depend on, or marks on a graph whose data was changed.

    Example:
        >>> a = Value(3.0, label="a")
        >>> figure = draw_dot(a * a + 1)
        >>> figure.source.count("->")
        4
        >>> from nn import MLP
        >>> model = MLP(49, [3, 10], seed=0)
        >>> loss = sum(y * y for y in model([0.5] * 49))
        >>> draw_dot(loss, fold="layer")  # doctest: +ELLIPSIS
        Figure(graph of 387 nodes folded to 3, ... characters of DOT; .save("picture.svg") draws it)
        >>> draw_dot(loss, paths_to=model.layers[0].neurons[1].b)  # doctest: +ELLIPSIS
        Figure(43 nodes of 387, ... characters of DOT; .save("picture.svg") draws it)
    """
    if not isinstance(value, Value):
        raise TypeError(_wrong_type(value))
    proof = proof_for(value, marks)
    scene = part_of(value, fold, focus, radius, paths_to, show_local=show_local)
    if len(scene.nodes) > MOST_NODES and not force:
        raise GraphTooLargeError(_too_large(scene, fold))
    source = graph_source(scene, theme_named(theme), rankdir, proof)
    return Figure(source, scene.description, lambda: graph_text(scene, proof))


def _too_large(scene: GraphScene, fold: Fold) -> str:
    how = 'fold it, draw_dot(loss, fold="auto"), or fold="layer", "neuron" or "structure"'
    if fold in ("auto", "structure"):
        how = "it cannot be folded any further"
    elif fold is not None:
        has_names = any(isinstance(node, Group) and node.operations for node in scene.nodes)
        why = "fold it further" if has_names else f'fold={fold!r} folds named groups, and it has none; fold="structure"'
        how = f'{why}, draw_dot(loss, fold="auto")' if has_names else f'{why} or "auto" needs no names'
    part = "draw_dot(loss, focus=node), draw_dot(loss, paths_to=w)"
    if scene.marked is not None:
        part = "draw_dot(loss, focus=node, radius=1)"
    elif scene.on_paths:
        part = "draw_dot(loss, focus=node, paths_to=w)"
    return (
        f"this picture has {len(scene.nodes):,} nodes, more than the {MOST_NODES} that a picture of single operations "
        f"can show; {how}; draw a network as cards, draw_network(model, example=..., loss=...); draw a smaller part of "
        f"the graph, {part}, or draw_dot(node) for a node further from the loss; or insist, draw_dot(loss, force=True)"
    )


def _wrong_type(value: Any) -> str:
    if isinstance(value, Module):
        return f"draw_dot draws the graph of a Value, got the module {value!r}; use draw_network(model)"
    if isinstance(value, (list, tuple)):
        return f"draw_dot draws the graph of one Value, got a {type(value).__name__} of {len(value)}; draw one of them"
    return f"draw_dot draws the graph of a Value, got {value!r:.60} of type {type(value).__name__}; make it a Value"
