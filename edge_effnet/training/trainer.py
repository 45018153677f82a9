"""A whole training run, from a config to a run folder; for the command and for Python."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from edge_effnet.architecture.files import find_variant
from edge_effnet.files.locks import locked_run
from edge_effnet.network.weights.checkpoint import normalized_as
from edge_effnet.network.weights.resolve import ResolvedWeights
from edge_effnet.runs import clear_run, refuse_existing_run
from edge_effnet.training.cluster.agreement import refuse_hidden_folder, refuse_unequal_teachers
from edge_effnet.training.cluster.group import ALONE, Group
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.data.lists import ImageLists, list_images
from edge_effnet.training.epochs import SILENT, Callbacks
from edge_effnet.training.execution import Job, execute
from edge_effnet.training.follow_up import weights_before
from edge_effnet.training.initialize import choose_resolution, find_weights
from edge_effnet.training.run_folder.checkpointing import TrainingState, read_state
from edge_effnet.training.run_folder.files import (
    BEST_FILE,
    RUN_FILES,
    STATE_FILE,
    TrainingRun,
    refuse_changed_inputs,
    refuse_other_config,
)
from edge_effnet.training.run_folder.history import HISTORY_FILE
from edge_effnet.training.run_folder.result import TrainingResult, refuse_nothing_to_train
from edge_effnet.training.teacher.find_teacher import (
    find_teacher,
    refuse_other_teacher,
    scores_of,
)
from edge_effnet.training.teacher.teacher import Teacher, TeacherScores


def train(
    config: TrainConfig,
    folder: Path,
    *,
    workers: int,
    save_every_seconds: float = 300.0,
    callbacks: Callbacks = SILENT,
    overwrite: bool = False,
    group: Group = ALONE,
    shared: bool = False,
) -> TrainingResult:
    """Train from the beginning.

    Args:
        folder: of the run; created.
        workers: threads that prepare images.
        overwrite: replace a run that is already there.
        group: of workers that all call this with the same arguments; the chief writes the run.
        shared: refuse a folder that not all workers see.

    Raises:
        EdgeEffnetError: bad data, weights, config or output, or a loss that is no number.
        Interrupted: stopped by ``callbacks.stop``; ``resume`` goes on.
    """
    with ExitStack() as held:

        def claim() -> None:
            held.enter_context(locked_run(folder))
            refuse_existing_run(
                folder, RUN_FILES, own=CONFIG_FILE.stands_in(folder), overwrite=overwrite
            )

        group.together(claim if group.is_chief else lambda: None)
        job = Job(config, folder, workers, save_every_seconds, callbacks, group, shared)
        return _begin(job)


def _begin(job: Job) -> TrainingResult:
    config, folder, callbacks, group = job.config, job.folder, job.callbacks, job.group
    # The chief first: what it downloads, the others on its machine find.
    weights, lists, teacher = group.together(lambda: _inputs(job), chief_first=True)
    for line in (*lists.notices, weights.notice):
        if line:
            callbacks.say(line)
    scores = group.together(lambda: scores_of(teacher, config, lists, say=callbacks.say))
    refuse_unequal_teachers(group, teacher)
    run = TrainingRun(
        config,
        folder,
        weights,
        lists,
        choose_resolution(config, weights),
        None if teacher is None else teacher.to_json(),
    )

    def clear() -> None:
        clear_run(folder, RUN_FILES, weights.path, None if teacher is None else teacher.path)

    group.together(clear if group.is_chief else lambda: None)
    try:
        group.together(
            (lambda: CONFIG_FILE.write(folder, config)) if group.is_chief else lambda: None
        )
        if job.shared:
            refuse_hidden_folder(group, folder / CONFIG_FILE.name)
        return execute(run, None, job, scores)
    except BaseException:
        if group.is_chief and not _has_begun(folder) and not (folder / BEST_FILE).exists():
            clear_run(folder, RUN_FILES, None)  # nothing to go on with, nothing to keep
        raise


def _has_begun(folder: Path) -> bool:
    """Whether a run has stored where it stands: a history is written after the first state."""
    return any((folder / name).exists() for name in (STATE_FILE, HISTORY_FILE))


def _inputs(job: Job) -> tuple[ResolvedWeights, ImageLists, Teacher | None]:
    """What a run begins with."""
    config, stage = job.config, job.callbacks.stage
    refuse_nothing_to_train(config)
    spec = find_variant(config.variant)
    teacher = find_teacher(config, workers=job.workers, stage=stage)
    if config.previous is not None:
        weights = weights_before(config)
        lists = list_images(config, weights.steps, known_labels=weights.labels, stage=stage)
        return weights, lists, teacher
    taught = () if teacher is None else teacher.steps
    lists = list_images(config, taught, stage=stage)
    weights = find_weights(spec, config.weights)
    if weights.steps:
        lists = list_images(config, (*weights.steps, *taught))
    return weights, lists, teacher


def resume(
    folder: Path,
    *,
    config: TrainConfig | None = None,
    workers: int,
    save_every_seconds: float = 300.0,
    callbacks: Callbacks = SILENT,
    group: Group = ALONE,
) -> TrainingResult:
    """Go on with a run that was killed or stopped, to the result it would have had.

    Args:
        config: what the user asks for now; None takes the run's own.
        group: see ``train``; it may have another number of workers than before.

    Raises:
        UsageProblem: ``config`` differs from the run's, or the data has changed since.
        DataError: the folder is no run, or its state is damaged.
        As ``train`` otherwise.
    """
    with ExitStack() as held:

        def claim() -> dict[str, Any]:
            own = CONFIG_FILE.read(folder)
            if config is not None:
                refuse_other_config(own, config, folder)
            held.enter_context(locked_run(folder))
            found = {"config": CONFIG_FILE.to_json(own), "state": None}
            if _has_begun(folder):
                stored.append(read_state(folder / STATE_FILE))
                found["state"] = stored[0].to_json()
            return found

        stored: list[TrainingState] = []
        found = group.together(claim if group.is_chief else dict)
        found = json.loads(group.texts(json.dumps(found))[0]) if group.count > 1 else found
        own = CONFIG_FILE.from_json(found["config"], str(folder))
        job = Job(own, folder, workers, save_every_seconds, callbacks, group)
        if found["state"] is None:
            # Killed before the first checkpoint: begin again, which is the same.
            callbacks.say(f"{folder} was stopped before its first checkpoint; it begins again")
            return _begin(job)
        return _go_on(job, stored[0] if stored else TrainingState.from_json(found["state"]))


def train_or_resume(
    config: TrainConfig,
    folder: Path,
    *,
    workers: int,
    save_every_seconds: float = 300.0,
    callbacks: Callbacks = SILENT,
    overwrite: bool = False,
    group: Group = ALONE,
) -> TrainingResult:
    """Go on with the run in a folder where it has this config, else begin one: for workers that
    are started again with the same command.

    Args:
        overwrite: see ``train``; then nothing is gone on with.

    Raises:
        As ``train`` and ``resume``.
    """
    there = group.is_chief and CONFIG_FILE.stands_in(folder) and not overwrite
    if group.any(there and CONFIG_FILE.read(folder) == config):
        callbacks.say(f"{folder} holds this run: it goes on")
        return resume(
            folder,
            config=config,
            workers=workers,
            save_every_seconds=save_every_seconds,
            callbacks=callbacks,
            group=group,
        )
    return train(
        config,
        folder,
        workers=workers,
        save_every_seconds=save_every_seconds,
        callbacks=callbacks,
        overwrite=overwrite,
        group=group,
    )


def _go_on(job: Job, stored: TrainingState) -> TrainingResult:
    own, before = job.config, stored.depends_on
    steps = tuple(before.get("steps", ()))  # states of an older version have none
    known_labels, had = before.get("known_labels"), before.get("teacher")

    def inputs() -> tuple[TrainingRun, TeacherScores | None]:
        weights = ResolvedWeights(
            normalized_as(find_variant(own.variant), before),
            "random" if own.from_scratch else "file",
            None,
            None,
            labels=tuple(known_labels) if known_labels else None,
            origin=dict(before["weights"]),
            steps=steps,
        )
        stage, teacher = job.callbacks.stage, None
        if had is not None and not stored.progress.finished:
            teacher = find_teacher(own, before=had, workers=job.workers, stage=stage)
            refuse_other_teacher(job.folder, teacher, had)
        taught = () if had is None or own.previous is not None else tuple(had["steps"])
        lists = list_images(own, (*steps, *taught), known_labels=weights.labels, stage=stage)
        run = TrainingRun(own, job.folder, weights, lists, int(before["resolution"]), had)
        refuse_changed_inputs(run, before)
        return run, scores_of(teacher, own, lists)

    run, scores = job.group.together(inputs)
    return execute(run, stored, job, scores)
