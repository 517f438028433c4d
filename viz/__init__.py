"""Pictures of graphs of Values and of neural networks, every number in them readable."""

from viz.blame import draw_blame
from viz.dot import draw_dot
from viz.explorer import Explorer, explore
from viz.figure import Figure
from viz.network import draw_network
from viz.step import draw_step

__all__ = ["Explorer", "Figure", "draw_blame", "draw_dot", "draw_network", "draw_step", "explore"]
