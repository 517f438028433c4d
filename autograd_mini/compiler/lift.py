"""Lifting: nodes become kernels, thousands of dots one matrix product, by their level, op and operands.

Nodes of one level, op and arity are a group. Where the left rows of a group of dots take R different values and the
right ones C, and the group is all R × C pairs, it is one matrix product: layers, batches, positions and heads are found
by this one mechanism. Every group gets a row of places in the order that makes its operands regular grids.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini.alike import alike
from autograd_mini.compiler.dots import grids
from autograd_mini.compiler.kernels import Kernel, Lifted, Operand
from autograd_mini.compiler.layout import Block, Indices, Layout, Store, common_sizes, grid
from autograd_mini.numbered import NO_GRADIENT, Graph

__all__ = ["Kernel", "Lifted", "Operand", "lift"]

_REDUCING = frozenset({"sum", "logsumexp", "largest", "rowdot"})


def lift(
    graph: Graph,
    stores: Sequence[Store],
    wanted: Callable[[str], bool],
    name_of: Callable[[str, Sequence[Operand], Sequence[Kernel]], str],
) -> Lifted:
    """Find the kernels of a graph.

    Args:
        graph: what to compute.
        stores: where its leaves are, with ``batched`` as it is to be.
        wanted: says of a store whether gradients by it are asked for.
        name_of: names a kernel's result, by its op, its operands and the kernels before it.
    """
    return _Lifting(graph, stores, wanted, name_of).lifted


class _Lifting:
    def __init__(self, graph: Graph, stores: Sequence[Store], wanted: Any, name_of: Any) -> None:
        self.graph = graph
        self.name_of = name_of
        count = len(graph)
        layout = self.layout = Layout(count)
        for store in stores:
            layout.add_store(store)
        for name, batched in (("values", True), ("plain", False)):
            layout.add_store(Store(name, batched))
        self.constant = np.zeros(count, dtype=bool)
        self.constant[list(graph.number)] = True
        self.number = np.zeros(count)
        self.number[list(graph.number)] = list(graph.number.values())
        self.batched = np.zeros(count, dtype=bool)
        self.wanted = np.zeros(count, dtype=bool)
        for index, source in graph.source.items():
            self.batched[index] = layout.stores[source.store].batched
            self.wanted[index] = wanted(source.store)
        self._mark()
        self.ends_in_one = self._first_of_those_with_a_one()
        self._place_leaves()
        self.kernels: list[Kernel] = []
        self.lifted = Lifted(graph, layout, self.kernels, self.wanted, self.batched, self._operand)
        for group in alike(graph, self.batched.tolist()):
            self._lift_group(group.op, np.array(group.nodes))

    def _mark(self) -> None:
        """Find out which nodes differ from example to example, and to which a gradient is handed on."""
        for index, args in enumerate(self.graph.args):
            if args:
                several = list(args) if len(args) < 16 else np.array(args)
                self.batched[index] = self.batched[several].any()
                self.wanted[index] = self.wanted[several].any() and self.graph.op[index] not in NO_GRADIENT

    def _first_of_those_with_a_one(self) -> dict[int, int]:
        """First factors of the right rows that end in the constant 1, and how many come before it."""
        graph, found = self.graph, dict[int, int]()
        for op, args in zip(graph.op, graph.args, strict=True):
            if op == "dot" and len(args) > 2 and graph.number.get(args[-1]) == 1.0:
                half = len(args) // 2
                if graph.number.get(args[half]) is None:
                    found[args[half]] = half - 1
        return found

    def _place_leaves(self) -> None:
        by_store: dict[str, list[int]] = defaultdict(list)
        for index, source in self.graph.source.items():
            by_store[source.store].append(index)
        for name, nodes in by_store.items():
            store = self.layout.stores[name]
            positions = np.array([self.graph.source[index].position for index in nodes])
            rows = [node for node in nodes if node in self.ends_in_one] if name != "parameters" else []
            widths = {self.ends_in_one[node] for node in rows}
            if len(widths) == 1 and len(rows) * (width := widths.pop()) == store.size and width in store.rows:
                positions += positions // width
                store.ones = {(width + 1) * row + width for row in range(len(rows))}
                store.size += len(rows)
            self.layout.place(nodes, name, positions)

    def _block(self, nodes: Indices, name: str, taken: Any = None) -> Block:
        """Give nodes their places, in order, and ones behind them where a dot wants them there.

        Where `taken` is given, it says of each place of the block whether it is a node's.
        """
        batched = bool(self.batched[nodes[0]])
        store = self.layout.stores["values" if batched else "plain"]
        places = np.arange(len(nodes)) if taken is None else np.flatnonzero(taken)
        block = Block(name, store.name, store.size, len(nodes) if taken is None else len(taken))
        self.layout.place(nodes, store.name, store.size + places)
        store.size += block.size
        rows = sum(1 for node in nodes.tolist() if node in self.ends_in_one) if self.ends_in_one else 0
        store.ones.update(range(store.size, store.size + rows))
        store.size += rows
        return block

    def _lift_group(self, op: str, members: Indices) -> None:
        args = np.array([self.graph.args[index] for index in members.tolist()])
        if op == "dot":
            self._lift_dots(members, args)
        elif op in _REDUCING:
            self._reduce(op, members, [args])
        else:
            self._elementwise(op, members, args)

    def _key(self, nodes: Indices) -> Indices:
        """A number for each node that sorts by store and place."""
        return self.layout.store[nodes] * (1 << 40) + self.layout.position[nodes]

    def _elementwise(self, op: str, members: Indices, args: Indices) -> None:
        columns = [args[:, i] for i in range(args.shape[1])]
        keys = [self._key(column) for column in columns]
        orders = [np.arange(len(members))]
        if len(members) > 1:
            for i in range(len(columns)):
                orders.append(np.lexsort([*keys[:i], *keys[i + 1 :], keys[i]]))
        best = None
        for order in orders:
            sizes, operands = self._operands([column[order] for column in columns], len(members))
            cost = sum(operand.number is None and operand.view is None for operand in operands) * 8 + len(sizes)
            if best is None or cost < best[0]:
                best = cost, order, sizes, operands
        assert best
        _, order, sizes, operands = best
        nodes = members[order]
        block = self._block(nodes, self.name_of(op, operands, self.kernels))
        self.kernels.append(Kernel(op, sizes, block, operands, nodes, bool(self.batched[nodes[0]])))

    def _reduce(self, op: str, members: Indices, several: list[Indices]) -> None:
        """A reduction of each row of arguments; for a rowdot of the products of two rows."""
        if op in ("sum", "largest", "logsumexp"):
            (rows,) = several
            several = [np.take_along_axis(rows, np.argsort(self._key(rows), axis=1, kind="stable"), axis=1)]
        width = several[0].shape[1]
        best = None
        for order in [np.arange(len(members)), np.argsort(self._key(several[0][:, 0]), kind="stable")]:
            sizes, operands = self._operands([rows[order].ravel() for rows in several], len(members) * width, width)
            cost = sum(operand.number is None and operand.view is None for operand in operands)
            if best is None or cost < best[0]:
                best = cost, order, sizes, operands
        assert best
        _, order, sizes, operands = best
        nodes = members[order]
        reduced, product = 0, 1
        while product < width:
            reduced += 1
            product *= sizes[-reduced]
        block = self._block(nodes, self.name_of(op, operands, self.kernels))
        kept = sizes[: len(sizes) - reduced]
        self.kernels.append(Kernel(op, kept, block, operands, nodes, bool(self.batched[nodes[0]]), reduced))

    def _operands(self, columns: list[Indices], count: int, bound: int = 1) -> tuple[tuple[int, ...], list[Operand]]:
        """Make operands of columns of nodes, over axes that they have in common."""
        fixed = [self._constant_or_none(column) for column in columns]
        stores = [self._one_store(column) for column in columns]
        regular = [i for i in range(len(columns)) if fixed[i] is None and stores[i] >= 0]
        sizes, found = common_sizes([self._places(columns[i]) for i in regular], count, bound)
        views = {i: grid(self._places(columns[i]), sizes) for i, fits in zip(regular, found, strict=True) if fits}
        operands = []
        for i, column in enumerate(columns):
            batched = bool(self.batched[column].any())
            operand = Operand(column, sizes, batched, fixed[i])
            if views.get(i) is not None:
                operand.store, operand.view = self.layout.names[stores[i]], views[i]
            operands.append(operand)
        return sizes, operands

    def _constant_or_none(self, nodes: Indices) -> float | None:
        first = nodes[0]
        if self.constant[first] and (nodes == first).all():
            return float(self.number[first])
        return None

    def _one_store(self, nodes: Indices) -> int:
        """The number of the store that all nodes are in; -1 if there is none."""
        stores = self.layout.store[nodes]
        return int(stores[0]) if (stores == stores[0]).all() else -1

    def _places(self, nodes: Indices) -> Indices:
        return self.layout.position[nodes]

    def _operand(self, nodes: Indices) -> Operand:
        """An operand over the axes that its array of nodes has; the constant 1 may be a row that follows the rest."""
        flat = nodes.ravel()
        operand = Operand(flat, nodes.shape, bool(self.batched[flat].any()), self._constant_or_none(flat))
        if operand.number is None:
            constant = self.constant[nodes]
            others = flat[~constant.ravel()]
            code = self._one_store(others) if len(others) else -1
            if code >= 0:
                positions: Indices | None = self.layout.position[nodes]
                if constant.any() and nodes.ndim < 3:
                    return operand
                if constant.any():
                    positions = self._with_ones(
                        nodes, self.layout.position[nodes], constant, self.layout.stores[self.layout.names[code]]
                    )
                if positions is not None:
                    operand.view = grid(positions, nodes.shape)
                    operand.store = self.layout.names[code]
        return operand

    def _with_ones(self, nodes: Indices, positions: Indices, constant: Any, store: Store) -> Indices | None:
        """The places of (stack, K, columns) whose last of K is the constant 1; None if there are no such ones."""
        k = nodes.shape[1]
        if k < 2 or constant[:, :-1].any() or not (self.number[nodes[:, -1]] == 1.0).all():
            return None
        steps = [positions[:, 1] - positions[:, 0]] if k > 2 else [nodes.shape[2], 1]
        positions = positions.copy()
        for step in steps:
            positions[:, -1] = positions[:, -2] + step
            if store.ones.issuperset(positions[:, -1].ravel().tolist()):
                return positions
        return None

    def _lift_dots(self, members: Indices, args: Indices) -> None:
        half = args.shape[1] // 2
        left, right = args[:, :half], args[:, half:]
        swap = self.batched[left].any(axis=1, keepdims=True) & ~self.batched[right].any(axis=1, keepdims=True)
        left, right = np.where(swap, right, left), np.where(swap, left, right)
        stacks, loose = grids(left, right, self._lead, lambda i: bool(self.batched[left[i]].any()))
        for parts in stacks:
            self._matmul(members, left, right, parts)
        if loose:
            part = np.concatenate(loose)
            if half == 1:
                self._elementwise("mul", members[part], np.hstack([left[part], right[part]]))
            else:
                self._reduce("rowdot", members[part], [left[part], right[part]])

    def _lead(self, factors: Indices) -> Indices:
        """What rows of factors are sorted by: the place of the first that is not a constant."""
        free = ~self.constant[factors]
        return self._key(factors[np.arange(len(factors)), free.argmax(axis=1)])

    def _matmul(self, members: Indices, left: Indices, right: Indices, parts: list[Indices]) -> None:
        stack = np.array(sorted(parts, key=lambda cells: int(self._lead(left[[int(cells.max())]])[0])))
        one_of_row, one_of_column = stack.max(axis=2), stack.max(axis=1)
        lefts, rights = left[one_of_row], right[one_of_column].swapaxes(1, 2)
        a, b = self._operand(lefts), self._operand(rights)
        if len(stack) > 1 and (a.view is None or b.view is None):
            for part in parts:
                self._matmul(members, left, right, [part])
            return
        cells = stack.ravel()
        nodes = members[cells[cells >= 0]]
        block = self._block(nodes, self.name_of("matmul", [a, b], self.kernels), cells >= 0)
        self.kernels.append(Kernel("matmul", stack.shape, block, [a, b], nodes, bool(self.batched[nodes[0]])))
