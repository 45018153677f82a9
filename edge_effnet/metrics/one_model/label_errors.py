"""Labels that are likely wrong, by confident learning.

Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels",
Journal of Artificial Intelligence Research 70, section 3: a class's threshold is the mean
probability that images labelled with it get for it. An image that reaches the threshold of another
class than its label, and of no class with a higher probability, is likely of that class.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.one_model.classification import Scores


def likely_classes(probabilities: Scores, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The class that each image is likely of, (images,); -1 where it reaches no threshold.

    Args:
        probabilities: of a model that did not learn from the images, (images, classes).
        labels: as they are given, (images,).
    """
    given = probabilities[np.arange(len(labels)), labels]
    thresholds = np.full(probabilities.shape[1], np.inf)
    for label in np.unique(labels):
        thresholds[label] = given[labels == label].mean(dtype=np.float64)
    reached = np.where(probabilities >= thresholds, probabilities, -np.inf)
    return np.where(np.isfinite(reached.max(axis=1)), reached.argmax(axis=1), -1)


def margins(probabilities: Scores, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much more probable each label is than the most probable other class, -1 to 1: the lower,
    the likelier it is wrong ("normalized margin", as there in section 4.3)."""
    rows = np.arange(len(labels))
    others = np.array(probabilities, np.float64)
    others[rows, labels] = -np.inf
    return np.asarray(probabilities[rows, labels] - others.max(axis=1))
