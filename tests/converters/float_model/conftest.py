"""Small networks as Keras saves them, and what an exported file answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from converters.float_model.keras_files.reader import read_keras_model

Pixels = NDArray[np.float32]


@pytest.fixture
def pixels() -> Pixels:
    """Two images of 32x32, 0 to 255."""
    return np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)


def answers(model: bytes, images: Pixels) -> Pixels:
    """What a float ``.tflite`` says of each image."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    found = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.asarray(found, np.float32)


@pytest.fixture
def same_answers(tmp_path: Path) -> Callable[..., Any]:
    """Save a network, read the file, and hold what it answers against Keras."""

    def check(network: Any, images: Pixels, name: str = "mine.keras", **options: Any) -> Any:
        network.save(tmp_path / name)
        read = read_keras_model(tmp_path / name, resolution=options.get("resolution"))
        expected = np.asarray(network(images, training=False), np.float32)
        tolerance = options.get("tolerance", 1e-4)
        np.testing.assert_allclose(answers(read.model, images), expected, atol=tolerance)
        return read

    return check


def shaken(network: Any) -> Any:
    """Statistics as after training: other than 0 and 1, where a wrong order would not show."""
    import keras

    random = np.random.default_rng(1)
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return network
