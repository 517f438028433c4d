"""The commands of ``autograd-mini``: ``step``, a session in back propagation, ``explore``, and training runs."""

from autograd_mini.shell.exploring import EXPLORE, add_explore_options, run_explore
from autograd_mini.shell.judging import add_evaluate_options, add_predict_options, evaluate, predict
from autograd_mini.shell.run_messages import in_options
from autograd_mini.shell.run_options import add_train_options
from autograd_mini.shell.saved_run import load_run
from autograd_mini.shell.session import StepSession
from autograd_mini.shell.signals import Terminated
from autograd_mini.shell.subject import find_subject
from autograd_mini.shell.training import train

__all__ = [
    "EXPLORE",
    "StepSession",
    "Terminated",
    "add_evaluate_options",
    "add_explore_options",
    "add_predict_options",
    "add_train_options",
    "evaluate",
    "find_subject",
    "in_options",
    "load_run",
    "predict",
    "run_explore",
    "train",
]
