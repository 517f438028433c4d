"""Building a program: a recorded function, lifted, lowered and written out as the source of a NumPy function."""

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_mini.compiler.canonical import Graph
from autograd_mini.compiler.layout import Grid, Store
from autograd_mini.compiler.lift import Kernel, Lifted, Operand, lift
from autograd_mini.compiler.loss import Total, total_of
from autograd_mini.compiler.lower import Lowering, flat
from autograd_mini.compiler.program import Axis, Buffer, Ref, Scalar, Statement, in_order, view
from autograd_mini.compiler.reverse import Reverse
from autograd_mini.compiler.source import refs, share_memory, split, view_text
from autograd_mini.compiler.symbols import opaque_function
from autograd_mini.compiler.text import NUMPY_NAMES, statement_line
from autograd_mini.kits import array_kit

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
        single: whether its function returns what a call does, a loss and the gradients by the parameters.
    """

    source: str
    lifted: Lifted
    tables: dict[str, Any]
    own: dict[str, Any]
    single: bool

    def prepare(self, parameters: Any, gradients: Any, batch: int, dtype: Any) -> Any:
        """Make the function for a size of the batch; it has memory of its own."""
        names: dict[str, Any] = {name: getattr(np, name) for name in NUMPY_NAMES}
        kit = array_kit(np)
        names |= {
            "strided": _strided,
            "dtype": np.dtype(dtype),
            "erf": kit.erf,
            "erfc": kit.erfc,
            "on_grid": kit.on_grid,
            "largest_number": float(np.finfo(dtype).max),
            "largest_exponent": float(np.floor(np.log(np.finfo(dtype).max))),
        }
        names |= {
            name: table.astype(dtype) if table.dtype.kind == "f" else table for name, table in self.tables.items()
        }
        names |= {name: np.vectorize(function, otypes=[float]) for name, function in self.own.items()}
        exec(compile(self.source, "<compiled by autograd_mini>", "exec"), names)
        return names["prepare"](parameters, gradients, batch)


def _strided(buffer: Any, start: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """A view of contiguous memory; start and strides count numbers."""
    size = buffer.itemsize
    reach = [(n - 1) * stride for n, stride in zip(shape, strides, strict=True)]
    first, last = (start + sum(f(0, step) for step in reach) for f in (min, max))
    assert 0 <= first <= last < buffer.size  # else it would read and write what is not its own
    return np.lib.stride_tricks.as_strided(buffer.reshape(-1)[start:], shape, [stride * size for stride in strides])


def build(
    graph: Graph,
    arguments: Sequence[Argument],
    labels: Sequence[str],
    *,
    batched: bool,
    gradients: bool,
) -> Program:
    """Build the program for a graph.

    Args:
        graph: its first root is what gradients are taken of.
        arguments: what the program is given.
        labels: of the parameters, for names.
        batched: whether there is an axis of examples.
        gradients: whether gradients of the first root are computed.
    """
    return _Building(graph, arguments, labels, batched, gradients).program


class _Building:
    def __init__(self, graph: Graph, arguments: Any, labels: Any, batched: bool, gradients: bool) -> None:
        self.graph, self.arguments, self.labels, self.batched = graph, arguments, labels, batched
        self.taken = {"parameters", "gradients", "batch", "share", "dtype", "prepare", "step", "strided", *NUMPY_NAMES}
        self.numbers: dict[str, int] = {}  # the last number behind each name
        self.taken |= {"erf", "erfc", "on_grid", "largest_number", "largest_exponent"}
        self.taken |= {argument.name for argument in arguments} | {_new(argument.name) for argument in arguments}
        stores = [Store("parameters", False, len(labels))]
        stores += [Store(one.name, batched and one.per_example, int(np.prod(one.shape))) for one in arguments]
        wanted = {one.name for one in arguments if one.wanted} | ({"parameters"} if labels else set())
        self.by_parameters = bool(labels)
        self.differentiated = gradients
        self.lifted = lift(graph, stores, wanted.__contains__ if gradients else (lambda store: False), self._name)
        self.buffers = self._buffers()
        self.total = self._total() if gradients and (self.by_parameters or not batched) else None
        skipped = self.total.skipped if self.total else []
        lowering = Lowering(self.lifted, self.buffers, batched, skipped)
        results = self._results(lowering)
        forward = len(lowering.writer.statements)
        self.gradients = self._gradient_buffers(wanted)
        root = graph.roots[0]
        if gradients and self.lifted.wanted[root]:
            reverse = Reverse(lowering, self.gradients)
            self._start(reverse, root)
            reverse.run(skipped)
        self.statements = lowering.writer.statements
        self.own = {
            re.sub(r"\W", "_", statement.function): opaque_function(statement.function)
            for statement in self.statements
            if statement.function.startswith("own:")
        }
        results += self._gradients_by_arguments()
        keep = [Statement("keep", (), ref) for ref in results if isinstance(ref, Ref)]
        everything = [*self.statements, *keep]
        blocks = {"values": [], "plain": []}  # type: ignore[var-annotated]
        for kernel in self.lifted.kernels:
            block = kernel.block
            blocks[block.store].append((block.name, block.start, block.size))
            blocks[block.store] += (
                [("", block.start, block.size + 1)]
                if block.start + block.size in self.lifted.layout.stores[block.store].ones
                else []
            )
        for name, of in blocks.items():
            split(everything, self.buffers[name], of, "")
            split(everything, self.gradients[name], of, "d_")
        self.results = [ref if not isinstance(ref, Ref) else keep.pop(0).out for ref in results]
        self.temporaries = share_memory(self.statements)
        text = self._text(lowering, forward)
        self.program = Program(text, self.lifted, lowering.tables, self.own, self.single)

    def _buffers(self) -> dict[str, Buffer]:
        """Memory for each store. Inputs of matrix products are kept as they come, others with the examples last."""
        factors = {
            operand.store for kernel in self.lifted.kernels if kernel.op == "matmul" for operand in kernel.operands
        }
        found = {}
        for name, store in self.lifted.layout.stores.items():
            is_factor = name in factors and name not in ("values", "plain", "parameters")
            kind = "given" if name == "parameters" else "kept"
            found[name] = Buffer(
                name + "_and_one" * bool(store.ones and kind == "kept"), store.size, store.batched, is_factor, kind
            )
        return found

    def _gradient_buffers(self, wanted: set[str]) -> dict[str, Buffer]:
        found = {}
        for name, store in self.lifted.layout.stores.items():
            if name in wanted or name in ("values", "plain"):
                given = name == "parameters"
                own = "gradients" if given else f"d_{name}"
                found[name] = Buffer(own, store.size, store.batched, kind="given" if given else "kept")
        return found

    def _total(self) -> Total | None:
        """The loss as a total, if each of its operands is one piece of memory."""
        total = total_of(self.lifted)
        if total is None:
            return None
        for operand in total.operands:
            if operand.view is None or 0 in operand.view.strides_of_long_axes or self._total_view(operand) is None:
                return None
            if operand.sizes != total.operands[0].sizes and not all(one.view.is_in_order for one in total.operands):
                return None
        return total

    def _total_view(self, operand: Operand) -> Ref | None:
        assert operand.view is not None
        return flat(
            view(self.buffers[operand.store], operand.view, "batch" if self.batched and operand.batched else "")
        )

    def _start(self, reverse: Reverse, root: int) -> None:
        """Deposit what the gradient of the loss starts with."""
        coefficient = self.total.coefficient if self.total else 1.0
        seed: Any = coefficient
        if self.batched and self.by_parameters and self.lifted.batched[root]:
            seed = reverse.writer.leaf(Scalar("share" if coefficient == 1.0 else f"{coefficient!r} * share"))
        if self.total is None:
            reverse.deposit(self.lifted.operand(np.array([root])), seed)
            return
        make = reverse.writer.sheet.make
        operands = self.total.operands
        for i, operand in enumerate(operands):
            if self.lifted.wanted[operand.nodes].any():
                other: Any = 1.0
                if len(operands) == 2:
                    other = reverse.writer.leaf(reverse.forward.read(_cut_as(operands[1 - i], operand)))
                reverse.deposit(operand, make("mul", seed, other))

    # Names

    def _name(self, op: str, operands: Sequence[Operand], kernels: Sequence[Kernel]) -> str:
        """Name a result: a layer's sums by its weights' labels, what is made of sums by the same, the rest by the op."""
        if op == "matmul":
            label = self._label(operands[0].nodes)
            return self._free(f"{label}_sum" if label else "product")
        block = _block_of(operands, kernels)
        if block.endswith("_sum") and op not in _WORDS:
            return self._free(block.removesuffix("_sum"))
        return self._free(_WORDS.get(op, op))

    def _label(self, nodes: Any) -> str:
        """What the labels of these parameters begin with."""
        names = []
        for node in (nodes[0], nodes[-1]):
            source = self.graph.source.get(int(node))
            if source is not None and source.store == "parameters":
                names.append(self.labels[source.position])
        if not names:
            return ""
        prefix = names[0]
        for name in names:
            while not name.startswith(prefix):
                prefix = prefix[:-1]
        prefix = re.split(r"[.\[]", prefix)[0] if re.search(r"[.\[]", prefix) else prefix
        return re.sub(r"\W", "_", prefix).strip("_")

    def _free(self, name: str) -> str:
        name = re.sub(r"\W", "_", name) or "values"
        if keyword.iskeyword(name) or name[0].isdigit():
            name = f"_{name}"
        number, free = self.numbers.get(name, 1), name
        while free in self.taken:
            number += 1
            free = f"{name}{number}"
        self.numbers[name] = number
        self.taken.add(free)
        return free

    # Results

    def _results(self, lowering: Lowering) -> list[Any]:
        """Where the numbers are that the program returns: a loss, if there is one, and all others together."""
        graph = self.graph
        first = [graph.roots[0]] if self.differentiated else []
        found: list[Any] = []
        for nodes in (first, graph.roots[len(first) :]):
            self.has_others = bool(nodes)
            if nodes and nodes is first and self.total is not None:
                found += [self._total_view(operand) for operand in self.total.operands]
            elif nodes:
                found.append(lowering.read(self.lifted.operand(np.array(nodes))))
        return found

    def _gradients_by_arguments(self) -> list[Ref]:
        if self.by_parameters or not self.differentiated:
            return []
        return [self._whole(one, self.gradients[one.name]) for one in self.arguments if one.wanted]

    # Text

    def _text(self, lowering: Lowering, forward: int) -> str:
        names: dict[str, str] = {}
        views: list[str] = []
        once: list[str] = []

        def name(ref: Any) -> str:
            if isinstance(ref, Scalar):
                text = ref.text[1:-1] if re.fullmatch(r"\([^()]*\)", ref.text) else ref.text
                if re.fullmatch(r"\w+|[\d.e+-]+", text):
                    return text
                if text not in names:
                    names[text] = self._free("scale")
                    views.append(f"{names[text]} = {text}")
                return names[text]
            if isinstance(ref, str):
                return ref
            if not isinstance(ref, Ref):
                return repr(ref)
            text = view_text(ref)
            if text == ref.buffer.name or re.fullmatch(r"\w+", text):
                return text
            if text not in names:
                names[text] = self._free(self._view_name(ref, text))
                views.append(f"{names[text]} = {text}")
            return names[text]

        self.taken |= {ref.buffer.name for one in self.statements for ref in refs(one) if ref.buffer.kind == "kept"}
        unnamed = [buffer for buffer in self.temporaries if not buffer.name]
        for i, buffer in enumerate(unnamed, 1):
            buffer.name = self._free(f"t{i}" if buffer.dtype == "float" else f"mask{i}")
        for buffer in self.temporaries:
            if buffer not in unnamed:
                buffer.name = self._free(buffer.name)
        used: dict[Buffer, None] = {}
        for ref in [
            *(ref for statement in self.statements for ref in refs(statement)),
            *(r for r in self.results if isinstance(r, Ref)),
        ]:
            used[ref.buffer] = None
        for buffer in used:
            if not buffer.name:
                buffer.name = self._free("collected")
        lines: list[str] = []
        ones = [one for one in self.statements if one.function == "constant" and one.args == (1.0,)]
        self.with_ones = {one.out.buffer for one in ones if one.out is not None}
        for i, statement in enumerate(self.statements):
            if i == forward:
                lines.append("# backward")
            if any(statement is one for one in ones):
                continue
            line = statement_line(statement, name)
            if statement.function == "constant":
                once.append(line)
            else:
                lines.append(line)
        returned = self._returned(name)
        copies = self._copies(name, used)
        arguments = ", ".join(_new(one.name) for one in self.arguments)
        memory = [self._memory(buffer) for buffer in used if buffer.kind != "given"]
        prologue = [*memory, *views, *once]
        if self.batched and self.by_parameters:
            prologue.insert(0, "share = 1.0 / batch")
        body = [*copies.values(), *lines, returned]
        text = ["def prepare(parameters, gradients, batch):"]
        if len(prologue) > _MANY:
            text.append(f"    global {', '.join(line.partition(' = ')[0] for line in [*memory, *views])}")
        text += [f"    {line}" for line in prologue]
        text += ["", f"    def step({arguments}):", *(f"        {line}" for line in body), "", "    return step", ""]
        return "\n".join(text)

    def _memory(self, buffer: Buffer) -> str:
        shape = str(buffer.places)
        if buffer.batched and self.batched:
            shape = f"(batch, {shape})" if buffer.batch_first else f"({shape}, batch)"
        dtype = "bool" if buffer.dtype == "bool" else "dtype"
        made = "zeros" if buffer in self.gradients.values() else "ones" if buffer in self.with_ones else "empty"
        return f"{buffer.name} = {made}({shape}, {dtype})"

    def _copies(self, name: Any, used: Any) -> dict[str, str]:
        """A line for each argument that something uses, which copies it in."""
        return {
            one.name: f"{self._target(name, self._whole(one, self.buffers[one.name]))} = {_new(one.name)}"
            for one in self.arguments
            if self.buffers[one.name] in used
        }

    def _whole(self, one: Argument, buffer: Buffer) -> Ref:
        """A view of all numbers of an argument in its shape, with the examples first."""
        store = self.lifted.layout.stores[one.name]
        width = store.size // len(store.ones) - 1 if store.ones else 0
        strides, stride = [], 1
        for size in reversed(one.shape):
            strides.insert(0, stride)
            stride *= size
            if stride == width:  # a place for a 1 follows
                stride += 1
        axes = [Axis(size, step) if size > 1 else Axis(1, 0) for size, step in zip(one.shape, strides, strict=True)]
        if self.batched and store.batched:
            if not buffer.batch_first:
                axes = [axis._replace(stride_per_batch=axis.size > 1) for axis in axes]
            axes.insert(0, Axis(1, buffer.places if buffer.batch_first else 1, True))
        return Ref(buffer, 0, tuple(axes))

    def _target(self, name: Any, ref: Ref) -> str:
        buffer, inner = ref.buffer, ref.axes
        if not (buffer.batched and self.batched):
            simple = len(inner) == 1 and inner[0].stride in (0, 1)
            return (
                f"{buffer.name}[0]" if not inner else _sliced(buffer, inner[0].size) if simple else f"{name(ref)}[...]"
            )
        if len(inner) == 1:
            return f"{buffer.name}[:, 0]" if buffer.batch_first else f"{buffer.name}[0]"
        return f"{name(ref)}[...]"

    def _returned(self, name: Any) -> str:
        """The line that returns (loss, others, gradients by arguments); without others, what a call returns."""
        results = list(self.results)
        loss, others = "None", "()"
        if self.differentiated:
            loss = self._loss(results, name)
        if self.has_others:
            others = name(results.pop(0))
        self.single = self.by_parameters and not self.has_others
        if self.single:
            return f"return {loss}, gradients"
        gradients = [self._copy_of(ref, name) for ref in results]
        return f"return {loss}, {others}, ({', '.join(gradients)}{',' * (len(gradients) == 1)})"

    def _loss(self, results: list[Any], name: Any) -> str:
        if self.total is None:
            return self._one_number(results.pop(0), name)
        factors = [name(results.pop(0)) for _ in self.total.operands]
        whole = f"dot({', '.join(factors)})" if len(factors) == 2 else f"add.reduce({factors[0]})"
        batched = self.batched and self.lifted.batched[self.graph.roots[0]]
        scale = [] if self.total.coefficient == 1.0 else [repr(self.total.coefficient)]
        factor = Scalar(" * ".join([*scale, *["share"] * bool(batched)]))
        return f"{whole} * {name(factor)}" if factor.text else whole

    def _one_number(self, ref: Any, name: Any) -> str:
        if not isinstance(ref, Ref):
            return name(ref)
        text = name(ref)
        if not (self.batched and ref.axes[-1].per_batch):
            return f"{text}.item()"
        return f"add.reduce({text}[0]) * share" if self.by_parameters else f"{text}[0].copy()"

    def _copy_of(self, ref: Ref, name: Any) -> str:
        text = name(ref) if ref.axes else f"{ref.buffer.name}[0]"
        return f"{text}.copy()" if ref.axes else text

    def _view_name(self, ref: Ref, text: str) -> str:
        base = ref.buffer.name
        if ref.buffer.kind == "given":
            label = self._label_of_places(ref)
            base = ("d_" if base == "gradients" else "") + (label or "parameter")
            if len([axis for axis in ref.axes if axis.length != (1, False)]) > 1:
                base += "_weights"
            return f"{base}_T" if text.endswith(".T") else base
        if base.endswith("_and_one") and re.fullmatch(rf"{base}\[(:, )?(0|):\d+\](\.T)?", text):
            base = base.removesuffix("_and_one")
            return f"{base}_T" if text.endswith(".T") else base
        return f"{base}_T" if text.endswith(".T") else f"{base}_flat" if text.endswith("(-1)") else f"{base}_view"

    def _label_of_places(self, ref: Ref) -> str:
        end = ref.offset + sum((axis.size - 1) * axis.stride for axis in ref.axes)
        found = [self.labels[ref.offset], self.labels[min(end, len(self.labels) - 1)]]
        prefix = found[0]
        while not found[1].startswith(prefix):
            prefix = prefix[:-1]
        prefix = re.split(r"[.\[]", prefix)[0] if re.search(r"[.\[]", prefix) else prefix
        return re.sub(r"\W", "_", prefix).strip("_")


def _block_of(operands: Sequence[Operand], kernels: Sequence[Kernel]) -> str:
    """The name of the first result among the operands."""
    for operand in operands:
        if operand.view is not None and operand.store in ("values", "plain"):
            for kernel in reversed(kernels):
                block = kernel.block
                if block.store == operand.store and 0 <= operand.view.start - block.start < block.size:
                    return block.name
    return ""


_MANY = 500
"""Of how many names on they are global ones: Python takes quadratic time to compile a function that closes over many."""

_WORDS = {"add": "total", "mul": "product", "sub": "difference", "sum": "total", "div": "quotient", "rowdot": "dots"}


def _cut_as(operand: Operand, other: Operand) -> Operand:
    """An operand over the axes of another."""
    if operand.sizes == other.sizes or operand.view is None:
        return operand
    place = Grid(operand.view.start, other.sizes, in_order(other.sizes))
    return Operand(operand.nodes, other.sizes, operand.batched, None, operand.store, place)


def _sliced(buffer: Buffer, count: int) -> str:
    return f"{buffer.name}[:{count}]" if count < buffer.places else f"{buffer.name}[...]"


def _new(name: str) -> str:
    return name.upper() if name.upper() != name else f"new_{name}"
