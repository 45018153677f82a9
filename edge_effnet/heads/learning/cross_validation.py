"""How right a taught network is on images it has not seen, from the images it is taught with.

Cross-validation over groups: images that show the same thing (near-duplicates, frames of one
burst) are learned from together or asked about together. Each image is asked about once, by a layer
that was learned without its group, and held against mean features without it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array, bincount
from edge_effnet.heads.learning.softmax_regression import Problem, fit, problem_of, unit
from edge_effnet.heads.unknown import Unknown

FOLDS = 5
DECAYS = (1e-2, 1e-3, 1e-4)
LOST_SHARE = 0.05
"""Of images of the classes that may be answered "unknown", where nobody says otherwise."""
_HALF = 0.5

Labels = NDArray[np.int64]
_Known = TypeVar("_Known", bound=np.generic)
Which = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TaughtImages:
    """Images to learn from.

    Attributes:
        features: float32 (images, views, width), as the network gives them.
        labels: (images,), 0 to ``classes`` - 1.
        group: (images,), the same number for what must not be parted.
    """

    features: Float32Array
    labels: Labels
    group: Labels
    classes: int

    @cached_property
    def asked(self) -> Float32Array:
        """Unit features of the view that the network is asked about, (images, width)."""
        return unit(self.features[:, 0])

    @cached_property
    def problem(self) -> Problem:
        """All views, one after the other."""
        images, views, width = self.features.shape
        return problem_of(unit(self.features.transpose(1, 0, 2).reshape(images * views, width)))

    @property
    def views(self) -> int:
        return int(self.features.shape[1])

    def all_views(self, each: NDArray[_Known]) -> NDArray[_Known]:
        """What is known of each image, for all its views in ``problem``."""
        return np.tile(each, self.views)


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What cross-validation found.

    Attributes:
        scores: (images, classes), by a layer that was learned without the image's group; zeros
            where that was not possible.
        similarity: (images,), the largest to mean features without the image's group.
        evaluated: (images,), of bool: a class of one group alone cannot be evaluated.
        decay: the one whose layers had the least cross-entropy.
        half_right: share that is right where half as many images are learned from; None where
            that leaves a class without any.
    """

    scores: Float32Array
    similarity: Float32Array
    evaluated: Which
    decay: float
    half_right: float | None


def mean_features(features: Float32Array, labels: Labels, classes: int) -> Float32Array:
    """Unit features that stand for each class, (classes, width): those of their mean.

    Args:
        features: unit, (images, width).
    """
    sums = np.zeros((classes, features.shape[1]), np.float64)
    np.add.at(sums, labels, features)
    return unit(sums.astype(np.float32))


def folds_of(labels: Labels, group: Labels, seed: int) -> Labels:
    """The fold of each image, (images,): groups stay whole, each class is spread over the folds.

    A class with one group alone has -1: it is learned from in every fold.
    """
    random, fold = np.random.default_rng(seed), np.full(len(labels), -1, np.int64)
    of_class: dict[int, list[int]] = defaultdict(list)
    for number in np.unique(group):
        of_class[int(bincount(labels[group == number]).argmax())].append(int(number))
    begin = 0
    for members in of_class.values():
        if len(members) < 2:
            continue
        for place, index in enumerate(random.permutation(len(members))):
            fold[group == members[index]] = (begin + place) % FOLDS
        begin += len(members)
    return fold


def cross_validate(images: TaughtImages, seed: int) -> CrossValidation:
    """How right layers are that are learned from images; see ``CrossValidation``."""
    fold = folds_of(images.labels, images.group, seed)
    evaluated = fold >= 0
    decay = choose_decay(images, fold)
    scores = _out_of_fold(images, fold, decay)
    similarity = np.zeros(len(fold), np.float32)
    for number in np.unique(fold[evaluated]):
        out = fold == number
        means = mean_features(images.asked[~out], images.labels[~out], images.classes)
        similarity[out] = (images.asked[out] @ means.T).max(axis=1)
    return CrossValidation(
        scores, similarity, evaluated, decay, _half_right(images, fold, decay, seed)
    )


def choose_decay(images: TaughtImages, fold: Labels) -> float:
    """The decay whose layers have the least cross-entropy on images that they did not learn from.

    Args:
        fold: see ``folds_of``.
    """
    return min(DECAYS, key=lambda one: _cross_entropy(images, fold, one))


def _out_of_fold(
    images: TaughtImages, fold: Labels, decay: float, kept: Which | None = None
) -> Float32Array:
    """Args: kept: images that may be learned from."""
    scores = np.zeros((len(fold), images.classes), np.float32)
    for number in np.unique(fold[fold >= 0]):
        out = fold == number
        learned = ~out if kept is None else ~out & kept
        layer = fit(
            images.problem,
            images.all_views(images.labels),
            images.classes,
            decay,
            images.all_views(learned),
        )
        scores[out] = layer.scores(images.asked[out])
    return scores


def _cross_entropy(images: TaughtImages, fold: Labels, decay: float) -> float:
    """Of layers learned from one view alone, which is quick, and tells decays apart as well."""
    problem, total = problem_of(images.asked), 0.0
    for number in np.unique(fold[fold >= 0]):
        out = fold == number
        layer = fit(problem, images.labels, images.classes, decay, ~out)
        right = layer.scores(images.asked[out])[np.arange(out.sum()), images.labels[out]]
        total -= float(np.log(np.maximum(right, 1e-9)).sum())
    return total


def _half_right(images: TaughtImages, fold: Labels, decay: float, seed: int) -> float | None:
    random, kept = np.random.default_rng(seed + 1), np.zeros(len(fold), np.bool_)
    for label in range(images.classes):
        members = np.flatnonzero(images.labels == label)
        half = math.ceil(_HALF * len(members))
        kept[random.permutation(members)[:half]] = True
    evaluated = fold >= 0
    for number in np.unique(fold[evaluated]):
        if len(np.unique(images.labels[kept & (fold != number)])) < images.classes:
            return None
    if not evaluated.any():
        return None
    scores = _out_of_fold(images, fold, decay, kept)
    return float((scores.argmax(axis=1) == images.labels)[evaluated].mean())


def unknown_rule(similarity: Float32Array, lost_share: float) -> Unknown:
    """The threshold under which an image is unknown.

    The k-th lowest of n values lies above k / (n + 1) of others like them on average (order
    statistics); k is the largest for which that is no more than ``lost_share``, and 1 at least.

    Args:
        similarity: the largest of each image to mean features that it is no part of, (images,);
            of one image at least.
        lost_share: of images like these that may lie under it.
    """
    found = np.sort(similarity)
    place = max(1, int(lost_share * (len(found) + 1)))
    return Unknown(float(found[place - 1]), lost_share, len(found))
