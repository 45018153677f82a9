"""A network by its variant's name, with the weights asked for."""

from __future__ import annotations

import warnings
from os import PathLike
from typing import TYPE_CHECKING

from edge_effnet.architecture.files import find_variant
from edge_effnet.network.weights.resolve import load, resolve_weights

if TYPE_CHECKING:
    import keras


def build(
    variant: str,
    *,
    classes: int | None = None,
    weights: str | PathLike[str] | None = None,
    resolution: int | None = None,
    classifier_activation: str | None = "softmax",
) -> keras.Model:
    """The Keras model of a variant. Needs the extra ``train``.

        model = edge_effnet.build("v2-b0", classes=5, weights="imagenet")
        model.compile("adam", "sparse_categorical_crossentropy")

    Args:
        variant: ``b0`` to ``b7``, ``lite0`` …, ``v2-b0`` …, as ``edge-effnet variants`` lists
            them, or the path of a variant file.
        classes: None takes as many as the weights have, else 1000. Another number than the
            weights have gives an untrained classification layer on trained features.
        weights: None for fresh random ones; ``"imagenet"`` (downloaded once), ``"demo"``,
            ``"auto"``, or the path of a weight file, as the option ``--weights`` takes it.
        resolution: side of the input in pixels; None takes what the weights were trained at,
            else the variant's own.
        classifier_activation: ``"softmax"``, or None for logits.

    Returns:
        A functional model: float32 pixels 0 to 255, batch x resolution x resolution x 3, which
        it normalizes itself, to batch x classes.

    Raises:
        UsageProblem: no such variant.
        WeightsError: the weights cannot be had, or do not fit.
        MissingExtra: Keras or its backend is not installed.
    """
    spec = find_variant(variant)
    resolved = resolve_weights(spec, "random" if weights is None else str(weights))
    if resolved.notice and weights is not None:
        warnings.warn(resolved.notice, stacklevel=2)
    return load(
        resolved,
        resolution=resolution,
        classes=classes,
        classifier_activation=classifier_activation,
        allow_new_head=True,
    )
