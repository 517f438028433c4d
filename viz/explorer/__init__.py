"""The explorer: a graph, or a training run, as one HTML file that opens from disk and computes by itself."""
