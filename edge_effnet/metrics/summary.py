"""One model's report: accuracy, each class, calibration, and what overall accuracy hides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_effnet.metrics.chance import likely_cause
from edge_effnet.metrics.classification import (
    Confusion,
    PerClass,
    are_probabilities,
    balanced_accuracy_percent,
    chance_percent,
    confusion,
    expected_calibration_error,
    per_class,
    top_k_percent,
)
from edge_effnet.metrics.paired import interval_json, wilson_interval
from edge_effnet.metrics.predictions import Predictions
from edge_effnet.metrics.rare import name_some, neglected_classes

FORMAT = "edge-effnet/evaluation"
VERSION = 1

# A model is called no better than chance when the chance accuracy lies above the lower bound
# of this confidence interval of its accuracy; under so few images nothing is said.
CHANCE_CONFIDENCE = 0.99
CHANCE_MIN_IMAGES = 20


@dataclass(frozen=True, eq=False)
class Summary:
    """Figures of one model on labelled images; percent unless a name says otherwise.

    Attributes:
        top_percent: top-k accuracy for each k asked for; 1 and 5 are always there. With fewer
            than k classes it is 100 and says nothing.
        top1_interval_percent: 95 % Wilson interval; None of frames in too few scenes.
        calibration_error: expected calibration error, 0–1; None for scores that are no
            probabilities.
        chance_percent: what answers unrelated to the images would reach.
        at_chance: whether nothing shows that the model is better than that.
    """

    images: int
    top_percent: dict[int, float]
    top1_interval_percent: tuple[float, float] | None
    balanced_accuracy_percent: float
    calibration_error: float | None
    chance_percent: float
    at_chance: bool
    per_class: PerClass
    confusion: Confusion
    predictions: Predictions
    warnings: tuple[str, ...]

    @property
    def top1_percent(self) -> float:
        return self.top_percent[1]

    def figures_json(self) -> dict[str, Any]:
        """The figures alone, as they stand under each model of a comparison."""
        model = self.predictions.model
        return {
            **(model.to_json() if model else {}),
            **{f"top{k}": share for k, share in sorted(self.top_percent.items())},
            "top1_interval": interval_json(self.top1_interval_percent),
            "balanced_accuracy": self.balanced_accuracy_percent,
            "ece": self.calibration_error,
            "chance": self.chance_percent,
            "per_class": per_class_json(self.per_class, self.predictions.labels),
            "confusion": [list(cell) for cell in self.confusion.cells],
        }

    def to_json(self) -> dict[str, Any]:
        """A document of its own: ``format``, ``version``, ``n`` and the figures."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "n": self.images,
            **self.figures_json(),
            "labels": list(self.predictions.labels),
            "skipped": [image.to_json() for image in self.predictions.skipped],
            "warnings": list(self.warnings),
        }


def summarize(predictions: Predictions, *, top: int = 5) -> Summary:
    """Judge one model.

    Raises:
        ValueError: the truth is not known.
    """
    if predictions.truth is None:
        raise ValueError("accuracy needs the true classes")
    scores, truth, answers = predictions.scores, predictions.truth, predictions.answers
    images, classes = scores.shape
    right = int(np.count_nonzero(answers == truth))
    low, high = wilson_interval(right, images)
    figures = per_class(answers, truth, classes)
    chance = chance_percent(answers, truth, classes)
    at_chance = is_at_chance(right, images, chance)
    if at_chance:
        warnings = [
            f"{predictions.name} is no better than chance: {100 * right / images:.1f} % right, "
            f"{chance:.1f} % expected of blind answers; {likely_cause(predictions)}"
        ]
    else:
        warnings = _neglected_warning(predictions, figures)
    return Summary(
        images=images,
        top_percent={k: top_k_percent(scores, truth, k) for k in sorted({1, 5, top})},
        top1_interval_percent=(100 * low, 100 * high),
        balanced_accuracy_percent=balanced_accuracy_percent(figures),
        calibration_error=(
            expected_calibration_error(scores, truth) if are_probabilities(scores) else None
        ),
        chance_percent=chance,
        at_chance=at_chance,
        per_class=figures,
        confusion=confusion(answers, truth, classes),
        predictions=predictions,
        warnings=tuple(warnings),
    )


def per_class_json(figures: PerClass, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    """One entry for each class that occurs; shares 0–1, null where undefined."""
    recall, precision, f1 = figures.recall, figures.precision, figures.f1
    return [
        {
            "class": int(index),
            "label": labels[index],
            "support": int(figures.support[index]),
            "answered": int(figures.answered[index]),
            "correct": int(figures.correct[index]),
            "precision": _number(precision[index]),
            "recall": _number(recall[index]),
            "f1": _number(f1[index]),
        }
        for index in figures.seen
    ]


def is_at_chance(right: int, images: int, chance_percent: float) -> bool:
    """Whether ``chance_percent`` is within reach of the accuracy's lower confidence bound."""
    if images < CHANCE_MIN_IMAGES:
        return False
    low, _ = wilson_interval(right, images, CHANCE_CONFIDENCE)
    return 100 * low <= chance_percent


def _neglected_warning(predictions: Predictions, figures: PerClass) -> list[str]:
    names, overall = predictions.label_names, 100 * figures.correct.sum() / figures.support.sum()
    classes = [
        f"{names[index]!r} ({figures.correct[index]} of {figures.support[index]} images found)"
        for index in neglected_classes(figures)
    ]
    if not classes:
        return []
    return [
        f"{predictions.name}: an overall accuracy of {overall:.1f} % hides classes it hardly "
        f"finds: {name_some(classes)}"
    ]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
