"""Networks as SavedModel folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Export = Callable[..., Any]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """A network with Flatten, whose shapes name the batch, as a SavedModel in ``saved``."""

    def make(batch: int | None = None, side: int | None = 32, outputs: int = 1) -> Any:
        import keras

        source = keras.Input((side, side, 3), batch)
        x = keras.layers.Conv2D(4, 3, strides=4)(keras.layers.Rescaling(1 / 255)(source))
        x = keras.layers.Flatten()(x) if side else keras.layers.GlobalMaxPooling2D()(x)
        ends = [keras.layers.Dense(3, activation="softmax")(x) for _ in range(outputs)]
        network = keras.Model(source, ends[0] if outputs == 1 else ends)
        network.export(tmp_path / "saved", verbose=False)
        return network

    return make


def tensorflow_network(tf: Any, dtype: Any, first: Callable[[Any], Any]) -> Any:
    """A network of TensorFlow's own functions."""

    class Network(tf.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            random = np.random.default_rng(1)
            self.kernel = tf.Variable(random.normal(0, 0.1, (3, 3, 3, 4)).astype(np.float32))

        @tf.function(input_signature=[tf.TensorSpec((None, 32, 32, 3), dtype)])
        def answer(self, image: Any) -> Any:
            features = tf.nn.relu(tf.nn.conv2d(first(image), self.kernel, 2, "SAME"))
            return tf.nn.softmax(tf.reduce_mean(features, [1, 2]))

    return Network()
