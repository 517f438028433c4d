"""Networks of one's own, Activate and Sequential: calling, names, nesting, and parts that do not fit."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd_mini import Value, gradcheck, sum
from nn import ACTIVATIONS, MLP, SGD, Activate, BatchNorm, Dropout, Layer, Module, Network, Sequential, cross_entropy
from nn.module import evaluating

ONE, BATCH = [0.5, -1.0], [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]]


class Double(Network):
    """As little as a network may be."""

    def forward(self, rows: Any) -> Any:
        return [[2.0 * x for x in row] for row in rows]


class Total(Network):
    """Any number of inputs, one output."""

    outputs = 1

    def forward(self, rows: Any) -> Any:
        return [[sum(row)] for row in rows]


def data(outputs: Any) -> Any:
    return [data(output) for output in outputs] if isinstance(outputs, list) else float(outputs)


def block(seed: int = 0) -> Sequential:
    return Sequential(
        Layer(2, 3, activation="linear", seed=seed), BatchNorm(3), "tanh", Dropout(0.25, seed=1), Layer(3, 2, seed=2)
    )


# Networks of one's own


def test_a_network_needs_a_forward_and_nothing_else() -> None:
    double = Double()
    assert double([1.0, 2.0]) == [2.0, 4.0]
    assert double([3.0]) == 6.0
    assert double([[1.0], [2.0]]) == [2.0, 4.0]
    assert double(np.ones((2, 3), dtype=int)) == [[2.0] * 3] * 2
    assert (double.inputs, double.outputs, double.parameters(), double.state()) == (None, None, [], {})
    assert repr(double) == "Double()"


@pytest.mark.parametrize(
    ("made", "got"),
    [
        ([], r"\[\]"),
        ([[1.0]], r"\[\[1\.0\]\]"),
        ([[1.0]] * 3, r"\[\[1\.0\], \[1\.0\], \[1\.0\]\]"),
        ([1.0, 2.0], r"\[1\.0, 2\.0\]"),
        (None, "None"),
        (iter([]), "<list_iterator"),
    ],
)
def test_a_forward_that_loses_rows_is_told_so(made: Any, got: str) -> None:
    class Wrong(Network):
        def forward(self, rows: Any) -> Any:
            return made

    with pytest.raises(TypeError, match=rf"forward of Wrong\(\) must give 2 rows, a list of lists, got {got}"):
        Wrong()([[1.0], [2.0]])


def test_a_network_of_ones_own_may_hold_others() -> None:
    class Residual(Network):
        def __init__(self) -> None:
            self.inputs = self.outputs = 2
            self.inner = block()
            self.bias = Value(0.5)

        def forward(self, rows: Any) -> Any:
            return [
                [x + y + self.bias for x, y in zip(*both, strict=True)]
                for both in zip(rows, self.inner.forward(rows), strict=True)
            ]

    model = Sequential(Residual(), Residual(), Layer(2, 2, seed=0))
    assert gradcheck(cross_entropy(model(BATCH), [0, 1, 1]))
    names = [name for name, _ in model.named_parameters()]
    assert "residual1.inner.batchnorm2.shift[2]" in names
    assert "residual2.bias" in names
    assert [p.label for p in model.parameters()] == names
    assert len(model.eval()(ONE)) == 2


# Activate


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activate_is_the_function_number_by_number(name: str) -> None:
    x = [-1.5, 0.25, 2.0]
    expected = [ACTIVATIONS[name](number) for number in x]
    assert Activate(name)(x) == expected
    assert data(Activate(name)([Value(number) for number in x])) == pytest.approx(expected, rel=1e-15)
    assert Activate(ACTIVATIONS[name])([x, x]) == [expected, expected]
    assert repr(Activate(name)) == repr(name)


def test_activate_has_nothing_to_learn_and_any_width() -> None:
    activate = Activate("relu")
    assert (activate.inputs, activate.outputs, activate.state()) == (None, None, {})
    assert (activate([-1.0]), activate([1.0, -1.0])) == (0.0, [1.0, 0.0])


# Sequential


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_a_sequential_of_layers_is_an_mlp(activation: str) -> None:
    mlp = MLP(2, [3, 4, 2], activation=activation, seed=0)
    model = Sequential(*mlp.layers)
    assert data(model(ONE)) == data(mlp(ONE))
    assert data(model(BATCH)) == data(mlp(BATCH))
    assert model.parameters() == mlp.parameters()


def test_parts_work_one_behind_the_other() -> None:
    first, second = Layer(2, 3, activation="linear", seed=0), Layer(3, 2, activation="linear", seed=1)
    model = Sequential(first, "tanh", lambda z: z * z, second)
    expected = second([[z.tanh().data ** 2 for z in row] for row in first(BATCH)])
    np.testing.assert_allclose(data(model(BATCH)), data(expected), rtol=1e-12)
    assert isinstance(Sequential(Layer(2, 1))(ONE), Value)


@pytest.mark.parametrize("training", [True, False])
def test_gradients_agree_with_differences(training: bool) -> None:
    model = block()
    model(BATCH)
    inputs = [[Value(x) for x in row] for row in BATCH]
    assert gradcheck(cross_entropy(model.train(training)(inputs), [0, 1, 1]))


def test_parameters_are_named_by_kind_and_place() -> None:
    model = Sequential("relu", block(), Sequential(Layer(2, 1)))
    assert [name for name, _ in model.named_children()] == ["activate1", "sequential2", "sequential3"]
    names = [name for name, _ in model.named_parameters()]
    assert names[0] == "sequential2.layer1.neuron1.w[0]"
    assert names[-1] == "sequential3.layer1.neuron1.b"
    assert [p.label for p in model.parameters()] == names
    assert "sequential2.batchnorm2.running_mean" in dict(model.named_buffers())
    assert "sequential2.dropout4.generator_state" in model.state()


def test_a_part_that_stands_twice_is_one_set_of_parameters() -> None:
    layer = Layer(2, 2, seed=0)
    model = Sequential(layer, layer)
    assert model.parameters() == layer.parameters()
    assert data(model(ONE)) == data(layer(layer(ONE)))
    assert len(model.load_state(model.state()).state()) == 4


@pytest.mark.parametrize(
    ("parts", "inputs", "outputs"),
    [
        (lambda: ["relu"], None, None),
        (lambda: [Double(), "relu"], None, None),
        (lambda: [Layer(2, 3)], 2, 3),
        (lambda: ["relu", Double(), Layer(2, 3), "tanh", Dropout(0.5)], 2, 3),
        (lambda: [Total(), Layer(1, 4)], None, 4),
        (lambda: [Layer(2, 3), Total(), Layer(1, 2)], 2, 2),
        (lambda: [BatchNorm(4), Sequential("relu", Layer(4, 1))], 4, 1),
        (lambda: [Sequential("relu"), Sequential(Layer(5, 2))], 5, 2),
    ],
)
def test_a_sequential_knows_what_goes_in_and_what_comes_out(parts: Any, inputs: Any, outputs: Any) -> None:
    model = Sequential(*parts())
    assert (model.inputs, model.outputs) == (inputs, outputs)


def test_a_network_that_only_says_what_goes_in_gives_as_many() -> None:
    fixed = Double()
    fixed.inputs = 2
    assert Sequential(fixed, Layer(2, 1)).inputs == 2
    with pytest.raises(ValueError, match=r"part 2, Layer.* takes 3 numbers, but what comes before gives 2"):
        Sequential(fixed, Layer(3, 1))


def test_modes_reach_every_part() -> None:
    model = Sequential(block(), Double())
    parts = [part for _, part in model.modules()]
    assert len(parts) == 1 + 1 + 5 + 5 + 1
    assert not any(part.training for _, part in model.eval().modules())
    assert data(model(ONE)) == data(model(ONE))
    model.parts[0].parts[3].train()
    with evaluating(model):
        assert not any(part.training for part in parts)
    assert [part.training for part in parts].count(True) == 1


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_copy_goes_on_alike(copier: Callable[[Any], Any]) -> None:
    model = block()
    model(BATCH)
    twin = copier(model)
    for _ in range(3):
        assert data(twin(BATCH)) == data(model(BATCH))
    SGD(twin.parameters(), learning_rate=0.1).zero_grad()
    assert not set(twin.parameters()) & set(model.parameters())


def test_it_learns() -> None:
    model = Sequential(Layer(2, 6, activation="linear", seed=0), BatchNorm(6), "tanh", Layer(6, 2, activation="linear"))
    optimizer = SGD(model.parameters(), learning_rate=0.5)
    inputs, labels = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    for _ in range(100):
        optimizer.zero_grad()
        cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    assert cross_entropy(model.eval()(inputs), labels).data < 0.05


def test_long_and_deep_ones_have_a_short_repr() -> None:
    assert repr(Sequential(Layer(2, 3), BatchNorm(3), "relu")) == (
        "Sequential(Layer(2, 3, activation='relu'), BatchNorm(3), 'relu')"
    )
    deep = Sequential("relu")
    for _ in range(6):
        deep = Sequential(*[deep] * 7)
    assert len(repr(deep)) < 500
    assert repr(Sequential(*["relu"] * 7)).endswith("'relu', …)")


def test_a_module_that_is_no_network_is_told_what_to_derive_it_from() -> None:
    with pytest.raises(TypeError, match=r"part 1, Module\(\), is no Network; derive it from nn\.Network"):
        Sequential(Module())
