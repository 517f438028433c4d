"""Engines side by side, each in a process of its own: ``python -m benchmarks.races WORKLOAD ENGINE`` is one of them.

It writes the loss and the gradients of its first step as a line of JSON, and then, for every line it reads, the seconds
that a step takes. The garbage collector stays on, as Python has it: what an engine leaves to it is part of its cost.
"""

import json
import math
import os
import sys
import time
from contextlib import ExitStack
from subprocess import PIPE, Popen
from typing import Any, NamedTuple

import numpy as np

from benchmarks.figures import Figure, figure
from benchmarks.workloads import WORKLOADS, Step

__all__ = ["RACES", "Race", "numbers", "run_races", "same"]

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Race(NamedTuple):
    """On a workload, an engine against a rival, whose steps are to take at least so many times as long."""

    workload: str
    engine: str
    least: float = 0.0
    rival: str = "micrograd"
    measured: str = "time of micrograd / ours"


RACES = {
    "expression": Race("expression", "scalars", 2.5),
    "moons": Race("moons", "nn", 20.0),
    "moons-scalars": Race("moons", "scalars", 4.0),
    "gpt": Race("gpt", "compiled", 1000.0),
    "gpt-scalars": Race("gpt", "scalars"),
    "gpt-numpy": Race("gpt", "numpy", rival="compiled", measured="time of ours, compiled / NumPy by hand"),
}


def run_races(races: dict[str, Race], rounds: int) -> list[Figure]:
    """Run races on one workload; they share the samples of each engine.

    Raises:
        RuntimeError: if a worker breaks down, or if a loss or a gradient differs by more than 1e-9.
    """
    seconds: dict[str, list[float]] = {engine: [] for race in races.values() for engine in (race.rival, race.engine)}
    reference = next(iter(seconds))
    (workload,) = {race.workload for race in races.values()}
    with ExitStack() as stack:
        workers, answers = {}, {}
        for engine in seconds:
            command = [sys.executable, "-m", "benchmarks.races", workload, engine]
            worker = Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=os.environ | ONE_THREAD)
            workers[engine] = stack.enter_context(worker)  # which closes its input, and that ends it
            answers[engine] = read(worker)
            if not same(answers[engine], answers[reference]):
                raise RuntimeError(f"on {workload}, {engine} computes another loss or other gradients than {reference}")
        for i in range(rounds):
            for engine in list(workers)[:: (-1) ** i]:
                print(file=workers[engine].stdin, flush=True)
                seconds[engine].append(read(workers[engine]))
    return [
        figure(name, race.measured, zip(seconds[race.rival], seconds[race.engine], strict=True), race.least)
        for name, race in races.items()
    ]


def read(worker: Popen[str]) -> Any:
    if worker.stdout and (line := worker.stdout.readline()):
        return json.loads(line)
    raise RuntimeError(f"a worker broke down, and its own error stands above: {worker.args!r}")


def numbers(answer: Any) -> list[float]:
    """What a step returns, in one list: a vector of gradients may be changed by the next step."""
    found: list[float] = np.hstack(answer).tolist()
    return found


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
    answer, steps = numbers(step()), 1
    for _ in range(2):  # warm up, and find how many steps take 0.3 seconds
        steps = max(1, round(0.3 / seconds_per_step(step, steps)))
    print(json.dumps(answer), flush=True)
    while sys.stdin.readline():
        print(seconds_per_step(step, steps), flush=True)
