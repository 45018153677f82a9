"""From scores to what is shown: the answers of a head, "unknown", the best few."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge_effnet.arrays import Float32Array
from edge_effnet.data.labels import match_label
from edge_effnet.heads.head import Head
from edge_effnet.heads.unknown import Unknown, is_unknown
from edge_effnet.metrics.one_model.classification import top_answers

UNKNOWN = "unknown"
NONE = "none of them"


@dataclass(frozen=True)
class ScoredLabel:
    """A class or label and its score."""

    label: str
    score: float

    @property
    def short(self) -> str:
        """The first of several names: ``tench, Tinca tinca`` is ``tench`` here."""
        return self.label.split(",")[0]


@dataclass(frozen=True)
class Decision:
    """What is shown.

    Attributes:
        answers: the class; every label that is answered; ``unknown`` where no class reaches the
            threshold, ``none of them`` where no label does, with the best score; ``unknown`` too
            where the frame is like none that the model was taught, with its similarity. Empty for
            values.
        best: the highest scores, best first. Empty for values.
        values: of a head whose task is "value".
    """

    answers: tuple[ScoredLabel, ...]
    best: tuple[ScoredLabel, ...] = ()
    values: tuple[float, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether no label is answered."""
        return [item.label for item in self.answers] == [NONE]

    @property
    def label(self) -> str:
        """The answer in full, for machines and comparisons."""
        return ", ".join(item.label for item in self.answers) or self.text

    @property
    def text(self) -> str:
        """The answer for people, without its score: short names, or values."""
        named = ", ".join(item.short for item in self.answers)
        return named or ", ".join(f"{value:.4g}" for value in self.values)

    def differs_from(self, other: Decision) -> bool:
        """Whether another answer was given; two values are not another answer."""
        return {item.label for item in self.answers} != {item.label for item in other.answers}

    @property
    def scored(self) -> str:
        """The answer and its score: ``blue 0.93, red 0.71``."""
        return ", ".join(f"{item.short} {item.score:.2f}" for item in self.answers) or self.text


def unknown_name(labels: Sequence[str]) -> str:
    """What the answer to a frame of no class is called: like a class that means the same, where
    there is one (``unknown``, spelled in any way), so that both are one answer."""
    index = match_label(UNKNOWN, labels)
    return UNKNOWN if index is None else labels[index]


def with_threshold(head: Head, threshold: float | None) -> Head:
    """The head that decides: of labels, those above ``--threshold`` are answered."""
    if threshold is None or head.task != "labels":
        return head
    return replace(head, threshold=threshold)


def answered_indices(head: Head, scores: Float32Array) -> tuple[int, ...]:
    """Indices of what one frame's scores (classes,) answer: of one class, or of any labels.

    Raises:
        ValueError: the head's task is "value".
    """
    if head.task == "labels":
        return tuple(map(int, np.flatnonzero(head.decisions(scores[None])[0])))
    return (int(head.answers(scores[None])[0]),)


def decide(
    scores: Float32Array,
    labels: Sequence[str],
    head: Head,
    *,
    top: int,
    threshold: float | None,
    similarity: float | None = None,
    rule: Unknown | None = None,
    none: str = UNKNOWN,
) -> Decision:
    """The answer that scores of shape (classes,) amount to.

    Args:
        threshold: a class of a lower score is "unknown".
        similarity: to the images that the model was taught; under the rule's threshold the frame
            is "unknown", whatever its scores.
        none: what "unknown" is called.
    """
    if head.task == "value":
        return Decision((), values=tuple(map(float, scores)))
    indices = top_answers(scores[None], top)[0]
    best = tuple(ScoredLabel(labels[index], float(scores[index])) for index in indices)
    if similarity is not None and is_unknown(rule, similarity):
        return Decision((ScoredLabel(none, similarity),), best)
    answers = [
        ScoredLabel(labels[index], float(scores[index])) for index in answered_indices(head, scores)
    ]
    if not answers:
        return Decision((ScoredLabel(NONE, best[0].score),), best)
    if head.task == "labels":
        answers.sort(key=lambda item: -item.score)
    elif threshold is not None and answers[0].score < threshold:
        answers = [ScoredLabel(none, answers[0].score)]
    return Decision(tuple(answers), best)


class Smoother:
    """Exponential smoothing over seconds, not frames, so that a lower rate means no slower
    answer: an old score's weight falls to 1/e in ``seconds``. With 0 it passes scores on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._scores: Float32Array | None = None
        self._time_s = 0.0

    def add(self, scores: Float32Array, time_s: float) -> Float32Array:
        """The smoothed scores, (classes,), after a frame at ``time_s``."""
        passed_s = max(0.0, time_s - self._time_s)
        if self._scores is None or self._seconds <= 0:
            self._scores = scores
        else:
            weight = np.float32(1 - math.exp(-passed_s / self._seconds))
            self._scores = np.asarray(self._scores + weight * (scores - self._scores), np.float32)
        self._time_s = time_s
        return self._scores

    def add_number(self, number: float | None, time_s: float) -> float | None:
        """The same of one number, where there is one."""
        return (
            None if number is None else float(self.add(np.array([number], np.float32), time_s)[0])
        )
