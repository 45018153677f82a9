"""The worst mistakes of one model: the images it is surest about and wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.one_model.label_errors import margins
from edge_effnet.metrics.predictions import Predictions

MOST = 200
"""Mistakes that are kept: a page shows fewer, once images that are nearly the same are one."""


@dataclass(frozen=True)
class Mistake:
    """An image that is answered wrong; of a model that answers values, one that it is far off on.

    Attributes:
        true, answer: what it shows, and what the model says: a class, labels or a value.
        score, true_score: that the model gives either; None where the answer is no class.
        unknown: whether the model says "unknown" of the image, whatever class is likeliest.
    """

    path: Path
    true: str
    answer: str
    score: float | None
    true_score: float | None
    unknown: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "true": self.true,
            "answer": self.answer,
            "score": self.score,
            "true_score": self.true_score,
            **({"unknown": True} if self.unknown else {}),
        }


@dataclass(frozen=True)
class Mistakes:
    """Attributes:
    count: images answered wrong; None where answers are values, of which none is quite right.
    worst: at most ``MOST``, the worst first.
    """

    count: int | None
    worst: tuple[Mistake, ...]

    def to_json(self) -> dict[str, Any]:
        return {"count": self.count, "worst": [one.to_json() for one in self.worst]}


def find_mistakes(predictions: Predictions, most: int = MOST) -> Mistakes:
    """Images answered wrong, sorted by how much more the model gives its answer than the truth: of
    several labels, by how far the score of the worst one lies on the wrong side of the threshold;
    of values, by the error.

    Raises:
        ValueError: the truth is not known.
    """
    if predictions.truth is None:
        raise ValueError("mistakes need the truth")
    if predictions.task == "classes":
        return _of_classes(predictions, predictions.truth, most)
    if predictions.task == "labels":
        return _of_labels(predictions, predictions.truth, most)
    return _of_values(predictions, predictions.truth, most)


def _of_classes(predictions: Predictions, truth: NDArray[Any], most: int) -> Mistakes:
    names, scores, answers = predictions.label_names, predictions.scores, predictions.answers
    wrong = np.flatnonzero(answers != truth)
    order = wrong[np.argsort(margins(scores, truth)[wrong], kind="stable")]
    unknown = predictions.unknown
    return Mistakes(
        len(wrong),
        tuple(
            Mistake(
                predictions.paths[index],
                names[truth[index]],
                names[answers[index]],
                float(scores[index, answers[index]]),
                float(scores[index, truth[index]]),
                unknown=unknown is not None and bool(unknown[index]),
            )
            for index in order[:most]
        ),
    )


def _of_labels(predictions: Predictions, truth: NDArray[Any], most: int) -> Mistakes:
    wrong = predictions.decisions != truth
    gap = np.where(wrong, np.abs(predictions.scores - predictions.effective_head.threshold), -1)
    images = np.flatnonzero(wrong.any(axis=1))
    order = images[np.argsort(-gap.max(axis=1)[images], kind="stable")]

    def spoken(flags: NDArray[Any]) -> str:
        return predictions.answer_text(tuple(int(index) for index in np.flatnonzero(flags)))

    return Mistakes(
        len(images),
        tuple(
            Mistake(
                predictions.paths[index],
                spoken(truth[index]),
                spoken(predictions.decisions[index]),
                None,
                None,
            )
            for index in order[:most]
        ),
    )


def _of_values(predictions: Predictions, truth: NDArray[Any], most: int) -> Mistakes:
    errors = np.abs(predictions.scores - truth).sum(axis=1)

    def spoken(values: NDArray[Any]) -> str:
        return ", ".join(f"{value:.4g}" for value in values)

    return Mistakes(
        None,
        tuple(
            Mistake(
                predictions.paths[index],
                spoken(truth[index]),
                spoken(predictions.scores[index]),
                None,
                None,
            )
            for index in np.argsort(-errors, kind="stable")[:most]
            if errors[index] > 0
        ),
    )
