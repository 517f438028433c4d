"""The commands train, evaluate and predict, from end to end."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn.loop
from autograd_mini import CheckpointError
from autograd_mini.cli import main
from autograd_mini.shell.run_options import RunOptions
from nn import ACTIVATIONS, DATASETS, MLP, OPTIMIZERS, SCHEDULES, Trainer, read_checkpoint, xor

ROOT = Path(__file__).resolve().parent.parent
MOONS = ("--data", "moons", "--layers", "4", "--epochs", "2")
EPOCH = {"event", "epoch", "epochs", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"}
END = {"event", "status", "epochs", "best_epoch", "reason", "saved", "validation", "test"}


class Call:
    """What a call of the command gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line, parse_constant=pytest.fail) for line in self.out.splitlines()]

    @property
    def table(self) -> list[list[str]]:
        return list(csv.reader(io.StringIO(self.out)))


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def done(*words: str) -> Call:
        capsys.readouterr()
        try:
            code = main(words)
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Call(code, *capsys.readouterr())

    return done


def animals(path: str, *, label: bool = True, order: str = "legs,weight,animal", rows: int = 60) -> str:
    generator = np.random.default_rng(0)
    lines = [order if label else order.replace(",animal", "").replace("animal,", "")]
    for i in range(rows):
        cells = {"legs": str(2 + 2 * (i % 2)), "weight": f"{generator.normal(1.0 + 4 * (i % 2)):.3f}"}
        cells["animal"] = ("bird", "cat")[i % 2]
        lines.append(",".join(cells[name] for name in lines[0].split(",")))
    Path(path).write_text("\n".join(lines))
    return path


def houses(path: str) -> str:
    generator = np.random.default_rng(0)
    rooms, age = generator.integers(1, 9, 80), generator.uniform(0, 50, 80)
    lines = [f"{r},{a:.2f},{int(50_000 * r - 500 * a)}" for r, a in zip(rooms, age, strict=True)]
    Path(path).write_text("\n".join(["rooms,age,price", *lines]))
    return path


def test_a_run_from_training_to_prediction_as_people_see_it(call: Any) -> None:
    trained = call("train", *MOONS, "--save", "run")
    assert trained.code == 0
    assert "epoch 2/2" in trained.err
    assert "| validation loss" in trained.err
    lines = trained.out.splitlines()
    assert lines[0] == "moons: 2 inputs, 2 classes; 140 rows to train, 30 for validation, 30 for test"
    assert lines[1] == "MLP(2, [4, 2], activation='relu'), 22 parameters, cross_entropy; adam at 0.01"
    assert re.fullmatch(
        r"validation  loss [\d.]+, accuracy [\d.]+ %  \(epoch 2, the best on validation of 2\)", lines[2]
    )
    assert re.match(r"test        loss [\d.]+, accuracy [\d.]+ %", lines[3])
    assert lines[4:] == [
        "saved in run/",
        "next:",
        "  autograd-mini evaluate run/",
        "  autograd-mini predict run/ FILE.csv",
        "  autograd-mini train --resume run/ --epochs 4",
    ]
    judged = call("evaluate", "run/")
    assert judged.out.startswith(
        "the test part of moons: 30 rows; MLP(2, [4, 2], activation='relu') of epoch 2, the best"
    )
    assert "class  precision  recall     f1    rows" in judged.out
    assert "true ↓ taken for →    0    1" in judged.out
    Path("new.csv").write_text("y,x\n0.5,-1\n-0.5,1\n")
    predicted = call("predict", "run/", "new.csv")
    assert predicted.table[0] == ["class", "p(0)", "p(1)"]
    for name, *shares in predicted.table[1:]:
        numbers = list(map(float, shares))
        assert sum(numbers) == pytest.approx(1.0, abs=1e-5)  # six digits are printed
        assert numbers[int(name)] == max(numbers)


def test_json_is_an_object_a_line_and_nothing_else(call: Any) -> None:
    trained = call("train", *MOONS, "--save", "run", "--json")
    assert trained.err == ""
    *epochs, end = trained.objects
    assert [set(one) for one in epochs] == [EPOCH, EPOCH]
    assert [one["epoch"] for one in epochs] == [1, 2]
    assert set(end) == END
    assert (end["event"], end["status"], end["epochs"], end["saved"]) == ("end", "complete", 2, "run")
    assert set(end["test"]) == {"loss", "accuracy"}
    (judged,) = call("evaluate", "run", "--json").objects
    assert {name: judged[name] for name in ("loss", "accuracy")} == end["test"]
    assert set(judged["classes"]["1"]) == {"precision", "recall", "f1", "support"}
    assert sum(map(sum, judged["confusion_matrix"])) == judged["rows"] == 30
    Path("new.csv").write_text("x,y\n0.5,-1\n")
    (predicted,) = call("predict", "run", "new.csv", "--json").objects
    assert predicted["row"] == 0
    assert predicted["probabilities"][predicted["class"]] >= 0.5


def test_what_is_not_finite_is_null_in_json(call: Any) -> None:
    call("train", *MOONS, "--epochs", "1", "--save", "run", "--json")
    Path("one.csv").write_text("x,y,class\n0.5,-1,0\n0.5,-1,0\n")
    (judged,) = call("evaluate", "run", "one.csv", "--json").objects
    assert judged["classes"]["1"]["recall"] is None


def test_classes_by_name_from_a_csv_file_in_any_order_of_columns(call: Any) -> None:
    trained = call("train", "--data", animals("animals.csv"), "--epochs", "12", "--save", "run")
    assert "animals.csv: 2 inputs, 2 classes; 42 rows" in trained.out
    assert "bird" in call("evaluate", "run").out
    straight = call("predict", "run", animals("bare.csv", label=False))
    assert straight.table[0] == ["class", "p(bird)", "p(cat)"]
    assert [row[0] for row in straight.table[1:5]] == ["bird", "cat", "bird", "cat"]
    turned = animals("turned.csv", order="animal,weight,legs")
    assert call("predict", "run", turned).out == straight.out
    assert call("evaluate", "run", turned, "--json").objects[0]["accuracy"] == 1.0


def test_a_csv_file_without_a_header(call: Any) -> None:
    rows = Path(animals("animals.csv", order="animal,legs,weight")).read_text().splitlines()[1:]
    Path("bare.csv").write_text("\n".join(rows).replace(",", ";"))
    reading = ("--label", "0", "--delimiter", ";", "--header", "no")
    assert call("train", "--data", "bare.csv", *reading, "--epochs", "2", "--save", "run").code == 0
    with_label = call("predict", "run", "bare.csv")
    Path("inputs.csv").write_text("\n".join(row.partition(",")[2].replace(",", ";") for row in rows))
    assert call("predict", "run", "inputs.csv").out == with_label.out
    assert call("evaluate", "run", "bare.csv", "--json").objects[0]["rows"] == 60
    Path("wide.csv").write_text("1;2;3;4\n")
    assert "wide.csv has 4 numbers in a row, but this run has learned from 2" in call("predict", "run", "wide.csv").err


def test_quantities_are_predicted_in_their_own_units(call: Any) -> None:
    refused = call("train", "--data", houses("houses.csv"), "--save", "run")
    assert refused.code == 1
    assert re.search(r"\d\d of 80 targets of houses.csv are whole numbers of their own.* say --quantities", refused.err)
    assert not Path("run").exists()
    told = ("--data", "houses.csv", "--quantities", "--epochs", "40", "--layers", "8")
    trained = call("train", *told, "--save", "run")
    assert "2 inputs, price to predict" in trained.out
    assert "mean_squared_error" in trained.out
    Path("new.csv").write_text("age,rooms\n10,4\n")
    heading, (price,) = call("predict", "run", "new.csv").table
    assert heading == ["price"]
    assert float(price) == pytest.approx(195_000, rel=0.1)  # 40 epochs on 56 rows come about as near as that
    (judged,) = call("evaluate", "run", "--json").objects
    assert judged["r_squared"] > 0.9
    assert 100 < judged["root_mean_squared_error"] < 50_000
    assert "root mean squared error" in call("evaluate", "run", "houses.csv").out
    assert call("predict", "run", "new.csv", "--json").objects[0]["prediction"] == float(price)


def test_arrays_from_an_npz_file(call: Any) -> None:
    data = xor(60, noise=0.0)
    np.savez(
        "xor.npz", inputs=data.inputs, targets=data.targets, twice=np.column_stack([data.inputs, data.inputs[:, 0]])
    )
    assert "2 classes" in call("train", "--data", "xor.npz", "--epochs", "1", "--save", "run").out
    assert len(call("predict", "run", "xor.npz").table) == 61
    assert call("evaluate", "run", "xor.npz", "--json").objects[0]["rows"] == 60
    trained = call("train", "--data", "xor.npz", "--label", "twice", "--epochs", "1", "--save", "three")
    assert "quantities to predict" in trained.out
    assert call("predict", "three", "xor.npz").table[0] == ["prediction[0]", "prediction[1]", "prediction[2]"]


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "digits"])
def test_every_data_set_by_name(call: Any, name: str) -> None:
    assert call("train", "--data", name, "--layers", "3", "--epochs", "1", "--json").objects[-1]["status"] == "complete"


def test_digits_are_known_by_name(call: Any) -> None:
    told = ("--data", "digits", "--layers", "none", "--epochs", "1", "--validation", "0.49", "--test", "0.49")
    assert call("train", *told).out.startswith("digits: 49 inputs, 10 classes; 36 rows to train")


@pytest.mark.parametrize("name", ["constant", *SCHEDULES])
def test_every_schedule_runs_to_its_end_and_only_those_without_one_go_on(call: Any, name: str) -> None:
    told = ("--data", "xor", "--layers", "3", "--epochs", "3", "--schedule", name, "--save", "run")
    assert call("train", *told).code == 0
    longer = call("train", "--resume", "run", "--epochs", "4", "--json")
    if name in ("cosine", "warm_up", "one_cycle"):
        assert longer.code == 1
        assert f"the {name} schedule of this run ends with epoch 3, so it cannot go on to epoch 4" in longer.err
    else:
        assert longer.objects[-1]["epochs"] == 4


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_with_one_cycle(call: Any, name: str) -> None:
    told = ("--data", "xor", "--layers", "3", "--epochs", "1", "--optimizer", name, "--schedule", "one_cycle")
    assert call("train", *told).code == 0


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_learns_with_all_the_other_options(call: Any, name: str) -> None:
    told = (
        "--data moons --layers 3,3 --epochs 1 --optimizer rmsprop --momentum 0.5 --weight-decay 0.01 --batch-norm "
        "--dropout 0.1 --l1 0.001 --l2 0.001 --clip-norm 1 --clip-value 0.5 --drop-last --no-normalize "
        "--loss binary_cross_entropy --early-stopping 3 --learning-rate 0.01 --batch-size 40 --seed 3"
    )
    assert call("train", *told.split(), "--activation", name, "--save", "run").code == 0
    record = Trainer.resume("run").hyper_parameters
    assert (record.l1, record.l2, record.clip_norm, record.clip_value, record.drop_last) == (0.001, 0.001, 1, 0.5, True)
    assert (record.batch_size, record.seed, record.loss) == (40, 3, "binary_cross_entropy")
    assert record.model["activation"] == name
    assert record.optimizer["momentum"] == 0.5
    assert record.early_stopping is not None
    Path("new.csv").write_text("x,y\n0.5,-1\n")
    assert sum(call("predict", "run", "new.csv", "--json").objects[0]["probabilities"].values()) == pytest.approx(1.0)


def test_epochs_may_be_raised_and_the_bits_are_those_of_a_longer_run(call: Any) -> None:
    call("train", *MOONS, "--save", "short")
    resumed = call("train", "--resume", "short", "--epochs", "4", "--json")
    assert [one["epoch"] for one in resumed.objects[:-1]] == [3, 4]
    call("train", *MOONS, "--epochs", "4", "--save", "long")
    assert Path("short/checkpoint.npz").read_bytes() == Path("long/checkpoint.npz").read_bytes()


def test_a_resumed_run_is_saved_as_often_as_before(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    call("train", *MOONS, "--save", "run", "--save-every", "2")
    positions = []
    keep = nn.loop.keep
    monkeypatch.setattr("nn.loop.keep", lambda trainer: (positions.append(trainer.position), keep(trainer)))
    call("train", "--resume", "run", "--epochs", "3")
    assert (2, 2) in positions


def test_a_disk_that_is_full_is_told_in_json_too(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(trainer: Trainer) -> None:
        raise CheckpointError("no space")

    monkeypatch.setattr("nn.loop.keep", full)
    failed = call("train", *MOONS, "--save", "run", "--json")
    assert failed.code == 1
    assert failed.objects == [{"event": "end", "status": "failed", "error": "no space", "saved": "run"}]
    assert failed.err == "autograd-mini: no space\n"


def test_a_complete_run_says_so(call: Any) -> None:
    call("train", *MOONS, "--save", "run")
    before = Path("run/checkpoint.npz").read_bytes()
    again = call("train", "--resume", "run")
    assert again.code == 0
    assert again.out.startswith(
        "the run is complete: all 2 epochs are done; to train longer, say --epochs with a number above 2\n"
    )
    assert "autograd-mini evaluate run/" in again.out
    assert call("train", "--resume", "run", "--json").objects[0]["status"] == "complete already"
    assert Path("run/checkpoint.npz").read_bytes() == before


def test_early_stopping_says_why_and_is_the_end_of_the_run(call: Any) -> None:
    told = ("--data", "blobs", "--learning-rate", "0", "--early-stopping", "2", "--save", "run")
    stopped = call("train", *told)
    assert "stopped early: validation_loss has not become better than" in stopped.out
    assert "--resume" not in stopped.out
    again = call("train", "--resume", "run", "--epochs", "90")
    assert again.code == 0
    assert "the run is complete: validation_loss has not" in again.out
    assert "--early-stopping 2 has stopped it: to train longer, begin a new run with more patience" in again.out


def test_the_best_epoch_is_judged_or_the_last_if_asked_for(call: Any) -> None:
    told = ("--data", "moons", "--optimizer", "sgd", "--learning-rate", "3", "--epochs", "3", "--layers", "4")
    *epochs, end = call("train", *told, "--save", "run", "--json").objects
    losses = [one["validation_loss"] for one in epochs]
    assert end["best_epoch"] == losses.index(min(losses)) + 1 < 3, "choose another learning rate: the last is the best"
    assert call("evaluate", "run", "--json").objects[0]["epoch"] == end["best_epoch"]
    assert call("evaluate", "run", "--last", "--json").objects[0]["epoch"] == 3
    best = f"run/epochs/{end['best_epoch']:04}.npz"
    assert call("evaluate", best, "--last", "--json").objects[0]["loss"] == end["test"]["loss"]


def test_without_validation_and_test_there_is_no_best_and_nothing_to_judge_by(call: Any) -> None:
    end = call("train", *MOONS, "--validation", "0", "--test", "0", "--save", "run", "--json").objects[-1]
    assert end["best_epoch"] is None
    assert set(end) == END - {"validation", "test"}
    assert "was trained with --test 0: give a file to judge it by" in call("evaluate", "run").err


def test_the_data_may_move_but_not_change(call: Any) -> None:
    call("train", "--data", animals("animals.csv"), "--epochs", "1", "--save", "run")
    os.rename("animals.csv", "moved.csv")
    lost = call("train", "--resume", "run", "--epochs", "2")
    assert lost.code == 1
    assert "animals.csv, is not there; if it has moved, say where: --data FILE" in lost.err
    assert call("train", "--resume", "run", "--epochs", "2", "--data", "moved.csv").code == 0
    assert call("evaluate", "run", "--data", "moved.csv").code == 0
    call("train", *MOONS, "--save", "moons")
    other = call("train", "--resume", "moons", "--data", "moved.csv", "--epochs", "3")
    assert "begun with the data set moons, so the file moved.csv does not go with it" in other.err
    animals("animals.csv", rows=61)
    changed = call("train", "--resume", "run", "--epochs", "3")
    assert changed.code == 1
    assert "animals.csv has changed since this run was begun: bring back the file as it was" in changed.err


def test_a_run_is_never_overwritten(call: Any) -> None:
    call("train", *MOONS, "--save", "my run")
    again = call("train", *MOONS, "--save", "my run")
    assert again.code == 1
    assert "my run already holds a run" in again.err
    assert "autograd-mini train --resume 'my run/'" in again.err
    assert again.out == ""


WRONG = {
    "": "--data is missing",
    "--data moons --epochs 0": "argument --epochs: it is '0', but must be a whole number, 1 or more",
    "--data moons --layers 3,0": "must be whole numbers, 1 or more, such as 16,16",
    "--data moons --dropout 1": "argument --dropout: it is 1.0, but must be a finite number, 0 or more and less than 1",
    "--data moons --learning-rate nan": "must be a finite number, 0 or more",
    "--data moons --clip-norm 0": "must be a finite number, more than 0",
    "--data moons --momentum 0.9": "--momentum does not go with adam: sgd and rmsprop have one",
    "--data moons --save-every 2": "--save-every needs --save RUN/",
    "--data moons --validation 0.5 --test 0.5": "leave no rows to learn from",
    "--data moons --optimizer best": "invalid choice: 'best'",
    "--data moons --delimiter ;;": "argument --delimiter: it is ';;', but must be one character",
    "--data moons --save=": "argument --save: it is empty, but must name a folder, such as run/",
    "--resume=": "argument --resume: it is empty",
    "--resume run --layers 3": "--layers does not go with --resume: all but --epochs is read from the run",
    "--resume run --save other": "--save does not go with --resume",
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_call_exits_with_2(call: Any, words: str) -> None:
    wrong = call("train", *words.split())
    assert wrong.code == 2
    assert WRONG[words] in wrong.err.replace("it is 0,", "it is '0',")


FAILURES = {
    "train --data nothing.csv": "there is no file 'nothing.csv'; data sets by name are digits, moons,",
    "train --data broken.csv": "a value is missing, at line 2, column 'b'",
    "train --data alike.csv": "all rows of alike.csv are of one class, so there is nothing to learn; see --label",
    "train --data blobs --loss binary_cross_entropy": "does not go with 3 classes: take cross_entropy",
    "train --data moons --loss mean_squared_error": "--loss mean_squared_error does not go with 2 classes",
    "train --resume nothing": "nothing holds no run: nothing/checkpoint.npz is not there; begin one with autograd-mini",
    "evaluate nothing": "nothing holds no run: nothing/checkpoint.npz is not there; begin one with autograd-mini",
    "predict other.npz broken.csv": "has no notes of the command line: it is no run of autograd-mini train",
}


@pytest.mark.parametrize("words", FAILURES)
def test_a_failure_exits_with_1_and_says_what_to_do(call: Any, words: str) -> None:
    Path("broken.csv").write_text("a,b\n1,\n2,3\n")
    Path("alike.csv").write_text("a,b\n1,2\n2,2\n")
    Trainer(MLP(2, [2], seed=0)).save("other.npz")
    failed = call(*words.split())
    assert failed.code == 1
    assert failed.err.startswith("autograd-mini: ")
    assert FAILURES[words] in failed.err


def test_a_damaged_checkpoint_is_refused_and_a_way_out_is_named(call: Any) -> None:
    call("train", *MOONS, "--save", "run")
    whole = Path("run/checkpoint.npz").read_bytes()
    Path("run/checkpoint.npz").write_bytes(whole[:-100])
    for words in (("train", "--resume", "run", "--epochs", "3"), ("evaluate", "run")):
        refused = call(*words)
        assert refused.code == 1
        assert "run/checkpoint.npz" in refused.err
    assert Path("run/checkpoint.npz").read_bytes() == whole[:-100]
    Path("run/epochs/0002.npz").write_bytes(whole[:-1])
    for words in (("evaluate", "run"), ("train", "--resume", "run/checkpoint.npz")):
        assert "that of epoch 1 is whole, so put it in its place: cp run/epochs/0001.npz" in call(*words).err
    Path("run/epochs/0002.npz").write_bytes(whole)
    Path("run/checkpoint.npz").unlink()
    refused = call("train", "--resume", "run")
    assert "run holds no run: run/checkpoint.npz is not there; that of epoch 2 is whole" in refused.err
    way_out = refused.err.rstrip().rpartition(": ")[2]
    assert way_out == "cp run/epochs/0002.npz run/checkpoint.npz"
    shutil.copy(*way_out.split()[1:])
    assert call("train", "--resume", "run/checkpoint.npz", "--epochs", "3").code == 0
    assert read_checkpoint("run/checkpoint.npz").manifest["position"]["epoch"] == 3
    lone = call("train", "--resume", "run/epochs/0002.npz")
    assert "0002.npz is a checkpoint of its own: --resume takes the folder of a run" in lone.err


@pytest.mark.parametrize("json_too", [False, True])
def test_a_loss_that_is_not_finite_ends_the_run_and_what_was_saved_stays(call: Any, json_too: bool) -> None:
    told = (*MOONS, "--optimizer", "sgd", "--learning-rate", "1e300", "--save", "run", "--save-every", "1")
    failed = call("train", *told, *(["--json"] if json_too else []))
    assert failed.code == 1
    assert re.search(r"epoch 1, batch 2: .*for row \d+ of the batch", failed.err)
    assert "try a lower --learning-rate or --clip-norm; what was saved in run/ is kept" in failed.err
    assert "RuntimeWarning" not in failed.err
    assert read_checkpoint("run/checkpoint.npz").manifest["position"]["batch"] == 1
    if json_too:
        assert failed.objects[-1]["status"] == "failed"
        assert failed.objects[-1]["error"].endswith("try a lower --learning-rate or --clip-norm")


def interrupt_after_an_epoch(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    end_epoch = nn.loop._end_epoch

    def interrupted(trainer: Trainer, epoch: int) -> None:
        end_epoch(trainer, epoch)
        if epoch == 1:
            signal.raise_signal(number)

    monkeypatch.setattr("nn.loop._end_epoch", interrupted)


@pytest.mark.usefixtures("heeded_ctrl_c")
@pytest.mark.skipif(os.name != "posix", reason="there are no such signals here")
@pytest.mark.parametrize(("number", "code", "word"), [(2, 130, "interrupted"), (15, 143, "terminated")])
def test_a_signal_saves_the_run_or_says_how_to(
    call: Any, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int, word: str
) -> None:
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    with monkeypatch.context() as patch:
        interrupt_after_an_epoch(patch, number)
        lost = call("train", *MOONS, "--seed", "5")
        kept = call("train", *MOONS, "--seed", "5", "--save", "run", "--json")
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert (lost.code, kept.code) == (code, code)
    # The last batch of the epoch was under way, so it is as it was before.
    assert f"autograd-mini: {word} after epoch 0 and 4 batches of the next; nothing was saved" in lost.err
    again = "autograd-mini train --data moons --layers 4 --epochs 2 --seed 5 --save run/"
    assert lost.err.rstrip().endswith(f"next time: {again}")
    assert "saved in run/, go on with: autograd-mini train --resume run/" in kept.err
    end = {"event": "end", "status": word, "epochs": 0, "batches": 4, "saved": "run"}
    assert kept.objects == [{**end, "resume": "autograd-mini train --resume run/"}]
    resumed = call("train", "--resume", "run")
    assert "goes on after epoch 0 and 4 batches" in resumed.out
    call("train", *MOONS, "--seed", "5", "--save", "whole")
    assert Path("run/checkpoint.npz").read_bytes() == Path("whole/checkpoint.npz").read_bytes()


def test_each_option_is_in_the_help_with_its_default(call: Any) -> None:
    text = re.sub(r"\s+", " ", call("train", "--help").out)
    told = RunOptions()
    for field in fields(told):
        option, default = "--" + field.name.replace("_", "-"), getattr(told, field.name)
        assert (described := re.search(rf" {option}[ ,](?! ?\[)[^\[]*?(?= --[a-z]|$)", text.partition("options:")[2]))
        if default not in (None, "") and not isinstance(default, bool):
            shown = ",".join(map(str, default)) if isinstance(default, tuple) else default
            shown = {",": "a comma"}.get(str(shown), f"{shown:g}" if isinstance(shown, float) else str(shown))
            assert f"(default: {shown}" in described[0], described[0]
    for command in ("train", "evaluate", "predict"):
        assert call(command, "--help").out.partition("examples:")[2].count(f"autograd-mini {command}") == 3


def test_the_commands_as_processes(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "autograd_mini", *words]
        return subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    trained = run("train", *MOONS, "--save", "run", "--json")
    assert (trained.returncode, trained.stderr) == (0, "")
    assert len(trained.stdout.splitlines()) == 3
    assert run("train", *MOONS, "--save", "run").returncode == 1
    assert run("train", *MOONS, "--epochs", "many").returncode == 2
    assert run("evaluate", "run").returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="pipes break otherwise here")
def test_when_nobody_reads_the_json_any_more_the_run_is_saved(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "autograd_mini", "train", *MOONS, "--epochs", "50", "--save", "run", "--json"]
    with subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 141
    assert read_checkpoint(tmp_path / "run/checkpoint.npz").manifest["position"]["epoch"] >= 1
