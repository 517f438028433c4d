"""The derivative table as JavaScript, and both passes of the page, beside Python; run by Node.js where there is one."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from autograd_mini import RULES, Value, primitive
from tests.javascript import OPS, compare_graphs, compare_rows
from viz.explorer.data import GraphData
from viz.explorer.page import script_text
from viz.explorer.tables import NARY, is_computable, javascript_table, op_texts

needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="Node.js is not installed: JavaScript beside Python"
)


def ask_node(function: str, questions: Any) -> Any:
    """Run a function of JavaScript on `questions`, with the page's own modules and the whole table around it."""
    modules = script_text(javascript_table(OPS), ("kernels", "table", "engine"))
    script = f"{modules}\nconst answer = {function};\n"
    script += 'process.stdout.write(JSON.stringify(answer(JSON.parse(require("node:fs").readFileSync(0, "utf8")))));'
    done = subprocess.run(
        ["node", "-e", script], input=json.dumps(questions), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
def test_both_passes_and_the_steps_agree_with_python_on_random_graphs() -> None:
    compare_graphs(ask_node)


@needs_node
def test_every_row_agrees_in_its_box_and_at_its_edges() -> None:
    compare_rows(ask_node)


def test_every_row_of_the_table_can_be_computed_in_the_page() -> None:
    for op in OPS:
        assert is_computable(op)
        assert op in NARY or f'"{op}": ' in javascript_table([op])


def test_the_names_of_ops_cannot_end_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, '"</script><img>', RULES["exp"])
    table = javascript_table(['"</script><img>'])
    assert "</script" not in table
    assert '\\"\\u003c/script>' in table


def test_an_op_of_ones_own_keeps_what_python_recorded() -> None:
    @primitive(lambda y, x: 3.0 * x * x)
    def cube(x: float) -> float:
        return x**3

    x = Value(2.0, "x")
    told = GraphData(cube(x) * 2).as_dict()
    assert told["frozen"] == {1: [12.0]}
    assert [op["computed"] for op in told["ops"] if op["op"] == "cube"] == [False]


@needs_node
def test_what_depends_on_an_op_of_ones_own_is_not_up_to_date_after_a_change() -> None:
    @primitive(lambda y, x: 3.0 * x * x)
    def third_power(x: float) -> float:
        return x**3

    x, w = Value(2.0, "x"), Value(3.0, "w")
    data = GraphData(third_power(x) * w)
    leaves = [data.index[x], data.index[w]]
    answer = "([graph, leaves]) => leaves.map((leaf) => new Graph(graph, table).isStale([leaf]))"
    assert ask_node(answer, [data.as_dict(), leaves]) == [True, False]
    assert ask_node(answer, [GraphData(x * w).as_dict(), [0, 1]]) == [False, False]


def test_formulas_are_written_as_explain_writes_them() -> None:
    assert op_texts("div", 2) == {"formula": "{0} / {1}", "slopes": ["1 / {1}", "(-{0} / {1}**2)"]}
