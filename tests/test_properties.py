"""Laws that hold for every graph: reverse mode, forward mode and differences are one, whatever the graph looks like.

Graphs are drawn by ``autograd_mini.strategies``, away from kinks. ``tests/test_planted_faults.py`` plants wrong rules
and expects the checks of this file to object.
"""

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import autograd_mini as am
from autograd_mini import RULES, Report, Value, grad, gradcheck, gradients, hessian, hvp, jvp, topological_order, vjp
from autograd_mini.backward import path_sizes
from autograd_mini.expression import Expression
from autograd_mini.kits import COMPLEX
from autograd_mini.replay import Replay
from autograd_mini.strategies import expressions, graphs
from autograd_mini.value import apply

# Rounding: each of at most some dozens of operations adds half an ulp of the largest contribution.
ROUNDING = 1e-13
SMALLEST = 1e-300  # below it, doubles have fewer digits


def point(graph: Expression) -> list[float]:
    return list(graph.inputs.values())


def sizes(root: Value, inputs: list[Value]) -> list[float]:
    """The scale of the rounding errors in the gradient by each input."""
    size, _, _ = path_sizes(root)
    return [size.get(x, 0.0) for x in inputs]


def build(graph: Expression, numbers: list[float] | None = None) -> tuple[Value, list[Value]]:
    inputs = [Value(x, name) for x, name in zip(numbers or point(graph), graph.inputs, strict=True)]
    root = graph(*inputs)
    return root if isinstance(root, Value) else Value(root), inputs


def assert_close(found: list[float], wanted: list[float], scales: list[float], why: str) -> None:
    for a, b, scale in zip(found, wanted, scales, strict=True):
        assert abs(a - b) <= ROUNDING * max(scale, abs(b)) + SMALLEST, f"{why}: {found} != {wanted}"


def check_gradient(graph: Expression) -> None:
    """The gradient that ``backward`` writes equals differences, and the complex step where every op is analytic."""
    require(gradcheck(graph, *point(graph)))


def require(report: Report) -> None:
    """Require that all agree, but for numbers that are nearly cancelled: the graphs here are of numbers near 1."""
    nearly_cancelled = [c for c in report.checks if abs(c.gradient) < 1e-9 and c.error < 1e-12]
    if any(c.verdict != "agrees" for c in report.checks if c not in nearly_cancelled):
        report.require()


def check_second_derivatives(graph: Expression) -> None:
    """The Hessian equals differences of the gradient, and is symmetric."""
    require(gradcheck(graph, *point(graph), order=2))
    matrix = hessian(lambda x: graph(*x))(point(graph))
    for i, row in enumerate(matrix):
        for j in range(i):
            scale = max(map(abs, (*row, *matrix[j]))) + 1.0
            assert abs(row[j] - matrix[j][i]) <= 1e-11 * scale, (
                f"H[{i}][{j}] = {row[j]} and H[{j}][{i}] = {matrix[j][i]}"
            )


def check_forward_mode(graph: Expression) -> None:
    """Forward mode, one input at a time, equals reverse mode; so does a vjp, and ``gradients``."""
    root, inputs = build(graph)
    scales = sizes(root, inputs)
    root.backward()
    written = [x.grad for x in inputs]
    assert_close(gradients(root, inputs), written, [0.0] * len(inputs), "gradients and backward")
    unit = [[float(i == j) for j in range(len(inputs))] for i in range(len(inputs))]
    forward = [jvp(graph, point(graph), direction)[1] for direction in unit]
    assert_close(forward, written, scales, "forward and reverse")
    _, pull_back = vjp(graph, *point(graph))
    assert_close(list(pull_back(1.0)), written, scales, "vjp and backward")


def check_complex_step(graph: Expression) -> bool:
    """The complex step, which loses no digits, equals reverse mode; False if an op is not analytic."""
    root, inputs = build(graph)
    replay = Replay(root)
    steps = [replay.complex_step(x) for x in inputs]
    if None in steps:
        return False
    found = gradients(root, inputs)
    for one, step, scale in zip(found, steps, sizes(root, inputs), strict=True):
        # Where no first power of the step is left, its square is.
        assert abs(one - step) <= 1e-12 * scale + 1e-50, f"{one} by reverse mode, {step} by a complex step"
    return True


EVERY_OP = pytest.mark.parametrize("op", sorted(RULES))


def of_one_op(op: str) -> st.SearchStrategy[Expression]:
    """Graphs that are made of one op, products and sums."""
    return graphs([op, "add", "mul"], max_nodes=6).filter(lambda graph: op in ops_of(graph))


def ops_of(graph: Expression) -> set[str]:
    return {node.op for node in topological_order(graph.build()) if node.parents}


@EVERY_OP
@settings(max_examples=settings.default.max_examples // 5)
@given(data=st.data())
def test_reverse_mode_equals_differences_for_every_op(op: str, data: st.DataObject) -> None:
    check_gradient(data.draw(of_one_op(op)))


@EVERY_OP
@settings(max_examples=settings.default.max_examples // 12)
@given(data=st.data())
def test_second_derivatives_equal_differences_for_every_op(op: str, data: st.DataObject) -> None:
    check_second_derivatives(data.draw(of_one_op(op)))


@given(graphs())
def test_reverse_mode_equals_differences(graph: Expression) -> None:
    check_gradient(graph)


@settings(max_examples=settings.default.max_examples * 2 // 5)
@given(graphs(max_nodes=8))
def test_second_derivatives_equal_differences(graph: Expression) -> None:
    check_second_derivatives(graph)


@given(graphs())
def test_forward_mode_equals_reverse_mode(graph: Expression) -> None:
    check_forward_mode(graph)


def is_analytic(op: str) -> bool:
    """Whether the complex kit knows the op."""
    rule = RULES[op]
    box = rule.box if rule.arity else rule.box * 2
    try:
        rule.forward(COMPLEX, *(complex(0.4 * low + 0.6 * high) for low, high in box))
    except TypeError:
        return False
    return True


ANALYTIC = [op for op in RULES if is_analytic(op)]


def test_most_ops_are_analytic() -> None:
    assert len(ANALYTIC) >= 20
    assert not {"abs", "relu", "where", "maximum", "gelu"} & {*ANALYTIC}


@given(graphs(ANALYTIC))
def test_the_complex_step_equals_reverse_mode_where_analytic(graph: Expression) -> None:
    assert check_complex_step(graph)


@given(graphs(), st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
def test_the_hessian_times_a_vector_is_the_same_either_way(graph: Expression, vector: list[float]) -> None:
    direction = vector[: len(graph.inputs)]
    matrix = hessian(lambda x: graph(*x))(point(graph))
    found = hvp(lambda x: graph(*x), [point(graph)], [direction])
    for row, product in zip(matrix, found, strict=True):
        scale = sum(abs(h * v) for h, v in zip(row, direction, strict=True)) + 1.0
        assert abs(sum(h * v for h, v in zip(row, direction, strict=True)) - product) <= 1e-11 * scale


@given(graphs(max_inputs=2), graphs(max_inputs=2), st.floats(-3.0, 3.0), st.floats(-3.0, 3.0))
def test_the_gradient_is_linear(f: Expression, g: Expression, a: float, b: float) -> None:
    m, at = len(f.inputs), [*point(f), *point(g)]
    both = grad(lambda x: a * f(*x[:m]) + b * g(*x[m:]))(at)
    alone = [a * one for one in grad(lambda x: f(*x))(point(f))] + [b * one for one in grad(lambda x: g(*x))(point(g))]
    scales = [abs(a) * s for s in sizes(*build(f))] + [abs(b) * s for s in sizes(*build(g))]
    assert_close(both, alone, scales, "a combination and its parts")


def unshared(root: Value, twins: dict[Value, Value]) -> Value:
    """The same formula with every use of an intermediate result computed for itself."""
    if root in twins:
        return twins[root]
    if not root.parents:
        return root
    return apply(root.op, *(p.data if p.op == "constant" else unshared(p, twins) for p in root.parents))


@given(graphs(max_nodes=8))
def test_sharing_changes_nothing(graph: Expression) -> None:
    root, inputs = build(graph)
    twins = {x: Value(x.data) for x in inputs}
    tree = unshared(root, twins)
    assert tree.data == root.data
    found = gradients(tree, list(twins.values()))
    assert_close(found, gradients(root, inputs), sizes(root, inputs), "a tree and its graph")


@given(graphs(), st.randoms(use_true_random=False))
def test_labels_and_the_order_of_inputs_change_nothing(graph: Expression, generator: random.Random) -> None:
    root, inputs = build(graph)
    wanted = gradients(root, inputs)
    for node in topological_order(root):
        node.label = "".join(generator.choices("abc", k=3))
    assert gradients(root, inputs) == wanted
    order = generator.sample(range(len(inputs)), len(inputs))
    moved = grad(lambda *x: graph(*(x[order.index(i)] for i in range(len(x)))), tuple(range(len(inputs))))
    found = moved(*(point(graph)[i] for i in order))
    assert [found[order.index(i)] for i in range(len(inputs))] == wanted


@given(graphs())
def test_two_passes_give_exactly_twice(graph: Expression) -> None:
    root, inputs = build(graph)
    root.backward()
    once = [x.grad for x in inputs]
    root.backward()
    assert [x.grad for x in inputs] == [2.0 * one for one in once]


NUMBERS = st.floats() | st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 1e300, -1e300, 1e-300, 5e-324])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(graphs(), st.lists(NUMBERS, min_size=3, max_size=3))
def test_any_float_in_gives_floats_out(graph: Expression, numbers: list[float]) -> None:
    root, inputs = build(graph, numbers[: len(graph.inputs)])
    root.backward()
    assert {type(node.data) for node in topological_order(root)} == {float}
    assert all(type(x.grad) is float for x in inputs)
    assert type(graph(*(x.data for x in inputs))) is float
    assert all(type(one) is float for one in grad(lambda x: graph(*x))([x.data for x in inputs]))


@given(expressions(max_inputs=1))
def test_a_derivative_of_a_derivative_is_its_derivative(graph: Expression) -> None:
    """grad(grad) and jvp(grad) and the Hessian agree."""
    (x,) = point(graph) or [0.5]
    f: Callable[[Any], Any] = graph if graph.inputs else am.square
    twice = grad(grad(f))(x)
    forward = jvp(grad(f), (x,), (1.0,))[1]
    both = jvp(lambda t: jvp(f, (t,), (1.0,))[1], (x,), (1.0,))[1]
    scale = abs(twice) + abs(grad(f)(x)) + 1.0
    assert max(abs(twice - forward), abs(twice - both), abs(twice - hessian(f)(x))) <= 1e-11 * scale
