"""An int8 network and the float one it was made from, taught the same photos: what int8 costs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from edge_effnet.data.dataset import Dataset
from edge_effnet.metrics import Comparison, compare_predictions
from edge_effnet.metrics.two_models.measured import measured_figures
from edge_effnet.stages import StartStage
from edge_effnet.teaching.backbone import open_backbone
from edge_effnet.teaching.collection import read_collection
from edge_effnet.teaching.teach import Taught, teach

LOST_SHARE = 0.05
"""Of photos like those that teach: how many may be answered "unknown"."""


@dataclass(frozen=True, eq=False)
class TaughtPair:
    """Attributes:
    small: of the int8 network.
    reference: of the float one; None without one.
    comparison: of both by cross-validation on the same photos, each by a layer that has not
        learned from it; None where no class has two different photos, or without a float one.
    """

    small: Taught
    reference: Taught | None = None
    comparison: Comparison | None = None


def teach_pair(
    dataset: Dataset,
    small: Path,
    reference: Path | None,
    *,
    name: str,
    seed: int,
    stage: StartStage,
    workers: int | None = None,
) -> TaughtPair:
    """Teach both networks.

    Args:
        small, reference: files of networks, see ``open_backbone``.
        name: of what is made; its kind is added.
        workers: threads that load images.

    Raises:
        DataError, ModelError: see ``read_collection``, ``open_backbone``.
    """

    def taught(path: Path, kind: str, stage: StartStage) -> Taught:
        backbone = open_backbone(path)
        collection = read_collection(dataset, backbone, workers=workers, stage=stage)
        return teach(
            collection,
            backbone,
            name=f"{name}-{kind}",
            lost_share=LOST_SHARE,
            seed=seed,
            stage=stage,
        )

    made = taught(small, "int8", stage)
    if reference is None:
        return TaughtPair(made)
    floating = taught(reference, "float32", _in_float(stage))
    if made.predictions is None or floating.predictions is None:
        return TaughtPair(made, floating)
    comparison = compare_predictions(floating.predictions, made.predictions)
    measured = {
        "data": f"{Path(dataset.source).name}, by cross-validation",
        "data_sha256": _digest(made),
        **measured_figures(comparison),
    }
    made = replace(made, card=replace(made.card, measured=measured))
    return TaughtPair(made, floating, comparison)


def _in_float(stage: StartStage) -> StartStage:
    return lambda name, steps: stage(f"{name}, float", steps)


def _digest(taught: Taught) -> str:
    """Of the photos that were asked about, as of an evaluation set."""
    hashes = dict(zip(taught.collection.paths, taught.collection.hashes, strict=True))
    asked = taught.predictions.paths if taught.predictions else ()
    return hashlib.sha256(b"".join(bytes.fromhex(hashes[path]) for path in asked)).hexdigest()
