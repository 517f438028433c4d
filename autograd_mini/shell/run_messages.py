"""What errors say in the words of Python, said in the options of the command line."""

import re

__all__ = ["in_options"]

# A name that is quoted or part of another is the user's own, such as that of a column or a file.
_BEFORE, _AFTER = r"(?<![\w'\"./-])", r"(?![\w./])"
_SAID = {
    rf"header=True{_AFTER}": "--header yes",
    rf"header=False{_AFTER}": "--header no",
    r"delimiter=(?=')": "--delimiter ",
    r"delimiter=": "--delimiter",
    rf"drop_last(=True)?{_AFTER}": "--drop-last",
    r"batch_size=(?=\d)": "--batch-size ",
    rf"batch_size{_AFTER}": "--batch-size",
    r"clip_norm=": "--clip-norm",
    r"learning rate or (?=--clip-norm)": "--learning-rate or ",
    r"look at it with replay\(epoch=\d+, batch=\d+\), and ": "",  # it may be saved nowhere
    r"(validation|test)=(?=[\d.])": r"--\1 ",
    r"train=(?=[\d.])": "a training share of ",
    r"engine='eager' trains it": "--engine eager trains it",
    r"data=FILE": "--data FILE",
    r"say which to take": "--label says which has the targets",
    r"set classes=; for regression write floats, and no classes=": "say --quantities",
}


def in_options(message: str) -> str:
    """Name the options of ``autograd-mini train``, ``evaluate`` and ``predict`` instead of arguments in Python.

    Example:
        >>> in_options("if ';' is between the cells, say delimiter=';'")
        "if ';' is between the cells, say --delimiter ';'"
        >>> in_options("use another batch_size, or drop_last=True")
        'use another --batch-size, or --drop-last'
        >>> in_options("there is no column 'batch_size'")
        "there is no column 'batch_size'"
    """
    for pattern, option in _SAID.items():
        message = re.sub(_BEFORE + pattern, option, message)
    return message
