"""``draw_blame``: the way from a wrong input past the guilty op to the result."""

import re
from typing import Any

import pytest

import autograd_mini as am
from autograd_mini import Report, gradcheck, primitive
from viz import draw_blame
from viz.colors import THEMES


def report(*, depth: int = 1, math_fault: bool = False) -> Report:
    @primitive(lambda y, x: 2 * x**2, symbol="x³")
    def cube(x: float) -> float:
        return x * x * x

    def f(x: Any, b: Any) -> Any:
        h = am.sin(x * b)
        for _ in range(depth):
            h = h + 0.001
        y = am.tanh(cube(h) + b) if not math_fault else am.tanh(h * float(x))
        return y + h * h + am.relu(h)

    return gradcheck(f, 0.5, 2.0)


def nodes_of(source: str) -> list[str]:
    return re.findall(r"^\tn\d+ \[label", source, re.MULTILINE)


@pytest.mark.parametrize("theme", THEMES)
def test_the_guilty_op_and_edge_are_marked_and_carry_both_numbers(theme: str) -> None:
    source = draw_blame(report(), theme=theme).source
    wrong = THEMES[theme].roles["wrong"]
    assert source.count(f'BGCOLOR="{wrong}"') == 1
    assert "x³  wrong" in source
    found = report().blame
    assert found is not None
    assert f"local {found.found:.4g}, by differences {found.expected:.4g}" in source
    assert source.count("penwidth") == 1


def test_the_picture_is_the_shortest_way_and_the_guilty_node_s_operands() -> None:
    source = draw_blame(report()).source
    # x or b, x * b, sin, + 0.001, cube, + b, tanh, + h * h, + relu
    assert len(nodes_of(source)) == 9
    assert ">relu<" not in source


def test_a_long_way_through_a_large_graph_stays_a_line() -> None:
    source = draw_blame(report(depth=400)).source
    assert len(nodes_of(source)) == 9 + 399
    assert source.count("->") == len(nodes_of(source)) - 1


def test_gradients_are_shown_though_the_nodes_hold_none() -> None:
    found = report()
    assert "not computed" not in draw_blame(found).source
    assert not found.root.has_grad


def test_a_fault_of_a_whole_node_is_marked_without_an_edge() -> None:
    found = report(math_fault=True)
    assert found.blame is not None
    assert found.blame.argument is None
    source = draw_blame(found).source
    assert "wrong" in source
    assert "penwidth" not in source


def test_nobody_to_blame() -> None:
    with pytest.raises(ValueError, match="this report blames none; print"):
        draw_blame(gradcheck(am.sin, 0.5))
