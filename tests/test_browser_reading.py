"""Reading the explorer in Chromium: what is found, what is called how, maps by keys, and a phone."""

from pathlib import Path
from typing import Any

import pytest

from autograd_mini import Value, parameter
from nn import MLP, Trainer, moons
from tests.browser import Opened
from viz import explore
from viz.explorer.page import script_text


def test_search_finds_ops_before_lines_and_says_when_it_finds_nothing(
    chromium: Any, lecture: tuple[Path, Value]
) -> None:
    opened = Opened(chromium, lecture[0])
    page, found = opened.page, opened.page.locator("#found li")
    page.evaluate("for (const place of explorer.data.graph.lines.places) place.text += ' sigmoid'")
    page.locator("#search").fill("sigmoid")  # the name of three ops, and now in the line of every node
    assert found.locator("small").all_inner_texts()[:4] == [f"sigmoid, hidden.neuron{i}" for i in (1, 2, 3)] + [
        "dot, hidden.neuron1"
    ]
    page.locator("#search").fill("neuron1")
    assert found.first.inner_text().split() == ["hidden.neuron1", "group"]
    page.keyboard.press("Enter")
    assert page.locator("#panel-node h2").inner_text() == "hidden.neuron1"
    assert page.locator("#panel-node").get_by_role("button", name="Open it").count() == 0
    page.locator("#search").fill("zebra")
    assert found.all_inner_texts() == ["nothing found"]
    page.keyboard.press("Enter")
    opened.close()


def test_maps_are_gone_through_by_keys(chromium: Any, lecture: tuple[Path, Value]) -> None:
    opened = Opened(chromium, lecture[0])
    page = opened.page
    page.locator("#tab-maps").click()
    assert page.locator(".maps [tabindex='0']").count() == page.locator(".maps svg").count() == 4
    page.locator(".maps [tabindex='0']").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    assert page.locator(".maps .cell").first.inner_text().startswith("x[7] = ")
    page.keyboard.press("Enter")
    assert page.locator("#panel-node h2").inner_text() == "x[7]"
    assert page.evaluate("document.activeElement.id") == "edit"
    focused = "document.activeElement.getAttribute('aria-label')"
    page.locator("#tab-maps").click()
    assert page.locator(".maps rect.selected").count() == 1
    page.locator("#tab-node").click()
    page.locator("#panel-node tbody .link").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate(focused).startswith(page.locator("#panel-node h2").inner_text())
    opened.close()


def test_on_a_phone_the_picture_comes_into_view_and_small_groups_are_read(
    chromium: Any, lecture: tuple[Path, Value]
) -> None:
    opened = Opened(chromium, lecture[0])
    page = opened.page
    page.set_viewport_size({"width": 420, "height": 900})
    page.evaluate("explorer.open(explorer.groups.list.findIndex(({name}) => name === 'input'))")
    page.locator("#fit").click()
    assert page.evaluate("explorer.picture.at.scale") > 0.6
    first = page.evaluate("explorer.picture.items[explorer.picture.focused].x")
    assert first == page.evaluate("Math.min(...explorer.picture.items.map(({x}) => x))")
    page.evaluate("explorer.goTo(explorer.graph.root)")
    page.evaluate("scrollTo(0, 5000)")
    bar = page.locator("footer").bounding_box()
    assert bar["y"] + bar["height"] == pytest.approx(900, abs=2)
    page.evaluate("scrollTo(0, 0)")
    page.locator("#panel-node .link").first.focus()
    while page.evaluate("document.activeElement.closest('.panel') !== null"):
        assert (
            page.evaluate("document.activeElement.getBoundingClientRect().bottom")
            <= page.locator("footer").bounding_box()["y"]
        )
        page.keyboard.press("Tab")
    page.locator("#panel-node table .link").last.click()
    assert page.evaluate("document.querySelector('.stage').getBoundingClientRect().top") >= 0
    page.evaluate("document.querySelector('h1').textContent = 'Training, row 0, target 3, after 20 epochs'")
    page.locator("#search").fill("a")
    assert page.locator("#found").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 420
    opened.close()


def test_a_chain_opens_where_it_can_be_read(chromium: Any, tmp_path: Path) -> None:
    x, w = Value(0.5, "x"), parameter(0.3, "w")
    y: Value = x
    for _ in range(60):
        y = (y * w + x).tanh()
    explore(y, tmp_path / "page.html")
    opened = Opened(chromium, tmp_path / "page.html")
    page = opened.page
    assert page.evaluate("explorer.picture.at.scale") > 0.6
    assert page.locator(".item.root .title").is_visible()
    assert page.locator("#more").is_visible()
    page.locator("#fit").click()
    assert page.locator("#more").is_hidden()
    assert page.evaluate("explorer.picture.at.scale") < 0.3
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    opened.close()


def test_names_are_cut_without_their_digits(chromium: Any) -> None:
    page = chromium.new_page()
    cut = f"(() => {{ {script_text('{}', ['words'])}; return [WORDS].map((text) => cut(text, 22)); }})()".replace(
        "WORDS",
        "'operations 4,085 to 4,168', 'short', '12345678901234567890-1234567890123',"
        "'encoder.hidden.neuron7.w[9]', 'encoder.hidden.a_layer_of_neurons7.w[9]'",
    )
    names = page.evaluate(cut)
    page.close()
    assert names[0].endswith("… 4,085 to 4,168")
    assert names[1] == "short"
    assert names[3] == "…hidden.neuron7.w[9]"
    assert names[4].startswith("…")
    assert names[4].endswith("7.w[9]")
    assert max(map(len, [*names[:2], *names[3:]])) <= 22


def test_paths_show_where_they_part(chromium: Any, tmp_path: Path) -> None:
    y = Value(0.5, "x")
    for i in range(12):
        y = y.tanh()
        if i == 5:
            y.label = "parts"
            y = y.sin() + y.cos()
    explore(y, tmp_path / "page.html")
    opened = Opened(chromium, tmp_path / "page.html")
    opened.page.evaluate("explorer.goTo(0)")
    ways = opened.page.locator(".paths .way").all_inner_texts()
    assert len(ways) == len(set(ways)) == 2
    assert all(way.startswith("L →") and way.endswith("→ x") and way.count("→") <= 10 for way in ways)
    opened.close()


def test_follow_goes_where_the_step_is_computed_not_to_what_stands_around(chromium: Any, tmp_path: Path) -> None:
    trainer = Trainer(MLP(2, [3, 3, 2], seed=0), progress=False)
    trainer.fit(moons(20, seed=0), epochs=1)
    explore(trainer, tmp_path / "page.html")
    opened = Opened(chromium, tmp_path / "page.html")
    page = opened.page
    page.evaluate(
        "explorer.open(explorer.groups.list.findIndex((_, i) => explorer.groups.fullName(i) === 'hidden1.neuron1'))"
    )
    page.keyboard.press("a")
    shown = set()
    for _ in range(page.evaluate("explorer.last")):
        page.keyboard.press("n")
        assert page.evaluate("explorer.picture.isInside(explorer.current().node)")
        assert page.locator(".item.current").count() == 1
        shown.add(page.locator("#crumbs").inner_text().replace("\n", " "))
    assert {"graph › hidden1 › neuron1", "graph › hidden2 › neuron3"} <= shown
    opened.close()
