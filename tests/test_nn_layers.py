"""Neuron, Layer and MLP: outputs against a forward pass written by hand in NumPy, names, shapes and the lecture."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autograd_mini import Value, dot, no_grad, statistics, sum
from nn import ACTIVATIONS, MLP, Activity, Layer, Module, Neuron, sum_squared_error
from tests.test_nn_activations import DIFFERENCE_TOLERANCE, FORMULAS, difference

EVERY_ACTIVATION = pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
RNG = np.random.default_rng(7)
ONE, BATCH = RNG.uniform(-2.0, 2.0, 3), RNG.uniform(-2.0, 2.0, (5, 3))

# A dot product may be added up in another order, which moves the last digits of a sum that cancels.
SAME = {"rtol": 1e-12, "atol": 1e-14}


def by_hand(layers: Sequence[Layer], activations: Sequence[str], x: Any) -> Any:
    """The forward pass of an example or a batch as NumPy writes it: ``f(a @ W.T + b)``, layer after layer."""
    a = np.asarray(x, dtype=float)
    for layer, name in zip(layers, activations, strict=True):
        W = np.array([[w.data for w in neuron.w] for neuron in layer.neurons])
        b = np.array([neuron.b.data for neuron in layer.neurons])
        a = FORMULAS[name](a @ W.T + b)
    return a


def data(outputs: Any) -> Any:
    """The numbers in what a model returned, in the same nesting."""
    return [data(output) for output in outputs] if isinstance(outputs, list) else outputs.data


def scatter_biases(module: Module) -> None:
    """Move the biases away from 0, where a forgotten one would not show."""
    for i, (name, parameter) in enumerate(module.named_parameters()):
        if name.endswith("b"):
            parameter.data = 0.5 - 0.3 * (i % 4)


def network(activation: str = "tanh", sizes: Sequence[int] = (4, 3, 2), **options: Any) -> MLP:
    model = MLP(3, sizes, activation=activation, seed=1, **options)
    scatter_biases(model)
    return model


# Against NumPy


@EVERY_ACTIVATION
@pytest.mark.parametrize("sizes", [[2], [4, 2], [4, 3, 2]])
def test_a_network_equals_numpy_for_one_example_and_for_a_batch(activation: str, sizes: list[int]) -> None:
    model = network(activation, sizes)
    activations = [activation] * (len(sizes) - 1) + ["linear"]
    for x in (ONE, BATCH):
        np.testing.assert_allclose(data(model(x)), by_hand(model.layers, activations, x), **SAME)


@EVERY_ACTIVATION
def test_the_output_activation_equals_numpy(activation: str) -> None:
    model = network("sigmoid", [4, 2], output_activation=activation)
    for x in (ONE, BATCH):
        np.testing.assert_allclose(data(model(x)), by_hand(model.layers, ["sigmoid", activation], x), **SAME)


@EVERY_ACTIVATION
def test_a_layer_and_a_neuron_equal_numpy(activation: str) -> None:
    layer = Layer(3, 4, activation=activation, seed=2)
    scatter_biases(layer)
    for x in (ONE, BATCH):
        expected = by_hand([layer], [activation], x)
        np.testing.assert_allclose(data(layer(x)), expected, **SAME)
        for i, neuron in enumerate(layer.neurons):
            np.testing.assert_allclose(data(neuron(x)), expected[..., i], **SAME)


def test_hidden_layers_are_relu_and_the_output_is_linear_as_in_micrograd() -> None:
    model = MLP(3, [4, 4, 1], seed=0)
    scatter_biases(model)
    np.testing.assert_allclose(data(model(ONE)), by_hand(model.layers, ["relu", "relu", "linear"], ONE)[0], **SAME)


def test_activations_may_be_functions() -> None:
    named = network("tanh", output_activation="sigmoid")
    given = network(ACTIVATIONS["tanh"], output_activation=ACTIVATIONS["sigmoid"])  # type: ignore[arg-type]
    assert data(named(BATCH)) == data(given(BATCH))
    own = network(lambda z: z * z, [4, 1], output_activation=lambda z: 3.0 * z)  # type: ignore[arg-type]
    W, b = np.array([[w.data for w in n.w] for n in own.layers[0].neurons]), [n.b.data for n in own.layers[0].neurons]
    v, c = np.array([w.data for w in own.layers[1].neurons[0].w]), own.layers[1].neurons[0].b.data
    assert own(ONE).data == pytest.approx(3.0 * (v @ (W @ ONE + b) ** 2 + c), rel=1e-12)


# Gradients


@EVERY_ACTIVATION
def test_gradients_of_parameters_and_inputs_equal_central_differences(activation: str) -> None:
    model = network(activation, [3, 2])
    inputs = [Value(x) for x in ONE]
    leaves = [*model.parameters(), *inputs]

    def loss_with(leaf: Value, number: float) -> float:
        saved, leaf.data = leaf.data, number
        with no_grad():
            loss = sum_squared_error(model(inputs), [0.5, -0.25]).data
        leaf.data = saved
        return float(loss)

    sum_squared_error(model(inputs), [0.5, -0.25]).backward()
    for leaf in leaves:
        expected = difference(lambda number, leaf=leaf: loss_with(leaf, number), leaf.data)  # type: ignore[misc]
        # Scaled by the loss, which is up to 10 here: that is the size of the number whose rounding is divided.
        assert leaf.grad == pytest.approx(expected, rel=DIFFERENCE_TOLERANCE, abs=10 * DIFFERENCE_TOLERANCE), leaf


def test_the_gradients_of_a_batch_are_the_sums_over_its_rows() -> None:
    together, apart = network(), network()
    sum([y for row in together(BATCH) for y in row]).backward()
    for x in BATCH:
        sum(apart(x)).backward()
    for a, b in zip(together.parameters(), apart.parameters(), strict=True):
        assert a.grad == pytest.approx(b.grad, rel=1e-12, abs=1e-14)


def test_inputs_may_be_the_outputs_of_another_model() -> None:
    first, second = Layer(3, 2, activation="tanh", seed=0), Layer(2, 1, activation="tanh", seed=1)
    second(first(ONE)).backward()
    assert all(p.has_grad and p.grad != 0.0 for p in [*first.parameters(), *second.parameters()])


# What may go in

FORMS: dict[str, Callable[[Any], Any]] = {
    "list": lambda x: x.tolist(),
    "tuple": lambda x: tuple(tuple(row) if np.ndim(row) else float(row) for row in x),
    "array": lambda x: x,
    "list of rows": list,
    "Fortran order": np.asfortranarray,
    "Values": lambda x: np.vectorize(Value, otypes=[object])(x).tolist(),
    "array of Values": lambda x: np.vectorize(Value, otypes=[object])(x),
    "fractions": lambda x: np.vectorize(Fraction, otypes=[object])(x).tolist(),
    "every other element": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("build", [network, lambda: Layer(3, 2, seed=1), lambda: Neuron(3, seed=1)])
def test_numbers_may_come_in_any_form(form: Callable[[Any], Any], build: Callable[[], Any]) -> None:
    model = build()
    for x in (ONE, BATCH):
        assert data(model(form(x))) == data(model(x.tolist()))


@pytest.mark.parametrize(
    "x", [[1, 0, 1], [True, False, True], np.array([1, 0, 1], dtype=np.uint8), np.array([1, 0, 1], dtype=bool)]
)
def test_whole_numbers_and_truth_values_are_numbers(x: Any) -> None:
    model = network()
    assert data(model(x)) == data(model([1.0, 0.0, 1.0]))


def test_single_precision_is_taken_as_it_is() -> None:
    model, x = network(), ONE.astype(np.float32)
    assert data(model(x)) == data(model(x.astype(float)))


def test_values_and_numbers_may_be_mixed() -> None:
    model, x = network(), Value(0.5)
    outputs = model([1, x, np.float64(2.0)])
    assert data(outputs) == data(model([1.0, 0.5, 2.0]))
    sum(outputs).backward()
    assert x.has_grad


def test_the_input_is_not_changed() -> None:
    x = BATCH.tolist()
    network()(x)
    assert x == BATCH.tolist()


# What comes out


def test_one_example_gives_a_list_and_a_batch_a_list_of_lists() -> None:
    model = network()
    one, batch = model(ONE), model(BATCH)
    assert [type(y) for y in one] == [Value] * 2
    assert [len(row) for row in batch] == [2] * 5
    assert data(batch) == [data(model(x)) for x in BATCH]


@pytest.mark.parametrize("build", [lambda: MLP(3, [4, 1]), lambda: Layer(3, 1), lambda: Neuron(3)])
def test_a_single_output_comes_without_a_list_around_it(build: Callable[[], Any]) -> None:
    model = build()
    assert isinstance(model(ONE), Value)
    assert [type(y) for y in model(BATCH)] == [Value] * 5


def test_a_batch_of_one_is_a_batch() -> None:
    model = network()
    assert data(model([ONE])) == [data(model(ONE))]
    assert len(Neuron(3)([ONE])) == 1


def test_a_network_of_one_input_tells_an_example_from_a_batch() -> None:
    model = MLP(1, [2], seed=0)
    assert data(model([[3.0], [4.0]])) == [data(model([3.0])), data(model([4.0]))]


def test_a_neuron_is_three_nodes_however_wide() -> None:
    neuron = Neuron(49, activation="sigmoid", seed=0)
    assert statistics(neuron([1.0] * 49)).ops == {"parameter": 50, "constant": 49, "dot": 1, "add": 1, "sigmoid": 1}


def test_a_changed_weight_is_used_in_the_next_call() -> None:
    neuron = Neuron(2, activation="linear", initializer="zeros")
    before = neuron([3.0, 4.0])
    neuron.w[1].data, neuron.b.data = 2.0, -1.0
    assert (before.data, neuron([3.0, 4.0]).data) == (0.0, 7.0)


def test_the_weighted_sum_is_what_the_activation_is_given() -> None:
    neuron = Neuron(3, activation="sigmoid", seed=5)
    neuron.b.data = 0.25
    assert neuron.weighted_sum(ONE.tolist()).data == (dot(neuron.w, ONE.tolist()) + neuron.b).data
    assert neuron(ONE).data == ACTIVATIONS["sigmoid"](neuron.weighted_sum(ONE.tolist())).data


# Wrong widths are never cut to fit


@pytest.mark.parametrize("build", [lambda: MLP(3, [2, 1]), lambda: Layer(3, 2), lambda: Neuron(3)])
@pytest.mark.parametrize("width", [1, 2, 4, 6])
def test_every_wrong_width_is_refused(build: Callable[[], Any], width: int) -> None:
    model = build()
    message = rf"needs 3 numbers, got {width}"
    with pytest.raises(ValueError, match=message):
        model([0.5] * width)
    with pytest.raises(ValueError, match=message):
        model(np.zeros((2, width)))
    for place in range(3):
        rows = [[0.5] * 3 for _ in range(3)]
        rows[place] = [0.5] * width
        with pytest.raises(ValueError, match=f"row {place}, {message}"):
            model(rows)


def test_no_door_cuts_to_fit() -> None:
    neuron, layer, model = Neuron(3), Layer(3, 2), MLP(3, [2, 1])
    doors: list[Callable[[list[Any]], Any]] = [neuron.forward, layer.forward, model.forward]
    for row in ([1.0], [1.0] * 4):
        with pytest.raises(ValueError, match="same length"):
            neuron.weighted_sum(row)
        for door in doors:
            with pytest.raises(ValueError, match="same length"):
                door([row])


# Active or not


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4))
def test_a_neuron_is_active_where_its_weighted_sum_is_above_0(x: list[float], parameters: list[float]) -> None:
    neuron = Neuron(3, activation="sigmoid")
    for parameter, number in zip(neuron.parameters(), parameters, strict=True):
        parameter.data = number
    activity, z = neuron.activity(x), neuron.weighted_sum(x).data
    assert activity.active == (activity.sum > activity.threshold) == (z > 0.0)
    assert activity.threshold == -parameters[3]
    assert activity.sum - activity.threshold == z
    if abs(z) > 1e-15:  # closer to 0 a sigmoid rounds to 0.5 itself
        assert activity.active == (neuron(x).data > 0.5)


def test_at_the_threshold_a_neuron_is_not_active() -> None:
    neuron = Neuron(2, initializer=lambda *_: 10.0)
    neuron.b.data = -15.0
    assert neuron.activity([1, 0.5]) == Activity(sum=15.0, threshold=15.0, active=False)
    assert neuron.activity(np.array([1, 1])).active
    assert not neuron.activity([1.0, math.nan]).active


def test_a_threshold_is_never_minus_0() -> None:
    assert repr(Neuron(1, initializer="zeros").activity([1.0])) == "Activity(sum=0.0, threshold=0.0, active=False)"


def test_activity_gives_plain_numbers_and_moves_nothing() -> None:
    neuron, x = Neuron(2, seed=0), [Value(1.0), Value(-2.0)]
    activity = neuron.activity(x)
    assert (type(activity.sum), type(activity.threshold), type(activity.active)) == (float, float, bool)
    assert activity == neuron.activity([1.0, -2.0])
    assert not any(value.has_grad for value in (*x, *neuron.parameters()))


# Names and order

NEURON = ["w[0]", "w[1]", "b"]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Neuron(2), NEURON),
        (Layer(2, 1), [f"neuron1.{p}" for p in NEURON]),
        (Layer(2, 3), [f"neuron{n}.{p}" for n in (1, 2, 3) for p in NEURON]),
        (MLP(2, [1]), [f"output.neuron1.{p}" for p in NEURON]),
        (MLP(2, [2, 1]), [f"{n}.{p}" for n in ("hidden.neuron1", "hidden.neuron2", "output.neuron1") for p in NEURON]),
        (
            MLP(2, [2, 2, 1]),
            [
                f"{n}.{p}"
                for n in ("hidden1.neuron1", "hidden1.neuron2", "hidden2.neuron1", "hidden2.neuron2", "output.neuron1")
                for p in NEURON
            ],
        ),
    ],
    ids=repr,
)
def test_every_parameter_has_its_name_for_a_label(model: Module, expected: list[str]) -> None:
    assert [name for name, _ in model.named_parameters()] == expected
    assert [p.label for p in model.parameters()] == expected
    assert {p.op for p in model.parameters()} == {"parameter"}


@pytest.mark.parametrize("sizes", [[1], [3, 10], [4, 3, 2]])
def test_parameters_are_in_order_weights_before_bias(sizes: list[int]) -> None:
    model = MLP(5, sizes)
    expected = [p for layer in model.layers for neuron in layer.neurons for p in (*neuron.w, neuron.b)]
    assert model.parameters() == expected
    widths = [5, *sizes]
    assert len(expected) == np.dot(np.add(widths[:-1], 1), sizes)


def test_an_mlp_knows_its_sizes() -> None:
    model = MLP(4, (3, 2), activation="sigmoid")
    assert (model.inputs, model.sizes) == (4, [3, 2])
    assert [(layer.inputs, layer.outputs, len(layer.neurons)) for layer in model.layers] == [(4, 3, 3), (3, 2, 2)]
    assert MLP(4, np.array([3, 2])).sizes == [3, 2]
    assert repr(model) == "MLP(4, [3, 2], activation='sigmoid')"
    assert repr(model.layers[1]) == "Layer(3, 2, activation='linear')"


def test_the_sizes_given_are_not_kept_by_reference() -> None:
    sizes = [3, 2]
    model = MLP(4, sizes)
    sizes.append(1)
    assert model.sizes == [3, 2]


# The lecture


def test_three_neurons_on_a_7_by_7_image_have_150_parameters() -> None:
    assert len(Layer(49, 3).parameters()) == 150
    model = MLP(49, [3, 10], activation="sigmoid")
    assert len(model.layers[0].parameters()) == 150
    assert len(model.parameters()) == 150 + 40


def test_the_weight_of_the_lecture_has_its_readable_name() -> None:
    model = MLP(49, [3, 10], activation="sigmoid")
    weight = dict(model.named_parameters())["hidden.neuron2.w[13]"]
    assert weight is model.layers[0].neurons[1].w[13]
    assert weight.label == "hidden.neuron2.w[13]"


def test_a_layer_is_sigmoid_of_np_dot_w_a_plus_b() -> None:
    layer = Layer(49, 3, activation="sigmoid", seed=0)
    scatter_biases(layer)
    w = np.array([[weight.data for weight in neuron.w] for neuron in layer.neurons])
    b = np.array([neuron.b.data for neuron in layer.neurons])
    a = RNG.uniform(0.0, 1.0, 49)
    assert (w.shape, a.shape) == ((3, 49), (49,))
    np.testing.assert_allclose(data(layer(a)), 1.0 / (1.0 + np.exp(-(np.dot(w, a) + b))), **SAME)


def test_a_bias_of_minus_15_lets_a_neuron_fire_only_above_a_sum_of_15() -> None:
    neuron = Neuron(49, activation="sigmoid", initializer=lambda inputs, outputs, generator: 1.0)
    neuron.b.data = -15.0
    for ink in range(50):
        activation = neuron([1.0] * ink + [0.0] * (49 - ink)).data
        assert 0.0 < activation <= 1.0
        assert (activation > 0.5) == (ink > 15), ink
    assert neuron([1.0] * 15 + [0.0] * 34).data == 0.5


def test_ten_outputs_for_ten_digits() -> None:
    model = MLP(49, [3, 10], activation="sigmoid", output_activation="sigmoid", seed=0)
    outputs = model([0.5] * 49)
    assert len(outputs) == 10
    assert all(0.0 < y.data < 1.0 for y in outputs)
