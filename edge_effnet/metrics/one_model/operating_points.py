"""Operating points: a class's threshold chosen on some images and evaluated on others.

On the images that a threshold was chosen on it reaches its target by construction, so those say
nothing about new ones; and a few images prove little even where all of them are right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge_effnet.heads.thresholds import (
    MEASURES,
    ClassThreshold,
    Measure,
    ThresholdCounts,
    counts_at,
)
from edge_effnet.metrics.intervals import interval_json, normal_quantile, wilson_interval
from edge_effnet.metrics.one_model.classification import Flags
from edge_effnet.metrics.one_model.threshold_sweep import (
    PrecisionRecallCurve,
    Sweep,
    precision_recall_curve,
    sweep,
)
from edge_effnet.metrics.predictions import Predictions
from edge_effnet.plurals import counted

Outcome = Literal["proven", "open", "missed", "none"]
"""Whether other images prove that the target is reached, say nothing certain, or prove that it is
not; ``none`` where there is no threshold."""


@dataclass(frozen=True)
class Target:
    """What a class's threshold has to reach.

    Attributes:
        index: of the class among the labels.
        share: 0–1, more than 0.
    """

    index: int
    label: str
    measure: Measure
    share: float

    @property
    def text(self) -> str:
        """``recall of 95 %``."""
        return f"{self.measure} of {percent(self.share)}"

    @property
    def option(self) -> str:
        """As it is typed, behind ``--recall`` or ``--precision``."""
        return f"{self.label}={self.share:.6g}"


@dataclass(frozen=True)
class OperatingPoint:
    """A target, the threshold chosen for it, and what that is worth.

    Attributes:
        threshold: None where no threshold is of use, which ``conclusion`` explains.
        conclusion: a sentence.
    """

    target: Target
    threshold: ClassThreshold | None
    outcome: Outcome
    conclusion: str

    def to_json(self) -> dict[str, Any]:
        """Shares 0–1, with 95 % Wilson intervals; null where undefined."""
        target, chosen = self.target, self.threshold
        return {
            "class": target.index,
            "label": target.label,
            "target": {"measure": target.measure, "share": target.share},
            "threshold": chosen and chosen.threshold,
            "outcome": self.outcome,
            "conclusion": self.conclusion,
            "chosen_on": chosen and counts_json(chosen.chosen_on),
            "evaluated_on": chosen and counts_json(chosen.evaluated_on),
        }


@dataclass(frozen=True, eq=False)
class OperatingPoints:
    """The targets of one model, in the order asked for.

    Attributes:
        chosen_on, evaluated_on: images of each half.
        curves: of each class asked for, from all images; by its index.
        notices: what the user should know about the halves.
    """

    points: tuple[OperatingPoint, ...]
    chosen_on: int
    evaluated_on: int
    curves: dict[int, PrecisionRecallCurve]
    labels: tuple[str, ...]
    notices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "chosen_on": self.chosen_on,
            "evaluated_on": self.evaluated_on,
            "notices": list(self.notices),
            "points": [point.to_json() for point in self.points],
            "curves": [
                {"class": index, "label": self.labels[index], **curve.to_json()}
                for index, curve in self.curves.items()
            ],
        }


def find_operating_points(
    predictions: Predictions,
    targets: Sequence[Target],
    chooses: Flags,
    *,
    notices: Sequence[str] = (),
) -> OperatingPoints:
    """Choose a threshold for each target on some images, and evaluate it on the others.

    Args:
        chooses: (images,), those to choose on.

    Raises:
        ValueError: the truth is not known, or the answer is a number.
    """
    points, curves = [], {}
    for target in targets:
        scores, positive = scores_of(predictions, target.index)
        points.append(_point(target, scores, positive, chooses))
        curve = precision_recall_curve(scores, positive)
        if curve is not None:
            curves[target.index] = curve
    chosen = int(chooses.sum())
    return OperatingPoints(
        tuple(points),
        chosen,
        len(chooses) - chosen,
        curves,
        predictions.labels,
        tuple(notices),
    )


def scores_of(predictions: Predictions, index: int) -> tuple[NDArray[np.float32], Flags]:
    """The scores of one class, and which images are of it, (images,) each.

    Raises:
        ValueError: as ``find_operating_points``.
    """
    truth = predictions.truth
    if truth is None or predictions.task == "value":
        raise ValueError("a threshold needs images whose classes are known")
    positive = truth[:, index] if predictions.task == "labels" else truth == index
    return predictions.scores[:, index], np.asarray(positive, np.bool_)


def _point(
    target: Target, scores: NDArray[np.float32], positive: Flags, chooses: Flags
) -> OperatingPoint:
    swept = sweep(scores[chooses], positive[chooses])
    threshold = swept.choose(target.measure, target.share)
    if threshold is None:
        return OperatingPoint(target, None, "none", _why_none(target, swept, int(chooses.sum())))
    chosen = counts_at(scores[chooses], positive[chooses], threshold)
    if not chosen.others:
        line = f"no threshold: every image to choose on is of {target.label!r}"
        return OperatingPoint(target, None, "none", line)
    if chosen.false_alarms == chosen.others and chosen.found == chosen.of_class:
        line = (
            f"no threshold: every image reaches the score that a {target.text} takes "
            f"({threshold:.6g}), so it tells nothing apart"
        )
        return OperatingPoint(target, None, "none", line)
    evaluated = counts_at(scores[~chooses], positive[~chooses], threshold)
    found = ClassThreshold(threshold, target.measure, target.share, chosen, evaluated)
    return OperatingPoint(target, found, *_conclude(target, evaluated))


def _why_none(target: Target, swept: Sweep, images: int) -> str:
    if not swept.of_class:
        return f"no threshold: no image of {target.label!r} to choose it on"
    best = int(np.argmax(swept.precision))
    return (
        f"no threshold reaches a {target.text} on the {counted(images, 'image')} to choose on: at "
        f"most {percent(float(swept.precision[best]))}, at {swept.thresholds[best]:.6g}"
    )


def _conclude(target: Target, counts: ThresholdCounts) -> tuple[Outcome, str]:
    """What the images that did not choose say about the target."""
    right, images = counts.part(target.measure)
    recall = target.measure == "recall"
    which = f"images of {target.label!r}" if recall else f"images taken for {target.label!r}"
    if not images:
        return "open", f"not known: the other half has no {which}"
    low, high = wilson_interval(right, images)
    if low >= target.share:
        return "proven", f"proven: a {target.text} at least, on other images"
    if high < target.share:
        return "missed", f"missed: on other images the {target.measure} is lower, beyond doubt"
    most = wilson_interval(images, images)[0]
    if most >= target.share:
        return "open", f"not proven: {images} {which} neither show nor exclude a {target.text}"
    needed = images_to_promise(target.share)
    could = (
        f"a promise takes {needed} of them in this half, without a mistake"
        if needed
        else "no number of images promises it"
    )
    return "open", (
        f"not proven: {images} {which} cannot promise {percent(target.share)}, since without a "
        f"mistake they would prove {percent(math.floor(1000 * most) / 1000)}; {could}"
    )


def images_to_promise(share: float) -> int | None:
    """The fewest images which, all right, prove a share: the 95 % Wilson interval of n of n begins
    at n / (n + z²). None for a share of 1, which no number proves.

    >>> images_to_promise(0.95), images_to_promise(0.99)
    (73, 381)
    """
    if share >= 1:
        return None
    z = normal_quantile(0.95)
    return math.ceil(z * z * share / (1 - share))


def counts_json(counts: ThresholdCounts) -> dict[str, Any]:
    """Counts with recall, precision and the share of false alarms, 0–1, and their intervals."""
    shares: dict[str, tuple[int, int]] = {measure: counts.part(measure) for measure in MEASURES}
    shares["false_alarm_share"] = counts.false_alarms, counts.others
    document: dict[str, Any] = asdict(counts)
    for name, (part, whole) in shares.items():
        document[name] = part / whole if whole else None
        document[f"{name}_interval"] = interval_json(
            wilson_interval(part, whole) if whole else None
        )
    return document


def percent(share: float) -> str:
    """``95 %``, ``99.5 %``: with as many digits as it has, four at most."""
    return f"{100 * share:.4g} %"
