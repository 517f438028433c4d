"""Tracing: nothing of the example stays in what is recorded, and whatever would put it there raises a TraceError."""

import copy
import math
import pickle
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import autograd_mini as am
import nn
from autograd_mini import RULES, TraceError, Value, grad, gradients, modes, no_grad, where
from autograd_mini.functions import VALUE
from autograd_mini.graph import topological_order
from autograd_mini.replay import recompute
from autograd_mini.tracer import HELD, Draw, Read, Tracer, current_tracer, held, known, tracing
from autograd_mini.value import apply

Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def _switches_are_off_again() -> Any:
    yield
    assert modes.switched == 0
    assert current_tracer() is None


def trace(f: Function, example: Sequence[float], parameters: Sequence[Value] = ()) -> tuple[Any, list[Value], Tracer]:
    """Run `f` on Values with the numbers of an example; what it gave, its inputs, and the tracer."""
    inputs = [Value(x, f"x{i}") for i, x in enumerate(example)]
    tracer = Tracer([*inputs, *parameters])
    with tracing(tracer):
        return f(*inputs), inputs, tracer


def run(roots: Sequence[Any], numbers: dict[Value, float]) -> tuple[list[Any], dict[Value, Any]]:
    """Compute a traced graph again with other numbers in its leaves, as a compiled program does."""
    made: dict[Value, Any] = {leaf: Value(x) for leaf, x in numbers.items()}
    for node in topological_order(*(root for root in roots if isinstance(root, Value))):
        if node in made:
            continue
        args = [made[arg] for arg in node.parents]
        if not args:
            made[node] = node.data
        elif node.op in HELD:
            made[node] = float(HELD[node.op](*map(float, args)))
        else:
            made[node] = apply(node.op, *(args if node._inputs else map(float, args)))
    return [made.get(root, root) for root in roots], made


def check(f: Function, example: Sequence[float], others: Sequence[Sequence[float]]) -> None:
    """A program made of `f` at one example gives the value and the gradients of `f` at others."""
    y, inputs, _ = trace(f, example)
    for other in others:
        wanted = [Value(x) for x in other]
        eager = f(*wanted)
        (found,), made = run([y], dict(zip(inputs, other, strict=True)))
        assert float(found) == pytest.approx(float(eager), rel=1e-12, abs=1e-300, nan_ok=True)
        ours = gradients(found, [made[x] for x in inputs]) if isinstance(found, Value) else [0.0] * len(wanted)
        theirs = gradients(eager, wanted) if isinstance(eager, Value) else [0.0] * len(wanted)
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-300, nan_ok=True)


# Reading


def use(x: Any) -> None:
    """Whatever is done with a number that ends the traced run."""


def branch(x: Value) -> Any:
    return 1.0 if x > 0.5 else 2.0


def assign(x: Value) -> None:
    x.data = 2.0


def assign_gradient(x: Value) -> None:
    x.grad = None  # type: ignore[assignment]


BRANCH = r"a branch on a number that is not known until the compiled program runs; write where\("
READS: dict[str, tuple[Function, str]] = {
    "if": (branch, re.escape("if x0 > 0.5 else 2.0: ").replace("x0", "x") + BRANCH + r"x0 > 0\.5, a, b\)"),
    "if below a number": (lambda x: 1.0 if 0.5 >= x else 2.0, BRANCH + r"x0 <= 0\.5, a, b\)"),  # noqa: SIM300  # from the other side
    "if of something unnamed": (lambda x: 1.0 if x * 2 < x else 2.0, BRANCH + r"condition, a, b\), which records both"),
    "if of the number itself": (lambda x: x or 1.0, BRANCH + r"x0, a, b\)"),
    "and": (lambda x: x > 0 and x < 1, BRANCH + r".* and \(a > 0\) \* \(b > 0\) for `and`$"),
    "not": (lambda x: not x, BRANCH),
    "max": (lambda x: max(x, 0.0), r"maximum\(a, b\) and minimum\(a, b\) for max and min"),
    "min": (lambda x: min(x, x + 1), r"maximum\(a, b\) and minimum\(a, b\) for max and min"),
    "sorted": (lambda x: sorted([x, -x]), BRANCH),
    "any": (lambda x: any([x]), BRANCH),
    "float": (float, r"float\(\) of a number that is not known until .* functions of autograd_mini \(exp, sin, …\)"),
    "math.exp": (math.exp, r"float\(\) of a number"),
    "math.isclose": (lambda x: math.isclose(x, 1.0), r"float\(\) of a number"),
    "data": (lambda x: x.data, r"\.data of a number .* the Value itself, under no_grad\(\) where no gradient is to"),
    "data of an interior": (lambda x: (2.0 * x + 1.0).data, r"\.data of a number"),
    "data of a chosen number": (lambda x: where(x > 0.0, x, 1.0).data, r"\.data of a number"),
    "data under no_grad": (no_grad()(lambda x: (2.0 * x).data), r"\.data of a number"),
    "assigned data": (assign, "an assignment to a number .* compute a new Value, and assign outside of what is compil"),
    "format": (lambda x: f"{x:.3f}", r"a format of a number .* write {x} or {x!r} to see the number of the example"),
    "grad": (lambda x: (x * x).grad, r"\.grad of a number .* return the loss, whose gradients the program gives, or "),
    "assigned grad": (assign_gradient, r"\.grad of a number"),
    "backward": (lambda x: (x * x).backward(), r"backward\(\) from a number .* or call grad\(f\) or gradients\(root, "),
    "steps": (lambda x: list(am.steps(x * x)), "the steps of a gradient of a number .* look at them outside of what"),
    "local derivatives": (lambda x: (x * x).local_derivatives, "the local derivatives of a number .* jacobian"),
    "copy": (copy.copy, r"a copy of a number .* write x \* 1\.0, which records where it comes from$"),
    "deepcopy": (lambda x: copy.deepcopy([x * x]), "a copy of a number"),
    "pickle": (lambda x: pickle.dumps(x * x), "a copy of a number"),
    "pickle of a leaf": (pickle.dumps, "a copy of a number"),
    "explain": (lambda x: am.explain(x, x * x), "the steps of a gradient of a number"),
    "paths": (lambda x: am.paths(x * x, x), "the steps of a gradient of a number"),
    "gradcheck": (lambda x: am.gradcheck(x * x), r"\.data of a number"),
    "recompute": (lambda x: recompute([x * x], x, 2.0), "an assignment to a number"),
    "np.max": (lambda x: np.max([x, x + 1]), r"max\(\[x.*: a branch on a number"),
    "np.where": (lambda x: np.where(x > 1, x, 1.0), BRANCH + r"x0 > 1, a, b\)"),
    "a NumPy array of floats": (lambda x: np.array(x, dtype=float), r"float\(\) of a number"),
    "np.maximum": (lambda x: np.maximum(x, 0.0), BRANCH),
    "a class": (lambda x: nn.predicted_class([x, 1.0]), r"float\(\) of a number"),
    "active": (lambda x: nn.Neuron(1).activity([x]), r"float\(\) of a number"),
}


@pytest.mark.parametrize(("read", "message"), READS.values(), ids=READS)
def test_reading_a_number_that_is_not_known_names_the_line_and_the_remedy(read: Function, message: str) -> None:
    with pytest.raises(TraceError, match=message) as caught:
        trace(read, [3.0])
    assert re.match(r"\S+test_tracer\.py:\d+: ", str(caught.value))
    read(Value(3.0))  # a normal run does all this


def test_the_line_is_that_of_the_read() -> None:
    with pytest.raises(TraceError) as caught:
        trace(branch, [3.0])
    first = branch.__code__.co_firstlineno
    assert f"test_tracer.py:{first + 1}: return 1.0 if x > 0.5 else 2.0: a branch" in str(caught.value)


def test_a_trace_error_is_a_type_error() -> None:
    assert issubclass(TraceError, TypeError)


def test_what_depends_on_no_leaf_is_known() -> None:
    weight, outside = Value(2.0), Value(3.0) * 5.0

    def f(x: Value) -> Value:
        made = Value(1.5) * outside
        assert made > 3.0
        assert (float(made), made.data, f"{made:.1f}", known(made)) == (22.5, 22.5, "22.5", 22.5)
        assert max(made, outside) is made
        outside.data = 15.0
        copy.deepcopy(made).backward()
        return x * made

    assert known(weight) == 2.0
    assert trace(f, [3.0])[0].data == 67.5
    with pytest.raises(TraceError):
        trace(lambda x: float(weight), [3.0], [weight])


def test_known_asks_the_leaves() -> None:
    def f(x: Value) -> None:
        constant = Value(2.0)
        assert [known(y) for y in (x, x * 2, constant, constant * 2, 5, 2.5, np.float64(1.5))] == [
            None, None, 2.0, 4.0, 5.0, 2.5, 1.5
        ]  # fmt: skip
        assert known(held("less", x, 1.0)) is None
        with no_grad():
            assert known(x * 2.0) is None
        wide = am.sum([constant] * 10_000)
        assert (known(wide), known(wide + x)) == (20_000.0, None)

    trace(f, [3.0])
    assert known(Value(2.0)) == 2.0


def test_a_deep_graph_is_walked() -> None:
    def f(x: Value) -> None:
        constant, unknown = Value(0.5), x
        for _ in range(100_000):
            constant, unknown = constant + 1.0, unknown + 1.0
        assert known(constant) == 100_000.5
        assert known(unknown) is None

    trace(f, [3.0])


def test_texts_never_raise() -> None:
    def f(x: Value) -> None:
        for y in (x, x * 2, x > 1.0, am.log(-x)):
            assert "Value(data=" in repr(y) == str(y) == f"{y}"
        assert repr(next(iter(RULES)))
        gradient = gradients(x * x, x, create_graph=True)
        assert "grad=not computed" in repr(gradient)

    trace(f, [3.0])


def test_identity_and_hash_stay() -> None:
    def f(x: Value) -> None:
        y = x * 1.0
        assert (x == x, x == y, x != y, x in [y, x], len({x, y})) == (True, False, True, True, 2)

    trace(f, [3.0])


# Recording


@pytest.mark.parametrize(
    ("compare", "op", "number"),
    [
        (lambda x: x < 3.0, "less", 0.0),
        (lambda x: x <= 3, "less_equal", 1.0),
        (lambda x: x > Value(2.0), "greater", 1.0),
        (lambda x: x >= np.float64(4.0), "greater_equal", 0.0),
        (lambda x: 2.0 < x, "greater", 1.0),  # noqa: SIM300
        (lambda x: Value(2.0) < x, "less", 1.0),
        (lambda x: VALUE.equal(x, 3.0), "equal", 1.0),
        (lambda x: VALUE.on_grid(x + 1e-9), "on_grid", 3.0),
        (lambda x: held("largest", 1.0, x, Value(2.0)), "largest", 3.0),
    ],
)
def test_a_held_node_has_arguments_and_hands_on_no_gradient(compare: Function, op: str, number: float) -> None:
    node, (x,), _ = trace(compare, [3.0])
    assert type(node) is Value
    assert (node.op, node.data, node._inputs, node._locals) == (op, number, (), ())
    assert all(type(arg) is float or isinstance(arg, Value) for arg in node._args)
    root = node * x
    root.backward()
    assert x.grad == number


def test_comparing_with_what_is_no_number_stays_an_error() -> None:
    with pytest.raises(TypeError):
        trace(lambda x: x < "a", [3.0])


def test_comparing_with_an_array_goes_element_by_element() -> None:
    with pytest.raises(TraceError, match=r"np\.array.*: a branch"):
        trace(lambda x: x < np.array([1.0, 2.0]), [3.0])


def test_everything_is_recorded_under_no_grad_too_but_hands_nothing_on() -> None:
    @no_grad()
    def f(x: Value) -> tuple[Value, Value]:
        return x * 2.0 + 1.0, where(x > 0.0, x, 0.0)

    with no_grad():
        (y, z), (x,), _ = trace(f, [3.0])
    assert (y.op, y._inputs, z.op, z._inputs) == ("add", (), "where", ())
    check(lambda x: x * (no_grad()(lambda: x * 2.0 + 1.0)()), [3.0], [[5.0], [-1.0]])
    assert float(run([y], {x: 10.0})[0][0]) == 21.0

    with no_grad():
        product, (x,), _ = trace(lambda x: x * x, [3.0])
    assert product._inputs == (x, x)


def test_inf_and_nan_of_the_example_come_without_a_warning() -> None:
    with am.detect_anomaly():
        y, _, _ = trace(lambda x: am.log(x) + am.log(x - 1.0), [0.0])
    assert math.isnan(y.data)
    with pytest.raises(am.AnomalyError, match=r"log\(x0=0\) is -inf"):
        trace(am.detect_anomaly()(am.log), [0.0])


def test_lines_are_recorded_on_demand() -> None:
    with am.record_lines():
        y, _, _ = trace(lambda x: x > 2.0, [3.0])
    assert y.line.filename == __file__


def test_another_thread_is_not_traced() -> None:
    found: list[Any] = []

    def f(x: Value) -> Value:
        def elsewhere() -> None:
            found.append((x > 2.0, float(x), current_tracer()))

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        return x

    trace(f, [3.0])
    assert found == [(True, 3.0, None)]


def test_a_trace_inside_a_trace_knows_no_more() -> None:
    def outer(x: Value) -> Any:
        def inner(y: Value) -> Any:
            assert known(y) is None
            return float(x)

        return trace(inner, [1.0])

    with pytest.raises(TraceError, match=r"float\(\) of a number"):
        trace(outer, [3.0])

    def calm(x: Value) -> Any:
        y, (inner,), _ = trace(lambda y: y * 2.0, [1.0])
        return known(y), known(inner), known(x)

    assert trace(calm, [3.0])[0] == (2.0, 1.0, None)


def test_a_trace_ends_with_an_exception() -> None:
    with pytest.raises(KeyError):
        trace(lambda x: {}[x], [3.0])
    assert current_tracer() is None


def test_a_normal_run_is_as_it_was() -> None:
    x = Value(3.0)
    assert ((x > 2.0), (x <= 2.0), VALUE.equal(x, 3.0), VALUE.on_grid(x)) == (True, False, True, 3.0)
    with no_grad():
        assert (x > 2.0) is True
        assert (x * 2.0)._args == ()


# Functions


SECOND = {"pow", "log", "sqrt", "log1p", "div", "tan"}


@pytest.mark.parametrize("op", RULES)
def test_every_row_traces(op: str) -> None:
    rule = RULES[op]
    boxes = rule.box if rule.arity else rule.box * 4
    points = [[a + (b - a) * t for a, b in boxes] for t in (0.2, 0.55, 0.9)]
    for i, point in enumerate(points):
        point[0] += 0.01 * i  # so that no two arguments tie
    check(lambda *x: apply(op, *x), points[0], points[1:])


@pytest.mark.parametrize("op", RULES)
def test_every_row_traces_its_derivative(op: str) -> None:
    rule = RULES[op]
    boxes = rule.box if rule.arity else rule.box * 4
    points = [[a + (b - a) * t + 0.01 * i for i, (a, b) in enumerate(boxes)] for t in (0.2, 0.55, 0.9)]
    argnums = range(len(boxes))

    def f(*x: Any) -> Any:
        return am.sum(grad(lambda *x: apply(op, *x), argnums)(*x))

    check(f, points[0], points[1:])


def net(x: Any, y: Any) -> Any:
    return (
        am.tanh(x * y) + where(x > y, x * x, am.exp(y)) + am.maximum(x, 0.3) * am.gelu(y) + x**3 + am.softmax([x, y])[0]
    )


POINTS = [[0.7, 0.2], [-0.5, 1.2], [0.1, -0.9]]
TRANSFORMS: dict[str, Function] = {
    "grad": lambda x, y: am.sum(grad(net, (0, 1))(x, y)),
    "grad by a constant": lambda x, y: grad(lambda c: c * net(x, c * y))(1.5),
    "grad of no arguments": lambda x, y: grad(lambda c: c * c)(1.5) * x,
    "value and grad": lambda x, y: am.value_and_grad(net)(x, y)[0] * y,
    "grad of grad": lambda x, y: grad(grad(net))(x, y),
    "third derivative": lambda x, y: am.derivative(lambda x: net(x, y), 3)(x),
    "hvp": lambda x, y: am.dot(am.hvp(net, (x, y), (1.0, 2.0)), [x, y]),
    "hessian": lambda x, y: am.dot(am.hessian(lambda p: net(*p))([x, y])[0], [x, 1.0]),
    "jacobian": lambda x, y: am.sum(am.jacobian(lambda x: [net(x, y), x * y, x])(x)),
    "jvp": lambda x, y: am.jvp(net, (x, y), (y, 1.0))[1] * x,
    "jvp in an unknown direction": lambda x, y: am.jvp(lambda a: a**3, (2.0,), (y,))[1] * x,
    "vjp": lambda x, y: am.sum(am.vjp(net, x, y)[1](x)),
    "vjp with a known cotangent": lambda x, y: am.sum(am.vjp(net, x, y)[1](1.0)),
    "vjp with a known cotangent under no_grad": lambda x, y: no_grad()(lambda: am.sum(am.vjp(net, x, y)[1](1.0)))() * y,
    "vjp made before no_grad, with a known cotangent": lambda x, y: no_grad()(am.vjp(net, x, y)[1])(1.0)[0] * y,
    "vjp with an unknown cotangent": lambda x, y: am.vjp(lambda a: a**3, 2.0)[1](y)[0] * x,
    "gradients": lambda x, y: gradients(net(x, y), x, create_graph=True) * y,
    "gradients held": lambda x, y: gradients(net(x, y), x) * y,
    "all gradients": lambda x, y: gradients(x * y)[x] * y,
    "grad under no_grad": lambda x, y: no_grad()(grad(net))(x, y) * y,
    "jvp under no_grad": lambda x, y: no_grad()(lambda: am.jvp(net, (x, y), (y, 1.0))[1])() * x,
    "jvp in a direction under no_grad": lambda x, y: no_grad()(lambda: am.jvp(am.sin, (2.0,), (y,))[1])() * x,
    "vjp under no_grad": lambda x, y: no_grad()(lambda: am.sum(am.vjp(net, x, y)[1](x)))() * y,
    "hvp under no_grad": lambda x, y: no_grad()(lambda: am.hvp(net, (x, y), (1.0, 2.0))[1])() * y,
    "hessian under no_grad": lambda x, y: no_grad()(lambda: am.hessian(lambda p: net(*p))([x, y])[0][1])() * y,
    "value under no_grad": lambda x, y: no_grad()(lambda: am.value_and_grad(net)(x, y)[0])() * y,
    "vjp made before no_grad": lambda x, y: (lambda back: no_grad()(back)(x))(am.vjp(net, x, y)[1])[0] * y,
    "no_grad in the function": lambda x, y: grad(lambda a: a * no_grad()(lambda: a * y)())(x),
}


@pytest.mark.parametrize("f", TRANSFORMS.values(), ids=TRANSFORMS)
def test_derivatives_inside_a_traced_function(f: Function) -> None:
    check(f, POINTS[0], POINTS[1:])
    check(f, POINTS[1], [POINTS[0], POINTS[2]])


def test_an_exponent_of_zero_is_not_the_program_s() -> None:
    check(lambda x, y: grad(lambda a, b: a**b, (0, 1))(x, y)[0] * x, [2.0, 0.0], [[2.0, 1.5], [0.0, 2.0]])


def test_softmax_shifts_by_the_largest_of_each_run() -> None:
    for f in (am.softmax, am.log_softmax):
        check(lambda x, y, z, f=f: am.dot(f([x, y, z, 0.5]), [1.0, 2.0, 3.0, 4.0]), [1.0, 2.0, 3.0], [[1e3, 2.0, -1e3]])


# nn


ROWS = [[0.3, -0.7], [1.1, 0.4], [-0.2, 0.9]]
OTHER = [[-1.3, 0.2], [0.6, -0.4], [0.8, 0.1]]


def flat(rows: Sequence[Sequence[float]]) -> list[float]:
    return [x for row in rows for x in row]


def rows_of(numbers: Sequence[Any], width: int = 2) -> list[list[Any]]:
    return [list(numbers[i : i + width]) for i in range(0, len(numbers), width)]


def total(y: Any) -> Any:
    return am.sum(map(total, y)) if isinstance(y, list) else y * y + y


@pytest.mark.parametrize("name", nn.ACTIVATIONS)
def test_every_activation_traces(name: str) -> None:
    check(nn.ACTIVATIONS[name], [0.5], [[-1.5], [2.0], [0.0]])


@pytest.mark.parametrize("name", nn.LOSSES)
@pytest.mark.parametrize("batch", [False, True])
def test_every_loss_traces_with_targets_that_are_not_known(name: str, batch: bool) -> None:
    loss = nn.LOSSES[name]
    good = {"hinge": [[1.0, -1.0], [-1.0, -1.0], [1.0, 1.0]]}.get(name, [[0.0, 1.0], [0.4, 0.6], [1.0, 0.0]])

    def f(*x: Any) -> Any:
        rows, targets = rows_of(x[: len(x) // 2]), rows_of(x[len(x) // 2 :])
        return loss(rows, targets) if batch else loss(rows[0], targets[0])

    count = 3 if batch else 1
    example = flat(ROWS[:count]) + flat(good[:count])
    others = [flat(OTHER[:count]) + flat(good[::-1][:count])]
    # the gradient by a target is that of the general formula, whatever the target
    y, inputs, _ = trace(f, example)
    for other in others:
        (found,), made = run([y], dict(zip(inputs, other, strict=True)))
        wanted = [Value(x) for x in other]
        eager = f(*wanted)
        assert found.data == pytest.approx(eager.data, rel=1e-12)
        assert gradients(found, [made[x] for x in inputs]) == pytest.approx(gradients(eager, wanted), rel=1e-12)
    assert f(*map(float, other)) == pytest.approx(found.data, rel=1e-12)


@pytest.mark.parametrize("name", nn.LOSSES)
def test_every_loss_checks_the_targets_that_are_known(name: str) -> None:
    loss = nn.LOSSES[name]
    bad = {"cross_entropy": [0.5, 0.7], "binary_cross_entropy": [0.5, 1.7], "hinge": [1.0, 0.5]}.get(name)
    if bad is not None:
        with pytest.raises(ValueError, match=r"target.*, got"):
            trace(lambda x: loss([x, x], bad), [1.0])
        with pytest.raises(ValueError, match=r"target.*, got"):
            trace(lambda x: loss([x, x], list(map(Value, bad))), [1.0])


def test_probabilities_that_are_partly_known() -> None:
    with pytest.raises(ValueError, match=r"at least 0 and add up to 1, got \[-0.5, 2\]"):
        trace(lambda x: nn.cross_entropy([x, x], [-0.5, x]), [2.0])
    y, inputs, _ = trace(lambda x: nn.cross_entropy([1.0, 2.0], [0.25, x]), [0.75])
    assert float(run([y], {inputs[0]: 0.75})[0][0]) == nn.cross_entropy([1.0, 2.0], [0.25, 0.75])


def test_targets_of_zeros_give_no_loss_where_they_are_not_known() -> None:
    y, inputs, _ = trace(lambda a, b: nn.cross_entropy([1.0, 2.0], [a, b]), [0.0, 1.0])
    assert float(run([y], dict.fromkeys(inputs, 0.0))[0][0]) == 0.0
    with pytest.raises(ValueError, match="add up to 1"):
        nn.cross_entropy([1.0, 2.0], [0.0, 0.0])


def test_conditions_are_joined_by_products_as_in_a_normal_run() -> None:
    def f(x: Any, y: Any) -> Any:
        return where((x > 0) * (y > 0), x * y, where(am.maximum(x > 1, y > 1), x, y)) + where(1 - (x > y), x, 0.0)

    check(f, [0.5, 0.7], [[-1.0, 2.0], [3.0, -2.0], [-1.0, -2.0]])


def test_a_known_class_is_a_constant() -> None:
    check(lambda x, y: nn.cross_entropy([[x, y], [y, 1.0]], [1, 0]), [0.5, 0.7], [[1.5, -2.0]])


PENALTIES = [nn.l1_penalty, nn.l2_penalty]


@pytest.mark.parametrize("penalty", PENALTIES)
def test_penalties_trace(penalty: Function) -> None:
    check(lambda x, y: penalty([x, y]), [0.5, -0.7], [[-1.5, 2.0]])


def model_of(kind: str) -> nn.Network:
    parts: dict[str, Function] = {
        "neuron": lambda: nn.Neuron(2, activation="tanh", seed=1),
        "layer": lambda: nn.Layer(2, 3, activation="relu", seed=1),
        "mlp": lambda: nn.MLP(2, [4, 3], activation="gelu", seed=1),
        "activate": lambda: nn.Activate("elu"),
        "batch norm": lambda: nn.BatchNorm(2),
        "untracked batch norm": lambda: nn.BatchNorm(2, track=False, affine=False),
        "dropout": lambda: nn.Dropout(0.5, seed=1),
        "no dropout": lambda: nn.Dropout(0.0, seed=1),
        "nothing but dropout": lambda: nn.Dropout(1.0, seed=1),
        "all": lambda: nn.MLP(2, [4, 5, 2], activation="tanh", seed=1, batch_norm=True, dropout=0.3),
        "sequential": lambda: nn.Sequential(
            nn.Dropout(0.2, seed=2),
            nn.Layer(2, 3, seed=1),
            nn.BatchNorm(3, momentum=None),
            "relu",
            nn.Dropout(0.4, seed=3),
        ),
    }
    return parts[kind]()


KINDS = (
    "neuron", "layer", "mlp", "activate", "batch norm", "untracked batch norm", "dropout", "no dropout",
    "nothing but dropout", "all", "sequential",
)  # fmt: skip


def state(model: nn.Network) -> Any:
    """All that a forward pass may change."""
    masks = [part.mask for _, part in model.modules() if isinstance(part, nn.Dropout)]
    return [(name, np.asarray(buffer).tolist()) for name, buffer in model.named_buffers()], masks


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [True, False])
def test_every_network_traces_and_its_program_does_what_it_does(kind: str, training: bool) -> None:
    model, twin = model_of(kind), model_of(kind)
    for one in (model, twin):
        one([[x + 1.0 for x in row] for row in ROWS])  # statistics and generators that are not the first
        one.train(training)
    before = state(model)
    parameters = model.parameters()
    y, inputs, tracer = trace(lambda *x: total(model(rows_of(x))), flat(ROWS), parameters)
    assert state(model) == before

    for _ in range(2):
        numbers = dict(zip(inputs, flat(OTHER), strict=True)) | {p: p.data + 0.125 for p in parameters}
        for draw in tracer.draws:
            drawn = draw.draw(len(OTHER))
            assert [len(row) for row in drawn] == [len(row) for row in draw.values]
            numbers |= dict(zip(flat(draw.values), flat(drawn), strict=True))
        for read in tracer.reads:
            numbers |= dict(zip(read.values, read.read(), strict=True))
        observed = [x for one in tracer.observations for x in one.values]
        (found, *seen), made = run([y, *observed], numbers)
        for one in tracer.observations:
            one.callback([float(x) for x in seen[: len(one.values)]])
            del seen[: len(one.values)]

        for p, q in zip(twin.parameters(), parameters, strict=True):
            p.data = q.data + 0.125
        wanted = rows_of(list(map(Value, flat(OTHER))))
        eager = total(twin(wanted))
        assert found.data == pytest.approx(eager.data, rel=1e-12)
        assert gradients(found, [made[p] for p in [*inputs, *parameters]]) == pytest.approx(
            gradients(eager, [*flat(wanted), *twin.parameters()]), rel=1e-12, abs=1e-15
        )
        assert state(model)[0] == state(twin)[0]
        assert not training or state(model) == state(twin)


def test_dropout_asks_for_a_draw() -> None:
    dropout = nn.Dropout(0.5, seed=3)
    (y, z), inputs, tracer = trace(lambda *x: dropout(list(x)), [1.0, 2.0])
    (draw,) = tracer.draws
    assert isinstance(draw, Draw)
    assert (draw.name, len(draw.values), dropout.mask) == ("dropout", 1, None)
    assert [mask.label for mask in draw.values[0]] == ["mask[0][0]", "mask[0][1]"]
    assert (y._args, z._args) == ((inputs[0], draw.values[0][0]), (inputs[1], draw.values[0][1]))
    twin = nn.Dropout(0.5, seed=3)
    twin([[1.0, 1.0]] * 4)
    assert draw.draw(4) == dropout.mask == twin.mask
    assert dropout.generator.getstate() == twin.generator.getstate()


def test_dropout_keeps_its_mask_while_it_is_traced_in_evaluation_mode() -> None:
    dropout = nn.Dropout(0.5, seed=3)
    dropout([1.0])
    mask = dropout.eval().mask
    y, (x,), tracer = trace(lambda x: dropout([x]), [1.0])
    assert (y is x, tracer.draws, dropout.mask is mask) == (True, [], True)


def test_batch_norm_observes_in_training_and_reads_in_evaluation() -> None:
    norm = nn.BatchNorm(2)
    _, _, tracer = trace(lambda *x: norm(rows_of(x)), flat(ROWS))
    (observation,) = tracer.observations
    assert (len(observation.values), norm.batches, tracer.reads) == (4, 0, [])
    observation.callback([1.0, 2.0, 3.0, 4.0])
    assert norm.batches == 1
    assert norm.running_mean == pytest.approx([0.1, 0.3])
    assert norm.running_variance == pytest.approx([0.9 + 0.1 * 2.0 * 1.5, 0.9 + 0.1 * 4.0 * 1.5])

    norm.eval()
    _, _, tracer = trace(lambda *x: norm(list(x)), [1.0, 2.0])
    (read,) = tracer.reads
    assert isinstance(read, Read)
    assert list(read.read()) == [*norm.running_mean, *norm.running_variance]
    assert [x.label for x in read.values][::3] == ["running_mean[0]", "running_variance[1]"]
    assert (read.name, tracer.observations) == ("batch norm", [])
