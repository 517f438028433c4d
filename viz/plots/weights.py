"""``plot_weights``: what each neuron looks for, as a map of its weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd_mini.number import number_text
from nn import Layer, Module, Neuron
from viz.colors import NOT_A_NUMBER
from viz.paint import columns_for
from viz.plots.axes import axes_for, matplotlib_part, plain
from viz.shape import checked_shape

__all__ = ["plot_weights"]

_MOST_NEURONS = 100


def plot_weights(model: Any, *, input_shape: Sequence[int] | None = None, ax: Any = None) -> NDArray[Any]:
    """Plot the weights of each neuron as a map, laid out as the inputs are.

    Red is below zero and speaks against, blue is above and speaks for, white is zero; one scale, the same in both
    directions, serves all maps. A bias stands in each title.

    Args:
        model: a ``Layer``, a ``Neuron``, a sequence of neurons with as many inputs, or a network, whose first layer is
            then plotted: its weights are the ones that look at the inputs themselves.
        input_shape: rows and columns of the inputs, such as (7, 7); chosen to look well if None.
        ax: Axes to draw in, one for each neuron; None makes a figure.

    Returns:
        An array of the Axes, one for each neuron.

    Raises:
        TypeError: for a model without neurons, or an `ax` that is not Axes.
        ValueError: for a shape that does not hold the inputs, more than 100 neurons, or a wrong number of Axes.
        ImportError: if matplotlib is not installed.

    Example:
        >>> from nn import Layer
        >>> maps = plot_weights(Layer(49, 3, activation="sigmoid", seed=0), input_shape=(7, 7))
        >>> [ax.get_title() for ax in maps]
        ['neuron1, b = 0', 'neuron2, b = 0', 'neuron3, b = 0']
    """
    named = _neurons(model)
    weights = np.array([[w.data for w in neuron.w] for _, neuron in named])
    inputs = weights.shape[1]
    columns = columns_for(inputs, checked_shape(input_shape, inputs))
    rows = -(-inputs // columns)
    across = min(len(named), columns_for(len(named)) if len(named) > 4 else 4)
    titles = [name for name, _ in named]
    height = 0.75 + min(max(1.7 * rows / columns, 0.4), 3.4)
    axes = axes_for(ax, titles, width=2.2, height=height, columns=across)
    finite = np.abs(weights[np.isfinite(weights)])
    largest = float(finite.max(initial=0.0)) or 1.0
    colors = matplotlib_part("pyplot").get_cmap("RdBu").with_extremes(bad=NOT_A_NUMBER)
    for i, (panel, (name, neuron)) in enumerate(zip(axes, named, strict=True)):
        cells = np.full(rows * columns, np.nan)
        cells[: neuron.inputs] = weights[i]
        image = panel.imshow(
            np.ma.masked_invalid(cells.reshape(rows, columns)), cmap=colors, vmin=-largest, vmax=largest
        )
        panel.set_title(f"{plain(name, 30)}, b = {number_text(neuron.b.data, 3)}", fontsize="medium")
        panel.tick_params(length=0, labelsize="small")
        panel.set_xticks(range(0, columns, _stride(columns)) if rows == 1 or input_shape is not None else [])
        panel.set_yticks(range(0, rows, _stride(rows)) if input_shape is not None else [])
        if i + across >= len(axes):
            panel.set_xlabel(_across(rows, input_shape is not None), fontsize="small")
        if i % across == 0 and input_shape is not None:
            panel.set_ylabel("row of the input", fontsize="small")
    axes[0].figure.colorbar(image, ax=axes, label="weight", shrink=0.9)
    result: NDArray[Any] = np.array(axes, dtype=object)
    return result


def _across(rows: int, is_picture: bool) -> str:
    if is_picture:
        return "column of the input"
    return "input" if rows == 1 else "inputs, row by row"


def _stride(count: int) -> int:
    return next(step for step in (1, 2, 3, 5, 7, 10, 20, 50, 100, count) if count <= 7 * step)


def _neurons(model: Any) -> list[tuple[str, Neuron]]:
    """The neurons to plot, with the names that they have in their layer."""
    if isinstance(model, Neuron):
        found = [("neuron", model)]
    elif isinstance(model, Module):
        layer = next((part for _, part in model.modules() if isinstance(part, Layer)), model)
        found = [(name, part) for name, part in layer.modules() if isinstance(part, Neuron)]
    else:
        found = [(f"neuron{i}", part) for i, part in enumerate(model, 1)] if isinstance(model, (list, tuple)) else []
    if not found or not all(isinstance(neuron, Neuron) for _, neuron in found):
        raise TypeError(f"plot_weights plots a Layer, a Neuron, neurons or a network with a Layer, got {model!r:.60}")
    if len(found) > _MOST_NEURONS:
        fix = "give some of them, layer.neurons[:20]"
        raise ValueError(f"{len(found):,} maps on one page cannot be read, and {_MOST_NEURONS} can; {fix}")
    if len(widths := {neuron.inputs for _, neuron in found}) > 1:
        raise ValueError(f"neurons on one scale need as many inputs each, got {sorted(widths)}; plot layer by layer")
    return found
