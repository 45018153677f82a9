from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from edge_effnet.metrics.intervals import (
    binomial_tail,
    drop_at_most_points,
    drop_interval_points,
    drop_points,
    images_needed,
    mcnemar_p,
    round_up,
    student_quantile,
    wilson_interval,
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[int, int, int]:
    """(lost, gained, images)."""
    images = draw(st.integers(1, 3000))
    lost = draw(st.integers(0, images))
    return lost, draw(st.integers(0, images - lost)), images


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_as_scipy_has_it(case: tuple[int, int]) -> None:
    successes, trials = case
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    low, high = wilson_interval(successes, trials)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert 0 <= low <= successes / trials <= high <= 1


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_as_scipy_has_it(lost: int, gained: int) -> None:
    if lost + gained:
        expected = stats.binomtest(lost, lost + gained, 0.5).pvalue
        assert mcnemar_p(lost, gained) == pytest.approx(expected, rel=1e-7, abs=1e-300)
    assert mcnemar_p(lost, gained) == mcnemar_p(gained, lost)
    assert 0 <= mcnemar_p(lost, gained) <= 1


def test_mcnemar_by_hand() -> None:
    assert mcnemar_p(0, 0) == 1
    assert mcnemar_p(5, 5) == 1
    assert mcnemar_p(5, 0) == pytest.approx(2 / 2**5)
    assert mcnemar_p(9, 1) == pytest.approx(2 * (1 + 10) / 2**10)
    assert 0 < mcnemar_p(21_000, 20_000) < 1e-5  # no overflow


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.001, 0.999))
def test_binomial_tail_as_scipy_has_it(at_least: int, trials: int, share: float) -> None:
    expected = stats.binom.sf(at_least - 1, trials, share)
    assert binomial_tail(at_least, trials, share) == pytest.approx(expected, rel=1e-7, abs=1e-200)


def test_drop_interval_of_a_published_example() -> None:
    """Airway reactivity of 21 children before and after a transplantation: 1 and 7 discordant.

    -0.517 to -0.026, as Fagerland, Lydersen and Laake 2014, "Recommended tests and confidence
    intervals for paired binomial proportions", report for Tango's interval.
    """
    low, high = drop_interval_points(1, 7, 21)
    assert (low, high) == pytest.approx((-51.7, -2.6), abs=0.05)


@pytest.mark.parametrize(
    ("lost", "gained", "images"), [(4, 3, 250), (40, 20, 160), (0, 5, 50), (12, 0, 12), (0, 0, 9)]
)
def test_drop_interval_from_its_definition(lost: int, gained: int, images: int) -> None:
    """At each limit the score test, with the likelihood maximized numerically, gives ±z."""
    for limit, z in zip(drop_interval_points(lost, gained, images), (1.96, -1.96), strict=True):
        drop = limit / 100
        if abs(drop) > 0.9999:
            continue  # the interval ends where drops do

        def unlikelihood(share_gained: float, drop: float = drop) -> float:
            both = images - lost - gained
            shares = (share_gained + drop, share_gained, 1 - 2 * share_gained - drop)
            return -sum(
                count * math.log(max(share, 1e-300))
                for count, share in zip((lost, gained, both), shares, strict=True)
            )

        bounds = (max(0.0, -drop), (1 - drop) / 2)
        best = optimize.minimize_scalar(
            unlikelihood, bounds=bounds, method="bounded", options={"xatol": 1e-10}
        ).x
        variance = images * (2 * best + drop - drop**2)
        assert (lost - gained - images * drop) / math.sqrt(variance) == pytest.approx(z, abs=0.01)


@given(pairs())
def test_drop_interval_holds_the_drop(case: tuple[int, int, int]) -> None:
    lost, gained, images = case
    drop = drop_points(lost, gained, images)
    low, high = drop_interval_points(lost, gained, images)
    assert -100 <= low <= drop + 1e-9
    assert drop - 1e-9 <= high <= 100
    assert drop_interval_points(gained, lost, images) == pytest.approx((-high, -low), abs=1e-6)
    assert drop_at_most_points(lost, gained, images) <= high + 1e-9


def test_no_discordant_image_is_no_proof_of_equality() -> None:
    """The limit is z² / (n + z²), close to the rule of three; Wald's interval is empty here."""
    low, high = drop_interval_points(0, 0, 100)
    assert (low, high) == pytest.approx(
        (-100 * 3.8415 / 103.8415, 100 * 3.8415 / 103.8415), abs=1e-3
    )


def test_the_interval_covers() -> None:
    """2000 simulated comparisons of 250 images, 3 % discordant, no true drop."""
    random = np.random.default_rng(5)
    draws = random.multinomial(250, [0.015, 0.015, 0.97], size=2000)
    inside = 0
    for lost, gained, _ in draws:
        low, high = drop_interval_points(int(lost), int(gained), 250)
        inside += low <= 0 <= high
    assert 0.93 <= inside / 2000 <= 0.99


def test_images_needed() -> None:
    # Known by hand: 1.645² · 0.03 / 0.005² = 3,247 by the normal approximation.
    assert images_needed(0.5, 0.03) == pytest.approx(3250, rel=0.05)
    # Nothing discordant: z² (1 - x) / x, close to the rule of three (600).
    assert images_needed(0.5, 0.0) == 539
    assert images_needed(1.0, 0.05, expected_drop_points=1.0) is None
    with pytest.raises(ValueError, match="0–100"):
        images_needed(0.0, 0.03)


@given(st.floats(0.1, 5), st.integers(0, 100))
def test_so_many_images_do_prove_it(below_points: float, per_mille: int) -> None:
    images = images_needed(below_points, per_mille / 1000)
    assert images is not None
    half = math.floor(images * per_mille / 2000)
    assert drop_at_most_points(half, half, images) <= below_points + 1e-6


@given(st.floats(0.1, 5), st.floats(0.0, 0.2))
def test_a_finer_proof_takes_more_images(below_points: float, share: float) -> None:
    coarse, fine = images_needed(2 * below_points, share), images_needed(below_points, share)
    assert coarse is not None
    assert fine is not None
    assert fine >= coarse


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="among the images"):
        drop_interval_points(3, 3, 5)
    with pytest.raises(ValueError, match="at least one"):
        wilson_interval(0, 0)


@pytest.mark.parametrize(
    ("count", "said"), [(7, 7), (99, 99), (100, 100), (101, 110), (3330, 3400), (3400, 3400)]
)
def test_an_estimate_is_rounded_up_to_two_digits(count: int, said: int) -> None:
    assert round_up(count) == said


@pytest.mark.parametrize("freedom", [1, 2, 2.7, 5, 7, 15, 29.9, 30, 400])
def test_students_quantile_is_scipys(freedom: float) -> None:
    assert student_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-4)
