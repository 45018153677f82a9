"""Options of a training run that do not go together. No heavy imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_effnet.data.signs.option import SIGNS
from edge_effnet.errors import UsageProblem
from edge_effnet.plurals import counted

if TYPE_CHECKING:
    from edge_effnet.training.config import TrainConfig


def refuse_contradictions(config: TrainConfig) -> None:
    """Raise UsageProblem where two options of a run contradict each other."""
    if config.val is not None and config.on_signs:
        raise UsageProblem(
            "--val is for photos; signs are validated on freshly drawn ones",
            found=f"--data signs and --val {config.val}",
            fix="leave --val out, and evaluate on photos afterwards",
        )
    if config.previous is not None:
        _refuse_another_beginning(config)
    if config.batch_norm == "frozen" and config.from_scratch:
        raise UsageProblem(
            "batch normalization cannot be frozen before it has learned anything",
            found="--batch-norm frozen with --weights random",
            fix="leave --batch-norm out",
        )
    _refuse_unlabelled(config)
    _refuse_sizes(config)


def _refuse_another_beginning(config: TrainConfig) -> None:
    if config.weights != "auto":
        raise UsageProblem(
            "--from begins with the weights of its run",
            found=f"--weights {config.weights} beside --from {config.previous}",
            fix="leave one of the two out",
        )
    if config.on_signs:
        raise UsageProblem(
            "--from is for images in files: signs are drawn anew, and none stays held out",
            found=f"--data {SIGNS} and --from {config.previous}",
            fix="draw them into a folder (edge-effnet signs render), or give the run's best.h5 "
            "as --weights",
        )


def _refuse_unlabelled(config: TrainConfig) -> None:
    if config.unlabelled is None:
        return
    if config.teacher is None:
        raise UsageProblem(
            "images without labels teach nothing without a teacher",
            found=f"--unlabelled {config.unlabelled} and no --teacher",
            fix="give --teacher, or leave --unlabelled out",
        )
    if config.on_signs:
        raise UsageProblem(
            "--unlabelled is for photos: as many signs as you like are drawn with their labels",
            found=f"--data {SIGNS} and --unlabelled {config.unlabelled}",
            fix="leave --unlabelled out, or draw the signs into a folder (edge-effnet signs "
            "render)",
        )
    if config.teacher_share == 0:
        raise UsageProblem(
            "images without labels teach nothing where the teacher has no weight",
            found=f"--teacher-share 0 and --unlabelled {config.unlabelled}",
            fix="leave one of the two out",
        )


def _refuse_sizes(config: TrainConfig) -> None:
    sizes = config.sizes
    if sizes is None:
        return
    if config.resolution not in (None, sizes[-1]):
        raise UsageProblem(
            "images grow up to the size of the network's input",
            found=f"--resolution {config.resolution} and --progressive {config.progressive}",
            expected=f"{config.resolution} as the last side, or no --resolution",
            fix="leave --resolution out",
        )
    if config.chosen_epochs < len(sizes):
        raise UsageProblem(
            "every size of --progressive needs an epoch",
            found=f"{len(sizes)} sizes and {counted(config.chosen_epochs, 'epoch')}",
            fix=f"give --epochs {len(sizes)} or more, or fewer sizes",
        )
