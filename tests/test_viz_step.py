"""draw_step: the nodes near the place, this pass's gradients, the edges of the step just taken and of the next."""

import json
import math
import re
import shutil
from typing import Any

import pytest

from autograd_mini import Value, debug, dot, topological_order
from autograd_mini.standing import product_line
from nn import MLP, cross_entropy
from viz import draw_step
from viz.colors import THEMES
from viz.render import render

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is parsed")


def nodes(source: str) -> list[str]:
    return re.findall(r"^\t(n\d+) \[label=<", source, re.MULTILINE)


def marked(source: str) -> list[tuple[str, str]]:
    """The label and the style of every edge that is pointed out."""
    lines = [line for line in source.splitlines() if "penwidth=2" in line]
    return [(re.findall('label="([^"]*)"', line)[-1].strip(), re.findall("style=(\\w+)", line)[0]) for line in lines]


def network() -> Value:
    return cross_entropy(MLP(49, [3, 10], activation="sigmoid", seed=0)([0.5] * 49), 3)


def test_every_place_of_a_walk_shows_both_edges_with_their_numbers() -> None:
    x, w = Value(0.5, "x"), Value(2.0, "w")
    dbg = debug(((w * x + x).tanh() * w).sin())
    while not dbg.finished:
        expected = [(product_line(dbg.last), "solid")] if dbg.last else []
        expected.append((product_line(dbg.upcoming), "dashed"))
        source = draw_step(dbg).source
        assert sorted(marked(source)) == sorted(expected)
        assert len(re.findall(">[^<]+ here<", source)) == 1
        dbg.step()
    source = draw_step(dbg).source
    assert marked(source) == [(product_line(dbg.last), "solid")]
    assert " here<" not in source


def test_gradients_are_those_of_this_pass_so_far() -> None:
    x = Value(0.5, "x")
    loss = (x * 2).tanh()
    loss.backward()
    source = draw_step(debug(loss)).source
    assert source.count(">not computed<") == 2, "of x and of the product; the constant has none"
    assert ">not computed<" not in draw_step(debug(loss).finish()).source


def test_in_the_forward_pass_numbers_still_to_come_are_not_shown() -> None:
    x = Value(0.5, "x")
    dbg = debug((x * 2).tanh()).restart(forward=True)
    source = draw_step(dbg).source
    assert source.count(">not computed<") == 2 + 3, "two operations have no number, and all three nodes no gradient"
    assert "local" not in source
    assert not marked(source)
    assert "local 2" in draw_step(dbg.step()).source


def test_nodes_without_a_label_are_called_as_the_debugger_calls_them() -> None:
    source = draw_step(debug((Value(2.0) * Value(3.0) + 1).tanh())).source
    assert [f">{name}<" in source for name in ("x1", "x2", "v1", "v2", "L", "x3")] == [True] * 5 + [False]


def test_radius_is_how_far_one_sees() -> None:
    node = Value(0.5, "x")
    for _ in range(20):
        node = node.tanh()
    dbg = debug(node).next(10)
    for radius in (1, 2, 5):
        source = draw_step(dbg, radius=radius).source
        # three nodes make the two edges, and on either side there are `radius` more, of which one is among the three
        assert len(nodes(source)) == 3 + 2 * radius
        assert "1 more argument" in source
        assert "1 more use" in source


def test_the_picture_is_around_a_node_whose_number_is_zero_too() -> None:
    zero = Value(0.5, "x").tanh() - math.tanh(0.5)
    loss = zero
    for _ in range(5):
        loss = loss.sin()
    dbg = debug(loss).restart(forward=True).step()
    assert dbg.node is zero
    source = draw_step(dbg).source
    assert ">-  here<" in source
    assert ">x<" in source


def test_of_a_long_dot_the_factors_near_the_edge_are_shown_and_the_others_counted() -> None:
    dbg = debug(network()).until("hidden.neuron1.w[8]")
    source = draw_step(dbg).source
    for shown in (8, 9, 10):
        assert f"hidden.neuron1.w[{shown}&#93;" in source
    assert "w[7&#93;" not in source
    assert "92 more arguments" in source
    assert len(nodes(source)) < 20


def test_an_opened_dot_is_drawn_as_its_products() -> None:
    for looked_at_before in (False, True):
        loss = network()
        if looked_at_before:
            draw_step(debug(loss).until("hidden.neuron1.w[8]"))  # makes Values of the constants among the parents
        dbg = debug(loss).until("hidden.neuron1.w[8]").open().next().until("hidden.neuron1.w[8]")
        source = draw_step(dbg).source
        assert "v7[8&#93;" in source
        assert (product_line(dbg.last), "solid") in marked(source)


def test_every_use_of_a_busy_node_is_counted() -> None:
    x = Value(0.5, "x")
    loss = dot([x.sin() for _ in range(40)], [1.0] * 40)
    source = draw_step(debug(loss).until("x")).source
    assert re.search(r"3[5-9] more uses", source)
    assert len(nodes(source)) < 20


@needs_dot
@pytest.mark.parametrize("theme", THEMES)
def test_graphviz_draws_it_whatever_the_labels_hold(theme: str) -> None:
    x = Value(0.5, '</TD>"\x1b[31m\\N{}|')
    dbg = debug((x * 2 + x).tanh())
    while True:
        graph = json.loads(render(draw_step(dbg, theme=theme).source, "json"))
        assert 1 <= len(graph["objects"]) <= 10
        if dbg.finished:
            break
        dbg.step()


def test_a_single_leaf_is_a_picture() -> None:
    assert nodes(draw_step(debug(Value(1.0))).source) == ["n0"]


def test_drawing_moves_and_writes_nothing() -> None:
    loss = network()
    dbg = debug(loss).step(20)
    before = dbg.place, dict(dbg.gradients)
    draw_step(dbg)
    assert (dbg.place, dict(dbg.gradients)) == before
    assert not any(node.has_grad for node in topological_order(loss))


def test_wrong_arguments_are_told_the_fix() -> None:
    with pytest.raises(TypeError, match=r"where a Debugger stands, got Value.*; write debug\(loss\)"):
        draw_step(Value(1.0))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="radius is 0, but must be a whole number, 1 or more"):
        draw_step(debug(Value(1.0)), radius=0)
    wrong: Any = "2"
    with pytest.raises(TypeError, match="radius is '2', but must be a whole number, 1 or more"):
        draw_step(debug(Value(1.0)), radius=wrong)
    with pytest.raises(ValueError, match="unknown theme 'pink'"):
        draw_step(debug(Value(1.0)), theme="pink")
    with pytest.raises(ValueError, match="unknown rankdir 'up'; the directions are 'LR', 'RL', 'TB', 'BT'"):
        draw_step(debug(Value(1.0)), rankdir="up")
