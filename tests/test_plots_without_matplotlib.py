"""matplotlib is optional: viz imports without it, and plots say how to get it. These run with it and without."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nn import MLP, History, cross_entropy, moons
from viz import plot_decision_boundary, plot_gradients_by_layer, plot_history, plot_weights

ROOT = Path(__file__).resolve().parent.parent


def a_history() -> History:
    history = History()
    history.add_epoch({"loss": 0.5})
    return history


def a_model() -> MLP:
    model = MLP(2, [2], seed=0)
    cross_entropy(model([0.5, 0.5]), 1).backward()
    return model


CALLS: list[tuple[Any, tuple[Any, ...]]] = [
    (plot_history, (a_history(),)),
    (plot_decision_boundary, (a_model(), moons(20, seed=0))),
    (plot_weights, (a_model(),)),
    (plot_gradients_by_layer, (a_model(),)),
]


def test_importing_viz_does_not_import_matplotlib() -> None:
    script = "import sys, viz; print(sorted(name for name in sys.modules if name.startswith('matplotlib')))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("plot", "arguments"), CALLS, ids=[plot.__name__ for plot, _ in CALLS])
def test_the_error_says_how_to_get_matplotlib(
    plot: Any, arguments: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ["matplotlib", *(module for module in sys.modules if module.startswith("matplotlib."))]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"matplotlib.*pip install autograd_mini\[plots\]"):
        plot(*arguments)
