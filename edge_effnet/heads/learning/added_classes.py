"""Classes that a network is taught later than its others: what keeps them from taking images of
those.

Their images are of a few moments, and a layer then takes too much for them: of known signs up to
10 % of the frames (docs/research/tried.md). So the logit of an added class is lowered, just so far
that by cross-validation it takes no image of another class that would be answered right, and no
further than its own images bear.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array

MOST_LOST_SHARE = 0.1
"""Of an added class's images that are answered right: how many may be lost for the others."""
_SMALLEST = 1e-9
_STEP = 1e-3  # of a logit, below which images are taken no more


def lowered_by(
    scores: Float32Array,
    labels: NDArray[np.int64],
    evaluated: NDArray[np.bool_],
    added: Sequence[int],
) -> Float32Array:
    """How much the logit of each class is lowered, (classes,): 0 for all but ``added``.

    Args:
        scores: of images by layers that have not learned from them, (images, classes).
        labels: of the images, (images,).
        evaluated: (images,), whether there are scores of them. Of an added class without any
            nothing can be said, and its logit stays.
    """
    lowered = np.zeros(scores.shape[1], np.float32)
    logits = np.log(np.maximum(scores[evaluated], _SMALLEST))
    known = labels[evaluated]
    for label in added:
        others = np.delete(logits, label, axis=1).max(axis=1, initial=-np.inf)
        margins, own = logits[:, label] - others, known == label
        # Those of other classes whose best other answer is the right one.
        taken = margins[~own & (logits[np.arange(len(known)), known] == others)]
        right = np.sort(margins[own & (margins > 0)])
        if len(right) and len(taken) and taken.max() >= 0:
            most = right[int(MOST_LOST_SHARE * len(right))]
            lowered[label] = max(0.0, min(taken.max() + _STEP, most - _STEP))
    return lowered


def with_lowered(scores: Float32Array, lowered: Float32Array) -> Float32Array:
    """The scores of a layer whose logits are lowered, (images, classes); zeros stay zeros."""
    changed = scores * np.exp(-lowered)
    total = np.maximum(changed.sum(axis=1, keepdims=True), _SMALLEST)
    return np.asarray(changed / total, np.float32)
