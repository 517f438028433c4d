"""Every error of training says what came, what is legal, and the fix, and comes before anything is changed."""

import ast
import math
import re
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd_mini import CheckpointError, NonFiniteError
from autograd_mini.errors import TraceError
from nn import (
    SGD,
    Callback,
    Dataset,
    EarlyStopping,
    History,
    HyperParameters,
    OneCycle,
    Trainer,
    write_checkpoint,
)
from nn.hyper_parameters import build_model
from nn.learner import Moment
from nn.saving import pack
from tests import runs
from tests.runs import contents, fit, network, trainer
from tests.test_nn_messages import TRAINING
from tests.test_run_damage import DAMAGES, broken

NN = Path(nn.__file__).resolve().parent
EMPTY = runs.DATA[:0]
Case = tuple[Callable[[], Any], type[Exception], str]


def made(**options: Any) -> Trainer:
    return trainer(network(), **options)


MADE: dict[str, Case] = {
    "a model that is none": (lambda: Trainer(5), TypeError, r"a Trainer trains a Module such as MLP\(49, \[3, 10\]\),"),
    "an unknown loss": (lambda: made(loss="mse"), ValueError, "unknown loss 'mse'; the names are .*, or give a functi"),
    "an unknown optimizer": (lambda: made(optimizer="Adam"), ValueError, "unknown optimizer 'Adam'; .* subclass of Op"),
    "an unknown engine": (lambda: made(engine="fast"), ValueError, "unknown engine 'fast'; the names are 'eager', 'c"),
    "another model's optimizer": (
        lambda: made(optimizer=SGD(network().parameters())),
        ValueError,
        r"27 parameters of SGD\(27 .*\) are not the model's; use model\.parameters\(\)",
    ),
    "a negative penalty": (lambda: made(l1=-1), ValueError, "l1 is -1, but must be a finite number, 0 or more"),
    "a penalty of text": (lambda: made(l2="x"), TypeError, "l2 is 'x', but must be a finite number"),
    "a limit of 0": (lambda: made(clip_norm=0), ValueError, "clip_norm is 0, which stops all learning; give a limit a"),
    "a negative limit": (lambda: made(clip_value=-0.5), ValueError, r"clip_value is -0\.5, but must be"),
    "a hook by another name": (
        lambda: type("Log", (Callback,), {"on_batch_end": print}),
        TypeError,
        "Log.on_batch_end would never be called; a Callback has on_fit_start, on_iteration_end, on_epoch_end, on_fit_",
    ),
    "a schedule by name": (lambda: made(schedule="step"), TypeError, "schedule is 'step', but must be a Schedule such"),
    "a metric by name": (lambda: made(metric="accuracy"), TypeError, "metric is 'accuracy', but must be a function of"),
    "patience of 0": (lambda: made(early_stopping=0), ValueError, "the patience of EarlyStopping is 0, but must be"),
    "patience of True": (lambda: made(early_stopping=True), TypeError, "the patience of EarlyStopping is True"),
    "text for patience": (lambda: made(early_stopping="x"), TypeError, "the patience of EarlyStopping is 'x'"),
    "an unknown mode": (lambda: EarlyStopping(mode="up"), ValueError, "the mode of EarlyStopping is 'min' or 'max', g"),
    "a watch that is no name": (lambda: EarlyStopping(watch=3), TypeError, "watches a column .* by its name, got 3"),
    "one callback without its list": (lambda: made(callbacks=Callback()), TypeError, r"must be a list of them: write "),
    "a callback that is none": (lambda: made(callbacks=[5]), TypeError, "5 is no callback; give an instance of Callba"),
    "the class of a callback": (lambda: made(callbacks=[Callback]), TypeError, "Callback'> is no callback; give an in"),
    "a seed of -1": (lambda: made(seed=-1), ValueError, "seed is -1, but must be a whole number, 0 or more"),
    "saving every 0": (lambda: made(save_every=0), ValueError, "save_every is 0, but must be a whole number, 1 or mor"),
    "notes that are none": (lambda: made(notes=[1]), TypeError, r"notes is \[1\], but must be a dict of what JSON can"),
    "notes that JSON cannot hold": (lambda: made(notes={"a": np.ones(2)}), TypeError, "array.*JSON has text, numbers"),
    "hyper-parameters without a model": (lambda: HyperParameters(None, "hinge"), TypeError, "model is None, but must "),
    "a description of something else": (lambda: build_model({"kind": "X"}), ValueError, "model is 'X', .*; pass model"),
}  # fmt: skip

FITTED: dict[str, tuple[dict[str, Any], Callable[[Trainer], Any], type[Exception], str]] = {
    "a list for data": ({}, lambda t: t.fit([[1.0]], epochs=1), TypeError, r"train is a Dataset, such as .*, got \[\["),
    "a list for validation": ({}, lambda t: fit(t, 1, validation=[]), TypeError, r"validation is a Dataset, .*, got "),
    "no data": ({}, lambda t: t.fit(None, epochs=1), TypeError, "train is a Dataset, .*, got None"),
    "a loss that no program computes": (
        {"engine": "compiled", "loss": runs.own_loss},
        lambda t: fit(t, 1),
        TraceError,
        "this model with this loss cannot be compiled: .*; engine='eager' trains it$",
    ),
    "no rows": ({}, lambda t: t.fit(EMPTY, epochs=1), ValueError, "the train data has no rows; give it at least one$"),
    "no rows to judge by": ({}, lambda t: fit(t, 1, validation=EMPTY), ValueError, "validation data has no rows.*, or"),
    "no epochs": ({}, lambda t: fit(t), ValueError, r"fit needs to know how many epochs to train in all: fit\(train, "),
    "0 epochs": ({}, lambda t: fit(t, 0), ValueError, "epochs is 0, but must be a whole number, 1 or more"),
    "half an epoch": ({}, lambda t: fit(t, 0.5), TypeError, r"epochs is 0\.5, but must be a whole number"),
    "batches of 0": ({}, lambda t: fit(t, 1, batch_size=0), ValueError, "batch_size is 0, but must be"),
    "text for drop_last": ({}, lambda t: fit(t, 1, drop_last="no"), TypeError, "drop_last is 'no', but must be True o"),
    "a fit within a fit": (
        {"callbacks": [lambda t: fit(t, 3)]},
        lambda t: fit(t, 1),
        RuntimeError,
        "fit is at work already; a callback may call save, evaluate, predict, replay or stop$",
    ),
    "one output to choose among": (
        {},
        lambda t: Trainer(nn.MLP(2, [1]), progress=False).fit(runs.DATA, epochs=1),
        ValueError,
        "cross_entropy chooses among two outputs or more, and the model has one; use loss='binary_cross_entropy'$",
    ),
    "no batch left": (
        {},
        lambda t: fit(t, 1, batch_size=15, drop_last=True),
        ValueError,
        "drop_last leaves no batch of 15 rows, as there are 14; use batch_size=14 or less",
    ),
    "one row for batch norm": (
        {},
        lambda t: fit(t, 1, batch_size=13),
        ValueError,
        "the last batch of 14 rows by 13 has one row, too few for BatchNorm; use another batch_size, or drop_last=True",
    ),
    "rows for batch norm": ({}, lambda t: fit(t, 1, batch_size=1), ValueError, "each batch has one row, too few for"),
    "a watch of nothing": (
        {"early_stopping": EarlyStopping(watch="f1")},
        lambda t: fit(t, 1, validation=None),
        ValueError,
        "EarlyStopping watches 'f1', but the history has loss, accuracy$",
    ),
    "a cycle that ends too soon": ({"schedule": OneCycle(0.1, 3)}, lambda t: fit(t, 2), ValueError, "has no iteration"),
    "a width that does not fit": (
        {},
        lambda t: t.fit(Dataset([[1.0], [2.0]], [0, 1]), epochs=1),
        ValueError,
        "needs 2 numbers, got 1",
    ),
    "a loss that is a number": ({"loss": lambda y, t: 0.5}, lambda t: fit(t, 1), TypeError, r"must be one Value, got "),
    "a metric that is no number": ({"metric": lambda y, t: "x"}, lambda t: fit(t, 1), ValueError, "could not convert"),
    "a loss of nan": ({"loss": lambda y, t: y[0][0] * math.nan}, lambda t: fit(t, 1), NonFiniteError, "the loss is na"),
    "a parameter of inf": ({"optimizer": lambda m: SGD(m.parameters(), learning_rate=1e308), "l2": 99.0},
                           lambda t: fit(t, 1), NonFiniteError, "after the step, .* is -?inf"),
    "a norm of inf": ({}, lambda t: runs.overflowing_norm(), NonFiniteError, "norm.* is inf"),
    "a validation loss of nan": (
        {"loss": lambda y, t: nn.cross_entropy(y, t) * (math.nan if len(t) == 8 else 1.0)},
        lambda t: fit(t, 1),
        NonFiniteError,
        "epoch 1: the validation loss is nan",
    ),
    "no best": ({}, lambda t: t.load_best(), ValueError, "there is no best epoch yet"),
    "no folder": ({}, lambda t: t.save(), ValueError, r"no folder: give save\(\) a path, or save=FOLDER to the Traine"),
    "a moment without data": ({}, lambda t: t.replay(epoch=1, batch=1), ValueError, "no data yet; call attach"),
    "blame without data": ({}, lambda t: t.blame("output.neuron1.b", 1, 1), ValueError, "no data yet; call attach"),
    "options of another optimizer": (
        {},
        lambda t: t.learner.load(Moment(0, {"momentum": 1.0}, {})),
        ValueError,
        "the options of Adam are learning_rate, .*, got momentum",
    ),
}  # fmt: skip


def fitted() -> Trainer:
    return fit(trainer(save=tempfile.mkdtemp()), 1)


def once_in(path: str, change: Callable[[Trainer, Path], Any]) -> Callable[[], Any]:
    """Do something to a run in a folder, and look at its second epoch's first batch."""

    def provoke() -> None:
        one = fit(fitted(), 2)
        assert one.folder is not None
        change(one, one.folder.path / path)
        one.replay(epoch=2, batch=1)

    return provoke


def blocked() -> None:
    with tempfile.NamedTemporaryFile() as file:
        fit(trainer(save=file.name + "/run"), 1)


def with_other_metric() -> None:
    one = fitted()
    one.save(one.folder.path / "here.npz")  # type: ignore[union-attr]
    fit(Trainer.resume(one.folder.path / "here.npz", metric=runs.own_metric, progress=False), 2)  # type: ignore[union-attr]


LATER: dict[str, Case] = {
    "an unknown column": (lambda: History()["f1"], KeyError, "the history has no column 'f1'; it has no epochs yet"),
    "other batches": (lambda: fit(fitted(), 2, batch_size=4), ValueError, "begun with batch_size=5, .*, got batch_siz"),
    "other data": (lambda: fit(fitted(), 2, validation=None), ValueError, "the validation data is not what .* make a "),
    "a folder that has a run": (
        lambda: fit(trainer(save=fitted().folder.path), 1),  # type: ignore[union-attr]
        ValueError,
        r"holds a run; go on with Trainer\.resume\(.*\), or save elsewhere",
    ),
    "a folder that cannot be": (blocked, CheckpointError, "cannot make the folder .*: Not a directory; save elsewhere"),
    "a row that there is not": (lambda: fitted().replay(epoch=1, batch=1, row=5), ValueError, "has rows 0 to 4, got r"),
    "a batch to come": (lambda: fitted().replay(epoch=3, batch=1), ValueError, "batch 1 of epoch 3 has not been"),
    "no parameter": (lambda: fitted().blame("x", 1, 1), ValueError, "'x' is no parameter of the model"),
    "an epoch that is gone": (
        once_in("epochs/0001.npz", lambda one, path: path.unlink()), ValueError, "how epoch 2 began is kept nowhere",
    ),
    "a file that is no moment": (
        once_in("epochs/0001.npz", lambda one, path: write_checkpoint(path, {}, {})),
        CheckpointError,
        r"0001\.npz is no moment of a run: its optimizer is None",
    ),
    "another epoch": (
        once_in("epochs/0001.npz", lambda one, path: path.write_bytes((path.parent / "0000.npz").read_bytes())),
        ValueError,
        "epoch 2 cannot be brought back",
    ),
    "an option that is told": (lambda: Trainer.resume("x", l1=1), TypeError, "resume takes no l1; it takes model, "),
    "another metric": (with_other_metric, ValueError, "the history has .* and now come .*; use the same metric"),
}  # fmt: skip


def of_fit(options: dict[str, Any], provoke: Callable[[Trainer], Any]) -> Callable[[], Any]:
    def provoked() -> None:
        model = network()
        kind = options.get("optimizer", lambda model: "adam")
        provoke(trainer(model, **options | {"optimizer": kind(model)}))

    return provoked


CASES: dict[str, Case] = (
    MADE | LATER | {name: (of_fit(o, provoke), kind, text) for name, (o, provoke, kind, text) in FITTED.items()}
)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture(autouse=True)
def _temporary_folders_are_in_that_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize(("provoke", "kind", "message"), CASES.values(), ids=CASES)
def test_an_error_says_what_came_and_what_would_be_legal(provoke: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        provoke()
    text = str(caught.value)
    assert not re.search(r",,|  |\n|[.,;:]$", text), text
    assert len(text) < 600


@pytest.mark.parametrize(("options", "provoke", "kind", "message"), FITTED.values(), ids=FITTED)
def test_a_refusal_changes_nothing_and_makes_no_folder(
    tmp_path: Path, options: Any, provoke: Any, kind: type[Exception], message: str
) -> None:
    model = network()
    given = options.get("optimizer", lambda model: "adam")(model)
    one = trainer(model, save=tmp_path / "run", **options | {"optimizer": given})
    before = {name: part for name, part in contents(one).items() if name != "manifest"}
    if message.startswith("no folder"):
        one.folder = None
    with pytest.raises(kind):
        provoke(one)
    assert {name: part for name, part in contents(one).items() if name in before} == before or one.position.batch
    started = one.data  # training itself has begun
    assert bool(started) == (tmp_path / "run").exists()


def deepest(error: BaseException) -> Iterator[tuple[str, int]]:
    """Where an error was raised, and where those before it were."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    yield Path(last.filename).name, last.lineno or 0
    for earlier in (error.__cause__, error.__context__):
        if earlier is not None:
            yield from deepest(earlier)


def test_every_raise_of_training_has_a_case(tmp_path: Path) -> None:
    raised = {
        (path.name, node.lineno)
        for path in (NN / f"{module}.py" for module in TRAINING)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise) and node.exc is not None
    }
    provoked: set[tuple[str, int]] = set()
    resumes = [lambda damage=damage: Trainer.resume(broken(tmp_path, damage)) for damage, _ in DAMAGES.values()]  # type: ignore[misc]
    for provoke in [case[0] for case in CASES.values()] + resumes:
        try:
            provoke()
        except Exception as error:  # what it says is the business of the tests above
            provoked.update(deepest(error))
    unlike = tmp_path / "unlike.npz"
    write_checkpoint(unlike, *pack(fit(trainer(), 1)))
    with pytest.raises(CheckpointError) as caught:
        Trainer.resume(unlike, loss="hinge")
    assert raised <= provoked | set(deepest(caught.value))
