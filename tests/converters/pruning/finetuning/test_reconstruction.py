"""Projections solved anew: the sliced network answers nearer to the unpruned one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from converters.pruning.finetuning.reconstruction import reconstruct
from converters.pruning.selection.groups import channel_groups
from converters.pruning.selection.importance import (
    magnitude,
    strongest,
)
from converters.pruning.selection.sensitivity import answers
from converters.pruning.slicing import slice_channels
from edge_effnet.network.build import build
from edge_effnet.network.weights.assign import load_layer_weights
from tests.converters.pruning.conftest import CLASSES, SIDE, Tiny


def noise_images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def test_solving_projections_brings_the_answers_back(tiny_of: Callable[[str], Tiny]) -> None:
    tiny = tiny_of("v2-b0")
    groups, images = channel_groups(tiny.spec), noise_images(64)
    scores = magnitude(tiny.spec, tiny.weights)
    indices = {
        name: strongest(scores[name], group.width * 3 // 4)
        for name, group in groups.items()
        if group.role == "inner"
    }
    spec, weights = slice_channels(tiny.spec, tiny.weights, indices)
    small = build(
        replace(spec, dropout=0.0, drop_connect=0.0),
        classes=CLASSES,
        resolution=SIDE,
        classifier_activation=None,
    )
    load_layer_weights(small, weights, source="the cut weights")
    kept = {name: indices.get(name, np.arange(group.width)) for name, group in groups.items()}
    held_out = np.random.default_rng(1).integers(0, 256, (32, SIDE, SIDE, 3), np.uint8)
    wanted = answers(tiny.network, held_out)
    before = np.abs(answers(small, held_out) - wanted).mean()
    reconstruct(small, tiny.network, spec, kept, images, seed=0)
    after = np.abs(answers(small, held_out) - wanted).mean()
    assert after < before / 2
