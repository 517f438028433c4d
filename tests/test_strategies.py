"""The strategies: what they draw is safe to differentiate, failures shrink, and examples print as runnable Python."""

import ast
import collections
import math
import os
import pickle
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import find, given, settings, strategies as st
from hypothesis.strategies import SearchStrategy

import autograd_mini
from autograd_mini import RULES, Value, gradients, topological_order
from autograd_mini.draft import KINK_MARGIN, Draft, is_near_kink
from autograd_mini.expression import Expression
from autograd_mini.kits import FLOAT
from autograd_mini.rules import Rule
from autograd_mini.strategies import datasets, expressions, graphs, mlps, values
from nn import MLP, Dataset

ROOT = Path(__file__).resolve().parent.parent
BOTH = pytest.mark.parametrize("strategy", [expressions, graphs])
EVERY_OP = pytest.mark.parametrize("op", sorted(RULES))
FINDING = settings(derandomize=True, database=None, deadline=None)


class Numbered(float):
    """A float that knows which number of the formula it is."""

    place: int


class Recorder(dict[str, Callable[..., Any]]):
    """An engine of plain floats that notes each call: the op, and its arguments one behind the other."""

    def __init__(self) -> None:
        super().__init__({op: self.function(op) for op in RULES})
        self.calls: list[tuple[str, list[Any], Numbered]] = []

    def function(self, op: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Numbered:
            flat = [x for one in arguments for x in (one if isinstance(one, list) else [one])]
            result = Numbered(RULES[op].forward(FLOAT, *flat))
            self.calls.append((op, flat, result))
            return result

        return call


def calls(expression: Expression) -> list[tuple[str, list[Any], Numbered]]:
    recorder = Recorder()
    expression.evaluate(recorder, *map(Numbered, expression.inputs.values()))
    return recorder.calls


def ops(expression: Expression) -> list[str]:
    return [op for op, _, _ in calls(expression)]


def unsafe_calls(expression: Expression) -> Iterator[tuple[str, list[float]]]:
    for op, arguments, result in calls(expression):
        rule = RULES[op]
        box = rule.box if rule.arity else rule.box * len(arguments)
        inside = all(low <= x <= high for x, (low, high) in zip(arguments, box, strict=True))
        steers = op == "add" and not isinstance(arguments[1], Numbered)  # it fetches what was outside
        if not math.isfinite(result) or not (inside or steers) or is_near_kink(rule, arguments):
            yield op, arguments


def shared(expression: Expression) -> bool:
    """Whether the result of some op is used more than once."""
    made = calls(expression)
    results = {id(result) for _, _, result in made}
    uses = collections.Counter(id(x) for _, arguments, _ in made for x in arguments)
    return any(uses[result] > 1 for result in results)


@BOTH
def test_what_is_drawn_is_finite_in_the_box_and_off_the_kinks(strategy: Any) -> None:
    @given(strategy(max_nodes=20, max_inputs=5))
    def check(expression: Expression) -> None:
        assert list(unsafe_calls(expression)) == []
        root = expression.build()
        assert all(math.isfinite(node.data) for node in topological_order(root))
        assert all(map(math.isfinite, gradients(root).values()))

    check()


@pytest.mark.parametrize(
    "expression",
    [
        Expression("log(x)", x=0.1),
        Expression("relu(x)", x=0.01),
        Expression("maximum(x, y)", x=1.0, y=1.01),
        Expression("u = 2 * x; u + u", x=2.0),
        Expression("x + 1", x=math.inf),
    ],
)
def test_the_check_of_the_box_can_say_no(expression: Expression) -> None:
    assert len(list(unsafe_calls(expression))) == 1


@BOTH
@pytest.mark.parametrize(("max_nodes", "max_inputs"), [(1, 1), (2, 3), (7, 2)])
def test_the_size_is_respected_and_reached(strategy: Any, max_nodes: int, max_inputs: int) -> None:
    sizes, widths = set(), set()

    @given(strategy(max_nodes=max_nodes, max_inputs=max_inputs))
    def check(expression: Expression) -> None:
        sizes.add(len(calls(expression)))
        widths.add(len(expression.inputs))

    check()
    assert (min(sizes), max(sizes), min(widths)) == (1, max_nodes, 1)
    assert max(widths) <= max_inputs


@EVERY_OP
def test_one_op_may_be_asked_for(op: str) -> None:
    @settings(max_examples=10)
    @given(graphs([op]), expressions([op], max_nodes=1, max_inputs=1))
    def check(several: Expression, one: Expression) -> None:
        assert op in ops(several)
        assert set(ops(several)) <= {op, "add"}  # add steers
        assert ops(one) == [op]
        assert list(unsafe_calls(one)) == []

    check()


def test_every_row_of_the_table_comes_up_and_ones_own_too(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = graphs()  # the rows are those at the time of drawing
    cube = Rule(lambda k, a: a**3, (lambda k, y, a: 3 * a * a,), ((5.0, 6.0),), "cube", "", "")
    monkeypatch.setitem(RULES, "cube", cube)
    monkeypatch.setitem(RULES, "x", cube)  # no input may then be called x
    seen: set[str] = set()

    @settings(max_examples=400)
    @given(drawing)
    def check(expression: Expression) -> None:
        seen.update(ops(expression))
        assert list(unsafe_calls(expression)) == []

    check()
    assert seen == set(RULES)


@pytest.mark.parametrize(("strategy", "least", "most"), [(expressions, 0.0, 0.0), (graphs, 0.25, 1.0)])
def test_graphs_share_and_expressions_do_not(strategy: Any, least: float, most: float) -> None:
    drawn: list[bool] = []

    @settings(max_examples=300)
    @given(strategy())
    def draw(expression: Expression) -> None:
        drawn.append(shared(expression))

    draw()
    assert least <= sum(drawn) / len(drawn) <= most  # measured for graphs: 0.38


@BOTH
def test_the_repr_of_what_is_drawn_makes_it_again(strategy: Any) -> None:
    @given(strategy(max_nodes=30))
    def check(expression: Expression) -> None:
        again = eval(repr(expression))
        assert again == expression
        assert calls(again) == calls(expression)
        assert max(map(len, expression.source.splitlines())) <= 300

    check()


@BOTH
def test_written_out_or_computed_with_values_it_is_the_same_number(strategy: Any) -> None:
    @given(strategy())
    def check(expression: Expression) -> None:
        point = expression.inputs.values()
        assert expression.build().data == expression(*point) == expression.evaluate(Recorder(), *point)

    check()


@pytest.mark.parametrize(
    ("strategy", "fails", "fewest"),
    [
        (expressions(), lambda e: True, 1),
        (graphs(), lambda e: len(e.inputs) == 2, 1),
        (graphs(["mul", "exp"]), shared, 2),
        (graphs(), shared, 2),
        (expressions(["tanh", "log", "mul"]), lambda e: {"log", "mul"} <= set(ops(e)), 2),
    ],
)
def test_a_failure_shrinks_to_the_smallest_graph(
    strategy: SearchStrategy[Expression], fails: Callable[[Expression], bool], fewest: int
) -> None:
    found = find(strategy, fails, settings=FINDING)
    assert len(ops(found)) == fewest
    assert len(found.inputs) == 1 or fails is not shared
    assert all(round(abs(x), 1) == abs(x) <= 1.0 for x in found.inputs.values())


@BOTH
def test_a_failure_of_one_op_shrinks_to_that_op(strategy: Any) -> None:
    found = find(strategy(), lambda e: "tanh" in ops(e), settings=FINDING)
    assert found == Expression("tanh(x)", x=0.0)


def test_steering_adds_the_shortest_number_that_helps() -> None:
    draft = Draft([-1.3], most_ops=9)
    for op in ("neg", "relu", "neg", "log"):
        draft.add(op, [0])
    assert repr(draft.expression()) == "Expression('log(-relu(-x) + 2.0)', x=-1.3)"


def test_an_input_that_nothing_uses_is_moved_instead() -> None:
    draft = Draft([-1.3, -0.5], most_ops=9)
    draft.add("relu", [0])
    draft.add("pow", [2, 0])  # to the inputs, the second of which is still unused
    assert repr(draft.expression()) == "Expression('y ** relu(x)', x=-1.3, y=0.5)"


def test_without_room_a_constant_stands_in() -> None:
    draft = Draft([1.0], most_ops=1)
    draft.add("maximum", [0, 0])
    draft.add("exp", [0])
    assert repr(draft.expression()) == "Expression('maximum(x, 2.0)', x=1.0)"


INF = math.inf


@pytest.mark.parametrize(
    ("box", "kinks", "source"),
    [
        ((-INF, INF), (), "odd(-x)"),
        ((-INF, INF), (-1.3,), "odd(-x + 1.0)"),
        ((0.0, INF), (), "odd(-x + 2.0)"),
        ((-INF, -70.0), (), "odd(-x + -69.0)"),
        ((0.123456, 0.123457), (), "odd(-x + 1.423456)"),
        ((0.5, 0.5), (), "odd(-x + 1.8)"),
        ((-1.31, 3.0), tuple(i / 20 for i in range(-60, 0)), "odd(-x + 2.0)"),
        ((1e300, INF), (), "odd(-x + 1e+300)"),
        ((-0.01, 0.01), (0.0,), "-x"),  # all of it is near the kink
    ],
)
def test_odd_boxes(box: tuple[float, float], kinks: tuple[float, ...], source: str, monkeypatch: Any) -> None:
    monkeypatch.setitem(RULES, "odd", Rule(lambda k, a: a, (lambda k, y, a: 1.0,), (box,), "odd", "", "", (), kinks))
    draft = Draft([1.3], most_ops=9)
    draft.add("neg", [0])
    draft.add("odd", [0])
    assert draft.expression().source == source


def test_the_margin_of_a_kink() -> None:
    assert is_near_kink(RULES["abs"], [0.99 * KINK_MARGIN])
    assert not is_near_kink(RULES["abs"], [-KINK_MARGIN])
    assert is_near_kink(RULES["minimum"], [1.0, 1.0 + 0.9 * KINK_MARGIN])
    assert not is_near_kink(RULES["exp"], [0.0])


@given(values(), values(-2.0, 3.0), values(allow_nan=True, allow_infinity=True), values(labels=st.just("w")))
def test_values_are_leaves(any_finite: Value, bounded: Value, anything: Value, labelled: Value) -> None:
    assert math.isfinite(any_finite.data)
    assert -2.0 <= bounded.data <= 3.0
    assert (anything.op, anything.label, labelled.label) == ("", "", "w")
    assert not anything.parents
    assert not anything.has_grad


def test_values_may_be_nan_or_infinite_if_asked() -> None:
    assert math.isnan(find(values(allow_nan=True), lambda v: math.isnan(v.data), settings=FINDING).data)
    assert find(values(allow_infinity=True), lambda v: math.isinf(v.data), settings=FINDING).data == math.inf


@given(mlps(max_inputs=2, max_layers=2, max_width=3), mlps(activations=["relu"]))
def test_mlps_are_small_networks(small: MLP, kinked: MLP) -> None:
    assert small.inputs <= 2
    assert len(small.sizes) <= 2
    assert max(small.sizes) <= 3
    outputs = small([0.5] * small.inputs)
    assert all(math.isfinite(y.data) for y in ([outputs] if isinstance(outputs, Value) else outputs))
    for layer in kinked.layers[:-1]:
        assert {neuron.activation for neuron in layer.neurons} == {autograd_mini.relu}
    assert [p.data for p in pickle.loads(pickle.dumps(small)).parameters()] == [p.data for p in small.parameters()]


@given(datasets(max_rows=5, max_inputs=2, classes=3), datasets())
def test_datasets_are_small(labelled: Dataset, quantities: Dataset) -> None:
    assert len(labelled) <= 5
    assert labelled.width <= 2
    assert labelled.classes == 3
    assert quantities.classes is None
    assert abs(quantities.inputs).max() <= 3.0


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        (lambda: expressions(["tahn"]), ValueError, r"ops names rows of the table, got 'tahn'; legal are add, sub"),
        (lambda: graphs([]), ValueError, r"ops names rows of the table, got 'nothing'; legal are add, sub"),
        (lambda: graphs(max_nodes=0), ValueError, "max_nodes is 0, but must be a whole number, 1 or more"),
        (lambda: expressions(max_inputs=1.5), TypeError, r"max_inputs is 1\.5, but must be a whole number"),
        (lambda: mlps(activations=["tahn"]), ValueError, "unknown activation 'tahn'; the names are 'linear'"),
        (lambda: mlps(max_layers=0), ValueError, "max_layers is 0, but"),
        (lambda: datasets(classes=0), ValueError, "classes is 0, but"),
        (lambda: datasets(max_rows=0), ValueError, "max_rows is 0, but"),
    ],
)
def test_an_error_comes_before_anything_is_drawn(wrong: Callable[[], Any], kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        wrong()


FAILING = """
import sys
from hypothesis import Phase, given, settings, strategies as st
from autograd_mini import Value
from autograd_mini.expression import Expression
from autograd_mini.hypothesis_plugin import register
from autograd_mini.strategies import datasets, expressions, graphs, mlps, values

register()

# Unshrunk: the longer the example, the better. Under CI=1 a line on how to reproduce would follow it.
@settings(database=None, derandomize=True, phases=[Phase.generate], max_examples=5000, deadline=None, print_blob=False)
@given(
    v=values(min_value=0.1, labels=st.just("x")), inferred=st.from_type(Value), several=st.lists(values(), min_size=2),
    formula=st.from_type(Expression), graph=graphs(), model=mlps(), labelled=datasets(classes=2), data=datasets(),
)
def run(v, inferred, several, formula, graph, model, labelled, data):
    v.backward()
    model.layers[0].neurons[0].b.data = 1.0
    assert "\\n" not in graph.source or len(model.layers) < 2 or len(data) < 3 or len(labelled) < 2

try:
    run()
except AssertionError as error:
    print(*error.__notes__)
"""


def test_a_falsifying_example_prints_as_python_that_runs() -> None:
    done = subprocess.run([sys.executable, "-c", FAILING], cwd=ROOT, capture_output=True, text=True, check=True)
    start = done.stdout.index("run(")
    call = ast.parse(done.stdout[start : done.stdout.rindex(")") + 1]).body[0]
    assert isinstance(call, ast.Expr)
    names = {"Value": Value, "Expression": Expression, "MLP": MLP, "Dataset": Dataset, "run": lambda **given: given}
    again = eval(compile(ast.Expression(call.value), "example", "eval"), names)
    assert (again["v"].label, again["v"].has_grad) == ("x", False)
    assert type(again["inferred"]) is Value
    assert {type(value) for value in again["several"]} == {Value}
    assert isinstance(again["formula"], Expression)
    assert "\n" in again["graph"].source
    assert len(again["model"].layers) >= 2
    assert "seed=" in done.stdout
    assert len(again["data"]) >= 3
    assert (again["data"].classes, again["labelled"].classes) == (None, 2)


def test_hypothesis_finds_the_plugin_and_it_loads_only_the_engine() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, function = project["project"]["entry-points"]["hypothesis"]["autograd_mini"].partition(":")
    assert callable(getattr(import_module(module), function))
    script = f"""
import sys
from {module} import {function}
assert "hypothesis" not in sys.modules
{function}()
print(*sys.modules)
from hypothesis import find, strategies as st
from autograd_mini import Value
print(find(st.from_type(Value), lambda v: v > 1))
"""
    # Without plugins: were the package installed, hypothesis would call the function by itself.
    environment = {**os.environ, "HYPOTHESIS_NO_PLUGINS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    )
    loaded, drawn = done.stdout.splitlines()
    assert "autograd_mini.value" in loaded.split()
    assert not {"numpy", "nn", "viz", "autograd_mini.strategies"} & set(loaded.split())
    assert drawn == "Value(data=2, grad=not computed)"
