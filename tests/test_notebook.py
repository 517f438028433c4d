"""The notebook of the lecture: it is committed clean, has every idea of the list, and runs from top to bottom."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "examples" / "decoding_neural_networks.ipynb"
MISSING = "the notebook needs nbclient, ipykernel and matplotlib: ./dev test --peers"
CELLS: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
# Epoch and iteration are what training consists of, and stand there.
SAME_CELL = {"epoch and iteration": "train"}


def test_it_is_committed_without_outputs_and_with_ids_that_stay() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    ids = [cell["id"] for cell in CELLS]
    assert len(set(ids)) == len(ids)
    for cell in CELLS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cell["id"])  # named by hand; a number would be Jupyter's
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_every_idea_of_the_readme_s_table_has_a_sentence_and_a_line_to_run() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| .*\[`test_(\w+)`\]\(tests/test_lecture\.py", readme, re.MULTILINE)
    assert len(names) == 22
    ids = [cell["id"] for cell in CELLS]
    for name in names:
        idea = SAME_CELL.get(name.replace("_", " "), name.replace("_", "-"))
        text, code = (CELLS[ids.index(cell)] for cell in (idea, f"{idea}-code"))
        assert (text["cell_type"], code["cell_type"]) == ("markdown", "code")
        assert ids.index(f"{idea}-code") == ids.index(idea) + 1
        heading, *sentences = "".join(text["source"]).splitlines()
        assert name.replace("_", " ").replace("dataset", "data set") in heading.lower().replace("-", " ")
        assert re.search(r"[.?!]", " ".join(sentences))


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Run the notebook in a fresh kernel, and return the outputs of each cell."""
    nbclient = pytest.importorskip("nbclient", reason=MISSING)
    for name in ("ipykernel", "matplotlib"):
        pytest.importorskip(name, reason=MISSING)
    nbformat = pytest.importorskip("nbformat", reason=MISSING)
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    own = {
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(folder),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
        client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
        client.execute(env={**os.environ, **own})
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def text_of(outputs: list[Any]) -> str:
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


def test_no_cell_fails_or_warns_and_the_results_are_those_of_the_lecture(executed: dict[str, list[Any]]) -> None:
    for name, outputs in executed.items():
        for output in outputs:
            assert output.output_type != "error", name
            assert output.get("name") != "stderr", f"{name}: {output.get('text')}"
    assert "as 49 numbers" in text_of(executed["input-layer-code"])
    assert "sum 15, bias -15: sigmoid(0) = 0.500" in text_of(executed["bias-code"])
    assert text_of(executed["hidden-layer-code"]) == "3 neurons, 150 parameters\n"
    active = text_of(executed["active-neuron-code"])
    assert [f"active: ['{name}']" in active for name in ("curve", "diagonal", "horizontal line")] == [True] * 3
    assert text_of(executed["forward-pass-code"]) == "(3, 49) (49,)\n[0.0, 0.818, 0.0]"
    assert "cost 0.7901; the largest output is number 1" in text_of(executed["loss-function-code"])
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", text_of(executed["optimizer-code"]))]
    assert losses == sorted(losses, reverse=True)
    score = re.match(r"(\d+\.\d)% of 269 digits", text_of(executed["test-code"]))
    assert score is not None
    assert float(score[1]) > 75.0


def test_the_plots_are_shown(executed: dict[str, list[Any]]) -> None:
    shown = {name for name, outputs in executed.items() if any("image/png" in o.get("data", {}) for o in outputs)}
    assert shown == {
        "weights-code", "gradients-code", "validation-code", "learned-weights-code", "boundary-code",
    }  # fmt: skip


@pytest.mark.skipif(shutil.which("dot") is None, reason="there is no program dot on the PATH to draw the pictures")
def test_the_drawings_are_shown(executed: dict[str, list[Any]]) -> None:
    drawn = {name for name, outputs in executed.items() if any("image/svg+xml" in o.get("data", {}) for o in outputs)}
    assert drawn == {"neurons-code", "back-propagation-code", "back-propagation-network"}
