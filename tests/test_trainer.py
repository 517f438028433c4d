"""``Trainer``: what it computes, when it stops, what it refuses, and what it leaves alone."""

import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_mini import NonFiniteError, Value
from nn import (
    MLP,
    OPTIMIZERS,
    SGD,
    Adam,
    BatchNorm,
    Callback,
    Dataset,
    Dropout,
    EarlyStopping,
    HyperParameters,
    Trainer,
    clip_gradient_norm,
    cross_entropy,
    l1_penalty,
    l2_penalty,
    read_checkpoint,
)
from nn.hyper_parameters import build_model
from tests import runs
from tests.runs import contents, fit, network, trainer

ROOT = Path(__file__).resolve().parent.parent


def test_training_is_the_plain_loop() -> None:
    model, other = network(), network()
    optimizer = Adam(other.parameters())
    one = fit(trainer(model, clip_norm=0.5, l1=0.1, l2=0.2, seed=3), 3, validation=None)
    for epoch in range(3):
        for batch in runs.TRAIN.batches(5, seed=3, epoch=epoch):
            parameters = other.parameters()
            loss = cross_entropy(other(batch.inputs), batch.targets)
            loss = loss + (0.1 * l1_penalty(parameters) + 0.2 * l2_penalty(parameters))
            optimizer.zero_grad()
            loss.backward()
            clip_gradient_norm(parameters, 0.5)
            optimizer.step()
    assert {n: a.tolist() for n, a in model.state().items()} == {n: a.tolist() for n, a in other.state().items()}
    assert one.history.iterations["loss"][-1] == loss.data


def test_the_history_has_the_means_of_the_epoch_and_what_evaluate_says() -> None:
    one = fit(trainer(), 2)
    rows, losses = [5, 5, 4], one.history.iterations["loss"][3:]
    assert one.history["loss"][1] == pytest.approx(np.average(losses, weights=rows), rel=1e-15)
    assert one.history["accuracy"][1] == pytest.approx(np.average(one.history.iterations["accuracy"][3:], weights=rows))
    assert one.evaluate(runs.VALIDATION) == {
        "loss": one.history["validation_loss"][1], "accuracy": one.history["validation_accuracy"][1],
    }  # fmt: skip
    assert list(one.history.epochs) == ["loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"]


def test_the_model_is_ready_for_use_afterwards() -> None:
    one = fit(trainer(), 1)
    assert one.model([0.5, 0.5])[0].data == one.model([0.5, 0.5])[0].data  # type: ignore[operator]
    assert not any(module.training for _, module in one.model.modules())


def test_evaluate_leaves_modes_and_numbers_alone() -> None:
    one = fit(trainer(), 1)
    parts = [module for _, module in one.model.modules() if isinstance(module, (BatchNorm, Dropout))]
    one.model.train()
    parts[0].eval()
    before = contents(one)
    one.evaluate(runs.DATA)
    assert [part.training for part in parts] == [False, True]
    assert contents(one) == before


def test_the_same_seed_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    script = (
        "import sys, random; sys.path[:0] = ['.']; from tests.runs import *; random.seed(int(sys.argv[2]));"
        "fit(trainer(save=sys.argv[1], seed=5), 2)"
    )
    for seed in ("0", "12345"):
        command = [sys.executable, "-c", script, str(tmp_path / seed), seed]
        subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": seed, "PATH": ""}, check=True, timeout=60)
    names = sorted(path.relative_to(tmp_path / "0") for path in (tmp_path / "0").rglob("*.npz"))
    assert list(map(str, names)) == ["checkpoint.npz", *(f"epochs/000{epoch}.npz" for epoch in range(3))]
    for name in names:
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "12345" / name).read_bytes()


def test_global_generators_are_untouched(tmp_path: Path) -> None:
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    one = fit(trainer(save=tmp_path), 1)
    one.replay(epoch=1, batch=2)
    fit(Trainer.resume(tmp_path, progress=False), 2)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index]


# Stopping


def test_early_stopping_and_what_it_says() -> None:
    one = fit(trainer(early_stopping=EarlyStopping(2, watch="accuracy", mode="max", least_change=1.0)), 50)
    assert len(one.history) == 3
    assert (
        one.stopped == f"accuracy has not become better than {one.history['accuracy'][0]:.4g}, of epoch 1, for 2 epochs"
    )
    assert len(fit(one, 50).history) == 3


def test_a_callback_may_stop_after_any_iteration(tmp_path: Path) -> None:
    class Stop(Callback):
        def on_iteration_end(self, trainer: Any) -> None:
            if len(trainer.history.iterations["loss"]) == 4:
                trainer.stop("enough")

    one = fit(trainer(callbacks=[Stop()], save=tmp_path), 5)
    assert (one.stopped, one.position) == ("enough", (1, 1))
    assert Trainer.resume(tmp_path).position == (1, 1)
    assert fit(one, 5).stopped is None


@pytest.mark.parametrize("event", ["on_fit_start", "on_iteration_end", "on_epoch_end", "on_fit_end"])
@pytest.mark.parametrize("own", [False, True])
def test_a_callback_may_save(tmp_path: Path, event: str, own: bool) -> None:
    def save(trainer: Any) -> None:
        calls.append(trainer.position)
        assert len(calls) < 20, "the batch is repeated"
        trainer.save(tmp_path / "own.npz" if own else None)

    calls: list[Any] = []
    saver = type("Saver", (Callback,), {event: lambda self, trainer: save(trainer)})()
    one = fit(trainer(callbacks=[saver], save=tmp_path / "run"), 2)
    assert contents(one) == contents(fit(trainer(), 2))
    saved = Trainer.resume(tmp_path / "own.npz" if own else tmp_path / "run", progress=False)
    if own:
        assert saved.position == calls[-1]
    assert contents(fit(saved, 2)) == contents(one)


def test_callbacks_are_told_in_order() -> None:
    told: list[Any] = []

    class Tell(Callback):
        def on_fit_start(self, trainer: Any) -> None:
            told.append("start")

        def on_iteration_end(self, trainer: Any) -> None:
            told.append(tuple(trainer.position))

        def on_epoch_end(self, trainer: Any) -> None:
            told.append(len(trainer.history))

        def on_fit_end(self, trainer: Any) -> None:
            told.append("end")

    fit(trainer(callbacks=[Tell(), lambda one: told.append("function")]), 2)
    first = [(0, 1), (0, 2), (1, 0), 1, "function"]
    assert told == ["start", *first, (1, 1), (1, 2), (2, 0), 2, "function", "end"]


def test_the_best_epoch_is_kept(tmp_path: Path) -> None:
    states = []
    one = trainer(
        optimizer="sgd", save=tmp_path, callbacks=[
            lambda one: states.append(one.model.state()),
            lambda one: setattr(one.optimizer, "learning_rate", 3.0 if len(one.history) > 2 else 0.05),
        ],
    )  # fmt: skip
    fit(one, 6)
    losses = one.history["validation_loss"]
    best = losses.index(min(losses))
    assert 0 < best < 5
    resumed = Trainer.resume(tmp_path, progress=False)
    for each in (one, resumed):
        assert each.load_best() == best + 1
        assert {n: a.tolist() for n, a in each.model.state().items()} == {
            n: a.tolist() for n, a in states[best].items()
        }
    assert resumed.evaluate(runs.VALIDATION)["loss"] == min(losses)


def test_without_validation_there_is_no_best() -> None:
    with pytest.raises(ValueError, match=r"no best epoch yet; it is chosen by fit\(train, validation=\.\.\.\)"):
        fit(trainer(), 1, validation=None).load_best()


# What is not finite


def explosive(value: float, epoch: int, batch: int, row: int) -> Any:
    """A loss that is fine but for one row of one batch, known by its targets, where it is multiplied by `value`."""
    marked = list(runs.TRAIN.batches(5, seed=0, epoch=epoch - 1))[batch - 1].targets.tolist()
    seen: list[Any] = []

    def loss(outputs: Any, targets: Any) -> Value:
        parts = [cross_entropy(output, target) for output, target in zip(outputs, targets, strict=True)]
        if targets.tolist() == marked:
            parts[row] *= value
            seen[:] = outputs
        elif seen and outputs[0] is seen[row]:
            parts[0] *= value
        return sum(parts, Value(0.0)) / len(parts)

    return loss


@pytest.mark.parametrize(("value", "what"), [(math.nan, "the loss is nan"), (math.inf, "the loss is inf")])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_not_finite_is_named_and_costs_nothing(tmp_path: Path, value: float, what: str) -> None:
    one = trainer(network(dropout=0.0), loss=explosive(value, 2, 2, 3), save=tmp_path)
    number = list(runs.TRAIN.batches(5, seed=0, epoch=1))[1].rows[3]
    where = rf"epoch 2, batch 2: {what}, for row 3 of the batch, which is row {number} of the data, it is \w+; "
    with pytest.raises(NonFiniteError, match=where + r"the model is as it was before this batch: look at it with "):
        fit(one, 3, validation=None)
    assert one.position == (1, 1)
    kept = (tmp_path / "checkpoint.npz").read_bytes()
    whole = fit(trainer(network(dropout=0.0), loss=explosive(1.0, 2, 2, 3)), 1, validation=None)
    assert one.history.epochs == whole.history.epochs
    assert math.isfinite(one.replay(epoch=2, batch=1).loss.data)
    assert not math.isfinite(one.replay(epoch=2, batch=2).loss.data)
    assert not math.isfinite(one.replay(epoch=2, batch=2, row=3).loss.data)
    with pytest.raises(NonFiniteError, match=where):
        fit(one, 3, validation=None)
    assert (tmp_path / "checkpoint.npz").read_bytes() == kept


def steep(outputs: Any, targets: Any) -> Value:
    """Finite, with a gradient that is not."""
    parts = []
    for output, target in zip(outputs, targets, strict=True):
        parts.append((output[0] - output[0].data) ** 0.5 if target == 2 else output[0] * 0.1)
    return sum(parts, Value(0.0))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_gradient_that_is_not_finite_is_named() -> None:
    one = trainer(network(batch_norm=False, dropout=0.0), loss=steep)
    batch = next(iter(runs.TRAIN.batches(5, seed=0)))
    row = batch.targets.tolist().index(2)
    which = f"for row {row} of the batch, which is row {batch.rows[row]} of the data"
    message = rf"epoch 1, batch 1: the gradient of \S+ is (inf|-inf|nan) \(and \d+ more\), {which}"
    before = contents(one)
    with pytest.raises(NonFiniteError, match=message):
        fit(one, 1)
    assert contents(one)["history/iterations/loss"] == before["history/iterations/loss"]
    assert all(contents(one)[name] == part for name, part in before.items() if name != "manifest")


def test_a_parameter_that_is_not_finite_is_named() -> None:
    model = network(batch_norm=False)
    one = trainer(model, optimizer=SGD(model.parameters(), learning_rate=1e308), l2=9.0)
    before = one.model.state()
    with pytest.raises(NonFiniteError, match=r"epoch 1, batch 1: after the step, hidden\.neuron1\.w\[0\] is -?inf "):
        fit(one, 1)
    assert {n: a.tolist() for n, a in one.model.state().items()} == {n: a.tolist() for n, a in before.items()}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_row_of_a_validation_loss_that_is_not_finite_is_named() -> None:
    def loss(outputs: Any, targets: Any) -> Any:
        return cross_entropy(outputs, targets) * (math.nan if 2 in targets else 1.0)

    others = runs.DATA.targets != 2
    train = Dataset(runs.DATA.inputs[others], runs.DATA.targets[others], classes=3)
    row = runs.VALIDATION.targets.tolist().index(2)
    where = (
        f"epoch 1: .* is nan, for row {row} of the validation data, which is row {row + 14} of the data, it is nan; "
    )
    with pytest.raises(NonFiniteError, match=rf"{where}"):
        trainer(loss=loss).fit(train, validation=runs.VALIDATION, epochs=1)


def test_a_norm_of_the_gradient_that_overflows_is_named() -> None:
    with pytest.raises(NonFiniteError, match=r"epoch 1, batch 1: .*norm.* is inf"):
        runs.overflowing_norm()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_validation_loss_that_is_not_finite_is_named() -> None:
    def loss(outputs: Any, targets: Any) -> Any:
        return cross_entropy(outputs, targets) * (math.nan if len(targets) == len(runs.VALIDATION) else 1.0)

    one = trainer(loss=loss)
    with pytest.raises(NonFiniteError, match="the validation loss is nan, though it is finite for each row alone; the"):
        fit(one, 1)
    assert one.position == (0, 2)


def test_a_loss_without_sense_for_one_row_names_no_row() -> None:
    def loss(outputs: Any, targets: Any) -> Value:
        return runs.own_loss(outputs, targets) * math.nan

    with pytest.raises(NonFiniteError, match="batch 1: the loss is nan; the model"):
        fit(trainer(loss=loss), 1)


def test_an_undefined_metric_stops_nothing(tmp_path: Path) -> None:
    one = fit(trainer(metric=runs.own_metric, save=tmp_path, save_every=1), 2, batch_size=2)
    assert any(math.isnan(x) for x in one.history.iterations["own_metric"])
    assert contents(Trainer.resume(tmp_path, metric=runs.own_metric)) == contents(one)


# Hyper-parameters


def test_hyper_parameters_are_frozen_and_saved_with_every_run(tmp_path: Path) -> None:
    one = fit(trainer(save=tmp_path, l1=0.1), 1)
    with pytest.raises(AttributeError):
        one.hyper_parameters.l1 = 0.0  # type: ignore[misc]
    for path in tmp_path.rglob("*.npz"):
        assert HyperParameters(**read_checkpoint(path).manifest["hyper_parameters"]) == one.hyper_parameters


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_hyper_parameters_are_enough_to_repeat_a_run(tmp_path: Path, kind: str) -> None:
    one = fit(trainer(network(activation="tanh", initializer="he"), optimizer=kind, save=tmp_path, clip_value=0.1), 2)
    told = HyperParameters(**read_checkpoint(tmp_path / "checkpoint.npz").manifest["hyper_parameters"])
    again = Trainer.from_hyper_parameters(told, progress=False)
    again.fit(runs.TRAIN, validation=runs.VALIDATION)
    assert contents(again) == contents(one)


def test_a_start_that_no_seed_gives_is_not_claimed() -> None:
    model = network()
    model.parameters()[0].data += 1.0
    assert "seed" in trainer(network()).hyper_parameters.model
    for other in (model, network(seed=None), network(seed=random.Random(0)), network(initializer=lambda *_: 0.5)):
        assert "seed" not in trainer(other).hyper_parameters.model
        assert isinstance(build_model(trainer(other).hyper_parameters.model), MLP)
    model.layers[0].neurons[0].activation = abs  # type: ignore[assignment]
    assert trainer(model).hyper_parameters.model == {"kind": "MLP"}


# What the progress bar shows


def test_the_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    one = fit(trainer(progress=True), 10)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.replace("\r", "\n").strip().split("\n")
    loss, right, judged, judged_right = (column[-1] for column in list(one.history.epochs.values())[:4])
    numbers = f"loss {loss:.3g}, {right:.1%} | validation loss {judged:.3g}, {judged_right:.1%}"
    assert lines[-1] == f"epoch 10/10 |━━━━━━━━━━| 3/3, {numbers}"
    assert max(map(len, lines)) < 80
    fit(trainer(), 1)
    assert capsys.readouterr().err == ""


def test_its_repr() -> None:
    text = repr(fit(trainer(MLP(2, [3], seed=0)), 1))
    adam = "Adam(9 parameters, learning_rate=0.001)"
    assert text == f"Trainer(MLP(2, [3], activation='relu'), loss='cross_entropy', optimizer={adam}; 1 epoch done)"


def test_a_regression_without_classes() -> None:
    data = Dataset([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    one = Trainer(MLP(1, [1], seed=0), loss="mean_squared_error", progress=False)
    assert list(one.fit(data, epochs=2).epochs) == ["loss", "learning_rate"]
    assert list(one.evaluate(data)) == ["loss"]


def test_predictions_are_those_of_evaluation_mode() -> None:
    one = fit(trainer(), 1)
    rows = runs.DATA.inputs[:3]
    outputs = one.predict(rows)
    assert outputs == one.predict(runs.DATA[:3]) == [[float(y) for y in row] for row in one.model.eval()(rows)]
    single = Trainer(MLP(2, [1], seed=0), loss="binary_cross_entropy")
    assert single.predict(rows) == [float(y) for y in single.model(rows)]


def test_a_callback_may_save_and_look_but_not_fit(tmp_path: Path) -> None:
    class Each(Callback):
        def on_iteration_end(self, trainer: Trainer) -> None:
            trainer.save(tmp_path / f"{len(trainer.history.iterations['loss'])}.npz")
            trainer.evaluate(runs.DATA)
            with pytest.raises(RuntimeError, match="fit is at work already; a callback may call save, evaluate"):
                trainer.fit(runs.DATA, epochs=9)

    plain, one = fit(trainer(), 2), fit(trainer(callbacks=[Each()]), 2)
    assert contents(one) == contents(plain)
    for i in range(1, 6):
        again = Trainer.resume(tmp_path / f"{i}.npz", progress=False)
        assert len(again.history.iterations["loss"]) == i
        assert contents(fit(again, 2)) == contents(plain)
