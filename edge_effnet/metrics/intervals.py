"""Two classifiers on the same images: what is proven, and what a sample this small hides.

An image is *discordant* when exactly one of the two is right: ``lost`` counts those only the
reference gets right, ``gained`` those only the candidate gets right. All the evidence about a
drop lies in them, which is why pairing needs far fewer images than two separate accuracies.

Shares are 0–1, points are percent of the images (1 point = 0.01); a positive drop means the
candidate is worse.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95
_SERIES_FROM, _NODES = 30, 4001  # of ``student_quantile``


def normal_quantile(confidence: float, *, sides: int = 2) -> float:
    """z such that a normal variable lies within ±z (or, with one side, below z) so often."""
    return NormalDist().inv_cdf(1 - (1 - confidence) / sides)


def student_quantile(freedom: float, confidence: float = CONFIDENCE) -> float:
    """t such that Student's variable lies within ±t so often; ``freedom`` is 1 or more.

    From 30 degrees of freedom on by the series of Abramowitz and Stegun 1964, "Handbook of
    Mathematical Functions", 26.7.5, which a camera may ask for every frame. Below it is not close
    enough: there, with t = √freedom · tan θ, the density of θ, which is that of cos θ to the power
    freedom - 1, is added up.

    >>> round(student_quantile(2), 3)
    4.303
    """
    if freedom >= _SERIES_FROM:
        z = normal_quantile(confidence)
        terms = (
            (z**3 + z) / 4,
            (5 * z**5 + 16 * z**3 + 3 * z) / 96,
            (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        )
        return z + math.fsum(term / freedom ** (1 + index) for index, term in enumerate(terms))
    angles = np.linspace(0.0, math.pi / 2, _NODES)
    heights = np.cos(angles) ** (freedom - 1)
    below = np.concatenate([[0.0], np.cumsum((heights[1:] + heights[:-1]) / 2)])
    angle = float(np.interp(confidence, below / below[-1], angles))
    return math.sqrt(freedom) * math.tan(angle)


def wilson_interval(
    successes: float, trials: float, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Confidence interval of a share, 0–1; right near 0 and 1, where the usual one is not.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if trials < 1:
        raise ValueError("an interval needs at least one trial")
    z = normal_quantile(confidence)
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = share * (1 - share) / trials + z * z / (4 * trials * trials)
    half = z * math.sqrt(spread) / (1 + z * z / trials)
    # Rounding must not push a bound past the estimate it surrounds.
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def interval_json(interval: tuple[float, float] | None) -> list[float] | None:
    """An interval for a document; null where there is none."""
    return None if interval is None else list(interval)


def interval_text(interval: tuple[float, float] | None) -> str:
    """An interval in percent for people."""
    return f"95 % interval {interval[0]:.1f} to {interval[1]:.1f}" if interval else "no interval"


def mcnemar_p(lost: int, gained: int) -> float:
    """Exact two-sided p of "losing and gaining an image are equally likely"; 1 without any.

    Twice the smaller tail of Binomial(lost + gained, 1/2).
    Source: McNemar 1947; the exact form as in Agresti, "Categorical Data Analysis", on matched
    pairs.
    """
    return min(1.0, 2 * binomial_tail(max(lost, gained), lost + gained, 0.5))


def binomial_tail(at_least: int, trials: int, share: float) -> float:
    """P(X >= at_least) for X ~ Binomial(trials, share), with 0 < share < 1."""
    if at_least <= 0:
        return 1.0
    if at_least > trials:
        return 0.0
    # In logarithms: the coefficients of 50,000 images overflow a float.
    k = np.arange(1, trials + 1, dtype=np.float64)
    log_choose = np.concatenate([[0.0], np.cumsum(np.log((trials - k + 1) / k))])
    count = np.arange(at_least, trials + 1)
    logs = log_choose[at_least:] + count * math.log(share)
    logs += (trials - count) * math.log1p(-share)
    peak = float(logs.max())
    return min(1.0, math.exp(peak) * float(np.exp(logs - peak).sum()))


def drop_points(lost: int, gained: int, images: int) -> float:
    """Accuracy lost by the candidate, in points."""
    return 100 * (lost - gained) / images


def drop_interval_points(
    lost: float, gained: float, images: float, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Confidence interval of the drop, in points, from -100 to 100.

    The score interval for paired proportions: all drops that a score test does not reject.
    Unlike the textbook (Wald) interval it keeps its coverage in small samples and does not
    shrink to nothing when no image is discordant.
    Source: Tango 1998, "Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design", Statistics in Medicine 17:891–908.
    """
    z = normal_quantile(confidence)
    return _tango_limit(lost, gained, images, z), _tango_limit(lost, gained, images, -z)


def drop_at_most_points(
    lost: float, gained: float, images: float, confidence: float = CONFIDENCE
) -> float:
    """The smallest drop, in points, that the data exclude with one-sided ``confidence``."""
    return _tango_limit(lost, gained, images, -normal_quantile(confidence, sides=1))


def images_needed(
    below_points: float,
    discordant_share: float,
    *,
    expected_drop_points: float = 0.0,
    confidence: float = CONFIDENCE,
) -> int | None:
    """Images that would prove a drop below ``below_points``, one-sided; None: never.

    Assumes that the next images are discordant as often as these and show the expected drop
    (by default none). It is a lower bound of the effort: where chance adds to the drop seen,
    which happens every other time, the proof fails and takes more.
    Example: 0.5 points at 3 % discordant takes 3,330 (3,247 by the normal approximation).
    Source: the score statistic of ``drop_interval_points``, solved for the sample size.
    """
    limit, expected = below_points / 100, expected_drop_points / 100
    if not 0 < limit < 1 or not 0 <= discordant_share <= 1:
        raise ValueError("points are within 0–100 and shares within 0–1")
    expected = max(-discordant_share, min(discordant_share, expected))
    if expected >= limit:
        return None
    lost, gained = (discordant_share + expected) / 2, (discordant_share - expected) / 2
    z = normal_quantile(confidence, sides=1)
    variance = _constrained_variance(lost, gained, limit)
    return math.ceil(z * z * variance / (limit - expected) ** 2)


def round_up(count: int) -> int:
    """To two digits, for a count that rests on an estimate.

    >>> round_up(3330), round_up(30), round_up(7)
    (3400, 30, 7)
    """
    unit = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // unit) * unit


def _tango_limit(lost: float, gained: float, images: float, z: float) -> float:
    """The drop, in points, at which the score statistic equals ``z``."""
    if min(lost, gained) < 0 or images * (1 + 1e-9) < max(1, lost + gained):
        raise ValueError("discordant images are among the images")
    p_lost, p_gained = lost / images, gained / images
    seen = p_lost - p_gained

    def statistic(drop: float) -> float:
        gap = math.sqrt(images) * (seen - drop)
        variance = _constrained_variance(p_lost, p_gained, drop)
        if variance <= 0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / math.sqrt(variance)

    # The statistic falls as the supposed drop grows.
    bounds = (-1.0, seen) if z > 0 else (seen, 1.0)
    return 100 * _bisect(lambda drop: statistic(drop) > z, *bounds)


def _constrained_variance(lost: float, gained: float, drop: float) -> float:
    """Variance of (lost - gained) of one image, supposing that the true drop is ``drop``.

    The share gained is its maximum-likelihood estimate under that supposition: the larger
    root of 2x² + Bx + C (Tango 1998).
    """
    linear = -lost - gained + (2 - lost + gained) * drop
    constant = -gained * drop * (1 - drop)
    root = math.sqrt(max(0.0, linear * linear - 8 * constant))
    constrained_gained = max(0.0, (root - linear) / 4)
    return 2 * constrained_gained + drop * (1 - drop)


def _bisect(below: Callable[[float], bool], low: float, high: float) -> float:
    """Where ``below`` turns from true to false between ``low`` and ``high``."""
    for _ in range(60):  # 2^-60 of the interval: exact in a double
        middle = (low + high) / 2
        if below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2
