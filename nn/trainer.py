"""``Trainer``: epochs of iterations over batches, with everything written down and nothing lost when it is stopped."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from autograd_mini import Value
from autograd_mini.printing import always_answers
from nn.callbacks import Callback, EarlyStopping, list_of_callbacks
from nn.checkpoint import write_checkpoint
from nn.checks import choice, whole_number
from nn.compiled import ENGINES
from nn.data import Dataset
from nn.fitting import Fingerprints, checked_metric, checked_notes, checked_schedule, settled
from nn.history import History, Position
from nn.hyper_parameters import HyperParameters
from nn.learner import Loss, Moment
from nn.loop import Before, is_running, put_back, run
from nn.metrics import Metric, measure, metric_name
from nn.module import Module
from nn.naming import Arrays
from nn.network import name_of
from nn.optimizer import Optimizer
from nn.replay import Blame, Replay, blame, replay
from nn.saving import RunFolder, keep, made_as_told, pack, resumed
from nn.schedule import Schedule

__all__ = ["Trainer"]


class Trainer:
    """Train a model by mini-batches: forward pass, back propagation, a step of the optimizer, again and again.

    Epochs and batches are counted from 1, as the progress bar shows them; rows from 0, as a Dataset counts them.

    Args:
        model: a network such as ``MLP``, called with a batch of rows.
        loss: a name from ``LOSSES``, or a function of the outputs for a batch and their targets that gives one Value.
            The outputs are a list of rows, or of Values where the model has one output; the targets a NumPy array.
        optimizer: a name from ``OPTIMIZERS``, an ``Optimizer`` of the model's parameters, or its class.
        schedule: how the learning rate changes, or None.
        metric: a function of outputs and targets that gives a number; by itself accuracy where the targets are classes.
        l1, l2: how strongly ``l1_penalty`` and ``l2_penalty`` of all parameters count in the loss, 0 or more.
        clip_norm, clip_value: limits of the gradient, above 0, or None.
        early_stopping: an ``EarlyStopping``, its patience, or None.
        engine: ``"eager"``, or ``"compiled"``, which makes a program of model and loss and runs that, many times as
            fast and with the same numbers but for rounding. It needs a model and a loss that do not branch on
            numbers that they compute, and raises a TraceError for others.
        callbacks: ``Callback`` objects, and functions of the trainer to call after each epoch.
        seed: of the order of the batches, 0 or more; the same seed repeats the run bit for bit.
        save: a folder for checkpoints: ``checkpoint.npz`` is the run as it stands, ``epochs/0001.npz`` as it
            stood after an epoch.
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
        optimizer: str | type[Optimizer] | Optimizer = "adam",
        schedule: Schedule | None = None,
        metric: Metric | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        early_stopping: EarlyStopping | int | None = None,
        engine: str = "eager",
        callbacks: Iterable[Callback | Callable[["Trainer"], Any]] = (),
        seed: int = 0,
        save: str | Path | None = None,
        save_every: int | None = None,
        notes: Mapping[str, Any] | None = None,
        progress: bool = True,
    ) -> None:
        kind = choice("engine", engine, ENGINES, alternative="")
        self.learner = kind.of(model, loss, optimizer, l1=l1, l2=l2, clip_norm=clip_norm, clip_value=clip_value)
        self.schedule = checked_schedule(schedule)
        self.metric = checked_metric(metric)
        self.early_stopping = EarlyStopping.of(early_stopping)
        self.callbacks = list_of_callbacks(callbacks)
        self.folder = None if save is None else RunFolder(Path(save))
        self.save_every = None if save_every is None else whole_number("save_every", save_every, 1)
        self.notes = checked_notes(notes)
        self.progress = progress
        self.history = History()
        self.position = Position()
        self.stopped: str | None = None
        self.best: Arrays | None = None
        self.data: dict[str, Dataset] = {}
        self.fingerprints: Fingerprints = {}
        self.beginnings: dict[int, Moment] = {}
        self.kept: Position | None = None
        self.before: Before | None = None
        self.hyper_parameters = HyperParameters(
            **self.learner.described(),
            metric=None if metric is None else name_of(metric),
            schedule=None if schedule is None else schedule.options,
            seed=seed,
            early_stopping=None if self.early_stopping is None else self.early_stopping.options(),
            engine=engine,
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
        What callbacks do belongs to the batch: it is undone with it, as far as it is to the model or the optimizer, and
        they are called again. Afterwards the model is in evaluation mode, ready to be used.

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
            RuntimeError: in a callback of ``fit``.
        """
        if is_running(self):
            raise RuntimeError("fit is at work already; a callback may call save, evaluate, predict, replay or stop")
        put_back(self)
        told, fingerprints = settled(self, train, validation, epochs, batch_size, drop_last)
        if self.folder is not None:
            self.folder.claim()
        self.hyper_parameters, self.fingerprints = told, fingerprints
        self.data = {"train": train} | ({} if validation is None else {"validation": validation})
        try:
            run(self)
        finally:
            try:
                put_back(self)
            finally:
                self.model.eval()
        return self.history

    def attach(self, train: Dataset, *, validation: Dataset | None = None) -> None:
        """Give a trainer that was resumed the data of its run, to ``replay`` and ``blame`` without training.

        Raises:
            ValueError: for other data than training was begun with.
        """
        self.hyper_parameters, self.fingerprints = settled(self, train, validation, None, None, None)
        self.data = {"train": train} | ({} if validation is None else {"validation": validation})

    def stop(self, reason: str) -> None:
        """Stop after the present iteration; for callbacks. A later ``fit`` goes on."""
        self.stopped = reason

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Compute loss and metric of a data set in evaluation mode, without penalties.

        Returns:
            ``{"loss": …}`` and the metric by its name.
        """
        answer = self.learner.judge(dataset)
        name = metric_name(self.metric, dataset)
        measured = {name: measure(self.metric, answer.outputs, dataset)} if name else {}
        return {"loss": answer.loss.data, **measured}

    def predict(self, inputs: Any) -> list[Any]:
        """Compute the outputs for rows of inputs in evaluation mode, as plain numbers.

        Args:
            inputs: a ``Dataset``, or rows of numbers; as in training, so normalized if the training data was.

        Returns:
            A list of outputs for each row, or a number where the model has one output; ``predicted_class`` and
            ``softmax`` read them.
        """
        rows = inputs.inputs if isinstance(inputs, Dataset) else inputs
        outputs = self.learner.outputs(rows)
        if isinstance(outputs, np.ndarray):
            outputs = outputs.tolist()
        return [[float(y) for y in row] if isinstance(row, list) else float(row) for row in outputs]

    def load_best(self) -> int:
        """Give the model the numbers of the epoch with the smallest validation loss, and return which one it was.

        Raises:
            ValueError: if training had no validation data.
        """
        epoch = self.history.best_epoch
        if self.best is None or epoch is None:
            raise ValueError("there is no best epoch yet; it is chosen by fit(train, validation=...)")
        self.model.load_state(self.best)
        return epoch

    def save(self, path: str | Path | None = None) -> None:
        """Write a checkpoint of the run as it stands, from which ``Trainer.resume`` goes on bit for bit.

        Args:
            path: the file; None saves in the run's folder, and where an epoch has just ended, also as that epoch's.

        Raises:
            CheckpointError: if it cannot be written; what was at `path` before is untouched.
            ValueError: for no path if the run has no folder.
        """
        if path is None and self.folder is None:
            raise ValueError("this run has no folder: give save() a path, or save=FOLDER to the Trainer")
        if not is_running(self):  # a callback saves the batch that has just been done
            put_back(self)
        if path is not None:
            write_checkpoint(path, *pack(self))
        elif self.folder is not None:
            self.folder.claim()
            keep(self)

    @classmethod
    def from_hyper_parameters(cls, hyper_parameters: HyperParameters, **options: Any) -> Self:
        """Make a trainer that is told the same as another one was; ``fit`` with the same data repeats that run.

        Args:
            hyper_parameters: those of the other.
            **options: as for ``resume``, and ``notes=``. A model given starts from the numbers that it has; without
                one, it is drawn anew from its seed (or all zeros, if the other did not start from a seed).

        Raises:
            ValueError, TypeError: for hyper-parameters that are none, or options that do not agree with them.
        """
        trainer: Self = made_as_told(cls, hyper_parameters, options)
        return trainer

    @classmethod
    def resume(cls, path: str | Path, **options: Any) -> Self:
        """Make a trainer that goes on where a saved one stood, bit for bit; then call ``fit`` with the same data.

        Args:
            path: a checkpoint, or the folder of a run, whose checkpoints then go on.
            **options: what no checkpoint can hold: ``model=``, built alike, where it is not an MLP with activations
                by name; ``loss=``, ``optimizer=``, ``schedule=``, ``metric=`` where they are your own; ``callbacks=``,
                ``progress=``, ``save=`` and ``save_every=``. With another ``engine=`` it goes on to rounding.

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
            raise ValueError("the trainer has no data yet; call attach with that of the run, or fit, which trains")
        return self.data["train"]

    def batches(self, epoch: int) -> Iterator[Dataset]:
        """Deal the training data as in that epoch, counted from 1."""
        told = self.hyper_parameters
        return self._train.batches(told.batch_size or 1, seed=told.seed, epoch=epoch - 1, drop_last=told.drop_last)

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
        return self.hyper_parameters.batches(len(self._train))
