"""Every row of the derivative table, compiled: as a function of floats and of arrays, and as a step."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from autograd_mini import RULES, Value, exp, primitive
from autograd_mini.compiler import compile
from autograd_mini.value import apply
from tests.compiled import agree, check_everything, eager, same

ARITIES = {"dot": (2, 4, 6, 14)}
ROWS = [(op, n) for op, rule in RULES.items() for n in ((rule.arity,) if rule.arity else ARITIES.get(op, (1, 2, 3, 7)))]
EDGES = [(op, edge) for op, rule in RULES.items() for edge in rule.edges]
IDS = [f"{op}-{n}" for op, n in ROWS]


def function(op: str, count: int) -> Callable[..., Any]:
    names = ", ".join(f"x{i}" for i in range(count))
    made: Callable[..., Any] = eval(f"lambda {names}: apply({op!r}, {names})", {"apply": apply})
    return made


def points(op: str, count: int, rows: int = 5) -> list[np.ndarray[Any, Any]]:
    """A column of numbers in the box of the row for each argument."""
    rule = RULES[op]
    boxes = rule.box if rule.arity else rule.box * count
    random = np.random.default_rng(7)
    return [random.uniform(*interval, size=rows) for interval in boxes]


@pytest.mark.parametrize(("op", "count"), ROWS, ids=IDS)
def test_a_row_as_a_function_of_floats(op: str, count: int) -> None:
    f = function(op, count)
    compiled = compile(f)
    for row in zip(*points(op, count), strict=True):
        expected = eager(f, row)
        value, gradients = compiled(*map(float, row))
        assert {type(x) for x in (value, *gradients)} == {float}
        same("value", value, expected.value, expected.value_size)
        same("gradients", gradients, expected.by_arguments)


@pytest.mark.parametrize("rows", [0, 1, 8191, 8192, 8193])
def test_arrays_of_any_length(rows: int) -> None:
    x, y = np.random.default_rng(1).uniform(-1.0, 1.0, (2, rows))
    value, (dx, dy) = compile(lambda a, b: a * exp(b) + a)(x, y)
    same("value", value, x * np.exp(y) + x, 2.0)
    same("da", dx, np.exp(y) + 1.0)
    same("db", dy, x * np.exp(y))


@pytest.mark.parametrize(("op", "count"), ROWS, ids=IDS)
def test_a_row_as_a_function_of_arrays(op: str, count: int) -> None:
    f, columns = function(op, count), points(op, count)
    value, gradients = compile(f)(*columns)
    for i, row in enumerate(zip(*columns, strict=True)):
        expected = eager(f, row)
        same("value", value[i], expected.value, expected.value_size)
        same("gradients", [column[i] for column in gradients], expected.by_arguments)


def test_arrays_are_broadcast_and_whole_numbers_are_numbers() -> None:
    f = compile(lambda a, b: a * b + b)
    value, (da, db) = f(np.array([[1], [2]]), np.array([3.0, 4.0, 5.0]))
    assert value.tolist() == [[6.0, 8.0, 10.0], [9.0, 12.0, 15.0]]
    assert (da.tolist(), db.tolist()) == ([[3.0, 4.0, 5.0]] * 2, [[2.0] * 3, [3.0] * 3])
    assert f(2, np.float32(3.0)) == (9.0, (3.0, 3.0))
    value, (da, db) = f(2.0, np.array([3.0, 4.0]))
    assert [x.tolist() for x in (value, da, db)] == [[9.0, 12.0], [3.0, 4.0], [3.0, 3.0]]


@pytest.mark.parametrize(("op", "count"), ROWS, ids=IDS)
def test_a_row_as_a_step(op: str, count: int) -> None:
    columns = points(op, count)
    parameters = [Value(float(column[0]), f"p[{i}]") for i, column in enumerate(columns)]
    check_everything(function(op, count), columns)
    check_everything(lambda shift: apply(op, *[p + 0.0 * shift for p in parameters]), columns[:1], parameters)
    check_everything(lambda *x: apply(op, parameters[0], *x[1:]), columns, parameters)


@pytest.mark.parametrize(("op", "count"), [row for row in ROWS if row[1] > 1])
def test_constants_at_each_argument(op: str, count: int) -> None:
    columns = points(op, count)
    for i in range(count):

        def f(x: Any, place: int = i) -> Any:
            return apply(op, *[x if j == place else float(column[1]) for j, column in enumerate(columns)])

        check_everything(f, [columns[i]])


@pytest.mark.parametrize(("op", "edge"), EDGES, ids=[f"{op}{edge.at}" for op, edge in EDGES])
def test_corner_cases_are_those_of_the_table(op: str, edge: Any) -> None:
    """IEEE results and no exception. NumPy warns where the engine does, unless it is told not to."""
    f = function(op, len(edge.at))
    column = [np.full(2, x) for x in edge.at]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        compiled, step = compile(f), compile(f, *[1.0] * len(edge.at))
        for value, gradients in (compiled(*edge.at), compiled(*column), step(*edge.at), step(*column)):
            assert agree(np.ravel(value)[-1], edge.value)
            assert agree([np.ravel(x)[-1] for x in gradients], edge.partials)
        for i, x in enumerate(edge.at):
            constants: Sequence[Any] = edge.at

            def with_constants(x: Any, place: int = i, constants: Sequence[Any] = constants) -> Any:
                return apply(op, *constants[:place], x, *constants[place + 1 :])

            if isinstance(with_constants(Value(x)), Value):
                for value, gradients in (compile(with_constants)(x), compile(with_constants, 1.0)(np.full(3, x))):
                    assert agree(np.ravel(value)[-1], edge.value)
                    assert agree(np.ravel(gradients[0])[-1], edge.partials[i])


def test_an_op_of_the_users_own() -> None:
    @primitive(lambda y, a, b: 3.0 * a * a * b, lambda y, a, b: a * a * a)
    def cube_times(a: float, b: float) -> float:
        return a**3 * b

    @primitive(lambda y, i, args: 2.0 * args[i])
    def squares(*args: float) -> float:
        return sum(x * x for x in args)

    def f(a: Any, b: Any) -> Any:
        return cube_times(a, b) + cube_times(b, 2.0) * squares(a, b, 0.5)

    columns = np.random.default_rng(2).uniform(-2.0, 2.0, (2, 4))
    check_everything(f, columns)
    value, gradients = compile(f)(1.5, -0.5)
    expected = eager(f, (1.5, -0.5))
    same("value", value, expected.value, expected.value_size)
    same("gradients", gradients, expected.by_arguments, expected.sizes)
    array, _ = compile(f)(columns[0], columns[1])
    same("arrays", array, [eager(f, row).value for row in columns.T], 100.0)
