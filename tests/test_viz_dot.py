"""draw_dot: every node and edge of the graph, in order, with its numbers, whatever the labels hold."""

import json
import re
import shutil
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings, strategies as st

from autograd_mini import (
    RULES,
    GraphTooLargeError,
    Value,
    debug,
    dot,
    no_grad,
    parameter,
    primitive,
    statistics,
    topological_order,
)
from autograd_mini.number import number_text
from autograd_mini.value import apply
from nn import MLP, Neuron, cross_entropy
from viz import draw_dot
from viz.colors import THEMES
from viz.render import render

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is parsed")


def nodes(source):
    return re.findall(r"^\t(n\d+) \[", source, re.MULTILINE)


def edges(source):
    return re.findall(r"^\t(n\d+) -> (n\d+)", source, re.MULTILINE)


def drawn(source):
    """The nodes and edges that Graphviz itself finds in the text."""
    graph = json.loads(render(source, "json"))
    names = [node["name"] for node in graph.get("objects", [])]
    return names, sorted((names[edge["tail"]], names[edge["head"]]) for edge in graph.get("edges", []))


def texts(source):
    """All text that a reader of the SVG sees, node by node, without spaces."""
    root = ET.fromstring(render(source, "svg"))
    groups = [g for g in root.iter("{http://www.w3.org/2000/svg}g") if g.get("class") == "node"]
    return ["".join("".join(t.text or "" for t in g.iter("{http://www.w3.org/2000/svg}text")).split()) for g in groups]


def example():
    x, w, b = Value(2.0, "x"), parameter(-3.0, "w"), parameter(1e-9, "b")
    return ((dot([w, x], [x, w]) + b).tanh() * 2 - x / w) ** 2


def test_every_node_and_edge_is_there_in_the_order_of_the_arguments():
    root = example()
    source = draw_dot(root).source
    order = topological_order(root)
    name = {node: f"n{i}" for i, node in enumerate(order)}
    assert nodes(source) == list(name.values())
    assert edges(source) == [(name[parent], name[node]) for node in order for parent in node.parents]
    counted = statistics(root)
    assert (len(nodes(source)), len(edges(source))) == (counted.nodes, counted.edges)


@needs_dot
def test_graphviz_finds_the_same_nodes_and_edges():
    source = draw_dot(example(), show_local=True).source
    assert drawn(source) == (nodes(source), sorted(edges(source)))


@needs_dot
def test_arguments_stand_in_their_order_from_top_to_bottom():
    a, b = Value(1.0), Value(2.0)
    for root, first, second in ((a - b, "n0", "n1"), (b / a, "n0", "n1")):
        graph = json.loads(render(draw_dot(root).source, "json"))
        height = {node["name"]: float(node["pos"].split(",")[1]) for node in graph["objects"]}
        assert height[first] > height[second]


def test_what_has_no_label_is_called_as_the_debugger_calls_it():
    x, b = Value(0.5), Value(-1.5, "b")
    root = (x * 2.0 + b).tanh()
    figure, names = draw_dot(root), debug(root).names
    assert [line.split(" = ")[0] for line in figure.text.split("\n")] == [
        *("x1", "2, constant", "v1", "b", "v2", "L")
    ]  # fmt: skip
    for node in topological_order(root):
        assert node.label or node.op == "constant" or f'tooltip="{names(node)}: Value(' in figure.source


def test_a_square_has_two_edges():
    a = Value(3.0, "a")
    assert edges(draw_dot(a * a).source) == [("n0", "n1"), ("n0", "n1")]


def test_a_single_value_is_a_picture():
    assert nodes(draw_dot(Value(1.0)).source) == ["n0"]


def test_every_number_is_shown_with_four_digits():
    root = example()
    root.backward()
    source = draw_dot(root).source
    for node in topological_order(root):
        assert f">{number_text(node.data, 4)}<" in source
        if node.op != "constant":
            assert f">{number_text(node.grad, 4)}<" in source
    assert "not computed" not in re.sub('tooltip="[^"]*"', "", source)


def test_before_a_pass_the_gradient_is_not_computed():
    a = Value(3.0)
    assert draw_dot(a * a).source.count(">not computed<") == 2


def test_nodes_say_in_words_what_they_are():
    source = draw_dot(Value(1.0) * parameter(2.0) + 3).source
    for word in (">input<", ">parameter<", ">constant<", ">*<", ">+  output<"):
        assert word in source


@pytest.mark.parametrize("op", RULES)
def test_every_op_has_its_symbol_as_its_head(op):
    rule = RULES[op]
    root = apply(op, *(Value(sum(box) / 2 + 0.1) for box in rule.box * (2 if rule.arity is None else 1)))
    assert f">{rule.symbol}  output<" in draw_dot(root).source


def test_local_derivatives_and_the_chain_rule_stand_on_the_edges():
    a, b = Value(3.0, "a"), Value(-0.00001, "b")
    root = a * b * 2
    assert "upstream" not in draw_dot(root, show_local=True).source
    root.backward()
    source = draw_dot(root, show_local=True).source
    labels = re.findall(r'-> n\d+ \[.*?\blabel="([^"]*)"', source)
    assert labels == [" local -1e-05 ", " local 3 ", " local 2 "]
    assert 'edgetooltip="upstream × local: 2 × 3 = 6"' in source
    assert "local" not in draw_dot(root).source


def test_what_is_written_on_edges_in_short_is_explained_where_it_stands():
    a, b = Value(3.0, "a"), Value(2.0, "b")
    local, argument = "local: ∂node/∂argument", "0, 1, …: which argument"
    assert f'label="{local}"' in draw_dot(a * b, show_local=True).source
    assert f'label="{argument}"' in draw_dot(a / b).source
    assert f'label="{local};  {argument}"' in draw_dot(a / b, show_local=True).source
    assert "argument" not in draw_dot(a * b).source


def test_numbers_that_round_to_zero_keep_their_size():
    a = Value(-0.0, "a")
    root = a * -1.234567e-7 + -1e-300
    root.backward()
    source = draw_dot(root, show_local=True).source
    assert "-1.235e-07" in source
    assert not re.search(r"-0(\.0+)?[ <\"]", source)


def test_nodes_without_a_label_have_the_name_that_the_debugger_knows_them_by():
    x = Value(2.0)
    root = (x * parameter(3.0, "w")).tanh() + 1.0
    source = re.sub(r"</?B>|<FONT[^>]*>|</FONT>", "", draw_dot(root).source)
    for head in (">input&#160;&#160;x1<", ">*&#160;&#160;v1<", ">tanh&#160;&#160;v2<", ">+  output&#160;&#160;L<"):
        assert head in source
    assert "w&#160;" not in source
    assert "constant&#160;" not in source


def test_numbers_of_different_times_are_told():
    w = parameter(2.0, "w")
    root = w * Value(3.0, "x")
    root.backward()
    assert "different times" not in draw_dot(root).source
    w.data = 7.0
    figure = draw_dot(root)
    told = "numbers of different times: mul(w=7, x=3) was 6.0 in the forward pass and is 21.0 now"
    assert told in figure.source
    assert told in figure.text
    assert "different times" in draw_dot(root, fold=0).source


def test_a_picture_does_not_run_an_op_of_the_users_again():
    calls = []

    @primitive(lambda y, x: 2 * x)
    def counted(x):
        calls.append(x)
        return x * x

    try:
        root = counted(Value(2.0)) + 1.0
        root.backward()
        draw_dot(root)
        assert calls == [2.0]
    finally:
        RULES.pop("counted", None)


def test_a_value_made_under_no_grad_is_an_input():
    with no_grad():
        root = Value(2.0) * 3
    assert ">input  output<" in draw_dot(root).source


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("rankdir", ["LR", "RL", "TB", "BT"])
def test_every_theme_and_direction_is_drawn(theme, rankdir):
    source = draw_dot(example(), theme=theme, rankdir=rankdir).source
    assert f"rankdir={rankdir}" in source
    assert THEMES[theme].background in source
    assert "fontname=Verdana" in source


HOSTILE = [
    'say "hi"', "\\", "\\N\\G\\", "<b>bold</b>", "two\nlines\r\n", "|{a|b}|", "👩‍👩‍👧 é ✓", "&amp;",
    "&lt;b&gt; &#92;N &nope;",
    "\x00\x01\x1f\x7f", "x" * 10_000, "a -> b; c -- d", "<", ">", "]]>", "<!-- x -->", "</TD></TR></TABLE>",
    "\ud800", "\uffff", "]", "a[0]",
    "n0:port", " ", "\u2028", "%3 \\l", "<TABLE>", '"]; evil -> evil [label="',
]  # fmt: skip


@needs_dot
@pytest.mark.parametrize("label", HOSTILE, ids=ascii)
def test_a_hostile_label_changes_no_node_or_edge(label):
    a, b = Value(1.0, label), parameter(2.0, label)
    root = a * b + a
    root.label = label
    source = draw_dot(root, show_local=True).source
    assert drawn(source) == (["n0", "n1", "n2", "n3"], [("n0", "n2"), ("n0", "n3"), ("n1", "n2"), ("n2", "n3")])


@needs_dot
@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30) | st.text(alphabet='\\<>&"NGl;#92{}|[]-', max_size=30))
def test_any_label_changes_no_node_or_edge(label):
    a = Value(1.0, label)
    assert drawn(draw_dot(a * a).source) == (["n0", "n1"], [("n0", "n1"), ("n0", "n1")])


@needs_dot
@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="\\<>&\"'NGEl;#92{}|[]-abc", min_size=1, max_size=30))
def test_a_label_is_read_letter_by_letter(label):
    assert texts(draw_dot(Value(1.0, label)).source) == [f"inputoutput{label}data1gradnotcomputed"]


def test_a_long_label_is_cut():
    assert "x" * 39 + "…" in draw_dot(Value(1.0, "x" * 10_000)).source
    assert len(draw_dot(Value(1.0, "x" * 10_000)).source) < 3000


def chain(length):
    node = Value(1.0)
    for _ in range(length - 1):
        node = node.tanh()
    return node


def test_a_graph_of_more_than_300_nodes_is_refused_with_ways_to_narrow_it():
    assert len(nodes(draw_dot(chain(300)).source)) == 300
    message = r"has 301 nodes, more than the 300 .*draw_network\(model.*draw_dot\(node\).*force=True"
    with pytest.raises(GraphTooLargeError, match=message):
        draw_dot(chain(301))
    assert len(nodes(draw_dot(chain(301), force=True).source)) == 301


def test_a_network_is_drawn_op_by_op():
    model = MLP(4, [3, 2], seed=0)
    loss = cross_entropy(model([0.1, 0.2, 0.3, 0.4]), 1)
    loss.backward()
    counted = statistics(loss)
    source = draw_dot(loss, show_local=True).source
    assert (len(nodes(source)), len(edges(source))) == (counted.nodes, counted.edges)


def test_wrong_arguments_are_told_the_fix():
    with pytest.raises(TypeError, match=r"got the module Neuron\(2.*use draw_network\(model\)"):
        draw_dot(Neuron(2))
    with pytest.raises(TypeError, match="graph of one Value, got a list of 2; draw one of them"):
        draw_dot([Value(1.0), Value(2.0)])
    with pytest.raises(TypeError, match=r"got 3\.0 of type float"):
        draw_dot(3.0)
    with pytest.raises(ValueError, match="unknown rankdir 'up'; the directions are 'LR', 'RL', 'TB', 'BT'"):
        draw_dot(Value(1.0), rankdir="up")
    with pytest.raises(ValueError, match="unknown theme 'pink'"):
        draw_dot(Value(1.0), theme="pink")


def test_drawing_changes_nothing():
    root = example()
    root.backward()
    before = [(n.data, n.grad, n.label, n.op) for n in topological_order(root)]
    draw_dot(root, show_local=True)
    assert [(n.data, n.grad, n.label, n.op) for n in topological_order(root)] == before
