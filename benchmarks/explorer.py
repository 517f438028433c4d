"""What writing an explorer takes: wall time, as Graphviz works beside Python, and the size of the page."""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from autograd_mini import Value, mean
from benchmarks.figures import Figure, figure
from nn import MLP, cross_entropy
from viz import explore

__all__ = ["GRAPHS", "run_explorer"]


def lecture() -> Value:
    """The lecture's network on one image."""
    return _network([3, 10])


def large() -> Value:
    """A network with a node for each weight, of about 2,000 nodes."""
    return _network([30, 10])


def batch() -> Value:
    """A batch of 230 rows: more than 100,000 nodes."""
    draw = random.Random(0)
    rows = [[draw.random() for _ in range(49)] for _ in range(230)]
    return mean([cross_entropy(outputs, i % 10) for i, outputs in enumerate(MLP(49, [8, 10], seed=0)(rows))])


def plain() -> Value:
    """A layer of 10 neurons on 100 rows, written with Python's sum and no names: more than 100,000 nodes."""
    draw = random.Random(0)
    weights, rows = ([[Value(draw.random()) for _ in range(50)] for _ in range(n)] for n in (10, 100))
    return mean([sum(w * x for w, x in zip(ws, row, strict=True)).tanh() for row in rows for ws in weights])  # type: ignore[union-attr]


GRAPHS: dict[str, tuple[Callable[[], Value], float]] = {
    "the lecture's network": (lecture, 2.0),
    "2,000 nodes": (large, 5.0),
    "100,000 nodes, a batch": (batch, 20.0),
    "100,000 nodes, plain sums": (plain, 20.0),
}
"""What makes each graph, and how many seconds its page may take."""


def _network(layers: list[int]) -> Value:
    model = MLP(49, layers, activation="sigmoid", seed=0)
    return cross_entropy(model([Value(i / 49, f"x[{i}]") for i in range(49)]), 3)


def run_explorer(rounds: int) -> Iterator[Figure]:
    """Measure how long writing the page of each graph takes, and how large it is."""
    for name, (make, most) in GRAPHS.items():
        seconds, sizes = [], []
        root = make()
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(min(rounds, 3)):
                start = time.perf_counter()
                page = explore(root, Path(folder) / "page.html")
                seconds.append((time.perf_counter() - start, 1.0))
                sizes.append((page.size, 1e6))
        yield figure("explorer", f"{name}: seconds to write its page", seconds, most=most)
        yield figure("explorer", f"{name}: megabytes of its page", sizes)
