"""Who is to blame for a wrong gradient: each node of the graph is held to finite differences of that node alone."""

import inspect
import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autograd_mini.anomalies import operation_text
from autograd_mini.backward import differentiable_arguments
from autograd_mini.differences import DIFFERS, TOO_STEEP, Estimate, judge, verdict
from autograd_mini.functions import VALUE
from autograd_mini.graph import topological_order
from autograd_mini.kits import FLOAT
from autograd_mini.number import number_text
from autograd_mini.printing import printable
from autograd_mini.replay import Replay, misfits
from autograd_mini.rules import RULES, Rule
from autograd_mini.source import SourceLine
from autograd_mini.tracing import pull
from autograd_mini.value import Value, apply

__all__ = ["Blame", "find_guilty"]

_EPSILON = 2.0**-52


@dataclass(frozen=True, slots=True, repr=False)
class Blame:
    """The first place where a gradient goes wrong.

    Attributes:
        op: the guilty op.
        headline: who it is and of what kind the mistake, in a few words.
        message: what is wrong, with numbers.
        node: the node where it shows.
        argument: by which of its arguments the derivative is wrong, counted from 0; None for another mistake.
        found, expected: the number that is wrong, and what it should be.
        inputs: the inputs whose gradients are wrong.
        is_second: whether the local derivative is right, and its own derivative wrong.

    The line of the user's code that made the node is ``node.line``.
    """

    op: str
    headline: str
    message: str
    node: Value
    argument: int | None
    found: float
    expected: float
    inputs: tuple[Value, ...] = ()
    is_second: bool = False

    def __repr__(self) -> str:
        line = self.node.line or "a line that was not recorded; make the graph under record_lines()"
        return f"{self.message}\n  the node was made at {line}{_definition(self.op, self.argument)}"


def find_guilty(
    root: Value, suspects: Sequence[Value], written: Mapping[Value, float], moved: Value, order: int
) -> Blame | None:
    """Find the first wrong op between the inputs and the root.

    Args:
        root: the root of the graph.
        suspects: inputs whose gradients are wrong.
        written: the gradient that ``backward`` wrote into each node.
        moved: the root of the same graph, recorded with the first suspect moved a little.
        order: of the derivative that is wrong, 1 or 2.

    Returns:
        The culprit; None if every part is right by itself.
    """
    nodes = topological_order(root)
    on_the_way = set(suspects)
    for node in nodes:
        if not on_the_way.isdisjoint(node._inputs):
            on_the_way.add(node)

    def accusations() -> Iterator[Blame | None]:
        interior = [node for node in nodes if node in on_the_way and node._inputs]
        yield from map(_wrong_value, interior)
        yield from (_wrong_local(node, on_the_way) for node in interior)
        yield _wrong_sum(nodes, written)
        yield from map(_wrong_value, topological_order(moved))
        yield _detached(nodes, suspects, moved)
        if order == 2:
            yield from map(_wrong_second, interior)
        yield from (_wrong_local(node, on_the_way, is_sharp=True) for node in interior)

    first = next(filter(None, accusations()), None)
    return first and replace(first, inputs=tuple(suspects))


def _wrong_value(node: Value) -> Blame | None:
    """Hold the number of one node to its row's forward."""
    for argument, held, wanted in misfits(node):
        if argument is None:
            text = operation_text(node.op, node.parents)
            message = f"{text} is {number_text(wanted, 12)}, but the node holds {number_text(held, 12)}"
            return Blame(node.op, _first_wrong(node.op), message, node, None, held, wanted)
    return None


def _wrong_local(node: Value, on_the_way: Container[Value], *, is_sharp: bool = False) -> Blame | None:
    """Hold the local derivatives of one node to differences of its row's forward; if sharp, to its complex step."""
    rule = RULES.get(node.op)
    if rule is None:
        return None
    data = [parent.data for parent in node.parents]
    text, digits = operation_text(node.op, node.parents), 17 if is_sharp else 12
    for argument, parent, local in zip(differentiable_arguments(node), node._inputs, node._locals, strict=True):
        if parent in on_the_way:
            if is_sharp:
                found, judged = _judged_sharply(node.op, data, argument, local)
            else:
                found, judged = _judged_alone(rule, rule.forward, data, argument, local)
            if judged == DIFFERS:
                other = (
                    f"the complex step of {node.op} alone gives" if is_sharp else f"differences of {node.op} alone give"
                )
                message = (
                    f"∂{text}/∂argument {argument} is {number_text(local, digits)} on the node, and {other} "
                    f"{number_text(found.derivative, digits)}"
                )
                return Blame(node.op, _first_wrong(node.op), message, node, argument, local, found.derivative)
    return None


def _wrong_second(node: Value) -> Blame | None:
    """Hold the partials of one node's row, run over Values, to differences of the same partials over floats."""
    rule = RULES.get(node.op)
    if rule is None:
        return None
    data = [parent.data for parent in node.parents]
    for i in differentiable_arguments(node):

        def partial(k: Any, *args: float, i: int = i) -> float:
            return float(rule.partial(k, i, rule.forward(k, *args), args))

        leaves = [Value(x) for x in data]
        recorded = rule.partial(VALUE, i, apply(node.op, *leaves), leaves)
        found_by_table = pull({recorded: 1.0}, leaves, as_values=False) if isinstance(recorded, Value) else []
        for j in range(len(data)):
            exact = float((found_by_table[j] if found_by_table else None) or 0.0)
            found, judged = _judged_alone(rule, partial, data, j, exact)
            if judged == DIFFERS:
                message = (
                    f"∂{operation_text(node.op, node.parents)}/∂argument {i} is right, but its own derivative by "
                    f"argument {j} comes out as {number_text(exact, 12)}, and differences of that partial alone give "
                    f"{number_text(found.derivative, 12)};\n  a partial can be differentiated if it is written with "
                    "functions of autograd_mini, not of math"
                )
                return Blame(node.op, _first_wrong(node.op), message, node, i, exact, found.derivative, is_second=True)
    return None


def _judged_alone(
    rule: Rule, f: Callable[..., float], data: Sequence[float], argument: int, exact: float
) -> tuple[Estimate, str]:
    """Hold a derivative of one op by itself to differences."""

    def probe(x: float) -> tuple[float, Any]:
        at = [*data[:argument], x, *data[argument + 1 :]]
        try:
            return f(FLOAT, *at), rule.sides(at)
        except (ArithmeticError, ValueError):  # a user's op outside its domain
            return math.nan, rule.sides(at)

    value, _ = probe(data[argument])
    return judge(probe, data[argument], exact, abs(exact), 2.0 * _EPSILON * abs(value))


def _judged_sharply(op: str, data: Sequence[float], argument: int, exact: float) -> tuple[Estimate, str]:
    """Hold a derivative of one op by itself to its complex step."""
    leaves = [Value(x) for x in data]
    alone = Replay(apply(op, *leaves))
    sharper = alone.complex_step(leaves[argument])
    if sharper is None:
        return Estimate(math.nan, math.inf), TOO_STEEP
    error = max(4.0 * _EPSILON * abs(sharper), 0.1 * alone.scatter(leaves[argument]))
    found = Estimate(sharper, error)
    return found, verdict(exact, found, abs(exact))


def _wrong_sum(order: Sequence[Value], written: Mapping[Value, float]) -> Blame | None:
    """Hold each gradient that was written to the sum over the edges it came by, nearest to the root first."""
    shares: dict[Value, list[float]] = {}
    users: dict[Value, list[Value]] = {}
    for node in reversed(order):
        if node in shares and node in written and not _is_sum(written[node], shares[node]):
            message = (
                f"{len(shares[node])} edges hand {' + '.join(number_text(share) for share in shares[node][:6])} = "
                f"{number_text(math.fsum(shares[node]), 12)} to {node!r:.60}, but backward wrote "
                f"{number_text(written[node], 12)};\n  the gradient of a node that is used several times is a sum (+=)"
            )
            # A share that was written over the others is the whole of what is left.
            is_alone = (written[node] == share for share in shares[node])
            user = next((user for user, alone in zip(users[node], is_alone, strict=True) if alone), users[node][0])
            return Blame(user.op, _first_wrong(user.op), message, user, None, written[node], math.fsum(shares[node]))
        for parent, local in zip(node._inputs, node._locals, strict=True):
            shares.setdefault(parent, []).append(written.get(node, math.nan) * local)
            users.setdefault(parent, []).append(node)
    return None


def _is_sum(total: float, shares: Sequence[float]) -> bool:
    wanted = sum(shares)
    if not math.isfinite(wanted):
        return True
    return abs(total - wanted) <= 1e-12 * sum(map(abs, shares))


def _detached(order: Sequence[Value], suspects: Sequence[Value], moved: Value) -> Blame | None:
    """Find a number that follows a suspect although no path leads to it: one that was taken out of the graph."""
    name, root, inputs = printable(suspects[0].label), order[-1], set(suspects)
    way_out = (
        ":\n  the number left the graph by .data, float() or a function of math; stay with Values and the functions of "
        "autograd_mini"
    )
    twins = topological_order(moved)
    pairs = zip(order, twins, strict=True) if [n.op for n in twins] == [n.op for n in order] else ()
    for node, twin in pairs:
        for argument, (parent, other) in enumerate(zip(node.parents, twin.parents, strict=True)):
            if not parent.parents and parent not in inputs and parent.data != other.data:
                where = f"argument {argument} of {operation_text(node.op, node.parents)}"
                message = f"{where} follows {name}, and no path leads there{way_out}"
                return Blame(node.op, f"a number left the graph before {node.op}", message, node, None,
                             parent.data, other.data)  # fmt: skip
    if suspects[0] not in order:
        message = f"the result follows {name}, and no path leads to it{way_out}"
        return Blame(root.op, "a number left the graph", message, root, None, root.data, moved.data)
    return None


def _first_wrong(op: str) -> str:
    return f"the first wrong op is {op}"


def _definition(op: str, argument: int | None) -> str:
    """Where the partial of a user's op is written."""
    rule = RULES.get(op)
    if rule is None or argument is None:
        return ""
    partial = inspect.unwrap(rule.partials[argument] if isinstance(rule.partials, tuple) else rule.partials)
    code = getattr(partial, "__code__", None)
    return f"\n  its partial is written at {SourceLine(code.co_filename, code.co_firstlineno)}" if code else ""
