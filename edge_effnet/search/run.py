"""A search: trials, successive halving, finalists over seeds, and the confirmation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.architecture.files import variant_to_json, write_variant
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.files.locks import locked_run
from edge_effnet.files.write import write_json_file
from edge_effnet.metrics.intervals import wilson_interval
from edge_effnet.network.backend import require_keras
from edge_effnet.plurals import counted
from edge_effnet.runs import StepResults, clear_run, fingerprint, refuse_existing_run
from edge_effnet.search.config import CONFIG_FILE, SearchConfig
from edge_effnet.search.halving import best
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
from edge_effnet.search.trial import TrialResult
from edge_effnet.search.workers.driving import one_bar, results_of
from edge_effnet.search.workers.job import Job, Pool
from edge_effnet.search.workers.work import settings_fingerprint
from edge_effnet.training.epochs import Callbacks


@dataclass(frozen=True)
class Watcher:
    """What a search tells whoever started it; the defaults are silent.

    Attributes:
        callbacks: of stages, notes and stopping.
        planned: called once, before the first trial, with the plan.
        trained: called with a sentence after each part of a trial, and each latency measured.
    """

    callbacks: Callbacks = field(default_factory=Callbacks)
    planned: Callable[[Plan], None] = lambda plan: None  # noqa: ARG005
    trained: Callable[[str], None] = lambda line: None  # noqa: ARG005


def search(
    config: SearchConfig,
    folder: Path,
    *,
    pool: Pool,
    watcher: Watcher,
    resume: bool = False,
    overwrite: bool = False,
) -> SearchResult:
    """Find the coefficients that suit a data set.

    Args:
        folder: of the search; made where it is missing.
        pool: where the trials run.
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
        require_keras()  # says what to install before anything is read
        callbacks, latency_ms = watcher.callbacks, config.budget_latency_ms
        ground = open_ground(config, folder, resume=resume, stage=callbacks.stage)
        plan = plan_of(ground, counted_points(ground)) if latency_ms is None else None
        if not resume:
            clear_run(folder, RUN_FILES, None)  # what another search left
        ground.write()
        steps = StepResults(folder / STEPS_FILE, resume=resume)
        if plan is None and latency_ms is not None:
            done = callbacks.stage("measuring int8 latency", None)
            measure = measure_of(
                ground.images.classes, steps, stop=callbacks.stop, tell=watcher.trained
            )
            plan = plan_of(ground, timed_points(ground, latency_ms, measure))
            done(1)
        assert plan is not None  # noqa: S101 (one of the two)
        plan.write()
        for line in plan.images.notices:
            callbacks.say(line)
        pool.make_room(plan.training_bytes)
        watcher.planned(plan)
        result = _Search(plan, steps, pool, watcher).run()
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
        said: notes that were passed on.
    """

    plan: Plan
    steps: StepResults
    pool: Pool
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
            points = [first, *running.values()]
            self.train([(point, 0) for point in points], stage.epoch)
            latest |= {one.name: self.trained(one, 0, stage.epoch) for one in points}
        finalists, seeds = {BASELINE_NAME: first, **running}, range(plan.config.seeds)
        more = [(point, seed) for point in finalists.values() for seed in seeds[1:]]
        self.train(more, plan.config.epochs)
        trained = {name: [result] for name, result in latest.items()}
        for point, seed in more:
            trained[point.name].append(self.trained(point, seed, plan.config.epochs))
        right = {name: self.confirmed(point) for name, point in finalists.items()}
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

    def train(self, trials: Sequence[tuple[Point, int]], until: int) -> None:
        """Train points and seeds to the end of an epoch, those that were not before."""
        settings, jobs = settings_fingerprint(self.plan.config), dict[Job, Point]()
        for point, seed in trials:
            before = self.reached.get((point.name, seed), 0)
            folder = str(self.plan.folder.resolve())
            job = Job(folder, settings, point.name, seed, before, until)
            if self.is_done(point, seed, until):
                self.note(job)
            else:
                jobs[job] = point
        if not jobs:
            return
        callbacks = self.watcher.callbacks
        before = min(job.before for job in jobs)
        title = f"{counted(len(jobs), 'training')}, epoch {before + 1} to {until}"
        done = results_of(
            self.pool,
            [*jobs],
            on_step=one_bar(callbacks.stage, title, [*jobs], self.plan.config.epochs),
            say=self.say_once,
            stop=callbacks.stop,
        )
        for job, results, seconds in done:
            self.store(job, jobs[job], results, seconds)

    def is_done(self, point: Point, seed: int, until: int) -> bool:
        keys = [self.trained_key(point, seed, until)]
        if until == self.plan.config.epochs:
            keys.append(self.confirmed_key(point, seed))
        return all(self.steps.get(key) is not None for key in keys)

    def note(self, job: Job) -> None:
        self.reached[job.point, job.seed] = job.until
        self.parts += 1

    def store(self, job: Job, point: Point, results: dict[str, Any], seconds: float) -> None:
        """Write down what a job came to, and tell it."""
        result = TrialResult(**results["trial"])
        if result.diverged and point.name == BASELINE_NAME:
            raise EdgeEffnetError(
                "training diverged for B0's coefficients, with which all others are compared",
                found=f"a loss that is no number after epoch {result.epochs}",
                fix="start again with --force and a lower --learning-rate",
            )
        earlier = self.steps.get(self.trained_key(point, job.seed, job.before))
        if results["confirmed"] is not None:
            self.steps.put(self.confirmed_key(point, job.seed), results["confirmed"])
        self.steps.put(self.trained_key(point, job.seed, job.until), result.to_json())
        self.note(job)
        spent = result.seconds - (earlier["seconds"] if earlier else 0.0)
        self.pace = self.pace.with_part(job.until - job.before, spent, seconds)
        self.watcher.trained(f"{self.progress()}: {self.told(job, result)}")

    def told(self, job: Job, result: TrialResult) -> str:
        """What a trial has come to, for people."""
        if result.diverged:
            return f"{job.name}: stopped, its loss is no number any more"
        return (
            f"{job.name}: right on {100 * result.accuracy:.1f} % after epoch {job.until} of "
            f"{self.plan.config.epochs}"
        )

    def progress(self) -> str:
        """How much of the search is done, and how long the rest takes at this pace."""
        plan, done = self.plan, sum(self.reached.values())
        left = self.pace.seconds_for(plan.epochs - done, plan.parts - self.parts)
        return f"epoch {done} of {plan.epochs}, {duration(left / self.pool.at_once)} left"

    def say_once(self, line: str) -> None:
        """Say what is the same for every trial once."""
        of_our_lists = str(self.plan.folder.resolve()) in line  # said of the images before
        if line not in self.said and not of_our_lists:
            self.said.add(line)
            self.watcher.callbacks.say(line)

    def trained(self, point: Point, seed: int, until: int) -> TrialResult:
        known: Any = self.steps.get(self.trained_key(point, seed, until))
        return TrialResult(**known)

    def confirmed(self, point: Point) -> NDArray[np.bool_]:
        """Whether each training answers each confirming image right, (seeds, images)."""
        rows = list[NDArray[np.bool_]]()
        for seed in range(self.plan.config.seeds):
            known: Any = self.steps.get(self.confirmed_key(point, seed))
            row = np.ones(known["images"], np.bool_)
            row[known["wrong"]] = False
            rows.append(row)
        return np.stack(rows)

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

    def trained_key(self, point: Point, seed: int, until: int) -> str:
        return self.key(point, seed, f"trained to {until}")

    def confirmed_key(self, point: Point, seed: int) -> str:
        return self.key(point, seed, "wrong of the confirming images")

    def key(self, point: Point, seed: int, what: str) -> str:
        """Under which a result is stored: everything that it depends on."""
        digest = fingerprint(self.plan.config.to_json(), variant_to_json(point.spec))
        return f"{point.name}, seed {seed}, {what}, {digest[:16]}"
