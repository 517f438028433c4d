"""The demo's chart and page, on numbers made by hand."""

import re
from pathlib import Path

import pytest

from nn import MLP, History
from viz.chart import line_chart
from viz.colors import diverging, grey
from viz.demo_page import Prediction, write_demo_page
from viz.figure import Figure

SHARES = {digit: [0.91 if i == digit else 0.01 for i in range(10)] for digit in range(10)}
DOTS = {theme: Figure("digraph { a }") for theme in ("light", "dark")}


def points(svg: str, line: int) -> list[list[float]]:
    found = re.search(rf'class="line{line}" points="([^"]*)"', svg)
    assert found
    return [[float(x) for x in point.split(",")] for point in found[1].split()]


def test_a_line_falls_where_the_number_falls_and_runs_to_the_right() -> None:
    (x0, y0), (x1, y1), (x2, y2) = points(line_chart("loss", {"train": [2.0, 1.0, 1.5]}), 0)
    assert x0 < x1 < x2
    assert y0 < y2 < y1  # SVG counts downwards
    assert (y1 - y0) == pytest.approx(2 * (y2 - y0), abs=0.2)


def test_labels_of_lines_that_end_together_do_not_lie_on_one_another() -> None:
    svg = line_chart("loss", {"train": [2.0, 1.0], "validation": [2.0, 1.001]})
    heights = [float(y) for y in re.findall(r'class="label\d" x="[^"]*" y="([^"]*)"', svg)]
    assert abs(heights[0] - heights[1]) >= 15


@pytest.fixture
def page(tmp_path: Path) -> str:
    model = MLP(49, [1, 10], activation="sigmoid", initializer="zeros")
    for i, weight in enumerate(model.layers[0].neurons[0].w):
        weight.data = (i - 24) / 24
    predictions = [
        Prediction([1.0] + [0.0] * 48, 3, SHARES[5]),
        Prediction([0.0] * 48 + [1.0], 4, SHARES[4]),
    ]
    history = History()
    for loss, accuracy, validation_loss, validation_accuracy in ((2.0, 0.2, 2.1, 0.1), (1.0, 0.75, 1.5, 0.5)):
        history.add_epoch(
            {
                "loss": loss,
                "accuracy": accuracy,
                "validation_loss": validation_loss,
                "validation_accuracy": validation_accuracy,
            }
        )
    matrix = [[int(t == p) * 9 + int((t, p) == (3, 5)) for p in range(10)] for t in range(10)]
    pictures = {"before": DOTS, "after": DOTS}
    path = write_demo_page(tmp_path, model, pictures, history, predictions, matrix, "command")
    return path.read_text(encoding="utf-8")


def test_the_correct_digit_comes_first_and_each_caption_is_its_own(page: str) -> None:
    assert re.findall(r"a \d, read as \d: \w+", page) == ["a 4, read as 4: correct", "a 3, read as 5: wrong"]
    assert re.findall(r"<tr class=answer><th>(\d)</th>", page) == ["4", "5"]
    assert "<b>50.0%</b> of 2 test digits" in page


def test_ink_is_dark_where_the_pixel_is(page: str) -> None:
    digits = page.split("Two digits")[1].split("Who is taken")[0]
    first, second = re.findall(r"<table class=grid>(.*?)</table>", digits)
    fills = [re.findall(r"background:(#\w+)", table) for table in (first, second)]
    assert fills[0] == [grey(0.0, 0.0, 1.0)] * 48 + [grey(1.0, 0.0, 1.0)]
    assert fills[1] == [grey(1.0, 0.0, 1.0)] + [grey(0.0, 0.0, 1.0)] * 48


def test_positive_weights_are_blue_as_the_text_says(page: str) -> None:
    weights = page.split("What each hidden neuron looks for")[1].split("Learning")[0]
    assert "ink on a blue pixel excites it" in weights
    fills = re.findall(r"background:(#\w+)", weights)
    assert (fills[0], fills[24], fills[48]) == (diverging(-1.0, 1.0), diverging(0.0, 1.0), diverging(1.0, 1.0))


def test_each_curve_is_its_own(page: str) -> None:
    labels = re.findall(r'class="label\d"[^>]*>([^<]*)<', page)
    assert labels == ["train 1", "validation 1.5", "train 75.0%", "validation 50.0%"]


def test_the_confusion_table_marks_right_and_wrong(page: str) -> None:
    row = page.split("<tr><th scope=row>3</th>")[1].split("</tr>")[0]
    classes = re.findall(r'<td class="(\w+)">(\d+)</td>', row)
    assert classes[3] == ("right", "9")
    assert classes[5] == ("wrong", "1")
    assert classes[0] == ("none", "0")
