"""``compile`` with examples: a step that is called with arrays, one example or a whole batch at a time."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd_mini import trees
from autograd_mini.compiler.build import Program, build
from autograd_mini.compiler.recording import Recording
from autograd_mini.compiler.report import report
from autograd_mini.printing import always_answers
from autograd_mini.value import Value

__all__ = ["CompiledStep"]

_KEPT = 16


class CompiledStep:
    """A compiled function of arrays, with its gradients; ``compile`` makes it.

    Attributes:
        parameters: the flat vector of the parameters that the program reads. Change it in place; an assignment copies.
        gradients: the flat vector of their gradients after the last call. Every call writes into the same memory.
        named: views into `parameters` by name.
        reached: of each parameter, whether a path leads to it from the loss.
        source: the NumPy program for a batch, or for a single example if none was run with a batch.
        report: what became of the scalars, line by line.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        examples: Sequence[Any],
        parameters: Sequence[Value] | None,
        *,
        has_aux: bool,
        gradients: bool,
        dtype: Any,
    ) -> None:
        self._values = list(parameters or ())
        _check_parameters(self._values)
        self._by_arguments = parameters is None
        self._dtype, self._has_aux, self._differentiated = np.dtype(dtype), has_aux, gradients
        self._recording = Recording(f, examples, parameters, gradients and self._by_arguments)
        self._check_output()
        self._parameters = np.array([value.data for value in self._values], self._dtype)
        self.gradients: NDArray[Any] = np.zeros(len(self._values), self._dtype)
        self._programs: dict[bool, Program] = {}
        self._ready: OrderedDict[tuple[tuple[int, ...], ...], Callable[..., Any]] = OrderedDict()
        self._given = len(examples)

    def _check_output(self) -> None:
        output = self._recording.output
        if self._has_aux and not (isinstance(output, tuple) and len(output) == 2):
            raise TypeError(f"with has_aux the function returns a pair (loss, others), got {output!r:.60}")
        loss = output[0] if self._has_aux else output
        if self._differentiated and not trees.is_leaf(loss):
            raise TypeError(
                f"gradients are taken of one number, and the function returned {loss!r:.60}; return one of its numbers "
                "or their sum, a pair (loss, others) with has_aux=True, or compile with gradients=False"
            )

    @property
    def parameters(self) -> NDArray[Any]:
        return self._parameters

    @parameters.setter
    def parameters(self, numbers: Any) -> None:
        if numbers is not self._parameters:
            self._parameters[...] = numbers

    @property
    def named(self) -> Mapping[str, NDArray[Any]]:
        found: dict[str, tuple[int, int]] = {}
        for i, value in enumerate(self._values):
            name, bracket, _ = (value.label or f"parameter[{i}]").rpartition("[")
            name = name if bracket else value.label
            start, end = found.get(name, (i, i))
            if end == i:
                found[name] = start, i + 1
            else:  # the name has come before, and others in between
                found[f"parameter[{i}]"] = i, i + 1
        return {name: self._parameters[start:end] for name, (start, end) in found.items()}

    @property
    def reached(self) -> NDArray[np.bool_]:
        return self._shown.reached

    @property
    def source(self) -> str:
        return self._shown.source

    @property
    def report(self) -> str:
        return report(self._shown.lifted, self._shown.total, self._batched_shown)

    @property
    def _batched_shown(self) -> bool:
        """Whether `source` and `report` are of a batch: of the program that was built last, or would be built first."""
        if self._programs:
            return next(reversed(self._programs))
        return bool(self._recording.arguments) and not self._recording.tracer.observations

    @property
    def _shown(self) -> Program:
        return self._program(self._batched_shown)

    def __call__(self, *args: Any) -> Any:
        """Run the program.

        Args:
            *args: for each argument an array of its example's shape; or, all with the same additional axis in front, a
                batch of such.

        Returns:
            ``(loss, gradients)``. With `parameters`, the loss is the mean over the batch and the gradients one flat
            vector, the same memory at every call. Without, there is a loss for each example, and a tuple of gradients
            by the arguments in their shapes. With ``has_aux`` the loss is a pair ``(loss, others)``; with
            ``gradients=False`` there is only what the function returns.

        Raises:
            TypeError: for a wrong number of arguments, or what is not an array of numbers.
            ValueError: for other shapes.
        """
        try:
            run = self._ready[tuple([arg.shape for arg in args])]
        except (KeyError, AttributeError, TypeError):
            args = self._checked(args)
            run = self._ready[tuple([arg.shape for arg in args])]
        return run(*args)

    def store(self) -> None:
        """Write the parameters and their gradients back into the Values, where pictures and the stepper see them.

        A gradient is *not computed* where no path leads, as after ``backward()``, and before the first call. Gradients
        are those of the last call, with the parameters as they were then.
        """
        data, gradients = self._parameters.tolist(), self.gradients.tolist()
        for value, number, gradient, reached in zip(self._values, data, gradients, self.reached.tolist(), strict=True):
            value.data = number
            value.grad = gradient if reached and self._ready else None

    def load(self) -> None:
        """Read the parameters from the Values again, after they have been changed there."""
        self._parameters[:] = [value.data for value in self._values]

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_programs": {}, "_ready": OrderedDict()}  # they hold the memory of this one

    def _checked(self, args: tuple[Any, ...]) -> tuple[NDArray[Any], ...]:
        mine = self._recording.arguments[: self._given]
        if len(args) != self._given:
            names = ", ".join(argument.name for argument in mine) or "none"
            raise TypeError(f"the program has {self._given} arguments ({names}), got {len(args)}")
        arrays = tuple([_array(argument.name, arg, self._dtype) for argument, arg in zip(mine, args, strict=True)])
        shapes = tuple([array.shape for array in arrays])
        if shapes not in self._ready:
            batch = self._batch(shapes)
            self._ready[shapes] = self._runner(batch)
            if len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        return arrays

    def _batch(self, shapes: tuple[tuple[int, ...], ...]) -> int | None:
        """The size of the batch that these shapes make; None for a single example."""
        mine = self._recording.arguments[: self._given]
        if all(shape == argument.shape for shape, argument in zip(shapes, mine, strict=True)):
            return None
        sizes = {shape[0] for shape in shapes if shape}
        fits = all(shape[1:] == argument.shape and shape for shape, argument in zip(shapes, mine, strict=True))
        if fits and len(sizes) == 1 and 0 not in sizes:
            if self._recording.tracer.observations:
                shapes_of_examples = ", ".join(str(argument.shape) for argument in mine)
                raise ValueError(
                    "the function looks at the batch as a whole, as BatchNorm does in training: call it with arrays of "
                    f"the shapes of the examples, {shapes_of_examples}, and compile it anew for others"
                )
            return sizes.pop()
        one = ", ".join(f"{argument.name}: {argument.shape}" for argument in mine)
        odd = next((i for i, shape in enumerate(shapes) if shape[1:] != mine[i].shape and shape != mine[i].shape), None)
        wrong = "the sizes of the batch differ" if odd is None else f"{mine[odd].name} does not fit"
        hint = "; of classes, give a row of probabilities each, as np.eye(10)[classes]" if odd else ""
        raise ValueError(
            f"the program was compiled for one example of shapes {one}, or a batch of at least one, with one more axis "
            f"in front; got {', '.join(map(str, shapes))}: {wrong}{hint}"
        )

    def _program(self, batched: bool) -> Program:
        if batched not in self._programs:
            recording = self._recording
            labels = [value.label or f"parameter[{i}]" for i, value in enumerate(self._values)]
            self._programs[batched] = build(
                recording.graph, recording.arguments, labels, batched=batched, gradients=self._differentiated
            )
        return self._programs[batched]

    def _runner(self, batch: int | None) -> Callable[..., Any]:
        """The function that runs the program for one size of the batch and gives what a call returns."""
        program = self._program(batch is not None)
        step = program.prepare(self._parameters, self.gradients, batch or 1, self._dtype)
        if program.single and not self._asks():
            run: Callable[..., Any] = step
            return run
        output = self._recording.output
        tree = output if not self._differentiated else output[1] if self._has_aux else ()
        pack = _packer(tree, batch)
        return lambda *args: self._run(step, args, batch, pack)

    def _asks(self) -> bool:
        tracer = self._recording.tracer
        return bool(tracer.draws or tracer.reads or tracer.observations)

    def _run(self, step: Callable[..., Any], args: tuple[Any, ...], batch: int | None, pack: Any) -> Any:
        recording, tracer = self._recording, self._recording.tracer
        supplied: list[Any] = []
        for draw in tracer.draws:
            rows = len(draw.values)
            drawn = np.asarray(draw.draw(rows * (batch or 1)), dtype=self._dtype)
            supplied.append(drawn.reshape((-1, rows, drawn.shape[-1])[batch is None :]))
        supplied += [np.asarray(read.read(), dtype=self._dtype) for read in tracer.reads]
        if self._program(batch is not None).single:
            return step(*args, *supplied)
        loss, others, by_arguments = step(*args, *supplied)
        if batch is not None and self._by_arguments and self._differentiated and np.ndim(loss) == 0:
            loss = np.full(batch, loss, self._dtype)  # it does not depend on the arguments
        if isinstance(others, float):  # all of them are one constant
            others = np.full(len(recording.graph.roots) - self._differentiated, others, self._dtype)
        if tracer.observations:
            self._tell(others[recording.results - self._differentiated :])
        packed, _ = pack(others, 0)
        if not self._differentiated:
            return packed
        value = (loss, packed) if self._has_aux else loss
        return value, (by_arguments if self._by_arguments else self.gradients)

    def _tell(self, observed: Any) -> None:
        numbers = iter(np.asarray(observed).tolist())
        for observation in self._recording.tracer.observations:
            observation.callback([next(numbers) for _ in observation.values])

    @always_answers
    def __repr__(self) -> str:
        shapes = ", ".join(f"{one.name}: {one.shape}" for one in self._recording.arguments[: self._given])
        by, constants = len(self._values), len(self._recording.constants)
        what = "gradients by the arguments" if self._by_arguments else f"{by:,} parameter{'s' * (by != 1)}"
        fixed = f"; {constants:,} Value{'s' * (constants > 1)} taken as constant{'s' * (constants > 1)}" * bool(
            constants
        )
        return f"CompiledStep({shapes}; {what if self._differentiated else 'no gradients'}{fixed})"


def _check_parameters(parameters: Sequence[Value]) -> None:
    places: dict[Value, int] = {}
    for i, value in enumerate(parameters):
        if not isinstance(value, Value):
            raise TypeError(f"parameters= takes Values, such as model.parameters() gives, got {value!r:.60} at {i}")
        if (first := places.setdefault(value, i)) != i:
            raise ValueError(
                f"parameters= has {value.label or repr(value)} twice, at {first} and {i}; list each Value once, as "
                "list(dict.fromkeys(parameters)) does"
            )


def _array(name: str, arg: Any, dtype: Any) -> NDArray[Any]:
    try:
        array = np.asarray(arg)
        if array.dtype.kind in "fiub":
            return array
    except ValueError:
        pass
    raise TypeError(
        f"{name} must be an array of numbers, got {arg!r:.60}; a program takes no Values and no ragged lists"
    )


def _packer(tree: Any, batch: int | None) -> Callable[[Any, int], tuple[Any, int]]:
    """How to put the program's numbers in the structure that the function returned; lists of one shape become arrays.

    Returns:
        A function of the numbers and the place where they begin, which gives the structure, and where it ends.
    """
    if isinstance(tree, (dict, tuple)):
        keys = list(tree) if isinstance(tree, dict) else None
        packers = [_packer(part, batch) for part in (tree.values() if isinstance(tree, dict) else tree)]

        def pack_parts(rows: Any, start: int) -> tuple[Any, int]:
            parts = []
            for pack in packers:
                part, start = pack(rows, start)
                parts.append(part)
            return (tuple(parts) if keys is None else dict(zip(keys, parts, strict=True))), start

        return pack_parts
    if trees.is_leaf(tree):
        return lambda rows, start: (_copied(rows[start], batch), start + 1)
    count = sum(1 for _ in trees.leaves(tree))
    try:
        shape = np.shape(trees.rebuild(trees.as_lists(tree), iter(lambda: 0.0, 1.0)))
    except ValueError:

        def pack_leaves(rows: Any, start: int) -> tuple[Any, int]:
            end = start + count
            return trees.rebuild(tree, iter([_copied(row, batch) for row in rows[start:end]])), end

        return pack_leaves

    def pack_array(rows: Any, start: int) -> tuple[Any, int]:
        taken = np.asarray(rows[start : start + count])
        if batch is None:
            return taken.reshape(shape).copy(), start + count
        taken = np.broadcast_to(taken.reshape(count, -1), (count, batch))
        return np.array(taken.T, order="C").reshape((batch, *shape)), start + count

    return pack_array


def _copied(row: Any, batch: int | None) -> Any:
    return row if batch is None else np.array(np.broadcast_to(row, batch))
