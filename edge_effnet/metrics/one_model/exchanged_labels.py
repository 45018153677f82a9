"""Classes whose answers come under each other's names, in a model that is right elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import bincount
from edge_effnet.metrics.intervals import binomial_tail
from edge_effnet.metrics.one_model.chance import best_renaming

# Strict: classes that look alike are mistaken for each other, but not more often than they are
# told apart.
_SIGNIFICANCE = 0.01

Exchange = tuple[int, int, int, int]
"""True class, the class that is answered, images that are answered so, images of the true class."""


def exchanged_classes(answers: NDArray[Any], truth: NDArray[Any]) -> list[Exchange]:
    """Find classes that look as if their labels were exchanged, in a ring of two or more.

    Of each, more than half of the images are answered by the next class of its ring; and of the
    images that either name would get right, the own one gets so few that a coin would do so with
    p <= 0.01 over the number of classes (a sign test for each ring, corrected after Bonferroni).

    Args:
        answers, truth: classes, int64 (images,).
    """
    sizes = bincount(truth)
    moved = {
        true: (answered, count)
        for true, answered, count in best_renaming(answers, truth)
        if true != answered and 2 * count > sizes[true]
    }
    found, seen = [], set[int]()
    for start in moved:
        ring, at = [start], moved[start][0]
        while at in moved and at not in ring:
            ring.append(at)
            at = moved[at][0]
        if at != start or start in seen:
            continue
        seen.update(ring)
        of_ring = np.isin(truth, ring)
        own = int(np.count_nonzero((answers == truth) & of_ring))
        renamed = sum(moved[true][1] for true in ring)
        if binomial_tail(renamed, renamed + own, 0.5) * np.count_nonzero(sizes) <= _SIGNIFICANCE:
            found += [(true, *moved[true], int(sizes[true])) for true in ring]
    return found
