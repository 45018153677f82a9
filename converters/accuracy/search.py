"""Accuracy search: try strategies in order until the measured loss is within the user's limits.

Every strategy is measured on one half of the evaluation images, the *selection* part, and what
that does not refute on the other half, which chooses nothing: choosing among strategies on the
images that measure them flatters the winner, and the second figure does not. A limit is kept
where both halves say so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

from converters.accuracy.checks import Measurement, check, overall
from converters.accuracy.effort import effort_text
from converters.accuracy.limits import Limits
from converters.accuracy.outcome import (
    SearchOutcome,
    choose,
    training_is_for_noise,
    unproven_text,
)
from converters.accuracy.selection import split
from converters.accuracy.strategies import STRATEGIES, Strategy
from converters.accuracy.trials import Trial, stored_trial, trial_key
from converters.quantization.candidates import Candidate, Context
from edge_effnet.artifact import read_artifact
from edge_effnet.data.dataset import Dataset
from edge_effnet.errors import DataError
from edge_effnet.measure.timing import time_files
from edge_effnet.metrics import Comparison, Predictions, compare_predictions, likely_cause
from edge_effnet.plurals import counted
from edge_effnet.runs import StepResults
from edge_effnet.runtime.evaluating.predict import predict
from edge_effnet.stages import Advance, StartStage, Tell, tell_nobody

_TIMING_SECONDS = 1.0


def search(
    limits: Limits,
    evaluation: Dataset,
    context: Context,
    reference: Path,
    write: Callable[[Strategy, Candidate], Path],
    *,
    store: Path,
    resume: bool,
    seed: int,
    stage: StartStage,
    tell: Tell = tell_nobody,
    strategies: Sequence[Strategy] = STRATEGIES,
    fallback: Strategy | None = None,
) -> SearchOutcome:
    """Try the strategies in order and stop at the first that fits.

    One that the images refute is followed by the next. Where they can tell neither, those that
    take seconds are tried, and none that trains: it would chase what the images cannot show.

    Args:
        evaluation: images that did not calibrate.
        reference: the float artifact.
        write: makes an artifact of a candidate, for measuring.
        store: JSON file of the trials; read with ``resume``.
        tell: given sentences for the user, at once.
        fallback: tried where every int8 file is refuted.

    Raises:
        DataError: too few images, or float itself is at chance on them.
    """
    selection, confirmation = split(evaluation, seed)
    card = read_artifact(reference).card
    if card is None:
        raise ValueError(f"{reference} has no model card")
    meter = _Meter(limits, reference, (selection, confirmation), context, stage)
    stored = StepResults(store, resume=resume)

    def tried(strategy: Strategy) -> Trial:
        key = trial_key(strategy, context, (selection, confirmation), limits, card)
        trial = stored_trial(strategy, stored.get(key))
        if trial is None:
            trial = meter.measure(strategy, write)
            stored.put(key, trial.to_json())
        return trial

    tell(effort_text(strategies, context, len(evaluation), _inference_seconds(reference)))
    trials: list[Trial] = []
    for strategy in strategies:
        if training_is_for_noise(strategy, trials):
            break
        trials.append(tried(strategy))
        if trials[-1].fits:
            break
        if not trials[-1].refuted:
            tell(unproven_text(trials[-1], len(evaluation)))
    if fallback is not None and all(trial.refuted for trial in trials):
        trials.append(tried(fallback))
    chosen, best = choose(tuple(trials))
    return SearchOutcome(
        limits,
        tuple(trials),
        chosen,
        best,
        best.strategy.make(context),
        selection,
        confirmation,
    )


def refuse_chance(reference: Predictions, comparison: Comparison) -> None:
    """No strategy can be measured where float itself only guesses.

    Raises:
        DataError: names the likely reasons.
    """
    summary = comparison.reference
    if summary is None or not summary.at_chance:
        return
    raise DataError(
        f"the float model is no better than chance on {counted(len(reference.paths), 'image')}: "
        "nothing can be measured on them",
        found=f"{summary.headline.name} {summary.headline.text}; {likely_cause(reference)}",
        expected="a model that knows these images",
        fix="put that right first, or give images of its classes",
    )


class _Meter:
    """Measures strategies against float scores that are computed once."""

    def __init__(
        self,
        limits: Limits,
        reference: Path,
        halves: tuple[Dataset, Dataset],
        context: Context,
        stage: StartStage,
    ) -> None:
        self._limits, self._file, self._halves = limits, reference, halves
        self._context, self._stage = context, stage

    @cached_property
    def _references(self) -> list[Predictions]:
        """Float's answers to each half."""
        done, before = self._stage("evaluating float", sum(map(len, self._halves))), 0
        found = []
        for half in self._halves:
            progress = partial(_offset, done, before)
            found.append(
                predict(self._file, half, workers=self._context.workers, progress=progress)
            )
            before += len(half)
        for one in found:
            if one.truth is not None:
                refuse_chance(one, compare_predictions(one, one))
        return found

    def measure(self, strategy: Strategy, write: Callable[[Strategy, Candidate], Path]) -> Trial:
        references, done = self._references, self._stage(f"strategy {strategy.name}", None)
        began = time.perf_counter()
        candidate = strategy.make(self._context)
        seconds = time.perf_counter() - began
        file = write(strategy, candidate)
        size, ratio = file.stat().st_size, latency_ratio(self._file, file)

        def compared(half: int) -> Measurement:
            theirs = predict(file, self._halves[half], workers=self._context.workers)
            return Measurement(compare_predictions(references[half], theirs), size, ratio)

        measured = compared(0)
        checks, comparison = check(self._limits, measured), measured.comparison
        refuted = overall(checks) == "exceeded"
        paired, summary = comparison.paired, comparison.candidate
        agreement, error = comparison.agreement_percent, comparison.score_error
        if agreement is None or error is None:
            raise ValueError("limits are for classes and labels")
        trial = Trial(
            strategy=strategy,
            size_bytes=size,
            agreement_percent=agreement,
            score_l1=error.mean_l1,
            top1_percent=summary.headline.right_percent if summary else None,
            drop_points=paired.drop_points if paired else None,
            drop_interval_points=paired.drop_interval_points if paired else None,
            latency_ratio=ratio,
            seconds=seconds,
            checks=checks,
            confirmed=() if refuted else check(self._limits, compared(1)),
        )
        done(1)
        return trial


def _inference_seconds(model: Path) -> float:
    return time_files((model,), seconds=_TIMING_SECONDS / 4).medians_ms[0] / 1000


def _offset(done: Advance, before: int, count: int, _total: int) -> None:
    done(before + count)


def latency_ratio(reference: Path, candidate: Path) -> float:
    """Median time of one inference on one core, over the reference's, in turn."""
    ours, theirs = time_files((reference, candidate), seconds=_TIMING_SECONDS).medians_ms
    return theirs / ours
