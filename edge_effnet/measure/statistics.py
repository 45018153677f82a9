"""What a list of times says: percentiles, and intervals for medians and their ratios.

Times are neither normal nor independent: they have a floor, a long tail, and slow stretches.
So nothing here assumes a distribution, and the intervals of ratios resample whole blocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float64Array

Times = Sequence[float] | Float64Array

CONFIDENCE = 0.95
RESAMPLES, FEWEST_RESAMPLES = 1000, 200
_WORK_VALUES = 4_000_000  # resampled values in all: a fifth of a second
_CHUNK_VALUES = 2_000_000  # resampled values held at a time: 16 MB


@dataclass(frozen=True)
class Spread:
    """A distribution of times in milliseconds; percentiles interpolate linearly between ranks.

    Attributes:
        deviation_ms: sample standard deviation; 0 for a single sample.
        median_interval_ms: 95 % interval of the median, see ``median_interval``.
    """

    count: int
    min_ms: float
    mean_ms: float
    deviation_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    median_interval_ms: tuple[float, float]


@dataclass(frozen=True)
class Ratio:
    """A quotient of medians with its 95 % interval."""

    value: float
    low: float
    high: float


def spread(samples_ms: Times) -> Spread:
    """Describe samples, (n,), n at least 1.

    Raises:
        ValueError: no samples.
    """
    if not len(samples_ms):
        raise ValueError("no samples")
    values = np.asarray(samples_ms, np.float64)
    p50, p90, p95, p99 = (float(value) for value in np.percentile(values, [50, 90, 95, 99]))
    return Spread(
        count=len(values),
        min_ms=float(values.min()),
        mean_ms=float(values.mean()),
        deviation_ms=float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        median_interval_ms=median_interval(values),
    )


def median_interval(samples: Times, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Distribution-free interval of the median: two order statistics whose ranks come from
    Binomial(n, 1/2) (Conover, Practical Nonparametric Statistics, 1999, section 3.2).

    With fewer samples than the confidence needs (5 for 95 %) it is the whole range.
    """
    ordered = np.sort(np.asarray(samples, np.float64))
    count = len(ordered)
    tail = (1 - confidence) / 2
    # The largest k with P(B <= k - 1) <= tail; then [x_k, x_(n+1-k)] covers the median.
    below, rank = 0.0, 0
    for successes in range(count // 2):
        below += math.exp(
            math.lgamma(count + 1)
            - math.lgamma(successes + 1)
            - math.lgamma(count - successes + 1)
            - count * math.log(2)
        )
        if below > tail:
            break
        rank = successes + 1
    first = max(rank, 1) - 1
    return float(ordered[first]), float(ordered[count - 1 - first])


def paired_ratio(ours: Times, theirs: Times, *, seed: int = 0) -> Ratio:
    """median(ours) / median(theirs) for samples taken in turn: ``ours[i]`` beside ``theirs[i]``.

    Resamples rounds, keeping both times of a round together, so that what slowed the whole
    machine cancels. Blocks of n^(1/3) rounds in a row keep slow stretches whole: the circular
    block bootstrap (Politis and Romano 1992), percentile interval.

    Raises:
        ValueError: no samples, or not as many of the one as of the other.
    """
    if len(ours) != len(theirs) or not len(ours):
        raise ValueError(f"{len(ours)} and {len(theirs)} samples are no rounds")
    generator = np.random.default_rng(seed)
    one, other = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    quotients = np.concatenate(
        [
            np.median(one[rows], axis=1) / np.median(other[rows], axis=1)
            for rows in _block_resamples(len(one), generator)
        ]
    )
    return _ratio(one, other, quotients)


def independent_ratio(ours: Times, theirs: Times, *, seed: int = 0) -> Ratio:
    """median(ours) / median(theirs) for samples of two runs that have nothing in common.

    As ``paired_ratio``, but each run is resampled by itself. What differs between two runs as
    a whole (another clock speed, another day) is not in the interval.
    """
    if not len(ours) or not len(theirs):
        raise ValueError("no samples")
    generator = np.random.default_rng(seed)
    one, other = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    above = [np.median(one[rows], axis=1) for rows in _block_resamples(len(one), generator)]
    under = [np.median(other[rows], axis=1) for rows in _block_resamples(len(other), generator)]
    return _ratio(one, other, np.concatenate(above) / np.concatenate(under))


def _ratio(one: Float64Array, other: Float64Array, quotients: Float64Array) -> Ratio:
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(quotients, [tail, 100 - tail])
    return Ratio(float(np.median(one) / np.median(other)), float(low), float(high))


def _block_resamples(count: int, generator: np.random.Generator) -> list[NDArray[np.int64]]:
    """Places to resample: arrays of (resamples, count); ``RESAMPLES`` rows in all, fewer for
    very many samples, whose intervals are narrow anyway."""
    resamples = min(RESAMPLES, max(FEWEST_RESAMPLES, _WORK_VALUES // count))
    length = max(1, round(count ** (1 / 3)))
    blocks = -(-count // length)
    rows = max(1, _CHUNK_VALUES // count)
    chunks = []
    for start in range(0, resamples, rows):
        chunk_rows = min(rows, resamples - start)
        starts = generator.integers(0, count, (chunk_rows, blocks, 1))
        indices = (starts + np.arange(length)) % count
        chunks.append(indices.reshape(chunk_rows, -1)[:, :count])
    return chunks
