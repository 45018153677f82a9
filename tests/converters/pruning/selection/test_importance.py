"""Scores say what a channel is worth, and putting right needs no training."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np

from converters.pruning.config import Importance
from converters.pruning.selection.groups import channel_groups
from converters.pruning.selection.importance import (
    IMPORTANCE_MEASURES,
    ImportanceInputs,
    bn_scale,
    magnitude,
    strongest,
    taylor,
)
from converters.pruning.selection.sensitivity import set_weights
from tests.converters.pruning.conftest import CLASSES, SIDE, Tiny


def noise_images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def test_a_dead_channel_is_worth_nothing(tiny_of: Callable[[str], Tiny]) -> None:
    tiny = tiny_of("v2-b0")
    weights = {layer: [array.copy() for array in arrays] for layer, arrays in tiny.weights.items()}
    weights["top_conv"][0][..., 5] = 0
    weights["top_bn"][0][5] = 0  # gamma
    weights["top_bn"][1][5] = 0  # beta: swish of 0 is 0
    set_weights(tiny.network, {name: weights[name] for name in ("top_conv", "top_bn")})
    scores = taylor(tiny.network, tiny.spec, noise_images(16), None, seed=0)
    tiny.restore()
    assert scores["head"][5] == 0
    assert np.count_nonzero(scores["head"] == 0) == 1
    for measure in (magnitude, bn_scale):
        found = measure(tiny.spec, weights)["head"]
        assert found.argmin() == 5


def test_taylor_estimates_what_silencing_a_channel_does(tiny_of: Callable[[str], Tiny]) -> None:
    """With labels, the score is the squared first-order change of each image's loss."""
    tiny = tiny_of("b0")
    images, labels = noise_images(16), np.arange(16) % CLASSES
    scores = taylor(tiny.network, tiny.spec, images, labels, seed=0)["head"]
    kernel, bias = tiny.weights["predictions"]
    head = build_head_features(tiny, images)
    logits = head @ kernel + bias
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    wrong = exponents / exponents.sum(axis=1, keepdims=True)
    wrong[np.arange(16), labels] -= 1
    expected = np.mean((head * (wrong @ kernel.T)) ** 2, axis=0)
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-9)


def build_head_features(tiny: Tiny, images: np.ndarray) -> np.ndarray:
    import keras

    body = keras.Model(tiny.network.input, tiny.network.get_layer("avg_pool").output)
    return np.asarray(body(images.astype(np.float32)))


def test_the_strongest_stay_in_their_order() -> None:
    assert strongest(np.array([3.0, 1.0, 4.0, 1.0, 5.0]), 3).tolist() == [0, 2, 4]


def test_every_importance_that_can_be_chosen_gives_a_score_per_channel(
    tiny_of: Callable[[str], Tiny],
) -> None:
    tiny, done = tiny_of("b0"), list[int]()
    inputs = ImportanceInputs(
        tiny.network, tiny.spec, tiny.weights, noise_images(16), 0, done.append
    )
    groups = channel_groups(tiny.spec)
    assert set(IMPORTANCE_MEASURES) == set(get_args(Importance))
    for measure in IMPORTANCE_MEASURES.values():
        scores = measure(inputs)
        assert {name: len(own) for name, own in scores.items()} == {
            name: group.width for name, group in groups.items()
        }
    assert done == [16]
