"""draw_network in training mode: the batch's statistics, the mask, the gradients of the training step."""

import math
import re

import numpy as np
import pytest

from autograd_mini import Value, gradients
from autograd_mini.number import number_text
from nn import MLP, Layer, Neuron, cross_entropy
from viz import draw_network, draw_neuron
from viz.observing import observe

BATCH = [[1.0, -2.0, 0.5, 0.0], [0.5, 3.0, 1.0, 1.0], [-1.5, 0.25, 0.0, 2.0]]


def batch_loss(rows):
    return cross_entropy(rows, [0, 1, 2])


def trained(**options):
    model = MLP(4, [5, 3], seed=0, **options)
    outputs = model(BATCH)
    return model, outputs


def test_the_scene_is_the_last_training_pass_mask_and_all():
    model, outputs = trained(batch_norm=True, dropout=0.5)
    loss = batch_loss(outputs)
    table = gradients(loss)
    mask = model.layers[0].dropout.mask
    scene = observe(model, batch=BATCH, row=1, loss=batch_loss)
    assert scene.loss == loss.data
    assert [output.value for output in scene.outputs] == [output.data for output in outputs[1]]
    shown = [p.gradient for layer in scene.layers for card in layer for p in (*card.weights, card.bias)]
    expected = [table.get(p) for layer in model.layers for neuron in layer.neurons for p in (*neuron.w, neuron.b)]
    assert shown == pytest.approx(expected, rel=1e-12, abs=1e-15)
    for card, factor in zip(scene.layers[0], mask[1], strict=True):
        assert card.dropped.factor == factor
        assert card.dropped.output.value == card.output.value * factor
    assert "training mode: row 1 of a batch of 3" in scene.notes
    assert "dropout p = 0.5: the mask of the last batch" in scene.notes
    assert scene.layers[1][0].dropped is None


def test_the_loss_of_a_batch_is_told_from_one_of_the_row_shown():
    model, _ = trained()
    figure = draw_network(model, batch=BATCH, row=1, loss=batch_loss)
    number = batch_loss(model(BATCH)).data
    assert f"loss of the batch of 3 = {number_text(number)}" in figure.text.split("\n")
    assert ">loss of the batch of 3<" in re.sub(r"</?B>", "", figure.source)
    assert "L the loss of the batch of 3" in figure.source
    alone = draw_network(model, example=BATCH[1], loss=lambda y: cross_entropy(y, 1))
    assert "of the batch" not in alone.source + alone.text


def test_a_fresh_model_shows_the_mask_that_comes_next():
    model = MLP(4, [5, 3], seed=0, dropout=0.5)
    scene = observe(model, batch=BATCH, row=1)
    assert "dropout p = 0.5: the mask that comes next" in scene.notes
    model(BATCH)
    assert [card.dropped.factor for card in scene.layers[0]] == model.layers[0].dropout.mask[1]


def test_a_batch_of_another_size_gets_the_mask_that_comes_next():
    model, _ = trained(dropout=0.5)
    scene = observe(model, batch=BATCH[:2], row=1)
    assert "dropout p = 0.5: the mask that comes next" in scene.notes
    model(BATCH[:2])
    assert [card.dropped.factor for card in scene.layers[0]] == model.layers[0].dropout.mask[1]


def test_the_statistics_of_the_batch_stand_beside_the_running_ones():
    model, _ = trained(batch_norm=True)
    norm = model.layers[0].batch_norm
    norm.scale[2].data, norm.shift[2].data = 2.0, -0.5
    card = observe(model, batch=BATCH).layers[0][2]
    zs = [model.layers[0].neurons[2].weighted_sum(row).data for row in BATCH]
    centre = sum(zs) / 3
    variance = sum((z - centre) ** 2 for z in zs) / 3
    assert card.norm.of_batch == pytest.approx((centre, variance), rel=1e-12)
    assert card.norm.statistics == (norm.running_mean[2], norm.running_variance[2])
    standard = (zs[0] - centre) / math.sqrt(variance + norm.epsilon)
    assert card.norm.standard == pytest.approx(standard, rel=1e-12)
    assert card.norm.output.value == pytest.approx(2.0 * standard - 0.5, rel=1e-12)
    figure = draw_network(model, batch=BATCH)
    source = figure.source
    assert f"  ẑ = {number_text(card.norm.standard)}" in figure.text.split("\n")
    assert f"  y = γ·ẑ + β = {number_text(card.norm.output.value)}" in figure.text.split("\n")
    assert f"batch μ {number_text(centre, 3)}, σ² {number_text(variance, 3)}" in source
    assert "running μ" in source


def test_a_dropped_neuron_is_told_by_a_word_and_a_dashed_frame():
    model, _ = trained(dropout=0.5)
    model.layers[0].dropout.mask = [[0.0, 2.0, 2.0, 2.0, 2.0]] * 3
    figure = draw_network(model, batch=BATCH, row=2)
    assert figure.source.count("× 0: dropped") == figure.source.count('STYLE="dashed"') == 1
    assert figure.source.count("× 2: kept") == 4
    assert "hidden.neuron1  dropped" in figure.source
    assert "dropout = 0: dropped, × 0" in figure.text


def test_a_picture_of_training_changes_nothing():
    model, _ = trained(batch_norm=True, dropout=0.5)
    model.layers[0].eval()
    modes = [part.training for _, part in model.modules()]
    state, mask = model.state(), model.layers[0].dropout.mask
    draw_network(model, batch=BATCH, loss=batch_loss)
    draw_network(model, batch=BATCH[:2])
    assert all((array == model.state()[name]).all() for name, array in state.items())
    assert model.layers[0].dropout.mask is mask
    assert [part.training for _, part in model.modules()] == modes


def test_evaluation_mode_says_what_it_leaves_out():
    model, _ = trained(batch_norm=True, dropout=0.5)
    note = "evaluation mode: batch norm goes by its running statistics, dropout leaves nothing out"
    assert note in draw_network(model, example=BATCH[0]).source
    assert "mode" not in draw_network(MLP(2, [1]), example=[1.0, 2.0]).source
    assert "dropped" not in draw_network(model, example=BATCH[0]).source


def test_wrong_batches_are_told_the_fix():
    model = Layer(2, 2, seed=0)
    with pytest.raises(ValueError, match=r"example= is run in evaluation mode and batch= in training mode; give one"):
        draw_network(model, example=[1, 2], batch=[[1, 2]])
    with pytest.raises(ValueError, match=r"batch is one row of 2 numbers; give a list of rows, batch=\[row\]"):
        draw_network(model, batch=[1, 2])
    scene = observe(model, batch=[[1, 2], [3, 4]], row=np.int64(1))
    assert scene.notes[0] == "training mode: row 1 of a batch of 2"
    for row in (2, -1, 0.5, True):
        with pytest.raises(ValueError, match=rf"row is {row}, but must be a row of the batch, 0 to 1"):
            draw_network(model, batch=[[1, 2], [3, 4]], row=row)
    with pytest.raises(ValueError, match="cannot take the variance of a batch of one row"):
        draw_network(Layer(2, 2, batch_norm=True), batch=[[1, 2]])


# Edges


def test_edges_show_the_sign_of_what_they_stand_for_in_a_colour_and_a_dash():
    model = MLP(2, [2, 1], initializer=lambda *_: 0.5)
    model.layers[1].neurons[0].w[1].data = -0.5
    scene = observe(model, [4.0, 1.0], lambda y: y**2, edges="contribution")
    signs = {(edge.tail, edge.head): edge.sign for edge in scene.edges}
    assert signs[("layer0_neuron0", "layer1_neuron0")] == 1
    assert signs[("layer0_neuron1", "layer1_neuron0")] == -1
    source = draw_network(model, example=[4.0, 1.0], edges="contribution").source
    assert source.count("style=dashed") == 1
    assert "dashed edges: Σ w·x below 0" in source
    assert "edge thickness: Σ|w·x| over it" in source


def test_the_legend_says_what_of_a_dashed_edge_is_below_zero():
    model = MLP(2, [2, 2], initializer=lambda *_: -0.5)
    assert "dashed edges: Σ w below 0" in draw_network(model).source
    assert (
        "dashed edges: ∂L/∂z below 0" in draw_network(model, example=[4, 1], loss=lambda y: cross_entropy(y, 0)).source
    )


def test_wrong_edges_are_told_the_fix():
    with pytest.raises(ValueError, match="edges are drawn by 'gradient' or by 'contribution', got 'width'"):
        draw_network(MLP(2, [1]), edges="width")
    with pytest.raises(ValueError, match=r'edges="gradient" needs a loss to differentiate: give loss=.*contribution'):
        draw_network(MLP(2, [1]), example=[1, 2], edges="gradient")


# Text


def test_the_text_has_every_number_of_the_picture():
    model = MLP(3, [2, 2], activation="sigmoid", seed=0)
    figure = draw_network(model, example=[1, 0, 2], loss=lambda y: cross_entropy(y, 1), marks=True)
    table = gradients(cross_entropy(model([1, 0, 2]), 1))
    assert len(table) > 0
    lines = figure.text.split("\n")
    for neuron in model.layers[0].neurons:
        activity = neuron.activity([1, 0, 2])
        line = f"  Σ w·x = {number_text(activity.sum)}, threshold -b = {number_text(activity.threshold)}"
        assert line in lines
    assert sum(line.startswith("  w[") for line in lines) == 3 * 2 + 2 * 2
    assert sum("(agrees with finite differences)" in line for line in lines) > 10
    assert lines[-1].startswith("marks: ")


def test_the_text_of_many_inputs_is_their_range_and_the_largest():
    model, x = MLP(784, [3, 2], seed=0), [i / 783 for i in range(784)]
    lines = draw_network(model, example=x).text.split("\n")
    assert lines[1:4] == ["784 inputs, 0 to 1; the largest:", "x[776] = 0.99106", "x[777] = 0.992337"]
    assert "… 776 inputs more, each number of them ≤ 0.99 in size" in lines
    assert sum(line.startswith("x[") for line in lines) == 8
    xs = [Value(number) for number in x]
    lines = draw_network(model, example=xs, loss=lambda y: cross_entropy(y, 1)).text.split("\n")
    table = gradients(cross_entropy(model(xs), 1))
    assert lines[1] == "784 inputs, 0 to 1; the largest gradients:"
    largest = max(range(784), key=lambda i: abs(table[xs[i]]))
    assert f"x[{largest}] = {number_text(x[largest])}, gradient {number_text(table[xs[largest]])}" in lines
    assert sum(line.startswith("x[") for line in draw_network(MLP(25, [1]), example=[0.5] * 25).text.split("\n")) == 25
    alone = draw_neuron(Neuron(49), [0.5] * 49).text
    assert sum(line.startswith("x[") for line in alone.split("\n")) == 49  # each is part of a product that is shown


def test_the_text_of_a_summary_counts_what_is_left_out():
    text = draw_network(MLP(30, [40, 20], seed=0)).text
    assert "… 34 more neurons, each number of them ≤ " in text
    assert "weights more, each number of them ≤ " in text
