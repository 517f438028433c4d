"""The graph as a graph: order, sharing and statistics."""

import pytest
from hypothesis import given, strategies as st

import autograd_mini as am
from autograd_mini import GraphStatistics, Value, statistics, topological_order


def diamond() -> tuple[Value, Value, Value, Value]:
    a = Value(2.0)
    b, c = a + a, a * a
    return a, b, c, b * c


def test_a_diamond_is_listed_once_parents_first_in_argument_order() -> None:
    a, b, c, d = diamond()
    assert topological_order(d) == [a, b, c, d]


def test_a_late_parent_comes_before_an_early_child() -> None:
    a = Value(2.0)
    b = a * 3.0
    c = b + a
    d = c * b
    order = topological_order(d)
    assert [node.op for node in order] == ["", "constant", "mul", "add", "mul"]


def test_roots_share_what_they_have_in_common() -> None:
    a, b, c, _ = diamond()
    assert topological_order(b, c, b) == [a, b, c]
    assert topological_order() == []


def test_a_root_below_another_root_is_listed_once() -> None:
    a, b, c, d = diamond()
    assert topological_order(d, b) == [a, b, c, d]
    assert topological_order(b, d) == [a, b, c, d]


def test_a_leaf_is_its_own_graph() -> None:
    leaf = Value(1.0)
    assert topological_order(leaf) == [leaf]
    assert statistics(leaf) == GraphStatistics(nodes=1, edges=0, depth=0, ops={"leaf": 1})


def test_nothing_has_empty_statistics() -> None:
    assert statistics() == GraphStatistics(nodes=0, edges=0, depth=0, ops={})


def test_statistics_count_nodes_edges_depth_and_ops() -> None:
    w, x = am.parameter(2.0), Value(3.0)
    y = am.tanh(w * x + 1) * w
    assert statistics(y) == GraphStatistics(
        nodes=7, edges=7, depth=4, ops={"parameter": 1, "leaf": 1, "mul": 2, "constant": 1, "add": 1, "tanh": 1}
    )


def test_statistics_of_several_roots_count_shared_nodes_once() -> None:
    _, b, c, d = diamond()
    assert statistics(b, c) == GraphStatistics(nodes=3, edges=4, depth=1, ops={"leaf": 1, "add": 1, "mul": 1})
    assert statistics(d, b) == statistics(d)


def test_depth_is_that_of_the_longest_path() -> None:
    a = Value(1.0)
    long = a
    for _ in range(5):
        long = long + a
    assert statistics(a * long).depth == 6


@given(st.lists(st.tuples(st.integers(0), st.integers(0)), min_size=1, max_size=40))
def test_order_lists_every_node_below_once_and_parents_first(pairs: list[tuple[int, int]]) -> None:
    nodes = [Value(1.0), Value(2.0)]
    for i, j in pairs:
        nodes.append(am.maximum(nodes[i % len(nodes)], nodes[j % len(nodes)]))
    root = nodes[-1]
    order = topological_order(root)
    place = {node: i for i, node in enumerate(order)}
    below, frontier = {root}, [root]
    while frontier:
        fresh = set(frontier.pop().parents) - below
        below |= fresh
        frontier.extend(fresh)
    assert len(order) == len(place) == len(below)
    assert place.keys() == below
    assert all(place[parent] < place[node] for node in order for parent in node.parents)


@pytest.mark.parametrize("walk", [topological_order, statistics])
def test_walks_do_not_recurse(walk: object) -> None:
    node = Value(1.0)
    for _ in range(50_000):
        node = -node
    assert walk(node)  # type: ignore[operator]
    assert statistics(node).depth == 50_000
