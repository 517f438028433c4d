"""Canvas: what is drawn lies where it was put, and a smooth line leaves no band between two points."""

import math
import operator
import re
import shutil

import pytest

from viz.canvas import Canvas, smooth, straight
from viz.colors import THEMES
from viz.render import render

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is drawn")


def bezier(path, pieces=20):
    for i in range(0, len(path) - 1, 3):
        a, b, c, d = path[i : i + 4]
        for j in range(pieces + 1):
            t = j / pieces
            shares = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
            yield tuple(sum(map(operator.mul, shares, axis)) for axis in zip(a, b, c, d, strict=True))


def test_lines_end_at_their_points_and_have_as_many_control_points_as_a_spline_needs():
    points = [(0.0, 1.0), (1.0, 3.0), (4.0, -2.0)]
    for path in (straight(points), smooth(points)):
        assert len(path) == 7
        assert path[::3] == points
    assert straight([]) == smooth([]) == straight([(1.0, 1.0)]) == smooth([(1.0, 1.0)]) == []


def test_a_smooth_line_is_close_to_the_function_that_its_points_are_of():
    points = [(i / 10, math.tanh(i / 10)) for i in range(-40, 41)]
    assert max(abs(y - math.tanh(x)) for x, y in bezier(smooth(points))) < 3e-4
    assert all(y == pytest.approx(2.0 * x) for x, y in bezier(smooth([(0.0, 0.0), (1.0, 2.0), (5.0, 10.0)])))


def test_a_smooth_line_overshoots_nowhere():
    step = [(0.0, 0.0), (1.0, 0.0), (1.001, 1.0), (2.0, 1.0), (3.0, 0.4)]
    assert all(-1e-12 <= y <= 1.0 + 1e-12 for _, y in bezier(smooth(step)))


@needs_dot
def test_everything_is_drawn_where_it_was_put():
    canvas = Canvas(200, 100, THEMES["light"])
    canvas.line(straight([(10.0, 20.0), (40.0, 20.0)]), "#ff0000", style="dashed")
    canvas.mark((150.0, 50.0), 10.0, "#00ff00", hint="here")
    canvas.text((100.0, 80.0), "<a> & \\N", room=80.0)
    svg = render(canvas.source, "svg").decode()
    assert 'width="200pt" height="100pt"' in svg
    assert 'd="M10,-20C20,-20 30,-20 40,-20"' in svg
    assert re.search(r'cx="150" cy="-50" rx="5"', svg)
    x, y, text = re.search(r'<text [^>]*x="([\d.]+)" y="(-[\d.]+)"[^>]*>(.*?)</text>', svg).groups()
    assert text == r"&lt;a&gt; &amp; \N"
    assert float(x) == pytest.approx(100.0, abs=3.0)
    assert float(y) == pytest.approx(-80.0 + 3.0, abs=2.0)
