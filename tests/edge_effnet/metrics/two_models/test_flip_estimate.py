"""Estimating from scores how often answers change: near the truth, and surer than a count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_effnet.heads.head import Head
from edge_effnet.metrics import Predictions
from edge_effnet.metrics.two_models.flip_estimate import FlipEstimate, estimate_flips

CLASSES = 100
NOISE = 0.25  # of a margin
MANY = 20_000


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def predictions(
    scores: np.ndarray, truth: np.ndarray | None, head: Head | None = None
) -> Predictions:
    labels = tuple(map(str, range(scores.shape[1])))
    paths = tuple(Path(f"{index}.png") for index in range(len(scores)))
    return Predictions(scores.astype(np.float32), truth, paths, labels, head=head)


class Pair:
    """Scores of a calibrated float model and of one with noise added, with true classes."""

    def __init__(self, *, shift: float = 0.0, rounded: bool = False) -> None:
        random = np.random.default_rng(7)
        logits = random.normal(size=(MANY, CLASSES)) * random.uniform(1.0, 12.0, (MANY, 1))
        self.ours = softmax(logits)
        self.truth = (self.ours.cumsum(axis=1) > random.uniform(size=(MANY, 1))).argmax(axis=1)
        moved = logits + random.normal(size=logits.shape) * NOISE / np.sqrt(2)
        moved[np.arange(MANY), self.truth] += shift
        theirs = softmax(moved)
        self.theirs = np.rint(theirs * 256) / 256 if rounded else theirs
        answers = self.ours.argmax(axis=1), self.theirs.argmax(axis=1)
        self.changed = answers[0] != answers[1]
        self.lost = (answers[0] == self.truth).astype(float) - (answers[1] == self.truth)

    def estimate(self, images: np.ndarray) -> FlipEstimate:
        truth = self.truth[images]
        found = estimate_flips(
            predictions(self.ours[images], truth), predictions(self.theirs[images], truth)
        )
        assert found is not None
        return found


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair()


def test_150_images_say_more_by_their_scores_than_by_counting(pair: Pair) -> None:
    random = np.random.default_rng(0)
    draws = [random.choice(MANY, 150, replace=False) for _ in range(100)]
    found = [pair.estimate(images) for images in draws]
    changed = [one.disagreement.value for one in found]
    assert np.std(changed) < 0.4 * np.std([pair.changed[images].mean() for images in draws])
    expected = pair.changed.mean()
    assert np.mean(changed) == pytest.approx(expected, rel=0.3)
    # The interval knows how sure that is.
    halves = [1.96 * one.disagreement.error() for one in found]
    inside = np.abs(np.array(changed) - expected) < halves
    assert inside.mean() > 0.9
    drops = [one.drop.value for one in found if one.drop]
    assert len(drops) == len(found)
    assert np.std(drops) < np.std([pair.lost[images].mean() for images in draws]) / 3


@pytest.mark.parametrize("rounded", [False, True])
def test_many_images_say_what_their_count_says(rounded: bool) -> None:
    pair = Pair(rounded=rounded)
    found = pair.estimate(np.arange(4000))
    assert found.sigma == pytest.approx(NOISE, rel=0.2)
    assert found.disagreement.count == pair.changed[:4000].mean()
    assert found.disagreement.value == pytest.approx(found.disagreement.count, abs=0.001)


def test_noise_against_the_true_class_is_a_drop() -> None:
    worse = Pair(shift=-0.1)
    found = worse.estimate(np.arange(600)).drop
    assert found is not None
    assert found.value == pytest.approx(worse.lost.mean(), abs=2 * found.error())
    assert found.value > 2 * found.error()


def test_more_images_make_surer(pair: Pair) -> None:
    found = pair.estimate(np.arange(300)).disagreement
    errors = [found.error(images) for images in (100, 300, 1000, 10_000, 1_000_000)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.001
    assert found.error() == errors[1]


def test_a_count_that_refutes_the_model_stands(pair: Pair) -> None:
    ours, theirs = predictions(pair.ours[:400], None), pair.theirs[:400].copy()
    theirs[:80] /= 100  # one answer to a fifth of them, whatever the others' order is
    theirs[:80, pair.ours[:400].sum(axis=0).argmin()] = 0.99
    assert estimate_flips(ours, predictions(theirs, None)) is None


def test_without_noise_or_probabilities_there_is_no_estimate(pair: Pair) -> None:
    ours = predictions(pair.ours[:200], None)
    assert estimate_flips(ours, ours) is None
    logits = predictions(np.log(pair.ours[:200]), None)
    assert estimate_flips(logits, logits) is None
    labels = predictions(pair.ours[:200], None, Head("multilabel", CLASSES))
    assert estimate_flips(labels, labels) is None
    few = [predictions(scores[:3], None) for scores in (pair.ours, pair.theirs)]
    assert estimate_flips(*few) is None


def test_labels_that_a_model_gave_tell_no_drop(pair: Pair) -> None:
    truth = pair.ours[:300].argmax(axis=1)
    ours, theirs = (predictions(scores[:300], truth) for scores in (pair.ours, pair.theirs))
    found = estimate_flips(ours, theirs)
    assert found is not None
    assert found.drop is None


def test_of_two_classes_the_threshold_is_the_margins_zero() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(size=2000) * 2
    head = Head("sigmoid", 1, threshold=0.9)
    ours, theirs = (
        predictions(np.stack([1 - p, p], axis=1), None, head)
        for p in (1 / (1 + np.exp(-x)) for x in (logits, logits + random.normal(size=2000) / 5))
    )
    found = estimate_flips(ours, theirs)
    assert found is not None
    changed = (ours.answers != theirs.answers).mean()
    assert found.disagreement.model == pytest.approx(changed, rel=0.5)
