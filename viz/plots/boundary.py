"""``plot_decision_boundary``: the class that a network predicts at each point of the plane."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autograd_mini import TraceError, no_grad
from autograd_mini.compiler import compile
from nn import Dataset, Module
from nn.checks import whole_number
from nn.module import evaluating
from viz.colors import CLASS_COLORS
from viz.plots.axes import MARKERS, ink, matplotlib_part, one_axes_for, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_decision_boundary"]

_MOST_CLASSES = len(CLASS_COLORS)


def plot_decision_boundary(
    model: Any, dataset: Dataset, *, threshold: float = 0.0, resolution: int = 300, ax: Any = None
) -> "Axes":
    """Plot the points of a data set by class over the classes that a model predicts, in evaluation mode.

    The plane is tinted with the class that is predicted there, and a line runs where it changes. The predicted class is
    that of the largest output; of a lone output, class 1 where it is above `threshold`.

    Args:
        model: a network of two inputs.
        dataset: rows of two numbers, as in training, so normalized if the training data was; targets that are classes,
            or, as ``hinge`` has them, -1 and 1.
        threshold: of a lone output: 0 for a logit, 0.5 for a probability.
        resolution: how many points across and up the model is asked for. With a model
            that cannot be compiled, which is asked point by point, fewer are quicker.
        ax: Axes to draw in; None makes a figure.

    Returns:
        The Axes.

    Raises:
        TypeError: for what is no ``Dataset``, or an `ax` that is not Axes.
        ValueError: for inputs that are not two, targets that are not classes, or more than 10 classes.
        ImportError: if matplotlib is not installed.

    Example:
        >>> from nn import MLP, moons
        >>> ax = plot_decision_boundary(MLP(2, [8, 2], activation="tanh", seed=0), moons(seed=0), resolution=50)
        >>> ax.get_title()
        'right on 61 of 200 points, 30.5 %'
    """
    labels, names = _classes(dataset)
    resolution = whole_number("resolution", resolution, 2)
    axes = one_axes_for(ax, "the plane", width=6.4, height=4.6)
    lines = [_range(column, resolution) for column in dataset.inputs.T]
    plane = np.stack(np.meshgrid(*lines), axis=-1)
    scores = _scores(model, np.vstack([dataset.inputs, plane.reshape(-1, 2)]), threshold)
    names += [str(i) for i in range(len(names), scores.shape[1])]
    if len(names) > _MOST_CLASSES:
        raise ValueError(f"{len(names)} classes cannot be told apart by shape and colour, and {_MOST_CLASSES} can")
    predicted = scores[: len(labels)].argmax(axis=1)
    _draw_regions(axes, lines, scores[len(labels) :].reshape(resolution, resolution, -1))
    _draw_points(axes, dataset.inputs, labels, names)
    right = int((predicted == labels).sum())
    axes.set_title(f"right on {right:,} of {len(labels):,} points, {right / len(labels):.1%}".replace("%", " %"))
    x, y = dataset.columns or ("x[0]", "x[1]")
    axes.set_xlabel(plain(x))
    axes.set_ylabel(plain(y))
    return axes


def _classes(dataset: Any) -> tuple[NDArray[np.int64], list[str]]:
    """The class of each row, and what the classes are called."""
    if not isinstance(dataset, Dataset):
        raise TypeError(f"the second argument is a Dataset, such as moons(seed=0), got {dataset!r:.60}")
    if dataset.width != 2 or not len(dataset):
        raise ValueError(f"a plane has two axes, so rows of 2 inputs are needed, got {dataset!r:.80}")
    if dataset.classes is not None and dataset.targets.ndim == 1:
        return dataset.targets, list(dataset.class_names or map(str, range(dataset.classes)))
    if dataset.targets.size == len(dataset) and set(dataset.targets.ravel().tolist()) <= {-1.0, 1.0}:
        return (dataset.targets.ravel() > 0.0).astype(np.int64), ["-1", "1"]
    fix = "make them classes with Dataset(inputs, labels, classes=2), or -1 and 1"
    raise ValueError(f"the targets of {dataset!r:.80} are quantities, with no boundary between them; {fix}")


def _range(column: NDArray[np.float64], resolution: int) -> NDArray[np.float64]:
    low, high = float(column.min()), float(column.max())
    margin = 0.08 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, resolution)


def _scores(model: Any, points: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """A column of scores for each class, the largest of which decides."""
    if not callable(model):
        raise TypeError(f"model is a network that can be called, such as MLP(2, [8, 2]), got {model!r:.60}")
    is_module = isinstance(model, Module)
    with evaluating(model) if is_module else nullcontext():
        try:
            forward = compile(model, [0.0, 0.0], parameters=model.parameters() if is_module else None, gradients=False)
            outputs = np.asarray(forward(points))
        except TraceError:
            with no_grad():
                outputs = np.array([np.asarray(model(point), dtype=float) for point in points.tolist()])
    if outputs.ndim == 1 or outputs.shape[1] == 1:
        margin = outputs.reshape(-1) - threshold
        return np.stack([np.zeros_like(margin), margin], axis=1)
    return outputs


def _draw_regions(ax: Any, lines: list[NDArray[np.float64]], scores: NDArray[np.float64]) -> None:
    predicted, classes = scores.argmax(axis=-1), scores.shape[-1]
    (left, right), (bottom, top) = [(line[0] - (h := (line[1] - line[0]) / 2), line[-1] + h) for line in lines]
    tints = matplotlib_part("colors").ListedColormap(CLASS_COLORS[:classes])
    window = {"extent": (left, right, bottom, top), "origin": "lower", "aspect": "auto", "interpolation": "nearest"}
    ax.imshow(predicted, cmap=tints, vmin=-0.5, vmax=classes - 0.5, alpha=0.28, zorder=0, **window)
    for i in range(classes if classes > 2 else 1):
        lead = scores[..., i] - np.delete(scores, i, axis=-1).max(axis=-1)
        if lead.min() < 0.0 < lead.max():
            ax.contour(*lines, lead, levels=[0.0], colors=[ink()], linewidths=1.3, zorder=1)


def _draw_points(ax: Any, inputs: NDArray[np.float64], labels: NDArray[np.int64], names: list[str]) -> None:
    for i, name in enumerate(names):
        x, y = inputs[labels == i].T
        style = {"color": CLASS_COLORS[i], "edgecolors": "white", "linewidths": 0.6}
        ax.scatter(x, y, s=30, marker=MARKERS[i], label=plain(name, 18), zorder=2, **style)
    ax.legend(title="class", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
