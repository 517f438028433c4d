"""What a REPL shows: every public object has a text that is short, printable and never an exception, whatever it holds.

A public class that has no sample here fails the first test: add one, with contents as nasty as it can hold.
"""

import copy
import dataclasses
import functools
import importlib
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_mini as am
import nn
from autograd_mini import (
    Debugger,
    Diagnosis,
    Explanation,
    Expression,
    Finding,
    GraphStatistics,
    Paths,
    Report,
    Step,
    Value,
    debug,
    diagnose,
    explain,
    fold,
    gradcheck,
    lab,
    parameter,
    paths,
    primitive,
    record_lines,
    scope,
    statistics,
    steps,
    tanh,
)
from autograd_mini.blame import Blame
from autograd_mini.breakpoints import Breakpoint, breakpoint_at
from autograd_mini.folding import Edge as FoldedEdge, FoldedGraph, Group
from autograd_mini.kits import FLOAT, Kit
from autograd_mini.printing import Listing, printable
from autograd_mini.report import Check
from autograd_mini.rules import Allowance, Edge, Rule
from autograd_mini.source import SourceLine
from nn import (
    MLP,
    SGD,
    Activate,
    BatchNorm,
    Checkpoint,
    ClassScores,
    Dataset,
    Dropout,
    Layer,
    Module,
    Network,
    Neuron,
    Normalization,
    Optimizer,
    Schedule,
    Sequential,
    Split,
)
from viz import Explorer, Figure, draw_activation, draw_dot

NASTY = "two\nlines\r\t\x1b[31mred\x07{}{0}%s<b>&amp;\"'\\ \u202e\ud800\x00" * 3000
NUMBERS = (math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308)
MANY = 30_000

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def nasty_values() -> list[Value]:
    values = [Value(x, NASTY) for x in NUMBERS]
    values += [tanh(value * math.inf) for value in values]
    values[0].backward()
    values[-1].backward()
    values[-1].label = NASTY
    odd = Value(1.0)
    odd.label = 5  # type: ignore[assignment]
    return [*values, odd, deep()]


def deep() -> Value:
    root = Value(0.5, NASTY)
    for _ in range(MANY):
        root = root + 1.0
    return root


def deepest() -> tuple[Value, Value]:
    root = deep()
    return next(node for node in am.topological_order(root) if node.label), root


def places(dbg: Debugger) -> list[Debugger]:
    """The debugger at every place, as copies."""
    found = []
    dbg.restart(forward=True)
    while True:
        found.append(copy.copy(dbg))
        found[-1]._cursor = copy.copy(dbg._cursor)
        found[-1]._cursor.log, found[-1]._cursor.gradient = dbg._cursor.log.copy(), dict(dbg.gradients)
        if dbg.finished:
            return found
        dbg.step()


def wide() -> Value:
    return am.dot([parameter(1.0, NASTY) for _ in range(MANY)], [1.0] * MANY)


def wrong_report() -> Report:
    @primitive(lambda y, x: 2 * x, symbol=NASTY)
    def wrong(x: Any) -> Any:
        return x * x * x

    with record_lines():
        return gradcheck(wrong(Value(0.5, NASTY)) * Value(2.0, NASTY))


def many_checks(verdict: str) -> Report:
    checks = tuple(Check(NASTY, x, x, x, x, x, x, verdict, "central differences") for x in NUMBERS * 10_000)
    return Report(checks, None, Value(1.0))


def nasty_module(base: type[Module]) -> Callable[[], Module]:
    def build() -> Module:
        module = MLP(3, [2] * 200, activation=NastyFunction()) if base is MLP else base.__new__(base)
        if base in (Neuron, Layer):
            module = base(*([MANY] if base is Neuron else [2, 3]), activation=NastyFunction())  # type: ignore[call-arg]
        for i in range(50):
            setattr(module, f"extra{i}", [Value(math.nan, NASTY)] * MANY)
        return module

    return build


def named_dataset() -> Dataset:
    return Dataset([[0.0, 1.0]], [0], columns=[NASTY, "b"], class_names=[NASTY, ""], label=NASTY)


def nasty_trainer() -> nn.Trainer:
    model = MLP(3, [2] * 200, activation=NastyFunction())
    return nn.Trainer(model, loss=NastyFunction(), progress=False)


def nasty_pushes() -> list[nn.Push]:
    return [nn.Push(i, 10**9, [math.nan] * 9, NUMBERS[i % 6]) for i in range(MANY)]


def nasty_history() -> nn.History:
    history = nn.History()
    history.add_epoch({NASTY: math.nan, "loss": 5e-324, **{f"column {i}": 1.0 for i in range(100)}})
    return history


class NastyFunction:
    """A function without a name."""

    def __call__(self, x: Value) -> Value:
        return x

    def __repr__(self) -> str:
        return NASTY


@functools.cache
def optimizers() -> list[Optimizer]:
    """Each with no option at its default."""
    values = [Value(math.nan, NASTY) for _ in range(MANY)]
    options: dict[str, Any] = {
        "learning_rate": 5e-324, "weight_decay": 1.7e308, "momentum": 1.7e308, "nesterov": True, "alpha": 0.1 + 0.2,
        "centered": True, "lr_decay": 1e300, "initial_accumulator_value": 0.1 + 0.2, "betas": (0.1 + 0.2, 0.1 + 0.6),
        "eps": 5e-324, "amsgrad": True, "maximize": True,
    }  # fmt: skip
    every = nn.OPTIMIZERS.values()
    return [
        kind(values, **{name: options[name] for name in kind(values[:1]).options if name in options}) for kind in every
    ]


@functools.cache
def schedules() -> list[Schedule]:
    every: list[Schedule] = [
        nn.StepSchedule(10**60), nn.ExponentialSchedule(5e-324), nn.CosineSchedule(10**60, least=1.7e308),
        nn.OneCycle(1.7e308, 10**60), nn.ReduceOnPlateau(threshold=1.7e308), nn.LinearWarmUp(10**60),
    ]  # fmt: skip
    return [*every, nn.LinearWarmUp(then=every[4])]


def made_of(samples: Callable[[], list[Any]], kind: type) -> Callable[[], list[Any]]:
    return lambda: [one for one in samples() if isinstance(one, kind)]


def nasty_fold() -> FoldedGraph:
    with scope(NASTY):
        y = am.sum(nasty_values()[:6]) * 2
    return fold(y + 1, 0)


# Each class with functions that make instances of it, or lists of them.
SAMPLES: dict[type, list[Callable[[], Any]]] = {
    Value: [nasty_values, wide],
    Step: [
        lambda: [step for value in nasty_values()[:-1] for step in steps(value)],
        lambda: next(steps(deep())),
        lambda: next(steps(wide())),
    ],
    FoldedGraph: [lambda: [fold(deep(), how) for how in (None, "auto")], lambda: fold(wide(), 0), nasty_fold],
    Group: [lambda: [node for node in nasty_fold().nodes if isinstance(node, Group)]],
    FoldedEdge: [lambda: list(nasty_fold().edges)],
    GraphStatistics: [lambda: statistics(*nasty_values()), lambda: statistics(deep())],
    Report: [
        wrong_report,
        lambda: gradcheck(Value(math.nan, NASTY) * 2),
        *(lambda verdict=verdict: many_checks(verdict) for verdict in ("agrees", "differs", "kink here")),  # type: ignore[misc]
    ],
    Check: [lambda: many_checks("differs").checks[:6]],
    Blame: [lambda: wrong_report().blame],
    Diagnosis: [
        lambda: diagnose(Value(math.nan, NASTY) * 2, [Value(1.0, NASTY)]),
        lambda: diagnose(wide(), [parameter(1.0, NASTY) for _ in range(MANY)]),
        Diagnosis,
    ],
    Finding: [lambda: list(diagnose(Value(math.nan, NASTY) * 2, [Value(1.0, NASTY)]))],
    # The repr of an Expression is the Python that makes it again, as long as the formula.
    Expression: [
        lambda: Expression("x * y  # \x1b[31m\n", x=math.nan, y=-math.inf),
        lambda: Expression("u = x * x  # \x1b[31m\nu", x=5e-324),
        lambda: Expression("u = x * x\nu", x=math.nan),
    ],
    Debugger: [
        lambda: [place for value in nasty_values()[:-1] for place in places(debug(value))],
        lambda: [debug(deep()).step(3), debug(wide()).step(3), debug(wide()).restart(forward=True)],
        lambda: places(debug(am.dot([Value(math.nan, NASTY)] * 9, [2.0] * 9) + 1, open_dots=True)),
    ],
    Breakpoint: [lambda: [breakpoint_at(Value(1.0, NASTY)), breakpoint_at(NASTY, op="tanh", line=3)]],
    Explanation: [
        lambda: [explain(leaf, value) for value in nasty_values()[:-1] for leaf in (*value.parents, value)],
        lambda: explain(wide().parents[7], wide()),
        lambda: explain(*deepest()),
    ],
    Paths: [
        lambda: [paths(value, leaf) for value in nasty_values()[:-1] for leaf in (*value.parents, value)],
        lambda: paths(*reversed(deepest())),
    ],
    lab.Comparison: [
        lambda: [lab.compare(value, name) for value in nasty_values()[:-1] for name in lab.ALGORITHMS],
        lambda: lab.compare(deep(), "forward_order"),
        lambda: lab.compare(wide(), "no_zero_grad"),
        lambda: lab.compare(am.sum([Value(1.0, NASTY) * 2] * MANY), "overwrite"),
    ],
    Rule: [lambda: list(am.RULES.values()), lambda: Rule(len, (len,), ((0, 1),), NASTY, NASTY, NASTY)],
    Edge: [lambda: Edge(NUMBERS, math.nan, NUMBERS)],
    Allowance: [lambda: Allowance("why", math.inf, math.nan)],
    Kit: [lambda: FLOAT],
    scope: [lambda: scope(NASTY), lambda: scope("layer 1")],
    SourceLine: [lambda: SourceLine("a\nb\x1b[31m.py", 3)],
    Listing: [
        lambda: am.RULES,
        lambda: lab.ALGORITHMS,
        lambda: [nn.ACTIVATIONS, nn.LOSSES, nn.INITIALIZERS, nn.OPTIMIZERS, nn.SCHEDULES, nn.DATASETS],
        Listing,
    ],
    Module: [nasty_module(Module)],
    Neuron: [nasty_module(Neuron)],
    Layer: [nasty_module(Layer)],
    MLP: [nasty_module(MLP)],
    Network: [nasty_module(Network)],
    Activate: [lambda: Activate("relu"), lambda: Activate(NastyFunction())],
    Sequential: [
        lambda: Sequential(*[NastyFunction()] * MANY),
        lambda: Sequential(MLP(3, [2] * 200, activation=NastyFunction()), *[NastyFunction()] * 9),
        lambda: Sequential(Sequential(*[Sequential(*[NastyFunction()] * 9)] * 9), Dropout(0.5)),
    ],
    BatchNorm: [lambda: BatchNorm(MANY)],
    Dropout: [lambda: Dropout(1e-300), lambda: Dropout(0.1234567890123456)],
    nn.Activity: [lambda: Neuron(3, seed=0).activity(NUMBERS[3:]), lambda: Neuron(3).activity([math.nan] * 3)],
    Dataset: [
        lambda: Dataset([[0.0] * 10] * MANY, [0] * MANY),
        lambda: Dataset([[1e308]], [[1.0, 2.0]]),
        named_dataset,
    ],
    Normalization: [lambda: Normalization([1e308] * MANY, [5e-324] * MANY)],
    ClassScores: [lambda: ClassScores(math.nan, 5e-324, 1 / 3, 10**9)],
    Checkpoint: [
        lambda: Checkpoint({NASTY: NASTY} | dict.fromkeys(map(str, range(MANY))), {NASTY: np.zeros(MANY)}),
        lambda: Checkpoint({}, {}),
    ],
    nn.Trainer: [nasty_trainer, lambda: nn.Trainer(MLP(2, [1]), early_stopping=3)],
    nn.Replay: [
        lambda: [
            nn.Replay(10**9, 9, row, named_dataset(), MLP(1, [1]), [], Value(x), {}, x)
            for x in NUMBERS
            for row in (None, 3)
        ],
    ],
    nn.Blame: [lambda: [nn.Blame(NASTY, 10**9, 1, x, tuple(nasty_pushes()), x) for x in NUMBERS]],
    nn.Push: [lambda: nasty_pushes()[:6]],
    nn.Callback: [nn.Callback],
    nn.EarlyStopping: [nn.EarlyStopping],
    nn.History: [nasty_history, nn.History],
    nn.HyperParameters: [lambda: nn.Trainer(MLP(2, [1] * 300)).hyper_parameters],
    **{kind: [made_of(optimizers, kind)] for kind in (Optimizer, *nn.OPTIMIZERS.values())},
    **{kind: [made_of(schedules, kind)] for kind in (Schedule, *nn.SCHEDULES.values())},
    Split: [lambda: nn.digits().split()],
    Figure: [
        lambda: Figure(NASTY, NASTY),
        lambda: Figure("digraph { a -> b }"),
        lambda: draw_dot(Value(math.nan, NASTY[:200]) * 2),
        lambda: draw_activation("relu", {NASTY: 1.0}),
    ],
    Explorer: [lambda: Explorer(Path(NASTY.replace("\0", "")), 10**9, 1), lambda: Explorer(Path("a.html"), 1, 10**12)],
}
EVERY_CLASS = pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
PACKAGES = ("autograd_mini", "nn", "viz")


@functools.cache
def samples(kind: type) -> list[Any]:
    made = [build() for build in SAMPLES[kind]]
    found = [
        item
        for one in made
        for item in (one if isinstance(one, (list, tuple)) and not isinstance(one, kind) else [one])
    ]
    assert found
    assert all(isinstance(item, kind) for item in found)
    return found


def objections(text: str) -> list[str]:
    """What is wrong with a text in a terminal."""
    lines = text.split("\n")
    found = []
    if not all(line.isprintable() for line in lines):
        found.append("control characters")
    if len(lines) > 100 or max(map(len, lines)) > 500:
        found.append(f"{len(lines)} lines of up to {max(map(len, lines))} characters")
    if re.search(r" object at 0x", text):
        found.append("an address")
    if not text.strip():
        found.append("nothing")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_class_has_a_sample(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        thing = getattr(module, name)
        if isinstance(thing, type) and not issubclass(thing, BaseException):
            assert thing in SAMPLES, f"add a sample of {package}.{name} to SAMPLES in this file"
        elif not callable(thing):
            assert type(thing) in SAMPLES, f"add a sample of {type(thing).__name__} to SAMPLES, for {package}.{name}"


@EVERY_CLASS
def test_the_text_reads_well(kind: type) -> None:
    for item in samples(kind):
        for text in (repr(item), str(item), f"{item}"):
            assert objections(text) == [], text[:2000]


@EVERY_CLASS
def test_rich_forms_do_not_raise(kind: type) -> None:
    for item in samples(kind):
        for name in dir(kind):
            if re.fullmatch(r"_repr_(?!pretty)\w+_", name):
                rich = getattr(item, name)()
                assert rich is None or isinstance(rich, (str, dict)), name
                if name == "_repr_mimebundle_":
                    assert objections(rich["text/plain"].split("\n")[0]) == []


@EVERY_CLASS
def test_a_half_made_object_answers(kind: type) -> None:
    """As a debugger meets it in an ``__init__`` that has failed."""
    if "__init__" in vars(kind) and not dataclasses.is_dataclass(kind):
        assert repr(kind.__new__(kind)) == f"<{kind.__name__}, not initialised>"


def test_a_module_before_its_init_has_run() -> None:
    class Late(MLP):
        def __init__(self) -> None:
            self.early = Value(1.0)

    assert repr(Late()) == "<Late, not initialised>"


def test_every_public_function_has_its_name_for_a_repr() -> None:
    @primitive(lambda y, x: 1.0)
    def own(x: Any) -> Any:
        return x

    for thing in [own, *(getattr(am, name) for name in am.__all__), *(getattr(nn, name) for name in nn.__all__)]:
        if callable(thing) and not isinstance(thing, type):
            assert re.search(rf"\b{thing.__name__}\b", repr(thing))


def test_the_samples_would_be_caught() -> None:
    assert objections("a\x1b[31m") == ["control characters"]
    assert objections("a\n" * 101) == ["102 lines of up to 1 characters"]
    assert objections("<Thing object at 0x7f>") == ["an address"]
    assert objections(" ") == ["nothing"]


# What exactly is shown


def test_a_step_reads_as_its_arithmetic() -> None:
    a, b = Value(3.0, "a"), Value(-0.5)
    b.label = ""
    assert list(map(repr, steps(a * a + b))) == [
        "Step(add → mul: 1 × 1 = 1)",
        "Step(add → -0.5: 1 × 1 = 1)",
        "Step(mul → a: 1 × 3 = 3)",
        "Step(mul → a: 1 × 3 = 3, total 6)",
    ]
    assert Step._fields == (
        "node", "argument", "parent", "upstream", "local", "contribution", "before", "after",
    )  # fmt: skip


def test_a_module_of_ones_own_shows_its_parts() -> None:
    class Line(Module):
        def __init__(self) -> None:
            self.slope, self.offset = Value(2.0), Value(1.0)
            self.blocks = [Neuron(2), Neuron(2)]
            self.name = "line"
            self.nothing = [1.0, 2.0]

    assert repr(Line()) == "Line(slope, offset, blocks[2])"
    assert repr(Module()) == "Module()"


def test_long_lists_of_sizes_are_cut() -> None:
    assert repr(MLP(1, [1] * 13)) == "MLP(1, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ...], activation='relu')"


def test_an_optimizer_shows_what_it_moves() -> None:
    assert repr(SGD([Value(1.0)], learning_rate=0.5)) == "SGD(1 parameter, learning_rate=0.5)"
    assert repr(SGD(MLP(49, [3, 10]).parameters())) == "SGD(190 parameters, learning_rate=0.001)"


def test_the_tables_print_as_tables() -> None:
    lines = repr(am.RULES).split("\n")
    assert len(lines) == len(am.RULES)
    assert lines[0] == "add         Sum of two numbers."
    assert repr(am.RULES["tanh"]) == "Rule(tanh: Hyperbolic tangent, between -1 and 1.)"
    for table in (nn.ACTIVATIONS, nn.LOSSES, nn.INITIALIZERS, nn.OPTIMIZERS, nn.SCHEDULES, nn.DATASETS):
        assert all(re.match(r"\w+ +\S", line) for line in repr(table).split("\n"))


def test_a_report_shows_only_so_many_failures() -> None:
    text = repr(many_checks("differs"))
    assert "and 59,940 more that do not agree" in text
    assert repr(many_checks("agrees")).endswith("and 59988 more that agree")


def test_foreign_text_is_made_printable() -> None:
    assert printable("a" * 40) == "a" * 40
    assert printable("a" * 41) == "a" * 39 + "…"
    assert printable("\x1b[1m\n") == "�[1m�"


def test_warnings_and_errors_show_labels_on_one_line() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Value(0.0, NASTY).log()
    assert objections(str(caught[0].message)) == []
    with pytest.raises(am.AnomalyError) as error, am.detect_anomaly():
        Value(0.0, NASTY).log()
    assert objections(str(error.value)) == []
