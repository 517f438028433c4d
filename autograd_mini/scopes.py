"""``scope``: names for parts of a computation, which pictures fold into one node."""

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, ContextDecorator
from contextvars import ContextVar
from typing import Any, Self, TypeVar

from autograd_mini import modes
from autograd_mini.printing import always_answers, printable
from autograd_mini.source import Origin

__all__ = ["scope"]

F = TypeVar("F", bound=Callable[..., Any])

_RUNS_LATER = (inspect.isgeneratorfunction, inspect.isasyncgenfunction, inspect.iscoroutinefunction)

# What is open, the innermost last: of the context and not of a scope, which several may have entered, or one twice.
_opened: ContextVar[tuple[AbstractContextManager[None], ...]] = ContextVar("autograd_mini_scopes", default=())


class scope(ContextDecorator):  # noqa: N801  # used like a function, as those of contextlib
    """Name what is recorded inside, as ``node.scope``. A ``with`` block or a decorator; scopes nest.

    The name is for ``fold`` and ``draw_dot(fold=...)``, which show a scope as one node; numbers and gradients stay the
    same. Entering a scope, or another of its name, again goes on with it. Leaves belong to whoever uses them.

    Args:
        name: a short text that is not blank.

    Raises:
        TypeError: if `name` is not text; (as a decorator) of a class, or of a generator or
            a coroutine, whose body runs later.
        ValueError: if it is blank.

    Example:
        >>> from autograd_mini import Value
        >>> with scope("encoder"):
        ...     with scope("square"):
        ...         y = Value(3.0) ** 2
        ...     z = y + 1
        >>> y.scope, z.scope, (z * 2).scope
        (('encoder', 'square'), ('encoder',), ())
        >>> @scope("cube")
        ... def cube(x):
        ...     return x * x * x
        >>> cube(y).scope
        ('cube',)
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            kind = type(name).__name__
            raise TypeError(f'a scope is named by a text, got {name!r:.60} of type {kind}; write scope("name")')
        if not name.strip():
            raise ValueError(f'a scope needs a name to be shown by, got {name!r:.60}; write scope("layer 1"), say')
        self.name = name

    def __enter__(self) -> Self:
        switch = modes.switch(origin=Origin(scope=(*modes.current().origin.scope, self.name)))
        switch.__enter__()
        _opened.set((*_opened.get(), switch))
        return self

    def __exit__(self, *error: object) -> None:
        if opened := _opened.get():  # an asynchronous generator may be closed in a context that has entered nothing
            _opened.set(opened[:-1])
            opened[-1].__exit__(None, None, None)

    def __call__(self, func: F) -> F:
        if isinstance(func, type):
            raise TypeError(
                f"a scope names what a function records, got the class {func.__name__!s:.60}; decorate its methods"
            )
        if any(runs_later(func) for runs_later in _RUNS_LATER):
            name = getattr(func, "__name__", func)
            raise TypeError(
                f"a scope names what a function records before it returns, and the body of {name!s:.60} runs later; "
                f"write `with scope({self.name!r:.60}):` inside it"
            )
        return super().__call__(func)

    @always_answers
    def __repr__(self) -> str:
        return f"scope({printable(self.name)!r})"
