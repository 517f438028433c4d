"""The benchmarks: the engines do the same work, and the figures are right. How fast anything is, is not tested here."""

import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_mini import Value, statistics
from benchmarks.__main__ import NAMES
from benchmarks.compiled_steps import ENGINES, LEARNING_RATE, NETWORKS, Network, matrices, prepared
from benchmarks.compiling import chain
from benchmarks.explorer import GRAPHS as GRAPHS_TO_EXPLORE
from benchmarks.figures import figure
from benchmarks.races import RACES, Race, numbers, same
from benchmarks.scaling import GRAPHS, Build
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parent.parent


def call_benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_nn_and_scalars_take_the_same_steps_in_moons() -> None:
    with_nn, with_scalars = WORKLOADS["moons"]["nn"](), WORKLOADS["moons"]["scalars"]()
    answer = with_nn()
    assert len(answer) == 1 + (2 * 16 + 16) + (16 * 16 + 16) + (16 + 1)
    assert same(answer, with_scalars())
    assert same(with_nn(), with_scalars())


def test_the_expression_is_that_of_the_readme() -> None:
    assert [f"{x:.4f}" for x in WORKLOADS["expression"]["scalars"]()()] == ["24.7041", "138.8338", "645.5773"]


@pytest.mark.skipif(not find_spec("micrograd"), reason="micrograd is not installed; ./dev bench installs it")
@pytest.mark.parametrize("race", RACES.values(), ids=RACES)
def test_rivals_do_the_same_work(race: Race) -> None:
    engine, rival = (WORKLOADS[race.workload][name]() for name in (race.engine, race.rival))
    for _ in range(2):  # the second step shows that the first has moved the parameters
        assert same(numbers(engine()), numbers(rival()))


@pytest.mark.parametrize("engine", ["compiled", "numpy"])
def test_the_gpt_of_arrays_takes_the_steps_of_the_one_of_scalars(engine: str) -> None:
    with_arrays, with_scalars = WORKLOADS["gpt"][engine](), WORKLOADS["gpt"]["scalars"]()
    answer = numbers(with_arrays())
    assert len(answer) == 1 + (27 + 8 + 4 * 16 + 2 * 64 + 27) * 16
    assert same(answer, numbers(with_scalars()))
    assert same(numbers(with_arrays()), numbers(with_scalars()))


def test_the_graphs_of_the_explorer_are_as_large_as_they_are_called() -> None:
    nodes = [statistics(make()).nodes for make, _ in GRAPHS_TO_EXPLORE.values()]
    assert nodes == [pytest.approx(size, rel=0.1) for size in (279, 2_000, 105_000, 105_000)]
    assert min(nodes[2:]) > 100_000


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_compiled_steps_are_those_by_hand(network: Network) -> None:
    step, answer = prepared(network, "compiled")
    assert same(answer, prepared(network, "numpy")[1])
    assert math.isfinite(step())


def test_the_steps_by_hand_are_those_of_nn() -> None:
    for network in NETWORKS.values():
        network = network._replace(batch=2)
        model, (X, Y) = network.model(), network.batches()[0]
        targets = Y[:, 0] if network.sizes[-1] == 1 else Y
        loss = getattr(nn, network.loss)([model(row) for row in X.tolist()], targets.tolist())
        loss.backward()
        nn.SGD(model.parameters(), learning_rate=LEARNING_RATE).step()
        step, parameters, _ = ENGINES["numpy"](network)
        assert step(X, Y) == pytest.approx(loss.data, rel=1e-12)
        for array, expected in zip(parameters(), matrices(model), strict=True):
            np.testing.assert_allclose(array, expected, rtol=1e-12, atol=1e-15)


def test_the_compiled_expression_is_that_of_the_values() -> None:
    engines = WORKLOADS["small expression"]
    assert same(engines["compiled"]()(), engines["scalars"]()())


def test_a_chain_has_two_operations_per_step() -> None:
    assert statistics(chain(1000)(Value(1.0), Value(0.5), Value(0.25))).nodes == 2003


def test_other_work_is_not_the_same() -> None:
    assert same([1.0, 2.0], [1.0 + 1e-10, 2.0])
    assert not same([1.0, 2.0], [1.0 + 1e-8, 2.0])
    assert not same([1.0], [1.0, 2.0])
    assert not same([math.nan], [math.nan])


def test_a_figure_is_the_median_of_the_ratios_between_their_quartiles() -> None:
    # The ratios are 2, 5, 3, 100 and 4; the ratio of the medians would be 4 / 2 = 2.
    found = figure("race", "time", [(2.0, 1.0), (10.0, 2.0), (9.0, 3.0), (100.0, 1.0), (16.0, 4.0)], least=4.0)
    assert (found.low, found.median, found.high) == (3.0, 4.0, 5.0)
    assert (found.target, found.met) == ("≥ 4", True)


@pytest.mark.parametrize(
    ("least", "most", "target", "met"),
    [
        (7.5, math.inf, "≥ 7.5", False),
        (8.0, 13.0, "≥ 8, ≤ 13", False),
        (0.0, 7.0, "≤ 7", True),
        (0.0, math.inf, "", None),
    ],
)
def test_a_figure_is_held_to_its_target(least: float, most: float, target: str, met: bool | None) -> None:
    found = figure("race", "time", [(14.0, 2.0)], least, most)
    assert (found.median, found.target, found.met) == (7.0, target, met)
    assert ("MISSED" in str(found)) == (met is False)


def test_a_ratio_in_the_thousands_is_printed_without_an_exponent() -> None:
    assert " 12,346 " in str(figure("race", "time", [(12345.6, 1.0)], least=1000.0))


@pytest.mark.parametrize("build", GRAPHS.values(), ids=GRAPHS)
def test_a_graph_has_as_many_nodes_as_asked_for(build: Build) -> None:
    assert statistics(build(1000)).nodes == pytest.approx(1000, abs=1)


def test_the_list_names_every_benchmark() -> None:
    done = call_benchmarks("--list")
    assert (done.stdout.split(), done.returncode) == (NAMES, 0)


def test_an_unknown_benchmark_is_refused_with_the_legal_names() -> None:
    done = call_benchmarks("--only", "moon")
    assert done.returncode == 2
    assert "choose from" in done.stderr
    assert "moons-scalars" in done.stderr
