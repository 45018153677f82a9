"""What a training run came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.data.image_sources import Unreadable
from edge_effnet.errors import UsageProblem
from edge_effnet.metrics.two_models.previous import Against
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.run_folder.checkpointing import teacher_step
from edge_effnet.training.run_folder.files import BEST_FILE, TrainingRun
from edge_effnet.training.run_folder.trainer_state import EpochRow, TrainerState


@dataclass(frozen=True)
class TrainingResult:
    """What a run came to.

    Attributes:
        skipped: unreadable images that were left out.
        left_out: what lies beside the images and is none, as JSON.
        against: of a run with ``--from``, the network before against the best one.
        teacher: of a run with one, what the card says of it.
    """

    folder: Path
    config: TrainConfig
    resolution: int
    labels: tuple[str, ...]
    rows: tuple[EpochRow, ...]
    best: EpochRow
    stopped_early: bool
    skipped: tuple[Unreadable, ...] = ()
    left_out: tuple[dict[str, Any], ...] = ()
    against: Against | None = None
    teacher: dict[str, Any] | None = None

    @property
    def checkpoint(self) -> Path:
        return self.folder / BEST_FILE


def refuse_nothing_to_train(config: TrainConfig) -> None:
    """Raise UsageProblem where a run would end before its first evaluation."""
    if config.from_scratch and not config.chosen_epochs:
        raise _nothing_to_train()


def _nothing_to_train() -> UsageProblem:
    return UsageProblem(
        "there is nothing to train",
        found="--epochs 0 from random weights",
        fix="give --epochs 1 or more",
    )


def result_of(
    run: TrainingRun, progress: TrainerState, skipped: tuple[Unreadable, ...]
) -> TrainingResult:
    """The result of a run that is finished.

    Raises:
        UsageProblem: nothing was trained.
    """
    best = progress.best
    if best is None:
        raise _nothing_to_train()
    return TrainingResult(
        folder=run.folder,
        config=run.config,
        resolution=run.side,
        labels=run.lists.labels,
        rows=tuple(progress.rows),
        best=best,
        stopped_early=progress.stopped_early,
        skipped=skipped,
        left_out=tuple(run.lists.left_out_json()),
        against=progress.against,
        teacher=teacher_step(run, progress),
    )
