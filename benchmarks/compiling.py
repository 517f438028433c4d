"""What compiling costs and gains: ``python -m benchmarks.compiling MEASURE ROUNDS`` takes one measure.

Seconds and growth are of tracing and compiling together. The target for growth is for gc off, as in scaling.py.
"""

import gc
import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from subprocess import PIPE, run
from typing import Any, TypeAlias

import numpy as np

import nn
from autograd_mini.compiler import compile
from benchmarks.figures import Figure, figure
from benchmarks.races import take_turns
from benchmarks.workloads import ScalarMLP, small_expression

__all__ = ["FAMILIES", "MEASURES", "compile_network", "run_compile_time", "run_compiled_expression"]

Pair: TypeAlias = tuple[float, float]
SEED = 1337
POINTS = 100_000


def seconds(command: Callable[[], object]) -> float:
    start = time.process_time()
    command()
    return time.process_time() - start


def compile_network(model: Any, inputs: int, classes: int = 10) -> Any:
    """Trace and compile one example of a network and its cross entropy, for batches."""
    x, y = np.linspace(0.0, 1.0, inputs), np.eye(classes)[0]
    step = compile(lambda x, y: nn.cross_entropy(model(x), y), x, y, parameters=model.parameters())
    return step.source  # which is written when it is asked for, or the program is first run


def scalar_network(inputs: int, sizes: list[int]) -> ScalarMLP:
    random.seed(SEED)
    return ScalarMLP(inputs, sizes)


def chain(n: int) -> Callable[[Any, Any, Any], Any]:
    """``x = x * c + y``, n times over: 2n operations, of which no two are alike."""

    def result(x: Any, c: Any, y: Any) -> Any:
        for _ in range(n):
            x = x * c + y
        return x

    return result


def compile_chain(n: int) -> Callable[[], Any]:
    return lambda: compile(chain(n))


def compile_wide(n: int) -> Callable[[], Any]:
    model = scalar_network(49, [n, 10])
    return lambda: compile_network(model, 49)


FAMILIES: dict[str, tuple[Callable[[int], Callable[[], Any]], int]] = {
    "x = x * c + y, n times": (compile_chain, 1000),
    "49-n-10, a node per product and sum": (compile_wide, 10),
}
"""What makes, of n, a call that traces and compiles; and the first n."""


def ten(command: Callable[[], object]) -> Callable[[], object]:
    return lambda: [command() for _ in range(10)]


def growth(rounds: int) -> dict[str, list[Pair]]:
    """Seconds for 10n and for n, ten programs of n kept beside one of 10n; large n in a third of the rounds."""
    result = {}
    for switch_collector, way in ((gc.disable, "gc off"), (gc.enable, "gc on")):
        for family, (of, first) in FAMILIES.items():
            of(first)()
            for n, times in ((first, rounds), (10 * first, math.ceil(rounds / 3))):
                large, small = of(10 * n), of(n)
                gc.collect()
                switch_collector()
                pairs = [(seconds(large), seconds(ten(small)) / 10) for _ in range(times)]
                result[f"{family}: time(n = {10 * n:,}) / time(n = {n:,}), {way}"] = pairs
    return result


def networks(rounds: int) -> dict[str, list[Pair]]:
    """Seconds for 784-64-10, per second."""
    dots, sums = nn.MLP(784, [64, 10], seed=SEED), scalar_network(784, [64, 10])
    return {
        "784-64-10, a node per dot product": [
            (seconds(lambda: compile_network(dots, 784)), 1.0) for _ in range(rounds)
        ],
        "784-64-10, a node per product and sum": [
            (seconds(lambda: compile_network(sums, 784)), 1.0) for _ in range(math.ceil(rounds / 3))
        ],
    }


def arrays(rounds: int) -> list[Pair]:
    """Seconds for the compiled expression with both derivatives at 100,000 points, and for one multiplication."""
    f = compile(small_expression)
    a, b = np.random.default_rng(SEED).uniform(-3.0, 3.0, (2, POINTS))
    f(a, b)
    return [
        (seconds(lambda: [f(a, b) for _ in range(20)]) / 20, seconds(lambda: [a * b for _ in range(400)]) / 400)
        for _ in range(rounds)
    ]


MEASURES: dict[str, Callable[[int], Any]] = {"networks": networks, "growth": growth, "arrays": arrays}


def take(measure: str, rounds: int) -> Any:
    command = [sys.executable, "-m", "benchmarks.compiling", measure, str(rounds)]
    return json.loads(run(command, check=True, stdout=PIPE).stdout)


def run_compiled_expression(rounds: int) -> Iterator[Figure]:
    """Measure an expression of two numbers with both derivatives: at one point, and at many in one call."""
    taken = take_turns("benchmarks.races", "small expression", ["scalars", "compiled"], rounds)
    pairs = zip(taken["scalars"], taken["compiled"], strict=True)
    yield figure("compiled", "expression: time(Value graph and backward) / time(compiled)", pairs, least=12.0)
    what = "expression at 100,000 points: time(compiled) / time(one NumPy multiplication)"
    yield figure("compiled", what, take("arrays", rounds), most=30.0)


def run_compile_time(rounds: int) -> Iterator[Figure]:
    """Measure how long tracing and compiling take, and how that grows."""
    for (what, pairs), most in zip(take("networks", rounds).items(), (0.5, 4.0), strict=True):
        yield figure("compile-time", f"{what}: seconds", pairs, most=most)
    for what, pairs in take("growth", rounds).items():
        yield figure("compile-time", what, pairs, most=14.0 if what.endswith("gc off") else math.inf)


if __name__ == "__main__":
    print(json.dumps(MEASURES[sys.argv[1]](int(sys.argv[2]))))
