"""Smoothing and thresholds: what is made of scores."""

from __future__ import annotations

import numpy as np
import pytest

from edge_effnet.camera.answers import (
    NONE,
    UNKNOWN,
    Smoother,
    decide,
    with_threshold,
)
from edge_effnet.heads.head import Head

LABELS = ("stop", "turn left", "go")


ONE_OF_THREE = Head("softmax", 3)


STOP, GO = np.array([1, 0, 0], np.float32), np.array([0, 0, 1], np.float32)


@pytest.mark.parametrize("fps", [5.0, 60.0])
def test_smoothing_follows_time_and_not_frames(fps: float) -> None:
    smoother = Smoother(0.5)
    smoother.add(STOP, 0.0)
    scores = STOP
    for number in range(1, round(fps) + 1):
        scores = smoother.add(GO, number / fps)
    assert scores[0] == pytest.approx(np.exp(-1 / 0.5), rel=1e-3)  # after one second
    assert scores.sum() == pytest.approx(1, rel=1e-5)


def test_without_smoothing_scores_pass_unchanged() -> None:
    smoother = Smoother(0)
    smoother.add(STOP, 0.0)
    assert smoother.add(GO, 0.01) is GO


def test_the_threshold_makes_an_answer_unknown() -> None:
    scores = np.array([0.3, 0.5, 0.2], np.float32)
    seen = decide(scores, LABELS, ONE_OF_THREE, top=2, threshold=0.5)
    assert (seen.label, seen.scored) == ("turn left", "turn left 0.50")
    assert [item.label for item in seen.best] == ["turn left", "stop"]
    unsure = decide(scores, LABELS, ONE_OF_THREE, top=9, threshold=0.51)
    assert unsure.label == UNKNOWN
    assert len(unsure.best) == 3


def test_one_output_answers_one_of_two_classes_or_unknown() -> None:
    head, labels = Head("sigmoid", 1, threshold=0.3), ("no", "yes")
    seen = decide(head.scores(np.float32([0.35])), labels, head, top=2, threshold=None)
    assert seen.scored == "yes 0.35"  # above the head's own threshold
    assert [item.label for item in seen.best] == ["no", "yes"]
    sure = decide(head.scores(np.float32([0.05])), labels, head, top=2, threshold=0.9)
    assert sure.scored == "no 0.95"
    assert decide(head.scores(np.float32([0.35])), labels, head, top=2, threshold=0.9).label == (
        UNKNOWN
    )


def test_several_labels_are_answered_together() -> None:
    head = with_threshold(Head("multilabel", 3), 0.6)
    seen = decide(np.float32([0.7, 0.6, 0.9]), LABELS, head, top=3, threshold=0.6)
    assert (seen.label, seen.scored) == ("go, stop", "go 0.90, stop 0.70")
    nothing = decide(np.float32([0.5, 0.6, 0.1]), LABELS, head, top=3, threshold=0.6)
    assert (nothing.label, nothing.nothing) == (NONE, True)
    assert nothing.differs_from(seen)


def test_a_value_is_shown_as_it_is() -> None:
    head = Head("regression", 1)
    seen = decide(np.float32([-2.125]), ("0",), head, top=3, threshold=None)
    assert (seen.text, seen.best, seen.answers) == ("-2.125", (), ())
    other = decide(np.float32([7]), ("0",), head, top=3, threshold=None)
    assert not other.differs_from(seen)  # a value near another is not another answer
