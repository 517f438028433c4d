"""draw_activation: the function, its derivative, its kinks and the points on it."""

import math
import re
import shutil
import xml.etree.ElementTree as ET

import pytest

from autograd_mini import Value, grad, maximum
from autograd_mini.number import number_text
from nn import ACTIVATIONS, MLP, Layer, Neuron
from viz import Figure, draw_activation
from viz.colors import THEMES
from viz.curve import _spread, _ticks

SVG = "{http://www.w3.org/2000/svg}"
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is drawn")
KINKS = {"relu": (0, 1, 0), "leaky_relu": (0.01, 1, 0.01)}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_drawn_with_its_kinks_and_no_others(name, theme):
    chart = draw_activation(name, at=[-2.0, 0.7], theme=theme)
    function = ACTIVATIONS[name]
    lines = chart.text.split("\n")
    for x in (-2.0, 0.7):
        slope = grad(function)(x)
        assert f"at {x:g}: {name} = {number_text(float(function(x)))}, derivative {number_text(slope)}" in lines
    kinks = [line for line in lines if line.startswith("kink")]
    if name in KINKS:
        left, right, taken = KINKS[name]
        assert kinks == [
            f"kink at 0: the slope is {left} on the left and {right} on the right, and is taken as {taken} there"
        ]
    else:
        assert kinks == []
    assert THEMES[theme].background in chart.source


def test_kinks_of_a_function_of_ones_own_are_found_where_they_are():
    def hinge(z):
        return maximum(z - 1.0, 0.0) + abs(z + 2.0)

    lines = draw_activation(hinge).text.split("\n")
    assert [line.partition(":")[0] for line in lines[1:]] == ["kink at -2", "kink at 1"]
    assert "slope is -1 on the left and 1 on the right, and is taken as 0" in lines[1]
    assert "slope is 1 on the left and 2 on the right, and is taken as 1.5" in lines[2]


@pytest.mark.parametrize("k", range(-79, 80, 2))
def test_a_kink_between_two_samples_is_found_once(k):
    text = draw_activation(lambda z: maximum(z, 0.05 * k)).text
    assert text.count("kink at") == 1


def test_a_smooth_function_in_two_branches_has_no_kink():
    assert "kink" not in draw_activation(lambda z: z * abs(z)).text


def test_the_neurons_of_a_layer_stand_on_its_function():
    layer = Layer(3, 4, activation="sigmoid", seed=0)
    text = draw_activation(layer, [1.0, -1.0, 2.0]).text
    for i, neuron in enumerate(layer.neurons, 1):
        z = neuron.weighted_sum([1.0, -1.0, 2.0]).data
        assert f"neuron{i} at {number_text(z)}: sigmoid = {number_text(neuron([1.0, -1.0, 2.0]).data)}, " in text
    assert "neuron at 3: relu = 3" in draw_activation(Neuron(1, initializer=lambda *_: 1.5), [2.0]).text


def test_after_batch_norm_the_normalized_sums_are_what_the_function_sees():
    layer = Layer(2, 2, batch_norm=True, seed=0)
    for _ in range(5):
        layer([[1.0, 2.0], [3.0, -1.0], [0.0, 1.0]])
    z = layer.batch_norm.eval().forward([[n.weighted_sum([1.0, 2.0]) for n in layer.neurons]])[0][1]
    assert f"neuron2 at {number_text(float(z))}" in draw_activation(layer, [1.0, 2.0]).text


def test_points_may_have_names_and_be_far_away():
    chart = draw_activation("tanh", {"a <b> & c": 100.0, "d": -0.0})
    assert "a <b> & c at 100: tanh = 1, derivative 5.53559e-87" in chart.text
    assert "d at 0: tanh = 0, derivative 1" in chart.text
    assert "a &lt;b&gt; &amp; c" in chart.source
    assert draw_activation("tanh", Value(2.0, "z")).text.endswith("z at 2: tanh = 0.964028, derivative 0.0706508")
    assert "at 0.5" in draw_activation("tanh", 0.5).text


def test_a_point_is_seen_on_both_curves_where_they_meet():
    source = draw_activation("relu", at=[-1.0, 0.0]).source  # relu and its derivative are 0 at both, one is the kink
    for point in ("point 1", "point 2"):
        marks = [line for line in source.splitlines() if f'tooltip="{point}"' in line]
        lower, upper = (float(re.search(r" width=([\d.]+)", line)[1]) for line in marks)
        (place,) = {re.search(r'pos="([^"]*)"', line)[1] for line in marks}
        assert lower > 1.5 * upper
    (kink,) = [line for line in source.splitlines() if "shape=square" in line]
    assert f'pos="{place}"' in kink
    assert float(re.search(r" width=([\d.]+)", kink)[1]) > lower


def test_many_points_are_listed_as_far_as_the_page_goes_and_the_rest_is_counted():
    chart = draw_activation("tanh", [i / 10 for i in range(40)])
    assert "… 21 more points" in chart.source
    assert "more points" not in draw_activation("tanh", [i / 10 for i in range(20)]).source
    assert chart.text.count("\n") == 40


@pytest.mark.parametrize(("low", "high"), [(-4.2, 4.2), (0.0, 1e-9), (-1e12, 3.0), (-0.05, 1.05)])
def test_ticks_are_round_and_inside(low, high):
    ticks = _ticks(low, high, 6)
    assert 2 <= len(ticks) <= 8
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)


def test_wrong_arguments_are_told_the_fix():
    with pytest.raises(ValueError, match="tanhh"):
        draw_activation("tanhh")
    with pytest.raises(TypeError, match=r"draws one layer or neuron, got MLP.*take model\.layers\[0\]"):
        draw_activation(MLP(2, [1]), [1, 2])
    with pytest.raises(ValueError, match=r"stands somewhere only for an example: draw_activation\(layer, \[0\.5, 1"):
        draw_activation(Layer(2, 2))
    with pytest.raises(ValueError, match="the point inf is inf, which is on no chart; leave it out"):
        draw_activation("relu", [math.inf])
    with pytest.raises(TypeError, match="a point needs one real number, got the text"):
        draw_activation("relu", ["1"])
    with pytest.raises(TypeError, match=r"the activation <lambda> must return a Value, got 1\.0"):
        draw_activation(lambda z: 1.0)
    layer = Layer(2, 2)
    layer.neurons[0].activation = ACTIVATIONS["tanh"]
    with pytest.raises(ValueError, match="have different functions, tanh, relu; draw them one by one"):
        draw_activation(layer, [1, 2])


def test_what_is_nowhere_on_the_chart_leaves_a_gap():
    chart = draw_activation(lambda z: z.log(), at=[-1.0, 2.0])
    assert "nan" not in chart.source.replace("nan</FONT>", "")
    assert "<lambda> = nan" in chart.text


def test_a_kink_at_a_sample_and_a_curve_of_no_height_are_drawn():
    assert draw_activation(lambda z: abs(z - 1.4) + abs(z + 1.4)).text.count("kink") == 2
    assert draw_activation(lambda z: z * 1e-30, at=[1e-5]).source.count("1e-30") > 0


@needs_dot
@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_a_chart_is_a_figure_as_large_as_its_page(tmp_path, suffix):
    chart = draw_activation("relu", at=[1.0])
    assert isinstance(chart, Figure)
    assert repr(chart).startswith("Figure(relu and its derivative, ")
    picture = chart.save(tmp_path / f"relu{suffix}").read_bytes()
    width, height = re.search(r'bb="0,0,([\d.]+),([\d.]+)"', chart.source).groups()
    if suffix == ".svg":
        assert f'width="{round(float(width))}pt" height="{round(float(height))}pt"'.encode() in picture
    if suffix == ".png":
        pixels = int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])
        assert pixels == pytest.approx((float(width) * 192 / 72, float(height) * 192 / 72), abs=2)


def test_the_points_on_the_list_are_numbered_and_their_numbers_stand_apart():
    at = [i / 100 for i in range(40)]
    text = re.sub(r"<[^>]*>", "|", draw_activation("tanh", at).source)
    assert [text.count(f"|{i}|") for i in (7, 10, 19, 20)] == [2, 2, 2, 0]
    assert "21 more points" in text
    assert _spread([5.0, 5.0, 5.0, 100.0], 0.0, 200.0) == [0.0, 15.0, 30.0, 100.0]
    assert _spread([100.0, 104.0], 0.0, 104.0) == [89.0, 104.0]
    assert _spread([20.0, 50.0, 52.0, 54.0], 0.0, 200.0) == [14.5, 37.0, 52.0, 67.0]


@needs_dot
@pytest.mark.parametrize("at", [[], [0.5], {f"a long name of {i}": i / 3 for i in range(30)}])
def test_no_text_of_a_chart_lies_outside_its_page(at):
    root = ET.fromstring(draw_activation("leaky_relu", at).svg())
    width, height = map(float, root.get("viewBox").split()[2:])
    found = list(root.iter(f"{SVG}text"))
    assert len(found) > 15
    for text in found:
        x, y, size = float(text.get("x")), -float(text.get("y")), float(text.get("font-size"))
        assert 0.0 <= x <= width - 0.5 * size * len(text.text)
        assert 0.2 * size <= y <= height - size
