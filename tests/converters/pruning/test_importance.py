"""Scores say what a channel is worth, and putting right needs no training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from converters.pruning.groups import channel_groups
from converters.pruning.importance import bn_scale, magnitude, strongest, taylor
from converters.pruning.reconstruction import reconstruct
from converters.pruning.sensitivity import answers, set_weights
from converters.pruning.slicing import cut
from edge_effnet.network.build import build
from edge_effnet.network.weights.assign import load_layer_weights
from tests.converters.pruning.conftest import CLASSES, SIDE, Tiny


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def test_a_dead_channel_is_worth_nothing(tiny_of: Callable[[str], Tiny]) -> None:
    tiny = tiny_of("v2-b0")
    weights = {layer: [array.copy() for array in arrays] for layer, arrays in tiny.weights.items()}
    weights["top_conv"][0][..., 5] = 0
    weights["top_bn"][0][5] = 0  # gamma
    weights["top_bn"][1][5] = 0  # beta: swish of 0 is 0
    set_weights(tiny.network, {name: weights[name] for name in ("top_conv", "top_bn")})
    scores = taylor(tiny.network, tiny.spec, pictures(16), None, seed=0)
    tiny.restore()
    assert scores["head"][5] == 0
    assert np.count_nonzero(scores["head"] == 0) == 1
    for measure in (magnitude, bn_scale):
        found = measure(tiny.spec, weights)["head"]
        assert found.argmin() == 5


def test_taylor_estimates_what_silencing_a_channel_does(tiny_of: Callable[[str], Tiny]) -> None:
    """With labels, the score is the squared first-order change of each image's loss."""
    tiny = tiny_of("b0")
    images, labels = pictures(16), np.arange(16) % CLASSES
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


def test_solving_projections_brings_the_answers_back(tiny_of: Callable[[str], Tiny]) -> None:
    tiny = tiny_of("v2-b0")
    groups, images = channel_groups(tiny.spec), pictures(64)
    scores = magnitude(tiny.spec, tiny.weights)
    places = {
        name: strongest(scores[name], group.width * 3 // 4)
        for name, group in groups.items()
        if group.role == "inner"
    }
    spec, weights = cut(tiny.spec, tiny.weights, places)
    small = build(
        replace(spec, dropout=0.0, drop_connect=0.0),
        classes=CLASSES,
        resolution=SIDE,
        classifier_activation=None,
    )
    load_layer_weights(small, weights, source="the cut weights")
    kept = {name: places.get(name, np.arange(group.width)) for name, group in groups.items()}
    held_out = np.random.default_rng(1).integers(0, 256, (32, SIDE, SIDE, 3), np.uint8)
    wanted = answers(tiny.network, held_out)
    before = np.abs(answers(small, held_out) - wanted).mean()
    reconstruct(small, tiny.network, spec, kept, images, seed=0)
    after = np.abs(answers(small, held_out) - wanted).mean()
    assert after < before / 2
