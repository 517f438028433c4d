"""``@primitive``: an op of the user's own, as a row added to the derivative table."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from autograd_mini import trees
from autograd_mini.kits import FLOAT
from autograd_mini.number import elementwise, number
from autograd_mini.rules import RULES, Rule
from autograd_mini.tracer import HELD
from autograd_mini.value import Value, apply

__all__ = ["is_own", "primitive"]

_TAKEN = (*RULES, "constant", "parameter")  # the last two say of a node that it is a leaf
_OURS = frozenset({*HELD, "source", "detach", "matmul", "rowdot"})
"""What nodes of programs are called that are no rows of the table; the user's op of such a name gets a number."""

_WIDE = (-3.0, 3.0)
Function = Callable[..., Any]

_places: dict[str, tuple[str, str]] = {}
"""Where each op of the user's was defined, by module and qualified name."""


def primitive(
    *partials: Function,
    symbol: str | None = None,
    latex: str | None = None,
    box: Sequence[tuple[float, float]] | None = None,
    kinks: Sequence[float] = (),
) -> Callable[[Function], Function]:
    """Make a function an op: one node, with the derivatives you give.

    Write the partials with operators and functions of autograd_mini, and they can be differentiated again; with those
    of ``math``, first derivatives work and ``gradcheck(f, x, order=2)`` finds what is missing.

    Args:
        *partials: one ``(y, *args) -> ∂y/∂arg`` for each argument; for a function of ``*args`` a single
            ``(y, i, args) -> ∂y/∂args[i]``.
        symbol: how pictures write the op; the function's name unless given.
        latex: a template with ``{0}``, ``{1}`` for the arguments, or ``{args}``.
        box: an interval for each argument from which tests may sample; (-3, 3) unless given.
        kinks: where the derivative jumps, by argument 0.

    Returns:
        A decorator. The function it makes takes Values, plain numbers and, if it has one argument, NumPy arrays. Its
        attribute ``op`` is the op's name in ``RULES``: the function's, with a number behind it for a namesake defined
        elsewhere, or one that programs use for something else, such as ``less``.

    Raises:
        ValueError: for a name the table has already, or a wrong number of partials or intervals; (when called) if a
            later op has taken the name.
        TypeError: if a partial is not a function; (when called) if value or partial is not one real number.

    Example:
        >>> @primitive(lambda y, x: 3 * x**2)
        ... def cube(x):
        ...     return x * x * x
        >>> x = Value(2.0)
        >>> y = cube(x)
        >>> y.op, y.data, y.local_derivatives
        ('cube', 8.0, (12.0,))
    """

    def decorate(forward: Function) -> Function:
        if not partials or not callable(forward):
            raise TypeError("@primitive needs the derivatives: @primitive(lambda y, x: 3 * x**2) above def cube(x)")
        name = getattr(forward, "__name__", type(forward).__name__)
        place = getattr(forward, "__module__", ""), getattr(forward, "__qualname__", name)
        if name in _TAKEN or not name.isidentifier():
            raise ValueError(f"an op cannot be called {name!r}; give it a name by def, none of {', '.join(_TAKEN)}")
        signature = inspect.signature(forward)
        arity = _arity(name, signature)
        if (arity or 1) != len(partials):
            raise ValueError(
                f"{name} has {len(partials)} partials and takes {arity or 'any number of'} arguments; give a function "
                "(y, *args) for each, or one (y, i, args) for a function of *args"
            )
        if box is not None and len(box) != len(partials):
            raise ValueError(f"{name} has {len(partials)} partials and a box of {len(box)} intervals, got {box!r:.60}")
        for i, given in enumerate(partials):
            if not callable(given):
                raise TypeError(f"partial {i} of {name} must be a function of (y, *args), got {given!r:.60}")
            _check_takes(given, 3 if arity is None else arity + 1, f"partial {i} of {name}{signature}")

        def value(k: Any, *args: Any) -> Any:
            try:
                return _real(k, forward(*args), f"the value of {name}")
            except Exception as error:
                error.add_note(f"in the op {name} at {args!r:.60}; give @primitive a box, and tests keep to it")
                raise

        def partial_of(i: int) -> Function:
            @functools.wraps(partials[i])  # so that a wrong one is found at its line
            def partial(k: Any, y: Any, *args: Any) -> Any:
                return _real(k, partials[i](y, *args), f"partial {i} of {name}")

            return partial

        key, number_of_namesakes = name, 1
        # A later definition at the same place replaces the earlier.
        while key in _OURS or (key in RULES and _places.get(key) != place):
            number_of_namesakes += 1
            key = f"{name}_{number_of_namesakes}"
        _places[key] = place
        rule = RULES[key] = Rule(
            value,
            partial_of(0) if arity is None else tuple(map(partial_of, range(arity))),
            tuple(box) if box else (_WIDE,) * (arity or 1),
            symbol or name,
            latex or _latex(name, arity),
            (inspect.getdoc(forward) or f"The user's {name}.").splitlines()[0],
            kinks=tuple(kinks),
        )

        @functools.wraps(forward)
        def op(*args: Any, **keywords: Any) -> Any:
            try:
                bound = signature.bind(*args, **keywords)
            except TypeError as error:
                raise TypeError(f"{name}{signature}: {error}") from None
            bound.apply_defaults()
            if RULES.get(key) is not rule:
                raise ValueError(f"this op {key} was defined again or removed since; use the function defined last")
            if arity == 1 and trees.is_array(bound.args[0]):
                return elementwise(op, bound.args[0])
            return apply(key, *bound.args)

        op.op = key  # type: ignore[attr-defined]
        return op

    return decorate


def is_own(op: str) -> bool:
    """Whether an op was defined with ``@primitive``."""
    return op in _places


def _check_takes(function: Function, count: int, what: str) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some built-in functions have none
        return
    try:
        signature.bind(*range(count))
    except TypeError:
        raise TypeError(f"{what} is called with y first, {count} arguments in all, but takes {signature}") from None


def _arity(name: str, signature: inspect.Signature) -> int | None:
    """How many arguments; None for ``*args``."""
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    if kinds == {inspect.Parameter.VAR_POSITIONAL}:
        return None
    if not kinds or not kinds <= {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}:
        raise ValueError(f"{name}{signature} must take numbers by position, or *args alone, to be an op")
    return len(signature.parameters)


def _real(k: Any, result: Any, what: str) -> Any:
    """What a user's function returned, as a number of the kit's kind."""
    if k is not FLOAT and (isinstance(result, (Value, complex)) or trees.is_array(result)):
        return result
    return number(result, what)


def _latex(name: str, arity: int | None) -> str:
    args = "{args}" if arity is None else ", ".join(f"{{{i}}}" for i in range(arity))
    return rf"\operatorname{{{{{name.replace('_', chr(92) + '_')}}}}}\left({args}\right)"
