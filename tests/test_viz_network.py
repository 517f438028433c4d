"""draw_network: every parameter of the network with its number and its gradient, and the model left as it was."""

import json
import math
import re
import shutil
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from autograd_mini import Value, gradients, no_grad, softmax
from autograd_mini.number import number_text
from nn import MLP, BatchNorm, Dropout, Layer, Module, Neuron, Sequential, cross_entropy, sum_squared_error
from viz import draw_dot, draw_network, draw_neuron
from viz.colors import THEMES, diverging
from viz.observing import observe
from viz.paint import Paint, columns_for
from viz.render import render
from viz.summary import at_most, summarised

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is parsed")

PIXELS = [round(abs(math.sin(i)), 3) * (i % 3 > 0) for i in range(49)]
LECTURE = Layer(49, 3, activation="sigmoid", seed=1)
DIGITS = MLP(49, [3, 10], activation="sigmoid", seed=2)


def lecture_loss(outputs):
    return sum_squared_error(outputs, [1.0, 0.0, 0.0])


def digit_loss(outputs):
    return cross_entropy(outputs, 7)


CASES = [(LECTURE, lecture_loss, 150), (DIGITS, digit_loss, 190)]


def tooltips(source):
    """What the picture says about each number, by its full name: (number, gradient), as texts."""
    found = re.findall(r'TITLE="(\S+) = (\S+|not computed), gradient (not computed|[^"]+)"', source)
    return {name: (number, gradient) for name, number, gradient in found}


def cards(source):
    """The text of each neuron's card, line by line, by the neuron's name."""
    drawn = re.findall(r'^\tlayer\d+_neuron\d+ \[label=<(.*)> tooltip=(?:"([^"]+)"|(\w+))\]', source, re.MULTILINE)
    return {quoted or plain: re.sub(r"(<[^>]+>)+", "\n", label).split("\n") for label, quoted, plain in drawn}


def edge_lines(source):
    return re.findall(r"^\t(\w+) -> (\w+)(?::\S+)?(?: \[(.*)\])?", source, re.MULTILINE)


@pytest.mark.parametrize(("model", "loss", "count"), CASES, ids=["49-3", "49-3-10"])
def test_every_parameter_is_there_with_its_weight_and_its_gradient(model, loss, count):
    root = loss(model(PIXELS))
    gradient = gradients(root)
    source = draw_network(model, example=PIXELS, loss=loss).source
    said, lines = tooltips(source), cards(source)
    parameters = dict(model.named_parameters())
    assert len(parameters) == count
    for name, parameter in parameters.items():
        assert said[name] == (number_text(parameter.data), number_text(gradient[parameter]))
        owner, _, short = name.rpartition(".")
        at = lines[owner].index(short if short != "b" else "bias b")
        assert lines[owner][at + 1] == number_text(parameter.data, 3)
        assert lines[owner][at + 2].replace("&#160;", "") == f"∂ {number_text(gradient[parameter], 3)}"


def test_the_scene_is_the_model_itself():
    scene = observe(DIGITS, PIXELS, digit_loss)
    outputs = DIGITS(PIXELS)
    assert [output.value for output in scene.outputs] == [output.data for output in outputs]
    assert list(scene.shares) == softmax([output.data for output in outputs])
    assert scene.loss == digit_loss(outputs).data
    assert [x.value for x in scene.inputs] == PIXELS


def test_the_gradients_of_z_outputs_and_inputs_are_those_of_the_loss():
    scene = observe(DIGITS, PIXELS, digit_loss)
    hidden = scene.layers[0][1]
    slope = hidden.output.value * (1.0 - hidden.output.value)
    assert hidden.z.gradient == hidden.bias.gradient == pytest.approx(hidden.output.gradient * slope, rel=1e-12)
    saliency = sum(card.z.gradient * card.weights[4].value for card in scene.layers[0])
    assert scene.inputs[4].gradient == pytest.approx(saliency, rel=1e-12)


def test_bias_sum_activation_and_state_stand_below_the_weights():
    neuron = Neuron(2, activation="sigmoid", initializer=lambda *_: 10.0)
    neuron.b.data = -15.0
    text = "\n".join(cards(draw_network(neuron, example=[1, 1]).source)["neuron"])
    assert re.search(
        r"bias b\n-15\nz = Σ w·x \+ b\n5\nΣ w·x = 20 &gt; -b = 15&#160;&#160;\n"
        r"sigmoid\(z\)\n0\.993\nactive: above 0\.5",
        text,
    )
    text = "\n".join(cards(draw_network(neuron, example=[1, 0]).source)["neuron"])
    assert "not active: at most 0.5" in text
    assert "Σ w·x = 10 ≤ -b = 15" in text


@pytest.mark.parametrize(
    ("activation", "words"), [("relu", "above 0"), ("gelu", "above 0"), ("tanh", None), (abs, None)]
)
def test_a_neuron_is_called_active_only_where_that_means_something(activation, words):
    source = draw_network(Neuron(2, activation=activation, seed=0), example=[1, 1]).source
    assert ("active" in source) == (words is not None)
    assert words is None or words in source


def test_a_single_neuron_is_opened():
    neuron = Neuron(2, initializer=lambda *_: 0.5)
    text = cards(draw_network(neuron, example=[3, -2], loss=lambda y: y * 2).source)["neuron"]
    at = text.index("w[1]")
    assert text[at : at + 4] == ["w[1]", "0.5", "× -2 = -1", "∂ -4"]
    assert "×" not in draw_network(neuron).source


def test_edges_go_from_the_inputs_to_each_neuron_and_on_to_the_loss():
    found = [(tail, head) for tail, head, _ in edge_lines(draw_network(DIGITS, example=PIXELS, loss=digit_loss).source)]
    first = [("inputs", f"layer0_neuron{i}") for i in range(3)]
    second = [(f"layer0_neuron{j}", f"layer1_neuron{i}") for i in range(10) for j in range(3)]
    last = [(f"layer1_neuron{i}", "outputs") for i in range(10)]
    assert found == [*first, *second, *last, ("outputs", "loss")]


def test_edges_are_as_thick_as_the_gradient_of_the_neuron_they_enter():
    scene = observe(DIGITS, PIXELS, digit_loss)
    cards_by_id = {card.id: card for layer in scene.layers for card in layer}
    assert all(edge.strength == abs(cards_by_id[edge.head].z.gradient) for edge in scene.edges)
    widths = re.findall(r"penwidth=([\d.]+)", draw_network(DIGITS, example=PIXELS, loss=digit_loss).source)
    strongest = max(edge.strength for edge in scene.edges)
    assert [float(w) for w in widths] == [round(0.4 + 3.6 * edge.strength / strongest, 2) for edge in scene.edges]


def test_without_a_loss_edges_are_as_thick_as_what_they_carry():
    model = MLP(2, [2, 1], initializer=lambda *_: 0.5)
    strengths = {(edge.tail, edge.head): edge.strength for edge in observe(model, [4.0, -1.0]).edges}
    assert strengths[("inputs", "layer0_neuron0")] == 2.5
    assert strengths[("layer0_neuron1", "layer1_neuron0")] == 0.75
    assert {edge.strength for edge in observe(model).edges} == {1.0, 0.5}


def test_cells_are_coloured_by_gradient_on_a_symmetric_scale_each_layer_its_own():
    scene = observe(DIGITS, PIXELS, digit_loss)
    source = draw_network(DIGITS, example=PIXELS, loss=digit_loss).source
    for layer, name in zip(scene.layers, ("hidden", "output"), strict=True):
        parameters = [parameter for card in layer for parameter in card.parameters()]
        largest = max(abs(parameter.gradient) for parameter in parameters)
        for parameter in parameters:
            assert f'BGCOLOR="{diverging(parameter.gradient, largest)}"' in source
        assert f">{number_text(-largest, 3)}<" in source
        assert f"<B>{name}</B>" in source
    assert "each layer has a scale of its own" in source


def test_inputs_are_grey_where_they_are_many_and_a_key_says_what_grey_is():
    two = draw_network(MLP(2, [1], seed=0), example=[0.5, -1.0])
    assert "(black)" not in two.source
    assert 'BGCOLOR="#000000"' not in two.source
    nine = draw_network(MLP(9, [1], seed=0), example=[0.5, -1.0] + [0.25] * 7)
    assert 'BGCOLOR="#000000"' in nine.source
    assert ">-1 (white) to 0.5 (black)<" in nine.source
    same = draw_network(Neuron(30, seed=0), example=[0.5] * 30).text.split("\n")[1]
    assert same.startswith("30 inputs, all 0.5; the largest")


def test_an_output_that_is_z_itself_is_written_once():
    layer = Layer(2, 1, activation="linear", seed=0)
    assert "linear(z)" not in draw_network(layer, example=[1, 2]).source
    assert "linear(z)" in draw_network(layer).source


def test_neurons_behind_each_other_in_one_part_have_scales_of_their_own_in_the_key():
    model = Sequential(Sequential(Neuron(1, seed=0), Neuron(1, seed=1)), Layer(1, 2, seed=2))
    model[0][1].w[0].data = 90.0
    scene = observe(model)
    first, second, layer = (cards[0].largest for cards in scene.layers)
    ends = Paint(scene, THEMES["light"]).ends
    assert ends == {"sequential1.neuron1": first, "sequential1.neuron2": second, "layer2": layer}


def test_layers_of_like_numbers_share_one_scale():
    model = MLP(1, [1, 1], activation="linear", initializer=lambda *_: 2.0)

    def ends(weight):
        model.layers[1].neurons[0].w[0].data = weight
        assert ("a scale of its own" in draw_network(model).source) == (abs(weight) >= 6.0)
        return [layer[0].largest for layer in observe(model).layers]

    assert [ends(weight) for weight in (-5.0, -6.0, 0.0)] == [[5.0, 5.0], [2.0, 6.0], [2.0, 2.0]]


def test_without_gradients_cells_are_coloured_by_weight_and_the_legend_says_so():
    source = draw_network(DIGITS, example=PIXELS).source
    largest = max(abs(parameter.data) for parameter in DIGITS.parameters())
    assert f'BGCOLOR="{diverging(DIGITS.parameters()[0].data, largest)}"' in source
    assert "cell colour: weight; gradients are not computed" in source
    assert "∂" not in re.sub(r"penwidth.*", "", source)
    assert ("not computed") in tooltips(source)["hidden.neuron1.w[0]"][1]


def test_without_a_loss_the_gradients_that_parameters_hold_are_shown():
    model = MLP(2, [2, 1], seed=0)
    model.parameters()[0].grad = 0.25
    source = draw_network(model).source
    assert "∂ 0.25" in source
    assert "∂: the .grad that a parameter holds;  ∂ —: not computed" in source
    assert source.count("∂ —<") == len(model.parameters()) - 1


def test_a_parameter_that_no_path_joins_to_the_loss_is_told_apart_from_a_zero():
    model = Layer(2, 2, activation="sigmoid", seed=0)
    said = tooltips(draw_network(model, example=[0.0, 1.0], loss=lambda outputs: outputs[0] * 2).source)
    assert said["neuron1.w[0]"][1] == "0"
    assert said["neuron2.w[0]"][1] == "not computed"


def test_outputs_show_softmax_shares_only_for_logits_of_a_choice():
    assert ">softmax<" in draw_network(DIGITS, example=PIXELS).source
    assert ">softmax<" not in draw_network(LECTURE, example=PIXELS).source
    assert ">softmax<" not in draw_network(MLP(2, [3, 1]), example=[1, 2]).source
    assert draw_network(DIGITS, example=PIXELS).source.count(">largest<") == 1


def test_the_loss_stands_at_the_end():
    source = draw_network(DIGITS, example=PIXELS, loss=digit_loss).source
    assert f">{number_text(digit_loss(DIGITS(PIXELS)).data, 4)}<" in source
    assert "\tloss [" not in draw_network(DIGITS, example=PIXELS).source


def test_the_picture_leaves_the_model_as_it_was():
    model = MLP(4, [3, 2], seed=0).eval()
    model.parameters()[1].grad = 7.0
    model.parameters()[2].label = "mine"
    example = [Value(1.0, "pixel"), 2, 3.0, True]

    def state():
        values = [*model.parameters(), example[0]]
        modes = [model.training, *(layer.training for layer in model.layers)]
        return [(id(v), v.data, v.grad, v.has_grad, v.label, v.op, v.parents) for v in values], modes

    before = state()
    draw_network(model, example=example, loss=lambda outputs: cross_entropy(outputs, 1))
    draw_network(model, example=example)
    draw_network(model)
    assert state() == before


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_is_drawn(theme):
    source = draw_network(DIGITS, example=PIXELS, loss=digit_loss, theme=theme).source
    assert THEMES[theme].background in source
    assert THEMES[theme].card in source


def test_no_number_is_written_as_minus_zero_or_rounded_to_zero():
    model = MLP(2, [2, 2], initializer=lambda *_: -0.0000123, seed=0)
    model.parameters()[0].data = -0.0
    source = draw_network(model, example=[-0.0, 1e-9], loss=lambda y: y[0] * -0.0 + y[1]).source
    assert not re.search(r"-0(\.0+)?[ <\"]", source)
    assert "-1.23e-05" in source


def test_numbers_that_are_not_finite_are_drawn():
    model = Neuron(3, seed=0, activation="tanh")
    for value, data in zip(model.w, (math.nan, math.inf, 1.0), strict=True):
        value.data = data
    source = draw_network(model).source
    assert ">nan<" in source
    assert ">inf<" in source
    assert "penwidth=0.40" in source


SHAPES = [
    (Neuron(1), None, 1), (Neuron(2), None, 2), (Neuron(49), None, 7), (Neuron(49), (49,), 7), (Neuron(16), None, 4),
    (Neuron(10), None, 5), (Neuron(13), None, 4), (Neuron(8), (4, 2), 2), (Neuron(8), [1, 8], 8),
]  # fmt: skip


@pytest.mark.parametrize(("model", "shape", "columns"), SHAPES)
def test_weights_lie_as_the_inputs_lie(model, shape, columns):
    source = draw_network(model, input_shape=shape).source
    rows = re.findall(r"<TR>((?:<TD[^>]*>(?:<[^>]+>)*[wx]\[\d+\]</FONT>.*?</TD>)+)</TR>", source)
    counts = [row.count("[") // row.count("TITLE=") and row.count("TITLE=") for row in rows]
    assert max(counts) == columns
    assert sum(counts) == 2 * model.inputs
    assert columns_for(model.inputs, shape if shape and len(shape) == 2 else None) == columns


@pytest.mark.parametrize("shape", [(7, 8), (49, 1, 1), (-7, -7), "77", 7, (0, 49), (3.5, 14)])
def test_a_shape_that_does_not_hold_the_inputs_is_refused(shape):
    with pytest.raises(
        ValueError, match=r"input_shape is \(rows, columns\) that hold 49 inputs, as \(7, 7\) holds 49; got "
    ):
        draw_network(Neuron(49), input_shape=shape)


def test_a_large_network_is_summarised_by_its_largest_gradients_and_the_rest_is_counted():
    model = MLP(784, [64, 10], activation="sigmoid", seed=0)
    example = [abs(math.sin(i)) for i in range(784)]
    full = observe(model, example, digit_loss)
    source = draw_network(model, example=example, loss=digit_loss).source
    assert draw_network(model, example=example, loss=digit_loss).source == source
    scene = summarised(full)
    assert [len(layer) for layer in scene.layers] == [6, 10]
    left_out = [card for card in full.layers[0] if card.id not in {c.id for c in scene.layers[0]}]
    assert scene.rests[0].count == len(left_out) == 58
    largest = {card.id: max(abs(p.gradient) for p in card.parameters()) for card in full.layers[0]}
    bound = float(re.search(r"\|∂\| ≤ (.*)", scene.rests[0].text)[1])
    assert (
        max(largest[card.id] for card in left_out) <= bound <= min(largest[card.id] for card in scene.layers[0]) * 1.1
    )
    assert f"… 58 more neurons,<BR/>|∂| ≤ {number_text(bound)}" in source
    for card in scene.layers[0]:
        sizes = sorted((abs(weight.gradient) for weight in card.weights), reverse=True)
        assert len(card.listed) == 8
        assert sorted((abs(card.weights[i].gradient) for i in card.listed), reverse=True) == sizes[:8]
        assert f"… 776 more, |∂| ≤ {at_most(sizes[8])}" in source
        assert tooltips(source)[f"{card.title}.w[783]"][0] == number_text(card.weights[783].value)
    assert "more" not in draw_network(Layer(1, 65), force=True).source
    assert ">largest<" in draw_network(Layer(3, 200), example=[1, 2, 3]).source


def test_a_map_says_where_its_own_colours_end():
    neuron = Neuron(1200, initializer=lambda *_: 0.5)
    neuron.b.data = 4.0
    source = draw_network(neuron).source
    assert source.count("a map has a scale of its own, below it") == 1
    assert [source.count(f">{end}</FONT>") for end in ("-0.5", "-4")] == [1, 1]
    assert "a map has" not in draw_network(Neuron(3)).source


def test_layers_in_the_middle_of_a_deep_network_are_counted():
    model = MLP(2, [8] * 40, seed=0)
    scene = summarised(observe(model))
    assert [len(layer) for layer in scene.layers] == [8] * 4 + [0] + [8] * 3
    assert scene.rests[4].text.startswith("more layers with 264 neurons, each number of them ≤ ")
    through = [(edge.tail, edge.head) for edge in scene.edges if edge.summed]
    assert through == [(f"layer3_neuron{i}", "rest4") for i in range(8)] + [
        ("rest4", f"layer37_neuron{i}") for i in range(8)
    ]
    assert "… 33 more layers" in draw_network(model).source


@pytest.mark.parametrize("x", [0.003141, 0.0, 1.0, 99.2, 1e-300, math.inf, 0.1])
def test_a_bound_is_never_below_what_it_bounds(x):
    assert float(at_most(x)) >= x
    assert len(at_most(x)) < 9


def test_wrong_arguments_are_told_the_fix():
    model = MLP(2, [2, 1], seed=0)
    with pytest.raises(ValueError, match=r"a loss needs an example .*example=\[\.\.\.\]"):
        draw_network(model, loss=lambda y: y)
    with pytest.raises(TypeError, match=r"loss is a function of the model's outputs, such as .*got Value"):
        draw_network(model, example=[1, 2], loss=Value(1.0))
    with pytest.raises(TypeError, match=r"loss gives one Value computed from the model's outputs, got 3\.0"):
        draw_network(model, example=[1, 2], loss=lambda y: 3.0)
    with pytest.raises(ValueError, match=r"the input of MLP\(2, \[2, 1\], activation='relu'\) needs 2 numbers, got 3"):
        draw_network(model, example=[1, 2, 3])
    with pytest.raises(TypeError, match=r"the input of MLP.*at index 0"):
        draw_network(model, example=[[1, 2], [3, 4]])
    with pytest.raises(TypeError, match=r"draws an MLP, .* of them, got Value.*use draw_dot\(value\)"):
        draw_network(Value(1.0))
    with pytest.raises(TypeError, match=r"draws an MLP, .* of them, got .*give it a model such as MLP"):
        draw_network(Module())
    with pytest.raises(ValueError, match="unknown theme 'pink'"):
        draw_network(model, theme="pink")


def test_a_loss_that_no_output_leads_to_is_refused():
    model = MLP(2, [2, 1], seed=0)
    with pytest.raises(ValueError, match="no path leads from the model's outputs to the loss"):
        draw_network(model, example=[1, 2], loss=lambda y: Value(3.0))
    with no_grad(), pytest.raises(ValueError, match=r"draw outside of no_grad\(\)"):
        draw_network(model, example=[1, 2], loss=lambda y: y * 2)


def test_one_output_reaches_the_loss_as_the_value_itself():
    seen = []
    draw_network(MLP(2, [1], seed=0), example=[1, 2], loss=lambda y: seen.append(y) or y * 2)
    assert isinstance(seen[0], Value)


def test_an_activation_with_a_hostile_name_is_text():
    def activation(z):
        return z.tanh()

    activation.__name__ = 'x</TD>\\N&"'
    source = draw_network(Neuron(2, activation=activation), example=[1, 2]).source
    assert "x&lt;/TD&gt;" in source
    assert "x</TD>" not in source


@needs_dot
@pytest.mark.parametrize("theme", THEMES)
def test_graphviz_draws_every_number_in_a_landscape_where_no_edge_crosses_a_card(theme):
    source = draw_network(DIGITS, example=PIXELS, loss=digit_loss, theme=theme).source
    graph = json.loads(render(source, "json"))
    left, bottom, right, top = map(float, graph["bb"].split(","))
    assert right - left > top - bottom
    assert [node["name"] for node in graph["objects"]] == [
        "inputs", *(f"layer0_neuron{i}" for i in range(3)), *(f"layer1_neuron{i}" for i in range(10)),
        "outputs", "loss",
    ]  # fmt: skip
    assert len(graph["edges"]) == 3 + 30 + 10 + 1
    boxes = {node["_gvid"]: _box(node) for node in graph["objects"]}
    for edge in graph["edges"]:
        points = [tuple(map(float, p.split(",")[-2:])) for p in edge["pos"].split(" ")]
        tail, head = boxes[edge["tail"]], boxes[edge["head"]]
        assert all(tail[1] - 8 <= x <= head[0] + 8 for x, _ in points)  # 8 points: an arrow may touch a frame
    heights = [boxes[node["_gvid"]][2] for node in graph["objects"] if node["name"].startswith("layer1")]
    assert heights == sorted(heights, reverse=True)
    svg = "".join(t.text or "" for t in ET.fromstring(render(source, "svg")).iter("{http://www.w3.org/2000/svg}text"))
    for parameter in DIGITS.parameters():
        assert number_text(parameter.data, 3) in svg


def _box(node):
    x, y = map(float, node["pos"].split(","))
    width = 36.0 * float(node["width"])
    return x - width, x + width, y


def test_paint_ignores_what_is_not_finite():
    model = Neuron(2, seed=0)
    model.w[0].data = math.inf
    scene = observe(model)
    assert Paint(scene, THEMES["light"]).ends == {"neuron": abs(model.w[1].data)}


# Batch normalization


def normalized_model(**options):
    """An MLP whose running statistics, scales and shifts are no longer those of the start."""
    model = MLP(2, [3, 2], seed=0, batch_norm=True, **options)
    for _ in range(3):
        model([[1.0, -2.0], [0.5, 3.0], [-1.5, 0.25]])
    norm = model.layers[0].batch_norm
    for i, (scale, shift) in enumerate(zip(norm.scale, norm.shift, strict=True)):
        scale.data, shift.data = 0.5 + i, 0.25 - i
    return model


def test_a_normalized_neuron_shows_every_number_of_its_batch_norm():
    model = normalized_model()
    root = digit_loss_of_1(model.eval()([1.0, 2.0]))
    gradient, norm = gradients(root), model.layers[0].batch_norm
    source = draw_network(model.train(), example=[1.0, 2.0], loss=digit_loss_of_1).source
    said, lines = tooltips(source), cards(source)
    for name, parameter in model.named_parameters():
        assert said[name] == (number_text(parameter.data), number_text(gradient[parameter])), name
    for i, neuron in enumerate(model.layers[0].neurons):
        text = lines[f"hidden.neuron{i + 1}"]
        z = neuron.weighted_sum([1.0, 2.0]).data
        mu, variance = norm.running_mean[i], norm.running_variance[i]
        standard = (z - mu) / math.sqrt(variance + norm.epsilon)
        normalized = standard * norm.scale[i].data + norm.shift[i].data
        for words, number in {
            "scale γ": norm.scale[i].data,
            "shift β": norm.shift[i].data,
            "z = Σ w·x + b": z,
            "ẑ = norm z": standard,
            "y = γ·ẑ + β": normalized,
            "relu(y)": max(0.0, normalized),
        }.items():
            assert text[text.index(words) + 1] == number_text(number, 3)
        assert any(f"μ {number_text(mu, 3)}, σ² {number_text(variance, 3)}" in line for line in text)
    assert not any("norm" in line for line in lines["output.neuron1"])


def digit_loss_of_1(outputs):
    return cross_entropy(outputs, 1)


def test_the_scene_of_a_normalized_network_is_the_network_in_evaluation_mode():
    model = normalized_model(dropout=0.5)
    scene = observe(model, [1.0, 2.0], digit_loss_of_1)
    outputs = model.eval()([1.0, 2.0])
    assert [output.value for output in scene.outputs] == [output.data for output in outputs]
    assert scene.loss == digit_loss_of_1(outputs).data
    assert len(list(scene.parameters())) == len(model.parameters())


def test_without_an_example_a_normalized_neuron_shows_its_parameters_and_statistics():
    norm = observe(normalized_model()).layers[0][1].norm
    assert [p.name for p in norm.parameters] == ["hidden.batch_norm.scale[1]", "hidden.batch_norm.shift[1]"]
    assert [p.value for p in norm.parameters] == [1.5, -0.75]
    assert norm.statistics != (0.0, 1.0)
    assert norm.output.value is norm.standard is None


def test_a_layer_alone_shows_its_batch_norm_under_its_name_there():
    layer = Layer(2, 2, batch_norm=True, seed=0)
    layer.batch_norm = BatchNorm(2, affine=False)
    figure = draw_network(layer, example=[1.0, 2.0])
    source = figure.source
    assert "ẑ = norm z" in source
    assert "relu(ẑ)" in source
    assert "y =" not in source + figure.text
    assert "scale" not in source
    assert "batch_norm.shift[1] = 0" in draw_network(Layer(2, 2, batch_norm=True)).source


def test_a_picture_changes_no_statistics_no_mask_and_no_generator():
    model = normalized_model(dropout=0.5)
    state, mask = model.state(), model.layers[0].dropout.mask
    draw_network(model, example=[1.0, 2.0], loss=digit_loss_of_1)
    assert all((array == model.state()[name]).all() for name, array in state.items())
    assert model.layers[0].dropout.mask is mask
    assert all(part.training for _, part in model.modules())


def test_a_sequential_is_drawn_as_the_mlp_that_it_is():
    layers = [Layer(2, 3, activation="tanh", batch_norm=True, dropout=0.5, seed=0), Neuron(3, seed=1)]
    first = Layer(2, 3, activation="linear", seed=0)
    parts = Sequential(first, BatchNorm(3), "tanh", Dropout(0.5, seed=0), Sequential(layers[1]))
    whole = Sequential(*layers)
    for options in {"example": [1.0, 2.0]}, {"batch": [[1.0, 2.0], [0.0, -1.0]], "row": 1}:
        loss = (lambda y: y * y) if "example" in options else (lambda y: y[0] * y[1])
        layers[0].dropout.mask = parts[3].mask = [[2.0, 0.0, 2.0], [0.0, 2.0, 2.0]]
        one, other = (draw_network(model, loss=loss, **options).text.split("\n")[1:] for model in (parts, whole))
        named = "\n".join(other).replace("layer1.batch_norm", "batchnorm2")
        assert "\n".join(one) == named.replace("\nneuron2: relu", "\nsequential5.neuron1: relu")
    model = parts.eval()
    assert f"output = {number_text(model([1.0, 2.0]).data)}" in draw_network(model, example=[1.0, 2.0]).text
    assert draw_neuron(first.neurons[1], [1.0, 2.0], model=model).text.startswith("layer1.neuron2 of Sequential(")


def test_other_networks_are_drawn_as_graphs():
    model = Sequential(Layer(2, 2), BatchNorm(2))
    with pytest.raises(TypeError, match=r'batchnorm2 of Sequential.* elsewhere; .* activation="linear"'):
        draw_network(model)
    with pytest.raises(TypeError, match=r"BatchNorm\(2\) stands elsewhere; .*draw_dot\(loss\)"):
        draw_network(model[1])
    assert "relu" in draw_dot(sum(model([[1.0, 2.0], [0.5, -1.0]])[0])).source


@needs_dot
def test_no_hairline_of_the_card_parts_the_cells_of_a_bias():
    layer = Layer(2, 1, seed=0)
    layer.neurons[0].b.data = 100.0  # no other cell has its colour
    drawn = render(draw_network(layer, theme="dark").source, "svg").decode()
    points = re.findall(rf'<polygon fill="{diverging(1.0, 1.0)}"[^>]*points="([^"]*)"', drawn)
    _, *cells = [
        [float(place.split(",")[0]) for place in cell.split()] for cell in points
    ]  # first the end of the scale
    assert len(cells) == 4
    assert all(max(left) > min(right) for left, right in pairwise(cells))


@needs_dot
@pytest.mark.parametrize("theme", THEMES)
def test_graphviz_draws_a_normalized_network(theme):
    figure = draw_network(normalized_model(), example=[1.0, 2.0], loss=digit_loss_of_1, theme=theme)
    graph = json.loads(render(figure.source, "json"))
    assert len(graph["objects"]) == 1 + 3 + 2 + 2


def test_a_model_that_computes_something_else_is_not_drawn_as_if_it_did_not():
    class Forward(MLP):
        def forward(self, x):
            return [2.0 * y for y in super().forward(x)]

    class Call(MLP):
        def __call__(self, x):
            return [2.0 * y for y in super().__call__(x)]

    for kind in (Forward, Call):
        with pytest.raises(TypeError, match=f"{kind.__name__} has a forward of its own, which cards cannot show; draw"):
            draw_network(kind(2, [2, 2], seed=0), example=[0.5, 1.0])
