"""Operating points: chosen on one half, evaluated on the other, and what that promises."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.heads.head import Head
from edge_effnet.metrics import OperatingPoint, Predictions, Target, find_operating_points
from edge_effnet.metrics.intervals import wilson_interval
from edge_effnet.metrics.one_model.operating_points import images_to_promise
from tests.edge_effnet.metrics.one_model.test_classification import predictions_of

RECALL = Target(1, "stop", "recall", 0.9)
PRECISION = Target(1, "stop", "precision", 0.9)


def halves(scores: list[float], positive: list[bool]) -> tuple[Predictions, np.ndarray]:
    """The same images twice: those of one half choose, those of the other are evaluated on."""
    column = np.tile(np.array(scores, np.float32), 2)
    predictions = predictions_of(np.stack([1 - column, column], axis=1), np.tile(positive, 2))
    return predictions, np.arange(len(column)) < len(scores)


def point_of(target: Target, scores: list[float], positive: list[bool]) -> OperatingPoint:
    predictions, chooses = halves(scores, positive)
    (point,) = find_operating_points(predictions, [target], chooses).points
    return point


def test_a_worked_example() -> None:
    """Ten stop signs with scores 0.50 to 0.95, four others; nine of ten are found from 0.55 on."""
    scores = [0.5 + 0.05 * step for step in range(10)] + [0.1, 0.2, 0.52, 0.7]
    point = point_of(RECALL, scores, [True] * 10 + [False] * 4)
    assert point.threshold is not None
    assert point.threshold.threshold == pytest.approx(0.55)
    counts = point.threshold.evaluated_on
    assert (counts.found, counts.of_class, counts.false_alarms, counts.others) == (9, 10, 1, 4)
    document = point.to_json()["evaluated_on"]
    assert document["recall"] == 0.9
    assert document["precision"] == 0.9
    assert document["false_alarm_share"] == 0.25
    assert document["recall_interval"] == pytest.approx(wilson_interval(9, 10))
    assert point.outcome == "open"
    assert "10 images of 'stop' cannot promise 90 %" in point.conclusion
    assert "would prove 72.2 %" in point.conclusion
    assert "a promise takes 35 of them" in point.conclusion


def test_enough_images_without_a_mistake_are_a_proof() -> None:
    point = point_of(RECALL, [0.9] * 40 + [0.1] * 40, [True] * 40 + [False] * 40)
    assert point.outcome == "proven"
    assert point.conclusion == "proven: a recall of 90 % at least, on other images"


def test_what_only_the_first_half_knows_is_missed() -> None:
    truth = np.r_[np.ones(50, np.int64), np.zeros(50, np.int64)]
    column = np.tile(np.where(truth == 1, 0.9, 0.1), 2)
    column[100:125] = 0.2  # of the other half, every other stop sign
    scores = np.stack([1 - column, column], axis=1)
    predictions = predictions_of(scores, np.tile(truth, 2))
    found = find_operating_points(predictions, [RECALL], np.arange(200) < 100)
    assert found.points[0].outcome == "missed"
    assert "on other images the recall is lower, beyond doubt" in found.points[0].conclusion


@pytest.mark.parametrize(
    ("target", "scores", "positive", "why"),
    [
        (RECALL, [0.5, 0.6], [False, False], "no image of 'stop' to choose it on"),
        (PRECISION, [0.5, 0.6], [False, False], "no image of 'stop' to choose it on"),
        (RECALL, [0.5, 0.6], [True, True], "every image to choose on is of 'stop'"),
        (RECALL, [0.0, 0.0], [True, False], "it tells nothing apart"),
        (PRECISION, [0.9, 0.8, 0.7], [False, True, False], "at most 50 %, at 0.8"),
    ],
)
def test_no_threshold_has_a_reason(
    target: Target, scores: list[float], positive: list[bool], why: str
) -> None:
    point = point_of(target, scores, positive)
    assert point.threshold is None
    assert point.outcome == "none"
    assert point.conclusion.startswith("no threshold")
    assert why in point.conclusion


def test_a_precision_that_nothing_reaches_in_the_other_half_is_not_known() -> None:
    column = np.array([0.9, 0.1, 0.2, 0.1])
    predictions = predictions_of(np.stack([1 - column, column], axis=1), np.array([1, 0, 1, 0]))
    (point,) = find_operating_points(predictions, [PRECISION], np.arange(4) < 2).points
    assert point.conclusion == "not known: the other half has no images taken for 'stop'"
    assert point.to_json()["evaluated_on"]["precision"] is None


@given(st.floats(0.01, 0.999))
def test_no_fewer_images_promise_a_share(share: float) -> None:
    images = images_to_promise(share)
    assert images is not None
    assert wilson_interval(images, images)[0] >= share - 1e-12
    if images > 1:
        assert wilson_interval(images - 1, images - 1)[0] < share


def test_no_number_of_images_promises_all() -> None:
    assert images_to_promise(1.0) is None
    point = point_of(
        Target(1, "stop", "recall", 1.0), [0.9] * 40 + [0.1] * 4, [True] * 40 + [False] * 4
    )
    assert point.conclusion.endswith("no number of images promises it")


def test_several_labels_have_thresholds_too() -> None:
    scores = np.tile(np.array([[0.9, 0.4], [0.8, 0.3], [0.1, 0.9], [0.2, 0.1]], np.float32), (2, 1))
    truth = np.tile(np.array([[1, 1], [1, 0], [0, 1], [0, 0]], np.bool_), (2, 1))
    predictions = Predictions(
        scores,
        truth,
        halves([0.0] * 4, [False] * 4)[0].paths,
        ("a", "b"),
        head=Head("multilabel", 2),
    )
    found = find_operating_points(predictions, [Target(1, "b", "recall", 1.0)], np.arange(8) < 4)
    threshold = found.points[0].threshold
    assert threshold is not None
    assert threshold.threshold == pytest.approx(0.4)


def test_the_document_is_json_with_a_curve_for_each_class() -> None:
    predictions, chooses = halves([0.9, 0.8, 0.2, 0.1], [True, False, True, False])
    found = find_operating_points(predictions, [RECALL, PRECISION], chooses, notices=("n",))
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert [curve["class"] for curve in document["curves"]] == [1]
    assert document["curves"][0]["recall"] == [0.5, 1.0]
    assert document["curves"][0]["precision"] == [1.0, pytest.approx(2 / 3)]
    assert math.isclose(document["curves"][0]["prevalence"], 0.5)
    assert (document["chosen_on"], document["evaluated_on"], document["notices"]) == (4, 4, ["n"])


def test_values_have_no_thresholds() -> None:
    predictions, chooses = halves([0.9, 0.1], [True, False])
    values = Predictions(
        predictions.scores[:, 1:], predictions.scores[:, 1:].astype(np.float64),
        predictions.paths, ("value",), head=Head("regression", 1),
    )  # fmt: skip
    with pytest.raises(ValueError, match="classes are known"):
        find_operating_points(values, [Target(0, "value", "recall", 0.9)], chooses)
