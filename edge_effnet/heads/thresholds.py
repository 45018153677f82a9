"""Thresholds of single classes, as a model card keeps them: chosen on one half of the images,
evaluated on the other. How they are chosen is ``edge_effnet.metrics``'s."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

Measure = Literal["recall", "precision"]
MEASURES: tuple[Measure, ...] = ("recall", "precision")


@dataclass(frozen=True)
class ThresholdCounts:
    """Images at one threshold of one class: an image *reaches* it where the score is as high.

    Attributes:
        of_class: images that truly are of the class.
        others: images that are not.
        found: of the class, that reach it.
        false_alarms: of the others, that reach it.

    Raises:
        ValueError: parts that are more than the whole.
    """

    of_class: int
    others: int
    found: int
    false_alarms: int

    def __post_init__(self) -> None:
        if not (0 <= self.found <= self.of_class and 0 <= self.false_alarms <= self.others):
            raise ValueError("more images reach the threshold than there are")

    @property
    def images(self) -> int:
        return self.of_class + self.others

    @property
    def reached(self) -> int:
        """Images that reach the threshold."""
        return self.found + self.false_alarms

    def part(self, measure: Measure) -> tuple[int, int]:
        """The two numbers whose ratio recall or precision is."""
        return self.found, self.of_class if measure == "recall" else self.reached


@dataclass(frozen=True)
class ClassThreshold:
    """The score from which an image is taken for a class.

    Attributes:
        threshold: the least such score, in the model's own scores.
        measure, share: what it was chosen for, such as a recall of 0.95.
        chosen_on: the images that it was chosen on, where it reaches that share.
        evaluated_on: others.
        chosen_with: name, in its card, of the model whose scores these were; a file converted from
            it has the same threshold, and other scores.
    """

    threshold: float
    measure: Measure
    share: float
    chosen_on: ThresholdCounts
    evaluated_on: ThresholdCounts
    chosen_with: str = ""

    def reached_by(self, score: float) -> bool:
        """Whether an image of this score is taken for the class."""
        return score >= self.threshold


def counts_at(
    scores: NDArray[np.float32], positive: NDArray[np.bool_], threshold: float
) -> ThresholdCounts:
    """Count the images that reach a threshold: scores and truth of one class, (images,) each."""
    reached = scores.astype(np.float64) >= threshold
    of_class = int(positive.sum())
    found = int((reached & positive).sum())
    return ThresholdCounts(of_class, len(positive) - of_class, found, int(reached.sum()) - found)


def thresholds_from_json(raw: Any, labels: Sequence[str]) -> dict[str, ClassThreshold]:
    """The ``thresholds`` of a card; none where it does not say, as in cards of before.

    Raises:
        KeyError, TypeError, ValueError: damaged, or of a class that the labels do not name once.
    """
    if raw is None:
        return {}
    found = {}
    for name, entry in _of(dict, raw).items():
        if list(labels).count(name) != 1:
            raise ValueError(f"a threshold of {name!r}, which is not one of the labels")
        threshold, share = _number(entry["threshold"]), _number(entry["share"])
        if entry["measure"] not in MEASURES or not 0 < share <= 1:
            raise ValueError(f"a threshold for a {entry['measure']!r} of {share:g}")
        found[name] = ClassThreshold(
            threshold,
            cast(Measure, entry["measure"]),
            share,
            _counts(entry["chosen_on"]),
            _counts(entry["evaluated_on"]),
            _of(str, entry["chosen_with"]),
        )
    return found


def _counts(raw: Mapping[str, Any]) -> ThresholdCounts:
    keys = ("of_class", "others", "found", "false_alarms")
    return ThresholdCounts(*(_of(int, raw[key]) for key in keys))


def _number(value: Any) -> float:
    number = float(_of((int, float), value))
    if not math.isfinite(number):
        raise ValueError(f"{value!r} in a place for a number")
    return number


def _of(kind: type | tuple[type, ...], value: Any) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{str(value)[:40]!r} in a place for something else")
    return value
