"""The gallery: one of every picture, on a page that needs nothing from outside."""

import re
import shutil
import sys

import pytest

import viz
from autograd_mini.cli import main
from nn import ACTIVATIONS
from viz import Figure
from viz.colors import THEMES
from viz.gallery import PICTURES, write_gallery
from viz.gallery.plots import PLOTS

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is drawn")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_can_be_drawn_and_has_no_minus_zero(name, theme, tmp_path):
    if name in PLOTS:
        pytest.importorskip("matplotlib")
        figure = PICTURES[name].draw(theme)
        assert figure.save(tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
        assert len(figure.text.split("\n")) > 1
        return
    figure = PICTURES[name].draw(theme)
    assert isinstance(figure, Figure)
    assert THEMES[theme].background in figure.source
    assert not re.search(r"[> ]-0(\.0+)?[<\" ,;]", figure.source)
    assert len(figure.text.split("\n")) > 2


def test_the_gallery_has_one_of_every_picture():
    calls = " ".join(picture.call for picture in PICTURES.values())
    drawing = [name for name in viz.__all__ if name.startswith(("draw_", "plot_"))]
    assert [name for name in drawing if f"{name}(" not in calls] == []
    assert {f"activation_{name}" for name in ACTIVATIONS} <= set(PICTURES)


@needs_dot
def test_the_page_shows_pictures_of_both_themes_and_needs_nothing_from_outside(tmp_path, capsys):
    only = ["--only", "graph", "--only", "activation_relu"]
    assert main(["gallery", "--out", str(tmp_path / "new"), *only]) == 0
    page = tmp_path / "new" / "index.html"
    assert str(page) in capsys.readouterr().out
    files = {path.name for path in page.parent.iterdir()}
    assert files == {
        "index.html", "graph.svg", "graph-dark.svg", "graph.png", "graph-dark.png",
        "activation_relu.svg", "activation_relu-dark.svg", "activation_relu.png", "activation_relu-dark.png",
    }  # fmt: skip
    text = page.read_text(encoding="utf-8")
    linked = set(re.findall(r'(?:href|src|srcset)="([^"]+)"', text))
    assert linked == files - {"index.html"}
    assert "default-src 'none'" in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("<summary>The same in words</summary>") == 2


def test_without_a_renderer_the_page_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    text = write_gallery(tmp_path, ["graph", "activation_relu"]).read_text(encoding="utf-8")
    assert "apt install graphviz" in text
    assert (tmp_path / "graph.dot").read_text().startswith("digraph")
    assert (tmp_path / "activation_relu.dot").read_text().startswith("graph")


def test_an_unknown_picture_is_named_with_the_legal_ones(tmp_path, capsys):
    assert main(["gallery", "--out", str(tmp_path / "out"), "--only", "grph"]) == 1
    assert "unknown picture 'grph'; the gallery has graph, marks, " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_matplotlib_the_page_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    text = write_gallery(tmp_path, ["weights"]).read_text(encoding="utf-8")
    assert "pip install matplotlib" in text
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
