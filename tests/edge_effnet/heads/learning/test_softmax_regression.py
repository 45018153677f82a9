"""The last layer is the regression that scikit-learn finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from edge_effnet.heads.learning import softmax_regression
from edge_effnet.heads.learning.softmax_regression import LENGTH, fit, problem_of, softmax, unit


def _drawn(images: int, width: int, classes: int, seed: int):  # type: ignore[no-untyped-def]
    random = np.random.default_rng(seed)
    labels = np.arange(images, dtype=np.int64) % classes
    centres = random.normal(size=(classes, width))
    values = centres[labels] + random.normal(size=(images, width))
    return unit(values.astype(np.float32)), labels


@pytest.mark.parametrize(("images", "width"), [(40, 100), (120, 30)])
def test_it_finds_the_minimum_that_scikit_learn_finds(images: int, width: int) -> None:
    features, labels = _drawn(images, width, 4, seed=1)
    decay = 1e-2
    ours = fit(problem_of(features), labels, 4, decay)
    oracle = LogisticRegression(C=1 / (decay * images), tol=1e-8, max_iter=5000)
    theirs = oracle.fit(features * LENGTH, labels).predict_proba(features * LENGTH)
    np.testing.assert_allclose(ours.scores(features), theirs, atol=0.01)  # after 60 steps


def test_learning_from_some_images_is_learning_from_them_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(softmax_regression, "_STEPS", 2000)  # both to the one minimum
    features, labels = _drawn(30, 50, 3, seed=2)
    chosen = np.arange(30) < 18
    some = fit(problem_of(features), labels, 3, 1e-2, chosen)
    alone = fit(problem_of(features[chosen]), labels[chosen], 3, 1e-2)
    np.testing.assert_allclose(some.scores(features), alone.scores(features), atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 25), st.integers(2, 6), st.integers(2, 5), st.integers(0, 99))
def test_scores_are_probabilities(images: int, width: int, classes: int, seed: int) -> None:
    features, labels = _drawn(images, width, classes, seed)
    scores = fit(problem_of(features), labels, classes, 1e-3).scores(features)
    assert scores.shape == (images, classes)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert np.isfinite(scores).all()


def test_softmax_of_large_numbers_is_finite() -> None:
    assert softmax(np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]


def test_an_image_that_counts_twice_is_one_that_is_there_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(softmax_regression, "_STEPS", 2000)
    features, labels = _drawn(24, 50, 3, seed=3)
    twice = np.where(labels == 0, 2, 1)
    weights = (twice / twice.mean()).astype(np.float32)
    weighed = fit(problem_of(features, weights), labels, 3, 1e-2)
    rows = np.repeat(np.arange(24), twice)
    repeated = fit(problem_of(features[rows]), labels[rows], 3, 1e-2)
    np.testing.assert_allclose(weighed.scores(features), repeated.scores(features), atol=1e-3)


def test_kept_classes_stay_as_they_are_and_new_ones_are_learned_beside_them() -> None:
    random = np.random.default_rng(4)
    centres, labels = random.normal(size=(4, 12)), np.arange(200) % 4
    features = unit((centres[labels] + 0.3 * random.normal(size=(200, 12))).astype(np.float32))
    two = labels < 2
    old = fit(problem_of(features[two]), labels[two], 2, 1e-3)
    now = fit(problem_of(features), labels, 4, 1e-3, kept=old)
    np.testing.assert_allclose(now.weights[:2], old.weights, atol=1e-4)
    np.testing.assert_array_equal(now.bias[:2], old.bias)
    assert (now.scores(features).argmax(axis=1) == labels).mean() > 0.95
