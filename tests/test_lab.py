"""The wrong-algorithm lab: each algorithm is wrong as the page says, on no smaller graph, and the first parting is."""

import doctest
import itertools
import math
import pickle
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from autograd_mini import GraphTooLargeError, Value, lab, steps, sum as sum_of, tanh, topological_order
from autograd_mini.backward import path_sizes
from autograd_mini.strategies import graphs
from nn import MLP, cross_entropy, digits

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "wrong_algorithms.md").read_text(encoding="utf-8")
EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", lab.ALGORITHMS)
NUMBERS = (3.0, 5.0, 7.0)
CONSTANT = 2.0


def shared() -> Value:
    """The diamond: an operation used twice."""
    b = Value(3.0, "a") * 2
    b.label = "b"
    return b + b


def with_a_short_way() -> Value:
    b = Value(3.0, "a") * 2
    return b + (b + 1)


def changed() -> Value:
    a = Value(3.0, "a")
    squared = a**2
    a.data = 5.0
    return squared


def used_twice() -> Value:
    a = Value(3.0, "a")
    return a * a


# The smallest graph where each fails, as on the page; the node where they part, its two gradients.
SMALLEST: dict[str, tuple[Callable[[], Value], str, float, float]] = {
    "recursive": (shared, "a", 4.0, 6.0),
    "visited_once": (shared, "a", 4.0, 2.0),
    "breadth_first": (with_a_short_way, "a", 4.0, 2.0),
    "forward_order": (lambda: Value(3.0, "a") * 2 + 1, "a", 2.0, 0.0),
    "overwrite": (used_twice, "a", 6.0, 3.0),
    "no_seed": (lambda: Value(3.0, "a"), "a", 1.0, 0.0),
    "no_zero_grad": (lambda: Value(3.0, "a") * 2, "a", 2.0, 4.0),
    "zero_leaves_only": (lambda: Value(3.0, "a") * 2 + 1, "", 1.0, 2.0),
    "new_data": (changed, "a", 6.0, 10.0),
}


def size(root: Value) -> tuple[int, int]:
    """Nodes, constants aside, and edges."""
    return len({root, *(step.parent for step in steps(root))}), len(list(steps(root)))


def graphs_of(leaves: int, operations: int) -> Iterator[Value]:
    """Every graph of add, mul and squares over `leaves` different numbers; an argument may also be a constant.

    The three stand for all ops: linear or not, of one argument or more.
    """
    shapes = [
        [*itertools.product("+*", [*range(leaves + i), None], [*range(leaves + i), None])]
        + [("²", argument, argument) for argument in range(leaves + i)]
        for i in range(operations)
    ]
    for shape in itertools.product(*shapes):
        nodes = [Value(x) for x in NUMBERS[:leaves]]
        for sign, left, right in shape:
            if left is right is None:
                break
            a, b = (CONSTANT if i is None else nodes[i] for i in (left, right))
            nodes.append(a**2 if sign == "²" else a + b if sign == "+" else a * b)  # type: ignore[arg-type]
        else:
            if size(nodes[-1])[0] == len(nodes):  # every node has a way to the root
                yield nodes[-1]


def changed_afterwards(root: Value) -> Value:
    for node in topological_order(root):
        if not node.op:  # an input; the constants stay
            node.data += 10.0
    return root


def test_the_page_has_an_example_of_every_algorithm() -> None:
    shown = re.findall(r'>>> lab\.compare\(.*, "(\w+)"\)', PAGE)
    assert {*shown} == {*lab.ALGORITHMS}
    assert {*SMALLEST, "every_path"} == {*lab.ALGORITHMS}


@pytest.mark.parametrize("algorithm", SMALLEST)
def test_the_graph_on_the_page_is_the_smallest_of_this_file(algorithm: str) -> None:
    """The first ``lab.compare`` with an algorithm on the page is of a graph as large as its smallest."""
    seen: dict[str, tuple[int, int]] = {}

    class Spy:
        ALGORITHMS = lab.ALGORITHMS

        def compare(self, root: Value, name: str) -> lab.Comparison:
            seen.setdefault(name, size(root))
            return lab.compare(root, name)

    example = doctest.DocTestParser().get_doctest(PAGE, {}, "page", None, None)
    names: dict[str, Any] = {}
    for one in example.examples:
        if not one.exc_msg:
            exec(one.source, names)
            names["lab"] = Spy()
    assert seen[algorithm] == size(SMALLEST[algorithm][0]())


@pytest.mark.parametrize("algorithm", SMALLEST)
def test_each_fails_on_its_smallest_graph(algorithm: str) -> None:
    build, label, right, wrong = SMALLEST[algorithm]
    found = lab.compare(build(), algorithm)
    assert not found.agree
    assert (found.node.label, found.right, found.wrong) == (label, right, wrong)


@pytest.mark.parametrize("algorithm", SMALLEST)
def test_each_agrees_on_every_smaller_graph(algorithm: str) -> None:
    """Smaller in nodes; or in edges, with as many nodes. Different numbers, so that nothing agrees by accident."""
    limit = size(SMALLEST[algorithm][0]())
    prepare = changed_afterwards if algorithm == "new_data" else lambda root: root
    tried = 0
    for leaves, operations in itertools.product(range(1, limit[0] + 1), range(limit[0])):
        if leaves + operations <= limit[0]:
            for root in map(prepare, graphs_of(leaves, operations)):
                if size(root) < limit:
                    tried += 1
                    assert lab.compare(root, algorithm).agree, lab.compare(root, algorithm)
    assert tried > 0 or limit == (1, 0)


def test_the_enumeration_has_every_graph() -> None:
    # One leaf, one operation: + or *, of a and a, a and the constant, the constant and a; and the square of a.
    assert [size(root) for root in graphs_of(1, 1)].count((2, 1)) == 5
    assert [size(root) for root in graphs_of(1, 1)].count((2, 2)) == 2
    sizes = {size(root) for root in graphs_of(1, 3)}
    assert sizes == {(4, edges) for edges in (3, 4, 5, 6)}


# The laws


def _wrong_gradients(root: Value, algorithm: str) -> dict[Value, float]:
    gradient = dict.fromkeys(_by_hand(root), 0.0)
    for _ in lab.TABLE[algorithm].function(root, gradient):
        pass
    return gradient


def approx(number: float) -> Any:
    # every_path and recursive add the same terms up in another order.
    return pytest.approx(number, rel=1e-9, abs=1e-6, nan_ok=True)


def _by_hand(root: Value) -> dict[Value, float]:
    gradient = {root: 1.0}
    for step in steps(root):
        gradient[step.parent] = step.after
    return gradient


@EVERY_ALGORITHM
@given(graphs(["add", "mul", "tanh", "sub"]))
def test_where_they_part_everything_above_is_right(algorithm: str, graph: Any) -> None:
    root = graph.build()
    found = lab.compare(root, algorithm)
    assert found.nodes == len(_by_hand(root))
    assert found.edges == len(list(steps(root)))
    if found.agree:
        assert found.wrong_nodes == 0
        return
    assert found.right == _by_hand(root)[found.node]
    assert found.right != found.wrong
    into = [step for step in steps(root) if step.parent is found.node]
    if into:
        assert [entry.step for entry in found._ledger] == into
        assert into[-1].after == found.right
        # Everything that uses the node is right.
        alone = {entry.step.node for entry in found._ledger}
        assert all(_wrong_gradients(root, algorithm)[user] == approx(_by_hand(root)[user]) for user in alone)


@EVERY_ALGORITHM
@given(graphs(["add", "mul", "sub"]))
def test_the_first_node_is_the_first(algorithm: str, graph: Any) -> None:
    """The wrong gradients again, from the algorithm itself: no node that is complete earlier has a wrong one."""
    root = graph.build()
    found = lab.compare(root, algorithm)
    gradient = _wrong_gradients(root, algorithm)
    all_steps = list(steps(root))
    completed = {node: max((i for i, step in enumerate(all_steps) if step.parent is node), default=-1)
                 for node in gradient}  # fmt: skip
    right = _by_hand(root)
    wrong = [
        node
        for node in sorted(gradient, key=completed.__getitem__)
        if not math.isclose(gradient[node], right[node], rel_tol=1e-9, abs_tol=1e-6)
    ]
    assert found.wrong_nodes >= len(wrong)
    if wrong and found.wrong_nodes == len(wrong):
        assert found.node is wrong[0]
        assert found.wrong == gradient[wrong[0]]


@st.composite
def trees(draw: st.DrawFn) -> Value:
    """A graph in which nothing is used twice."""
    nodes = [Value(x) for x in draw(st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=8))]
    while len(nodes) > 1:
        a, b = nodes.pop(0), nodes.pop(0)
        nodes.append(draw(st.sampled_from([Value.__add__, Value.__mul__, Value.__sub__]))(a, b))
        if draw(st.booleans()):
            nodes[-1] = tanh(nodes[-1])
    return nodes[0]


@pytest.mark.parametrize("algorithm", ["recursive", "every_path", "visited_once", "breadth_first", "overwrite"])
@given(trees())
def test_on_trees_the_order_and_the_sum_make_no_difference(algorithm: str, root: Value) -> None:
    found = lab.compare(root, algorithm)
    assert found.agree
    assert found.handed_on == found.edges


@given(graphs())
def test_every_path_is_right_on_every_graph(graph: Any) -> None:
    root = graph.build()
    if all(math.isfinite(step.after) for step in steps(root)):
        assert lab.compare(root, "every_path").agree


@given(graphs(["add", "mul"]))
def test_without_zeroing_two_passes_double_every_leaf(graph: Any) -> None:
    root = graph.build()
    found = lab.compare(root, "no_zero_grad")
    if not found.agree:
        assert not found.node.parents
        # The second pass is added term by term, so the sum is rounded elsewhere.
        assert abs(found.wrong - 2.0 * found.right) <= 1e-12 * path_sizes(root)[0][found.node]


# What it says


def test_a_comparison_says_which_contribution_went_wrong() -> None:
    remarks = {algorithm: repr(lab.compare(build(), algorithm)) for algorithm, (build, *_) in SMALLEST.items()}
    assert "too early: b had 1 of its 2 contributions; counted twice" in remarks["recursive"]
    assert "1 × 2 = 2, 2 × 2 = 4" in remarks["recursive"]
    assert "hands on 4 contributions, where the right algorithm hands on 3" in remarks["recursive"]
    assert "too early: b had 1 of its 2 contributions" in remarks["visited_once"]
    assert "too early: v1 had 1 of its 2 contributions" in remarks["breadth_first"]
    assert "too early: v1 had 0 of its 1 contributions" in remarks["forward_order"]
    assert remarks["overwrite"].count("lost: the next contribution took its place") == 1
    assert "counted twice" in remarks["no_zero_grad"]
    assert "counted twice" in remarks["zero_leaves_only"]
    assert "the local derivative was 6 in the forward pass" in remarks["new_data"]


@pytest.mark.parametrize(
    ("algorithm", "root", "reason"),
    [
        ("recursive", used_twice(), "no operation is used twice"),
        ("visited_once", used_twice(), "no operation is used twice"),
        ("overwrite", Value(3.0) * 2, "no node is used twice"),
        ("breadth_first", shared(), "before all its users"),
        ("forward_order", used_twice(), "the root alone"),
        ("no_zero_grad", Value(3.0), "no operation hands a gradient on"),
        ("zero_leaves_only", used_twice(), "no operation but the root"),
        ("new_data", used_twice(), "no change of a number"),
        ("every_path", shared(), "right on every graph, only slow"),
    ],
)
def test_an_agreement_says_why_the_graph_does_not_show_it(algorithm: str, root: Value, reason: str) -> None:
    found = lab.compare(root, algorithm)
    assert found.agree
    assert reason in found.reason
    assert f"Both agree on this graph: {found.reason}." in repr(found)


def test_an_agreement_by_accident_is_told_as_one() -> None:
    b = Value(3.0, "a") * 0.0  # used twice, and what it hands on too early is 0
    assert lab.compare(b + b, "recursive").reason == "what it gets wrong is 0 here, or cancels"
    a = Value(3.0)
    assert lab.compare(0.0 * a + 0.0 * a, "overwrite").reason == "what it gets wrong is 0 here, or cancels"


def test_how_many_visits_every_path_takes() -> None:
    root = Value(1.0)
    for _ in range(10):
        root = root + root
    found = lab.compare(root, "every_path")
    assert (found.edges, found.handed_on) == (20, 2**11 - 2)


def test_long_ledgers_are_cut() -> None:
    a = Value(3.0, "a")
    text = repr(lab.compare(sum_of([a * i for i in range(1, 1000)]), "overwrite"))
    assert "and 993 more edges" in text
    assert len(text.splitlines()) < 15
    b = a * 2
    text = repr(lab.compare(sum_of([b] * 1000), "recursive"))
    assert "counted 1,000 times" in text
    assert "… 1000 in all" in text


# What it leaves alone, and what it refuses


@EVERY_ALGORITHM
def test_nothing_is_written_into_the_graph(algorithm: str) -> None:
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    image, label = digits()[0]
    loss = cross_entropy(model(image), label)
    loss.backward()
    model.parameters()[0].grad = None
    before = pickle.dumps(loss)
    lab.compare(loss, algorithm)
    assert pickle.dumps(loss) == before


@EVERY_ALGORITHM
def test_a_deep_graph(algorithm: str) -> None:
    """Far beyond the recursion limit, in a thread with a small stack."""
    root = leaf = Value(0.5, "x")
    for _ in range(50_000):
        root = root + 1.0
    found: list[lab.Comparison] = []
    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(lab.compare(root + leaf, algorithm)))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert found[0].nodes == 50_002
    assert len(repr(found[0])) < 2000


@pytest.mark.parametrize("algorithm", ["recursive", "every_path"])
def test_exponential_graphs_are_stopped(algorithm: str) -> None:
    root = Value(0.0)
    for _ in range(2000):
        root = root + root
    with pytest.raises(
        GraphTooLargeError,
        match=rf"'{algorithm}' goes every path by itself, and hands on inf .* 4,000; the most it may is 5,000,000",
    ):
        lab.compare(root, algorithm)


def test_infinities_are_compared_as_they_are() -> None:
    a = Value(0.0, "a")
    with pytest.warns(RuntimeWarning, match="is -inf"):
        root = a.log() + 1
    assert lab.compare(root, "every_path").agree
    assert "∂L/∂a is inf, and this gives nan" in repr(lab.compare(root, "forward_order"))


def test_unknown_algorithms_are_refused() -> None:
    for wrong in ("bubble_sort", None, ["recursive"]):
        with pytest.raises(ValueError, match=r"there is no algorithm .*; the algorithms are recursive, every_path, "):
            lab.compare(Value(1.0), wrong)  # type: ignore[arg-type]


def test_a_root_must_be_a_value() -> None:
    with pytest.raises(TypeError, match=r"a gradient is taken of a Value, got 3.0 of type float"):
        lab.compare(3.0, "recursive")


@EVERY_ALGORITHM
def test_the_source_is_short_and_can_be_shown(algorithm: str) -> None:
    source = lab.compare(Value(1.0), algorithm).source
    assert source.startswith(f"def {algorithm}(root")
    assert len(source.splitlines()) <= 17
    assert lab.ALGORITHMS[algorithm].endswith(".")
