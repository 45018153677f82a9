"""Percentiles against NumPy, intervals against SciPy and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from edge_effnet.measure.statistics import (
    independent_ratio,
    median_interval,
    paired_ratio,
    spread,
)

TIMES = st.lists(st.floats(1e-3, 1e4), min_size=1, max_size=60)


@given(TIMES)
def test_a_spread_is_what_numpy_says(samples: list[float]) -> None:
    found = spread(samples)
    assert found.count == len(samples)
    assert found.mean_ms == pytest.approx(np.mean(samples))
    assert found.min_ms == min(samples)
    for share, value in ((50, found.p50_ms), (90, found.p90_ms), (99, found.p99_ms)):
        assert value == pytest.approx(np.percentile(samples, share))
    if len(samples) > 1:
        assert found.deviation_ms == pytest.approx(np.std(samples, ddof=1), abs=1e-9)
    assert found.median_interval_ms[0] <= found.p50_ms <= found.median_interval_ms[1]


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="no samples"):
        spread([])


@pytest.mark.parametrize("count", [6, 7, 20, 101, 1000])
def test_the_median_interval_is_scipys(count: int) -> None:
    samples = np.random.default_rng(count).lognormal(size=count)
    theirs = stats.quantile_test(samples, p=0.5).confidence_interval(0.95)
    assert median_interval(samples) == pytest.approx((theirs.low, theirs.high))


def test_few_samples_give_their_whole_range() -> None:
    assert median_interval([3.0]) == (3.0, 3.0)
    assert median_interval([1.0, 2.0, 5.0]) == (1.0, 5.0)


def test_a_paired_ratio_survives_a_drifting_machine() -> None:
    generator = np.random.default_rng(1)
    drift = np.linspace(1, 4, 400)
    ours = 2 * drift * generator.normal(1, 0.01, 400)
    theirs = drift * generator.normal(1, 0.01, 400)
    ratio = paired_ratio(ours, theirs)
    assert ratio.value == pytest.approx(2, rel=0.03)
    assert ratio.low < 2 < ratio.high
    assert ratio.low > 1
    apart = independent_ratio(ours, theirs)
    assert apart.high - apart.low > ratio.high - ratio.low


def test_a_ratio_is_the_same_for_the_same_seed() -> None:
    samples = np.random.default_rng(2).lognormal(size=(2, 50))
    assert paired_ratio(*samples, seed=3) == paired_ratio(*samples, seed=3)
    assert paired_ratio(samples[0], samples[0]).value == 1


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 10))
def test_a_ratio_does_not_depend_on_the_unit(unit: float) -> None:
    ours, theirs = np.random.default_rng(4).lognormal(size=(2, 40))
    one, other = independent_ratio(ours, theirs), independent_ratio(unit * ours, unit * theirs)
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_equal_runs_seldom_look_different() -> None:
    generator = np.random.default_rng(5)
    ratios = [
        independent_ratio(*generator.lognormal(0, 0.2, (2, 80)), seed=trial) for trial in range(100)
    ]
    wrong = sum(ratio.low > 1 or ratio.high < 1 for ratio in ratios)
    assert wrong <= 14  # 5 expected; binomial, P(more) is under 1 in 10,000


def test_unequal_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="no rounds"):
        paired_ratio([1.0], [1.0, 2.0])
