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
from autograd_mini.compiler.lower import Lowering
from autograd_mini.compiler.program import Axis, Buffer, Ref, Scalar, Statement, view
from autograd_mini.compiler.source import refs, share_memory, split, view_text
from autograd_mini.compiler.symbols import opaque_function
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
    """

    source: str
    lifted: Lifted
    tables: dict[str, Any]
    own: dict[str, Any]

    def prepare(self, parameters: Any, gradients: Any, batch: int, dtype: Any) -> Any:
        """Make the function for a size of the batch; it has memory of its own."""
        names: dict[str, Any] = {name: getattr(np, name) for name in _NUMPY}
        kit = array_kit(np)
        names |= {"strided": _strided, "dtype": np.dtype(dtype), "erf": kit.erf, "erfc": kit.erfc, "on_grid": kit.on_grid}
        names |= {name: table.astype(dtype) if table.dtype.kind == "f" else table for name, table in self.tables.items()}
        names |= {name: np.vectorize(function, otypes=[float]) for name, function in self.own.items()}
        exec(compile(self.source, "<compiled by autograd_mini>", "exec"), names)
        return names["prepare"](parameters, gradients, batch)


_NUMPY = (
    "absolute", "add", "copyto", "cos", "divide", "empty", "equal", "exp", "expm1", "greater", "greater_equal", "less",
    "less_equal", "log", "log1p", "logaddexp", "matmul", "maximum", "minimum", "multiply", "negative", "ones", "power",
    "sign", "sin", "sqrt", "subtract", "tan", "tanh", "take", "zeros",
)  # fmt: skip


def _strided(buffer: Any, start: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """A view of contiguous memory; start and strides count numbers."""
    size = buffer.itemsize
    return np.lib.stride_tricks.as_strided(buffer.reshape(-1)[start:], shape, [stride * size for stride in strides])


def build(
    graph: Graph,
    arguments: Sequence[Argument],
    labels: Sequence[str],
    *,
    batched: bool,
    gradients: bool,
    outputs: Sequence[Any],
) -> Program:
    """Build the program for a graph.

    Args:
        graph: its first root is what gradients are taken of.
        arguments: what the program is given.
        labels: of the parameters, for names.
        batched: whether there is an axis of examples.
        gradients: whether gradients are computed.
        outputs: how the roots are returned: the shape of each run of them.
    """
    return _Building(graph, arguments, labels, batched, gradients, outputs).program


class _Building:
    def __init__(
        self, graph: Graph, arguments: Any, labels: Any, batched: bool, gradients: bool, outputs: Any
    ) -> None:
        self.graph, self.arguments, self.labels, self.batched = graph, arguments, labels, batched
        self.taken = {"parameters", "gradients", "batch", "share", "dtype", "prepare", "step", "strided", *_NUMPY}
        self.taken |= {argument.name for argument in arguments} | {_new(argument.name) for argument in arguments}
        stores = [Store("parameters", False, len(labels))]
        stores += [
            Store(one.name, batched and one.per_example, int(np.prod(one.shape))) for one in arguments
        ]
        wanted = {one.name for one in arguments if one.wanted} | ({"parameters"} if labels else set())
        self.by_parameters = bool(labels)
        self.lifted = lift(graph, stores, wanted.__contains__ if gradients else (lambda store: False), self._name)
        self.buffers = self._buffers(wanted if gradients else set())
        lowering = Lowering(self.lifted, self.buffers, batched)
        lowering.run_forward()
        forward = len(lowering.writer.statements)
        root = graph.roots[0]
        if gradients and self.lifted.wanted[root]:
            seed: Any = 1.0
            if batched and self.by_parameters:
                seed = lowering.writer.leaf(Scalar("share"))
            lowering.run_backward({root: seed})
        self.statements = lowering.writer.statements
        self.own = {
            re.sub(r"\W", "_", statement.function): opaque_function(statement.function)
            for statement in self.statements
            if statement.function.startswith("own:")
        }
        results = self._results(outputs)
        keep = [Statement("keep", (), ref) for ref in results if isinstance(ref, Ref)]
        everything = [*self.statements, *keep]
        blocks = {"values": [], "plain": []}  # type: ignore[var-annotated]
        for kernel in self.lifted.kernels:
            block = kernel.block
            blocks[block.store].append((block.name, block.start, block.size))
        for name, of in blocks.items():
            split(everything, self.buffers[name], of, "")
            if f"d_{name}" in self.buffers:
                split(everything, self.buffers[f"d_{name}"], of, "d_")
        self.results = [ref if not isinstance(ref, Ref) else keep.pop(0).out for ref in results]
        self.temporaries = share_memory(self.statements)
        text = self._text(lowering, forward)
        self.program = Program(text, self.lifted, lowering.tables, self.own)

    def _buffers(self, wanted: set[str]) -> dict[str, Buffer]:
        found = {}
        for name, store in self.lifted.layout.stores.items():
            given = name == "parameters"
            argument = any(one.name == name for one in self.arguments)
            found[name] = Buffer(name, store.size, store.batched, argument, "given" if given else "kept")
            if name in wanted or name in ("values", "plain"):
                d_name = "gradients" if given else f"d_{name}"
                found[f"d_{name}"] = Buffer(d_name, store.size, store.batched, argument, "given" if given else "kept")
        return found

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
        number, free = 1, name
        while free in self.taken:
            number += 1
            free = f"{name}{number}"
        self.taken.add(free)
        return free

    # Results

    def _results(self, outputs: Any) -> list[Any]:
        """For each root where its number is: a view, or a constant."""
        layout, graph = self.lifted.layout, self.graph
        found: list[Any] = []
        for root in graph.roots:
            if root in graph.number:
                found.append(graph.number[root])
                continue
            store = layout.names[layout.store[root]]
            place = Grid(int(layout.position[root]), (1,), (0,))
            examples = "batch" if self.batched and layout.stores[store].batched else ""
            ref = view(self.buffers[store], place, examples)
            found.append(ref._replace(axes=ref.axes[1:]) if examples else ref)
        return found

    # Text

    def _text(self, lowering: Lowering, forward: int) -> str:
        names: dict[str, str] = {}
        views: list[str] = []
        once: list[str] = []

        def name(ref: Any) -> str:
            if isinstance(ref, Scalar):
                return ref.text
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

        temporary = [buffer for buffer in self.temporaries]
        for i, buffer in enumerate(temporary, 1):
            buffer.name = self._free(f"t{i}" if buffer.dtype == "float" else f"mask{i}")
        used: dict[Buffer, None] = {}
        for ref in [*(ref for statement in self.statements for ref in refs(statement)), *(r for r in self.results if isinstance(r, Ref))]:
            used[ref.buffer] = None
        for buffer in used:
            if not buffer.name:
                buffer.name = self._free("collected")
        lines: list[str] = []
        for i, statement in enumerate(self.statements):
            if i == forward:
                lines.append("# backward")
            line = _line(statement, name)
            if statement.function == "constant":
                once.append(line)
            else:
                lines.append(line)
        returned = self._returned(name)
        copies = self._copies(name)
        arguments = ", ".join(_new(one.name) for one in self.arguments)
        memory = [self._memory(buffer) for buffer in used if buffer.kind != "given"]
        for one in self.arguments:  # those that nothing uses
            if self.buffers[one.name] not in used:
                copies.pop(one.name, None)
        prologue = [*memory, *views, *once]
        if self.batched and self.by_parameters:
            prologue.insert(0, "share = 1.0 / batch")
        body = [*copies.values(), *lines, returned]
        text = ["def prepare(parameters, gradients, batch):"]
        text += [f"    {line}" for line in prologue]
        text += ["", f"    def step({arguments}):", *(f"        {line}" for line in body), "", "    return step", ""]
        return "\n".join(text)

    def _memory(self, buffer: Buffer) -> str:
        shape = str(buffer.places)
        if buffer.batched and self.batched:
            shape = f"(batch, {shape})" if buffer.batch_first else f"({shape}, batch)"
        dtype = "bool" if buffer.dtype == "bool" else "dtype"
        made = "zeros" if buffer.name.startswith("d_") else "empty"
        return f"{buffer.name} = {made}({shape}, {dtype})"

    def _copies(self, name: Any) -> dict[str, str]:
        copies = {}
        for one in self.arguments:
            buffer = self.buffers[one.name]
            store = self.lifted.layout.stores[one.name]
            shape = one.shape or (1,)
            row = len(store.ones)
            strides, stride = [], 1
            sizes = list(shape)
            if row:  # (rows, width + 1), of which the last is 1
                width = (store.size - row) // row
                sizes = _split_shape(shape, width)
            for size in reversed(sizes):
                strides.insert(0, stride)
                stride *= size
                if row and stride == width:
                    stride += 1
            axes = [Axis(size, s) if size > 1 else Axis(1, 0) for size, s in zip(sizes, strides, strict=True)]
            if store.batched and self.batched:
                axes.insert(0, Axis(1, buffer.places, True))
            if not one.shape:
                axes.pop()
            ref = Ref(buffer, 0, tuple(axes))
            new = _new(one.name)
            copies[one.name] = f"{self._target(name, ref)} = {new}"
        return copies

    def _target(self, name: Any, ref: Ref) -> str:
        buffer = ref.buffer
        if not ref.axes:
            return f"{buffer.name}[0]"
        if buffer.batched and self.batched and len(ref.axes) == 1:
            return f"{buffer.name}[:, 0]"
        if len(ref.axes) == (2 if buffer.batched and self.batched else 1) and ref.axes[-1].stride in (0, 1):
            count = ref.axes[-1].size
            place = ":" if count == buffer.places else f":{count}"
            return f"{buffer.name}[:, {place}]" if len(ref.axes) == 2 else f"{buffer.name}[{place}]"
        return f"{name(ref)}[...]"

    def _returned(self, name: Any) -> str:
        texts = []
        for i, ref in enumerate(self.results):
            text = name(ref)
            if isinstance(ref, Ref):
                per_example = bool(ref.axes) and ref.axes[-1].per_batch
                if i == 0 and self.by_parameters and self.batched and per_example:
                    text = f"add.reduce({text}) * share"
                elif not per_example:
                    text = f"{text}[0]"
            texts.append(text)
        return f"return {', '.join(texts)}" + "," * (len(texts) == 1 and len(self.results) > 1)

    def _view_name(self, ref: Ref, text: str) -> str:
        base = ref.buffer.name
        if ref.buffer.name in ("parameters", "gradients"):
            label = self._label_of_places(ref)
            base = ("d_" if ref.buffer.name == "gradients" else "") + (label or "parameter")
            if len([axis for axis in ref.axes if axis.length != (1, False)]) > 1:
                base += "_weights"
        return f"{base}_T" if text.endswith(".T") else base if ref.buffer.kind == "given" else f"{base}_part"

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


_WORDS = {"add": "total", "mul": "product", "sub": "difference", "sum": "total", "div": "quotient", "rowdot": "dots"}


def _new(name: str) -> str:
    return name.upper() if name.upper() != name else f"new_{name}"


def _split_shape(shape: Sequence[int], width: int) -> list[int]:
    """A shape whose innermost axes make up `width`."""
    return list(shape)


def _line(statement: Statement, name: Any) -> str:
    function, args, out = statement.function, statement.args, statement.out
    given = [name(arg) for arg in args]
    target = name(out) if out is not None else ""
    if function in ("copy", "constant"):
        return f"{target}[...] = {given[0]}"
    if function == "choose":
        return f"copyto({target}, {given[0]}, where={given[1]})"
    if function.endswith(".reduce"):
        return f"{function}({given[0]}, axis={statement.keywords}, out={target})"
    if function == "take":
        text = f"take({given[0]}, {given[1]}, axis=0, out={target}, mode='clip')"
        return text if statement.keywords != "one" else f"{target}[...] = {given[0]}[{given[1]}, None]"
    if function == "put":
        return f"{target}[{given[0]}] = {given[1]}"
    if function == "add_at":
        return f"{target}[{given[0]}] += {given[1]}"
    if function in ("erf", "erfc", "on_grid") or function.startswith("own:"):
        return f"{target}[...] = {re.sub(chr(92) + 'W', '_', function)}({', '.join(given)})"
    return f"{function}({', '.join(given)}, out={target})"
