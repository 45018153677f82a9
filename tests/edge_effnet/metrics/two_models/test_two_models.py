from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.errors import DataError, ModelError
from edge_effnet.metrics import HashedFile, Predictions, compare_predictions


def predictions_of(answers: np.ndarray, truth: np.ndarray | None, classes: int) -> Predictions:
    return Predictions(
        scores=np.eye(classes, dtype=np.float32)[answers],
        truth=None if truth is None else np.asarray(truth, np.int64),
        paths=tuple(Path(f"{number}.jpg") for number in range(len(answers))),
        labels=tuple(f"class {index}" for index in range(classes)),
    )


def named(predictions: Predictions, name: str) -> Predictions:
    return replace(predictions, model=HashedFile(Path(name), "0" * 64, 1000))


@st.composite
def two_models(draw: st.DrawFn) -> tuple[Predictions, Predictions]:
    images, classes = draw(st.integers(1, 60)), draw(st.integers(2, 7))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth, ours = random.integers(0, classes, (2, images))
    theirs = np.where(random.random(images) < 0.2, random.integers(0, classes, images), ours)
    return predictions_of(ours, truth, classes), predictions_of(theirs, truth, classes)


def test_a_worked_example() -> None:
    """Ten images; int8 loses two that float had, gains one, and errs otherwise on one."""
    truth = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    float32 = np.array([0, 0, 0, 0, 1, 1, 0, 2, 2, 1])
    int8 = np.array([0, 0, 0, 1, 1, 0, 1, 2, 2, 0])
    result = compare_predictions(predictions_of(float32, truth, 3), predictions_of(int8, truth, 3))
    assert result.agreement_percent == 60
    assert [flip.kind for flip in result.flips] == ["lost", "lost", "gained", "other"]
    assert result.paired is not None
    assert (result.paired.lost, result.paired.gained) == (2, 1)
    document = result.to_json()
    assert document["n"] == 10
    assert document["reference"]["top1"] == 80
    assert document["candidate"]["top1"] == 70
    # Of three classes the true one is always among the best five: nothing to be said.
    assert document["reference"]["top5"] is document["candidate"]["top5"] is None
    assert document["agreement"] == 60
    assert document["drop_points"] == pytest.approx(10)
    assert document["mcnemar_p"] == 1
    assert document["flipped"][0] == {
        "file": "3.jpg",
        "kind": "lost",
        "true": "class 0",
        "reference": "class 0",
        "reference_score": 1.0,
        "candidate": "class 1",
        "candidate_score": 1.0,
    }
    assert document["score_error"] == {
        "mean_abs": pytest.approx(8 / 30),
        "max_abs": 1.0,
        "mean_l1": pytest.approx(0.8),
    }


@given(two_models())
def test_what_always_holds(case: tuple[Predictions, Predictions]) -> None:
    result, mirrored = compare_predictions(*case), compare_predictions(*reversed(case))
    assert result.paired is not None
    assert mirrored.paired is not None
    assert result.reference is not None
    assert result.candidate is not None
    gap = result.reference.top1_percent - result.candidate.top1_percent
    assert result.paired.drop_points == pytest.approx(gap)
    low, high = result.paired.drop_interval_points
    assert low - 1e-9 <= gap <= high + 1e-9
    assert mirrored.paired.mcnemar_p == result.paired.mcnemar_p
    assert mirrored.paired.drop_points == -result.paired.drop_points
    assert mirrored.agreement_percent == result.agreement_percent
    assert len(result.flips) == round(result.images * (1 - result.agreement_percent / 100))
    low, high = result.agreement_interval_percent
    assert 0 <= low <= result.agreement_percent <= high <= 100
    json.dumps(result.to_json(), allow_nan=False)


@given(two_models())
def test_a_model_agrees_with_itself(case: tuple[Predictions, Predictions]) -> None:
    result = compare_predictions(case[0], case[0])
    assert result.agreement_percent == 100
    assert result.score_error.max_abs == 0
    assert result.flips == ()
    assert result.paired is not None
    assert result.paired.mcnemar_p == 1
    low, high = result.paired.drop_interval_points
    assert low < 0 < high  # equal on these images is not equal


def test_without_truth_only_agreement_is_known() -> None:
    ours, theirs = np.array([0, 1, 2, 0]), np.array([0, 1, 1, 0])
    result = compare_predictions(predictions_of(ours, None, 3), predictions_of(theirs, None, 3))
    assert result.agreement_percent == 75
    assert result.flips[0].kind == "changed"
    assert result.paired is None
    document = result.to_json()
    assert document["flipped"][0]["true"] is None
    assert "drop_points" not in document
    assert "top1" not in document["reference"]


def test_a_ruined_rare_class_is_named() -> None:
    """1.5 points overall, but every one of 8 foxes is gone."""
    truth = np.repeat([0, 1, 2], [250, 250, 8])
    broken = np.where(truth == 2, 1, truth)
    ours = named(predictions_of(truth, truth, 3), "float.tflite")
    result = compare_predictions(ours, named(predictions_of(broken, truth, 3), "int8.tflite"))
    assert result.paired is not None
    assert result.paired.drop_points < 2
    line = next(line for line in result.warnings if "ruins" in line)
    assert "int8.tflite" in line
    assert "'class 2' (8 of 8 images right before, 0 now)" in line
    assert not any("ruins" in line for line in result.without_evidence().warnings)


def test_bad_luck_and_a_general_drop_are_not_called_ruin() -> None:
    truth = np.repeat([0, 1, 2], [250, 250, 4])
    unlucky = truth.copy()
    unlucky[-2:] = 0  # two of four: recall falls by 50 points, perhaps two wrong labels
    ours = predictions_of(truth, truth, 3)
    assert not compare_predictions(ours, predictions_of(unlucky, truth, 3)).warnings
    worse = np.where(np.arange(len(truth)) % 3 == 0, (truth + 1) % 3, truth)
    result = compare_predictions(ours, predictions_of(worse, truth, 3))
    assert not [line for line in result.warnings if "ruins" in line]


def test_a_candidate_at_chance_is_not_blamed_on_the_labels() -> None:
    truth = np.repeat(np.arange(4), 20)
    dead = named(predictions_of(np.zeros(80, np.int64), truth, 4), "int8.tflite")
    result = compare_predictions(named(predictions_of(truth, truth, 4), "float.tflite"), dead)
    loss, reason = result.warnings
    assert loss in result.losses
    trained = result.without_evidence()
    assert trained.losses == ()
    assert loss not in trained.warnings
    assert trained.paired == result.paired
    assert "its conversion broke it" in reason


def test_logits_against_probabilities_are_pointed_out() -> None:
    truth = np.array([0, 1, 0, 1])
    ours = predictions_of(truth, truth, 2)
    logits = replace(ours, scores=ours.scores * 9 - 4)
    assert "logits" in compare_predictions(ours, logits).warnings[-1]


def test_different_labels_are_refused() -> None:
    ours = predictions_of(np.array([0, 1]), np.array([0, 1]), 3)
    swapped = replace(ours, labels=("class 1", "class 0", "class 2"))
    with pytest.raises(ModelError, match=r"label 0 is 'class 0' and 'class 1'.*another order"):
        compare_predictions(ours, swapped)
    with pytest.raises(ModelError, match="3 and 4 classes"):
        compare_predictions(ours, predictions_of(np.array([0, 1]), np.array([0, 1]), 4))


def test_different_images_are_refused() -> None:
    ours = predictions_of(np.array([0, 1]), np.array([0, 1]), 2)
    with pytest.raises(DataError, match="same images"):
        compare_predictions(ours, replace(ours, paths=(Path("1.jpg"), Path("0.jpg"))))
    with pytest.raises(DataError, match="true classes"):
        compare_predictions(ours, replace(ours, truth=np.array([1, 1])))
    with pytest.raises(DataError, match="true classes"):
        compare_predictions(ours, replace(ours, truth=None))
