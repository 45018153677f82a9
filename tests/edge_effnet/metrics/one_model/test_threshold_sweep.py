"""The threshold of a recall or a precision: against every threshold that there is, and against
scikit-learn's curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn import metrics as golden

from edge_effnet.heads.thresholds import MEASURES, Measure, counts_at
from edge_effnet.metrics.one_model.threshold_sweep import (
    MOST_CURVE_POINTS,
    precision_recall_curve,
    sweep,
)

Scored = tuple[np.ndarray, np.ndarray]
SHARES = st.one_of(st.floats(0, 1, exclude_min=True), st.sampled_from([0.07, 0.9, 0.95, 1.0]))


@st.composite
def scored(draw: st.DrawFn, least: int = 1) -> Scored:
    """Scores with many ties, as 8 bits give them, and which images are of the class."""
    images = draw(st.integers(least, 60))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    positive = random.random(images) < draw(st.floats(0, 1))
    levels = draw(st.sampled_from([1, 3, 20, 256, 2**20]))
    scores = np.floor((random.random(images) + 0.4 * positive) * levels) / levels
    return scores.astype(np.float32), positive


def share_at(scored: Scored, threshold: float, measure: Measure) -> float:
    part, whole = counts_at(*scored, threshold).part(measure)
    return part / whole if whole else np.nan


@given(scored(), st.sampled_from(MEASURES), SHARES)
@example((np.arange(100, dtype=np.float32), np.ones(100, np.bool_)), "recall", 0.07)
def test_the_threshold_is_the_best_of_all(scored: Scored, measure: Measure, share: float) -> None:
    """Any number is a threshold; those between two scores do what the higher score does."""
    levels = np.unique(scored[0]).astype(np.float64)
    every = np.concatenate(
        [levels, (levels[1:] + levels[:-1]) / 2, [levels[0] - 1, levels[-1] + 1]]
    )
    good = [one for one in every if share_at(scored, one, measure) >= share]
    chosen = sweep(*scored).choose(measure, share)
    if chosen is None:
        assert not good
        return
    assert share_at(scored, chosen, measure) >= share
    if measure == "recall":
        assert chosen == max(good)
    else:
        assert counts_at(*scored, chosen) == counts_at(*scored, min(good))


@given(scored(), SHARES)
def test_scikit_learn_chooses_the_same(scored: Scored, share: float) -> None:
    scores, positive = scored
    if not positive.any():
        assert sweep(*scored).choose("recall", share) is None
        return
    precision, recall, thresholds = golden.precision_recall_curve(positive, scores)
    good = thresholds[recall[:-1] >= share]
    assert sweep(*scored).choose("recall", share) == good.max()
    good = thresholds[precision[:-1] >= share]
    assert sweep(*scored).choose("precision", share) == (good.min() if good.size else None)


@given(scored())
def test_the_curve_is_scikit_learns_where_recall_grows(scored: Scored) -> None:
    scores, positive = scored
    curve = precision_recall_curve(*scored)
    if not positive.any():
        assert curve is None
        return
    assert curve is not None
    precision, recall, _ = golden.precision_recall_curve(positive, scores)
    best = {share: precision[recall == share].max() for share in np.unique(recall) if share}
    np.testing.assert_allclose(curve.recall, list(best))
    np.testing.assert_allclose(curve.precision, list(best.values()))
    expected = golden.average_precision_score(positive, scores)
    assert curve.average_precision == pytest.approx(expected)
    assert curve.prevalence == positive.mean()


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    scores = np.linspace(0, 1, 5000, dtype=np.float32)
    positive = np.arange(5000) % 2 == 1
    curve = precision_recall_curve(scores, positive)
    assert curve is not None
    assert len(curve.recall) == MOST_CURVE_POINTS
    assert (curve.recall[0], curve.recall[-1]) == (1 / 2500, 1)
    assert (np.diff(curve.recall) > 0).all()


def test_no_images_have_no_threshold() -> None:
    nothing = sweep(np.zeros(0, np.float32), np.zeros(0, np.bool_))
    assert nothing.choose("recall", 0.5) is None
    assert nothing.choose("precision", 0.5) is None
