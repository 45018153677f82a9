"""Build the network that a row describes.

The graph depends on the row alone, never on where weights come from: it takes float32 pixels
0–255 and normalizes inside. ``keras`` and its layers only, so it runs on any Keras backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_effnet.architecture.spec import Normalization, VariantSpec, network_plan
from edge_effnet.errors import UsageProblem
from edge_effnet.network import layers
from edge_effnet.network.backend import keras_module

if TYPE_CHECKING:
    import keras

NORMALIZATION_LAYER = "normalization"
HEAD_LAYER = "predictions"


def build(
    spec: VariantSpec,
    *,
    classes: int = 1000,
    resolution: int | None = None,
    classifier_activation: str | None = "softmax",
    batch_size: int | None = None,
) -> keras.Model:
    """A freshly initialized network.

    Args:
        spec: the row to build.
        classes: width of the classifier, at least 1.
        resolution: side of the square input in pixels; the row's own if None.
        classifier_activation: ``"softmax"``, or None for logits.
        batch_size: fixed batch, as an export wants it; None leaves it open.

    Returns:
        A functional model: float32 pixels 0–255, batch x resolution x resolution x 3 ->
        batch x classes. Under a mixed-precision policy the scores are still float32.

    Raises:
        UsageProblem: a count that is not positive.
        MissingExtra: Keras or its backend is not installed.
    """
    side = spec.resolution if resolution is None else resolution
    for what, count in (("classes", classes), ("resolution", side), ("batch size", batch_size)):
        if count is not None and count < 1:
            raise UsageProblem(
                f"the {what} of a network must be positive",
                found=str(count),
                expected="1 or more",
                fix=f"give another {what}",
            )
    keras = keras_module()
    plan = network_plan(spec)
    inputs = keras.Input((side, side, 3), batch_size=batch_size, dtype="float32", name="pixels")
    x = _normalize(inputs, spec.normalization)
    x = layers.convolution(x, plan.stem_width, 3, stride=2, name="stem_conv")
    x = layers.batch_norm(x, spec, "stem_bn")
    x = layers.activation(x, spec, "stem_activation")
    for index, block in enumerate(plan.blocks):
        add_block = layers.fused_mbconv if block.kind == "fused" else layers.mbconv
        # Deeper blocks are dropped more often (arXiv:1603.09382). Keras divides by the blocks
        # counted before depth scaling in its V2 nets; we divide by those that exist.
        x = add_block(x, block, spec, spec.drop_connect * index / len(plan.blocks))
    x = layers.convolution(x, plan.head_width, 1, name="top_conv")
    x = layers.batch_norm(x, spec, "top_bn")
    x = layers.activation(x, spec, "top_activation")
    x = keras.layers.GlobalAveragePooling2D(data_format="channels_last", name="avg_pool")(x)
    if spec.dropout > 0:
        x = keras.layers.Dropout(spec.dropout, name="top_dropout")(x)
    x = keras.layers.Dense(
        classes,
        activation=classifier_activation,
        kernel_initializer=keras.initializers.VarianceScaling(
            scale=1 / 3, mode="fan_out", distribution="uniform"
        ),
        # Scores in the precision of the variables: float16 cannot carry a softmax's small ends.
        dtype=keras.config.dtype_policy().variable_dtype,
        name=HEAD_LAYER,
    )(x)
    return keras.Model(inputs, x, name=spec.name)


def _normalize(x: Any, how: Normalization) -> Any:
    """(x / scale - mean) / std as the fewest layers that say it."""
    keras = keras_module()
    if not how.stored and len(set(how.mean)) == len(set(how.std)) == 1:
        mean, std = how.mean[0], how.std[0]
        return keras.layers.Rescaling(1 / (how.scale * std), offset=-mean / std, name="rescaling")(
            x
        )
    x = keras.layers.Rescaling(1 / how.scale, name="rescaling")(x)
    variance = [std**2 for std in how.std]
    if not how.stored:
        return keras.layers.Normalization(
            axis=-1, mean=list(how.mean), variance=variance, name=NORMALIZATION_LAYER
        )(x)
    # Mean, variance and a count as weights, because the official B files carry them.
    layer = keras.layers.Normalization(axis=-1, name=NORMALIZATION_LAYER)
    x = layer(x)
    set_layer_weights(layer, [np.array(how.mean), np.array(variance), np.array(0)])
    return x


def set_layer_weights(layer: Any, values: list[np.ndarray[Any, Any]]) -> None:
    """``layer.set_weights`` that ``Normalization`` notices too.

    That layer computes with tensors made from its weights, so they must be made anew. Set the
    weights before the model first runs: a traced function keeps the old ones.
    """
    layer.set_weights(values)
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()
