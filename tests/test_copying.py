"""Copies and pickles keep the whole graph, sharing and gradients included, and stand on their own."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import autograd_mini as am
from autograd_mini import Value, topological_order

COPIES: dict[str, Callable[[Any], Any]] = {"deepcopy": copy.deepcopy} | {
    f"pickle {protocol}": lambda x, protocol=protocol: pickle.loads(pickle.dumps(x, protocol))
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
}
EVERY_COPY = pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)


def build() -> tuple[Value, Value, Value]:
    """Sharing, a repeated operand, constants on both sides, an n-ary op, a label on an inner node, a parameter."""
    w, x = am.parameter(0.5, "w"), Value(2.0, "x")
    h = am.tanh(am.dot([w, x, 3.0], [x, x, w]) - 1)
    h.label = "hidden"
    return w, x, 2 / h * h + am.sum([h, w, 1.0])


def description(root: Value) -> list[tuple[Any, ...]]:
    order = topological_order(root)
    position = {node: i for i, node in enumerate(order)}
    return [
        (n.op, n.label, n.data, n.has_grad, n.grad, n.local_derivatives, [position[parent] for parent in n.parents])
        for n in order
    ]


@EVERY_COPY
@pytest.mark.parametrize("passes", [0, 1, 2])
def test_a_copy_is_the_same_graph_of_other_nodes(duplicate: Callable[[Any], Any], passes: int) -> None:
    _, _, root = build()
    for _ in range(passes):
        root.backward()
    twin = duplicate(root)
    assert description(twin) == description(root)
    assert not set(topological_order(twin)) & set(topological_order(root))


@EVERY_COPY
def test_backward_works_on_the_copy_and_leaves_the_original_alone(duplicate: Callable[[Any], Any]) -> None:
    w, x, root = build()
    root.backward()
    before = description(root)
    twin = duplicate(root)
    twin.backward()
    grads = {node.label: node.grad for node in topological_order(twin)}
    assert (grads["w"], grads["x"]) == (2.0 * w.grad, 2.0 * x.grad)
    assert description(root) == before


@EVERY_COPY
def test_a_leaf_can_be_copied(duplicate: Callable[[Any], Any]) -> None:
    leaf = am.parameter(0.5, "line\nbreak 🙂")
    twin = duplicate(leaf)
    assert twin is not leaf
    assert repr(twin) == repr(leaf)
    assert not twin.has_grad
    leaf.grad = 0.0
    assert duplicate(leaf).has_grad


@EVERY_COPY
def test_special_numbers_survive(duplicate: Callable[[Any], Any]) -> None:
    twins = duplicate([Value(x) for x in (float("inf"), float("nan"), -0.0, 5e-324)])
    assert [str(twin.data) for twin in twins] == ["inf", "nan", "-0.0", "5e-324"]


@pytest.mark.parametrize("name", ["deepcopy", f"pickle {pickle.HIGHEST_PROTOCOL}"])
def test_a_deep_chain_survives(name: str) -> None:
    x = y = Value(1.0, "x")
    for _ in range(50_000):
        y = -(y + 1.0)
    y.backward()
    twin = COPIES[name](y)
    twin.backward()
    leaf = next(node for node in topological_order(twin) if node.label == "x")
    assert (twin.data, leaf.grad) == (y.data, 2.0 * x.grad)


@EVERY_COPY
def test_leaves_shared_by_several_roots_stay_shared(duplicate: Callable[[Any], Any]) -> None:
    w = am.parameter(3.0, "w")
    parameters, first, second = duplicate(([w], w * w, 5.0 * w))
    first.backward()
    second.backward()
    assert parameters[0].grad == 11.0


def test_nodes_shared_by_several_roots_stay_shared_in_a_deepcopy() -> None:
    x = Value(3.0)
    middle = x * x
    first, second = copy.deepcopy((middle + 1.0, middle * 2.0))
    assert first.parents[0] is second.parents[0]


def test_a_shallow_copy_is_another_node_with_the_same_parents() -> None:
    x = Value(3.0)
    y = x * x
    y.backward()
    twin = copy.copy(y)
    assert twin is not y
    assert (twin.parents, twin.data, twin.grad, twin.op) == ((x, x), 9.0, 1.0, "mul")
    twin.data, twin.label = 10.0, "twin"
    assert (y.data, y.label) == (9.0, "")
    x.grad = None
    twin.backward()
    assert x.grad == 6.0


@EVERY_COPY
def test_a_copy_of_a_detached_result_is_a_leaf(duplicate: Callable[[Any], Any]) -> None:
    with am.no_grad():
        y = Value(3.0) * 2.0
    assert (duplicate(y).data, duplicate(y).parents) == (6.0, ())


@EVERY_COPY
def test_a_graph_recorded_under_detect_anomaly_can_be_copied(duplicate: Callable[[Any], Any]) -> None:
    with am.detect_anomaly():
        y = Value(3.0) * 2.0
    twin = duplicate(y)
    twin.backward()
    assert twin.parents[0].grad == 2.0
