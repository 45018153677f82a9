"""Layers that look at a batch as a whole, where several workers compute its rows.

On one machine batch normalization sees all images of a step, and dropout draws a mask for all of
them. With each worker on its own both would be others, and so would the result. Here mean and
variance are those of all workers' rows, forwards and backwards, and every worker draws the mask of
the whole batch and takes its rows of it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from edge_effnet.network.backend import keras_module
from edge_effnet.training.cluster.shares import Share
from edge_effnet.training.steps.kernels import copied, normalized_together, quick_layers

if TYPE_CHECKING:
    import keras


def with_shared_batches(model: keras.Model, share: Share, *, quick: bool) -> keras.Model:
    """A copy of a functional model for one of several workers, each of which computes some rows
    of a batch: the layers that look at a batch as a whole look at all of its rows.

    Batch normalization takes mean and variance over all workers' rows, and dropout draws for the
    whole batch. Weights are copied too.

    Args:
        share: this worker's rows.
        quick: with the quicker layers of ``with_quick_kernels`` too.
    """
    layers = keras_module().layers
    swaps = (quick_layers() if quick else {}) | _shared_layers()
    copy = copied(model, swaps)
    for layer in copy.layers:
        if isinstance(layer, swaps[layers.Dropout]):
            layer.share = share
    return copy


def dropped_out(inputs: Any, layer: Any, rate: float, share: Share | None) -> Any:
    """Inputs (rows first) after dropout, with the noise shape and random numbers of a layer.

    Args:
        share: the rows of the batch that the inputs are: the mask is drawn for the whole batch;
            None where they are all.
    """
    keras = keras_module()
    ops, seed = keras.ops, layer.seed_generator
    if share is None:
        return keras.random.dropout(inputs, rate, noise_shape=layer.noise_shape, seed=seed)
    shape = [share.total, *inputs.shape[1:]]
    if layer.noise_shape is not None:
        pairs = zip(shape, layer.noise_shape, strict=True)
        shape = [size if given is None else given for size, given in pairs]
    # Keras draws nothing but the mask from the seed: on ones it is the mask.
    mask = keras.random.dropout(ops.ones(shape, inputs.dtype), rate, seed=seed)
    return inputs * mask[share.rows]


@cache
def _shared_layers() -> dict[Any, Any]:
    """Plain layer -> its twin for several workers."""
    keras = keras_module()
    layers = keras.layers

    class SharedBatchNormalization(layers.BatchNormalization):  # type: ignore[misc, name-defined]
        def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
            if not training or not self.trainable or mask is not None:
                return super().call(inputs, training=training, mask=mask)
            outputs, mean, variance = normalized_together(
                inputs, self.gamma, self.beta, self.epsilon
            )
            for average, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                average.assign(average * self.momentum + now * (1 - self.momentum))
            return outputs

    class SharedDropout(layers.Dropout):  # type: ignore[misc, name-defined]
        share: Share | None = None

        def call(self, inputs: Any, training: bool = False) -> Any:
            if not training or self.rate == 0 or self.share is None:
                return super().call(inputs, training=training)
            return dropped_out(inputs, self, self.rate, self.share)

    return {
        layers.BatchNormalization: SharedBatchNormalization,
        layers.Dropout: SharedDropout,
    }
