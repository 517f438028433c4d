"""scope: names for what is recorded inside, at no cost to what is not."""

import asyncio
import copy
import pickle
import threading

import pytest

from autograd_mini import Value, detect_anomaly, modes, no_grad, parameter, record_lines, scope, topological_order
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


def test_one_scope_is_entered_again_and_within_itself():
    part = scope("a")
    with part:
        first = Value(1.0) + 1
    with part as same, part:
        second = Value(1.0) + 1
        with scope("b"), part:
            third = Value(1.0) + 1
        fourth = Value(1.0) + 1
    assert same is part
    assert [x.scope for x in (first, second, third, fourth, Value(1.0) + 1)] == [
        ("a",), ("a", "a"), ("a", "a", "b", "a"), ("a", "a"), (),
    ]  # fmt: skip


def test_a_decorated_function_may_call_itself():
    @scope("power")
    def power(x, n):
        """x to the n."""
        return x * power(x, n - 1) if n else x * 1.0

    y = power(Value(2.0), 2)
    assert (y.data, y.scope, y.parents[1].scope) == (8.0, ("power",), ("power", "power"))
    assert (power.__name__, power.__doc__) == ("power", "x to the n.")
    assert (Value(1.0) + 1).scope == ()


def test_a_method_is_decorated_too():
    class Model:
        @scope("model")
        def __call__(self, x):
            return x * 2

    assert Model()(Value(1.0)).scope == ("model",)


def test_what_runs_later_is_not_decorated():
    def rows():
        yield Value(1.0) * 2

    async def row():
        return Value(1.0) * 2

    async def later_rows():
        yield Value(1.0) * 2

    for late in (rows, row, later_rows):
        message = (
            rf"before it returns, and the body of {late.__name__} runs later; write `with scope\('a'\):` inside it"
        )
        with pytest.raises(TypeError, match=message):
            scope("a")(late)


def test_one_scope_in_several_threads_and_tasks():
    shared, found = scope("shared"), []
    entered = threading.Barrier(2)

    def run(name):
        with scope(name), shared:
            entered.wait(10)
            found.append((Value(1.0) * 2).scope)
            entered.wait(10)
        found.append((Value(1.0) * 2).scope)

    threads = [threading.Thread(target=run, args=[name]) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(), (), ("a", "shared"), ("b", "shared")]

    async def task(name):
        with shared, scope(name):
            await asyncio.sleep(0)
            return (Value(1.0) * 2).scope

    async def both():
        with shared:
            made = await asyncio.gather(task("a"), task("b"))
        return [*made, (Value(1.0) * 2).scope]

    assert asyncio.run(both()) == [("shared", "shared", "a"), ("shared", "shared", "b"), ()]
    assert modes.switched == 0


def test_an_asynchronous_generator_is_closed_anywhere():
    async def rows():
        with scope("rows"):
            yield Value(1.0) * 2

    async def take_one():
        return await anext(rows())  # which the loop closes later, in a context of its own

    assert asyncio.run(take_one()).scope == ("rows",)


def test_a_generator_that_stands_still_leaves_no_scope_behind():
    def rows():
        with scope("rows"):
            yield Value(1.0) * 2

    running = rows()
    assert next(running).scope == ("rows",)
    with scope("a"):
        next(running, None)
    assert (Value(1.0) * 2).scope == ()
    assert modes.switched == 0


def test_a_scope_shows_its_name():
    assert repr(scope("layer 1")) == "scope('layer 1')"
    assert repr(scope("a" * 50 + "\n")) == f"scope('{'a' * 39}…')"
    assert copy.copy(scope("a")).name == pickle.loads(pickle.dumps(scope("a"))).name == "a"


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
        scope(name)


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(TypeError, match=r'a scope is named by a text, got 3 of type int; write scope\("name"\)'):
        scope(3)
