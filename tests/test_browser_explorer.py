"""The explorer in Chromium: offline from disk, both passes beside Python, keys alone, axe-core, labels that attack."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograd_mini import Value, fold, gradients, parameter, record_lines, steps, topological_order
from nn import MLP, Trainer, cross_entropy, digits, moons
from tests.javascript import OPS, compare_graphs, compare_rows
from viz import explore
from viz.explorer.page import script_text
from viz.explorer.tables import javascript_table

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = [name for name in ("playwright", "axe_playwright_python") if importlib.util.find_spec(name) is None]
if CHROMIUM is None or shutil.which("dot") is None:
    MISSING.append("chromium" if CHROMIUM is None else "dot")
HOSTILE = [
    "</script><img src=x onerror=alert(1)>", "<svg onload=alert(2)>", "'\"><script>alert(3)</script>",
    "javascript:alert(4)",
    "{{7*7}}{0}{y}", "<!--<script>", "]]>&lt;b&gt;", "a\u202eb\u2028c",
]  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if MISSING:
        pytest.skip(f"{', '.join(MISSING)} not installed: the explorer is not opened")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Opened:
    """A page, and everything that it asked for or said."""

    def __init__(self, chromium: Any, path: Path, *, scheme: str = "light", bypass_csp: bool = False) -> None:
        self.context = chromium.new_context(
            color_scheme=scheme, offline=True, viewport={"width": 1440, "height": 900}, bypass_csp=bypass_csp
        )
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]")

    def close(self) -> None:
        """The page has loaded nothing but itself, and has had nothing to complain of."""
        assert len(self.requests) == 1
        assert self.said == []
        self.context.close()

    def numbers(self, what: str) -> list[float]:
        texts = self.page.evaluate(f"Array.from({what}, String)")
        return [float(text) for text in texts]


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Value]:
    """The lecture's network on one digit."""
    data = digits()
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    pixels = [Value(float(x), f"x[{i}]") for i, x in enumerate(data.inputs[0])]
    with record_lines():
        loss = cross_entropy(model(pixels), int(data.targets[0]))
    path = tmp_path_factory.mktemp("explorer") / "lecture.html"
    explore(loss, path)
    return path, loss


def test_it_opens_offline_and_its_gradients_are_those_of_python(chromium: Any, lecture: tuple[Path, Value]) -> None:
    path, loss = lecture
    opened = Opened(chromium, path)
    nodes, expected = topological_order(loss), gradients(loss)
    assert opened.numbers("explorer.graph.value") == pytest.approx([node.data for node in nodes], rel=1e-12, abs=1e-15)
    found = opened.numbers("explorer.graph.gradient")
    assert found == pytest.approx([expected.get(node, 0.0) for node in nodes], rel=1e-12, abs=1e-14)
    opened.close()


def test_the_slider_goes_through_the_steps_of_python(chromium: Any, lecture: tuple[Path, Value]) -> None:
    path, loss = lecture
    opened = Opened(chromium, path)
    page, expected = opened.page, list(steps(loss))
    page.keyboard.press("a")
    assert page.locator("#step").input_value() == "0"
    assert "not computed" in page.locator("#result").inner_text()
    for _ in range(3):
        page.keyboard.press("n")
    assert page.locator("#step-where").inner_text().startswith("forward 3 of")
    forwards = page.evaluate("explorer.forwards")
    for k in (0, 1, 57, len(expected) - 1):
        page.evaluate("place => explorer.moveTo(place)", forwards + k + 1)
        ledger = page.evaluate(
            "(({upstream, local, contribution, after}) => [upstream, local, contribution, after])(explorer.current())"
        )
        step = expected[k]
        assert ledger == pytest.approx([step.upstream, step.local, step.contribution, step.after], rel=1e-12, abs=1e-15)
        assert page.locator("#ledger-line .term").count() == 4
    assert page.locator("#step-where").inner_text() == f"backward {len(expected)} of {len(expected)}"
    opened.close()


def test_a_changed_weight_goes_through_both_passes(chromium: Any, lecture: tuple[Path, Value]) -> None:
    path, loss = lecture
    opened = Opened(chromium, path)
    page = opened.page
    page.locator("#search").fill("hidden.neuron2.w[8]")
    page.keyboard.press("Enter")
    assert page.locator("#panel-node h2").inner_text() == "hidden.neuron2.w[8]"
    page.locator("#edit").fill("nonsense")
    page.keyboard.press("Enter")
    assert "is not a number" in page.locator("#edit-note").inner_text()
    page.locator("#edit").fill("0.75")
    page.keyboard.press("Enter")
    expected, value = anew({"hidden.neuron2.w[8]": 0.75})
    nodes = topological_order(value)
    assert opened.numbers("[explorer.graph.value[explorer.graph.root]]")[0] == pytest.approx(value.data, rel=1e-12)
    assert opened.numbers("explorer.graph.gradient") == pytest.approx(
        [expected.get(n, 0.0) for n in nodes], rel=1e-11, abs=1e-14
    )
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    assert opened.numbers("[explorer.graph.value[explorer.graph.root]]")[0] == pytest.approx(loss.data, rel=1e-12)
    page.evaluate("explorer.goTo(explorer.graph.root)")
    assert "test_browser_explorer.py" in page.locator("#panel-node pre").inner_text()
    opened.close()


def anew(changed: dict[str, float]) -> tuple[Any, Value]:
    """The lecture's loss with other weights, in Python."""
    data = digits()
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    for name, value in model.named_parameters():
        value.data = changed.get(name, value.data)
    pixels = [Value(float(x), f"x[{i}]") for i, x in enumerate(data.inputs[0])]
    loss = cross_entropy(model(pixels), int(data.targets[0]))
    return gradients(loss), loss


def test_it_computes_as_python_does(chromium: Any) -> None:
    page = chromium.new_page()
    modules = script_text(javascript_table(OPS), ("kernels", "table", "engine"))

    def ask(function: str, questions: Any) -> Any:
        return page.evaluate(f"(questions) => {{ {modules}\nreturn ({function})(questions); }}", questions)

    compare_graphs(ask)
    compare_rows(ask)
    page.close()


def test_groups_fold_unfold_and_show_total_derivatives(chromium: Any, lecture: tuple[Path, Value]) -> None:
    path, loss = lecture
    opened = Opened(chromium, path)
    page = opened.page
    for key, name in (("1", "layers"), ("2", "neurons"), ("3", "operations")):
        page.keyboard.press(key)
        assert page.locator("#levels [aria-pressed=true]").inner_text() == name
    assert page.locator("#picture .item").count() == len(topological_order(loss))
    page.keyboard.press("1")
    page.locator("#picture .item.group", has_text="hidden").dblclick()
    assert page.locator("#crumbs b").inner_text() == "hidden"
    page.locator("#picture .item.group", has_text="neuron1").first.dblclick()
    assert page.locator("#crumbs b").inner_text() == "neuron1"
    page.keyboard.press("u")
    page.keyboard.press("u")
    assert page.locator("#crumbs b").inner_text() == "graph"
    folded = fold(loss, 0)
    hidden = next(node for node in folded.nodes if getattr(node, "path", None) == ("hidden",))
    names = page.evaluate("explorer.graph.names")
    for output, row in hidden.derivatives.items():
        place = topological_order(loss).index(output)
        group = page.evaluate("explorer.groups.list.findIndex(({name}) => name === 'hidden')")
        found = dict(
            page.evaluate(
                "([node, group]) => [...explorer.graph.totals(node, (i) => explorer.groups.has(group, i))]",
                [place, group],
            )
        )
        by_name = {names[int(i)]: total for i, total in found.items()}
        for x, total in row.items():
            if x.label:
                assert by_name[x.label] == pytest.approx(total, rel=1e-12, abs=1e-15)
    opened.close()


def test_everything_is_done_by_keys(chromium: Any, lecture: tuple[Path, Value]) -> None:
    path, _ = lecture
    opened = Opened(chromium, path)
    page = opened.page
    page.keyboard.press("g")
    first = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") != first
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")  # opens the group of the inputs
    assert page.locator("#crumbs b").inner_text() == "input"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # edits one of them
    assert page.evaluate("document.activeElement.id") == "edit"
    before = page.locator("#result").inner_text()
    page.keyboard.press("ArrowUp")
    assert page.locator("#result").inner_text() != before
    page.keyboard.press("Escape")
    page.keyboard.press("Backspace")
    assert page.locator("#crumbs b").inner_text() == "graph"
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    for _ in range(40):  # nothing holds the focus for good
        page.keyboard.press("Tab")
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(chromium: Any, lecture: tuple[Path, Value], scheme: str) -> None:
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    axe = (Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    opened = Opened(chromium, lecture[0], scheme=scheme, bypass_csp=True)
    page = opened.page
    page.evaluate(axe)
    for state in ("explorer.update()", "explorer.select('g2')", "explorer.goTo(3)", "explorer.moveTo(200)",
                  "document.getElementById('tab-maps').click()", "document.getElementById('tab-step').click()",
                  "document.getElementById('help').showModal()"):  # fmt: skip
        page.evaluate(state)
        found = page.evaluate(
            "axe.run().then(({violations}) => violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))"
        )
        assert found == [], f"{scheme}, after {state}"
    opened.close()


def test_labels_that_attack_are_only_text(chromium: Any, tmp_path: Path) -> None:
    leaves = [parameter(0.5, label) for label in HOSTILE]
    total = leaves[0]
    for leaf in leaves[1:]:
        total = total * leaf
    total.label = "<img src=x onerror=alert(5)>"
    path = tmp_path / "hostile.html"
    explore(total, path, title="</title><script>alert(6)</script>")
    opened = Opened(chromium, path)
    page = opened.page
    page.keyboard.press("/")
    page.keyboard.type("img")
    for i in range(len(topological_order(total))):
        page.evaluate("node => explorer.goTo(node)", i)
        page.evaluate("place => explorer.moveTo(place)", i)
    page.wait_for_timeout(200)
    assert page.evaluate("document.querySelectorAll('img, iframe, body svg svg, script:not([type])').length") == 0
    assert page.evaluate("document.scripts.length") == 2
    assert HOSTILE[0] in page.evaluate("explorer.graph.names")
    opened.close()


def test_the_policy_stops_scripts_and_requests(chromium: Any, lecture: tuple[Path, Value]) -> None:
    opened = Opened(chromium, lecture[0])
    page = opened.page
    ran = page.evaluate("""() => {
      try { document.body.innerHTML += "<img src=x onerror='globalThis.ran = 1'>"; } catch { /* trusted types */ }
      const script = document.createElement("script");
      try { script.textContent = "globalThis.ran = 2"; document.body.append(script); } catch { /* trusted types */ }
      return fetch("https://example.org/").then(() => "fetched", () => globalThis.ran ?? "nothing ran");
    }""")
    assert ran == "nothing ran"
    opened.context.close()


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
    assert page.locator("#epoch").get_attribute("max") == "4"
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
    page.locator("#tab-maps").click()
    assert "By area" in page.locator("#panel-maps figcaption").inner_text()
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
    page.locator("#fit").click()
    assert page.evaluate("explorer.picture.at.scale") < 0.3
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    opened.close()


def test_names_are_cut_without_their_digits(chromium: Any) -> None:
    page = chromium.new_page()
    cut = f"(() => {{ {script_text('{}', ['words'])}; return [WORDS].map((text) => cut(text, 22)); }})()".replace(
        "WORDS", "'operations 4,085 to 4,168', 'short', '12345678901234567890-1234567890123'"
    )
    names = page.evaluate(cut)
    page.close()
    assert names[0].endswith("… 4,085 to 4,168")
    assert names[1] == "short"
    assert max(map(len, names[:2])) <= 22


def row_loss(trainer: Trainer, row: int) -> float:
    train = trainer.data["train"]
    outputs = trainer.predict(train.inputs[row : row + 1])
    return float(cross_entropy(outputs[0], int(train.targets[row])))
