"""The end of a program: a loss that is a total, which one dot product computes for a whole batch."""

from collections import Counter
from dataclasses import dataclass

from autograd_mini.compiler.kernels import Kernel, Lifted, Operand

__all__ = ["Total", "total_of"]


@dataclass(slots=True)
class Total:
    """A loss ``coefficient · Σ a·b`` or ``coefficient · Σ a`` over all places and examples.

    Attributes:
        coefficient: the constant in front.
        operands: what is added up, or the two factors.
        skipped: the kernels that need not be computed for it.
    """

    coefficient: float
    operands: list[Operand]
    skipped: list[Kernel]


def total_of(lifted: Lifted) -> Total | None:
    """See whether the first root is such a total; None if it is not, or if something else needs its parts."""
    graph = lifted.graph
    uses = Counter(arg for args in graph.args for arg in set(args))
    alone = {int(kernel.nodes[0]): kernel for kernel in lifted.kernels if len(kernel.nodes) == 1}
    node, coefficient = graph.roots[0], 1.0
    skipped: list[Kernel] = []
    while node in alone and node not in graph.roots[1:] and uses[node] == bool(skipped):  # nothing else needs it
        kernel, args = alone[node], graph.args[node]
        skipped.append(kernel)
        constant = [i for i, arg in enumerate(args) if arg in graph.number]
        if kernel.op in ("sum", "rowdot", "square", "matmul"):
            operands = kernel.operands * (2 if kernel.op == "square" else 1)
            if any(operand.number is not None or operand.batched != kernel.batched for operand in operands):
                return None
            return Total(coefficient, operands, skipped)
        if kernel.op == "neg":
            coefficient, node = -coefficient, args[0]
        elif kernel.op == "mul" and len(constant) == 1:
            coefficient, node = coefficient * graph.number[args[constant[0]]], args[1 - constant[0]]
        elif kernel.op == "div" and constant == [1] and graph.number[args[1]]:
            coefficient, node = coefficient / graph.number[args[1]], args[0]
        else:
            return None
    return None
