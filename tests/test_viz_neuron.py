"""draw_neuron: the products of one neuron, and the way from their sum to the output."""

import html
import json
import math
import re
import shutil

import pytest

from autograd_mini import gradients
from autograd_mini.number import number_text
from nn import MLP, Layer, Neuron, cross_entropy
from viz import draw_neuron
from viz.colors import THEMES
from viz.render import render

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is parsed")


def lines_of(source):
    return html.unescape(re.sub(r"(<[^>]+>)+", "\n", source)).split("\n")


def test_each_cell_has_weight_input_product_and_gradient():
    neuron = Neuron(4, activation="sigmoid", seed=3)
    x = [1.0, -0.5, 0.0, 2.0]
    table = gradients((neuron(x) - 1.0) ** 2)
    lines = lines_of(draw_neuron(neuron, x, loss=lambda y: (y - 1.0) ** 2, input_shape=(2, 2)).source)
    for i, (w, value) in enumerate(zip(neuron.w, x, strict=True)):
        at = lines.index(f"w[{i}] {number_text(w.data, 3)}")
        assert lines[at + 1 : at + 4] == [
            f"× x[{i}] {number_text(value, 3)}",
            number_text(w.data * value, 3),
            f"∂ {number_text(table[w], 3)}",
        ]


def test_the_sum_stands_against_the_threshold():
    neuron = Neuron(2, activation="sigmoid", initializer=lambda *_: 10.0)
    neuron.b.data = -15.0
    for x, words, state in (([1, 1], "20 > -b = 15", "active"), ([1, 0], "10 ≤ -b = 15", "not active")):
        lines = lines_of(draw_neuron(neuron, x).source)
        assert words in lines
        assert state in lines
    assert "-b" not in draw_neuron(Neuron(2, activation="tanh"), [1, 1]).source


def test_a_neuron_is_drawn_at_work_in_its_model():
    model = MLP(3, [2, 2], activation="sigmoid", seed=0)
    neuron = model.layers[1].neurons[1]
    hidden = [n([1, 0, 2]).data for n in model.layers[0].neurons]
    figure = draw_neuron(neuron, [1, 0, 2], model=model, loss=lambda y: cross_entropy(y, 1))
    lines = lines_of(figure.source)
    assert f"× hidden.neuron2 {number_text(hidden[1], 3)}" in lines
    assert f"∂ {number_text(gradients(cross_entropy(model([1, 0, 2]), 1))[neuron.b], 3)}" in lines
    assert "output -> loss\n" in figure.source
    first = draw_neuron(model.layers[0].neurons[0], [1, 0, 2], model=model, loss=lambda y: cross_entropy(y, 1))
    assert re.search(r"output -> loss \[.*style=dotted", first.source)
    assert "dotted: by way of later layers" in first.source
    assert "dotted" not in figure.source
    assert "hidden.neuron1: sigmoid" in first.text
    assert "output.neuron1" not in first.text


def test_a_neuron_after_batch_norm_shows_it():
    layer = Layer(2, 2, batch_norm=True, seed=0)
    layer.batch_norm.scale[0].data, layer.batch_norm.shift[0].data = 2.0, -0.5
    z = layer.neurons[0].weighted_sum([1, 2]).data
    lines = lines_of(draw_neuron(layer.neurons[0], [1, 2], model=layer, loss=lambda y: y[0] + y[1]).source)
    standard = z / math.sqrt(1.0 + layer.batch_norm.epsilon)
    for words, number in (("ẑ = norm z", standard), ("y = γ·ẑ + β", 2.0 * standard - 0.5)):
        at = lines.index(words)
        assert number_text(number, 3) in lines[at : at + 6]
    assert "γ 2, β -0.5" in lines
    assert "relu(y)" in lines
    assert "μ 0, σ² 1" in lines


def test_many_inputs_are_mapped_and_the_largest_listed():
    neuron = Neuron(400, activation="linear", seed=0)
    figure = draw_neuron(neuron, [math.sin(i) for i in range(400)], loss=lambda y: y * 2)
    assert figure.source.count("× x[") == 8
    assert "… 392 more, |∂| ≤ 2" in figure.source
    assert figure.source.count('TITLE="neuron.w[') == 408


def test_marks_are_written_and_counted():
    figure = draw_neuron(Neuron(2, activation="tanh", seed=0), [1, 0], loss=lambda y: y**2, marks=True)
    assert "marks: 4 ✓ agrees with finite differences;  1 ○ zero, and finite differences agree" in figure.source


def test_wrong_arguments_are_told_the_fix():
    layer = Layer(2, 2, seed=0)
    with pytest.raises(TypeError, match=r"draw_neuron opens one Neuron, got Layer.*take one of its neurons, layer\."):
        draw_neuron(layer, [1, 2])
    with pytest.raises(TypeError, match=r"draw_neuron opens one Neuron, got 3; give it a Neuron, or draw_network"):
        draw_neuron(3, [1, 2])
    with pytest.raises(
        ValueError, match=r"draw_neuron shows w·x, so it needs x: draw_neuron\(neuron, \[0\.5, 1\.0\]\)"
    ):
        draw_neuron(layer.neurons[0], None)
    with pytest.raises(ValueError, match=r"Neuron\(2, activation='relu'\) is no part of Layer\(2, 2"):
        draw_neuron(Neuron(2), [1, 2], model=layer)
    with pytest.raises(ValueError, match="needs 2 numbers, got 3; give model=, the network"):
        draw_neuron(layer.neurons[0], [1, 2, 3])


@needs_dot
@pytest.mark.parametrize("theme", THEMES)
def test_graphviz_draws_it(theme):
    neuron = Neuron(4, activation="sigmoid", seed=0)
    source = draw_neuron(neuron, [1, 2, 3, 4], loss=lambda y: y**2, theme=theme, marks=True).source
    names = [node["name"] for node in json.loads(render(source, "json"))["objects"]]
    assert names == ["products", "sum", "bias", "z", "output", "loss"]
