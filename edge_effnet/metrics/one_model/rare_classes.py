"""Classes that overall accuracy hides: neglected by one model, or ruined by the second.

Both rules ask for an effect that matters (a named constant) and for a sample that chance does
not explain: of all ways to deal out the misses among the images, those that give the class so many
(the hypergeometric tail, Fisher 1935, exact however few the *other* images are) have a share that,
multiplied by the number of classes looked at (Bonferroni), is under ``SUSPICION_P``. Among 1000
classes that takes more images of the class than among 10. Beside a faultless rest any miss is
improbable, so fewer than ``LEAST_MISSES``, which two mislabelled photos explain, never count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import bincount
from edge_effnet.metrics.one_model.classification import PerClass

SUSPICION_P = 0.05
LEAST_MISSES = 3
NAMED_CLASSES = 3

# Neglected: recall under this share of the accuracy on all other images.
NEGLECTED_RECALL_SHARE = 1 / 3

# Ruined: recall fell by more than so many points, and by more than so many times the overall
# drop (otherwise accuracy shows the damage and hides nothing).
RUINED_RECALL_POINTS = 20.0
RUINED_TIMES_OVERALL = 3.0


def neglected_classes(figures: PerClass) -> list[int]:
    """Classes far below the accuracy on all other images, the worst recall first."""
    support, correct = figures.support, figures.correct
    present = np.flatnonzero(support)
    total, all_missed = int(support.sum()), int((support - correct).sum())
    found = []
    for index in present:
        images, hits = int(support[index]), int(correct[index])
        missed, others = images - hits, total - images
        if missed < LEAST_MISSES or not others:
            continue
        rest = (others - (all_missed - missed)) / others
        if hits / images >= NEGLECTED_RECALL_SHARE * rest:
            continue
        if _tail(missed, images, all_missed, total) * len(present) < SUSPICION_P:
            found.append(int(index))
    return sorted(found, key=lambda index: (figures.recall[index], index))


def ruined_classes(
    was_right: NDArray[np.bool_], is_right: NDArray[np.bool_], truth: NDArray[np.int64]
) -> list[int]:
    """Classes whose recall collapsed between two models, the deepest fall first.

    Args:
        was_right, is_right: whether the reference, the candidate was right; one per image.
        truth: the true class of each image.
    """
    net = was_right.astype(np.int64) - is_right
    lost = was_right & ~is_right
    overall_points = 100 * float(net.mean())
    support = bincount(truth)
    falls = 100 * bincount(truth, net) / np.maximum(support, 1)
    losses = bincount(truth, lost).astype(np.int64)
    least = max(RUINED_RECALL_POINTS, RUINED_TIMES_OVERALL * overall_points)
    found = []
    for index in np.flatnonzero((falls > least) & (losses >= LEAST_MISSES)):
        images, gone = int(support[index]), int(losses[index])
        p = _tail(gone, images, int(lost.sum()), len(truth))
        if p * np.count_nonzero(support) < SUSPICION_P:
            found.append(int(index))
    return sorted(found, key=lambda index: (-falls[index], index))


def name_some(items: Sequence[str]) -> str:
    """The first few of a list and how many more there are."""
    more = len(items) - NAMED_CLASSES
    return "; ".join(items[:NAMED_CLASSES]) + (f"; and {more} more" if more > 0 else "")


def _tail(at_least: int, drawn: int, marked: int, total: int) -> float:
    """Probability that ``drawn`` of ``total`` hold ``at_least`` of the ``marked``."""
    rest = total - marked
    first = max(at_least, drawn - rest)

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    if first > min(drawn, marked):
        return 0.0
    logs = log_choose(marked, first) + log_choose(rest, drawn - first) - log_choose(total, drawn)
    term = math.exp(logs)
    sum_ = term
    for count in range(first, min(drawn, marked)):
        term *= (marked - count) * (drawn - count) / ((count + 1) * (rest - drawn + count + 1))
        sum_ += term
    return min(1.0, sum_)
