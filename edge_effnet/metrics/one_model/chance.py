"""Whether a model's answers are right more often than by chance, and why not, where they are not.

Everything here is about *answers* and *truth*, either classes, int64 (images,), or several labels
each, bool (images, labels). What chance gives is found by shuffling the truth among the images:
each class keeps its number of images and each answer its number of times, so that 98 images of
one class and 2 of another ask for as much as 50 of each.

Labels in another order leave answers that go with the classes, under other names. Images
prepared otherwise leave answers that do not: often one for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float64Array, bincount
from edge_effnet.metrics.one_model.rare_classes import name_some
from edge_effnet.metrics.predictions import Predictions

# The usual level. "No better than chance" is what a missing proof suggests, not a proof itself,
# so a stricter level would accuse weak models.
SIGNIFICANCE = 0.05
LEAST_IMAGES = 20
PERMUTATIONS = 199
# Nothing is said of a model that may know so much of what there is between chance and perfect.
_KNOWS_SHARE = 0.5

_RENAMINGS = 39  # shuffles, of a test that takes longer
# Answers are one and the same where others have so small a share of what truth leaves them.
_COLLAPSED_SHARE = 0.25


def no_association(answers: NDArray[Any], truth: NDArray[Any], *, seed: int = 0) -> bool:
    """Whether nothing shows that a model is right more often than by chance, and would.

    True where two things hold. A one-sided permutation test finds no more right answers (of
    several labels: right decisions) than shuffled truth leaves by chance, p > ``SIGNIFICANCE``.
    And the mean recall, by as much as it varies by chance, stays nearer to chance than to
    perfect: 14 right of 20 are not proven to be better than chance, but no sign of it either.
    A model that always answers the same is at chance; one whose answers are exchanged is too.

    False, which claims nothing, for fewer than ``LEAST_IMAGES`` images, for images of one class
    only, and wherever shuffling alone makes a perfect model with ``SIGNIFICANCE``.

    Source: Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", chapter 3; p as
    Phipson and Smyth 2010, "Permutation P-values should never be zero". Where Cantelli's
    inequality with the exact moments of Hoeffding 1951, "A combinatorial central limit theorem",
    decides, nothing is shuffled.
    """
    if len(truth) < LEAST_IMAGES or _perfect_by_chance(truth) > SIGNIFICANCE:
        return False
    found = _tally(answers, truth)
    excess = found.hits.sum() - found.mean_hits
    if excess > 0 and found.variance <= SIGNIFICANCE * (found.variance + excess**2):
        return False
    random = np.random.default_rng(seed)
    shuffled = np.array(
        [_hits(answers, random.permutation(truth), len(found.hits)) for _ in range(PERMUTATIONS)]
    )
    as_good = np.count_nonzero(shuffled.sum(axis=1) >= found.hits.sum())
    if 1 + as_good <= SIGNIFICANCE * (1 + PERMUTATIONS):
        return False
    recalls = found.recall_offset + shuffled @ found.recall_weights
    expected = float(recalls.mean())
    within = float(np.quantile(recalls, 1 - SIGNIFICANCE, method="higher")) - expected
    recall = found.recall_offset + float(found.hits @ found.recall_weights)
    return recall + within < expected + _KNOWS_SHARE * (found.perfect_recall - expected)


def likely_cause(predictions: Predictions) -> str:
    """``cause_of_chance`` of a model that is known to be at chance.

    Raises:
        ValueError: the truth is not known.
    """
    if predictions.truth is None:
        raise ValueError("chance is about the true classes")
    answers = predictions.decisions if predictions.task == "labels" else predictions.answers
    return cause_of_chance(answers, predictions.truth, predictions.label_names)


def cause_of_chance(answers: NDArray[Any], truth: NDArray[Any], names: Sequence[str]) -> str:
    """What to look at first, and what then, in words; the model is known to be at chance.

    Says that labels are in another order only where the best renaming of the answers gets more
    right than shuffled truth, p <= ``SIGNIFICANCE``, and half of what there is to know. The
    renaming pairs true and answered classes, the commonest pairs first.

    Args:
        names: one for each class or label.
    """
    images = len(truth)
    same, most = _commonest(answers)
    if images - most < _COLLAPSED_SHARE * (images - _commonest(truth)[1]):
        said = name_some([repr(names[index]) for index in same]) or "no label"
        return (
            f"it answers {said} to {100 * most / images:.0f} % of them, which no order of the "
            "labels explains: most likely the images are prepared otherwise than in its training "
            "(--preprocess), or it was trained on so uneven classes that one answer was enough"
        )
    pairs = best_renaming(answers, truth)
    right, total = _images(pairs), images if truth.ndim == 1 else int(truth.sum())
    random = np.random.default_rng(0)
    by_chance = np.array(
        [_images(best_renaming(answers, random.permutation(truth))) for _ in range(_RENAMINGS)]
    )
    proven = 1 + np.count_nonzero(by_chance >= right) <= SIGNIFICANCE * (1 + _RENAMINGS)
    expected = float(by_chance.mean())
    enough, within = _KNOWS_SHARE * (total - expected), float(by_chance.max()) - expected
    if not proven and (
        right - expected + within >= enough
        or _perfect_by_chance(truth, renamed=True) > SIGNIFICANCE
    ):
        return (
            "whether the labels are in another order than the model's (--labels) or the images are "
            "prepared otherwise than in its training (--preprocess) cannot be told from so few "
            "images of each class"
        )
    if not proven:
        return (
            "its answers go with the classes in no order of the labels: most likely the images are "
            "prepared otherwise than in its training (--preprocess), show something else than it "
            "was trained on, or it is not trained"
        )
    of_all = "% would be right" if truth.ndim == 1 else "% of the labels would be found"
    renamed = f"with its answers renamed {100 * right / total:.0f} {of_all}"
    if right - expected < enough:
        return (
            f"its answers go with the classes a little, under other names: {renamed}, "
            f"{100 * expected / total:.0f} % by chance; either the images are prepared otherwise "
            "than in its training (--preprocess) or the labels are in another order than the "
            "model's (--labels)"
        )
    true, answered, count = pairs[0]
    of = int(np.count_nonzero(truth == true if truth.ndim == 1 else truth[:, true]))
    return (
        f"most likely the labels are in another order than the model's (--labels): {renamed} "
        f"({names[true]!r} is answered {names[answered]!r} {count} times of {of}); less likely "
        "the preprocessing is not that of its training (--preprocess)"
    )


@dataclass(frozen=True)
class _Tally:
    """Right answers, and what shuffling the truth leaves of them.

    Attributes:
        hits: images of each class that are answered so; of each label, that have it and get it.
        mean_hits, variance: of all hits together, when the truth is shuffled.
        recall_offset, recall_weights: offset + hits @ weights is the sum of recalls: of classes
            that occur; of labels that vary, of yes and no.
        perfect_recall: that sum where everything is right.
    """

    hits: Float64Array
    mean_hits: float
    variance: float
    recall_offset: float
    recall_weights: Float64Array
    perfect_recall: float


def _tally(answers: NDArray[Any], truth: NDArray[Any]) -> _Tally:
    images = len(truth)
    if truth.ndim == 1:
        classes = 1 + int(max(answers.max(), truth.max()))
        given = bincount(answers, minlength=classes).astype(np.float64)
        true = bincount(truth, minlength=classes).astype(np.float64)
        both = given * true
        spread = both.sum() - (both @ (given + true)) / images + (both.sum() / images) ** 2
        seen = true > 0
        offset, perfect = 0.0, float(seen.sum())
        weights = np.where(seen, 1 / np.maximum(true, 1), 0.0)
    else:
        given, true = answers.sum(axis=0).astype(np.float64), truth.sum(axis=0).astype(np.float64)
        both = given * true
        one, other = (
            flags.astype(np.float64).T @ flags.astype(np.float64) - np.outer(sums, sums) / images
            for flags, sums in ((answers, given), (truth, true))
        )
        spread = (one * other).sum()
        seen, false = (true > 0) & (true < images), np.maximum(images - true, 1)
        offset = float(((images - given - true) / false)[seen].sum())
        weights = np.where(seen, 1 / np.maximum(true, 1) + 1 / false, 0.0)
        perfect = 2.0 * float(seen.sum())
    return _Tally(
        hits=_hits(answers, truth, len(true)),
        mean_hits=float(both.sum()) / images,
        variance=max(0.0, float(spread)) / (images - 1),
        recall_offset=offset,
        recall_weights=weights,
        perfect_recall=perfect,
    )


def _hits(answers: NDArray[Any], truth: NDArray[Any], classes: int) -> Float64Array:
    if truth.ndim == 1:
        return bincount(truth[answers == truth], minlength=classes).astype(np.float64)
    return np.asarray(np.count_nonzero(answers & truth, axis=0), np.float64)


def _perfect_by_chance(truth: NDArray[Any], *, renamed: bool = False) -> float:
    """Probability that shuffling leaves each image its own class, or the same under new names.

    The product of (images of the class)! over (images)!, for each way to rename classes of equal
    size.
    """
    _, alike = np.unique(truth, axis=0, return_counts=True)
    logs = sum(math.lgamma(count + 1) for count in alike.tolist()) - math.lgamma(len(truth) + 1)
    if renamed:
        sizes = alike if truth.ndim == 1 else truth.sum(axis=0)
        _, equal = np.unique(sizes, return_counts=True)
        logs += sum(math.lgamma(count + 1) for count in equal.tolist())
    return math.exp(min(0.0, logs))


def _commonest(answers: NDArray[Any]) -> tuple[list[int], int]:
    """The class or labels of the answer given most often, and the images that get it."""
    kinds, counts = np.unique(answers, axis=0, return_counts=True)
    most = kinds[counts.argmax()]
    said = [int(most)] if answers.ndim == 1 else np.flatnonzero(most).tolist()
    return said, int(counts.max())


def _images(pairs: list[tuple[int, int, int]]) -> int:
    return sum(count for _, _, count in pairs)


def best_renaming(answers: NDArray[Any], truth: NDArray[Any]) -> list[tuple[int, int, int]]:
    """(true class, answered class, images), each class once on either side: the commonest
    pairs first, as long as both sides are free."""
    if truth.ndim == 1:
        classes = 1 + int(max(answers.max(), truth.max()))
        cells, counts = np.unique(truth * classes + answers, return_counts=True)
    else:
        classes = truth.shape[1]
        # In float32, whose matrix product is fast; exact below 2^24 images.
        together = truth.astype(np.float32).T @ answers.astype(np.float32)
        cells, counts = np.flatnonzero(together), together[together > 0].astype(np.int64)
    order = np.argsort(-counts, kind="stable")
    given, taken, pairs = set[int](), set[int](), []
    true_of, answered_of = (cells // classes)[order].tolist(), (cells % classes)[order].tolist()
    for true, answered, count in zip(true_of, answered_of, counts[order].tolist(), strict=True):
        if true not in given and answered not in taken:
            given.add(true)
            taken.add(answered)
            pairs.append((true, answered, count))
    return pairs
