"""What the explorer writes, without a browser: the page's policy, pictures, groups, messages and the command line."""

import base64
import hashlib
import html
import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_mini import Value, dot, parameter, record_lines, scope, topological_order
from autograd_mini.folding import Group
from autograd_mini.functions import sum as add_up
from nn import MLP, Normalization, cross_entropy
from viz import explore
from viz.explorer.data import GraphData
from viz.explorer.groups import GroupList
from viz.explorer.layout import laid_out
from viz.explorer.page import MODULES, script_text
from viz.explorer.views import View, views
from viz.scene import Rest

pytestmark = pytest.mark.skipif(
    shutil.which("dot") is None, reason="Graphviz's dot is not installed: nothing is laid out"
)
STATIC = Path(__file__).resolve().parent.parent / "viz" / "explorer" / "static"


def small() -> Value:
    x, w = Value(0.5, "x"), parameter(-2.0, "w")
    return (w * x).tanh() + w


def network(examples: int = 1, layers: tuple[int, ...] = (3, 2)) -> Value:
    model = MLP(4, list(layers), activation="tanh", seed=0)
    rows = np.random.default_rng(0).normal(size=(examples, 4)).tolist()
    if examples == 1:
        inputs = [Value(number, f"x[{i}]") for i, number in enumerate(rows[0])]
        return cross_entropy(model(inputs), 1)
    return cross_entropy(model(rows), [1] * examples)


def tangle(size: int) -> Value:
    """A deep graph without names, whose nodes reach far back."""
    draw = random.Random(0)
    nodes = [Value(draw.uniform(-1.0, 1.0)) for _ in range(20)]
    while len(nodes) < size:
        nodes.append((draw.choice(nodes[-60:]) * draw.choice(nodes[-200:])).tanh())
    return add_up(nodes[-50:])


def pictures_of(root: Value) -> tuple[GraphData, GroupList, list[View]]:
    data = GraphData(root)
    groups = GroupList(data.nodes)
    return data, groups, list(views(data, groups))


def parts(page: str) -> dict[str, Any]:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    script = re.search(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert policy and script and style and data  # noqa: PT018
    return {"policy": policy[1], "script": script[1], "style": style[1], "data": json.loads(data[1])}


def test_the_policy_lets_in_this_script_and_this_style_alone(tmp_path: Path) -> None:
    page = explore(small(), tmp_path / "page.html").path.read_text(encoding="utf-8")
    found = parts(page)
    for text in (found["script"], found["style"]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in found["policy"]
    assert found["policy"].startswith("default-src 'none'")
    assert "unsafe" not in found["policy"]
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert not re.search(r"(?:src|href)=|https?://(?!www\.w3\.org/2000/svg)", page)


def test_foreign_text_cannot_leave_its_place(tmp_path: Path) -> None:
    attack = "</script></title><img src=x onerror=alert(1)>"
    root = Value(1.0, attack) * Value(2.0, "TITLE DATA SCRIPT")
    page = explore(root, tmp_path / "page.html", title=attack).path.read_text(encoding="utf-8")
    assert "<img" not in page
    assert html.escape(attack) in page
    assert parts(page)["data"]["graph"]["names"][0] == attack[:39] + "…"


def test_the_same_graph_gives_the_same_file(tmp_path: Path) -> None:
    pages = [explore(network(), tmp_path / f"{i}.html").path.read_bytes() for i in range(2)]
    assert pages[0] == pages[1]


def test_every_module_is_in_the_page_once() -> None:
    files = {path.stem for path in STATIC.glob("*.js")}
    assert files | {"table"} == set(MODULES)
    assert "import " not in re.sub(r"//.*", "", script_text("{}"))
    for i, name in enumerate(MODULES):  # each after what it imports
        text = "" if name == "table" else (STATIC / f"{name}.js").read_text(encoding="utf-8")
        assert set(re.findall(r'from "\./(\w+)\.js"', text)) <= set(MODULES[:i])
        assert len(text.splitlines()) <= 350


def scoped() -> Value:
    """Scopes within a scope, one entered again when another was in between, and operations in none."""
    x, w = Value(0.5, "x"), parameter(-2.0, "w")
    with scope("outer"):
        y = (x * w).tanh()
        with scope("inner"):
            y = y * y + w
    y = y.exp()
    with scope("outer"):
        return y.sin() + x


def shared() -> Value:
    """Parameters that several groups use, enough of them to be put together: one kind by its name, one by its uses."""
    vs, ws = ([parameter(0.1 * i, f"{name}[{i}]") for i in range(7)] for name in ("tied.v", "w"))
    total = Value(0.5, "x")
    for outer in ("encoder", "decoder"):
        with scope(outer):
            for name in ("first", "second"):
                with scope(name):
                    total = dot(vs if outer == "encoder" else ws, [total * i for i in range(7)]).tanh()
    return total * dot(vs, vs)


def plain() -> Value:
    """A network of plain sums without names: inputs that more operations use than are shown around them."""
    draw = random.Random(0)
    xs = [Value(draw.random()) for _ in range(10)]
    for inputs, neurons in ((10, 8), (8, 4)):
        weights = [[Value(draw.uniform(-1.0, 1.0)) for _ in range(inputs)] for _ in range(neurons)]
        xs = [sum(w * x for w, x in zip(row, xs, strict=True)).tanh() for row in weights]  # type: ignore[union-attr]
    return add_up(xs)


def by_many() -> Value:
    """Inputs that nothing uses but operations without a group, more of them than stand around a picture."""
    return add_up([Value(0.1 * i, f"x[{i}]").exp() for i in range(20)])


@pytest.mark.parametrize(
    "make", [network, scoped, shared, small, by_many, plain, lambda: network(40), lambda: tangle(600)]
)
def test_pictures_show_every_edge_of_the_graph(make: Callable[[], Value]) -> None:
    data, groups, pictures = pictures_of(make())
    whole = [view for view in pictures if view.depth is None]
    assert [view.items for view in whole] == [tuple(data.nodes)]
    for view in pictures:
        assert view.chosen.hidden == 0
        between = [(view.items[tail], view.items[head]) for tail, head in view.chosen.edges]
        assert len(set(between)) == len(between)
        rests = [end for pair in between for end in pair if isinstance(end, Rest)]
        shown = {(a, b) for a, b in between if a not in rests and b not in rests}
        wanted = set(wanted_edges(view, data, groups))
        assert shown == {pair for pair in wanted if None not in pair}
        assert bool(rests) == any(None in pair for pair in wanted)


def wanted_edges(view: View, data: GraphData, groups: GroupList) -> Iterator[tuple[Any, Any]]:
    """Every edge of the graph that starts or ends in the picture's group, between what shows its ends."""
    item_of: dict[Any, Any] = {
        member: item
        for item in view.items
        if not isinstance(item, Rest)
        for member in (item.members if isinstance(item, Group) else (item,))
    }
    inside = set(groups.within[view.group]) if view.group else set(data.nodes)
    assert {item_of[node] for node in inside} == set(view.items[: view.inside])
    for node in data.nodes:
        for parent in node.parents:
            ends = item_of.get(parent), item_of.get(node)
            if not inside.isdisjoint((parent, node)) and ends[0] is not ends[1]:
                yield ends


def embedded() -> Value:
    """A parameter that two groups use, and whose name is of a group within one of them."""
    x, w = Value(0.5, "x"), parameter(0.3, "encoder.embedding.w")
    with scope("encoder"), scope("attention"):
        y = x.exp() * w
    with scope("decoder"):
        return (y * w).tanh()


def prepared() -> Value:
    """Many inputs, and a scope that has the name of their group."""
    xs = [Value(0.1 * i, f"x[{i}]") for i in range(12)]
    with scope("input"):
        total = add_up(xs) * 0.1
    return total.tanh() + add_up(xs)


def test_a_group_on_the_page_has_the_nodes_of_the_folded_graph() -> None:
    for root in (network(), scoped(), shared(), embedded(), prepared(), network(40), tangle(3000)):
        data, groups, pictures = pictures_of(root)
        shown = {
            groups.number(item): item
            for view in pictures
            for item in view.items[: view.inside]
            if isinstance(item, Group)
        }
        listed = groups.as_list(data.index)
        of = [groups.number(groups.paths[node]) for node in data.nodes]
        for number, group in shown.items():
            members = listed[number].get("nodes") or [i for i in range(len(of)) if is_in(of[i], number, listed)]
            assert sorted(members) == sorted(data.index[node] for node in group.members), group


def is_in(at: int | None, group: int, listed: list[dict[str, Any]]) -> bool:
    while at is not None and at != group:
        at = listed[at]["parent"]
    return at == group


def test_parts_of_a_group_and_shared_leaves_are_groups_of_their_own() -> None:
    for root, names in ((scoped(), ["outer (1 of 2)", "outer (2 of 2)"]), (shared(), ["w"])):
        data, groups, pictures = pictures_of(root)
        laid_out(pictures, data, groups)
        found = [one["name"] for one in groups.as_list(data.index) if "nodes" in one]
        assert set(names) <= set(found)


def test_parts_are_named_once_and_what_stands_around_a_group_is_no_part() -> None:
    h, w = Value(0.5, "x"), parameter(0.3, "w")
    with scope("net"):
        for _ in range(5):
            with scope("rnn"):
                h = (h * w).tanh()
            with scope("attention"):
                h = h * w.exp()
    data, groups, pictures = pictures_of(h)
    told = laid_out(pictures, data, groups).views
    listed = groups.as_list(data.index)
    names = [one["name"] for one in listed if "nodes" in one]
    assert len(set(names)) == len(names)
    assert {"rnn (1 of 5)", "rnn (5 of 5)"} <= set(names)
    net = next(i for i, one in enumerate(listed) if one["name"] == "net")
    assert {one["parent"] for one in listed if "nodes" in one} == {net}
    for view in told:
        around = [item for item in view["items"][view["inside"] :] if isinstance(item, list)]
        assert not any("nodes" in listed[number] for (number,) in around)


def test_neurons_of_one_shape_are_laid_out_once() -> None:
    data, groups, pictures = pictures_of(network(layers=(8, 2)))
    told = laid_out(pictures, data, groups)
    hidden = [groups.number(path) for path in groups.members if path[:1] == ("hidden",) and len(path) == 2]
    assert len(hidden) == 8
    assert len({view["layout"] for view in told.views if view["group"] in hidden}) == 1


def test_levels_are_called_layers_and_neurons() -> None:
    assert pictures_of(network())[1].level_names() == ["layers", "neurons"]


def test_a_large_graph_opens_folded(tmp_path: Path) -> None:
    root = tangle(20_000)
    page = explore(root, tmp_path / "page.html")
    data = parts(page.path.read_text(encoding="utf-8"))["data"]
    first = data["pictures"]["views"][data["start"]]
    assert len(first["items"]) < 100
    assert page.size < 4e6
    order = topological_order(root)
    members = GroupList(order).members.values()
    assert sorted(map(len, members))[-1] <= 400
    assert {node for nodes in members for node in nodes} == set(order)
    assert sum(map(len, members)) == len(order)


def test_it_opens_with_the_most_open_picture_that_can_be_read(tmp_path: Path) -> None:
    for root, named in ((small(), None), (network(), 2), (network(layers=(40, 2)), 1), (tangle(600), 1)):
        pictures = parts(explore(root, tmp_path / "page.html").path.read_text(encoding="utf-8"))["data"]
        first = pictures["pictures"]["views"][pictures["start"]]
        assert (first["group"], first["depth"]) == (0, named)


def test_two_thousand_nodes_are_one_picture(tmp_path: Path) -> None:
    model = MLP(49, [30, 10], activation="sigmoid", seed=0)
    loss = cross_entropy(model([Value(0.1 * i, f"x[{i}]") for i in range(49)]), 3)
    page = explore(loss, tmp_path / "page.html")
    assert 1900 < page.nodes <= 2000
    pictures = parts(page.path.read_text(encoding="utf-8"))["data"]["pictures"]
    assert page.nodes in [len(view["items"]) for view in pictures["views"] if view["depth"] is None]
    shown = {view["group"] for view in pictures["views"]}
    assert len(shown) == 1 + sum(len(nodes) > 1 for nodes in GroupList(topological_order(loss)).within.values())


@pytest.mark.parametrize("repeats", [200, 666])
def test_leaves_that_all_share_do_not_stop_it(repeats: int, tmp_path: Path) -> None:
    x, w = Value(0.5, "x"), parameter(0.3, "w")
    y: Value = x
    for _ in range(repeats):
        y = (y * w + x).tanh()
    page = explore(y, tmp_path / "page.html")
    data, _, pictures_ = pictures_of(y)
    [operations] = [view for view in pictures_ if view.depth is None]
    assert len(operations.chosen.edges) == sum(len(set(arguments)) for arguments in data.arguments)
    pictures = parts(page.path.read_text(encoding="utf-8"))["data"]["pictures"]
    assert not any("simple" in layout for layout in pictures["layouts"])
    assert not any(view["hidden"] for view in pictures["views"])


def test_what_dot_does_not_end_with_stands_in_columns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("viz.explorer.layout._SECONDS", 1e-6)
    pictures = parts(explore(network(), tmp_path / "page.html").path.read_text(encoding="utf-8"))["data"]["pictures"]
    for view in pictures["views"]:
        layout = pictures["layouts"][view["layout"]]
        assert layout["simple"]
        assert len(set(zip(layout["nodes"][::2], layout["nodes"][1::2], strict=True))) == len(view["items"])


def test_neurons_stand_in_order() -> None:
    data, groups, pictures = pictures_of(network(layers=(12, 2)))
    told = laid_out(pictures, data, groups)
    [view] = [view for view in told.views if view["group"] == 0 and view["depth"] == 2]
    heights = told.layouts[view["layout"]]["nodes"][1::2]
    height = {item[0]: y for item, y in zip(view["items"], heights, strict=True) if isinstance(item, list)}
    neurons = [height[groups.number(("hidden", f"neuron{i}"))] for i in range(1, 13)]
    assert neurons == sorted(neurons)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1, 2],), TypeError, "explore shows the graph of a Value, or a Trainer; got .1, 2. of type list"),
        ((small(), "nowhere/page.html"), FileNotFoundError, "there is no folder 'nowhere'; make it first"),
        ((small(), "."), IsADirectoryError, "'.' is a folder; name a file in it, 'explorer.html'"),
        ((MLP(2, [1]),), TypeError, r"got MLP.*; explore\(loss\), of .* model\(example\), or draw_network\(model\)"),
    ],
)
def test_wrong_arguments(
    arguments: Any, error: type[Exception], message: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        explore(*arguments)


def test_wrong_options(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown theme 'blue'; the themes are 'auto', 'light', 'dark'"):
        explore(small(), tmp_path / "page.html", theme="blue")
    shapes: list[Any] = [(2, 3), (-1, -1), 3, (2,), "ab"]
    for shape in shapes:
        with pytest.raises(ValueError, match=r"input_shape is \(rows, columns\) that hold 1 inputs.*; got "):
            explore(small(), tmp_path / "page.html", input_shape=shape)
    wrong: Any = 3
    with pytest.raises(TypeError, match=r"normalization is what Split.normalized\(\) gives, got 3"):
        explore(small(), tmp_path / "page.html", normalization=wrong)
    with pytest.raises(ValueError, match=r"row=3 is of the data of a Trainer, and a Value has none; leave it out, or"):
        explore(small(), tmp_path / "page.html", row=3)
    with pytest.raises(ValueError, match=r"normalization is of the data of a Trainer, and a Value has none"):
        explore(small(), tmp_path / "page.html", normalization=Normalization([0.0], [1.0]))
    with pytest.raises(TypeError, match="a title is text, got 3 of type int; write str"):
        explore(small(), tmp_path / "page.html", title=wrong)
    x = Value(2.0, "x")
    stale = x * x
    x.data = 3.0
    with pytest.raises(ValueError, match="data was changed; run the forward pass again"):
        explore(stale, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_page_does_not_tell_where_its_writer_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = Value(0.5, "x")
    with record_lines():
        root = x * x
    here = Path(__file__)
    for folder, told in ((here.parent.parent, "tests/test_explorer.py"), (tmp_path, "test_explorer.py")):
        monkeypatch.chdir(folder)
        page = explore(root, tmp_path / "page.html").path.read_text(encoding="utf-8")
        assert [place["file"] for place in parts(page)["data"]["graph"]["lines"]["places"]] == [told]
        assert str(here.parent) not in page


def test_weights_over_an_image_know_what_they_are_multiplied_by(tmp_path: Path) -> None:
    page = explore(network(), tmp_path / "page.html", input_shape=(2, 2)).path.read_text(encoding="utf-8")
    image, *weights = parts(page)["data"]["maps"]
    assert [one["title"] for one in weights] == ["hidden.neuron1.w", "hidden.neuron2.w", "hidden.neuron3.w"]
    assert all(one["times"] == image["nodes"] for one in weights)


def test_groups_that_take_turns_too_often_are_put_together_by_structure() -> None:
    x = h = Value(0.5, "x")
    for _ in range(1500):
        with scope("a"):
            h = h * 1.0001
        with scope("b"):
            h = h.tanh() + x
    assert len(pictures_of(h)[2][0].items) < 400
    y = tangle(3000)
    with scope("named"):
        y = y * y
    assert ("named",) in pictures_of(y)[1].members
