"""All thresholds of one class's score, and which of them reaches a recall or a precision.

An image is taken for the class where its score is at least the threshold, so only scores that
occur matter, and images of one score (int8 has few different ones) go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float64Array
from edge_effnet.heads.thresholds import Measure
from edge_effnet.metrics.one_model.classification import Flags, Indices

MOST_CURVE_POINTS = 500


@dataclass(frozen=True, eq=False)
class Sweep:
    """Every threshold that makes a difference, the highest first; arrays of that length.

    Attributes:
        thresholds: the scores that occur.
        found, false_alarms: images of the class, and others, whose score is at least as high.
        of_class: images of the class in all.
    """

    thresholds: Float64Array
    found: Indices
    false_alarms: Indices
    of_class: int

    @property
    def recall(self) -> Float64Array:
        """Share of the images of the class that are found; NaN where there are none."""
        if not self.of_class:
            return np.full(len(self.found), np.nan)
        return np.asarray(self.found / self.of_class, np.float64)

    @property
    def precision(self) -> Float64Array:
        """Share of the images taken for the class that are of it."""
        return np.asarray(self.found / (self.found + self.false_alarms), np.float64)

    def choose(self, measure: Measure, share: float) -> float | None:
        """The highest threshold that still reaches a recall, or the lowest that reaches a
        precision; None where none does."""
        reaches = (self.recall if measure == "recall" else self.precision) >= share
        places = np.flatnonzero(reaches)
        if not places.size:
            return None
        return float(self.thresholds[places[0] if measure == "recall" else places[-1]])


def sweep(scores: NDArray[np.float32], positive: Flags) -> Sweep:
    """Sort images by their score of one class: scores and whether they are of it, (images,)."""
    order = np.argsort(-scores, kind="stable")
    ranked, found = scores[order], np.cumsum(positive[order])
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)[: len(ranked)]
    return Sweep(
        thresholds=ranked[last].astype(np.float64),
        found=np.asarray(found[last], np.int64),
        false_alarms=np.asarray(last + 1 - found[last], np.int64),
        of_class=int(positive.sum()),
    )


@dataclass(frozen=True, eq=False)
class PrecisionRecallCurve:
    """Precision against recall of one class, from the highest threshold down.

    Only the thresholds at which one more image of the class is found, where precision is highest
    for that recall; of very many, ``MOST_CURVE_POINTS`` evenly over them, the last one included.

    Attributes:
        average_precision: as scikit-learn's ``average_precision_score``, of all thresholds.
        prevalence: share of the images that are of the class: the precision of taking all of them.
    """

    thresholds: Float64Array
    recall: Float64Array
    precision: Float64Array
    false_alarms: Indices
    average_precision: float
    prevalence: float

    def to_json(self) -> dict[str, Any]:
        return {
            "average_precision": self.average_precision,
            "prevalence": self.prevalence,
            "threshold": self.thresholds.tolist(),
            "recall": self.recall.tolist(),
            "precision": self.precision.tolist(),
            "false_alarms": self.false_alarms.tolist(),
        }


def precision_recall_curve(
    scores: NDArray[np.float32], positive: Flags
) -> PrecisionRecallCurve | None:
    """The curve of one class; None without an image of it."""
    swept = sweep(scores, positive)
    if not swept.of_class:
        return None
    gained = np.diff(swept.found, prepend=0)
    kept = np.flatnonzero(gained)
    if len(kept) > MOST_CURVE_POINTS:
        places = np.linspace(0, len(kept) - 1, MOST_CURVE_POINTS)
        kept = kept[np.round(places).astype(np.int64)]
    return PrecisionRecallCurve(
        thresholds=swept.thresholds[kept],
        recall=swept.recall[kept],
        precision=swept.precision[kept],
        false_alarms=swept.false_alarms[kept],
        average_precision=float((swept.precision * gained).sum() / swept.of_class),
        prevalence=swept.of_class / len(positive),
    )
