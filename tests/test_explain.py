"""``explain``: every number of the page is one of the stream, and the page reads well however large the graph is."""

import math
import re
from typing import Any

import pytest
from hypothesis import given, strategies as st

from autograd_mini import Expression, Step, Value, dot, no_grad, primitive, relu, sqrt, steps, sum as sum_of, tanh
from autograd_mini.chain_rule import Fold, Gradient
from autograd_mini.explain import Explanation, explain
from autograd_mini.graph import topological_order
from autograd_mini.strategies import graphs
from nn import MLP, cross_entropy, digits

LECTURE = """\
∂L/∂hidden.neuron1.w[8] = -0.0808001
The chain rule, from L down to hidden.neuron1.w[8] over 33 operations. A gradient is the sum, over all uses of a
number, of the gradient of what it is used in × the local derivative.

L = logsumexp(0, v38, v35, …, v14) = 1.83621
  ∂L/∂L = 1

v38 = v37 - v11 = -0.170548
  ∂L/∂v38 = ∂L/∂L × exp(v38 - L) = 1 × 0.134423 = 0.134423
"""
LECTURE_END = """\
v9 = sigmoid(v8) = 0.665472
  ∂L/∂v9 = ∂L/∂v33 × output.neuron3.w[0]  = 0.142402 × 0.239411    =  0.0340927
         + ∂L/∂v12 × output.neuron10.w[0] = 0.107288 × (-0.353093) = -0.0378827
         + ∂L/∂v10 × output.neuron1.w[0]  = -0.84058 × 0.459695    =  -0.386411
         + 7 more uses, together                                   =  -0.039965
                                                                   =  -0.430166

v8 = v7 + hidden.neuron1.b = 0.687777
  ∂L/∂v8 = ∂L/∂v9 × v9 * (1 - v9) = -0.430166 × 0.222619 = -0.095763

v7 = hidden.neuron1.w[0]*0 + … + hidden.neuron1.w[8]*0.84375 + … + hidden.neuron1.w[48]*0 = 0.687777
  ∂L/∂v7 = ∂L/∂v8 × 1 = -0.095763 × 1 = -0.095763

hidden.neuron1.w[8] = -0.0158992
  ∂L/∂hidden.neuron1.w[8] = ∂L/∂v7 × 0.84375 = -0.095763 × 0.84375 = -0.0808001"""


def lecture(sizes: tuple[int, ...] = (3, 10)) -> tuple[Value, Value]:
    model = MLP(49, list(sizes), activation="sigmoid", seed=0)
    image, target = digits()[0]
    return model.layers[0].neurons[0].w[8], cross_entropy(model(image), target)


def gradients(explanation: Explanation) -> list[Gradient]:
    return [line for line in explanation.lines if isinstance(line, Gradient)]


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def check_sums(explanation: Explanation) -> None:
    """Each line adds up, what is folded included."""
    for line in gradients(explanation):
        if not line.steps:
            assert (line.node, line.gradient, line.folded) == (explanation.loss, 1.0, 0)
            continue
        terms = [*(step.contribution for step in line.steps), line.rest]
        # The same terms summed in another order, with a rounding for each.
        roundings = 2.0**-52 * (len(line.steps) + line.folded) * math.fsum(map(abs, terms))
        assert abs(math.fsum(terms) - line.gradient) <= roundings


def check_reads_downwards(explanation: Explanation) -> None:
    """What is on the right of a line is on the left of one above it, as long as nothing is folded away."""
    written = set()
    last = None
    for line in explanation.lines:
        if isinstance(line, Fold):
            return
        assert all(step.node in written for step in line.steps)
        last = line.node
        written.add(last)
    assert last is (explanation.w if explanation.lines else None)


@given(graphs(), st.data())
def test_every_number_is_one_of_the_stream_and_they_add_up_bit_for_bit(graph: Expression, data: st.DataObject) -> None:
    root = graph.build()
    uses: dict[Any, list[Step]] = {}
    for step in steps(root):
        uses.setdefault(step.parent, []).append(step)
    w = data.draw(st.sampled_from(topological_order(root)))
    explanation = explain(w, root, full=True)
    assert not any(node.has_grad for node in topological_order(root)), "no gradient is touched"
    for line in gradients(explanation):
        assert line.steps == tuple(uses.get(line.node, ()))
        total = 0.0 if line.steps else 1.0
        for step in line.steps:
            total += step.contribution
        assert line.gradient == total
    before = repr(explanation)
    root.backward()
    assert explanation.gradient == w.grad
    assert repr(explain(w, root, full=True)) == before
    check_reads_downwards(explanation)
    check_sums(explain(w, root))


def test_the_weight_of_the_lecture_is_a_joy_to_read() -> None:
    page = repr(explain(*lecture()))
    assert page.startswith(LECTURE)
    assert page.endswith(LECTURE_END)
    assert len(page.splitlines()) <= 60


@pytest.mark.parametrize("sizes", [(3, 10), (20, 10), (20, 20, 10), (8, 8, 8, 8, 8, 10)])
def test_a_deep_network_is_folded_to_a_page(sizes: tuple[int, ...]) -> None:
    w, loss = lecture(sizes)
    explanation = explain(w, loss)
    check_sums(explanation)
    check_reads_downwards(explanation)
    page = repr(explanation).splitlines()
    assert len(page) <= 100
    assert all(len(line) <= 130 for line in page)
    assert repr(explain(w, loss, full=True)).count("more use") == 0


def test_a_number_that_is_used_many_times_shows_the_uses_that_count() -> None:
    w = Value(2.0, "w")
    loss = dot([w] * 49, [float(i) for i in range(49)])
    explanation = explain(w, loss)
    assert repr(explanation).endswith(
        """
L = w*0 + … + w*46 + w*47 + w*48 = 2352
  ∂L/∂L = 1

w = 2
  ∂L/∂w = ∂L/∂L × 46 = 1 × 46    =   46
        + ∂L/∂L × 47 = 1 × 47    =   47
        + ∂L/∂L × 48 = 1 × 48    =   48
        + 46 more uses, together = 1035
                                 = 1176"""
    )
    assert len(explain(w, loss, full=True).lines[-1].steps) == 49
    many = explain(w, sum_of([w * w for _ in range(50_000)]))
    assert len(repr(many).splitlines()) < 40
    assert "99,997 more uses, together = 199994" in re.sub(" +", " ", repr(many))


def test_a_long_chain_is_folded_in_the_middle_and_the_chain_rule_still_holds() -> None:
    w = Value(2.0, "w")
    loss = w
    for _ in range(3_000):
        loss = (loss + loss) * 0.4995 + 0.001
    explanation = explain(w, loss)
    (fold,) = (line for line in explanation.lines if isinstance(line, Fold))
    assert len(gradients(explanation)) + fold.count == 9_001
    assert fold.product is not None
    # 9,000 roundings on either side.
    product = fold.product.times(fold.above.gradient)
    assert math.isclose(float(product), fold.below.gradient, rel_tol=1e-11)
    page = repr(explanation)
    assert len(page.splitlines()) <= 80
    assert f"… {fold.count:,} operations are folded here, each used by the one before it alone\n  ∂L/∂v" in page
    assert len(explain(w, loss, full=True).lines) == 9_001


def test_a_chain_whose_slope_no_float_holds_shows_it() -> None:
    w = Value(1.0, "w")
    shrinking = w
    for _ in range(60):
        shrinking = shrinking * 1e-10
    assert re.search(r"∂v55/∂v10 = 1e-50 × 1e-450 = 0\n", repr(explain(w, shrinking)))


def test_a_braid_is_folded_without_a_product() -> None:
    a, b = Value(0.5, "w"), Value(0.1)
    w = a
    for _ in range(2000):
        a, b = tanh(a + b), a
    explanation = explain(w, a)
    check_sums(explanation)
    (fold,) = (line for line in explanation.lines if isinstance(line, Fold))
    assert fold.product is None
    assert "operations are folded here; their gradients come by the same rule\n\n" in repr(explanation)


LABELS = st.text(max_size=60) | st.sampled_from(
    ["w[3]", "a[1][2]", "v7[2]", "}{", "\\", "$x$", "\x1b[31m", "a\nb", "<b>", "x'", "%", "-1", "inf", "…", "{0}", "L"]
)


@given(st.lists(LABELS, min_size=4, max_size=4), st.booleans(), st.floats())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_any_labels_and_numbers_can_be_shown(labels: list[str], full: bool, x: float) -> None:
    w, v = Value(x, labels[0]), Value(0.5, labels[1])
    u = tanh(w * v) + relu(w) ** 2 / v
    u.label = labels[2]
    loss = dot([w, u, v, 2.0, w, w], [v, 3.0, u, u, w, w]) - w.gelu()
    loss.label = labels[3]
    explanation = explain(w, loss, full=full)
    assert all(line.isprintable() for line in repr(explanation).split("\n"))
    latex = explanation.latex()
    assert explanation._repr_latex_() == f"$$\n{latex}\n$$"
    check_latex(latex)


def check_latex(latex: str) -> None:
    depth = 0
    for brace in re.sub(r"\\\\|\\[{}]", "", latex):
        depth += (brace == "{") - (brace == "}")
        assert depth >= 0
    assert depth == 0
    assert latex.count(r"\left") - latex.count(r"\leq") == latex.count(r"\right")
    assert latex.count(r"\begin{") == latex.count(r"\end{")
    plain = re.sub(r"\\.", "", latex)
    assert not re.search(r"[$#%~]", plain), "what has a meaning in LaTeX is escaped"
    assert not re.search(r"\}?_\{[^{}]*\}_", plain), "two indices"
    for row in re.split(r"\\\\(?:\[1.2ex\])?\n", latex.replace(r"\&", "")):
        assert row.count("&") - 2 * row.count(r"\begin{cases}") == 1, "one column to align"


@pytest.mark.parametrize("label", ["w", "hidden.neuron1.w[8]", "a[1][2]", "v7[2]", "x_1", "50%", "α", "weight 3"])
def test_labels_in_latex(label: str) -> None:
    written = {
        "w": "w",
        "hidden.neuron1.w[8]": r"\mathrm{hidden{.}neuron1{.}w}_{8}",
        "a[1][2]": "{a_{1}}_{2}",
        "v7[2]": "{v_{7}}_{2}",
        "x_1": r"\mathrm{x\_1}",
        "50%": r"\mathrm{50\%}",
        "α": "α",
        "weight 3": r"\mathrm{weight\ 3}",
    }[label]
    w = Value(2.0, label)
    assert explain(w, w * 1e-7).latex() == (
        "\\begin{aligned}\n"
        rf"L &= {written} \cdot 1 \times 10^{{-7}} = 2 \times 10^{{-7}} \\" "\n"
        r"\frac{\partial L}{\partial L} &= 1 \\[1.2ex]" "\n"
        rf"{written} &= 2 \\" "\n"
        rf"\frac{{\partial L}}{{\partial {written}}} &= \frac{{\partial L}}{{\partial L}} \cdot 1 \times 10^{{-7}} "
        r"= 1 \cdot 1 \times 10^{-7} = 1 \times 10^{-7}" "\n"
        "\\end{aligned}"
    )  # fmt: skip


def test_a_gradient_that_is_not_finite_is_traced_to_where_it_began() -> None:
    w = Value(0.0, "w")
    page = repr(explain(w, sqrt(w * 2) * w))
    assert page.startswith("∂L/∂w = nan\n")
    assert (
        "The first gradient that is not finite is ∂L/∂v1, where it gets\n  ∂L/∂v2 × 1 / (2 * v2) = 0 × inf = nan\n"
        in page
    )
    w = Value(0.1, "w")
    page = repr(explain(w, dot([w, w], [1e308, 1e308])))
    assert "is ∂L/∂w, where it gets\n  ∂L/∂L × 1e+308 = 1 × 1e+308 = 1e+308, which brings it to inf\n" in page
    explanation = explain(w, dot([w] * 10, [*map(float, range(9)), math.inf]))
    assert any(step.contribution == math.inf for step in gradients(explanation)[-1].steps), "it is never folded away"
    assert gradients(explanation)[-1].rest == sum(range(7))


NO_PATH = """\
∂L/∂w = 0
No path leads from L to w: L does not depend on it.
If it should, look for .data, float() or no_grad() on the way."""


def test_where_no_path_leads() -> None:
    w = Value(2.0, "w")
    with no_grad():
        lost = w * 3
    for loss in (Value(1.0, "x") * 2, Value(1.0), tanh(lost)):
        explanation = explain(w, loss)
        assert (repr(explanation), explanation.gradient, explanation.lines) == (NO_PATH, 0.0, ())
        check_latex(explanation.latex())
    loss = w * 3
    assert repr(explain(loss.parents[1], loss)).endswith(
        "a plain number in the formula; Value(number) can be differentiated by."
    )
    assert r"\text{no path leads from } L \text{ to } w" in explanation.latex()


def test_the_two_ends_in_the_wrong_order() -> None:
    w = Value(2.0, "w")
    assert repr(explain(w * 2, w)).endswith(
        "No path leads from w to w': w does not depend on it.\nBut w' depends on w: the order is explain(w, loss)."
    )
    assert explain(w * 2, w).gradient == 0.0


def test_a_number_by_itself() -> None:
    w = Value(2.0, "w")
    assert repr(explain(w, w)) == "∂w/∂w = 1\n\nw = 2\n  ∂w/∂w = 1"
    v = w * 3
    assert repr(explain(v, v)) == "∂L/∂L = 1\n\nL = w * 3 = 6\n  ∂L/∂L = 1"
    assert explain(w, w).gradient == explain(v, v).gradient == 1.0


def test_a_number_without_a_label_is_called_as_in_the_debugger() -> None:
    w, taken = Value(2.0), Value(3.0, "x1")
    assert repr(explain(w, w * 3)).endswith("x1 = 2\n  ∂L/∂x1 = ∂L/∂L × 3 = 1 × 3 = 3")
    named = w * w
    named.label = "x1"
    assert repr(explain(w, named)).startswith("∂x1/∂x1' = 4\n")
    assert repr(explain(w, w * taken)).endswith("x1' = 2\n  ∂L/∂x1' = ∂L/∂L × x1 = 1 × 3 = 3")


def test_an_operation_can_be_explained_too() -> None:
    x = Value(3.0, "x")
    v = x * x
    assert repr(explain(v, v * 2)).endswith("v1 = x * x = 9\n  ∂L/∂v1 = ∂L/∂L × 2 = 1 × 2 = 2")


def test_an_op_of_ones_own_is_explained() -> None:
    @primitive(lambda y, x: 3 * x**2)
    def cube(x: float) -> float:
        return x * x * x

    x = Value(2.0, "x")
    assert repr(explain(x, cube(x))).endswith("∂L/∂x = ∂L/∂L × ∂L/∂x = 1 × 12 = 12")


def test_the_page_stays_what_it_was() -> None:
    w = Value(2.0, "w")
    explanation = explain(w, w * 3)
    before = repr(explanation), explanation.latex()
    w.data, w.label = 7.0, "other"
    assert (repr(explanation), explanation.latex()) == before


def test_what_is_not_a_value_is_refused() -> None:
    w = Value(2.0, "w")
    with pytest.raises(TypeError, match=r"must be a Value, got 2.0 of type float; the order is explain\(w, loss\)"):
        explain(2.0, w)
    with pytest.raises(TypeError, match="the result to explain must be a Value, got None of type NoneType"):
        explain(w, None)


def test_lines_of_a_page_are_in_columns() -> None:
    w = Value(2.0, "w")
    page = repr(explain(w, w * 1000 + w * w)).splitlines()
    rows = [line for line in page if line.endswith(("1000", "   2", "1004")) and "=" in line][-4:]
    assert len({line.rindex("=") for line in rows}) == 1
    assert len({len(line) for line in rows}) == 1


def test_a_running_sum_of_many_uses_is_a_page() -> None:
    w = Value(1.0, "w")
    loss = w
    for _ in range(30_000):
        loss = loss + w * 1e-9
    explanation = explain(w, loss)
    check_sums(explanation)
    assert len(repr(explanation).splitlines()) <= 60
