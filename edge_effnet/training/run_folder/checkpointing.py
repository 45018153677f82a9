"""What a run writes of its network: ``best.h5``, the best weights so far, and ``last.state``, what
it needs to go on.

A state holds every variable of the network (weights, statistics, the streams of dropout) and of
the optimizer (moments, averages, its step). It is no ``.h5``: nothing that looks for finished
checkpoints may take it for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet import runs
from edge_effnet.documents import structure
from edge_effnet.errors import DataError
from edge_effnet.files.damage import DAMAGE, reason
from edge_effnet.files.json_text import parse_json
from edge_effnet.network.backend import h5py_module, keras_module
from edge_effnet.network.weights.checkpoint import describe, save_checkpoint
from edge_effnet.network.weights.first_read import open_hdf5
from edge_effnet.training.cluster.group import Group
from edge_effnet.training.data.lists import TrainingImages
from edge_effnet.training.run_folder.files import BEST_FILE, TrainingRun
from edge_effnet.training.run_folder.trainer_state import EpochRow, TrainerState

if TYPE_CHECKING:
    import keras

_FIX = "start the run again; best.h5 beside it, if there, can be given as --weights"


@dataclass(frozen=True)
class TrainingState:
    """A state file in memory.

    Attributes:
        depends_on: what the run must still agree with, see ``TrainingRun.depends_on``.
        model, optimizer: values in the order of their variables.
    """

    depends_on: Mapping[str, Any]
    progress: TrainerState
    model: list[NDArray[Any]]
    optimizer: list[NDArray[Any]]

    def to_json(self) -> dict[str, Any]:
        """All but the arrays."""
        return {"depends_on": dict(self.depends_on), "progress": asdict(self.progress)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrainingState:
        """What ``to_json`` made, with no arrays."""
        return cls(value["depends_on"], structure(value["progress"], TrainerState), [], [])


def write_best(
    model: keras.Model,
    run: TrainingRun,
    images: TrainingImages,
    row: EpochRow,
    record: Mapping[str, Any] | None,
    progress: TrainerState,
) -> None:
    """Replace the run's checkpoint by the network as it is after ``row``.

    The metadata tell how the weights were made, what was done to them before included.

    Args:
        record: ``trained_on.record`` of the images.
        progress: where the run stands, and what is known of its teacher and of the network before.

    Raises:
        OutputError: the file cannot be written; the one before is untouched.
    """
    step: dict[str, Any] = {
        "step": "trained",
        "config": run.config.to_json(),
        "data": {
            "source": run.lists.source,
            "fingerprint": run.lists.fingerprint,
            "train_images": len(images.train),
            "val_images": len(images.val),
            "images": record,
        },
        "weights": run.weights.origin,
        "epoch": row.epoch,
        "val_accuracy": row.val_accuracy,
        "val_loss": row.val_loss,
    }
    if images.unlabelled is not None and run.lists.unlabelled is not None:
        step["data"]["unlabelled"] = {
            "source": run.lists.unlabelled.source,
            "images": len(images.unlabelled),
        }
    if run.teacher is not None:
        step["teacher"] = teacher_step(run, progress)
    if progress.against is not None:
        step["before"] = progress.against.to_json("run")
    steps = [*run.weights.steps, step]
    metadata = describe(run.weights.spec, resolution=run.side, labels=run.lists.labels, steps=steps)
    save_checkpoint(model, run.folder / BEST_FILE, metadata, half=run.config.half)


def teacher_step(run: TrainingRun, progress: TrainerState) -> dict[str, Any] | None:
    """What a card says of the network that a run learned from; None without one."""
    if run.teacher is None:
        return None
    return {
        **{key: value for key, value in run.teacher.items() if key not in ("path", "steps")},
        "temperature": run.config.temperature,
        "share": run.config.teacher_share,
        "val_accuracy": progress.teacher_accuracy,
    }


def write_state(
    path: Path, model: keras.Model, progress: TrainerState, depends_on: Mapping[str, Any]
) -> None:
    """Store a run.

    Raises:
        OutputError: the file cannot be written; the one before it is untouched.
    """
    convert = keras_module().ops.convert_to_numpy
    arrays = {name: [convert(one) for one in group] for name, group in _variables(model).items()}
    runs.write_state(path, runs.RunState(depends_on, asdict(progress), arrays))


def read_state(path: Path) -> TrainingState:
    """Read a run's state, that of version 0.1 too.

    Raises:
        DataError: missing, damaged, or of another kind.
    """
    try:
        old = path.is_file() and h5py_module().is_hdf5(path)
        stored = _read_hdf5(path) if old else runs.read_state(path, fix=_FIX)
        progress, arrays = structure(stored.progress, TrainerState), stored.arrays
        groups = [list(arrays[name]) for name in ("model", "optimizer")]
    except DAMAGE as error:
        raise DataError(f"{path} is damaged", found=reason(error), fix=_FIX) from error
    return TrainingState(stored.depends_on, progress, *groups)


def _read_hdf5(path: Path) -> runs.RunState:
    """The format of version 0.1."""
    with open_hdf5(path, DataError) as root:
        raw = parse_json(b"".join(root["about"][()]))
        if (raw["format"], raw["version"]) != ("edge-effnet training state", 1):
            raise ValueError(f"{raw['format']} {raw['version']}")
        arrays = {
            name: [np.asarray(root[name][str(index)]) for index in range(len(root[name]))]
            for name in ("model", "optimizer")
        }
    return runs.RunState(raw["about"], raw["progress"], arrays)


def restore(model: keras.Model, stored: TrainingState, name: str) -> None:
    """Give a compiled model every stored value.

    Raises:
        DataError: the state is of another network or optimizer.
    """
    for group, variables in _variables(model).items():
        values = stored.model if group == "model" else stored.optimizer
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != [value.shape for value in values]:
            raise DataError(
                f"{name} does not fit the network it belongs to",
                found=f"{len(values)} values of the {group}",
                expected=f"{len(variables)} of equal shapes",
                fix="use the version of edge-effnet and Keras that wrote it, or start again",
            )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def give_to_all(model: keras.Model, group: Group) -> None:
    """Give every worker's compiled model the values of the chief's.

    Raises:
        WorkerLost: a worker no longer answers.
    """
    if group.count == 1:
        return
    convert = keras_module().ops.convert_to_numpy
    for variables in _variables(model).values():
        values = [np.asarray(convert(variable)) for variable in variables]
        for kind in sorted({value.dtype.str for value in values}):
            chosen = [index for index, value in enumerate(values) if value.dtype.str == kind]
            flat = np.concatenate([values[index].ravel() for index in chosen])
            parts = np.split(
                group.from_chief(flat), np.cumsum([values[index].size for index in chosen])[:-1]
            )
            for index, part in zip(chosen, parts, strict=True):
                variables[index].assign(part.reshape(values[index].shape))


def _variables(model: keras.Model) -> dict[str, list[Any]]:
    # model.variables, unlike model.weights, has the generators that dropout draws from.
    return {"model": list(model.variables), "optimizer": list(model.optimizer.variables)}
