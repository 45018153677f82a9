"""``best.h5``: the best weights so far, with how they were made inside."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from edge_effnet.errors import OutputError
from edge_effnet.network.weights.checkpoint import describe, save_checkpoint
from edge_effnet.training.data import Material
from edge_effnet.training.resume_state import EpochRow
from edge_effnet.training.run_folder import BEST_FILE, Plan

if TYPE_CHECKING:
    import keras


def write_best(
    model: keras.Model,
    plan: Plan,
    material: Material,
    row: EpochRow,
    images: Mapping[str, Any] | None,
) -> None:
    """Replace the run's checkpoint by the network as it is after ``row``.

    Args:
        images: ``seen.record`` of them.

    Raises:
        OutputError: the disk is full.
    """
    _refuse_full_disk(plan.folder, model)
    metadata = _metadata(plan, material, row, images)
    save_checkpoint(model, plan.folder / BEST_FILE, metadata, half=plan.config.half)


def _metadata(
    plan: Plan, material: Material, row: EpochRow, images: Mapping[str, Any] | None
) -> dict[str, Any]:
    """How the weights were made, so that a converted file can tell; what was done to them
    before (trained, pruned …) is told too."""
    step = {
        "step": "trained",
        "config": plan.config.to_json(),
        "data": {
            "source": plan.lists.source,
            "fingerprint": plan.lists.fingerprint,
            "train_images": len(material.train),
            "val_images": len(material.val),
            "images": images,
        },
        "weights": plan.weights.origin,
        "epoch": row.epoch,
        "val_accuracy": row.val_accuracy,
        "val_loss": row.val_loss,
    }
    steps = [*plan.weights.steps, step]
    return describe(plan.spec, resolution=plan.side, labels=plan.lists.labels, steps=steps)


def _refuse_full_disk(folder: Path, model: keras.Model) -> None:
    """Reserve the room of a checkpoint and free it again.

    HDF5 that meets a full disk while it writes a file takes the process down with it, and the
    line that says so.
    """
    place = folder / f".room.{os.getpid()}"
    size = 65536 + sum(4 * math.prod(weight.shape) for weight in model.weights)
    try:
        with place.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.write(bytes(size))
    except OSError as error:
        raise OutputError(
            f"{folder / BEST_FILE} cannot be written",
            found=error.strerror or str(error),
            expected=f"room for {size / 1e6:.1f} MB",
            fix=f"free some space, then go on: edge-effnet train --resume {quote(str(folder))}",
        ) from error
    finally:
        place.unlink(missing_ok=True)
