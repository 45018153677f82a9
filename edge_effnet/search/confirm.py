"""A trained network on the images that nothing was chosen on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.data.image_sources import ImageSource
from edge_effnet.network.backend import keras_module
from edge_effnet.network.build import build
from edge_effnet.network.weights.assign import load_layer_weights, read_for
from edge_effnet.training.epochs import evaluate


def right_answers(
    checkpoint: Path, spec: VariantSpec, images: ImageSource, *, classes: int, workers: int
) -> NDArray[np.bool_]:
    """Whether each image is answered right, (images,).

    Args:
        checkpoint: ``best.h5`` of a training of ``spec``.

    Raises:
        WeightsError: it cannot be read, or is of another network.
    """
    keras_module().utils.clear_session()
    model = build(spec, classes=classes, classifier_activation=None)
    load_layer_weights(model, read_for(model, checkpoint, spec), source=str(checkpoint))
    return evaluate(model, images, side=spec.resolution, workers=workers)[1]
