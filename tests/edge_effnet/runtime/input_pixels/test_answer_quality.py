"""What chance explains of a network's answers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_effnet.heads.head import Head
from edge_effnet.runtime.input_pixels.answer_quality import (
    beats_one_answer,
    p_no_better,
    p_unrelated,
)

RANDOM = np.random.default_rng(5)
CLASSES = RANDOM.permutation(np.arange(60) % 3)


def answers(right: float, truth: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Scores that are right of such a share, and else any class."""
    said = np.where(RANDOM.random(len(truth)) < right, truth, RANDOM.integers(0, classes, 60))
    return np.asarray(0.1 + 0.8 * np.eye(classes)[said], np.float32)


def test_chance_explains_few_photos() -> None:
    assert p_no_better(np.ones(4), np.zeros(4)) > 0.04
    assert p_no_better(np.ones(20), np.zeros(20)) < 0.001
    assert p_no_better(np.zeros(20), np.zeros(20)) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["softmax", "multilabel", "regression"])
def test_the_answers_of_an_untrained_network_are_chance(kind: str) -> None:
    head = Head(kind, 3)
    truth = CLASSES if kind == "softmax" else np.eye(3)[CLASSES]
    truth = truth.astype(np.bool_) if kind == "multilabel" else truth
    seen = [p_unrelated(head, answers(0, CLASSES, 3), truth) for _ in range(20)]
    assert min(seen) > 0.001
    assert np.median(seen) > 0.2
    assert p_unrelated(head, np.full((60, 3), 0.4, np.float32), truth) == 1
    assert p_unrelated(head, answers(0.8, CLASSES, 3), truth) < 0.001


def test_two_of_ten_classes_are_enough() -> None:
    """Right less often than the commonest answer would be, and yet far beyond chance."""
    few = 3 + 4 * (np.arange(60) % 2)
    scores = answers(0.35, few, 10)
    assert (scores.argmax(axis=1) == few).mean() < 0.5
    assert p_unrelated(Head("softmax", 10), scores, few) < 0.001
    assert beats_one_answer(Head("softmax", 10), scores, few)


def test_one_and_the_same_answer_is_what_labels_and_values_are_held_against() -> None:
    labels = Head("multilabel", 4)
    rare = np.eye(4)[np.arange(60) % 4] == 1
    assert not beats_one_answer(labels, np.full((60, 4), 0.1, np.float32), rare)
    assert beats_one_answer(labels, 0.1 + 0.8 * rare.astype(np.float32), rare)
    value = Head("regression", 1)
    truth = RANDOM.normal(10, 2, (60, 1))
    near = truth.astype(np.float32) + 1
    assert beats_one_answer(value, near, truth)
    # Half the photos are nearer to this than to their mean, which says nothing.
    assert not beats_one_answer(value, np.full((60, 1), 10.1, np.float32), truth)
