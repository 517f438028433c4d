"""Plots of the gallery, where matplotlib is installed."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from nn import MLP, Dataset, History, Trainer, cross_entropy, moons
from viz.colors import theme_named
from viz.gallery.networks import trained
from viz.gallery.picture import Picture
from viz.plots import plot_decision_boundary, plot_gradients_by_layer, plot_history, plot_weights
from viz.plots.axes import matplotlib_part

__all__ = ["PLOTS"]


class _Plot:
    """A plot in the colours of a theme."""

    def __init__(self, plot: Callable[[], Any], theme: str) -> None:
        colors = theme_named(theme)
        text = dict.fromkeys(
            ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), colors.text
        )
        page = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), colors.background)
        self._pyplot = matplotlib_part("pyplot")
        with self._pyplot.rc_context({**text, **page}):
            axes = np.ravel(plot())
        self._figure = axes[0].figure
        titles = [ax.get_title() or ax.get_ylabel() for ax in axes]
        self.text = "\n".join(["a plot by matplotlib", *(f"panel: {title}" for title in titles)])

    def save(self, path: Path) -> Path:
        self._figure.savefig(path, dpi=144)
        self._pyplot.close(self._figure)
        return path


@cache
def _moons() -> tuple[MLP, Dataset, History]:
    train, validation, _ = moons(200, noise=0.15, seed=0).split(seed=0)
    model = MLP(2, [8, 2], activation="tanh", seed=0)
    trainer = Trainer(model, progress=False, seed=0)
    return model, train, trainer.fit(train, validation=validation, epochs=40)


def _gradients() -> Any:
    model, image, label = trained()
    cross_entropy(model(image), label).backward()
    try:
        return plot_gradients_by_layer(model)
    finally:
        model.zero_grad()


_DRAWN: dict[str, tuple[str, str, Callable[[], Any]]] = {
    "history": ("Loss and accuracy by epoch", "plot_history(history)", lambda: plot_history(_moons()[2])),
    "decision_boundary": (
        "Two moons and where the network parts them", "plot_decision_boundary(model, dataset)",
        lambda: plot_decision_boundary(*_moons()[:2]),
    ),
    "weights": (
        "What each hidden neuron looks for", "plot_weights(model, input_shape=(7, 7))",
        lambda: plot_weights(trained()[0], input_shape=(7, 7)),
    ),
    "gradients": ("Gradients by layer", "plot_gradients_by_layer(model)", _gradients),
}  # fmt: skip

PLOTS: dict[str, Picture] = {
    name: Picture(caption, call, partial(_Plot, plot)) for name, (caption, call, plot) in _DRAWN.items()
}
"""Every plot by its name; it raises an ImportError where there is no matplotlib."""
