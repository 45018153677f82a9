"""The part of a training run that is the same from the beginning and from a stored state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_effnet import plots
from edge_effnet.data.division.trained_on import record
from edge_effnet.plurals import counted, plural
from edge_effnet.training.classifier_training import train_head
from edge_effnet.training.cluster.agreement import refuse_other_images, refuse_other_skipped
from edge_effnet.training.cluster.group import Group
from edge_effnet.training.cluster.shares import refuse_idle_workers, share_of
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.lists import TrainingImages, open_images
from edge_effnet.training.epochs import Callbacks, TrainingLoop
from edge_effnet.training.follow_up import compare_runs, wrong_before
from edge_effnet.training.image_sizes.stages import described, stages_of
from edge_effnet.training.initialize import (
    compile_for_training,
    initialize,
    precision,
    seed_everything,
)
from edge_effnet.training.run_folder.checkpointing import (
    TrainingState,
    give_to_all,
    restore,
    write_best,
    write_state,
)
from edge_effnet.training.run_folder.files import (
    STATE_FILE,
    TrainingRun,
)
from edge_effnet.training.run_folder.history import CURVES_FILE, write_history
from edge_effnet.training.run_folder.result import TrainingResult, result_of
from edge_effnet.training.run_folder.trainer_state import EpochRow, TrainerState
from edge_effnet.training.teacher.teacher import TeacherScores

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Job:
    """The arguments of ``train`` and ``resume``, which say what they mean."""

    config: TrainConfig
    folder: Path
    workers: int
    save_every_seconds: float
    callbacks: Callbacks
    group: Group
    shared: bool = False


def execute(
    run: TrainingRun, stored: TrainingState | None, job: Job, teacher: TeacherScores | None = None
) -> TrainingResult:
    """Run what is left of a run, from a stored state or from the beginning.

    Args:
        teacher: whose scores are learned from beside the labels.

    Raises:
        As ``train``.
    """
    config, folder, callbacks, group = job.config, job.folder, job.callbacks, job.group
    progress = stored.progress if stored else TrainerState()
    refuse_other_images(group, run.lists)
    if progress.rows and group.is_chief:  # a kill may have come between the state and the history
        write_history(folder, progress.rows)
    if progress.finished:
        callbacks.say(f"{folder} is finished: nothing is left to do")
        return result_of(run, progress, ())
    images = group.together(
        lambda: open_images(
            run.lists, config, side=run.side, workers=job.workers, stage=callbacks.stage
        )
    )
    refuse_other_skipped(group, images)
    stages = stages_of(config, run.side, len(images.learned_from))
    if group.count > 1:
        smallest = min(stage.batch_size for stage in stages)
        refuse_idle_workers(smallest, min(len(images.train), len(images.val)), group.count)
        callbacks.say(_said_of(group, config, smallest))
    say_skipped(images, callbacks)
    if missing := plots.missing_extra():
        callbacks.say(f"no {CURVES_FILE}: {missing}")
    with precision(config) as dtype:
        if dtype != "float32":
            callbacks.say(f"computing in {dtype}")
        model = _network(run, images, stored, job, min(stage.steps for stage in stages))
        if run.known_labels is not None and stored is None:
            advance = callbacks.stage("asking the network before", len(images.val))
            progress.wrong_before = wrong_before(
                model, run, images, workers=job.workers, advance=advance, group=group
            )
        if teacher is not None and stored is None:
            right = teacher.accuracy(images.val, side=run.side, workers=job.workers, group=group)
            progress.teacher_accuracy = right
            callbacks.say(f"the teacher answers {100 * right:.1f} % of the validation images right")
        depends_on, seen = run.depends_on(), record(run.lists.learned_from, run.lists.val)

        def on_epoch(row: EpochRow) -> None:
            write_history(folder, progress.rows)
            callbacks.on_epoch(row)

        def save() -> None:
            write_state(folder / STATE_FILE, model, progress, depends_on)

        def save_best(row: EpochRow, right: NDArray[np.bool_]) -> None:
            if progress.wrong_before is not None:
                progress.against = compare_runs(run, images, progress.wrong_before, right)
            write_best(model, run, images, row, seen, progress)

        if line := described(stages):
            callbacks.say(line)
        TrainingLoop(
            model,
            images,
            config,
            progress,
            side=run.side,
            workers=job.workers,
            callbacks=replace(callbacks, on_epoch=on_epoch) if group.is_chief else callbacks,
            save=save if group.is_chief else lambda: None,
            save_best=save_best if group.is_chief else lambda _row, _right: None,
            save_every_seconds=job.save_every_seconds,
            teacher=teacher,
            group=group,
        ).fit()
    return result_of(run, progress, images.skipped)


def _network(
    run: TrainingRun,
    images: TrainingImages,
    stored: TrainingState | None,
    job: Job,
    steps: int,
) -> keras.Model:
    """The compiled network at the place the run stands.

    Args:
        steps: of an epoch; the fewest where images grow.
    """
    config, callbacks, group = run.config, job.callbacks, job.group
    built = callbacks.stage("building the network", None)
    seed_everything(config.seed)
    model, notice = initialize(
        config,
        run.weights,
        resolution=run.side,
        labels=run.lists.labels,
        steps_per_epoch=steps,
        loading=stored is None,
        known_labels=run.known_labels,
        share=None if group.count == 1 else group.share(config.chosen_batch_size),
    )
    built(1)
    if notice:
        callbacks.say(notice)
    known = len(run.known_labels or ())
    if stored is None and config.learns_head and known < len(run.lists.labels):
        train_head(
            model,
            images,
            config,
            known=known,
            side=run.side,
            workers=job.workers,
            advance=callbacks.stage("learning the classifier", len(group.subset(images.train))),
            group=group,
        )
        # What the classifier drew from global generators must not shift the rest of the run.
        seed_everything(config.seed + 1)
    compile_for_training(model, config)
    if stored is not None:
        name = str(run.folder / STATE_FILE)
        group.together(lambda: restore(model, stored, name) if group.is_chief else None)
    give_to_all(model, group)
    return model


def _said_of(group: Group, config: TrainConfig, batch_size: int) -> str:
    """How the workers of a group share the work."""
    norm = "keeps its statistics" if config.freezes_batch_norm else "takes those of all workers"
    sizes = {len(share_of(batch_size, index, group.count)) for index in range(group.count)}
    images = " or ".join(str(size) for size in sorted(sizes))
    return (
        f"{group.count} workers, {images} of the {batch_size} images of a step each; "
        f"batch normalization {norm}"
    )


def say_skipped(images: TrainingImages, callbacks: Callbacks) -> None:
    """Name the images that could not be read."""
    if not images.skipped:
        return
    count = len(images.skipped)
    callbacks.say(
        f"skipped {counted(count, 'unreadable image')} (--strict refuses "
        f"{plural(count, 'it', 'them')}):"
    )
    for image in images.skipped[:3]:
        callbacks.say(f"  {image.reason}")
    if count > 3:
        callbacks.say(f"  and {count - 3} more")
