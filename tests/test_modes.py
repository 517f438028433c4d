"""``no_grad`` and ``detect_anomaly``: what they do, that they end, and that contexts do not disturb each other."""

import asyncio
import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import autograd_mini as am
from autograd_mini import AnomalyError, Value, detect_anomaly, modes, no_grad, record_lines


def records() -> bool:
    return bool((Value(1.0) * 2.0).parents)


@pytest.fixture(autouse=True)
def _switches_are_off_again() -> Any:
    yield
    assert modes.switched == 0
    assert modes.current() == modes.Mode()


def test_no_grad_computes_without_recording() -> None:
    x = Value(3.0)
    with no_grad():
        results = [x * x, x + 1, 2**x, -x, am.tanh(x), am.dot([x], [x]), am.sum([x, x]), am.maximum(x, 1.0)]
    assert [y.data for y in results] == [9.0, 4.0, 8.0, -3.0, math.tanh(3.0), 9.0, 6.0, 3.0]
    assert all((y.op, y.parents, y.local_derivatives) == ("", (), ()) for y in results)
    assert records()


def test_a_result_made_under_no_grad_is_a_constant_of_what_follows() -> None:
    x = Value(3.0)
    with no_grad():
        detached = x * x
    (detached * x).backward()
    assert (x.grad, detached.grad) == (9.0, 3.0)


def test_backward_works_inside_no_grad() -> None:
    x = Value(3.0)
    y = x * x
    with no_grad():
        y.backward()
    assert x.grad == 6.0


def test_no_grad_nests() -> None:
    with no_grad():
        with no_grad():
            assert not records()
        assert not records()
    assert records()


def test_no_grad_ends_with_an_exception() -> None:
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert records()


def test_no_grad_is_a_decorator() -> None:
    @no_grad()
    def predict(x: Value, depth: int = 2) -> Value:
        """Predict."""
        return predict(x, depth - 1) if depth else x * x

    assert predict.__doc__ == "Predict."
    for _ in range(2):
        assert predict(Value(3.0)).parents == ()
        assert records()


def test_the_two_switches_combine_in_either_order() -> None:
    for outer, inner in ((no_grad, detect_anomaly), (detect_anomaly, no_grad)):
        with outer(), inner():
            assert not records()
            with pytest.raises(AnomalyError):
                am.log(Value(0.0))
    assert records()


def test_threads_do_not_disturb_each_other() -> None:
    barrier = threading.Barrier(8, timeout=10)

    def work(switched: bool) -> list[bool]:
        seen = []
        for _ in range(50):
            barrier.wait()
            if switched:
                with no_grad():
                    barrier.wait()
                    seen.append(records())
            else:
                barrier.wait()
                seen.append(records())
        return seen

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, [True, False] * 4))
    assert results == [[False] * 50, [True] * 50] * 4


def test_a_thread_started_inside_a_block_records_again() -> None:
    with no_grad(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(records).result()


def test_tasks_do_not_disturb_each_other() -> None:
    async def work(switched: bool) -> list[bool]:
        seen = []
        for _ in range(10):
            await asyncio.sleep(0)
            if switched:
                with no_grad():
                    await asyncio.sleep(0)
                    seen.append(records())
            else:
                seen.append(records())
        return seen

    async def main() -> list[list[bool]]:
        return await asyncio.gather(*(work(i % 2 == 0) for i in range(6)))

    assert asyncio.run(main()) == [[False] * 10, [True] * 10] * 3


def test_threads_hunt_anomalies_by_themselves() -> None:
    inside, done = threading.Event(), threading.Event()

    def hunt() -> None:
        with detect_anomaly():
            inside.set()
            done.wait(10)

    with ThreadPoolExecutor(1) as pool:
        hunting = pool.submit(hunt)
        inside.wait(10)
        with pytest.warns(RuntimeWarning, match=r"^log\(0\) is -inf$"):
            am.log(Value(0.0))
        done.set()
        hunting.result()


FORWARD: dict[str, tuple[Callable[[], Any], str]] = {
    "log": (lambda: am.log(Value(0.0, "p")), r"log\(p=0\) is -inf"),
    "a method": (lambda: Value(-1.0, "p").sqrt(), r"sqrt\(p=-1\) is nan"),
    "division": (lambda: 1 / Value(0.0, "d"), r"div\(1, d=0\) is inf"),
    "power": (lambda: Value(-8.0) ** (1 / 3), r"pow\(-8, 0\.333333\) is nan"),
    "multiplication": (lambda: Value(1e200, "a") * Value(1e200, "b"), r"mul\(a=1e\+200, b=1e\+200\) is inf"),
    "dot": (lambda: am.dot([Value(1e200)], [1e200]), r"dot\(1e\+200, 1e\+200\) is inf"),
    "plain numbers": (lambda: am.exp(1000), r"exp\(1000\) is inf"),
    "inf from inf": (lambda: Value(math.inf, "a") + 1, r"add\(a=inf, 1\) is inf"),
    "nan from nan": (lambda: Value(math.nan, "a") * 2, r"mul\(a=nan, 2\) is nan"),
    "five terms": (lambda: am.sum([Value(1e308)] * 5), r"sum\(1e\+308, 1e\+308, 1e\+308, 1e\+308, …\) is inf"),
}


@pytest.mark.parametrize(("make", "message"), FORWARD.values(), ids=FORWARD)
def test_an_operation_names_itself_its_operands_and_the_line(make: Callable[[], Any], message: str) -> None:
    line = make.__code__.co_firstlineno
    with detect_anomaly(), pytest.raises(AnomalyError, match=rf"^{message}; at .*test_modes\.py:{line}: .*lambda"):
        make()


def test_finite_numbers_pass_unnoticed() -> None:
    with detect_anomaly():
        x = Value(3.0)
        (am.tanh(x) * x / 2).backward()
    assert math.isfinite(x.grad)


def blown_up_gradient() -> tuple[Value, Value]:
    x = Value(0.0, "x")
    root = am.sqrt(x)  # this line blows up in backward
    return x, root * 3.0


def test_backward_names_the_node_and_the_line_that_made_it() -> None:
    with detect_anomaly():
        x, y = blown_up_gradient()
        line = blown_up_gradient.__code__.co_firstlineno + 2
        with pytest.raises(AnomalyError, match=r"op=sqrt.*label='x'.* is 3\.0 × inf = inf") as caught:
            y.backward()
    assert f"test_modes.py:{line}: root = am.sqrt(x)  # this line blows up" in str(caught.value)
    assert not x.has_grad
    assert not y.has_grad


def test_backward_says_what_to_do_when_the_forward_pass_was_not_watched() -> None:
    _, y = blown_up_gradient()
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"run the forward pass under detect_anomaly\(\) too"):
        y.backward()


def test_a_nan_gradient_is_caught_where_it_arises() -> None:
    with detect_anomaly():
        x = Value(0.0, "x")
        y = 0.0 * am.sqrt(x)
        with pytest.raises(AnomalyError, match=r"op=sqrt.* is 0\.0 × inf = nan"):
            y.backward()


def test_a_gradient_that_overflows_by_adding_up_is_caught() -> None:
    with detect_anomaly():
        x = Value(0.1, "x")
        y = x * 1e308 + x * 1e308
        with pytest.raises(AnomalyError, match=r"label='x'.*inf.*test_modes\.py"):
            y.backward()
    assert not x.has_grad


def test_outside_the_block_the_same_numbers_only_warn() -> None:
    with pytest.warns(RuntimeWarning, match=r"^log\(p=0\) is -inf$"):
        am.log(Value(0.0, "p"))
    x, y = blown_up_gradient()
    y.backward()
    assert x.grad == math.inf


def test_detect_anomaly_is_a_decorator() -> None:
    @detect_anomaly()
    def lose() -> Value:
        return am.log(Value(0.0))

    with pytest.raises(AnomalyError):
        lose()


def test_lines_are_recorded_where_asked_for_and_nowhere_else() -> None:
    x = Value(3.0)
    with record_lines():
        y = x * 2.0
        z = am.tanh(y)
    assert y.line is not None
    assert z.line is not None
    assert "y = x * 2.0" in str(y.line)
    assert z.line.number == y.line.number + 1
    assert x.line is None
    assert (x * 2.0).line is None


def test_recording_again_inside_no_grad() -> None:
    with no_grad(), modes.recording():
        assert records()
