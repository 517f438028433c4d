"""Every layer, activation, loss and penalty of nn, compiled; networks trained by hand, step for step."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import nn
from autograd_mini import Value
from autograd_mini.compiler import compile
from tests.compiled import check_everything, eager, same

ROWS = 4
LOSSES: dict[str, Callable[..., Any]] = dict(nn.LOSSES)
PENALTIES = {"l1": nn.l1_penalty, "l2": nn.l2_penalty}


def batch(*widths: int, rows: int = ROWS, seed: int = 5) -> list[np.ndarray[Any, Any]]:
    random = np.random.default_rng(seed)
    return [random.uniform(-1.5, 1.5, (rows, width)) for width in widths]


def targets(loss: str, width: int, rows: int = ROWS) -> np.ndarray[Any, Any]:
    random = np.random.default_rng(6)
    if loss == "cross_entropy":
        return random.dirichlet(np.ones(width), rows)
    if loss == "hinge":
        return random.choice([-1.0, 1.0], (rows, width))
    return random.uniform(0.1, 0.9, (rows, width))


def total(outputs: Any) -> Any:
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return sum(y * y * 0.5 + y * (0.3 + i) for i, y in enumerate(outputs))


@pytest.mark.parametrize("activation", nn.ACTIVATIONS)
def test_layers_of_each_activation(activation: str) -> None:
    for layer in (
        nn.Neuron(3, activation=activation, seed=1),
        nn.Layer(3, 4, activation=activation, seed=2),
        nn.Layer(3, 1, activation=activation, seed=3),
        nn.Sequential(nn.Layer(3, 2, activation="linear", seed=4), nn.Activate(activation)),
        nn.MLP(3, [4, 4, 2], activation=activation, output_activation=activation, seed=5),
    ):
        check_everything(lambda x, layer=layer: total(layer(x)), batch(3), layer.parameters())


@pytest.mark.parametrize("penalty", [None, *PENALTIES])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("several", [False, True])
def test_losses_and_penalties(loss: str, penalty: str | None, several: bool) -> None:
    width = 3 if several else 1 + (loss == "cross_entropy")
    model = nn.MLP(3, [5, width], activation="tanh", seed=8)

    def f(x: Any, y: Any) -> Any:
        outputs = model(x)
        value = LOSSES[loss](outputs if isinstance(outputs, list) else [outputs], y)
        return value if penalty is None else value + PENALTIES[penalty](model.parameters()) * 0.01

    check_everything(f, [*batch(3), targets(loss, width)], model.parameters())


def test_logits_far_out_stay_finite() -> None:
    model = nn.MLP(2, [3], activation="linear", seed=1)
    rows = [np.array([[1e4, -1e4], [-1e4, 1e4], [0.0, 0.0]]), targets("cross_entropy", 3, 3)]
    check_everything(lambda x, y: nn.cross_entropy(model(x), y), rows, model.parameters())
    check_everything(lambda x: nn.binary_cross_entropy([x[0], x[1]], [0.0, 1.0]), rows[:1])


def test_the_loss_of_a_whole_batch_as_one_example() -> None:
    model = nn.MLP(3, [4, 3], activation="gelu", seed=2)
    X, Y = batch(3)[0], targets("cross_entropy", 3)
    step = compile(lambda x, y: nn.cross_entropy(model(x), y), X, Y, parameters=model.parameters())
    expected = eager(lambda x, y: nn.cross_entropy(model(x), y), [X, Y], model.parameters())
    value, gradients = step(X, Y)
    same("value", value, expected.value, expected.value_size)
    same("gradients", gradients, expected.by_parameters, expected.parameter_sizes)


def with_norm(seed: int) -> nn.Module:
    return nn.MLP(3, [4, 2], activation="tanh", batch_norm=True, seed=seed)


def squared(model: Any) -> Callable[..., Any]:
    return lambda X, Y: nn.mean_squared_error(model(X), Y)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_batch_norm_is_traced_on_a_whole_batch(momentum: float | None) -> None:
    """Values, gradients, and the running statistics after several steps, which only a run may move."""
    model: Any = nn.Sequential(nn.Layer(3, 2, activation="linear", seed=3), nn.BatchNorm(2, momentum=momentum))
    twin = copy.deepcopy(model)
    X, Y = batch(3, 2, rows=5)
    before = {name: np.array(part) for name, part in twin.state().items()}
    step = compile(squared(model), X, Y, parameters=model.parameters())
    assert all(np.array_equal(before[name], part) for name, part in model.state().items()), "tracing is no batch"
    for seed in range(3):
        X, Y = batch(3, 2, rows=5, seed=seed)
        expected = eager(squared(twin), [X, Y], twin.parameters())
        value, gradients = step(X, Y)
        same("value", value, expected.value, expected.value_size)
        # The variance of a batch is a sum over paths that cancel: its rounding errors are those of their sizes.
        same("gradients", gradients, expected.by_parameters, expected.parameter_sizes)
        for name, part in twin.state().items():
            same(name, np.asarray(model.state()[name], float), np.asarray(part, float), 1.0)


def test_batch_norm_in_evaluation_reads_its_statistics_at_every_call() -> None:
    model: Any = with_norm(4)
    model(batch(3)[0])
    model.eval()
    X, Y = batch(3, 2)
    step = compile(squared(model), X[0], Y[0], parameters=model.parameters())
    for _ in range(2):
        for arguments in ((X[1], Y[1]), (X, Y)):
            expected = eager(squared(model), arguments, model.parameters())
            value, gradients = step(*arguments)
            same("value", value, expected.value, expected.value_size)
            same("gradients", gradients, expected.by_parameters, expected.parameter_sizes)
        model.train()(X)
        model.eval()


def test_dropout_draws_the_masks_that_the_eager_pass_would() -> None:
    model: Any = nn.MLP(3, [6, 2], activation="tanh", dropout=0.5, seed=6)
    twin = copy.deepcopy(model)
    step = compile(squared(model), *(part[0] for part in batch(3, 2)), parameters=model.parameters())
    values = []
    for rows in (4, 1, 7, 4, 4):
        X, Y = batch(3, 2, rows=rows)
        expected = eager(squared(twin), [X, Y], twin.parameters())
        value, gradients = step(X, Y)
        same("value", value, expected.value, expected.value_size)
        same("gradients", gradients, expected.by_parameters, expected.parameter_sizes)
        values.append(float(value))
    assert values[-1] != values[-2], "each call draws afresh"
    assert all(np.array_equal(a, b) for a, b in zip(model.state().values(), twin.state().values(), strict=True))
    single, expected = step(X[0], Y[0]), eager(squared(twin), [X[0], Y[0]], twin.parameters())
    same("single", single[0], expected.value, expected.value_size)


def test_dropout_in_evaluation_is_not_there() -> None:
    model: Any = nn.MLP(3, [6, 2], activation="tanh", dropout=0.5, seed=6).eval()
    check_everything(squared(model), batch(3, 2), model.parameters())


def test_dropout_and_batch_norm_together_on_whole_batches() -> None:
    model: Any = nn.MLP(3, [6, 2], activation="relu", dropout=0.3, batch_norm=True, seed=9)
    twin = copy.deepcopy(model)
    X, Y = batch(3, 2, rows=6)
    step = compile(squared(model), X, Y, parameters=model.parameters())
    for seed in range(3):
        X, Y = batch(3, 2, rows=6, seed=seed)
        expected = eager(squared(twin), [X, Y], twin.parameters())
        value, gradients = step(X, Y)
        same("value", value, expected.value, expected.value_size)
        same("gradients", gradients, expected.by_parameters, expected.parameter_sizes)


def test_sizes_of_batches_after_each_other() -> None:
    """Each size has memory of its own: what one leaves behind, another does not find."""
    model = nn.MLP(3, [5, 2], activation="relu", seed=3)
    step = compile(squared(model), *(part[0] for part in batch(3, 2)), parameters=model.parameters())
    for rows in (1, 9, 2, 9, 1, 30, *range(1, 25), 9):
        X, Y = batch(3, 2, rows=rows, seed=rows)
        expected = eager(squared(model), [X, Y], model.parameters())
        value, gradients = step(X, Y)
        same("value", value, expected.value, expected.value_size)
        same("gradients", gradients, expected.by_parameters, expected.parameter_sizes)


@pytest.mark.parametrize("whole_batch", [False, True])
def test_training_by_hand_ends_where_the_eager_engine_does(whole_batch: bool) -> None:
    data = nn.digits()
    inputs, classes = data.inputs[:60], np.eye(10)[data.targets[:60]]
    model: Any = nn.MLP(49, [6, 10], activation="tanh", batch_norm=whole_batch, seed=12)
    twin = copy.deepcopy(model)

    def loss(network: Any) -> Callable[..., Any]:
        return lambda X, Y: nn.cross_entropy(network(X), Y)

    rows: Sequence[slice] = [slice(start, start + 20) for start in (0, 20, 40)]
    examples = (inputs[rows[0]], classes[rows[0]]) if whole_batch else (inputs[0], classes[0])
    step = compile(loss(model), *examples, parameters=model.parameters())
    for _ in range(2):
        for part in rows:
            value, gradients = step(inputs[part], classes[part])
            step.parameters -= 0.1 * gradients
            expected = eager(loss(twin), [inputs[part], classes[part]], twin.parameters())
            for parameter, slope in zip(twin.parameters(), expected.by_parameters, strict=True):
                parameter.data -= 0.1 * slope
            same("loss", value, expected.value, expected.value_size, 1e-10)  # of parameters that differ by roundings
    same("parameters", step.parameters, [p.data for p in twin.parameters()], 1.0, 1e-10)
    step.store()
    assert [p.data for p in model.parameters()] == step.parameters.tolist()


def test_a_network_of_values_as_inputs_and_constants() -> None:
    """Inputs of a model may be made of other Values, and its parameters constants."""
    model = nn.MLP(2, [3, 1], activation="silu", seed=1)
    shift = Value(0.3, "shift")
    check_everything(lambda x: model([x[0] * shift, x[1] + shift]), batch(2), [shift, *model.parameters()])
    check_everything(lambda x: model([x[0] * 0.5, 1.0]), batch(2))
