"""One model's report where several labels can be true together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_effnet.arrays import Float64Array
from edge_effnet.metrics.intervals import interval_json, interval_text, wilson_interval
from edge_effnet.metrics.one_model.base import BaseSummary, Headline, MetricRow
from edge_effnet.metrics.one_model.chance import likely_cause, no_association
from edge_effnet.metrics.one_model.classification import Flags, PerClass, Scores
from edge_effnet.metrics.one_model.rare_classes import LEAST_MISSES, name_some, neglected_classes
from edge_effnet.metrics.predictions import Predictions
from edge_effnet.plurals import counted

_THRESHOLD = "of a score, above which a label is answered"


@dataclass(frozen=True, eq=False)
class LabelSummary(BaseSummary):
    """Figures of one model on images with several labels each; percent unless a name says
    otherwise.

    Attributes:
        exact_match_percent: images whose labels are all right, none missing and none too many.
        exact_match_interval_percent: 95 % Wilson interval; None of frames in too few scenes.
        decisions_percent: right decisions, yes or no, over all images and labels. With rare
            labels a model that never says yes scores high here.
        mean_average_precision_percent: over the labels that are true on some images and not on
            others; looks at the ranking of the scores alone, not at the threshold. None without
            such labels.
        average_precision: of each label, 0–1; NaN where it is never or always true.
    """

    exact_match_percent: float
    exact_match_interval_percent: tuple[float, float] | None
    decisions_percent: float
    mean_average_precision_percent: float | None
    average_precision: Float64Array
    per_class: PerClass

    @property
    def headline(self) -> Headline:
        value = self.exact_match_percent
        return Headline("exact match", value, f"{value:.1f} %", right_percent=value)

    @property
    def figures(self) -> list[MetricRow]:
        within = interval_text(self.exact_match_interval_percent)
        mean, head = self.mean_average_precision_percent, self.predictions.effective_head
        return [
            MetricRow(
                "exact match", self.exact_match_percent, remark=f"all labels right; {within}"
            ),
            MetricRow("label decisions", self.decisions_percent, remark="right, yes or no"),
            *(
                [MetricRow("mean average precision", mean, remark="of the labels, by their scores")]
                if mean is not None
                else []
            ),
            MetricRow("threshold", head.threshold, "{:g}", _THRESHOLD, compared=False),
        ]

    def figures_json(self) -> dict[str, Any]:
        """The figures alone, as they stand under each model of a comparison."""
        return {
            **self.model_json(),
            "exact_match": self.exact_match_percent,
            "exact_match_interval": interval_json(self.exact_match_interval_percent),
            "label_decisions": self.decisions_percent,
            "at_chance": self.at_chance,
            "mean_average_precision": self.mean_average_precision_percent,
            "per_class": [
                {
                    **entry,
                    "average_precision": None
                    if np.isnan(self.average_precision[entry["class"]])
                    else float(self.average_precision[entry["class"]]),
                }
                for entry in self.per_class.to_json(self.predictions.labels)
            ],
        }


def summarize_labels(predictions: Predictions) -> LabelSummary:
    """Evaluate a model that decides on several labels.

    Raises:
        ValueError: the truth is not known.
    """
    truth, decided = predictions.truth, predictions.decisions
    if truth is None:
        raise ValueError("accuracy needs the true labels")
    right = int(np.count_nonzero(predictions.right))
    images = len(truth)
    low, high = wilson_interval(right, images)
    figures = per_label(decided, truth)
    precision = average_precision(predictions.scores, truth)
    known = precision[~np.isnan(precision)]
    at_chance = no_association(decided, truth)
    return LabelSummary(
        images=images,
        exact_match_percent=100 * right / images,
        exact_match_interval_percent=(100 * low, 100 * high),
        decisions_percent=100 * float((decided == truth).mean()),
        mean_average_precision_percent=100 * float(known.mean()) if known.size else None,
        average_precision=precision,
        at_chance=at_chance,
        per_class=figures,
        predictions=predictions,
        warnings=tuple(_warnings(predictions, figures, at_chance)),
    )


def per_label(decided: Flags, truth: Flags) -> PerClass:
    """Support, answers and right answers of each label; both arrays are images x labels."""
    return PerClass(
        support=np.asarray(truth.sum(axis=0), np.int64),
        answered=np.asarray(decided.sum(axis=0), np.int64),
        correct=np.asarray((decided & truth).sum(axis=0), np.int64),
    )


def average_precision(scores: Scores, truth: Flags) -> Float64Array:
    """Average precision of each label, 0–1: (images, labels) twice -> (labels,).

    The mean, over the images where the label is true, of the precision among all images that
    score at least as high; images of equal score count together, so that the coarse steps of
    int8 scores are not flattered by the order of the files. NaN where the label is never true, and
    where it always is: then any order of the images has 1.
    Source: Everingham et al. 2010, "The PASCAL Visual Object Classes (VOC) Challenge", without
    interpolation, as scikit-learn's ``average_precision_score``.
    """
    found = np.full(scores.shape[1], np.nan)
    for label in range(scores.shape[1]):
        positive = truth[:, label]
        if not positive.any() or positive.all():
            continue
        order = np.argsort(-scores[:, label], kind="stable")
        ranked, hits = scores[order, label], np.cumsum(positive[order])
        last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # of each equal score
        precision = hits[last] / (last + 1)
        gained = np.diff(hits[last], prepend=0)
        found[label] = float((precision * gained).sum() / hits[-1])
    return np.asarray(found, np.float64)


def _warnings(predictions: Predictions, figures: PerClass, at_chance: bool) -> list[str]:
    names, threshold = predictions.label_names, predictions.effective_head.threshold
    if figures.support.any() and not figures.answered.any():
        return [
            f"{predictions.name} answers no label on any image: every score is at or under the "
            f"threshold of {threshold:g} (--threshold)"
        ]
    lines = []
    if at_chance:
        lines.append(f"{predictions.name} is no better than chance: {likely_cause(predictions)}")
    silent = (figures.answered == 0) & (figures.support >= LEAST_MISSES)
    if silent.any():
        never = [
            f"{names[index]!r} (true on {counted(figures.support[index], 'image')})"
            for index in np.flatnonzero(silent)
        ]
        lines.append(
            f"{predictions.name} never answers {name_some(never)}: every score is at or under "
            f"the threshold of {threshold:g}"
        )
    if not at_chance:
        rare = [
            f"{names[index]!r} ({figures.correct[index]} of "
            f"{counted(figures.support[index], 'image')} found)"
            for index in neglected_classes(figures)
            if not silent[index]
        ]
        if rare:
            lines.append(f"{predictions.name} hardly finds some labels: {name_some(rare)}")
    return lines + _one_label_each(predictions)


def _one_label_each(predictions: Predictions) -> list[str]:
    """Sigmoids are also trained on classes that exclude each other, where the best score counts."""
    truth = predictions.truth
    if truth is None or not (truth.sum(axis=1) == 1).all():
        return []
    best = int(np.count_nonzero(predictions.scores.argmax(axis=1) == truth.argmax(axis=1)))
    if best <= int(np.count_nonzero(predictions.right)):
        return []
    return [
        f"every image has exactly one label, and the label of the highest score is right on "
        f"{100 * best / len(truth):.1f} %: if the labels exclude each other, --head softmax "
        "evaluates that answer"
    ]
