"""The local derivatives as they are printed, held to the table that computes them."""

import math
import random
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given

from autograd_mini import RULES, Expression, Value, primitive, steps
from autograd_mini.algebra import LATEX, TEXT
from autograd_mini.kits import FLOAT
from autograd_mini.rules import Rule
from autograd_mini.slopes import SLOPES, slope
from autograd_mini.strategies import graphs

EVERY_OP = pytest.mark.parametrize("op", RULES)
FUNCTIONS = {
    op: lambda *args, forward=rule.forward: float(forward(FLOAT, *args))
    for op, rule in RULES.items()
    if rule.arity is not None
}
COMPARISONS = {"<": float.__lt__, ">": float.__gt__, "!=": float.__ne__}
FUNCTIONS["if"] = lambda then, left, sign, right, otherwise: then if COMPARISONS[sign](left, right) else otherwise


def check_slopes(op: str, rule: Rule, points: Sequence[Sequence[float]]) -> None:
    lines = SLOPES[op]
    assert len(lines) == (rule.arity or 1), op
    for point in points:
        y = rule.forward(FLOAT, *point)
        for i in range(len(point)):
            known = {"y": y, "pi": math.pi, "n": float(len(point))}
            if rule.arity is None:
                known |= {"a": point[i], "b": point[i - len(point) // 2]}
            else:
                known |= dict(zip("abc", point, strict=False))
            shown = slope(lines[i if rule.arity else 0], FUNCTIONS, known)
            # The textbook's forms lose digits by cancellation, which is why some partials are not written so.
            assert math.isclose(shown, rule.partial(FLOAT, i, y, point), rel_tol=1e-12, abs_tol=1e-13), (op, i, point)


def box(rule: Rule, count: int = 200) -> list[list[float]]:
    generator = random.Random(0)
    intervals = rule.box if rule.arity else rule.box * 4
    return [[generator.uniform(*interval) for interval in intervals] for _ in range(count)]


@EVERY_OP
def test_the_printed_slope_is_the_partial_of_the_table(op: str) -> None:
    check_slopes(op, RULES[op], box(RULES[op]))


@pytest.mark.parametrize("op", [op for op, rule in RULES.items() if rule.kinks])
def test_the_printed_slope_is_the_partial_at_a_kink_too(op: str) -> None:
    for kink in RULES[op].kinks:
        points = [[kink, *point[1:]] for point in box(RULES[op], 5)]
        check_slopes(op, RULES[op], points + [[x, x] for x in (0.0, 1.5)] * (op in ("maximum", "minimum")))


def test_a_wrong_slope_is_caught() -> None:
    rule = RULES["tanh"]
    with pytest.raises(AssertionError, match="tanh"):
        check_slopes("tanh", replace(rule, partials=(lambda k, y, a: 1.0 - y,)), box(rule))
    with pytest.raises(AssertionError, match="relu"):
        check_slopes("relu", replace(RULES["relu"], partials=(lambda k, y, a: k.where(a < 0.0, 0.0, 1.0),)), [[0.0]])


@given(graphs())
def test_what_is_printed_says_the_number(graph: Expression) -> None:
    """Read back, the algebra of every edge comes to its local derivative."""
    root = graph.build()
    known: dict[str, float] = {}
    names: dict[object, str] = {}

    def name(arg: Value | float) -> str:
        if isinstance(arg, float):
            return f"{arg:g}"
        known.setdefault(names.setdefault(arg, f"node{len(names)}"), arg.data)
        return names[arg]

    for step in steps(root):
        text = TEXT.slope(step.node, step.argument, name).replace("π", "3.141592653589793")
        assert text.count("(") == text.count(")")
        if text.startswith("(") and " if " in text:
            text = text[1:-1]
        used = {word: known[word] for word in re.findall(r"node\d+", text)}
        # Constants are printed with six digits, and a power of one magnifies that.
        assert math.isclose(read(text, used), step.local, rel_tol=1e-4, abs_tol=1e-4), (text, step)


def read(text: str, used: dict[str, float]) -> float:
    if " if " in text:
        then, _, rest = text.partition(" if ")
        condition, _, otherwise = rest.partition(" else ")
        left, sign, right = condition.split(" ")
        holds = COMPARISONS[sign](read(left, used), read(right, used))
        return read(then if holds else otherwise, used)
    inputs = {name: x for name, x in used.items() if re.search(rf"\b{name}\b", text)}
    return float(Expression(text, **inputs)(*inputs.values()))


def label(arg: Value | float) -> str:
    return f"{arg:g}" if isinstance(arg, float) else arg.label or arg.op


@pytest.mark.parametrize(
    ("source", "text", "latex"),
    [
        ("x**2", "2 * x", r"2 \cdot x"),
        ("x**1", "1", "1"),
        ("x**0", "0", "0"),
        ("2 / x", "(-2 / x**2)", r"\frac{-2}{{x}^{2}}"),
        ("x / 2", "0.5", "0.5"),
        ("2**x", "pow * log(2)", r"\mathrm{pow} \cdot \ln\left(2\right)"),
        ("-x", "(-1)", r"\left(-1\right)"),
        ("cos(x)", "(-sin(x))", r"\left(-\sin\left(x\right)\right)"),
        ("tanh(x)", "(1 - tanh**2)", r"\left(1 - {\mathrm{tanh}}^{2}\right)"),
        ("sqrt(x)", "1 / (2 * sqrt)", r"\frac{1}{2 \cdot \mathrm{sqrt}}"),
        ("mean([x, 1, 2, 3])", "0.25", "0.25"),
        ("dot([x, 1], [3, 4])", "3", "3"),
        ("elu(x)", "(1 if x > 0 else exp(x))",
         r"\left(\begin{cases}1 & x > 0 \\ e^{x} & \text{otherwise}\end{cases}\right)"),
    ],
)  # fmt: skip
def test_slopes_are_simplified_and_have_the_brackets_they_need(source: str, text: str, latex: str) -> None:
    node = Expression(source, x=0.5).build()
    node.label = ""
    argument = next(i for i, arg in enumerate(node._args) if isinstance(arg, Value))
    assert TEXT.slope(node, argument, label) == text
    assert LATEX.slope(node, argument, label) == latex


def test_an_op_of_ones_own_has_a_slope_when_it_is_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    @primitive(lambda y, x: 3 * x**2)
    def cube(x: float) -> float:
        return x * x * x

    node = cube(Value(2.0, "x"))
    assert TEXT.slope(node, 0, label) == "∂cube/∂x"
    assert LATEX.slope(node, 0, label) == r"\frac{\partial \mathrm{cube}}{\partial x}"
    monkeypatch.setitem(SLOPES, "cube", ("3 * a**2",))
    assert TEXT.slope(node, 0, label) == "3 * x**2"
    del RULES["cube"]
    assert TEXT.slope(node, 0, label) == "∂cube/∂x"


def test_ops_of_ones_own_may_have_the_names_that_the_lines_use() -> None:
    @primitive(lambda z, x: 1.0)
    def a(x: float) -> float:
        return x

    @primitive(lambda z, x: 1.0)
    def y(x: float) -> float:
        return x

    node = a(y(Value(2.0, "x"))).sigmoid()
    assert TEXT.slope(node, 0, label) == "sigmoid * (1 - sigmoid)"


def test_a_template_that_is_none_is_not_used() -> None:
    @primitive(lambda y, x: 1.0, latex=r"\mine{{{1}}}")
    def mine(x: float) -> float:
        return x

    assert LATEX.operation(mine(Value(1.0)).op, ["x"]) == r"\mathrm{mine}\left(x\right)"
