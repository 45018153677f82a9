"""How often a quantized model answers otherwise than float, and what that costs, estimated from
scores instead of counted.

Of 150 images four or five change their answer, and a count of so few errs by a half. But each
image says more than whether its answer changed: how far float's answer was ahead, and how far
all scores moved.

- The *margin* m of an image is log(f1 / f2) of float's two highest scores.
- The *noise*: r = log(q / f), the quantized model's score over float's, for those of the five
  highest scores that are at least 1/64. Its variance around the image's mean, pooled over all
  images, is half the variance of what is added to a margin: sigma² = 2 sum (r - mean r)² / sum
  (k - 1). It hardly depends on the margin.
- An answer changes where noise exceeds the margin: with the probability Phi(-m / sigma). The mean
  over images is the Rao-Blackwellized count, half as uncertain. What is left is how many margins
  happen to be near 0, so their density is smoothed as well: below 2.5 it is
  A lambda exp(-lambda m) / (1 - exp(-2.5 lambda)), with A the share of margins below 2.5 and
  lambda the maximum of likelihood and of a prior of 0.5 ± 0.05, what four ImageNet networks show.
  Then the share of changed answers
  is the integral of density times Phi(-m / sigma):

      p = A / (1 - exp(-2.5 lambda)) (1/2 - exp(lambda² sigma² / 2) Phi(-lambda sigma)),

  times what the third to fifth class add, by the same noise.
- The drop: s is the *signed margin* of the true class, log of its score over the highest other, and
  a the mean noise of the true class against the others where s is 0 (a line through the images
  with abs(s) < 4, drawn towards 0 by a prior N(0, 0.2 sigma)). An image is right with probability
  Phi(s / h) in float and Phi((s + a) / sqrt(h² + sigma²)) in the quantized model; h = 1 smooths the
  density. The drop is the mean difference.
- The model may be wrong, by a seventh of p, say, which the interval includes. So the count takes
  over where there are enough images: its weight is 1 / (1 + (16 / k)³), k = p times the images
  being the changed answers to expect. That is little of 150 images and most of 2,000. Where the
  count refutes the model (99.999 %), there is no estimate.

Sources: Rao-Blackwellization, Blackwell 1947, "Conditional expectation and unbiased sequential
estimation", Annals of Mathematical Statistics 18:105-110; the composite of model and count, after
Fay & Herriot 1979, "Estimates of income for small places", JASA 74:269-277.

Limits: noise is taken as normal, alike for all images and independent of the truth but for a.
Scores have to be probabilities. There is no estimate with too few scores of 1/64 beside the
highest, and none of the drop where nearly all images that float is unsure of are right, or nearly
all wrong, as with labels that a model gave.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.intervals import (
    drop_interval_points,
    wilson_interval,
)
from edge_effnet.metrics.predictions import Predictions, same_answers
from edge_effnet.metrics.two_models.score_noise import (
    TINY,
    Floats,
    Scores,
    normal_share,
    normal_shares,
    shift_of_truth,
)

_NEAR = 2.5  # margins whose density is fitted
_RATE, _RATE_SPREAD = 0.5, 0.05
_SMOOTHING = 1.0
_ONE_SIDED, _ENOUGH = 0.9, 10
_WIDE = 0.7  # noise that brings the third class near for enough images
_MISFIT = 1 / 7  # of the disagreement
_REFUTED = 0.99999  # confidence of the count against the model
_COUNTED = 16  # changed answers whose count weighs as much as the model
_LARGEST_SCORE = 1.001


@dataclass(frozen=True)
class Estimate:
    """A share of the images, 0-1 (a drop: -1 to 1), from a model and a count.

    Attributes:
        model, count: what each says.
        model_error, count_error: their standard errors on these images.
        expected: share of changed answers, which says how far the model may be wrong.
    """

    images: int
    model: float
    model_error: float
    count: float
    count_error: float
    expected: float

    @property
    def value(self) -> float:
        weight = self._weight(self.images)
        return weight * self.count + (1 - weight) * self.model

    def error(self, images: int | None = None) -> float:
        """The standard error, on so many images (by default these)."""
        scale = math.sqrt(self.images / (images or self.images))
        weight = self._weight(images or self.images)
        # Both are of the same images, so their errors add up.
        sampling = scale * (weight * self.count_error + (1 - weight) * self.model_error)
        return math.hypot(sampling, (1 - weight) * _MISFIT * self.expected)

    def _weight(self, images: int) -> float:
        """Of the count."""
        return 1 / (1 + (_COUNTED / (images * self.expected)) ** 3)


@dataclass(frozen=True)
class FlipEstimate:
    """What the scores say of two models.

    Attributes:
        sigma: noise of a margin, in log scores.
        disagreement: share of images with another answer.
        drop: share answered right by the reference, minus the candidate's; None without labels.
    """

    sigma: float
    disagreement: Estimate
    drop: Estimate | None


def estimate_flips(reference: Predictions, candidate: Predictions) -> FlipEstimate | None:
    """The estimate; None where it is not defined: several labels, values, scores that are no
    probabilities, or too few images whose scores could change places."""
    if reference.task != "classes" or candidate.task != "classes":
        return None
    ours, theirs = _weighted(reference), _weighted(candidate)
    if ours is None or theirs is None:
        return None
    scores = Scores.of(ours, theirs)
    spread = scores.spread()
    if spread is None:
        return None
    images, changed = len(reference.paths), int((~same_answers(reference, candidate)).sum())
    share, model_error = _disagreement(scores, *spread)
    low, high = wilson_interval(changed, images, _REFUTED)
    if not low <= share <= high:
        return None
    count_error = math.sqrt(share * (1 - share) / images)
    disagreement = Estimate(
        images, share, model_error, changed / images, count_error, expected=share
    )
    signed = None if reference.truth is None else _signed_margins(scores, reference.truth)
    if reference.truth is None or signed is None:
        return FlipEstimate(spread[0], disagreement, None)
    ours_right, theirs_right = reference.right, candidate.right
    lost = int((ours_right & ~theirs_right).sum())
    gained = int((theirs_right & ~ours_right).sum())
    dropped, model_error = _drop(scores, reference.truth, signed, spread[0])
    low, high = drop_interval_points(lost, gained, images, _REFUTED)
    if not low <= 100 * dropped <= high:
        return None
    counted = (lost - gained) / images
    drop = Estimate(images, dropped, model_error, counted, count_error, expected=share)
    return FlipEstimate(spread[0], disagreement, drop)


def _weighted(predictions: Predictions) -> Floats | None:
    """Scores of which the highest is the answer; None where they are no probabilities."""
    scores = predictions.scores.astype(np.float64)
    if scores.min() < 0 or scores.max() > _LARGEST_SCORE:
        return None
    if predictions.effective_head.binary:
        threshold = predictions.effective_head.threshold
        scores = scores / np.array([1 - threshold, threshold])
    return scores


def _disagreement(scores: Scores, sigma: float, sigma_error: float) -> tuple[float, float]:
    """The share of changed answers by the model, and its standard error."""
    margins = scores.margins()
    near = margins[:, 0][margins[:, 0] < _NEAR]
    rate, rate_error = _decay(near)
    images = len(margins)
    share = (len(near) + 0.5) / (images + 1)  # none seen is not none
    whole = 1 - math.exp(-rate * _NEAR)
    tail = math.exp((rate * sigma) ** 2 / 2) * normal_share(-rate * sigma)
    value = max(share / whole * (0.5 - tail) * _more_classes(margins, sigma), TINY)
    middle = 1 / rate - _NEAR * (1 - whole) / whole  # mean margin below 2.5: d log p / d lambda
    relative = math.sqrt(
        (1 - share) / (share * images) + (middle * rate_error) ** 2 + sigma_error**2
    )
    return value, value * relative


def _decay(near: Floats) -> tuple[float, float]:
    """Lambda of margins that are below 2.5, and its standard error: Newton's method.

    The prior has Student's tails (3 degrees of freedom), so it says little to data that say
    something else.
    """
    count, mean = len(near), float(near.mean()) if len(near) else 0.0
    rate, information = min(max(1 / mean, 0.1), 5.0) if mean else _RATE, 1 / _RATE_SPREAD**2
    for _ in range(30):
        decayed = math.exp(-rate * _NEAR)
        expected = 1 / rate - _NEAR * decayed / (1 - decayed)
        variance = 1 / rate**2 - _NEAR**2 * decayed / (1 - decayed) ** 2
        prior = 4 / (3 * _RATE_SPREAD**2 + (rate - _RATE) ** 2)
        information = count * variance + prior
        slope = count * (expected - mean) + (_RATE - rate) * prior
        rate = min(max(rate + slope / information, 0.05), 20.0)
    return rate, 1 / math.sqrt(information)


_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


def _more_classes(margins: Floats, sigma: float) -> float:
    """By what factor the third class and those behind it raise the share of changed answers.

    What they add grows with the noise; it is measured where enough images show it.
    """
    wide = max(sigma, _WIDE)
    pair = float(normal_shares(-margins[:, 0] / wide).mean())
    if margins.shape[1] < 2 or pair < TINY:
        return 1.0
    each = wide / math.sqrt(2)
    stays = sum(
        weight * normal_shares((margins + each * node) / each).prod(axis=1)
        for node, weight in zip(_NODES, _WEIGHTS / _WEIGHTS.sum(), strict=True)
    )
    return 1 + max(0.0, float((1 - stays).mean()) / pair - 1) * sigma / wide


def _signed_margins(scores: Scores, truth: NDArray[np.int64]) -> Floats | None:
    """How far the true class is ahead of the highest other; None where the density of that jumps
    at 0."""
    rows = np.arange(len(truth))
    others = scores.float_logs.copy()
    others[rows, truth] = -np.inf
    signed = scores.float_logs[rows, truth] - others.max(axis=1)
    near = signed[np.abs(signed) < _SMOOTHING]
    if len(near) >= _ENOUGH and abs(2 * (near > 0).mean() - 1) > 2 * _ONE_SIDED - 1:
        return None
    return np.asarray(signed)


def _drop(
    scores: Scores, truth: NDArray[np.int64], signed: Floats, sigma: float
) -> tuple[float, float]:
    """The drop by the model, and its standard error."""
    shift, shift_error = shift_of_truth(scores, truth, signed, sigma)
    width = math.hypot(_SMOOTHING, sigma)
    lost = normal_shares(signed / _SMOOTHING) - normal_shares((signed + shift) / width)
    slope = float(np.exp(-((signed / width) ** 2) / 2).mean()) / (width * math.sqrt(2 * math.pi))
    sampling = float(lost.std()) / math.sqrt(len(lost))
    return float(lost.mean()), math.hypot(sampling, slope * shift_error)
