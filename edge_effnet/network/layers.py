"""The Keras layer of each operator of ``edge_effnet.architecture.topology``.

Strides use ``padding="same"``, which pads exactly as the explicit ``ZeroPadding2D`` of
``keras.applications`` does (one less in front where the size is even), with one operator less in
the converted file.
"""

from __future__ import annotations

from typing import Any

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.architecture.topology import NetworkOperator
from edge_effnet.network.backend import keras_module

BATCH_NORM_EPSILON = 1e-3


def layer_of(operator: NetworkOperator, spec: VariantSpec) -> Any:
    """A fresh layer for any operator but ``input`` and ``normalization``."""
    keras = keras_module()
    layers, name = keras.layers, operator.name
    if operator.kind in ("conv", "depthwise"):
        return _convolution(operator)
    if operator.kind == "batch_norm":
        return layers.BatchNormalization(
            momentum=spec.batch_norm_momentum, epsilon=BATCH_NORM_EPSILON, name=name
        )
    if operator.kind == "activation":
        return layers.Activation(operator.activation, name=name)
    if operator.kind in ("average", "pool"):
        # The plane of 1 x 1 stays in front of a convolution: no reshape, hence no shape
        # arithmetic in the exported graph.
        return layers.GlobalAveragePooling2D(
            keepdims=operator.kind == "average", data_format="channels_last", name=name
        )
    if operator.kind == "multiply":
        return layers.Multiply(name=name)
    if operator.kind == "add":
        return layers.Add(name=name)
    if operator.kind in ("dropout", "drop_path"):
        shape = (None, 1, 1, 1) if operator.kind == "drop_path" else None
        return layers.Dropout(operator.rate, noise_shape=shape, name=name)
    assert operator.kind == "dense", operator.kind  # noqa: S101 (the kinds are a literal)
    return layers.Dense(
        operator.channels,
        activation=operator.activation,
        kernel_initializer=keras.initializers.VarianceScaling(
            scale=1 / 3, mode="fan_out", distribution="uniform"
        ),
        # Scores in the precision of the variables: float16 cannot carry a softmax's small ends.
        dtype=keras.config.dtype_policy().variable_dtype,
        name=name,
    )


def _convolution(operator: NetworkOperator) -> Any:
    keras = keras_module()
    # He initialization by fan-out, as the reference implementation trains from. A fresh one per
    # layer: a shared unseeded initializer would repeat its numbers.
    initializer = keras.initializers.VarianceScaling(
        scale=2.0, mode="fan_out", distribution="truncated_normal"
    )
    options = {
        "kernel_size": operator.kernel,
        "strides": operator.stride,
        "padding": "same",
        "data_format": "channels_last",
        "use_bias": operator.bias,
        "activation": operator.activation,
        "name": operator.name,
    }
    if operator.kind == "depthwise":
        return keras.layers.DepthwiseConv2D(depthwise_initializer=initializer, **options)
    return keras.layers.Conv2D(operator.channels, kernel_initializer=initializer, **options)
