"""The loss of a run with a teacher, on numbers that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edge_effnet.network.backend import keras_module
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.teacher.distillation import (
    distilling_accuracy,
    distilling_loss,
    divergence,
    image_weights,
    with_scores,
)

LOGITS = np.array([[2.0, 0.0, -1.0], [0.0, 1.0, 0.5]], np.float32)
TEACHER = np.array([[1.0, 1.0, 0.0], [0.0, 3.0, 0.0]], np.float32)
TRUTH = np.array([[1, 0, 0], [0, 0, 0]], np.float32)  # the second image has no label


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_divergence_is_that_of_softened_scores_times_the_square_of_the_temperature() -> None:
    ops = keras_module().ops
    found = divergence(ops.convert_to_tensor(TEACHER), ops.convert_to_tensor(LOGITS), 2.0)
    towards, ours = softmax(TEACHER / 2), softmax(LOGITS / 2)
    expected = 4 * (towards * np.log(towards / ours)).sum(axis=1)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-5)
    same = divergence(ops.convert_to_tensor(LOGITS), ops.convert_to_tensor(LOGITS), 2.0)
    np.testing.assert_allclose(ops.convert_to_numpy(same), 0, atol=1e-6)


def loss(share: float, smoothing: float = 0.0) -> np.ndarray:
    ops = keras_module().ops
    config = TrainConfig(
        data="photos", teacher="t", teacher_share=share, temperature=1, label_smoothing=smoothing
    )
    targets = ops.convert_to_tensor(with_scores(TRUTH, TEACHER))
    return ops.convert_to_numpy(distilling_loss(config)(targets, ops.convert_to_tensor(LOGITS)))


def test_an_image_without_a_label_has_the_teachers_loss_alone() -> None:
    labels, teacher = loss(0), loss(1)
    assert labels == pytest.approx([-np.log(softmax(LOGITS)[0, 0]), 0], rel=1e-5)
    assert teacher.min() > 0
    np.testing.assert_allclose(loss(0.25), 0.75 * labels + 0.25 * teacher, rtol=1e-5)


def test_labels_alone_are_the_usual_loss() -> None:
    usual = keras_module().losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    assert loss(0, smoothing=0.1)[0] == pytest.approx(float(usual(TRUTH[:1], LOGITS[:1])), rel=1e-5)


def test_accuracy_is_of_the_label_else_of_the_teachers_answer() -> None:
    metric = distilling_accuracy()
    metric.update_state(with_scores(TRUTH, TEACHER), LOGITS)
    assert metric.name == "accuracy"
    assert float(metric.result()) == 1.0
    metric.update_state(with_scores(TRUTH, -TEACHER), LOGITS)
    assert float(metric.result()) == 0.75


def test_balanced_classes_leave_images_without_a_label_as_they_are() -> None:
    weights = image_weights(TRUTH, np.array([0.5, 1, 2], np.float32))
    assert weights is not None
    np.testing.assert_allclose(weights, [0.5, 1.0])
    assert image_weights(TRUTH, None) is None
