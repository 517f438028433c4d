"""Building a program: a graph is lifted, lowered forward and backward, given memory and written out as source."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd_mini.compiler.layout import Grid, Store
from autograd_mini.compiler.lift import Kernel, Lifted, Operand, lift
from autograd_mini.compiler.loss import Total, total_of
from autograd_mini.compiler.lower import Lowering, flat
from autograd_mini.compiler.memory import share_memory, split
from autograd_mini.compiler.names import Names, result_name
from autograd_mini.compiler.program import Axis, Buffer, Ref, Scalar, Statement, in_order, view
from autograd_mini.compiler.reverse import Reverse
from autograd_mini.compiler.symbols import opaque_function
from autograd_mini.compiler.text import scope
from autograd_mini.compiler.writing import Parts, write
from autograd_mini.numbered import Graph

__all__ = ["Argument", "Program", "build"]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of the program.

    Attributes:
        name: what the source calls it.
        shape: the shape of one example.
        per_example: whether each example has its own.
        wanted: whether gradients by it are asked for.
    """

    name: str
    shape: tuple[int, ...]
    per_example: bool = True
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A program as text, with what it needs to run.

    Attributes:
        source: a function ``prepare(parameters, gradients, batch)`` that makes the function of the arguments.
        lifted: the kernels it came from.
        tables: arrays that the source uses by name.
        own: functions for the user's own ops.
        total: the loss, if it is computed as one total.
        reached: of each parameter, whether a path leads to it from what is differentiated.
        single: whether its function returns what a call does, a loss and the gradients by the parameters.
    """

    source: str
    lifted: Lifted
    tables: dict[str, Any]
    own: dict[str, Any]
    total: Total | None
    reached: NDArray[np.bool_]
    single: bool

    def prepare(self, parameters: Any, gradients: Any, batch: int, dtype: Any) -> Callable[..., Any]:
        """Make the function for a size of the batch; it has memory of its own."""
        names = scope(self.own, dtype) | {"dtype": np.dtype(dtype)}
        for name, table in self.tables.items():
            names[name] = table.astype(dtype) if table.dtype.kind == "f" else table
        exec(compile(self.source, "<compiled by autograd_mini>", "exec"), names)
        step: Callable[..., Any] = names["prepare"](parameters, gradients, batch)
        return step


def build(
    graph: Graph, arguments: Sequence[Argument], labels: Sequence[str], *, batched: bool, gradients: bool
) -> Program:
    """Build the program for a graph.

    Args:
        graph: its first root is what gradients are taken of.
        arguments: what the program is given.
        labels: of the parameters, for names.
        batched: whether there is an axis of examples.
        gradients: whether gradients of the first root are computed: by the parameters, if there are any.
    """
    return _Building(graph, arguments, labels, batched, gradients).program


class _Building:
    def __init__(
        self, graph: Graph, arguments: Sequence[Argument], labels: Sequence[str], batched: bool, gradients: bool
    ) -> None:
        self.graph, self.arguments, self.labels, self.batched = graph, arguments, labels, batched
        self.by_parameters, self.differentiated = bool(labels), gradients
        wanted = {one.name for one in arguments if one.wanted} | ({"parameters"} if labels else set())
        self.lifted = self._lifted(wanted if gradients else set())
        self.buffers = self._buffers()
        self.total = self._total() if gradients and (self.by_parameters or not batched) else None
        skipped = self.total.skipped if self.total else []
        lowering = Lowering(self.lifted, self.buffers, batched, skipped)
        results = self._results(lowering)
        forward = len(lowering.writer.statements)
        self.gradients = self._gradient_buffers(wanted)
        reached = np.zeros(len(labels), dtype=bool)
        if gradients and self.lifted.wanted[graph.roots[0]]:
            reverse = Reverse(lowering, self.gradients)
            self._start(reverse)
            reverse.run(skipped)
            reached = reverse.covered("parameters").copy()
            reverse.zero("parameters")
        results += self._gradients_by_arguments()
        statements = lowering.writer.statements
        results = self._shared_out(statements, results)
        parts = Parts(
            statements,
            forward,
            [(one.name, self._whole(one, self.buffers[one.name])) for one in arguments],
            *self._loss(results),
            results.pop(0) if self._has_others() else None,
            results,
            labels,
            set(self.gradients.values()),
            share_memory(statements),
            tuple(lowering.tables),
            is_total=self.total is not None,
        )
        own = {
            re.sub(r"\W", "_", statement.function): opaque_function(statement.function)
            for statement in statements
            if statement.function.startswith("own:")
        }
        self.program = Program(write(parts), self.lifted, lowering.tables, own, self.total, reached, parts.single)

    def _lifted(self, wanted: set[str]) -> Lifted:
        stores = [Store("parameters", False, len(self.labels))]
        for one in self.arguments:
            rows = [int(np.prod(one.shape[axis:])) for axis in range(len(one.shape) + 1)]
            stores.append(Store(one.name, self.batched and one.per_example, rows[0], rows))
        names = Names([store.name for store in stores])

        def named(op: str, operands: Sequence[Operand], kernels: Sequence[Kernel]) -> str:
            return names.free(result_name(self.graph, self.labels, op, operands, kernels))

        return lift(self.graph, stores, wanted.__contains__, named)

    # Memory

    def _buffers(self) -> dict[str, Buffer]:
        """Memory for each store. Inputs of matrix products are kept as they come, others with the examples last."""
        factors = {one.store for kernel in self.lifted.kernels if kernel.op == "matmul" for one in kernel.operands}
        factors -= {"values", "plain", "parameters"}
        found = {}
        for name, store in self.lifted.layout.stores.items():
            called = f"{name}_and_one" if store.ones else name
            kind = "given" if name == "parameters" else "kept"
            found[name] = Buffer(called, store.size, store.batched, name in factors, kind)
        return found

    def _gradient_buffers(self, wanted: set[str]) -> dict[str, Buffer]:
        found = {}
        for name, store in self.lifted.layout.stores.items():
            if name == "parameters":
                found[name] = Buffer("gradients", store.size, store.batched, kind="given")
            elif name in wanted or name in ("values", "plain"):
                found[name] = Buffer(f"d_{name}", store.size, store.batched)
        return found

    def _shared_out(self, statements: list[Statement], results: list[Any]) -> list[Any]:
        """Cut the long stores of what is computed into a buffer for each result, or for results used together."""
        keep = [Statement("keep", (), ref) if isinstance(ref, Ref) else None for ref in results]
        everything = [*statements, *(one for one in keep if one)]
        for name in ("values", "plain"):
            blocks = [kernel.block for kernel in self.lifted.kernels if kernel.block.store == name]
            ones = self.lifted.layout.stores[name].ones
            spans = [(block.name, block.start, block.size) for block in blocks]
            spans += [("", block.start, block.size + 1) for block in blocks if block.start + block.size in ones]
            split(everything, self.buffers[name], spans, "")
            split(everything, self.gradients[name], spans, "d_")
        return [ref if one is None else one.out for ref, one in zip(results, keep, strict=True)]

    def _whole(self, one: Argument, buffer: Buffer) -> Ref:
        """A view of all numbers of an argument in its shape, with the examples first."""
        store = self.lifted.layout.stores[one.name]
        width = store.size // len(store.ones) - 1 if store.ones else 0
        strides: list[int] = []
        count = 1
        for size in reversed(one.shape):
            strides.insert(0, count + (count // width if width else 0))  # a place for a 1 follows each row
            count *= size
        per_batch = self.batched and store.batched
        axes = [
            Axis(size, step, False, per_batch and not buffer.batch_first) if size > 1 else Axis(1, 0)
            for size, step in zip(one.shape, strides, strict=True)
        ]
        if per_batch:
            axes.insert(0, Axis(1, buffer.places if buffer.batch_first else 1, True))
        return Ref(buffer, 0, tuple(axes))

    # The loss and other results

    def _total(self) -> Total | None:
        """The loss as a total, if each of its operands is one piece of memory."""
        total = total_of(self.lifted)
        if total is None or any(self._total_view(operand) is None for operand in total.operands):
            return None
        several = len({operand.sizes for operand in total.operands}) > 1
        in_pieces = several and not all(operand.view and operand.view.is_in_order for operand in total.operands)
        return None if in_pieces else total

    def _total_view(self, operand: Operand) -> Ref | None:
        if operand.view is None or 0 in operand.view.strides_of_long_axes:
            return None
        examples = "batch" if self.batched and operand.batched else ""
        return flat(view(self.buffers[operand.store], operand.view, examples))

    def _mean_over_batch(self) -> bool:
        return self.batched and self.by_parameters and bool(self.lifted.batched[self.graph.roots[0]])

    def _start(self, reverse: Reverse) -> None:
        """Deposit what the gradient of the loss starts with."""
        coefficient = self.total.coefficient if self.total else 1.0
        seed: Any = coefficient
        if self._mean_over_batch():
            seed = reverse.writer.leaf(Scalar("share" if coefficient == 1.0 else f"{coefficient!r} * share"))
        if self.total is None:
            reverse.deposit(self.lifted.operand(np.array(self.graph.roots[:1])), seed)
            return
        operands = self.total.operands
        for i, operand in enumerate(operands):
            if self.lifted.wanted[operand.nodes].any():
                other: Any = 1.0
                if len(operands) == 2:
                    other = reverse.writer.leaf(reverse.forward.read(_cut_as(operands[1 - i], operand)))
                reverse.deposit(operand, reverse.writer.sheet.make("mul", seed, other))

    def _has_others(self) -> bool:
        return len(self.graph.roots) > self.differentiated

    def _results(self, lowering: Lowering) -> list[Any]:
        """Where the numbers are that the program returns: the loss, or its parts, and all others together."""
        roots, found = self.graph.roots, list[Any]()
        if self.total is not None:
            found += [self._total_view(operand) for operand in self.total.operands]
        elif self.differentiated:
            found.append(lowering.read(self.lifted.operand(np.array(roots[:1]))))
        if self._has_others():
            found.append(lowering.read(self.lifted.operand(np.array(roots[self.differentiated :]))))
        return found

    def _gradients_by_arguments(self) -> list[Ref]:
        if self.by_parameters or not self.differentiated:
            return []
        return [self._whole(one, self.gradients[one.name]) for one in self.arguments if one.wanted]

    def _loss(self, results: list[Any]) -> tuple[list[Any], str]:
        """Take the loss off the results: its one part, or those of a total; and what they are multiplied by."""
        count = len(self.total.operands) if self.total else int(self.differentiated)
        coefficient = self.total.coefficient if self.total else 1.0
        factors = [repr(coefficient)] * (coefficient != 1.0) + ["share"] * self._mean_over_batch()
        return [results.pop(0) for _ in range(count)], " * ".join(factors)


def _cut_as(operand: Operand, other: Operand) -> Operand:
    """An operand over the axes of another."""
    if operand.sizes == other.sizes or operand.view is None:
        return operand
    place = Grid(operand.view.start, other.sizes, in_order(other.sizes))
    return Operand(operand.nodes, other.sizes, operand.batched, None, operand.store, place)
