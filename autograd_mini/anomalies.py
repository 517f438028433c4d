"""Speaking up where a number that is not finite comes into being."""

import math
from collections.abc import Sequence
from typing import Any

from autograd_mini import modes
from autograd_mini.errors import AnomalyError
from autograd_mini.number import as_recorded, number_text
from autograd_mini.printing import printable
from autograd_mini.source import user_line, warn

__all__ = ["operation_text", "report_non_finite"]

_SHOWN = 4


def report_non_finite(op: str, data: float, args: Sequence[Any]) -> None:
    """Warn if `op` has just made inf or nan out of better operands, as NumPy does.

    Args:
        op: the row of the table that was computed.
        data: its result, which is not finite.
        args: its operands, Values or floats.

    Raises:
        AnomalyError: instead, and wherever the inf or nan came from, under ``detect_anomaly()``.
    """
    mode = modes.current()
    if mode.quiet and not mode.anomaly:
        return
    message = f"{operation_text(op, args)} is {data}"
    if mode.anomaly:
        raise AnomalyError(f"{message}; at {user_line()}")
    operands = list(map(as_recorded, args))
    if not any(map(math.isnan, operands)) and (math.isnan(data) or all(map(math.isfinite, operands))):
        warn(message)


def operation_text(op: str, args: Sequence[Any]) -> str:
    """Write an operation with its operands, such as ``mul(w=2, 3)``."""
    shown = ", ".join(map(_operand_text, args[:_SHOWN])) + (", …" if len(args) > _SHOWN else "")
    return f"{op}({shown})"


def _operand_text(arg: Any) -> str:
    label = printable(str(getattr(arg, "label", "")))
    text = number_text(as_recorded(arg))
    return f"{label}={text}" if label else text
