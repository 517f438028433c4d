"""``autograd-mini explore``: a graph of the user's, a formula or a saved run as one page to look into."""

import argparse
from pathlib import Path
from typing import Any

from autograd_mini.shell.saved_run import load_run
from autograd_mini.shell.subject import find_subject
from viz.colors import THEMES
from viz.explorer import explore

__all__ = ["EXPLORE", "add_explore_options", "run_explore"]

EXPLORE = """\
Write one HTML file to look into a graph with. It opens from disk, without a server or a network:

  autograd-mini explore train.py:loss             a Value in your file, or a function there that returns one
  autograd-mini explore "tanh(2*x + b)" x=0.5 b=-1.5
  autograd-mini explore runs/1                    a run that autograd-mini train --save has made

The page has the graph to fold and unfold, both passes step by step, search, the chain rule and the paths of every
number. Change an input or a weight and both passes are computed again, in the page. Of a run it shows one row of the
training data, with what the network answers, a slider over the checkpoints, the learning curves and, for rows of two
numbers, the decision boundary. Layout takes Graphviz; a graph of more than 2,000 nodes is always folded."""


def add_explore_options(parser: argparse.ArgumentParser) -> None:
    """Say which words the command takes."""
    parser.add_argument("target", metavar="TARGET", help="FILE.py:NAME, a formula, or the folder of a saved run")
    parser.add_argument("inputs", metavar="NAME=NUMBER", nargs="*", help="the inputs of a formula, such as x=0.5")
    parser.add_argument(
        "--out", type=Path, default=Path("explorer.html"), metavar="FILE", help="the page (default: %(default)s)"
    )
    parser.add_argument("--theme", choices=("auto", *THEMES), default="auto", help="colours (default: the device's)")
    parser.add_argument("--title", help="the page's title")
    parser.add_argument(
        "--input-shape", type=int, nargs=2, metavar=("ROWS", "COLUMNS"),
        help="how the inputs lie in the maps, such as 7 7 (default: a square, where they make one)",
    )  # fmt: skip
    parser.add_argument("--row", type=int, help="which row of a run's training data (default: 0)")


def run_explore(options: argparse.Namespace) -> int:
    """Do what ``autograd-mini explore`` says."""
    folder = Path(options.target)
    if folder.is_dir() or folder.suffix == ".npz":
        if options.inputs:
            raise ValueError(
                f"{folder} is no formula, which alone takes inputs such as {options.inputs[0]}; leave them out"
            )
        subject: Any = load_run(folder)[0]
    elif options.row is not None:
        raise ValueError(f"--row is of the data of a saved run, which {options.target} is not; leave it out")
    else:
        subject = find_subject(options.target, options.inputs, command="explore")
    shape = options.input_shape and tuple(options.input_shape)
    row = options.row or 0
    page = explore(subject, options.out, theme=options.theme, title=options.title, input_shape=shape, row=row)
    print(f"{page.nodes:,} nodes, {page.size / 1e6:.2f} MB; open {page.path.resolve()}")
    return 0
