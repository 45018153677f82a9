"""A whole training run, from a config to a run folder; for the command and for Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_effnet import plots
from edge_effnet.architecture.files import find_variant
from edge_effnet.data.image_sources import Unreadable
from edge_effnet.data.pipeline import steps_per_epoch
from edge_effnet.data.trained_on import record
from edge_effnet.errors import UsageProblem
from edge_effnet.network.weights.resolve import ResolvedWeights
from edge_effnet.runs import clear_run, refuse_existing_run
from edge_effnet.training.checkpointing import (
    TrainingState,
    read_state,
    restore,
    write_best,
    write_state,
)
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.data import StartStage, TrainingImages, list_images, open_images
from edge_effnet.training.epochs import Hooks, balancing_weights, fit
from edge_effnet.training.head import train_head
from edge_effnet.training.history import CURVES_FILE, write_history
from edge_effnet.training.initialize import (
    begin,
    choose_resolution,
    compile_for_training,
    find_weights,
    precision,
    seed_everything,
)
from edge_effnet.training.progress import EpochRow, Progress
from edge_effnet.training.run_folder import (
    BEST_FILE,
    RUN_FILES,
    STATE_FILE,
    TrainingRun,
    refuse_changed_world,
    refuse_other_config,
)

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Watch:
    """Who looks on; the defaults are silent.

    Attributes:
        say: called with a line that the user must see.
        stage, on_step, on_epoch, stop: see ``data.StartStage`` and ``loop.Hooks``.
    """

    say: Callable[[str], None] = lambda line: None  # noqa: ARG005
    stage: StartStage = lambda name, steps: lambda done: None  # noqa: ARG005
    on_step: Callable[[int, int], None] = lambda done, total: None  # noqa: ARG005
    on_epoch: Callable[[EpochRow], None] = lambda row: None  # noqa: ARG005
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        skipped: unreadable images that were left out.
        left_out: what lies beside the images and is none, as JSON.
    """

    folder: Path
    config: TrainConfig
    resolution: int
    labels: tuple[str, ...]
    rows: tuple[EpochRow, ...]
    best: EpochRow
    stopped_early: bool
    skipped: tuple[Unreadable, ...] = field(default=())
    left_out: tuple[dict[str, Any], ...] = ()

    @property
    def checkpoint(self) -> Path:
        return self.folder / BEST_FILE


def train(
    config: TrainConfig,
    folder: Path,
    *,
    workers: int,
    save_every_seconds: float = 300.0,
    watch: Watch | None = None,
    overwrite: bool = False,
) -> Outcome:
    """Train from the beginning.

    Args:
        folder: of the run; created.
        workers: threads that prepare images.
        overwrite: replace a run that is already there.

    Raises:
        EdgeEffnetError: bad data, weights, config or output, or a loss that is no number.
        loop.Interrupted: stopped by ``watch.stop``; ``resume`` goes on.
    """
    watch = watch or Watch()
    refuse_existing_run(folder, RUN_FILES, overwrite=overwrite)
    spec = find_variant(config.variant)
    lists = list_images(config, stage=watch.stage)
    weights = find_weights(spec, config.weights)
    if weights.steps:
        lists = list_images(config, weights.steps)
    for line in (*lists.notices, weights.notice):
        if line:
            watch.say(line)
    side = choose_resolution(config, spec, weights)
    run = TrainingRun(config, folder, spec, weights, lists, side)
    clear_run(folder, RUN_FILES)
    CONFIG_FILE.write(folder, config)
    return _run(run, None, workers, save_every_seconds, watch)


def resume(
    folder: Path,
    *,
    config: TrainConfig | None = None,
    workers: int,
    save_every_seconds: float = 300.0,
    watch: Watch | None = None,
) -> Outcome:
    """Go on with a run that was killed or stopped, to the result it would have had.

    Args:
        config: what the user asks for now; None takes the run's own.

    Raises:
        UsageProblem: ``config`` differs from the run's, or the data has changed since.
        DataError: the folder is no run, or its state is damaged.
        As ``train`` otherwise.
    """
    watch = watch or Watch()
    own = CONFIG_FILE.read(folder)
    if config is not None:
        refuse_other_config(own, config, folder)
    stored = _stored_or_none(folder)
    if stored is None:  # killed before the first checkpoint: begin again, which is the same
        watch.say(f"{folder} was stopped before its first checkpoint; it begins again")
        return train(
            own,
            folder,
            workers=workers,
            save_every_seconds=save_every_seconds,
            watch=watch,
            overwrite=True,
        )
    spec = find_variant(own.variant)
    before = stored.depends_on
    steps = tuple(before.get("steps", ()))  # states of an older version have none
    weights = ResolvedWeights(
        "random" if own.from_scratch else "file",
        None,
        None,
        origin=dict(before["weights"]),
        steps=steps,
    )
    lists = list_images(own, steps, stage=watch.stage)
    run = TrainingRun(own, folder, spec, weights, lists, int(before["resolution"]))
    refuse_changed_world(run, before)
    return _run(run, stored, workers, save_every_seconds, watch)


def _stored_or_none(folder: Path) -> TrainingState | None:
    path = folder / STATE_FILE
    return read_state(path) if path.exists() else None


def _run(
    run: TrainingRun,
    stored: TrainingState | None,
    workers: int,
    save_every_seconds: float,
    watch: Watch,
) -> Outcome:
    config, folder = run.config, run.folder
    progress = stored.progress if stored else Progress()
    if progress.finished:
        watch.say(f"{folder} is finished: nothing is left to do")
        return _outcome(run, progress, ())
    images = open_images(run.lists, config, side=run.side, workers=workers, stage=watch.stage)
    say_skipped(images, watch)
    if missing := plots.missing_extra():
        watch.say(f"no {CURVES_FILE}: {missing}")
    with precision(config) as dtype:
        if dtype != "float32":
            watch.say(f"computing in {dtype}")
        built = watch.stage("building the network", None)
        model = _network(run, images, stored, workers, watch, built)
        depends_on, seen = run.depends_on(), record(run.lists.train, run.lists.val)

        def save() -> None:
            write_state(folder / STATE_FILE, model, progress, depends_on)

        def save_best(row: EpochRow) -> None:
            write_best(model, run, images, row, seen)

        def on_epoch(row: EpochRow) -> None:
            write_history(folder, progress.rows)
            watch.on_epoch(row)

        hooks = Hooks(
            save=save,
            save_best=save_best,
            on_step=watch.on_step,
            on_epoch=on_epoch,
            stop=watch.stop,
            save_every_seconds=save_every_seconds,
        )
        fit(model, images, config, progress, hooks, side=run.side, workers=workers)
    return _outcome(run, progress, images.skipped)


def _network(
    run: TrainingRun,
    images: TrainingImages,
    stored: TrainingState | None,
    workers: int,
    watch: Watch,
    built: Callable[[int], None],
) -> keras.Model:
    """The compiled network at the place the run stands."""
    config = run.config
    seed_everything(config.seed)
    beginning = begin(
        run.spec,
        config,
        run.weights,
        resolution=run.side,
        labels=run.lists.labels,
        steps_per_epoch=steps_per_epoch(len(images.train), config.batch_size),
        loading=stored is None,
    )
    built(1)
    model = beginning.model
    for line in beginning.notices:
        watch.say(line)
    if stored is None and config.chosen_head_epochs:
        counts = images.class_counts
        train_head(
            model,
            images.train,
            side=run.side,
            epochs=config.chosen_head_epochs,
            label_smoothing=config.label_smoothing,
            class_weights=balancing_weights(counts) if config.class_weights else None,
            seed=config.seed,
            workers=workers,
            advance=watch.stage("learning the classifier", len(images.train)),
        )
        # What the classifier drew from global generators must not shift the rest of the run.
        seed_everything(config.seed + 1)
    compile_for_training(model, config)
    if stored is not None:
        restore(model, stored, str(run.folder / STATE_FILE))
    return model


def say_skipped(images: TrainingImages, watch: Watch) -> None:
    """Name the images that could not be read."""
    if not images.skipped:
        return
    count = len(images.skipped)
    watch.say(
        f"skipped {count} unreadable {'image' if count == 1 else 'images'} (--strict refuses them):"
    )
    for image in images.skipped[:3]:
        watch.say(f"  {image.reason}")
    if count > 3:
        watch.say(f"  and {count - 3} more")


def _outcome(run: TrainingRun, progress: Progress, skipped: tuple[Unreadable, ...]) -> Outcome:
    best = progress.best
    if best is None:
        raise UsageProblem(
            "there was nothing to train",
            found=f"--epochs {run.config.chosen_epochs} from random weights",
            fix="give --epochs 1 or more",
        )
    return Outcome(
        folder=run.folder,
        config=run.config,
        resolution=run.side,
        labels=run.lists.labels,
        rows=tuple(progress.rows),
        best=best,
        stopped_early=progress.stopped_early,
        skipped=skipped,
        left_out=tuple(run.lists.left_out_json()),
    )
