"""Confident learning: which labels are likely wrong."""

from __future__ import annotations

import numpy as np
import pytest

from edge_effnet.metrics.one_model.label_errors import likely_classes, margins


def test_an_image_above_another_class_s_threshold_is_likely_of_that() -> None:
    """The thresholds are 0.7 of class 0, (0.9 + 0.7 + 0.2) / 3 = 0.6 of class 1."""
    first = np.array([0.8, 0.6, 0.1, 0.3, 0.8], np.float32)
    labels = np.array([0, 0, 1, 1, 1])
    scores = np.stack([first, 1 - first], axis=1)
    assert likely_classes(scores, labels).tolist() == [0, -1, 1, 1, 0]
    np.testing.assert_allclose(margins(scores, labels), [0.6, 0.2, 0.8, 0.4, -0.6], atol=1e-6)


def test_a_class_that_no_image_is_labelled_with_is_suggested_to_none() -> None:
    scores = np.array([[0.1, 0.1, 0.8], [0.6, 0.3, 0.1]], np.float32)
    assert 2 not in likely_classes(scores, np.array([0, 1]))


@pytest.mark.parametrize("classes", [2, 5, 20])
def test_exchanged_labels_of_a_good_model_are_found(classes: int) -> None:
    random = np.random.default_rng(classes)
    true = np.arange(60 * classes) % classes
    scores = (0.4 * random.dirichlet(np.full(classes, 0.3), len(true))).astype(np.float32)
    scores[np.arange(len(true)), true] += np.float32(0.6)
    wrong = random.random(len(true)) < 0.1
    moved = (true + random.integers(1, classes, len(true))) % classes
    labels = np.where(wrong, moved, true)
    likely = likely_classes(scores, labels)
    suspected = (likely >= 0) & (likely != labels)
    assert (suspected & wrong).sum() / suspected.sum() > 0.9
    assert suspected[wrong].mean() > 0.5
    assert (likely == true)[suspected & wrong].mean() > 0.95
    assert (margins(scores, labels)[suspected] < 0).all()
