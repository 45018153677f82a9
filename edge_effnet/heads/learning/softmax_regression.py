"""The last layer: multinomial logistic regression ("softmax regression") on unit features.

The loss is the mean cross-entropy plus half of the decay times the squared weights, which has one
minimum. It is found by accelerated gradient descent (Nesterov 1983) in the principal directions of
the images, each with a step of its own: the inverse of the largest curvature that the loss can
have along it (Boehning 1992, "Multinomial logistic regression algorithm").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array

Floats = NDArray[np.float64]

LENGTH = 8.0
"""Of the features in the regression: with unit length the decay would hold the weights too small
to tell any class apart."""
_STEPS = 60
_SMALLEST = 1e-8  # of the largest square: what lies below is rounding


def unit(features: Float32Array) -> Float32Array:
    """Scale each row to length 1; zeros stay. As the operator L2_NORMALIZATION does."""
    length = np.linalg.norm(features, axis=-1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-6), np.float32)


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """Scores of unit features: softmax(weights · features + bias).

    Attributes:
        weights: float32 (classes, width).
        bias: float32 (classes,).
    """

    weights: Float32Array
    bias: Float32Array

    def scores(self, features: Float32Array) -> Float32Array:
        """Args: features: unit, (images, width). Returns: (images, classes)."""
        return softmax(features @ self.weights.T + self.bias)

    def lowered(self, by: Float32Array) -> LinearClassifier:
        """The same with lower logits, (classes,)."""
        return LinearClassifier(self.weights, self.bias - by)


def softmax(logits: NDArray[np.floating]) -> Float32Array:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)


@dataclass(frozen=True, eq=False)
class Problem:
    """Images to learn from, in their principal directions.

    Attributes:
        coordinates: float32 (images, rank + 1), of the scaled features in ``directions``, and a 1
            behind them.
        directions: (rank, width), of length 1 and at right angles.
        squares: (rank + 1,), the sum of the squares of each coordinate.
        weights: of the images, (images, 1), 1 on average; None where each counts the same.
    """

    coordinates: Float32Array
    directions: Floats
    squares: Floats
    weights: Float32Array | None = None


def problem_of(features: Float32Array, weights: Float32Array | None = None) -> Problem:
    """Images in their principal directions.

    Args:
        features: of length 1 or about 1, (images, width).
        weights: how much each image counts, (images,), 1 on average.
    """
    scaled = features * np.float32(LENGTH)
    column = None if weights is None else weights[:, None]
    counted = scaled if column is None else scaled * np.sqrt(column)
    count, width = scaled.shape
    if count < width:
        _, sizes, directions = np.linalg.svd(counted, full_matrices=False)
        squares = sizes.astype(np.float64) ** 2
    else:
        squares, found = np.linalg.eigh((counted.T @ counted).astype(np.float64))
        directions = found.T
    kept = squares > _SMALLEST * squares.max()
    directions = directions[kept].astype(np.float64)
    coordinates = scaled @ directions.T.astype(np.float32)
    given = np.hstack([coordinates, np.ones((count, 1), np.float32)])
    counts = 1 if column is None else column.astype(np.float64)
    squares = (counts * given.astype(np.float64) ** 2).sum(axis=0)
    return Problem(given, directions, squares, column)


def fit(
    problem: Problem,
    labels: NDArray[np.int64],
    classes: int,
    decay: float,
    chosen: NDArray[np.bool_] | None = None,
    kept: LinearClassifier | None = None,
) -> LinearClassifier:
    """Learn a layer.

    Args:
        labels: of each image, (images,), 0 to ``classes`` - 1.
        decay: of the weights, not of the bias.
        chosen: (images,), those to learn from; by default all.
        kept: the first classes, which stay as they are while the others are learned beside them.
    """
    given = problem.coordinates if chosen is None else problem.coordinates[chosen]
    truth = np.eye(classes, dtype=np.float32)[labels if chosen is None else labels[chosen]]
    each = problem.weights if chosen is None or problem.weights is None else problem.weights[chosen]
    penalty = np.full((given.shape[1], 1), decay, np.float32)
    penalty[-1] = 0
    # Half of the squares' mean is the bound for coordinates at right angles. The constant is at
    # none to the others, which at most doubles it; some of the images have no larger squares than
    # all of them.
    curvature = (problem.squares[:, None] / len(given) + penalty).astype(np.float32)
    weights: NDArray[Any] = np.zeros((given.shape[1], classes), np.float32)
    known = 0 if kept is None else len(kept.bias)
    if kept is not None:
        weights[:-1, :known] = problem.directions @ kept.weights.T / LENGTH
        weights[-1, :known] = kept.bias
    ahead = weights
    speed = 1.0
    for _ in range(_STEPS):
        error = softmax(given @ ahead) - truth
        if each is not None:
            error *= each
        moved = ahead - (given.T @ error / len(given) + penalty * ahead) / curvature
        moved[:, :known] = weights[:, :known]
        following = (1 + math.sqrt(1 + 4 * speed * speed)) / 2
        ahead = moved + np.float32((speed - 1) / following) * (moved - weights)
        weights, speed = moved, following
    learned = problem.directions.T @ weights[:-1] * LENGTH
    return LinearClassifier(learned.T.astype(np.float32), weights[-1])
