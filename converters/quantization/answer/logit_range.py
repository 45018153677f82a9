"""The range of the logits, chosen by what eight bits leave of the scores.

Logits are not clipped as a rule: what lies beyond a border no longer tells which class is the
surest. But some networks give one image in a hundred logits that are 10 to 50 times as large as
those of all others. A range that holds those too leaves a few steps for all others, whose answers
then change at random. So a narrower range is taken where the scores of the calibration images
gain by it: the few images with the largest logits against all the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from converters.calibration.ranges import LOGIT_MARGIN
from converters.quantization.candidates import Candidate, Context
from converters.tflite_graph.error_metrics import stored_in_int8
from converters.tflite_graph.segments import logit_names, sigmoid_answers
from edge_effnet.arrays import Float32Array

Scores = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Shares of the images whose extremes a range holds.
_SHARES = (1.0, 0.99, 0.98, 0.95, 0.9, 0.8)
# A narrower range must save so much of the error, and so much of an image's scores: images that
# were not seen may have larger logits than those that were.
_LARGEST_SHARE_OF_ERROR = 0.5
_LEAST_GAIN = 0.005


def apply(candidate: Candidate, context: Context) -> Candidate:
    """Step: the logits' range leaves out the few largest where all other images gain by it.

    Generated images say nothing of how large the logits of photos are, and sixteen bits have
    steps enough: both leave the range as it is. Logits in float have none.
    """
    in_int8 = candidate.recipe.full_integer and candidate.float_answer is None
    if context.calibration.kind == "generated" or not in_int8:
        return candidate
    structure = context.structure
    scores = sigmoid if sigmoid_answers(structure) else softmax
    found = choose_logit_range(context.statistics().logits, scores)
    if found is None:
        return candidate
    name = logit_names(structure)[0]
    return replace(candidate, ranges={**candidate.ranges, name: found})


def choose_logit_range(logits: Float32Array, scores: Scores) -> tuple[float, float] | None:
    """The range that leaves the scores nearest to float's; None where it is the widest.

    Args:
        logits: of the calibration images, images x classes.
        scores: what the network makes of logits.
    """
    reference = scores(logits.astype(np.float64))

    def error(limits: tuple[float, float]) -> float:
        stored = stored_in_int8(logits, *limits).astype(np.float64)
        return float(np.abs(scores(stored) - reference).sum(axis=1).mean())

    lows, highs = np.minimum(logits.min(axis=1), 0), np.maximum(logits.max(axis=1), 0)
    candidates = {
        (
            LOGIT_MARGIN * float(np.quantile(lows, 1 - below, method="higher")),
            LOGIT_MARGIN * float(np.quantile(highs, above, method="lower")),
        )
        for below, above in product(_SHARES, _SHARES)
    }
    widest = LOGIT_MARGIN * float(lows.min()), LOGIT_MARGIN * float(highs.max())
    worst = error(widest)
    best = min(sorted(candidates), key=error)
    least = error(best)
    worth = least < _LARGEST_SHARE_OF_ERROR * worst and worst - least > _LEAST_GAIN
    return best if worth else None


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores of classes that exclude each other, images x classes."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores of answers that stand alone, images x answers."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))))
