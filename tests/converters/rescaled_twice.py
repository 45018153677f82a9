"""A network that normalizes pixels inside and was trained on pixels / 255, made without training.

Each batch normalization is set to what the interior of its input holds on such pixels, as
training would; the padded borders, which training cannot change, are far outside.
"""

from __future__ import annotations

import numpy as np

from converters.calibration.dead_leaves import generated_image

SIDE = 32


def pixels(count: int) -> np.ndarray:
    """Images of 0–1, images x height x width x 3."""
    images = [generated_image(index, 7, SIDE, SIDE) for index in range(count)]
    return np.stack(images).astype(np.float32) / 255


def rescaled_twice(images: np.ndarray, *, inside: bool = True) -> bytes:
    """A float ``.tflite`` for pixels of 0–1.

    Args:
        images: what it was trained on.
        inside: whether it rescales and normalizes them once more.
    """
    import keras
    from keras import layers

    from converters.float_model.export import export_image_network

    keras.utils.set_random_seed(3)
    given = x = keras.Input((SIDE, SIDE, 3), name="image")
    if inside:
        x = layers.Rescaling(1 / 255)(x)
        x = layers.Normalization(mean=[0.45, 0.46, 0.41], variance=[0.05, 0.05, 0.05])(x)
    x = _activated(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x), "stem")
    x = _activated(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x), "first")
    x = _activated(layers.Conv2D(12, 1, use_bias=False)(x), "second")
    for name in ("third", "fourth"):
        x = layers.Conv2D(48, 3, strides=2, padding="same", use_bias=False)(x)
        x = _activated(x, name)
    x = _activated(layers.Conv2D(96, 3, padding="same", use_bias=False)(x), "fifth")
    answer = layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    network = keras.Model(given, answer)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            seen = keras.Model(given, layer.input)
            values = seen(images).numpy()
            inner = values[:, :-1, :-1].reshape(-1, values.shape[-1])
            layer.set_weights([*layer.get_weights()[:2], inner.mean(0), inner.var(0) + 1e-9])
    return export_image_network(network, SIDE, SIDE, 3)


def _activated(x: object, name: str) -> object:
    from keras import layers

    return layers.Activation("swish")(layers.BatchNormalization(name=name, epsilon=1e-9)(x))
