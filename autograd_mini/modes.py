"""Switches that change how operations are recorded: ``no_grad``, ``record_lines`` and ``detect_anomaly``.

All are context-local (PEP 567): a thread, or an asyncio task, that switches one does not disturb the others.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from autograd_mini.source import NOWHERE, Origin

__all__ = ["Mode", "current", "detect_anomaly", "no_grad", "quiet", "record_lines", "recording", "switch"]


@dataclass(frozen=True, slots=True)
class Mode:
    """What the current context asks for: is a graph recorded, with its source lines, are inf and nan hunted, hushed.

    While a function is traced to be compiled, `tracer` is the ``Tracer``. `origin` holds the scopes that are open.
    """

    recording: bool = True
    lines: bool = False
    anomaly: bool = False
    quiet: bool = False
    tracer: Any = None
    origin: Origin = NOWHERE


_mode: ContextVar[Mode] = ContextVar("autograd_mini_mode", default=Mode())  # noqa: B039  # a Mode is frozen
_lock = threading.Lock()

# How many switches are open in the whole process. While there is none, an operation need not look at its context.
switched = 0


def current() -> Mode:
    """Return the mode of the current context."""
    return _mode.get()


@contextmanager
def switch(**changes: Any) -> Iterator[None]:
    """Change fields of the mode in this context, for as long as the block runs."""
    global switched
    before = _mode.get()
    with _lock:
        switched += 1
    try:
        _mode.set(replace(before, **changes))
        yield
    finally:
        _mode.set(before)  # first: should Ctrl-C come between, a count too high costs only time
        with _lock:
            switched -= 1


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: results are Values without parents. A ``with`` block or a decorator.

    Example:
        >>> from autograd_mini import Value, no_grad
        >>> x = Value(3.0)
        >>> with no_grad():
        ...     y = x * x
        >>> y.data, y.parents
        (9.0, ())
    """
    with switch(recording=False):
        yield


@contextmanager
def recording() -> Iterator[None]:
    """Record again, whatever ``no_grad`` stands around: for functions that need a graph to do their work."""
    with nullcontext() if current().recording else switch(recording=True):
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Let inf and nan come without a warning: for probes that may leave the domain of a function."""
    with switch(quiet=True):
        yield


@contextmanager
def record_lines() -> Iterator[None]:
    """Have every node remember the line of the user's code that made it, as ``node.line``. Also a decorator.

    Example:
        >>> from autograd_mini import Value, record_lines
        >>> with record_lines():
        ...     y = Value(3.0) * 2
        >>> y.line  # doctest: +ELLIPSIS
        SourceLine(filename='...', number=...)
    """
    with switch(lines=True):
        yield


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Stop at the first value or gradient that is not finite, naming op, operands and line. Also a decorator.

    Inside the block every node remembers the line of the user's code that made it, so that a gradient which blows up
    in ``backward()`` is traced to the line of the forward pass. Slower than normal recording; meant for hunting.

    Raises:
        AnomalyError: from the operation, or from ``backward()``, that first yields inf or nan.

    Example:
        >>> from autograd_mini import Value, detect_anomaly
        >>> with detect_anomaly():
        ...     Value(0.0, label="x").log()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        autograd_mini.errors.AnomalyError: log(x=0) is -inf; at ...
    """
    with switch(lines=True, anomaly=True):
        yield
