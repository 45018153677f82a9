"""How much each channel matters, by three measures; larger is more.

Within a group scores can be compared by all three. Between groups only Taylor scores can: they
estimate one thing everywhere, what the loss gains when the channel goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converters.pruning.config import Importance
from converters.pruning.selection.groups import ChannelGroup, channel_groups
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.network.backend import keras_module
from edge_effnet.network.weights.files import LayerWeights

if TYPE_CHECKING:
    import keras

Scores = dict[str, NDArray[np.float64]]
"""One number per channel, by group."""

BATCH = 16


def magnitude(spec: VariantSpec, weights: LayerWeights) -> Scores:
    """Mean absolute weight of the filters that make a channel (Li et al. 2017,
    arXiv:1608.08710), the convolutions of a chain added up."""
    return {
        group.name: sum(
            (
                np.abs(_by_channel(weights, axis.layer, 0, axis.axis)).mean(axis=1)
                for axis in group.made
                if axis.array == 0 and axis.axis == 3
            ),
            np.zeros(group.width),
        )
        for group in channel_groups(spec).values()
    }


def bn_scale(spec: VariantSpec, weights: LayerWeights) -> Scores:
    """Absolute BatchNorm scale before the channel is read (Liu et al. 2017, arXiv:1708.06519),
    the blocks of a chain added up. A squeeze has no BatchNorm: it is scored by magnitude."""
    plain = magnitude(spec, weights)
    scores = {}
    for group in channel_groups(spec).values():
        norms = _last_norms(group)
        scores[group.name] = (
            sum((np.abs(weights[layer][0]) for layer in norms), np.zeros(group.width))
            if norms
            else plain[group.name]
        )
    return scores


def _last_norms(group: ChannelGroup) -> list[str]:
    """BatchNorms right before a reader: inside a block the one behind the depthwise filter."""
    layers = [axis.layer for axis in group.made if axis.layer.endswith("bn") and axis.array == 0]
    return layers[-1:] if group.role == "inner" else layers


def _by_channel(weights: LayerWeights, layer: str, array: int, axis: int) -> NDArray[Any]:
    values = np.moveaxis(weights[layer][array], axis, 0)
    return values.reshape(len(values), -1)


def taylor(
    network: keras.Model,
    spec: VariantSpec,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    *,
    seed: int,
    advance: Callable[[int], None] = lambda _done: None,
) -> Scores:
    """First-order Taylor scores: mean square of what the loss of an image would change, to
    first order, if the channel were not read (Molchanov et al. 2019, arXiv:1906.10771).

    Each reader's input is multiplied by a gate of ones, and the gradient with respect to the
    gates is the sum of activation times gradient over the plane. One gate per image and channel,
    so that the mean is over single images, where a minibatch would let them cancel.

    Args:
        network: gives logits.
        images: N x side x side x 3, pixels 0–255.
        labels: one for each image; None draws answers from the network's own scores, which
            makes the score the diagonal of the Fisher information: half of it estimates the
            divergence of the pruned network's scores from the unpruned one's, without a label.
        seed: of the drawn answers.
        advance: called with the number of images done.

    Raises:
        MissingExtra: TensorFlow is not installed.
    """
    import tensorflow as tf

    groups = channel_groups(spec)
    batch = min(BATCH, len(images))
    gates = {name: _gate(name, group.width, batch) for name, group in groups.items()}
    gated = with_reader_inputs(network, spec, lambda name, x: gates[name](x))
    variables = [gate.weights[0] for gate in gates.values()]
    raw = [variable.value for variable in variables]

    @tf.function  # type: ignore[untyped-decorator]
    def squares(pixels: Any, uniform: Any, truth: Any) -> list[Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(raw)
            logs = tf.nn.log_softmax(gated(pixels, training=False))
            # The first class whose cumulated score exceeds a uniform draw.
            drawn = tf.reduce_sum(
                tf.cast(tf.cumsum(tf.exp(tf.stop_gradient(logs)), axis=1) < uniform, tf.int32), 1
            )
            drawn = tf.minimum(drawn, logs.shape[1] - 1)
            answers = tf.where(truth < 0, drawn, truth)
            loss = -tf.reduce_sum(tf.gather(logs, answers, batch_dims=1))
        return [tf.reduce_sum(gradient**2, axis=0) for gradient in tape.gradient(loss, raw)]

    rng = np.random.default_rng(seed)
    totals = [np.zeros(group.width) for group in groups.values()]
    count = 0
    for first in range(0, len(images) - batch + 1, batch):
        part = slice(first, first + batch)
        truth = np.full(batch, -1, np.int32) if labels is None else labels[part].astype(np.int32)
        uniform = rng.random((batch, 1), np.float32)
        for total, square in zip(
            totals,
            squares(tf.constant(images[part], tf.float32), uniform, truth),
            strict=True,
        ):
            total += square.numpy()
        count += batch
        advance(count)
    return {name: total / count for name, total in zip(groups, totals, strict=True)}


def with_reader_inputs(
    network: keras.Model, spec: VariantSpec, change: Callable[[str, Any], Any]
) -> keras.Model:
    """The same layers in a graph where ``change(group, x)`` stands before every reader."""
    readers = {
        axis.layer: group.name for group in channel_groups(spec).values() for axis in group.read
    }

    def call(layer: Any, x: Any, **options: Any) -> Any:
        if layer.name in readers:
            x = change(readers[layer.name], x)
        return layer(x, **options)

    return keras_module().models.clone_model(
        network, clone_function=lambda layer: layer, call_function=call
    )


def _gate(name: str, width: int, batch: int) -> Any:
    """A layer that multiplies the channels of a fixed batch by weights of ones."""
    keras = keras_module()

    class Gate(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name=f"gate_{name}")
            self.gate = self.add_weight(shape=(batch, width), initializer="ones", name="gate")

        def call(self, x: Any) -> Any:
            shape = (batch, *(1,) * (len(x.shape) - 2), width)
            return x * keras.ops.reshape(self.gate, shape)

    return Gate()


def strongest(scores: NDArray[np.float64], keep: int) -> NDArray[np.int64]:
    """Indices of the ``keep`` largest scores, ascending; of equal ones the first."""
    return np.sort(np.argsort(-scores, kind="stable")[:keep]).astype(np.int64)


@dataclass(frozen=True)
class ImportanceInputs:
    """What importance can be measured on.

    Attributes:
        network: gives logits.
        weights: arrays by layer.
        images: N x side x side x 3, pixels 0–255.
        advance: called with the number of images done.
    """

    network: keras.Model
    spec: VariantSpec
    weights: LayerWeights
    images: NDArray[np.uint8]
    seed: int
    advance: Callable[[int], None]


IMPORTANCE_MEASURES: dict[Importance, Callable[[ImportanceInputs], Scores]] = {
    "taylor": lambda on: taylor(
        on.network, on.spec, on.images, None, seed=on.seed, advance=on.advance
    ),
    "magnitude": lambda on: magnitude(on.spec, on.weights),
    "bn-scale": lambda on: bn_scale(on.spec, on.weights),
}
