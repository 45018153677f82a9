"""Figures of models with several labels, with two classes of one score, and with a value."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as golden

from edge_effnet.errors import ModelError
from edge_effnet.heads.head import Head
from edge_effnet.metrics import (
    ClassSummary,
    LabelSummary,
    Predictions,
    ValueSummary,
    compare_predictions,
    evaluation_json,
    summarize,
)
from edge_effnet.metrics.one_model.label_summary import average_precision

NAMES = ("blue", "green", "red", "white")


def predictions_of(scores: np.ndarray, truth: np.ndarray | None, head: Head) -> Predictions:
    paths = tuple(Path(f"{number}.jpg") for number in range(len(scores)))
    names = NAMES[: scores.shape[1]] if head.task != "value" else ("value",)
    return Predictions(np.asarray(scores, np.float32), truth, paths, names, head=head)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores in the steps of 8 bits, and labels that are true together."""
    images, labels = draw(st.integers(1, 30)), draw(st.integers(2, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = random.integers(0, draw(st.integers(2, 256)), (images, labels)) / 256
    return scores.astype(np.float32), random.random((images, labels)) < draw(st.floats(0, 1))


@given(labelled())
def test_figures_of_labels_are_those_of_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, truth = case
    summary = summarize(predictions_of(scores, truth, Head("multilabel", scores.shape[1])))
    assert isinstance(summary, LabelSummary)
    decided = scores > 0.5
    assert summary.exact_match_percent == pytest.approx(100 * golden.accuracy_score(truth, decided))
    figures = summary.per_class
    for index in range(scores.shape[1]):
        found = golden.precision_recall_fscore_support(
            truth[:, index], decided[:, index], average="binary", zero_division=np.nan
        )
        if figures.support[index]:
            assert figures.recall[index] == pytest.approx(found[1])
        if 0 < figures.support[index] < len(truth):
            assert summary.average_precision[index] == pytest.approx(
                golden.average_precision_score(truth[:, index], scores[:, index])
            )
        if figures.answered[index]:
            assert figures.precision[index] == pytest.approx(found[0])
    assert json.loads(json.dumps(evaluation_json(summary)))["head"]["kind"] == "multilabel"


def test_average_precision_does_not_depend_on_the_order_of_images() -> None:
    scores = np.array([[0.5], [0.5], [0.5], [0.25]], np.float32)
    truth = np.array([[True], [False], [False], [True]])
    for order in ([0, 1, 2, 3], [2, 1, 0, 3], [3, 2, 1, 0]):
        assert average_precision(scores[order], truth[order])[0] == pytest.approx(5 / 12)


def test_labels_that_are_all_called_no_are_named() -> None:
    truth = np.tile([[True, False, True], [False, True, False]], (20, 1))
    silent = summarize(predictions_of(np.full((40, 3), 0.2), truth, Head("multilabel", 3)))
    assert silent.headline.text == "0.0 %"
    assert "answers no label on any image" in silent.warnings[0]
    deaf_to_one = np.where(truth, 0.9, 0.1) * np.array([1, 1, 0.3])
    (line,) = summarize(predictions_of(deaf_to_one, truth, Head("multilabel", 3))).warnings
    assert "never answers 'red' (true on 20 images)" in line


def test_labels_that_do_not_vary_have_no_average_precision() -> None:
    scores = np.random.default_rng(0).random((30, 2)).astype(np.float32)
    never_and_always = np.tile([[False, True]], (30, 1))
    summary = summarize(predictions_of(scores, never_and_always, Head("multilabel", 2)))
    assert isinstance(summary, LabelSummary)
    assert np.isnan(summary.average_precision).all()
    document = json.loads(json.dumps(evaluation_json(summary), allow_nan=False))
    assert document["mean_average_precision"] is None
    assert not any("no label on any image" in line for line in summary.warnings)


def test_labels_that_are_hardly_found_are_named() -> None:
    truth = np.random.default_rng(0).random((200, 3)) < (0.5, 0.2, 0.5)
    scores = np.where(truth, 0.9, 0.1).astype(np.float32)
    scores[:, 1] = np.where(np.arange(200) % 20, 0.1, 0.9)
    (line,) = summarize(predictions_of(scores, truth, Head("multilabel", 3))).warnings
    assert "hardly finds some labels: 'green'" in line


def test_sigmoids_of_classes_that_exclude_each_other_are_pointed_out() -> None:
    truth = np.eye(3, dtype=bool)[np.arange(30) % 3]
    shy = np.where(truth, 0.45, 0.2)  # the best score is right, and under the threshold
    shy[0] = [0.9, 0.1, 0.1]
    line = summarize(predictions_of(shy, truth, Head("multilabel", 3))).warnings[-1]
    assert "the highest score is right on 100.0 %" in line
    assert "--head softmax" in line
    both = np.where(truth | np.roll(truth, 1, axis=1), 0.9, 0.1)
    several = summarize(predictions_of(both, both > 0.5, Head("multilabel", 3)))
    assert several.warnings == ()


def test_models_agree_where_their_sets_of_labels_are_equal() -> None:
    head = Head("multilabel", 3)
    truth = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0]], bool)
    ours = predictions_of(np.where(truth, 0.9, 0.1), truth, head)
    moved = np.where(truth, 0.9, 0.1)
    moved[0, 2] = 0.4
    comparison = compare_predictions(ours, predictions_of(moved, truth, head))
    assert comparison.agreement_percent == pytest.approx(200 / 3)
    assert comparison.paired is not None
    assert (comparison.paired.lost, comparison.paired.gained) == (1, 0)
    (flip,) = comparison.to_json()["flipped"]
    assert (flip["true"], flip["reference"], flip["candidate"]) == (
        "blue, red",
        "blue, red",
        "blue",
    )
    assert (flip["kind"], flip["reference_score"], flip["candidate_score"]) == (
        "lost",
        pytest.approx(0.9),
        pytest.approx(0.4),
    )


def test_a_network_and_its_opposite_agree_on_nothing() -> None:
    """One sigmoid: the largest of its one score would be the same for every image."""
    head = Head("sigmoid", 1)
    yes = np.linspace(0.6, 0.9, 50)[:, None]
    truth = np.zeros(50, np.int64) + 1
    ours = predictions_of(np.hstack([1 - yes, yes]), truth, head)
    theirs = predictions_of(np.hstack([yes, 1 - yes]), truth, head)
    comparison = compare_predictions(ours, theirs)
    assert comparison.agreement_percent == 0
    assert len(comparison.losses) == 1
    assert comparison.warnings[: len(comparison.losses)] == comparison.losses


def test_the_threshold_decides_between_two_classes() -> None:
    scores, truth = np.array([[0.4, 0.6], [0.1, 0.9]]), np.array([0, 1])
    strict = summarize(predictions_of(scores, truth, Head("sigmoid", 1, threshold=0.7)))
    assert isinstance(strict, ClassSummary)
    assert strict.top1_percent == 100
    assert summarize(predictions_of(scores, truth, Head("sigmoid", 1))).headline.value == 50


@given(st.integers(2, 50), st.integers(0, 2**32 - 1))
def test_errors_of_values_are_those_of_scikit_learn(images: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, answer = random.normal(5, 2, (2, images, 1))
    summary = summarize(predictions_of(answer, truth, Head("regression", 1)))
    assert isinstance(summary, ValueSummary)
    answer = answer.astype(np.float32)
    assert summary.mean_abs_error == pytest.approx(golden.mean_absolute_error(truth, answer))
    assert summary.r2 == pytest.approx(golden.r2_score(truth, answer))


def test_values_are_compared_by_their_difference_and_by_nothing_else() -> None:
    head, truth = Head("regression", 1), np.arange(30.0)[:, None]
    ours, theirs = predictions_of(truth, truth, head), predictions_of(truth + 0.5, truth, head)
    document = compare_predictions(ours, theirs).to_json()
    assert document["value_difference"]["mean_abs"] == pytest.approx(0.5)
    assert (document["agreement"], document["flipped"]) == (None, [])
    assert "drop_points" not in document
    assert document["candidate"]["mae"] == pytest.approx(0.5)
    constant = summarize(predictions_of(np.full((30, 1), 40.0), truth, head))
    assert "no better than always answering the mean" in constant.warnings[0]


def test_models_of_different_heads_are_not_compared() -> None:
    labels = predictions_of(np.full((2, 3), 0.4), None, Head("multilabel", 3))
    classes = predictions_of(np.full((2, 3), 0.4), None, Head("softmax", 3))
    with pytest.raises(ModelError, match="a multilabel head and a softmax head"):
        compare_predictions(labels, classes)


def test_small_losses_and_few_images_are_no_warning() -> None:
    truth = np.zeros(400, np.int64)
    right = np.eye(2)[truth]
    a_few = right.copy()
    a_few[:6] = a_few[:6, ::-1]
    head = Head("softmax", 2)
    ours = predictions_of(right, truth, head)
    assert compare_predictions(ours, predictions_of(a_few, truth, head)).losses == ()
    many = right.copy()
    many[:40] = many[:40, ::-1]
    (line,) = compare_predictions(ours, predictions_of(many, truth, head)).losses
    assert "loses 10.0 points of accuracy" in line
    assert "--max-drop 1" in line
