"""The command line as a user calls it, and the page that the demo leaves behind."""

import html.parser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd_mini import __version__
from autograd_mini.cli import main
from viz.demo import run_demo


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograd_mini", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    result = call("demo", "--epochs", "2", "--out", str(folder))
    assert result.returncode == 0, result.stderr
    return folder, result.stdout + result.stderr


def test_version_and_help() -> None:
    assert call("--version").stdout == f"autograd-mini {__version__}\n"
    assert "demo" in call("--help").stdout
    options = call("demo", "--help").stdout
    assert all(option in options for option in ("--hidden", "--epochs", "--seed", "--out"))


def test_a_wrong_call_exits_with_2_and_says_what_is_legal() -> None:
    result = call("demmo")
    assert result.returncode == 2
    assert "invalid choice: 'demmo' (choose from " in result.stderr


@pytest.mark.parametrize("option", ["--hidden", "--epochs"])
def test_a_size_of_0_is_refused_by_name(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", option, "0", "--out", str(tmp_path)]) == 1
    assert f"{option[2:]} is 0, but must be a whole number, 1 or more" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["demo", "--out", str(tmp_path / "file")]) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_ctrl_c_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("autograd_mini.cli.run_demo", interrupted)
    assert main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_the_demo_prints_how_it_went(demo: tuple[Path, str]) -> None:
    folder, output = demo
    assert "150 parameters" in output
    assert re.search(r"epoch 2/2 .*loss [\d.]+, [\d.]+% \| validation loss [\d.]+, [\d.]+%", output)
    assert re.search(r"test accuracy [\d.]+%, on 269 digits", output)
    assert str(folder / "index.html") in output


class Outline(html.parser.HTMLParser):
    """Collects the headings, the links of a page and the number of cells in its tables."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.links: list[str] = []
        self.cells = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attributes if name in ("href", "src", "srcset") and value]
        self.cells += tag == "td"
        if tag == "h2":
            self.headings.append("")

    def handle_data(self, data: str) -> None:
        if self.headings and not self.headings[-1]:
            self.headings[-1] = data


def test_the_page_shows_all_that_was_promised(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    outline = Outline()
    outline.feed((folder / "index.html").read_text(encoding="utf-8"))
    assert outline.headings == [
        "The network before training",
        "The network after training",
        "What each hidden neuron looks for",
        "Learning",
        "Two digits from the test set",
        "Who is taken for whom",
    ]
    assert outline.cells == 3 * 49 + 2 * (49 + 10) + 10 * 10
    assert outline.links
    assert [link for link in outline.links if not (folder / link).is_file()] == [], "every link stays in the folder"


def test_the_page_allows_nothing_from_outside_and_runs_no_script(demo: tuple[Path, str]) -> None:
    page = (demo[0] / "index.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_same_seed_writes_the_same_page(demo: tuple[Path, str], tmp_path: Path) -> None:
    run_demo(epochs=2, out=tmp_path)
    for name in ("index.html", "after.svg", "after.dot"):
        if (demo[0] / name).exists():
            assert (tmp_path / name).read_bytes() == (demo[0] / name).read_bytes()


def test_without_a_renderer_the_page_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    page = run_demo(epochs=1, out=tmp_path).read_text(encoding="utf-8")
    assert "apt install graphviz" in page
    assert (tmp_path / "after.dot").read_text().startswith("digraph")
