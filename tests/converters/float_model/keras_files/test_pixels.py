"""What the layers of a Keras file say of how an image becomes the network's input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from converters.float_model.keras_files.pixels import made_by_teachable_machine, rescaled_pixels
from edge_effnet.image.preprocessing import foreign_preprocess

DEFAULT = foreign_preprocess(16, 16, 3)


def _network(*before: Any) -> Any:
    import keras

    x = source = keras.Input((16, 16, 3))
    for step in before:
        x = step(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(x))
    return keras.Model(source, keras.layers.Dense(2)(x))


def _std(*before: Any) -> tuple[float, ...] | None:
    found = rescaled_pixels(_network(*before), DEFAULT)
    return None if found is None else found.settings.std


def test_a_rescaling_means_pixels() -> None:
    import keras

    layers = keras.layers
    assert _std(layers.Rescaling(1 / 255)) == (1.0,)
    assert _std(layers.Resizing(8, 8), layers.Rescaling(1 / 127.5, offset=-1)) == (1.0,)
    assert _std(keras.Sequential([layers.Rescaling(1 / 255)])) == (1.0,)
    assert _std(layers.Normalization(mean=120.0, variance=3000.0)) == (1.0,)
    assert _std(lambda x: x * (1 / 255)) == (1.0,)  # as divisions are rewritten
    assert _std(lambda x: x - np.float32([103.9, 116.8, 123.7])) == (1.0,)


def test_a_rescaling_of_what_was_divided_means_0_to_1() -> None:
    import keras

    assert _std(keras.layers.Rescaling(2.0, offset=-1)) == (255.0,)
    assert _std(keras.layers.Normalization(mean=0.45, variance=0.05)) == (255.0,)


@pytest.mark.parametrize("kind", ["Conv2D", "BatchNormalization", "Identity"])
def test_nothing_is_said(kind: str) -> None:
    import keras

    settings = {"filters": 3, "kernel_size": 1} if kind == "Conv2D" else {}
    assert _std(getattr(keras.layers, kind)(**settings), keras.layers.Rescaling(1.0)) is None


def test_teachable_machines_fingerprint() -> None:
    def sequential(*names: str) -> dict[str, Any]:
        layers = [{"class_name": "Dense", "config": {"name": name}} for name in names]
        return {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}

    inner = [sequential("model1"), sequential("dense_Dense1", "dense_Dense2")]
    outer = {"class_name": "Sequential", "config": {"name": "outer", "layers": inner}}
    assert made_by_teachable_machine(outer)
    inner[1] = sequential("dense", "dense_1")
    assert not made_by_teachable_machine(outer)
