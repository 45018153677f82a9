from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as golden

from edge_effnet.metrics import Predictions, evaluation_json, summarize
from edge_effnet.metrics.one_model.classification import (
    are_probabilities,
    balanced_accuracy_percent,
    confusion,
    expected_calibration_error,
    per_class,
    ranks,
    top_answers,
    top_k_percent,
)
from edge_effnet.metrics.one_model.rare_classes import neglected_classes


def predictions_of(scores: np.ndarray, truth: np.ndarray, **more: object) -> Predictions:
    images, classes = scores.shape
    return Predictions(
        scores=np.asarray(scores, np.float32),
        truth=np.asarray(truth, np.int64),
        paths=tuple(Path(f"{number}.jpg") for number in range(images)),
        labels=tuple(f"class {index}" for index in range(classes)),
        **more,  # type: ignore[arg-type]
    )


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties, as 8 bits give them, and true classes."""
    images, classes = draw(st.integers(1, 40)), draw(st.integers(2, 8))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = random.integers(0, draw(st.integers(1, 256)), (images, classes)) / 256
    return scores.astype(np.float32), random.integers(0, classes, images)


def test_a_worked_example() -> None:
    """Six photos of cats (0), dogs (1) and one fox (2); the fox is taken for a dog."""
    scores = np.array(
        [
            [0.75, 0.25, 0.00],  # cat, sure and right
            [0.50, 0.25, 0.25],  # cat, right
            [0.25, 0.75, 0.00],  # cat, taken for a dog
            [0.00, 1.00, 0.00],  # dog, right
            [0.25, 0.50, 0.25],  # dog, right
            [0.00, 0.75, 0.25],  # fox, taken for a dog
        ]
    )
    report = summarize(predictions_of(scores, np.array([0, 0, 0, 1, 1, 2])), top=2)
    assert report.top1_percent == pytest.approx(100 * 4 / 6)
    assert report.top_percent[2] == 100
    assert report.confusion.cells == ((0, 0, 2), (0, 1, 1), (1, 1, 2), (2, 1, 1))
    assert report.confusion.mistakes() == [(0, 1, 1), (2, 1, 1)]
    cat, dog, fox = range(3)
    assert report.per_class.recall[[cat, dog, fox]] == pytest.approx([2 / 3, 1, 0])
    assert report.per_class.precision[[cat, dog]] == pytest.approx([1, 2 / 4])
    assert np.isnan(report.per_class.precision[fox])  # never answered
    assert report.per_class.f1[[cat, dog, fox]] == pytest.approx([0.8, 2 / 3, 0])
    assert report.balanced_accuracy_percent == pytest.approx(100 * (2 / 3 + 1 + 0) / 3)
    # Confidence 1.00 (1 of 1 right), 0.75 (1 of 3), 0.50 (2 of 2): gaps 0, 5/12, 1/2.
    assert report.calibration_error == pytest.approx((3 * 5 / 12 + 2 / 2) / 6)
    # Blind: 1/2 · 2/6 (cats) + 1/3 · 4/6 (dogs) + 1/6 · 0 (foxes).
    assert report.chance_percent == pytest.approx(100 * (1 / 6 + 2 / 9))
    assert report.guess_percent == 50  # three of six are cats
    figure = next(one for one in report.figures if one.name == "guessing would get")
    assert (figure.text, figure.remark) == ("50.0 %", "always the commonest class")


def test_ties_go_to_the_lower_index_and_do_not_flatter() -> None:
    scores = np.full((4, 4), 0.25, np.float32)
    truth = np.arange(4)
    assert ranks(scores, truth).tolist() == [0, 1, 2, 3]
    assert top_answers(scores, 2).tolist() == [[0, 1]] * 4
    # All four classes are tied at every place; only the first two count as the top two.
    assert top_k_percent(scores, truth, 2) == 50


@given(scored())
def test_top_k_agrees_with_the_answers_listed(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, truth = case
    for k in range(1, scores.shape[1] + 1):
        listed = (top_answers(scores, k) == truth[:, None]).any(axis=1)
        assert top_k_percent(scores, truth, k) == pytest.approx(100 * listed.mean())
    assert top_k_percent(scores, truth, 1) == pytest.approx(
        100 * np.mean(scores.argmax(1) == truth)
    )


@given(scored())
def test_summary_is_bounded_and_blind_to_the_order_of_images(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    scores, truth = case
    order = np.random.default_rng(len(truth)).permutation(len(truth))
    one = summarize(predictions_of(scores, truth)).figures_json()
    other = summarize(predictions_of(scores[order], truth[order])).figures_json()
    assert one["top1"] <= (100 if one["top5"] is None else one["top5"]) <= 100
    low, high = one["top1_interval"]
    assert 0 <= low <= one["top1"] <= high <= 100
    assert 0 <= one["balanced_accuracy"] <= 100
    assert one["ece"] is None or 0 <= one["ece"] <= 1
    assert one.pop("ece") == pytest.approx(other.pop("ece"))
    assert one == other


@given(scored())
def test_per_class_figures_as_scikit_learn_has_them(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, truth = case
    answers, classes = scores.argmax(axis=1), scores.shape[1]
    figures = per_class(answers, truth, classes)
    expected = golden.precision_recall_fscore_support(
        truth, answers, labels=range(classes), zero_division=0
    )
    mine = (figures.precision, figures.recall, figures.f1, figures.support)
    for ours, theirs in zip(mine, expected, strict=True):
        np.testing.assert_allclose(np.nan_to_num(ours), theirs)
    matrix = confusion(answers, truth, classes)
    np.testing.assert_array_equal(
        matrix.dense(), golden.confusion_matrix(truth, answers, labels=range(classes))
    )
    recalls = figures.recall[figures.support > 0]
    assert balanced_accuracy_percent(figures) == pytest.approx(100 * recalls.mean())


@given(st.integers(0, 2**32 - 1), st.integers(3, 9), st.integers(1, 9))
def test_top_k_as_scikit_learn_has_it(seed: int, classes: int, k: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.random((50, classes)).astype(np.float32)  # no ties: theirs differ there
    truth = random.integers(0, classes, 50)
    k = min(k, classes - 1)
    expected = golden.top_k_accuracy_score(truth, scores, k=k, labels=range(classes))
    assert top_k_percent(scores, truth, k) == pytest.approx(100 * expected)


def test_calibration_error_of_known_cases() -> None:
    truth = np.zeros(100, np.int64)
    sure = np.tile([1.0, 0.0], (100, 1)).astype(np.float32)
    assert expected_calibration_error(sure, truth) == 0
    assert expected_calibration_error(sure, 1 - truth) == 1
    # 80 % sure and right 60 times of 100: 0.2 off.
    unsure = np.tile([0.8, 0.2], (100, 1)).astype(np.float32)
    assert expected_calibration_error(unsure, np.repeat([0, 1], [60, 40])) == pytest.approx(0.2)


def test_what_counts_as_probabilities() -> None:
    assert are_probabilities(np.array([[0.9, 0.1], [0.5, 0.5]], np.float32))
    assert are_probabilities(np.full((1, 1000), 1 / 1024, np.float32))
    assert not are_probabilities(np.array([[-1.0, 3.0]], np.float32))
    assert not are_probabilities(np.array([[0.9, 0.9, 0.9]], np.float32))
    logits = summarize(predictions_of(np.array([[5.0, -2.0], [1.0, 3.0]]), np.array([0, 1])))
    assert logits.calibration_error is None
    assert evaluation_json(logits)["ece"] is None


def test_a_neglected_rare_class_is_named() -> None:
    truth = np.repeat([0, 1, 2], [100, 100, 8])
    answers = np.where(truth == 2, 0, truth)
    report = summarize(predictions_of(np.eye(3)[answers], truth))
    assert report.top1_percent > 95
    assert "'class 2' (0 of 8 images found)" in report.warnings[0]
    # One image beside 95 does not show what a class's recall should be.
    many = np.repeat([0, 1], [95, 1])
    assert not neglected_classes(per_class(np.where(np.arange(96) < 75, 1, many), many, 2))
    # One image of a class, missed, is bad luck.
    assert not neglected_classes(per_class(answers[:201], truth[:201], 3))


@given(scored())
def test_to_json_is_json(case: tuple[np.ndarray, np.ndarray]) -> None:
    import json

    document = evaluation_json(summarize(predictions_of(*case)))
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again["n"] == len(case[1])
    assert again["format"] == "edge-effnet/evaluation"
    assert sum(images for _, _, images in again["confusion"]) == again["n"]


def test_predictions_refuse_what_does_not_fit() -> None:
    scores = np.zeros((2, 3))
    with pytest.raises(ValueError, match="outside the labels"):
        predictions_of(scores, np.array([0, 3]))
    with pytest.raises(ValueError, match="for 2 images"):
        predictions_of(scores, np.array([0]))
    with pytest.raises(ValueError, match="at least one image"):
        predictions_of(scores[:0], np.array([], np.int64))
    with pytest.raises(ValueError, match="shape"):
        Predictions(np.zeros((2, 3), np.float32), None, (Path("a"),), ("x", "y", "z"))
