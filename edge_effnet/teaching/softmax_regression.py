"""The last layer: multinomial logistic regression ("softmax regression") on unit features.

The loss is the mean cross-entropy plus half of the decay times the squared weights, which has one
minimum; it is found by accelerated gradient descent (Nesterov 1983; the step is 1 / L, L being the
largest curvature the loss can have). With fewer images than features these are projected on the
directions that the images span, in which the weights lie: the same layer from fewer numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array

Floats = NDArray[np.float64]

LENGTH = 8.0
"""Of the features in the regression: with unit length the decay would hold the weights too small
to tell any class apart."""
_STEPS = 200
_SMALLEST = 1e-4  # of the largest singular value: what lies below is rounding


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


def softmax(logits: NDArray[np.floating]) -> Float32Array:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)


@dataclass(frozen=True, eq=False)
class Problem:
    """Images to learn from, in fewer numbers than features where there are fewer images.

    Attributes:
        coordinates: (images, rank), of the scaled features in ``directions``, and a 1 behind them.
        directions: (rank, width).
    """

    coordinates: Floats
    directions: Floats


def problem_of(features: Float32Array) -> Problem:
    """Args: features: unit, (images, width)."""
    scaled = features.astype(np.float64) * LENGTH
    count, width = scaled.shape
    if count < width:
        left, sizes, right = np.linalg.svd(scaled, full_matrices=False)
        rank = max(1, int((sizes > _SMALLEST * sizes[0]).sum()))
        scaled, directions = left[:, :rank] * sizes[:rank], right[:rank]
    else:
        directions = np.eye(width)
    return Problem(np.hstack([scaled, np.ones((count, 1))]), directions)


def fit(
    problem: Problem,
    labels: NDArray[np.int64],
    classes: int,
    decay: float,
    chosen: NDArray[np.bool_] | None = None,
) -> LinearClassifier:
    """Learn a layer.

    Args:
        labels: of each image, (images,), 0 to ``classes`` - 1.
        decay: of the weights, not of the bias.
        chosen: (images,), those to learn from; by default all.
    """
    given = problem.coordinates if chosen is None else problem.coordinates[chosen]
    truth = np.eye(classes)[labels if chosen is None else labels[chosen]]
    penalty = np.full((given.shape[1], 1), decay)
    penalty[-1] = 0
    # Of softmax at most 1/2 (Boehning 1992), times the largest eigenvalue, which no trace exceeds.
    curvature = 0.5 * float((given * given).sum()) / len(given) + decay
    weights = ahead = np.zeros((given.shape[1], classes))
    speed = 1.0
    for _ in range(_STEPS):
        error = softmax(given @ ahead) - truth
        moved = ahead - (given.T @ error / len(given) + penalty * ahead) / curvature
        following = (1 + np.sqrt(1 + 4 * speed * speed)) / 2
        ahead = moved + (speed - 1) / following * (moved - weights)
        weights, speed = moved, following
    learned = problem.directions.T @ weights[:-1] * LENGTH
    return LinearClassifier(learned.T.astype(np.float32), weights[-1].astype(np.float32))
