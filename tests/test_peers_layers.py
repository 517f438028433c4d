"""Agreement with PyTorch, step by step: batch normalization, every loss, and a whole network in training.

Skipped unless asked for, as ``test_peers.py`` is: ``./dev test --peers``.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from autograd_mini import Value, dot
from nn import LOSSES, MLP, SGD, BatchNorm, cross_entropy

# Relative to the largest number of an array: terms that cancel are rounded in another order over there.
TOLERANCE = 1e-12
STEPS = 20
SIZES = (2, 3, 4, 5, 6, 7)
LARGE = (1.0, 30.0, 700.0, 1e4)


@pytest.fixture(autouse=True)
def _torch_in_doubles() -> Iterator[None]:
    reason = "torch is not installed; ./dev test --peers installs and compares with it"
    torch = pytest.importorskip("torch", reason=reason)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def agree(ours: Any, theirs: Any, what: str, largest: float = 0.0) -> None:
    """Compare two arrays, relative to the largest number in them, or to a larger one that their terms had."""
    theirs = np.asarray(getattr(theirs, "tolist", lambda: theirs)())
    ours = np.asarray(ours, dtype=float)
    scale = max(largest, float(np.abs(theirs).max(initial=0.0)))
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=TOLERANCE * scale, err_msg=what)


def data(rows: Any) -> Any:
    return [data(row) for row in rows] if isinstance(rows, list) else float(rows)


def grads(values: Any) -> Any:
    return [grads(value) for value in values] if isinstance(values, list) else values.grad


# Batch normalization


def steps(seed: int, columns: int) -> Iterator[tuple[Any, Any]]:
    """Batches of every size, far from mean 0 and variance 1, with what the gradient of each output shall be."""
    rng = np.random.default_rng(seed)
    for _, rows in zip(range(STEPS), itertools.cycle(SIZES), strict=False):
        spread = 10.0 ** rng.uniform(-1.0, 2.0, columns)
        yield rng.normal(rng.normal(size=columns), spread, (rows, columns)), rng.normal(size=(rows, columns))


@pytest.mark.parametrize("track", [True, False], ids=["track", "no track"])
@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
@pytest.mark.parametrize("momentum", [0.1, 0.5, None])
@pytest.mark.parametrize("epsilon", [1e-5, 0.1])
def test_batch_norm_agrees_over_20_steps(momentum: float | None, affine: bool, track: bool, epsilon: float) -> None:
    import torch

    ours = BatchNorm(3, momentum=momentum, affine=affine, track=track, epsilon=epsilon)
    theirs = torch.nn.BatchNorm1d(3, epsilon, momentum, affine, track_running_stats=track)
    optimizer = SGD(ours.parameters(), learning_rate=0.05) if affine else None

    def compare(x: Any, upstream: Any, what: str) -> None:
        inputs, tensor = [[Value(number) for number in row] for row in x], torch.tensor(x, requires_grad=True)
        outputs, expected = ours(inputs), theirs(tensor)
        agree(data(outputs), expected, f"{what}: outputs")
        ours.zero_grad()
        theirs.zero_grad()
        dot([y for row in outputs for y in row], upstream.flatten().tolist()).backward()
        expected.backward(torch.tensor(upstream))
        # An input's gradient is what is left of terms of this size: up to all of it, with two rows.
        size = np.abs(upstream).max() / np.sqrt(x.var(0) + epsilon).min()
        agree(grads(inputs), tensor.grad, f"{what}: gradients of the inputs", size)
        if affine:
            agree(grads(ours.scale), theirs.weight.grad, f"{what}: gradients of the scale", np.abs(upstream).max())
            agree(grads(ours.shift), theirs.bias.grad, f"{what}: gradients of the shift", np.abs(upstream).max())
        if track:
            agree(ours.running_mean, theirs.running_mean, f"{what}: running mean")
            agree(ours.running_variance, theirs.running_var, f"{what}: running variance")
            assert ours.batches == theirs.num_batches_tracked.item()

    for step, (x, upstream) in enumerate(steps(0, 3)):
        compare(x, upstream, f"step {step}")
        if optimizer:
            optimizer.step()
            with torch.no_grad():
                for parameter in theirs.parameters():
                    parameter -= 0.05 * parameter.grad
            agree(data(ours.scale), theirs.weight, f"step {step}: scale")
            agree(data(ours.shift), theirs.bias, f"step {step}: shift")
    ours.eval()
    theirs.eval()
    for step, (x, upstream) in enumerate(steps(1, 3)):
        compare(x, upstream, f"evaluation {step}")


@pytest.mark.parametrize("training", [True, False])
def test_one_row_is_refused_or_taken_as_there(training: bool) -> None:
    import torch

    for track in (True, False):
        ours = BatchNorm(2, track=track).train(training)
        theirs = torch.nn.BatchNorm1d(2, track_running_stats=track).train(training)
        x = torch.tensor([[1.0, -2.0]])
        if training or not track:
            with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
                theirs(x)
            with pytest.raises(ValueError, match="batch of one row"):
                ours(x.tolist())
        else:
            agree(data(ours(x.tolist())), theirs(x), "one row")


# Losses


Draw = Callable[[np.random.Generator, tuple[int, int]], Any]


def classes(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    return rng.integers(0, shape[1], shape[0])


def shares(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    return rng.dirichlet(np.ones(shape[1]), shape[0])


def one_hot(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    return np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]


def numbers(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    return rng.normal(size=shape)


def truths(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    return rng.integers(0, 2, shape).astype(float)


def signs(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    return 2.0 * truths(rng, shape) - 1.0


def probabilities(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    return rng.uniform(size=shape)


def their_losses() -> dict[str, Callable[..., Any]]:
    import torch
    from torch.nn import functional

    return {
        "sum_squared_error": lambda y, t: functional.mse_loss(y, t, reduction="sum"),
        "mean_squared_error": functional.mse_loss,
        "cross_entropy": functional.cross_entropy,
        "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
        "hinge": lambda y, t: torch.clamp(1.0 - t * y, min=0.0).mean(),
    }


TARGETS: dict[str, tuple[Draw, ...]] = {
    "sum_squared_error": (numbers,),
    "mean_squared_error": (numbers,),
    "cross_entropy": (classes, shares, one_hot),
    "binary_cross_entropy": (truths, probabilities),
    "hinge": (signs,),
}


def test_every_loss_is_compared() -> None:
    assert set(TARGETS) == set(their_losses()) == set(LOSSES), "write the function of PyTorch for the new loss"


@pytest.mark.parametrize(("name", "draw"), [(name, draw) for name, draws in TARGETS.items() for draw in draws])
@pytest.mark.parametrize("size", LARGE)
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 1), (6, 3)])
def test_a_loss_agrees(name: str, draw: Draw, size: float, shape: tuple[int, int]) -> None:
    import torch

    rng = np.random.default_rng(3)
    for _ in range(STEPS):
        outputs, targets = rng.normal(0.0, size, shape), draw(rng, shape)
        inputs, tensor = [[Value(y) for y in row] for row in outputs], torch.tensor(outputs, requires_grad=True)
        ours, theirs = LOSSES[name](inputs, targets), their_losses()[name](tensor, torch.tensor(targets))
        ours.backward()
        theirs.backward()
        # Log-shares are differences of logits, and PyTorch's binary loss adds to 1: what is left is rounded as those.
        floors = {"cross_entropy": np.abs(outputs).max(), "binary_cross_entropy": 1.0}
        agree(ours.data, theirs, "the loss", floors.get(name, 0.0))
        agree(grads(inputs), tensor.grad, "its gradient", 1.0 / shape[0])


# A whole network


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_a_network_with_batch_norm_agrees_over_20_steps_of_training(activation: str) -> None:
    import torch

    model = MLP(4, [5, 3], activation=activation, batch_norm=True, seed=0)
    hidden, output = model.layers
    norm = hidden.batch_norm
    assert norm is not None
    functions = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}
    theirs = torch.nn.Sequential(
        torch.nn.Linear(4, 5), torch.nn.BatchNorm1d(5), functions[activation](), torch.nn.Linear(5, 3)
    )

    def pairs() -> Iterator[tuple[str, Any, Any]]:
        for name, layer, linear in (("hidden", hidden, theirs[0]), ("output", output, theirs[3])):
            yield f"{name} weights", [neuron.w for neuron in layer.neurons], linear.weight
            yield f"{name} biases", [neuron.b for neuron in layer.neurons], linear.bias
        yield "scale", norm.scale, theirs[1].weight
        yield "shift", norm.shift, theirs[1].bias

    with torch.no_grad():
        for _, values, tensor in pairs():
            tensor.copy_(torch.tensor(data(values)))
    ours, optimizer = SGD(model.parameters(), learning_rate=0.3), torch.optim.SGD(theirs.parameters(), lr=0.3)
    rng = np.random.default_rng(5)
    for step, rows in zip(range(STEPS), itertools.cycle(SIZES), strict=False):
        x, labels = rng.normal(size=(rows, 4)), rng.integers(0, 3, rows)
        loss = cross_entropy(model(x), labels)
        expected = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(labels))
        agree(loss.data, expected, f"step {step}: the loss", 1.0)
        ours.zero_grad()
        optimizer.zero_grad()
        loss.backward()
        expected.backward()
        # At least 1.0, as for the parameters, which may differ by so much by now: kernels differ between processors.
        largest = max(1.0, *(abs(parameter.grad) for parameter in model.parameters()))
        for name, values, tensor in pairs():
            agree(grads(values), tensor.grad, f"step {step}: gradients of {name}", largest)
        ours.step()
        optimizer.step()
        for name, values, tensor in pairs():
            agree(data(values), tensor, f"step {step}: {name}", 1.0)
        agree(norm.running_mean, theirs[1].running_mean, f"step {step}: running mean", 1.0)
        agree(norm.running_variance, theirs[1].running_var, f"step {step}: running variance")
    agree(data(model.eval()(x)), theirs.eval()(torch.tensor(x)), "evaluation")


def test_a_difference_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    biased = BatchNorm._remember

    def wrong(self: BatchNorm, statistics: Any, rows: int) -> None:
        biased(self, statistics, rows)
        self.running_variance = [variance * (1.0 + 1e-11) for variance in self.running_variance]

    monkeypatch.setattr(BatchNorm, "_remember", wrong)
    with pytest.raises(AssertionError, match="step 0: running variance"):
        test_batch_norm_agrees_over_20_steps(0.1, True, True, 1e-5)
