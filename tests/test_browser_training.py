"""The page of a training run in Chromium: the slider over the checkpoints, what follows it, and the boundary."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_mini.cli import main
from autograd_mini.shell.saved_run import load_run
from nn import MLP, Dataset, Normalization, Trainer, cross_entropy, digits, moons
from tests.browser import Opened
from viz import explore


@pytest.fixture(scope="module")
def run_of_moons(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trainer]:
    folder = tmp_path_factory.mktemp("moons")
    trainer = Trainer(MLP(2, [8, 2], activation="tanh", batch_norm=True, seed=0), optimizer="adam", progress=False)
    trainer.fit(moons(80, seed=0), validation=moons(20, seed=1), epochs=4, batch_size=16)
    explore(trainer, folder / "page.html")
    return folder / "page.html", trainer


def test_a_run_has_checkpoints_curves_and_a_boundary(chromium: Any, tmp_path: Path) -> None:
    train, validation, _ = moons(120, seed=0).split(seed=0)
    trainer = Trainer(MLP(2, [4, 2], activation="tanh", seed=0), progress=False, save=tmp_path / "run")
    trainer.fit(train, validation=validation, epochs=4, batch_size=16)
    path = tmp_path / "run.html"
    explore(trainer, path, row=3)
    opened = Opened(chromium, path)
    page = opened.page
    page.locator("#tab-run").click()
    assert page.locator("svg.curve").count() == 3
    assert "%" in page.locator("svg.curve").nth(1).get_attribute("aria-label")
    assert page.locator("#epoch").get_attribute("max") == "4"
    losses = trainer.history["validation_loss"]
    best = losses.index(min(losses)) + 1
    assert f"evaluate and predict use: epoch {best}" in page.locator("#panel-run").inner_text()
    assert page.locator("svg.curve .best").count() == 3
    page.locator("#best").click()
    assert page.locator("output[for=epoch]").inner_text() == f"after epoch {best}, the best on validation"
    assert page.locator("#epoch").input_value() == str(best)
    page.locator("#epoch").fill("4")
    last = opened.numbers("[explorer.graph.value[explorer.graph.root]]")[0]
    assert last == pytest.approx(row_loss(trainer, 3), rel=1e-12)
    assert page.title().endswith("after 4 epochs")
    page.locator("#epoch").fill("0")
    assert page.title() == page.locator("h1").inner_text()
    assert page.title().endswith("before training")
    page.locator("#epoch").fill("1")
    assert page.title().endswith("after 1 epoch")
    earlier = Trainer.resume(tmp_path / "run" / "epochs" / "0001.npz", progress=False)
    earlier.attach(train, validation=validation)
    found = opened.numbers("[explorer.graph.value[explorer.graph.root]]")[0]
    assert found == pytest.approx(row_loss(earlier, 3), rel=1e-12)
    assert "row 3 of the 84 training rows" in page.locator("#panel-run").inner_text()
    assert "By area" in page.locator(".plane + ul + figcaption").inner_text()
    passes = """(act) => {
      const { graph } = explorer, forward = graph.forward;
      let count = 0;
      graph.forward = (...args) => { count++; forward.apply(graph, args); };
      if (act === "step") explorer.moveTo(3); else explorer.change(graph.leaves[0], 0.5);
      graph.forward = forward;
      return count;
    }"""
    assert page.evaluate(passes, "step") == 0
    assert page.evaluate(passes, "change") > 100
    page.locator("#tab-node").click()
    assert page.evaluate(passes, "change") < 100  # what nobody sees is not drawn
    opened.close()


def test_running_statistics_follow_the_slider(chromium: Any, tmp_path: Path) -> None:
    small = digits()[:64]
    trainer = Trainer(MLP(49, [4, 10], batch_norm=True, seed=0), progress=False, save=tmp_path / "run")
    trainer.fit(small, epochs=3, batch_size=16)
    explore(trainer, tmp_path / "page.html", row=5)
    opened = Opened(chromium, tmp_path / "page.html")
    opened.page.locator("#tab-run").click()
    assert opened.page.locator("#panel-run .note").count() == 0
    for epoch in (0, 1, 2, 3):
        opened.page.locator("#epoch").fill(str(epoch))
        earlier = Trainer.resume(tmp_path / "run" / "epochs" / f"{epoch:04}.npz", progress=False)
        earlier.attach(small)
        found = opened.numbers("[explorer.graph.value[explorer.graph.root]]")[0]
        assert found == pytest.approx(row_loss(earlier, 5), rel=1e-12)
    opened.close()


def test_the_boundary_is_where_the_model_is_undecided(chromium: Any, run_of_moons: tuple[Path, Trainer]) -> None:
    path, trainer = run_of_moons
    opened = Opened(chromium, path)
    page = opened.page
    page.locator("#tab-run").click()
    line = page.locator(".plane .contour").get_attribute("d")
    assert line
    ends = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", line), dtype=float)
    box = page.evaluate("explorer.data.boundary.box")
    places = "([a, b, c, d]) => [a, b].map(explorer.boundary.x).concat([c, d].map(explorer.boundary.y))"
    corners = page.evaluate(places, box)
    x = np.interp(ends[:, 0], corners[:2], box[:2])
    y = box[2] + (ends[:, 1] - corners[2]) / (corners[3] - corners[2]) * (box[3] - box[2])
    outputs = np.array([[float(z) for z in row] for row in trainer.predict(np.column_stack([x, y])[::20])])
    assert np.abs(1.0 / (1.0 + np.exp(outputs[:, 0] - outputs[:, 1])) - 0.5).max() < 0.05  # straight within a cell
    assert page.locator(".plane .mark").count() == 80
    assert page.locator(".plane text.name").all_text_contents() == ["x", "y"]
    assert page.locator(".legend li").all_inner_texts() == [
        "class 0", "class 1", "the row of this page", "both classes at 0.5",
    ]  # fmt: skip
    before = page.evaluate("explorer.boundary.line.getAttribute('d')")
    page.locator("#epoch").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("explorer.boundary.line.getAttribute('d')") != before
    opened.close()


def test_places_on_the_axes_are_told_apart(chromium: Any, tmp_path: Path) -> None:
    rows = moons(30, seed=0)
    trainer = Trainer(MLP(2, [2], seed=0), progress=False)
    trainer.fit(Dataset(rows.inputs * [200.0, 0.001] + [1000.0, 5.0], rows.targets), epochs=1)
    explore(trainer, tmp_path / "page.html")
    opened = Opened(chromium, tmp_path / "page.html")
    opened.page.locator("#tab-run").click()
    for axis in ("middle", "end"):
        texts = opened.page.locator(f".plane text.{axis}:not(.name)").all_text_contents()
        assert len(texts) == len(set(texts)) >= 3
        assert not any("e" in text for text in texts)
    opened.close()


def test_of_many_classes_the_target_is_shown_and_the_largest_left_out_is_told(chromium: Any, tmp_path: Path) -> None:
    trainer = Trainer(MLP(1, [25], seed=0), progress=False)
    trainer.fit(Dataset([[k / 25] for k in range(25)], list(range(25))), epochs=1)
    trainer.model.layers[0].neurons[24].b.data = -9.0
    explore(trainer, tmp_path / "page.html", row=24)
    opened = Opened(chromium, tmp_path / "page.html")
    answer = opened.page.locator("#panel-node .answer")
    outputs = np.array([float(z) for z in trainer.predict([[24 / 25]])[0]])
    shares = sorted(100.0 * np.exp(outputs) / np.exp(outputs).sum())
    assert answer.locator("tbody th").all_inner_texts()[-1] == "24"
    left = re.search(r"and 5 classes more, the largest with ([\d.]+) %", answer.inner_text())
    assert left
    assert float(left[1]) == pytest.approx(shares[5], rel=0.01)
    opened.close()


def test_normalized_inputs_are_shown_and_changed_in_the_units_of_the_data(chromium: Any, tmp_path: Path) -> None:
    plain, small = digits()[:64], Normalization.fit(digits()[:64])
    trainer = Trainer(MLP(49, [4, 10], seed=0), progress=False, save=tmp_path / "run")
    trainer.fit(small(plain), epochs=2, batch_size=16)
    explore(trainer, tmp_path / "page.html", row=5, normalization=small)
    opened = Opened(chromium, tmp_path / "page.html")
    page = opened.page
    page.locator("#tab-maps").click()
    assert page.locator(".maps figcaption").first.inner_text().startswith("input, in the data's own units, 0 to ")
    page.locator("#tab-run").click()
    answer = page.locator("#panel-run .answer")
    for epoch in ("0", "2"):
        page.locator("#epoch").fill(epoch)
        earlier = Trainer.resume(tmp_path / "run" / "epochs" / f"{int(epoch):04}.npz", progress=False)
        outputs = [float(z) for z in earlier.predict(small(plain).inputs[5:6])[0]]
        best = int(np.argmax(outputs))
        share = np.exp(outputs[best]) / np.exp(outputs).sum()
        assert answer.locator("tr.here th").inner_text() == str(best)
        shown = answer.locator("tr.here td").nth(1).inner_text()
        assert float(shown.split()[0]) == pytest.approx(100.0 * share, rel=0.01)
    assert answer.locator("td", has_text="target").count() == 1
    page.evaluate("explorer.goTo(explorer.graph.names.indexOf('x[24]'))")
    assert float(page.locator("#edit-own").input_value()) == pytest.approx(float(plain.inputs[5, 24]))
    page.locator("#edit-own").fill("0.25")
    page.keyboard.press("Enter")
    inputs = plain.inputs[5].copy()
    inputs[24] = 0.25
    expected = cross_entropy(trainer.predict(small.transform([inputs]))[0], int(plain.targets[5]))
    found = opened.numbers("[explorer.graph.value[explorer.graph.root]]")[0]
    assert found == pytest.approx(float(expected), rel=1e-9)
    was = float(plain.inputs[5, 24])
    note = page.locator("#edit-note").inner_text()
    assert note.startswith(f"was {was:.6g} in the data's own units, which is ")
    assert note.endswith(" normalized, in Python")
    said = page.locator("#panel-node .edit .formula").inner_text()
    outputs = np.array([float(z) for z in trainer.predict(small.transform([inputs]))[0]])
    assert said.startswith(f"The network answers {outputs.argmax()} (")
    assert said in page.locator("#live").inner_text()
    page.locator("#tab-maps").click()
    assert page.locator(".maps figcaption").first.inner_text().startswith("input, in the data's own units, 0 to ")
    page.evaluate("explorer.change(explorer.graph.names.indexOf('x[24]'), -40)")
    caption = page.locator(".maps figcaption").first.inner_text()
    assert caption.startswith("input, in the data's own units, ±")
    colours = page.locator(".maps svg").first.locator("rect")
    fills = [colours.nth(i).get_attribute("fill") for i in range(49)]
    assert fills.count(fills[24]) == 1  # below 0 is another colour than 0
    leaf = "explorer.graph.names.indexOf('hidden.neuron1.w[0]')"
    page.locator("#tab-run").click()
    page.locator("#epoch").fill("1")
    page.evaluate(f"explorer.goTo({leaf}); explorer.change({leaf}, 0.5)")
    assert page.locator("#edit-note").inner_text().endswith(" after epoch 1")
    opened.close()


def test_quantities_have_their_names_and_their_units(chromium: Any, tmp_path: Path) -> None:
    file = tmp_path / "flats.csv"
    rows = [f"{50 + i},{i % 7},{300000 + 4321 * i}\n" for i in range(20)]
    file.write_text("area (m2),age,price (EUR)\n" + "".join(rows))
    command = ["train", "--data", str(file), "--quantities", "--layers", "2", "--epochs", "3", "--json"]
    assert main([*command, "--save", str(tmp_path / "run")]) == 0
    trainer, split = load_run(tmp_path / "run")
    explore(trainer, tmp_path / "page.html", row=3)
    opened = Opened(chromium, tmp_path / "page.html")
    page = opened.page
    target = f"{int(file.read_text().splitlines()[1 + int(split.train.rows[3])].split(',')[2]):,}"
    assert f"target {target}, after" in page.title()
    page.locator("#tab-run").click()
    assert "Targets are normalized too" in page.locator("#panel-run .note").inner_text()
    assert page.locator("#panel-run .answer thead th").all_inner_texts() == [
        "output",
        "normalized",
        "own units",
        "target",
        "error",
    ]
    assert page.locator("#panel-run .answer tbody th").inner_text() == "price (EUR)"
    cells = page.locator("#panel-run .answer tbody td").all_inner_texts()
    answered, meant, error = (float(text.replace(",", "").replace("−", "-")) for text in cells[1:])
    assert cells[2] == target
    assert error == pytest.approx(answered - meant, abs=1.0)
    page.evaluate("explorer.goTo(explorer.graph.names.indexOf('area (m2)'))")
    said = page.locator("#panel-node .edit .formula").inner_text()
    assert said == f"The network answers price (EUR) {cells[1]}; the target is {target}"
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(chromium: Any, run_of_moons: tuple[Path, Trainer], scheme: str) -> None:
    opened = Opened(chromium, run_of_moons[0], scheme=scheme, bypass_csp=True)
    opened.page.locator("#tab-run").click()
    assert opened.violations() == []
    opened.page.evaluate("explorer.goTo(explorer.graph.operations[0])")
    assert opened.violations() == []
    opened.page.evaluate("explorer.goTo(explorer.graph.leaves[0]); explorer.change(explorer.graph.leaves[0], 0.5)")
    assert opened.violations() == []
    opened.close()


def row_loss(trainer: Trainer, row: int) -> float:
    train = trainer.data["train"]
    outputs = trainer.predict(train.inputs[row : row + 1])
    return float(cross_entropy(outputs[0], int(train.targets[row])))
