"""The command line: ``autograd-mini`` or ``python -m autograd_mini``."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from autograd_mini import __version__
from autograd_mini.errors import NonFiniteError
from autograd_mini.printing import printable
from autograd_mini.shell import (
    EXPLORE,
    StepSession,
    Terminated,
    add_evaluate_options,
    add_explore_options,
    add_predict_options,
    add_train_options,
    evaluate,
    find_subject,
    in_options,
    predict,
    run_explore,
    train,
)
from autograd_mini.stepper import debug
from viz.demo import run_demo
from viz.gallery import PICTURES, write_gallery

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after the command's name; those of the process if None.

    Returns:
        The exit code: 0 for success, 1 for a failure, 2 for a wrong call, 130 after Ctrl-C,
        141 when nobody reads on, 143 when training was ended by SIGTERM.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  # it stays open as the stream does
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no → prints a ? instead
    options = _parser().parse_args(arguments)
    options.words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt as stop:
        print("\nautograd-mini: interrupted", file=sys.stderr)
        return 143 if isinstance(stop, Terminated) else 130
    except BrokenPipeError:
        # What is left to write goes nowhere, or Python would complain as it ends; 128 + SIGPIPE, as in a shell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (OSError, ValueError, TypeError, NonFiniteError) as error:
        print(f"autograd-mini: {_text(error, options)}", file=sys.stderr)
        return 1
    return code


def _text(error: Exception, options: argparse.Namespace) -> str:
    run = options.run
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        is_ours = run in (_demo, _gallery) or (run is run_explore and str(error.filename) == str(options.out))
        name, reason = printable(str(error.filename), 200), error.strerror[:1].lower() + error.strerror[1:]
        return f"cannot {'write' if is_ours else 'read'} {name}: {reason}"
    return in_options(str(error)) if run in (train, evaluate, predict) else str(error)


_STEP = """\
Step through back propagation on a graph of yours, edge by edge, forwards and backwards:

  autograd-mini step train.py:loss             a Value in your file, or a function there that returns one
  autograd-mini step "tanh(2*x + b)" x=0.5 b=-1.5"""

_STEP_EPILOG = """\
In the session, help lists the commands. They may also come through a pipe:

  printf 'next\\nexplain x\\n' | autograd-mini step "tanh(2*x + b)" x=0.5 b=-1.5

The exit code is then 1 if one of them failed. Colour is off when NO_COLOR is set."""

_RUN_COMMANDS: tuple[tuple[str, Callable[..., int], Callable[..., None], str, str], ...] = (
    ("train", train, add_train_options, "train a network, or go on with a saved run",
     "Train a network of your own on a file of yours or a data set by name, or go on with a saved run, bit for bit."),
    ("evaluate", evaluate, add_evaluate_options, "judge a saved run by data it has not learned from",
     "Print loss, accuracy, precision and recall by class and the confusion matrix of a saved run; or, for quantities, "
     "loss, root mean squared error and R². Inputs are normalized as in training."),
    ("predict", predict, add_predict_options, "print what a saved run says of new rows",
     "Print, as CSV, the class of each row of a file and the probability of each class; or the quantity. Inputs "
     "are normalized as in training, and quantities come in their own units."),
)  # fmt: skip


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

    step = commands.add_parser(
        "step",
        help="step through back propagation on a graph of yours, both ways",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=_STEP,
        epilog=_STEP_EPILOG,
    )
    step.add_argument("target", metavar="TARGET", help="FILE.py:NAME, or a formula; after -- if it begins with -")
    step.add_argument("inputs", metavar="NAME=NUMBER", nargs="*", help="the inputs of a formula, such as x=0.5")
    step.add_argument("--forward", action="store_true", help="start with the forward pass")
    step.add_argument("--open-dots", action="store_true", help="show every dot as the products it adds up")
    step.add_argument(
        "-c", "--command", metavar="COMMAND", action="append", default=[], help="do this first; may be repeated"
    )
    step.set_defaults(run=_step)

    gallery = commands.add_parser(
        "gallery",
        help="draw one of every picture, light and dark",
        description="Draw one of every picture as SVG and PNG, light and dark, and a page that shows them.",
    )
    gallery.add_argument("--out", type=Path, default=Path("gallery"), help="folder to fill (default: %(default)s/)")
    names = ", ".join(PICTURES)
    gallery.add_argument("--only", metavar="NAME", action="append", default=[], help=f"one of {names}; repeatable")
    gallery.set_defaults(run=_gallery)
    explorer = commands.add_parser(
        "explore",
        help="write a page to look into a graph or a saved run with",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=EXPLORE,
    )
    add_explore_options(explorer)
    explorer.set_defaults(run=run_explore)

    for name, run, add_options, text, description in _RUN_COMMANDS:
        command = commands.add_parser(
            name, help=text, formatter_class=argparse.RawDescriptionHelpFormatter, description=description
        )
        add_options(command)
        command.set_defaults(run=run, fail=command.error)
    return parser


def _demo(options: argparse.Namespace) -> int:
    run_demo(hidden=options.hidden, epochs=options.epochs, seed=options.seed, out=options.out)
    return 0


def _gallery(options: argparse.Namespace) -> int:
    print(f"open {write_gallery(options.out, options.only).resolve()}")
    return 0


def _step(options: argparse.Namespace) -> int:
    debugger = debug(find_subject(options.target, options.inputs), open_dots=options.open_dots)
    if options.forward:
        debugger.restart(forward=True)
    return StepSession(debugger, options.command).run()
