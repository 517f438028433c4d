"""The training loop: iteration after iteration, each of them done wholly or not at all."""

import inspect
import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from tqdm import tqdm

from autograd_mini import NonFiniteError
from autograd_mini.number import number_text
from nn.callbacks import Callback
from nn.data import Dataset
from nn.history import Position
from nn.learner import Undo
from nn.metrics import measure, metric_name
from nn.naming import Arrays
from nn.saving import keep

__all__ = ["Before", "is_running", "put_back", "run"]

_BAR = "{desc} |{bar:10}| {n_fmt}/{total_fmt}{postfix}"


class Before(NamedTuple):
    """A trainer as it was before an iteration."""

    learner: Undo
    position: Position
    best: Arrays | None
    epochs: int
    iterations: int


def run(trainer: Any) -> None:
    """Train until the epochs are done or something wants to stop."""
    trainer.learner.survey()
    trainer.model.train()
    _tell(trainer, "on_fit_start")
    trainer.stopped = _why_stop(trainer)
    if _goes_on(trainer) and trainer.position.batch == 0:
        keep(trainer)  # the numbers may have been changed since the last call, such as by load_best
    while _goes_on(trainer):
        _run_epoch(trainer)
    if trainer.kept != trainer.position:  # it could not be saved the last time
        keep(trainer)
    _tell(trainer, "on_fit_end")


def is_running(trainer: Any) -> bool:
    """Whether the loop is at work further up the stack, as it is for a callback; a flag might outlive a Ctrl-C."""
    frame = inspect.currentframe()
    while frame is not None and not (frame.f_code is run.__code__ and frame.f_locals["trainer"] is trainer):
        frame = frame.f_back
    return frame is not None


def _goes_on(trainer: Any) -> bool:
    return trainer.stopped is None and trainer.position.epoch < trainer.hyper_parameters.epochs


def _run_epoch(trainer: Any) -> None:
    start, count = trainer.position, trainer.batches_in_epoch
    epochs = trainer.hyper_parameters.epochs
    label = f"epoch {start.epoch + 1:>{len(str(epochs))}}/{epochs}"
    shown = {"total": count, "initial": start.batch, "desc": label, "ascii": " ━", "bar_format": _BAR}
    with tqdm(**shown, disable=not trainer.progress) as bar:
        for batch in islice(trainer.batches(start.epoch + 1), start.batch, None):
            with _whole_or_not_at_all(trainer):
                _iterate(trainer, batch)
            if trainer.progress:
                bar.set_postfix_str(_summary(trainer), refresh=False)
                bar.update()
            done, iterations = trainer.position.batch == 0, len(trainer.history.iterations["loss"])
            if done or trainer.stopped is not None or (trainer.save_every and iterations % trainer.save_every == 0):
                keep(trainer)
            if trainer.stopped is not None:
                return
    trainer.stopped = _why_stop(trainer)


def put_back(trainer: Any) -> None:
    """Make a trainer what it was after the last iteration that came to its end, its Values too."""
    _undone(trainer)
    try:
        trainer.learner.hand_over()
    except KeyboardInterrupt:  # first things first, and it is not forgotten
        put_back(trainer)
        raise


def _undone(trainer: Any) -> None:
    """Undo an iteration that did not come to its end, if there is one."""
    while (before := trainer.before) is not None:
        try:
            trainer.learner.redo(before.learner)
            trainer.model.train()
            trainer.history.forget(before.epochs, before.iterations)
            trainer.position, trainer.best = before.position, before.best
            trainer.before = None
        except KeyboardInterrupt:  # pressed again meanwhile: first things first
            continue


@contextmanager
def _whole_or_not_at_all(trainer: Any) -> Iterator[None]:
    """Put everything back as it was if what is inside does not come to its end, whatever the reason."""
    history = trainer.history
    epochs, iterations = len(history), len(history.iterations["loss"])
    trainer.before = Before(trainer.learner.undo(), trainer.position, trainer.best, epochs, iterations)
    try:
        yield
        trainer.before = None
    finally:
        _undone(trainer)


def _iterate(trainer: Any, batch: Dataset) -> None:
    epoch, number = trainer.position.epoch + 1, trainer.position.batch + 1
    trainer.set_rate(trainer.optimizer, epoch, number)
    try:
        answer = trainer.learner.learn(batch)
    except NonFiniteError as error:
        look = f"look at it with replay(epoch={epoch}, batch={number})"
        fix = "try a lower learning rate or clip_norm="
        raise NonFiniteError(
            f"epoch {epoch}, batch {number}: {error}; the model is as it was before this batch: {look}, and {fix}"
        ) from None
    numbers = {"loss": answer.loss.data, "learning_rate": trainer.optimizer.learning_rate}
    if name := metric_name(trainer.metric, batch):
        if trainer.metric is not None:
            trainer.learner.store()
        numbers[name] = measure(trainer.metric, answer.outputs, batch)
    trainer.history.add_iteration(numbers)
    trainer.position = Position(epoch - 1, number)
    if done := number == trainer.batches_in_epoch:
        _end_epoch(trainer, epoch)
    _tell(trainer, "on_iteration_end")
    if done:
        _tell(trainer, "on_epoch_end")


def _end_epoch(trainer: Any, epoch: int) -> None:
    trainer.learner.store()
    numbers = _means(trainer)
    if (validation := trainer.data.get("validation")) is not None:
        judged = {f"validation_{name}": number for name, number in trainer.evaluate(validation).items()}
        loss = judged["validation_loss"]
        if not math.isfinite(loss):
            row = trainer.learner.culprit(trainer.predict(validation), validation, whole="validation data")
            raise NonFiniteError(
                f"epoch {epoch}: the validation loss is {loss}{row}; the model is as it was before the last batch of "
                "the epoch: try a lower learning rate or clip_norm="
            )
        if loss < min(trainer.history.epochs.get("validation_loss", []), default=math.inf):
            trainer.best = trainer.model.state()
        numbers |= judged
    trainer.history.add_epoch(numbers | {"learning_rate": trainer.optimizer.learning_rate})
    trainer.position = Position(epoch)


def _means(trainer: Any) -> dict[str, float]:
    """The means over the epoch so far; only its last batch may be smaller."""
    size, rows = trainer.hyper_parameters.batch_size, len(trainer.data["train"])
    means: dict[str, float] = trainer.history.means([min(size, rows - i * size) for i in range(trainer.position.batch)])
    return means


def _tell(trainer: Any, event: str) -> None:
    for callback in trainer.callbacks:
        hook = getattr(callback, event)
        if callback.sees_model and getattr(hook, "__func__", hook) is not getattr(Callback, event):
            trainer.learner.hand_over()
        hook(trainer)


def _why_stop(trainer: Any) -> str | None:
    reason: str | None = trainer.early_stopping and trainer.early_stopping.reason(trainer.history)
    return reason


def _summary(trainer: Any) -> str:
    """What the progress bar says, short enough for 80 columns: loss and metric, of the validation after a bar."""
    if trainer.position.batch:
        numbers = _means(trainer)
    else:
        numbers = {name: column[-1] for name, column in trainer.history.epochs.items() if name != "learning_rate"}
    judged = {name.removeprefix("validation_"): x for name, x in numbers.items() if name.startswith("validation_")}
    trained = {name: x for name, x in numbers.items() if not name.startswith("validation_")}
    return " | validation ".join(filter(None, (_brief(trained), _brief(judged))))


def _brief(numbers: dict[str, float]) -> str:
    return ", ".join(f"{x:.1%}" if name == "accuracy" else f"{name} {number_text(x, 3)}" for name, x in numbers.items())
