"""Random graphs: what the compiler makes of them computes what the eager engine does, values and gradients."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from autograd_mini import Expression, Value
from autograd_mini.compiler import compile, reverse
from autograd_mini.numbered import Graph
from autograd_mini.strategies import expressions, graphs
from tests.compiled import agree, check_everything, eager, same
from tests.vector_programs import STEPS, VectorProgram, vector_programs

LEAST = 0.01
"""A slope may hang on how a number inside is rounded, as that of (1 + x·x) ** y by y on the digits of x·x behind 1. The
numbers of a formula are of size 1, so what is smaller than this is compared to 1e-14."""


def near(formula: Expression, seed: int, rows: int = 3) -> list[np.ndarray[Any, Any]]:
    """The formula's point and others so near that it is smooth between them, a column for each input."""
    point = np.array(list(formula.inputs.values()))
    moves = np.random.default_rng(seed).uniform(-1e-3, 1e-3, (rows, len(point)))
    moves[0] = 0.0
    return list((point + moves).T)


@pytest.fixture(scope="module", autouse=True)
def _far_out_numbers_overflow() -> Iterator[None]:
    """Formulas of several steps may leave the doubles, eagerly and compiled; what they give then is compared too."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


any_formulas = st.one_of(expressions(), graphs(), graphs(max_nodes=30, max_inputs=6))


@given(any_formulas)
def test_formulas_as_functions_of_numbers(formula: Expression) -> None:
    expected = eager(formula, list(formula.inputs.values()), least=LEAST)
    value, gradients = compile(formula)(*formula.inputs.values())
    same("value", value, expected.value, expected.value_size)
    same("gradients", gradients, expected.by_arguments, expected.sizes)
    columns = near(formula, 1)
    values, gradients = compile(formula)(*columns)
    for i, row in enumerate(zip(*columns, strict=True)):
        expected = eager(formula, row, least=LEAST)
        same("value of arrays", values[i], expected.value, expected.value_size)
        same("gradients of arrays", [x[i] for x in gradients], expected.by_arguments, expected.sizes)


@given(any_formulas, st.integers(0, 6))
def test_formulas_as_steps(formula: Expression, count: int) -> None:
    columns = near(formula, 2)
    count = min(count, len(columns) - 1)
    parameters = [Value(float(column[0]), f"p[{i}]") for i, column in enumerate(columns[:count])]
    check_everything(lambda *rest: formula(*parameters, *rest), columns[count:], parameters, least=LEAST)


def check_vectors(program: VectorProgram, sizes: tuple[int, int, int], rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    batch = [random.uniform(-1.5, 1.5, (rows, size)) for size in sizes[:2]]
    parameters = [Value(x, f"w[{i}]") for i, x in enumerate(random.uniform(-1.0, 1.0, sizes[2]))]

    def f(x: Any, y: Any) -> Any:
        return program(x, y, parameters)

    check_everything(f, batch, parameters)


SIZES = st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(0, 10))


@given(vector_programs(), SIZES, st.integers(1, 4), st.integers(0, 99))
def test_programs_over_vectors(program: VectorProgram, sizes: tuple[int, int, int], rows: int, seed: int) -> None:
    check_vectors(program, sizes, rows, seed)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("end", range(5))
def test_each_step_by_itself_and_after_another(name: str, end: int) -> None:
    for first, sizes in (("function", (4, 3, 6)), ("prefix_sums", (1, 1, 0)), (name, (5, 2, 1))):
        check_vectors(VectorProgram(((first, 0, 1, 1), (name, 0, 2, 5)), end), sizes, 3, 11)


@given(vector_programs(4), SIZES)
@settings(max_examples=30)
def test_single_precision(program: VectorProgram, sizes: tuple[int, int, int]) -> None:
    random = np.random.default_rng(3)
    X, Y = (random.uniform(-1.0, 1.0, (3, size)).astype(np.float32) for size in sizes[:2])
    parameters = [Value(float(np.float32(x)), f"w[{i}]") for i, x in enumerate(random.uniform(-1.0, 1.0, sizes[2]))]
    assume(parameters)
    step = compile(lambda x, y: program(x, y, parameters), X[0], Y[0], parameters=parameters, dtype="float32")
    each = [eager(lambda x, y: program(x, y, parameters), row, parameters) for row in zip(X, Y, strict=True)]
    value, gradients = step(X, Y)
    size = max(one.value_size for one in each)
    # 1e-5 is 84 roundings of float32, for programs of up to that many in a row.
    same("value", value, np.mean([one.value for one in each]), size, 1e-5)
    wanted, sizes_ = (
        np.mean([getattr(one, name) for one in each], axis=0) for name in ("by_parameters", "parameter_sizes")
    )
    assert gradients.dtype == np.float32
    same("gradients", gradients, wanted, sizes_, 1e-5)


def test_these_tests_can_say_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that takes dot(a, b) for dot(a, a), or a maximum for a minimum, is found out."""
    program, sizes = VectorProgram((("dense", 0, 0, 1), ("largest", 0, 1, 0)), 3), (3, 2, 5)
    check_vectors(program, sizes, 3, 1)
    node = Graph.node

    def swapped(self: Graph, op: str, args: tuple[int, ...]) -> int:
        return node(self, {"maximum": "minimum"}.get(op, op), args)

    def doubled(self: Graph, op: str, args: tuple[int, ...]) -> int:
        return node(self, op, args[: len(args) // 2] * 2 if op == "dot" else args)

    for wrong in (swapped, doubled):
        with monkeypatch.context() as patch:
            patch.setattr(Graph, "node", wrong)
            with pytest.raises(AssertionError, match=r"compiled .*, eager"):
                check_vectors(program, sizes, 3, 1)
    assert not any([agree(1.0, 1.0 + 1e-11), agree([1.0], 1.0), agree(np.nan, 1.0), agree(1.0, np.nan)])
    assert agree(np.nan, np.nan)


@pytest.mark.parametrize("op", ["mul", "tanh", "softplus", "logsumexp", "pow"])
def test_a_wrong_partial_is_found_out(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The eager engine has the right one: the compiler alone gets another."""
    right = reverse.partial_formula

    def wrong(sheet: Any, name: str, i: int, y: Any, args: Any) -> Any:
        local = right(sheet, name, i, y, args)
        return sheet.make("mul", local, 1.0 + 1e-9) if name == op else local

    formulas = {
        "mul": "x * y + y", "tanh": "tanh(x) * y", "softplus": "softplus(x * y)", "pow": "(x * x + 1) ** y"
    }  # fmt: skip
    formula = Expression(formulas.get(op, "logsumexp([x, y, 0.5])"), x=0.7, y=-1.3)
    columns = near(formula, 4)
    check_everything(formula, columns)
    monkeypatch.setattr(reverse, "partial_formula", wrong)
    if op == "logsumexp":  # a reduction of its own, whose shares its forward pass keeps
        monkeypatch.setattr(reverse.Reverse, "_logsumexp", reverse.Reverse._sum)
    with pytest.raises(AssertionError, match="gradient"):
        check_everything(formula, columns)
