"""The reverse sweep: right gradients, step by step, at any depth, once or twice, interrupted or not."""

import gc
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, strategies as st

import autograd_mini as am
from autograd_mini import Value, gradients, steps, topological_order

ROOT = Path(__file__).resolve().parent.parent
Op = Callable[[list[Any], int, int, float], Any]

# Each makes a number of those made so far: `i` and `j` choose operands (often the same one), `c` is a constant.
SMOOTH: dict[str, Op] = {
    "half the sum": lambda v, i, j, c: 0.5 * (v[i] + v[j]),
    "damped product": lambda v, i, j, c: am.tanh(v[i]) * v[j],
    "quotient": lambda v, i, j, c: v[i] / (v[j] * v[j] + 2.0),
    "difference": lambda v, i, j, c: c - v[i],
    "sine": lambda v, i, j, c: am.sin(v[i]),
    "sigmoid": lambda v, i, j, c: am.sigmoid(v[i] * c),
    "softplus": lambda v, i, j, c: am.softplus(v[i]) - am.softplus(v[j]),
    "dot": lambda v, i, j, c: 0.2 * am.dot([v[i], v[j], c, v[0]], [v[j], v[j], v[i], 0.5]),
    "sum": lambda v, i, j, c: 0.3 * am.sum([v[i], c, v[i], v[j]]),
    "mean": lambda v, i, j, c: am.mean(v),
    "logsumexp": lambda v, i, j, c: am.logsumexp([v[i], v[j], c]),
    "pow": lambda v, i, j, c: (0.1 * v[i]) ** 2,
}
KINKED: dict[str, Op] = {
    "relu": lambda v, i, j, c: am.relu(v[i]),
    "maximum": lambda v, i, j, c: am.maximum(v[i], v[j]),
    "where": lambda v, i, j, c: am.where(v[i] > c, v[i], v[j]),
    "abs": lambda v, i, j, c: abs(v[i]) - c,
    "negative": lambda v, i, j, c: -v[i],
    "alias": lambda v, i, j, c: v[i] + v[i],
}
ORDINARY = st.floats(-1.5, 1.5)


class Program(NamedTuple):
    """A random expression: its leaves and, one after the other, what is made of the numbers so far."""

    leaves: list[float]
    lines: list[tuple[str, int, int, float]]

    def run(self, leaves: list[Any]) -> Any:
        numbers = list(leaves)
        for name, i, j, c in self.lines:
            numbers.append((SMOOTH | KINKED)[name](numbers, i % len(numbers), j % len(numbers), c))
        return numbers[-1]


def programs(ops: dict[str, Op]) -> st.SearchStrategy[Program]:
    index = st.integers(0, 30)
    line = st.tuples(st.sampled_from(sorted(ops)), index, index, ORDINARY)
    return st.builds(Program, st.lists(ORDINARY, min_size=1, max_size=4), st.lists(line, min_size=1, max_size=16))


def graph(program: Program) -> tuple[list[Value], Value]:
    leaves = [Value(x) for x in program.leaves]
    root = program.run(leaves)
    assume(isinstance(root, Value))
    return leaves, root


@given(programs(SMOOTH | KINKED))
def test_backward_equals_gradients_bit_for_bit(program: Program) -> None:
    _, root = graph(program)
    wanted = gradients(root)
    root.backward()
    for node in topological_order(root):
        assert node.has_grad == (node in wanted)
        assert node.grad == wanted.get(node, 0.0)


@given(programs(SMOOTH | KINKED))
def test_backward_equals_the_steps_added_up(program: Program) -> None:
    _, root = graph(program)
    total = {root: 1.0}
    for step in steps(root):
        assert step.node.parents[step.argument] is step.parent
        assert step.upstream == total[step.node]
        assert step.local == step.node.local_derivatives[step.argument]
        assert step.contribution == step.upstream * step.local
        assert step.before == total.get(step.parent, 0.0)
        assert step.after == step.before + step.contribution
        total[step.parent] = step.after
    root.backward()
    assert all(node.grad == gradient for node, gradient in total.items())


@given(programs(SMOOTH | KINKED))
def test_steps_cover_every_differentiable_edge_once_and_in_a_causal_order(program: Program) -> None:
    _, root = graph(program)
    seen = [(step.node, step.argument) for step in steps(root)]
    edges = {
        (node, argument)
        for node in topological_order(root)
        for argument, local in enumerate(node.local_derivatives)
        if local is not None
    }
    assert set(seen) == edges
    assert len(seen) == len(edges)
    closed: set[Value] = set()
    for step in steps(root):
        assert step.parent not in closed, "a gradient was added to after it had been handed on"
        closed.add(step.node)


@given(programs(SMOOTH | KINKED))
def test_steps_and_gradients_touch_no_gradient(program: Program) -> None:
    _, root = graph(program)
    nodes = topological_order(root)
    list(steps(root))
    gradients(root)
    assert not any(node.has_grad for node in nodes)
    for i, node in enumerate(nodes):
        node.grad = float(i)
    list(steps(root))
    assert [node.grad for node in nodes] == list(map(float, range(len(nodes))))


@given(programs(SMOOTH))
def test_gradients_equal_central_differences(program: Program) -> None:
    leaves, root = graph(program)
    root.backward()
    for i, leaf in enumerate(leaves):

        def shifted(by: float, i: int = i) -> float:
            return program.run([x + by * (i == j) for j, x in enumerate(program.leaves)])

        def central(step: float) -> float:
            return (shifted(step) - shifted(-step)) / (2.0 * step)

        # Richardson over three steps: truncation is O(step**6), rounding 1e-16 / 0.0025; 1e-9 leaves room for sixteen
        # ops whose higher derivatives multiply up, and is far below any wrong rule.
        a, b, c = central(0.01), central(0.005), central(0.0025)
        wanted = (64.0 * c - 20.0 * b + a) / 45.0
        assert math.isclose(leaf.grad, wanted, rel_tol=1e-9, abs_tol=1e-9)


@given(programs(SMOOTH | KINKED))
def test_passes_add_up_at_leaves_and_replace_each_other_inside(program: Program) -> None:
    leaves, root = graph(program)
    root.backward()
    nodes = topological_order(root)
    first = {node: node.grad for node in nodes}
    interior = [node for node in nodes if node.parents]
    root.backward()
    assert all(leaf.grad == 2.0 * first.get(leaf, 0.0) for leaf in leaves)
    assert all(node.grad == first[node] for node in interior)
    root.backward()
    # The third pass rounds once: 2 g + g.
    assert all(leaf.grad == 2.0 * first.get(leaf, 0.0) + first.get(leaf, 0.0) for leaf in leaves)
    assert all(node.grad == first[node] for node in interior)


def test_passes_from_different_roots_add_up_at_a_shared_leaf() -> None:
    x = Value(3.0)
    square, double = x * x, 2.0 * x
    square.backward()
    double.backward()
    assert (x.grad, square.grad, double.grad) == (8.0, 1.0, 1.0)


def test_a_node_inside_is_overwritten_by_a_pass_from_another_root() -> None:
    x = Value(3.0)
    middle = x * x
    first, second = 5.0 * middle, 7.0 * middle
    first.backward()
    second.backward()
    assert (middle.grad, x.grad) == (7.0, 72.0)


def test_a_pass_adds_to_a_gradient_that_was_assigned() -> None:
    x = Value(3.0)
    x.grad = 100.0
    (x * x).backward()
    assert x.grad == 106.0


def test_a_repeated_operand_gets_every_edge() -> None:
    a = Value(3.0)
    y = a * a
    assert [(step.argument, step.contribution) for step in steps(y)] == [(0, 3.0), (1, 3.0)]
    y.backward()
    assert a.grad == 6.0


def test_a_gradient_is_handed_on_only_when_complete() -> None:
    # A depth-first order without regard to children would visit `a` or `b` before all of its children have.
    x = Value(2.0)
    a = x * x
    b = a * x
    y = b * (a + b) * a
    y.backward()
    # y = x³ (x² + x³) x² = x⁷ + x⁸
    assert (y.data, x.grad) == (384.0, 7 * 2**6 + 8 * 2**7)


def test_a_ladder_of_diamonds_multiplies_paths() -> None:
    x = Value(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60


def test_a_leaf_root_is_its_own_gradient() -> None:
    leaf = Value(3.0)
    assert list(steps(leaf)) == []
    assert gradients(leaf) == {leaf: 1.0}
    leaf.backward()
    leaf.backward()
    assert leaf.grad == 2.0


def test_constants_get_no_gradient() -> None:
    y = Value(3.0) * 2.0
    y.backward()
    constant = y.parents[1]
    assert constant.op == "constant"
    assert not constant.has_grad


def test_what_no_path_reaches_is_told_apart_from_a_zero_gradient() -> None:
    reached, outside = Value(-1.0), Value(2.0)
    outside * 3.0
    am.relu(reached).backward()
    assert (reached.has_grad, reached.grad) == (True, 0.0)
    assert (outside.has_grad, outside.grad) == (False, 0.0)


def test_a_node_used_a_hundred_thousand_times_gets_every_edge() -> None:
    x = Value(0.5)
    am.sum([x] * 100_000).backward()
    assert x.grad == 100_000.0
    y = Value(0.5)
    total = y
    for _ in range(100_000):
        total = total + y
    total.backward()
    assert y.grad == 100_001.0


def test_a_chain_of_a_million_nodes_works_from_build_to_deletion() -> None:
    x = Value(2.0, label="x")
    y = x
    factor, power = 1.000001, 1.0
    for _ in range(1_000_000):
        y = y * factor
        power *= factor
    y.backward()
    assert x.grad == power
    assert repr(y) == f"Value(data={y.data:.6g}, grad=1, op=mul)"
    before = values_alive()
    del y
    assert values_alive() == before - 1_000_000


def test_a_wide_sum_and_a_wide_dot_work() -> None:
    w = [Value(1.0) for _ in range(100_000)]
    x = [Value(float(i)) for i in range(100_000)]
    (am.sum(w) + am.dot(w, x)).backward()
    assert [leaf.grad for leaf in w] == [1.0 + i for i in range(100_000)]
    assert {leaf.grad for leaf in x} == {1.0}


def values_alive() -> int:
    return sum(type(thing) is Value for thing in gc.get_objects())


@contextmanager
def without_garbage_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_a_graph_is_freed_without_the_garbage_collector() -> None:
    with without_garbage_collector():
        before = values_alive()
        leaves = [Value(x) for x in (0.5, 1.5)]
        root = leaves[0]
        for name, op in (SMOOTH | KINKED).items():
            root = root + op([root, *leaves], 1, 2, 0.25)
            assert root.op == "add", name
        root.backward()
        list(steps(root))
        gradients(root)
        repr(root)
        am.statistics(root)
        assert values_alive() > before + len(SMOOTH)
        del root, leaves
        assert values_alive() == before


ORDER_SCRIPT = """
import autograd_mini as am
x = [am.Value(0.1 * i, f"x{i}") for i in range(1, 9)]
h = [am.tanh(am.dot(x, x[i:] + x[:i]) * 0.3 + x[i]) for i in range(8)]
y = am.logsumexp(h) * am.sum(h) + am.maximum(h[0], x[0])
names = {node: i for i, node in enumerate(am.topological_order(y))}
print([(node.op, node.label) for node in names])
print([(names[s.node], s.argument, names[s.parent], s.after) for s in am.steps(y)])
y.backward()
print([leaf.grad.hex() for leaf in x])
"""


def test_order_and_gradients_are_the_same_in_every_process() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", ORDER_SCRIPT],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "random")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 1000


class Interrupting(float):
    """A local derivative during whose multiplication the user presses Ctrl-C."""

    def __rmul__(self, other: float) -> float:
        raise KeyboardInterrupt


def trained_graph() -> tuple[list[Value], list[Value], Value]:
    """A graph with a gradient from an earlier pass, one leaf whose gradient was assigned, and one without any."""
    a, b, c = Value(2.0), Value(3.0), Value(5.0)
    middle = a * b
    side = middle + c
    root = side * middle * c
    middle.backward()
    a.grad = 100.0
    return [a, b, c], [middle, side, root], root


def test_an_interrupted_pass_leaves_the_leaves_as_they_were() -> None:
    leaves, interior, root = trained_graph()
    before = [(leaf.grad, leaf.has_grad) for leaf in leaves]
    good = interior[0]._locals
    interior[0]._locals = (good[0], Interrupting(good[1]))
    with pytest.raises(KeyboardInterrupt):
        root.backward()
    assert [(leaf.grad, leaf.has_grad) for leaf in leaves] == before
    assert not any(node.has_grad for node in topological_order(root) if node.parents)

    interior[0]._locals = good
    wanted = gradients(root)
    root.backward()
    assert [leaf.grad for leaf in leaves] == [old + wanted[leaf] for (old, _), leaf in zip(before, leaves, strict=True)]
    assert all(node.grad == wanted[node] for node in interior)


def interrupted_at_line(run: Callable[[], None], line: int) -> bool:
    """Raise KeyboardInterrupt before the `line`-th line that runs in backward.py; False if there are fewer lines."""
    left = line

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith("backward.py"):
            return None
        if event == "line":
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return trace

    earlier = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(earlier)
    return False


def trained_leaf() -> tuple[list[Value], list[Value], Value]:
    leaf = Value(7.0)
    leaf.grad = 10.0
    return [leaf], [], leaf


@pytest.mark.parametrize("make", [trained_graph, trained_leaf])
def test_a_pass_interrupted_at_any_line_leaves_the_leaves_as_they_were(make: Callable[[], Any]) -> None:
    line = 0
    while True:
        leaves, _, root = make()
        before = [(leaf.grad, leaf.has_grad) for leaf in leaves]
        if not interrupted_at_line(root.backward, line):
            break
        assert [(leaf.grad, leaf.has_grad) for leaf in leaves] == before, f"interrupted before line {line}"
        line += 1
    assert line > 20


def test_a_gradient_that_is_not_finite_follows_ieee() -> None:
    x = Value(0.0)
    am.sqrt(x).backward()
    assert x.grad == math.inf
    y = Value(0.0)
    (0.0 * am.sqrt(y)).backward()
    assert math.isnan(y.grad)
