"""BatchNorm: outputs and statistics by the formula, gradients by gradcheck, and statistics that survive errors."""

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autograd_mini import AnomalyError, Value, detect_anomaly, diagnose, dot, gradcheck, no_grad
from nn import ACTIVATIONS, MLP, BatchNorm, Layer, Network, Sequential, cross_entropy
from viz import draw_dot

RNG = np.random.default_rng(11)
BATCHES = [RNG.normal(1.0, 3.0, (rows, 2)) for rows in (2, 3, 7, 4)]
COEFFICIENTS = RNG.normal(size=(7, 2))
EPSILON = 1e-5

# A mean may be added up in another order, which moves the last digits of what cancels.
SAME = {"rtol": 1e-12, "atol": 1e-13}


def data(rows: Any) -> Any:
    return [[float(y) for y in row] for row in rows]


def statistics(norm: BatchNorm) -> tuple[list[float], list[float], int]:
    return norm.running_mean, norm.running_variance, norm.batches


def trained(**options: Any) -> BatchNorm:
    """One that has seen every batch, with scales and shifts of its own."""
    norm = BatchNorm(2, **options)
    for i, parameter in enumerate(norm.parameters()):
        parameter.data = 0.5 + 0.75 * i
    for batch in BATCHES:
        norm(batch)
    return norm


def by_hand(norm: BatchNorm, x: Any, mean: Any, variance: Any) -> Any:
    scale = np.array([p.data for p in norm.scale] or 1.0)
    shift = np.array([p.data for p in norm.shift] or 0.0)
    return scale * (np.asarray(x) - mean) / np.sqrt(np.asarray(variance) + norm.epsilon) + shift


def weighted(rows: Any) -> Any:
    """A loss to which every output counts differently."""
    flat = [y for row in rows for y in row]
    return dot(flat, COEFFICIENTS.flatten()[: len(flat)].tolist())


# Outputs and statistics


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("batch", BATCHES, ids=len)
def test_in_training_a_batch_is_measured_against_itself(affine: bool, batch: Any) -> None:
    norm = trained(affine=affine)
    np.testing.assert_allclose(data(norm(batch)), by_hand(norm, batch, batch.mean(0), batch.var(0)), **SAME)


@pytest.mark.parametrize("affine", [True, False])
def test_in_evaluation_mode_the_running_statistics_take_their_place(affine: bool) -> None:
    norm = trained(affine=affine).eval()
    before = copy.deepcopy(statistics(norm))
    for x in (BATCHES[2], BATCHES[2][:1]):
        np.testing.assert_allclose(data(norm(x)), by_hand(norm, x, *before[:2]), **SAME)
    assert [float(y) for y in norm(BATCHES[2][0])] == data(norm(BATCHES[2]))[0]
    assert statistics(norm) == before


@pytest.mark.parametrize("momentum", [0.0, 0.1, 0.5, 1.0])
def test_running_statistics_move_towards_those_of_the_batch_by_the_momentum(momentum: float) -> None:
    mean, variance = np.zeros(2), np.ones(2)
    for batch in BATCHES:
        mean = (1.0 - momentum) * mean + momentum * batch.mean(0)
        variance = (1.0 - momentum) * variance + momentum * batch.var(0, ddof=1)
    norm = trained(momentum=momentum)
    np.testing.assert_allclose(norm.running_mean, mean, **SAME)
    np.testing.assert_allclose(norm.running_variance, variance, **SAME)
    assert norm.batches == len(BATCHES)


def test_without_a_momentum_they_are_the_mean_over_all_batches() -> None:
    norm = trained(momentum=None)
    np.testing.assert_allclose(norm.running_mean, np.mean([b.mean(0) for b in BATCHES], axis=0), **SAME)
    np.testing.assert_allclose(norm.running_variance, np.mean([b.var(0, ddof=1) for b in BATCHES], axis=0), **SAME)


def test_without_running_statistics_evaluation_is_as_training() -> None:
    norm = trained(track=False)
    assert statistics(norm) == ([0.0, 0.0], [1.0, 1.0], 0)
    assert data(norm.eval()(BATCHES[1])) == data(norm.train()(BATCHES[1]))


def test_a_batch_under_no_grad_moves_the_running_statistics_as_in_pytorch() -> None:
    norm, other = BatchNorm(2), BatchNorm(2)
    with no_grad():
        outputs = norm(BATCHES[0])
    assert all(y.parents == () for row in outputs for y in row)
    assert data(outputs) == data(other(BATCHES[0]))
    assert statistics(norm) == statistics(other)


def test_plain_numbers_stay_plain_without_scale_and_shift() -> None:
    norm = BatchNorm(1, affine=False)
    for mode in (norm.train(), norm.eval()):
        assert {type(y) for y in mode([[1], [4]])} == {float}
    assert norm.parameters() == []


def test_statistics_are_plain_floats_whatever_goes_in() -> None:
    norm = BatchNorm(2)
    norm([[Value(1.0), 2], [np.float32(3.0), True]])
    assert {type(x) for x in (*norm.running_mean, *norm.running_variance)} == {float}


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12), st.floats(0.5, 100.0))
def test_what_comes_out_has_mean_0_and_variance_1(column: list[float], spread: float) -> None:
    column = [x + spread * i for i, x in enumerate(column)]
    outputs = np.array(BatchNorm(1, affine=False)([[x] for x in column]))
    variance = np.var(column)
    # A sum of deviations from the mean is off by a rounding of the numbers themselves, here up to 1e6.
    assert outputs.mean() == pytest.approx(0.0, abs=1e-15 * (1.0 + max(map(abs, column))) / np.sqrt(variance + EPSILON))
    assert outputs.var() == pytest.approx(variance / (variance + EPSILON), rel=1e-9)


# A column of equal numbers, and numbers out of range


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("kind", [float, Value])
def test_a_constant_column_is_0_before_the_shift(affine: bool, kind: Callable[[float], Any]) -> None:
    norm = BatchNorm(1, affine=affine)
    outputs = norm([[kind(3.0)], [kind(3.0)]])
    assert [float(y) for y in outputs] == [0.0, 0.0]
    assert (norm.running_mean, norm.running_variance) == ([pytest.approx(0.3)], [pytest.approx(0.9)])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("kind", [float, Value])
def test_without_epsilon_a_constant_column_follows_ieee(affine: bool, kind: Callable[[float], Any]) -> None:
    outputs = BatchNorm(1, affine=affine, epsilon=0.0)([[kind(3.0)], [kind(3.0)]])
    assert all(math.isnan(float(y)) for y in outputs)  # 0 · inf


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_variance_beyond_range_is_inf() -> None:
    norm = BatchNorm(1)
    assert [float(y) for y in norm([[1e300], [-1e300]])] == [0.0, 0.0]
    assert norm.running_variance == [math.inf]


# Gradients


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("options", [{}, {"affine": False}, {"momentum": None}, {"track": False}, {"epsilon": 0.5}])
@pytest.mark.parametrize("rows", [2, 5])
def test_gradients_agree_with_differences(training: bool, options: dict[str, Any], rows: int) -> None:
    norm = trained(**options).train(training)
    inputs = [[Value(x) for x in row] for row in BATCHES[2][:rows]]
    report = gradcheck(weighted(norm(inputs)))
    assert report
    leaves = {check.name for check in report.checks}
    assert len(report.checks) == 2 * rows + len(norm.parameters()), leaves


def test_in_training_a_shift_of_all_rows_changes_nothing() -> None:
    inputs = [[Value(x) for x in row] for row in BATCHES[2]]
    weighted(BatchNorm(2)(inputs)).backward()
    for column in zip(*inputs, strict=True):
        assert math.fsum(x.grad for x in column) == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_a_normalized_network_agrees_with_differences(activation: str) -> None:
    model = MLP(2, [3, 2], activation=activation, batch_norm=True, seed=4)
    assert gradcheck(cross_entropy(model(BATCHES[3]), [0, 1, 1, 0]))


def test_the_graph_can_be_diagnosed_and_drawn() -> None:
    model = MLP(2, [3, 2], activation="tanh", batch_norm=True, dropout=0.25, seed=4)
    loss = cross_entropy(model(BATCHES[2]), [0, 1, 1, 0, 1, 0, 0])
    loss.backward()
    assert not list(diagnose(loss, model))
    for mode in (model.train(), model.eval()):
        small = draw_dot(cross_entropy(mode(BATCHES[0]), [0, 1]), force=True).source
        assert "hidden.batch_norm.scale[2" in small


# Where it stands in a network


def test_a_layer_normalizes_the_weighted_sums_before_the_activation_function() -> None:
    layer = Layer(2, 3, activation="tanh", batch_norm=True, seed=0)
    x = BATCHES[2]
    z = x @ np.array([[w.data for w in neuron.w] for neuron in layer.neurons]).T
    np.testing.assert_allclose(data(layer(x)), np.tanh((z - z.mean(0)) / np.sqrt(z.var(0) + EPSILON)), **SAME)


def test_an_mlp_normalizes_its_hidden_layers() -> None:
    model = MLP(2, [4, 3, 2], batch_norm=True)
    assert [layer.batch_norm is not None for layer in model.layers] == [True, True, False]
    assert repr(model) == "MLP(2, [4, 3, 2], activation='relu', batch_norm=True)"
    names = [name for name, _ in model.named_parameters()]
    assert "hidden1.batch_norm.scale[3]" in names
    assert "hidden2.batch_norm.shift[2]" in names
    assert [p.label for p in model.parameters()] == names
    assert [name for name, _ in model.named_buffers()] == [
        f"hidden{i}.batch_norm.{buffer}" for i in (1, 2) for buffer in BatchNorm.buffers
    ]


def test_batch_norm_changes_no_weight_of_the_start() -> None:
    plain, normalized = MLP(2, [4, 2], seed=3), MLP(2, [4, 2], seed=3, batch_norm=True, dropout=0.5)
    weights = dict(normalized.named_parameters())
    assert all(weights[name].data == p.data for name, p in plain.named_parameters())


# Nothing moves when a batch fails


def fails(error: type[Exception], message: str, model: Network, x: Any) -> None:
    before = model.state()
    with pytest.raises(error, match=message):
        model(x)
    assert all((array == before[name]).all() for name, array in model.state().items())


DEEP: dict[str, Callable[[], Network]] = {
    "alone": lambda: BatchNorm(2),
    "layer": lambda: Layer(2, 3, batch_norm=True),
    "mlp": lambda: MLP(2, [3, 3, 2], batch_norm=True),
    "sequential": lambda: Sequential(BatchNorm(2), Layer(2, 3), "relu", BatchNorm(3), Sequential(BatchNorm(3))),
}


@pytest.mark.parametrize("build", DEEP.values(), ids=DEEP)
def test_a_batch_that_is_refused_leaves_every_statistic_alone(build: Callable[[], Network]) -> None:
    model = build()
    model(BATCHES[0])
    fails(ValueError, "the variance of a batch of one row", model, BATCHES[0][:1])
    fails(ValueError, "the variance of a batch of one row", model, BATCHES[0][0])
    fails(ValueError, "row 1, needs 2 numbers, got 1", model, [[1.0, 2.0], [3.0]])
    fails(ValueError, "row 0, needs 2 numbers, got 3", model, np.ones((2, 3)))
    fails(TypeError, "row 1, at index 1, needs one real number, got None", model, [[1.0, 2.0], [3.0, None]])
    fails(ValueError, "must not be empty", model, [])
    model(BATCHES[1])


def test_a_row_of_another_width_from_the_part_before_is_refused() -> None:
    class Ragged(Network):
        def forward(self, rows: Any) -> Any:
            return [row[: 2 - i] for i, row in enumerate(rows)]

    fails(
        ValueError, r"BatchNorm\(2\) needs 2 numbers in each row, got 1", Sequential(Ragged(), BatchNorm(2)), BATCHES[0]
    )
    for wrong in (BatchNorm(1, track=False), BatchNorm(3, track=False), BatchNorm(3).eval()):
        with pytest.raises(ValueError, match=rf"needs {wrong.inputs} numbers in each row, got 2"):
            wrong.forward(BATCHES[0].tolist())


def test_a_batch_whose_outputs_fail_is_not_counted() -> None:
    norm = BatchNorm(1, epsilon=0.0)
    with detect_anomaly():
        fails(AnomalyError, "inf", norm, [[1.0], [1.0]])


def test_the_way_out_is_one_that_works() -> None:
    with pytest.raises(ValueError, match=r"or call eval\(\) first$"):
        BatchNorm(2)([1.0, 2.0])
    with pytest.raises(ValueError, match=r"without running statistics .* drop_last=True$"):
        BatchNorm(2, track=False).eval()([1.0, 2.0])


# State, copies


def test_the_state_names_everything_it_learned() -> None:
    norm = trained()
    state = norm.state()
    assert {name: (array.dtype.name, array.shape) for name, array in state.items()} == {
        "scale": ("float64", (2,)),
        "shift": ("float64", (2,)),
        "running_mean": ("float64", (2,)),
        "running_variance": ("float64", (2,)),
        "batches": ("int64", ()),
    }
    twin = BatchNorm(2).load_state(state)
    assert statistics(twin) == statistics(norm)
    assert isinstance(twin.running_mean, list)
    assert type(twin.batches) is int
    assert data(twin(BATCHES[0])) == data(norm(BATCHES[0]))


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_copy_is_independent(copier: Callable[[Any], Any]) -> None:
    norm = trained()
    before = copy.deepcopy(statistics(norm))
    twin = copier(norm)
    assert statistics(twin) == before
    twin(BATCHES[0])
    assert twin.batches == norm.batches + 1
    assert statistics(norm) == before
