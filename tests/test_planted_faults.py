"""The checker is checked: faults are planted in the engine, and the suite's own checks must object and name the op.

Each fault is a wrong row of the table, or a wrong line in a specialised operator or in the reverse sweep, made by
editing its source. The checks are those that ``tests/test_properties.py`` runs on every graph.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from autograd_mini import RULES, Value, backward, functions
from autograd_mini.expression import Expression
from autograd_mini.strategies import graphs
from autograd_mini.value import unary
from tests.test_properties import check_forward_mode, check_gradient, check_second_derivatives

Plant = Callable[[pytest.MonkeyPatch], None]


def partial(op: str, i: int, wrong: Callable[..., Any]) -> Plant:
    """Put a wrong partial into a row; `wrong` is given the right one and its arguments."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        rule = RULES[op]
        if isinstance(rule.partials, tuple):
            right = rule.partials[i]
            partials: Any = list(rule.partials)
            partials[i] = lambda *args: wrong(right, *args)
            monkeypatch.setitem(RULES, op, replace(rule, partials=tuple(partials)))
        else:
            everything = rule.partials
            monkeypatch.setitem(RULES, op, replace(rule, partials=lambda *args: wrong(everything, *args)))
        if rule.arity == 1:  # these functions hold on to the row they were made of
            monkeypatch.setattr(Value, op, unary(op))
            if hasattr(functions, op):
                monkeypatch.setattr(functions, op, getattr(Value, op))

    return plant


def line(owner: Any, name: str, right: str, wrong: str) -> Plant:
    """Change one line of a function's source."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        function = inspect.getattr_static(owner, name)
        assert isinstance(function, FunctionType)
        source = textwrap.dedent(inspect.getsource(function))
        assert source.count(right) == 1, f"{right!r} is {source.count(right)} times in {name}"
        scope = dict(vars(sys.modules[function.__module__]))
        exec(source.replace(right, wrong), scope)
        monkeypatch.setattr(owner, name, scope[name])

    return plant


@dataclass(frozen=True)
class Fault:
    plant: Plant
    op: str
    ops: tuple[str, ...] = ("add", "mul")  # what the graphs are made of, beside it
    check: Callable[[Expression], Any] = check_gradient
    message: str = "the first wrong op is {op}\n"


FAULTS = {
    "a partial off by 1e-6": Fault(partial("exp", 0, lambda right, *args: right(*args) + 1e-6), "exp"),
    "a partial off by 1e-6 of itself": Fault(partial("gelu", 0, lambda right, *args: right(*args) * 1.000001), "gelu"),
    "a sign": Fault(partial("cos", 0, lambda right, *args: -right(*args)), "cos"),
    "the output used for the input": Fault(partial("log", 0, lambda right, k, y, a: k.div(1.0, y)), "log"),
    "the input used for the output": Fault(partial("tanh", 0, lambda right, k, y, a: 1.0 - a * a), "tanh"),
    "a forgotten factor": Fault(partial("square", 0, lambda right, k, y, a: a), "square"),
    "a forgotten term": Fault(partial("silu", 0, lambda right, k, y, a: k.sigmoid(a)), "silu"),
    "the wrong side of a kink": Fault(partial("relu", 0, lambda right, k, y, a: k.where(a > 0.0, 0.0, 1.0)), "relu"),
    "a slope that is 1 everywhere": Fault(partial("elu", 0, lambda right, *args: 1.0), "elu"),
    "the branches exchanged": Fault(partial("where", 1, lambda right, k, y, c, a, b: k.where(c, 0.0, 1.0)), "where"),
    "maximum for minimum": Fault(partial("maximum", 0, lambda right, k, y, a, b: right(k, y, b, a)), "maximum"),
    "the share of another": Fault(
        partial("logsumexp", 0, lambda right, k, y, i, args: right(k, y, 0, args)), "logsumexp"
    ),
    "an average that is not one": Fault(partial("mean", 0, lambda right, *args: 1.0), "mean"),
    "the exponent's partial by another base": Fault(
        partial("pow", 1, lambda right, k, y, a, b: y * k.log(b * b + 1.0)), "pow"
    ),
    "swapped operands": Fault(line(Value, "__mul__", "(b, a)", "(a, b)"), "mul", ("mul", "sub")),
    "a difference as a sum": Fault(line(Value, "__sub__", "_ONE_MINUS_ONE", "_ONE_ONE"), "sub"),
    "the sign of a reflected difference": Fault(line(Value, "__rsub__", "_MINUS_ONE", "_ONE"), "sub", ()),
    "a quotient's sign": Fault(line(Value, "__rtruediv__", "_div(-y, self._data)", "_div(y, self._data)"), "div", ()),
    "the wrong power": Fault(line(Value, "__pow__", "c * _pow(a, c - 1.0)", "c * _pow(a, c)"), "pow"),
    "a wrong value": Fault(line(Value, "__neg__", "-self._data", "self._data"), "neg"),
    "a dot product's factors not exchanged": Fault(
        line(functions, "dot", "(*b_data, *a_data)", "(*a_data, *b_data)"), "dot"
    ),
    "a missing += for the first argument": Fault(
        line(backward, "_sweep", "a._grad += upstream * local_a", "a._grad = upstream * local_a"), "mul", ("mul",)
    ),
    "a missing += for the second argument": Fault(
        line(backward, "_sweep", "b._grad += upstream * local_b", "b._grad = upstream * local_b"), "add", ("add",)
    ),
    "a missing += for a single argument": Fault(
        line(backward, "_sweep", "inputs[0]._grad += ", "inputs[0]._grad = "),
        "sin",
        ("sin", "mul"),
        message="the first wrong op is (sin|mul|add)\n",  # with a constant, the others have a single argument, too
    ),
    "a sweep in the wrong order": Fault(
        line(backward, "_sweep", "order.reverse()", "pass"), "sub", ("sub",), message="but backward wrote"
    ),
    "a missing += in the steps": Fault(
        line(backward, "hand_on", "before + contribution if is_sum else contribution", "contribution"),
        "mul",
        check=check_forward_mode,
        message="gradients and backward",
    ),
    "a partial that forgets its graph": Fault(
        partial("sin", 0, lambda right, *args: float(right(*args))), "sin", check=check_second_derivatives
    ),
    "a second derivative that is off": Fault(
        partial("mul", 0, lambda right, k, y, a, b: b if isinstance(b, float) else b * 1.0 + (b - float(b)) * 0.1),
        "mul",
        ("mul",),
        check=check_second_derivatives,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught_and_its_op_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[name]

    # Unshrunk, since one counterexample is as good as another here; and always the same ones, which do catch it.
    @settings(phases=[Phase.generate], report_multiple_bugs=False, max_examples=500, derandomize=True)
    @given(graphs([*dict.fromkeys((fault.op, *fault.ops))], max_nodes=8))
    def suite(graph: Expression) -> None:
        fault.check(graph)

    fault.plant(monkeypatch)
    with pytest.raises(AssertionError) as caught:
        suite()
    assert re.search(fault.message.format(op=fault.op), str(caught.value))


def test_there_are_more_than_ten_faults() -> None:
    assert len(FAULTS) > 10
