"""What Hypothesis calls when it starts, by the entry point in pyproject.toml: it learns to draw our types.

Only the engine is loaded then; the strategies, and with them ``nn`` and NumPy, follow when something is drawn.
"""

from typing import TYPE_CHECKING

from autograd_mini.expression import Expression
from autograd_mini.value import Value

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["register"]


def register() -> None:
    """Make ``st.from_type(Value)`` and ``st.from_type(Expression)`` work."""
    from hypothesis import strategies as st

    st.register_type_strategy(Value, _values)
    st.register_type_strategy(Expression, _graphs)


def _values(kind: type[Value]) -> "SearchStrategy[Value]":
    from autograd_mini.strategies import values

    return values()


def _graphs(kind: type[Expression]) -> "SearchStrategy[Expression]":
    from autograd_mini.strategies import graphs

    return graphs()
