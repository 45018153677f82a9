"""The classifier alone, on features computed once: the body runs over each image one time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.data.pipeline import answers_of
from edge_effnet.heads.learning.cross_validation import TaughtImages, choose_decay, folds_of
from edge_effnet.heads.learning.softmax_regression import LinearClassifier, fit, problem_of
from edge_effnet.network.backend import keras_module
from edge_effnet.network.build import HEAD_LAYER
from edge_effnet.training.cluster.group import ALONE, Group
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.lists import TrainingImages

if TYPE_CHECKING:
    import keras

FEATURES_LAYER = "avg_pool"
_BATCH = 64
_MOST_TO_CHOOSE_ON = 2000  # images on which the decay is chosen: more choose the same


def train_head(
    model: keras.Model,
    images: TrainingImages,
    config: TrainConfig,
    *,
    side: int,
    workers: int,
    known: int = 0,
    advance: Callable[[int], None],
    group: Group = ALONE,
) -> None:
    """Learn the classifier of ``model`` with the body frozen, as ``teach`` learns one.

    Images go through THE preprocessing, without augmentation, so each is seen by the body once.

    Args:
        known: so many classes, the first, stay as they are.
        advance: called with the number of images the body has seen.
        group: of workers, each of which shows the body its share of the images; the classifier is
            the chief's alone afterwards.
    """
    keras = keras_module()
    body = keras.Model(model.inputs, model.get_layer(FEATURES_LAYER).output)
    body.compile(jit_compile=False)
    own = group.subset(images.train)
    share, _ = answers_of(
        lambda batch: np.asarray(body.predict_on_batch(batch.astype(np.float32)), np.float32),
        own,
        side=side,
        workers=workers,
        batch_size=_BATCH,
        advance=advance,
    )
    features, labels = group.gather(share, len(images.train)), images.train.labels
    if not group.is_chief:
        return
    head = model.get_layer(HEAD_LAYER)
    weights = images.balancing_weights[labels] if config.class_weights else None
    kernel, bias = head.get_weights()
    kept = LinearClassifier(kernel.T[:known], bias[:known]) if known else None
    layer = learn_layer(
        features, labels, int(head.units), weights=weights, seed=config.seed, kept=kept
    )
    head.set_weights([layer.weights.T, layer.bias])


def learn_layer(
    features: Float32Array,
    labels: NDArray[np.int64],
    classes: int,
    *,
    weights: Float32Array | None,
    seed: int,
    kept: LinearClassifier | None = None,
) -> LinearClassifier:
    """Learn a layer of features as the body gives them.

    ``teach`` scales each image's to length 1 and can, because it writes what follows them. Here
    nothing scales them, so all are divided by their mean length, which is as right (within 0.7
    points on flowers, fruit and Imagenette).

    Args:
        features: (images, width).
        weights: how much each image counts, (images,), 1 on average.
        kept: the first classes, which stay as they are.
    """
    length = np.linalg.norm(features, axis=1).mean(dtype=np.float64) or 1.0
    scaled = np.asarray(features / length, np.float32)
    some = np.random.default_rng(seed).permutation(len(labels))[:_MOST_TO_CHOOSE_ON]
    group = np.arange(len(some), dtype=np.int64)
    chosen = TaughtImages(scaled[some, None], labels[some], group, classes)
    decay = choose_decay(chosen, folds_of(chosen.labels, chosen.group, seed))
    beside = kept and LinearClassifier(kept.weights * np.float32(length), kept.bias)
    layer = fit(problem_of(scaled, weights), labels, classes, decay, kept=beside)
    learned = (layer.weights / length).astype(np.float32)
    if kept is not None:  # to the last bit
        learned[: len(kept.bias)] = kept.weights
    return LinearClassifier(learned, layer.bias)
