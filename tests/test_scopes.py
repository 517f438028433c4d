"""scope: names for what is recorded inside, at no cost to what is not."""

import asyncio
import copy
import pickle
import threading

import pytest

from autograd_mini import Value, detect_anomaly, no_grad, parameter, record_lines, scope, topological_order
from autograd_mini.compiler import compile


def test_scopes_nest_and_end():
    x = Value(2.0)
    with scope("outer"):
        a = x.exp()
        with scope("inner"):
            b = a * x
        c = b + 1
    d = c * 2
    assert [node.scope for node in (x, a, b, c, d)] == [(), ("outer",), ("outer", "inner"), ("outer",), ()]


def test_a_scope_is_a_decorator_too_and_can_be_entered_again():
    @scope("cube")
    def cube(x):
        return x * x * x

    assert [cube(Value(2.0)).scope, cube(Value(3.0)).scope] == [("cube",), ("cube",)]


def test_an_error_closes_the_scope():
    with pytest.raises(KeyError), scope("a"):
        raise KeyError
    assert (Value(1.0) + 1).scope == ()


def test_scope_and_line_are_remembered_together():
    x = Value(2.0)
    with record_lines(), scope("a"):
        y = x * x
    with scope("a"):
        z = x * x
    assert (y.scope, y.line.filename) == (("a",), __file__)
    assert (z.scope, z.line) == (("a",), None)
    assert ((x * x).scope, (x * x).line) == ((), None)


def test_no_grad_and_anomaly_detection_go_with_scopes():
    with scope("a"), no_grad():
        assert (Value(2.0) * 2).scope == ("a",)
    with detect_anomaly(), scope("b"):
        y = Value(2.0) * 2
        y.backward()
    assert y.scope == ("b",)


def test_numbers_and_gradients_are_the_same_inside():
    def compute(x, w):
        y = (x * w).tanh() / w
        y.backward()
        return y.data, x.grad, w.grad

    outside = compute(Value(0.3), parameter(0.7))
    with scope("a"):
        assert compute(Value(0.3), parameter(0.7)) == outside


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_keep_scopes_and_lines(duplicate):
    with record_lines(), scope("a"):
        y = Value(2.0) * 3
    with scope("b"):
        z = duplicate(y * 2)
    assert (z.scope, z.parents[0].scope, z.parents[0].line) == (("b",), ("a",), y.line)
    assert [node.scope for node in topological_order(duplicate(Value(1.0) * 2))] == [(), (), ()]


def test_scopes_of_threads_and_tasks_do_not_disturb_each_other():
    found = []

    def run():
        found.append((Value(1.0) * 2).scope)

    async def task(name):
        with scope(name):
            await asyncio.sleep(0)
            return (Value(1.0) * 2).scope

    async def both():
        return await asyncio.gather(task("a"), task("b"))

    with scope("outer"):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert found == [()]
    assert asyncio.run(both()) == [("a",), ("b",)]


def test_a_node_is_no_larger_than_before_and_scopes_are_shared():
    assert Value.__basicsize__ == object.__basicsize__ + 8 * 8
    with scope("a"):
        y, z = Value(1.0) * 2, Value(1.0) * 2
    assert y.scope is z.scope
    assert y._origin is z._origin
    assert not hasattr(Value(1.0) * 2, "_origin")


def test_a_function_with_scopes_compiles():
    def f(a, b):
        with scope("product"):
            c = a * b
        return c + b**3

    value, gradients = compile(f)(2.0, 3.0)
    assert (value, list(gradients)) == (33.0, [3.0, 29.0])


def test_scope_cannot_be_assigned():
    with pytest.raises(AttributeError):
        Value(1.0).scope = ("a",)


@pytest.mark.parametrize("name", ["", "  ", "\n"])
def test_a_blank_name_is_refused(name):
    with pytest.raises(ValueError, match=r'a scope needs a name to be shown by, got .*write scope\("layer 1"\), say'):
        scope(name).__enter__()


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(TypeError, match=r'a scope is named by a text, got 3 of type int; write scope\("name"\)'):
        scope(3).__enter__()
