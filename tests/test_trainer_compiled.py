"""A run by compiled programs is the run by Values, and keeps all that a Trainer promises."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_mini import NonFiniteError, Value, tanh
from autograd_mini.cli import main
from autograd_mini.errors import TraceError
from nn import (
    LOSSES,
    MLP,
    OPTIMIZERS,
    BatchNorm,
    Callback,
    Dataset,
    Dropout,
    Layer,
    Network,
    Sequential,
    StepSchedule,
    Trainer,
    digits,
)
from tests import runs
from tests.runs import contents, fit, network, trainer

TRAIN, VALIDATION, _ = digits().split(seed=0)
NORMALIZED = {
    "dropout and batch norm": {"batch_norm": True, "dropout": 0.3},
    "neither": {"batch_norm": False, "dropout": 0.0},
}


def compiled(model: Any = None, **options: Any) -> Trainer:
    return trainer(network() if model is None else model, engine="compiled", **options)


def numbers(one: Trainer) -> dict[str, Any]:
    arrays = {f"model/{name}": array for name, array in one.model.state().items()}
    return arrays | {f"history/{name}": array for name, array in one.history.arrays().items()}


def same(one: Trainer, other: Trainer, near: float = 1e-9) -> None:
    ours, theirs = numbers(one), numbers(other)
    assert ours.keys() == theirs.keys()
    size = max(float(np.abs(array).max()) for name, array in theirs.items() if "generator" not in name)
    for name, array in theirs.items():
        np.testing.assert_allclose(ours[name], array, rtol=near, atol=near * min(size, 1.0), err_msg=name)


def both(make: Any, epochs: int = 2, **told: Any) -> tuple[Trainer, Trainer]:
    """Train with either engine."""
    made = [make(engine) for engine in ("compiled", "eager")]
    for one in made:
        fit(one, epochs, **told)
    same(*made)
    return made[0], made[1]


@pytest.mark.parametrize("options", [{}, {"dropout": 0.2}, {"batch_norm": True}], ids=str)
def test_digits_end_with_the_same_parameters(options: dict[str, Any]) -> None:
    # Measured: 5e-16 of the largest parameter; with batch norm 1e-10, as Adam divides the gradients of the biases
    # before it, which are 0 but for rounding, by their own size.
    made = [
        Trainer(MLP(49, [16, 10], seed=0, **options), engine=engine, progress=False) for engine in ("compiled", "eager")
    ]
    for one in made:
        one.fit(TRAIN, validation=VALIDATION, epochs=5)
    ours, theirs = (np.array([parameter.data for parameter in one.model.parameters()]) for one in made)
    assert np.abs(ours - theirs).max() <= 1e-9 * np.abs(theirs).max()
    assert made[0].history["accuracy"] == made[1].history["accuracy"]
    assert np.allclose(made[0].predict(VALIDATION), made[1].predict(VALIDATION), rtol=0.0, atol=1e-8)
    assert made[0].evaluate(VALIDATION) == pytest.approx(made[1].evaluate(VALIDATION), rel=1e-8)


@pytest.mark.parametrize("options", NORMALIZED.values(), ids=NORMALIZED)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name: str, options: Any) -> None:
    both(lambda engine: trainer(network(**options), optimizer=name, engine=engine))


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name: str, outputs: int) -> None:
    if name == "cross_entropy":
        targets: Any = runs.DATA.targets if outputs == 3 else None
    else:
        one = {"hinge": np.sign(runs.DATA.inputs[:, 0])}.get(name, (runs.DATA.inputs[:, 0] > 0.0) * 0.75)
        targets = one if outputs == 1 else np.column_stack([one] * outputs)
    if targets is None:
        return
    data = Dataset(runs.DATA.inputs, targets)
    made = []
    for engine in ("compiled", "eager"):
        made.append(trainer(MLP(2, [3, outputs], seed=1), loss=name, engine=engine))
        made[-1].fit(data[:14], validation=data[14:30], epochs=2, batch_size=5)
    same(*made)
    assert np.allclose(made[0].predict(data), made[1].predict(data), rtol=1e-9)


@pytest.mark.parametrize("targets", ["rows", "binary classes"])
def test_targets_in_other_forms(targets: str) -> None:
    rows = targets == "rows"
    data = Dataset(runs.DATA.inputs, np.eye(3)[runs.DATA.targets] if rows else runs.DATA.targets % 2)
    made = []
    for engine in ("compiled", "eager"):
        loss, sizes = ("cross_entropy", [3]) if rows else ("binary_cross_entropy", [3, 1])
        made.append(trainer(MLP(2, sizes, seed=1), loss=loss, engine=engine))
        made[-1].fit(data[:14], validation=data[14:30], epochs=2, batch_size=5)
    same(*made)


@pytest.mark.parametrize(
    "options",
    [
        {"l1": 0.01}, {"l2": 0.01}, {"l1": 0.01, "l2": 0.02, "clip_norm": 0.1}, {"clip_value": 0.01},
        {"schedule": StepSchedule(1)}, {"early_stopping": 1},
        {"loss": lambda outputs, targets: sum(y * y for row in outputs for y in row)},
        {"loss": lambda outputs, targets: 0.5 * LOSSES["cross_entropy"](outputs, targets)},
        {"metric": lambda outputs, targets: sum(float(row[0]) for row in outputs) / len(targets)},
    ],
    ids=", ".join,
)  # fmt: skip
@pytest.mark.parametrize("network_options", NORMALIZED.values(), ids=NORMALIZED)
def test_every_option(options: dict[str, Any], network_options: Any) -> None:
    # A bias before batch norm has a gradient of 0 but for rounding, and is 0 but for rounding itself. What a penalty
    # makes of it, Adam divides by its own size; and Σ|w| has a kink there.
    if network_options["batch_norm"]:
        options = {"optimizer": "sgd"} | {name: option for name, option in options.items() if name != "l1"}
    both(lambda engine: trainer(network(**network_options), engine=engine, **options))


@pytest.mark.parametrize("kind", ["frozen", "Scaled", "Micrograd", "one output in Sequential", "own optimizer"])
def test_other_models(kind: str) -> None:
    def make(engine: str) -> Trainer:
        if kind == "frozen":
            model = network(batch_norm=False)
            return trainer(model, optimizer=OPTIMIZERS["adam"](model.layers[1].parameters()), engine=engine)
        if kind == "Scaled":
            return trainer(runs.Scaled(), engine=engine)
        if kind == "Micrograd":
            return trainer(Plain(), engine=engine)
        if kind == "own optimizer":
            return trainer(network(), optimizer=runs.Sign, engine=engine)
        return trainer(Sequential(Layer(2, 4, seed=0), BatchNorm(4), "tanh", Dropout(0.1, seed=0), Layer(4, 3, seed=1)),
                       engine=engine)  # fmt: skip

    both(make)


class Plain(runs.Micrograd):
    """As micrograd's networks, without what it counts; a parameter is used by nothing."""

    buffers = ()

    def __init__(self) -> None:
        super().__init__()
        self.idle = Value(0.5)

    def __call__(self, x: Any) -> Any:
        return [[w[0] * a + w[1] * b + w[2] for w in self.rows] for a, b in x.tolist()]

    def parameters(self) -> list[Value]:
        return [*super().parameters(), self.idle]


def test_a_parameter_that_nothing_uses_is_left_alone() -> None:
    one, _ = both(lambda engine: trainer(Plain(), optimizer=OPTIMIZERS["adamw"], engine=engine))
    assert one.model.parameters()[-1].data == 0.5
    assert not one.model.parameters()[-1].has_grad
    assert one.model.parameters()[0].has_grad


class Watch(Callback):
    """Notes what the Values say after each iteration, and changes what training may change."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_iteration_end(self, trainer: Any) -> None:
        values = trainer.model.parameters()
        self.seen.append([x for value in values for x in (value.data, value.grad)])
        if len(self.seen) == 2:
            values[0].data = 0.25
            trainer.optimizer.learning_rate = 0.05
        if len(self.seen) == 3:
            trainer.learner.l2 = 0.1
            for neuron in trainer.model.layers[0].neurons:
                neuron.activation = tanh
        if len(self.seen) == 4 and trainer.model.layers[0].batch_norm:
            trainer.model.layers[0].batch_norm.eval()
            self.seen.append(trainer.evaluate(runs.VALIDATION)["loss"])


@pytest.mark.parametrize("options", NORMALIZED.values(), ids=NORMALIZED)
def test_callbacks_see_the_values_and_may_change_them(options: Any) -> None:
    watches = {engine: Watch() for engine in ("compiled", "eager")}
    both(lambda engine: trainer(network(**options), optimizer="sgd", engine=engine, callbacks=[watches[engine]]), 3)
    ours, theirs = (watches[engine].seen for engine in ("compiled", "eager"))
    assert len(ours) == len(theirs)
    for now, then in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("options", NORMALIZED.values(), ids=NORMALIZED)
@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_run_resumes_with_the_same_bits(after: int, options: Any, tmp_path: Path) -> None:
    whole = fit(compiled(network(**options), save=tmp_path / "whole"), 2)
    stopped = compiled(network(**options), save=tmp_path / "run", callbacks=[StopAfter(after)])
    fit(stopped, 2)
    resumed = Trainer.resume(tmp_path / "run", progress=False)
    assert resumed.hyper_parameters.engine == "compiled"
    assert contents(fit(resumed, 2)) == contents(whole)


def test_the_other_engine_may_go_on(tmp_path: Path) -> None:
    whole = fit(trainer(network()), 2)
    fit(trainer(network(), save=tmp_path, callbacks=[StopAfter(2)]), 2)
    resumed = Trainer.resume(tmp_path, engine="compiled", progress=False)
    same(fit(resumed, 2), whole)
    again = Trainer.resume(tmp_path, engine="eager", progress=False)
    assert again.hyper_parameters.engine == "eager"
    again.attach(runs.TRAIN, validation=runs.VALIDATION)
    assert again.replay(epoch=2, batch=3).loss.data == pytest.approx(whole.history.iterations["loss"][5], rel=1e-9)


class StopAfter(Callback):
    def __init__(self, iterations: int) -> None:
        self.iterations = iterations

    def on_iteration_end(self, trainer: Any) -> None:
        if len(trainer.history.iterations["loss"]) == self.iterations:
            trainer.stop("enough")


@pytest.mark.parametrize("options", NORMALIZED.values(), ids=NORMALIZED)
def test_ctrl_c_undoes_the_batch(options: Any) -> None:
    class Interrupt(Callback):
        sees_model = False

        def on_iteration_end(self, trainer: Any) -> None:
            if len(trainer.history.iterations["loss"]) == 2 and not done:
                done.append(True)
                raise KeyboardInterrupt

    done: list[bool] = []
    whole = fit(compiled(network(**options)), 2)
    one = compiled(network(**options), callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        fit(one, 2)
    after_one = compiled(network(**options), callbacks=[StopAfter(1)])
    fit(after_one, 2)
    assert {n: a.tolist() for n, a in numbers(one).items()} == {n: a.tolist() for n, a in numbers(after_one).items()}
    assert contents(fit(one, 2)) == contents(whole)


def test_what_is_not_finite_has_the_same_message() -> None:
    inputs = np.array(runs.TRAIN.inputs)
    inputs[9] = 1e308
    data, messages = Dataset(inputs, runs.TRAIN.targets), []
    for engine in ("compiled", "eager"):
        one = trainer(MLP(2, [3, 3], seed=0), engine=engine)
        for parameter in one.model.parameters():
            parameter.data *= 20.0
        with pytest.raises(NonFiniteError, match="row 9 of the data") as caught, pytest.warns(RuntimeWarning):
            one.fit(data, epochs=1, batch_size=5)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_targets_that_are_not_legal_have_the_same_message() -> None:
    data = Dataset(runs.DATA.inputs, [*[0.5] * 39, 1.5])
    one = trainer(MLP(2, [1], seed=0), loss="binary_cross_entropy", engine="compiled")
    with pytest.raises(ValueError, match=r"a binary target is a number between 0 and 1, got 1\.5"):
        one.fit(data, epochs=1, batch_size=5)


@pytest.mark.parametrize("options", NORMALIZED.values(), ids=NORMALIZED)
def test_replay_and_blame(options: Any) -> None:
    one, other = both(lambda engine: trainer(network(**options), engine=engine))
    moments = [t.replay(epoch=2, batch=2) for t in (one, other)]
    assert moments[0].masks == moments[1].masks
    assert moments[0].loss.data == pytest.approx(one.history.iterations["loss"][4], rel=1e-12)
    pushes = [t.blame("hidden.neuron1.w[0]", 2, 2) for t in (one, other)]
    assert pushes[0].gradient == pytest.approx(pushes[1].gradient, rel=1e-7)


def test_a_copy_of_a_trainer_is_its_own() -> None:
    one = fit(compiled(), 1)
    other = copy.deepcopy(one)
    fit(other, 2)
    assert fit(one, 2).history.iterations == other.history.iterations


class Branches(Network):
    def forward(self, rows: Any) -> Any:
        return [[x if x > 0.0 else x * 0.1 for x in row] + [self.w * row[0]] for row in rows]

    def __init__(self) -> None:
        self.w = Value(1.0)


UNFIT: dict[str, tuple[Any, str]] = {
    "a branch": (
        lambda: compiled(Branches()),
        r"cannot be compiled: .*a branch on a number .* engine='eager' trains it",
    ),
    "a side effect": (
        lambda: compiled(runs.Micrograd()),
        "its Micrograd changes seen while it runs, which is not recor",
    ),
    "a class in a loss": (lambda: compiled(loss=runs.own_loss), "cannot be compiled: .*; engine='eager' trains it"),
}


@pytest.mark.parametrize(("make", "message"), UNFIT.values(), ids=UNFIT)
def test_what_cannot_be_compiled_is_told(make: Any, message: str) -> None:
    one = make()
    before = {name: array.tolist() for name, array in one.model.state().items()}
    with pytest.raises(TraceError, match=message):
        fit(one, 1)
    assert {name: array.tolist() for name, array in one.model.state().items()} == before


def test_an_engine_of_another_name() -> None:
    with pytest.raises(ValueError, match=r"unknown engine 'fast'; the names are 'eager', 'compiled'$"):
        trainer(engine="fast")


def test_at_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = ["train", "--data", "moons", "--layers", "4", "--json"]
    run = str(tmp_path / "run")
    assert main([*told, "--epochs", "2", "--engine", "compiled", "--save", run]) == 0
    assert Trainer.resume(run).hyper_parameters.engine == "compiled"
    assert main(["train", "--resume", run, "--epochs", "3", "--engine", "eager", "--json"]) == 0
    assert Trainer.resume(run).hyper_parameters.engine == "eager"
    assert main(["evaluate", run, "--json"]) == 0
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main([*told, "--engine", "fast"])
    assert "--engine: invalid choice: 'fast'" in capsys.readouterr().err
