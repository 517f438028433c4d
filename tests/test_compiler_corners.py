"""Corners of the compiler: names that collide, results that share parts, what is done to a step between its calls."""

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

from autograd_mini import Value, exp, parameter, sin, tanh
from autograd_mini.compiler import compile

NAMES = [("t1", "t2"), ("exp", "square"),
         ("value", "d_x"), ("values", "plain"), ("parameters", "gradients"),
         ("multiply", "add"), ("float", "type"), ("otherwise", "step"), ("ab", "Ab"),
         ("constant", "source")]  # fmt: skip


@pytest.mark.parametrize("names", NAMES, ids="-".join)
def test_arguments_may_have_any_name(names: tuple[str, str]) -> None:
    """The same program as with names that mean nothing, over floats, arrays, and examples of shape ()."""
    a, b = names
    text = f"lambda {a}, {b}: ({a} * {b} + 1.0) ** 2 * e({a} * 0.3) + {b} * {b} - s({a} + {b}) * 3.0"
    f = eval(text, {"e": exp, "s": sin})
    x, y = Value(0.7), Value(-0.4)
    z = f(x, y)
    z.backward()
    expected = pytest.approx([z.data, x.grad, y.grad], rel=1e-12)
    for step in (compile(f), compile(f, 1.0, 1.0)):
        value, gradients = step(0.7, -0.4)
        assert [value, *gradients] == expected
        given = np.full(3, 0.7), np.full(3, -0.4)
        values, several = step(*given)
        assert [values[2], several[0][2], several[1][2]] == expected
        assert (given[0] == 0.7).all()
        assert (given[1] == -0.4).all()


@pytest.mark.parametrize("name", ["square", "exp", "values", "parameters"])
def test_an_argument_may_have_the_name_of_an_op_or_a_store(name: str) -> None:
    f = eval(f"lambda {name}: (sum(x * x for x in {name}) + e({name}[0]) + e({name}[2])) * w", {"e": exp, "w": 2.0})
    value, _ = compile(f, [1.0, 1.0, 1.0])([0.1, 0.2, 0.3])
    assert value == pytest.approx(2.0 * (0.14 + math.exp(0.1) + math.exp(0.3)), rel=1e-12)


def test_conditions_count_as_numbers_in_gradients() -> None:
    f = compile(lambda a, b: (a > 0.0) * b + (a > 1.0) * b)
    _, (_, by_b) = f(np.array([3.0, 0.5, -1.0]), np.ones(3))
    assert by_b.tolist() == [2.0, 1.0, 0.0]
    g = compile(lambda a, b: (a > 0.0) * b - (a > 1.0) * b)
    assert g(np.array([3.0, 0.5]), np.ones(2))[1][1].tolist() == [0.0, 1.0]
    assert repr(g(0.5, 2.0)) == "(2.0, (0.0, 1.0))"
    assert repr(compile(lambda a: a > 0.0)(0.5)) == "(1.0, (0.0,))"


@pytest.mark.parametrize("others", [exp, lambda loss: -loss, lambda loss: [loss, loss * 2.0]])
def test_others_may_be_made_of_the_loss(others: Any) -> None:
    def f(x: Any) -> Any:
        loss = sum(v * v for v in x)
        return -loss / 2.0, others(loss)

    x = np.array([0.1, 0.2, 0.3])
    (loss, found), _ = compile(f, x, has_aux=True)(x)
    assert loss == pytest.approx(-0.07, rel=1e-12)
    expected = others(Value(0.14))
    assert found == pytest.approx([y.data for y in expected] if isinstance(expected, list) else expected.data)


@pytest.mark.parametrize("shape", [(6,), (2, 3), (6, 1), (3, 2), (2, 1, 3)])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_neuron_over_parts_of_an_argument(shape: tuple[int, ...], width: int) -> None:
    """The places for its ones stand behind the parts, and the argument is copied in around them."""
    w = [parameter(0.3 * i - 0.5, f"w[{i}]") for i in range(width + 1)]

    def f(x: Any) -> Any:
        flat = list(np.asarray(x, dtype=object).ravel())
        parts = [flat[i : i + width] for i in range(0, 6, width)]
        sums = [sum(a * b for a, b in zip(w, part, strict=False)) + w[-1] for part in parts]
        return sum((i + 1.0) * tanh(total) for i, total in enumerate(sums))

    X = np.arange(12.0).reshape(2, *shape) / 7.0
    step = compile(f, X[0], parameters=w)
    losses = [f(x) for x in X]
    assert step(X)[0] == pytest.approx(np.mean([loss.data for loss in losses]), rel=1e-12)
    assert step(X[1])[0] == pytest.approx(losses[1].data, rel=1e-12)
    losses[1].backward()
    assert step(X[1])[1] == pytest.approx([one.grad for one in w], rel=1e-12)


def test_a_number_that_is_added_several_times() -> None:
    w = parameter(2.0, "w")
    step = compile(lambda x: sum([x * w + 0.1] * 3, start=0.0) ** 2, 1.0, parameters=[w])
    repeated = compile(lambda x: (y := x * x + 0.1, sum([y, y, y]) / 3.0, [y] * 6)[1:], 1.0, has_aux=True)
    loss, gradients = step(np.array([1.0, 2.0]))
    assert (loss, gradients[0]) == pytest.approx((9 * (2.1**2 + 4.1**2) / 2, 9 * (2.1 + 2 * 4.1)), rel=1e-12)
    (losses, others), _ = repeated(np.array([1.0, 2.0]))
    assert losses == pytest.approx([1.1, 4.1], rel=1e-12)
    assert others.shape == (2, 6)


def test_formulas_may_be_deep() -> None:
    def f(x: Any) -> Any:
        for _ in range(3000):
            x = sin(x)
        return x

    x = Value(0.3)
    y = f(x)
    y.backward()
    for step in (compile(f), compile(f, 1.0)):
        value, (gradient,) = step(np.array([0.3]))
        assert (value[0], gradient[0]) == pytest.approx((y.data, x.grad), rel=1e-12)


def test_gradients_that_the_user_changes_in_place_begin_anew() -> None:
    w, unused, last = (parameter(1.0, name) for name in ("w", "unused", "last"))
    step = compile(lambda x: w * x + last, 1.0, parameters=[w, unused, last])
    for _ in range(3):
        _, gradients = step(3.0)
        assert gradients.tolist() == [3.0, 0.0, 1.0]
        gradients += 1.0


def test_copies_have_memory_of_their_own() -> None:
    w = parameter(2.0, "w")
    step = compile(lambda x: w * x, 1.0, parameters=[w])
    _, gradients = step(3.0)
    for other in (copy.deepcopy(step), pickle.loads(pickle.dumps(step))):
        other.parameters += 10.0
        assert other(4.0)[0] == 48.0
        assert step(3.0)[0] == 6.0
        assert gradients.tolist() == [3.0]
        other.store()
        assert w.data == 2.0


def test_named_views_hold_their_own_parameters_alone() -> None:
    labels = ["a[0]", "b[0]", "a[1]", "c", "c[0]", "c[1]"]
    mine = [parameter(float(i), label) for i, label in enumerate(labels)]
    step = compile(lambda x: sum(mine) * x, 1.0, parameters=mine)
    named = {name: view.tolist() for name, view in step.named.items()}
    assert named == {"a": [0.0], "b": [1.0], "parameter[2]": [2.0], "c": [3.0, 4.0, 5.0]}


def test_a_parameter_that_is_listed_twice_is_refused() -> None:
    w = parameter(2.0, "w")
    with pytest.raises(ValueError, match=r"has w twice, at 0 and 1; list each Value once"):
        compile(lambda x: w * x, 1.0, parameters=[w, w])


def test_an_example_may_be_an_array_without_axes() -> None:
    step = compile(lambda x: x * x, np.array(1.0))
    assert step(np.array(3.0)) == (9.0, (6.0,))


def test_parameters_that_are_no_values_are_refused() -> None:
    bad: Any = (parameter(2.0, "w"), [1.0], ["w"])
    for parameters in bad:
        with pytest.raises(TypeError, match=r"parameters= takes .*such as model.parameters\(\) gives, got"):
            compile(lambda x: x * x, 1.0, parameters=parameters)
