"""The parts of an EfficientNet: convolution with normalization, squeeze-excite, the two blocks.

Every function takes a symbolic tensor, batch x height x width x channels, and gives one back.
Layers carry the names of ``keras.applications``, because official files, pruning and per-layer
reports address them by name. Strides use ``padding="same"``, which pads exactly as the explicit
``ZeroPadding2D`` of ``keras.applications`` does (one less in front where the size is even), with
one operator less in the converted file.
"""

from __future__ import annotations

from typing import Any

from edge_effnet.architecture.spec import BlockSpec, VariantSpec
from edge_effnet.network.backend import keras_module

BATCH_NORM_EPSILON = 1e-3


def convolution(
    x: Any, width: int, kernel: int, *, name: str, stride: int = 1, **options: Any
) -> Any:
    """A convolution without bias, ready for a batch normalization behind it."""
    return keras_module().layers.Conv2D(
        width,
        kernel,
        strides=stride,
        padding="same",
        data_format="channels_last",
        kernel_initializer=_kernel_initializer(),
        name=name,
        **{"use_bias": False, **options},
    )(x)


def batch_norm(x: Any, spec: VariantSpec, name: str) -> Any:
    return keras_module().layers.BatchNormalization(
        momentum=spec.batch_norm_momentum, epsilon=BATCH_NORM_EPSILON, name=name
    )(x)


def activation(x: Any, spec: VariantSpec, name: str) -> Any:
    """The row's activation. ReLU6 is spelled so that a converter fuses it."""
    return keras_module().layers.Activation(spec.activation, name=name)(x)


def squeeze_excite(x: Any, width: int, spec: VariantSpec, prefix: str) -> Any:
    """Weigh the channels by what a bottleneck of ``width`` makes of their averages.

    The average keeps its 1 x 1 plane (``keepdims``): no reshape, hence no shape arithmetic in
    the exported graph.
    """
    layers = keras_module().layers
    squeezed = layers.GlobalAveragePooling2D(
        keepdims=True, data_format="channels_last", name=f"{prefix}se_squeeze"
    )(x)
    reduced = convolution(
        squeezed,
        width,
        1,
        name=f"{prefix}se_reduce",
        use_bias=True,
        activation=spec.activation,
    )
    gate = convolution(
        reduced,
        x.shape[-1],
        1,
        name=f"{prefix}se_expand",
        use_bias=True,
        activation="sigmoid",
    )
    return layers.Multiply(name=f"{prefix}se_excite")([x, gate])


def mbconv(x: Any, block: BlockSpec, spec: VariantSpec, drop_rate: float) -> Any:
    """Inverted residual: expand 1 x 1, filter each channel, squeeze-excite, project 1 x 1.

    Source: arXiv:1801.04381 and arXiv:1905.11946.
    """
    inputs, prefix = x, f"{block.name}_"
    if block.expand:
        x = convolution(x, block.width_expanded, 1, name=f"{prefix}expand_conv")
        x = batch_norm(x, spec, f"{prefix}expand_bn")
        x = activation(x, spec, f"{prefix}expand_activation")
    x = keras_module().layers.DepthwiseConv2D(
        block.kernel,
        strides=block.stride,
        padding="same",
        use_bias=False,
        data_format="channels_last",
        depthwise_initializer=_kernel_initializer(),
        name=f"{prefix}{spec.dwconv_suffix}",
    )(x)
    x = batch_norm(x, spec, f"{prefix}bn")
    x = activation(x, spec, f"{prefix}activation")
    if block.width_se:
        x = squeeze_excite(x, block.width_se, spec, prefix)
    x = convolution(x, block.width_out, 1, name=f"{prefix}project_conv")
    x = batch_norm(x, spec, f"{prefix}project_bn")
    return _residual(x, inputs, block, drop_rate)


def fused_mbconv(x: Any, block: BlockSpec, spec: VariantSpec, drop_rate: float) -> Any:
    """Expansion and depthwise filter fused into one full convolution.

    Without an expansion the projection takes over kernel, stride and activation, so that the
    block is a single convolution. Source: arXiv:2104.00298.
    """
    inputs, prefix = x, f"{block.name}_"
    if block.expand:
        x = convolution(
            x,
            block.width_expanded,
            block.kernel,
            stride=block.stride,
            name=f"{prefix}expand_conv",
        )
        x = batch_norm(x, spec, f"{prefix}expand_bn")
        x = activation(x, spec, f"{prefix}expand_activation")
    if block.width_se:
        x = squeeze_excite(x, block.width_se, spec, prefix)
    kernel, stride = (1, 1) if block.expand else (block.kernel, block.stride)
    x = convolution(x, block.width_out, kernel, stride=stride, name=f"{prefix}project_conv")
    x = batch_norm(x, spec, f"{prefix}project_bn")
    if not block.expand:
        x = activation(x, spec, f"{prefix}project_activation")
    return _residual(x, inputs, block, drop_rate)


def _residual(x: Any, inputs: Any, block: BlockSpec, drop_rate: float) -> Any:
    """Add the block's input; in training, sometimes drop the whole branch of an image."""
    if not block.skip:
        return x
    layers = keras_module().layers
    if drop_rate > 0:
        x = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{block.name}_drop")(x)
    return layers.Add(name=f"{block.name}_add")([x, inputs])


def _kernel_initializer() -> Any:
    """He initialization by fan-out, as the reference implementation trains from.

    A fresh one per layer: a shared unseeded initializer would repeat its numbers.
    """
    return keras_module().initializers.VarianceScaling(
        scale=2.0, mode="fan_out", distribution="truncated_normal"
    )
