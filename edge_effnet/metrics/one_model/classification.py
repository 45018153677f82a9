"""How good one classifier is on images whose classes are known.

Every function takes ``scores`` (images x classes; higher is more likely) or ``answers`` (the
index of the class answered for each image) with ``truth`` (the index of the true class).

Ties are decided by the stable order everywhere: of two equal scores the class with the lower
index comes first. int8 softmax ties often (it knows 256 values), and counting a tied class as
"among the first five" whenever it could be would flatter the quantized model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float64Array, bincount

Scores = NDArray[np.float32]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

ECE_BINS = 15


def top_answers(scores: Scores, count: int) -> Indices:
    """The ``count`` best classes of each image, best first: images x min(count, classes)."""
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.asarray(order[:, :count], np.int64)


def ranks(scores: Scores, truth: Indices) -> Indices:
    """Place of the true class among an image's scores: 0 is the best. One per image."""
    own = scores[np.arange(len(truth)), truth][:, None]
    earlier = np.arange(scores.shape[1])[None, :] < truth[:, None]
    before = (scores > own) | ((scores == own) & earlier)
    return np.asarray(before.sum(axis=1), np.int64)


def top_k_percent(scores: Scores, truth: Indices, k: int) -> float:
    """Share of images whose true class is among the ``k`` best answers, in percent."""
    return 100 * int(np.count_nonzero(ranks(scores, truth) < k)) / len(truth)


@dataclass(frozen=True)
class Confusion:
    """What was answered for what, without the zeros.

    Attributes:
        cells: one (true class, answered class, images) for each pair that occurs, ordered.
        classes: number of classes the model knows.
    """

    cells: tuple[tuple[int, int, int], ...]
    classes: int

    def dense(self) -> Indices:
        """The whole matrix, classes x classes; rows are true classes."""
        matrix = np.zeros((self.classes, self.classes), np.int64)
        for true, answered, images in self.cells:
            matrix[true, answered] = images
        return matrix

    def mistakes(self) -> list[tuple[int, int, int]]:
        """The cells off the diagonal, the most frequent first."""
        wrong = [cell for cell in self.cells if cell[0] != cell[1]]
        return sorted(wrong, key=lambda cell: (-cell[2], cell))


def confusion(answers: Indices, truth: Indices, classes: int) -> Confusion:
    """Count (true class, answered class) pairs; with 1000 classes most of them are zero."""
    pairs, images = np.unique(truth * classes + answers, return_counts=True)
    cells = tuple(
        (int(pair) // classes, int(pair) % classes, int(count))
        for pair, count in zip(pairs, images, strict=True)
    )
    return Confusion(cells, classes)


@dataclass(frozen=True)
class PerClass:
    """Figures of each class; arrays of length classes, shares 0–1, NaN where undefined.

    Attributes:
        support: images that truly are of the class.
        answered: images for which the class was answered.
        correct: images of the class that were answered so.
    """

    support: Indices
    answered: Indices
    correct: Indices

    @property
    def recall(self) -> Float64Array:
        """Of the images of the class, the share found; NaN without such images."""
        return _ratio(self.correct, self.support)

    @property
    def precision(self) -> Float64Array:
        """Of the answers "this class", the share that was right; NaN where never answered."""
        return _ratio(self.correct, self.answered)

    @property
    def f1(self) -> Float64Array:
        """Harmonic mean of both: 2 correct / (support + answered); NaN where both are 0."""
        return _ratio(2 * self.correct, self.support + self.answered)

    @property
    def seen(self) -> Indices:
        """The classes that occur, as truth or as answer."""
        return np.flatnonzero(self.support + self.answered)

    def to_json(self, labels: Sequence[str]) -> list[dict[str, Any]]:
        """One entry for each class that occurs; shares 0–1, null where undefined."""
        shares = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return [
            {
                "class": int(index),
                "label": labels[index],
                "support": int(self.support[index]),
                "answered": int(self.answered[index]),
                "correct": int(self.correct[index]),
                **{
                    name: None if math.isnan(share[index]) else float(share[index])
                    for name, share in shares.items()
                },
            }
            for index in self.seen
        ]


def per_class(answers: Indices, truth: Indices, classes: int) -> PerClass:
    """Support, answers and correct answers of each class."""
    return PerClass(
        support=bincount(truth, minlength=classes),
        answered=bincount(answers, minlength=classes),
        correct=bincount(truth[answers == truth], minlength=classes),
    )


def balanced_accuracy_percent(figures: PerClass) -> float:
    """Mean recall of the classes that have images: a rare class weighs as much as a common one.

    Source: Brodersen et al. 2010, "The balanced accuracy and its posterior distribution".
    """
    return 100 * float(np.mean(figures.recall[figures.support > 0]))


def are_probabilities(scores: Scores) -> bool:
    """Whether scores can be read as probabilities: within 0–1, summing to about 1.

    Softmax in 8 bits rounds each score to 1/256, so that many small ones are lost and a row
    of 1000 classes may sum to well under 1; logits and per-class sigmoids are what must fail.
    """
    if scores.size == 0 or scores.min() < 0 or scores.max() > 1 + 1e-3:
        return False
    return bool(0.5 <= np.median(scores.sum(axis=1)) <= 1.5)


def expected_calibration_error(scores: Scores, truth: Indices, bins: int = ECE_BINS) -> float:
    """Mean gap between confidence and accuracy, 0–1: 0.05 = confidence is off by 5 points.

    Images are sorted into ``bins`` equal ranges (lower, upper] of the best score; each bin's
    |accuracy - mean confidence| counts by its share of the images.
    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3.
    """
    confidence = scores.max(axis=1).astype(np.float64)
    right = scores.argmax(axis=1) == truth
    bins_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gap = bincount(bins_of, right, bins) - bincount(bins_of, confidence, bins)
    return float(np.abs(gap).sum() / len(truth))


def chance_percent(answers: Indices, truth: Indices, classes: int) -> float:
    """Accuracy to be expected if the answers had nothing to do with the images, in percent.

    Sum over classes of share(true) x share(answered), the expected agreement of Cohen's kappa
    (Cohen 1960): a model that always answers the commonest class is at chance too. With one
    true class that figure says nothing, and 1 / classes is used.
    """
    true = bincount(truth, minlength=classes) / len(truth)
    if np.count_nonzero(true) < 2:
        return 100 / classes
    answered = bincount(answers, minlength=classes) / len(answers)
    return 100 * float(true @ answered)


def guess_percent(truth: Indices, classes: int) -> float:
    """Accuracy of always answering the commonest true class, in percent."""
    return 100 * float(bincount(truth, minlength=classes).max()) / len(truth)


def _ratio(part: Indices, total: Indices) -> Float64Array:
    undefined = np.full(len(total), np.nan)
    return np.asarray(np.divide(part, total, out=undefined, where=total > 0), np.float64)
