"""Each image is asked about by a layer that has not learned from its group."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_effnet.heads.learning.cross_validation import (
    FOLDS,
    TaughtImages,
    cross_validate,
    folds_of,
    mean_features,
    unknown_rule,
)
from edge_effnet.heads.learning.softmax_regression import unit


def _images(per_class: int, classes: int, *, noise: float = 0.3, seed: int = 0) -> TaughtImages:
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes, dtype=np.int64), per_class)
    centres = random.normal(size=(classes, 40))
    drawn = centres[labels][:, None] + noise * random.normal(size=(len(labels), 2, 40))
    return TaughtImages(drawn.astype(np.float32), labels, np.arange(len(labels)), classes)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=60),
    st.integers(0, 9),
)
def test_a_group_is_in_one_fold_and_a_class_of_one_group_in_none(
    images: list[tuple[int, int]], seed: int
) -> None:
    labels = np.array([label for label, _ in images], np.int64)
    group = np.array([10 * label + number for label, number in images], np.int64)
    fold = folds_of(labels, group, seed)
    assert fold.min() >= -1
    assert fold.max() < FOLDS
    for number in np.unique(group):
        assert len(np.unique(fold[group == number])) == 1
    for label in np.unique(labels):
        own = fold[labels == label]
        assert (own == -1).all() == (len(np.unique(group[labels == label])) == 1)


def test_classes_that_lie_apart_are_told_apart() -> None:
    images = _images(12, 3)
    validation = cross_validate(images, seed=0)
    assert validation.evaluated.all()
    assert (validation.scores.argmax(axis=1) == images.labels).mean() > 0.95
    assert validation.half_right is not None
    assert validation.half_right > 0.9


def test_copies_of_an_image_cannot_answer_for_it() -> None:
    """Labels without meaning: who learns from a copy is right, who does not is at chance."""
    random = np.random.default_rng(3)
    base = random.normal(size=(30, 1, 40)).astype(np.float32)
    labels = np.tile(np.arange(2, dtype=np.int64), 15)
    twice = np.concatenate([base, base])
    both = np.concatenate([labels, labels])
    known = TaughtImages(twice, both, np.tile(np.arange(30), 2), 2)
    ignored = TaughtImages(twice, both, np.arange(60), 2)
    right = [
        (cross_validate(one, seed=0).scores.argmax(axis=1) == both).mean()
        for one in (known, ignored)
    ]
    assert right[0] < 0.75
    assert right[1] > 0.9


def test_a_class_of_one_image_is_learned_and_not_evaluated() -> None:
    images = _images(6, 2)
    labels = np.append(images.labels, 2)
    lone = np.concatenate([images.features, np.ones((1, 2, 40), np.float32)])
    validation = cross_validate(TaughtImages(lone, labels, np.arange(13), 3), seed=0)
    assert validation.evaluated.tolist() == [True] * 12 + [False]


def test_the_rule_loses_the_share_it_was_asked_for_and_refuses_other_things() -> None:
    images = _images(40, 3)
    validation = cross_validate(images, seed=0)
    rule = unknown_rule(validation.similarity, 0.05)
    assert rule.images == 120
    assert (validation.similarity < rule.threshold).mean() <= 0.05
    means = mean_features(images.asked, images.labels, 3)
    others = unit(np.random.default_rng(9).normal(size=(200, 40)).astype(np.float32))
    assert ((others @ means.T).max(axis=1) < rule.threshold).mean() > 0.95


def test_of_one_image_each_nothing_is_evaluated() -> None:
    assert not cross_validate(_images(1, 3), seed=0).evaluated.any()


def test_of_other_images_of_the_classes_the_share_asked_for_is_lost_on_average() -> None:
    random = np.random.default_rng(4)
    lost = []
    for _ in range(400):
        values = np.tanh(random.normal(size=560)).astype(np.float32)
        chosen, others = values[:60], values[60:]
        lost.append((others < unknown_rule(chosen, 0.05).threshold).mean())
    assert 0.045 < np.mean(lost) <= 0.053
