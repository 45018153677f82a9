"""A search: trials, successive halving, finalists over seeds, and the confirmation."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_effnet.architecture.files import variant_to_json, write_variant
from edge_effnet.data.image_sources import ImageSource
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.files.locks import locked_run
from edge_effnet.files.write import write_json_file
from edge_effnet.metrics.intervals import wilson_interval
from edge_effnet.network.backend import keras_module
from edge_effnet.runs import StepResults, clear_run, fingerprint, refuse_existing_run
from edge_effnet.search.config import CONFIG_FILE, SearchConfig
from edge_effnet.search.confirm import right_answers
from edge_effnet.search.halving import best
from edge_effnet.search.images import confirming
from edge_effnet.search.outcome.intervals import Estimate, accuracy, gain
from edge_effnet.search.outcome.plot import write_plots
from edge_effnet.search.outcome.result import PointResult, SearchResult, result_json
from edge_effnet.search.pace import Pace, duration
from edge_effnet.search.points.grid import BASELINE_NAME
from edge_effnet.search.points.latency import measure_of
from edge_effnet.search.points.matching import Point
from edge_effnet.search.setup import (
    FOUND_FILE,
    RESULT_FILE,
    RUN_FILES,
    STEPS_FILE,
    Plan,
    counted_points,
    open_ground,
    plan_of,
    timed_points,
)
from edge_effnet.search.trial import TrialResult, run_trial
from edge_effnet.stages import no_progress
from edge_effnet.training.epochs import Callbacks
from edge_effnet.training.run_folder.files import BEST_FILE


@dataclass(frozen=True)
class Watcher:
    """What a search tells whoever started it; the defaults are silent.

    Attributes:
        callbacks: of stages, notes and stopping.
        planned: called once, before the first trial, with the plan.
        trained: called after each part of a trial with a sentence.
    """

    callbacks: Callbacks = field(default_factory=Callbacks)
    planned: Callable[[Plan], None] = lambda plan: None  # noqa: ARG005
    trained: Callable[[str], None] = lambda line: None  # noqa: ARG005


def search(
    config: SearchConfig,
    folder: Path,
    *,
    workers: int,
    watcher: Watcher,
    resume: bool = False,
    overwrite: bool = False,
) -> SearchResult:
    """Find the coefficients that suit a data set.

    Args:
        folder: of the search; made where it is missing.
        workers: cores to use.
        resume: go on with what is there.
        overwrite: replace a search that is there.

    Raises:
        UsageProblem: a budget or a phi that no network keeps, see ``setup.open_ground``.
        DataError: no images, one class, too few.
        OutputError: the folder holds something else, or cannot be written.
        Interrupted: ``callbacks.stop`` said so; with ``resume`` it goes on.
    """
    with locked_run(folder):
        if not resume:
            own = CONFIG_FILE.stands_in(folder)
            refuse_existing_run(folder, RUN_FILES, own=own, overwrite=overwrite, flag="--out")
        logging.getLogger("tensorflow").addFilter(_is_no_retracing)
        keras_module()  # says what to install before anything is read
        callbacks, latency_ms = watcher.callbacks, config.budget_latency_ms
        ground = open_ground(config, folder, resume=resume, stage=callbacks.stage)
        plan = plan_of(ground, counted_points(ground)) if latency_ms is None else None
        if not resume:
            clear_run(folder, RUN_FILES, None)  # what another search left
        ground.write()
        steps = StepResults(folder / STEPS_FILE, resume=resume)
        if plan is None and latency_ms is not None:
            done = callbacks.stage("measuring int8 latency", None)
            measure = measure_of(ground.images.classes, steps, callbacks.stop)
            plan = plan_of(ground, timed_points(ground, latency_ms, measure))
            done(1)
        assert plan is not None  # noqa: S101 (one of the two)
        plan.write()
        for line in plan.images.notices:
            callbacks.say(line)
        watcher.planned(plan)
        result = _Search(plan, steps, workers, watcher).run()
        write_json_file(folder / RESULT_FILE, result_json(result))
        found = result.of(result.found).point.spec
        write_variant(folder / FOUND_FILE, found, overwrite=True)
        write_plots(result, folder, say=callbacks.say)
        return result


@dataclass
class _Search:
    """The trials of a plan.

    Attributes:
        reached: the epoch at which the training of a point and a seed stands.
        parts: of trainings that are done, see ``Plan.parts``.
        pace: of what was trained by this process.
    """

    plan: Plan
    steps: StepResults
    workers: int
    watcher: Watcher
    reached: dict[tuple[str, int], int] = field(default_factory=dict)
    parts: int = 0
    pace: Pace = field(default_factory=Pace)
    said: set[str] = field(default_factory=set)

    def run(self) -> SearchResult:
        plan = self.plan
        first, *others = plan.points
        running = {point.name: point for point in others}
        latest: dict[str, TrialResult] = {}
        for number, stage in enumerate(plan.stages):
            if number:
                scores = {name: latest[name].accuracy for name in running}
                running = {name: running[name] for name in best(scores, stage.points)}
            for point in (first, *running.values()):
                latest[point.name] = self.train(point, 0, stage.epoch)
        finalists = {BASELINE_NAME: first, **running}
        trained = {name: [result] for name, result in latest.items()}
        for name, point in finalists.items():
            for seed in range(1, plan.config.seeds):
                trained[name].append(self.train(point, seed, plan.config.epochs))
        right = {name: self.confirm(point) for name, point in finalists.items()}
        results = [self.summary(one, trained[one.name], right.get(one.name)) for one in plan.points]
        results.sort(key=lambda one: (one.confirmed is None, -one.epochs, -one.chosen_by.value))
        scores = {name: self.chosen_by(trained[name]).value for name in finalists}
        challenger = best({name: scores[name] for name in running}, 1)[0]
        return SearchResult(
            config=plan.config,
            family=plan.family,
            images=plan.images,
            points=tuple(results),
            found=challenger if scores[challenger] > scores[BASELINE_NAME] else BASELINE_NAME,
            challenger=challenger,
            gain=gain(right[challenger], right[BASELINE_NAME]),
            left_out=plan.left_out,
        )

    def train(self, point: Point, seed: int, until: int) -> TrialResult:
        """Train a point to the end of an epoch, unless that was done before."""
        key = self.key(point, seed, f"trained to {until}")
        before = self.reached.get((point.name, seed), 0)
        self.reached[point.name, seed] = until
        self.parts += 1
        if (known := self.steps.get(key)) is not None:
            return TrialResult(**known)
        began, plan = time.monotonic(), self.plan
        earlier = self.steps.get(self.key(point, seed, f"trained to {before}"))
        title = f"{point.name} seed {seed}, epoch {before + 1} to {until}"
        result = run_trial(
            plan.trial_config(point, seed),
            plan.trial_folder(point, seed),
            until,
            workers=self.workers,
            callbacks=self.callbacks(title, until / plan.config.epochs),
        )
        if result.diverged and point.name == BASELINE_NAME:
            raise EdgeEffnetError(
                "training diverged for B0's coefficients, with which all others are compared",
                found=f"a loss that is no number after epoch {result.epochs}",
                fix="start again with --force and a lower --learning-rate",
            )
        self.steps.put(key, result.to_json())
        spent = result.seconds - (earlier["seconds"] if earlier else 0.0)
        self.pace = self.pace.with_part(until - before, spent, time.monotonic() - began)
        self.watcher.trained(f"{self.progress()}: {self.told(point, seed, until, result)}")
        return result

    def told(self, point: Point, seed: int, until: int, result: TrialResult) -> str:
        """What a trial has come to, for people."""
        if result.diverged:
            return f"{point.name} seed {seed}: stopped, its loss is no number any more"
        return (
            f"{point.name} seed {seed}: right on {100 * result.accuracy:.1f} % after epoch "
            f"{until} of {self.plan.config.epochs}"
        )

    def progress(self) -> str:
        """How much of the search is done, and how long the rest takes at this pace."""
        plan, done = self.plan, sum(self.reached.values())
        left = self.pace.seconds_for(plan.epochs - done, plan.parts - self.parts)
        return f"epoch {done} of {plan.epochs}, {duration(left)} left"

    def callbacks(self, title: str, share: float) -> Callbacks:
        """Of one trial: a bar, and each note once."""
        outer = self.watcher.callbacks
        advance: Callable[[int], None] | None = None

        def on_step(done: int, total: int) -> None:
            nonlocal advance
            advance = advance or outer.stage(title, round(share * total))
            advance(done)

        return Callbacks(say=self.say_once, stage=no_progress, on_step=on_step, stop=outer.stop)

    def say_once(self, line: str) -> None:
        """Say what is the same for every trial once."""
        of_our_lists = str(self.plan.folder.resolve()) in line  # said of the images before
        if line not in self.said and not of_our_lists:
            self.said.add(line)
            self.watcher.callbacks.say(line)

    def confirm(self, point: Point) -> NDArray[np.bool_]:
        """Whether each training answers each confirming image right, (seeds, images)."""
        plan, rows = self.plan, list[NDArray[np.bool_]]()
        source = None
        for seed in range(plan.config.seeds):
            key = self.key(point, seed, "wrong of the confirming images")
            if (known := self.steps.get(key)) is None:
                source = source or confirming(
                    plan.images,
                    plan.config,
                    point.spec.resolution,
                    workers=self.workers,
                    stage=no_progress,
                )
                right = self.answers(plan.trial_folder(point, seed) / BEST_FILE, point, source)
                known = {"images": len(right), "wrong": np.flatnonzero(~right).tolist()}
                self.steps.put(key, known)
            row = np.ones(known["images"], np.bool_)
            row[known["wrong"]] = False
            rows.append(row)
        return np.stack(rows)

    def answers(self, checkpoint: Path, point: Point, images: ImageSource) -> NDArray[np.bool_]:
        if not checkpoint.exists():  # it diverged before its first epoch was done
            return np.zeros(len(images), np.bool_)
        return right_answers(
            checkpoint,
            point.spec,
            images,
            classes=self.plan.images.classes,
            workers=self.workers,
        )

    def summary(
        self, point: Point, trained: list[TrialResult], right: NDArray[np.bool_] | None
    ) -> PointResult:
        return PointResult(
            point,
            epochs=trained[0].epochs,
            chosen_by=self.chosen_by(trained),
            confirmed=None if right is None else accuracy(right),
            seconds=sum(one.seconds for one in trained),
            diverged=any(one.diverged for one in trained),
        )

    def chosen_by(self, trained: list[TrialResult]) -> Estimate:
        """Right answers among the images that choose, in percent; the interval is that of the
        images alone."""
        shares, images = [one.accuracy for one in trained], self.plan.images.choose
        mean = sum(shares) / len(shares)
        low, high = wilson_interval(mean * images, images)
        by_seed = tuple(100 * share for share in shares)
        return Estimate(100 * mean, (100 * low, 100 * high), images, len(shares), by_seed)

    def key(self, point: Point, seed: int, what: str) -> str:
        """Under which a result is stored: everything that it depends on."""
        digest = fingerprint(self.plan.config.to_json(), variant_to_json(point.spec))
        return f"{point.name}, seed {seed}, {what}, {digest[:16]}"


def _is_no_retracing(record: logging.LogRecord) -> bool:
    """Every trial has a network of its own, which Keras traces; that is no fault."""
    return "retracing" not in record.getMessage()
