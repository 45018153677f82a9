"""Accuracy of trained networks, and the difference of two kinds, with intervals over the images and
over the seeds.

Both vary: another sample of images and another seed would each give another figure. The variance
is the sum of both parts (images and seeds crossed; what is neither is counted twice, which errs on
the wide side), with Welch and Satterthwaite's degrees of freedom, of which three seeds give few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.intervals import (
    drop_interval_points,
    student_quantile,
    wilson_interval,
)


@dataclass(frozen=True)
class Estimate:
    """A figure in percent, or a difference in points, with its 95 % interval.

    Attributes:
        seeds: trainings behind it.
        by_seed: the figure of each.
    """

    value: float
    interval: tuple[float, float]
    images: int
    seeds: int
    by_seed: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """For a document."""
        return {
            "value": self.value,
            "interval": list(self.interval),
            "images": self.images,
            "seeds": self.seeds,
            "by_seed": list(self.by_seed),
        }


def accuracy(right: NDArray[np.bool_]) -> Estimate:
    """The share of right answers, in percent.

    Args:
        right: whether each training answers each image right, (seeds, images).
    """
    seeds, images = right.shape
    share = float(right.mean())
    low, high = wilson_interval(share * images, images)
    if seeds > 1:
        half = _half_width(right.astype(np.float64))
        low, high = min(low, share - half), max(high, share + half)
    by_seed = tuple(float(value) for value in 100 * right.mean(axis=1))
    bounds = (100 * max(0.0, low), 100 * min(1.0, high))
    return Estimate(100 * share, bounds, images, seeds, by_seed)


def gain(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> Estimate:
    """By how many points more of the same images are answered right, paired by image and seed.

    Args:
        ours, theirs: whether each training answers each image right, (seeds, images); above 0 is
            better for ``ours``.
    """
    seeds, images = ours.shape
    differences = ours.astype(np.float64) - theirs
    value = float(differences.mean())
    half = _half_width(differences) if seeds > 1 else 0.0
    low, high = 100 * (value - half), 100 * (value + half)
    if half == 0.0:  # one training of each, or the same everywhere: what a sample can hide
        lost, gained = (float((differences == sign).mean() * images) for sign in (-1, 1))
        dropped = drop_interval_points(lost, gained, images)
        low, high = -dropped[1], -dropped[0]
    by_seed = tuple(float(one) for one in 100 * differences.mean(axis=1))
    return Estimate(100 * value, (max(-100.0, low), min(100.0, high)), images, seeds, by_seed)


def _half_width(values: NDArray[np.float64]) -> float:
    """Of the interval of a mean over (seeds, images)."""
    freedoms = [count - 1 for count in values.shape]
    parts = [float(values.mean(axis=1 - axis).var(ddof=1)) / values.shape[axis] for axis in (0, 1)]
    total = sum(parts)
    if min(freedoms) < 1 or total == 0.0:
        return 0.0
    freedom = total**2 / sum(part**2 / one for part, one in zip(parts, freedoms, strict=True))
    return student_quantile(freedom) * math.sqrt(total)
