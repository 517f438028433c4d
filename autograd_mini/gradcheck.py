"""``gradcheck``: every derivative of a function beside the same number found without any rule of differentiation."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd_mini import modes, trees
from autograd_mini.backward import NOT_COMPUTED, path_sizes
from autograd_mini.blame import find_guilty
from autograd_mini.differences import AGREES, DIFFERS, TOO_STEEP, Probe, judge, verdict
from autograd_mini.expression import Expression
from autograd_mini.graph import topological_order
from autograd_mini.kits import FLOAT
from autograd_mini.number import number
from autograd_mini.replay import Replay, branches, refuse_changed_data
from autograd_mini.report import Check, Report
from autograd_mini.tracing import argument_names, as_value, pull
from autograd_mini.value import Value, apply

__all__ = ["Check", "Judge", "Report", "gradcheck"]

_EPSILON = 2.0**-52
_SMALLEST = math.ulp(0.0)


def gradcheck(
    f: Any,
    *args: Any,
    order: int = 1,
    gradient: Callable[..., Any] | None = None,
) -> Report:
    """Compare the gradient of `f` with finite differences and, where they differ, find the op to blame.

    Central differences with a step chosen for each input and extrapolated to 0, refined by a complex step where every
    op on the way is analytic. Inputs are perturbed one at a time, so `f` runs about ten times for each,
    and a graph of n nodes and m leaves costs up to some n·m operations. A difference of 1e-9 of the derivative, or less
    where the complex step serves, is noticed.

    Args:
        f: a function that returns one number; or a Value, whose graph is then checked as it stands, by its leaves.
        *args: where to check: numbers, Values or structures of them, which all count as inputs. An Expression brings
            its own.
        order: 1 for the gradient, 2 for the second derivatives too.
        gradient: a gradient written by hand, to be checked instead of the engine's: a function of the same arguments
            that returns a structure like them (for several arguments a tuple).

    Returns:
        A Report, true if every derivative agrees. No gradient that you have is touched.

    Raises:
        TypeError: if `f` does not return one number, or an argument is not made of numbers.
        ValueError: if `f` gives different values at the same point, if there is no input, or for another order.

    Example:
        >>> from autograd_mini import primitive
        >>> @primitive(lambda y, x: 2 * x**2)
        ... def cube(x):
        ...     return x * x * x
        >>> report = gradcheck(lambda x, b: cube(x) * b, 2.0, 5.0)
        >>> bool(report), report.blame.op
        (False, 'cube')
    """
    if order not in (1, 2):
        raise ValueError(f"gradcheck checks derivatives of order 1 or 2, got {order!r}")
    if gradient is not None and not callable(gradient):
        raise TypeError(f"the gradient given must be a function of the same arguments, got {gradient!r:.60}")
    if isinstance(f, Value) and args:
        raise TypeError(f"a graph is checked at the data of its own leaves, got {len(args)} arguments; leave them out")
    if isinstance(f, Expression) and not args:
        args = tuple(f.inputs.values())
    with modes.recording(), modes.quiet():  # probes may leave the domain
        subject = _Graph(f) if isinstance(f, Value) else _Function(f, args)
        return _check(subject, order, gradient, args)


class _Function:
    """A function at a point."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any]) -> None:
        if not callable(f):
            raise TypeError(f"gradcheck needs a function or a Value, got {f!r:.60}")
        named = [
            one for name, arg in zip(argument_names(f, len(args)), args, strict=True) for one in trees.leaves(arg, name)
        ]
        self._f, self._args = f, args
        self.names = [getattr(x, "label", "") or name for name, x in named]
        self.numbers = [
            x.data if isinstance(x, Value) else number(x, f"the argument {name} of gradcheck") for name, x in named
        ]
        with modes.record_lines():
            self.root, self.inputs = self.run(self.numbers)
        again = self.run(self.numbers)[0].data
        if again != self.root.data and not (math.isnan(again) and math.isnan(self.root.data)):
            raise ValueError(
                f"gradcheck needs a function that gives the same value at the same point, got {self.root.data} and "
                f"then {again}; draw no random numbers in it, and leave no state behind"
            )

    def run(self, numbers: Sequence[float]) -> tuple[Value, list[Value]]:
        """Compute the function at other numbers."""
        inputs = [Value(x, name) for x, name in zip(numbers, self.names, strict=True)]
        fresh = iter(inputs)
        result = self._f(*(trees.rebuild(arg, fresh) for arg in self._args))
        if not trees.is_leaf(result):
            raise TypeError(
                f"gradcheck checks a function that returns one number, got {result!r:.60}; check one of its numbers: "
                "gradcheck(lambda x: f(x)[0], x)"
            )
        return as_value(result if isinstance(result, Value) else number(result, "a result under gradcheck")), inputs

    def probes(self) -> list[Probe]:
        """Make, for each input, the function from its number to that of the root."""
        return [_probe_of(self, i, lambda root, _: root) for i in range(len(self.inputs))]


class _Graph:
    """A graph that stands, as a function of its leaves."""

    def __init__(self, root: Value) -> None:
        self.root = root
        refuse_changed_data(topological_order(root), partials=False)  # those are to be checked
        self.inputs = [
            node for node in topological_order(root) if not node.parents and (node.op != "constant" or node is root)
        ]
        self.names = [node.label or f"leaf {i}" for i, node in enumerate(self.inputs)]
        self.numbers = [node.data for node in self.inputs]

    def run(self, numbers: Sequence[float]) -> tuple[Value, list[Value]]:
        """Compute the graph at other numbers."""
        inputs = [Value(x, name) for x, name in zip(numbers, self.names, strict=True)]
        fed = dict(zip(self.inputs, inputs, strict=True))
        replay = Replay(self.root)
        interior = [node for node in replay.nodes if node.parents]
        return as_value(replay.compute(fed, interior, lambda node, args: apply(node.op, *args))), inputs

    def probes(self) -> list[Probe]:
        """Make, for each input, the function from its number to that of the root."""
        replay = Replay(self.root)
        return [replay.at(x, FLOAT) for x in self.inputs]


def _check(subject: _Function | _Graph, order: int, by_hand: Callable[..., Any] | None, args: Sequence[Any]) -> Report:
    root, inputs, numbers = subject.root, subject.inputs, subject.numbers
    if not inputs:
        raise ValueError(
            "gradcheck needs an input to differentiate by, got none; write gradcheck(f, 0.5), or gradcheck(y)"
        )
    written = _backward(root)
    exact = [written.get(x, 0.0) for x in inputs] if by_hand is None else _given(by_hand(*args), args, len(inputs))

    checks = list(_judge(root, subject, subject.names, exact, subject.probes()))
    if order == 2 and all(check.verdict != DIFFERS for check in checks):
        for i, slope in enumerate(pull({root: 1.0}, inputs, as_values=True)):

            def slope_elsewhere(root: Value, inputs: list[Value], i: int = i) -> Value:
                return as_value(pull({root: 1.0}, [inputs[i]], as_values=False)[0])

            exact = [float(found or 0.0) for found in pull({as_value(slope): 1.0}, inputs, as_values=False)]
            names = [f"{subject.names[i]}, {name}" for name in subject.names]
            probes = [_probe_of(subject, j, slope_elsewhere) for j in range(len(inputs))]
            checks += _judge(as_value(slope), subject, names, exact, probes)
    wrong = [i % len(inputs) for i, check in enumerate(checks) if check.verdict == DIFFERS]
    left_out = "second derivatives were not checked, since first ones differ" if order == 2 and wrong else ""
    if not wrong:
        return Report(tuple(checks), None, root, by_hand is not None)
    moved, _ = _moved(subject, wrong[0], numbers[wrong[0]] + 1.37e-3 * max(1.0, abs(numbers[wrong[0]])))
    blame = find_guilty(root, [inputs[i] for i in wrong], written, moved, order)
    return Report(tuple(checks), blame, root, by_hand is not None, left_out if len(checks) == len(inputs) else "")


def _given(gradient: Any, args: Sequence[Any], count: int) -> list[float]:
    template = args[0] if len(args) == 1 else tuple(args)
    # A graph that stands has no arguments: its leaves come in their order.
    found = trees.leaves_like(template, gradient) if args else [g for _, g in trees.leaves(gradient)]
    if found is None or len(found) != count:
        raise ValueError(
            f"the gradient given must have a number for each of {count} inputs, structured like {template!r:.60}, "
            f"got {gradient!r:.60}"
        )
    return [g.data if isinstance(g, Value) else number(g, "the gradient given") for g in found]


def _backward(root: Value) -> dict[Value, float]:
    """Run ``backward``, note what it writes, and put everything back as it was."""
    nodes = topological_order(root)
    before = [node._grad for node in nodes]
    try:
        for node in nodes:
            node._grad = NOT_COMPUTED
        root.backward()
        return {node: node._grad for node in nodes}
    finally:
        for node, gradient in zip(nodes, before, strict=True):
            node._grad = gradient


def _moved(subject: _Function | _Graph, i: int, x: float) -> tuple[Value, list[Value]]:
    return subject.run([*subject.numbers[:i], x, *subject.numbers[i + 1 :]])


def _probe_of(subject: _Function | _Graph, i: int, target: Callable[[Value, list[Value]], Value]) -> Probe:
    """Make the function from the number at input `i` to that of a target in the graph then recorded."""

    def probe(x: float) -> tuple[float, Any]:
        try:
            root, inputs = _moved(subject, i, x)
        except (ArithmeticError, ValueError):  # outside the function's domain
            return math.nan, None
        return target(root, inputs).data, branches(root)

    return probe


def _judge(
    target: Value, subject: _Function | _Graph, names: Sequence[str], exact: Sequence[float], probes: Sequence[Probe]
) -> Iterator[Check]:
    """Check the derivatives of `target` by every input."""
    judge_of = Judge(target)
    for x, name, at, gradient, probe in zip(subject.inputs, names, subject.numbers, exact, probes, strict=True):
        yield judge_of.check(x, name, at, gradient, probe)


class Judge:
    """Checks derivatives of one node of a graph, by any other node of it.

    Args:
        target: the node that is differentiated.

    Example:
        >>> x = Value(3.0)
        >>> y = x * x
        >>> Judge(y + 1).check(y, "y", y.data, 1.0).verdict
        'agrees'
    """

    def __init__(self, target: Value) -> None:
        self._size, self._doubt, order = path_sizes(target)
        # A bound on what the roundings of all operations do to the result (Higham 2002, ch. 3).
        roundings = (self._size[node] * (_EPSILON * _largest_inside(node) + _SMALLEST) for node in order)
        self._noise = _EPSILON * abs(target.data) + sum(one for one in roundings if math.isfinite(one))
        self._replay = Replay(target)

    def reaches(self, x: Value) -> bool:
        """Whether a path leads from the target to `x`."""
        return x in self._size

    def check(self, x: Value, name: str, at: float, gradient: float, probe: Probe | None = None) -> Check:
        """Check one derivative.

        Args:
            x: the node to differentiate by.
            name: what to call it.
            at: the number at `x`.
            gradient: the derivative to check.
            probe: the function from a number at `x` to that of the target; the graph, computed again, if None.
        """
        replay = self._replay
        probe = replay.at(x, FLOAT) if probe is None else probe
        weight, uncertain = self._size.get(x, 0.0), self._doubt.get(x, 0.0)
        sharper = replay.complex_step(x) if 0.0 < weight < math.inf else None
        method = "central differences"
        enough = 1e-12 if sharper is None else 1e-8
        found, judged = judge(probe, at, gradient, weight, self._noise, enough, uncertain)
        if sharper is not None and math.isfinite(found.error):
            told = verdict(sharper, found, weight, uncertain)
            if told == AGREES or (told == TOO_STEEP and _is_all(replay, x, at, probe)):
                found = found._replace(derivative=sharper, error=4.0 * _EPSILON * weight)
                method, judged = "complex step", verdict(gradient, found, weight, uncertain)
                if judged == DIFFERS:  # or roundings, magnified by the function, look like it
                    found = found._replace(error=max(found.error, 0.1 * replay.scatter(x)))
                    judged = verdict(gradient, found, weight, uncertain)
        error = abs(gradient - found.derivative)
        return Check(name, at, gradient, found.derivative, error, found.left, found.right, judged, method)


def _largest_inside(node: Value) -> float:
    """The size of the numbers that an operation handles: its own, or those that a sum or a dot product adds up."""
    if len(node._args) <= 2:
        return abs(node.data)
    parts = sum(abs(parent.data * local) for parent, local in zip(node._inputs, node._locals, strict=True))
    return max(abs(node.data), parts)


def _is_all(replay: Replay, x: Value, at: float, probe: Probe) -> bool:
    """Whether the graph, computed again, gives what the function gives; if not, numbers have left the graph."""
    again = replay.at(x, FLOAT)
    near = (at + share * max(1.0, abs(at)) for share in (1e-2, -1.1e-3, 1.3e-5, -1.7e-7))
    return all(math.isclose(again(one)[0], probe(one)[0], rel_tol=1e-12) for one in near)
