"""One model's report where the answer is one class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_effnet.metrics.intervals import interval_json, interval_text, wilson_interval
from edge_effnet.metrics.one_model.base import BaseSummary, Headline, MetricRow
from edge_effnet.metrics.one_model.chance import likely_cause, no_association
from edge_effnet.metrics.one_model.classification import (
    Confusion,
    PerClass,
    are_probabilities,
    balanced_accuracy_percent,
    chance_percent,
    confusion,
    expected_calibration_error,
    guess_percent,
    per_class,
    top_k_percent,
)
from edge_effnet.metrics.one_model.exchanged_labels import exchanged_classes
from edge_effnet.metrics.one_model.rare_classes import name_some, neglected_classes
from edge_effnet.metrics.one_model.unknown import UnknownAnswers, unknown_answers
from edge_effnet.metrics.predictions import Predictions
from edge_effnet.plurals import counted

_NO_PROBABILITIES = "the scores are no probabilities"


@dataclass(frozen=True, eq=False)
class ClassSummary(BaseSummary):
    """Figures of one model on images of one class each; percent unless a name says otherwise.

    Attributes:
        top_percent: top-k accuracy for each k asked for; 1 and 5 are always there. With at most
            k classes it is 100 and says nothing.
        top1_interval_percent: 95 % Wilson interval; None of frames in too few scenes.
        calibration_error: expected calibration error, 0–1; None for scores that are no
            probabilities.
        chance_percent: what answers unrelated to the images would reach: the model's own in
            another order.
        guess_percent: what always answering the commonest class would reach.
        unknown: how many images are answered "unknown"; all other figures are without that rule.
            None for a model that always answers a class.
    """

    top_percent: dict[int, float]
    top1_interval_percent: tuple[float, float] | None
    balanced_accuracy_percent: float
    calibration_error: float | None
    chance_percent: float
    guess_percent: float
    per_class: PerClass
    confusion: Confusion
    unknown: UnknownAnswers | None = None

    @property
    def informative_tops(self) -> list[int]:
        """The k above 1 for which not every answer is right."""
        classes = len(self.predictions.labels)
        return [k for k in sorted(self.top_percent) if 1 < k < classes]

    @property
    def top1_percent(self) -> float:
        return self.top_percent[1]

    @property
    def headline(self) -> Headline:
        value = self.top1_percent
        return Headline("top-1", value, f"{value:.1f} %", right_percent=value)

    @property
    def figures(self) -> list[MetricRow]:
        known = self.calibration_error is not None
        gap = "mean gap between confidence and accuracy" if known else _NO_PROBABILITIES
        balanced = self.balanced_accuracy_percent
        return [
            MetricRow("top-1", self.top1_percent, remark=interval_text(self.top1_interval_percent)),
            *(MetricRow(f"top-{k}", self.top_percent[k]) for k in self.informative_tops),
            MetricRow("balanced accuracy", balanced, remark="mean recall of the classes"),
            MetricRow("calibration error", self.calibration_error, "{:.3f}", gap),
            MetricRow(
                "guessing would get",
                self.guess_percent,
                remark="always the commonest class",
                compared=False,
            ),
            *(self.unknown.figures if self.unknown else ()),
        ]

    def figures_json(self) -> dict[str, Any]:
        """The figures alone, as they stand under each model of a comparison."""
        return {
            **self.model_json(),
            **{
                f"top{k}": share if k in (1, *self.informative_tops) else None
                for k, share in sorted(self.top_percent.items())
            },
            "top1_interval": interval_json(self.top1_interval_percent),
            "balanced_accuracy": self.balanced_accuracy_percent,
            "ece": self.calibration_error,
            "chance": self.chance_percent,
            "guess": self.guess_percent,
            "at_chance": self.at_chance,
            "per_class": self.per_class.to_json(self.predictions.labels),
            "confusion": [list(cell) for cell in self.confusion.cells],
            **({"unknown": self.unknown.to_json()} if self.unknown else {}),
        }


def summarize_classes(predictions: Predictions, *, top: int = 5) -> ClassSummary:
    """Evaluate a model that answers one class.

    Raises:
        ValueError: the truth is not known, or the model answers something else.
    """
    if predictions.truth is None:
        raise ValueError("accuracy needs the true classes")
    scores, truth, answers = predictions.scores, predictions.truth, predictions.answers
    images, classes = scores.shape
    right = int(np.count_nonzero(answers == truth))
    low, high = wilson_interval(right, images)
    figures = per_class(answers, truth, classes)
    chance = chance_percent(answers, truth, classes)
    at_chance = no_association(answers, truth)
    if at_chance:
        warnings = [
            f"{predictions.name} is no better than chance: {100 * right / images:.1f} % right, "
            f"and its answers in any order would get {chance:.1f} %; {likely_cause(predictions)}"
        ]
    else:
        warnings = _exchanged_warning(predictions, figures) or _neglected_warning(
            predictions, figures
        )
    return ClassSummary(
        images=images,
        top_percent={
            k: 100 * right / images if k == 1 else top_k_percent(scores, truth, k)
            for k in sorted({1, 5, top})
        },
        top1_interval_percent=(100 * low, 100 * high),
        balanced_accuracy_percent=balanced_accuracy_percent(figures),
        calibration_error=(
            expected_calibration_error(scores, truth) if are_probabilities(scores) else None
        ),
        chance_percent=chance,
        guess_percent=guess_percent(truth, classes),
        at_chance=at_chance,
        per_class=figures,
        confusion=confusion(answers, truth, classes),
        unknown=unknown_answers(predictions),
        predictions=predictions,
        warnings=tuple(warnings),
    )


def _exchanged_warning(predictions: Predictions, figures: PerClass) -> list[str]:
    assert predictions.truth is not None  # noqa: S101 (only then is there a summary)
    names, overall = predictions.label_names, 100 * figures.correct.sum() / figures.support.sum()
    classes = [
        f"{names[true]!r} is answered {names[answered]!r} ({counted(count, 'image')} of {of})"
        for true, answered, count, of in exchanged_classes(predictions.answers, predictions.truth)
    ]
    if not classes:
        return []
    return [
        f"{predictions.name}: {overall:.1f} % is most likely too little, since labels look "
        f"exchanged: {name_some(classes)}; give the labels in the model's own order (--labels)"
    ]


def _neglected_warning(predictions: Predictions, figures: PerClass) -> list[str]:
    names, overall = predictions.label_names, 100 * figures.correct.sum() / figures.support.sum()
    classes = [
        f"{names[index]!r} ({figures.correct[index]} of "
        f"{counted(figures.support[index], 'image')} found)"
        for index in neglected_classes(figures)
    ]
    if not classes:
        return []
    return [
        f"{predictions.name}: an overall accuracy of {overall:.1f} % hides classes it hardly "
        f"finds: {name_some(classes)}"
    ]
