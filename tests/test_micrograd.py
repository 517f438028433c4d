"""What runs with micrograd's Value runs with ours, unchanged, and gives the same numbers."""

import math
import random
from fractions import Fraction
from typing import Any

import autograd_mini
from autograd_mini import Value


def is_close(found: float, wanted: Fraction) -> bool:
    return math.isclose(found, wanted, rel_tol=1e-12)


def test_the_readme_expression() -> None:
    a = Value(-4.0)
    b = Value(2.0)
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
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"

    # By hand: c = 3a + 4b + 3 and, as b + a < 0 < b - a, d = 12 (ab + b³) + b - a; g = e²/2 + 10/e² with e = c - d.
    exact_a, exact_b = Fraction(-4), Fraction(2)
    exact_e = 3 * exact_a + 4 * exact_b + 3 - 12 * (exact_a * exact_b + exact_b**3) - exact_b + exact_a
    slope = exact_e - 20 / exact_e**3
    assert is_close(g.data, exact_e**2 / 2 + 10 / exact_e**2)
    assert is_close(a.grad, slope * (3 - 12 * exact_b + 1))
    assert is_close(b.grad, slope * (4 - 12 * (exact_a + 3 * exact_b**2) - 1))


def test_the_sanity_check() -> None:
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    # By hand, for z = 3x + 2 < 0: y = z² + zx + zx², whose slope is 6z + 3x + z + 3x² + 2zx.
    assert (y.data, x.grad) == (-20.0, 46.0)


def test_operators_take_plain_numbers_on_either_side() -> None:
    x = Value(4.0)
    assert [v.data for v in (x + 1, 1 + x, x - 1, 1 - x, x * 2, 2 * x, x / 2.0, 10.0 / x, x**2, x**-1, -x)] == [
        5.0, 5.0, 3.0, -3.0, 8.0, 8.0, 2.0, 2.5, 16.0, 0.25, -4.0,
    ]  # fmt: skip


def test_in_place_addition_rebinds() -> None:
    v = Value(1.0)
    old = v
    v += 1
    assert (v.data, old.data) == (2.0, 1.0)
    assert v.parents[0] is old


def test_sum_of_a_generator_is_the_builtin_or_ours() -> None:
    w, x, b = [Value(2.0), Value(3.0)], [Value(5.0), 7.0], Value(1.0)
    for add_up in (sum, autograd_mini.sum):
        assert add_up(wi * xi for wi, xi in zip(w, x, strict=True)).data == 31.0
        activation = add_up((wi * xi for wi, xi in zip(w, x, strict=True)), b)
        assert activation.data == 32.0
        b.grad = 0
        activation.relu().backward()
        assert b.grad == 1.0


class Neuron:
    """A neuron as a reader of micrograd would write it."""

    def __init__(self, nin: int, nonlin: bool = True) -> None:
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin

    def __call__(self, x: list[Any]) -> Value:
        act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return act.relu() if self.nonlin else act

    def parameters(self) -> list[Value]:
        return [*self.w, self.b]


def test_a_network_trains_in_the_idiom_of_micrograd() -> None:
    random.seed(1337)
    hidden, output = [Neuron(2) for _ in range(8)], Neuron(8, nonlin=False)
    parameters = [p for neuron in (*hidden, output) for p in neuron.parameters()]
    xs, ys = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [-1.0, 1.0, 1.0, -1.0]

    def loss() -> Value:
        scores = [output([neuron(x) for neuron in hidden]) for x in xs]
        losses = [(1 + -yi * score).relu() for yi, score in zip(ys, scores, strict=True)]
        return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)

    first = loss().data
    for _ in range(200):
        total = loss()
        for p in parameters:
            p.grad = 0
        total.backward()
        for p in parameters:
            p.data -= 0.1 * p.grad
    assert loss().data < 0.1 < first
