"""From jumping scores to steady ones."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


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
