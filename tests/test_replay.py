"""``replay`` and ``blame`` bring back what training had, number by number, and leave the trainer alone."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from autograd_mini import CheckpointError, Value, gradients, mean, square
from nn import (
    MLP,
    Callback,
    Dropout,
    EarlyStopping,
    Layer,
    Module,
    OneCycle,
    Sequential,
    StepSchedule,
    Trainer,
    read_checkpoint,
    write_checkpoint,
)
from tests import runs
from tests.runs import contents, fit, network, trainer

EPOCHS, BATCHES = 3, 3
MOMENTS = [(epoch, batch) for epoch in range(1, EPOCHS + 1) for batch in range(1, BATCHES + 1)]


class Witness(Callback):
    """Writes down what each forward pass had: the loss is asked with parameters and masks in place."""

    def __init__(self, model: Module) -> None:
        self.model, self.seen = model, []  # type: ignore[var-annotated]

    def loss(self, outputs: Any, targets: Any) -> Any:
        loss = mean(square(y) for row in outputs for y in row) + outputs[0][0] * float(targets[0])
        if self.model.training and len(targets) > 1:
            masks = {n: copy.deepcopy(m.mask) for n, m in self.model.modules() if isinstance(m, Dropout)}
            numbers = [p.data for p in self.model.parameters()]
            self.seen.append((numbers, masks, [[y.data for y in row] for row in outputs], loss.data))
        return loss


def witnessed(**options: Any) -> tuple[Trainer, Witness]:
    model = Sequential(Layer(2, 4, seed=1, dropout=0.4), Dropout(0.3, seed=2), Layer(4, 3, seed=3, batch_norm=True))
    witness = Witness(model)
    return trainer(model, loss=witness.loss, **options), witness


OPTIONS: dict[str, dict[str, Any]] = {
    "adam": {},
    "one cycle": {"optimizer": "sgd", "schedule": OneCycle(0.5, 9)},
    "steps, penalties and clipping": {"schedule": StepSchedule(1), "l1": 0.1, "l2": 0.1, "clip_norm": 0.2},
    "a rate changed meanwhile": {"callbacks": [runs.halve_after_second]},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("folder", [False, True])
def test_a_moment_is_what_training_had(tmp_path: Path, options: dict[str, Any], folder: bool) -> None:
    one, witness = witnessed(**options, save=tmp_path if folder else None)
    fit(one, EPOCHS, validation=None)
    before, seen, touched = contents(one), list(witness.seen), [p.grad for p in one.model.parameters()]
    for (epoch, batch), (numbers, masks, outputs, loss), rate in zip(
        MOMENTS, seen, one.history.iterations["learning_rate"], strict=True
    ):
        moment = one.replay(epoch=epoch, batch=batch)
        assert [p.data for p in moment.model.parameters()] == numbers
        assert moment.masks == masks
        assert [[y.data for y in row] for row in moment.outputs] == outputs
        assert moment.learning_rate == rate
        assert moment.loss.data == one.history.iterations["loss"][3 * epoch + batch - 4]
        assert ("l1" in options) or moment.loss.data == loss
        assert moment.data.targets.tolist() == runs.TRAIN.targets[moment.data.rows].tolist()
        assert moment.model is not one.model
    assert contents(one) == before
    assert [p.grad for p in one.model.parameters()] == touched
    assert not one.model.training


def test_a_resumed_run_has_the_moments_of_its_folder(tmp_path: Path) -> None:
    whole = fit(trainer(save=tmp_path, save_every=2), 2)
    resumed = Trainer.resume(tmp_path, progress=False)
    with pytest.raises(ValueError, match="no data yet; call attach with that of the run, or fit"):
        resumed.replay(epoch=1, batch=1)
    fit(resumed)
    for epoch, batch in [(1, 1), (1, 3), (2, 2), (3, 1)]:
        a, b = (one.replay(epoch=epoch, batch=batch, row=1) for one in (whole, resumed))
        assert a.loss.data == b.loss.data
        assert a.masks == b.masks
    alone = Trainer.resume(tmp_path / "checkpoint.npz", progress=False)
    fit(alone, 3)
    assert alone.replay(epoch=3, batch=2).loss.data == alone.history.iterations["loss"][7]
    with pytest.raises(ValueError, match="how epoch 2 began is kept nowhere; this trainer has 3, 4, and a run"):
        alone.replay(epoch=2, batch=1)


def test_one_row_is_a_live_graph() -> None:
    one = fit(trainer(network(batch_norm=False)), 1)
    moment = one.replay(epoch=1, batch=2, row=3)
    w = moment.model.layers[0].neurons[0].w[0]  # type: ignore[attr-defined]
    assert w in gradients(moment.loss) or w.data != one.model.parameters()[0].data
    assert repr(moment).startswith("Replay(epoch 1, batch 2, row 3: loss ")
    batch = one.replay(epoch=1, batch=2)
    rows = [one.replay(epoch=1, batch=2, row=row).loss.data for row in range(5)]
    assert batch.loss.data == pytest.approx(sum(rows) / 5, rel=1e-14)


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "epoch 0": ({"epoch": 0, "batch": 1}, ValueError, "epoch is 0, but must be a whole number, 1 or more"),
    "batch 0": ({"epoch": 1, "batch": 0}, ValueError, "batch is 0, but must be"),
    "epoch 1.0": ({"epoch": 1.0, "batch": 1}, TypeError, "epoch is 1.0, but must be"),
    "row -1": ({"epoch": 1, "batch": 1, "row": -1}, ValueError, "row is -1, but must be"),
    "row 4 of 4": ({"epoch": 1, "batch": 3, "row": 4}, ValueError, "batch 3 has rows 0 to 3, got row 4"),
    "batch 4 of 3": ({"epoch": 1, "batch": 4}, ValueError, "batch 4 of epoch 1 has not been; each epoch has 3, and"),
    "the one after the next": ({"epoch": 2, "batch": 2}, ValueError, "the next to come is batch 1 of epoch 2$"),
}


@pytest.mark.parametrize(("moment", "kind", "message"), WRONG.values(), ids=WRONG)
def test_moments_that_there_are_not(moment: dict[str, Any], kind: type[Exception], message: str) -> None:
    one = fit(trainer(), 1)
    with pytest.raises(kind, match=message):
        one.replay(**moment)


def test_what_training_did_not_do_is_told() -> None:
    class Meddle(Callback):
        def on_iteration_end(self, trainer: Any) -> None:
            for parameter in trainer.model.parameters():
                parameter.data *= 0.5

    one = fit(trainer(callbacks=[Meddle()]), 1)
    assert one.replay(epoch=1, batch=1).loss.data == one.history.iterations["loss"][0]
    with pytest.raises(ValueError, match=r"epoch 1 cannot be brought back: the loss of batch 2 is now .* and was"):
        one.replay(epoch=1, batch=3)


def test_files_of_another_run_are_told(tmp_path: Path) -> None:
    one = fit(trainer(save=tmp_path), 2)
    path = tmp_path / "epochs/0001.npz"
    checkpoint = read_checkpoint(path)
    path.unlink()
    with pytest.raises(ValueError, match="how epoch 2 began is kept nowhere; this trainer has none"):
        one.replay(epoch=2, batch=1)
    write_checkpoint(path, {"optimizer": 5}, {})
    with pytest.raises(CheckpointError, match=r"0001\.npz is no moment of a run: its optimizer is 5"):
        one.replay(epoch=2, batch=1)
    write_checkpoint(path, {"optimizer": checkpoint.manifest["optimizer"]}, {})
    with pytest.raises(ValueError, match="does not fit; missing: model/"):
        one.replay(epoch=2, batch=1)
    other = fit(trainer(network(seed=1), save=tmp_path / "other"), 2)
    assert other.folder is not None
    path.write_bytes(other.folder.of_epoch(1).read_bytes())
    with pytest.raises(ValueError, match="epoch 2 cannot be brought back"):
        one.replay(epoch=2, batch=1)


# Blame


@settings(max_examples=15)
@given(
    st.fixed_dictionaries({}, optional={"batch_norm": st.just(False), "dropout": st.just(0.0)}),
    st.fixed_dictionaries({}, optional={"l1": st.just(0.1), "l2": st.just(0.1), "loss": st.just(runs.own_loss)}),
    st.sampled_from(MOMENTS[:6]),
    st.data(),
)
def test_pushes_and_penalty_add_up_to_the_gradient(model: Any, options: Any, moment: Any, data: st.DataObject) -> None:
    one = fit(trainer(network(**model), **options), 2)
    names = dict(one.model.named_parameters())
    name = data.draw(st.sampled_from(sorted(names)))
    blame = one.blame(name, *moment)
    assert blame.name == one.blame(names[name], *moment).name
    again = one.replay(epoch=moment[0], batch=moment[1])
    gradient = gradients(again.loss).get(dict(again.model.named_parameters())[name], 0.0)
    assert blame.gradient == gradient
    size = sum(abs(push.gradient) for push in blame.pushes) + abs(blame.penalty)
    assert sum(push.gradient for push in blame.pushes) + blame.penalty == pytest.approx(
        gradient, abs=1e-12 * (1 + size)
    )
    assert [push.number for push in sorted(blame.pushes, key=lambda p: p.row)] == again.data.rows.tolist()
    assert [abs(p.gradient) for p in blame.pushes] == sorted((abs(p.gradient) for p in blame.pushes), reverse=True)


def test_a_push_is_the_gradient_of_the_row_alone() -> None:
    one = fit(trainer(network(batch_norm=False, dropout=0.0)), 1)
    for name in ("hidden.neuron1.w[0]", "output.neuron3.b"):
        for push in one.blame(name, 1, 2).pushes:
            alone = one.replay(epoch=1, batch=2, row=push.row)
            value = dict(alone.model.named_parameters())[name]
            assert push.gradient == pytest.approx(gradients(alone.loss).get(value, 0.0) / 5, rel=1e-12, abs=1e-15)
            assert push.direction == ("up" if push.gradient < 0 else "down" if push.gradient > 0 else "nowhere")
            assert push.target == alone.data.targets[push.row]


class Recurrent(Module):
    """Each row's output is made of that of the row before; the first is a parameter itself."""

    def __init__(self) -> None:
        self.w, self.start = Value(0.5), Value(0.25)

    def __call__(self, x: Any) -> list[Value]:
        outputs = [self.start]
        for a, _ in x.tolist()[1:]:
            outputs.append(outputs[-1] * self.w + a)
        return outputs


def test_rows_that_depend_on_one_another() -> None:
    def loss(outputs: Any, targets: Any) -> Any:
        return mean(square(y - float(t)) for y, t in zip(outputs, targets, strict=True))

    one = fit(trainer(Recurrent(), loss=loss, l2=0.1), 1)
    for name in ("w", "start"):
        blame = one.blame(name, 1, 1)
        assert sum(push.gradient for push in blame.pushes) + blame.penalty == pytest.approx(blame.gradient, rel=1e-12)


def test_blame_of_no_parameter() -> None:
    one = fit(trainer(), 1)
    for wrong in ("hidden.neuron9.w[0]", Value(1.0)):
        with pytest.raises(
            ValueError, match=r"is no parameter of the model; their names are hidden\.neuron1\.w\[0\], "
        ):
            one.blame(wrong, 1, 1)


def test_blame_reads_as_a_table() -> None:
    one = fit(
        trainer(network(batch_norm=False, dropout=0.0), l2=0.1, early_stopping=EarlyStopping(3)), 1, batch_size=14
    )
    lines = repr(one.blame("output.neuron1.b", 1, 1)).split("\n")
    assert lines[0].startswith("output.neuron1.b at epoch 1, batch 1: gradient ")
    assert lines[1].split() == ["row", "of", "the", "data", "target", "gradient", "pushes", "it"]
    assert len(lines) == 16
    big = Trainer(MLP(2, [3], seed=0), progress=False)
    big.fit(runs.DATA, epochs=1)
    assert repr(big.blame("output.neuron1.b", 1, 1)).endswith("… 16 more, weaker ones")


def test_a_moment_holds_no_gradients_of_the_batch_before() -> None:
    one = fit(trainer(), 2)
    moment = one.replay(epoch=2, batch=2)
    weight = moment.model.parameters()[0]
    assert not any(parameter.has_grad for parameter in moment.model.parameters())
    moment.loss.backward()
    assert weight.grad == one.blame(weight.label, epoch=2, batch=2).gradient
