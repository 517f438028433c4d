"""Pages of training runs, and those that ``autograd-mini explore`` writes."""

import base64
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_mini import Value
from autograd_mini.cli import main
from autograd_mini.functions import sum as add_up
from nn import MLP, Dataset, Trainer, moons
from tests.test_explorer import parts
from viz import explore

pytestmark = pytest.mark.skipif(
    shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is laid out"
)


def test_the_command_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    assert main(["explore", "tanh(2*x + b)", "x=0.5", "b=-1.5", "--out", str(out), "--theme", "dark"]) == 0
    assert capsys.readouterr().out == f"6 nodes, {out.stat().st_size / 1e6:.2f} MB; open {out}\n"
    assert '<html lang="en" data-theme="dark">' in out.read_text(encoding="utf-8")
    source = tmp_path / "mine.py"
    source.write_text("from autograd_mini import Value\nx = Value(2.0)\nloss = x * x\n")
    assert main(["explore", f"{source}:loss", "--out", str(out)]) == 0
    lines = parts(out.read_text(encoding="utf-8"))["data"]["graph"]["lines"]
    assert [(place["number"], place["text"]) for place in lines["places"]] == [(3, "loss = x * x")]


def test_the_command_takes_the_shape_of_the_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    words = ["explore", "a*b + c*d + e*f", *(f"{name}=1" for name in "abcdef"), "--out", str(out), "--input-shape"]
    assert main([*words, "2", "3"]) == 0
    [image] = parts(out.read_text(encoding="utf-8"))["data"]["maps"]
    assert (image["columns"], len(image["nodes"])) == (3, 6)
    capsys.readouterr()
    assert main([*words, "4", "3"]) == 1
    assert "(rows, columns) that hold 6 inputs, as (7, 7) holds 49; got (4, 3)" in capsys.readouterr().err


def test_the_command_opens_a_saved_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = tmp_path / "run", tmp_path / "page.html"
    words = ["--data", "moons", "--layers", "4", "--epochs", "2", "--json", "--save", str(run)]
    assert main(["train", *words]) == 0
    capsys.readouterr()
    assert main(["explore", str(run), "--out", str(out), "--row", "1"]) == 0
    found = parts(out.read_text(encoding="utf-8"))["data"]
    assert found["run"]["epochs"] == [0, 1, 2]
    assert found["boundary"]["names"] == ["x", "y"]


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "tanh(x)", "--out", str(tmp_path / "page.html")]) == 1
    assert "type: autograd-mini explore 'tanh(x)' x=1" in capsys.readouterr().err
    for row in "0", "2":
        assert main(["explore", "x*2", "x=1", "--row", row]) == 1
        assert "--row is of the data of a saved run, which x*2 is not; leave it out" in capsys.readouterr().err
    assert main(["explore", str(tmp_path), "x=1"]) == 1
    assert "is no formula, which alone takes inputs such as x=1" in capsys.readouterr().err
    assert main(["explore", "x*2", "x=1", "--out", str(tmp_path)]) == 1
    assert f"'{tmp_path}' is a folder; name a file in it" in capsys.readouterr().err


def halved(outputs: Any, targets: Any) -> Value:
    """A loss of the user's own."""
    return add_up([(output - int(target)) ** 2 / 2 for output, target in zip(outputs, targets, strict=True)])


def test_a_trainer_needs_its_data_and_a_row_of_it(tmp_path: Path) -> None:
    trainer = Trainer(MLP(2, [3, 2], seed=0), progress=False)
    with pytest.raises(ValueError, match="the trainer has no data to explore; call fit first, or attach"):
        explore(trainer, tmp_path / "page.html")
    trainer.fit(moons(20, seed=0), epochs=1)
    with pytest.raises(ValueError, match="the training data has rows 0 to 19, got row 20"):
        explore(trainer, tmp_path / "page.html", row=20)


@pytest.mark.parametrize("saved", [True, False])
def test_a_run_brings_its_checkpoints(saved: bool, tmp_path: Path) -> None:
    trainer = Trainer(MLP(2, [3, 2], seed=0), progress=False, save=tmp_path / "run" if saved else None)
    trainer.fit(moons(20, seed=0), epochs=3)
    before = trainer.model.state()
    run = parts(explore(trainer, tmp_path / "page.html").path.read_text(encoding="utf-8"))["data"]["run"]
    assert run["epochs"] == [0, 1, 2, 3]
    numbers = np.frombuffer(base64.b64decode(run["numbers"])).reshape(4, -1)
    assert numbers[-1].tolist() == [value.data for value in trainer.model.parameters()]
    assert numbers[0].tolist() == [value.data for value in MLP(2, [3, 2], seed=0).parameters()]
    assert [curve["title"] for curve in run["curves"]] == ["loss", "accuracy", "learning rate"]
    assert all(np.array_equal(before[name], array) for name, array in trainer.model.state().items())


def test_quantities_have_no_boundary(tmp_path: Path) -> None:
    data = Dataset([[0.0, 1.0], [1.0, 0.5]], [0.25, 0.75])
    trainer = Trainer(MLP(2, [3, 1], seed=0), loss="mean_squared_error", progress=False)
    trainer.fit(data, epochs=1)
    found = parts(explore(trainer, tmp_path / "page.html").path.read_text(encoding="utf-8"))["data"]
    assert found["boundary"] is None


@pytest.mark.parametrize(
    ("loss", "ends_in", "is_probability"),
    [("binary_cross_entropy", "linear", False), ("mean_squared_error", "linear", True), (halved, "sigmoid", True)],
)
def test_a_lone_output_is_a_logit_or_a_probability(
    loss: Any, ends_in: str, is_probability: bool, tmp_path: Path
) -> None:
    trainer = Trainer(MLP(2, [3, 1], output_activation=ends_in, seed=0), loss=loss, progress=False)
    trainer.fit(moons(20, seed=0), epochs=1)
    found = parts(explore(trainer, tmp_path / "page.html").path.read_text(encoding="utf-8"))["data"]
    assert found["boundary"]["isProbability"] is is_probability
