"""The guard: climb the ladder until the measured loss fits the user's limits.

Every rung is judged on one half of the evaluation images, the *selection* part; the first that
fits is measured once more on the other half, which no rung saw: choosing among rungs on the
images that judge them flatters the winner, and the second figure does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converters.accuracy.candidates import Workshop
from converters.accuracy.limits import (
    CLASS_MIN_IMAGES,
    AccuracyLimits,
    Check,
    Verdict,
    check,
    check_json,
    overall,
)
from converters.accuracy.strategies import LADDER, Rung
from converters.accuracy.timing import time_files
from converters.accuracy.trials import RungCache, Tried, cache_key
from converters.calibration.images import Pictures
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.split import divide, images_per_class, one_answer
from edge_effnet.errors import DataError, LimitMissed
from edge_effnet.metrics import (
    Comparison,
    Predictions,
    compare_predictions,
    likely_cause,
)
from edge_effnet.runtime.evaluation import predict

StartStage = Callable[[str, int | None], Callable[[int], None]]

_TIMING_SECONDS = 1.0


@dataclass(frozen=True)
class Climb:
    """What the ladder gave.

    Attributes:
        winner: the first rung that fits; None where none does.
        best: the winner, else the rung that came nearest.
        model: the bytes of ``best``.
        selection, confirmation: the two halves of the evaluation images.
        confirmed: the winner's limits on the confirmation images.
        verdict: what those prove.
    """

    gate: AccuracyLimits
    tried: tuple[Tried, ...]
    winner: Tried | None
    best: Tried
    model: bytes
    selection: Dataset
    confirmation: Dataset
    confirmed: tuple[Check, ...] = ()
    verdict: Verdict = "exceeded"

    def missed(self) -> LimitMissed | None:
        """The error to end with when a limit was missed, or None."""
        wanted = ", ".join(
            f"{found.name} {'at least' if found.name == 'agreement' else 'at most'} {found.limit:g}"
            for found in self.best.checks
        )
        if self.winner is None:
            what, found = "no rung of the ladder fits the limits", self.best.checks
        elif self.verdict == "exceeded":
            what, found = f"rung {self.best.rung.name!r} fails on unseen images", self.confirmed
        else:
            return None
        return LimitMissed(
            what,
            found=f"best rung {self.best.rung.name!r}: " + "; ".join(c.line() for c in found),
            expected=wanted,
            fix="relax the limit, calibrate with more photos like those judged, or add --force "
            "to write the best rung all the same",
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "gate": vars(self.gate).copy(),
            "selection_images": len(self.selection),
            "confirmation_images": len(self.confirmation),
            "rungs": [tried.to_json() for tried in self.tried],
            "winner": self.winner.rung.name if self.winner else None,
            "best": self.best.rung.name,
            "confirmed": [check_json(found) for found in self.confirmed],
            "verdict": self.verdict,
        }


def climb(
    gate: AccuracyLimits,
    evaluation: Dataset,
    workshop: Workshop,
    reference: Path,
    write: Callable[[Rung, bytes], Path],
    *,
    cache: Path,
    resume: bool,
    seed: int,
    stage: StartStage,
    ladder: Sequence[Rung] = LADDER,
) -> Climb:
    """Try the rungs in order and stop at the first that fits.

    Args:
        evaluation: images that did not calibrate.
        reference: the float artifact.
        write: makes an artifact of a rung's model, for measuring.
        cache: JSON file of the measured rungs; read with ``resume``.

    Raises:
        DataError: too few images, or float itself is at chance on them.
    """
    selection, confirmation = split(evaluation, seed)
    judge = _Judge(gate, reference, selection, workshop.workers, stage)
    known = RungCache(cache, cache_key(workshop, selection, gate), resume=resume)
    tried: list[Tried] = []
    winner: Tried | None = None
    models: dict[str, bytes] = {}
    for rung in ladder:
        found = known.get(rung)
        if found is None:
            found, models[rung.name] = judge.measure(rung, workshop, write)
            known.put(found)
        tried.append(found)
        if found.fits:
            winner = found
            break
    best = winner or min(tried, key=_distance)
    model = models.get(best.rung.name) or workshop.make(best.rung)[0]
    outcome = Climb(gate, tuple(tried), winner, best, model, selection, confirmation)
    if winner is None:
        return outcome
    done = stage("confirming on unseen images", None)
    ours = predict(reference, confirmation, workers=workshop.workers)
    theirs = predict(write(best.rung, model), confirmation, workers=workshop.workers)
    confirmed = check(gate, compare_predictions(ours, theirs))
    done(1)
    return replace(outcome, confirmed=confirmed, verdict=overall(confirmed))


def split(evaluation: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Halves of each class: one to choose by, one to confirm with.

    Raises:
        DataError: fewer than four images, or no two different ones of a class.
    """
    if len(evaluation) < 4:
        raise DataError(
            f"{evaluation.source} is too small to choose by and to confirm with",
            found=f"{len(evaluation)} images that did not calibrate",
            expected="hundreds",
            fix="give more images with --data",
        )
    division = divide(evaluation, 0.5, seed)
    if not len(division.rest):
        raise DataError(
            f"{evaluation.source} has no images to choose by beside those that confirm",
            found=f"{len(evaluation)} images, no two different ones of one class",
            expected="hundreds",
            fix="give more images of each class with --data",
        )
    return division.rest, division.evaluation


def refuse_void_limits(gate: AccuracyLimits | None, pictures: Pictures, seed: int) -> None:
    """Raise DataError where the images cannot carry the limits, before anything is made."""
    if gate is None or pictures.generated:
        return
    judging, judged = pictures.evaluation, pictures.judged
    if judged is not None and not judged.is_evidence:
        raise DataError(
            "a limit needs images that the network was not trained on",
            found=f"all {judged.images} images of {judging.source}, or near-duplicates of them, "
            "were learned from",
            expected="images that it has not seen",
            fix="give such images with --data, or leave the limit out",
        )
    halves = (judging,) if one_answer(judging) else split(judging, seed)
    for part in halves:
        if same := one_answer(part):
            those = "that judge" if part is judging else "in one half of those that judge"
            raise DataError(
                "a limit needs images of more than one class, to choose by and to confirm with",
                found=f"{len(part)} images of {judging.source} {those}, all {same}",
                expected="images of every class that the network tells apart",
                fix="give more images of the other classes with --data",
            )
    if gate.max_class_drop_points is None:
        return
    counts = [images_per_class(half) for half in halves]
    fewest = {name: min(half.get(name, 0) for half in counts) for name in pictures.classes}
    few = sorted((n for n in fewest if fewest[n] < CLASS_MIN_IMAGES), key=lambda n: fewest[n])
    if few:
        raise DataError(
            "--max-class-drop needs images of every class that judge, to choose by and to "
            "confirm with",
            found=f"{fewest[few[0]]} of {few[0]!r} in the smaller half"
            + (f", too few of {len(few)} classes" if len(few) > 1 else ""),
            expected=f"at least {CLASS_MIN_IMAGES} in each half",
            fix="give more images of it with --data, or use --max-drop",
        )


def refuse_chance(reference: Predictions, comparison: Comparison) -> None:
    """No recipe can be judged where float itself only guesses.

    Raises:
        DataError: names the likely reasons.
    """
    summary = comparison.reference
    if summary is None or not summary.at_chance:
        return
    raise DataError(
        f"the float model is no better than chance on {len(reference.paths)} images: "
        "nothing can be judged by them",
        found=f"{summary.headline.name} {summary.headline.text}; {likely_cause(reference)}",
        expected="a model that knows these images",
        fix="put that right first, or give images of its classes",
    )


class _Judge:
    """Measures rungs against float scores that are computed once."""

    def __init__(
        self,
        gate: AccuracyLimits,
        reference: Path,
        images: Dataset,
        workers: int,
        stage: StartStage,
    ) -> None:
        self._gate, self._file, self._images = gate, reference, images
        self._workers, self._stage = workers, stage
        self._reference: Predictions | None = None

    def measure(
        self, rung: Rung, workshop: Workshop, write: Callable[[Rung, bytes], Path]
    ) -> tuple[Tried, bytes]:
        if self._reference is None:
            done = self._stage("asking float", len(self._images))
            self._reference = predict(
                self._file, self._images, workers=self._workers, progress=lambda n, _: done(n)
            )
            if self._reference.truth is not None:
                refuse_chance(
                    self._reference, compare_predictions(self._reference, self._reference)
                )
        done = self._stage(f"rung {rung.name}", None)
        model, seconds = workshop.make(rung)
        file = write(rung, model)
        theirs = predict(file, self._images, workers=self._workers)
        comparison = compare_predictions(self._reference, theirs)
        paired, candidate = comparison.paired, comparison.candidate
        agreement, error = comparison.agreement_percent, comparison.score_error
        if agreement is None or error is None:
            raise ValueError("limits are for classes and labels")
        tried = Tried(
            rung=rung,
            size_bytes=file.stat().st_size,
            agreement_percent=agreement,
            score_l1=error.mean_l1,
            top1_percent=candidate.headline.right_percent if candidate else None,
            drop_points=paired.drop_points if paired else None,
            drop_interval_points=paired.drop_interval_points if paired else None,
            latency_ratio=latency_ratio(self._file, file),
            seconds=seconds,
            checks=check(self._gate, comparison),
        )
        done(1)
        return tried, model


def latency_ratio(reference: Path, candidate: Path) -> float:
    """Median time of one inference on one core, over the reference's, in turn."""
    ours, theirs = time_files((reference, candidate), seconds=_TIMING_SECONDS).medians_ms
    return theirs / ours


def _distance(tried: Tried) -> tuple[float, float]:
    """How far a rung is from its limits: the worst excess, then the disagreement."""
    excess = [
        found.limit - found.value if found.name == "agreement" else found.value - found.limit
        for found in tried.checks
    ]
    return max([*excess, 0.0]), -tried.agreement_percent
