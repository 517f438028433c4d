"""From kernels to statements: the forward pass."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd_mini.compiler.kernels import Kernel, Lifted, Operand
from autograd_mini.compiler.layout import Grid, grid
from autograd_mini.compiler.program import Axis, Buffer, Ref, Scalar, in_order, view
from autograd_mini.compiler.symbols import Symbol, value_formula
from autograd_mini.compiler.writer import Writer

__all__ = ["ONE", "Lowering", "flat", "thin", "without"]

ONE = Axis(1, 0)


class Lowering:
    """Writes the statements of a lifted program's forward pass.

    Args:
        lifted: the kernels.
        buffers: the memory of each store.
        batched: whether the program has an axis of examples.
        skipped: kernels that are not to be computed.

    Attributes:
        writer: what has been written.
        tables: arrays that the statements use, by name.
        shares: of each logsumexp, the exponentials and what they add up to, less 1.
    """

    def __init__(
        self, lifted: Lifted, buffers: dict[str, Buffer], batched: bool, skipped: Sequence[Kernel] = ()
    ) -> None:
        self.lifted, self.buffers, self.batched = lifted, buffers, batched
        self.writer = Writer(Scalar("largest_exponent"))
        self.tables: dict[str, Any] = {}
        self.shares: dict[int, tuple[Ref, Ref]] = {}
        self._collected: dict[Any, Ref] = {}
        self._ones_between()
        for kernel in lifted.kernels:
            if kernel not in skipped:
                getattr(self, f"_{kernel.op}", self._elementwise)(kernel)

    def _ones_between(self) -> None:
        """Write the constant 1 to where dots expect it, once and for all."""
        for name, store in self.lifted.layout.stores.items():
            ones = np.array(sorted(store.ones), dtype=int)
            places = grid(ones, (len(ones),)) if len(ones) else None
            runs = np.split(ones, np.flatnonzero(np.diff(ones) != 1) + 1) if len(ones) and not places else []
            for place in [places] if places else [Grid(int(run[0]), (len(run),), (int(len(run) > 1),)) for run in runs]:
                self.writer.call(
                    "constant", 1.0, out=view(self.buffers[name], place, self._own_examples(store.batched))
                )

    # Where numbers are

    def examples(self, batched: bool) -> str:
        """The axis of examples of an operand among others that may have one."""
        return "" if not self.batched else "batch" if batched else "one"

    def _own_examples(self, batched: bool) -> str:
        return "batch" if self.batched and batched else ""

    def result(self, kernel: Kernel) -> Ref:
        """Where a kernel's result goes."""
        block = kernel.block
        place = Grid(block.start, kernel.sizes, in_order(kernel.sizes))
        return view(self.buffers[block.store], place, self.examples(kernel.batched))

    def read(self, operand: Operand) -> Ref | float:
        """The numbers of an operand: a view, or memory into which they have been collected."""
        if operand.number is not None:
            return operand.number
        if operand.view is not None:
            return view(self.buffers[operand.store], operand.view, self.examples(operand.batched))
        key = operand.nodes.tobytes(), operand.sizes
        if key not in self._collected:
            self._collected[key] = self._collect(operand)
        return self._collected[key]

    def matrix(self, operand: Operand) -> Ref:
        """A factor of a matrix product: (stack, rows, columns), and the examples behind them if it has any."""
        ref = self.read(operand) if operand.number is None else self._collect(operand)
        assert isinstance(ref, Ref)
        return ref._replace(axes=ref.axes[:3]) if self.batched and not operand.batched else ref

    def _collect(self, operand: Operand) -> Ref:
        batched = self.batched and operand.batched
        buffer = Buffer("", int(np.prod(operand.sizes)), batched)
        for store, start, positions in self.pieces(operand):
            count = len(positions)
            target = view(buffer, Grid(start, (count,), (1,)), self._own_examples(operand.batched))
            if store is None:
                same = (positions == positions[0]).all()
                column = positions[:, None] if batched else positions
                self.writer.call("constant", float(positions[0]) if same else self.table(column), out=target)
                continue
            source = self.buffers[store]
            regular = grid(positions, (count,))
            if regular is not None:
                examples = self.examples(source.batched) if batched else ""
                self.writer.call("copy", view(source, regular, examples), out=target)
            else:
                whole = view(source, Grid(0, (source.places,), (1,)), self._own_examples(source.batched))
                spread = "spread" if batched and not source.batched else ""
                self.writer.call("take", whole, self.table(positions), out=target, keywords=spread)
        place = Grid(0, operand.sizes, in_order(operand.sizes))
        return view(buffer, place, self.examples(operand.batched))

    def pieces(self, operand: Operand) -> list[tuple[str | None, int, Any]]:
        """The runs of an operand's nodes that are in one store: its name, where the run starts, the places.

        For constants the name is None, and their numbers stand for the places.
        """
        layout, number = self.lifted.layout, self.lifted.graph.number
        codes = layout.store[operand.nodes]
        cuts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
        found: list[tuple[str | None, int, Any]] = []
        for start, end in pairwise(cuts):
            nodes = operand.nodes[start:end]
            if codes[start] < 0:
                found.append((None, start, np.array([number[node] for node in nodes.tolist()])))
            else:
                found.append((layout.names[codes[start]], start, layout.position[nodes]))
        return found

    def table(self, array: Any) -> str:
        """The name of an array of constants or indices."""
        for known, table in self.tables.items():
            if table.dtype == array.dtype and np.array_equal(table, array):
                return known
        kind = "indices" if array.dtype.kind == "i" else "constants"
        name = f"{kind}{len(self.tables) + 1}"
        if array.ndim == 1 and kind == "constants" and (array == 1.0).all():
            name = f"ones_{len(array)}"
        self.tables[name] = array
        return name

    # The kernels

    def _elementwise(self, kernel: Kernel) -> None:
        args = [self.writer.leaf(thin(self.read(operand))) for operand in kernel.operands]
        formula = value_formula(self.writer.sheet, kernel.op, args)
        out = self.result(kernel)
        self.writer.ref(formula, out)
        if isinstance(formula, Symbol) and formula.op != "leaf":
            self.writer.know(formula, out)

    def _matmul(self, kernel: Kernel) -> None:
        a, b = (self.matrix(operand) for operand in kernel.operands)
        self.multiply(a, b, self.without_examples(self.result(kernel), kernel))

    def without_examples(self, ref: Ref, kernel: Kernel) -> Ref:
        """The result of a matrix product without the axis of size 1 that it has in place of one of examples."""
        return ref._replace(axes=ref.axes[:3]) if self.batched and not kernel.batched else ref

    def multiply(self, a: Ref, b: Ref, out: Ref) -> None:
        """out = a @ b in the fewest calls; each is (stack, rows, columns), and examples may stand behind."""
        alone = [0] if out.axes[0].length == (1, False) else []
        if len(out.axes) == 3:  # no examples
            self.product(*[without(ref, alone) for ref in (a, b, out)])
        elif len(a.axes) == 3:  # weights times examples
            wide, flat = b.merged(2, 3), out.merged(2, 3)
            if wide is not None and flat is not None:
                self.product(*[without(ref, alone) for ref in (a, wide, flat)])
            else:  # column by column: (columns, stack, K, examples)
                self.product(a, b.reordered(2, 0, 1, 3), out.reordered(2, 0, 1, 3))
        else:
            self.product(*[ref.reordered(3, 0, 1, 2) for ref in (a, b, out)])

    def product(self, a: Ref, b: Ref, out: Ref) -> None:
        """out = a @ b over the last two axes; of plain matrices dot is the quicker call."""
        simple = len(a.axes) == len(b.axes) == len(out.axes) == 2 and out.is_in_order
        self.writer.call("dot" if simple else "matmul", a, b, out=out)

    def sum_of_products(self, p: Ref, q: Ref, out: Ref) -> None:
        """out = p @ qᵀ, added up over the examples if `out` has none."""
        if len(out.axes) == 4 or len(q.axes) == 3:
            self.multiply(p, q.reordered(0, 2, 1, *range(3, len(q.axes))), out)
            return
        wide = p.merged(2, 3), q.merged(2, 3)
        alone = [0] if out.axes[0].length == (1, False) else []
        if wide[0] is not None and wide[1] is not None:
            factors = wide[0], wide[1].reordered(0, 2, 1), out
            self.product(*[without(ref, alone) for ref in factors])
        else:
            several = self.writer.temporary((p.axes[2].length, *out.lengths))
            self.product(p.reordered(2, 0, 1, 3), q.reordered(2, 0, 3, 1), several)
            self.reduce(several, [0], out)

    def _rowdot(self, kernel: Kernel) -> None:
        a, b = (self.writer.leaf(self.read(operand)) for operand in kernel.operands)
        product = self.writer.ref(value_formula(self.writer.sheet, "mul", (a, b)))
        assert isinstance(product, Ref)
        self.reduce(product, _reduced_axes(kernel), self.result(kernel))

    def _sum(self, kernel: Kernel) -> None:
        self.reduce(self._reduced_operand(kernel), _reduced_axes(kernel), self.result(kernel))

    def _largest(self, kernel: Kernel) -> None:
        self.reduce(self._reduced_operand(kernel), _reduced_axes(kernel), self.result(kernel), "maximum")

    def _reduced_operand(self, kernel: Kernel) -> Ref:
        ref = self.read(kernel.operands[0])
        assert isinstance(ref, Ref)
        return ref

    def reduce(self, ref: Ref, axes: Sequence[int], out: Ref, function: str = "add") -> None:
        """Reduce over axes. Sums over the first ones are a product with ones, the quickest way there is."""
        first, last = axes[0], axes[-1]
        if function == "add" and ref.buffer.dtype == "float" and len(axes) == last - first + 1:
            merged, target = _as_matrix(ref, first, last), flat(out)
            if merged is not None and target is not None and not merged.axes[0].per_batch:
                self.writer.call("dot", self.table(np.ones(merged.axes[0].size)), merged, out=target)
                return
        gone = str(first) if first == last else str(tuple(axes))
        self.writer.call(f"{function}.reduce", ref, out=out, keywords=gone)

    def spread(self, ref: Ref, kernel: Kernel) -> Ref:
        """The view of a kernel's result that has axes of size 1 where its operands have what is reduced."""
        kept = len(kernel.sizes)
        return ref._replace(axes=(*ref.axes[:kept], *(ONE,) * kernel.reduced, *ref.axes[kept:]))

    def _logsumexp(self, kernel: Kernel) -> None:
        """top + log1p(Σ exp(x - top)), where the top itself, exactly 1, is left out: small ones keep their digits."""
        writer, out, axes = self.writer, self.result(kernel), _reduced_axes(kernel)
        x = self._reduced_operand(kernel)
        shifted = self._is_shifted(kernel)
        if not shifted:
            top = writer.temporary(out.lengths)
            self.reduce(x, axes, top, "maximum")
            writer.call("minimum", top, Scalar("largest_number"), out=top)
            writer.call("maximum", top, Scalar("-largest_number"), out=top)
            difference = writer.temporary(x.lengths)
            writer.call("subtract", x, self.spread(top, kernel), out=difference)
            x = difference
        is_top, shares, others = (writer.temporary(x.lengths) for _ in range(3))
        writer.call("equal", x, 0.0, out=is_top)
        writer.call("exp", x, out=shares)
        writer.call("subtract", shares, is_top, out=others)
        tops, rest = writer.temporary(out.lengths), writer.temporary(out.lengths)
        self.reduce(is_top, axes, tops)
        self.reduce(others, axes, rest)
        writer.call("subtract", tops, 1.0, out=tops)
        writer.call("add", rest, tops, out=rest)
        if shifted:
            writer.call("log1p", rest, out=out)
        else:
            logarithm = writer.temporary(out.lengths)
            writer.call("log1p", rest, out=logarithm)
            writer.call("add", logarithm, top, out=out)
        self.shares[id(kernel)] = shares, rest

    def _is_shifted(self, kernel: Kernel) -> bool:
        """Whether every term has the largest of all terms taken off it already, as in log_softmax."""
        graph = self.lifted.graph
        for node in kernel.nodes.tolist():
            terms = graph.args[node]
            if any(graph.op[term] != "sub" for term in terms):
                return False
            tops = {graph.args[term][1] for term in terms}
            top = tops.pop()
            if tops or graph.op[top] != "largest" or {graph.args[term][0] for term in terms} != set(graph.args[top]):
                return False
        return True


def _reduced_axes(kernel: Kernel) -> list[int]:
    kept = len(kernel.sizes)
    return list(range(kept, kept + kernel.reduced))


def thin(ref: Ref | float) -> Ref | float:
    """The view with what it repeats only once, as an operand that is to be broadcast."""
    if isinstance(ref, float):
        return ref
    return ref._replace(axes=tuple([ONE if axis.stride == 0 and not axis.per_batch else axis for axis in ref.axes]))


def without(ref: Ref, axes: Sequence[int]) -> Ref:
    """The view without some of its axes."""
    return ref._replace(axes=tuple([axis for i, axis in enumerate(ref.axes) if i not in axes]))


def _as_matrix(ref: Ref, first: int, last: int) -> Ref | None:
    """The axes from `first` to `last` as rows and those behind them as columns; None if memory does not allow it."""
    if any(axis.length != (1, False) for axis in ref.axes[:first]) or last == len(ref.axes) - 1:
        return None
    rows, columns = flat(ref._replace(axes=ref.axes[first : last + 1])), flat(ref._replace(axes=ref.axes[last + 1 :]))
    if rows is None or columns is None or not columns.axes[0].per_batch:
        return None
    return ref._replace(axes=(*rows.axes, *columns.axes))


def flat(ref: Ref) -> Ref | None:
    """The view with all its axes as one; None if memory does not allow it."""
    while len(ref.axes) > 1:
        merged = ref.merged(len(ref.axes) - 2, len(ref.axes) - 1)
        if merged is None:
            return None
        ref = merged
    return ref
