"""The work that engines race on: per workload and engine a function that sets it up and returns the step to repeat."""

import math
import random
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import cycle, pairwise
from typing import Any, TypeAlias

import nn
from autograd_mini import Value, dot
from autograd_mini.compiler import compile
from benchmarks.gpt import GPT_ENGINES

__all__ = ["WORKLOADS", "ScalarMLP", "Step", "small_expression"]

Step: TypeAlias = Callable[[], Sequence[Any]]
"""A whole step, from the inputs to the update; it returns the loss and then the gradients, singly or in a vector."""

SEED = 1337
LEARNING_RATES = [1.0 - 0.9 * k / 100 for k in range(100)]


def half_circles() -> tuple[list[list[float]], list[int]]:
    """Draw 100 points from two interleaved half circles with noise 0.1, and their labels, -1 and 1 in turn."""
    generator = random.Random(SEED)
    labels = [-1, 1] * 50
    circle = [(math.cos(angle), math.sin(angle)) for angle in (generator.uniform(0.0, math.pi) for _ in labels)]
    centers = [(x, y) if label < 0 else (1.0 - x, 0.5 - y) for label, (x, y) in zip(labels, circle, strict=True)]
    return [[generator.gauss(x, 0.1), generator.gauss(y, 0.1)] for x, y in centers], labels


def expression(number: Any) -> Step:
    """The expression of micrograd's README on any engine's Value."""

    def step() -> list[float]:
        a = number(-4.0)
        b = number(2.0)
        c = a + b
        d = a * b + b**3
        c += c + 1
        c += 1 + c + (-a)
        d += d * 2 + (b + a).relu()
        d += 3 * d + (b - a).relu()
        e = c - d
        f = e**2
        g = f / 2.0
        g += 10.0 / f
        g.backward()
        return [g.data, a.grad, b.grad]

    return step


def small_expression(a: Any, b: Any) -> Any:
    """Some arithmetic on numbers, Values or arrays."""
    c = a + b
    d = a * b + b**3
    e = c - d
    f = e**2
    return f / 2


def small_expression_of_values() -> list[float]:
    a, b = Value(-4.0), Value(2.0)
    g = small_expression(a, b)
    g.backward()
    return [g.data, a.grad, b.grad]


def small_expression_compiled() -> Step:
    f = compile(small_expression)

    def step() -> list[float]:
        g, (da, db) = f(-4.0, 2.0)
        return [g, da, db]

    return step


class ScalarNeuron:
    """micrograd's neuron on our Value: a node per product and per sum."""

    def __init__(self, nin: int, *, nonlin: bool) -> None:
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin

    def __call__(self, x: list[Any]) -> Any:
        act = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)  # noqa: B905  # as micrograd has it
        return act.relu() if self.nonlin else act


class ScalarMLP:
    """micrograd's MLP (github.com/karpathy/micrograd, micrograd/nn.py) of such neurons."""

    def __init__(self, nin: int, nouts: list[int]) -> None:
        sizes, last = list(pairwise([nin, *nouts])), len(nouts) - 1
        self.layers = [[ScalarNeuron(n, nonlin=i != last) for _ in range(m)] for i, (n, m) in enumerate(sizes)]

    def __call__(self, x: list[Any]) -> Any:
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0] if len(x) == 1 else x

    def parameters(self) -> list[Value]:
        return [p for layer in self.layers for neuron in layer for p in [*neuron.w, neuron.b]]

    def zero_grad(self) -> None:
        for p in self.parameters():
            p.grad = 0


def demo(number: Any, network: Any) -> Step:
    """The training step of micrograd's demo.ipynb on any engine's Value and MLP."""
    random.seed(SEED)
    model = network(2, [16, 16, 1])
    (points, labels), learning_rates = half_circles(), cycle(LEARNING_RATES)

    def step() -> list[float]:
        inputs = [list(map(number, point)) for point in points]
        scores = list(map(model, inputs))
        losses = [(1 + -y * score).relu() for y, score in zip(labels, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        loss = data_loss + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        learning_rate = next(learning_rates)
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        return [loss.data, *(p.grad for p in model.parameters())]

    return step


def demo_with_nn() -> Step:
    """The same step written with ``nn``: a node per neuron's dot product, and one for the L2 term."""
    model = nn.MLP(2, [16, 16, 1], initializer="uniform", seed=SEED)
    optimizer = nn.SGD(parameters := model.parameters())
    (points, labels), learning_rates = half_circles(), cycle(LEARNING_RATES)

    def step() -> list[float]:
        optimizer.learning_rate = next(learning_rates)
        loss = nn.hinge(model(points), labels) + 1e-4 * dot(parameters, parameters)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return [loss.data, *(p.grad for p in parameters)]

    return step


WORKLOADS: dict[str, dict[str, Callable[[], Step]]] = {
    "expression": {
        "micrograd": lambda: expression(import_module("micrograd.engine").Value),
        "scalars": lambda: expression(Value),
    },
    "small expression": {
        "scalars": lambda: small_expression_of_values,
        "compiled": small_expression_compiled,
    },
    "moons": {
        "micrograd": lambda: demo(import_module("micrograd.engine").Value, import_module("micrograd.nn").MLP),
        "scalars": lambda: demo(Value, ScalarMLP),
        "nn": demo_with_nn,
    },
    "gpt": {**GPT_ENGINES},
}
