"""The exceptions that are the project's own; bad arguments raise the built-in ``ValueError`` and ``TypeError``."""

__all__ = ["AnomalyError", "CheckpointError", "GraphTooLargeError", "NonFiniteError", "RenderError", "TraceError"]


class AnomalyError(ArithmeticError):
    """The first non-finite value or gradient under ``detect_anomaly()``."""


class NonFiniteError(ArithmeticError):
    """The loss, a gradient or a parameter stopped being finite in training."""


class RenderError(RuntimeError):
    """A picture could not be drawn: no renderer is installed, or the one that is failed."""


class GraphTooLargeError(ValueError):
    """A graph is too large for what was asked of it, such as a picture that a person could read."""


class TraceError(TypeError):
    """A function that is traced to be compiled reads a number that is not known until the program runs."""


class CheckpointError(ValueError):
    """A file is not a whole, sound checkpoint, or a checkpoint could not be saved."""
