"""Time autograd_mini beside its peers on the same work, and measure how it grows; exit with 1 if a target is missed."""

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from benchmarks.compiled_steps import run_compiled_steps
from benchmarks.compiling import run_compile_time, run_compiled_expression
from benchmarks.explorer import run_explorer
from benchmarks.figures import Figure
from benchmarks.races import RACES, run_races
from benchmarks.scaling import run_scaling

OTHERS = {
    "scaling": run_scaling,
    "compiled-steps": run_compiled_steps,
    "compiled-expression": run_compiled_expression,
    "compile-time": run_compile_time,
    "explorer": run_explorer,
}
NAMES = [*RACES, *OTHERS]
PEERS = {**dict.fromkeys(RACES, ("micrograd",)), "compiled-steps": ("torch", "jax")}
METHOD = (
    "Median (quartiles) of one ratio per round, of processor time; samples of whole steps in turn, order swapped every "
    "round, each engine in its own warmed-up process with one thread, gc on. Scaling: build, backward, free; peak "
    "resident memory. Compiled steps: float64 everywhere, each process kept on one processor (where the system cannot: "
    "wall time). A setting OPENBLAS_CORETYPE is not passed on. Compile time: trace and compile. Explorer: wall time."
)


def figures(chosen: list[str], rounds: int) -> Iterator[Figure]:
    for workload in ("expression", "moons", "gpt"):
        races = {name: race for name, race in RACES.items() if name in chosen and race.workload == workload}
        yield from run_races(races, rounds) if races else ()
    for name, run in OTHERS.items():
        yield from run(rounds) if name in chosen else ()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, epilog=METHOD)
    parser.add_argument("--only", metavar="NAME", choices=NAMES, action="append", help="run this one; may be repeated")
    parser.add_argument("--rounds", metavar="N", type=int, default=9, help="rounds to take the median of (default 9)")
    parser.add_argument("--list", action="store_true", help="list the benchmarks")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    chosen = options.only or NAMES
    if options.list:
        print(*NAMES, sep="\n")
        return 0
    if options.rounds < 1:
        parser.error(f"--rounds is a whole number of at least 1, got {options.rounds}")
    needed = {peer for name in chosen for peer in PEERS.get(name, ())}
    if missing := ", ".join(sorted(peer for peer in needed if not find_spec(peer))):
        parser.error(f"not installed: {missing}; ./dev bench installs all peers and runs this")
    found = []
    if not options.json:
        print(f"autograd_mini beside its peers, Python {platform.python_version()}.", METHOD, "", sep="\n", flush=True)
    for figure in figures(chosen, options.rounds):
        found.append(figure)
        if not options.json:
            print(figure, flush=True)
    if options.json:
        print(json.dumps([figure._asdict() for figure in found], indent=2))
    return int(any(figure.met is False for figure in found))


if __name__ == "__main__":
    sys.exit(main())
