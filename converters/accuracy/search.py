"""Accuracy search: try strategies in order until the measured loss is within the user's limits.

Every strategy is measured on one half of the evaluation images, the *selection* part; the first
that fits is measured once more on the other half, which no strategy saw: choosing among strategies
on the images that measure them flatters the winner, and the second figure does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converters.accuracy.checks import (
    Check,
    LimitVerdict,
    Measurement,
    check,
    check_json,
    overall,
)
from converters.accuracy.limits import Limits
from converters.accuracy.selection import split
from converters.accuracy.strategies import STRATEGIES, Strategy
from converters.accuracy.trials import Trial, stored_trial, trial_key
from converters.quantization.candidates import Candidate, Context
from edge_effnet.artifact import read_artifact
from edge_effnet.data.dataset import Dataset
from edge_effnet.errors import DataError, LimitMissed
from edge_effnet.measure.timing import time_files
from edge_effnet.metrics import (
    Comparison,
    Predictions,
    compare_predictions,
    likely_cause,
)
from edge_effnet.runs import StepResults
from edge_effnet.runtime.evaluation import predict
from edge_effnet.stages import StartStage

_TIMING_SECONDS = 1.0


@dataclass(frozen=True)
class SearchOutcome:
    """What a search found.

    Attributes:
        trials: of the strategies, in order.
        winner: the first that fits; None where none does.
        best: the winner, else the one that came nearest.
        candidate: what ``best`` made.
        selection, confirmation: the two halves of the evaluation images.
        confirmed: the winner's limits on the confirmation images.
        verdict: what those prove.
        float_excluded: whether strategies that compute in part in float were left out as the user
            wished, though the device runs them.
    """

    limits: Limits
    trials: tuple[Trial, ...]
    winner: Trial | None
    best: Trial
    candidate: Candidate
    selection: Dataset
    confirmation: Dataset
    confirmed: tuple[Check, ...] = ()
    verdict: LimitVerdict = "exceeded"
    float_excluded: bool = False

    def missed(self) -> LimitMissed | None:
        """The error to end with when a limit was missed, or None."""
        expected = ", ".join(
            f"{found.name} {'at least' if found.name == 'agreement' else 'at most'} {found.limit:g}"
            for found in self.best.checks
        )
        if self.winner is None:
            what, found = "no strategy is within the limits", self.best.checks
        elif self.verdict == "exceeded":
            what, found = (
                f"strategy {self.best.strategy.name!r} fails on unseen images",
                self.confirmed,
            )
        else:
            return None
        return LimitMissed(
            what,
            found=f"best strategy {self.best.strategy.name!r}: "
            + "; ".join(c.line() for c in found),
            expected=expected,
            fix="leave --full-integer out, which allows operators in float, "
            * self.float_excluded
            + "relax the limit, calibrate with more photos like the evaluation images, or add "
            "--force to write the best file all the same",
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "gate": vars(self.limits).copy(),
            "selection_images": len(self.selection),
            "confirmation_images": len(self.confirmation),
            "rungs": [trial.to_json() for trial in self.trials],
            "winner": self.winner.strategy.name if self.winner else None,
            "best": self.best.strategy.name,
            "confirmed": [check_json(found) for found in self.confirmed],
            "verdict": self.verdict,
        }


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
    strategies: Sequence[Strategy] = STRATEGIES,
) -> SearchOutcome:
    """Try the strategies in order and stop at the first that fits.

    Args:
        evaluation: images that did not calibrate.
        reference: the float artifact.
        write: makes an artifact of a candidate, for measuring.
        store: JSON file of the trials; read with ``resume``.

    Raises:
        DataError: too few images, or float itself is at chance on them.
    """
    selection, confirmation = split(evaluation, seed)
    meter = _Meter(limits, reference, selection, context, stage)
    card = read_artifact(reference).card
    if card is None:
        raise ValueError(f"{reference} has no model card")
    stored = StepResults(store, resume=resume)
    trials: list[Trial] = []
    winner: Trial | None = None
    for strategy in strategies:
        key = trial_key(strategy, context, selection, limits, card)
        trial = stored_trial(strategy, stored.get(key))
        if trial is None:
            trial = meter.measure(strategy, write)
            stored.put(key, trial.to_json())
        trials.append(trial)
        if trial.fits:
            winner = trial
            break
    best = winner or min(trials, key=_distance)
    candidate = best.strategy.make(context)
    outcome = SearchOutcome(limits, tuple(trials), winner, best, candidate, selection, confirmation)
    if winner is None:
        return outcome
    done = stage("confirming on unseen images", None)
    ours = predict(reference, confirmation, workers=context.workers)
    theirs = predict(write(best.strategy, candidate), confirmation, workers=context.workers)
    measured = Measurement(compare_predictions(ours, theirs), best.size_bytes, best.latency_ratio)
    confirmed = check(limits, measured)
    done(1)
    return replace(outcome, confirmed=confirmed, verdict=overall(confirmed))


def refuse_chance(reference: Predictions, comparison: Comparison) -> None:
    """No strategy can be measured where float itself only guesses.

    Raises:
        DataError: names the likely reasons.
    """
    summary = comparison.reference
    if summary is None or not summary.at_chance:
        return
    raise DataError(
        f"the float model is no better than chance on {len(reference.paths)} images: "
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
        images: Dataset,
        context: Context,
        stage: StartStage,
    ) -> None:
        self._limits, self._file, self._images = limits, reference, images
        self._context, self._stage = context, stage
        self._reference: Predictions | None = None

    def measure(self, strategy: Strategy, write: Callable[[Strategy, Candidate], Path]) -> Trial:
        workers = self._context.workers
        if self._reference is None:
            done = self._stage("evaluating float", len(self._images))
            self._reference = predict(
                self._file, self._images, workers=workers, progress=lambda n, _: done(n)
            )
            if self._reference.truth is not None:
                refuse_chance(
                    self._reference, compare_predictions(self._reference, self._reference)
                )
        done = self._stage(f"strategy {strategy.name}", None)
        began = time.perf_counter()
        candidate = strategy.make(self._context)
        seconds = time.perf_counter() - began
        file = write(strategy, candidate)
        theirs = predict(file, self._images, workers=workers)
        comparison = compare_predictions(self._reference, theirs)
        measured = Measurement(comparison, file.stat().st_size, latency_ratio(self._file, file))
        paired, summary = comparison.paired, comparison.candidate
        agreement, error = comparison.agreement_percent, comparison.score_error
        if agreement is None or error is None:
            raise ValueError("limits are for classes and labels")
        trial = Trial(
            strategy=strategy,
            size_bytes=measured.size_bytes,
            agreement_percent=agreement,
            score_l1=error.mean_l1,
            top1_percent=summary.headline.right_percent if summary else None,
            drop_points=paired.drop_points if paired else None,
            drop_interval_points=paired.drop_interval_points if paired else None,
            latency_ratio=measured.latency_ratio,
            seconds=seconds,
            checks=check(self._limits, measured),
        )
        done(1)
        return trial


def latency_ratio(reference: Path, candidate: Path) -> float:
    """Median time of one inference on one core, over the reference's, in turn."""
    ours, theirs = time_files((reference, candidate), seconds=_TIMING_SECONDS).medians_ms
    return theirs / ours


def _distance(trial: Trial) -> tuple[float, float]:
    """How far a strategy is from its limits: the worst excess, then the disagreement."""
    excess = [
        found.limit - found.value if found.name == "agreement" else found.value - found.limit
        for found in trial.checks
    ]
    return max([*excess, 0.0]), -trial.agreement_percent
