"""Hypothesis strategies: random Values, formulas, graphs, networks and data sets, whose examples print as Python.

Needs the extra ``autograd_mini[test]``. With the package installed, ``st.from_type(Value)`` works by itself.
"""

from collections.abc import Iterable, Sequence
from typing import Any

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("autograd_mini.strategies needs Hypothesis: pip install hypothesis") from missing

from autograd_mini.draft import Draft
from autograd_mini.expression import Expression
from autograd_mini.rules import RULES
from autograd_mini.value import Value
from nn import MLP, Dataset, activation_function
from nn.checks import whole_number

__all__ = ["datasets", "expressions", "graphs", "mlps", "values"]

SMOOTH_ACTIVATIONS = ("tanh", "sigmoid", "gelu", "silu", "softplus")

_decimals = st.integers(-30, 30).map(lambda tenths: tenths / 10)
_picks = st.integers(0, 11)
_one_in_four = st.integers(0, 3).map(lambda number: number == 3)


def values(
    min_value: float | None = None,
    max_value: float | None = None,
    *,
    allow_nan: bool = False,
    allow_infinity: bool = False,
    labels: SearchStrategy[str] | None = None,
) -> SearchStrategy[Value]:
    """Leaves of a graph.

    Args:
        min_value: the smallest number; None for any.
        max_value: the largest number; None for any.
        allow_nan: whether nan may come.
        allow_infinity: whether ±inf may come.
        labels: a strategy for the label; None for no label.

    Example:
        >>> from hypothesis import find
        >>> find(values(min_value=1.5), lambda x: True)
        Value(data=2, grad=not computed)
    """
    numbers = st.floats(min_value, max_value, allow_nan=allow_nan, allow_infinity=allow_infinity)
    return st.builds(Value, numbers) if labels is None else st.builds(Value, numbers, label=labels)


def expressions(
    ops: Iterable[Any] | None = None, *, max_nodes: int = 12, max_inputs: int = 3
) -> SearchStrategy[Expression]:
    """Formulas in which every result is used once, as in a line of mathematics.

    No argument lies outside the box of its row or near a kink: one that would is moved by adding a constant.

    Args:
        ops: rows by name, or the functions of your own ops, the simplest first, since a failure shrinks towards it;
            None for every row of ``RULES`` at the time of drawing, your own included.
        max_nodes: the largest number of ops, the additions that steer included; constants and inputs do not count.
        max_inputs: the largest number of inputs.

    Raises:
        ValueError: for an op that is not in the table, or no ops.

    Example:
        >>> from hypothesis import find
        >>> find(expressions(), lambda e: "tanh" in e.source)
        Expression('tanh(x)', x=0.0)
    """
    return _formulas(ops, max_nodes, max_inputs, shares=False)


def graphs(ops: Iterable[Any] | None = None, *, max_nodes: int = 12, max_inputs: int = 3) -> SearchStrategy[Expression]:
    """Formulas in which a result may be used several times; the graph itself is ``.build()`` of what is drawn.

    Args:
        ops: as for ``expressions``.
        max_nodes: as for ``expressions``.
        max_inputs: as for ``expressions``.

    Raises:
        ValueError: for an op that is not in the table, or no ops.

    Example:
        >>> from hypothesis import find
        >>> find(graphs(["mul", "tanh"]), lambda g: "u = tanh" in g.source)
        Expression('u = tanh(x); u * u', x=0.0)
    """
    return _formulas(ops, max_nodes, max_inputs, shares=True)


def mlps(
    *,
    inputs: int | None = None,
    outputs: int | None = None,
    max_inputs: int = 4,
    max_layers: int = 3,
    max_width: int = 4,
    activations: Sequence[str] = SMOOTH_ACTIVATIONS,
) -> SearchStrategy[MLP]:
    """Small networks, with weights from a seed that is drawn too.

    Args:
        inputs: how many inputs there are; None for any number.
        outputs: how many outputs there are; None for any number.
        max_inputs: the largest number of inputs.
        max_layers: the largest number of layers, the output layer included.
        max_width: the largest number of neurons in a layer.
        activations: names from ``ACTIVATIONS`` for the hidden layers, the simplest first; smooth ones unless given.

    Raises:
        ValueError, TypeError: for an unknown activation, or a size that is not a whole number of at least 1.

    Example:
        >>> from hypothesis import find
        >>> find(mlps(), lambda model: len(model.layers) > 1)
        MLP(1, [1, 1], activation='tanh')
    """
    for activation in activations:
        activation_function(activation)
    widths = st.integers(1, whole_number("max_width", max_width, 1))
    hidden = st.lists(widths, max_size=whole_number("max_layers", max_layers, 1) - 1)
    last = widths if outputs is None else st.just(whole_number("outputs", outputs, 1))
    return st.builds(
        _MLP,
        _count("inputs", inputs, max_inputs),
        st.builds(lambda sizes, size: [*sizes, size], hidden, last),
        activation=st.sampled_from(list(activations)),
        seed=st.integers(0, 999),
    )


def _count(what: str, exactly: int | None, most: int) -> SearchStrategy[int]:
    if exactly is not None:
        return st.just(whole_number(what, exactly, 1))
    return st.integers(1, whole_number(f"max_{what}", most, 1))


def datasets(
    *, inputs: int | None = None, max_rows: int = 8, max_inputs: int = 3, classes: int | None = None
) -> SearchStrategy[Dataset]:
    """Small data sets of short decimals between -3 and 3.

    Args:
        inputs: the width of a row; None for any.
        max_rows: the largest number of rows.
        max_inputs: the largest width of a row.
        classes: how many classes the labels stem from; None for quantities to predict (regression).

    Raises:
        ValueError, TypeError: for a size that is not a whole number of at least 1.

    Example:
        >>> from hypothesis import find
        >>> find(datasets(classes=2), lambda data: len(data) == 2)
        Dataset(rows=2, shape=(1,), classes=2)
    """
    whole_number("max_rows", max_rows, 1)
    targets: SearchStrategy[float] = _decimals
    if classes is not None:
        targets = st.integers(0, whole_number("classes", classes, 1) - 1)

    def of_width(width: int) -> SearchStrategy[Dataset]:
        rows = st.tuples(st.lists(_decimals, min_size=width, max_size=width), targets)
        return st.lists(rows, min_size=1, max_size=max_rows).map(
            lambda rows: _Dataset([row for row, _ in rows], [target for _, target in rows], classes=classes)
        )

    return _count("inputs", inputs, max_inputs).flatmap(of_width)


def _formulas(
    ops: Iterable[Any] | None, max_nodes: int, max_inputs: int, *, shares: bool
) -> SearchStrategy[Expression]:
    whole_number("max_nodes", max_nodes, 1)
    whole_number("max_inputs", max_inputs, 1)
    if isinstance(ops, str):
        raise ValueError(f"ops is a list of rows, got {ops!r}; write [{ops!r}]")
    names = None if ops is None else [getattr(op, "op", getattr(op, "__name__", op)) for op in ops]
    if names is not None and not (names and all(name in RULES for name in names)):
        unknown = next((name for name in names if name not in RULES), "nothing")
        raise ValueError(f"ops names rows of the table, got {unknown!r:.60}; legal are {', '.join(RULES)}")

    @st.composite
    def formulas(draw: st.DrawFn) -> Expression:
        legal = names or [name for name in RULES if name.isidentifier()]
        inputs = draw(st.lists(_decimals, min_size=1, max_size=max_inputs))
        draft = Draft(inputs, most_ops=max_nodes, shares=shares)
        for op, picks in draw(st.lists(_steps(legal), min_size=1, max_size=max_nodes)):
            draft.add(op, picks)
        return draft.expression()

    return formulas()


@st.composite
def _steps(draw: st.DrawFn, ops: list[str]) -> tuple[str, list[int | float]]:
    op = draw(st.sampled_from(ops))
    count = RULES[op].arity or draw(st.integers(1, 3))
    # The first argument is the newest number as a rule, or most of the ops would lead nowhere.
    picks: list[int | float] = [draw(_picks) if draw(_one_in_four) else 0]
    while len(picks) < (2 * count if op == "dot" else count):
        picks.append(draw(_decimals) if draw(_one_in_four) else draw(_picks))
    return op, picks


class _MLP(MLP):
    """A network that Hypothesis prints as the call that makes it; it would take the repr, which knows no seed."""

    def __init__(self, inputs: int, sizes: list[int], *, activation: str, seed: int) -> None:
        super().__init__(inputs, sizes, activation=activation, seed=seed)
        self._call = f"MLP({inputs}, {sizes}, activation={activation!r}, seed={seed})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self._call)


class _Dataset(Dataset):
    """A data set that Hypothesis prints with its numbers."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        classes = "" if self.classes is None else f", classes={self.classes}"
        printer.text(f"Dataset({self.inputs.tolist()}, {self.targets.tolist()}{classes})")
