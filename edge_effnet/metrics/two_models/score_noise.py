"""What quantization did to the scores of two models' highest classes: noise of log scores."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CLASSES = 5
LEAST_SCORE, _LEAST_QUANTIZED = 1 / 64, 1 / 512  # half a step of a score in 8 bits
_FEWEST = 20  # scores beside the highest, over all images
_SIGNED_NEAR = 4.0
_SHIFT_SPREAD = 0.2  # of sigma
TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Scores:
    """Log scores of float's highest classes, images x classes, and what noise did to them.

    Attributes:
        classes: their indices, the highest first.
        kept: whether float's score is large enough to tell the noise from rounding.
        float_logs, logs: of all classes.
    """

    classes: NDArray[np.int64]
    kept: NDArray[np.bool_]
    float_logs: Floats
    logs: Floats

    @classmethod
    def of(cls, ours: Floats, theirs: Floats) -> Scores:
        count = min(_CLASSES, ours.shape[1])
        classes = np.argpartition(-ours, count - 1, axis=1)[:, :count]
        top = np.take_along_axis(ours, classes, axis=1)
        order = np.argsort(-top, axis=1, kind="stable")
        classes = np.take_along_axis(classes, order, axis=1)
        kept = np.take_along_axis(ours, classes, axis=1) >= LEAST_SCORE
        return cls(
            classes,
            kept,
            np.log(np.maximum(ours, TINY)),
            np.log(np.maximum(theirs, _LEAST_QUANTIZED)),
        )

    def residuals(self) -> Floats:
        ours, theirs = (
            np.take_along_axis(logs, self.classes, axis=1) for logs in (self.float_logs, self.logs)
        )
        return np.asarray(theirs - ours)

    def margins(self) -> Floats:
        """How far the first is ahead of each other, images x (classes - 1)."""
        logs = np.take_along_axis(self.float_logs, self.classes, axis=1)
        return np.asarray(logs[:, :1] - logs[:, 1:])

    def spread(self) -> tuple[float, float] | None:
        """Sigma and its relative standard error, images being independent of each other."""
        noise, count = self.residuals(), self.kept.sum(axis=1)
        freedom = np.maximum(count - 1, 0)
        if freedom.sum() < _FEWEST:
            return None
        mean = np.where(self.kept, noise, 0).sum(axis=1) / np.maximum(count, 1)
        squares = np.where(self.kept, (noise - mean[:, None]) ** 2, 0).sum(axis=1)
        variance = squares.sum() / freedom.sum()
        if variance <= 0:
            return None
        error = math.sqrt(((squares - freedom * variance) ** 2).sum()) / squares.sum()
        return math.sqrt(2 * variance), error / 2


def shift_of_truth(
    scores: Scores, truth: NDArray[np.int64], signed: Floats, sigma: float
) -> tuple[float, float]:
    """The mean noise of the true class against the others at a signed margin of 0, and its
    standard error: a line through the images near 0, drawn towards none."""
    spread = max(_SHIFT_SPREAD * sigma, TINY)
    rows = np.arange(len(truth))
    others = scores.kept & (scores.classes != truth[:, None])
    count = others.sum(axis=1)
    moved = scores.logs[rows, truth] - scores.float_logs[rows, truth]
    against = np.where(others, scores.residuals(), 0).sum(axis=1) / np.maximum(count, 1)
    used = (
        (np.abs(signed) < _SIGNED_NEAR)
        & (count > 0)
        & (scores.float_logs[rows, truth] >= math.log(LEAST_SCORE))
    )
    if used.sum() < 3:
        return 0.0, spread
    x, noise = signed[used], (moved - against)[used]
    squares = float(((x - x.mean()) ** 2).sum()) + TINY
    gain = float(((x - x.mean()) * noise).sum()) / squares
    intercept = float(noise.mean()) - gain * float(x.mean())
    variance = float(((noise - intercept - gain * x) ** 2).mean())
    error = variance * (1 / len(x) + float(x.mean()) ** 2 / squares)
    kept = spread**2 / (spread**2 + error)
    return kept * intercept, math.sqrt(kept * error)


def normal_share(value: float) -> float:
    """The standard normal distribution."""
    return 0.5 * math.erfc(-value / math.sqrt(2))


normal_shares = np.vectorize(normal_share, otypes=[np.float64])
