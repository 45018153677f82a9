"""Two models on the same feed: running agreement, and in the end what ``compare`` reports.

Counts are exact over all frames. Of the scores, which the final report needs, a bounded number
of frames is kept, each with the same chance whenever it came (Vitter's algorithm R, "Random
sampling with a reservoir", 1985), so that memory does not grow on a camera that runs for months.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.camera.frames import Pair
from edge_effnet.errors import ModelError
from edge_effnet.metrics import (
    Comparison,
    ModelFile,
    Predictions,
    compare_predictions,
)
from edge_effnet.metrics.paired import wilson_interval

KEPT_BYTES = 32 * 2**20
KEPT_FRAMES = 10_000
HISTORY_POINTS = 240


@dataclass(frozen=True)
class Agreement:
    """Agreement so far; percent, with its 95 % Wilson interval, and mean score difference."""

    frames: int
    percent: float
    interval_percent: tuple[float, float]
    score_difference: float


class FeedComparison:
    """Adds up pairs; used from one thread.

    Args:
        labels: of both models.
        source: its name, for frames that are no files of their own.
        with_truth: keep only frames whose true class is known, because the final report
            judges accuracy on exactly the frames it compares.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        source: str = "frame",
        *,
        with_truth: bool = False,
        seed: int = 0,
    ) -> None:
        self.frames = self.agreed = self.labelled = 0
        self.right = [0, 0]  # the model, the reference
        self.disagreed: Counter[tuple[str, str]] = Counter()
        self.history: deque[tuple[float, float]] = deque(maxlen=HISTORY_POINTS)
        self._labels, self._source, self._with_truth = labels, source, with_truth
        self._random = np.random.default_rng(seed)
        self._difference_sum = 0.0
        self._recent: deque[bool] = deque(maxlen=100)
        room = max(1, min(KEPT_FRAMES, KEPT_BYTES // (8 * len(labels))))
        # Written to at once: memory that fills up later would look like a leak.
        self._scores = np.full((2, room, len(labels)), -1, np.float32)
        self._truth = np.full(room, -1, np.int64)
        self._numbers = np.full(room, -1, np.int64)
        self._files: dict[int, Path] = {}
        self._seen = 0

    def add(self, pair: Pair, truth: int | None, path: Path | None = None) -> bool:
        """Count a frame; whether the two models agree on it.

        Args:
            path: of its picture, where there is one.

        Raises:
            ModelError: a score is not a number.
        """
        ours, theirs = pair.answer.scores, pair.reference_scores
        if not np.isfinite(theirs).all():
            raise ModelError(
                "the reference model gives scores that are not numbers",
                found="NaN or infinity",
                fix="convert the model again",
            )
        answers = int(ours.argmax()), int(theirs.argmax())
        agree = answers[0] == answers[1]
        self.frames += 1
        self.agreed += agree
        self._recent.append(agree)
        self._difference_sum += float(np.abs(ours - theirs).mean())
        if not agree:
            self.disagreed[self._labels[answers[1]], self._labels[answers[0]]] += 1
        if truth is not None:
            self.labelled += 1
            for model in (0, 1):
                self.right[model] += answers[model] == truth
        if truth is not None or not self._with_truth:
            self._keep(pair, truth, path)
        return agree

    def _keep(self, pair: Pair, truth: int | None, path: Path | None) -> None:
        place = self._seen
        self._seen += 1
        if place >= len(self._truth):
            place = int(self._random.integers(0, self._seen))
            if place >= len(self._truth):
                return
        self._numbers[place] = pair.answer.frame.number
        if path is None:
            self._files.pop(place, None)
        else:
            self._files[place] = path
        self._scores[0, place], self._scores[1, place] = pair.answer.scores, pair.reference_scores
        self._truth[place] = -1 if truth is None else truth

    @property
    def _kept(self) -> int:
        return min(self._seen, len(self._truth))

    @property
    def agreement(self) -> Agreement | None:
        """None before the first pair."""
        if not self.frames:
            return None
        low, high = wilson_interval(self.agreed, self.frames)
        return Agreement(
            self.frames,
            100 * self.agreed / self.frames,
            (100 * low, 100 * high),
            self._difference_sum / self.frames,
        )

    def mark_history(self, time_s: float) -> None:
        """Note the agreement of the last 100 pairs at this time, for the page's curve."""
        if self._recent:
            share = 100 * sum(self._recent) / len(self._recent)
            self.history.append((time_s, share))

    def accuracy_percent(self) -> tuple[float, float] | None:
        """Of the model and of the reference, on the frames with a known class."""
        if not self.labelled:
            return None
        return 100 * self.right[0] / self.labelled, 100 * self.right[1] / self.labelled

    def report(self, model: ModelFile, reference: ModelFile) -> Comparison | None:
        """What ``compare`` would say of the frames kept; None if there are none."""
        kept = self._kept
        if not kept:
            return None
        truth = self._truth[:kept] if self._with_truth else None
        paths = tuple(
            self._files.get(place) or Path(f"{self._source}#{number}")
            for place, number in enumerate(self._numbers[:kept])
        )
        ours, theirs = (
            Predictions(self._scores[row, :kept], truth, paths, self._labels, file)
            for row, file in enumerate((model, reference))
        )
        return compare_predictions(theirs, ours)

    def to_json(self) -> dict[str, Any]:
        """Exact counts over all frames, and how many of them the report rests on."""
        agreement = self.agreement
        return {
            "compared": self.frames,
            "agreed": self.agreed,
            "agreement": agreement.percent if agreement else None,
            "agreement_interval": list(agreement.interval_percent) if agreement else None,
            "score_difference": agreement.score_difference if agreement else None,
            "in_report": self._kept,
            "disagreements": [
                {"reference": theirs, "candidate": ours, "frames": count}
                for (theirs, ours), count in self.disagreed.most_common(50)
            ],
        }
