"""How memory and time grow with the graph: ``python -m benchmarks.scaling MEASURE GRAPH N`` takes one measure.

The targets for time are for gc off and all graphs alive: ten graphs of n nodes, none freed before the last is there,
beside one of 10n. That compares like with like. By default the collector walks the graph again and again while it
grows, for some 7 % of the time at 10^4 nodes and 40 % at 10^6; and one graph of 10^4 nodes stays in the processor's
caches, so that even plain linked objects take 14 to 16 times as long at 10^5. Both ratios are shown beside it.
"""

import gc
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from subprocess import PIPE, run
from typing import Any, TypeAlias

import autograd_mini
from autograd_mini import Value, debug, statistics
from benchmarks.figures import Figure, figure

__all__ = ["GRAPHS", "MEASURES", "Build", "run_scaling"]

Build: TypeAlias = Callable[[int], Value]
Pair: TypeAlias = tuple[float, float]


def chain(nodes: int) -> Value:
    x, c, y = Value(1.0), Value(0.5), Value(0.25)
    for _ in range(nodes // 2 - 1):
        x = x * c + y
    return x


GRAPHS: dict[str, Build] = {
    "x = x * c + y": chain,
    "sum(values)": lambda nodes: sum((Value(i / nodes) for i in range(nodes // 2)), Value(0.0)),
    "autograd_mini.sum(values)": lambda nodes: autograd_mini.sum([Value(i / nodes) for i in range(nodes - 1)]),
}


def memory(build: Build, nodes: int) -> Pair:
    """The growth of this process's peak of resident memory over build and backward, in bytes; and the nodes."""
    build(10).backward()
    before = peak_resident_bytes()
    (root := build(nodes)).backward()
    return peak_resident_bytes() - before, statistics(root).nodes


def peak_resident_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():  # on Linux ru_maxrss would start from the parent's peak
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    return getrusage(RUSAGE_SELF).ru_maxrss


def growth(build: Build, rounds: int) -> dict[str, list[Pair]]:
    """Seconds for 10n nodes and for n, in three ways; from n = 10^5, which takes long, in a third of the rounds."""
    result = {}
    ways = {"gc off, all alive": (True, gc.disable), "gc off": (False, gc.disable), "gc on": (False, gc.enable)}
    for way, (alive, switch_collector) in ways.items():
        for k, times in ((4, rounds), (5, math.ceil(rounds / 3))):
            gc.collect()
            switch_collector()
            pairs = [(seconds(build, 10 ** (k + 1), 1, alive), seconds(build, 10**k, 10, alive)) for _ in range(times)]
            result[f"time(10^{k + 1}) / time(10^{k}), {way}"] = pairs
    return result


def seconds(build: Build, nodes: int, graphs: int, alive: bool) -> float:
    """Time build, backward and freeing, per graph; if `alive`, none is freed before the last is there."""
    start, roots = time.process_time(), []
    for _ in range(graphs):
        root = build(nodes)
        root.backward()
        roots += [root] * alive
        del root
    roots.clear()
    return (time.process_time() - start) / graphs


def left_over(build: Build, nodes: int) -> Pair:
    """The objects that outlive the last reference while gc is off, and those that it then finds; and one graph."""
    gc.collect()
    gc.disable()
    before = len(gc.get_objects())
    build(nodes).backward()
    return len(gc.get_objects()) - before + gc.collect(), 1


def stepping(build: Build, rounds: int) -> dict[str, list[Pair]]:
    """Seconds for what the debugger is asked on 10^6 nodes, and for one backward pass; in turn, in one process."""
    root = build(10**6)
    result: dict[str, list[Pair]] = {}

    def time_of(command: Callable[[], Any]) -> float:
        start = time.process_time()
        command()
        return time.process_time() - start

    for _ in range(rounds):
        dbg = debug(root)
        operations = dbg.order
        inputs = operations[0].parents
        middle = operations[len(operations) // 2] if len(operations) > 1 else inputs[len(inputs) // 2]
        asked = {
            "opening the debugger": lambda: debug(root),
            "until a node in the middle": lambda dbg=dbg, middle=middle: dbg.until(middle),
            "back 100 times": lambda dbg=dbg: [dbg.back() for _ in range(100)],
        }
        for what, command in asked.items():
            pair = time_of(command), time_of(root.backward)
            result.setdefault(f"time({what}) / time(backward)", []).append(pair)
    return result


def memory_of_debugger(build: Build, nodes: int) -> Pair:
    """The growth of this process's peak over build, backward and a whole walk; and over build and backward alone."""
    build(10).backward()
    before = peak_resident_bytes()
    (root := build(nodes)).backward()
    graph = peak_resident_bytes() - before
    dbg = debug(root).step().until(when=lambda step: False)
    assert dbg.finished
    return peak_resident_bytes() - before, graph


MEASURES: dict[str, Callable[[Build, int], Any]] = {
    "memory": memory,
    "growth": growth,
    "left_over": left_over,
    "stepping": stepping,
    "memory_of_debugger": memory_of_debugger,
}


def run_scaling(rounds: int) -> Iterator[Figure]:
    """Take every measure of every graph, each in a fresh process."""

    def child(measure: str, n: int) -> Any:
        command = [sys.executable, "-m", "benchmarks.scaling", measure, graph, str(n)]
        return json.loads(run(command, check=True, stdout=PIPE).stdout)

    for graph in GRAPHS:
        for k in (4, 5, 6):
            yield figure("scaling", f"{graph}: bytes per node at 10^{k}", [child("memory", 10**k)], most=300.0)
        for what, pairs in child("growth", rounds).items():
            bounds = (8.0, 13.0) if what.endswith("all alive") else ()
            yield figure("scaling", f"{graph}: {what}", pairs, *bounds)
        for what, pairs in child("stepping", rounds).items():
            yield figure("stepping", f"{graph}: {what}", pairs, most=1.0)
        held = child("memory_of_debugger", 10**6)
        yield figure("stepping", f"{graph}: memory(graph and debugger) / memory(graph)", [held], most=2.0)
        left = child("left_over", 10**5)
        yield figure("scaling", f"{graph}: objects not freed with gc off", [left], most=0.0)


if __name__ == "__main__":
    print(json.dumps(MEASURES[sys.argv[1]](GRAPHS[sys.argv[2]], int(sys.argv[3]))))
