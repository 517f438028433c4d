"""Calling a compiled program: its parameters, what it returns and whose memory that is, and what it refuses."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd_mini import TraceError, Value, log, no_grad, where
from autograd_mini.compiler import CompiledStep, compile
from tests.compiled import eager, same


def step_of(model: nn.Module, **options: Any) -> CompiledStep:
    example: Any = ([0.1, 0.2], [0.5])
    made: CompiledStep = compile(
        lambda x, y: nn.mean_squared_error([model(x)], y), *example, parameters=model.parameters(), **options
    )
    return made


@pytest.fixture
def model() -> nn.MLP:
    return nn.MLP(2, [3, 1], activation="tanh", seed=4)


ROWS = np.array([[0.5, -1.0], [0.3, 0.8], [-0.4, 0.1]]), np.array([[0.2], [-0.3], [0.9]])


def test_parameters_are_read_at_every_call_and_changed_in_place(model: nn.MLP) -> None:
    step = step_of(model)
    memory = step.parameters
    step.parameters -= 0.5
    assert step.parameters is memory
    step.parameters = [0.1 * i for i in range(len(memory))]
    assert step.parameters is memory
    value, gradients = step(*ROWS)
    for i, parameter in enumerate(model.parameters()):
        parameter.data = 0.1 * i
    expected = eager(lambda x, y: nn.mean_squared_error(model(x), y.ravel()), ROWS, model.parameters())
    same("value", value, expected.value, expected.value_size)
    same("gradients", gradients, expected.by_parameters, expected.parameter_sizes)


def test_named_views_share_the_memory(model: nn.MLP) -> None:
    step = step_of(model)
    assert sum(view.size for view in step.named.values()) == len(step.parameters)
    assert all(np.shares_memory(view, step.parameters) for view in step.named.values())
    for view in step.named.values():
        view[...] = 0.25
    assert set(step.parameters.tolist()) == {0.25}


def test_store_and_load(model: nn.MLP) -> None:
    step = step_of(model)
    _, gradients = step(*ROWS)
    step.parameters += 1.0
    step.store()
    assert [p.data for p in model.parameters()] == step.parameters.tolist()
    assert [p.grad for p in model.parameters()] == gradients.tolist()
    for parameter in model.parameters():
        parameter.data = -0.5
    step.load()
    assert set(step.parameters.tolist()) == {-0.5}


def test_gradients_by_parameters_are_one_vector_that_every_call_writes(model: nn.MLP) -> None:
    step = step_of(model)
    _, first = step(*ROWS)
    _, second = step(ROWS[0][0], ROWS[1][0])
    assert first is second
    assert first is step.gradients


def test_everything_else_that_is_returned_is_the_callers_own() -> None:
    """Neither another call nor a change to one result moves another."""

    def f(x: Any, y: Any) -> Any:
        z = [a * b for a, b in zip(x, y, strict=True)]
        return z[0] * z[1] + x[0], {"z": z, "x": x, "first": x[0], "constant": 2.0}

    def arrays(result: Any) -> list[Any]:
        (loss, others), gradients = result
        return [a for a in [loss, *others.values(), *gradients] if isinstance(a, np.ndarray)]

    X, Y = np.arange(6.0).reshape(3, 2), np.arange(6.0, 12.0).reshape(3, 2)
    step = compile(f, X[0], Y[0], has_aux=True)
    for arguments in ((X, Y), (X[0], Y[0])):
        first = arrays(step(*arguments))
        kept = [a.copy() for a in first]
        second = arrays(step(*[2.0 * a for a in arguments]))
        assert all(map(np.array_equal, first, kept))
        both = [*first, *second, *arguments]
        assert not any(np.shares_memory(a, b) for i, a in enumerate(both) for b in both[:i] if a.size and b.size)
        for a in second:
            a[...] = np.nan
        assert all(map(np.array_equal, arrays(step(*arguments)), kept))


def test_arrays_of_a_function_of_numbers_are_the_callers_own() -> None:
    f = compile(lambda a, b: a + b)
    x = np.arange(4.0)
    value, (da, db) = f(x, x)
    kept = [a.copy() for a in (value, da, db)]
    value_again, _ = f(x + 1.0, x)
    assert all(map(np.array_equal, (value, da, db), kept))
    value_again[...] = np.nan
    assert f(x, x)[0].tolist() == kept[0].tolist()
    assert not np.shares_memory(compile(lambda a: a * 1.0)(x)[0], x)


@pytest.mark.parametrize("dtype", ["float32", np.float32])
def test_in_single_precision_every_array_is(dtype: Any) -> None:
    f = compile(lambda x: (x[0] * x[1], x), [1.0, 2.0], has_aux=True, dtype=dtype)
    (loss, others), (gradient,) = f(np.ones((3, 2)))
    assert {a.dtype for a in (loss, others, gradient)} == {np.dtype(np.float32)}
    step = step_of(nn.MLP(2, [3, 1], seed=1), dtype=dtype)
    _, gradients = step(*ROWS)
    assert {a.dtype for a in (gradients, step.parameters, *step.named.values())} == {np.dtype(np.float32)}


def test_without_gradients_any_structure_comes_back() -> None:
    f = compile(lambda x: {"sum": x[0] + x[1], "parts": (x[0], [x[1], 1.0])}, [1.0, 2.0], gradients=False)
    single, batch = f([3.0, 4.0]), f([[3.0, 4.0], [5.0, 6.0]])
    assert float(single["sum"]) == 7.0
    assert batch["sum"].tolist() == [7.0, 11.0]
    assert batch["parts"][0].tolist() == [3.0, 5.0]
    assert batch["parts"][1].tolist() == [[4.0, 1.0], [6.0, 1.0]]


def test_detached_numbers_hand_on_no_gradient() -> None:
    def f(x: Any, y: Any) -> Any:
        with no_grad():
            weight = x * y
        return weight * x

    value, gradients = compile(f)(3.0, 2.0)
    assert (value, gradients) == (18.0, (6.0, 0.0))


def test_no_warning_where_the_engine_gives_none() -> None:
    """In the tests a warning is an error."""
    x = np.array([-1e4, -800.0, -1.0, 0.0, 1.0, 800.0, 1e4])
    for dtype in ("float64", "float32"):
        for name, activation in nn.ACTIVATIONS.items():
            f = compile(activation, 1.0, dtype=dtype)
            value, gradients = f(x)
            assert np.isfinite(value).all(), name
            assert np.isfinite(gradients[0]).all(), name
    f = compile(lambda a: where(a > 0.0, log(where(a > 0.0, a, 1.0)), 0.0))
    assert f(np.array([-1.0, 1.0]))[0].tolist() == [0.0, 0.0]


X, Y = Value(1.0, "x"), Value(2.0, "y")
REFUSED: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    ("shape", lambda: two()(np.ones(3), 1.0), ValueError, r"x: (2,)"),
    ("axis", lambda: two()(np.ones((5, 2)), 1.0), ValueError, r"one more axis in front"),
    ("batches", lambda: two()(np.ones((5, 2)), np.ones(4)), ValueError, r"(4,): the sizes of the batch differ"),
    ("empty", lambda: two()(np.ones((0, 2)), np.ones(0)), ValueError, r"got (0, 2), (0,)"),
    ("count", lambda: two()(np.ones(2)), TypeError, r"2 arguments (x, y), got 1"),
    ("a Value", lambda: two()([X, Y], 1.0), TypeError, r"takes no Values"),
    ("text", lambda: two()(["1", "2"], 1.0), TypeError, r"x must be an array of numbers"),
    ("ragged", lambda: two()([[1.0], [1.0, 2.0]], 1.0), TypeError, r"no ragged lists"),
    ("None", lambda: two()(None, 1.0), TypeError, r"x must be an array of numbers"),
    ("ragged example", lambda: compile(lambda x: x[0][0], [[1.0], [1.0, 2.0]]), ValueError, r"x is ragged"),
    ("text example", lambda: compile(lambda x: x, "1"), TypeError, r"the example for x"),
    ("dict example", lambda: compile(lambda x: x["a"], {"a": 1.0}), ValueError, r"x is a dict"),
    ("no function", lambda: compile(X * Y), TypeError, r"needs a function"),
    ("dtype", lambda: compile(lambda x: x, 1.0, dtype="int64"), ValueError, r"float64 or float32"),
    ("returns None", lambda: compile(lambda x: None, 1.0), TypeError, r"returned None"),
    ("returns a list", lambda: compile(lambda x: [x, x], 1.0), TypeError, r"gradients are taken of one number"),
    ("returns text", lambda: compile(lambda x: "x", 1.0), TypeError, r"a result of the function"),
    ("no pair", lambda: compile(lambda x: x, 1.0, has_aux=True), TypeError, r"returns a pair"),
    ("a list of a function", lambda: compile(lambda x: [x]), TypeError, r"returns one number"),
    ("any number", lambda: compile(lambda *x: x[0]), TypeError, r"give examples"),
    ("a Value for a float", lambda: compile(lambda x: x)(X), TypeError, r"x must be a number"),
    ("text for a float", lambda: compile(lambda x: x)("1"), TypeError, r"x must be a number"),
    (
        "a branch",
        lambda: compile(lambda x: x if x > 0.0 else -x, 1.0),
        TraceError,
        rf"{re.escape(__file__)}:\d+: .*a branch on",
    ),
    (
        "a branch of floats",
        lambda: compile(lambda x: x if x > 0.0 else -x),
        TraceError,
        rf"{re.escape(__file__)}:\d+: .*a branch on",
    ),
    ("float()", lambda: compile(lambda x: float(x), 1.0), TraceError, rf"{re.escape(__file__)}:\d+: .*float\(\) of"),
]


def two() -> CompiledStep:
    made: CompiledStep = compile(lambda x, y: x[0] * x[1] * y, [1.0, 2.0], 3.0)
    return made


@pytest.mark.parametrize(
    ("call", "error", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_is_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    pattern = message if r"\d" in message else re.escape(message)
    with pytest.raises(error, match=pattern):
        call()


def test_a_parameter_that_is_not_listed_is_named(model: nn.MLP) -> None:
    some = model.parameters()[:-1]
    with pytest.raises(ValueError, match="1 Value that is not in parameters="):
        compile(lambda x: model(x), [1.0, 2.0], parameters=some)
