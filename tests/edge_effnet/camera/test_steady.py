"""The steadied answers of a model that can say "unknown"."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.camera.answers import UNKNOWN, unknown_name
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.camera.steady import SteadyAnswers
from edge_effnet.heads.head import Head
from edge_effnet.heads.unknown import Unknown, is_unknown

LABELS = ("stop", "go")
STOP = np.array([0.9, 0.1], np.float32)
RULE = Unknown(0.5, 0.05, 100)


def answers(smooth_s: float, rule: Unknown | None = RULE) -> SteadyAnswers:
    settings = SessionSettings(LABELS, "model", smooth_s=smooth_s)
    return SteadyAnswers(settings, Head("softmax", 2), rule)


@given(st.floats(-1, 1, width=32), st.floats(-1, 1, width=32))
def test_unknown_is_shown_under_the_threshold_alone(similarity: float, threshold: float) -> None:
    rule = Unknown(threshold, 0.05, 100)
    seen = answers(0, rule).add(STOP, similarity, 0.0)
    assert (seen.label == UNKNOWN) == is_unknown(rule, similarity) == (similarity < threshold)
    assert seen.best[0].label == "stop"


def test_the_score_of_unknown_is_the_similarity() -> None:
    assert answers(0).add(STOP, 0.25, 0.0).scored == "unknown 0.25"


def test_one_strange_frame_changes_no_steadied_answer() -> None:
    steady = answers(0.3)
    similarities = [0.9, 0.9, 0.1, 0.9] + [0.1] * 20
    seen = [steady.add(STOP, one, number / 20).label for number, one in enumerate(similarities)]
    assert seen[:4] == ["stop"] * 4
    assert seen[-1] == UNKNOWN


def test_without_a_rule_nothing_is_unknown() -> None:
    assert answers(0, None).add(STOP, None, 0.0).label == "stop"
    assert answers(0, None).add(STOP, -1.0, 0.0).label == "stop"


def test_a_class_that_means_unknown_gives_the_answer_its_name() -> None:
    assert unknown_name(LABELS) == UNKNOWN
    assert unknown_name(("stop", "Unknown")) == "Unknown"
