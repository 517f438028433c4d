"""A run that was stopped and resumed ends with the same bits as one that was not, whatever it is made of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from autograd_mini import CheckpointError
from nn import (
    OPTIMIZERS,
    SGD,
    Adam,
    Callback,
    CosineSchedule,
    EarlyStopping,
    ExponentialSchedule,
    Layer,
    LinearWarmUp,
    OneCycle,
    ReduceOnPlateau,
    RMSProp,
    Sequential,
    StepSchedule,
    Trainer,
    read_checkpoint,
)
from tests import runs
from tests.runs import contents, fit, network, trainer

EPOCHS, ITERATIONS = 4, 12
SCHEDULES = [
    None,
    StepSchedule(1),
    ExponentialSchedule(0.7),
    CosineSchedule(3),
    LinearWarmUp(2, then=ReduceOnPlateau(patience=0)),
    ReduceOnPlateau(patience=0, threshold=0.9),
    OneCycle(0.1, ITERATIONS),
]
KINDS: list[Callable[[Any], Any]] = [
    *(lambda ps, kind=kind: kind(ps) for kind in OPTIMIZERS.values()),  # type: ignore[misc]
    lambda ps: SGD(ps, learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    lambda ps: RMSProp(ps, centered=True, momentum=0.5),
    lambda ps: Adam(ps, learning_rate=0.05, amsgrad=True),
]


class KilledError(Exception):
    pass


def stop_after(iterations: int) -> Callable[[Trainer], None]:
    """What breaks a run off: the next time it saves after so many iterations, or ends an epoch."""

    def stop(trainer: Trainer) -> None:
        if len(trainer.history.iterations["loss"]) >= iterations:
            trainer.stop("to go on later")

    return stop


@settings(max_examples=40)
@given(
    kind=st.sampled_from(KINDS),
    schedule=st.sampled_from(SCHEDULES),
    options=st.fixed_dictionaries(
        {},
        optional={
            "l1": st.just(0.01), "l2": st.just(0.02), "clip_norm": st.just(0.5), "clip_value": st.just(0.1),
            "early_stopping": st.just(EarlyStopping(1, least_change=0.02)), "seed": st.just(7),
        },
    ),
    model=st.fixed_dictionaries({}, optional={"batch_norm": st.just(False), "dropout": st.just(0.0)}),
    told=st.fixed_dictionaries({}, optional={"drop_last": st.just(True), "validation": st.none()}),
    cut=st.integers(1, ITERATIONS - 1),
    callback=st.booleans(),
)  # fmt: skip
def test_a_resumed_run_ends_with_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory,
    kind: Any, schedule: Any, options: Any, model: Any, told: Any, cut: int, callback: bool,
) -> None:  # fmt: skip
    if isinstance(schedule, OneCycle) and kind is KINDS[list(OPTIMIZERS).index("adagrad")]:
        schedule = OneCycle(0.1, ITERATIONS, cycle_momentum=False)
    callbacks = [runs.halve_after_second] * callback

    def begin(**more: Any) -> Trainer:
        built = network(**model)
        return trainer(built, optimizer=kind(built.parameters()), schedule=schedule, **options, **more)

    whole = fit(begin(callbacks=callbacks), EPOCHS, **told)
    folder = tmp_path_factory.mktemp("run")

    class Cut(Callback):
        def on_iteration_end(self, trainer: Any) -> None:
            stop_after(cut)(trainer)

    fit(begin(save=folder, callbacks=[*callbacks, Cut()]), EPOCHS, **told)
    resumed = Trainer.resume(folder, callbacks=callbacks, progress=False)
    assert len(resumed.history.iterations["loss"]) == min(cut, len(whole.history.iterations["loss"]))
    fit(resumed, EPOCHS, **told)
    assert contents(resumed) == contents(whole)
    assert resumed.stopped == whole.stopped
    assert list(resumed.history.epochs) == list(whole.history.epochs)
    assert list(resumed.history.iterations) == list(whole.history.iterations)


@pytest.mark.parametrize("epoch", range(EPOCHS + 1))
def test_from_the_start_of_any_epoch(tmp_path: Path, epoch: int) -> None:
    whole = fit(trainer(save=tmp_path, early_stopping=9), EPOCHS)
    begun = Trainer.resume(tmp_path / f"epochs/{epoch:04}.npz" if epoch < EPOCHS else tmp_path, progress=False)
    assert begun.position == (epoch, 0)
    assert contents(fit(begun, EPOCHS)) == contents(whole)
    assert begun.load_best() == whole.load_best()
    assert contents(begun) == contents(whole)


def test_in_the_first_epoch_in_its_own_folder(tmp_path: Path) -> None:
    def kill(trainer: Trainer) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        fit(trainer(save=tmp_path, callbacks=[kill]), EPOCHS)
    resumed = Trainer.resume(tmp_path, progress=False)
    assert resumed.position == (0, 0)
    assert contents(fit(resumed)) == contents(fit(trainer(), EPOCHS))
    assert contents(Trainer.resume(tmp_path)) == contents(resumed)


def test_it_goes_on_saving_in_its_folder_or_in_another(tmp_path: Path) -> None:
    fit(trainer(save=tmp_path / "a"), 2)
    for save in (tmp_path / "a", tmp_path / "b"):
        resumed = Trainer.resume(tmp_path / "a", save=save, save_every=2, progress=False)
        fit(resumed, 3)
        assert Trainer.resume(save).position == (3, 0)
    with pytest.raises(ValueError, match=r"b holds a run; go on with Trainer\.resume\(.*, or save elsewhere"):
        fit(Trainer.resume(tmp_path / "a", save=tmp_path / "b", progress=False), 4)


def test_what_is_told_need_not_be_told_again(tmp_path: Path) -> None:
    fit(trainer(save=tmp_path), 3, drop_last=True)
    resumed = Trainer.resume(tmp_path, progress=False)
    resumed.fit(runs.TRAIN, validation=runs.VALIDATION)
    assert resumed.position == (3, 0)
    assert resumed.hyper_parameters.drop_last
    assert resumed.replay(epoch=3, batch=2).epoch == 3


OWN: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "Sequential": (lambda: Sequential(Layer(2, 4, seed=1), "tanh", Layer(4, 3, seed=2)), {}),
    "a Network": (runs.Scaled, {}),
    "as micrograd's": (runs.Micrograd, {}),
    "an activation": (lambda: network(activation=lambda z: z * z), {}),
    "a loss": (network, {"loss": runs.own_loss}),
    "a metric": (network, {"metric": runs.own_metric}),
    "an optimizer": (network, {"optimizer": runs.Sign}),
    "an optimizer with options": (network, {"optimizer": lambda ps: runs.Sign(ps, learning_rate=0.1)}),
}


def build(make: Callable[[], Any], options: dict[str, Any], **more: Any) -> dict[str, Any]:
    model = make()
    made = {"optimizer": options["optimizer"](model.parameters())} if "optimizer" in options else {}
    return {"model": model, **options, **made, **more}


@pytest.mark.parametrize(("make", "options"), OWN.values(), ids=OWN)
def test_what_is_ones_own_is_given_again(tmp_path: Path, make: Any, options: Any) -> None:
    whole = fit(trainer(**build(make, options)), EPOCHS)
    fit(trainer(**build(make, options, save=tmp_path)), 2)
    assert contents(fit(Trainer.resume(tmp_path, progress=False, **build(make, options)), EPOCHS)) == contents(whole)
    if options:  # the model itself needs not be given
        given = {name: one for name, one in build(make, options).items() if name in ("loss", "metric")}
        if given:
            assert contents(Trainer.resume(tmp_path, **given)) == contents(whole)
    if make is not network or options:
        with pytest.raises(CheckpointError, match=r"pass (it, )?\w+="):
            Trainer.resume(tmp_path)


def test_an_optimizer_by_its_class() -> None:
    assert contents(fit(trainer(optimizer=Adam), 1)) == contents(fit(trainer(), 1))


UNLIKE: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "another activation": (lambda: {"model": network(activation="tanh")}, "its model is .*'relu'.*, got .*'tanh'"),
    "another size": (lambda: {"model": network(batch_norm=False)}, "its model is"),
    "another kind": (lambda: {"model": runs.Scaled()}, "its model is .*, got .*'Scaled'"),
    "another loss": (lambda: {"loss": "hinge"}, "its loss is 'cross_entropy', got 'hinge'; pass one like it"),
    "another optimizer": (lambda: {"optimizer": "sgd"}, "its optimizer is 'adam', got 'sgd'"),
    "another schedule": (lambda: {"schedule": StepSchedule(2)}, "its schedule is None, got .*'step'"),
}


@pytest.mark.parametrize(("options", "message"), UNLIKE.values(), ids=UNLIKE)
def test_what_is_unlike_is_refused(tmp_path: Path, options: Any, message: str) -> None:
    fit(trainer(save=tmp_path), 1)
    given = options()
    before = {name: a.copy() for name, a in given["model"].state().items()} if "model" in given else {}
    with pytest.raises(CheckpointError, match=message):
        Trainer.resume(tmp_path, **given)
    assert all((given["model"].state()[name] == a).all() for name, a in before.items())


def test_options_that_are_told_already_cannot_be_given() -> None:
    with pytest.raises(TypeError, match=r"resume takes no l1, seed; it takes model, loss, .*, and the rest is told"):
        Trainer.resume("anywhere", l1=0.5, seed=3)


def test_other_data_or_batches_are_refused(tmp_path: Path) -> None:
    fit(trainer(save=tmp_path), 1)
    for told, message in (
        ({"batch_size": 4}, r"begun with batch_size=5, drop_last=False, got batch_size=4"),
        ({"drop_last": True}, r"got batch_size=5, drop_last=True"),
        ({"validation": None}, r"^the validation data is not what training was begun with"),
        ({"validation": runs.TRAIN}, r"^the validation data is not"),
    ):
        resumed = Trainer.resume(tmp_path, progress=False)
        before = contents(resumed)
        with pytest.raises(ValueError, match=message):
            fit(resumed, 2, **told)
        assert contents(resumed) == before
    with pytest.raises(ValueError, match=r"^the train data is not what training was begun with"):
        resumed.fit(runs.DATA[1:15], validation=runs.VALIDATION)
    other = Trainer.resume(tmp_path, metric=runs.own_metric, progress=False)
    with pytest.raises(
        ValueError, match=r"the history has .*accuracy.*, and now come .*own_metric.*; use the same metric"
    ):
        fit(other, 2)


def test_notes_travel(tmp_path: Path) -> None:
    fit(trainer(save=tmp_path, notes={"classes": ("a", "b")}), 1)
    assert Trainer.resume(tmp_path).notes == read_checkpoint(tmp_path / "checkpoint.npz").manifest["notes"]


def test_a_trainer_that_never_trained(tmp_path: Path) -> None:
    trainer(seed=3).save(tmp_path / "new.npz")
    resumed = Trainer.resume(tmp_path / "new.npz", progress=False)
    assert contents(fit(resumed, 2)) == contents(fit(trainer(seed=3), 2))
