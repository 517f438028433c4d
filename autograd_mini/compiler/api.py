"""``compile``: the one function that users call."""

from collections.abc import Callable, Iterable
from typing import Any, overload

import numpy as np

from autograd_mini.compiler.expression import CompiledFunction
from autograd_mini.compiler.step import CompiledStep
from autograd_mini.value import Value

__all__ = ["compile"]


@overload
def compile(f: Callable[..., Any], *, gradients: bool = True) -> CompiledFunction: ...
@overload
def compile(
    f: Callable[..., Any],
    *examples: Any,
    parameters: Iterable[Value] | None = None,
    has_aux: bool = False,
    gradients: bool = True,
    dtype: Any = "float64",
) -> CompiledStep: ...
def compile(
    f: Callable[..., Any],
    *examples: Any,
    parameters: Iterable[Value] | None = None,
    has_aux: bool = False,
    gradients: bool = True,
    dtype: Any = "float64",
) -> Any:
    """Compile a function of scalars: it is run once, what it records becomes array code, and that is run from then on.

    Everything that is neither argument nor parameter stays as it was then: plain numbers, random numbers but those of
    ``nn.Dropout``, the mode of a model. A program is for one thread at a time. Products with a constant 0, and grids of
    dots of which some are not needed, may differ from the recorded graph where a number is inf or nan.

    Args:
        f: a function that computes with Values and returns one number to be differentiated.
        *examples: a number or an array for each argument. A call takes arrays of these shapes, or all with one more
            axis in front: a batch. Without examples and parameters, every argument is one number.
        parameters: Values that `f` reads besides, such as ``model.parameters()``; gradients are then by them.
            Otherwise they are by the arguments, and all other Values that `f` reads are constants.
        has_aux: whether `f` returns a pair, what is differentiated and what else is wanted.
        gradients: whether to compute gradients; without, `f` may return any structure of numbers.
        dtype: ``"float64"`` or ``"float32"``.

    Returns:
        A ``CompiledStep``, or without examples a ``CompiledFunction``.

    Raises:
        TraceError: if `f` branches on a number, or reads one, that is not known before the program runs.
        ValueError: for a ragged example, a parameter that is used but not listed, or another dtype.
        TypeError: for what is not a function, or does not return numbers.

    Example:
        >>> from autograd_mini import Value
        >>> product = compile(lambda a, b: a * b + b**3)
        >>> product(2.0, 3.0)
        (33.0, (3.0, 29.0))
        >>> w = Value(2.0, "w")
        >>> step = compile(lambda x, y: (w * x - y) ** 2, 1.0, 1.0, parameters=[w])
        >>> loss, gradients = step(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
        >>> float(loss), gradients
        (0.5, array([2.]))
    """
    if not callable(f):
        raise TypeError(
            f"compile needs a function, got {f!r:.60}; for a graph that stands, write the function that makes it"
        )
    if np.dtype(dtype) not in (np.float64, np.float32):
        raise ValueError(f"a program computes in float64 or float32, got dtype={dtype!r}")
    if parameters is None and not examples:
        return CompiledFunction(f, gradients)
    if parameters is not None and not isinstance(parameters, Iterable):
        raise TypeError(f"parameters= takes a list of Values, such as model.parameters() gives, got {parameters!r:.60}")
    listed = None if parameters is None else list(parameters)
    return CompiledStep(f, examples, listed, has_aux=has_aux, gradients=gradients, dtype=dtype)
