"""What helps a sliced network without training: solved projections, BatchNorm statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from converters.pruning.context import PruningContext
from converters.pruning.data import sample
from converters.pruning.finetuning.reconstruction import reconstruct
from converters.pruning.selection.sensitivity import answers
from edge_effnet.architecture.spec import VariantSpec, network_plan
from edge_effnet.network.backend import keras_module
from edge_effnet.network.build import NORMALIZATION_LAYER
from edge_effnet.training.epochs import log_softmax

if TYPE_CHECKING:
    import keras

STATISTICS_IMAGES = 512
EVALUATION_IMAGES = 100
_BATCH = 64


def repair(
    context: PruningContext,
    model: keras.Model,
    spec: VariantSpec,
    kept: Mapping[str, NDArray[np.int64]],
) -> tuple[keras.Model, tuple[str, ...]]:
    """Correct what needs no training, each only where the scores come nearer to the unpruned
    network's: projections solved anew, then the statistics of BatchNorm.

    Returns:
        The network, and which of the two were kept.
    """
    if context.config.recovery == "none":
        return model, ()
    images, _ = sample(
        context.data.images.train,
        STATISTICS_IMAGES,
        context.side,
        context.config.seed + 1,
        context.workers,
    )
    evaluation = images[-EVALUATION_IMAGES:]
    target = log_softmax(answers(context.original.model, evaluation))

    def distance() -> float:
        logs = log_softmax(answers(model, evaluation))
        return float((np.exp(target) * (target - logs)).sum(axis=1).mean())

    blocks = len(network_plan(spec).blocks)
    solved = context.callbacks.stage("solving projections", blocks)
    corrections: dict[str, Callable[[], None]] = {
        "projections": lambda: reconstruct(
            model,
            context.original.model,
            spec,
            kept,
            images[: context.config.pictures],
            seed=context.config.seed,
            advance=solved,
        ),
        "statistics": lambda: reestimate_batch_norm(model, images),
    }
    helped, best = [], distance()
    for name, correct in corrections.items():
        before = [layer.get_weights() for layer in model.layers]
        correct()
        if (now := distance()) < best:
            helped.append(name)
            best = now
        else:
            for layer, values in zip(model.layers, before, strict=True):
                if values and layer.name != NORMALIZATION_LAYER:
                    layer.set_weights(values)
    return model, tuple(helped)


def reestimate_batch_norm(network: keras.Model, images: NDArray[np.uint8]) -> None:
    """Mean and variance of every BatchNorm anew, from images as they are in use.

    Removing channels shifts what the layers behind see; the stored statistics are of the unpruned
    network. They become plain averages over batches (as in Wu & Johnson 2021,
    arXiv:2105.07576, «precise BatchNorm»).

    Args:
        network: without dropout.
        images: N x side x side x 3, pixels 0–255; whole batches of 64 are used, or all where
            there are fewer.
    """
    kind = keras_module().layers.BatchNormalization
    norms = [layer for layer in network.layers if isinstance(layer, kind)]
    before = [(layer.momentum, layer.trainable) for layer in norms]
    batch = min(_BATCH, len(images))
    for layer in norms:
        layer.trainable = True
    for count, first in enumerate(range(0, len(images) - batch + 1, batch), start=1):
        for layer in norms:
            layer.momentum = 1 - 1 / count  # the mean of the first ``count`` batches
        network(images[first : first + batch].astype(np.float32), training=True)
    for layer, (momentum, trainable) in zip(norms, before, strict=True):
        layer.momentum, layer.trainable = momentum, trainable
