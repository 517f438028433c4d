"""``paths``: held to a walk along every path where there are few, and at once where there are more than atoms."""

import math
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

from autograd_mini import Expression, Value, dot, sqrt, steps
from autograd_mini.graph import topological_order
from autograd_mini.paths import Path, Paths, paths
from autograd_mini.products import ONE, Product
from autograd_mini.strategies import graphs
from nn import MLP, cross_entropy, digits


def every_path(loss: Value, w: Value) -> list[tuple[tuple[Any, ...], tuple[float, ...]]]:
    """Every path by walking it; exponentially slow, and plainly right."""
    if loss is w:
        return [((w,), ())]
    return [
        ((loss, *nodes), (local, *factors))
        for parent, local in zip(loss._inputs, loss._locals, strict=True)
        for nodes, factors in every_path(parent, w)
    ]


def product_of(factors: tuple[float, ...]) -> float:
    result = 1.0
    for factor in factors:
        result *= factor
    return result


def check_shares(found: Paths) -> None:
    """All paths together are the gradient, and all of it."""
    assert len(found.largest) == found.count
    assert found.rest == 0.0
    products = [path.product for path in found.largest]
    # A sum of these terms, each a product of up to some tens of factors, rounded at each.
    roundings = 1e-14 * math.fsum(map(abs, products)) + 1e-300
    assert abs(math.fsum(products) - found.gradient) <= roundings
    shares = [path.share for path in found.largest]
    if found.gradient:
        assert abs(math.fsum(shares) - 1.0) <= roundings / abs(found.gradient)
    else:
        assert set(shares) <= {None}


@given(graphs(), st.data())
def test_all_paths_are_found_and_their_shares_sum_to_one(graph: Expression, data: st.DataObject) -> None:
    root = graph.build()
    w = data.draw(st.sampled_from(topological_order(root)))
    wanted = every_path(root, w)
    found = paths(root, w, top=None)
    assert found.count == len(wanted)
    assert sorted(path.factors for path in found.largest) == sorted(factors for _, factors in wanted)
    assert {path.nodes for path in found.largest} == {nodes for nodes, _ in wanted}
    assert all(path.product == product_of(path.factors) for path in found.largest)
    sizes = [abs(path.product) for path in found.largest]
    assert sizes == sorted(sizes, reverse=True)
    check_shares(found)
    root.backward()
    assert found.gradient == w.grad


@given(graphs(), st.integers(1, 6), st.data())
def test_the_first_paths_are_the_largest(graph: Expression, top: int, data: st.DataObject) -> None:
    root = graph.build()
    w = data.draw(st.sampled_from(topological_order(root)))
    all_sizes = [abs(path.product) for path in paths(root, w, top=None).largest]
    found = paths(root, w, top)
    assert [abs(path.product) for path in found.largest] == all_sizes[:top]
    shown = math.fsum(path.product for path in found.largest)
    assert abs(shown + found.rest - found.gradient) <= 1e-14 * math.fsum([*all_sizes, abs(found.gradient)])
    if len(all_sizes) <= top:
        check_shares(found)


def test_the_paths_of_the_lecture() -> None:
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    image, target = digits()[0]
    w = model.layers[0].neurons[0].w[8]
    loss = cross_entropy(model(image), target)
    assert repr(paths(loss, w, top=2)) == (
        "∂L/∂hidden.neuron1.w[8] = -0.0808001, the sum over 18 paths from L to hidden.neuron1.w[8]:\n"
        "  15.2 %  -0.012296 = 0.142402 × -1 × 1 × 0.459695 × 0.222619 × 1 × 0.84375\n"
        "          L → v35 → v11 → v10 → v9 → v8 → v7 → hidden.neuron1.w[8]\n"
        "  14.4 %  -0.011607 = 0.134423 × -1 × 1 × 0.459695 × 0.222619 × 1 × 0.84375\n"
        "          L → v38 → v11 → v10 → v9 → v8 → v7 → hidden.neuron1.w[8]\n"
        "  70.4 %  -0.0568971, the other 16 paths together"
    )
    check_shares(paths(loss, w, top=18))


def ladder(w: Value, rungs: int, *weights: float) -> Value:
    a = w
    for _ in range(rungs):
        a = dot([a] * len(weights), weights)
    return a


def test_more_paths_than_can_be_listed_are_counted_and_ranked() -> None:
    w = Value(1.0, "w")
    found = paths(ladder(w, 200, 1.0, 0.5), w, top=202)
    assert found.count == 2**200
    assert [path.product for path in found.largest] == [1.0] + [0.5] * 200 + [0.25]
    assert found.gradient == 1.5**200
    page = repr(paths(ladder(w, 200, 1.0, 0.5), w, top=1))
    assert page.splitlines()[0] == "∂L/∂w = 1.65292e+35, the sum over 1.6e+60 paths from L to w:"
    assert "1 = 1 × 1 × 1 × 1 × … 192 factors … × 1 × 1 × 1 × 1\n" in page
    assert "L → v199 → v198 → v197 → … 193 nodes … → v3 → v2 → v1 → w\n" in page
    assert page.endswith("100 %  1.65292e+35, the other 1.6e+60 paths together")
    assert all(step.parent is not w or not w.has_grad for step in steps(ladder(w, 3, 1.0))), "no gradient is touched"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_products_that_no_float_holds_are_ranked_by_size() -> None:
    w = Value(1.0, "w")
    tiny = ladder(w, 30, 1e-20, 1e-21)
    found = paths(tiny, w, top=2)
    assert [str(path.size) for path in found.largest] == ["1e-600", "1e-601"]
    assert [path.product for path in found.largest] == [0.0, 0.0]
    assert repr(found).endswith(
        "The gradient is 0 because the products are too small for a float, so no path has a share of it."
    )
    huge = ladder(Value(1.0), 10, 1e40) * 1e-300
    assert [str(path.size) for path in paths(huge, topological_order(huge)[0]).largest] == ["1e+100"]


def test_a_path_of_many_edges() -> None:
    w = Value(2.0, "w")
    found = paths(ladder(w, 50_000, 0.999), w)
    (path,) = found.largest
    assert len(path.nodes) == 50_001
    assert path.product == found.gradient == product_of(path.factors)
    assert path.share == 1.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_where_there_are_no_shares_the_table_says_why() -> None:
    w = Value(4.0, "w")
    reasons = {
        "The gradient is 0 because the paths cancel, so no path has a share of it.": w - w,
        "The gradient is 0 because every path has a factor 0, so no path has a share of it.": w * 0.0 + w * w * 0.0,
        "The gradient is nan, so no path has a share of it; first those with a factor that is inf or nan.": (
            sqrt(w * 0.0) + w * w
        ),
        "The gradient is inf, so no path has a share of it; the largest first.": dot(
            [w * 1e-9, w * 1e-9], [1e308, 1e308]
        )
        * 1e9,
    }
    for reason, loss in reasons.items():
        found = paths(loss, w)
        assert repr(found).splitlines()[-1] == reason
        assert {path.share for path in found.largest} == {None}
        assert " % " not in repr(found)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_paths_with_factors_that_are_not_finite_come_first_and_with_zeros_last() -> None:
    w = Value(1.0, "w")
    loss = w * 5.0 + w * 0.0 + w * math.inf * 0.0 + w * 1e-300 * 1e-300 + w * -7.0
    found = paths(loss, w)
    assert [str(path.size) for path in found.largest] == ["nan", "-7", "5", "1e-600", "0"]
    negative = paths(w * -math.inf, w)
    assert [path.product for path in negative.largest] == [-math.inf]


def test_no_path_and_the_path_without_an_edge() -> None:
    w, x = Value(2.0, "w"), Value(3.0, "x")
    none = paths(w * 2, x)
    assert (none.gradient, none.count, none.largest, none.rest) == (0.0, 0, (), 0.0)
    assert repr(none) == repr(paths(w * 2, x, top=None)) == "∂L/∂x = 0: no path leads from L to x"
    assert repr(paths(w, w * 2)).endswith("from w to w'; w' depends on w, and the order is paths(loss, w)")
    itself = paths(w, w)
    assert itself.largest == (Path((w,), (), 1.0, 1.0, ONE),)
    assert repr(itself) == "∂w/∂w = 1, the sum over 1 path from w to w:\n  100 %  1\n         w"


@given(st.text(max_size=50), st.floats(), st.integers(1, 3))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_any_labels_and_numbers_can_be_shown(label: str, x: float, top: int) -> None:
    w = Value(x, label)
    page = repr(paths(w * w + w.tanh() / w, w, top))
    assert all(line.isprintable() for line in page.split("\n"))


def test_wrong_arguments_are_refused() -> None:
    w = Value(2.0, "w")
    with pytest.raises(TypeError, match=r"must be a Value, got 2.0 of type float; .* paths\(loss, w\)"):
        paths(w, 2.0)
    with pytest.raises(TypeError, match=r"a whole number, or None for all; got 2\.5"):
        paths(w * 2, w, top=2.5)
    with pytest.raises(ValueError, match="at least 1, or None for all; got 0"):
        paths(w * 2, w, top=0)
    with pytest.raises(
        ValueError, match=r"top=None lists all paths, and there are 1.3e\+30; give a number, such as top=5"
    ):
        paths(ladder(w, 100, 1.0, 1.0), w, top=None)


FACTORS = st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3)


@given(st.lists(FACTORS, max_size=40))
def test_a_product_is_that_of_floats_bit_for_bit(factors: list[float]) -> None:
    size, plain = ONE, 1.0
    for factor in factors:
        size, plain = size.times(factor), plain * factor
    assert float(size) == plain


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False).filter(bool), max_size=40))
def test_a_product_has_no_range(factors: list[float]) -> None:
    size, exact = ONE, Fraction(1)
    for factor in factors:
        size, exact = size.times(factor), exact * Fraction(factor)
    found = Fraction(size.mantissa) * Fraction(2) ** size.exponent * Fraction(size.sign)
    assert 0.5 <= size.mantissa < 1.0
    assert abs(found - exact) <= abs(exact) * Fraction(40, 2**53)


def order(product: Product) -> tuple[float, ...]:
    return product[:4]


@given(st.lists(st.floats(), max_size=4), st.lists(st.floats(), max_size=4), st.floats())
def test_the_order_by_size_stays_under_a_common_factor(a: list[float], b: list[float], factor: float) -> None:
    """What the k best paths rely on."""
    p, q = ONE, ONE
    for x in a:
        p = p.times(x)
    for x in b:
        q = q.times(x)
    if order(p) >= order(q):
        assert order(p.times(factor)) >= order(q.times(factor))


@pytest.mark.parametrize(
    ("factors", "value", "text"),
    [
        ([], 1.0, "1"),
        ([0.1, 0.2], 0.1 * 0.2, "0.02"),
        ([0.0, -2.0], 0.0, "0"),
        ([math.inf, -2.0], -math.inf, "-inf"),
        ([0.0, math.inf], math.nan, "nan"),
        ([math.nan, 0.0], math.nan, "nan"),
        ([math.nan, 1.0], math.nan, "nan"),
        ([1e200, -1e200], -math.inf, "-1e+400"),
        ([1e-200, 1e-200], 0.0, "1e-400"),
        ([1e-200, 1e-110], 1e-310, "1e-310"),
        ([9.999999999e-200, 1e-200], 0.0, "1e-399"),
    ],
)
def test_a_product_as_a_float_and_as_text(factors: list[float], value: float, text: str) -> None:
    size = ONE
    for factor in factors:
        size = size.times(factor)
    # Below 2e-308 a float has few digits left.
    assert float(size) == value or (math.isnan(value) and math.isnan(float(size))) or value == 1e-310
    assert str(size) == text


def test_paths_of_a_random_graph_with_many_ties_and_signs() -> None:
    generator = random.Random(0)
    w = Value(1.0, "w")
    nodes = [w]
    for _ in range(12):
        chosen = generator.choices(nodes[-4:], k=2)
        nodes.append(dot(chosen, generator.choices([1.0, -1.0, 0.5, 0.0, 2.0], k=2)))
    found = paths(nodes[-1], w, top=None)
    assert sorted(path.product for path in found.largest) == sorted(product_of(f) for _, f in every_path(nodes[-1], w))
    for top in (1, 2, 3, 7):
        assert [order(p.size) for p in paths(nodes[-1], w, top).largest] == [order(p.size) for p in found.largest[:top]]
