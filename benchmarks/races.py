"""Engines side by side, each in a process of its own: ``python -m benchmarks.races WORKLOAD ENGINE`` is one of them.

It writes the loss and the gradients of its first step as a line of JSON, and then, for every line it reads, the seconds
that a step takes. The garbage collector stays on, as Python has it: what an engine leaves to it is part of its cost.
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from subprocess import PIPE, Popen
from typing import Any, NamedTuple

import numpy as np

from benchmarks.figures import Figure, figure
from benchmarks.workloads import WORKLOADS

__all__ = [
    "RACES",
    "Race",
    "numbers",
    "one_cpu",
    "run_races",
    "same",
    "serve",
    "take_turns",
]

ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}


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
    """Run races on one workload; they share the samples of each engine, and the first is the reference."""
    (workload,) = {race.workload for race in races.values()}
    engines = list(dict.fromkeys(engine for race in races.values() for engine in (race.rival, race.engine)))
    seconds = take_turns("benchmarks.races", workload, engines, rounds)
    return [
        figure(name, race.measured, zip(seconds[race.rival], seconds[race.engine], strict=True), race.least)
        for name, race in races.items()
    ]


def take_turns(module: str, workload: str, engines: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Start ``python -m MODULE WORKLOAD ENGINE`` for every engine; the seconds per step of each, a sample per round.

    Raises:
        RuntimeError: if a worker breaks down, or if an engine's answer differs from the first one's by more than 1e-9.
    """
    seconds: dict[str, list[float]] = {engine: [] for engine in engines}
    with ExitStack() as stack:
        workers, answers = {}, {}
        for engine in seconds:
            command = [sys.executable, "-m", module, workload, engine]
            worker = Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=environment())
            workers[engine] = stack.enter_context(worker)  # which closes its input, and that ends it
            answers[engine] = read(worker)
            if not same(answers[engine], answers[engines[0]]):
                raise RuntimeError(f"on {workload}, {engine} and {engines[0]} compute different losses or gradients")
        for i in range(rounds):
            for engine in list(workers)[:: (-1) ** i]:
                print(file=workers[engine].stdin, flush=True)
                seconds[engine].append(read(workers[engine]))
    return seconds


def environment() -> dict[str, str]:
    """The environment of a worker: one thread, and every library picks the kernels for the processor by itself."""
    return {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"} | ONE_THREAD


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


def serve(step: Callable[[], object], answer: list[float], clock: Callable[[], float]) -> None:
    """Be a worker: warm the step up, write the answer, and time a sample of steps for every line that is read."""

    def seconds_per_step(steps: int) -> float:
        start = clock()
        for _ in range(steps):
            step()
        return (clock() - start) / steps

    steps = 1
    for _ in range(2):  # warm up, and find how many steps take 0.3 seconds
        steps = max(1, round(0.3 / seconds_per_step(steps)))
    print(json.dumps(answer), flush=True)
    while sys.stdin.readline():
        print(seconds_per_step(steps), flush=True)


def one_cpu() -> Callable[[], float]:
    """Keep this process on one processor, so that threads win nothing; the clock that then tells the time it took.

    JAX runs its programs on threads of its own whatever it is told, and on two processors the handing over costs a
    small step three times its work. Where a process cannot be kept on one (macOS), processor time would add its
    threads up, so that the clock on the wall is fairer.
    """
    if not hasattr(os, "sched_setaffinity"):
        return time.perf_counter
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return time.process_time


if __name__ == "__main__":
    step = WORKLOADS[sys.argv[1]][sys.argv[2]]()
    serve(step, numbers(step()), time.process_time)
