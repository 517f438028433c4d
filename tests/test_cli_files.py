"""Files at the command line: what is said of those that cannot be read, and runs opened again from Python."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from autograd_mini.cli import main
from autograd_mini.shell import in_options, load_run
from autograd_mini.shell.run_notes import RunNotes

RUN = ("train", "--layers", "4", "--epochs", "2", "--json", "--save", "run")

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(path: str, *, between: str = ",", rows: int = 40, header: bool = True) -> str:
    lines = [("x", "y", "kind")] * header + [(f"{i % 7}.5", f"{i % 3}", ("a", "b")[i % 2]) for i in range(rows)]
    Path(path).write_text("\n".join(map(between.join, lines)))
    return path


@pytest.mark.parametrize("place", ["run", "run/", "run/checkpoint.npz"])
def test_a_run_is_looked_back_into_without_training(place: str) -> None:
    assert main([*RUN, "--data", table("rows.csv"), "--batch-size", "8"]) == 0
    before = Path("run/checkpoint.npz").read_bytes()
    trainer, split = load_run(place)
    assert (len(split.train), len(split.validation), len(split.test)) == (28, 6, 6)
    assert split.train.inputs.mean(axis=0) == pytest.approx([0.0, 0.0], abs=1e-12)
    assert trainer.replay(epoch=2, batch=3).loss.data == trainer.history.iterations["loss"][6]
    assert len(trainer.blame("hidden.neuron1.b", epoch=1, batch=2).pushes) == 8
    assert trainer.evaluate(split.validation)["loss"] == trainer.history["validation_loss"][-1]
    assert Path("run/checkpoint.npz").read_bytes() == before
    assert len(trainer.fit(split.train, validation=split.validation, epochs=3)) == 3


def test_the_data_of_a_run_may_have_moved_and_may_have_no_validation_part() -> None:
    assert main([*RUN, "--data", table("rows.csv"), "--validation", "0"]) == 0
    os.rename("rows.csv", "moved.csv")
    with pytest.raises(FileNotFoundError, match="say where: data=FILE"):
        load_run("run")
    trainer, split = load_run("run", data="moved.csv")
    assert trainer.replay(epoch=1, batch=1).data.inputs.shape == (32, 2)
    with pytest.raises(ValueError, match="the train data is not what training was begun with"):
        trainer.attach(split.test)


def test_a_file_to_judge_may_have_another_delimiter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--data", table("tabs.csv", between="\t"), "--delimiter", r"\t"]) == 0
    assert RunNotes.of(load_run("run")[0].notes, "run").reading["delimiter"] == "\t"
    capsys.readouterr()
    assert main(["predict", "run", "tabs.csv"]) == 0
    said = capsys.readouterr().out
    assert main(["predict", "run", table("other.csv", between=";"), "--delimiter", ";"]) == 0
    assert capsys.readouterr().out == said
    assert main(["evaluate", "run", "other.csv", "--delimiter", ";"]) == 0
    assert main(["evaluate", "run", "other.csv"]) == 1
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "run", "--delimiter", ";"])
    assert "--delimiter is that of FILE, and there is none" in capsys.readouterr().err


FAILURES: dict[str, str] = {
    "train --data folder": "folder is a folder, but data is a file",
    "train --data one.npy": "one.npy is an NPY file, which has one array, but data needs inputs and targets",
    "train --data semicolons.csv": "say --delimiter ';'",
    "train --data doubt.csv": "say --header yes or --header no",
    "train --data header.csv": "or say --header no if line 1 is one",
    "train --data rows.csv --label z --header no": "if line 1 has their names, say --header yes",
    "train --data rows.csv --drop-last --batch-size 99": "--drop-last leaves no batch of 99 rows, as there are 28; use "
    "--batch-size 28 or less",
    "train --data rows.csv --batch-norm --batch-size 9": "use another --batch-size, or --drop-last",
    "train --data rows.csv --test 0.001": "--test 0.001 of 40 rows leaves no row: raise it",
    "train --data two.npz": "has no array 'targets'; the names in it are 'inputs', 'answers': --label says which",
    "predict run moons": "cannot read moons: no such file or directory",
    "evaluate run moons": "cannot read moons: no such file or directory",
    "predict run folder": "folder is a folder, but data is a file",
    "evaluate run/epochs/0009.npz": "0009.npz cannot be read: No such file or directory",
    "demo --out rows.csv/demo": "cannot write rows.csv/demo: not a directory",
}


@pytest.mark.parametrize("words", FAILURES)
def test_a_file_that_will_not_do_is_named_with_what_to_do(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    table("rows.csv")
    Path("folder").mkdir()
    np.save("one.npy", np.zeros(3))
    np.savez("two.npz", inputs=np.zeros((3, 2)), answers=np.zeros(3))
    table("semicolons.csv", between=";")
    Path("doubt.csv").write_text("a,2\n1,3\n2,4\n")
    Path("header.csv").write_text("a,b\n")
    if " run" in words:
        main([*RUN, "--data", "rows.csv"])
    capsys.readouterr()
    assert main(words.split()) == 1
    said = capsys.readouterr().err
    assert FAILURES[words] in said
    assert "Errno" not in said


AS_NOBODY = """
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
sys.exit(main(["train", "--data", "secret.csv"]))
"""


def test_a_file_that_may_not_be_read_is_named() -> None:
    folder = Path(tempfile.mkdtemp())  # that of pytest is closed to other users
    try:
        folder.chmod(0o755)
        Path(table(str(folder / "secret.csv"))).chmod(0)
        script = f"import os, sys\nfrom autograd_mini.cli import main\n{AS_NOBODY}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.stderr == f"autograd-mini: cannot read {folder / 'secret.csv'}: permission denied\n"
        assert done.returncode == 1
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["batch_size", "drop_last", "delimiter="])
def test_names_of_the_users_own_stay_as_they_are(name: str) -> None:
    message = f"there is no column '{name}'; see data/{name}.csv and my_{name}"
    assert in_options(message) == message


def test_whole_numbers_are_classes_where_enough_rows_share_them(capsys: pytest.CaptureFixture[str]) -> None:
    Path("few.csv").write_text("\n".join(["x,n", *(f"{i}.5,{i % 4}" for i in range(8))]))
    told = ["train", "--data", "few.csv", "--validation", "0", "--test", "0", "--epochs", "1"]
    assert main(told) == 0
    Path("few.csv").write_text("\n".join(["x,n", *(f"{i}.5,{i % 5}" for i in range(8))]))
    assert main(told) == 1
    assert "5 of 8 targets of few.csv are whole numbers of their own" in capsys.readouterr().err
    Path("many.csv").write_text("\n".join(["x,n", *(f"{i}.5,{i % 21}" for i in range(84))]))
    assert main([*told[:2], "many.csv", *told[3:]]) == 0
    assert "21 classes (if they are quantities, say --quantities); " in capsys.readouterr().out
    np.savez("few.npz", inputs=np.zeros((8, 1)), targets=np.arange(8) - 4)
    assert main(["train", "--data", "few.npz", "--quantities", "--epochs", "1"]) == 0
    np.savez("few.npz", inputs=np.zeros((8, 1)), targets=np.arange(8))
    assert main(["train", "--data", "few.npz"]) == 1
    assert "8 of 8 targets of few.npz are whole numbers of their own" in capsys.readouterr().err
