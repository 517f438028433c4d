"""Ctrl-C and SIGTERM in a training run: each ends it once, at a place where the run can be saved."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from nn.callbacks import Callback

__all__ = ["StopSignals", "Terminated"]


class Terminated(KeyboardInterrupt):
    """SIGTERM has come: like Ctrl-C, but of a system that shuts down, or of ``kill``."""


class StopSignals(Callback):
    """A context in which SIGINT and SIGTERM raise ``KeyboardInterrupt``, the first of them alone.

    Those that follow are held back until ``rearm()`` is called, so that none breaks into the roll-back of the first.
    As a callback of the trainer it raises again what got lost: Python drops an exception raised in a ``__del__``.
    """

    sees_model = False

    def __init__(self) -> None:
        self.came: KeyboardInterrupt | None = None
        self._armed = True
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
            for number, handler in usual.items():
                if signal.getsignal(number) == handler:  # nohup and the like had it changed on purpose
                    self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def rearm(self) -> None:
        """Let the next signal raise, too."""
        self._armed = True

    def on_iteration_end(self, trainer: Any) -> None:
        if self.came is not None:
            raise self.came

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._armed:
            self._armed = False
            self.came = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
            raise self.came
