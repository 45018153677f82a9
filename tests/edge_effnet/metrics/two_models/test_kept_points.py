"""Whether a candidate keeps an operating point: the same threshold, the same images, in pairs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.heads.thresholds import ClassThreshold, ThresholdCounts, counts_at
from edge_effnet.metrics import KeptPoint, Target, compare_points
from tests.edge_effnet.metrics.one_model.test_classification import predictions_of
from tests.edge_effnet.metrics.two_models.test_two_models import named

COUNTS = ThresholdCounts(0, 0, 0, 0)
STOP = (
    Target(1, "stop sign", "recall", 0.95),
    ClassThreshold(0.5, "recall", 0.95, COUNTS, COUNTS),
)


def compared(ours: np.ndarray, theirs: np.ndarray, positive: np.ndarray) -> KeptPoint:
    """Both models' scores of the class, and which images are of it."""
    models = [
        named(predictions_of(np.stack([1 - scores, scores], axis=1), positive), name)
        for scores, name in ((ours, "float.tflite"), (theirs, "int8.tflite"))
    ]
    everything = np.ones(len(ours), np.bool_)
    (point,) = compare_points(models[0], models[1], [STOP], everything)
    return point


def images(of_class: int, others: int) -> tuple[np.ndarray, np.ndarray]:
    positive = np.arange(of_class + others) < of_class
    return np.where(positive, 0.9, 0.1), positive


def test_the_same_scores_on_many_images_keep_it() -> None:
    scores, positive = images(400, 400)
    point = compared(scores, scores, positive)
    assert point.verdict == "kept"
    assert point.conclusion.startswith("proven: int8.tflite keeps it")


def test_the_same_scores_on_few_images_prove_nothing() -> None:
    scores, positive = images(20, 80)
    point = compared(scores, scores, positive)
    assert point.verdict == "open"
    assert "nor that it loses any (no image changes sides)" in point.conclusion
    assert "about 270 images of 'stop sign' would exclude 1 point of recall" in point.conclusion


def test_lost_recall_is_named_with_the_command_for_another_threshold() -> None:
    ours, positive = images(40, 40)
    theirs = ours.copy()
    theirs[:10] = 0.4
    point = compared(ours, theirs, positive)
    assert point.verdict == "lost"
    assert point.recall is not None
    assert (point.recall.lost, point.recall.gained) == (10, 0)
    assert "recall falls by 25.0 points" in point.conclusion
    assert "evaluate int8.tflite --recall 'stop sign=0.95' --data IMAGES" in point.conclusion


def test_more_false_alarms_are_a_loss_too() -> None:
    ours, positive = images(40, 40)
    theirs = ours.copy()
    theirs[40:52] = 0.6
    point = compared(ours, theirs, positive)
    assert point.verdict == "lost"
    assert "false alarms rise by 30.0 points" in point.conclusion
    assert "recall" not in point.conclusion.partition("; a threshold")[0]


def test_many_classes_are_no_evidence() -> None:
    """Six of six lost has p = 0.03; among ten points one such is no surprise."""
    ours, positive = images(40, 40)
    theirs = ours.copy()
    theirs[:6] = 0.4
    models = [
        predictions_of(np.stack([1 - scores, scores], axis=1), positive)
        for scores in (ours, theirs)
    ]
    everything = np.ones(80, np.bool_)
    points = compare_points(models[0], models[1], [STOP] * 10, everything)
    assert {point.verdict for point in points} == {"open"}


def test_a_threshold_above_every_score_is_told() -> None:
    """The softmax of 8 bits ends at 255/256."""
    ours, positive = images(40, 40)
    point = compared(ours, np.minimum(ours, 0.375), positive)
    assert point.conclusion.endswith(
        "no score of int8.tflite reaches the threshold, the highest is 0.375"
    )


def test_images_without_the_class_say_nothing() -> None:
    scores, positive = images(0, 20)
    point = compared(scores, scores, positive)
    assert point.recall is None
    assert "no image of 'stop sign' to compare on" in point.conclusion


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_counts_are_those_of_each_model_and_the_document_is_json(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    ours, theirs = random.random((2, count))
    positive = random.random(count) < 0.5
    point = compared(ours, theirs, positive)
    assert point.reference == counts_at(ours.astype(np.float32), positive, 0.5)
    assert point.candidate == counts_at(theirs.astype(np.float32), positive, 0.5)
    if point.recall is not None:
        drop = point.reference.found - point.candidate.found
        assert point.recall.lost - point.recall.gained == drop
    if point.false_alarms is not None:
        more = point.candidate.false_alarms - point.reference.false_alarms
        assert point.false_alarms.lost - point.false_alarms.gained == more
    document = json.loads(json.dumps(point.to_json(), allow_nan=False))
    assert document["verdict"] == point.verdict
    assert document["reference"]["recall"] == (
        pytest.approx(point.reference.found / positive.sum()) if positive.any() else None
    )
