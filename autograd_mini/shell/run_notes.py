"""What a run of the command line notes in its checkpoints, so that it goes on as it was told, with the same data."""

import copy
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd_mini.errors import CheckpointError
from autograd_mini.shell.run_options import RunOptions
from nn.arrays import frozen, numbers
from nn.csv_files import read_table
from nn.data import Dataset, Split
from nn.normalization import Normalization
from nn.npz_files import read_arrays
from nn.synthetic import DATASETS

__all__ = ["RunNotes", "numbered", "prepared"]

_HEADERS: dict[str, bool | str] = {"auto": "auto", "yes": True, "no": False}


@dataclass(frozen=True)
class RunNotes:
    """All that is needed to see the data of a run as the run saw it.

    Attributes:
        data: the name of a data set, or the absolute path of a file.
        sha256: of the file's bytes, or None.
        reading: how a file is read: header, delimiter, label, quantities.
        columns, class_names, label: the names in the file, where it has them.
        width, classes: how many numbers an input has, and how many classes there are; None for quantities.
        outputs: how many numbers the model gives for a row.
        split: the shares of the parts, and the seed.
        inputs, targets: ``{"mean": […], "scale": […]}`` of what is normalized, or None.
        save_every: after how many batches the run is saved, or None.
    """

    data: str
    sha256: str | None
    reading: dict[str, Any]
    columns: list[str] | None
    class_names: list[str] | None
    label: str | None
    width: int
    classes: int | None
    outputs: int
    split: dict[str, Any]
    inputs: dict[str, list[float]] | None = None
    targets: dict[str, list[float]] | None = None
    save_every: int | None = None

    @classmethod
    def of(cls, notes: Mapping[str, Any], path: object) -> Self:
        """Find them among the notes of a checkpoint."""
        try:
            return cls(**notes["command_line"])
        except (KeyError, TypeError):
            fix = "it is no run of autograd-mini train; in Python, Trainer.resume reads it"
            raise CheckpointError(f"{path} has no notes of the command line: {fix}") from None

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold, for ``Trainer(notes=...)``."""
        return {"command_line": asdict(self)}

    @property
    def names(self) -> list[str]:
        """The names of the classes."""
        return self.class_names or [str(i) for i in range(self.classes or 0)]

    def parts(self, moved_to: str | None = None) -> Split:
        """Read the data again, and deal it as it was dealt.

        Raises:
            OSError: if the file cannot be read.
            ValueError: if it has changed.
        """
        path = self.data if moved_to is None else moved_to
        if self.sha256 is None and path != self.data:
            raise ValueError(
                f"this run was begun with the data set {self.data}, so the file {path} does not go with it"
            )
        if self.sha256 is not None and not Path(path).exists():
            raise FileNotFoundError(
                f"the data of this run, {path}, is not there; if it has moved, say where: data=FILE"
            )
        if self.sha256 is not None and _sha256(path) != self.sha256:
            fix = "bring back the file as it was, or begin a new run with autograd-mini train --data … --save …"
            raise ValueError(f"{path} has changed since this run was begun: {fix}")
        seed = self.split["seed"]
        dataset = _read(path, self.reading) if self.sha256 is not None else DATASETS[self.data](seed=seed)
        return Split(*map(self.seen, _dealt(dataset, self.split)))

    def seen(self, dataset: Dataset) -> Dataset:
        """Normalize a data set as the run does."""
        if self.targets is not None:
            scaled = Normalization(**self.targets).transform(_columns(dataset.targets))
            dataset = _with_targets(dataset, scaled.reshape(dataset.targets.shape))
        return dataset if self.inputs is None else Normalization(**self.inputs)(dataset)

    def plain(self, answers: ArrayLike) -> NDArray[np.float64]:
        """Turn what the model predicts into quantities as the file has them: a row for each row."""
        array = _columns(np.asarray(answers, dtype=np.float64))
        return array if self.targets is None else Normalization(**self.targets).inverse(array)

    def read_dataset(self, path: str) -> Dataset:
        """Read another file of the same columns, with targets."""
        dataset = _read(path, self.reading | ({} if self.label is None else {"label": self.label}), self)
        if dataset.width != self.width:
            raise ValueError(f"{path} has {dataset.width} numbers in a row, but this run has learned from {self.width}")
        return self.seen(dataset)

    def read_rows(self, path: str) -> NDArray[np.float64]:
        """Read another file of the same columns, in which that of the targets may be absent."""
        _check_kind(path)
        if _is_npz(path):
            array = numbers("inputs", read_arrays(path, "inputs")[0])
            rows = array.reshape(len(array), -1).astype(np.float64)
        else:
            header, delimiter = _HEADERS[self.reading["header"]], self.reading["delimiter"]
            table = read_table(path, header=header, delimiter=delimiter, names=self.columns or ())
            label: int | None = None
            if table.columns is not None and self.label in table.columns:
                label = table.columns.index(self.label)
            elif table.columns is None and table.width == self.width + 1:
                label = table.index(_column(self.reading["label"]) if self.label is None else -1)
            rows = table.numbers(table.inputs(self.columns, label))
        if rows.shape[1] != self.width:
            raise ValueError(f"{path} has {rows.shape[1]} numbers in a row, but this run has learned from {self.width}")
        return rows if self.inputs is None else Normalization(**self.inputs).transform(rows)


def prepared(told: RunOptions) -> tuple[RunNotes, Split]:
    """Read, deal and normalize the data of a new run."""
    reading = {name: getattr(told, name) for name in ("label", "header", "delimiter", "quantities")}
    is_file = told.data not in DATASETS
    if is_file and not Path(told.data).exists():
        raise FileNotFoundError(f"there is no file {told.data!r}; data sets by name are {', '.join(DATASETS)}")
    path = os.path.abspath(told.data) if is_file else told.data
    dataset = _read(path, reading) if is_file else DATASETS[told.data](seed=told.seed)
    distinct = len(np.unique(dataset.targets)) if is_file and dataset.classes is not None else 0
    if distinct > max(2, len(dataset) // 2) and numbered(dataset.class_names or ()):
        what = f"{distinct:,} of {len(dataset):,} targets of {told.data} are whole numbers of their own"
        raise ValueError(f"{what}, too many to be classes: say --quantities, or --label for another column")
    if dataset.classes == 1:
        raise ValueError(f"all rows of {told.data} are of one class, so there is nothing to learn; see --label")
    share = {"validation": told.validation, "test": told.test, "seed": told.seed}
    split = _dealt(dataset, share)
    width = 1 if dataset.targets.ndim == 1 else dataset.targets.shape[1]
    scale = told.normalize and dataset.classes is None
    notes = RunNotes(
        data=path,
        sha256=_sha256(path) if is_file else None,
        reading=reading,
        columns=None if dataset.columns is None else list(dataset.columns),
        class_names=None if dataset.class_names is None else list(dataset.class_names),
        label=dataset.label,
        width=dataset.width,
        classes=dataset.classes,
        outputs=dataset.classes or width,
        split=share,
        inputs=_fitted(split.train.inputs) if told.normalize else None,
        targets=_fitted(_columns(split.train.targets)) if scale else None,
        save_every=told.save_every,
    )
    return notes, Split(*map(notes.seen, split))


def numbered(names: Iterable[str]) -> bool:
    """Say whether classes have numbers for names, so that they may be quantities."""
    return all(name.lstrip("-").isdecimal() for name in names)


def _read(path: str, reading: Mapping[str, Any], like: RunNotes | None = None) -> Dataset:
    _check_kind(path)
    label, quantities = reading["label"], reading["quantities"]
    if _is_npz(path):
        dataset = Dataset.from_npz(path, targets=label or "targets", quantities=quantities)
    else:
        dataset = Dataset.from_csv(
            path,
            label=_column(label),
            header=_HEADERS[reading["header"]],
            delimiter=reading["delimiter"],
            columns=None if like is None else like.columns,
            class_names=None if like is None else like.class_names,
            quantities=quantities or (like is not None and like.classes is None),
        )
    if dataset.classes is None and dataset.targets.ndim == 2 and dataset.targets.shape[1] == 1:
        dataset = _with_targets(dataset, dataset.targets[:, 0])
    if like is not None and (dataset.classes is None) != (like.classes is None):
        raise ValueError(
            f"{path} has {'quantities' if dataset.classes is None else 'classes'} for targets, unlike the run"
        )
    return dataset


def _column(label: str | None) -> str | int:
    """A column is a number if it reads as one."""
    if label is None:
        return -1
    return int(label) if label.removeprefix("-").isdecimal() else label


def _dealt(dataset: Dataset, share: Mapping[str, Any]) -> Split:
    validation, test = share["validation"], share["test"]
    if validation + test >= 1.0:
        raise ValueError(f"--validation {validation:g} and --test {test:g} leave no rows to learn from: lower them")
    return dataset.split(train=1.0 - validation - test, validation=validation, test=test, seed=share["seed"])


def _fitted(rows: NDArray[np.float64]) -> dict[str, list[float]]:
    found = Normalization.fit(Dataset(rows, np.zeros(len(rows))))
    return {"mean": found.mean.tolist(), "scale": found.scale.tolist()}


def _columns(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    return targets[:, np.newaxis] if targets.ndim == 1 else targets


def _with_targets(dataset: Dataset, targets: NDArray[np.float64]) -> Dataset:
    changed = copy.copy(dataset)
    changed.targets = frozen(np.array(targets))
    return changed


def _check_kind(path: str) -> None:
    if Path(path).is_dir():
        raise IsADirectoryError(
            f"{path} is a folder, but data is a file: CSV, or NPZ with the arrays inputs and targets"
        )
    if Path(path).suffix.lower() == ".npy":
        fix = "write both to a file, numpy.savez('data.npz', inputs=inputs, targets=targets)"
        raise ValueError(f"{path} is an NPY file, which has one array, but data needs inputs and targets: {fix}")


def _is_npz(path: str) -> bool:
    return Path(path).suffix.lower() == ".npz"


def _sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
