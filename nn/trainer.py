"""``Trainer``: epochs of iterations over batches, with everything written down and nothing lost when it is stopped."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

from tqdm import tqdm

from autograd_mini import NonFiniteError, Value, no_grad
from autograd_mini.number import number_text
from autograd_mini.printing import always_answers
from nn.callbacks import Callback, EachEpoch, EarlyStopping
from nn.checkpoint import read_checkpoint, write_checkpoint
from nn.checks import whole_number
from nn.data import Dataset
from nn.fitting import settled
from nn.history import History, Position
from nn.hyper_parameters import HyperParameters
from nn.learner import Learner, Loss, Moment
from nn.metrics import Metric, measure, metric_name
from nn.module import Module, evaluating
from nn.naming import Arrays
from nn.optimizer import Optimizer
from nn.replay import Blame, Replay, blame, replay
from nn.saving import RunFolder, moment_of, pack, resumed
from nn.schedule import Schedule

__all__ = ["Trainer"]

_BAR = "{desc} |{bar:10}| {n_fmt}/{total_fmt}{postfix}"


class Trainer:
    """Train a model by mini-batches: forward pass, back propagation, a step of the optimizer, again and again.

    Epochs and batches are counted from 1, as the progress bar shows them; rows from 0, as a Dataset counts them.

    Args:
        model: a network such as ``MLP``, called with a batch of rows.
        loss: a name from ``LOSSES``, or a function of the outputs for a batch and their targets that gives one Value.
        optimizer: a name from ``OPTIMIZERS``, or an ``Optimizer`` of the model's parameters.
        schedule: how the learning rate changes, or None.
        metric: a function of outputs and targets that gives a number; by itself accuracy where the targets are classes.
        l1, l2: how strongly ``l1_penalty`` and ``l2_penalty`` of all parameters count in the loss, 0 or more.
        clip_norm, clip_value: limits of the gradient, above 0, or None.
        early_stopping: an ``EarlyStopping``, its patience, or None.
        callbacks: ``Callback`` objects, and functions of the trainer to call after each epoch.
        seed: of the order of the batches, 0 or more; the same seed repeats the run bit for bit.
        save: a folder for checkpoints: ``checkpoint.npz`` is the run as it stands, ``epochs/0001.npz`` as it stood.
        save_every: save after so many iterations too, not only after each epoch.
        notes: whatever JSON can hold that should travel in the checkpoints, such as a normalization.
        progress: show a progress bar on stderr.

    Attributes:
        model, optimizer: what is trained, and by what.
        history: a ``History``.
        hyper_parameters: all that was decided before, a frozen ``HyperParameters``.
        stopped: why training was stopped early; None if it was not.

    Raises:
        ValueError, TypeError: for options that are not legal, and names that do not exist.

    Example:
        >>> from nn import MLP, Dataset
        >>> xor = Dataset([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
        >>> trainer = Trainer(MLP(2, [4, 2], activation="tanh", seed=0), optimizer="adam", progress=False)
        >>> trainer.fit(xor, epochs=2, batch_size=4)["accuracy"][-1] >= 0.25
        True
    """

    def __init__(
        self,
        model: Module,
        *,
        loss: str | Loss = "cross_entropy",
        optimizer: str | Optimizer = "adam",
        schedule: Schedule | None = None,
        metric: Metric | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        early_stopping: EarlyStopping | int | None = None,
        callbacks: Iterable[Callback | Callable[["Trainer"], Any]] = (),
        seed: int = 0,
        save: str | Path | None = None,
        save_every: int | None = None,
        notes: Mapping[str, Any] | None = None,
        progress: bool = True,
    ) -> None:
        self.learner = Learner.of(model, loss, optimizer, l1=l1, l2=l2, clip_norm=clip_norm, clip_value=clip_value)
        self.schedule = schedule
        self.metric = metric
        self.early_stopping = EarlyStopping(early_stopping) if isinstance(early_stopping, int) else early_stopping
        self.callbacks = [c if isinstance(c, Callback) else EachEpoch(c) for c in callbacks]
        self.folder = None if save is None else RunFolder(Path(save))
        self.save_every = None if save_every is None else whole_number("save_every", save_every, 1)
        self.notes = dict(notes or {})
        self.progress = progress
        self.history = History()
        self.position = Position()
        self.stopped: str | None = None
        self.best: Arrays | None = None
        self.data: dict[str, Dataset] = {}
        self.fingerprints: dict[str, str | None] = {}
        self.beginnings: dict[int, Moment] = {}
        self.hyper_parameters = HyperParameters(
            **self.learner.described(),
            schedule=None if schedule is None else schedule.options,
            seed=whole_number("seed", seed, 0),
            early_stopping=None if self.early_stopping is None else self.early_stopping.options(),
        )

    @property
    def model(self) -> Module:
        return self.learner.model

    @property
    def optimizer(self) -> Optimizer:
        return self.learner.optimizer

    @always_answers
    def __repr__(self) -> str:
        done = f"{self.position.epoch:,} epoch{'s' * (self.position.epoch != 1)} done"
        return f"Trainer({self.model!r}, loss={self.hyper_parameters.loss!r}, optimizer={self.optimizer!r}; {done})"

    def fit(
        self,
        train: Dataset,
        *,
        validation: Dataset | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        drop_last: bool | None = None,
    ) -> History:
        """Train until so many epochs are done in all; those of earlier calls, and of a run that is resumed, count.

        Ctrl-C, and any error, leaves model, optimizer and history as they were before the batch that it broke off;
        ``fit`` with the same arguments goes on from there, and ends with the same bits as if nothing had happened.

        Args:
            train: the rows to learn from.
            validation: rows to judge each epoch by; the parameters of the best one are kept, see ``load_best``.
            epochs: how many in all, 1 or more.
            batch_size: rows in a batch, 1 or more; 32 by itself.
            drop_last: leave out the last batch of an epoch if it is smaller.

            What is None is as in the call before, or in the run that is resumed.

        Returns:
            The history.

        Raises:
            NonFiniteError: when the loss, a gradient or a parameter stops being finite, naming epoch, batch and row.
            ValueError: for other data, or batches of another size, than training was begun with; for a last batch of
                one row with ``BatchNorm``; for a folder that holds another run.
            CheckpointError: if a checkpoint cannot be saved; training itself has lost nothing.
        """
        self.hyper_parameters, self.fingerprints = settled(self, train, validation, epochs, batch_size, drop_last)
        self.data = {"train": train} | ({} if validation is None else {"validation": validation})
        self._tell("on_fit_start")
        self.model.train()
        self.stopped = self._why_stop()
        while self.stopped is None and self.position.epoch < (self.hyper_parameters.epochs or 0):
            self._epoch()
        self._tell("on_fit_end")
        return self.history

    def stop(self, reason: str) -> None:
        """Stop after the present iteration; for callbacks."""
        self.stopped = reason

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Compute loss and metric of a data set in evaluation mode, without penalties.

        Returns:
            ``{"loss": …}`` and the metric by its name.
        """
        with evaluating(self.model), no_grad():
            outputs = self.model(dataset.inputs)  # type: ignore[operator]
            numbers = {"loss": float(self.learner.loss(outputs, dataset.targets))}
        name = metric_name(self.metric, dataset)
        return numbers | ({name: measure(self.metric, outputs, dataset)} if name else {})

    def load_best(self) -> int:
        """Give the model the numbers of the epoch with the smallest validation loss, and return which one it was.

        Raises:
            ValueError: if training had no validation data.
        """
        if self.best is None:
            raise ValueError("there is no best epoch yet; it is chosen by fit(train, validation=...)")
        self.model.load_state(self.best)
        losses = self.history["validation_loss"]
        return losses.index(min(losses)) + 1

    def save(self, path: str | Path | None = None) -> None:
        """Write a checkpoint of the run as it stands, from which ``Trainer.resume`` goes on bit for bit.

        Args:
            path: the file; None saves in the run's folder, and where an epoch has just ended, also as that epoch's.

        Raises:
            CheckpointError: if it cannot be written; what was at `path` before is untouched.
            ValueError: for no path if the run has no folder.
        """
        if path is not None:
            write_checkpoint(path, *pack(self))
        elif self.folder is None:
            raise ValueError("this run has no folder: give save() a path, or save=FOLDER to the Trainer")
        else:
            self.folder.save(*pack(self), epoch=None if self.position.batch else self.position.epoch)

    @classmethod
    def resume(cls, path: str | Path, **options: Any) -> Self:
        """Make a trainer that goes on where a saved one stood, bit for bit; then call ``fit`` with the same data.

        Args:
            path: a checkpoint, or the folder of a run, whose checkpoints then go on.
            **options: what no checkpoint can hold: ``model=``, built alike, where it is not an MLP with activations
                by name; ``loss=``, ``optimizer=``, ``metric=`` where they are your own; ``callbacks=``; ``progress=``.

        Raises:
            CheckpointError: for a damaged file, or one that does not fit; a model given is unchanged then.
        """
        trainer: Self = resumed(cls, Path(path), options)
        return trainer

    def replay(self, *, epoch: int, batch: int, row: int | None = None) -> Replay:
        """Bring back one moment of training: the parameters, masks and batch, as a graph to step through or draw.

        It trains a copy again from the start of that epoch; the trainer itself is not touched.

        Args:
            epoch, batch: counted from 1; the next batch to come will do, too, such as one whose loss is not finite.
            row: of the batch, counted from 0; None takes the loss of the whole batch.

        Raises:
            ValueError: for a moment that has not been, or is kept nowhere.
        """
        return replay(self, epoch, batch, row)

    def blame(self, parameter: Value | str, epoch: int, batch: int) -> Blame:
        """Say which rows of a batch pushed a parameter, and which way.

        Args:
            parameter: a parameter of the model, or its name.
            epoch, batch: counted from 1.
        """
        return blame(self, parameter, epoch, batch)

    @property
    def _train(self) -> Dataset:
        if "train" not in self.data:
            raise ValueError("the trainer has no data yet; call fit with the data of the run first")
        return self.data["train"]

    def batches(self, epoch: int) -> Iterator[Dataset]:
        """Deal the training data as in that epoch, counted from 1."""
        told = self.hyper_parameters
        return self._train.batches(told.batch_size or 1, seed=told.seed, epoch=epoch - 1, drop_last=told.drop_last)

    def beginning(self, epoch: int) -> Moment:
        """Find how an epoch began.

        Raises:
            ValueError: if it is kept nowhere.
        """
        if epoch in self.beginnings:
            return self.beginnings[epoch]
        path = None if self.folder is None else self.folder.of_epoch(epoch - 1)
        if path is None or not path.exists():
            kept = ", ".join(map(str, sorted(self.beginnings))) or "none"
            raise ValueError(
                f"how epoch {epoch} began is kept nowhere; this trainer has {kept}, and a run saved in a folder has all"
            )
        return moment_of(read_checkpoint(path))

    def set_rate(self, optimizer: Optimizer, epoch: int, batch: int) -> None:
        """Set the learning rate that the schedule wants for an iteration, and its momentum where it has its say."""
        if self.schedule is None or (self.schedule.every == "epoch" and batch > 1):
            return
        column = "validation_loss" if "validation_loss" in self.history else "loss"
        seen = self.history[column][: epoch - 1] if epoch > 1 else []
        done = epoch - 1 if self.schedule.every == "epoch" else (epoch - 1) * self.batches_in_epoch + batch - 1
        self.schedule.apply(optimizer, self.hyper_parameters.optimizer["learning_rate"], done, seen)

    @property
    def batches_in_epoch(self) -> int:
        full, rest = divmod(len(self._train), self.hyper_parameters.batch_size or 1)
        return full + (rest > 0 and not self.hyper_parameters.drop_last)

    def _epoch(self) -> None:
        epoch, count = self.position.epoch + 1, self.batches_in_epoch
        if not self.position.batch:
            self.beginnings[epoch] = self.learner.moment()
            if self.folder is not None and epoch == 1:
                self.folder.save(*pack(self), epoch=0)
        label = f"epoch {epoch:>{len(str(self.hyper_parameters.epochs))}}/{self.hyper_parameters.epochs}"
        with tqdm(
            total=count, initial=self.position.batch, desc=label, ascii=" ━", bar_format=_BAR, disable=not self.progress
        ) as bar:
            for batch in islice(self.batches(epoch), self.position.batch, None):
                with self._all_or_nothing():
                    self._iterate(epoch, batch)
                    done = self.position.batch == count
                    if done:
                        self._end_epoch()
                bar.set_postfix_str(self._summary(), refresh=False)
                bar.update()
                self._tell("on_iteration_end")
                if done:
                    self._tell("on_epoch_end")
                if done or (self.save_every and len(self.history.iterations["loss"]) % self.save_every == 0):
                    self._save(epoch if done else None)
                if self.stopped is not None:
                    return
        self.stopped = self._why_stop()

    def _iterate(self, epoch: int, batch: Dataset) -> None:
        place = self.position
        self.set_rate(self.optimizer, epoch, place.batch + 1)
        try:
            answer = self.learner.learn(batch)
        except NonFiniteError as error:
            where = f"epoch {epoch}, batch {place.batch + 1}"
            look = f"look at it with replay(epoch={epoch}, batch={place.batch + 1})"
            raise NonFiniteError(
                f"{where}: {error}; the model is as it was before this batch: {look}, and try a lower learning rate "
                "or clip_norm="
            ) from None
        loss, rows = answer.loss.data, len(batch)
        metric = measure(self.metric, answer.outputs, batch) if metric_name(self.metric, batch) else 0.0
        self.history.add_iteration(loss, self.optimizer.learning_rate)
        self.position = replace(
            place,
            batch=place.batch + 1,
            rows=place.rows + rows,
            loss=place.loss + loss * rows,
            metric=place.metric + metric * rows,
        )

    def _end_epoch(self) -> None:
        sums = self.position
        numbers = self._means()
        if (validation := self.data.get("validation")) is not None:
            judged = {f"validation_{name}": number for name, number in self.evaluate(validation).items()}
            if not math.isfinite(judged["validation_loss"]):
                raise NonFiniteError(f"epoch {sums.epoch + 1}: the validation loss is {judged['validation_loss']}")
            if judged["validation_loss"] < min(self.history.epochs.get("validation_loss", []), default=math.inf):
                self.best = self.model.state()
            numbers |= judged
        self.history.add_epoch(numbers | {"learning_rate": self.optimizer.learning_rate})
        self.position = Position(sums.epoch + 1)

    def _means(self) -> dict[str, float]:
        """The means over the epoch so far, by the names that the history has for them."""
        rows, name = self.position.rows, metric_name(self.metric, self._train)
        return {"loss": self.position.loss / rows} | ({name: self.position.metric / rows} if name else {})

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Put everything back as it was if what is inside does not come to its end, whatever the reason."""
        before, position, best = self.learner.undo(), self.position, self.best
        epochs, iterations = len(self.history), len(self.history.iterations["loss"])
        try:
            yield
        except BaseException:
            while True:
                try:
                    self.learner.redo(before)
                    self.model.train()
                    self.history.forget(epochs, iterations)
                    self.position, self.best = position, best
                    break
                except KeyboardInterrupt:  # pressed again meanwhile: first things first
                    continue
            raise

    def _save(self, epoch: int | None) -> None:
        if self.folder is not None:
            self.folder.save(*pack(self), epoch=epoch)

    def _tell(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def _why_stop(self) -> str | None:
        return None if self.early_stopping is None else self.early_stopping.reason(self.history)

    def _summary(self) -> str:
        numbers = {
            name: column[-1] for name, column in self.history.epochs.items() if column and name != "learning_rate"
        }
        if self.position.rows:  # the epoch is not over
            numbers = self._means()
        return ", ".join(f"{name} {number_text(number, 4)}" for name, number in numbers.items())
