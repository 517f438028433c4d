"""The command ``autograd-mini step``: a session in which a user walks through back propagation."""

from autograd_mini.shell.session import StepSession
from autograd_mini.shell.subject import find_subject

__all__ = ["StepSession", "find_subject"]
