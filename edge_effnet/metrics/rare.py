"""Classes that overall accuracy hides: neglected by one model, or ruined by the second.

Both rules ask for an effect that matters (a named constant) and for a sample that chance does
not explain: the binomial tail of so many misses at the rate of all *other* images, multiplied
by the number of classes looked at (Bonferroni), is under ``SUSPICION_P``. Among 1000 classes
that takes more images of the class than among 10. Beside a faultless rest any miss is
improbable, so fewer than ``LEAST_MISSES``, which two mislabelled photos explain, never count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.classification import PerClass
from edge_effnet.metrics.paired import binomial_tail

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
    found = []
    for index in present:
        images, hits = int(support[index]), int(correct[index])
        rest = _smoothed_share(int(correct.sum()) - hits, int(support.sum()) - images)
        if images - hits < LEAST_MISSES or hits / images >= NEGLECTED_RECALL_SHARE * rest:
            continue
        if binomial_tail(images - hits, images, 1 - rest) * len(present) < SUSPICION_P:
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
    support = np.bincount(truth)
    falls = 100 * np.bincount(truth, net) / np.maximum(support, 1)
    losses = np.bincount(truth, lost).astype(np.int64)
    least = max(RUINED_RECALL_POINTS, RUINED_TIMES_OVERALL * overall_points)
    found = []
    for index in np.flatnonzero((falls > least) & (losses >= LEAST_MISSES)):
        images, gone = int(support[index]), int(losses[index])
        rate = _smoothed_share(int(lost.sum()) - gone, len(truth) - images)
        if binomial_tail(gone, images, rate) * np.count_nonzero(support) < SUSPICION_P:
            found.append(int(index))
    return sorted(found, key=lambda index: (-falls[index], index))


def name_some(items: Sequence[str]) -> str:
    """The first few of a list and how many more there are."""
    more = len(items) - NAMED_CLASSES
    return "; ".join(items[:NAMED_CLASSES]) + (f"; and {more} more" if more > 0 else "")


def _smoothed_share(successes: int, trials: int) -> float:
    """A share that is never 0 or 1, so that one surprise is not infinitely surprising.

    Laplace's rule of succession: (successes + 1) / (trials + 2).
    """
    return (successes + 1) / (trials + 2)
