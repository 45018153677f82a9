"""One training of a search: an independent call with a folder of its own, on any machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_effnet.architecture.files import read_variant
from edge_effnet.errors import DataError
from edge_effnet.search.config import SearchConfig
from edge_effnet.search.images import learned_from
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.epochs import Callbacks, Diverged, Interrupted
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.run_folder.files import STATE_FILE
from edge_effnet.training.run_folder.trainer_state import EpochRow
from edge_effnet.training.trainer import resume, train

SAVE_EVERY_SECONDS = 60.0


@dataclass(frozen=True)
class TrialResult:
    """What a training has come to so far.

    Attributes:
        epochs: that it was trained.
        accuracy: the best of its epochs on the images that choose, 0 to 1.
        seconds: of training and validating, all together.
        diverged: whether its loss stopped being a number.
    """

    epochs: int
    accuracy: float
    seconds: float
    diverged: bool = False

    def to_json(self) -> dict[str, Any]:
        """For a document."""
        return dict(vars(self))


def variant_file(folder: Path, point: str) -> Path:
    """The network of a point, in the folder of a search."""
    return folder / "variants" / f"{point}.json"


def trial_folder(folder: Path, point: str, seed: int) -> Path:
    """The run folder of a trial, in the folder of a search."""
    return folder / "trials" / f"{point}-seed{seed}"


def trial_config(config: SearchConfig, folder: Path, point: str, seed: int) -> TrainConfig:
    """How a trial is trained: from random weights, since no others fit every point.

    Args:
        folder: of the search, absolute.

    Raises:
        ModelError: the variant file of the point is missing or damaged.
    """
    variant = variant_file(folder, point)
    data, val = learned_from(config, folder)
    return TrainConfig(
        data=data,
        val=val,
        variant=str(variant),
        weights="random",
        resolution=read_variant(variant).resolution,
        epochs=config.epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        patience=0,  # successive halving stops trials, nothing else
        signs_train=config.signs_train,
        signs_val=config.signs_val,
        strict=config.strict,
        seed=config.seed + seed,
    )


def run_trial(
    config: TrainConfig,
    folder: Path,
    until: int,
    *,
    workers: int,
    callbacks: Callbacks,
) -> TrialResult:
    """Train from wherever the folder stands to the end of epoch ``until``.

    The schedule is that of all epochs of ``config``, so that a trial which goes on later is the
    same as one that was never stopped.

    Raises:
        Interrupted: ``callbacks.stop`` said so; called again, it goes on.
        EdgeEffnetError: as ``training.trainer.train``.
    """
    if (rows := _rows(folder)) and rows[-1].epoch >= until:
        return _result(rows)
    reached = False

    def on_epoch(row: EpochRow) -> None:
        nonlocal reached
        callbacks.on_epoch(row)
        reached = row.epoch >= until and until < config.chosen_epochs

    def stop() -> bool:
        return reached or callbacks.stop()

    how: dict[str, Any] = {
        "workers": workers,
        "save_every_seconds": SAVE_EVERY_SECONDS,
        "callbacks": replace(callbacks, on_epoch=on_epoch, stop=stop),
    }
    try:
        if CONFIG_FILE.stands_in(folder):
            resume(folder, config=config, **how)
        else:
            train(config, folder, **how)
    except Interrupted:
        if not reached:
            raise
    except Diverged:
        return replace(_result(_rows(folder)), diverged=True)
    return _result(_rows(folder))


def _rows(folder: Path) -> list[EpochRow]:
    """The epochs that are done; none where nothing can be gone on with."""
    try:
        return read_state(folder / STATE_FILE).progress.rows
    except DataError:
        return []


def _result(rows: list[EpochRow]) -> TrialResult:
    return TrialResult(
        epochs=rows[-1].epoch if rows else 0,
        accuracy=max((row.val_accuracy for row in rows), default=0.0),
        seconds=sum(row.seconds for row in rows),
    )
