"""Training steps of small networks, compiled and by its peers: ``python -m benchmarks.compiled_steps NETWORK ENGINE``.

A step takes a batch as NumPy arrays, computes loss and gradients, and makes one update of plain SGD. All engines start
from the same parameters, see the same batches in the same order and compute in float64 on one thread.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from itertools import cycle
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import nn
from autograd_mini.compiler import compile
from benchmarks.figures import Figure, figure
from benchmarks.numpy_steps import NUMPY_STEPS
from benchmarks.races import one_cpu, serve, take_turns

__all__ = ["ENGINES", "NETWORKS", "Network", "prepared", "run_compiled_steps"]

Array: TypeAlias = Any
SEED = 1337
LEARNING_RATE = 0.01


class Network(NamedTuple):
    """What is trained on what; `numpy` bounds time(compiled) / time(NumPy), `torch` time(PyTorch) / time(compiled)."""

    sizes: list[int]
    batch: int
    activation: str
    loss: str
    numpy: float
    torch: float = 0.0

    def model(self) -> nn.MLP:
        return nn.MLP(self.sizes[0], self.sizes[1:], activation=self.activation, seed=SEED)

    def batches(self) -> list[tuple[Array, Array]]:
        """Inputs (batch, features) and targets (batch, outputs): points of two half circles, or handwritten digits."""
        data = nn.moons(200, seed=SEED) if self.sizes[0] == 2 else nn.digits()
        inputs: Array = data.inputs
        if self.sizes[0] == 784:  # every pixel four times as wide and as high
            inputs = np.kron(inputs.reshape(-1, 7, 7), np.ones((4, 4))).reshape(-1, 784)
        targets = np.eye(10)[data.targets] if self.sizes[-1] == 10 else 2.0 * data.targets.reshape(-1, 1) - 1.0
        order = np.random.default_rng(SEED).permutation(len(inputs))
        rows = (order[i : i + self.batch] for i in range(0, len(order) - self.batch + 1, self.batch))
        return [(inputs[row], targets[row]) for row in rows]


NETWORKS = {
    "2-16-16-1, batch 1": Network([2, 16, 16, 1], 1, "relu", "mean_squared_error", 0.85, 4.0),
    "2-16-16-1, batch 100": Network([2, 16, 16, 1], 100, "relu", "mean_squared_error", 0.85, 4.0),
    "49-3-10, batch 64": Network([49, 3, 10], 64, "sigmoid", "cross_entropy", 0.85, 4.0),
    "49-16-16-10, batch 256": Network([49, 16, 16, 10], 256, "relu", "cross_entropy", 0.85),
    "784-64-10, batch 128": Network([784, 64, 10], 128, "relu", "cross_entropy", 1.05),
}


class Prepared(NamedTuple):
    """The step, from a batch to its loss; how to read the parameters W1, b1, W2, ..., each W (inputs, outputs)."""

    step: Callable[[Array, Array], Any]
    parameters: Callable[[], list[Array]]
    targets: Callable[[Array], Array] = lambda Y: Y  # into the form that the engine is fastest on; not timed


def matrices(model: nn.MLP) -> list[Array]:
    """The numbers of a model as W1, b1, W2, ..."""
    layers = [layer.neurons for layer in model.layers]
    weights = [np.array([[w.data for w in neuron.w] for neuron in neurons]).T.copy() for neurons in layers]
    biases = [np.array([neuron.b.data for neuron in neurons]) for neurons in layers]
    return [array for pair in zip(weights, biases, strict=True) for array in pair]


def with_numpy(network: Network) -> Prepared:
    start = matrices(network.model())
    parameters = np.concatenate([array.ravel() for array in start])
    gradients = np.empty_like(parameters)
    ends = np.cumsum([array.size for array in start])[:-1]

    def views(flat: Array) -> list[Array]:
        return [part.reshape(array.shape) for part, array in zip(np.split(flat, ends), start, strict=True)]

    backpropagate = NUMPY_STEPS[len(network.sizes) - 2, network.activation, network.loss](
        views(parameters), views(gradients)
    )

    def step(X: Array, Y: Array) -> float:
        nonlocal parameters, gradients
        loss = backpropagate(X, Y)
        gradients *= LEARNING_RATE
        parameters -= gradients
        return loss

    return Prepared(step, lambda: views(parameters))


def with_compile(network: Network) -> Prepared:
    model, loss_of = network.model(), getattr(nn, network.loss)
    X, Y = network.batches()[0]
    program = compile(lambda x, y: loss_of(model(x), y), X[0], Y[0], parameters=model.parameters())
    scratch = np.empty_like(program.parameters)

    def step(X: Array, Y: Array) -> Any:
        loss, gradients = program(X, Y)
        np.multiply(gradients, LEARNING_RATE, out=scratch)
        program.parameters -= scratch
        return loss

    def parameters() -> list[Array]:
        program.store()
        return matrices(model)

    return Prepared(step, parameters)


def with_torch(network: Network) -> Prepared:
    torch = import_module("torch")
    torch.set_num_threads(1)
    linears, layers = [], []
    for W, b in zip(*[iter(matrices(network.model()))] * 2, strict=True):
        linears.append(torch.nn.Linear(*W.shape, dtype=torch.float64))
        linears[-1].load_state_dict({"weight": torch.from_numpy(W.T), "bias": torch.from_numpy(b)})
        layers += [linears[-1], {"relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid}[network.activation]()]
    model = torch.nn.Sequential(*layers[:-1])
    loss_of = {"mean_squared_error": torch.nn.MSELoss, "cross_entropy": torch.nn.CrossEntropyLoss}[network.loss]()
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)

    def step(X: Array, Y: Array) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(torch.from_numpy(X)), torch.from_numpy(Y))
        loss.backward()
        optimizer.step()
        return loss.item()

    def parameters() -> list[Array]:
        return [array.detach().numpy().T for linear in linears for array in (linear.weight, linear.bias)]

    if network.loss == "cross_entropy":  # which is faster on classes than on probabilities
        return Prepared(step, parameters, lambda Y: Y.argmax(axis=1))
    return Prepared(step, parameters)


def with_jax(network: Network, *, asynchronous: bool = True) -> Prepared:
    jax, jnp = import_module("jax"), import_module("jax.numpy")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_cpu_enable_async_dispatch", asynchronous)
    activation = getattr(jax.nn, network.activation)
    numbers = [jnp.asarray(array) for array in matrices(network.model())]

    def loss_of(numbers: list[Array], X: Array, Y: Array) -> Any:
        *hidden, (W, b) = zip(numbers[::2], numbers[1::2], strict=True)
        for V, c in hidden:
            X = activation(X @ V + c)
        outputs = X @ W + b
        if network.loss == "mean_squared_error":
            return jnp.mean((outputs - Y) ** 2)
        return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(outputs), axis=1))

    @partial(jax.jit, donate_argnums=0)
    def update(numbers: list[Array], X: Array, Y: Array) -> tuple[Any, list[Array]]:
        loss, gradients = jax.value_and_grad(loss_of)(numbers, X, Y)
        return loss, [number - LEARNING_RATE * gradient for number, gradient in zip(numbers, gradients, strict=True)]

    def step(X: Array, Y: Array) -> Any:
        nonlocal numbers
        loss, numbers = jax.block_until_ready(update(numbers, X, Y))
        return loss

    return Prepared(step, lambda: numbers)


ENGINES: dict[str, Callable[[Network], Prepared]] = {
    "numpy": with_numpy,
    "compiled": with_compile,
    "torch": with_torch,
    "jax": with_jax,
    "jax-synchronous": partial(with_jax, asynchronous=False),
}


def prepared(network: Network, engine: str) -> tuple[Callable[[], Any], list[float]]:
    """Make an engine's step and take it three times; the step, the three losses and then all the parameters."""
    step, parameters, targets = ENGINES[engine](network)
    batches = cycle([(X, targets(Y)) for X, Y in network.batches()])
    losses = [float(step(*next(batches))) for _ in range(3)]
    numbers = np.concatenate([np.asarray(array).ravel() for array in parameters()])
    return lambda: step(*next(batches)), [*losses, *numbers.tolist()]


def run_compiled_steps(rounds: int) -> Iterator[Figure]:
    """Run every engine on every network.

    Raises:
        RuntimeError: if a worker breaks down, or if a loss or a parameter differs by more than 1e-9 after three steps.
    """
    for name, network in NETWORKS.items():
        seconds = take_turns("benchmarks.compiled_steps", name, list(ENGINES), rounds)

        def ratio(a: str, b: str, of: dict[str, list[float]] = seconds) -> Iterator[tuple[float, float]]:
            return zip(of[a], of[b], strict=True)

        by_hand, torch = f"{name}: time(compiled) / time(NumPy by hand)", f"{name}: time(PyTorch) / time(compiled)"
        jax = f"{name}: time(jax.jit{{}}) / time(compiled)"
        yield figure("compiled", by_hand, ratio("compiled", "numpy"), most=network.numpy)
        yield figure("compiled", torch, ratio("torch", "compiled"), least=network.torch)
        yield figure("compiled", jax.format(""), ratio("jax", "compiled"), least=1.0)
        yield figure("compiled", jax.format(", synchronous dispatch"), ratio("jax-synchronous", "compiled"))


if __name__ == "__main__":
    clock = one_cpu()
    serve(*prepared(NETWORKS[sys.argv[1]], sys.argv[2]), clock)
