"""The same layers, with a quicker training step on CPUs under TensorFlow.

Keras normalizes a batch with a dozen elementary operations and as many for the gradient; on a CPU
that was the largest part of an EfficientNet's step. TensorFlow has one kernel for each. And
oneDNN has no quick kernel for the weight gradient of a 5 x 5 depthwise filter, but has one for
3 x 3, four of which cover it. Weights, names and results stay those of the plain layers (to
rounding), so checkpoints do not know the difference. Other backends and accelerators keep the
plain layers. ``benchmarks/studies/training_throughput.py`` measures what it brings.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from edge_effnet.network.backend import keras_module
from edge_effnet.training.steps.step import sum_in_replica

if TYPE_CHECKING:
    import keras


def with_quick_kernels(model: keras.Model) -> keras.Model:
    """A copy of a functional model whose layers train quicker; weights are copied too."""
    return copied(model, quick_layers())


def copied(model: keras.Model, swaps: dict[Any, Any]) -> keras.Model:
    """A copy of a functional model with other types of layers; weights are copied too.

    Args:
        swaps: type -> the type in its place, which takes the same config.
    """
    keras = keras_module()

    def copy(layer: Any) -> Any:
        return swaps.get(type(layer), type(layer)).from_config(layer.get_config())

    quick = keras.models.clone_model(model, clone_function=copy)
    for new, old in zip(quick.layers, model.layers, strict=True):
        new.set_weights(old.get_weights())
        if hasattr(new, "finalize_state"):
            new.finalize_state()  # Normalization computes with tensors made from its weights
    return quick


def weight_gradient_5x5(inputs: Any, gradient: Any, stride: int) -> Any:
    """Gradient of a 5 x 5 depthwise filter (``padding="same"``) from four of 3 x 3.

    The taps (0..2) + (0 or 2) of each axis are those of a 3 x 3 filter on the input moved by
    0 or 2; the middle row and column appear twice and are taken once.

    Args:
        inputs: batch x height x width x channels.
        gradient: of the output, batch x ceil(height / stride) x ceil(width / stride) x channels.

    Returns:
        5 x 5 x channels x 1.
    """
    import tensorflow as tf

    pads, spans = [[0, 0]], []
    for size, count in zip(inputs.shape[1:3], gradient.shape[1:3], strict=True):
        spans.append((count - 1) * stride + 3)
        missing = max(spans[-1] + 2 - size, 0)
        pads.append([missing // 2, missing - missing // 2])
    padded = tf.pad(inputs, [*pads, [0, 0]])

    def corner(top: int, left: int) -> Any:
        return tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
            input=padded[:, top : top + spans[0], left : left + spans[1]],
            filter_sizes=(3, 3, inputs.shape[-1], 1),
            out_backprop=gradient,
            strides=[1, stride, stride, 1],
            padding="VALID",
        )

    rows = [tf.concat([corner(top, 0), corner(top, 2)[:, 1:]], 1) for top in (0, 2)]
    return tf.concat([rows[0], rows[1][1:]], 0)


def normalized_together(inputs: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """Batch normalization over the rows of all workers.

    Args:
        inputs: this worker's rows x height x width x channels.

    Returns:
        The same shape, and mean and (biased) variance, both (channels,).
    """
    import tensorflow as tf

    def kernel(x: Any, scale: Any, offset: Any, mean: Any, variance: Any, own: bool) -> Any:
        return tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=scale,
            offset=offset,
            mean=mean,
            variance=variance,
            epsilon=epsilon,
            is_training=own,
        )

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def normalized(x: Any, scale: Any, offset: Any) -> Any:
        values = tf.size(x) // x.shape[-1]
        _, mean, variance, *_ = kernel(x, scale, offset, [], [], own=True)
        own = tf.cast(values, tf.float64)
        mean, variance = tf.cast(mean, tf.float64), tf.cast(variance, tf.float64)
        # The kernel reports the unbiased variance. In float64 the difference of squares is exact
        # enough; there are few of them.
        square = variance * (own - 1) / own + mean**2
        sums = sum_in_replica(tf.concat([mean * own, square * own, [own]], 0))
        mean, square = tf.split(sums[:-1] / sums[-1], 2)
        variance = tf.cast(square - mean**2, tf.float32)
        mean, total = tf.cast(mean, tf.float32), tf.cast(sums[-1], tf.float32)
        outputs, _, _, *reserved = kernel(x, scale, offset, mean, variance, own=False)

        def gradients(gradient: Any, *_ignored: Any) -> tuple[Any, Any, Any]:
            direct, of_scale, of_offset, *_ = tf.raw_ops.FusedBatchNormGradV3(
                y_backprop=gradient,
                x=x,
                scale=scale,
                reserve_space_1=mean,
                reserve_space_2=variance,
                reserve_space_3=reserved[-1],
                epsilon=epsilon,
                is_training=False,
            )
            # What reaches an input through mean and variance comes from the rows of all workers.
            sums = sum_in_replica(tf.concat([of_scale, of_offset], 0))
            all_scale, all_offset = tf.split(sums, 2)
            inverse = tf.math.rsqrt(variance + epsilon)
            slope = scale * inverse**2 * all_scale / total
            level = scale * inverse * all_offset / total - slope * mean
            through = tf.cast(slope, x.dtype) * x + tf.cast(level, x.dtype)
            return direct - through, of_scale, of_offset

        return (outputs, mean, variance), gradients

    return normalized(  # type: ignore[no-any-return]
        inputs, tf.convert_to_tensor(gamma), tf.convert_to_tensor(beta)
    )


@cache
def quick_layers() -> dict[Any, Any]:
    """Plain layer -> its quick twin."""
    layers = keras_module().layers
    import tensorflow as tf

    class FusedBatchNormalization(layers.BatchNormalization):  # type: ignore[misc, name-defined]
        def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
            if not training or not self.trainable or mask is not None:
                return super().call(inputs, training=training, mask=mask)
            outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                inputs,
                tf.convert_to_tensor(self.gamma),
                tf.convert_to_tensor(self.beta),
                epsilon=self.epsilon,
                is_training=True,
            )
            # The kernel reports the unbiased variance; Keras averages the biased one.
            values = tf.cast(tf.size(inputs) // inputs.shape[-1], variance.dtype)
            variance *= (values - 1) / values
            for average, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                average.assign(average * self.momentum + now * (1 - self.momentum))
            return outputs

    class QuickDepthwiseConv2D(layers.DepthwiseConv2D):  # type: ignore[misc, name-defined]
        def call(self, inputs: Any) -> Any:
            stride = self.strides if isinstance(self.strides, int) else self.strides[0]
            if tuple(self.kernel_size) != (5, 5) or self.padding != "same" or self.use_bias:
                return super().call(inputs)
            strides = [1, stride, stride, 1]

            @tf.custom_gradient  # type: ignore[untyped-decorator]
            def filtered(x: Any, kernel: Any) -> Any:
                def gradients(gradient: Any) -> tuple[Any, Any]:
                    return (
                        tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                            input_sizes=tf.shape(x),
                            filter=kernel,
                            out_backprop=gradient,
                            strides=strides,
                            padding="SAME",
                        ),
                        weight_gradient_5x5(x, gradient, stride),
                    )

                return tf.nn.depthwise_conv2d(x, kernel, strides, "SAME"), gradients

            return filtered(inputs, tf.cast(tf.convert_to_tensor(self.kernel), inputs.dtype))

    return {
        layers.BatchNormalization: FusedBatchNormalization,
        layers.DepthwiseConv2D: QuickDepthwiseConv2D,
    }
