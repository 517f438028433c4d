"""structure_of: the groups of a graph without names are those that the compiler computes at once."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autograd_mini import (
    RULES,
    Value,
    dot,
    fold,
    maximum,
    mean,
    no_grad,
    parameter,
    primitive,
    square,
    topological_order,
    where,
)
from autograd_mini.canonical import canonical_with_places
from autograd_mini.compiler import compile
from autograd_mini.errors import TraceError
from autograd_mini.folding import Group
from autograd_mini.functions import sum as add_up
from autograd_mini.numbered import Source
from autograd_mini.strategies import graphs
from autograd_mini.structure import _sources, structure_of
from autograd_mini.tracer import Tracer, tracing
from autograd_mini.value import leaf
from nn import MLP, mean_squared_error
from tests.test_folding import assert_chain_rule_holds, assert_well_formed

Neuron = Callable[[list[Value], list[Value], Value], Value]

NEURONS: dict[str, Neuron] = {
    "dot": lambda w, x, b: (dot(w, x) + b).tanh(),
    "sum": lambda w, x, b: (sum((wi * xi for wi, xi in zip(w, x, strict=True)), 0.0) + b).tanh(),
    "micrograd": lambda w, x, b: sum((wi * xi for wi, xi in zip(w, x, strict=True)), b).tanh(),
    "bias first": lambda w, x, b: (b + dot(w, x)).tanh(),
    "loop": lambda w, x, b: looped(w, x, b).tanh(),
}


def looped(w: list[Value], x: list[Value], b: Value) -> Value:
    total: Any = 0.0
    for wi, xi in zip(w, x, strict=True):
        total += wi * xi
    total += b
    return total


def lecture(neuron: Neuron, rows: int, make: Callable[[float], Value]) -> Value:
    """The squared error of a network of 4 inputs, 3 neurons and 2 outputs, over some examples."""
    draw = random.Random(0)
    sizes = [4, 3, 2]
    layers = [
        [([make(draw.uniform(-1, 1)) for _ in range(n)], make(draw.uniform(-1, 1))) for _ in range(m)]
        for n, m in pairwise(sizes)
    ]
    errors = []
    for _ in range(rows):
        xs = [Value(draw.random()) for _ in range(sizes[0])]
        for layer in layers:
            xs = [neuron(w, xs, b) for w, b in layer]
        errors += [(x - 0.5) ** 2 for x in xs]
    return mean(errors)


def names(groups: Iterable[tuple[str, ...]]) -> list[str]:
    return sorted({path[0] for path in groups if path})


@pytest.mark.parametrize("make", [parameter, Value], ids=["labelled", "micrograd style"])
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("neuron", NEURONS.values(), ids=NEURONS)
def test_a_network_is_dots_and_activations_however_it_was_written(
    neuron: Neuron, rows: int, make: Callable[[float], Value]
) -> None:
    loss = lecture(neuron, rows, make)
    groups = structure_of(loss)
    assert names(groups.values()) == [
        f"level 1: {3 * rows} × dot",
        f"level 2: {3 * rows} × tanh",
        f"level 3: {2 * rows} × dot",
        f"level 4: {2 * rows} × tanh",
        f"level 5: {2 * rows} × -",
        f"level 6: {2 * rows} × **",
        "level 7: mean",
    ]
    activations = [node for node in groups if node.op == "tanh"]
    assert [groups[node] for node in activations[:3]] == [(f"level 2: {3 * rows} × tanh",)] * 3
    assert all(groups[node.parents[0]][0].endswith("dot") for node in activations)
    assert all(groups[node] for node in groups if node.parents)
    folded = fold(loss, "structure")
    assert [node.name for node in folded.nodes if isinstance(node, Group) and node.operations] == names(groups.values())
    assert_well_formed(loss, folded)
    assert_chain_rule_holds(loss, folded)


@pytest.mark.parametrize(
    "rows",
    [
        [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]],  # a number that two rows share
        [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],  # numbers that change nothing
    ],
)
def test_data_makes_no_difference_to_the_structure(rows: list[list[float]]) -> None:
    draw = random.Random(0)
    layer = [[Value(draw.random()) for _ in rows[0]] for _ in range(4)]
    biases = [Value(0.1) for _ in layer]
    outputs = [sum((w * x for w, x in zip(ws, row, strict=True)), b).tanh()  # type: ignore[arg-type, union-attr]
               for row in rows for ws, b in zip(layer, biases, strict=True)]  # fmt: skip
    assert names(structure_of(add_up(outputs)).values()) == ["level 1: 16 × dot", "level 2: 16 × tanh", "level 3: sum"]


def test_a_layer_of_nn_is_a_dot_and_an_activation() -> None:
    model = MLP(3, [4, 2], activation="gelu", seed=0)
    loss = mean([mean_squared_error(y, [0.0, 1.0]) for y in model([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6]])])
    found = names(structure_of(loss).values())
    assert found[:3] == ["level 1: 8 × dot", "level 2: 8 × gelu", "level 3: 4 × dot"]


def test_the_groups_are_the_kernels_of_the_compiled_program() -> None:
    """Of dots a kernel is a grid, and what is left over, so that a group may have several; of activations it is one."""
    model = MLP(3, [4, 4, 2], activation="tanh", seed=0)
    images, targets = np.random.default_rng(0).normal(size=(5, 3)), np.random.default_rng(1).normal(size=(5, 2))
    sources = {w: Source("parameters", i) for i, w in enumerate(model.parameters())}
    recorded: list[Value] = []

    def loss(x: Any, y: Any) -> Value:
        for name, rows in (("x", x), ("y", y)):
            sources.update((v, Source(name, i)) for i, v in enumerate(v for row in rows for v in row))
        recorded.append(mean([mean_squared_error(model(a), b) for a, b in zip(x, y, strict=True)]))
        return recorded[-1]

    step = compile(loss, images, targets, parameters=model.parameters())
    step(images, targets)
    lifted = step._program(False).lifted
    kernel_of = {node: i for i, kernel in enumerate(lifted.kernels) for node in kernel.nodes.tolist()}
    graph, places = canonical_with_places(recorded, sources)
    assert (graph.op, graph.args) == (lifted.graph.op, lifted.graph.args)
    groups = structure_of(recorded[0])
    activations = [node for node in groups if node.op == "tanh"]
    assert len(activations) == 5 * (4 + 4)
    assert partition(activations, groups.get) == partition(activations, lambda node: kernel_of[places[node]])
    operations = [node for node in groups if groups[node]]
    of_kernels = partition(operations, lambda node: kernel_of[places[node]])
    assert all(len({groups[node][:1] for node in nodes}) == 1 for nodes in of_kernels)


def partition(nodes: Iterable[Value], key: Callable[[Value], Any]) -> set[frozenset[Value]]:
    found = defaultdict(set)
    for node in nodes:
        found[key(node)].add(node)
    return set(map(frozenset, found.values()))


def test_groups_of_a_level_that_differ_in_arguments_have_names_of_their_own() -> None:
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    root = (a**2).tanh() + (b**3).tanh() + (2 / c).tanh() + (a / b).tanh()
    assert names(structure_of(root).values()) == [
        "level 1: **", "level 1: ** (2)", "level 1: /", "level 1: / (2)", "level 2: 4 × tanh", "level 3: sum",
    ]  # fmt: skip


def test_partial_sums_and_products_go_where_their_terms_go() -> None:
    a, b, c, d, e, f = [Value(x / 10, "abcdef"[x]) for x in range(6)]
    h = e.exp() * f.exp()
    first, second = a * b, c * d
    dots = first + second
    difference = dots - (a * c + b * d)
    root = difference + h.sin()
    groups = structure_of(root)
    assert groups[first] == groups[second] == groups[dots] == ("level 1: 2 × dot", "dot 1")
    assert groups[difference.parents[1]] == ("level 1: 2 × dot", "dot 2")
    assert groups[difference] == groups[root] == ("level 4: -",)
    assert groups[h] == ("level 2: *",)


def test_each_neuron_written_in_plain_sums_is_a_group_within_its_layer() -> None:
    loss = lecture(NEURONS["sum"], 1, parameter)
    groups = structure_of(loss)
    layer = [node for node in groups if groups[node][:1] == ("level 1: 3 × dot",)]
    neurons = partition(layer, groups.get)
    assert sorted({groups[node][1:] for node in layer}) == [("dot 1",), ("dot 2",), ("dot 3",)]
    activations = [node for node in groups if groups[node] == ("level 2: 3 × tanh",)]
    assert all(len(nodes.intersection(set().union(*(a.parents for a in activations)))) == 1 for nodes in neurons)
    opened = fold(loss, 0, groups=groups, opened=[("level 1: 3 × dot",)])
    names_within = [node.path[1] for node in opened.nodes if isinstance(node, Group) and len(node.path) > 1]
    assert names_within == [f"dot {i}" for i in (1, 2, 3)]
    assert_chain_rule_holds(loss, opened)


def test_equal_operations_are_one() -> None:
    x, y = Value(0.3), Value(0.7)
    one, other = x * y, y * x
    groups = structure_of(one.tanh() + other.tanh() + 1.0)
    assert groups[one] == groups[other] == ("level 1: *",)


def test_what_changes_nothing_about_a_leaf_goes_with_what_uses_it() -> None:
    xs = [Value(x / 10) for x in range(5)]
    root = sum(xs).tanh()  # type: ignore[union-attr]  # 0 + x at first
    assert names(structure_of(root).values()) == ["level 1: sum", "level 2: tanh"]
    assert all(path for node, path in structure_of(root).items() if node.parents)
    unchanged = xs[0] / 1.0 + 0.0
    assert set(structure_of(unchanged).values()) == {()}


def test_what_is_made_of_constants_alone_is_in_no_group() -> None:
    two = leaf(2.0, "constant")
    four = two * two
    groups = structure_of(Value(3.0) * four)
    assert groups[four] == ()
    assert names(groups.values()) == ["level 1: *"]


def test_a_leaf_alone_is_in_no_group() -> None:
    x = Value(1.0)
    assert structure_of(x) == {x: ()}
    with pytest.raises(TypeError, match="a graph is walked from a Value, got 3"):
        structure_of(3)


def test_unknown_numbers_are_refused() -> None:
    x = Value(1.0)
    with tracing(Tracer([x])), pytest.raises(TraceError, match="the steps of a gradient of a number that is not known"):
        fold(x * 2.0, "structure")


OWN: dict[str, Callable[..., Any]] = {}


@pytest.fixture(scope="module", autouse=True)
def _ops_of_ones_own() -> Iterator[None]:
    """One that is called as the compiler calls a leaf, and one of any number of arguments; other tests see neither."""

    def source(x: Any) -> Any:
        return x * x * x

    def anything(*xs: Any) -> Any:
        return sum(xs)

    before = dict(RULES)
    OWN["source"] = primitive(lambda y, x: 3.0 * x * x)(source)
    OWN["anything"] = primitive(lambda y, i, args: 1.0)(anything)
    yield
    RULES.clear()
    RULES.update(before)


MAKERS: list[Callable[..., Any]] = [
    lambda a, b, c: a + b,
    lambda a, b, c: a - b,
    lambda a, b, c: -a,
    lambda a, b, c: a * b,
    lambda a, b, c: a * b + c,
    lambda a, b, c: dot([a, b], [b, c]),
    lambda a, b, c: sum([a * b, b * c, c * a]),
    lambda a, b, c: mean([a, b, c]),
    lambda a, b, c: mean([a]),
    lambda a, b, c: a + 0.0,
    lambda a, b, c: 1.0 * a,
    lambda a, b, c: a**2,
    lambda a, b, c: a.tanh(),
    lambda a, b, c: square(a),
    lambda a, b, c: maximum(a, b),
    lambda a, b, c: where(a > b, b, c),
    lambda a, b, c: (a >= 0.0) * (b < c),
    lambda a, b, c: where(a > 0.0, b, 0.5),
    lambda a, b, c: OWN["source"](a),
    lambda a, b, c: OWN["anything"](a, b, c),
    lambda a, b, c: without_gradient(a, b),
    lambda a, b, c: leaf(2.0, "constant") * leaf(3.0, "constant") + a,
    lambda a, b, c: leaf(0.0, "constant") * leaf(3.0, "constant"),
]


def without_gradient(a: Value, b: Value) -> Value:
    with no_grad():
        return a * b


@st.composite
def recorded(draw: st.DrawFn) -> Value:
    """A graph of everything that can be recorded; some as while a function is traced, conditions and all."""
    nodes = [Value(0.5), Value(-0.25), parameter(0.75) if draw(st.booleans()) else Value(0.75)]
    steps = draw(st.lists(st.tuples(st.sampled_from(MAKERS), *[st.integers(0, 9)] * 3), min_size=1, max_size=30))
    tracer = Tracer([]) if draw(st.booleans()) else None

    def build() -> Value:
        for make, *picks in steps:
            made = make(*[nodes[-1 - pick % len(nodes)] for pick in picks])
            nodes.append(made if isinstance(made, Value) else Value(made))
            if abs(nodes[-1].data) > 2.0:
                nodes.append(nodes[-1].tanh())
        return nodes[-1]

    if tracer is None:
        return build()
    with tracing(tracer):
        return build()


@given(st.one_of(recorded(), graphs(max_nodes=30).map(lambda graph: graph.build())))
def test_every_operation_has_a_group_of_its_op(root: Value) -> None:
    groups = structure_of(root)
    assert groups.keys() == set(topological_order(root))
    graph, places = canonical_with_places([root], _sources(topological_order(root)))
    ops, within = defaultdict(set), defaultdict(set)
    for node, path in groups.items():
        assert len(path) <= (2 if node.parents else 0)
        place = places.get(node)
        if path and place not in graph.source:
            ops[path[:1]].add(graph.op[places[node]])
        if len(path) == 2:
            within[path].add(place)
        elif node.parents and not path:
            assert place is None or place in graph.number or place in graph.source
    assert all(len(found) == 1 for found in (*ops.values(), *within.values()))
    folded = fold(root, "structure")
    assert_well_formed(root, folded)
    assert all(node.parts == 1 for node in folded.nodes if isinstance(node, Group))
    assert_chain_rule_holds(root, folded)


CHAINS: dict[str, Callable[[Any, Value], Any]] = {
    "levels": lambda y, x: y.sin(),
    "a sum with signs": lambda y, x: x - y,
    "steps of descent": lambda y, x: y - 0.1 * (y - x),
}


@pytest.mark.parametrize("step", CHAINS.values(), ids=CHAINS)
def test_a_chain_of_a_hundred_thousand_steps_is_grouped(step: Callable[[Any, Value], Any]) -> None:
    x = y = Value(0.5)
    for _ in range(100_000):
        y = step(y, x)
    groups = structure_of(y)
    assert len(set(groups.values())) <= 101
    assert all(groups[node] for node in groups if node.parents)


def test_many_levels_are_put_together() -> None:
    y = Value(0.5)
    for _ in range(125):
        y = (y * 1.01).sin()
    groups = structure_of(y)
    found = list(dict.fromkeys(path for path in groups.values() if path))
    assert found[0] == ("levels 1 to 3",)
    assert found[-1] == ("level 250",)
    assert len(found) == 84
    assert_chain_rule_holds(y, fold(y, "structure"))
