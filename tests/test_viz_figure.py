"""Figures: saving, showing in Jupyter, and what happens where no renderer is installed."""

import shutil
import subprocess
import sys
import types

import pytest

from autograd_mini import RenderError
from viz import Figure
from viz.render import render

SOURCE = "digraph { a -> b }"
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is drawn")


@pytest.fixture
def no_renderer(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


@needs_dot
@pytest.mark.parametrize(
    ("suffix", "start"), [(".svg", b"<?xml"), (".SVG", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")]
)
def test_save_draws_what_the_ending_says(tmp_path, suffix, start):
    path = Figure(SOURCE).save(tmp_path / f"picture{suffix}")
    assert path == tmp_path / f"picture{suffix}"
    assert path.read_bytes().startswith(start)


def test_save_writes_the_source_without_any_renderer(tmp_path, no_renderer):
    assert Figure("digraph { é }").save(str(tmp_path / "a.dot")).read_text(encoding="utf-8") == "digraph { é }"


@pytest.mark.parametrize("name", ["picture", "picture.jpg", "picture.svg.gz"])
def test_save_refuses_other_endings(tmp_path, name):
    with pytest.raises(ValueError, match=r"saved as \.svg, \.png, \.pdf, \.dot, got .*picture"):
        Figure(SOURCE).save(tmp_path / name)


def test_save_into_a_missing_folder_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere'; make it first"):
        Figure(SOURCE).save(tmp_path / "nowhere" / "picture.svg")


def test_without_a_renderer_the_error_names_every_remedy_and_no_file_is_left(tmp_path, no_renderer):
    with pytest.raises(RenderError, match="no program dot on the PATH, and the Python package pygraphviz") as caught:
        Figure(SOURCE).save(tmp_path / "picture.svg")
    remedies = ("apt install", "brew install", "conda install", "pip install pygraphviz", '.save("picture.dot")')
    for remedy in remedies:
        assert remedy in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_jupyter_gets_text_that_says_how_to_get_a_picture(no_renderer):
    figure = Figure(SOURCE)
    assert figure._repr_svg_() is None
    bundle = figure._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert bundle["text/plain"].startswith("Figure(")
    assert "apt install graphviz" in bundle["text/plain"]


@needs_dot
def test_jupyter_gets_an_svg():
    bundle = Figure(SOURCE)._repr_mimebundle_(include=None, exclude=None)
    assert "</svg>" in bundle["image/svg+xml"]
    assert "</svg>" in (Figure(SOURCE)._repr_svg_() or "")


@needs_dot
@pytest.mark.parametrize("source", ["digraph { a -> }", "", "\ud800", "digraph { a [label=<<B></B>>] }"])
def test_jupyter_survives_a_broken_source(source):
    assert "Figure(" in Figure(source)._repr_mimebundle_()["text/plain"]


@needs_dot
def test_a_renderer_that_fails_is_quoted():
    with pytest.raises(RenderError, match=r"dot failed \(exit status 1\): .*syntax error"):
        render("digraph { a -> }", "svg")


def test_a_dot_that_does_not_start_is_no_renderer(monkeypatch, tmp_path):
    (tmp_path / "dot").write_text("not a program")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(RenderError, match=r"the program dot does not start .*(?s:.*)apt install graphviz"):
        render(SOURCE, "svg")


class FakeAGraph:
    def __init__(self, string):
        self.string = string

    def layout(self, prog):
        if "fail" in self.string:
            raise OSError("no layout")

    def draw(self, format):
        return f"{format} of {self.string}".encode()


def test_pygraphviz_draws_where_there_is_no_dot(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pygraphviz", types.SimpleNamespace(AGraph=FakeAGraph))
    assert render(SOURCE, "svg") == f"svg of {SOURCE}".encode()
    with pytest.raises(RenderError, match=r"pygraphviz failed: OSError\('no layout'\)(?s:.*)brew install graphviz"):
        render("digraph { fail }", "svg")


def test_repr_is_one_short_line():
    assert repr(Figure(SOURCE)) == 'Figure(picture, 18 characters of DOT; .save("picture.svg") draws it)'


def test_import_needs_no_executable(tmp_path):
    code = "import viz; print(viz.draw_dot(__import__('autograd_mini').Value(1.0)).source[:7])"
    environment = {"PATH": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "digraph\n"
