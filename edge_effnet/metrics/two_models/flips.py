"""The images that two models answer differently."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.metrics.predictions import Predictions, same_answers


@dataclass(frozen=True)
class Flip:
    """An image that the two models answer differently.

    Attributes:
        kind: "lost" (only the reference is right), "gained" (only the candidate is), "other"
            (both wrong, differently) or "changed" (the truth is not known).
        truth, reference, candidate: the index of a class, or those of all labels answered.
        reference_score, candidate_score: of each model's own class; of several labels, of the
            one among those decided differently whose scores differ most.
    """

    path: Path
    kind: str
    truth: tuple[int, ...] | None
    reference: tuple[int, ...]
    reference_score: float
    candidate: tuple[int, ...]
    candidate_score: float

    def to_json(self, predictions: Predictions) -> dict[str, Any]:
        """For a document; ``predictions`` of either model say the labels."""
        answer_text = predictions.answer_text
        return {
            "file": str(self.path),
            "kind": self.kind,
            "true": None if self.truth is None else answer_text(self.truth),
            "reference": answer_text(self.reference),
            "reference_score": self.reference_score,
            "candidate": answer_text(self.candidate),
            "candidate_score": self.candidate_score,
        }


def find_flips(reference: Predictions, candidate: Predictions) -> tuple[Flip, ...]:
    """The images that two models of one task, classes or labels, answer differently."""
    flips = []
    for i in np.flatnonzero(~same_answers(reference, candidate)):
        (ours, our_score), (theirs, their_score) = _answers_of(reference, candidate, int(i))
        true = _chosen(reference.truth[i]) if reference.truth is not None else None
        flips.append(
            Flip(
                path=reference.paths[i],
                kind=_flip_kind(true, ours, theirs),
                truth=true,
                reference=ours,
                reference_score=our_score,
                candidate=theirs,
                candidate_score=their_score,
            )
        )
    return tuple(flips)


_Answer = tuple[tuple[int, ...], float]


def _answers_of(
    reference: Predictions, candidate: Predictions, image: int
) -> tuple[_Answer, _Answer]:
    """What each model answers on an image that they answer differently, with a score."""
    models = reference, candidate
    if reference.task == "classes":
        ours, theirs = (int(model.answers[image]) for model in models)
        return (
            ((ours,), float(reference.scores[image, ours])),
            ((theirs,), float(candidate.scores[image, theirs])),
        )
    decided = [model.decisions[image] for model in models]
    gap = np.abs(reference.scores[image] - candidate.scores[image])
    index = int(np.where(decided[0] != decided[1], gap, -1).argmax())
    return (
        (_chosen(decided[0]), float(reference.scores[image, index])),
        (_chosen(decided[1]), float(candidate.scores[image, index])),
    )


def _chosen(answer: Any) -> tuple[int, ...]:
    """The index of a class, or the indices of the flags that are set, as a tuple."""
    if np.ndim(answer):
        return tuple(int(index) for index in np.flatnonzero(answer))
    return (int(answer),)


def _flip_kind(
    truth: tuple[int, ...] | None, reference: tuple[int, ...], candidate: tuple[int, ...]
) -> str:
    if truth is None:
        return "changed"
    return {reference: "lost", candidate: "gained"}.get(truth, "other")
