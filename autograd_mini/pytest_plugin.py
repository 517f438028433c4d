"""The pytest plugin: a ``gradcheck`` fixture whose failure shows the whole report."""

from collections.abc import Callable, Collection
from typing import Any

import pytest

__all__ = ["gradcheck"]


@pytest.fixture(scope="session")  # it has no state, and Hypothesis wants no function's fixture under @given
def gradcheck() -> Callable[..., Any]:
    """Check gradients: a function like ``autograd_mini.gradcheck`` that fails the test unless every one agrees.

    Args:
        allow: verdicts to let pass besides, such as ``("kink here",)``; the other arguments are those of ``gradcheck``.
    """
    from autograd_mini.gradcheck import gradcheck as check  # loaded by the tests that ask for it

    def checked(f: Any, *args: Any, allow: Collection[str] = (), **options: Any) -> Any:
        __tracebackhide__ = True
        return check(f, *args, **options).require(allow)

    return checked
