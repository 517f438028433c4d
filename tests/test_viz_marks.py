"""Proof in the picture: the sign beside a gradient is what finite differences say of it."""

import pytest

from autograd_mini import Value, gradcheck, no_grad, parameter, primitive, relu, sqrt, tanh
from autograd_mini.rules import RULES
from nn import MLP, cross_entropy
from viz import draw_dot, draw_network
from viz.marks import MARKS, Proof, proof_for


def marked(root, *nodes, report=None):
    proof = Proof(root, report)
    return [proof.mark(node, node.grad if node.has_grad else None).sign for node in nodes]


def test_each_kind_of_mark_is_given_where_it_belongs():
    x, w, dead, unused = Value(1.0, "x"), parameter(0.5, "w"), Value(-3.0, "dead"), Value(2.0, "unused")
    kink = relu(x - 1.0)
    y = tanh(w * 2.0)
    root = kink + y + relu(dead)
    assert marked(root, x, w, root) == ["…", "…", "…"]
    root.backward()
    assert marked(root, x, w, y, kink, dead, root, unused) == ["∠", "✓", "✓", "✓", "○", "✓", "∅"]


def test_a_wrong_gradient_is_marked():
    @primitive(lambda y, x: 2.0 * x)
    def wrong(x):
        return x * x * x

    try:
        x = Value(2.0, "x")
        y = wrong(x)
        root = y * 0.5
        root.backward()
        assert marked(root, x, y) == ["✗", "✓"]
        report = gradcheck(root)
        assert marked(root, x, report=report) == ["✗"]
    finally:
        del RULES["wrong"]


def test_two_passes_are_not_the_gradient_of_one():
    x = Value(2.0, "x")
    root = x * x
    root.backward()
    root.backward()
    assert marked(root, x) == ["✗"]


def test_what_cannot_be_told_is_not_called_right():
    x = Value(0.0, "x")
    root = sqrt(x)
    root.backward()
    assert marked(root, x) == ["?"]


def test_a_report_marks_the_numbers_that_it_saw_and_no_others():
    x, w = Value(1.5, "x"), parameter(0.5, "w")
    root = tanh(x * w)
    root.backward()
    report = gradcheck(root)
    proof = Proof(root, report)
    assert proof.mark(x, x.grad).sign == "✓"
    assert proof.mark(root, root.grad) is None
    assert proof.mark(x, x.grad * 1.01) is None
    assert proof.legend() == "1 ✓ agrees with finite differences"


def test_draw_dot_writes_marks_and_explains_them():
    x, b = Value(1.0, "x"), parameter(-1.0, "b")
    root = relu(x + b) + x
    root.backward()
    plain, figure = draw_dot(root), draw_dot(root, marks=True)
    assert not any(mark.sign in plain.source for mark in MARKS.values() if mark.sign != "?")
    assert ">1 ∠<" in figure.source
    assert (
        "marks: 2 ✓ agrees with finite differences;  3 ∠ kink here: the slopes on either side differ" in figure.source
    )
    assert "x = 1, input, gradient 1 (kink here: the slopes on either side differ)" in figure.text
    assert ">not computed …<" in draw_dot(relu(x + b), marks=True).source


def test_draw_network_marks_every_gradient_it_shows():
    model = MLP(3, [2, 2], activation="tanh", seed=0)

    def loss(outputs):
        return cross_entropy(outputs, 1)

    source = draw_network(model, example=[1, 0, 2], loss=loss, marks=True).source
    assert source.count(" ✓<") + source.count(" ○<") == len(model.parameters()) + 2 * 2 + 2  # z and tanh(z), or z
    report = gradcheck(loss(model([1, 0, 2])))
    from_report = draw_network(model, example=[1, 0, 2], loss=loss, marks=report).source
    assert from_report.count(" ✓<") + from_report.count(" ○<") == len(model.parameters())
    unused = draw_network(model, example=[1, 0, 2], loss=lambda outputs: outputs[0] ** 2, marks=True).source
    assert "∂ — ∅" in unused
    assert "∅ no path leads here" in unused


def test_marks_of_a_large_network_are_those_of_what_is_shown():
    model = MLP(200, [20, 2], activation="tanh", seed=0)
    figure = draw_network(model, example=[0.1] * 200, loss=lambda y: cross_entropy(y, 1), marks=True)
    assert figure.source.count(" ✓<") == 6 * (8 + 3) + 2 * (20 + 2)


def test_wrong_marks_are_told_the_fix():
    x = Value(1.0, "x")
    with pytest.raises(TypeError, match=r"marks is True, False or a report, marks=gradcheck\(loss\), got 'all'"):
        draw_dot(x * 2, marks="all")
    with pytest.raises(ValueError, match=r"marks compare gradients .* give example=\.\.\. and loss=\.\.\. too"):
        draw_network(MLP(2, [1]), example=[1, 2], marks=True)
    y = x * x
    y.backward()
    x.data = 5.0
    with pytest.raises(ValueError, match="data was changed; run the forward pass again"):
        draw_dot(y, marks=True)
    assert proof_for(None, False) is None


def test_checks_leave_the_graph_alone_and_work_under_no_grad():
    x = Value(1.0, "x")
    y = tanh(x)
    y.backward()
    before = (x.data, x.grad, y.grad)
    with no_grad():
        draw_dot(y, marks=True)
    assert (x.data, x.grad, y.grad) == before
