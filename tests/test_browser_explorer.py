"""The explorer in Chromium: offline from disk, both passes beside Python, keys alone, axe-core, labels that attack."""

from pathlib import Path
from typing import Any

import pytest

from autograd_mini import Value, fold, gradients, parameter, scope, steps, topological_order
from nn import MLP, cross_entropy, digits
from tests.browser import Opened
from tests.javascript import OPS, compare_graphs, compare_rows
from viz import explore
from viz.explorer.page import script_text
from viz.explorer.tables import javascript_table

HOSTILE = [
    "</script><img src=x onerror=alert(1)>", "<svg onload=alert(2)>", "'\"><script>alert(3)</script>",
    "javascript:alert(4)",
    "{{7*7}}{0}{y}", "<!--<script>", "]]>&lt;b&gt;", "a\u202eb\u2028c",
]  # fmt: skip


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
    page.locator("#speed").select_option("64")
    page.locator("#play").click()
    page.locator("#play[aria-pressed=false]").wait_for()
    assert page.locator("#step").input_value() == page.locator("#step").get_attribute("max")
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
    page.locator("#edit").fill("1e999")
    page.keyboard.press("Enter")
    assert "is not a finite number" in page.locator("#edit-note").inner_text()
    page.evaluate("explorer.moveTo(0)")
    page.locator("#edit").fill("0.5")
    page.get_by_role("button", name="Compute", exact=True).click()
    assert "not computed" not in page.locator("#result").inner_text()
    assert page.locator("#step").input_value() == page.locator("#step").get_attribute("max")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    assert opened.numbers("[explorer.graph.value[explorer.graph.root]]")[0] == pytest.approx(loss.data, rel=1e-12)
    page.evaluate("explorer.goTo(explorer.graph.root)")
    assert "browser.py" in page.locator("#panel-node pre").inner_text()
    opened.close()


def test_a_dot_opens_into_its_products(chromium: Any, lecture: tuple[Path, Value]) -> None:
    path, loss = lecture
    opened = Opened(chromium, path)
    page, nodes = opened.page, topological_order(loss)
    place = next(i for i, node in enumerate(nodes) if node.op == "dot")
    dot = nodes[place]
    pairs = zip(dot.parents[:49], dot.parents[49:], strict=True)
    largest = sorted(pairs, key=lambda pair: -abs(pair[0].data * pair[1].data))
    page.evaluate("node => explorer.goTo(node)", place)
    table = page.locator("table.products")
    titles = table.locator("tbody button").evaluate_all("buttons => buttons.map((button) => button.title)")
    assert titles == [factor.label for pair in largest[:12] for factor in pair]
    shown = [text.replace("−", "-").split()[0] for text in table.locator("td:last-child").all_inner_texts()]
    rest = sum(w.data * x.data for w, x in largest[12:])
    total = next(node for node in nodes if dot in node.parents)
    expected = [*(w.data * x.data for w, x in largest[:12]), rest, dot.data, total.data - dot.data, total.data]
    assert list(map(float, shown)) == pytest.approx(expected, rel=1e-3)
    assert table.locator("th[scope=row]").all_inner_texts()[-4:-2] == ["37 more", "sum"]
    assert page.locator("#panel-node").evaluate("panel => panel.scrollWidth - panel.clientWidth") == 0
    page.locator("#tab-maps").click()
    page.get_by_label("weight × input").check()
    captions = page.locator(".maps figcaption").all_inner_texts()
    assert f"sum {dot.data:.4g}".replace("-", "−") in captions[1]
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
    opened = Opened(chromium, lecture[0], scheme=scheme, bypass_csp=True)
    page = opened.page
    for state in ("explorer.update()", "explorer.select('g2')", "explorer.goTo(3)", "explorer.moveTo(200)",
                  "document.getElementById('tab-maps').click()", "document.getElementById('tab-step').click()",
                  "document.getElementById('help').showModal()"):  # fmt: skip
        page.evaluate(state)
        assert opened.violations() == [], f"{scheme}, after {state}"
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


def test_what_is_selected_is_marked_the_first_node_and_a_part_too(chromium: Any, tmp_path: Path) -> None:
    h, w = Value(0.5, "x"), parameter(0.3, "w")
    for _ in range(2):
        with scope("rnn"):
            h = (h * w).tanh()
        with scope("attention"):
            h = h * w.exp()
    explore(h, tmp_path / "page.html")
    opened = Opened(chromium, tmp_path / "page.html")
    page = opened.page
    page.evaluate("explorer.goTo(0)")
    assert page.locator(".item.selected").get_attribute("aria-label").startswith("x, input")
    page.locator("#search").fill("rnn (2 of 2)")
    page.keyboard.press("Enter")
    assert page.locator(".item.selected .title").text_content() == "rnn (2 of 2)"
    assert "left out" not in page.locator("#panel-node").inner_text()
    opened.close()
