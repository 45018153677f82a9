"""Learning from the scores of another network, the teacher (Hinton et al. 2015, arXiv:1503.02531).

Both networks see the same augmented image (Beyer et al. 2022, arXiv:2106.05237). The student's loss
is a weighted mean of two: the cross-entropy with the label, and the divergence of its softened
scores from the teacher's. An image without a label has the second alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_effnet.arrays import Float32Array
from edge_effnet.network.backend import keras_module

if TYPE_CHECKING:
    from edge_effnet.training.config import TrainConfig


def divergence(target: Any, logits: Any, temperature: float) -> Any:
    """The Kullback-Leibler divergence of softened scores from a teacher's, for each image.

    Softened scores are the softmax of the logits over the temperature. The square of the
    temperature makes up for gradients that fall with it (Hinton et al. 2015, section 2).

    Args:
        target, logits: of teacher and student, tensors (images, classes).

    Returns:
        (images,).
    """
    ops = keras_module().ops
    target, logits = target / temperature, logits / temperature
    towards = ops.softmax(target)
    gap = ops.log_softmax(target) - ops.log_softmax(logits)
    return temperature**2 * ops.sum(towards * gap, axis=-1)


def with_scores(truth: Float32Array, scores: Float32Array) -> Float32Array:
    """What ``distilling_loss`` is given: truth, (images, classes), and the teacher's logits beside
    it, (images, 2 * classes)."""
    return np.concatenate([truth, scores], axis=1)


def distilling_loss(config: TrainConfig) -> Callable[[Any, Any], Any]:
    """The loss of a run with a teacher, for each image; its targets are ``with_scores``'s."""
    ops = keras_module().ops
    share, smoothing = config.teacher_share, config.label_smoothing

    def loss(targets: Any, logits: Any) -> Any:
        classes = logits.shape[-1]
        truth, scores = targets[:, :classes], targets[:, classes:]
        # Without a label all of them are 0, and so is the loss; mixed with such an image, less.
        known = ops.sum(truth, axis=-1, keepdims=True)
        smooth = (1 - smoothing) * truth + smoothing / classes * known
        missed = -ops.sum(smooth * ops.log_softmax(logits), axis=-1)
        apart = divergence(scores, logits, config.temperature)
        return (1 - share) * missed + share * apart

    return loss


def distilling_accuracy() -> Any:
    """A metric named ``accuracy``: right answers; of images without a label, the teacher's."""
    return keras_module().metrics.MeanMetricWrapper(right_answers, name="accuracy")


def right_answers(targets: Any, logits: Any) -> Any:
    """Whether each image is answered right: as its label says, without one as the teacher does.

    Args:
        targets: ``with_scores``'s, (images, 2 * classes).
        logits: (images, classes).

    Returns:
        float32 0 or 1, (images,).
    """
    ops = keras_module().ops
    classes = logits.shape[-1]
    truth, scores = targets[:, :classes], targets[:, classes:]
    labelled = ops.sum(truth, axis=-1) > 0
    answer = ops.where(labelled, ops.argmax(truth, axis=-1), ops.argmax(scores, axis=-1))
    return ops.cast(ops.equal(answer, ops.argmax(logits, axis=-1)), "float32")


def image_weights(truth: Float32Array, balancing: Float32Array | None) -> Float32Array | None:
    """How much each image counts, (images,), where classes are balanced; 1 without a label."""
    if balancing is None:
        return None
    return np.asarray(truth @ balancing + (1 - truth.sum(axis=1)), np.float32)
