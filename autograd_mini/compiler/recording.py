"""Recording a function to be compiled: it is run once on examples, and what it did is brought into canonical form."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd_mini import trees
from autograd_mini.canonical import canonical
from autograd_mini.compiler.build import Argument
from autograd_mini.number import number
from autograd_mini.numbered import Source
from autograd_mini.tracer import Tracer, tracing
from autograd_mini.tracing import argument_names
from autograd_mini.value import Value

__all__ = ["Recording"]


class Recording:
    """A function run once on examples, and what it recorded.

    Args:
        f: the function.
        examples: a number or a regular array for each of its arguments.
        parameters: Values that it reads besides; they are given at every run.
        by_arguments: whether gradients are by the arguments.

    Attributes:
        arguments: what the program is given: the function's arguments, then draws and reads.
        tracer: what code in the function has asked for.
        output: what it returned.
        results: how many numbers that is; the roots of the graph behind them are observed.
        graph: what was computed, in canonical form.
        constants: Values that were read besides, and count as constants.

    Raises:
        TraceError: where the function reads a number that is not known before the program runs.
        ValueError: for a ragged example, or a Value that is used and not listed where parameters are.
        TypeError: for an example that is not made of numbers, or a function that returns none.
    """

    def __init__(
        self, f: Callable[..., Any], examples: Sequence[Any], parameters: Sequence[Value] | None, by_arguments: bool
    ) -> None:
        names = argument_names(f, len(examples))
        sources = {parameter: Source("parameters", i) for i, parameter in enumerate(parameters or ())}
        self.arguments: list[Argument] = []
        fed = []
        for name, given in zip(names, examples, strict=True):
            example = given.item() if isinstance(given, np.ndarray) and given.ndim == 0 else given
            leaves = [Value(number(x, f"the example for {path}"), path) for path, x in trees.leaves(example, name)]
            self._add(name, _shape(name, example), leaves, sources, wanted=by_arguments)
            fed.append(trees.rebuild(example, iter(leaves)))
        self.tracer = Tracer(sources)
        with tracing(self.tracer):
            self.output = f(*fed)
        if self.output is None:
            raise TypeError("the function to compile returned None; does it end without return?")
        for draw in self.tracer.draws:
            shape = len(draw.values), len(draw.values[0])
            self._add(draw.name, shape, [x for row in draw.values for x in row], sources)
        for read in self.tracer.reads:
            self._add(read.name, (len(read.values),), read.values, sources, per_example=False)
        found = [y for _, y in trees.leaves(self.output)]
        roots = [y if isinstance(y, Value) else number(y, "a result of the function to compile") for y in found]
        self.results = len(roots)
        for observation in self.tracer.observations:
            roots += observation.values
        self.graph = canonical(roots, sources)
        self.constants = [node for node in self.graph.leaves if node.op in ("", "parameter") and node not in sources]
        if parameters is not None:
            self._refuse_others()

    def _add(
        self, name: str, shape: tuple[int, ...], leaves: Iterable[Value], sources: dict[Value, Source], **options: bool
    ) -> None:
        taken = {"parameters", "values", "plain"} | {argument.name for argument in self.arguments}
        free, count = name, 1
        while free in taken or not free.isidentifier():
            count += 1
            free = f"{name if name.isidentifier() else 'argument'}{count}"
        self.arguments.append(Argument(free, shape, **options))
        sources |= {leaf: Source(free, i) for i, leaf in enumerate(leaves)}

    def _refuse_others(self) -> None:
        """A Value that is not listed would be a constant, and training would pass it by."""
        if others := self.constants:
            name, several = others[0].label or repr(others[0]), len(others) > 1
            raise ValueError(
                f"the function uses {len(others):,} Value{'s' * several} that {'are' if several else 'is'} not in "
                f"parameters=, such as {name}; list them all, as model.parameters() does, and leave out of the update "
                "what is not to move; what is no parameter, write as a plain number"
            )


def _shape(name: str, example: Any) -> tuple[int, ...]:
    if isinstance(example, dict):
        raise ValueError(f"the example for {name} is a dict; give a number or an array for each argument")
    try:
        return np.shape(trees.rebuild(trees.as_lists(example), iter(lambda: 0.0, 1.0)))
    except ValueError:
        raise ValueError(f"the example for {name} is ragged; give an array, or one argument for each part") from None
