"""How many images a model answers "unknown", and what it is worth on the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_effnet.heads.unknown import Unknown
from edge_effnet.metrics.intervals import interval_json, interval_text, wilson_interval
from edge_effnet.metrics.one_model.base import MetricRow
from edge_effnet.metrics.predictions import Predictions
from edge_effnet.plurals import counted


@dataclass(frozen=True)
class UnknownAnswers:
    """Counts over images; shares in percent with their 95 % Wilson interval.

    Attributes:
        rule: by which an image is unknown.
        unknown: images answered "unknown".
        right: images answered right with a class; None where no true class is known.
    """

    rule: Unknown
    images: int
    unknown: int
    right: int | None = None

    @property
    def answered(self) -> int:
        """Images answered with a class."""
        return self.images - self.unknown

    @property
    def unknown_percent(self) -> float:
        return 100 * self.unknown / self.images

    @property
    def unknown_interval_percent(self) -> tuple[float, float]:
        return _interval_percent(self.unknown, self.images)

    @property
    def right_percent(self) -> float | None:
        """Of the images answered with a class; None where there are none."""
        if self.right is None or not self.answered:
            return None
        return 100 * self.right / self.answered

    @property
    def right_interval_percent(self) -> tuple[float, float] | None:
        if self.right is None or not self.answered:
            return None
        return _interval_percent(self.right, self.answered)

    @property
    def text(self) -> str:
        """The share that is unknown, for people."""
        return (
            f'{self.unknown} of {counted(self.images, "image")} answered "unknown": '
            f"{self.unknown_percent:.1f} %, {interval_text(self.unknown_interval_percent)}"
        )

    @property
    def figures(self) -> list[MetricRow]:
        """Of images whose class the model knows."""
        lost = f"{self.unknown} lost, {interval_text(self.unknown_interval_percent)}"
        right = (
            f"of {counted(self.answered, 'image')}, {interval_text(self.right_interval_percent)}"
        )
        return [
            MetricRow('answered "unknown"', self.unknown_percent, remark=lost, compared=False),
            MetricRow("top-1 of answered", self.right_percent, remark=right),
        ]

    def to_json(self) -> dict[str, Any]:
        right = {
            "answered_top1": self.right_percent,
            "answered_top1_interval": interval_json(self.right_interval_percent),
        }
        return {
            "threshold": self.rule.threshold,
            "images": self.images,
            "unknown": self.unknown,
            "unknown_percent": self.unknown_percent,
            "unknown_interval": interval_json(self.unknown_interval_percent),
            **({} if self.right is None else right),
        }


def unknown_answers(predictions: Predictions) -> UnknownAnswers | None:
    """None for a model that always answers a class."""
    unknown, rule = predictions.unknown, predictions.rule
    if unknown is None or rule is None:
        return None
    right = None
    if predictions.truth is not None and predictions.task != "value":
        right = int(np.count_nonzero(predictions.right & ~unknown))
    return UnknownAnswers(rule, len(unknown), int(np.count_nonzero(unknown)), right)


def _interval_percent(count: int, images: int) -> tuple[float, float]:
    low, high = wilson_interval(count, images)
    return 100 * low, 100 * high
