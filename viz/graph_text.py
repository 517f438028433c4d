"""A graph in lines of plain text, for a terminal or a screen reader."""

from collections.abc import Mapping, Sequence

from autograd_mini import Value
from autograd_mini.number import number_text
from autograd_mini.printing import printable
from viz.marks import Mark

__all__ = ["graph_text"]


def graph_text(nodes: Sequence[Value], root: Value, marks: Mapping[Value, Mark]) -> str:
    """Write a node to a line, arguments before what is made of them.

    Args:
        nodes: the nodes, in topological order.
        root: the node that the gradients are of.
        marks: what a check says of them.

    Example:
        >>> x = Value(3.0, "x")
        >>> y = x * x
        >>> y.backward()
        >>> print(graph_text([x, y], y, {}))
        x = 3, input, gradient 6
        v1 = mul(x, x) = 9, gradient 1: the output
    """
    names = {node: printable(str(node.label)) or f"v{i}" for i, node in enumerate(nodes)}
    lines = []
    for node in nodes:
        arguments = ", ".join(names.get(parent, number_text(parent.data, 4)) for parent in node.parents)
        made = f"{node.op}({arguments}) = " if node.parents else ""
        role = "" if node.parents else f", {node.op or 'input'}"
        gradient = f", gradient {number_text(node.grad)}" if node.has_grad else ", gradient not computed"
        gradient = "" if node.op == "constant" else gradient
        verdict = f" ({marks[node].words})" if node in marks and node.has_grad else ""
        end = ": the output" if node is root else ""
        lines.append(f"{names[node]} = {made}{number_text(node.data)}{role}{gradient}{verdict}{end}")
    return "\n".join(lines)
