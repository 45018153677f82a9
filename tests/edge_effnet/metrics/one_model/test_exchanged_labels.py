"""Labels that look exchanged, in a model that is right elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.metrics import summarize
from edge_effnet.metrics.one_model.exchanged_labels import exchanged_classes
from tests.edge_effnet.metrics.one_model.test_classification import predictions_of


@given(st.permutations(range(6)), st.integers(5, 30))
def test_rings_of_exchanged_labels_are_found(order: list[int], images: int) -> None:
    truth = np.repeat(np.arange(6), images)
    answers = np.array(order)[truth]
    found = {true: answered for true, answered, _, _ in exchanged_classes(answers, truth)}
    assert found == {true: order[true] for true in range(6) if order[true] != true}


@given(st.floats(0.2, 1), st.integers(0, 1000))
def test_a_model_that_is_often_wrong_has_no_exchanged_labels(right: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(10), 20)
    answers = np.where(random.random(200) < right, truth, random.integers(0, 10, 200))
    assert exchanged_classes(answers, truth) == []


def test_classes_that_look_alike_are_not_exchanged() -> None:
    """Nor is one that another swallows."""
    truth = np.repeat(np.arange(3), 20)
    answers = truth.copy()
    answers[:11], answers[20:31] = 1, 0
    assert exchanged_classes(answers, truth) == []
    assert exchanged_classes(np.where(truth == 0, 1, truth), truth) == []


@pytest.mark.parametrize(("first", "words"), [(0, "labels look exchanged"), (2, None)])
def test_the_summary_warns_of_them(first: int, words: str | None) -> None:
    truth = np.repeat(np.arange(4), 10)
    order = np.array([1, 0, 2, 3] if first == 0 else range(4))
    warnings = summarize(predictions_of(np.eye(4)[order[truth]], truth)).warnings
    if words is None:
        assert warnings == ()
    else:
        assert "is most likely too little, since labels look exchanged" in warnings[0]
        assert "(10 images of 10)" in warnings[0]
        assert "hides classes" not in " ".join(warnings)
