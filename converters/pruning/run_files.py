"""What a pruning run keeps on disk, so that it can be gone on with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.pruning.allocation import Budget
from converters.pruning.sensitivity import Point
from converters.pruning.step import Bench, Cut, Network, network_of
from edge_effnet.architecture.files import variant_from_json
from edge_effnet.errors import DataError
from edge_effnet.files import write_json_file
from edge_effnet.network.weights.checkpoint import describe, peek, save_checkpoint
from edge_effnet.runs import refuse_changed

CUT_FILE, TARGET_FILE = "cut.h5", "target.json"


def describe_network(bench: Bench, network: Network) -> dict[str, Any]:
    return describe(
        network.spec,
        resolution=bench.side,
        labels=bench.labels or bench.data.images.lists.labels or None,
        steps=list(network.steps),
        kept={group: places.tolist() for group, places in network.kept.items()},
    )


@dataclass(frozen=True)
class Record:
    """What a cut found, stored beside it."""

    points: tuple[Point, ...]
    accuracy: float


def write_cut(place: Path, bench: Bench, made: Cut, accuracy: float) -> Record:
    record = Record(made.points, accuracy)
    place.mkdir(parents=True, exist_ok=True)
    metadata = describe_network(bench, made.network) | {
        "points": [asdict(point) for point in record.points],
        "accuracy": record.accuracy,
    }
    save_checkpoint(made.network.model, place / CUT_FILE, metadata)
    return record


def read_cut(place: Path, bench: Bench) -> tuple[Network, Record]:
    """A cut that an earlier run made.

    Raises:
        WeightsError, DataError: the file is damaged.
    """
    path = place / CUT_FILE
    metadata = peek(path).metadata or {}
    try:
        spec = variant_from_json(metadata["variant"], str(path))
        kept = {group: np.array(places, np.int64) for group, places in metadata["kept"].items()}
        record = Record(
            tuple(Point(**point) for point in metadata["points"]), float(metadata["accuracy"])
        )
        steps = tuple(metadata["steps"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} cannot be gone on from",
            found=f"no usable {error}",
            fix=f"remove {place} and resume again",
        ) from error
    return Network(spec, network_of(spec, path, bench), kept, steps), record


def store_target(bench: Bench, budget: Budget) -> None:
    """Write what the target came to, and for which weights."""
    document = {"budget": asdict(budget), "origin": dict(bench.origin)}
    write_json_file(bench.folder / TARGET_FILE, document)


def stored_target(bench: Bench) -> Budget | None:
    """The budget of a run that was stopped; None before it was found.

    Raises:
        UsageProblem: the weights that the run began with are others now.
        DataError: the file is damaged.
    """
    path = bench.folder / TARGET_FILE
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        budget, origin = Budget(**document["budget"]), dict(document["origin"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path} is damaged", found=str(error), fix="remove it and resume again"
        ) from error
    refuse_changed(
        bench.folder,
        {"weights": origin},
        {"weights": dict(bench.origin)},
        said={"weights": f"weights from {bench.origin.get('file', bench.origin.get('kind'))}"},
        expected=f"{origin.get('file', origin.get('kind'))}, sha256 {origin.get('sha256')}",
        fix="put them back, or prune anew in another folder or with --force",
    )
    return budget
