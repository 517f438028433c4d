"""Initializers and seeds: the right distributions, the same draws again, and nobody else's generator disturbed."""

import functools
import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nn import INITIALIZERS, MLP, Layer, Module, Neuron
from nn.initializers import initializer_function, random_generator

ROOT = Path(__file__).resolve().parent.parent
EVERY_INITIALIZER = pytest.mark.parametrize("name", sorted(INITIALIZERS))
SHAPES = [(49, 3), (3, 10), (1, 1)]
DRAWS = 100_000

Cumulative = Callable[[Any], Any]


def uniform_cumulative(bound: float) -> Cumulative:
    return lambda x: np.clip((x + bound) / (2.0 * bound), 0.0, 1.0)


def normal_cumulative(deviation: float) -> Cumulative:
    return lambda x: 0.5 * (1.0 + np.vectorize(math.erf)(x / (deviation * math.sqrt(2.0))))


# What the papers say of a weight of a layer with n inputs and m outputs: variance, largest size, and distribution
# (None where all the weight is on one number). A new initializer needs a line in each.
VARIANCES: dict[str, Callable[[int, int], float]] = {
    "uniform": lambda n, m: 1.0 / 3.0,
    "xavier": lambda n, m: 2.0 / (n + m),
    "he": lambda n, m: 2.0 / n,
    "zeros": lambda n, m: 0.0,
}
BOUNDS: dict[str, Callable[[int, int], float]] = {
    "uniform": lambda n, m: 1.0,
    "xavier": lambda n, m: math.sqrt(6.0 / (n + m)),
    "he": lambda n, m: math.inf,
    "zeros": lambda n, m: 0.0,
}
DISTRIBUTIONS: dict[str, Callable[[int, int], Cumulative] | None] = {
    "uniform": lambda n, m: uniform_cumulative(1.0),
    "xavier": lambda n, m: uniform_cumulative(math.sqrt(6.0 / (n + m))),
    "he": lambda n, m: normal_cumulative(math.sqrt(2.0 / n)),
    "zeros": None,
}


@functools.cache
def draws(name: str, inputs: int, outputs: int, seed: int = 2024) -> Any:
    generator = random.Random(seed)
    return np.array([INITIALIZERS[name](inputs, outputs, generator) for _ in range(DRAWS)])


def weights(model: Module) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


BUILDERS: dict[str, Callable[..., Module]] = {
    "neuron": lambda **options: Neuron(5, **options),
    "layer": lambda **options: Layer(5, 4, **options),
    "network": lambda **options: MLP(5, [4, 3, 2], **options),
}
EVERY_BUILDER = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)


# Distributions


def test_every_initializer_is_described_here() -> None:
    assert VARIANCES.keys() == BOUNDS.keys() == DISTRIBUTIONS.keys() == INITIALIZERS.keys()


@EVERY_INITIALIZER
@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_mean_and_variance_and_bounds(name: str, inputs: int, outputs: int) -> None:
    sample, variance, bound = (
        draws(name, inputs, outputs),
        VARIANCES[name](inputs, outputs),
        BOUNDS[name](inputs, outputs),
    )
    # Five standard errors. That of the mean is σ/√N; that of the variance is σ²·√((κ - 1)/N), and no distribution here
    # has a kurtosis κ above the normal one's 3.
    assert sample.mean() == pytest.approx(0.0, abs=5.0 * math.sqrt(variance / DRAWS))
    assert sample.var() == pytest.approx(variance, abs=5.0 * variance * math.sqrt(2.0 / DRAWS))
    assert np.abs(sample).max() <= bound
    # A uniform sample of this size stays further from its bound than this in one case of e^100.
    assert math.isinf(bound) or np.abs(sample).max() >= 0.999 * bound


@EVERY_INITIALIZER
@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_the_distribution_is_the_one_of_the_paper(name: str, inputs: int, outputs: int) -> None:
    distribution = DISTRIBUTIONS[name]
    if distribution is None:
        assert not draws(name, inputs, outputs).any()
        return
    expected = distribution(inputs, outputs)(np.sort(draws(name, inputs, outputs)))
    distance = np.abs(expected - (np.arange(DRAWS) + 0.5) / DRAWS).max()
    # Kolmogorov-Smirnov: a right distribution comes this far in one sample of a million.
    assert distance < 2.7 / math.sqrt(DRAWS)


@EVERY_INITIALIZER
def test_a_draw_is_a_plain_float_that_the_generator_alone_decides(name: str) -> None:
    draw = initializer_function(name)
    assert draw is INITIALIZERS[name]
    first, again = random.Random(7), random.Random(7)
    for _ in range(5):
        number = draw(4, 3, first)
        assert type(number) is float
        assert number == draw(4, 3, again)


# Who draws what


def test_an_initializer_is_told_the_size_of_its_layer_and_given_one_generator() -> None:
    calls: list[tuple[int, int]] = []
    generators: set[random.Random] = set()

    def recorded(inputs: int, outputs: int, generator: random.Random) -> float:
        calls.append((inputs, outputs))
        generators.add(generator)
        return 0.25

    model = MLP(3, [4, 2], initializer=recorded, seed=1)
    assert calls == [(3, 4)] * 12 + [(4, 2)] * 8
    assert len(generators) == 1
    assert all(p.data == (0.0 if name.endswith(".b") else 0.25) for name, p in model.named_parameters())


def test_weights_are_drawn_neuron_after_neuron_from_the_seed() -> None:
    generator = random.Random(11)
    expected = [[generator.uniform(-1.0, 1.0) for _ in range(3)] for _ in range(4)]
    layer = Layer(3, 4, initializer="uniform", seed=11)
    assert [[w.data for w in neuron.w] for neuron in layer.neurons] == expected


def test_xavier_and_relu_are_the_defaults() -> None:
    assert weights(MLP(3, [4, 2], seed=5)) == weights(MLP(3, [4, 2], initializer="xavier", seed=5))
    assert repr(MLP(3, [4, 2])) == "MLP(3, [4, 2], activation='relu')"


@EVERY_INITIALIZER
@EVERY_BUILDER
def test_biases_start_at_0(name: str, build: Callable[..., Module]) -> None:
    biases = [p.data for label, p in build(initializer=name, seed=3).named_parameters() if label.split(".")[-1] == "b"]
    assert biases
    assert not any(biases)


# Seeds


@EVERY_INITIALIZER
@EVERY_BUILDER
def test_the_same_seed_gives_the_same_weights(name: str, build: Callable[..., Module]) -> None:
    assert weights(build(initializer=name, seed=42)) == weights(build(initializer=name, seed=42))


@EVERY_BUILDER
def test_other_seeds_and_no_seed_give_other_weights(build: Callable[..., Module]) -> None:
    starts = [tuple(weights(build(seed=seed))) for seed in (0, 1, 2, 10**30, None, None)]
    assert len(set(starts)) == len(starts)


@EVERY_BUILDER
def test_a_generator_is_drawn_from_and_moves_on(build: Callable[..., Module]) -> None:
    generator = random.Random(42)
    first, second = weights(build(seed=generator)), weights(build(seed=generator))
    assert first == weights(build(seed=42))
    assert first != second


def test_neurons_of_a_layer_and_layers_of_a_network_start_differently() -> None:
    model = MLP(4, [4, 4, 4], seed=0)
    starts = [tuple(w.data for w in neuron.w) for layer in model.layers for neuron in layer.neurons]
    assert len(set(starts)) == 12


def test_a_network_starts_as_its_layers_would_one_after_the_other() -> None:
    generator = random.Random(9)
    layers = [Layer(3, 4, seed=generator), Layer(4, 2, seed=generator)]
    assert weights(MLP(3, [4, 2], seed=9)) == [data for layer in layers for data in weights(layer)]


def test_activations_do_not_change_the_weights_of_a_seed() -> None:
    assert weights(MLP(3, [4, 2], seed=9)) == weights(
        MLP(3, [4, 2], activation="tanh", output_activation="sigmoid", seed=9)
    )


def test_a_numpy_integer_is_a_seed_as_it_is_a_size_and_a_seed_of_data() -> None:
    assert weights(MLP(np.int64(3), [np.int32(2)], seed=np.int64(8))) == weights(MLP(3, [2], seed=8))


def test_random_generator_makes_one_or_takes_yours() -> None:
    mine = random.Random(3)
    assert random_generator(mine) is mine
    assert random_generator(3).random() == random.Random(3).random()
    assert random_generator(None).random() != random_generator(None).random()


@EVERY_INITIALIZER
def test_the_global_generators_are_left_alone(name: str) -> None:
    python, numpy = random.getstate(), np.random.get_state(legacy=False)
    for seed in (0, None):
        MLP(3, [4, 2], initializer=name, seed=seed)
    assert random.getstate() == python
    after: Any = np.random.get_state(legacy=False)
    assert str(after) == str(numpy)
    assert (after["state"]["key"] == numpy["state"]["key"]).all()


def test_seeding_the_global_generator_changes_nothing() -> None:
    state = random.getstate()
    try:
        starts = []
        for seed in (1, 2):
            random.seed(seed)
            starts.append(weights(MLP(3, [2], seed=0)))
    finally:
        random.setstate(state)
    assert starts[0] == starts[1]


PROGRAM = """
import functools
import json
from nn import INITIALIZERS, MLP
models = {name: MLP(3, [4, 2], initializer=name, seed=6) for name in INITIALIZERS}
print(json.dumps({name: {n: p.data.hex() for n, p in m.named_parameters()} for name, m in models.items()}))
"""


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_another_process_with_other_hashes_draws_the_same_weights(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    there = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    here = {
        name: {n: p.data.hex() for n, p in MLP(3, [4, 2], initializer=name, seed=6).named_parameters()}
        for name in INITIALIZERS
    }
    assert json.loads(there.stdout) == here
