"""Engines side by side, each in a process of its own: ``python -m benchmarks.races WORKLOAD ENGINE`` is one of them.

It writes the loss and the gradients of its first step as a line of JSON, and then, for every line it reads, the seconds
that a step takes. The garbage collector stays on, as Python has it: what an engine leaves to it is part of its cost.
"""

import json
import math
import sys
import time
from contextlib import ExitStack
from subprocess import PIPE, Popen
from typing import Any, NamedTuple

from benchmarks.figures import Figure, figure
from benchmarks.workloads import WORKLOADS, Step

__all__ = ["RACES", "Race", "run_races", "same"]


class Race(NamedTuple):
    """On a workload, an engine of ours against micrograd, whose steps are to take at least so many times as long."""

    workload: str
    engine: str
    least: float


RACES = {
    "expression": Race("expression", "scalars", 2.5),
    "moons": Race("moons", "nn", 20.0),
    "moons-scalars": Race("moons", "scalars", 4.0),
}


def run_races(races: dict[str, Race], rounds: int) -> list[Figure]:
    """Run races on one workload; they share micrograd's samples.

    Raises:
        RuntimeError: if a worker breaks down, or if a loss or a gradient differs by more than 1e-9.
    """
    seconds: dict[str, list[float]] = {
        engine: [] for engine in ("micrograd", *(race.engine for race in races.values()))
    }
    (workload,) = {race.workload for race in races.values()}
    with ExitStack() as stack:
        workers, answers = {}, {}
        for engine in seconds:
            command = [sys.executable, "-m", "benchmarks.races", workload, engine]
            worker = Popen(command, stdin=PIPE, stdout=PIPE, text=True)
            workers[engine] = stack.enter_context(worker)  # which closes its input, and that ends it
            answers[engine] = read(worker)
            if not same(answers[engine], answers["micrograd"]):
                raise RuntimeError(f"on {workload}, {engine} computes another loss or other gradients than micrograd")
        for i in range(rounds):
            for engine in list(workers)[:: (-1) ** i]:
                print(file=workers[engine].stdin, flush=True)
                seconds[engine].append(read(workers[engine]))
    return [
        figure(name, "time of micrograd / ours", zip(seconds["micrograd"], seconds[engine], strict=True), least)
        for name, (_, engine, least) in races.items()
    ]


def read(worker: Popen[str]) -> Any:
    if worker.stdout and (line := worker.stdout.readline()):
        return json.loads(line)
    raise RuntimeError(f"a worker broke down, and its own error stands above: {worker.args!r}")


def same(answer: list[float], expected: list[float]) -> bool:
    """Are the losses and all the gradients the same, to 1e-9?"""
    pairs = zip(answer, expected, strict=False)
    return len(answer) == len(expected) and all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in pairs)


def seconds_per_step(step: Step, steps: int) -> float:
    start = time.process_time()
    for _ in range(steps):
        step()
    return (time.process_time() - start) / steps


if __name__ == "__main__":
    step = WORKLOADS[sys.argv[1]][sys.argv[2]]()
    answer, steps = step(), 2
    for _ in range(2):  # warm up, and find how many steps take 0.3 seconds
        steps = max(2, round(0.3 / seconds_per_step(step, steps)))
    print(json.dumps(answer), flush=True)
    while sys.stdin.readline():
        print(seconds_per_step(step, steps), flush=True)
