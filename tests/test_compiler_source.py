"""What the compiler prints: the source is a page that reads like code, and the README shows it as it is today."""

import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_mini import RULES, dot, parameter, sum as add_up
from autograd_mini.compiler import CompiledStep, compile
from autograd_mini.value import apply
from examples.gpt import GPT, encode
from nn import MLP, cross_entropy, digits

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def lecture() -> CompiledStep:
    """The program in the README, with the names it has there."""
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    images, labels = digits().inputs, np.eye(10)[digits().targets]
    return compile(
        lambda image, label: cross_entropy(model(image), label), images[0], labels[0], parameters=model.parameters()
    )


def test_the_readme_shows_the_source_of_the_lecture_s_network(lecture: CompiledStep) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```python\n(def prepare.*?)\n```$", readme, re.MULTILINE | re.DOTALL)
    assert shown == lecture.source


def test_the_source_fits_a_page(lecture: CompiledStep) -> None:
    lines = lecture.source.splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 100


def test_every_layer_is_one_product_forward_and_two_backward(lecture: CompiledStep) -> None:
    products = re.findall(r"dot\((\w+), (\w+), out=(\w+)\)", lecture.source)
    assert [out for a, _, out in products if not a.startswith("ones")] == [
        "hidden_sum", "output_sum", "d_output_weights", "d_hidden", "d_hidden_weights",
    ]  # fmt: skip
    assert "hidden_sum: 3 dots of 49 and a bias -> (3, 50) @ (50, batch)" in lecture.report.splitlines()


def test_the_source_is_python_that_runs_by_itself(lecture: CompiledStep) -> None:
    names = {name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
    names |= {"dtype": np.float64, "largest_exponent": 709.0, "ones_10": np.ones(10)}
    exec(lecture.source, names)
    gradients = np.zeros(190)
    images, labels = digits().inputs[:8], np.eye(10)[digits().targets[:8]]
    loss, _ = names["prepare"](lecture.parameters, gradients, 8)(images, labels)
    expected, theirs = lecture(images, labels)
    assert (loss, gradients.tolist()) == (expected, theirs.tolist())


def test_a_micrograd_style_neuron_becomes_the_same_product() -> None:
    weights = [[parameter(0.1 * i - 0.2 * j, f"layer.w[{i}][{j}]") for j in range(4)] for i in range(3)]
    biases = [parameter(0.1 * i, f"layer.b[{i}]") for i in range(3)]
    parameters = [p for row, b in zip(weights, biases, strict=True) for p in (*row, b)]

    def by_hand(x: list[float]) -> object:
        return sum(
            sum((w * xi for w, xi in zip(row, x, strict=True)), b).tanh()
            for row, b in zip(weights, biases, strict=True)
        )

    def by_dot(x: list[float]) -> object:
        return sum((dot(row, x) + b).tanh() for row, b in zip(weights, biases, strict=True))

    reports = [compile(f, [0.0] * 4, parameters=parameters).report.splitlines()[0] for f in (by_hand, by_dot)]
    assert reports == ["layer_sum: 3 dots of 4 and a bias -> (3, 5) @ (5, batch)"] * 2


def test_the_gpt_of_79_000_scalars_becomes_a_few_dozen_kernels() -> None:
    model = GPT()
    inputs, targets = encode("pathlib")
    step = compile(model.loss, inputs, targets, parameters=model.parameters())
    step(np.array(inputs), np.array(targets))
    report = step.report.splitlines()
    assert len(report) < 60
    assert "up_sum: 512 dots of 16 -> (64, 16) @ (16, 8)" in report  # all eight positions in one product


@pytest.mark.parametrize("seed", range(3))
def test_a_function_has_one_source(seed: int) -> None:
    """Not one that hangs on where in memory the compiler's own objects are."""

    def f(*xs: Any) -> Any:
        draw, nodes = random.Random(seed), list(xs)
        for _ in range(40):
            op = draw.choice(["mul", "tanh", "sub", "logsumexp"])
            nodes.append(apply(op, *draw.choices(nodes, k=RULES[op].arity or 4)))
        return add_up(nodes[-8:])

    assert len({compile(f, 0.5, 0.7, -0.3, 0.2).source for _ in range(3)}) == 1
