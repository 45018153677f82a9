"""The worst mistakes: which they are, in which order, of every kind of answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_effnet.heads.head import Head
from edge_effnet.heads.unknown import Unknown
from edge_effnet.metrics import Predictions, find_mistakes


def predictions_of(
    scores: list[list[float]], truth: object, labels: tuple[str, ...], **others: object
) -> Predictions:
    paths = tuple(Path(f"{number}.jpg") for number in range(len(scores)))
    given = None if truth is None else np.array(truth)
    return Predictions(np.array(scores, np.float32), given, paths, labels, **others)  # type: ignore[arg-type]


def test_the_surest_of_a_wrong_class_comes_first() -> None:
    scores = [[0.9, 0.1], [0.4, 0.6], [0.05, 0.95], [0.3, 0.7]]
    found = find_mistakes(predictions_of(scores, [0, 0, 0, 0], ("cat", "dog")))
    assert found.count == 3
    assert [one.path.name for one in found.worst] == ["2.jpg", "3.jpg", "1.jpg"]
    first = found.worst[0].to_json()
    assert (first["true"], first["answer"]) == ("cat", "dog")
    assert (first["score"], first["true_score"]) == (pytest.approx(0.95), pytest.approx(0.05))
    assert "unknown" not in first


def test_the_number_is_bounded_and_the_count_is_not() -> None:
    scores = [[0.1, 0.9]] * 5
    found = find_mistakes(predictions_of(scores, [0] * 5, ("cat", "dog")), most=2)
    assert (found.count, [one.path.name for one in found.worst]) == (5, ["0.jpg", "1.jpg"])


def test_an_image_that_is_answered_unknown_says_so() -> None:
    rule = Unknown(threshold=0.5, lost_share=0.05, images=20)
    others = {"similarity": np.array([0.1, 0.9], np.float32), "rule": rule}
    found = find_mistakes(predictions_of([[0.1, 0.9]] * 2, [0, 0], ("cat", "dog"), **others))
    assert [one.unknown for one in found.worst] == [True, False]


def test_of_several_labels_the_one_furthest_on_the_wrong_side_decides() -> None:
    scores = [[0.9, 0.6], [0.9, 0.99], [0.9, 0.2]]
    truth = [[True, False], [True, False], [True, False]]
    head = Head("multilabel", 2)
    found = find_mistakes(predictions_of(scores, truth, ("cat", "dog"), head=head))
    assert found.count == 2
    assert [one.path.name for one in found.worst] == ["1.jpg", "0.jpg"]
    assert (found.worst[0].true, found.worst[0].answer) == ("cat", "cat, dog")
    assert found.worst[0].score is None


def test_values_have_errors_and_no_mistakes() -> None:
    head = Head("regression", 1)
    truth = [[1.0], [2.0], [3.0]]
    found = find_mistakes(predictions_of([[1.5], [9.0], [3.0]], truth, ("kg",), head=head))
    assert found.count is None
    assert [(one.true, one.answer) for one in found.worst] == [("2", "9"), ("1", "1.5")]


def test_without_the_truth_there_are_none() -> None:
    with pytest.raises(ValueError, match="truth"):
        find_mistakes(predictions_of([[0.1, 0.9]], None, ("cat", "dog")))
