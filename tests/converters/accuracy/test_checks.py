"""Limits and what a number of images proves about them."""

from pathlib import Path

import numpy as np
import pytest

from converters.accuracy.checks import Measurement, check, overall
from converters.accuracy.limits import Limits
from edge_effnet.metrics import Predictions, compare_predictions


def measured(lost: int, gained: int, images: int, *, labelled: bool = True) -> Measurement:
    """Two classes; float is right but on the last ``gained`` images."""
    truth = np.arange(images) % 2
    ours, theirs = truth.copy(), truth.copy()
    theirs[:lost] ^= 1
    ours[images - gained :] ^= 1
    paths = tuple(Path(f"{i}.png") for i in range(images))
    known = truth.astype(np.int64) if labelled else None
    reference, candidate = (
        Predictions(np.eye(2, dtype=np.float32)[answers], known, paths, ("a", "b"))
        for answers in (ours, theirs)
    )
    return Measurement(compare_predictions(reference, candidate), 1, 1.0)


def test_a_drop_is_proven_only_by_enough_images() -> None:
    limits = Limits(max_drop_points=0.5)
    (few,) = check(limits, measured(3, 3, 200))
    assert few.fits
    assert few.verdict == "not provable"
    assert few.needed is not None
    assert 2_500 < few.needed < 4_000  # 3 % discordant: about 3,300
    assert "not provable with 200 images (needs about 3," in few.line()
    (many,) = check(limits, measured(60, 60, 4_000))
    assert many.verdict == "within"
    assert many.line().endswith("within")


def test_a_proven_loss_is_exceeded() -> None:
    (found,) = check(Limits(max_drop_points=0.5), measured(40, 0, 400))
    assert not found.fits
    assert found.verdict == "exceeded"
    assert found.value == pytest.approx(10)


@pytest.mark.parametrize(
    ("changed", "verdict", "fits"),
    [
        (0, "within", True),
        (4, "not provable", True),
        (8, "not provable", False),
        (60, "exceeded", False),
    ],
)
def test_agreement_needs_no_labels(changed: int, verdict: str, fits: bool) -> None:
    (found,) = check(Limits(min_agreement_percent=98.5), measured(changed, 0, 400, labelled=False))
    assert (found.verdict, found.fits) == (verdict, fits)


def test_the_worst_class_is_named() -> None:
    # All lost images are of class "a" (the even ones).
    truth = np.zeros(40, np.int64)
    truth[20:] = 1
    theirs = truth.copy()
    theirs[:5] = 1
    paths = tuple(Path(f"{i}.png") for i in range(40))
    ours, small = (
        Predictions(np.eye(2, dtype=np.float32)[answers], truth, paths, ("a", "b"))
        for answers in (truth, theirs)
    )
    (found,) = check(
        Limits(max_class_drop_points=10), Measurement(compare_predictions(ours, small), 1, 1.0)
    )
    assert found.name == "drop of 'a'"
    assert found.value == pytest.approx(25)
    assert not found.fits


def test_the_worst_verdict_counts() -> None:
    checks = check(Limits(0.5, 50), measured(3, 3, 200))
    assert {found.verdict for found in checks} == {"within", "not provable"}
    assert overall(checks) == "not provable"


def test_drop_and_agreement_are_estimated_where_scores_allow_it() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(400, 50)) * random.uniform(1, 12, (400, 1))
    moved = logits + random.normal(size=logits.shape) * 0.1
    scores = [np.exp(one) / np.exp(one).sum(axis=1, keepdims=True) for one in (logits, moved)]
    truth = (scores[0].cumsum(axis=1) > random.uniform(size=(400, 1)) * 0.999).argmax(axis=1)
    paths, labels = tuple(Path(f"{i}.png") for i in range(400)), tuple(map(str, range(50)))
    ours, theirs = (Predictions(one.astype(np.float32), truth, paths, labels) for one in scores)
    measurement = Measurement(compare_predictions(ours, theirs), 1, 1.0)
    drop, agreement = check(Limits(3, 90), measurement)
    assert agreement.counted == pytest.approx(measurement.comparison.agreement_percent)
    assert agreement.value != agreement.counted
    assert f"agreement {agreement.value:.1f} (counted {agreement.counted:.1f})" in agreement.line()
    assert {drop.verdict, agreement.verdict} == {"within"}  # by counting, 400 images prove no 3
    (nearly,) = check(Limits(min_agreement_percent=agreement.value + 0.2), measurement)
    assert (nearly.fits, nearly.verdict) == (False, "not provable")
    (proven,) = check(Limits(min_agreement_percent=agreement.value - 0.5), measurement)
    assert proven.needed is not None
    assert proven.needed > 400


def test_an_estimate_that_rounds_to_the_limit_keeps_it() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(400, 50)) * 6
    moved = logits + random.normal(size=logits.shape) * 1e-4
    scores = [np.exp(one) / np.exp(one).sum(axis=1, keepdims=True) for one in (logits, moved)]
    paths, labels = tuple(Path(f"{i}.png") for i in range(400)), tuple(map(str, range(50)))
    ours, theirs = (Predictions(one.astype(np.float32), None, paths, labels) for one in scores)
    measurement = Measurement(compare_predictions(ours, theirs), 1, 1.0)
    (found,) = check(Limits(min_agreement_percent=100), measurement)
    assert (found.fits, found.verdict) == (True, "not provable")
