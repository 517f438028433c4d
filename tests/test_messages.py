"""Every error of the engine names the bad value, what would be legal, and the fix."""

import ast
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_mini as am
from autograd_mini import AnomalyError, Value, detect_anomaly
from autograd_mini.diagnose import diagnose

ENGINE = Path(am.__file__).resolve().parent
MODULES = (
    "number",
    "source",
    "kits",
    "rules",
    "graph",
    "modes",
    "anomalies",
    "backward",
    "copying",
    "value",
    "functions",
    "diagnose/scene",
)


def unwatched_backward() -> None:
    y = am.sqrt(Value(0.0, "x"))
    with detect_anomaly():
        y.backward()


@detect_anomaly()
def watched_backward() -> None:
    am.sqrt(Value(0.0, "x")).backward()


@detect_anomaly()
def watched_forward() -> None:
    am.log(Value(-2.0, "x"))


NEEDS = "a Value needs one real number, got "
CASES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "None": (lambda: Value(None), TypeError, NEEDS + "None; write 0.0 if you mean zero"),
    "complex": (lambda: Value(1j), TypeError, NEEDS + "the complex number 1j; write its parts, x.real or x.imag"),
    "text": (lambda: Value("3.5"), TypeError, NEEDS + "the text '3.5'; write float(text)"),
    "bytes": (lambda: Value(b"3.5"), TypeError, NEEDS + "the text b'3.5'; write float(text)"),
    "list": (
        lambda: Value([1, 2]), TypeError,
        NEEDS + "a list of 2; wrap each element instead: [Value(x) for x in list]",
    ),
    "tuple": (
        lambda: Value((1,)), TypeError,
        NEEDS + "a tuple of 1; wrap each element instead: [Value(x) for x in tuple]",
    ),
    "array": (
        lambda: Value(np.ones((2, 3))), TypeError,
        NEEDS + "an array of shape (2, 3); wrap each element instead: [Value(x) for x in array]",
    ),
    "0-d array": (lambda: Value(np.array(1.0)), TypeError, NEEDS + "a 0-d array; write array.item(): array(1.)"),
    "anything else": (lambda: Value({}), TypeError, NEEDS + "{} of type dict; write a float"),
    "a Value": (
        lambda: Value(Value(1.0)), TypeError,
        NEEDS + "Value(data=1, grad=not computed); use it as it is, or write Value(v.data)",
    ),
    "a parameter of None": (lambda: am.parameter(None), TypeError, NEEDS + "None; write 0.0 if you mean zero"),
    "a label": (
        lambda: Value(1.0, label=3), TypeError, "a label is text, got 3 of type int; write str(...)"
    ),
    "micrograd's children": (
        lambda: Value(1.0, (Value(2.0),)), TypeError,
        "a label is text, got (Value(data=2, grad=not computed),) of type tuple; write str(...)",
    ),
    "data": (
        lambda: setattr(Value(1.0), "data", "3"), TypeError,
        "the data of a Value needs one real number, got the text '3'; write float(text)",
    ),
    "data of a Value": (
        lambda: setattr(Value(1.0), "data", Value(2.0)), TypeError,
        "the data of a Value needs one real number, got Value(data=2, grad=not computed)",
    ),
    "grad": (
        lambda: setattr(Value(1.0), "grad", [0.0]), TypeError,
        "a gradient needs one real number, got a list of 1",
    ),
    "addition": (
        lambda: Value(1.0) + "a", TypeError,
        "arithmetic with a Value needs one real number, got the text 'a'; write float(text)",
    ),
    "reflected division": (
        lambda: None / Value(1.0), TypeError, "arithmetic with a Value needs one real number, got None"
    ),
    "comparison": (
        lambda: Value(1.0) < 1j, TypeError, "a Value needs one real number, got the complex number 1j"
    ),
    "a function": (lambda: am.exp("a"), TypeError, "exp needs one real number, got the text 'a'; write float(text)"),
    "maximum": (lambda: am.maximum(Value(1.0), None), TypeError, "maximum needs one real number, got None"),
    "sum": (lambda: am.sum([Value(1.0), "a"]), TypeError, "sum needs one real number, got the text 'a'"),
    "dot": (lambda: am.dot([Value(1.0)], ["a"]), TypeError, "dot needs one real number, got the text 'a'"),
    "dot of unequal lengths": (
        lambda: am.dot([Value(1.0)], [1.0, 2.0]), ValueError,
        "dot needs two sequences of the same length, got 1 and 2 numbers",
    ),
    "mean of nothing": (
        lambda: am.mean([]), ValueError, "mean needs at least one number, got an empty sequence"
    ),
    "logsumexp of nothing": (
        lambda: am.logsumexp([]), ValueError, "logsumexp needs at least one number, got an empty sequence"
    ),
    "sum of a Value": (lambda: am.sum(am.Value(1.0)), TypeError, "sum needs a sequence of numbers, got Value(data=1"),
    "mean of text": (lambda: am.mean("ab"), TypeError, "mean needs a sequence of numbers, got 'ab'; write mean([x"),
    "dot of two numbers": (lambda: am.dot(2.0, am.Value(1.0)), TypeError, "; "
        "for two numbers write a * b"),
    "gradients of a number": (lambda: am.gradients(3), TypeError, "a gradient is taken of a Value, got 3 of type int"),
    "the order of text": (lambda: am.topological_order("a"), TypeError, "a graph is walked from a Value, got 'a' of "),
    "softmax of nothing": (
        lambda: am.softmax([]), ValueError, "softmax needs at least one number, got an empty sequence"
    ),
    "log_softmax of nothing": (
        lambda: am.log_softmax([]), ValueError, "log_softmax needs at least one number, got an empty sequence"
    ),
    "a diagnosis of a number": (
        lambda: diagnose(0.5, [Value(1.0)]), TypeError,
        "a diagnosis is made of a loss that is a Value, got 0.5 of type float; pass the loss itself, not its number",
    ),
    "a diagnosis of no parameter": (
        lambda: diagnose(Value(1.0), []), ValueError,
        "a diagnosis needs at least one parameter, got none; a generator may have been used up",
    ),
    "a diagnosis of numbers": (
        lambda: diagnose(Value(1.0), {"w": [Value(1.0), 0.5]}), TypeError,
        "parameters['w'][1] is 0.5 of type float; parameters are Values, lists or dicts of them, or a model",
    ),
    "an anomaly of an operation": (watched_forward, AnomalyError, "log(x=-2) is nan; at "),
    "an anomaly of backward": (
        watched_backward, AnomalyError,
        "the gradient that Value(data=0, grad=not computed, op=sqrt) hands to its argument 0, "
        "Value(data=0, grad=not computed, label='x'), is 1.0 × inf = inf",
    ),
    "an anomaly of an unwatched pass": (
        unwatched_backward, AnomalyError,
        "run the forward pass under detect_anomaly() too and this message will name the line",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("provoke", "kind", "message"), CASES.values(), ids=CASES)
def test_an_error_says_what_came_and_what_to_write(provoke: Callable[[], Any], kind: Any, message: str) -> None:
    with pytest.raises(kind, match=re.escape(message)):
        provoke()


def test_every_raise_of_the_engine_has_a_case() -> None:
    raised = {
        (path.name, node.lineno)
        for path in (ENGINE / f"{module}.py" for module in MODULES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise) and node.exc is not None
    }
    provoked = set()
    for provoke, kind, _ in CASES.values():
        with pytest.raises(kind) as caught:
            provoke()
        last = traceback.extract_tb(caught.value.__traceback__)[-1]
        provoked.add((Path(last.filename).name, last.lineno))
    assert raised <= provoked


def test_a_long_bad_value_is_shortened() -> None:
    for bad in ("x" * 10_000, {i: i for i in range(10_000)}, b"x" * 10_000):
        with pytest.raises(TypeError) as caught:
            Value(bad)
        assert len(str(caught.value)) < 200


def test_errors_are_of_the_kinds_that_callers_expect() -> None:
    assert issubclass(AnomalyError, ArithmeticError)
    assert issubclass(am.RenderError, RuntimeError)
    assert issubclass(am.GraphTooLargeError, ValueError)
