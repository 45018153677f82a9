"""Rates and delays of a running feed, in memory that does not grow."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from edge_effnet.camera.frames import ComparedFrame, FrameScores

KEPT_SAMPLES = 4096
RECENT = 60
RATE_WINDOW_S = 3.0


class Rates:
    """Samples of the latest frames, in milliseconds."""

    def __init__(self) -> None:
        self.answered = 0
        self.first_s: float | None = None
        self.last_s = 0.0
        self._done_s: deque[float] = deque(maxlen=KEPT_SAMPLES)
        self.delay_ms: deque[float] = deque(maxlen=KEPT_SAMPLES)
        self.infer_ms: deque[float] = deque(maxlen=KEPT_SAMPLES)
        self.prepare_ms: deque[float] = deque(maxlen=KEPT_SAMPLES)
        self.reference_ms: deque[float] = deque(maxlen=KEPT_SAMPLES)

    def add(self, answer: FrameScores) -> None:
        self.answered += 1
        if self.first_s is None:
            self.first_s = answer.done_s
        self.last_s = answer.done_s
        self._done_s.append(answer.done_s)
        self.delay_ms.append(answer.delay_ms)
        self.infer_ms.append(answer.infer_ms)
        self.prepare_ms.append(answer.prepare_ms)

    def add_compared(self, pair: ComparedFrame) -> None:
        self.reference_ms.append(pair.reference_ms)

    def forget_models(self) -> None:
        """Other models answer from now on: how long they take is measured anew."""
        self.infer_ms.clear()
        self.reference_ms.clear()

    def fps(self, now_s: float) -> float:
        """Answers a second over the last few seconds; 0 when none came."""
        recent = [done for done in self._tail() if now_s - done <= RATE_WINDOW_S]
        if len(recent) < 2:
            return 0.0
        # Up to now when the feed has paused, else the rate would look unbroken.
        end_s = max(recent[-1], now_s - (recent[-1] - recent[0]) / (len(recent) - 1))
        return (len(recent) - 1) / max(1e-6, end_s - recent[0])

    def mean_fps(self) -> float:
        """Answers a second from the first to the last."""
        if self.first_s is None or self.answered < 2 or self.last_s <= self.first_s:
            return 0.0
        return (self.answered - 1) / (self.last_s - self.first_s)

    def _tail(self) -> list[float]:
        return [self._done_s[i] for i in range(-min(len(self._done_s), 5 * RECENT), 0)]

    @staticmethod
    def recent(samples: deque[float]) -> float | None:
        """Median of the latest samples, None without any."""
        tail = [samples[i] for i in range(-min(len(samples), RECENT), 0)]
        return median(tail) if tail else None

    def to_json(self) -> dict[str, Any]:
        """Raw samples of the latest ``KEPT_SAMPLES`` frames, in milliseconds."""
        gaps = [1e3 * (after - before) for before, after in pairwise(self._done_s)]
        return {
            "mean_fps": self.mean_fps(),
            "frame_ms": _rounded(gaps),
            "delay_ms": _rounded(self.delay_ms),
            "prepare_ms": _rounded(self.prepare_ms),
            "candidate_ms": _rounded(self.infer_ms),
            "reference_ms": _rounded(self.reference_ms),
        }


def _rounded(samples: Sequence[float]) -> list[float]:
    return [round(sample, 3) for sample in samples]
