"""What a killed run needs to go on: one HDF5 file, ``last.state``, written whole or not at all.

Not an ``.h5``: nothing that looks for finished checkpoints may take it for one. It holds every
variable of the network (weights, statistics, the streams of dropout) and of the optimizer
(moments, averages, its step), and the run's place and history as JSON.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import DataError
from edge_effnet.files import write_atomically
from edge_effnet.network.backend import h5py_module, keras_module

if TYPE_CHECKING:
    import keras

STATE_FILE = "last.state"
FORMAT, VERSION = "edge-effnet training state", 1
_PIECE = 16384  # bytes per stored string of JSON


@dataclass(frozen=True)
class EpochRow:
    """One line of the history.

    Attributes:
        epoch: from 1; 0 is the classifier alone, before fine-tuning.
        loss, accuracy: mean over the epoch's steps, on augmented pictures with dropout; None
            for epoch 0.
        val_loss, val_accuracy: after the epoch, of the weights that would be saved.
        learning_rate: of the epoch's last step.
    """

    epoch: int
    loss: float | None
    accuracy: float | None
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float

    @property
    def gap(self) -> float | None:
        """Training minus validation accuracy: well above 0 is overfitting."""
        return None if self.accuracy is None else self.accuracy - self.val_accuracy


@dataclass
class Progress:
    """Where a run stands. Mutable: the loop counts in it.

    Attributes:
        epoch: that is running or comes next, from 1.
        step: steps of it that are done.
        loss_sum, accuracy_sum: over these steps.
        seconds: spent on them.
        best_epoch: None before the first evaluation.
        finished: nothing is left to do.
    """

    epoch: int = 1
    step: int = 0
    loss_sum: float = 0.0
    accuracy_sum: float = 0.0
    seconds: float = 0.0
    rows: list[EpochRow] = field(default_factory=list)
    best_epoch: int | None = None
    finished: bool = False
    stopped_early: bool = False

    @property
    def best(self) -> EpochRow | None:
        return next((row for row in self.rows if row.epoch == self.best_epoch), None)

    def start_epoch(self, epoch: int) -> None:
        self.epoch, self.step = epoch, 0
        self.loss_sum = self.accuracy_sum = self.seconds = 0.0


@dataclass(frozen=True)
class StoredState:
    """A state file in memory.

    Attributes:
        about: what the run must still agree with: fingerprint, labels, variant, origin …
    """

    about: dict[str, Any]
    progress: Progress
    model: list[NDArray[Any]]
    optimizer: list[NDArray[Any]]


def write_state(
    path: Path, model: keras.Model, progress: Progress, about: Mapping[str, Any]
) -> None:
    """Store a run.

    Raises:
        OutputError: the file cannot be written; the one before it is untouched.
    """
    text = json.dumps(
        {"format": FORMAT, "version": VERSION, "about": about, "progress": asdict(progress)}
    ).encode()
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    convert = keras_module().ops.convert_to_numpy
    buffer = io.BytesIO()
    with h5py_module().File(buffer, "w") as root:
        root["about"] = np.array(pieces)
        for part, variables in _parts(model).items():
            for index, variable in enumerate(variables):
                root[f"{part}/{index}"] = convert(variable)
    write_atomically(path, buffer.getvalue(), overwrite=True)


def read_state(path: Path) -> StoredState:
    """Read a run's state.

    Raises:
        DataError: missing, damaged, or of another kind.
    """
    fix = "start the run again; best.h5 beside it, if there, can be given as --weights"
    try:
        with h5py_module().File(path, "r") as root:
            raw = json.loads(b"".join(root["about"][()]))
            parts = {
                part: [np.asarray(group[str(index)]) for index in range(len(group))]
                for part in ("model", "optimizer")
                for group in (root[part],)
            }
        if raw["format"] != FORMAT or raw["version"] != VERSION:
            raise ValueError(f"{raw['format']} {raw['version']}")
        values = dict(raw["progress"])
        rows = [EpochRow(**row) for row in values.pop("rows")]
        progress = Progress(rows=rows, **values)
    except FileNotFoundError as error:
        raise DataError(
            f"{path.parent} cannot be resumed", found=f"no {path.name} in it", fix=fix
        ) from error
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path} is damaged", found=str(error), fix=fix) from error
    return StoredState(raw["about"], progress, parts["model"], parts["optimizer"])


def restore(model: keras.Model, stored: StoredState, name: str) -> None:
    """Give a compiled model every stored value.

    Raises:
        DataError: the state is of another network or optimizer.
    """
    for part, variables in _parts(model).items():
        values = stored.model if part == "model" else stored.optimizer
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != [value.shape for value in values]:
            raise DataError(
                f"{name} does not fit the network it belongs to",
                found=f"{len(values)} values of the {part}",
                expected=f"{len(variables)} of equal shapes",
                fix="use the version of edge-effnet and Keras that wrote it, or start again",
            )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _parts(model: keras.Model) -> dict[str, list[Any]]:
    # model.variables, unlike model.weights, has the generators that dropout draws from.
    return {"model": list(model.variables), "optimizer": list(model.optimizer.variables)}
