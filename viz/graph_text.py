"""A graph in lines of plain text, for a terminal or a screen reader."""

from collections.abc import Callable, Sequence
from typing import Any

from autograd_mini import Value
from autograd_mini.number import number_text
from autograd_mini.printing import printable
from viz.marks import Proof

__all__ = ["graph_text"]


def graph_text(nodes: Sequence[Any], root: Value, summary: Callable[[Any], str], proof: Proof | None = None) -> str:
    """Write a node or a folded group to a line, arguments before what is made of them.

    Args:
        nodes: Values and groups, in topological order.
        root: the node that the gradients are of.
        summary: says what a group is.
        proof: what checks each gradient; None for no verdicts.

    Example:
        >>> x = Value(3.0, "x")
        >>> y = x * x
        >>> y.backward()
        >>> print(graph_text([x, y], y, str))
        x = 3, input, gradient 6
        v1 = mul(x, x) = 9, gradient 1: the output
    """
    names = {node: f"v{i}" if not isinstance(node, Value) else _name(node, f"v{i}") for i, node in enumerate(nodes)}
    lines = []
    for node in nodes:
        if not isinstance(node, Value):
            lines.append(summary(node))
            continue
        arguments = ", ".join(
            names.get(parent) or _name(parent, number_text(parent.data, 4)) for parent in node.parents
        )
        made = f"{node.op}({arguments}) = " if node.parents else ""
        role = "" if node.parents else f", {node.op or 'input'}"
        gradient = f", gradient {number_text(node.grad)}" if node.has_grad else ", gradient not computed"
        mark = proof.mark(node, node.grad) if proof and node.has_grad and node.op != "constant" else None
        verdict = "" if mark is None else f" ({mark.words})"
        end = ": the output" if node is root else ""
        gradient = "" if node.op == "constant" and node is not root else gradient + verdict
        lines.append(f"{names[node]} = {made}{number_text(node.data)}{role}{gradient}{end}")
    if proof is not None:
        lines.append(f"marks: {proof.legend()}")
    return "\n".join(lines)


def _name(node: Value, otherwise: str) -> str:
    return printable(str(node.label)) or otherwise
