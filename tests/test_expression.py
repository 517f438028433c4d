"""Formulas as text: what they compute, what they refuse, and that their repr makes them again."""

import math
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_mini as am
from autograd_mini import RULES, Value, gradients, statistics, topological_order
from autograd_mini.expression import Expression
from autograd_mini.rules import Rule

EVERY_OP = pytest.mark.parametrize("op", sorted(RULES))
INFIX = {"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "pow": "{} ** {}", "neg": "-{}"}


def call_text(op: str, names: list[str]) -> str:
    if op == "dot":
        half = len(names) // 2
        return f"dot([{', '.join(names[:half])}], [{', '.join(names[half:])}])"
    listed = ", ".join(names)
    return f"{op}([{listed}])" if RULES[op].arity is None else f"{op}({listed})"


def middle(rule: Rule) -> list[float]:
    """A point of the box, off every kink and with no two arguments alike."""
    box = rule.box if rule.arity else rule.box * 4
    return [low + (high - low) * (0.6 + 0.05 * i) for i, (low, high) in enumerate(box)]


@EVERY_OP
def test_every_row_can_be_called_by_name(op: str) -> None:
    point = middle(RULES[op])
    names = [f"x{i}" for i in range(len(point))]
    expression = Expression(call_text(op, names), **dict(zip(names, point, strict=True)))
    root = expression.build()
    assert root.op == op
    assert [leaf.label for leaf in root.parents] == names
    assert root.data == expression(*point) == RULES[op].forward(am.kits.FLOAT, *point)
    assert list(root.local_derivatives) == [
        RULES[op].partial(am.kits.FLOAT, i, root.data, point) for i in range(len(point))
    ]


@pytest.mark.parametrize("op", INFIX)
def test_an_operator_is_the_row_it_stands_for(op: str) -> None:
    names = ["x", "y"][: RULES[op].arity]
    point = dict(zip(names, [2.5, 3.5], strict=False))
    written, called = Expression(INFIX[op].format(*names), **point), Expression(call_text(op, names), **point)
    assert written.build().op == called.build().op == op
    assert written.build().local_derivatives == called.build().local_derivatives


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("2 - 3 - 4", -5.0),
        ("2 ** 3 ** 2", 512.0),
        ("-2 ** 2", -4.0),
        ("(-2) ** 2", 4.0),
        ("+2e1 / 4", 5.0),
        ("2 * -(3 + 4)", -14.0),
        ("leaky_relu(-2)", -0.02),
        ("leaky_relu(-2, 0.5)", -1.0),
        ("u = 3; v = u * u; v - u", 6.0),
        ("u = 3\nv = u * u  # nine\n\nv", 9.0),
        ("sum([1, (2), 3]) + mean((1, 3))", 8.0),
        ("    u = 3\n    u + 1\n", 4.0),
        ("y = 3 * 2", 6.0),
    ],
)  # fmt: skip
def test_a_formula_means_what_it_means_in_python(source: str, wanted: float) -> None:
    assert Expression(source)() == wanted
    assert Expression(source).build().data == wanted


def test_plain_numbers_go_by_ieee_754() -> None:
    with pytest.warns(RuntimeWarning, match="div"):
        assert Expression("1 / x", x=0)(0.0) == math.inf
    with pytest.warns(RuntimeWarning, match="pow"):
        assert math.isnan(Expression("x ** y", x=-8, y=0.3)(-8.0, 0.3))


def test_a_formula_is_a_function_of_its_inputs_in_their_order() -> None:
    expression = Expression("u = x / y; u + u * y", y=2.0, x=3.0)
    y, x = Value(4.0), Value(6.0)
    root = expression(y, x)
    assert root.data == expression(4.0, 6.0) == 7.5
    by = gradients(root)
    assert (by[y], by[x]) == (-0.375, 1.25)
    assert (x.label, root.label) == ("", "")
    assert expression(4.0, x).local_derivatives == root.local_derivatives


def test_a_name_used_twice_is_one_node() -> None:
    root = Expression("u = tanh(x); u * u", x=0.5).build()
    assert statistics(root).nodes == 3
    assert root.parents[0] is root.parents[1]


def test_build_labels_the_nodes_as_the_formula_names_them() -> None:
    root = Expression("u = x * y; same = u; k = 3; loss = same - k", x=0.5, y=2.0).build()
    assert [node.label for node in topological_order(root)] == ["x", "y", "u", "", "loss"]
    assert Expression("same = x", x=2.0).build().label == "x"


def test_a_row_of_ones_own_can_be_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        RULES, "cube", Rule(lambda k, a: a**3, (lambda k, y, a: 3 * a * a,), ((-3, 3),), "cube", "", "")
    )
    product = Rule(lambda k, *a: math.prod(a), lambda k, y, i, a: y / a[i], ((1, 2),), "product", "", "")
    monkeypatch.setitem(RULES, "product", product)
    assert Expression("cube(x)", x=2.0).build().local_derivatives == (12.0,)
    assert Expression("product([x, 3, x])", x=2.0).build().local_derivatives == (6.0, None, 6.0)


def test_another_engine_computes_the_same_formula() -> None:
    expression = Expression("u = x * y - 2; dot([u, -x], [y, 0.5]) / exp(u) + sum([u, x, y]) ** 2", x=0.5, y=2.0)
    engine = {
        "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "pow": operator.pow,
        "neg": operator.neg, "exp": np.exp, "sum": sum, "dot": lambda a, b: a[0] * b[0] + a[1] * b[1],
    }  # fmt: skip
    found = expression.evaluate(engine, np.float32(0.5), np.float32(2.0))
    assert found.dtype == np.float32
    assert math.isclose(found, expression(0.5, 2.0), rel_tol=1e-6)  # float32 keeps seven digits


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        (Expression("tanh(2.0 * x + b)", x=0.5, b=-1), "Expression('tanh(2.0 * x + b)', x=0.5, b=-1.0)"),
        (Expression("1 + 2"), "Expression('1 + 2')"),
        (Expression("source * self", source=1, self=-0.0), "Expression('source * self', source=1.0, self=-0.0)"),
        (Expression("x", x=-math.inf), "Expression('x', x=float('-inf'))"),
        (Expression("x", x=math.nan), "Expression('x', x=float('nan'))"),
        (Expression("  u = 2 * x\n  u", x=1), 'Expression("""\nu = 2 * x\nu\n""", x=1.0)'),
        (Expression('x # """\n', x=1), 'Expression(\'x # """\', x=1.0)'),
        (Expression('u = x # """\nu', x=1), 'Expression(\'u = x # """\\nu\', x=1.0)'),
    ],
)
def test_the_repr_is_python_that_makes_it_again(expression: Expression, wanted: str) -> None:
    assert repr(expression) == wanted
    assert eval(repr(expression)) == expression
    indented = repr(expression).replace("\n", "\n        ")  # as hypothesis prints an argument
    assert eval(indented) == expression


def test_equality_is_of_text_and_numbers() -> None:
    expression = Expression("x + y", x=1, y=2)
    assert expression == Expression("x + y", x=1.0, y=2.0)
    assert len({expression, Expression("x + y", x=1, y=2)}) == 1
    for other in (
        Expression("x +y", x=1, y=2),
        Expression("x + y", x=1, y=3),
        Expression("x + y", y=2, x=1),
        "Expression('x + y', x=1.0, y=2.0)",
    ):
        assert expression != other


def illegal() -> Iterator[str]:
    yield from (
        "x.data",
        "x.tanh()",
        "'x'",
        "f'{x}'",
        "lambda: x",
        "x if x else x",
        "True",
        "2j",
        "None",
        "...",
        "x[0]",
    )
    yield from ("[x]", "(x, x)", "{x}", "x < 1", "x and x", "not x", "~x", "x // 2", "x % 2", "x @ x", "x ^ 2", "x & x")
    yield from ("[x for y in x]", "elu(x, alpha=1)", "maximum(x, *[x])", "exp(x)(x)", "(y := x)", "await x", "yield x")
    yield from ("x += 1", "a = b = x", "a, b = x, x", "a: float = x", "del x", "import os", "pass", "def f(): pass")
    yield from ("exp(__import__)", "__import__('os')", "eval('x')", "softmax([x])", "sum(i for i in [x])", "x\0", "x\\")


@pytest.mark.parametrize("source", list(illegal()))
def test_nothing_else_is_legal(source: str) -> None:
    with pytest.raises(ValueError, match=r"legal|unknown|null bytes|is not a formula|takes a list"):
        Expression(source, x=1.0)


def test_many_statements_are_no_matter() -> None:
    source = "\n".join(f"u{i + 1} = sin(u{i})" for i in range(5000))
    assert statistics(Expression(source, u0=1.0).build()).depth == 5000
    assert Expression(f"sum([{', '.join(['x'] * 5000)}])", x=1.0)(1.0) == 5000.0


def test_a_formula_of_some_hundred_terms_needs_no_statements() -> None:
    assert Expression(" + ".join(["x"] * 300), x=1.0)(1.0) == 300.0


@EVERY_OP
def test_no_plain_number_is_changed_on_the_way(op: str) -> None:
    """Awkward numbers reach the function of another engine as they were written."""
    numbers = [0.1, 1e-300, 123456789.0, 1e22][: RULES[op].arity or 4]
    seen: list[Any] = []
    Expression(call_text(op, list(map(repr, numbers)))).evaluate({op: lambda *arguments: seen.extend(arguments)})
    flat = [x for argument in seen for x in (argument if isinstance(argument, list) else [argument])]
    assert flat == numbers
