"""Thresholds of a card: written and read whole, and strict about what they are."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.heads.thresholds import (
    MEASURES,
    ClassThreshold,
    ThresholdCounts,
    counts_at,
    thresholds_from_json,
)

COUNTS = ThresholdCounts(of_class=20, others=80, found=19, false_alarms=2)
STOP = ClassThreshold(0.25, "recall", 0.95, COUNTS, COUNTS)


@st.composite
def counts(draw: st.DrawFn) -> ThresholdCounts:
    of_class, others = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))
    found, false_alarms = draw(st.integers(0, of_class)), draw(st.integers(0, others))
    return ThresholdCounts(of_class, others, found, false_alarms)


thresholds = st.builds(
    ClassThreshold,
    st.floats(-1e6, 1e6, width=32),
    st.sampled_from(MEASURES),
    st.floats(0, 1, exclude_min=True),
    counts(),
    counts(),
    st.text(),
)


@given(st.dictionaries(st.sampled_from(["stop", "yield", "猫"]), thresholds))
def test_what_is_written_is_read(kept: dict[str, ClassThreshold]) -> None:
    text = json.dumps({name: asdict(one) for name, one in kept.items()})
    assert thresholds_from_json(json.loads(text), ("stop", "yield", "猫")) == kept


def test_cards_of_before_have_none() -> None:
    assert thresholds_from_json(None, ("stop",)) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": "0.5"},
        {"threshold": True},
        {"threshold": float("nan")},
        {"threshold": None},
        {"measure": "f1"},
        {"measure": ["recall"]},
        {"share": 0},
        {"share": 1.5},
        {"chosen_on": None},
        {"chosen_on": [20, 80, 19, 2]},
        {"evaluated_on": {**asdict(COUNTS), "found": 21}},
        {"evaluated_on": {**asdict(COUNTS), "found": 1.5}},
        {"evaluated_on": {**asdict(COUNTS), "found": True}},
        {"evaluated_on": {"of_class": 20}},
        {"chosen_with": None},
    ],
)
def test_wrong_entries_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        thresholds_from_json({"stop": {**asdict(STOP), **change}}, ("stop",))


@pytest.mark.parametrize("labels", [("yield",), ("stop", "stop")])
def test_a_class_is_named_once(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="not one of the labels"):
        thresholds_from_json({"stop": asdict(STOP)}, labels)


def test_a_score_that_is_the_threshold_reaches_it() -> None:
    scores = np.array([0.1, 0.25, 0.25, 0.9], np.float32)
    positive = np.array([False, False, True, True])
    assert counts_at(scores, positive, 0.25) == ThresholdCounts(2, 2, 2, 1)
    assert STOP.reached_by(0.25)
    assert not STOP.reached_by(0.2499)
