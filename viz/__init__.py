"""Pictures of graphs of Values and of neural networks, every number in them readable."""

from viz.activation import draw_activation
from viz.blame import draw_blame
from viz.dot import draw_dot
from viz.explorer import Explorer, explore
from viz.figure import Figure
from viz.network import draw_network
from viz.neuron import draw_neuron
from viz.plots import plot_decision_boundary, plot_gradients_by_layer, plot_history, plot_weights
from viz.step import draw_step

__all__ = [
    "Explorer",
    "Figure",
    "draw_activation",
    "draw_blame",
    "draw_dot",
    "draw_network",
    "draw_neuron",
    "draw_step",
    "explore",
    "plot_decision_boundary",
    "plot_gradients_by_layer",
    "plot_history",
    "plot_weights",
]
