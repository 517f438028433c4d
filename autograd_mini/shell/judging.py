"""The commands ``autograd-mini evaluate`` and ``predict``: what a saved run is worth, and what it says of new rows."""

import argparse
import csv
import sys
from dataclasses import replace
from pathlib import Path

from autograd_mini.number import number_text
from autograd_mini.shell.run_notes import RunNotes
from autograd_mini.shell.run_options import delimiter_of, path_of
from autograd_mini.shell.run_output import said_in_json
from autograd_mini.shell.run_scores import probabilities, score_text, scores, tables
from autograd_mini.shell.saved_run import opened
from nn.metrics import predicted_class
from nn.trainer import Trainer

__all__ = ["add_evaluate_options", "add_predict_options", "evaluate", "predict"]

_EVALUATE_EPILOG = """\
examples:
  autograd-mini evaluate run/
  autograd-mini evaluate run/ more.csv --json
  autograd-mini evaluate run/epochs/0003.npz --last"""

_PREDICT_EPILOG = """\
examples:
  autograd-mini predict run/ new.csv
  autograd-mini predict run/ new.csv > predicted.csv
  autograd-mini predict run/ new.csv --json"""


_NORMALIZED = "in the same units: its numbers are normalized here as those of the run were in training"


def add_evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Give the parser of ``evaluate`` its options."""
    parser.epilog = _EVALUATE_EPILOG
    _add_shared(parser)
    parser.add_argument("file", metavar="FILE", nargs="?", help="a CSV or NPZ file with the columns of the run's data, "
                        f"{_NORMALIZED} (default: the test part of the run's own data)")  # fmt: skip
    parser.add_argument("--data", metavar="FILE", help="where the run's own data is now, if it has moved")
    parser.add_argument("--json", action="store_true", help="for machines: one JSON object on stdout")


def add_predict_options(parser: argparse.ArgumentParser) -> None:
    """Give the parser of ``predict`` its options."""
    parser.epilog = _PREDICT_EPILOG
    _add_shared(parser)
    parser.add_argument("file", metavar="FILE", help="a CSV or NPZ file with the columns of the run's data, "
                        f"{_NORMALIZED}; that of the targets may be absent")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="for machines: one JSON object a line, for each row")


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="RUN", type=path_of, help="the folder that train --save has made, or a "
                        "checkpoint in it")  # fmt: skip
    parser.add_argument("--delimiter", metavar="C", type=delimiter_of, help="the character between the cells of FILE, "
                        "if it is CSV (default: that of the run's data)")  # fmt: skip
    parser.add_argument("--last", action="store_true", help="take the parameters as they stand (default: those of the "
                        "epoch with the smallest validation loss, where there were validation rows)")  # fmt: skip


def evaluate(options: argparse.Namespace) -> int:
    """Judge a saved run by data it has not learned from; returns the exit code."""
    if options.file is None and options.delimiter is not None:
        options.fail("--delimiter is that of FILE, and there is none: the run's own data is read as in training")
    trainer, notes, epoch, which = _opened(options)
    if options.file is not None:
        what, dataset = options.file, notes.read_dataset(options.file)
    else:
        what, dataset = f"the test part of {Path(notes.data).name}", notes.parts(options.data).test
        if not len(dataset):
            raise ValueError(f"{options.folder} was trained with --test 0: give a file to judge it by")
    numbers = scores(trainer, notes, dataset)
    if options.json:
        said_in_json({"event": "evaluation", "data": what, "rows": len(dataset), "epoch": epoch, **numbers})
        return 0
    print(f"{what}: {len(dataset):,} row{'s' * (len(dataset) != 1)}; {trainer.model!r} of {which}")
    print(score_text(numbers))
    if table := tables(numbers, notes.names):
        print(table)
    return 0


def predict(options: argparse.Namespace) -> int:
    """Print what a saved run says of new rows; returns the exit code."""
    trainer, notes, _, _ = _opened(options)
    outputs = trainer.predict(notes.read_rows(options.file))
    names = notes.names
    table = csv.writer(sys.stdout, lineterminator="\n")
    if notes.classes is not None:
        if not options.json:
            table.writerow(["class", *(f"p({name})" for name in names)])
        for row, output in enumerate(outputs):
            name, shares = names[predicted_class(output)], probabilities(output)
            if options.json:
                said_in_json({"row": row, "class": name, "probabilities": dict(zip(names, shares, strict=True))})
            else:
                table.writerow([name, *(number_text(share) for share in shares)])
        return 0
    quantities = notes.plain(
        [[float(x) for x in (row if isinstance(row, list) else [row])] for row in outputs]
    ).tolist()
    name = notes.label or "prediction"
    heads = [name] if notes.outputs == 1 else [f"{name}[{i}]" for i in range(notes.outputs)]
    if not options.json:
        table.writerow(heads)
    for row, numbers in enumerate(quantities):
        if options.json:
            said_in_json({"row": row, "prediction": numbers[0] if notes.outputs == 1 else numbers})
        else:
            table.writerow(map(repr, numbers))
    return 0


def _opened(options: argparse.Namespace) -> tuple[Trainer, RunNotes, int, str]:
    """Load a run with the parameters of its best epoch, or as they stand, and say which."""
    trainer, notes = opened(options.folder, progress=False)
    if options.delimiter is not None:
        notes = replace(notes, reading=notes.reading | {"delimiter": options.delimiter})
    if trainer.best is None or options.last:
        place = trainer.position
        batches = f" and {place.batch} batches" if place.batch else ""
        return trainer, notes, place.epoch, f"epoch {place.epoch}{batches}, the last"
    epoch = trainer.load_best()
    return trainer, notes, epoch, f"epoch {epoch}, the best on validation of {trainer.position.epoch}"
