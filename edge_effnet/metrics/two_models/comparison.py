"""A reference and a candidate on the same images: what changed, and what that proves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edge_effnet.metrics.intervals import (
    interval_json,
    wilson_interval,
)
from edge_effnet.metrics.one_model.class_summary import ClassSummary
from edge_effnet.metrics.one_model.rare_classes import name_some, ruined_classes
from edge_effnet.metrics.one_model.summary import Summary, summarize
from edge_effnet.metrics.predictions import (
    Predictions,
    require_same_images,
    require_same_labels,
    require_same_task,
    same_answers,
)
from edge_effnet.metrics.two_models.flips import Flip, find_flips
from edge_effnet.metrics.two_models.losses import (
    ValueDifference,
    loss_warning,
    losses_of,
    value_difference,
    value_losses,
)
from edge_effnet.metrics.two_models.paired import Paired, paired_test
from edge_effnet.metrics.two_models.scenes import SceneSums
from edge_effnet.plurals import counted

FORMAT = "edge-effnet/comparison"
VERSION = 1


@dataclass(frozen=True)
class ScoreError:
    """How far the candidate's scores are from the reference's, in score units (0–1).

    Attributes:
        mean_abs, max_abs: over all images and classes.
        mean_l1: mean over images of the sum of absolute differences, 0–2 for probabilities.
            Unlike Kullback-Leibler divergence it exists where 8 bits round a score to 0.
    """

    mean_abs: float
    max_abs: float
    mean_l1: float


@dataclass(frozen=True)
class UnknownCounts:
    """Images answered "unknown".

    Attributes:
        reference, candidate: by each model.
        differ: by one and not by the other.
    """

    reference: int
    candidate: int
    differ: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything measured; ``paired`` and both summaries are None without true answers.

    Attributes:
        agreement_percent: images with the same answer (class, or set of labels), with its 95 %
            Wilson interval; None where answers are values. No interval where ``scenes`` are too
            few.
        score_error: None where answers are values.
        value_difference: where answers are values.
        losses: what is proven to have been lost, and what to do; the first of ``warnings``.
        scenes: of frames that look alike, what their number proves; None of images.
        unknown: None where neither model answers "unknown".
    """

    reference_predictions: Predictions
    candidate_predictions: Predictions
    images: int
    agreement_percent: float | None
    agreement_interval_percent: tuple[float, float] | None
    score_error: ScoreError | None
    value_difference: ValueDifference | None
    flips: tuple[Flip, ...]
    reference: Summary | None
    candidate: Summary | None
    paired: Paired | None
    losses: tuple[str, ...]
    warnings: tuple[str, ...]
    scenes: SceneSums | None = None
    unknown: UnknownCounts | None = None

    def without_evidence(self) -> Comparison:
        """The same on images that a model was trained on: the figures, and no loss."""
        lines = (
            _warnings(self.reference, self.candidate, None)
            if self.reference and self.candidate
            else ()
        )
        return replace(self, losses=(), warnings=tuple(lines))

    def to_json(self) -> dict[str, Any]:
        """A document: percent and points as the names say, shares and scores 0–1."""
        error = self.score_error
        moved = self.value_difference
        return {
            "format": FORMAT,
            "version": VERSION,
            "n": self.images,
            "head": self.reference_predictions.effective_head.to_json(),
            "reference": _model_json(self.reference_predictions, self.reference),
            "candidate": _model_json(self.candidate_predictions, self.candidate),
            "agreement": self.agreement_percent,
            "agreement_interval": interval_json(self.agreement_interval_percent),
            **({"blocks": self.scenes.to_json()} if self.scenes else {}),
            **(self.paired.to_json() if self.paired else {}),
            **({} if error is None else {"score_error": vars(error).copy()}),
            **({} if moved is None else {"value_difference": vars(moved).copy()}),
            **({} if self.unknown is None else {"unknown": vars(self.unknown).copy()}),
            "labels": list(self.reference_predictions.labels),
            "flipped": [flip.to_json(self.reference_predictions) for flip in self.flips],
            "skipped": [image.to_json() for image in self.reference_predictions.skipped],
            "warnings": list(self.warnings),
        }


def compare_predictions(
    reference: Predictions, candidate: Predictions, *, top: int = 5
) -> Comparison:
    """Compare two models' predictions for the same images in the same order.

    The models' files are not touched. Without true answers only agreement, score error and
    the changed answers are known.

    Raises:
        ModelError: the label lists differ, so that an index means two things, or the heads do.
        DataError: the images or their true answers differ.
    """
    require_same_task(reference, candidate)
    require_same_labels(reference.labels, candidate.labels, (reference.name, candidate.name))
    require_same_images(reference, candidate)
    images, values = len(reference.paths), reference.task == "value"
    agreement = interval = None
    if not values:
        same = int(np.count_nonzero(same_answers(reference, candidate)))
        agreement = 100 * same / images
        low, high = wilson_interval(same, images)
        interval = 100 * low, 100 * high
    reference_summary = candidate_summary = paired = None
    if reference.truth is not None:
        reference_summary = summarize(reference, top=top)
        candidate_summary = summarize(candidate, top=top)
        if not values:
            paired = paired_test(reference.right, candidate.right)
    lost = value_losses(reference, candidate) if values else losses_of(paired, interval)
    losses = (loss_warning(reference, candidate, lost),) if lost else ()
    warnings: tuple[str, ...] = ()
    if reference_summary and candidate_summary:
        warnings = tuple(_warnings(reference_summary, candidate_summary, paired))
    return Comparison(
        reference_predictions=reference,
        candidate_predictions=candidate,
        images=images,
        agreement_percent=agreement,
        agreement_interval_percent=interval,
        score_error=None if values else _score_error(reference, candidate),
        value_difference=value_difference(reference, candidate) if values else None,
        flips=() if values else find_flips(reference, candidate),
        reference=reference_summary,
        candidate=candidate_summary,
        paired=paired,
        losses=losses,
        warnings=(*losses, *warnings),
        unknown=_unknown_counts(reference, candidate),
    )


def _unknown_counts(reference: Predictions, candidate: Predictions) -> UnknownCounts | None:
    if reference.unknown is None and candidate.unknown is None:
        return None
    none = np.zeros(len(reference.paths), np.bool_)  # of a model that always answers a class
    ours, theirs = (none if one.unknown is None else one.unknown for one in (reference, candidate))
    counts = map(np.count_nonzero, (ours, theirs, ours != theirs))
    return UnknownCounts(*map(int, counts))


def _warnings(reference: Summary, candidate: Summary, paired: Paired | None) -> list[str]:
    lines = list(reference.warnings)
    if candidate.at_chance and not reference.at_chance:
        lines.append(
            f"{candidate.predictions.name} is no better than chance "
            f"({candidate.headline.name} {candidate.headline.text}) where "
            f"{reference.predictions.name} is not: "
            "its conversion broke it, or it wants other preprocessing"
        )
    else:
        if (
            isinstance(reference, ClassSummary)
            and isinstance(candidate, ClassSummary)
            and paired
            and not reference.at_chance
        ):
            lines += _ruined_warning(reference, candidate, paired)
        lines += candidate.warnings
    return lines + _scale_warning(reference, candidate)


def _scale_warning(reference: Summary, candidate: Summary) -> list[str]:
    """Where one model's scores are probabilities and the other's are not."""
    both = [s for s in (reference, candidate) if isinstance(s, ClassSummary)]
    if len({one.calibration_error is None for one in both}) < 2:
        return []
    return [
        "only one of the models gives probabilities (the other logits, perhaps): "
        "the score error says nothing"
    ]


def _ruined_warning(reference: ClassSummary, candidate: ClassSummary, paired: Paired) -> list[str]:
    truth = reference.predictions.truth
    if truth is None:
        return []
    was, now = reference.per_class, candidate.per_class
    names = reference.predictions.label_names
    classes = [
        f"{names[index]!r} ({was.correct[index]} of {counted(was.support[index], 'image')} right "
        f"before, {now.correct[index]} now)"
        for index in ruined_classes(
            reference.predictions.answers == truth, candidate.predictions.answers == truth, truth
        )
    ]
    if not classes:
        return []
    return [
        f"{candidate.predictions.name} ruins classes, while overall accuracy moves by "
        f"{0.0 - paired.drop_points:+.1f} points: {name_some(classes)}"
    ]


def _score_error(reference: Predictions, candidate: Predictions) -> ScoreError:
    gap = np.abs(reference.scores - candidate.scores)
    mean = float(gap.mean(dtype=np.float64))
    return ScoreError(mean, float(gap.max()), mean * gap.shape[1])


def _model_json(predictions: Predictions, summary: Summary | None) -> dict[str, Any]:
    if summary is not None:
        return summary.figures_json()
    return predictions.model.to_json() if predictions.model else {}
