"""Every error of the engine names the bad value, what would be legal, and the fix."""

import ast
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_mini as am
from autograd_mini import RULES, AnomalyError, Value, detect_anomaly, grad, hvp, jvp, primitive, vjp
from autograd_mini.diagnose import diagnose
from autograd_mini.expression import Expression
from autograd_mini.kits import COMPLEX, FLOAT
from autograd_mini.replay import Replay, recompute
from autograd_mini.tracer import Tracer, tracing

ENGINE = Path(am.__file__).resolve().parent
MODULES = (
    "number",
    "source",
    "kits",
    "partials",
    "rules",
    "graph",
    "modes",
    "tracer",
    "anomalies",
    "backward",
    "copying",
    "value",
    "functions",
    "tracing",
    "trees",
    "transforms",
    "primitive",
    "replay",
    "formula",
    "expression",
    "diagnose/scene",
    "scopes",
    "folding",
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


@detect_anomaly()
def watched_tangent() -> None:
    jvp(am.sqrt, (0.0,), (1.0,))


def branch_while_traced() -> Any:
    x = Value(3.0, "x")
    with tracing(Tracer([x])):
        return 1.0 if x > 0.0 else x


def twice(x: Any) -> Any:
    return 2.0 * x


def rows_of_roots() -> Iterator[Value]:
    yield am.sqrt(Value(2.0))


@contextmanager
def row_of_twice(*, removed: bool = False) -> Iterator[Callable[..., Any]]:
    """An op and its row of the table, which is gone afterwards, or at once."""
    op = primitive(lambda y, x: 2.0)(twice)
    try:
        if removed:
            del RULES["twice"]
        yield op
    finally:
        RULES.pop("twice", None)


def graph_of_an_unknown_op() -> tuple[Value, Value]:
    x = Value(3.0)
    with row_of_twice() as op:
        return x, op(x)


def differentiate_an_unknown_op_again() -> None:
    x, y = graph_of_an_unknown_op()
    am.gradients(y, x, create_graph=True)


def recompute_an_unknown_op() -> None:
    x = Value(2.0)
    y = x * x
    y.op = "twice"
    recompute([y], x, 1.0)


def replay_an_unknown_op() -> None:
    x, y = graph_of_an_unknown_op()
    Replay(y).at(x, FLOAT)


def differentiate_changed_data_again() -> None:
    x = Value(3.0)
    y = x * x
    x.data = 4.0
    am.gradients(y, x, create_graph=True)


def call_an_op_that_is_gone() -> None:
    with row_of_twice(removed=True) as op:
        op(1.0)


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
    "a formula that is no text": (lambda: Expression(3), TypeError, "a formula is text such as 'tanh(2 * x)', got 3"),
    "a formula of nothing": (
        lambda: Expression(""), ValueError, "a formula needs at least one statement, such as 'tanh(2 * x)'; got no text"
    ),
    "half a formula": (lambda: Expression("x +", x=1), ValueError, "'x +' is not a formula: invalid syntax in line 1"),
    "a formula too deep": (
        lambda: Expression("+".join(["x"] * 100_000), x=1), ValueError,
        "is nested too deeply to be read; give its parts names, as in u = x * y; tanh(u), or add up a list with sum(",
    ),
    "an input named like a function": (
        lambda: Expression("exp", exp=1), ValueError,
        "the input 'exp' has the name of a function; choose another name for it",
    ),
    "an input too many": (
        lambda: Expression("2 * x", x=1, y=2), ValueError,
        "the formula '2 * x' does not use the input 'y'; leave y= out",
    ),
    "an input that is text": (
        lambda: Expression("x", x="1"), TypeError, "the input 'x' needs one real number, got the text '1'; write float("
    ),
    "an unknown name": (
        lambda: Expression("x + b", x=1), ValueError,
        "unknown name 'b'; give it as an input, b=0.5, or assign it first (known names: x)",
    ),
    "an unknown function": (
        lambda: Expression("tahn(x)", x=1), ValueError,
        "unknown function 'tahn' in 'tahn(x)'; did you mean tan or tanh? the functions are add, sub, mul, div, neg, ",
    ),
    "a function as a number": (lambda: Expression("x + exp", x=1), ValueError, "'exp' is a function; write exp(...)"),
    "a name assigned twice": (
        lambda: Expression("u = x; u = 2 * u", x=1), ValueError,
        "'u' has a value already; choose a new name, since a formula never changes one",
    ),
    "a function assigned": (
        lambda: Expression("exp = x; x", x=1), ValueError,
        "'exp' is the name of a function; choose another name for the result",
    ),
    "a statement for nothing": (
        lambda: Expression("2 * x; x", x=1), ValueError,
        "nothing uses '2 * x', which is not the last statement; give it a name, as in u = ..., or leave it out",
    ),
    "too many arguments": (
        lambda: Expression("exp(x, 2)", x=1), ValueError, "exp takes 1 argument, got 2 in 'exp(x, 2)'"
    ),
    "too few arguments": (
        lambda: Expression("leaky_relu()"), ValueError, "leaky_relu takes 1 or 2 arguments, got 0 in 'leaky_relu()'"
    ),
    "a sum of no list": (
        lambda: Expression("sum(x, x)", x=1), ValueError,
        "sum takes a list, sum([x, y]), of at least one number each; got 'sum(x, x)'",
    ),
    "a dot of unequal lists": (
        lambda: Expression("dot([x], [x, x])", x=1), ValueError,
        "dot takes two lists of the same length, dot([a, b], [x, y]), of at least one number each; got 'dot([x], [x, ",
    ),
    "a caret": (
        lambda: Expression("x ^ 2", x=1), ValueError,
        "'x ^ 2' is not legal in a formula; a power is written **; legal are numbers, names, + - * / **, functions ",
    ),
    "a statement of another kind": (
        lambda: Expression("import os"), ValueError,
        "'import os' is not legal in a formula; legal are numbers, names, + - * / **, functions such as tanh(x)",
    ),
    "a call of a formula": (
        lambda: Expression("x * y", x=1, y=2)(3.0), TypeError, "the formula has 2 inputs (x, y), got 1 numbers"
    ),
    "another engine's functions": (
        lambda: Expression("-exp(x)", x=1).evaluate({"exp": abs}, 3.0), ValueError,
        "the formula needs a function for 'neg'; the functions given are exp",
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
    "steps from a number": (lambda: am.steps(3.0), TypeError, "a gradient is taken of a Value, got 3.0 of type float"),
    "a function that is not analytic": (lambda: COMPLEX.abs(1j), TypeError, "this function is not analytic, or not "),
    "grad of a graph": (
        lambda: grad(Value(1.0)), TypeError,
        "grad needs a function, got Value(data=1, grad=not computed); for a graph that stands, write gradients(root, ",
    ),
    "a transform of no function": (lambda: jvp(3, (1.0,), (1.0,)), TypeError, "jvp needs a function, got 3"),
    "an argument that is no number": (
        lambda: grad(twice)([1.0, "2"]), TypeError,
        "the argument x[1] of grad needs one real number, got the text '2'; write float(text)",
    ),
    "a result that is no number": (
        lambda: hvp(lambda x: None, (1.0,), (1.0,)), TypeError, "a result under hvp is None; does the function"
    ),
    "a result that is 0-d": (
        lambda: grad(lambda x: np.array(1.0))(1.0), TypeError,
        "a result under grad needs one real number, got a 0-d array; write array.item()",
    ),
    "a gradient of several numbers": (
        lambda: grad(lambda x: [x, x])(1.0), TypeError,
        "a gradient is taken of one number, and the function returned [Value(data=1, grad=not computed, op=constant, ",
    ),
    "argnums of text": (
        lambda: grad(twice, "x")(1.0), TypeError,
        "argnums is the position of an argument or several of them, got 'x'",
    ),
    "argnums beyond the call": (
        lambda: grad(twice, 1)(1.0), ValueError,
        "grad by argument 1, and the call has 1 positional arguments; argnums count from 0, and from -1 backwards",
    ),
    "an argument by keyword": (lambda: grad(twice)(x=1.0), ValueError, "grad by argument 0, and the call has 0 posi"),
    "argnums twice": (
        lambda: am.hessian(lambda x, y: x * y, (0, -2))(1.0, 2.0), ValueError,
        "hessian by the same argument twice; argnums must name different ones, got (0, -2)",
    ),
    "primals that are one number": (
        lambda: jvp(twice, 1.0, 1.0), TypeError,
        "the primals of jvp are a tuple of arguments, got 1.0; write (x,) for one",
    ),
    "primals without a comma": (
        lambda: hvp(twice, ([3.0, 2.0]), ([1.0, 1.0])), TypeError,
        "hvp: the function is called with 2 primals, [3.0, 2.0]; write (x,) for one argument",
    ),
    "tangents of another structure": (
        lambda: hvp(twice, ([1.0, 2.0],), ([1.0],)), ValueError,
        "the tangents of hvp must be structured like ([1.0, 2.0],), got ([1.0],)",
    ),
    "a tangent that is no number": (
        lambda: jvp(twice, (1.0,), (None,)), TypeError, "a tangent of jvp needs one real number, got None"
    ),
    "cotangents of another structure": (
        lambda: vjp(lambda x: [x, x], 1.0)[1](1.0), ValueError,
        "the cotangents of vjp must be structured like [1.0, 1.0], got 1.0",
    ),
    "an order that is no whole number": (
        lambda: am.derivative(am.sin, 1.5), ValueError,
        "the order of a derivative is a whole number from 0 on, got 1.5",
    ),
    "gradients by a number": (
        lambda: am.gradients(Value(1.0), [2.0]), TypeError,
        "gradients are taken by Values of the graph, got 2.0; for a function use grad",
    ),
    "a second derivative of an unknown op": (
        differentiate_an_unknown_op_again, ValueError,
        "the op 'twice' has no row to be differentiated again by; define it with @primitive",
    ),
    "a second derivative after a change": (
        differentiate_changed_data_again, ValueError,
        "mul(4, 4) was 9.0 in the forward pass and is 16.0 now: data was changed; run the forward pass again",
    ),
    "a branch on a number that is traced": (
        branch_while_traced, am.TraceError,
        ": return 1.0 if x > 0.0 else x: a branch on a number that is not known until the compiled program "
        "runs; write where(x > 0, a, b), which records both branches, maximum(a, b) and minimum(a, b) for max a",
    ),
    "an anomaly of forward mode": (
        watched_tangent, AnomalyError,
        "the tangent of Value(data=0, grad=not computed, op=sqrt) becomes inf by its argument 0, "
        "Value(data=0, grad=not computed, op=constant, label='x'): 1.0 × inf; the node was made at ",
    ),
    "an unknown op computed again": (
        replay_an_unknown_op, ValueError, "the op 'twice' has no row to compute it by; define it with @primitive"
    ),
    "an unknown op to be set forward": (
        recompute_an_unknown_op, ValueError, "the op 'twice' has no row to compute it by; define it with @primitive"
    ),
    "an op without derivatives": (
        lambda: primitive()(twice), TypeError,
        "@primitive needs the derivatives: @primitive(lambda y, x: 3 * x**2) above def cube(x)",
    ),
    "@primitive without brackets": (
        lambda: primitive(twice)(Value(1.0)), TypeError, "@primitive needs the derivatives: @primitive(lambda y, x: "
    ),
    "an op of the table's name": (
        lambda: primitive(lambda y, x: 1.0)(am.exp), ValueError,
        "an op cannot be called 'exp'; give it a name by def, none of add, sub, mul, ",
    ),
    "an op of a leaf's name": (
        lambda: primitive(lambda y, x: 1.0)(am.parameter), ValueError, "an op cannot be called 'parameter'; give it a "
    ),
    "an op without a name": (
        lambda: primitive(lambda y, x: 1.0)(lambda x: x), ValueError, "an op cannot be called '<lambda>'; give it a na"
    ),
    "too many partials": (
        lambda: primitive(lambda y, x: 2.0, lambda y, x: 2.0)(twice), ValueError,
        "twice has 2 partials and takes 1 arguments",
    ),
    "a box of another size": (
        lambda: primitive(lambda y, x: 2.0, box=[(0, 1), (0, 1)])(twice), ValueError,
        "twice has 1 partials and a box of 2 intervals, got [(0, 1), (0, 1)]",
    ),
    "a partial that is a number": (
        lambda: primitive(2.0)(twice), TypeError, "partial 0 of twice must be a function of (y, *args), got 2.0"
    ),
    "a partial without y": (
        lambda: primitive(lambda x: 2.0)(twice), TypeError,
        "partial 0 of twice(x: Any) -> Any is called with y first, 2 arguments in all, but takes (x)",
    ),
    "an op with keywords alone": (
        lambda: primitive(lambda y, x: 1.0)(grad), ValueError, "must take numbers by position, or *args alone, to be an"
    ),
    "an op with too few arguments": (
        lambda: primitive(lambda y, x: 2.0)(twice)(), TypeError,
        "twice(x: Any) -> Any: missing a required argument: 'x'",
    ),
    "a scope named by a number": (
        lambda: am.scope(3), TypeError,
        'a scope is named by a text, got 3 of type int; write scope("name")',
    ),
    "a scope without a name": (
        lambda: am.scope(" "), ValueError,
        "a scope needs a name to be shown by, got ' '; write scope(\"layer 1\"), say",
    ),
    "a scope around a generator": (
        lambda: am.scope("a")(rows_of_roots), TypeError,
        "a scope names what a function records before it returns, and the body of rows_of_roots runs later; write "
        "`with scope('a'):` inside it",
    ),
    "a scope around a class": (
        lambda: am.scope("a")(Value), TypeError,
        "a scope names what a function records, got the class Value; decorate its methods",
    ),
    "an unknown way to fold": (
        lambda: am.fold(Value(1.0), "layers"), ValueError,
        "unknown fold 'layers'; it is a number of levels to leave open, 'neuron', 'layer', 'network', 'structure', "
        "'auto' or None",
    ),
    "folding to a fraction": (
        lambda: am.fold(Value(1.0), 1.5), TypeError,
        "a graph is folded to a number of levels to leave open, 'neuron', 'layer', 'network', 'structure', 'auto' or "
        "None, got 1.5 of type float",
    ),
    "folding to less than nothing": (
        lambda: am.fold(Value(1.0), -1), ValueError, "'auto' or None, got -1; 0 folds most"
    ),
    "an op that another replaced": (
        call_an_op_that_is_gone, ValueError,
        "this op twice was defined again or removed since; use the function defined last",
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
