"""The debugger: a walk in any direction is the same walk, and its end is backward(), bit for bit."""

import math
import struct
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, strategies as st

from autograd_mini import (
    RULES,
    Expression,
    Step,
    Value,
    cursor,
    debug,
    dot,
    record_lines,
    steps,
    stops,
    sum as total,
    tanh,
)
from autograd_mini.breakpoints import breakpoint_at
from autograd_mini.notation import written
from autograd_mini.stepper import Debugger
from autograd_mini.strategies import graphs
from autograd_mini.value import apply
from nn import MLP, cross_entropy

OPS = ["add", "sub", "mul", "div", "tanh", "exp", "relu", "dot", "sum", "logsumexp", "maximum"]
GRAPHS = graphs(OPS, max_nodes=10)


def bits(x: float) -> bytes:
    return struct.pack("<d", x)


def open_all(dbg: Debugger) -> Debugger:
    for node in list(dbg.order):
        if node.op == "dot":
            with suppress(ValueError):  # a factor stands in it crosswise
                dbg.open(node)
    return dbg


def state(dbg: Debugger) -> tuple[Any, ...]:
    """All that can be seen of where a debugger stands."""
    seen = {node: bits(gradient) for node, gradient in dbg.gradients.items()}
    return dbg.in_forward_pass, dbg.place, dbg.node, dbg.last, dbg.upcoming, seen, dbg.finished


def every_state(dbg: Debugger) -> list[tuple[Any, ...]]:
    dbg.restart(forward=True)
    states = [state(dbg)]
    while not dbg.finished:
        states.append(state(dbg.step()))
    return states


@pytest.fixture(params=[1000, 3], ids=["remembers all", "remembers 3 steps"])
def remembered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With little memory, going back runs the sweep again."""
    monkeypatch.setattr(cursor, "_REMEMBERED", request.param)


@given(GRAPHS, st.booleans())
def test_stepping_to_the_end_is_backward_bit_for_bit(graph: Expression, opens: bool) -> None:
    root = graph.build()
    dbg = debug(root)
    if opens:
        open_all(dbg)
    while not dbg.finished:
        dbg.step()
    found = dict(dbg.gradients)
    assert not any(node.has_grad for node in found)  # nothing is written into the graph
    root.backward()
    for node in steps_nodes(root):
        assert bits(found[node]) == bits(node.grad)


def steps_nodes(root: Value) -> set[Value]:
    return {root} | {step.parent for step in steps(root)}


@given(GRAPHS)
def test_the_steps_are_those_of_the_stream(graph: Expression) -> None:
    root = graph.build()
    dbg, taken = debug(root), []
    while not dbg.finished:
        upcoming = dbg.upcoming
        taken.append(dbg.step().last)
        assert taken[-1] == upcoming
    assert taken == list(steps(root))


@given(GRAPHS)
def test_the_contributions_into_each_node_sum_to_its_gradient(graph: Expression) -> None:
    root = graph.build()
    sums: dict[Value, float] = {}
    for step in steps(root):
        sums[step.parent] = sums.get(step.parent, 0.0) + step.contribution
    root.backward()
    for node, added in sums.items():
        assert bits(added) == bits(node.grad)


@given(graph=GRAPHS, opens=st.booleans(), data=st.data(), little=st.booleans())
def test_any_walk_returns_to_identical_states(
    graph: Expression, opens: bool, data: st.DataObject, little: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cursor, "_REMEMBERED", 2 if little else 1000)
        dbg = debug(graph.build())
        if opens:
            open_all(dbg)
        states = every_state(dbg)
        last = here = len(states) - 1
        for move in data.draw(st.lists(st.sampled_from(MOVES), max_size=25), label="moves"):
            if move == "step":
                dbg.step(2)
                here = min(here + 2, last)
            elif move == "back":
                dbg.back()
                here = max(here - 1, 0)
            elif move == "back 5":
                dbg.back(5)
                here = max(here - 5, 0)
            elif move == "next":
                dbg.next()
                here += here < last
                while here < last and states[here][1][1] and not states[here][0]:
                    here += 1
            elif move == "finish":
                forward = dbg.in_forward_pass
                dbg.finish()
                here = next(i for i, s in enumerate(states) if not s[0]) if forward else last
            elif move == "restart":
                dbg.restart()
                here = next(i for i, s in enumerate(states) if not s[0])
            assert state(dbg) == states[here], move


MOVES = ["step", "back", "back 5", "next", "finish", "restart"]


def stops_here(point: dict[str, Any], before: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    """What ``until`` promises, told from two states that follow each other."""
    one = breakpoint_at(**point)
    forward, (_, edge), node, last, *_ = now
    if forward:
        return one.when is None and any(
            one.holds(n) for n in (node, *node._inputs) if n is node or not n._inputs
        )  # fmt: skip
    if one.when is not None:
        return last is not None and one.holds(last.parent) and one.when(last)
    arrived = last is not None and not last.parent._inputs and one.holds(last.parent)
    return arrived or (node is not None and edge == 0 and one.holds(node))


WHENS: list[Callable[[Step], bool] | None] = [None, lambda step: step.contribution > 0.5, lambda step: step.after < 0]


@st.composite
def points(draw: st.DrawFn, dbg: Debugger) -> dict[str, Any]:
    """A place that this graph has."""
    nodes = dbg.find("*") + list(dbg.order)
    places: list[dict[str, Any]] = [{"op": node.op} for node in dbg.order]
    places += [{"where": node.label} for node in nodes if node.label] + [{"where": node} for node in nodes]
    places += [{"where": "*"}, {"where": "?", "op": dbg.order[-1].op}] if dbg.order[-1].label else [{"where": "*"}]
    return draw(st.sampled_from(places)) | {"when": draw(st.sampled_from(WHENS))}


@given(graph=GRAPHS, data=st.data(), little=st.booleans(), opens=st.booleans())
def test_until_and_back_until_stop_where_single_steps_would(
    graph: Expression, data: st.DataObject, little: bool, opens: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cursor, "_REMEMBERED", 2 if little else 1000)
        patch.setattr(stops, "_STRETCH", 2 if little else 4096)
        dbg = debug(graph.build())
        if opens:
            open_all(dbg)
        asked, *kept = data.draw(st.lists(points(dbg), min_size=1, max_size=2))
        for point in kept:
            dbg.break_at(**point)
        states = every_state(dbg)
        halts = [i for i in range(len(states)) if any(stops_here(p, states[i - 1], states[i]) for p in [asked, *kept])]
        start = data.draw(st.integers(0, len(states) - 1))
        dbg.restart(forward=True).step(start)
        ahead = [i for i in halts if i > start]
        dbg.until(**asked)
        assert state(dbg) == states[ahead[0] if ahead else -1]
        assert bool(dbg.notice) == (not ahead)
        dbg.restart(forward=True).step(start)
        behind = [i for i in halts if i < start]
        dbg.back_until(**asked)
        assert state(dbg) == states[behind[-1] if behind else 0]
        assert bool(dbg.notice) == (not behind)


def lecture() -> tuple[MLP, Value]:
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    return model, cross_entropy(model([((7 * i) % 11) / 10 for i in range(49)]), 3)


def test_breakpoints_of_every_kind() -> None:
    model, loss = lecture()
    dbg = debug(loss)
    w = dbg.find("hidden.neuron1.w[8]")[0]
    assert dbg.until("hidden.neuron1.w[8]").last.parent is w  # type: ignore[union-attr]
    assert dbg.restart().until(w).last.parent is w  # type: ignore[union-attr]
    assert dbg.restart().until("hidden.neuron?.b").last.parent.label.startswith("hidden.neuron")  # type: ignore[union-attr]
    assert dbg.restart().until(op="sigmoid").node.op == "sigmoid"  # type: ignore[union-attr]
    assert dbg.names(dbg.restart().until("v7").node) == "v7"
    hidden = model.layers[0]
    assert dbg.restart().until(hidden).last.parent in set(hidden.parameters())  # type: ignore[union-attr]
    assert dbg.restart().until([w, dbg.root]).last.parent is w  # type: ignore[union-attr]
    assert dbg.restart().until(when=lambda step: step.contribution < -0.3).last.contribution < -0.3  # type: ignore[union-attr]
    assert dbg.find("L") == [loss]
    dbg.restart().until(non_finite=True)
    assert dbg.finished
    assert dbg.notice == "ran to the end: nothing more at a number that is not finite"


def test_a_source_line_is_a_breakpoint() -> None:
    with record_lines():
        x = Value(2.0, "x")
        y = x * x
        z = tanh(y)
    line = y.line.number  # type: ignore[union-attr]
    assert debug(z).until(line=line).node is y
    assert debug(z).until(line=f"test_stepper.py:{line}").node is y
    with pytest.raises(ValueError, match=r"no node of this graph is at line other\.py:\d+"):
        debug(z).until(line=f"other.py:{line}")
    with pytest.raises(ValueError, match=r"knows its source line; make the graph in a file, under record_lines\(\)"):
        debug(x * 2).until(line=7)


def test_the_first_number_that_is_not_finite_is_found_in_either_pass() -> None:
    x, zero = Value(2.0, "x"), Value(0.0, "zero")
    with pytest.warns(RuntimeWarning, match=r"log\(zero=0\) is -inf"):
        bad = zero.log()
    dbg = debug((x * x + bad) * 2).restart(forward=True)
    assert dbg.until(non_finite=True).place == (1, 0)
    assert dbg.order[-1] is bad
    assert dbg.until(non_finite=True).place == (3, 0)  # the sum
    assert not dbg.until(non_finite=True).in_forward_pass  # the root
    assert dbg.step().back_until(non_finite=True).place == (0, 0)
    assert not dbg.in_forward_pass
    assert dbg.back_until(non_finite=True).place == (3, 0)
    slope = debug((x + zero).sqrt() + zero.sqrt()).until(non_finite=True)
    assert slope.last.contribution == math.inf  # type: ignore[union-attr]
    assert slope.last.parent is zero  # type: ignore[union-attr]


def test_breakpoints_that_are_kept() -> None:
    _, loss = lecture()
    dbg = debug(loss)
    first, second = dbg.break_at("hidden.neuron2.b"), dbg.break_at(op="sigmoid")
    assert repr(dbg.breakpoints) == "[Breakpoint(label hidden.neuron2.b), Breakpoint(op sigmoid)]"
    assert dbg.until().node.op == "sigmoid"  # type: ignore[union-attr]
    assert dbg.clear(2).breakpoints == [first]
    assert dbg.until().last.parent.label == "hidden.neuron2.b"  # type: ignore[union-attr]
    assert dbg.finish().finished  # past all breakpoints
    assert dbg.clear().breakpoints == []
    assert second is not first


def test_labels_that_look_like_our_own_names() -> None:
    inductance, speed = Value(2.0, "L"), Value(3.0, "v1")
    energy = inductance * inductance * speed
    dbg = debug(energy)
    assert dbg.find("L") == [inductance]
    assert dbg.find("v1") == [speed]
    assert [dbg.names(node) for node in dbg.order] == ["L'", "v1'"]
    assert dbg.find("v1'") == [dbg.order[1]]
    assert dbg.find("L'") == [energy]
    assert dbg.set("L", 5.0).root.data == 75.0


def test_a_mistake_is_named_beside_breakpoints_that_would_stop() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "my line b")
    dbg = debug(a * b)
    dbg.break_at("a")
    with pytest.raises(ValueError, match="no node of this graph is at label typo"):
        dbg.until("typo")
    assert dbg.place == (0, 0)
    with pytest.raises(ValueError, match="no node of this graph is at label my line x; did you mean my line b"):
        dbg.until("my line x")
    a.label = 5  # type: ignore[assignment]
    assert dbg.clear().find("?") == [a]


def test_before_the_backward_pass_lies_the_forward_pass() -> None:
    x, w = Value(0.5, "x"), Value(2.0, "w")
    dbg = debug(tanh(w * x))
    assert not dbg.in_forward_pass
    assert (dbg.back().in_forward_pass, dbg.node) == (True, dbg.root)
    assert dbg.back(5).place == (0, 0)
    assert dbg.notice == "this is the start of the forward pass"
    assert dbg.gradients == {dbg.root: 1.0}
    assert dbg.finish().in_forward_pass is False
    assert dbg.place == (0, 0)
    assert dbg.finish().finish().notice == ""
    assert repr(dbg.step()).startswith("the backward pass is over: 2 operations\n")


@pytest.mark.usefixtures("remembered")
def test_an_error_in_a_predicate_or_ctrl_c_leaves_it_where_it_stood() -> None:
    _, loss = lecture()
    dbg = debug(loss).step(20)
    before = state(dbg)

    def broken(step: Step) -> bool:
        if step.parent.label == "hidden.neuron3.w[4]":
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        dbg.until(when=broken)
    assert state(dbg) == before
    with pytest.raises(KeyboardInterrupt):
        dbg.finish().back_until(when=broken)
    assert dbg.finished


def interrupted(command: Callable[[], Any], *lines: int) -> bool:
    """Press Ctrl-C before these lines of the cursor or of a recomputation run, counted from 1; False at the end."""
    run = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal run
        if not frame.f_code.co_filename.endswith(("cursor.py", "replay.py")):
            return None
        run += event == "line"
        if event == "line" and run in lines:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        command()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("again", [0, 1, 5])
@pytest.mark.parametrize("command", ["finish", "back", "until"])
def test_ctrl_c_at_any_moment_and_once_more_on_the_way_back(command: str, again: int) -> None:
    x, y = Value(0.5, "x"), Value(2.0, "y")
    dbg = debug(tanh(dot([x, y, x], [y, y, 3.0]) * x + x.exp()))
    start = state(dbg)
    where = state(dbg.step(5))
    asked = {"finish": dbg.finish, "back": lambda: dbg.back(4), "until": lambda: dbg.until("y")}[command]
    line = 1
    while interrupted(asked, line, line + again):
        assert state(dbg) in ([where, start] if again else [where])
        dbg.restart().step(5)
        line += 1
    assert line > 10


def test_ctrl_c_in_set_leaves_all_numbers_or_none() -> None:
    def numbers() -> list[Any]:
        return [x.data, *((node.data, node.local_derivatives) for node in dbg.order)]

    x = Value(0.5, "x")
    dbg = debug(tanh(x * x) * x + x.exp()).step(3)
    old, place = numbers(), dbg.place
    dbg.set("x", 0.7)
    new = numbers()
    dbg.set("x", 0.5)
    line = 1
    while interrupted(lambda: dbg.set("x", 0.7), line):
        assert numbers() in (old, new)
        assert dbg.place == place
        dbg.set("x", 0.5)
        line += 1
    assert line > 10


@pytest.mark.usefixtures("remembered")
def test_a_graph_keeps_the_gradients_it_had() -> None:
    model, loss = lecture()
    loss.backward()
    held = [(node, node.grad) for node in steps_nodes(loss)]
    dbg = open_all(debug(loss)).until("hidden.neuron2.w[3]")
    dbg.back(40).step(7)
    del dbg
    assert [(node, node.grad) for node, _ in held] == held
    assert len(model.parameters()) == 190


@given(graph=GRAPHS, data=st.data(), little=st.booleans())
def test_dots_opened_and_numbers_set_on_the_way_end_as_backward(
    graph: Expression, data: st.DataObject, little: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cursor, "_REMEMBERED", 2 if little else 1000)
        dbg = debug(graph.build())
        leaves = [node for node in steps_nodes(dbg.root) if not node._inputs]
        for move in data.draw(st.lists(st.sampled_from(["step", "back", "open", "set", "forward"]), max_size=12)):
            if move == "step":
                dbg.step(3)
            elif move == "back":
                dbg.back(4)
            elif move == "forward":
                dbg.restart(forward=True)
            elif move == "set" and leaves:
                dbg.set(data.draw(st.sampled_from(leaves)), data.draw(st.floats(-3, 3)))
            elif dots := [node for node in dbg.order if node.op == "dot"]:
                with suppress(ValueError):  # a factor stands in it crosswise
                    dbg.open(data.draw(st.sampled_from(dots)))
        dbg.finish().finish()
        dbg.root.backward()
        assert dbg.finished
        assert all(bits(dbg.gradient(node)) == bits(node.grad) for node in steps_nodes(dbg.root))


def test_a_dot_is_opened_into_its_products() -> None:
    w, x = [Value(2.0, "w0"), Value(3.0, "w1")], [Value(10.0, "x0"), 0.5]
    z = dot(w, x)
    dbg = debug(tanh(z * 0.01)).until(op="dot")
    upstream = dbg.gradient(z)
    assert dbg.open().node is z
    assert [step.parent.label for step in dbg.ledger()[1]] == ["v1[0]", "v1[1]"]
    assert [step.contribution for step in dbg.ledger()[1]] == [upstream, upstream]
    dbg.next()
    assert (dbg.node.op, dbg.node.data) == ("mul", 20.0)  # type: ignore[union-attr]
    assert [(s.parent.label, s.local) for s in dbg.ledger()[1]] == [("w0", 10.0), ("x0", 2.0)]
    dbg.next()
    assert [(s.parent.label, s.argument, s.local) for s in dbg.ledger()[1]] == [("w1", 0, 0.5)]
    assert dbg.until(op="mul").finished  # the other mul, z * 0.01, is behind
    assert dbg.back_until(op="mul").node.label == "v1[1]"  # type: ignore[union-attr]


def test_a_dot_that_has_begun_is_gone_back_to_and_one_in_the_forward_pass_opens_too() -> None:
    _, loss = lecture()
    dbg = debug(loss).until("hidden.neuron1.w[8]")
    node, gradients = dbg.node, dict(dbg.gradients)
    assert node is not None
    assert dbg.open().node is node
    assert dbg.place[1] == 0
    dbg.until("hidden.neuron1.w[8]")
    assert dbg.gradient(dbg.find("hidden.neuron1.w[8]")[0]) == gradients[dbg.find("hidden.neuron1.w[8]")[0]]
    forward = debug(loss).restart(forward=True).until(op="dot")
    computed = forward.place
    assert forward.open().place == computed
    assert forward.node.op == "mul"  # type: ignore[union-attr]
    assert forward.finish().place == (0, 0)
    behind = debug(loss).restart(forward=True).until(op="sigmoid")
    sigmoid = behind.node
    assert behind.open(next(n for n in behind.order[::-1] if n.op == "dot")).node is sigmoid


def test_open_dots_of_a_graph_without_any() -> None:
    x = Value(2.0, "x")
    assert [node.op for node in debug(x * x, open_dots=True).order] == ["mul"]
    assert debug(x, open_dots=True).finished


@pytest.mark.usefixtures("remembered")
def test_every_dot_opens_at_once() -> None:
    _, loss = lecture()
    dbg = debug(loss, open_dots=True)
    assert sum(node.op == "mul" for node in dbg.order) == 3 * 49 + 10 * 3
    loss.backward()
    assert all(bits(dbg.finish().gradient(node)) == bits(node.grad) for node in steps_nodes(loss))
    assert dbg.gradients.keys() == steps_nodes(loss) | set(dbg.order)
    assert len(dbg.back(9).ledger(5000)[0]) <= dbg.place[1]


@pytest.mark.usefixtures("remembered")
def test_set_computes_forward_and_keeps_the_place() -> None:
    def make(x: float) -> Value:
        a, w = Value(x, "x"), Value(2.0, "w")
        return tanh(dot([w, a], [a, w]) * a + (a - 0.1).exp())

    dbg = open_all(debug(make(0.5))).step(7)
    other = open_all(debug(make(0.7))).step(7)
    dbg.set("x", 0.7)
    assert dbg.root.data == other.root.data
    assert dbg.place == other.place
    assert [bits(g) for g in dbg.gradients.values()] == [bits(g) for g in other.gradients.values()]
    dbg.finish()
    other.root.backward()
    assert dbg.gradient(dbg.find("x")[0]) == other.find("x")[0].grad


def test_set_with_a_mistake_changes_nothing() -> None:
    x = Value(2.0, "x")
    y = x * x
    y.label = "y"
    dbg = debug(y + Value(3.0, "x2"))
    for wrong, message in {
        "y": "a number is set at a leaf, and y is computed from others",
        "x*": "is the name of 2 nodes",
    }.items():
        with pytest.raises(ValueError, match=message):
            dbg.set(wrong, 1.0)
    with pytest.raises(TypeError, match="the number to set needs one real number"):
        dbg.set("x", "much")  # type: ignore[arg-type]
    y.op = "unheard of"
    with pytest.raises(ValueError, match="the op 'unheard of' has no row to compute it by"):
        dbg.set("x", 1.0)
    assert (x.data, y.data) == (2.0, 4.0)


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        (lambda dbg: debug(3.0), TypeError, r"debug steps through the graph of a Value, got 3\.0 of type float"),
        (lambda dbg: dbg.until("wx"), ValueError, "no node of this graph is at label wx; did you mean [wx] or [wx]"),
        (lambda dbg: dbg.until("zzz"), ValueError, "no node of this graph is at label zzz; its labels are w, x"),
        (lambda dbg: dbg.until(Value(1.0)), ValueError, "no node of this graph is at the node given"),
        (lambda dbg: dbg.until(op="tahn"), ValueError, "there is no op 'tahn'; did you mean 'tan'"),
        (lambda dbg: dbg.until(op="qqq"), ValueError, "there is no op 'qqq'; legal are add, sub"),
        (lambda dbg: dbg.until(op="cos"), ValueError, "no node of this graph is at op cos"),
        (lambda dbg: dbg.until(line="train.py"), ValueError, r"line= is a line number, or a file and a number"),
        (lambda dbg: dbg.until(when=3), TypeError, "when= is a function of a Step"),
        (lambda dbg: dbg.until([]), TypeError, "a breakpoint stands at a Value, a label, a module or several Values"),
        (lambda dbg: dbg.until(3.5), TypeError, r"a breakpoint stands at a Value, .*got 3\.5"),
        (lambda dbg: dbg.until(), ValueError, "nothing to stop at: say until"),
        (lambda dbg: dbg.break_at(), ValueError, "a breakpoint needs a condition"),
        (lambda dbg: dbg.break_at("zzz"), ValueError, "no node of this graph is at label zzz"),
        (lambda dbg: dbg.clear(1), ValueError, "there is no breakpoint 1; there are 0, counted from 1"),
        (lambda dbg: dbg.open(), ValueError, "only a dot is opened into products, got Value"),
        (lambda dbg: dbg.open(dot([Value(1.0)], [2.0])), ValueError, "only a dot of this graph can be opened"),
        (lambda dbg: debug(dot([Value(1.0)], [2.0])).finish().open(), ValueError, "only a dot of this graph"),
        (lambda dbg: dbg.step(-1), ValueError, "count is -1, but must be a whole number, 0 or more"),
        (lambda dbg: dbg.back(0.5), ValueError, r"count is 0\.5, but must be a whole number, 0 or more"),
    ],
)
def test_a_mistake_is_named_and_nothing_moves(wrong: Callable[[Any], Any], kind: Any, message: str) -> None:
    dbg = debug(tanh(Value(2.0, "w") * Value(0.5, "x"))).step()
    before = state(dbg)
    with pytest.raises(kind, match=message):
        wrong(dbg)
    assert state(dbg) == before
    assert dbg.breakpoints == []


@pytest.mark.parametrize("number", [0.2, 0.3])
def test_a_dot_with_a_factor_crosswise_stays_closed(number: float) -> None:
    a, b, c = Value(0.1, "a"), Value(0.2, "b"), Value(number, "c")
    dbg = debug(dot([c, a], [a, b]))
    with pytest.raises(ValueError, match="L has a factor both on its left and, earlier, on its right"):
        dbg.open()  # where b and c are the same number, too: set could change one of them
    assert debug(dot([a, b], [a, b])).open().node.op == "dot"  # type: ignore[union-attr]


def test_a_gradient_is_asked_for_by_node_label_or_name() -> None:
    w = Value(2.0, "w")
    dbg = debug(tanh(w * Value(0.5, "x") + Value(1.0, "x"))).until("w")
    assert dbg.gradient("w") == dbg.gradient(w) != 0.0
    assert dbg.gradient("v1") == dbg.last.upstream  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="'x' is the name of 2 nodes; give the node itself"):
        dbg.gradient("x")
    with pytest.raises(ValueError, match="no node of this graph is at label q"):
        dbg.gradient("q")


def test_data_changed_after_the_forward_pass_is_told_at_the_turn_and_at_the_node() -> None:
    w = Value(2.0, "w")
    y = tanh(w * 3 + w)
    assert "data was changed" not in repr(debug(y).finish().restart())
    w.data = 5.0
    dbg = debug(y)
    assert "data was changed since, seen at v1, v2; the derivatives are those of the forward pass" in repr(dbg)
    assert "the numbers of that pass gave 6" in repr(dbg.until("v1"))
    assert "data was changed" not in repr(dbg.set("w", 5.0))
    x = Value(1.0, "x")
    z = w * 2 + x * 3
    w.data = 1.0
    assert debug(z).set("x", 10.0).root.data == 32.0  # the whole forward pass is run, not what depends on x alone


def test_leaves_without_a_label_have_names_too() -> None:
    a, b = Value(2.0), Value(-3.0)
    dbg = debug(tanh(a * b + Value(1.0, "bias") * 4))
    x1, x2 = dbg.find("x1")[0], dbg.find("x2")[0]
    assert [x1, x2] == [a, b]
    text = repr(dbg.until("x1"))
    assert "at    v2 = x1 * x2 = 2 * (-3) = -6" in text
    assert "├ x1 = 2 " in text
    assert dbg.set("x2", 0.5).gradient("x1") == dbg.gradient(a) != 0.0
    assert b.data == 0.5
    with pytest.raises(ValueError, match="at label x3"):
        dbg.find("x3")


def test_what_is_not_found_is_described() -> None:
    with record_lines():
        x, y = Value(2.0, "w[0]"), Value(3.0, "w[1]")
        root = tanh(x * y)
    dbg = debug(root)
    for wrong, hint in {"w": r"write w\* for all labels that begin so", "q": r"its labels are w\[0\], w\[1\]$"}.items():
        with pytest.raises(ValueError, match=hint):
            dbg.until(wrong)
    with pytest.raises(ValueError, match="at op cos; its ops are mul, tanh"):
        dbg.until(op="cos")
    with pytest.raises(ValueError, match=rf"at line 1; its lines are {root.line.number}$"):  # type: ignore[union-attr]
        dbg.until(line=1)
    with pytest.raises(
        ValueError, match=r"have no labels; give them some where they are made, as in Value\(2\.0, 'w'\)"
    ):
        debug(Value(2.0) * 3).until("w")


def test_all_dots_are_opened_but_those_with_a_factor_crosswise() -> None:
    x, y = Value(0.5, "x"), Value(2.0, "y")
    dbg = debug(dot([x, x], [x, y]) + dot([x, y], [2.0, 3.0]), open_dots=True)
    assert dbg.notice == "1 of 2 dots stay closed: a factor stands in them crosswise"
    assert sum(node.op == "mul" for node in dbg.order) == 2
    assert debug(dot([x, x], [x, y]), open_dots=True).notice.startswith("1 of 1 dots")
    assert debug(x * y, open_dots=True).notice == "there is no dot to open in this graph"


def test_a_leaf_by_itself() -> None:
    x = Value(3.0, "x")
    dbg = debug(x)
    assert dbg.finished
    assert dbg.gradients == {x: 1.0}
    assert dbg.step().back().gradient(x) == 1.0
    assert "∂x/∂x = 1" in repr(dbg)


def test_deep_and_wide_graphs() -> None:
    x, c, y = Value(1.0), Value(0.5), Value(0.25)
    for i in range(20_000):
        x = x * c + y
        if i == 10_000:
            x.label = "middle"
    dbg = debug(x)
    place = dbg.until("middle").place
    assert dbg.back(1500).step(1500).place == place
    assert dbg.gradient(dbg.find("middle")[0]) == 0.0  # 0.5 ** 9999 is too small for a double
    assert len(repr(dbg)) < 3000
    many = [Value(float(i), f"x{i}") for i in range(20_000)]
    wide = debug(total(many)).until("x15000")
    assert wide.place == (0, 15_001)
    assert wide.back(1500).place == (0, 13_501)
    assert len(repr(wide)) < 3000


NASTY = ["a\nb", "\x1b[31mred", "{0} {x}", "<b>&", "×" * 500, "%s %d", "\\frac{", "\u202e"]


@pytest.mark.parametrize("label", NASTY)
@pytest.mark.parametrize("number", [math.nan, math.inf, -0.0, 5e-324])
def test_whatever_the_labels_and_numbers_are_it_prints(label: str, number: float) -> None:
    x = Value(number, label)
    with pytest.warns(RuntimeWarning) if number == math.inf else nullcontext():
        root = dot([x, x], [2.0, x]) + (x - x)
    root.label = label
    dbg = debug(root, open_dots=True).restart(forward=True)
    for _ in range(12):
        text = repr(dbg)
        assert text.replace("\n", "").isprintable()
        assert max(map(len, text.splitlines())) < 300
        dbg.step()


@pytest.mark.parametrize("op", RULES)
def test_every_row_of_the_table_can_be_stepped_through(op: str) -> None:
    rule = RULES[op]
    args = [Value(0.5 + 0.1 * i, f"x{i}") for i in range(rule.arity or 4)]
    dbg, root = debug(apply(op, *args)), apply(op, *args)
    assert f"at    L = {written(op, [x.label for x in args])}" in repr(dbg)
    assert [step.local for step in dbg.ledger(9)[1]] == list(root.local_derivatives)


def test_products_have_the_numbers_of_the_forward_pass() -> None:
    x, w = Value(2.0, "x"), Value(3.0, "w")
    z = dot([w, w], [x, x])
    x.data, w.data = 50.0, 70.0
    dbg = debug(z, open_dots=True)
    assert [product.data for product in dbg.order[1:]] == [6.0, 6.0]
    z.backward()
    assert bits(dbg.finish().gradient(w)) == bits(w.grad)


def test_the_neighbourhood_shows_what_a_node_goes_into_in_either_pass() -> None:
    x, b = Value(0.5, "x"), Value(1.0, "b")
    u = x * x
    u.label = "u"
    dbg = debug(tanh(u + b) + u)
    around = repr(dbg.restart(forward=True)).partition("around\n")[2]
    assert around.splitlines() == [
        "    v3 = tanh(v2) = 0.848284",
        "    └ v2 = u + b = 1.25         and 1 more use",
        "      └ u = x * x = 0.25        ← here",
        "        └ x = 0.5",
    ]
    assert "and 1 more use" in repr(dbg.restart().until("u"))


def test_a_negative_base_stands_in_brackets() -> None:
    assert written("pow", ["-1", "2"]) == "(-1) ** 2"


def test_back_until_finds_a_stop_at_an_earlier_edge_of_the_same_operation() -> None:
    leaves = [Value(float(i), f"x{i}") for i in range(4)]
    assert debug(total(leaves)).step(3).back_until("x0").place == (0, 1)
