"""A whole training run, from a config to a run folder; for the command and for Python."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet import plots
from edge_effnet.architecture.files import find_variant
from edge_effnet.data.division.trained_on import record
from edge_effnet.data.pipeline import steps_per_epoch
from edge_effnet.files.locks import locked_run
from edge_effnet.network.weights.checkpoint import normalized_as
from edge_effnet.network.weights.resolve import ResolvedWeights
from edge_effnet.runs import clear_run, refuse_existing_run
from edge_effnet.training.checkpointing import (
    TrainingState,
    give_to_all,
    read_state,
    restore,
    write_best,
    write_state,
)
from edge_effnet.training.classifier_training import train_head
from edge_effnet.training.cluster.agreement import refuse_other_images, refuse_other_skipped
from edge_effnet.training.cluster.group import ALONE, Group
from edge_effnet.training.cluster.shares import refuse_idle_workers, share_of
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.data import ImageLists, TrainingImages, list_images, open_images
from edge_effnet.training.epochs import SILENT, Callbacks, TrainingLoop
from edge_effnet.training.follow_up import compare_runs, weights_before, wrong_before
from edge_effnet.training.history import CURVES_FILE, HISTORY_FILE, write_history
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
    group: Group = ALONE,
) -> TrainingResult:
    """Train from the beginning.

    Args:
        folder: of the run; created.
        workers: threads that prepare images.
        overwrite: replace a run that is already there.
        group: of workers that all call this with the same arguments; the chief writes the run.

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
        return _begin(_Job(config, folder, workers, save_every_seconds, callbacks, group))


@dataclass(frozen=True)
class _Job:
    """The arguments of ``train`` and ``resume``."""

    config: TrainConfig
    folder: Path
    workers: int
    save_every_seconds: float
    callbacks: Callbacks
    group: Group


def _begin(job: _Job) -> TrainingResult:
    config, folder, callbacks, group = job.config, job.folder, job.callbacks, job.group
    # The chief first: what it downloads, the others on its machine find.
    weights, lists = group.together(lambda: _inputs(config, callbacks), chief_first=True)
    for line in (*lists.notices, weights.notice):
        if line:
            callbacks.say(line)
    run = TrainingRun(config, folder, weights, lists, choose_resolution(config, weights))

    def write() -> None:
        clear_run(folder, RUN_FILES, weights.path)
        CONFIG_FILE.write(folder, config)

    group.together(write if group.is_chief else lambda: None)
    return _run(run, None, job)


def _inputs(config: TrainConfig, callbacks: Callbacks) -> tuple[ResolvedWeights, ImageLists]:
    """What a run begins with."""
    spec = find_variant(config.variant)
    if config.previous is not None:
        weights = weights_before(config)
        lists = list_images(
            config, weights.steps, known_labels=weights.labels, stage=callbacks.stage
        )
        return weights, lists
    lists = list_images(config, stage=callbacks.stage)
    weights = find_weights(spec, config.weights)
    if weights.steps:
        lists = list_images(config, weights.steps)
    return weights, lists


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
            # A history is written after the first state: without that, the run has lost it.
            if any((folder / name).exists() for name in (STATE_FILE, HISTORY_FILE)):
                stored.append(read_state(folder / STATE_FILE))
                found["state"] = stored[0].to_json()
            return found

        stored: list[TrainingState] = []
        found = group.together(claim if group.is_chief else dict)
        found = json.loads(group.texts(json.dumps(found))[0]) if group.count > 1 else found
        own = CONFIG_FILE.from_json(found["config"], str(folder))
        job = _Job(own, folder, workers, save_every_seconds, callbacks, group)
        if found["state"] is None:
            # Killed before the first checkpoint: begin again, which is the same.
            callbacks.say(f"{folder} was stopped before its first checkpoint; it begins again")
            return _begin(job)
        return _go_on(job, stored[0] if stored else TrainingState.from_json(found["state"]))


def _go_on(job: _Job, stored: TrainingState) -> TrainingResult:
    own, before = job.config, stored.depends_on
    steps = tuple(before.get("steps", ()))  # states of an older version have none
    known_labels = before.get("known_labels")

    def inputs() -> tuple[ResolvedWeights, ImageLists]:
        weights = ResolvedWeights(
            normalized_as(find_variant(own.variant), before),
            "random" if own.from_scratch else "file",
            None,
            None,
            labels=tuple(known_labels) if known_labels else None,
            origin=dict(before["weights"]),
            steps=steps,
        )
        stage = job.callbacks.stage
        return weights, list_images(own, steps, known_labels=weights.labels, stage=stage)

    weights, lists = job.group.together(inputs)
    run = TrainingRun(own, job.folder, weights, lists, int(before["resolution"]))
    job.group.together(lambda: refuse_changed_inputs(run, before))
    return _run(run, stored, job)


def _run(run: TrainingRun, stored: TrainingState | None, job: _Job) -> TrainingResult:
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
    if group.count > 1:
        refuse_idle_workers(config.batch_size, min(len(images.train), len(images.val)), group.count)
        callbacks.say(_said_of(group, config))
    say_skipped(images, callbacks)
    if missing := plots.missing_extra():
        callbacks.say(f"no {CURVES_FILE}: {missing}")
    with precision(config) as dtype:
        if dtype != "float32":
            callbacks.say(f"computing in {dtype}")
        model = _network(run, images, stored, job)
        if run.known_labels is not None and stored is None:
            advance = callbacks.stage("asking the network before", len(images.val))
            progress.wrong_before = wrong_before(
                model, run, images, workers=job.workers, advance=advance, group=group
            )
        depends_on, seen = run.depends_on(), record(run.lists.train, run.lists.val)

        def on_epoch(row: EpochRow) -> None:
            write_history(folder, progress.rows)
            callbacks.on_epoch(row)

        def save() -> None:
            write_state(folder / STATE_FILE, model, progress, depends_on)

        def save_best(row: EpochRow, right: NDArray[np.bool_]) -> None:
            if progress.wrong_before is not None:
                progress.against = compare_runs(run, images, progress.wrong_before, right)
            write_best(model, run, images, row, seen, progress.against)

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
            group=group,
        ).fit()
    return result_of(run, progress, images.skipped)


def _network(
    run: TrainingRun,
    images: TrainingImages,
    stored: TrainingState | None,
    job: _Job,
) -> keras.Model:
    """The compiled network at the place the run stands."""
    config, callbacks, group = run.config, job.callbacks, job.group
    built = callbacks.stage("building the network", None)
    seed_everything(config.seed)
    model, notice = initialize(
        config,
        run.weights,
        resolution=run.side,
        labels=run.lists.labels,
        steps_per_epoch=steps_per_epoch(len(images.train), config.batch_size),
        loading=stored is None,
        known_labels=run.known_labels,
        share=None if group.count == 1 else group.share(config.batch_size),
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


def _said_of(group: Group, config: TrainConfig) -> str:
    """How the workers of a group share the work."""
    norm = "keeps its statistics" if config.freezes_batch_norm else "takes those of all workers"
    sizes = {len(share_of(config.batch_size, index, group.count)) for index in range(group.count)}
    images = " or ".join(str(size) for size in sorted(sizes))
    return (
        f"{group.count} workers, {images} of the {config.batch_size} images of a step each; "
        f"batch normalization {norm}"
    )


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
