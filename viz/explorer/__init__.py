"""The explorer: a graph, or a training run, as one HTML file that opens from disk and computes by itself."""

from viz.explorer.explore import Explorer, explore

__all__ = ["Explorer", "explore"]
