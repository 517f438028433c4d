"""Plots of training by matplotlib, which is imported when the first of them is drawn and not before."""

from viz.plots.boundary import plot_decision_boundary
from viz.plots.gradients import plot_gradients_by_layer
from viz.plots.history import plot_history
from viz.plots.weights import plot_weights

__all__ = ["plot_decision_boundary", "plot_gradients_by_layer", "plot_history", "plot_weights"]
