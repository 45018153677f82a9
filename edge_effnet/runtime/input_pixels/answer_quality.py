"""How good a network's answers are, and what chance explains of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.heads.head import Head

_FLIPS = 4000
_SHUFFLES = 20_000
_LEAST_PROBABILITY = 1e-4
_LOG_SHARE = 0.1
_ROUNDING = 1e-9
Quality = NDArray[np.float64]
Scores = NDArray[np.float32]


def right(head: Head, scores: Scores, truth: NDArray[Any]) -> Quality:
    """Whether each answer is right; of labels the share of those that are, and of values whether
    they are nearer than the mean of all is: float64 (images,), 0 to 1."""
    if head.task == "classes":
        return np.asarray(head.answers(scores) == truth, np.float64)
    if head.task == "labels":
        return np.asarray((head.decisions(scores) == truth).mean(axis=1), np.float64)
    error, usual = np.abs(scores - truth), np.abs(truth - truth.mean(axis=0))
    return np.asarray(error.sum(axis=1) < usual.sum(axis=1), np.float64)


def quality(head: Head, scores: Scores, truth: NDArray[Any]) -> Quality:
    """How good each answer is: mostly whether it is right, and a little how probable the truth
    was held, which tells a network that is fed too much contrast (sure of all it says, right or
    wrong) from the same network fed rightly.

    Args:
        scores: (images, classes or labels or values).

    Returns:
        float64 (images,), at most 1.
    """
    whether = right(head, scores, truth)
    if head.task == "value":
        error = np.abs(scores - truth).mean(axis=1) / (_spread(truth) or 1.0)
        return np.asarray(whether - _LOG_SHARE * np.clip(error, 0, 10), np.float64)
    if head.task == "classes":
        held = scores[np.arange(len(truth)), truth]
        logs = np.log(np.clip(held, _LEAST_PROBABILITY, 1))
    else:
        held = np.where(truth, scores, 1 - scores)
        logs = np.log(np.clip(held, _LEAST_PROBABILITY, 1)).mean(axis=1)
    return np.asarray(whether + _LOG_SHARE * logs, np.float64)


def _spread(truth: NDArray[Any]) -> float:
    return float(np.abs(truth - truth.mean(axis=0)).mean())


def p_no_better(one: Quality, other: Quality) -> float:
    """One-sided p of "one is no better than the other" on the same photos.

    The sign of each photo's difference is flipped at random (Fisher's randomization test of
    pairs): exact for any number of photos.
    """
    difference = one - other
    if not difference.any():
        return 1.0
    flips = np.random.default_rng(0).integers(0, 2, (_FLIPS, len(difference))) * 2 - 1
    as_far = (flips @ difference >= difference.sum() - _ROUNDING).sum()
    return float((as_far + 1) / (_FLIPS + 1))


def p_unrelated(head: Head, scores: Scores, truth: NDArray[Any]) -> float:
    """One-sided p of "the answers have nothing to do with the photos".

    The truth is dealt out to the photos at random (a permutation test): exact for any number of
    photos, and whichever of the network's classes exist among them.
    """
    count = len(truth)
    own = np.arange(count)
    of_others = np.empty((count, count))  # the quality of each answer, were another truth its own
    for shift in range(count):
        other = (own + shift) % count
        of_others[own, other] = quality(head, scores, truth[other])
    dealt = np.random.default_rng(0).permuted(np.tile(own, (_SHUFFLES, 1)), axis=1)
    as_good = of_others[own, dealt].sum(axis=1) >= of_others[own, own].sum() - _ROUNDING
    return float((as_good.sum() + 1) / (_SHUFFLES + 1))


def beats_one_answer(head: Head, scores: Scores, truth: NDArray[Any]) -> bool:
    """Whether labels and values are answered better than by one and the same answer: the mean
    value, or whichever of each label's presence and absence is commoner. Of classes nothing is
    asked: where few of many exist, good answers can be right less often than the commonest."""
    if head.task == "classes":
        return True
    if head.task == "labels":
        commonest = np.maximum(truth.mean(axis=0), 1 - truth.mean(axis=0))
        return float(right(head, scores, truth).mean()) > float(commonest.mean())
    return float(np.abs(scores - truth).mean()) < _spread(truth)
