"""Build the network that a variant describes.

The graph depends on the variant alone, never on where weights come from: it takes float32 pixels
0–255 and normalizes inside. ``keras`` and its layers only, so it runs on any Keras backend.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_effnet.architecture.spec import Normalization, VariantSpec
from edge_effnet.architecture.topology import operators
from edge_effnet.errors import UsageProblem
from edge_effnet.network.backend import keras_module
from edge_effnet.network.layers import layer_of

if TYPE_CHECKING:
    import keras

NORMALIZATION_LAYER = "normalization"
HEAD_LAYER = "predictions"


def _scope_name(name: str) -> str:
    """TensorFlow takes no other characters where a model is called first in a graph."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return plain if plain[:1].isalnum() else f"v{plain}"


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
        spec: the variant to build.
        classes: width of the classifier, at least 1.
        resolution: side of the square input in pixels; the variant's own if None.
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
    tensors: dict[str, Any] = {}
    for operator in operators(spec, classes=classes, resolution=side):
        given = [tensors[name] for name in operator.inputs]
        if operator.kind == "input":
            x = keras.Input(
                operator.shape, batch_size=batch_size, dtype="float32", name=operator.name
            )
        elif operator.kind == "normalization":
            x = _normalize(given[0], spec.normalization)
        else:
            if operator.kind == "dense":
                operator = replace(operator, activation=classifier_activation)
            x = layer_of(operator, spec)(given if len(given) > 1 else given[0])
        tensors[operator.name] = x
    return keras.Model(tensors["pixels"], x, name=_scope_name(spec.name))


def _normalize(x: Any, normalization: Normalization) -> Any:
    """(x / scale - mean) / std as the fewest layers that say it."""
    keras = keras_module()
    if (
        not normalization.stored
        and len(set(normalization.mean)) == len(set(normalization.std)) == 1
    ):
        mean, std = normalization.mean[0], normalization.std[0]
        return keras.layers.Rescaling(
            1 / (normalization.scale * std), offset=-mean / std, name="rescaling"
        )(x)
    x = keras.layers.Rescaling(1 / normalization.scale, name="rescaling")(x)
    variance = [std**2 for std in normalization.std]
    if not normalization.stored:
        return keras.layers.Normalization(
            axis=-1, mean=list(normalization.mean), variance=variance, name=NORMALIZATION_LAYER
        )(x)
    # Mean, variance and a count as weights, because the official B files carry them.
    layer = keras.layers.Normalization(axis=-1, name=NORMALIZATION_LAYER)
    x = layer(x)
    set_layer_weights(layer, [np.array(normalization.mean), np.array(variance), np.array(0)])
    return x


def set_layer_weights(layer: Any, values: list[np.ndarray[Any, Any]]) -> None:
    """``layer.set_weights`` that ``Normalization`` notices too.

    That layer computes with tensors made from its weights, so they must be made anew. Set the
    weights before the model first runs: a traced function keeps the old ones.
    """
    layer.set_weights(values)
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()
