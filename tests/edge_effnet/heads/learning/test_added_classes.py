"""Classes that are added later take no images of those known before."""

from __future__ import annotations

import numpy as np
import pytest

from edge_effnet.arrays import Float32Array
from edge_effnet.heads.learning.added_classes import (
    MOST_LOST_SHARE,
    lowered_by,
    with_lowered,
)
from edge_effnet.heads.learning.softmax_regression import LinearClassifier, softmax

OLD, NEW = 0, 1


def scores(*margins: float) -> Float32Array:
    """Of two classes: so much is the second one's logit above the first one's."""
    return softmax(np.array([[0.0, margin] for margin in margins]))


def lowered(found: Float32Array, truth: list[int]) -> float:
    evaluated = np.ones(len(truth), np.bool_)
    return float(lowered_by(found, np.array(truth), evaluated, [NEW])[NEW])


def test_nothing_is_lowered_where_nothing_is_taken() -> None:
    assert lowered(scores(-3, -0.1, 0.1, 4), [OLD, OLD, NEW, NEW]) == 0


def test_images_that_were_taken_come_back() -> None:
    found = scores(-3, 0.5, *[4.0] * 20)
    truth = [OLD, OLD, *[NEW] * 20]
    by = lowered(found, truth)
    assert by == pytest.approx(0.5, abs=0.01)
    right = with_lowered(found, np.array([0, by], np.float32)).argmax(axis=1) == truth
    assert right.all()


def test_no_more_of_its_own_images_are_lost_than_it_bears() -> None:
    own = np.linspace(0.1, 2, 20)
    found, truth = scores(3.0, *own), [OLD, *[NEW] * 20]
    answers = with_lowered(found, np.array([0, lowered(found, truth)], np.float32)).argmax(axis=1)
    assert (answers[1:] == OLD).sum() == int(MOST_LOST_SHARE * 20)


def test_a_class_that_could_not_be_evaluated_stays() -> None:
    none = np.zeros(2, np.bool_)
    assert not lowered_by(scores(3, 3), np.array([OLD, NEW]), none, [NEW]).any()


def test_classes_that_were_there_first_stay() -> None:
    every = np.ones(2, np.bool_)
    assert not lowered_by(scores(3, 3), np.array([OLD, NEW]), every, []).any()


def test_scores_are_those_of_the_lowered_layer() -> None:
    random = np.random.default_rng(0)
    layer = LinearClassifier(
        random.normal(size=(3, 5)).astype(np.float32), random.normal(size=3).astype(np.float32)
    )
    features, by = random.normal(size=(7, 5)).astype(np.float32), np.array([0, 0.7, 0], np.float32)
    np.testing.assert_allclose(
        with_lowered(layer.scores(features), by), layer.lowered(by).scores(features), rtol=1e-5
    )
    assert not with_lowered(np.zeros((2, 3), np.float32), by).any()
