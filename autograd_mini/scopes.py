"""``scope``: names for parts of a computation, which pictures fold into one node."""

from collections.abc import Iterator
from contextlib import contextmanager

from autograd_mini import modes
from autograd_mini.source import Origin

__all__ = ["scope"]


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Name what is recorded inside, as ``node.scope``. A ``with`` block or a decorator; scopes nest.

    The name is for ``fold`` and ``draw_dot(fold=...)``, which show a scope as one node; numbers and gradients stay the
    same. Entering a name again goes on with it. Leaves belong to whoever uses them.

    Args:
        name: a short text that is not blank.

    Raises:
        TypeError: if `name` is not text.
        ValueError: if it is blank.

    Example:
        >>> from autograd_mini import Value
        >>> with scope("encoder"):
        ...     with scope("square"):
        ...         y = Value(3.0) ** 2
        ...     z = y + 1
        >>> y.scope, z.scope, (z * 2).scope
        (('encoder', 'square'), ('encoder',), ())
    """
    if not isinstance(name, str):
        kind = type(name).__name__
        raise TypeError(f'a scope is named by a text, got {name!r:.60} of type {kind}; write scope("name")')
    if not name.strip():
        raise ValueError(f'a scope needs a name to be shown by, got {name!r:.60}; write scope("layer 1"), say')
    with modes.switch(origin=Origin(scope=(*modes.current().origin.scope, name))):
        yield
