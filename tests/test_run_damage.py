"""Checkpoints that are whole, sound files, but hold no run that can go on: each is refused, and a given model kept."""

import copy
import math
import re
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from autograd_mini import CheckpointError
from nn import Optimizer, Trainer, read_checkpoint, write_checkpoint
from nn.checkpoint.manifest import encoded
from nn.learner import part
from nn.saving import pack
from tests.runs import contents, fit, network, trainer

Manifest, Arrays = dict[str, Any], dict[str, Any]
Damage = Callable[[Manifest, Arrays], Any]

WHOLE = fit(trainer(early_stopping=5, l1=0.1, notes={"a": 1}), 2)
MANIFEST, ARRAYS = pack(WHOLE)
WORDS = "model/hidden.dropout.generator_state"
HUGE = 10**900


def told(**changes: Any) -> Damage:
    return lambda manifest, arrays: manifest["hyper_parameters"].update(changes)


def model(**changes: Any) -> Damage:
    return lambda manifest, arrays: manifest["hyper_parameters"]["model"].update(changes)


def place(epoch: Any, batch: Any) -> Damage:
    return lambda manifest, arrays: manifest.update(position={"epoch": epoch, "batch": batch})


def entry(name: str, value: Any) -> Damage:
    return lambda manifest, arrays: manifest.update({name: value})


def without(name: str) -> Damage:
    return lambda manifest, arrays: manifest.pop(name)


def steps(value: Any) -> Damage:
    return lambda manifest, arrays: manifest["optimizer"].update(steps=value)


def option(**changes: Any) -> Damage:
    return lambda manifest, arrays: manifest["optimizer"]["options"].update(changes)


def array(name: str, change: Callable[[Any], Any]) -> Damage:
    return lambda manifest, arrays: arrays.update({name: change(arrays.get(name))})


def lost(start: str) -> Damage:
    return lambda manifest, arrays: [arrays.pop(name) for name in list(arrays) if name.startswith(start)]


def words(index: int) -> Callable[[Any], Any]:
    return lambda a: np.concatenate([a[:-1], [np.uint32(index)]]).astype(np.uint32)


DAMAGES: dict[str, tuple[Damage, str]] = {
    # The model
    "no model": (told(model={}), "the model is 'not described'"),
    "a list for a model": (told(model=[]), r"model is \[\], but must be a dict"),
    "a model of one's own": (told(model={"kind": "Mine"}), "the model is 'Mine', and only an MLP .* pass model="),
    "text for sizes": (model(sizes="33"), "the model is|list of layer sizes"),
    "no sizes": (model(sizes=[]), "list of layer sizes"),
    "a size of 0": (model(sizes=[0, 3]), "size of its model is 0"),
    "a size of -3": (model(sizes=[-3, 3]), "size of its model is -3"),
    "a size of 3.5": (model(sizes=[3.5, 3]), r"size of its model is 3\.5"),
    "a size of True": (model(sizes=[True, 3]), "size of its model is True"),
    "a huge size": (model(sizes=[10**9, 3]), "its model has 1,000,000,003 neurons, and there are"),
    "an absurd size": (model(sizes=[3, HUGE]), "its model has absurdly many neurons"),
    "a thousand layers": (model(sizes=[1] * 1000), "its model has 1,000 layers"),
    "many sizes": (model(sizes=[1] * 50_000), "its model has 50,000 layers, and there are"),
    "huge inputs": (model(inputs=10**12), "its model has 3,000,000,000,009 weights"),
    "no inputs": (model(inputs=None), "size of its model is None"),
    "other inputs": (model(inputs=1), "does not fit; .*wrong: .*"),
    "an unknown activation": (model(activation="os.system"), "unknown activation 'os.system'"),
    "an unknown option": (model(evil=1), "evil"),
    "an unknown initializer": (model(initializer="x"), "unknown initializer 'x'"),
    "a negative seed of the model": (model(seed=-1), "seed"),
    "batch norm that there is not": (model(batch_norm=False), "does not fit; .*unknown: "),
    "dropout beyond 1": (model(dropout=1.5), "dropout is 1.5"),
    # What training was told
    "no hyper-parameters": (
        without("hyper_parameters"),
        "but a run has hyper_parameters, position, optimizer, data and",
    ),
    "a list of hyper-parameters": (entry("hyper_parameters", []), "all of them dicts"),
    "an unknown hyper-parameter": (told(evil=1), "evil"),
    "an unknown loss": (told(loss="mine"), "its loss is 'mine', which is your own; pass it, loss="),
    "a list for a loss": (told(loss=[]), r"its loss is \[\]"),
    "an unknown optimizer": (told(optimizer={"name": "x"}), "its optimizer is 'x', which is your own; pass it"),
    "an optimizer with an option too many": (told(optimizer={"name": "adam", "evil": 1}), "evil"),
    "an optimizer with bad options": (told(optimizer={"name": "adam", "betas": "x"}), "betas is 'x'"),
    "text for an optimizer": (told(optimizer="adam"), "optimizer is 'adam', but must be a dict"),
    "an unknown schedule": (told(schedule={"name": "x"}), "unknown schedule 'x'"),
    "a schedule in a schedule that is none": (told(schedule={"name": "warm_up", "then": {}}), "unknown schedule None"),
    "a metric of one's own": (told(metric="mine"), "its metric is 'mine', which is your own; pass it, metric="),
    "a negative penalty": (told(l1=-1.0), "l1 is -1.0"),
    "an absurd penalty": (told(l2=HUGE), "l2 is 1000"),
    "a limit of 0": (told(clip_norm=0.0), "clip_norm is 0, which stops all learning"),
    "text for a limit": (told(clip_value="1"), "clip_value is '1'"),
    "a seed of -1": (told(seed=-1), "seed is -1"),
    "no seed": (told(seed=None), "seed is None"),
    "0 epochs": (told(epochs=0), "epochs is 0"),
    "2.5 epochs": (told(epochs=2.5), "epochs is 2.5"),
    "batches of 0": (told(batch_size=0), "batch_size is 0"),
    "text for a size of batches": (told(batch_size="5"), "batch_size is '5'"),
    "another size of batches": (told(batch_size=4), "its history does not fit"),
    "absurd batches": (told(batch_size=HUGE), "its history does not fit"),
    "1 for drop_last": (told(drop_last=1), "drop_last is 1"),
    "dropped batches": (told(drop_last=True), "its history does not fit"),
    "patience of 0": (told(early_stopping={"patience": 0}), "patience"),
    "a list to watch": (told(early_stopping={"watch": []}), "watches a column"),
    "early stopping with an unknown option": (told(early_stopping={"evil": 0}), "evil"),
    # Where training stands
    "no position": (without("position"), "but a run has"),
    "a position too short": (entry("position", {"epoch": 1}), "its history does not fit"),
    "a position too long": (entry("position", {"epoch": 2, "batch": 0, "row": 1}), "row"),
    "epoch -1": (place(-1, 0), "the epoch of its position is -1"),
    "epoch 2.0": (place(2.0, 0), r"the epoch of its position is 2\.0"),
    "an epoch too many": (place(3, 0), "its history does not fit"),
    "an absurd epoch": (place(HUGE, 0), "the epoch of its position is 1000.*, but may be"),
    "a large epoch": (place(2**53, 0), ""),
    "a batch too many": (place(2, 1), "its history does not fit"),
    "a batch beyond the epoch": (place(1, 3), "its position is batch 3 of an epoch of 3"),
    "text for a batch": (place(1, "3"), "the batch of its position is '3'"),
    "no optimizer": (without("optimizer"), "but a run has"),
    "a list for the optimizer": (entry("optimizer", []), r"its optimizer is \[\], but must be a dict of steps"),
    "an optimizer of other things": (entry("optimizer", {"steps": 1}), "its optimizer is {'steps': 1}"),
    "steps of -1": (steps(-1), "number of steps is -1"),
    "steps of 1.5": (steps(1.5), "number of steps is 1.5"),
    "absurd steps": (steps(HUGE), "number of steps is 1000.*, but may be"),
    "an option in the place of a method": (option(step=None), "the options of Adam are learning_rate, .*, got"),
    "a rate of -1": (option(learning_rate=-1.0), "a learning rate is -1.0"),
    "text for a rate": (option(learning_rate="x"), "a learning rate is 'x'"),
    "betas of 2": (option(betas=[2, 2]), "beta 1 is 2"),
    "amsgrad without its buffer": (option(amsgrad=True), "missing: optimizer/"),
    "no data": (without("data"), "but a run has"),
    "a list of data": (entry("data", []), "all of them dicts"),
    "data of other things": (entry("data", {"train": 5}), "its data is 5"),
    "data of -5 rows": (entry("data", {"train": {"rows": -5, "sha256": ""}}), "rows of its data is -5"),
    "data of True rows": (entry("data", {"train": {"rows": True, "sha256": ""}}), "rows of its data is True"),
    "absurd data": (entry("data", {"train": {"rows": HUGE, "sha256": ""}}), ""),
    "data that was never there": (entry("data", {}), "its history does not fit|is batch 0"),
    "no notes": (without("notes"), "but a run has"),
    "a list of notes": (entry("notes", []), "all of them dicts"),
    "something more": (entry("evil", {}), "its manifest has .*evil"),
    # Numbers
    "no arrays": (lost(""), "does not fit"),
    "no model in it": (lost("model/"), "its model has 2 layers, and there are 0 arrays"),
    "no optimizer in it": (lost("optimizer/"), "missing: optimizer/exp_avg"),
    "half an optimizer": (lost("optimizer/exp_avg_sq"), "missing: optimizer/exp_avg_sq"),
    "no best": (lost("best/"), "it has numbers of a best epoch, but no validation loss, or the other way round"),
    "half a best": (lost("best/hidden.neuron1"), "the best epoch does not fit|the state does not fit"),
    "no validation loss": (lost("history/epochs/validation_loss"), "best epoch|does not fit"),
    "no history": (lost("history/"), "does not fit"),
    "no rates": (lost("history/iterations/learning_rate"), "missing: iterations/learning_rate"),
    "a weight too many": (
        array("model/hidden.neuron1.w", lambda a: np.append(a, 1.0)),
        r"wrong: model/hidden\.neuron1\.w",
    ),
    "whole numbers": (
        array("model/hidden.neuron1.w", lambda a: a.astype(np.int64)),
        r"wrong: model/hidden\.neuron1\.w",
    ),
    "a stranger": (array("model/evil", lambda a: np.zeros(2)), "unknown: model/evil"),
    "a stranger outside": (array("evil", lambda a: np.zeros(2)), "it has arrays that belong to no run: evil"),
    "a generator beyond its words": (array(WORDS, words(625)), "the state of a generator is .*, got place"),
    "a generator far beyond": (array(WORDS, words(2**32 - 1)), "the state of a generator is .*, got place"),
    "a generator too short": (array(WORDS, lambda a: a[:5]), "wrong: model/hidden.dropout.generator_state"),
    "a best generator beyond": (
        array(WORDS.replace("model", "best"), words(625)),
        "the state of a generator is .*, got place",
    ),
    "a column too short": (
        array("history/epochs/loss", lambda a: a[:1]),
        "its history does not fit; wrong: epochs/loss",
    ),
    "a column too long": (
        array("history/iterations/accuracy", lambda a: np.append(a, 1.0)),
        "wrong: iterations/accuracy",
    ),
    "a column of no table": (array("history/evil/loss", lambda a: np.zeros(2)), "unknown: evil/loss"),
    "a column of whole numbers": (array("history/epochs/loss", lambda a: a.astype(np.int64)), "wrong: epochs/loss"),
    "a rate below 0": (
        array("history/iterations/learning_rate", lambda a: -a),
        "a learning rate in its history is below 0",
    ),
    "a rate of nan": (array("history/iterations/learning_rate", lambda a: a * math.nan), "not finite"),
}  # fmt: skip


def states(model: Any) -> Any:
    return model and {name: array.tobytes() for name, array in model.state().items()}


def broken(folder: Path, damage: Damage) -> Path:
    manifest, arrays = copy.deepcopy((MANIFEST, ARRAYS))
    damage(manifest, arrays)
    write_checkpoint(folder / "run.npz", manifest, arrays)
    return folder / "run.npz"


def refused(path: Path) -> str:
    """Have a file refused, alone and with a model; return why."""
    messages = []
    for options in ({}, {"model": network(seed=9)}):
        before = states(options.get("model"))
        begin = time.perf_counter()
        try:
            Trainer.resume(path, progress=False, **options)
        except CheckpointError as error:
            messages.append(str(error))
            assert states(options.get("model")) == before
        assert time.perf_counter() - begin < 2.0
    return messages[0] if messages else ""


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_whole_file_that_does_not_fit_is_refused(tmp_path: Path, damage: Damage, message: str) -> None:
    path = broken(tmp_path, damage)
    found = refused(path)
    assert re.search(rf"run\.npz cannot be resumed: .*({message})", found)
    assert len(found) < 900 + len(str(path))


@pytest.mark.parametrize("name", [name for name in DAMAGES if re.search("huge|absurd|large", name)])
def test_refusing_takes_little_memory(tmp_path: Path, name: str) -> None:
    path = broken(tmp_path, DAMAGES[name][0])
    tracemalloc.start()
    refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_the_undamaged_file_is_taken(tmp_path: Path) -> None:
    WHOLE.save(tmp_path / "run.npz")
    assert contents(Trainer.resume(tmp_path / "run.npz")) == contents(WHOLE)
    assert encoded(read_checkpoint(tmp_path / "run.npz").manifest) == encoded(MANIFEST)
    assert part(read_checkpoint(tmp_path / "run.npz").arrays, "model").keys() == WHOLE.model.state().keys()


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


def spots(manifest: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(manifest, dict):
        found += [spot for name in manifest for spot in spots(manifest[name], (*path, name))]
    return found


@settings(max_examples=80)
@given(st.sampled_from(spots(MANIFEST)), JUNK)
def test_junk_anywhere_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, spot: tuple[Any, ...], junk: Any
) -> None:
    """Nothing but a CheckpointError, or a trainer that trains."""
    manifest = copy.deepcopy(MANIFEST)
    *way, last = spot
    inner = manifest
    for name in way:
        inner = inner[name]
    inner[last] = junk
    path = tmp_path_factory.mktemp("junk") / "run.npz"
    write_checkpoint(path, manifest, ARRAYS)
    given_model = network(seed=9)
    try:
        resumed = Trainer.resume(path, model=given_model, progress=False)
    except CheckpointError:
        assert states(given_model) == states(network(seed=9))
    else:
        assert isinstance(resumed.optimizer, Optimizer)
        assert repr(resumed)
