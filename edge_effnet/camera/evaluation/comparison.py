"""Two models on the same feed: running agreement, and in the end what ``compare`` reports.

Counts are exact over all frames. Of the scores, which the final report needs, a bounded number
of frames is kept, each with the same chance whenever it came (Vitter's algorithm R, "Random
sampling with a reservoir", 1985), so that memory does not grow on a camera that runs for months.
"""

from __future__ import annotations

from collections import Counter, deque
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.camera.answers import answered_indices
from edge_effnet.camera.evaluation.ground_truth import Known
from edge_effnet.camera.evaluation.shares import AbsoluteError, FrameShare, Tally, share_json
from edge_effnet.camera.frames import ComparedFrame
from edge_effnet.errors import ModelError
from edge_effnet.heads.head import Head
from edge_effnet.heads.kinds import NO_LABEL
from edge_effnet.metrics import (
    Comparison,
    HashedFile,
    Predictions,
)
from edge_effnet.metrics.two_models.frames import compare_frames

KEPT_BYTES = 32 * 2**20
KEPT_FRAMES = 10_000
HISTORY_POINTS = 240


class FeedComparison:
    """Adds up pairs; used from one thread.

    Args:
        labels: of both models.
        heads: the model's, the reference's; by default a probability for each class.
        source: its name, for frames that are no files of their own.
        with_truth: once the true answer of a frame is known, keep only such frames, because the
            final report evaluates accuracy on exactly the frames it compares.
        in_time: whether frames follow each other in time; images of a folder do not.

    Attributes:
        right: frames answered right, by the model, by the reference.
        error: of values, by the model, by the reference.
        difference: between the two models' scores or values.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        source: str = "frame",
        *,
        heads: tuple[Head, Head] | None = None,
        with_truth: bool = False,
        in_time: bool = True,
        seed: int = 0,
    ) -> None:
        self.heads = heads or (Head("softmax", len(labels)),) * 2
        self.agreed, *right = (Tally(in_time=in_time) for _ in range(3))
        self.right, self.error = tuple(right), (AbsoluteError(), AbsoluteError())
        self._in_time = in_time
        self.difference = AbsoluteError()
        self.disagreed: Counter[tuple[str, str]] = Counter()
        self.history: deque[tuple[float, float]] = deque(maxlen=HISTORY_POINTS)
        self._labels, self._source, self._with_truth = labels, source, with_truth
        self._random = np.random.default_rng(seed)
        self._recent: deque[bool] = deque(maxlen=100)
        width = 1 if self.heads[0].task == "classes" else len(labels)
        room = max(1, min(KEPT_FRAMES, KEPT_BYTES // (8 * (len(labels) + width))))
        # Written to at once: memory that fills up later would look like a leak.
        self._scores = np.full((2, room, len(labels)), -1, np.float32)
        self._truth = np.full((room, width), -1, np.float64)
        self._numbers = np.full(room, -1, np.int64)
        self._scenes = np.full(room, -1, np.int64)
        self._files: dict[int, Path] = {}
        self._seen, self._any_truth = 0, False

    @property
    def frames(self) -> int:
        return self.difference.frames

    @property
    def values(self) -> bool:
        """Whether the models answer values, of which none agree or differ."""
        return self.heads[0].task == "value"

    def add(self, pair: ComparedFrame, true: Known | None, path: Path | None = None) -> bool | None:
        """Count a frame; whether the two models agree on it, None of values.

        Args:
            path: of its image, where there is one.

        Raises:
            ModelError: a score is not a number.
        """
        scores, scene = (pair.answer.scores, pair.reference_scores), pair.answer.scene
        if not np.isfinite(scores[1]).all():
            raise ModelError(
                "the reference model gives scores that are not numbers",
                found="NaN or infinity",
                fix="convert the model again",
            )
        self.difference.add(scores[0], scores[1])
        agree = None
        if self.values:
            for error, given in zip(self.error, scores, strict=True):
                if true is not None:
                    error.add(given, true)
        else:
            differ = self.different(pair)
            agree = differ is None
            self.agreed.add(scene, agree)
            self._recent.append(agree)
            if differ:
                self.disagreed[differ] += 1
            for tally, head, given in zip(self.right, self.heads, scores, strict=True):
                if true is not None:
                    tally.add(scene, answered_indices(head, given) == true)
        if true is not None and self._with_truth and not self._any_truth:
            self._any_truth, self._seen = True, 0
            self._files.clear()
        if true is not None or not self._any_truth:
            self._keep(pair, true, path)
        return agree

    def different(self, pair: ComparedFrame) -> tuple[str, str] | None:
        """The reference's and the model's answer in words, where they differ."""
        if self.values:
            return None
        scores = pair.answer.scores, pair.reference_scores
        ours, theirs = map(answered_indices, self.heads, scores)
        return (self._answer_text(theirs), self._answer_text(ours)) if ours != theirs else None

    def _answer_text(self, chosen: tuple[int, ...]) -> str:
        return ", ".join(self._labels[index] for index in chosen) or NO_LABEL

    def _keep(self, pair: ComparedFrame, true: Known | None, path: Path | None) -> None:
        index = self._seen
        self._seen += 1
        if index >= len(self._truth):
            index = int(self._random.integers(0, self._seen))
            if index >= len(self._truth):
                return
        self._numbers[index] = pair.answer.frame.number
        self._scenes[index] = pair.answer.scene
        if path is None:
            self._files.pop(index, None)
        else:
            self._files[index] = path
        self._scores[0, index], self._scores[1, index] = pair.answer.scores, pair.reference_scores
        if true is None:
            return
        if self.heads[0].task == "labels" and isinstance(true, tuple):
            self._truth[index] = 0
            self._truth[index, list(true)] = 1
        else:
            self._truth[index] = true

    @property
    def _kept(self) -> int:
        return min(self._seen, len(self._truth))

    @property
    def agreement(self) -> FrameShare | None:
        """None before the first pair, and of values."""
        return self.agreed.share

    def mark_history(self, time_s: float) -> None:
        """Note the agreement of the last 100 pairs at this time, for the page's curve."""
        if self._recent:
            share = 100 * sum(self._recent) / len(self._recent)
            self.history.append((time_s, share))

    def report(self, model: HashedFile, reference: HashedFile) -> Comparison | None:
        """What ``compare`` would say of the frames kept, with intervals over scenes; None if
        there are none."""
        kept = self._kept
        if not kept:
            return None
        paths = tuple(
            self._files.get(index) or Path(f"{self._source}#{number}")
            for index, number in enumerate(self._numbers[:kept])
        )
        known: NDArray[Any] | None = self._truth[:kept] if self._any_truth else None
        if known is not None and self.heads[0].task == "classes":
            known = known[:, 0].astype(np.int64)
        elif known is not None and self.heads[0].task == "labels":
            known = known > 0
        ours, theirs = (
            Predictions(self._scores[row, :kept], known, paths, self._labels, file, head=head)
            for row, (file, head) in enumerate(zip((model, reference), self.heads, strict=True))
        )
        return compare_frames(theirs, ours, self._scenes[:kept], in_time=self._in_time)

    def to_json(self) -> dict[str, Any]:
        """Exact counts over all frames, and how many of them the report rests on."""
        if self.values:
            return {
                "compared": self.frames,
                "value_difference": self.difference.to_json(),
                "in_report": self._kept,
            }
        return {
            "compared": self.frames,
            "agreed": self.agreed.hits,
            **share_json("agreement", self.agreement),
            "score_difference": self.difference.mean_abs,
            "in_report": self._kept,
            "disagreements": [
                {"reference": theirs, "candidate": ours, "frames": count}
                for (theirs, ours), count in self.disagreed.most_common(50)
            ],
        }
