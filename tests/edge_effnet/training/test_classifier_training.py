"""The last layer that fine-tuning begins with."""

from __future__ import annotations

import numpy as np
import pytest

from edge_effnet.arrays import Float32Array
from edge_effnet.training.classifier_training import learn_layer


def drawn(each: int, classes: int = 3) -> tuple[Float32Array, np.ndarray]:  # type: ignore[type-arg]
    """Features as a network gives them: none negative, of many lengths."""
    random = np.random.default_rng(3)
    centres = random.gamma(1.0, size=(classes, 40))
    labels = np.tile(np.arange(classes), each)
    values = centres[labels] + 0.3 * random.gamma(1.0, size=(len(labels), 40))
    lengths = random.uniform(0.5, 1.5, (len(labels), 1))
    return (values * lengths).astype(np.float32), labels


def test_it_answers_images_that_it_has_not_learned() -> None:
    features, labels = drawn(40)
    layer = learn_layer(features[:60], labels[:60], 3, weights=None, seed=0)
    answers = (features[60:] @ layer.weights.T + layer.bias).argmax(axis=1)
    assert (answers == labels[60:]).mean() > 0.9


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_in_what_unit_the_features_are_does_not_matter(factor: float) -> None:
    features, labels = drawn(20)
    one = learn_layer(features, labels, 3, weights=None, seed=0)
    other = learn_layer(features * np.float32(factor), labels, 3, weights=None, seed=0)
    np.testing.assert_allclose(one.weights, other.weights * factor, rtol=1e-2, atol=1e-3)


def test_images_that_count_more_are_right_more_often() -> None:
    features, labels = drawn(30, classes=2)
    features += np.random.default_rng(0).gamma(1.0, size=features.shape).astype(np.float32) * 2
    rare = np.where(labels == 0, 0.1, 1.9).astype(np.float32)
    shares = []
    for weights in (None, rare):
        layer = learn_layer(features, labels, 2, weights=weights, seed=0)
        shares.append((features @ layer.weights.T + layer.bias).argmax(axis=1).mean())
    assert shares[1] > shares[0]
