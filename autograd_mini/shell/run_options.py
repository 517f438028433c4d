"""What ``autograd-mini train`` may be told: every option with its range and what holds without it."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from nn.activations import ACTIVATIONS
from nn.checks import finite_number, whole_number
from nn.optimizers import OPTIMIZERS
from nn.schedules import SCHEDULES
from nn.synthetic import DATASETS

__all__ = ["LOSSES_OF", "RATES", "RunOptions", "add_train_options", "delimiter_of", "path_of"]

RATES = {"sgd": 0.1, "rmsprop": 0.01, "adagrad": 0.1, "adam": 0.01, "adamw": 0.01}
"""The learning rate of each optimizer where none is given."""

LOSSES_OF = {
    "classes": ("cross_entropy", "binary_cross_entropy"),
    "quantities": ("mean_squared_error", "sum_squared_error"),
}
"""The losses that go with each kind of target; the first is taken where none is given."""

_EPILOG = """\
examples:
  autograd-mini train --data moons --layers 8,8 --epochs 50 --save run/
  autograd-mini train --data houses.csv --label price --quantities --layers 32 --early-stopping 10 --save run/
  autograd-mini train --resume run/ --epochs 100

With --save, Ctrl-C and SIGTERM save the run as it stands and print how to go on; it then ends with the same bits as if
it had never been stopped. To look back into it from Python: from autograd_mini.shell import load_run.
exit codes: 0 done, 1 failure, 2 wrong call, 130 after Ctrl-C, 143 after SIGTERM."""


@dataclass(frozen=True)
class RunOptions:
    """What a new run is told; the defaults are those of the command line."""

    data: str = ""
    label: str | None = None
    header: str = "auto"
    delimiter: str = ","
    quantities: bool = False
    normalize: bool = True
    validation: float = 0.15
    test: float = 0.15
    layers: tuple[int, ...] = (16, 16)
    activation: str = "relu"
    batch_norm: bool = False
    dropout: float = 0.0
    loss: str = "auto"
    optimizer: str = "adam"
    learning_rate: float | None = None
    momentum: float = 0.0
    weight_decay: float | None = None
    schedule: str = "constant"
    epochs: int = 20
    batch_size: int = 32
    drop_last: bool = False
    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    early_stopping: int | None = None
    engine: str = "eager"
    seed: int = 0
    save: str | None = None
    save_every: int | None = None

    @classmethod
    def given(cls, options: argparse.Namespace) -> dict[str, Any]:
        """Select what was given on the command line."""
        return {field.name: getattr(options, field.name) for field in fields(cls) if field.name in options}

    @property
    def rate(self) -> float:
        """The learning rate at the start."""
        return RATES[self.optimizer] if self.learning_rate is None else self.learning_rate


def add_train_options(parser: argparse.ArgumentParser) -> None:
    """Give the parser of ``train`` its options; what is not given on the command line is absent afterwards."""
    parser.epilog = _EPILOG
    parser.set_defaults(resume=None, json=False)

    data = parser.add_argument_group("data")
    _add(data, "--data", "FILE|NAME", "a CSV file, an NPZ file with the arrays inputs and targets, or one of "
         f"{', '.join(DATASETS)}; after --resume: where the file is now, if it has moved")  # fmt: skip
    _add(data, "--label", "COLUMN", "column of the targets: its name, or its number counted from 0, or from the end as "
         "-1; of an NPZ file, the array (default: the last column, or targets)")  # fmt: skip
    _add(data, "--header", None, "whether line 1 of a CSV file has the names of the columns (default: auto)",
         choices=("auto", "yes", "no"))  # fmt: skip
    _add(data, "--delimiter", "C", "the character between the cells of a CSV file, such as ';' or '\\t' for a tab "
         "(default: a comma)", delimiter_of)  # fmt: skip
    _flag(data, "--quantities", "the targets are quantities, even where they are whole numbers (default: numbers with "
          "a point are quantities, whole numbers and texts are classes)")  # fmt: skip
    _flag(data, "--normalize", "shift and scale inputs, and quantities to predict, to mean 0 and standard deviation 1, "
          "as the training rows have it (default: yes)", negative=True)  # fmt: skip
    share = _number(least=0.0, below=1.0)
    _add(data, "--validation", "SHARE", "of the rows, to judge each epoch by, 0 to below 1 (default: 0.15)", share)
    _add(data, "--test", "SHARE", "of the rows, to judge the result by, 0 to below 1 (default: 0.15)", share)

    model = parser.add_argument_group("model")
    _add(model, "--layers", "N,N,…", "neurons of the hidden layers, each 1 or more, or none for no hidden layer; the "
         "output layer follows from the data (default: 16,16)", _layers)  # fmt: skip
    _add(model, "--activation", "NAME", f"of the hidden layers: {', '.join(ACTIVATIONS)} (default: relu)",
         choices=ACTIVATIONS)  # fmt: skip
    _flag(model, "--batch-norm", "normalize the sums of the hidden layers over each batch (default: no)")
    _add(model, "--dropout", "P", "probability that an output of a hidden layer is left out in training, 0 to below 1 "
         "(default: 0)", _number(least=0.0, below=1.0))  # fmt: skip

    learning = parser.add_argument_group("learning")
    losses = [name for names in LOSSES_OF.values() for name in names]
    _add(learning, "--loss", "NAME", "auto, cross_entropy or (two classes) binary_cross_entropy; for quantities "
         "mean_squared_error or sum_squared_error (default: auto, the first of these)",
         choices=["auto", *losses])  # fmt: skip
    _add(learning, "--optimizer", "NAME", f"{', '.join(OPTIMIZERS)} (default: adam)", choices=OPTIMIZERS)
    _add(learning, "--learning-rate", "RATE", "0 or more (default: 0.01; for sgd and adagrad 0.1)", _number(least=0.0))
    _add(learning, "--momentum", "M", "of sgd and rmsprop, 0 or more (default: 0)", _number(least=0.0))
    _add(learning, "--weight-decay", "W", "0 or more (default: 0; for adamw 0.01)", _number(least=0.0))
    _add(learning, "--schedule", "NAME", "how the learning rate changes: constant; step: a tenth after each third of "
         "the epochs; exponential: to a hundredth at the end; cosine: to 0 at the end; warm_up: a rise in the first "
         "tenth, then cosine; one_cycle: up, and down to almost 0; plateau: a tenth when the validation loss (without "
         "validation rows, the loss) has not become better for 5 epochs (default: constant)",
         choices=("constant", *SCHEDULES))  # fmt: skip
    _add(learning, "--epochs", "N", "passes over the training rows in all, 1 or more (default: 20, or as the run that "
         "is resumed was told)", _whole(1))  # fmt: skip
    _add(learning, "--batch-size", "N", "rows in a batch, 1 or more (default: 32)", _whole(1))
    _flag(learning, "--drop-last", "leave out the last batch of an epoch if it is smaller (default: no)")
    _add(learning, "--l1", "X", "strength of the penalty Σ|w|, 0 or more (default: 0)", _number(least=0.0))
    _add(learning, "--l2", "X", "strength of the penalty Σw², 0 or more (default: 0)", _number(least=0.0))
    _add(learning, "--clip-norm", "X", "limit of the norm of the gradient, above 0 (default: none)", _number(above=0.0))
    _add(learning, "--clip-value", "X", "limit of each gradient, above 0 (default: none)", _number(above=0.0))
    _add(learning, "--early-stopping", "PATIENCE", "stop when the validation loss (without validation rows, the loss) "
         "has not become better for so many epochs, 1 or more (default: never)", _whole(1))  # fmt: skip

    run = parser.add_argument_group("run")
    _add(run, "--seed", "N", "of the data drawn, the split, the weights, dropout and the order of the rows, 0 or more; "
         "it repeats the run bit for bit (default: 0)", _whole(0))  # fmt: skip
    _add(run, "--engine", "NAME", "eager, or compiled: a program is made of model and loss once, and runs many times "
         "as fast; its numbers are the same but for rounding (default: eager, or as the run that is resumed)",
         choices=("eager", "compiled"))  # fmt: skip
    _add(run, "--save", "RUN/", "a folder for checkpoints, made if need be: of the run as it stands, and of each epoch "
         "(default: nothing is saved)", path_of)  # fmt: skip
    _add(run, "--save-every", "N", "save after so many batches, too, 1 or more (default: after each epoch)", _whole(1))
    _add(run, "--resume", "RUN/", "go on with a run saved there; all it was told is read from it, and "
         "besides --epochs, --data, --engine and --json nothing may be told anew", path_of)  # fmt: skip
    _flag(run, "--json", "for machines: one JSON object a line on stdout for each epoch, and one at the end")


def _add(
    group: Any, name: str, metavar: str | None, text: str, kind: Callable[[str], Any] = str, choices: Any = None
) -> None:
    group.add_argument(name, metavar=metavar, help=text, type=kind, choices=choices, default=argparse.SUPPRESS)


def _flag(group: Any, name: str, text: str, *, negative: bool = False) -> None:
    action = argparse.BooleanOptionalAction if negative else "store_true"
    group.add_argument(name, action=action, help=text, default=argparse.SUPPRESS)


def _number(**bounds: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            return finite_number("it", _float(text), **bounds)
        except (ValueError, TypeError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _float(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            return whole_number("it", int(text) if text.lstrip("+-").isdecimal() else text, least)
        except (ValueError, TypeError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def path_of(text: str) -> str:
    """Read the name of a file or a folder; "" would be the one we are in, which nobody means."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty, but must name a folder, such as run/")
    return text


def delimiter_of(text: str) -> str:
    r"""Read the character between cells; a tab may be written as \t.

    Example:
        >>> delimiter_of(r"\t")
        '\t'
    """
    character = "\t" if text == r"\t" else text
    if len(character) != 1 or character in '"\r\n':
        raise argparse.ArgumentTypeError(f"it is {text!r:.20}, but must be one character, such as ',', ';' or '\\t'")
    return character


def _layers(text: str) -> tuple[int, ...]:
    try:
        sizes = () if text == "none" else tuple(int(size) for size in text.split(","))
    except ValueError:
        sizes = (0,)
    if not all(size > 0 for size in sizes):
        raise argparse.ArgumentTypeError(f"it is {text!r:.60}, but must be whole numbers, 1 or more, such as 16,16")
    return sizes
