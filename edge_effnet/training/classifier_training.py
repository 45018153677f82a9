"""The classifier alone, on features computed once: the body runs over each image one time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_effnet.data.pipeline import answers_of, epoch_order
from edge_effnet.network.backend import keras_module
from edge_effnet.network.build import HEAD_LAYER
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data import TrainingImages
from edge_effnet.training.schedule import learning_rate

if TYPE_CHECKING:
    import keras

FEATURES_LAYER = "avg_pool"
PEAK_LEARNING_RATE = 1e-3
BATCH = 64
# Full-batch statistics of features make the classifier's problem round; decay keeps it small.
WEIGHT_DECAY = 1e-3


def train_head(
    model: keras.Model,
    images: TrainingImages,
    config: TrainConfig,
    *,
    side: int,
    workers: int,
    advance: Callable[[int], None],
) -> None:
    """Learn the classifier of ``model`` with the body frozen.

    Images go through THE preprocessing, without augmentation, so each is seen by the body
    once, however many epochs the classifier takes.

    Args:
        advance: called with the number of images the body has seen.
    """
    keras = keras_module()
    body = keras.Model(model.inputs, model.get_layer(FEATURES_LAYER).output)
    body.compile(jit_compile=False)
    features, labels = answers_of(
        lambda batch: np.asarray(body.predict_on_batch(batch.astype(np.float32)), np.float32),
        images.train,
        side=side,
        workers=workers,
        batch_size=BATCH,
        advance=advance,
    )
    head = model.get_layer(HEAD_LAYER)
    classes = int(head.units)
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    features = (features - mean) / scale

    small: Any = keras.Sequential(
        [keras.Input(features.shape[1:]), keras.layers.Dense(classes, dtype="float32")]
    )
    # The same classifier, seen from standardized features.
    kernel, bias = (np.asarray(value, np.float32) for value in head.get_weights())
    small.set_weights([kernel * scale[:, None], bias + mean @ kernel])
    optimizer = keras.optimizers.AdamW(0.0, weight_decay=WEIGHT_DECAY)
    small.compile(
        optimizer,
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=config.label_smoothing
        ),
        jit_compile=False,
    )
    one_hot, batch = np.eye(classes, dtype=np.float32), min(BATCH, len(features))
    steps = math.ceil(len(features) / batch)
    class_weights = images.balancing_weights if config.class_weights else None
    for epoch in range(config.chosen_head_epochs):
        order = epoch_order(len(features), batch, seed=config.seed, epoch=epoch)
        for step, indices in enumerate(order):
            optimizer.learning_rate = learning_rate(
                epoch * steps + step,
                peak=PEAK_LEARNING_RATE,
                total_steps=config.chosen_head_epochs * steps,
                warmup_steps=steps,
            )
            truth = labels[indices]
            weights = None if class_weights is None else class_weights[truth]
            small.train_on_batch(features[indices], one_hot[truth], sample_weight=weights)
    kernel, bias = (np.asarray(value, np.float32) for value in small.get_weights())
    kernel = kernel / scale[:, None]
    head.set_weights([kernel, bias - mean @ kernel])
