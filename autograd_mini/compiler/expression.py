"""``compile`` without examples: a function of numbers as straight-line Python, and over arrays as the same in NumPy."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_mini import trees
from autograd_mini.compiler.memory import refs, share_memory
from autograd_mini.compiler.names import Names
from autograd_mini.compiler.program import Axis, Buffer, Ref
from autograd_mini.compiler.recording import Recording
from autograd_mini.compiler.straight import formulas, python_lines
from autograd_mini.compiler.symbols import Symbol, opaque_function
from autograd_mini.compiler.text import RESERVED, scope, statement_line
from autograd_mini.compiler.writer import Writer
from autograd_mini.kits import FLOAT, Kit
from autograd_mini.printing import always_answers

__all__ = ["CompiledFunction"]

_BLOCK = 8192
"""How many elements of arrays are worked on at a time, so that what is between stays in the processor's cache."""


class CompiledFunction:
    """A compiled function of numbers, with its derivative by each; ``compile`` makes it.

    Attributes:
        source: the Python that runs for floats.
        array_source: the NumPy that runs for arrays.
    """

    def __init__(self, f: Callable[..., Any], gradients: bool) -> None:
        count = _arity(f)
        recording = Recording(f, [1.0] * count, None, gradients)
        if (
            not trees.is_leaf(recording.output)
            or recording.tracer.observations
            or recording.tracer.draws
            or recording.tracer.reads
        ):
            raise TypeError(
                f"without examples, compile needs a function of numbers that returns one number, got "
                f"{recording.output!r:.60}; give examples: compile(f, example, …)"
            )
        stores = [argument.name for argument in recording.arguments]
        names = Names({*RESERVED, *Kit.__dataclass_fields__, "otherwise", "type", "float"})
        self._called = names.free(getattr(f, "__name__", "f").replace("<lambda>", "f"))
        self._names = [names.free(store) for store in stores]
        self._results = [names.free(name) for name in ("value", *(f"d_{name}" for name in self._names))]
        self._temporary = "t"
        while any(re.fullmatch(rf"{self._temporary}\d+", name) for name in self._names):
            self._temporary += "_"
        self._gradients = gradients
        (self._value,), self._partials = formulas(
            recording.graph, dict(zip(stores, self._names, strict=True)), gradients
        )
        self.source = self._python()
        self._own = {
            symbol.op.replace(":", "_"): opaque_function(symbol.op)
            for symbol in _below([self._value, *self._partials])
            if symbol.op.startswith("own:")
        }
        known: dict[str, Any] = {name: getattr(FLOAT, name) for name in Kit.__dataclass_fields__}
        known |= self._own | {"otherwise": self._otherwise, "inf": float("inf"), "nan": float("nan")}
        exec(compile(self.source, "<compiled by autograd_mini>", "exec"), known)
        self._run = known[self._called]
        self._arrays: dict[int, Callable[..., None]] = {}

    def __call__(self, *args: Any) -> Any:
        """Compute the value and the derivative by each argument.

        Args:
            *args: a number or an array for each argument; arrays are broadcast, and each element is an example.

        Returns:
            ``(value, (derivatives…))``: floats, or arrays where an argument is one. With ``gradients=False``, the value
            alone.

        Raises:
            TypeError: for a wrong number of arguments, or what is neither a number nor an array of numbers.
        """
        return self._run(*args)

    @property
    def array_source(self) -> str:
        return self._numpy()[0]

    def _python(self) -> str:
        results = [self._value, *self._partials]
        lines, texts = python_lines(results, self._temporary)
        value, *partials = texts
        comma = "," * (len(partials) == 1)
        returned = f"{value}, ({', '.join(partials)}{comma})" if self._gradients else value
        checks = " and ".join(f"type({name}) is float" for name in self._names) or "True"
        body = [f"if {checks}:", *(f"    {line}" for line in [*lines, f"return {returned}"])]
        arguments = ", ".join(self._names)
        return "\n".join(
            [
                f"def {self._called}({arguments}):",
                *(f"    {line}" for line in body),
                f"    return otherwise({arguments})",
            ]
        )

    def _otherwise(self, *args: Any) -> Any:
        """What is not all floats: whole numbers and NumPy's are made floats, arrays go to the NumPy program."""
        arrays = []
        for name, arg in zip(self._names, args, strict=True):
            array = np.asarray(arg)
            if array.dtype.kind not in "fiub":
                raise TypeError(
                    f"{name} must be a number or an array of numbers, got {arg!r:.60}; to record a graph of Values, "
                    "call the function itself"
                )
            arrays.append(array)
        if all(array.ndim == 0 for array in arrays):
            return self._run(*[float(array) for array in arrays])
        return self._over_arrays([array.astype(float, copy=False) for array in arrays])

    def _over_arrays(self, arrays: list[Any]) -> Any:
        if len({array.shape for array in arrays}) > 1:
            arrays = list(np.broadcast_arrays(*arrays))
        shape = arrays[0].shape
        flat = [np.ascontiguousarray(array).reshape(-1) for array in arrays]
        size = flat[0].size
        results = list(np.empty((1 + len(self._partials), size)))  # in one piece, which the allocator can use again
        for start in range(0, size, _BLOCK):
            end = min(start + _BLOCK, size)
            run = self._prepared(end - start)
            with np.errstate(all="ignore"):  # as over floats; and of a where, both branches are computed
                run(*[array[start:end] for array in flat], *[result[start:end] for result in results])
        value, *partials = [result.reshape(shape) for result in results]
        return (value, tuple(partials)) if self._gradients else value

    def _prepared(self, size: int) -> Callable[..., None]:
        run = self._arrays.get(size)
        if run is None:
            source, names = self._numpy()
            exec(compile(source, "<compiled by autograd_mini>", "exec"), names)
            run = self._arrays[size] = names["prepare"](size)
            if len(self._arrays) > 8:
                del self._arrays[next(iter(self._arrays))]
        return run

    def _numpy(self) -> tuple[str, dict[str, Any]]:
        symbols = [self._value, *self._partials]
        names = [*self._names, *self._results[: len(symbols)]]
        given = [Buffer(name, 1, True, kind="given") for name in names]
        views = [Ref(buffer, 0, (Axis(1, 1, True),)) for buffer in given]
        writer = Writer()
        for symbol in _below(symbols):
            if symbol.op == "argument":
                writer.know(symbol, views[self._names.index(symbol.args[0])])
        for symbol, out in zip(symbols, views[len(self._names) :], strict=True):
            writer.ref(symbol, out)
        for i, buffer in enumerate(share_memory(writer.statements), 1):
            buffer.name = f"{self._temporary}{i}"
        memory = {
            ref.buffer.name: f"    {ref.buffer.name} = empty(batch{', bool' if ref.buffer.dtype == 'bool' else ''})"
            for statement in writer.statements
            for ref in refs(statement)
            if ref.buffer.kind != "given"
        }
        lines = [f"        {statement_line(statement, _text)}" for statement in writer.statements] or ["        pass"]
        source = "\n".join(
            [
                "def prepare(batch):",
                *memory.values(),
                "",
                f"    def step({', '.join(names)}):",
                *lines,
                "",
                "    return step",
            ]
        )
        return source, scope(self._own, float)

    @always_answers
    def __repr__(self) -> str:
        return f"CompiledFunction({', '.join(self._names)})"


def _text(ref: Any) -> str:
    return ref.buffer.name if isinstance(ref, Ref) else repr(ref)


def _below(roots: list[Any]) -> list[Symbol]:
    found: dict[int, Symbol] = {}
    stack = [root for root in roots if isinstance(root, Symbol)]
    while stack:
        symbol = stack.pop()
        if symbol.place not in found:
            found[symbol.place] = symbol
            stack += [arg for arg in symbol.args if isinstance(arg, Symbol)]
    return [found[place] for place in sorted(found)]


def _arity(f: Callable[..., Any]) -> int:
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        parameters = None
    positional = [p for p in parameters or () if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if parameters is None or any(p.kind is p.VAR_POSITIONAL for p in parameters):
        raise TypeError(f"how many numbers {f!r:.60} takes is not known; give examples: compile(f, 1.0, 1.0)")
    return len([p for p in positional if p.default is p.empty])
