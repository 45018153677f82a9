"""Intervals over images and seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge_effnet.search.outcome.intervals import accuracy, gain


def test_a_gain_that_is_as_large_in_every_seed_is_shown() -> None:
    random = np.random.default_rng(0)
    theirs = random.random((3, 500)) < 0.6
    ours = theirs | (random.random((3, 500)) < 0.2)
    found = gain(ours, theirs)
    assert found.interval[0] > 0
    assert found.value == pytest.approx(100 * (ours.mean() - theirs.mean()))
    assert gain(theirs, ours).interval == pytest.approx((-found.interval[1], -found.interval[0]))


def test_seeds_that_disagree_widen_the_interval() -> None:
    random = np.random.default_rng(1)
    theirs = random.random((3, 4000)) < 0.5
    ours = random.random((3, 4000)) < np.array([[0.45], [0.55], [0.65]])
    low, high = gain(ours, theirs).interval
    assert low < 0 < high
    one_seed = gain(ours[2:], theirs[2:])  # by itself it would be proven
    assert one_seed.interval[0] > 0
    assert one_seed.seeds == 1


def test_the_interval_of_no_difference_covers_nineteen_in_twenty() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for _ in range(400):
        hard = random.random(200)
        trained = random.normal(0.6, 0.03, (2, 3, 1))  # each training is a little better or worse
        right = random.random((2, 3, 200)) < (trained + hard) / 2
        low, high = gain(right[0], right[1]).interval
        covered += low <= 0 <= high
    assert covered >= 0.95 * 400


def test_the_same_answers_everywhere_prove_no_more_than_the_images_do() -> None:
    right = np.ones((3, 50), np.bool_)
    low, high = gain(right, right).interval
    assert low == pytest.approx(-high)
    assert high > 1
    assert accuracy(right).interval[0] < 95
    assert accuracy(right).interval[1] == 100


def test_an_accuracy_knows_its_seeds() -> None:
    right = np.zeros((2, 100), np.bool_)
    right[0, :60], right[1, :40] = True, True
    found = accuracy(right)
    assert (found.value, found.by_seed, found.images, found.seeds) == (50, (60, 40), 100, 2)
    assert found.interval[0] >= 0
    assert not math.isnan(found.interval[1])
