"""From kernels to statements: the backward pass, by the partials of the derivative table.

The gradient of a kernel's result is kept as a formula, the sum of what its uses contribute, until something needs it as
an array: what is the same for all, or is only passed on, costs nothing. Where a use reads other places than exactly
those of one kernel, its contribution is written to the gradient's own places instead.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd_mini.compiler.kernels import Kernel, Operand
from autograd_mini.compiler.layout import Grid, Indices, grid
from autograd_mini.compiler.lower import ONE, Lowering, thin
from autograd_mini.compiler.program import Buffer, Ref, Scalar, contiguous, in_order, view
from autograd_mini.compiler.symbols import Symbol, partial_formula

__all__ = ["Reverse"]

Length = tuple[int, bool]


class Reverse:
    """Writes the backward pass behind a forward pass.

    Args:
        forward: the forward pass.
        gradients: memory for the gradients of stores, by store.
    """

    def __init__(self, forward: Lowering, gradients: dict[str, Buffer]) -> None:
        self.forward, self.gradients = forward, gradients
        self.writer, self.lifted, self.batched = forward.writer, forward.lifted, forward.batched
        self._formulas: dict[int, Any] = {}
        self._covered = {name: np.zeros(buffer.places, dtype=bool) for name, buffer in gradients.items()}
        self._kernel_at = {name: np.full(buffer.places, -1) for name, buffer in gradients.items()}
        for i, kernel in enumerate(self.lifted.kernels):
            block = kernel.block
            self._kernel_at[block.store][block.start : block.start + block.size] = i

    def run(self, skipped: Sequence[Kernel] = ()) -> None:
        """Write the backward pass; the gradients that it starts with have been deposited."""
        for i in range(len(self.lifted.kernels) - 1, -1, -1):
            kernel = self.lifted.kernels[i]
            if kernel not in skipped and self.lifted.wanted[kernel.nodes].any():
                upstream = self._upstream(i, kernel)
                if upstream is not None:
                    getattr(self, f"_{kernel.op}", self._elementwise)(kernel, upstream)

    def covered(self, store: str) -> NDArray[np.bool_]:
        """Of each place of a store, whether a gradient has come to it."""
        return self._covered[store]

    def zero(self, store: str) -> None:
        """Make the gradient 0 where none has come, at every call: the user may have changed it since the last."""
        places = np.flatnonzero(~self._covered[store])
        for run in np.split(places, np.flatnonzero(np.diff(places) != 1) + 1):
            self._zero(store, run)

    # What a kernel is handed

    def _upstream(self, i: int, kernel: Kernel) -> Any:
        """The gradient of a kernel's result as a formula; None if none has come."""
        formula = self._formulas.pop(i, None)
        block = kernel.block
        mine = self._covered[block.store][block.start : block.start + block.size]
        if mine.any():
            self._zero(block.store, block.start + np.flatnonzero(~mine))
            place = Grid(block.start, kernel.sizes, in_order(kernel.sizes))
            leaf = self.writer.leaf(view(self.gradients[block.store], place, self.forward.examples(kernel.batched)))
            formula = leaf if formula is None else self.writer.sheet.make("add", formula, leaf)
        return formula

    def _array(self, kernel: Kernel, upstream: Any) -> Ref:
        """A formula as an array of the shape of the kernel's result."""
        lengths = self.forward.result(kernel).lengths
        ref = None
        if isinstance(upstream, Symbol):
            found = self.writer.ref(upstream, self._named(kernel, lengths) if upstream.op != "leaf" else None)
            ref = found if isinstance(found, Ref) else None
        if ref is None or ref.lengths != lengths:
            out = self._named(kernel, lengths)
            self.writer.call("copy", self.writer.ref(upstream), out=out)
            ref = out
        return ref

    def _named(self, kernel: Kernel, lengths: Sequence[Length]) -> Ref:
        ref = self.writer.temporary(lengths)
        ref.buffer.name = f"d_{kernel.block.name}"
        return ref

    def _spread(self, kernel: Kernel, upstream: Any) -> Any:
        """The formula over the axes that the kernel's operands have."""
        if not isinstance(upstream, Symbol) or isinstance(self.writer.known(upstream), Scalar):
            return upstream
        if upstream.op == "neg":
            return self.writer.sheet.make("neg", self._spread(kernel, upstream.args[0]))
        return self.writer.leaf(self.forward.spread(self._array(kernel, upstream), kernel))

    # The kernels

    def _wanted(self, operand: Operand) -> bool:
        return operand.number is None and bool(self.lifted.wanted[operand.nodes].any())

    def _elementwise(self, kernel: Kernel, upstream: Any) -> None:
        args = [self.writer.leaf(thin(self.forward.read(operand))) for operand in kernel.operands]
        y = self.writer.leaf(self.forward.result(kernel))
        for i, operand in enumerate(kernel.operands):
            if self._wanted(operand):
                local = partial_formula(self.writer.sheet, kernel.op, i, y, args)
                self.deposit(operand, self.writer.sheet.make("mul", upstream, local), kernel.batched)

    def _sum(self, kernel: Kernel, upstream: Any) -> None:
        self.deposit(kernel.operands[0], self._spread(kernel, upstream), kernel.batched)

    def _rowdot(self, kernel: Kernel, upstream: Any) -> None:
        a, b = (self.writer.leaf(self.forward.read(operand)) for operand in kernel.operands)
        spread = self._spread(kernel, upstream)
        for operand, other in zip(kernel.operands, (b, a), strict=True):
            if self._wanted(operand):
                self.deposit(operand, self.writer.sheet.make("mul", spread, other), kernel.batched)

    def _logsumexp(self, kernel: Kernel, upstream: Any) -> None:
        make, shares = self.writer.sheet.make, self.forward.shares[id(kernel)]
        exponentials, rest = map(self.writer.leaf, shares)
        factor = self._spread(kernel, make("div", upstream, make("add", rest, 1.0)))
        self.deposit(kernel.operands[0], make("mul", exponentials, factor), kernel.batched)

    def _matmul(self, kernel: Kernel, upstream: Any) -> None:
        a, b = kernel.operands
        if not (self._wanted(a) or self._wanted(b)):
            return
        array = self.forward.without_examples(self._array(kernel, upstream), kernel)
        if self._wanted(a):
            right = self.forward.matrix(b)
            self._deposit_written(a, lambda out: self.forward.sum_of_products(array, right, out))
        if self._wanted(b):
            part = self._without_ones(b)
            left = self.forward.matrix(a)
            left = left._replace(
                axes=(left.axes[0], left.axes[1], left.axes[2]._replace(size=part.sizes[1]), *left.axes[3:])
            )
            transposed = left.reordered(0, 2, 1, *range(3, len(left.axes)))
            self._deposit_written(part, lambda out: self.forward.multiply(transposed, array, out))

    def _without_ones(self, operand: Operand) -> Operand:
        """The same without its last row where that holds constants."""
        nodes = operand.nodes.reshape(operand.sizes)
        if operand.sizes[1] < 2 or not all(node in self.lifted.graph.number for node in nodes[:, -1].ravel().tolist()):
            return operand
        sizes = (operand.sizes[0], operand.sizes[1] - 1, operand.sizes[2])
        place = None if operand.view is None else operand.view._replace(sizes=sizes)
        return Operand(nodes[:, :-1].ravel(), sizes, operand.batched, None, operand.store, place)

    # Handing gradients on

    def deposit(self, operand: Operand, contribution: Any, per_example: bool | None = None) -> None:
        """Add a contribution to the gradient of an operand.

        Args:
            operand: what was read.
            contribution: a formula over its axes.
            per_example: whether each example contributes; unless given, whether the operand has a number for each.
        """
        if per_example is None:
            per_example = operand.batched
        if isinstance(contribution, float) and contribution == 0.0:
            return
        if operand.view is not None and not operand.view.overlaps:
            self._deposit_view(operand, operand.view, contribution, per_example)
            return
        lengths: list[Length] = [(size, False) for size in operand.sizes]
        if self.batched:
            if per_example and not operand.batched:
                contribution = self._added_up(contribution, [*lengths, (1, True)], [len(lengths)])
            lengths.append((1, operand.batched))
        gathered = self.writer.temporary(lengths)
        self._write(contribution, gathered, add=False)
        self._scatter(operand, gathered.buffer)

    def _deposit_written(self, operand: Operand, write: Callable[[Ref], None]) -> None:
        """Add to the gradient of an operand what `write` writes: in its place if nothing is there yet."""
        per_example = self.batched and operand.batched
        lengths = tuple([(size, False) for size in operand.sizes]) + (((1, True),) if per_example else ())
        place = None if operand.view is None or operand.view.overlaps else operand.view
        if place is not None and 0 not in place.strides_of_long_axes and self._kernel_of(operand.store, place) is None:
            target = view(self.gradients[operand.store], place, "batch" if per_example else "")
            if self._is_first(operand.store, place):
                write(target)
                return
            several = self.writer.temporary(lengths)
            write(several)
            self.writer.call("add", target, several, out=target)
            return
        several = self.writer.temporary(lengths)
        write(several)
        if place is None:
            self._scatter(operand, several.buffer)
            return
        found = self._kernel_of(operand.store, place)
        if found is not None:
            several.buffer.name = f"d_{self.lifted.kernels[found].block.name}"
        if self.batched and not per_example:
            several = several._replace(axes=(*several.axes, ONE))
        self._deposit_view(operand, place, self.writer.leaf(several), operand.batched)

    def _kernel_of(self, store: str, place: Grid) -> int | None:
        """The kernel whose results these places are, all of them and in order."""
        i = int(self._kernel_at[store][place.start])
        if i < 0 or store not in ("values", "plain"):
            return None
        block = self.lifted.kernels[i].block
        whole = place.start == block.start and int(np.prod(place.sizes)) == block.size
        return i if whole and place.is_in_order else None

    def _deposit_view(self, operand: Operand, place: Grid, contribution: Any, per_example: bool) -> None:
        store, batched = operand.store, operand.batched
        full: list[Length] = [(size, False) for size in place.sizes] + ([(1, per_example)] if self.batched else [])
        repeated = [i for i, (size, stride) in enumerate(zip(*place[1:], strict=True)) if size > 1 and stride == 0]
        gone = repeated + ([len(place.sizes)] if self.batched and per_example and not batched else [])
        if gone:
            contribution = self._added_up(contribution, full, gone)
        kept = place._replace(sizes=tuple(1 if i in repeated else size for i, size in enumerate(place.sizes)))
        kernel = self._kernel_of(store, kept)
        if kernel is None:
            first = self._is_first(store, kept)
            target = view(self.gradients[store], kept, self.forward.examples(batched))
            self._write(contribution, target, add=not first)
        else:
            shaped = self._reshaped(contribution, kept, self.lifted.kernels[kernel])
            before = self._formulas.get(kernel)
            self._formulas[kernel] = shaped if before is None else self.writer.sheet.make("add", before, shaped)

    def _reshaped(self, contribution: Any, place: Grid, kernel: Kernel) -> Any:
        """A contribution over the axes of a kernel's result, which may be cut otherwise than those it came with."""
        known = self.writer.known(contribution)
        if place.sizes == kernel.sizes or not isinstance(contribution, Symbol) or isinstance(known, Scalar):
            return contribution
        lengths = self.forward.result(kernel).lengths
        if isinstance(known, Ref) and known.is_in_order and len(known.axes) == len(place.sizes) + bool(self.batched):
            whole = contiguous(known.buffer, lengths)
            if known.amount == whole.amount:
                return self.writer.leaf(whole._replace(offset=known.offset))
        examples = lengths[len(kernel.sizes) :]
        out = self.writer.temporary([*((size, False) for size in place.sizes), *examples])
        self._write(contribution, out, add=False)
        return self.writer.leaf(contiguous(out.buffer, lengths))

    def _is_first(self, store: str, place: Grid) -> bool:
        """Whether no gradient has come to these places yet; where it has to some of them, the others are made 0."""
        positions = place.places()
        covered = self._covered[store][positions]
        if not covered.any():
            self._covered[store][positions] = True
            return True
        self._zero(store, np.unique(positions[~covered]))
        return False

    def _zero(self, store: str, places: Indices) -> None:
        if not len(places):
            return
        buffer = self.gradients[store]
        regular = grid(places, (len(places),))
        examples = "batch" if self.batched and buffer.batched else ""
        for place in [regular] if regular else [Grid(place, (1,), (0,)) for place in places.tolist()]:
            self.writer.call("copy", 0.0, out=view(buffer, place, examples))
        self._covered[store][places] = True

    def _added_up(self, contribution: Any, full: Sequence[Length], gone: Sequence[int]) -> Any:
        """Add a contribution up over axes, which are then of size 1; along those that it lacks it is multiplied."""
        make = self.writer.sheet.make
        if isinstance(contribution, Symbol) and contribution.op == "neg":
            return make("neg", self._added_up(contribution.args[0], full, gone))
        ref = self.writer.ref(contribution)
        lacking = [axis for axis in gone if not isinstance(ref, Ref) or ref.axes[axis].length == (1, False)]
        factor: Any = 1.0
        for axis in lacking:
            size, of_batch = full[axis]
            factor = factor * float(size)
            if of_batch:
                factor = self.writer.leaf(Scalar("batch")) * factor
        axes = [axis for axis in gone if axis not in lacking]
        if axes and isinstance(ref, Ref):
            total = self.writer.temporary([length for i, length in enumerate(ref.lengths) if i not in axes])
            self.forward.reduce(ref, axes, total)
            rest = iter(total.axes)
            ref = total._replace(axes=tuple([ONE if i in axes else next(rest) for i in range(len(ref.axes))]))
        return make("mul", self.writer.leaf(ref), factor)

    def _write(self, contribution: Any, target: Ref, add: bool) -> None:
        if add:
            self.writer.call("add", target, self.writer.ref(contribution), out=target)
        else:
            self.writer.ref(contribution, target, lasting=False)

    def _scatter(self, operand: Operand, buffer: Buffer) -> None:
        """Add a collected gradient to where its numbers came from."""
        per_example = self.batched and operand.batched
        for store, start, positions in self.forward.pieces(operand):
            count = len(positions)
            if store is None or not self.lifted.wanted[operand.nodes[start : start + count]].any():
                continue
            piece = view(buffer, Grid(start, (count,), (1,)), "batch" if per_example else "")
            batched = self.lifted.layout.stores[store].batched
            if per_example and not batched:
                total = self.writer.temporary([(count, False)])
                self.forward.reduce(piece, [1], total)
                piece = total
            unique, piece = self._in_order(positions, piece)
            self._put(store, unique, piece, batched)

    def _in_order(self, positions: Indices, piece: Ref) -> tuple[Indices, Ref]:
        """The different places in order, and what came to each, added up."""
        order = np.argsort(positions, kind="stable")
        unique, starts = np.unique(positions[order], return_index=True)
        if not np.array_equal(order, np.arange(len(order))):
            moved = self.writer.temporary(piece.lengths)
            self.writer.call("take", piece, self.forward.table(order), out=moved)
            piece = moved
        if len(unique) < len(positions):
            total = self.writer.temporary([(len(unique), False), *piece.lengths[1:]])
            self.writer.call("add.reduceat", piece, self.forward.table(starts), out=total)
            piece = total
        return unique, piece

    def _put(self, store: str, unique: Indices, piece: Ref, batched: bool) -> None:
        covered = self._covered[store][unique]
        if covered.any():
            self._zero(store, unique[~covered])
        self._covered[store][unique] = True
        target = self.gradients[store]
        regular = grid(unique, (len(unique),))
        examples = "batch" if self.batched and batched else ""
        if regular is None:
            whole = view(target, Grid(0, (target.places,), (1,)), examples)
            self.writer.call("add_at" if covered.any() else "put", self.forward.table(unique), piece, out=whole)
            return
        out = view(target, regular, examples)
        if covered.any():
            self.writer.call("add", out, piece, out=out)
        else:
            self.writer.call("copy", piece, out=out)
