"""The plots of viz.plots: what the artists on the Axes hold, not pixels. Without matplotlib, all are skipped."""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import viz
from autograd_mini import Value, cos, relu
from nn import (
    MLP,
    BatchNorm,
    Dataset,
    Dropout,
    History,
    Layer,
    Module,
    Neuron,
    Sequential,
    Trainer,
    blobs,
    cross_entropy,
    moons,
    predicted_class,
)
from nn.module import evaluating
from viz import plot_decision_boundary, plot_gradients_by_layer, plot_history, plot_weights

ROOT = Path(__file__).resolve().parent.parent
REASON = "plots need matplotlib: pip install autograd_mini[plots], or ./dev test --peers"
matplotlib: Any = pytest.importorskip("matplotlib", reason=REASON)


def a_history(epochs: int = 3) -> History:
    history = History()
    for i in range(epochs):
        numbers = {"loss": 1.0 / (i + 1), "accuracy": 0.5 + 0.1 * i}
        judged = {"validation_loss": 0.9 + 0.1 * abs(i - 1), "validation_accuracy": 0.625}
        history.add_epoch(numbers | judged | {"learning_rate": 0.1})
    return history


def after_backward(model: Any, width: int = 2) -> Any:
    cross_entropy(model([0.5] * width), 1).backward()
    return model


# Every plot there is, each with arguments that it draws: a plot added later must be added here.
PLOTS: dict[str, Callable[..., Any]] = {
    "plot_history": lambda **options: plot_history(a_history(), columns="loss", **options),
    "plot_decision_boundary": lambda **options: plot_decision_boundary(
        MLP(2, [3, 2], seed=0), moons(20, seed=0), resolution=10, **options
    ),
    "plot_weights": lambda **options: plot_weights(Neuron(6, seed=0), **options),
    "plot_gradients_by_layer": lambda **options: plot_gradients_by_layer(
        after_backward(MLP(2, [3, 2], seed=0)), **options
    ),
}
EVERY_PLOT = pytest.mark.parametrize("name", PLOTS)


@pytest.fixture
def pyplot() -> Iterator[Any]:
    """matplotlib.pyplot without windows; what a test draws is gone afterwards."""
    with matplotlib.rc_context():
        matplotlib.use("Agg")
        import matplotlib.pyplot as pyplot

        yield pyplot
        pyplot.close("all")


def only(axes: Any) -> Any:
    (one,) = np.ravel(axes)
    return one


def legend_of(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


# What holds for every plot


def test_every_public_plot_is_tested() -> None:
    assert sorted(PLOTS) == sorted(name for name in viz.__all__ if name.startswith("plot_"))


@EVERY_PLOT
def test_draws_in_the_axes_given_and_makes_a_figure_only_without(name: str, pyplot: Any) -> None:
    figure, ax = pyplot.subplots()
    assert only(PLOTS[name](ax=ax)) is ax
    assert pyplot.get_fignums() == [figure.number]
    assert only(PLOTS[name]()).figure is not figure
    assert len(pyplot.get_fignums()) == 2


@EVERY_PLOT
def test_refuses_what_is_not_axes_or_too_many_of_them(name: str, pyplot: Any) -> None:
    figure, two = pyplot.subplots(1, 2)
    with pytest.raises(TypeError, match=r"ax is Axes of matplotlib, as plt.subplots\(\) makes them, got <?Figure"):
        PLOTS[name](ax=figure)
    with pytest.raises(ValueError, match=r"ax needs 1 Axes, for .*; got 2"):
        PLOTS[name](ax=two)


@EVERY_PLOT
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_every_text_lies_inside_the_picture_and_on_no_other(name: str, style: str, pyplot: Any) -> None:
    with pyplot.style.context(style):
        ax = only(PLOTS[name]())
        figure = ax.figure
        figure.canvas.draw()
        texts = [ax.title, ax.xaxis.label, ax.yaxis.label]
        for axis, (low, high) in ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim()))):
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            texts += [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]  # the others are not drawn
        texts += ax.get_legend().get_texts() if ax.get_legend() else []
        boxes = [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]
        for i, box in enumerate(boxes):
            assert figure.bbox.x0 - 1 <= box.x0 <= box.x1 <= figure.bbox.x1 + 1
            assert figure.bbox.y0 - 1 <= box.y0 <= box.y1 <= figure.bbox.y1 + 1
            assert not any(box.shrunk(0.98, 0.9).overlaps(other) for other in boxes[:i])


@EVERY_PLOT
def test_every_plot_labels_its_axes(name: str, pyplot: Any) -> None:
    ax = only(PLOTS[name]())
    assert ax.get_xlabel()
    assert ax.get_ylabel() or name in ("plot_weights", "plot_gradients_by_layer")  # these name each map, each layer
    assert ax.get_ylabel() or ax.get_title() or ax.get_yticklabels()


# plot_history


def test_history_draws_the_columns_and_marks_the_best_epoch(pyplot: Any) -> None:
    history = a_history()
    loss, accuracy = plot_history(history)
    train, validation, *_ = loss.lines
    assert train.get_xdata().tolist() == [1, 2, 3]
    assert train.get_ydata().tolist() == history["loss"]
    assert validation.get_ydata().tolist() == history["validation_loss"]
    assert legend_of(loss) == ["train", "validation", "lowest validation loss, epoch 2: 0.9"]
    assert accuracy.lines[0].get_ydata().tolist() == pytest.approx([50.0, 60.0, 70.0])
    assert legend_of(accuracy)[-1] == "at the lowest validation loss, epoch 2: 62.5 %"
    assert (accuracy.lines[-1].get_xdata()[0], accuracy.lines[-1].get_ydata()[0]) == (2, 62.5)
    assert [ax.get_ylabel() for ax in (loss, accuracy)] == ["loss", "accuracy, % of rows"]
    assert {ax.get_xlabel() for ax in (loss, accuracy)} == {"epoch"}


def test_history_of_a_trainer_names_its_loss_and_the_epoch_of_load_best(pyplot: Any) -> None:
    train, validation, _ = moons(60, seed=0).split(seed=0)
    trainer = Trainer(MLP(2, [3, 2], seed=0), progress=False)
    trainer.fit(train, validation=validation, epochs=4)
    loss, _ = plot_history(trainer)
    assert loss.get_ylabel() == "loss: cross_entropy, in nats"
    assert legend_of(loss)[-1].startswith(f"lowest validation loss, epoch {trainer.load_best()}: ")


def test_history_without_validation_marks_no_epoch_and_whole_epochs_are_its_ticks(pyplot: Any) -> None:
    history = History()
    history.add_epoch({"loss": 0.5})
    ax = only(plot_history(history))
    assert legend_of(ax) == ["train"]
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


def test_history_skips_losses_that_are_no_numbers(pyplot: Any) -> None:
    history = History()
    for loss in (math.nan, 0.5, 0.25, math.inf):
        history.add_epoch({"loss": loss, "validation_loss": loss})
    assert legend_of(only(plot_history(history)))[-1] == "lowest validation loss, epoch 3: 0.25"


@pytest.mark.parametrize(
    ("history", "columns", "error", "message"),
    [
        ([0.5], None, TypeError, r"plots a History or a Trainer, got \[0.5\]; trainer.fit\(...\) returns one"),
        (History(), None, ValueError, r"no epochs yet.*trainer.fit"),
        (a_history(), "los", ValueError, "no column 'los' to plot; there is loss, accuracy"),
        (a_history(), "validation_loss", ValueError, "no column 'validation_loss'"),
        (a_history(), [], ValueError, "columns names nothing to plot; there is loss, accuracy"),
    ],
)
def test_history_refuses(history: Any, columns: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_history(history, columns=columns)


def test_history_needs_axes_for_each_column(pyplot: Any) -> None:
    with pytest.raises(ValueError, match="ax needs 2 Axes, one each for loss, accuracy; got 1"):
        plot_history(a_history(), ax=pyplot.subplots()[1])
    given = pyplot.subplots(1, 2)[1]
    assert plot_history(a_history(), ax=given).tolist() == given.tolist()


# plot_decision_boundary


def regions(ax: Any) -> Any:
    return np.asarray(ax.images[0].get_array())


def boundaries(ax: Any) -> list[Any]:
    """The points of the lines where the predicted class changes."""
    return [path.vertices for line in ax.collections if hasattr(line, "levels") for path in line.get_paths()]


def test_boundary_of_one_logit_is_where_it_is_zero(pyplot: Any) -> None:
    neuron = Neuron(2, activation="linear", initializer="zeros")
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 2.0, -1.0, 0.5
    data = Dataset(
        [[-1, 0], [0, 0], [1, 1], [2, -1]], [0, 1, 1, 1], columns=["height", "weight"], class_names=["a", "b"]
    )
    ax = plot_decision_boundary(neuron, data, resolution=40)
    (line,) = boundaries(ax)
    np.testing.assert_allclose(2.0 * line[:, 0] - line[:, 1] + 0.5, 0.0, atol=1e-12)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("height", "weight")
    assert legend_of(ax) == ["a", "b"]
    assert ax.get_title() == "right on 4 of 4 points, 100.0 %"
    points = [np.asarray(one.get_offsets()).tolist() for one in ax.collections if not hasattr(one, "levels")]
    assert points == [[[-1, 0]], [[0, 0], [1, 1], [2, -1]]]


def test_boundary_of_a_probability_has_its_threshold(pyplot: Any) -> None:
    neuron = Neuron(2, activation="sigmoid", initializer="zeros")
    neuron.w[0].data = 1.0
    data = Dataset([[-1, 0], [1, 1]], [0, 1])
    assert set(regions(plot_decision_boundary(neuron, data, resolution=9)).ravel()) == {1}
    ax = plot_decision_boundary(neuron, data, threshold=0.5, resolution=40)
    np.testing.assert_allclose(boundaries(ax)[0][:, 0], 0.0, atol=1e-3)  # a straight line between points of a sigmoid


@pytest.mark.parametrize(
    "model",
    [
        MLP(2, [6, 4], activation="tanh", seed=0),
        MLP(2, [6, 4], seed=0, batch_norm=True, dropout=0.5),
        Sequential(Layer(2, 6, seed=0), BatchNorm(6), "gelu", Dropout(0.5, seed=0), Layer(6, 4, seed=1)),
        MLP(2, [6, 4], activation=lambda z: z if float(z) > 0.0 else 0.1 * z, seed=0),  # branches: no compiler takes it
    ],
    ids=["MLP", "batch norm and dropout", "Sequential", "one that cannot be compiled"],
)
def test_regions_are_the_classes_predicted_in_evaluation_mode(model: Any, pyplot: Any) -> None:
    data = blobs(60, classes=4, seed=1)
    model(data.inputs.tolist())  # in training mode, so that batch norm has seen something
    before = {name: array.copy() for name, array in model.state().items()}
    ax = plot_decision_boundary(model, data, resolution=13)
    left, right, bottom, top = ax.images[0].get_extent()
    step_x, step_y = (right - left) / 13, (top - bottom) / 13
    with evaluating(model):
        for i, row in enumerate(regions(ax)):
            for j, predicted in enumerate(row):
                point = [left + (j + 0.5) * step_x, bottom + (i + 0.5) * step_y]
                assert predicted == predicted_class(model(point))
        right_ones = sum(predicted_class(model(point)) == label for point, label in data)
    assert ax.get_title() == f"right on {right_ones} of 60 points, {right_ones / 60:.1%}".replace("%", " %")
    assert all(part.training for _, part in model.modules())
    assert all(np.array_equal(array, before[name]) for name, array in model.state().items())


def test_lines_run_where_the_class_changes_and_nowhere_else(pyplot: Any) -> None:
    data = blobs(60, classes=3, seed=1)
    model = MLP(2, [6, 3], activation="tanh", seed=2)
    ax = plot_decision_boundary(model, data, resolution=120)
    lines = np.vstack(boundaries(ax))
    reach = 3 * (data.inputs.max() - data.inputs.min()) / 120
    for x, y in lines[:: max(1, len(lines) // 40)]:
        around = [
            model([x + reach * cos(angle), y + reach * cos(angle - 1.5708)]) for angle in np.linspace(0, 6.28, 32)
        ]
        assert len({predicted_class(outputs) for outputs in around}) > 1


def test_hinge_targets_are_classes_and_one_class_everywhere_has_no_line(pyplot: Any) -> None:
    data = Dataset([[0, 0], [1, 0], [1, 1]], [-1.0, 1.0, 1.0])
    ax = plot_decision_boundary(lambda x: x[0] * 0.0 - 1.0, data, resolution=5)
    assert legend_of(ax) == ["-1", "1"]
    assert boundaries(ax) == []
    assert ax.get_title().startswith("right on 1 of 3")


def test_foreign_names_are_no_mathematics_and_all_of_them_are_in_the_legend(pyplot: Any) -> None:
    names = [r"$\frac{", "_hidden", "two\nlines"]
    columns = [r"$\nonsense{$", "y" * 500]
    data = Dataset([[0, 0], [1, 0], [1, 1]], [0, 1, 2], class_names=names, columns=columns)
    ax = plot_decision_boundary(MLP(2, [3], seed=0), data, resolution=5)
    ax.figure.canvas.draw()
    assert legend_of(ax) == [r"\$\frac{", " _hidden", "two�lines"]
    assert len(ax.get_ylabel()) == 40


def test_a_plane_of_equal_inputs_still_has_a_width(pyplot: Any) -> None:
    ax = plot_decision_boundary(MLP(2, [2], seed=0), Dataset([[1, 1], [1, 2]], [0, 1]), resolution=5)
    left, right, *_ = ax.images[0].get_extent()
    assert left < 1 < right


@pytest.mark.parametrize(
    ("model", "data", "error", "message"),
    [
        (MLP(3, [2]), Dataset([[1, 2, 3]], [0]), ValueError, "a plane has two axes, so rows of 2 inputs are needed"),
        (MLP(2, [2]), [[0, 1]], TypeError, r"the second argument is a Dataset, such as moons\(seed=0\), got \[\[0, 1"),
        (MLP(2, [2]), Dataset([[1, 2]], [0.5]), ValueError, "are quantities, with no boundary.*classes=2"),
        (None, moons(8, seed=0), TypeError, r"model is a network that can be called, such as MLP.*got None"),
        (MLP(2, [11]), moons(8, seed=0), ValueError, "11 classes cannot be told apart by shape and colour, and 10 can"),
        (MLP(3, [2]), moons(8, seed=0), ValueError, "needs 3 numbers|3 inputs|3"),
    ],
)
def test_boundary_refuses(model: Any, data: Any, error: type[Exception], message: str, pyplot: Any) -> None:
    with pytest.raises(error, match=message):
        plot_decision_boundary(model, data)


# plot_weights


def test_weights_lie_as_the_inputs_do_on_one_scale_symmetric_about_zero(pyplot: Any) -> None:
    layer = Layer(6, 2, seed=0)
    layer.neurons[1].w[4].data, layer.neurons[1].b.data = -3.0, -15.0
    maps = plot_weights(layer, input_shape=(2, 3))
    for ax, neuron in zip(maps, layer.neurons, strict=True):
        image = ax.images[0]
        assert image.get_array().ravel().tolist() == [w.data for w in neuron.w]
        assert image.get_array().shape == (2, 3)
        assert image.get_clim() == (-3.0, 3.0)
        assert image.get_cmap().name == "RdBu"
    assert [ax.get_title() for ax in maps] == ["neuron1, b = 0", "neuron2, b = -15"]
    assert (maps[0].get_xlabel(), maps[0].get_ylabel()) == ("column of the input", "row of the input")
    assert "weight" in [ax.get_ylabel() for ax in maps[0].figure.axes]


def test_weights_of_a_network_are_those_of_its_first_layer(pyplot: Any) -> None:
    model = MLP(4, [3, 2], seed=0)
    sequential = Sequential(BatchNorm(4), Layer(4, 3, seed=0), Layer(3, 2, seed=0))
    for shown in (model, model.layers[0], model.layers[0].neurons, sequential):
        assert [ax.get_title().split(",")[0] for ax in plot_weights(shown)] == ["neuron1", "neuron2", "neuron3"]
    assert len(plot_weights(model.layers[1])) == 2


def test_weights_that_are_zero_or_nan_can_be_plotted_and_what_no_input_fills_is_blank(pyplot: Any) -> None:
    neuron = Neuron(13, initializer="zeros")
    assert only(plot_weights(neuron)).images[0].get_clim() == (-1.0, 1.0)
    neuron.w[0].data = math.nan
    image = only(plot_weights(neuron)).images[0].get_array()
    assert image.shape == (4, 4)
    assert np.ma.getmaskarray(image).ravel().tolist() == [True] + [False] * 12 + [True] * 3


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (Layer(49, 3), {"input_shape": (7, 8)}, ValueError, r"\(rows, columns\) that hold 49 inputs, .*got \(7, 8\)"),
        (Layer(49, 3), {"input_shape": 7}, ValueError, r"\(rows, columns\) that hold 49 inputs, .*got 7"),
        (Layer(2, 101), {}, ValueError, r"101 maps on one page cannot be read, and 100 can; .*layer.neurons\[:20\]"),
        (BatchNorm(2), {}, TypeError, r"plots a Layer, a Neuron, .* got BatchNorm"),
        ([1.0], {}, TypeError, r"plots a Layer, a Neuron, .* got \[1.0\]"),
        ([Neuron(2), Neuron(3)], {}, ValueError, r"as many inputs each, got \[2, 3\]; plot layer by layer"),
    ],
)
def test_weights_refuse(model: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_weights(model, **options)


# plot_gradients_by_layer


def test_gradients_are_summed_up_layer_by_layer(pyplot: Any) -> None:
    model = MLP(2, [2, 3, 2], seed=0)
    for parameter in model.parameters():
        parameter.grad = 0.0
    for parameter, gradient in zip(model.layers[1].parameters(), (-1.0, 2.0, -3.0, 4.0, -50.0), strict=False):
        parameter.grad = gradient
    model.layers[2].neurons[0].b.grad, model.layers[2].neurons[1].b.grad = None, math.nan
    ax = plot_gradients_by_layer(model)
    assert [label.get_text().splitlines() for label in ax.get_yticklabels()] == [
        ["hidden1: 6 parameters", "all zero"],
        ["hidden2: 9 parameters", "4 zero"],
        ["output: 8 parameters", "6 zero, 1 not computed, 1 not finite"],
    ]
    assert ax.get_xscale() == "log"
    assert "|∂loss/∂parameter| above zero" in ax.get_xlabel()  # a median of these alone
    assert legend_of(ax) == ["smallest to largest", "middle half", "median", "largest"]
    whole, middle = (line.get_segments()[0][:, 0].tolist() for line in ax.collections)
    assert (whole, middle) == ([1.0, 50.0], [2.0, 4.0])
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines] == [(3.0, 1), (50.0, 1)]


@pytest.mark.parametrize("sizes", [(0.0013, 0.08), (0.02, 0.03), (1.0, 1.0), (1e-5, 1e5), (5e-324, 1e308)])
def test_the_axis_of_gradients_ends_at_powers_of_ten_around_them(sizes: tuple[float, float], pyplot: Any) -> None:
    model = Neuron(1, seed=0)
    model.w[0].grad, model.b.grad = sizes[0], -sizes[1]
    ax = plot_gradients_by_layer(model)
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    assert [end for end in (low, high) if not f"{end:e}".startswith("1.000000e")] == []
    assert low < max(sizes[0], 1e-200) <= min(sizes[1], 1e200) < high  # what lies beyond is drawn at these
    assert not any(tick.label1.get_text() for tick in ax.xaxis.get_minor_ticks())


def test_gradients_of_a_layer_and_its_batch_norm_stand_apart(pyplot: Any) -> None:
    model = MLP(2, [3, 2], seed=0, batch_norm=True).eval()
    ax = plot_gradients_by_layer(after_backward(model))
    assert [label.get_text().split(":")[0] for label in ax.get_yticklabels()] == [
        "hidden", "hidden.batch_norm", "output",
    ]  # fmt: skip


def test_modules_that_are_no_layers_have_a_line_too(pyplot: Any) -> None:
    class Line(Module):
        def __init__(self) -> None:
            self.slope, self.inner = Value(2.0), Neuron(1, activation="linear", seed=0)

    model = Line()
    (relu(model.slope) * model.inner([1.0])).backward()
    ax = plot_gradients_by_layer(model)
    assert [label.get_text().splitlines() for label in ax.get_yticklabels()] == [["Line: 3 parameters"]]


def test_gradients_that_are_all_zero_are_said_in_words(pyplot: Any) -> None:
    model = Neuron(2, seed=0)
    for parameter in model.parameters():
        parameter.grad = 0.0
    ax = plot_gradients_by_layer(model)
    assert [text.get_text() for text in ax.texts] == ["no gradient above zero"]
    assert ax.get_yticklabels()[0].get_text() == "Neuron: 3 parameters\nall zero"


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (MLP(2, [2]), ValueError, r"no gradient has been computed yet; call loss.backward\(\) first"),
        (Dropout(0.5), ValueError, r"has no parameters, so there are no gradients to plot"),
        (Value(1.0), TypeError, r"plots a Module, such as an MLP, got Value"),
    ],
)
def test_gradients_refuse(model: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_gradients_by_layer(model)


# The README


def test_the_readme_s_plots_can_be_drawn(pyplot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    (block,) = [block for block in blocks if "plot_history(" in block]
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})
    assert [file.suffix for file in tmp_path.iterdir()] == [".png"]
