"""``gradcheck``: the right verdict at every kind of point, and the culprit named when a derivative is wrong."""

import math
import random
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autograd_mini as am
from autograd_mini import Value, grad, gradcheck, primitive
from autograd_mini.differences import Estimate, estimate, verdict
from autograd_mini.value import record
from nn import MLP, cross_entropy, digits

ROOT = Path(__file__).resolve().parent.parent


def cusp(x: Any) -> Any:
    return x * 2.0 if x > 0.0 else x * 3.0


SMOOTH: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "a product": (lambda x, y: x * y, (3.0, -2.0)),
    "structures": (lambda p, x: am.dot(p["w"], x) + p["b"], ({"w": [1.0, 2.0], "b": 0.5}, (3.0, 4.0))),
    "a zero gradient": (lambda x: x - x, (1.0,)),
    "an unused input": (lambda x, y: x * 2.0, (1.0, 5.0)),
    "a constant": (lambda x: 3.0, (1.0,)),
    "the top of a parabola": (lambda x: 1.0 - x * x, (0.0,)),
    "the top of a cosine": (am.cos, (0.0,)),
    "a tiny argument": (am.log, (1e-300,)),
    "a subnormal slope": (lambda x: x * 1e-310, (1.0,)),
    "a huge argument": (lambda x: x * x, (1e150,)),
    "fast oscillation": (lambda x: am.sin(1e6 * x), (1.0,)),
    "a period that fits decimal steps": (lambda x: am.sin(2.0 * math.pi * 640.0 * x), (0.125,)),
    "rounding errors": (lambda x: (x + 1e10) - 1e10, (1.0,)),
    "near a kink": (am.relu, (1e-6,)),
    "nearer a kink": (am.relu, (-1e-12,)),
    "near a branch": (cusp, (1e-5,)),
    "near the end of the domain": (am.sqrt, (1e-9,)),
    "a kink that is squared away": (lambda x: am.relu(x) ** 2, (0.0,)),
    "x |x|": (lambda x: x * am.abs(x), (0.0,)),
    "many periods": (am.sin, (1e6,)),
    "many, many periods": (am.cos, (1e10,)),
    "a saturated sigmoid": (am.sigmoid, (30.0,)),
    "a steep exponential": (am.exp, (300.0,)),
    "large logits": (lambda x: cross_entropy([x, 0.0, -x], 2), (1e4,)),
    "a kink that is switched off": (lambda x: am.where(x > 0, x * x, am.abs(x - 1.0)), (1.0,)),
    "a relu that never moves": (lambda x: am.relu(Value(0.0)) * x + x, (2.0,)),
}


@pytest.mark.parametrize(("f", "args"), SMOOTH.values(), ids=SMOOTH)
def test_a_right_gradient_agrees(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    report = gradcheck(f, *args)
    assert report, report
    assert report.blame is None


KINKS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "abs at 0, where central differences agree by symmetry": (am.abs, (0.0,)),
    "relu at 0": (am.relu, (0.0,)),
    "a tie of maximum, where central differences agree": (lambda x, y: am.maximum(x, y), (1.0, 1.0)),
    "sign": (am.sign, (0.0,)),
    "inside": (lambda x: am.tanh(am.abs(x - 0.5) + x), (0.5,)),
    "where": (lambda x: am.where(x, 1.0, 2.0) * x, (0.0,)),
    "a branch of the function's own": (cusp, (0.0,)),
    "a branch that is continuous with slopes 2 and 3": (lambda x: cusp(x) + am.sin(x), (0.0,)),
    "a jump from one formula to another": (lambda x: x * x if x >= 2.0 else x, (2.0,)),
    "closer than any step can tell": (lambda x: am.abs(x - 1.0), (1.0 + 1e-15,)),
}


@pytest.mark.parametrize(("f", "args"), KINKS.values(), ids=KINKS)
def test_a_kink_is_neither_approved_nor_blamed(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    report = gradcheck(f, *args)
    assert {check.verdict for check in report.checks} == {"kink here"}
    assert not report
    assert report.blame is None
    assert "kink here" in repr(report)


@pytest.mark.parametrize("x", [-7.308, 1.0, 5.679, 8.846, 40.0])
@pytest.mark.parametrize("peak", [lambda u: 1.0 / (0.7 + am.abs(u)), lambda u: am.exp(-u * am.sign(u))])
def test_a_peak_as_steep_on_the_left_as_on_the_right_is_not_approved(peak: Callable[..., Any], x: float) -> None:
    (check,) = gradcheck(lambda at: peak(3.0 * at - 3.0 * x), x).checks
    assert check.verdict == "kink here"
    assert check.left == pytest.approx(-check.right, rel=1e-4)  # over the smallest step, where rounding shows


def test_a_kink_shows_the_slopes_on_both_sides() -> None:
    (check,) = gradcheck(lambda x: 3.0 * am.abs(x), 0.0).checks
    assert (check.left, check.right) == (pytest.approx(-3.0, rel=1e-9), pytest.approx(3.0, rel=1e-9))


STEEP: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "sqrt at 0": (am.sqrt, (0.0,)),
    "log at 0": (am.log, (0.0,)),
    "outside the domain": (am.log, (-1.0,)),
    "lost in rounding": (lambda x: 1e10 + 1e-3 * am.sigmoid(am.softplus(x)), (1.0,)),
    "more periods than doubles can tell": (am.sin, (1e15,)),
    "as many as there are": (am.sin, (1e300,)),
    "a jump": (lambda x: math.floor(x.data) * x, (2.0,)),
    "a jump that no slope sees": (lambda x: x * 0.0 + math.floor(x.data), (2.0,)),
    "a cancellation that hides the rest": (lambda x: x * 1e14 - x * 1e14 + am.sin(x), (0.5,)),
    "a value that is not finite": (lambda x: x * math.inf, (1.0,)),
}


@pytest.mark.parametrize(("f", "args"), STEEP.values(), ids=STEEP)
def test_what_differences_cannot_resolve_is_not_approved(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    report = gradcheck(f, *args)
    assert {check.verdict for check in report.checks} == {"too steep to tell"}
    assert report.blame is None
    assert not report


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x * 0.0 + math.floor(x), 1.0),
        (lambda x: x + math.floor(x), 1.0),
        (lambda x: x + (float(x) + 1e-3 * random.Random(float(x)).random()), 0.3),
        (lambda x: x * x, 1e-200),
        (lambda x: x * x, 1e-160),
    ],
    ids=[
        "a jump where the gradient is 0",
        "a jump that the complex step does not see",
        "a slope under noise that the complex step does not see",
        "differences that underflow",
        "differences with few digits left",
    ],
)
def test_what_differences_cannot_resolve_is_not_called_wrong_either(f: Callable[..., Any], x: float) -> None:
    assert gradcheck(f, x).checks[0].verdict == "too steep to tell"


def test_the_smallest_number_is_no_step() -> None:
    assert gradcheck(am.relu, 5e-324).checks[0].verdict == "kink here"


def test_an_op_of_the_user_may_raise_anything_when_it_is_given_a_complex_number() -> None:
    @primitive(lambda y, x: 2.0 * x)
    def square_of_whole(x: float) -> float:
        return float(int(x)) ** 2 if x.is_integer() else x * x

    (check,) = gradcheck(square_of_whole, 1.5).checks
    assert (check.verdict, check.method) == ("agrees", "central differences")


def test_an_op_of_the_user_may_lose_digits() -> None:
    @primitive(lambda y, x: -x / 12 + x**3 / 180)  # for small x
    def versine_by_square(x: float) -> float:
        return (1.0 - math.cos(x)) / (x * x)

    for x in (1e-2, 1e-4, 1e-6, 1e-8):
        report = gradcheck(lambda x: versine_by_square(x) + x, x)
        assert not report.having("differs"), report
    assert gradcheck(lambda x: versine_by_square(x) * bad_cube(x + 1.0), 1e-4).blame.op == "bad_cube"


def test_methods() -> None:
    (analytic,) = gradcheck(lambda x: am.sin(x) * am.exp(x), 0.5).checks
    (other,) = gradcheck(lambda x: am.gelu(x), 0.5).checks
    assert (analytic.method, other.method) == ("complex step", "central differences")
    assert analytic.error <= 4.0 * 2.0**-52 * abs(analytic.gradient)


@pytest.mark.parametrize("relative", [1e-6, 1e-8])
@pytest.mark.parametrize("f", [am.sin, am.gelu, am.softplus, lambda x: am.logsumexp([x, 1.0, 2.0])])
def test_a_gradient_that_is_a_little_off_differs(f: Callable[..., Any], relative: float) -> None:
    right = grad(f)
    assert gradcheck(f, 0.7, gradient=right)
    assert gradcheck(f, 0.7, gradient=lambda x: right(x) * (1.0 + relative)).having("differs")


def test_second_derivatives() -> None:
    report = gradcheck(lambda x, y: am.tanh(x * x * y) + am.gelu(y), 0.7, 0.3, order=2)
    assert report
    assert [check.name for check in report.checks] == ["x", "y", "x, x", "x, y", "y, x", "y, y"]


bad_cube: Callable[[Any], Any]
opaque_exp: Callable[[Any], Any]


@pytest.fixture(autouse=True)
def _ops() -> None:
    """Two ops of the user's for the time of a test: one has a wrong partial, one that cannot be differentiated."""
    global bad_cube, opaque_exp

    @primitive(lambda y, x: 2 * x**2)
    def bad_cube(x: float) -> float:
        return x * x * x

    @primitive(lambda y, x: math.exp(x))
    def opaque_exp(x: float) -> float:
        return math.exp(x)


def line_with(text: str) -> int:
    source = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(source, 1) if line.strip().startswith(text))


def test_a_wrong_op_of_the_user_is_named_with_operands_and_lines() -> None:
    def f(x: Value, b: Value) -> Value:
        y = am.sin(x) * b
        z = bad_cube(y) + y
        return am.tanh(z)

    report = gradcheck(f, 0.5, 2.0)
    blame = report.blame
    assert blame is not None
    assert (blame.op, blame.argument) == ("bad_cube", 0)
    y = math.sin(0.5) * 2.0
    assert (blame.found, blame.expected) == (pytest.approx(2 * y * y), pytest.approx(3 * y * y, rel=1e-9))
    assert blame.node.line is not None
    assert blame.node.line.number == line_with("z = bad_cube(y) + y")
    text = repr(report)
    assert "the first wrong op is bad_cube" in text
    assert f"∂bad_cube({y:.6g})/∂argument 0 is" in text
    assert "z = bad_cube(y) + y" in text
    assert re.search(r"its partial is written at .*test_gradcheck\.py:\d+", text)


def test_the_first_of_two_wrong_ops_is_blamed() -> None:
    @primitive(lambda y, x: x)
    def later(x: Any) -> Any:
        return x * x * 2.0

    assert gradcheck(lambda x: later(bad_cube(x)), 0.5).blame.op == "bad_cube"
    assert gradcheck(lambda x: bad_cube(later(x)), 0.5).blame.op == "later"


def test_a_right_op_beside_a_wrong_one_is_not_blamed() -> None:
    report = gradcheck(lambda x, y: am.exp(y) * bad_cube(x) + am.abs(y), 0.5, 0.25)
    assert report.blame is not None
    assert report.blame.op == "bad_cube"
    assert [check.name for check in report.having("differs")] == ["x"]


@pytest.mark.parametrize(
    ("f", "op"),
    [
        (lambda x: math.sin(x) * x, "mul"),
        (lambda x: am.tanh(x + float(x)), "add"),
        (lambda x: am.dot([x, x.data], [2.0, x]), "dot"),
    ],
)
def test_a_number_taken_out_of_the_graph_is_found(f: Callable[..., Any], op: str) -> None:
    report = gradcheck(f, 0.5)
    assert report.blame is not None
    assert report.blame.op == op
    assert "follows x, and no path leads there" in repr(report)


def test_a_partial_that_cannot_be_differentiated_is_found_at_second_order() -> None:
    def f(x: Value) -> Value:
        return am.square(opaque_exp(x))

    assert gradcheck(f, 0.5)
    report = gradcheck(f, 0.5, order=2)
    assert report.blame is not None
    assert report.blame.op == "opaque_exp"
    assert "not of math" in repr(report)


def test_a_hand_written_gradient_is_checked_and_no_op_blamed() -> None:
    def f(w: list[Any], x: float) -> Any:
        return am.square(w[0] * x + w[1])

    def by_hand(w: list[float], x: float) -> Any:
        error = w[0] * x + w[1]
        return [2 * error * x, 2 * error], 2 * error * w[0]

    def forgetful(w: list[float], x: float) -> Any:
        error = w[0] * x + w[1]
        return [2 * error * x, error], 2 * error * w[0]

    assert gradcheck(f, [2.0, -1.0], 3.0, gradient=by_hand)
    report = gradcheck(f, [2.0, -1.0], 3.0, gradient=forgetful)
    assert [check.name for check in report.having("differs")] == ["w[1]"]
    assert report.blame is None
    assert "the mistake is in the gradient given" in repr(report)


def test_a_gradient_given_may_have_its_keys_in_another_order() -> None:
    def f(p: dict[str, Any]) -> Any:
        return 2.0 * p["a"] + 3.0 * p["b"]

    assert gradcheck(f, {"a": 1.0, "b": 2.0}, gradient=lambda p: {"b": 3.0, "a": 2.0})
    for gradient in ({"b": 3.0}, {"a": 2.0, "c": 3.0}, [2.0, 3.0]):
        with pytest.raises(ValueError, match=r"a number for each of 2 inputs, structured like \{'a': 1.0, 'b': 2.0\}"):
            gradcheck(f, {"a": 1.0, "b": 2.0}, gradient=lambda p, gradient=gradient: gradient)


@pytest.mark.parametrize(("f", "args"), [(lambda: Value(2.0) * 3.0, ()), (lambda p: 3.0, ([],))])
def test_a_check_of_nothing_is_refused(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"needs an input to differentiate by, got none; write gradcheck\(f, 0.5\)"):
        gradcheck(f, *args)


def test_a_graph_that_stands_is_checked_by_its_leaves() -> None:
    image, label = digits()[0]
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    loss = cross_entropy(model(image), label)
    report = gradcheck(loss)
    assert report, report
    assert [check.name for check in report.checks].count("hidden.neuron1.w[8]") == 1
    assert len(report.checks) == 190
    assert not any(p.has_grad for p in model.parameters())


def test_a_wrong_node_in_a_standing_graph_is_found() -> None:
    x = Value(3.0, "x")
    squared = record("mul", 9.0, (x, x), (x, x), (3.0, 2.0))
    report = gradcheck(squared + x)
    assert report.blame is not None
    assert (report.blame.op, report.blame.argument, report.blame.node) == ("mul", 1, squared)
    wrong = record("mul", 10.0, (x, x), (x, x), (3.0, 3.0))
    with pytest.raises(ValueError, match="data was changed"):
        gradcheck(wrong + x)


def test_no_gradient_of_the_user_is_touched() -> None:
    w, x = Value(2.0, "w"), Value(3.0, "x")
    inner = w * x
    inner.backward()
    before = (w.grad, x.grad, inner.grad)
    fresh = Value(1.0)
    assert gradcheck(lambda a: inner * a + w + fresh, 0.5)
    assert gradcheck(inner)
    assert (w.grad, x.grad, inner.grad) == before
    assert not fresh.has_grad


def test_a_function_with_state_is_refused() -> None:
    generator = random.Random(0)
    with pytest.raises(ValueError, match="gives the same value at the same point"):
        gradcheck(lambda x: x * generator.random(), 1.0)


def test_a_function_that_raises_beside_the_point_is_out_of_its_domain_there() -> None:
    def f(x: Value) -> Value:
        if x > 1.0:
            raise ValueError("too large")
        return x * x

    assert gradcheck(f, 0.99)
    assert gradcheck(f, 1.0).checks[0].verdict == "too steep to tell"


def test_it_works_under_no_grad_and_leaves_no_switch_on() -> None:
    with am.no_grad():
        assert gradcheck(am.sin, 0.5)
        assert (Value(1.0) * 2.0).parents == ()
    assert (Value(1.0) * 2.0).line is None


def test_require_fails_with_the_report() -> None:
    with pytest.raises(AssertionError, match="the first wrong op is bad_cube"):
        gradcheck(lambda x: bad_cube(x), 0.5).require()
    report = gradcheck(am.relu, 0.0)
    with pytest.raises(AssertionError, match="kink here"):
        report.require()
    assert report.require(allow=("kink here",)) is report


def test_a_long_report_shows_what_does_not_agree_first_and_counts_the_rest() -> None:
    text = repr(gradcheck(lambda x: am.sum([*x[:40], bad_cube(x[40])]), [0.5] * 41))
    lines = text.splitlines()
    assert lines[0] == "gradcheck: 40 of 41 derivatives agree; the first wrong op is bad_cube"
    assert lines[2].split()[0] == "x[40]"
    assert "and 28 more that agree" in text


def test_probing_a_domain_s_edge_does_not_warn() -> None:
    assert gradcheck(am.log, 1e-5)  # a warning is an error in these tests


def run_pytest(folder: Path) -> str:
    """Run the tests in a folder with our plugin alone, from outside the project."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "autograd_mini.pytest_plugin"]
    environment = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True).stdout


def test_it_silences_no_other_thread() -> None:
    before, during = list(warnings.filters), []  # the filters belong to the whole process

    def f(x: Value) -> Value:
        during.append(list(warnings.filters))
        return am.log(x)

    assert gradcheck(f, 1e-5)
    assert all(filters == before for filters in during)
    with pytest.warns(RuntimeWarning, match=r"log\(0\) is -inf"):
        am.log(Value(0.0))


PLUGIN_TEST = """
from autograd_mini import primitive

@primitive(lambda y, x: 2 * x**2)
def cube(x):
    return x * x * x

def test_wrong(gradcheck):
    gradcheck(lambda x: cube(x) + x, 0.5)

def test_kink(gradcheck):
    gradcheck(abs, 0.0, allow=("kink here",))

def test_right(gradcheck):
    assert gradcheck(lambda x: x * x, 0.5, order=2)
"""


def test_the_pytest_fixture_shows_the_report(tmp_path: Path) -> None:
    (tmp_path / "test_users.py").write_text(PLUGIN_TEST)
    stdout = run_pytest(tmp_path)
    assert "1 failed, 2 passed" in stdout
    assert "E         the node was made at" in stdout
    assert "the first wrong op is cube" in stdout
    assert "pytest_plugin.py" not in stdout


def test_the_tests_in_the_readme_fail_as_it_says(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n((?:(?!```).)*?from hypothesis.*?)```", readme, re.DOTALL)
    (tmp_path / "test_readme.py").write_text(block)
    (example,) = re.findall(r"fails with graph=(.*)", block)
    stdout = run_pytest(tmp_path)
    assert example in stdout
    assert "2 failed" in stdout


def test_an_estimate_knows_its_error() -> None:
    for f, x, wanted in [(math.sin, 1.0, math.cos(1.0)), (math.exp, 5.0, math.exp(5.0)), (math.atan, 0.0, 1.0)]:
        found = estimate(lambda at, f=f: (f(at), None), x, 2.0**-52 * abs(f(x)))
        assert abs(found.derivative - wanted) <= 10.0 * found.error <= 1e-8 * wanted
        assert not found.kink


def test_a_verdict_on_nan() -> None:
    assert verdict(math.nan, Estimate(1.0, 1e-12), 1.0) == "differs"
    assert verdict(math.inf, Estimate(math.nan, math.inf), 1.0) == "too steep to tell"


def test_bad_calls_are_refused_with_the_fix() -> None:
    loss = Value(2.0) * 3.0
    for call, kind, message in [
        (lambda: gradcheck(loss, 1.0), TypeError, "at the data of its own leaves, got 1 arguments; leave them out"),
        (lambda: gradcheck(3), TypeError, "needs a function or a Value, got 3"),
        (lambda: gradcheck(am.sin, 0.5, order=3), ValueError, "derivatives of order 1 or 2, got 3"),
        (lambda: gradcheck(am.sin, 0.5, gradient={"x": 1.0}), TypeError, "must be a function of the same arguments"),
        (lambda: gradcheck(lambda x: [x, x], 1.0), TypeError, "check one of its numbers: gradcheck(lambda x: f(x)[0]"),
        (lambda: gradcheck(am.sin, "a"), TypeError, "gradcheck needs one real number, got the text 'a'"),
        (
            lambda: gradcheck(am.sin, 0.5).require("kink here"),
            ValueError,
            "a tuple of 'kink here', 'too steep to tell'",
        ),
        (lambda: gradcheck(am.sin, 0.5).require(("kink",)), ValueError, "a tuple of 'kink here', 'too steep to tell'"),
    ]:
        with pytest.raises(kind, match=re.escape(message)):
            call()


def test_a_result_that_left_the_graph_altogether_is_named() -> None:
    for f in (lambda x: x.data**2, lambda x: math.sin(x), lambda x: Value(float(x)) * 2.0):
        text = repr(gradcheck(f, 0.5))
        assert "; a number left the graph" in text
        assert "follows x, and no path leads" in text


def test_second_derivatives_that_were_left_out_are_mentioned() -> None:
    assert "second derivatives were not checked" in repr(gradcheck(lambda x: bad_cube(x), 0.5, order=2))
    report = gradcheck(lambda x: opaque_exp(x), 0.5, order=2)
    assert not report.left_out


@pytest.mark.parametrize("x", [1e-16, -1e-20, 1e-50, 1e-150])
@pytest.mark.parametrize("f", [lambda x: 1 / x, lambda x: x**-1, lambda x: 2 / x + x])
def test_a_step_over_a_pole_blames_nobody(f: Callable[..., Any], x: float) -> None:
    assert gradcheck(f, x)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: am.sin(2.0 * x), 1e10),
        (lambda x: am.cos(x + 1.0), 1e12),
        (lambda x: am.cos(am.square(am.softplus(x))), 241430.94596609523),
        (lambda x: am.tan(1.0 / x), 8.176410009007656e-09),
    ],
)
def test_waves_that_are_too_fast_for_most_steps_are_not_taken_for_noise(f: Callable[..., Any], x: float) -> None:
    assert gradcheck(f, x).checks[0].verdict != "differs"


@pytest.mark.parametrize("frequency", [1e4, 1e5, 1e8])
def test_the_number_beside_a_wrong_gradient_is_right_under_fast_waves(frequency: float) -> None:
    @primitive(lambda y, x: 3.3 * x**2)
    def wavy_cube(x: float) -> float:
        return x * x * x

    report = gradcheck(lambda x: wavy_cube(am.sin(frequency * x)), 0.3)
    assert report.blame.op == "wavy_cube"
    assert report.checks[0].numeric == pytest.approx(report.checks[0].gradient / 1.1, rel=1e-9)


@pytest.mark.parametrize("x", [2.5e-05, 1e-3, 1.3, -476.05247788057545, 1e5])
def test_no_wave_is_taken_for_noise_that_would_excuse_a_wrong_op(x: float) -> None:
    @primitive(lambda y, x: -1.0001 * am.sin(x))
    def near_cosine(x: float) -> float:
        return math.cos(x)

    assert gradcheck(near_cosine, x).checks[0].verdict == "differs"


@pytest.mark.parametrize(
    ("f", "x"),
    [(lambda x: am.exp(x**3), 7.483317429339512), (lambda x: am.cos(x**-2), 0.009432159247998468)],
)
def test_roundings_that_the_function_magnifies_are_no_difference(f: Callable[..., Any], x: float) -> None:
    assert gradcheck(f, x)


@pytest.mark.parametrize("relative", [1e-9, 3e-11, 1e-13])
def test_a_fault_that_only_the_complex_step_sees_is_blamed_too(relative: float) -> None:
    @primitive(lambda y, x: 2.0 * x * (1.0 + relative))
    def near_square(x: float) -> float:
        return x * x

    blame = gradcheck(lambda x: am.tanh(near_square(x) * x), 0.5).blame
    assert (blame.op, blame.argument) == ("near_square", 0)
    assert "and the complex step of near_square alone gives 1\n" in str(blame)


def test_a_gradient_that_cancellation_has_taken_is_not_put_down_to_state_alone() -> None:
    report = gradcheck(lambda x: (1.0 - am.cos(x)) / x**2, 1e-8)
    assert "did rounding take it (a difference of nearly equal numbers), or has the function state?" in repr(report)


def test_an_expression_brings_its_own_point() -> None:
    assert [check.at for check in gradcheck(am.Expression("x * y", x=0.5, y=2.0)).checks] == [0.5, 2.0]


def test_the_bottom_of_a_parabola_whose_rounding_is_not_symmetric() -> None:
    assert gradcheck(lambda x: am.square(x + 1.0), -1.0, order=2)
    assert gradcheck(lambda x: am.square(x - 0.3), 0.3, order=2)


def test_a_wrong_op_under_a_cancellation_is_seen_as_long_as_rounding_lets_it() -> None:
    @primitive(lambda y, x: 1.5 * x)
    def bad_square(x: float) -> float:
        return x * x

    assert gradcheck(lambda x: x * 1e9 - x * 1e9 + bad_square(x), 2.0).blame.op == "bad_square"
    assert not gradcheck(lambda x: x * 1e14 - x * 1e14 + bad_square(x), 2.0)


def test_a_small_value_of_large_parts_hides_nothing() -> None:
    assert gradcheck(lambda x, y: am.dot([x, x, 1.4], [x, y, x]), 0.6, -2.0)
    assert gradcheck(lambda x, y: am.logsumexp([x, x, y]), -1.1, -1.1)
