"""What the transforms have in common: run a function on fresh Values, then carry derivatives through what it recorded.

``pull`` is reverse mode and ``push`` is forward mode; both go along the same edges, with the numbers that the forward
pass left or, for a derivative that can be differentiated again, with the rows of the table run over Values.

Every run differentiates by Values of its own, so derivatives inside derivatives are never mixed up (Siskind &
Pearlmutter 2005 call the mistake perturbation confusion).
"""

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from autograd_mini import modes, trees
from autograd_mini.backward import differentiable_arguments, made_at, product, refuse_anomaly, sweep, sweep_order
from autograd_mini.errors import AnomalyError
from autograd_mini.functions import VALUE
from autograd_mini.number import as_recorded, number
from autograd_mini.replay import refuse_changed_data
from autograd_mini.rules import RULES
from autograd_mini.tracer import held, is_unknown
from autograd_mini.value import Scalar, Value, leaf

__all__ = [
    "Trace",
    "argument_names",
    "as_own_value",
    "as_plain",
    "as_value",
    "partial_value",
    "pull",
    "push",
    "want_values",
]


class Trace:
    """One run of a function, recorded.

    Args:
        what: the transform, for messages.
        f: the function.
        args: its arguments; those in `wanted` are structures of numbers and Values, to be differentiated by.
        wanted: positions in `args`.
        keywords: passed to `f` as they are.

    Attributes:
        inputs: a fresh Value for each leaf of the wanted arguments.
        output: what `f` returned.
        outputs: its leaves, each as a Value.
        as_values: whether results are to be Values, because Values went in, as arguments or by closure.
    """

    def __init__(
        self, what: str, f: Callable[..., Any], args: Sequence[Any], wanted: Sequence[int], keywords: Mapping[str, Any]
    ) -> None:
        names = argument_names(f, len(args))
        self.inputs = [_fresh(what, name, x) for i in wanted for name, x in trees.leaves(args[i], names[i])]
        fresh = iter(self.inputs)
        fed = list(args)
        for i in wanted:
            fed[i] = trees.rebuild(args[i], fresh)
        with modes.recording():
            self.output = f(*fed, **keywords)
        results = [y for _, y in trees.leaves(self.output)]
        if self.output is None:
            raise TypeError(f"a result under {what} is None; does the function end without return?")
        self.outputs = [as_value(y if isinstance(y, Value) else number(y, f"a result under {what}")) for y in results]
        self.as_values = (modes.current().recording and self._leads_outside()) or is_unknown(*self.outputs)
        for x in self.inputs:
            if not x._args:  # to a run around this one, a plain number that went in is a constant from here on
                x.op = "constant"

    def _leads_outside(self) -> bool:
        """Whether an input is connected to a Value that came in, or a path ends at a leaf that is not this run's."""
        own = set(self.inputs)
        ends = (parent for node in sweep_order(self.outputs, self.inputs) for parent in node._inputs)
        foreign = (x for x in (*self.outputs, *ends) if not x._inputs and x.op != "constant" and x not in own)
        return any(x._inputs for x in self.inputs) or any(True for _ in foreign)

    def one_output(self) -> Value:
        """The one number that the function returned."""
        if trees.is_leaf(self.output):
            return self.outputs[0]
        raise TypeError(
            f"a gradient is taken of one number, and the function returned {self.output!r:.60}; return one of its "
            "numbers, or their sum, or use jacobian"
        )

    def value(self) -> Any:
        """What the function returned, as plain floats where everything that went in was plain."""
        return trees.rebuild(self.output, self.results(self.outputs))

    def results(self, found: Iterable[Scalar | None], as_values: bool = False) -> Iterator[Scalar]:
        """Yield derivatives, or values, as this run returns them; where no path led they are 0."""
        for one in found:
            hands_on = modes.current().recording or not is_unknown(one)
            yield as_own_value(one) if hands_on and (as_values or self.as_values) else as_plain(one)


def want_values(numbers: Iterable[Scalar]) -> bool:
    """Whether what is computed from these is to be recorded: Values are among them, and no ``no_grad`` is in the way.

    A tracer has even that recorded, where it does not know the numbers.
    """
    values = [x for x in numbers if isinstance(x, Value)]
    return bool(values) and (modes.current().recording or is_unknown(*values))


def as_value(derivative: Scalar | None) -> Value:
    """Make a derivative a Value; where no path led, or nothing depends on a Value, it is a constant."""
    return derivative if isinstance(derivative, Value) else leaf(derivative or 0.0, "constant")


def as_own_value(derivative: Scalar | None) -> Value:
    """The same for a derivative that is handed out: where it is a leaf of the user's own, a twin of that."""
    if not isinstance(derivative, Value) or derivative._inputs:
        return as_value(derivative)
    with modes.recording():
        return derivative * 1.0


def as_plain(derivative: Scalar | None) -> Scalar:
    """Make a derivative a float; one that is unknown, as a function is traced, becomes a node that hands nothing on."""
    return held("largest", derivative) if is_unknown(derivative) else float(derivative or 0.0)


def _fresh(what: str, name: str, x: Any) -> Value:
    if isinstance(x, Value):
        twin = x * 1.0  # a node of this run's own, though connected to the one that came in
        twin.label = x.label or name
        return twin
    return Value(number(x, f"the argument {name} of {what}"), name)


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """Name the first `count` positional arguments of `f` as its signature does."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "argument")
    return names + [f"{rest}[{i}]" for i in range(count - len(names))]


def partial_value(node: Value, argument: int) -> Scalar:
    """∂node/∂argument as a Value made by the node's row of the table, so that it can be differentiated in turn.

    Raises:
        ValueError: if the op has no row.
    """
    if node.op not in RULES:
        raise ValueError(f"the op {node.op!r} has no row to be differentiated again by; define it with @primitive")
    partial: Scalar = RULES[node.op].partial(VALUE, argument, node, node._args)
    return partial


def pull(
    seeds: Mapping[Value, Scalar], inputs: Sequence[Value], *, as_values: bool, stop: Iterable[Value] = ()
) -> list[Scalar | None]:
    """Reverse mode: Σ seed · ∂node/∂input over all seeds, for every input; None where no path leads to it.

    Args:
        seeds: nodes, and what their derivatives are weighted by.
        inputs: what to differentiate by, anywhere in the graph.
        as_values: record the derivatives as Values, under ``no_grad()`` too.
        stop: nodes that count as leaves.

    Raises:
        AnomalyError: under ``detect_anomaly()``, at the first derivative that is not finite.
        ValueError: for Values, if an op on the way has no row, or data was changed after the forward pass.
    """
    order = sweep_order(seeds, stop)
    reaching = set(inputs)
    for node in reversed(order):
        if not reaching.isdisjoint(node._inputs):
            reaching.add(node)
    if as_values:
        refuse_changed_data(node for node in order if node in reaching)
    gradient = dict(seeds)
    hunting = modes.current().anomaly
    with modes.recording() if as_values else nullcontext():
        for step in sweep(seeds, order, to=reaching, local_derivative=partial_value if as_values else None):
            gradient[step.parent] = step.after
            if hunting:
                refuse_anomaly(step)
    return [gradient.get(x) for x in inputs]


def push(
    tangents: Mapping[Value, Scalar], outputs: Sequence[Scalar | None], *, as_values: bool, stop: Iterable[Value] = ()
) -> list[Scalar | None]:
    """Forward mode: Σ ∂output/∂node · tangent over all nodes given, for every output; None where no path leads.

    Args:
        tangents: nodes, and the direction to differentiate in.
        outputs: what to differentiate; a plain number depends on nothing.
        as_values: record the derivatives as Values.
        stop: nodes that count as leaves.

    Raises:
        AnomalyError: under ``detect_anomaly()``, at the first derivative that is not finite.
        ValueError: for Values, if an op on the way has no row, or data was changed after the forward pass.
    """
    tangent = dict(tangents)
    hunting = modes.current().anomaly
    order = sweep_order([y for y in outputs if isinstance(y, Value)], stop)
    if as_values:
        refuse_changed_data(order)
    for node in reversed(order):
        for argument, parent, recorded in zip(differentiable_arguments(node), node._inputs, node._locals, strict=True):
            if parent in tangent:
                local = partial_value(node, argument) if as_values else recorded
                term = product(tangent[parent], local)
                tangent[node] = tangent[node] + term if node in tangent else term
                if hunting and not math.isfinite(as_recorded(tangent[node])):
                    raise AnomalyError(
                        f"the tangent of {node!r} becomes {as_recorded(tangent[node])} by its argument {argument}, "
                        f"{parent!r}: {as_recorded(tangent[parent])} × {as_recorded(local)}; {made_at(node.line)}"
                    )
    return [tangent.get(y) if isinstance(y, Value) else None for y in outputs]
