"""Limits against a measurement, and what a number of images proves about them.

The drop and the agreement are estimated from scores (``estimate_flips``), three times as
certain as by counting changed answers; where there is no such estimate, they are counted. A limit
counts as proven when the 95 % interval lies on its good side, as broken when it lies on the bad
side, and everything between is said to be neither, with the number of images that would tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from converters.accuracy.limits import Limits
from edge_effnet.metrics import Comparison, Predictions
from edge_effnet.metrics.intervals import (
    CONFIDENCE,
    drop_at_most_points,
    drop_interval_points,
    drop_points,
    images_needed,
    normal_quantile,
    round_up,
    wilson_interval,
)
from edge_effnet.metrics.two_models.flip_estimate import Estimate, estimate_flips
from edge_effnet.plurals import counted

LimitVerdict = Literal["within", "exceeded", "not provable"]

CLASS_MIN_IMAGES = 5  # fewer say nothing about a class
_MOST_IMAGES = 10_000_000
_PRECISION = 0.05  # points: an estimate of 99.98 % does not miss 100


@dataclass(frozen=True)
class Check:
    """One limit against one measurement; ``value`` and the interval in points or percent.

    Attributes:
        counted: the value by counting changed answers; ``value`` itself where it is no estimate.
        fits: whether the value itself is within the limit.
        verdict: what the images prove.
        needed: images that would prove it at this value, or None where none would.
    """

    name: str
    value: float
    low: float
    high: float
    limit: float
    fits: bool
    verdict: LimitVerdict
    images: int
    needed: int | None
    counted: float

    def excess(self) -> float:
        """How far the value lies beyond the limit; negative where it is kept."""
        return self.limit - self.value if self.name == "agreement" else self.value - self.limit

    def missed_text(self) -> str:
        """What no file did, for a headline."""
        if self.name == "agreement":
            return f"REACHED {self.limit:g} %: best {self.value:.1f} %"
        return f"KEPT THE {self.name.upper()} WITHIN {self.limit:g} POINTS: best {self.value:.1f}"

    def line(self) -> str:
        """For people."""
        also = "" if self.value == self.counted else f" (counted {self.counted:.1f})"
        text = (
            f"{self.name} {self.value:.1f}{also}, 95 % interval {self.low:.1f} to "
            f"{self.high:.1f}, limit {self.limit:g}: {self.verdict}"
        )
        if self.verdict == "not provable":
            text += f" with {counted(self.images, 'image')}"
            if self.needed is not None:
                text += f" (needs about {round_up(self.needed):,})"
        return text


@dataclass(frozen=True)
class Measurement:
    """A file measured beside float.

    Attributes:
        comparison: on the same images.
        latency_ratio: median of one inference on one core, over float's.
    """

    comparison: Comparison
    size_bytes: int
    latency_ratio: float


def check(limits: Limits, measured: Measurement) -> tuple[Check, ...]:
    """Every limit that is set against what was measured.

    A new limit is a field of ``Limits`` and a branch here.
    """
    comparison, checks = measured.comparison, list[Check]()
    found = estimate_flips(comparison.reference_predictions, comparison.candidate_predictions)
    if limits.max_drop_points is not None and comparison.paired is not None:
        lost, gained, limit = (
            comparison.paired.lost,
            comparison.paired.gained,
            limits.max_drop_points,
        )
        checks.append(
            _estimated_drop(found.drop, limit)
            if found is not None and found.drop is not None
            else _drop("drop", lost, gained, comparison.images, limit)
        )
    if limits.min_agreement_percent is not None:
        checks.append(
            _agreement(comparison, limits.min_agreement_percent)
            if found is None
            else _estimated_agreement(found.disagreement, limits.min_agreement_percent)
        )
    if limits.max_class_drop_points is not None:
        worst = _worst_class(comparison, limits.max_class_drop_points)
        checks += [worst] if worst else []
    return tuple(checks)


def overall(checks: tuple[Check, ...]) -> LimitVerdict:
    """The worst of the verdicts."""
    verdicts = {check.verdict for check in checks}
    order: tuple[LimitVerdict, ...] = ("exceeded", "not provable", "within")
    return next((verdict for verdict in order if verdict in verdicts), "not provable")


def _drop(name: str, lost: int, gained: int, images: int, limit: float) -> Check:
    value = drop_points(lost, gained, images)
    low, high = drop_interval_points(lost, gained, images)
    proven = drop_at_most_points(lost, gained, images) <= limit
    share = (lost + gained) / images
    # With a value over the limit more images would prove the opposite: asked for none.
    needed = images_needed(limit, share, expected_drop_points=max(0.0, value)) if limit else None
    return Check(
        name=name,
        value=value,
        low=low,
        high=high,
        limit=limit,
        fits=value <= limit,
        verdict="within" if proven else "exceeded" if low > limit else "not provable",
        images=images,
        needed=needed,
        counted=value,
    )


def _estimated_drop(found: Estimate, limit: float) -> Check:
    value = 100 * found.value
    half = normal_quantile(CONFIDENCE)
    one_sided = normal_quantile(CONFIDENCE, sides=1)

    def proven(images: int) -> bool:
        return value + one_sided * 100 * found.error(images) <= limit

    low, high = (value + sign * half * 100 * found.error() for sign in (-1, 1))
    return Check(
        name="drop",
        value=value,
        low=low,
        high=high,
        limit=limit,
        fits=value <= limit + _PRECISION,
        verdict="within"
        if proven(found.images)
        else "exceeded"
        if low > limit + _PRECISION
        else "not provable",
        images=found.images,
        needed=_smallest(proven, found.images) if value < limit else None,
        counted=100 * found.count,
    )


def _estimated_agreement(found: Estimate, limit: float) -> Check:
    value, half = 100 * (1 - found.value), normal_quantile(CONFIDENCE)

    def proven(images: int) -> bool:
        return value - half * 100 * found.error(images) >= limit

    low, high = (value + sign * half * 100 * found.error() for sign in (-1, 1))
    return Check(
        name="agreement",
        value=value,
        low=low,
        high=min(high, 100.0),
        limit=limit,
        fits=value >= limit - _PRECISION,
        verdict="within"
        if low >= limit
        else "exceeded"
        if high < limit - _PRECISION
        else "not provable",
        images=found.images,
        needed=_smallest(proven, found.images) if value > limit else None,
        counted=100 * (1 - found.count),
    )


def _agreement(comparison: Comparison, limit: float) -> Check:
    value, interval = comparison.agreement_percent, comparison.agreement_interval_percent
    if value is None or interval is None:
        raise ValueError("answers that are values do not agree or disagree")
    images, (low, high) = comparison.images, interval

    def proven(count: int) -> bool:
        return 100 * wilson_interval(round(value / 100 * count), count)[0] >= limit

    return Check(
        name="agreement",
        value=value,
        low=low,
        high=high,
        limit=limit,
        fits=value >= limit,
        verdict="within" if low >= limit else "exceeded" if high < limit else "not provable",
        images=images,
        needed=_smallest(proven, images) if value > limit else None,
        counted=value,
    )


def _worst_class(comparison: Comparison, limit: float) -> Check | None:
    """The class or label whose recall fell most among those with enough images."""
    reference, candidate = comparison.reference_predictions, comparison.candidate_predictions
    if reference.truth is None:
        return None
    checks = []
    for index, name in enumerate(reference.label_names):
        ours, theirs = _found(reference, index), _found(candidate, index)
        if len(ours) >= CLASS_MIN_IMAGES:
            lost, gained = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
            checks.append(_drop(f"drop of {name!r}", lost, gained, len(ours), limit))
    return max(checks, key=lambda found: found.value, default=None)


def _found(predictions: Predictions, index: int) -> NDArray[np.bool_]:
    """Whether a class or label is answered, for each image where it is true."""
    assert predictions.truth is not None  # noqa: S101 (checked by the caller)
    if predictions.task == "labels":
        return np.asarray(predictions.decisions[predictions.truth[:, index], index])
    return np.asarray(predictions.answers[predictions.truth == index] == index)


def _smallest(proven: Callable[[int], bool], start: int) -> int | None:
    """The smallest number of images, within a percent, that proves."""
    count = float(max(start, 10))
    while count < _MOST_IMAGES:
        if proven(int(count)):
            return int(count)
        count *= 1.01 if count > 1000 else 1.05
    return None


def check_json(found: Check) -> dict[str, Any]:
    return vars(found).copy()
