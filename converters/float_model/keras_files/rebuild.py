"""An updated configuration and the stored weights as a Keras network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.float_model.keras_files.config.leftovers import LEGACY_HARD_SIGMOID
from converters.float_model.keras_files.container import KerasContent
from converters.float_model.keras_files.simplify import OWN_LAYER
from converters.float_model.keras_files.stored_weights import assign_weights
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.network.backend import keras_module

if TYPE_CHECKING:
    import keras

_LEAST_VALUES = 1 << 16  # a network may hold a few more than its file, which has a few small ones


_TOO_LARGE = "a network larger than the weights that the file holds"


class TooLarge(ValueError):
    """A configuration asks for more weights than the file holds."""


@cache
def _pixel_matrix() -> type[Any]:
    """The layer that turns channels round and scales them: no weights, constants only."""
    keras = keras_module()

    class PixelMatrix(keras.layers.Layer):  # type: ignore[misc, name-defined, unused-ignore]
        """activation = pixel · scale + offset for each channel; ``reverse``: BGR from RGB first.

        One 1×1 convolution where it reverses, which TFLite runs in int8 too.
        """

        def __init__(
            self,
            scale: tuple[float, ...] = (1.0, 1.0, 1.0),
            offset: tuple[float, ...] = (0.0, 0.0, 0.0),
            *,
            reverse: bool = False,
            **kwargs: Any,
        ) -> None:
            super().__init__(**kwargs)
            order = np.eye(3)[::-1] if reverse else np.eye(3)
            self.matrix = (order * np.asarray(scale)).astype(np.float32)
            self.offset = np.asarray(offset, np.float32)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

        def call(self, inputs: Any) -> Any:
            kernel = self.matrix.reshape(1, 1, 3, 3)
            return keras.ops.conv(inputs, kernel, padding="valid") + self.offset

    return PixelMatrix


@contextmanager
def own_objects(values: int) -> Iterator[None]:
    """Keras knows the few things that are not its own while the block runs, and no layer makes
    more weights than the file has values.

    Args:
        values: how many numbers the file stores.
    """
    keras = keras_module()

    def legacy_hard_sigmoid(x: Any) -> Any:
        return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)

    known = {
        OWN_LAYER: _pixel_matrix(),
        LEGACY_HARD_SIGMOID: legacy_hard_sigmoid,
    }
    with keras.saving.custom_object_scope(known), _counted_weights(values + _LEAST_VALUES):
        yield


@contextmanager
def _counted_weights(left: int) -> Iterator[None]:
    """Weights are counted before they are made.

    Args:
        left: how many numbers they may have, all told.
    """
    layer, normalization = keras_module().layers.Layer, keras_module().layers.Normalization
    add_weight, build = layer.add_weight, normalization.build

    def counted(self: Any, shape: Any = None, *args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= int(np.prod(() if shape is None else shape, dtype=object))
        if left < 0:
            raise TooLarge(_TOO_LARGE)
        return add_weight(self, shape, *args, **kwargs)

    def compared(self: Any, input_shape: Any) -> Any:
        """Statistics of its configuration, spread over the axes that they are for."""
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        spread = np.prod(
            [input_shape[axis] or 1 for axis in axes if axis is not None], dtype=object
        )
        if self.input_mean is not None and spread > max(np.size(self.input_mean), _LEAST_VALUES):
            raise TooLarge(_TOO_LARGE)
        return build(self, input_shape)

    layer.add_weight, normalization.build = counted, compared
    try:
        yield
    finally:
        layer.add_weight, normalization.build = add_weight, build


def rebuild(config: dict[str, Any], content: KerasContent) -> keras.Model:
    """Build a network from its updated configuration and put the stored weights into it.

    Raises:
        TooLarge, ValueError, TypeError, KeyError …: whatever Keras says of a configuration or
            of weights that do not fit it.
    """
    keras = keras_module()
    with own_objects(content.values):
        network = keras.saving.deserialize_keras_object(config, safe_mode=True)
    if not network.built:
        raise ValueError("a network that was never built")
    if content.raw_weights is None:
        assign_weights(network, content.weights)
        return network
    with scratch_folder() as folder:
        file = folder / "model.weights.h5"
        file.write_bytes(content.raw_weights)
        network.load_weights(file)
    return network
