"""Names: of results, after the layers whose weights make them, and of everything else in a program's source."""

import keyword
import re
from collections.abc import Iterable, Sequence

from autograd_mini.compiler.lift import Kernel, Operand
from autograd_mini.numbered import Graph

__all__ = ["Names", "label_of", "result_name"]

_WORDS = {"add": "total", "mul": "product", "sub": "difference", "div": "quotient", "sum": "total", "rowdot": "dots"}


class Names:
    """Hands out names, each once.

    Args:
        taken: names that are not to be had.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._numbers: dict[str, int] = {}  # the last number behind each name

    def free(self, name: str) -> str:
        """A name like this one that is still free: itself, or with a number behind it."""
        name = re.sub(r"\W", "_", name) or "numbers"
        if keyword.iskeyword(name) or name[0].isdigit():
            name = f"_{name}"
        number, free = self._numbers.get(name, 1), name
        while free in self._taken:
            number += 1
            free = f"{name}{number}"
        self._numbers[name] = number
        self._taken.add(free)
        return free


def label_of(labels: Sequence[str]) -> str:
    """The layer that parameters are of: what comes before the first dot or bracket in all their labels.

    Example:
        >>> label_of(["hidden.neuron1.w[0]", "hidden.neuron3.b"])
        'hidden'
    """
    common = labels[0]
    for label in labels:
        while not label.startswith(common):
            common = common[:-1]
    return re.sub(r"\W", "_", re.split(r"[.\[]", common)[0]).strip("_")


def result_name(
    graph: Graph, labels: Sequence[str], op: str, operands: Sequence[Operand], kernels: Sequence[Kernel]
) -> str:
    """Name a kernel's result: sums by the layer of their weights, what is made of these likewise, the rest by the op.

    Args:
        graph: what is computed.
        labels: of the parameters.
        op: the op.
        operands: its operands.
        kernels: the kernels before it.
    """
    if op == "matmul":
        ends = [graph.source.get(int(node)) for node in operands[0].nodes[[0, -1]]]
        label = label_of(
            [labels[end.position] for end in ends if end is not None and end.store == "parameters"] or [""]
        )
        return f"{label}_sum" if label else "product"
    before = _first_result(operands, kernels)
    if before.endswith("_sum") and op not in _WORDS:
        return before.removesuffix("_sum")
    return _WORDS.get(op, op)


def _first_result(operands: Sequence[Operand], kernels: Sequence[Kernel]) -> str:
    for operand in operands:
        if operand.view is not None and operand.store in ("values", "plain"):
            for kernel in reversed(kernels):
                block = kernel.block
                if block.store == operand.store and 0 <= operand.view.start - block.start < block.size:
                    return block.name
    return ""
