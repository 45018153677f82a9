"""How many images are answered "unknown", and what is right among the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_effnet.heads.unknown import Unknown
from edge_effnet.metrics import Predictions, summarize_classes, unknown_answers

SCORES = np.float32([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
RIGHT = np.array([0, 0, 1, 1])  # of the last it is not


def predictions(
    similarity: list[float], threshold: float, truth: NDArray[np.int64] | None = RIGHT
) -> Predictions:
    paths = tuple(Path(f"{number}.jpg") for number in range(4))
    rule = Unknown(threshold, 0.05, 100)
    return Predictions(
        *(SCORES, truth, paths, ("a", "b")), similarity=np.float32(similarity), rule=rule
    )


def test_what_is_lost_and_what_is_right_among_the_answered() -> None:
    summary = summarize_classes(predictions([0.9, 0.2, 0.9, 0.1], 0.5))
    unknown = summary.unknown
    assert summary.top1_percent == 75  # of all four, as without the rule
    assert unknown is not None
    assert (unknown.unknown, unknown.unknown_percent) == (2, 50)
    assert (unknown.right, unknown.right_percent) == (2, 100)
    assert summary.figures_json()["unknown"]["answered_top1"] == 100


def test_images_of_other_things_have_no_right_answer() -> None:
    unknown = unknown_answers(predictions([0.9, 0.2, 0.3, 0.1], 0.5, None))
    assert unknown is not None
    assert (unknown.unknown, unknown.right_percent) == (3, None)
    assert unknown.text == ('3 of 4 images answered "unknown": 75.0 %, 95 % interval 30.1 to 95.4')


@given(st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4), st.floats(-1, 1))
def test_the_answered_and_the_unknown_are_all(similarity: list[float], threshold: float) -> None:
    unknown = unknown_answers(predictions(similarity, threshold))
    assert unknown is not None
    assert unknown.right is not None
    assert 0 <= unknown.right <= unknown.answered <= unknown.images == 4
    low, high = unknown.unknown_interval_percent
    assert 0 <= low <= unknown.unknown_percent <= high <= 100
    if unknown.unknown == 4:
        assert unknown.right_percent is None
    if threshold == -1:
        assert unknown.right_percent == 75


def test_similarity_is_one_for_each_image() -> None:
    with pytest.raises(ValueError, match="similarity of shape"):
        predictions([0.9], 0.5)
