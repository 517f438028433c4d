"""``plot_gradients_by_layer``: how large the gradients are, layer by layer; what vanishes or explodes shows here."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nn import Module, Neuron
from viz.plots.axes import COLORS, ink, legend_above, matplotlib_part, one_axes_for, plain, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_gradients_by_layer"]


_SMALLEST, _LARGEST = 1e-200, 1e200  # what lies beyond is drawn there: the axis of matplotlib would overflow


@dataclass
class _Sizes:
    """The gradients of one layer: the sizes above zero, and how many of the others there are."""

    above_zero: list[float] = field(default_factory=list)
    zero: int = 0
    not_computed: int = 0
    not_finite: int = 0

    @property
    def parameters(self) -> int:
        return len(self.above_zero) + self.zero + self.not_computed + self.not_finite

    def words(self) -> str:
        """How many there are, and what the axis cannot show."""
        counts = {"zero": self.zero, "not computed": self.not_computed, "not finite": self.not_finite}
        told = [f"{'all' if n == self.parameters else f'{n:,}'} {what}" for what, n in counts.items() if n]
        total = f"{self.parameters:,} parameter{'s' * (self.parameters != 1)}"
        return "\n".join(filter(None, (total, ", ".join(told))))


def plot_gradients_by_layer(model: Module, *, ax: Any = None) -> "Axes":
    """Plot the sizes of the gradients that the parameters hold, layer by layer, on a logarithmic axis.

    Each layer has a bar over the middle half of its |gradients|, with the median in it, a line from the smallest to the
    largest, and a mark at the largest. Those are of the gradients other than zero: zeros have no place on such an axis,
    and are counted in words, as are gradients that are not computed or not finite.

    Args:
        model: a module after a backward pass.
        ax: Axes to draw in; None makes a figure.

    Returns:
        The Axes.

    Raises:
        TypeError: for what is not a module, or an `ax` that is not Axes.
        ValueError: for a model without parameters, or without any gradient.
        ImportError: if matplotlib is not installed.

    Example:
        >>> from nn import MLP, cross_entropy
        >>> model = MLP(2, [3, 2], activation="tanh", seed=0)
        >>> cross_entropy(model([1.0, 0.0]), 1).backward()
        >>> ax = plot_gradients_by_layer(model)
        >>> [label.get_text().splitlines() for label in ax.get_yticklabels()]
        [['hidden: 9 parameters', '3 zero'], ['output: 8 parameters']]
    """
    layers = _sizes(model)
    axes = one_axes_for(ax, "the gradients", width=6.8, height=1.4 + 0.6 * len(layers))
    drawn = [place for place, sizes in enumerate(layers.values()) if sizes.above_zero]
    for place, sizes in enumerate(layers.values()):
        if place in drawn:
            _draw(axes, place, sizes.above_zero, in_legend=place == drawn[0])
    axes.set_yticks(range(len(layers)), [f"{plain(name)}: {sizes.words()}" for name, sizes in layers.items()])
    axes.set_ylim(len(layers) - 0.5, -0.5)  # the first layer on top
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("|∂loss/∂parameter| above zero, loss per unit of the parameter")
    tidy(axes, grid="x")
    if drawn:
        axes.set_xlim(*_decades([size for sizes in layers.values() for size in sizes.above_zero]))
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(matplotlib_part("ticker").NullFormatter())
        legend_above(axes, columns=2)
    else:
        axes.set_xticks([])
        axes.text(0.5, 0.5, "no gradient above zero", transform=axes.transAxes, ha="center", va="center")
    return axes


def _draw(ax: Any, place: int, sizes: list[float], *, in_legend: bool) -> None:
    low, quarter, median, three_quarters, high = np.quantile(sizes, (0.0, 0.25, 0.5, 0.75, 1.0))
    hidden = "" if in_legend else "_"  # a name that begins so stands in no legend
    ax.hlines(place, low, high, color=COLORS[0], linewidth=1.5, label=f"{hidden}smallest to largest")
    ax.hlines(place, quarter, three_quarters, color=COLORS[5], linewidth=14, label=f"{hidden}middle half")
    ax.plot(median, place, "|", color=ink(), markersize=14, markeredgewidth=2.5, label=f"{hidden}median")
    ax.plot(high, place, "D", color=COLORS[1], markersize=6, label=f"{hidden}largest")


def _decades(sizes: list[float]) -> tuple[float, float]:
    """Powers of ten on both sides, which are the numbers on the axis; nothing lies quite at its ends."""
    low, high = math.floor(math.log10(min(sizes)) - 0.05), math.ceil(math.log10(max(sizes)) + 0.05)
    return float(f"1e{low}"), float(f"1e{high}")


def _sizes(model: Any) -> dict[str, _Sizes]:
    """Sort the gradients by layer: the module around a parameter, or the one around the neuron that it belongs to."""
    if not isinstance(model, Module):
        raise TypeError(f"plot_gradients_by_layer plots a Module, such as an MLP, got {model!r:.60}")
    owners = sorted((name for name, part in model.modules() if name and not isinstance(part, Neuron)), key=len)
    layers: dict[str, _Sizes] = {}
    for name, parameter in model.named_parameters():
        owner = next((owner for owner in reversed(owners) if name.startswith(f"{owner}.")), type(model).__name__)
        sizes = layers.setdefault(owner, _Sizes())
        if not parameter.has_grad:
            sizes.not_computed += 1
        elif not math.isfinite(parameter.grad):
            sizes.not_finite += 1
        elif parameter.grad == 0.0:
            sizes.zero += 1
        else:
            sizes.above_zero.append(min(max(abs(parameter.grad), _SMALLEST), _LARGEST))
    if not layers:
        raise ValueError(f"{model!r:.60} has no parameters, so there are no gradients to plot")
    if all(sizes.not_computed == sizes.parameters for sizes in layers.values()):
        raise ValueError("no gradient has been computed yet; call loss.backward() first, and zero_grad() later")
    return layers
