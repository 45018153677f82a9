"""What a pruning run keeps on disk, so that it can be resumed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.pruning.context import Network, PruningContext, network_of
from converters.pruning.selection.allocation import Budget
from converters.pruning.selection.sensitivity import SensitivityPoint
from converters.pruning.step import PrunedStep
from edge_effnet.architecture.files import variant_from_json
from edge_effnet.documents import structure
from edge_effnet.errors import DataError
from edge_effnet.files.damage import DAMAGE, reason
from edge_effnet.files.json_text import read_json
from edge_effnet.files.write import write_json_file
from edge_effnet.network.weights.checkpoint import describe, peek, save_checkpoint
from edge_effnet.runs import refuse_changed

SLICED_FILE, TARGET_FILE = "cut.h5", "target.json"


def describe_network(context: PruningContext, network: Network) -> dict[str, Any]:
    return describe(
        network.spec,
        resolution=context.side,
        labels=context.labels or context.data.images.lists.labels or None,
        steps=list(network.steps),
        kept={group: indices.tolist() for group, indices in network.kept.items()},
    )


@dataclass(frozen=True)
class StepRecord:
    """What a step measured, stored beside its network."""

    points: tuple[SensitivityPoint, ...]
    accuracy: float


def write_step(
    folder: Path, context: PruningContext, made: PrunedStep, accuracy: float
) -> StepRecord:
    record = StepRecord(made.points, accuracy)
    folder.mkdir(parents=True, exist_ok=True)
    metadata = describe_network(context, made.network) | {
        "points": [asdict(point) for point in record.points],
        "accuracy": record.accuracy,
    }
    save_checkpoint(made.network.model, folder / SLICED_FILE, metadata)
    return record


def read_step(folder: Path, context: PruningContext) -> tuple[Network, StepRecord]:
    """A step that an earlier run sliced.

    Raises:
        WeightsError, DataError: the file is damaged.
    """
    path = folder / SLICED_FILE
    metadata = peek(path).metadata or {}
    try:
        spec = variant_from_json(metadata["variant"], str(path))
        kept = {group: np.array(indices, np.int64) for group, indices in metadata["kept"].items()}
        record = structure(metadata, StepRecord)
        steps = tuple(metadata["steps"])
    except DAMAGE as error:
        raise DataError(
            f"{path} cannot be resumed from",
            found=reason(error),
            fix=f"remove {folder} and resume again",
        ) from error
    return Network(spec, network_of(spec, path, context), kept, steps), record


def store_target(context: PruningContext, budget: Budget) -> None:
    """Write what the target came to, and for which weights."""
    document = {"budget": asdict(budget), "origin": dict(context.origin)}
    write_json_file(context.folder / TARGET_FILE, document)


def stored_target(context: PruningContext) -> Budget | None:
    """The budget of a run that was stopped; None before it was found.

    Raises:
        UsageProblem: the weights that the run began with are others now.
        DataError: the file is damaged.
    """
    path = context.folder / TARGET_FILE
    if not path.is_file():
        return None
    try:
        document = read_json(path)
        budget, origin = structure(document["budget"], Budget), dict(document["origin"])
    except DAMAGE as error:
        raise DataError(
            f"{path} is damaged", found=reason(error), fix="remove it and resume again"
        ) from error
    refuse_changed(
        context.folder,
        {"weights": origin},
        {"weights": dict(context.origin)},
        said={"weights": f"weights from {context.origin.get('file', context.origin.get('kind'))}"},
        expected=f"{origin.get('file', origin.get('kind'))}, sha256 {origin.get('sha256')}",
        fix="put them back, or prune anew in another folder or with --force",
    )
    return budget
