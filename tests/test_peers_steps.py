"""The engines that compiled steps are timed beside take the same steps."""

import math

import pytest

from benchmarks.compiled_steps import ENGINES, NETWORKS, Network, prepared
from benchmarks.races import same


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine not in ("compiled", "numpy")])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_every_engine_takes_the_same_steps(network: Network, engine: str) -> None:
    package = "torch" if engine == "torch" else "jax"
    pytest.importorskip(package, reason=f"{package} is not installed; ./dev test --peers installs and compares with it")
    step, answer = prepared(network, engine)
    assert same(answer, prepared(network, "numpy")[1])
    assert math.isfinite(step())
