"""From kernels to statements: the forward pass, and the backward pass by the partials of the derivative table."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini.compiler.layout import Grid, Indices, grid
from autograd_mini.compiler.lift import Kernel, Lifted, Operand
from autograd_mini.compiler.program import Axis, Buffer, Ref, Scalar, view
from autograd_mini.compiler.symbols import Symbol, partial_formula, value_formula
from autograd_mini.compiler.writer import Writer, broadcast

__all__ = ["Lowering"]

Emit = Callable[[Ref], None]
_LARGEST = sys.float_info.max


class Lowering:
    """Writes the statements of a lifted program.

    Args:
        lifted: the kernels.
        batched: whether the program has an axis of examples.
        gradients: whether to write the backward pass.

    Attributes:
        forward, backward: the statements.
        buffers: the memory of each store, and of its gradient as ``"d_" + store``.
        tables: arrays of indices that the statements use, by name.
    """

    def __init__(self, lifted: Lifted, buffers: dict[str, Buffer], batched: bool) -> None:
        self.lifted, self.buffers, self.batched = lifted, buffers, batched
        self.writer = Writer()
        self.tables: dict[str, Any] = {}
        self._collected: dict[Any, Ref] = {}
        self._covered = {
            name: np.zeros(buffers[f"d_{name}"].places, dtype=bool) for name in lifted.layout.names if f"d_{name}" in buffers
        }
        self._shares: dict[tuple[str, int], tuple[Ref, Ref]] = {}

    def run_forward(self) -> None:
        for name, store in self.lifted.layout.stores.items():
            ones = np.array(sorted(store.ones), dtype=int)
            runs = np.split(ones, np.flatnonzero(np.diff(ones) != 1) + 1) if len(ones) else []
            if len(runs) > 1 and all(len(run) == 1 for run in runs):
                runs = [ones]
            for run in runs:
                regular = grid(run, (len(run),))
                for place in [regular] if regular else [Grid(int(one), (1,), (0,)) for one in run]:
                    self.writer.call("constant", 1.0, out=view(self.buffers[name], place, "batch" if self.batched and store.batched else ""))
        for kernel in self.lifted.kernels:
            getattr(self, f"_forward_{kernel.op}", self._forward_elementwise)(kernel)

    def run_backward(self, seeds: dict[int, Any]) -> None:
        """Write the backward pass from what the gradients of some nodes start with."""
        layout = self.lifted.layout
        for node, seed in seeds.items():
            store = layout.names[layout.store[node]]
            if f"d_{store}" in self.buffers:
                place = Grid(int(layout.position[node]), (1,), (0,))
                self._deposit_view(store, place, bool(self.lifted.batched[node]), seed)
        for kernel in reversed(self.lifted.kernels):
            if self.lifted.wanted[kernel.nodes].any() and self._reached(kernel):
                getattr(self, f"_backward_{kernel.op}", self._backward_elementwise)(kernel)

    # Views

    def _examples(self, batched: bool) -> str:
        return "" if not self.batched else "batch" if batched else "one"

    def _result(self, kernel: Kernel, gradient: bool = False) -> Ref:
        block = kernel.block
        buffer = self.buffers["d_" * gradient + block.store]
        strides, stride = [], 1
        for size in reversed(kernel.sizes):
            strides.append(stride)
            stride *= size
        place = Grid(block.start, kernel.sizes, tuple(reversed(strides)))
        return view(buffer, place, self._examples(kernel.batched))

    def _reached(self, kernel: Kernel) -> bool:
        """Whether a gradient has come to any of the kernel's results; where it has not, it is 0."""
        block = kernel.block
        mine = self._covered[block.store][block.start : block.start + block.size]
        if mine.any() and not mine.all():
            self._zero(block.store, block.start + np.flatnonzero(~mine))
        return bool(mine.any())

    def _zero(self, store: str, places: Indices) -> None:
        buffer = self.buffers[f"d_{store}"]
        regular = grid(places, (len(places),))
        examples = "batch" if self.batched and buffer.batched else ""
        if regular is not None:
            self.writer.call("copy", 0.0, out=view(buffer, regular, examples))
        else:
            for place in places.tolist():
                self.writer.call("copy", 0.0, out=view(buffer, Grid(place, (1,), (0,)), examples))
        self._covered[store][places] = True

    def read(self, operand: Operand) -> Ref | float:
        """The numbers of an operand: a view, or memory into which they have been collected."""
        if operand.number is not None:
            return operand.number
        if operand.view is not None:
            return view(self.buffers[operand.store], operand.view, self._examples(operand.batched))
        key = operand.nodes.tobytes(), operand.sizes
        if key not in self._collected:
            self._collected[key] = self._collect(operand)
        return self._collected[key]

    def _collect(self, operand: Operand) -> Ref:
        places = int(np.prod(operand.sizes))
        batched = self.batched and operand.batched
        buffer = Buffer("", places, batched, kind="kept")
        for store, start, positions in self._pieces(operand):
            count = len(positions)
            target = view(buffer, Grid(start, (count,), (1,)), "batch" if batched else "")
            if store is None:
                self._constants(target, positions)
                continue
            source = self.buffers[store]
            regular = grid(positions, (count,))
            examples = ("batch" if source.batched else "one") if batched else ""
            if regular is not None:
                self.writer.call("copy", view(source, regular, examples), out=target)
            else:
                whole = view(source, Grid(0, (source.places,), (1,)), "batch" if batched and source.batched else "")
                self.writer.call("take", whole, self._table(positions), out=target, keywords=examples)
        sizes = operand.sizes
        strides = tuple(int(np.prod(sizes[i + 1 :])) for i in range(len(sizes)))
        return view(buffer, Grid(0, sizes, strides), self._examples(operand.batched))

    def _constants(self, target: Ref, numbers: Any) -> None:
        """Constants go where they belong once and for all."""
        same = (numbers == numbers[0]).all()
        self.writer.call("constant", float(numbers[0]) if same else self._table(numbers), out=target)

    def _pieces(self, operand: Operand) -> list[tuple[str | None, int, Any]]:
        """The runs of an operand's nodes that are in one store: its name, where the run starts, the places."""
        layout = self.lifted.layout
        codes = layout.store[operand.nodes]
        cuts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
        pieces: list[tuple[str | None, int, Any]] = []
        for start, end in zip(cuts, cuts[1:], strict=False):
            nodes = operand.nodes[start:end]
            if codes[start] < 0:
                pieces.append((None, start, np.array([self.lifted.graph.number[node] for node in nodes.tolist()])))
            else:
                pieces.append((layout.names[codes[start]], start, layout.position[nodes]))
        return pieces

    def _table(self, array: Any) -> str:
        name = f"indices{len(self.tables) + 1}" if array.dtype.kind == "i" else f"constants{len(self.tables) + 1}"
        for known, table in self.tables.items():
            if table.dtype == array.dtype and np.array_equal(table, array):
                return known
        self.tables[name] = array
        return name

    # Forward

    def _forward_elementwise(self, kernel: Kernel) -> None:
        args = [self.writer.leaf(self.read(operand)) for operand in kernel.operands]
        formula = self._formula(kernel.op, args)
        out = self._result(kernel)
        if isinstance(formula, Symbol) and formula.op == "leaf":
            self.writer.ref(formula, out)
        else:
            self.writer.ref(formula, out)
            self.writer.know(formula, out)

    def _formula(self, op: str, args: Sequence[Any]) -> Any:
        return value_formula(self.writer.sheet, op, args)

    def _forward_matmul(self, kernel: Kernel) -> None:
        a, b = (self._matrix(operand) for operand in kernel.operands)
        self._multiply(a, b, self._result(kernel))

    def _matrix(self, operand: Operand) -> Ref:
        """A factor of a matrix product: (stack, rows, columns), and a batch behind them if it has one."""
        ref = self.read(operand)
        if isinstance(ref, float):
            raise AssertionError("a factor that is a constant")
        return ref._replace(axes=ref.axes[:3]) if self.batched and not operand.batched else ref

    def _multiply(self, a: Ref, b: Ref, out: Ref) -> None:
        """out = a @ b, where each has (stack, rows, columns) and maybe a batch; the fewest calls that do it."""
        if len(out.axes) == 3:  # no batch
            drop = [axis for axis in (0,) if out.axes[0].length == (1, False)]
            self.writer.call("matmul", *[_without(ref, drop) for ref in (a, b)], out=_without(out, drop))
        elif len(a.axes) == 3:  # weights times examples
            wide, flat = b.merged(2, 3), out.merged(2, 3)
            if wide is not None and flat is not None:
                drop = [0] if out.axes[0].length == (1, False) else []
                self.writer.call("matmul", _without(a, drop), _without(wide, drop), out=_without(flat, drop))
            else:  # column by column: (columns, stack, K, batch)
                self.writer.call(
                    "matmul", a, b.reordered(2, 0, 1, 3), out=out.reordered(2, 0, 1, 3)
                )
        else:
            a, b, out = (ref.reordered(3, 0, 1, 2) for ref in (a, b, out))
            self.writer.call("matmul", a, b, out=out)

    def _forward_rowdot(self, kernel: Kernel) -> None:
        a, b = (self.writer.leaf(self.read(operand)) for operand in kernel.operands)
        product = self.writer.ref(a * b)
        self._add_up(kernel, product, "add")

    def _forward_sum(self, kernel: Kernel) -> None:
        self._add_up(kernel, self.read(kernel.operands[0]), "add")

    def _forward_largest(self, kernel: Kernel) -> None:
        self._add_up(kernel, self.read(kernel.operands[0]), "maximum")

    def _add_up(self, kernel: Kernel, ref: Any, function: str) -> None:
        self._reduce(ref, self._reduced_axes(kernel), self._result(kernel), function)

    def _reduced_axes(self, kernel: Kernel) -> list[int]:
        kept = len(kernel.sizes)
        return list(range(kept, kept + kernel.reduced))

    def _reduce(self, ref: Ref, axes: Sequence[int], out: Ref, function: str = "add") -> None:
        gone = tuple(axes)
        self.writer.call(f"{function}.reduce", ref, out=out, keywords=str(gone[0]) if len(gone) == 1 else str(gone))

    def _spread(self, ref: Ref, kernel: Kernel) -> Ref:
        """A view of the result's axes with axes of size 1 where operands have what is reduced."""
        kept = len(kernel.sizes)
        return ref._replace(axes=(*ref.axes[:kept], *(Axis(1, 0),) * kernel.reduced, *ref.axes[kept:]))

    def _forward_logsumexp(self, kernel: Kernel) -> None:
        """top + log1p(Σ exp(x - top)), where the top itself, exactly 1, is left out: small ones keep their digits."""
        writer, out, axes = self.writer, self._result(kernel), self._reduced_axes(kernel)
        x = self.read(kernel.operands[0])
        shifted = self._shifted_already(kernel)
        if not shifted:
            top = writer.temporary(out.lengths)
            self._reduce(x, axes, top, "maximum")
            writer.call("minimum", top, _LARGEST, out=top)
            writer.call("maximum", top, -_LARGEST, out=top)
            difference = writer.temporary(x.lengths)
            writer.call("subtract", x, self._spread(top, kernel), out=difference)
            x = difference
        is_top = writer.temporary(x.lengths, "bool")
        writer.call("equal", x, 0.0, out=is_top)
        shares, others = writer.temporary(x.lengths), writer.temporary(x.lengths)
        writer.call("exp", x, out=shares)
        writer.call("subtract", shares, is_top, out=others)
        tops, rest = writer.temporary(out.lengths), writer.temporary(out.lengths)
        self._reduce(is_top, axes, tops)
        self._reduce(others, axes, rest)
        writer.call("subtract", tops, 1.0, out=tops)
        writer.call("add", rest, tops, out=rest)
        if shifted:
            writer.call("log1p", rest, out=out)
        else:
            logarithm = writer.temporary(out.lengths)
            writer.call("log1p", rest, out=logarithm)
            writer.call("add", logarithm, top, out=out)
        self._shares[kernel.block.store, kernel.block.start] = shares, rest

    def _shifted_already(self, kernel: Kernel) -> bool:
        """Whether every term has the largest of all terms taken off it, as log_softmax does."""
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

    # Backward

    def _upstream(self, kernel: Kernel) -> Any:
        return self.writer.leaf(self._result(kernel, gradient=True), fresh=True)

    def _wanted(self, operand: Operand) -> bool:
        return operand.number is None and bool(self.lifted.wanted[operand.nodes].any())

    def _backward_elementwise(self, kernel: Kernel) -> None:
        args = [self.writer.leaf(self.read(operand)) for operand in kernel.operands]
        y = self.writer.leaf(self._result(kernel))
        upstream = self._upstream(kernel)
        for i, operand in enumerate(kernel.operands):
            if self._wanted(operand):
                self.deposit(operand, upstream * partial_formula(self.writer.sheet, kernel.op, i, y, args))

    def _backward_sum(self, kernel: Kernel) -> None:
        upstream = self.writer.leaf(self._spread(self._result(kernel, gradient=True), kernel), fresh=True)
        self.deposit(kernel.operands[0], upstream)

    def _backward_rowdot(self, kernel: Kernel) -> None:
        upstream = self.writer.leaf(self._spread(self._result(kernel, gradient=True), kernel), fresh=True)
        a, b = (self.writer.leaf(self.read(operand)) for operand in kernel.operands)
        for operand, other in zip(kernel.operands, (b, a), strict=True):
            if self._wanted(operand):
                self.deposit(operand, upstream * other)

    def _backward_logsumexp(self, kernel: Kernel) -> None:
        shares, rest = self._shares[kernel.block.store, kernel.block.start]
        upstream = self._result(kernel, gradient=True)
        total = self.writer.leaf(rest, fresh=True) + 1.0
        share = self.writer.sheet.make("div", self.writer.leaf(upstream, fresh=True), total)
        factor = self.writer.ref(share)
        leaf = self.writer.leaf(self._spread(factor, kernel), fresh=True)
        self.deposit(kernel.operands[0], self.writer.leaf(shares, fresh=True) * leaf)

    def _backward_matmul(self, kernel: Kernel) -> None:
        a, b = kernel.operands
        upstream = self._result(kernel, gradient=True)
        if self._wanted(a):
            self._deposit_product(a, upstream, self._matrix(b), first=True)
        if self._wanted(b):
            self._deposit_product(b, self._matrix(a), upstream, first=False)

    def _deposit_product(self, operand: Operand, p: Ref, q: Ref, first: bool) -> None:
        """Hand a product of matrices to a factor of the forward pass: p @ qᵀ to the first, pᵀ @ q to the second."""
        part = operand if first else self._without_ones(operand)
        if not first and part is not operand:
            p = _cut(p, 2, part.sizes[1])

        def write(out: Ref) -> None:
            self._product(p, q, out, first)

        lengths = [(size, False) for size in part.sizes]
        if self.batched and operand.batched:
            lengths.append((1, True))
        self._deposit_written(part, write, tuple(lengths))

    def _without_ones(self, operand: Operand) -> Operand:
        """The same without its last row where that holds constants."""
        nodes = operand.nodes.reshape(operand.sizes)
        last = nodes[:, -1].ravel()
        if operand.sizes[1] < 2 or not all(node in self.lifted.graph.number for node in last.tolist()):
            return operand
        sizes = (operand.sizes[0], operand.sizes[1] - 1, operand.sizes[2])
        place = None if operand.view is None else operand.view._replace(sizes=sizes)
        return Operand(nodes[:, :-1].ravel(), sizes, operand.batched, None, operand.store, place)

    def _product(self, p: Ref, q: Ref, out: Ref, first: bool) -> None:
        batched = len(p.axes) == 4, len(q.axes) == 4
        if first and len(out.axes) == 3 and all(batched):  # summed over columns and examples
            wide = [ref.merged(2, 3) for ref in (p, q)]
            if None not in wide:
                self._matmul3(wide[0], wide[1].reordered(0, 2, 1), out)
            else:
                several = self.writer.temporary((p.axes[2].length, *out.lengths))
                self.writer.call(
                    "matmul", p.reordered(2, 0, 1, 3), q.reordered(2, 0, 3, 1), out=several
                )
                self._reduce(several, (0,), out)
        elif first:
            transposed = q.reordered(0, 2, 1, 3) if len(q.axes) == 4 else q.reordered(0, 2, 1)
            self._multiply(p, transposed, out)
        else:
            transposed = p.reordered(0, 2, 1, 3) if len(p.axes) == 4 else p.reordered(0, 2, 1)
            self._multiply(transposed, q, out)

    def _matmul3(self, a: Ref, b: Ref, out: Ref) -> None:
        drop = [0] if out.axes[0].length == (1, False) else []
        self.writer.call("matmul", _without(a, drop), _without(b, drop), out=_without(out, drop))

    # Handing gradients on

    def deposit(self, operand: Operand, contribution: Any) -> None:
        """Add a contribution to the gradient of an operand."""
        if isinstance(contribution, float) and contribution == 0.0:
            return
        if operand.view is not None:
            self._deposit_view(operand.store, operand.view, operand.batched, contribution)
            return
        lengths = tuple([(size, False) for size in operand.sizes]) + (((1, True),) if self.batched and operand.batched else ())
        gathered = self.writer.temporary(lengths)
        if self.batched and not operand.batched:
            spread = Ref(gathered.buffer, 0, (*gathered.axes, *_one_axis()))
            self._write(contribution, spread, False)
        else:
            self._write(contribution, gathered, False)
        self._scatter(operand, gathered.buffer)

    def _deposit_written(self, operand: Operand, write: Emit, lengths: tuple[tuple[int, bool], ...]) -> None:
        """Add what `write` writes to the gradient of an operand, in place if nothing is there yet."""
        if operand.view is not None and 0 not in [
            stride for size, stride in zip(operand.view.sizes, operand.view.strides, strict=True) if size > 1
        ]:
            target = view(self.buffers[f"d_{operand.store}"], operand.view, "batch" if len(lengths) == 4 else "")
            if self._first_time(operand.store, operand.view):
                write(target)
            else:
                several = self.writer.temporary(lengths)
                write(several)
                self.writer.call("add", target, several, out=target)
            return
        several = self.writer.temporary(lengths)
        write(several)
        if operand.view is not None:
            axes = several.axes if len(lengths) == 4 or not self.batched else (*several.axes, *_one_axis())
            self._deposit_view(operand.store, operand.view, operand.batched, self.writer.leaf(several._replace(axes=axes), fresh=True))
        else:
            self._scatter(operand, several.buffer)

    def _first_time(self, store: str, place: Grid) -> bool:
        """Whether no gradient has come to these places yet; if to some of them only, the rest is made 0."""
        positions = _positions(place)
        covered = self._covered[store][positions]
        if not covered.any():
            self._covered[store][positions] = True
            return True
        if not covered.all():
            self._zero(store, np.unique(positions[~covered]))
        return False

    def _deposit_view(self, store: str, place: Grid, batched: bool, contribution: Any) -> None:
        buffer = self.buffers[f"d_{store}"]
        axes = [i for i, (size, stride) in enumerate(zip(place.sizes, place.strides, strict=True)) if size > 1 and stride == 0]
        per_example = self.batched and batched
        kept = Grid(place.start, tuple(1 if i in axes else size for i, size in enumerate(place.sizes)), place.strides)
        target = view(buffer, kept, self._examples(batched))
        full = [(size, False) for size in place.sizes] + ([(1, True)] if self.batched else [])
        gone = [*axes, *([len(place.sizes)] if self.batched and not per_example else [])]
        first = self._first_time(store, kept)
        if gone:
            contribution = self._reduced(contribution, full, gone)
        self._write(contribution, target, not first)

    def _reduced(self, contribution: Any, full: list[tuple[int, bool]], gone: list[int]) -> Any:
        """Add a contribution up over axes; those are then of size 1."""
        ref = self.writer.ref(contribution)
        if not isinstance(ref, Ref):
            count: Any = 1.0
            for axis in gone:
                size, of_batch = full[axis]
                count *= size
                if of_batch:
                    count = self.writer.leaf(Scalar("batch")) * count
            return contribution * count
        real = [axis for axis in gone if ref.axes[axis].length != (1, False)]
        factor: Any = 1.0
        for axis in gone:
            if axis not in real and full[axis] != (1, False):
                size, of_batch = full[axis]
                factor = factor * float(size)
                if of_batch:
                    factor = self.writer.leaf(Scalar("batch")) * factor
        if real:
            lengths = tuple([length for i, length in enumerate(ref.lengths) if i not in real])
            total = self.writer.temporary(lengths)
            self._reduce(ref, real, total)
            axes, rest = [], iter(total.axes)
            for i in range(len(ref.axes)):
                axes.append(_one_axis()[0] if i in real else next(rest))
            ref = total._replace(axes=tuple(axes))
        return self.writer.leaf(ref, fresh=True) * factor

    def _write(self, contribution: Any, target: Ref, add: bool) -> None:
        if add:
            self.writer.call("add", target, self.writer.ref(contribution), out=target)
        elif isinstance(contribution, Symbol) and contribution.op != "leaf":
            self.writer.ref(contribution, target, lasting=False)
        else:
            self.writer.call("copy", self.writer.ref(contribution), out=target)

    def _scatter(self, operand: Operand, buffer: Buffer) -> None:
        """Add a gathered gradient to where its numbers came from."""
        wanted = self.lifted.wanted
        per_example = self.batched and operand.batched
        for store, start, positions in self._pieces(operand):
            count = len(positions)
            if store is None or not wanted[operand.nodes[start : start + count]].any():
                continue
            piece = view(buffer, Grid(start, (count,), (1,)), "batch" if per_example else "")
            batched = self.lifted.layout.stores[store].batched
            regular = grid(positions, (count,))
            if regular is not None:
                if self.batched and not per_example:
                    piece = piece._replace(axes=(*piece.axes, *_one_axis()))
                self._deposit_view(store, regular, batched, self.writer.leaf(piece, fresh=True))
                continue
            if per_example and not batched:
                total = self.writer.temporary(((count, False),))
                self._reduce(piece, (1,), total)
                piece = total
            unique, inverse = np.unique(positions, return_inverse=True)
            if len(unique) < count:
                selection = np.zeros((len(unique), count))
                selection[inverse, np.arange(count)] = 1.0
                lengths = ((len(unique), False), *piece.lengths[1:])
                total = self.writer.temporary(lengths)
                self.writer.call("matmul", self._table(selection), piece, out=total)
                piece = total
            else:
                order = np.argsort(positions)
                if not np.array_equal(order, np.arange(count)):
                    total = self.writer.temporary(piece.lengths)
                    self.writer.call("take", piece, self._table(order), out=total, keywords="")
                    piece = total
            self._put(store, unique, piece, batched)

    def _put(self, store: str, unique: Indices, piece: Ref, batched: bool) -> None:
        target = self.buffers[f"d_{store}"]
        covered = self._covered[store][unique]
        if covered.any() and not covered.all():
            self._zero(store, unique[~covered])
        self._covered[store][unique] = True
        regular = grid(unique, (len(unique),))
        examples = "batch" if self.batched and batched else ""
        if regular is not None:
            out = view(target, regular, examples)
            self.writer.call("add", out, piece, out=out) if covered.any() else self.writer.call("copy", piece, out=out)
        else:
            whole = view(target, Grid(0, (target.places,), (1,)), examples)
            function = "add_at" if covered.any() else "put"
            self.writer.call(function, self._table(unique), piece, out=whole)


def _one_axis() -> tuple[Axis]:
    return (Axis(1, 0),)


def _positions(place: Grid) -> Indices:
    positions: Any = np.array(place.start)
    for size, stride in zip(place.sizes, place.strides, strict=True):
        positions = np.add.outer(positions, stride * np.arange(size))
    flat: Indices = np.asarray(positions).ravel()
    return flat


def _without(ref: Ref, axes: Sequence[int]) -> Ref:
    return ref._replace(axes=tuple([axis for i, axis in enumerate(ref.axes) if i not in axes]))


def _cut(ref: Ref, axis: int, size: int) -> Ref:
    axes = list(ref.axes)
    axes[axis] = axes[axis]._replace(size=size)
    return ref._replace(axes=tuple(axes))
