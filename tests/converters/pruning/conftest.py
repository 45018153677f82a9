"""Tiny networks of every family, with weights that are not all 0 and 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from edge_effnet.architecture.scaling import scaled_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.network.weights.files import LayerWeights

SIDE, CLASSES = 32, 5


def _small(name: str, phi: float, depth: float | None = None) -> VariantSpec:
    spec = scaled_variant(phi, base=VARIANTS[name])
    return replace(spec, name=f"tiny-{name}", depth=depth or spec.depth)


# A chain that the stem is tied to and blocks without expansion: v2-s, and b0 and v2-b0 when deep.
FAMILIES = {
    "b0": _small("b0", -9),
    "b0-deep": _small("b0", -9, depth=1.1),
    "lite0": _small("lite0", -9),
    "edgetpu-s": _small("edgetpu-s", -9),
    "v2-b0": _small("v2-b0", -9),
    "v2-s": _small("v2-s", -12, depth=0.5),
}


@dataclass(frozen=True)
class Tiny:
    spec: VariantSpec
    network: Any
    weights: LayerWeights

    def restore(self) -> None:
        for layer, arrays in self.weights.items():
            self.network.get_layer(layer).set_weights(arrays)


@pytest.fixture(scope="session")
def tiny_of() -> Callable[[str], Tiny]:
    """A network of a family with random, shaken weights, built once; gives logits."""
    import keras

    from edge_effnet.network.build import build

    made: dict[str, Tiny] = {}

    def tiny(name: str) -> Tiny:
        if name not in made:
            keras.utils.set_random_seed(3)
            spec, rng = FAMILIES[name], np.random.default_rng(3)
            network = build(spec, classes=CLASSES, resolution=SIDE, classifier_activation=None)
            for layer in network.layers:
                if type(layer).__name__ in ("BatchNormalization", "Conv2D", "Dense"):
                    for weight in layer.weights:
                        if len(weight.shape) == 1:
                            noise = rng.uniform(-0.3, 0.3, weight.shape)
                            weight.assign(np.asarray(weight) + noise)
            weights = {layer.name: layer.get_weights() for layer in network.layers if layer.weights}
            made[name] = Tiny(spec, network, weights)
        return made[name]

    return tiny
