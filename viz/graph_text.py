"""The scene of a graph in lines of plain text, for a terminal or a screen reader."""

from typing import Any

from autograd_mini import Value
from autograd_mini.folding import Group
from autograd_mini.number import number_text
from autograd_mini.printing import printable
from viz.graph_scene import GraphScene, Link
from viz.marks import Proof
from viz.scene import Number, Rest

__all__ = ["graph_text"]

_MOST_NAMED = 20  # arguments of an operation


def graph_text(scene: GraphScene, proof: Proof | None = None) -> str:
    """Write a node to a line, arguments before what is made of them; its derivatives where the picture tells them.

    Args:
        scene: what is shown.
        proof: what checks each gradient; None for no verdicts.

    Example:
        >>> from autograd_mini import fold
        >>> x = Value(3.0, "x")
        >>> y = x * x
        >>> y.backward()
        >>> folded = fold(y)
        >>> print(graph_text(GraphScene(folded=folded, nodes=folded.nodes)))
        x = 3, input, gradient 6
        L = mul(x, x) = 9, gradient 1: the output
    """
    links: dict[object, list[Link]] = {}
    for link in scene.links():
        links.setdefault(link.head, []).append(link)
    lines: list[str] = []
    for node in scene.nodes:
        if isinstance(node, Group):
            card = scene.card(node)
            lines.append(card.hint)
            lines += (f"  {_line(line, proof)}" for line in card.lines)
        else:
            lines.append(_value(node, scene, proof))
        lines += (
            f"  from {_name(link.tail, scene)}: {link.text.replace(chr(10), ', ')}"
            for link in links.get(node, ())
            if link.text
        )
    for ends in scene.rests:
        rest, node = ends if isinstance(ends[0], Rest) else reversed(ends)
        lines.append(f"{rest.count:,} {rest.text} of {_name(node, scene)}")
    if scene.caption:
        lines.append(scene.caption)
    if proof is not None:
        lines.append(f"marks: {proof.legend()}")
    return "\n".join(lines)


def _value(node: Value, scene: GraphScene, proof: Proof | None) -> str:
    is_root = node is scene.root
    shown = scene.stand_ins.get(node, node)
    arguments = ", ".join(_arguments(shown, scene))
    made = f"{shown.op}({arguments}) = " if shown.parents else ""
    number = scene.card(node).lines[0]
    assert isinstance(number, Number)
    data = "not computed" if number.value is None else number_text(number.value)
    role = "" if node.parents else f", {node.op or 'input'}"
    gradient = "" if node.op == "constant" and not is_root else f", {_gradient(number, proof)}"
    name = scene.name(node)
    is_number = node.op == "constant" and not node.label  # it is called by its number, which need not be said twice
    return f"{'' if is_number else f'{name} = '}{made}{data}{role}{gradient}{': the output' if is_root else ''}"


def _arguments(node: Value, scene: GraphScene) -> list[str]:
    """The names of the arguments; of many those that are shown, or a fan that the picture cuts would be read out."""
    nodes, node_of = set(scene.nodes), scene.folded.node_of
    is_long = len(node.parents) > _MOST_NAMED
    names = ["…" if is_long and node_of.get(one) not in nodes else scene.name(one) for one in node.parents]
    return [name for name, before in zip(names, ["", *names], strict=False) if not name == before == "…"]


def _line(line: Number | str, proof: Proof | None) -> str:
    if isinstance(line, str):
        return line
    data = "not computed" if line.value is None else number_text(line.value)
    return f"{printable(line.name) or line.node.op or 'input'} = {data}, {_gradient(line, proof)}"


def _gradient(number: Number, proof: Proof | None) -> str:
    if number.gradient is None:
        return "gradient not computed"
    mark = proof.mark(number.node, number.gradient) if proof and number.node.op != "constant" else None
    return f"gradient {number_text(number.gradient)}{'' if mark is None else f' ({mark.words})'}"


def _name(node: Any, scene: GraphScene) -> str:
    return printable(node.name) if isinstance(node, Group) else scene.name(node)
