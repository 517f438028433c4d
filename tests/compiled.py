"""What a compiled program is measured against: the eager engine, example by example."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd_mini import Value, trees
from autograd_mini.backward import path_sizes
from autograd_mini.compiler import compile

__all__ = ["RELATIVE", "Eager", "agree", "check_everything", "eager", "same"]

RELATIVE = 1e-12
SMALLEST = 1e-300
"""The bounded exponential of a compiled sigmoid ends at exp(-709), about 1e-308, where the eager one goes on to 0."""


class Eager(NamedTuple):
    """Value and gradients of one example, and what their terms were before they cancelled."""

    value: float
    by_arguments: list[np.ndarray[Any, Any]]
    by_parameters: np.ndarray[Any, Any]
    sizes: list[np.ndarray[Any, Any]]
    parameter_sizes: np.ndarray[Any, Any]
    value_size: float


def eager(
    f: Callable[..., Any], arguments: Sequence[Any], parameters: Sequence[Value] = (), least: float = 0.0
) -> Eager:
    """Run the engine on one example; the sizes of gradients count as at least `least`."""
    leaves = [[Value(float(x)) for _, x in trees.leaves(argument)] for argument in arguments]
    for parameter in parameters:
        parameter.grad = 0.0
    root = f(*[trees.rebuild(argument, iter(mine)) for argument, mine in zip(arguments, leaves, strict=True)])
    sizes: dict[Any, float] = {}
    if isinstance(root, Value):
        root.backward()
        sizes, _, _ = path_sizes(root)
    shapes = [np.shape(argument) for argument in arguments]
    # A value rounds as its terms do; those reach it along the paths by which its gradients come.
    terms = sum(sizes[node] * abs(node.data) for node in sizes if not node.parents and math.isfinite(node.data))
    return Eager(
        float(root),
        [np.reshape([x.grad for x in mine], shape) for mine, shape in zip(leaves, shapes, strict=True)],
        np.array([x.grad for x in parameters]),
        [
            np.reshape([max(least, sizes.get(x, 0.0)) for x in mine], shape)
            for mine, shape in zip(leaves, shapes, strict=True)
        ],
        np.array([max(least, sizes.get(x, 0.0)) for x in parameters]),
        max(abs(float(root)), terms),
    )


def agree(found: Any, expected: Any, size: Any = 0.0, relative: float = RELATIVE) -> bool:
    """Whether numbers are equal up to rounding of what was added up to make them, `size`; inf is inf, nan nan."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    if found.shape != expected.shape:
        return False
    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(expected), np.where(np.isfinite(size), size, 0.0))
        close = np.abs(found - expected) <= relative * scale + SMALLEST
    return bool(np.all(close | (found == expected) | (np.isnan(found) & np.isnan(expected))))


def same(what: str, found: Any, expected: Any, size: Any = 0.0, relative: float = RELATIVE) -> None:
    """Assert that."""
    assert agree(found, expected, size, relative), f"{what}: compiled {found}, eager {expected}"


def check_everything(
    f: Callable[..., Any],
    batch: Sequence[Any],
    parameters: Sequence[Value] = (),
    relative: float = RELATIVE,
    least: float = 0.0,
) -> None:
    """Compare a function with its programs: single and batched, by arguments and by parameters, without gradients.

    Args:
        f: the function.
        batch: for each argument an array with the examples first.
        parameters: what it reads besides.
        relative: the tolerance.
        least: what the sizes of gradients count as at least.
    """
    rows = list(zip(*batch, strict=True))
    each = [eager(f, row, parameters, least) for row in rows]
    values, size = [one.value for one in each], max(one.value_size for one in each)
    _check_by_arguments(f, batch, rows, each, relative)
    if parameters:
        _check_by_parameters(f, batch, rows, each, parameters, relative)
    without = compile(f, *rows[0], gradients=False)
    same("without gradients", without(*batch), values, size, relative)
    both = compile(lambda *args: (f(*args), [f(*args), 3.0]), *rows[0], has_aux=True)
    (loss, others), _ = both(*batch)
    same("beside others", loss, values, size, relative)
    same("others", others, [[value, 3.0] for value in values], size, relative)


def _check_by_arguments(f: Any, batch: Any, rows: Any, each: list[Eager], relative: float) -> None:
    step = compile(f, *rows[0])
    for arguments, expected in ((batch, each), (rows[0], each[:1]), ([part[-1:] for part in batch], each[-1:])):
        before = None
        for _ in range(2):
            value, gradients = step(*arguments)
            again = [np.array(value), *gradients]
            if before is not None:
                assert all(map(partial(np.array_equal, equal_nan=True), before, again)), (
                    "a second call gives other bits"
                )
            before = again
        single = arguments is rows[0]
        size = max(one.value_size for one in expected)
        same("value", value, expected[0].value if single else [one.value for one in expected], size, relative)
        for i, gradient in enumerate(gradients):
            wanted, sizes = ([getattr(one, field)[i] for one in expected] for field in ("by_arguments", "sizes"))
            same(f"gradient by argument {i}", gradient, wanted[0] if single else wanted, np.array(sizes), relative)


def _check_by_parameters(f: Any, batch: Any, rows: Any, each: list[Eager], parameters: Any, relative: float) -> None:
    step = compile(f, *rows[0], parameters=parameters)
    for arguments, expected in ((rows[0], each[:1]), (batch, each), ([part[-1:] for part in batch], each[-1:])):
        first, gradients = step(*arguments)
        kept = gradients.copy()
        value, gradients = step(*arguments)
        assert all(map(partial(np.array_equal, equal_nan=True), (value, gradients), (first, kept))), "other bits"
        size = max(one.value_size for one in expected)
        same("mean", value, np.mean([one.value for one in expected]), size, relative)
        wanted = np.mean([one.by_parameters for one in expected], axis=0)
        sizes = np.mean([one.parameter_sizes for one in expected], axis=0)
        same("gradients by parameters", gradients, wanted, sizes, relative)
