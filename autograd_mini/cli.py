"""The command line: ``autograd-mini`` or ``python -m autograd_mini``."""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from autograd_mini import __version__
from viz.demo import run_demo

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after the command's name; those of the process if None.

    Returns:
        The exit code: 0 for success, 1 for a failure, 2 for a wrong call, 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no → prints a ? instead
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        print("\nautograd-mini: interrupted", file=sys.stderr)
        return 130
    except (OSError, ValueError, TypeError) as error:
        print(f"autograd-mini: {error}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="autograd-mini", description="A scalar autodiff engine to look into.")
    parser.add_argument("--version", action="version", version=f"autograd-mini {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")

    demo = commands.add_parser(
        "demo",
        help="train the lecture's network on handwritten digits and look into it",
        description="Train 49 pixels → hidden sigmoid neurons → 10 digits on 1,797 real handwritten digits, every "
        "number of it a Value, and write a page that shows each weight, bias and gradient.",
    )
    demo.add_argument("--hidden", type=int, default=3, help="hidden neurons, 1 or more (default: %(default)s)")
    demo.add_argument("--epochs", type=int, default=60, help="passes over the training digits (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="repeats the run exactly (default: %(default)s)")
    demo.add_argument("--out", type=Path, default=Path("demo"), help="folder of the page (default: %(default)s/)")
    demo.set_defaults(run=_demo)
    return parser


def _demo(options: argparse.Namespace) -> int:
    run_demo(hidden=options.hidden, epochs=options.epochs, seed=options.seed, out=options.out)
    return 0
