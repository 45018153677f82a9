"""Why a model may be no better than chance: what its answers have to do with the classes.

Labels in another order leave answers that go with the classes, under other names. Pictures
prepared otherwise leave answers that do not: often one class for all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.classification import Indices, confusion
from edge_effnet.metrics.predictions import Predictions

# Answers go with the classes when the best renaming gets so many points more right than for
# shuffled classes, on average and more than for any of so many shuffles.
_RENAMED_POINTS = 10.0
_SHUFFLES = 20
# Where shuffled classes can be renamed so well, too few images of each are there to tell.
_RENAMEABLE_SHARE = 0.8
# One answer for so many of the images, and for twice as many as the commonest class has.
_COLLAPSED_SHARE = 0.5


def likely_cause(predictions: Predictions) -> str:
    """What to look at first, and what then, in words; the model is known to be at chance.

    Raises:
        ValueError: the truth is not known.
    """
    answers, truth = predictions.answers, predictions.truth
    if truth is None:
        raise ValueError("chance is about the true classes")
    images, classes = predictions.scores.shape
    names = predictions.label_names
    pairs = _renamed(answers, truth, classes)
    right = sum(pair[2] for pair in pairs)
    random = np.random.default_rng(0)
    shuffled = [
        sum(pair[2] for pair in _renamed(answers, random.permutation(truth), classes))
        for _ in range(_SHUFFLES)
    ]
    beyond_points = 100 * (right - float(np.mean(shuffled))) / images
    if right > max(shuffled) and beyond_points >= _RENAMED_POINTS:
        true, answered, count = pairs[0]
        of = int(np.count_nonzero(truth == true))
        return (
            "most likely the labels are in another order than the model's (--labels): with its "
            f"answers renamed {100 * right / images:.0f} % would be right ({names[true]!r} is "
            f"answered {names[answered]!r} {count} times of {of}); less likely the preprocessing "
            "is not that of its training (--preprocess)"
        )
    if min(shuffled) > _RENAMEABLE_SHARE * images:
        return (
            "whether the labels are in another order than the model's (--labels) or the images are "
            "prepared otherwise than in its training (--preprocess) cannot be told from so few "
            "images of each class"
        )
    counts = np.bincount(answers, minlength=classes)
    most = int(counts.max())
    if most >= max(_COLLAPSED_SHARE * images, 2 * int(np.bincount(truth).max())):
        found = f"it answers {names[int(counts.argmax())]!r} to {100 * most / images:.0f} % of them"
    else:
        found = "its answers have nothing to do with their classes"
    return (
        "most likely the images are prepared otherwise than in its training (--preprocess), or "
        f"show something else: {found}; else the labels are in another order than the model's "
        "(--labels)"
    )


def no_association(answers: NDArray[Any], truth: NDArray[Any]) -> bool:
    right = int((answers == truth).sum())
    random = np.random.default_rng(0)
    return sum(int((answers == random.permutation(truth)).sum()) >= right for _ in range(99)) > 0


def _renamed(answers: Indices, truth: Indices, classes: int) -> list[tuple[int, int, int]]:
    """(true class, answered class, images), each class once on either side: the commonest
    pairs first, as long as both sides are free."""
    cells = sorted(confusion(answers, truth, classes).cells, key=lambda cell: -cell[2])
    given, taken, pairs = set[int](), set[int](), []
    for true, answered, count in cells:
        if true not in given and answered not in taken:
            given.add(true)
            taken.add(answered)
            pairs.append((true, answered, count))
    return pairs
