"""Kernels: the steps of a program, each an op over all nodes of a group, and what they read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograd_mini.compiler.layout import Block, Grid, Indices, Layout
from autograd_mini.numbered import Graph

__all__ = ["Kernel", "Lifted", "Operand"]


@dataclass(slots=True)
class Operand:
    """What a kernel reads: over its axes, a constant, a view of a store, or numbers to be collected.

    Attributes:
        nodes: which nodes, in the order of the axes.
        sizes: the axes.
        batched: whether the numbers differ from example to example.
        number: of a constant, its number.
        store, view: of a view, where it is.
    """

    nodes: Indices
    sizes: tuple[int, ...]
    batched: bool
    number: float | None = None
    store: str = ""
    view: Grid | None = None


@dataclass(slots=True)
class Kernel:
    """One step of the program: an op over all nodes of a group.

    Attributes:
        op: a row of the table or a held op; ``"matmul"`` for a grid of dots, ``"rowdot"`` for dots that are none.
        sizes: the axes of the result; for a reduction, those of its operands stand behind it.
        block: where the result goes.
        operands: what it reads. A matmul has (stack, rows, K) and (stack, K, columns).
        reduced: how many of the operands' axes, the last ones, are added up.
        nodes: the nodes it computes, in order.
        batched: whether there is a result for each example.
    """

    op: str
    sizes: tuple[int, ...]
    block: Block
    operands: list[Operand]
    nodes: Indices
    batched: bool
    reduced: int = 0


@dataclass(slots=True)
class Lifted:
    """The kernels of a graph in order, and where everything is."""

    graph: Graph
    layout: Layout
    kernels: list[Kernel]
    wanted: Any
    batched: Any
    operand: Callable[[Indices], Operand]
