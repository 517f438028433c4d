"""draw_dot folded, around a node, and along the paths to one: what is shown, and the derivatives on the edges."""

import json
import math
import random
import re
import shutil
from itertools import pairwise

import pytest

from autograd_mini import GraphTooLargeError, Value, debug, fold, mean, parameter, paths, scope, topological_order
from autograd_mini.folding import Group
from autograd_mini.number import number_text
from nn import MLP, cross_entropy
from viz import draw_dot
from viz.colors import THEMES
from viz.render import render

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is parsed")
FOLDS = [0, 1, "neuron", "layer", "network", "structure", "auto"]


def nodes(source):
    return re.findall(r"^\t(n\d+) \[", source, re.MULTILINE)


def edges(source):
    return re.findall(r"^\t(n\d+) -> (n\d+)", source, re.MULTILINE)


def labels(source):
    return re.findall(r"^\tn\d+ -> n\d+ \[.*?\blabel=\"([^\"]*)\"", source, re.MULTILINE)


def text(source):
    """The text of the tables."""
    return re.sub(r"<[^>]*>", "|", source)


def lines(figure):
    """The first line on each node."""
    return [line for line in figure.text.split("\n") if not line.startswith(" ")]


def drawn(source):
    graph = json.loads(render(source, "json"))
    names = [node["name"] for node in graph.get("objects", [])]
    return names, sorted((names[edge["tail"]], names[edge["head"]]) for edge in graph.get("edges", []))


def lecture():
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    xs = [Value(i / 49, f"x[{i}]") for i in range(49)]
    loss = cross_entropy(model(xs), 1)
    loss.backward()
    return model, xs, loss


def scoped():
    a, b = Value(2.0, "a"), parameter(-3.0, "b")
    with scope("square"):
        c = (a * b + a) ** 2
    with scope("squash"):
        d = (c * 0.1).tanh()
    root = d / a
    root.backward()
    return a, b, c, d, root


def test_a_folded_group_is_one_node_with_total_derivatives_on_its_edges():
    a, _, c, d, root = scoped()
    source = draw_dot(root, fold=0).source
    assert len(nodes(source)) == 4
    dc_da = 2 * (2 * -3 + 2) * (-3 + 1)
    dd_dc = 0.1 * (1 - d.data**2)
    expected = [f" total {number_text(x, 4)} " for x in (dc_da, dd_dc)]
    last = [f" {i}: local {number_text(x, 4)} " for i, x in enumerate((1 / a.data, -d.data / a.data**2))]
    assert labels(source) == expected + last
    assert math.isclose(root.grad * (1 / a.data) * dd_dc, c.grad)


def test_a_group_says_its_name_its_size_its_outputs_and_its_largest_gradient():
    _, b, c, d, root = scoped()
    shown = text(draw_dot(root, fold=0).source)
    for words in ("square", "3 operations, 1 parameter, 1 constant", "its parameter", "squash", "2 operations"):
        assert f"|{words}" in shown
    for number in (c.data, c.grad, b.data, b.grad, d.data, d.grad):
        assert f"|{number_text(number, 4)}|" in shown
    assert "double frame: a folded group" in shown


def test_the_layers_of_a_network_and_how_many_derivatives_lie_between_them():
    model, _, loss = lecture()
    figure = draw_dot(loss, fold="layer")
    assert repr(figure).startswith("Figure(graph of 279 nodes folded to 4, ")
    shown = text(figure.source)
    assert edges(figure.source) == [("n0", "n1"), ("n1", "n2"), ("n2", "n3")]
    counts = [label.split("\\n")[0].strip() for label in labels(figure.source)]
    assert counts == ["147 totals", "30 totals", "10 totals"]
    assert "|9 operations, 150 parameters|" in shown
    assert re.search(r"\|6 more outputs, \|∂\| ≤ [^|]+\|", shown)
    largest = max(model.layers[0].parameters(), key=lambda p: abs(p.grad))
    assert f"|{largest.label}|" in shown
    assert f"|{number_text(largest.grad, 4)}|" in shown


@needs_dot
@pytest.mark.parametrize("label", [1, 7])
def test_the_neurons_of_a_layer_stand_in_their_order(label):
    model = MLP(3, [12, 11, 10], activation="sigmoid", seed=0)
    figure = draw_dot(cross_entropy(model([0.5, 1.0, -1.0]), label), fold="neuron")
    expected = [
        f"{name}.neuron{i + 1}" for name, n in (("hidden1", 12), ("hidden2", 11), ("output", 10)) for i in range(n)
    ]
    assert [line.split(":")[0] for line in lines(figure) if ".neuron" in line] == expected
    drawn = json.loads(render(figure.source, "json"))["objects"]
    heights = {
        re.search(r">(\w+\.neuron\d+)", node["label"])[1]: float(node["pos"].split(",")[1])
        for node in drawn
        if ".neuron" in node["label"]
    }
    for name in ("hidden1", "hidden2", "output"):
        layer = [heights[one] for one in expected if one.startswith(name)]
        assert layer == sorted(layer, reverse=True)


def test_like_groups_that_feed_one_another_stay_in_the_order_of_the_graph():
    x = Value(2.0, "x")
    for number in (3, 2, 10, "1" * 5000):
        with scope(f"step{number}"):
            x = (x * x).tanh()
    names = [line[:6] for line in lines(draw_dot(x, fold=0))[1:4]]
    assert names == ["step3:", "step2:", "step10"]


def test_the_text_of_a_group_counts_its_ends():
    _, _, loss = lecture()
    heads = lines(draw_dot(loss, fold="layer"))
    assert heads[1].endswith("; 49 inputs, 3 outputs")
    assert heads[3].endswith("; 10 inputs, 1 output")


def test_the_text_of_a_group_has_its_numbers_and_its_total_derivatives():
    _, b, c, _, root = scoped()
    assert draw_dot(root, fold=0).text.split("\n")[1:6] == [
        "square: 3 operations, 1 parameter, 1 constant; 1 input, 1 output",
        f"  v3 = {number_text(c.data)}, gradient {number_text(c.grad)}",
        "  its parameter",
        f"  b = -3, gradient {number_text(b.grad)}",
        f"  from a: total {number_text(2 * (2 * -3 + 2) * (-3 + 1), 4)}",
    ]


def test_the_outputs_of_a_group_are_told_apart_and_stand_by_number():
    _, _, loss = lecture()
    text, known = draw_dot(loss, fold="layer").text, debug(loss).names
    outputs = re.findall(r"  neuron(\d+): (v\d+) = (\S+),", text)
    assert [int(number) for number, _, _ in outputs] == [1, 2, 3, 1, 2, 3, 10]
    for _, name, data in outputs:
        assert number_text(known.node(name).data) == data
    a, b = Value(2.0), Value(3.0)
    with scope("s"):
        several = a * b, a * a
    names = [line.split(" = ")[0] for line in draw_dot(several[0] + several[1], fold=0).text.split("\n")]
    assert "  v1" in names
    assert "  v2" in names


def test_the_largest_of_many_derivatives_is_told():
    _, _, loss = lecture()
    source = draw_dot(loss, fold="layer").source
    output = fold(loss, "layer").nodes[2]
    rows = output.derivatives.items()
    largest = max((d for _, row in rows for x, d in row.items() if x in output.inputs), key=abs)
    assert f"largest {number_text(largest, 4)}" in labels(source)[1]


def test_an_edge_says_the_chain_rule_when_pointed_at():
    _, _, loss = lecture()
    hints = re.findall(r'edgetooltip="([^"]*)"', draw_dot(loss, fold="layer").source)
    chain = r"upstream × total d v\d+ / d x.*: (\S+) × \(?([^ )]+)\)? = (\S+)"
    upstream, total, contribution = map(float, re.fullmatch(chain, hints[0]).groups())
    assert math.isclose(upstream * total, contribution, rel_tol=1e-4)
    fresh = Value(2.0, "a") * 3
    with scope("s"):
        fresh = fresh.exp()
    assert 'edgetooltip="total d L / d v1 = ' in draw_dot(fresh, fold=0).source


def test_what_a_group_hands_on_is_counted_once_where_it_uses_its_own_output():
    x = Value(3.0, "x")
    with scope("s"):
        a = x * x
        b = a * 0.5
    a.label, b.label = "a", "b"
    loss = a * 4 + b
    source = draw_dot(loss, fold=0).source
    assert "total d a / d x = 6" in source
    loss.backward()
    assert a.grad == 4.5  # of which 0.5 comes from b, and is in b's total
    assert "upstream × total d a / d x: 4 × 6 = 24" in draw_dot(loss, fold=0).source
    assert x.grad == 24.0 + 1.0 * 3.0


@pytest.mark.parametrize("how", FOLDS)
@pytest.mark.parametrize("theme", THEMES)
@needs_dot
def test_every_way_to_fold_is_drawn_by_graphviz(how, theme):
    _, _, loss = lecture()
    source = draw_dot(loss, fold=how, theme=theme).source
    assert len(nodes(source)) == len(fold(loss, how).nodes)
    assert drawn(source) == (nodes(source), sorted(edges(source)))
    assert not re.search(r"-0(\.0+)?[ <\"]", source)
    assert THEMES[theme].background in source


def test_before_a_pass_nothing_is_called_a_gradient():
    with scope("s"):
        y = Value(2.0, "x").exp()
    shown = text(draw_dot(y, fold=0).source)
    assert "|not computed|" in shown
    assert "largest gradient" not in shown
    assert y.has_grad is False


def test_what_is_not_folded_is_drawn_as_ever():
    _, _, _, _, root = scoped()
    plain = draw_dot(root)
    assert draw_dot(root, fold=None, radius=3).source == plain.source
    assert len(nodes(plain.source)) == len(topological_order(root))


def test_a_focus_shows_what_is_near_and_how_much_is_not():
    _, _, c, d, root = scoped()
    source = draw_dot(root, focus=d, radius=1).source
    assert len(nodes(source)) == 3
    assert ">tanh  here<" in source
    assert source.count('1 more argument"') == 1
    assert "2 more arguments" in source
    wide = draw_dot(root, focus=d, radius=100).source
    assert len(nodes(wide)) == len(topological_order(root))
    assert "more " not in wide
    assert len(nodes(draw_dot(root, focus=c, radius=2).source)) == 8


def test_a_focus_within_a_folded_group_shows_the_group():
    model, _, loss = lecture()
    hidden = next(node for node in topological_order(loss) if node.op == "sigmoid")
    source = draw_dot(loss, fold="layer", focus=hidden, radius=1).source
    assert ">hidden  here<" in source
    assert len(nodes(source)) == 3
    assert "9 more uses" in source  # by one folded group
    source = draw_dot(loss, fold="layer", focus=model.layers[0].neurons[0].w[7], radius=1).source
    assert ">hidden.neuron1.w[7&#93;<" in source
    assert "49 more inputs" in source  # of one folded group


def test_a_fan_near_the_focus_is_cut():
    model, xs, loss = lecture()
    text = draw_dot(loss, focus=model.layers[0].neurons[1].w[3]).text
    shown = [f"hidden.neuron2.w[{i}]" for i in (2, 3, 4)] + [f"x[{i}]" for i in (2, 3, 4)]
    assert {line.split(" = ")[0] for line in text.split("\n") if " more " not in line} == {*shown, "v4", "v5"}
    assert "92 more arguments of v4" in text
    assert "2 more uses of x[3]" in text
    weights, inputs = (", ".join(shown[i : i + 3]) for i in (0, 3))
    assert f"v4 = dot(…, {weights}, …, {inputs}, …) = " in text
    assert len(nodes(draw_dot(sum(xs[:20]), focus=xs[7], radius=30).source)) == 2 * 20 + 1


def test_of_many_uses_near_a_focus_a_few_are_shown_and_the_others_counted():
    w = parameter(2.0, "w")
    y = sum((w * Value(float(i), f"x[{i}]") for i in range(500)), Value(0.0))
    source = draw_dot(y, focus=w).source
    assert len(nodes(source)) < 20
    assert "497 more uses" in source
    with pytest.raises(GraphTooLargeError, match=r"smaller part of the graph, draw_dot\(loss, focus=node, radius=1\)"):
        draw_dot(y, focus=y, radius=1000)


def test_paths_show_what_lies_between_and_nothing_else():
    a, b, _, _, root = scoped()
    source = draw_dot(root, paths_to=b).source
    assert len(nodes(source)) == 7
    assert len(edges(source)) == 6
    assert source.count("penwidth=2") == 6
    assert f"∂L/∂b = {number_text(b.grad, 4)}, along the only path" in source
    assert ";  L: the output" in source  # whose node has no name
    assert f"the sum over {paths(root, a).count} paths" in draw_dot(root, paths_to=a).source
    assert [label.strip().split()[-1] for label in labels(source)] == [
        number_text(x, 4) for node, x in [(n, dict(zip(n.parents, n.local_derivatives, strict=True))[p])
                                          for p, n in along(root, b)]
    ]  # fmt: skip


def along(root, w):
    """The pairs of the only path from w to the root."""
    (path,) = paths(root, w).largest
    up = list(reversed(path.nodes))
    return list(pairwise(up))


def test_paths_through_folded_groups():
    model, _, loss = lecture()
    w = model.layers[0].neurons[1].w[3]
    source = draw_dot(loss, fold="neuron", paths_to=w).source
    assert len(nodes(source)) == 1 + 1 + 10 + 1
    assert source.count("penwidth=2") == 1 + 10 + 10
    assert f"= {number_text(w.grad, 4)}, the sum over 18 paths" in source
    total = {edge: float(label.split()[1]) for edge, label in zip(edges(source), labels(source), strict=True)}
    gradient = {nodes(source)[-1]: 1.0}
    for (tail, head), number in reversed(total.items()):
        gradient[tail] = gradient.get(tail, 0.0) + gradient[head] * number
    assert math.isclose(gradient["n0"], w.grad, rel_tol=0.01)  # of four digits each


def test_focus_and_paths_go_together():
    _, b, c, _, root = scoped()
    source = draw_dot(root, paths_to=b, focus=c, radius=1).source
    assert len(nodes(source)) == 3


def test_a_focus_off_the_paths_shows_what_of_them_is_near():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    root = a * b.exp().exp()
    assert len(nodes(draw_dot(root, paths_to=a, focus=b, radius=3).source)) == 1
    assert len(nodes(draw_dot(root, paths_to=a, focus=b, radius=4).source)) == 2
    with pytest.raises(ValueError, match=r"no path to paths_to comes within 2 edges of focus, .*'b'.*larger radius"):
        draw_dot(root, paths_to=a, focus=b)


def test_a_large_graph_is_refused_with_ways_to_draw_it_and_drawn_folded():
    node = Value(0.5, "x")
    for _ in range(400):
        node = (node * 1.01).sin()
    with pytest.raises(GraphTooLargeError, match=r'has 1,201 nodes.*fold="auto".*focus=node.*paths_to=w.*force=True'):
        draw_dot(node)
    for how in "layer", "neuron", 0, 1:
        with pytest.raises(GraphTooLargeError, match=r'named groups, and it has none; fold="structure" or "auto"'):
            draw_dot(node, fold=how)
    assert len(nodes(draw_dot(node, fold="auto").source)) <= 300
    assert len(nodes(draw_dot(node, focus=node).source)) == 4
    with pytest.raises(GraphTooLargeError, match="801 nodes"):
        draw_dot(node, paths_to=topological_order(node)[0])


def test_a_graph_of_a_hundred_thousand_nodes_is_drawn_folded():
    draw = random.Random(0)
    model = MLP(49, [8, 10], seed=0)
    rows = [[draw.random() for _ in range(49)] for _ in range(230)]
    loss = mean([cross_entropy(outputs, i % 10) for i, outputs in enumerate(model(rows))])
    source = draw_dot(loss, fold="auto").source
    assert len(nodes(source)) == 19
    assert len(source) < 100_000


HOSTILE = [
    'say "hi"',
    "\\N\\G",
    "<b>bold</b>",
    "two\nlines",
    "|{a|b}|",
    "&amp;",
    "\x00\x1f",
    "]",
    "x" * 5000,
    '"]; evil ->',
]


@needs_dot
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_changes_no_node_or_edge(name):
    a = parameter(2.0, name)
    xs = [Value(float(i), f"{name}[{i}]") for i in range(6)]
    with scope(name):
        y = sum((x * a for x in xs), a)
    root = y.exp()
    for options in ({"fold": 0}, {"fold": 0, "paths_to": a}, {"fold": 0, "focus": a}, {"paths_to": a}):
        source = draw_dot(root, **options).source
        found, between = drawn(source)
        assert [one for one in found if one.startswith("n")] == nodes(source)
        assert set(edges(source)) <= set(between)
    assert drawn(draw_dot(root, fold=0).source)[0] == ["n0", "n1", "n2"]


def test_nan_and_inf_are_shown_as_they_are():
    x = Value(math.inf, "x")
    with scope("s"), pytest.warns(RuntimeWarning):
        y = (x - x).exp()
    source = draw_dot(y, fold=0).source
    assert any("nan" in label for label in labels(source))


def test_a_group_that_was_split_says_which_part_it_is():
    x = Value(0.5, "x")
    with scope("a"):
        y = x.sin()
    y = y.exp()
    with scope("a"):
        z = y.cos()
    shown = text(draw_dot(z, fold=0).source)
    assert "|a (1 of 2)|" in shown
    assert "|a (2 of 2)  output|" in shown


def test_wrong_arguments_are_told_the_fix():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    root = a * 2
    with pytest.raises(ValueError, match="unknown fold 'layers'; it is a number of levels"):
        draw_dot(root, fold="layers")
    with pytest.raises(ValueError, match=r"focus is Value.*'b'.*does not depend on; give a node of its graph"):
        draw_dot(root, focus=b)
    with pytest.raises(ValueError, match=r"no path leads from .* to paths_to, .*'b'.*; give a node that it depends on"):
        draw_dot(root, paths_to=b)
    with pytest.raises(ValueError, match="it is the other way round"):
        draw_dot(a, paths_to=root)
    with pytest.raises(TypeError, match=r"focus is a Value of the graph, got 'a' of type str"):
        draw_dot(root, focus="a")
    with pytest.raises(TypeError, match=r"paths_to is a Value of the graph, got 1\.0 of type float"):
        draw_dot(root, paths_to=1.0)
    with pytest.raises(ValueError, match="radius is 0, but must be a whole number, 1 or more"):
        draw_dot(root, focus=a, radius=0)
    with pytest.raises(TypeError, match="radius is 'far', but must be a whole number"):
        draw_dot(root, focus=a, radius="far")


def test_drawing_changes_nothing():
    _, _, loss = lecture()
    before = [(n.data, n.grad, n.label, n.op) for n in topological_order(loss)]
    for how in FOLDS:
        draw_dot(loss, fold=how, focus=loss)
    assert [(n.data, n.grad, n.label, n.op) for n in topological_order(loss)] == before
    assert any(isinstance(node, Group) for node in fold(loss, 0).nodes)


def test_the_text_says_the_derivatives_that_the_picture_does():
    a, b = Value(3.0, "a"), Value(2.0, "b")
    root = (a * b).tanh()
    assert "local" not in draw_dot(root).text
    for options in ({"show_local": True}, {"paths_to": a}, {"fold": 0}):
        figure = draw_dot(root, **options)
        told = [label.strip() for label in labels(figure.source) if "local" in label]
        assert told
        assert [line.split(": ")[1] for line in figure.text.split("\n") if "local" in line] == told
