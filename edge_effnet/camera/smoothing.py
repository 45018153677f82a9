"""From jumping scores to a steady answer: smoothing over time, "unknown", the best few."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.classification import top_answers

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Ranked:
    """One of the best classes and its score."""

    label: str
    score: float


@dataclass(frozen=True)
class Verdict:
    """What is shown: ``unknown`` when no score reaches the threshold."""

    label: str
    score: float
    best: tuple[Ranked, ...]


class Smoother:
    """Exponential smoothing over seconds, not frames, so that a lower rate means no slower
    answer: an old score's weight falls to 1/e in ``seconds``. With 0 it passes scores on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._scores: NDArray[np.float32] | None = None
        self._time_s = 0.0

    def add(self, scores: NDArray[np.float32], time_s: float) -> NDArray[np.float32]:
        """The smoothed scores, (classes,), after a frame at ``time_s``."""
        passed_s = max(0.0, time_s - self._time_s)
        if self._scores is None or self._seconds <= 0:
            self._scores = scores
        else:
            weight = np.float32(1 - math.exp(-passed_s / self._seconds))
            self._scores = np.asarray(self._scores + weight * (scores - self._scores), np.float32)
        self._time_s = time_s
        return self._scores


def verdict(
    scores: NDArray[np.float32], labels: Sequence[str], *, top: int, threshold: float
) -> Verdict:
    """The answer that scores of shape (classes,) amount to."""
    places = top_answers(scores[None], top)[0]
    best = tuple(Ranked(labels[place], float(scores[place])) for place in places)
    label = best[0].label if best[0].score >= threshold else UNKNOWN
    return Verdict(label, best[0].score, best)
