"""A whole training run, from a config to a run folder; for the command and for Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_effnet import plots
from edge_effnet.architecture.files import find_variant
from edge_effnet.data.division.trained_on import record
from edge_effnet.files.locks import locked_run
from edge_effnet.network.weights.checkpoint import normalized_as
from edge_effnet.network.weights.resolve import ResolvedWeights
from edge_effnet.runs import clear_run, refuse_existing_run
from edge_effnet.training.checkpointing import (
    TrainingState,
    read_state,
    restore,
    write_best,
    write_state,
)
from edge_effnet.training.classifier_training import train_head
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.data import TrainingImages, list_images, open_images
from edge_effnet.training.epochs import SILENT, Callbacks, TrainingLoop
from edge_effnet.training.find_teacher import find_teacher, refuse_other_teacher, scores_of
from edge_effnet.training.follow_up import compare_runs, weights_before, wrong_before
from edge_effnet.training.history import CURVES_FILE, HISTORY_FILE, write_history
from edge_effnet.training.image_sizes import described, stages_of
from edge_effnet.training.initialize import (
    choose_resolution,
    compile_for_training,
    find_weights,
    initialize,
    precision,
    seed_everything,
)
from edge_effnet.training.result import TrainingResult, result_of
from edge_effnet.training.run_folder import (
    RUN_FILES,
    STATE_FILE,
    TrainingRun,
    refuse_changed_inputs,
    refuse_other_config,
)
from edge_effnet.training.teacher import TeacherScores
from edge_effnet.training.trainer_state import EpochRow, TrainerState

if TYPE_CHECKING:
    import keras


def train(
    config: TrainConfig,
    folder: Path,
    *,
    workers: int,
    save_every_seconds: float = 300.0,
    callbacks: Callbacks = SILENT,
    overwrite: bool = False,
) -> TrainingResult:
    """Train from the beginning.

    Args:
        folder: of the run; created.
        workers: threads that prepare images.
        overwrite: replace a run that is already there.

    Raises:
        EdgeEffnetError: bad data, weights, config or output, or a loss that is no number.
        Interrupted: stopped by ``callbacks.stop``; ``resume`` goes on.
    """
    with locked_run(folder):
        refuse_existing_run(
            folder, RUN_FILES, own=CONFIG_FILE.stands_in(folder), overwrite=overwrite
        )
        return _begin(config, folder, workers, save_every_seconds, callbacks)


def _begin(
    config: TrainConfig,
    folder: Path,
    workers: int,
    save_every_seconds: float,
    callbacks: Callbacks,
) -> TrainingResult:
    spec = find_variant(config.variant)
    teacher = find_teacher(config, workers=workers, stage=callbacks.stage)
    taught = () if teacher is None else teacher.steps
    if config.previous is not None:
        weights = weights_before(config)
        lists = list_images(
            config, weights.steps, known_labels=weights.labels, stage=callbacks.stage
        )
    else:
        lists = list_images(config, taught, stage=callbacks.stage)
        weights = find_weights(spec, config.weights)
        if weights.steps:
            lists = list_images(config, (*weights.steps, *taught))
    for line in (*lists.notices, weights.notice):
        if line:
            callbacks.say(line)
    scores = scores_of(teacher, config, lists, say=callbacks.say)
    run = TrainingRun(
        config,
        folder,
        weights,
        lists,
        choose_resolution(config, weights),
        None if teacher is None else teacher.to_json(),
    )
    clear_run(folder, RUN_FILES, weights.path, None if teacher is None else teacher.path)
    CONFIG_FILE.write(folder, config)
    return _run(run, None, scores, workers, save_every_seconds, callbacks)


def resume(
    folder: Path,
    *,
    config: TrainConfig | None = None,
    workers: int,
    save_every_seconds: float = 300.0,
    callbacks: Callbacks = SILENT,
) -> TrainingResult:
    """Go on with a run that was killed or stopped, to the result it would have had.

    Args:
        config: what the user asks for now; None takes the run's own.

    Raises:
        UsageProblem: ``config`` differs from the run's, or the data has changed since.
        DataError: the folder is no run, or its state is damaged.
        As ``train`` otherwise.
    """
    own = CONFIG_FILE.read(folder)
    if config is not None:
        refuse_other_config(own, config, folder)
    with locked_run(folder):
        # A history is written after the first state: without that, the run has lost it.
        if any((folder / name).exists() for name in (STATE_FILE, HISTORY_FILE)):
            return _go_on(own, folder, workers, save_every_seconds, callbacks)
        # Killed before the first checkpoint: begin again, which is the same.
        callbacks.say(f"{folder} was stopped before its first checkpoint; it begins again")
        return _begin(own, folder, workers, save_every_seconds, callbacks)


def _go_on(
    own: TrainConfig,
    folder: Path,
    workers: int,
    save_every_seconds: float,
    callbacks: Callbacks,
) -> TrainingResult:
    state = folder / STATE_FILE
    stored = read_state(state)
    before = stored.depends_on
    steps = tuple(before.get("steps", ()))  # states of an older version have none
    known_labels = before.get("known_labels")
    weights = ResolvedWeights(
        normalized_as(find_variant(own.variant), before),
        "random" if own.from_scratch else "file",
        None,
        None,
        labels=tuple(known_labels) if known_labels else None,
        origin=dict(before["weights"]),
        steps=steps,
    )
    had, teacher = before.get("teacher"), None
    if had is not None and not stored.progress.finished:
        teacher = find_teacher(own, before=had, workers=workers, stage=callbacks.stage)
        refuse_other_teacher(folder, teacher, had)
    taught = () if had is None or own.previous is not None else tuple(had["steps"])
    lists = list_images(own, (*steps, *taught), known_labels=weights.labels, stage=callbacks.stage)
    run = TrainingRun(own, folder, weights, lists, int(before["resolution"]), had)
    refuse_changed_inputs(run, before)
    scores = scores_of(teacher, own, lists)
    return _run(run, stored, scores, workers, save_every_seconds, callbacks)


def _run(
    run: TrainingRun,
    stored: TrainingState | None,
    teacher: TeacherScores | None,
    workers: int,
    save_every_seconds: float,
    callbacks: Callbacks,
) -> TrainingResult:
    config, folder = run.config, run.folder
    progress = stored.progress if stored else TrainerState()
    if progress.rows:  # a kill may have come between the state and the history
        write_history(folder, progress.rows)
    if progress.finished:
        callbacks.say(f"{folder} is finished: nothing is left to do")
        return result_of(run, progress, ())
    images = open_images(run.lists, config, side=run.side, workers=workers, stage=callbacks.stage)
    say_skipped(images, callbacks)
    if missing := plots.missing_extra():
        callbacks.say(f"no {CURVES_FILE}: {missing}")
    with precision(config) as dtype:
        if dtype != "float32":
            callbacks.say(f"computing in {dtype}")
        model = _network(run, images, stored, workers, callbacks)
        if run.known_labels is not None and stored is None:
            advance = callbacks.stage("asking the network before", len(images.val))
            progress.wrong_before = wrong_before(
                model, run, images, workers=workers, advance=advance
            )
        if teacher is not None and stored is None:
            right = teacher.accuracy(images.val, side=run.side, workers=workers)
            progress.teacher_accuracy = right
            callbacks.say(f"the teacher answers {100 * right:.1f} % of the validation images right")
        depends_on, seen = run.depends_on(), record(run.lists.learned_from, run.lists.val)

        def on_epoch(row: EpochRow) -> None:
            write_history(folder, progress.rows)
            callbacks.on_epoch(row)

        def save_best(row: EpochRow, right: NDArray[np.bool_]) -> None:
            if progress.wrong_before is not None:
                progress.against = compare_runs(run, images, progress.wrong_before, right)
            write_best(model, run, images, row, seen, progress)

        loop = TrainingLoop(
            model,
            images,
            config,
            progress,
            side=run.side,
            workers=workers,
            callbacks=replace(callbacks, on_epoch=on_epoch),
            save=lambda: write_state(folder / STATE_FILE, model, progress, depends_on),
            save_best=save_best,
            save_every_seconds=save_every_seconds,
            teacher=teacher,
        )
        if line := described(loop.stages):
            callbacks.say(line)
        loop.fit()
    return result_of(run, progress, images.skipped)


def _network(
    run: TrainingRun,
    images: TrainingImages,
    stored: TrainingState | None,
    workers: int,
    callbacks: Callbacks,
) -> keras.Model:
    """The compiled network at the place the run stands."""
    config = run.config
    built = callbacks.stage("building the network", None)
    seed_everything(config.seed)
    model, notice = initialize(
        config,
        run.weights,
        resolution=run.side,
        labels=run.lists.labels,
        steps_per_epoch=min(
            stage.steps for stage in stages_of(config, run.side, len(images.learned_from))
        ),
        loading=stored is None,
        known_labels=run.known_labels,
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
            workers=workers,
            advance=callbacks.stage("learning the classifier", len(images.train)),
        )
        # What the classifier drew from global generators must not shift the rest of the run.
        seed_everything(config.seed + 1)
    compile_for_training(model, config)
    if stored is not None:
        restore(model, stored, str(run.folder / STATE_FILE))
    return model


def say_skipped(images: TrainingImages, callbacks: Callbacks) -> None:
    """Name the images that could not be read."""
    if not images.skipped:
        return
    count = len(images.skipped)
    callbacks.say(
        f"skipped {count} unreadable {'image' if count == 1 else 'images'} (--strict refuses them):"
    )
    for image in images.skipped[:3]:
        callbacks.say(f"  {image.reason}")
    if count > 3:
        callbacks.say(f"  and {count - 3} more")
