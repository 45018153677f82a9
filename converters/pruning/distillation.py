"""What a cut takes away is learned back: statistics first, then weights.

The loop is training's own. Only the loss differs where the unpruned network is the teacher: it
sees the same augmented pictures, so no label is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converters.pruning.config import Recovery
from edge_effnet.network.backend import keras_module
from edge_effnet.network.weights.checkpoint import save_checkpoint
from edge_effnet.runs import refuse_changed
from edge_effnet.training.checkpointing import TrainingState, read_state, restore, write_state
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data import TrainingImages
from edge_effnet.training.epochs import Callbacks, TrainingLoop
from edge_effnet.training.initialize import (
    compile_for_training,
    has_accelerator,
    make_optimizer,
    seed_everything,
    trainable_network,
)
from edge_effnet.training.progress import EpochRow, Progress
from edge_effnet.training.run_folder import STATE_FILE

if TYPE_CHECKING:
    import keras

BEST_FILE = "best.h5"

FEATURES_LAYER = "avg_pool"
TEMPERATURE = 2.0
FEATURE_WEIGHT = 1.0
_BATCH = 64


def reestimate_batch_norm(network: keras.Model, images: NDArray[np.uint8]) -> None:
    """Mean and variance of every BatchNorm anew, from pictures as they are in use.

    Removing channels shifts what the layers behind see; the stored statistics are of the whole
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


def with_teacher(
    student: keras.Model,
    teacher: keras.Model,
    kept_features: NDArray[np.int64],
) -> keras.Model:
    """The student as a model that learns from the teacher's answers.

    Its loss is the Kullback-Leibler divergence of the softened scores, times the square of the
    temperature (Hinton et al. 2015, arXiv:1503.02531), plus the mean square error of the pooled
    features in units of their variance: over a thousand numbers tell more about a picture than
    a few scores do.

    Args:
        student, teacher: give logits; the teacher is not changed.
        kept_features: places of the student's pooled features among the teacher's.

    Returns:
        A model of the student's layers and variables that gives logits; not compiled. Its loss
        is there whatever it is compiled with.
    """
    keras = keras_module()
    ops = keras.ops
    learning, knowing = _with_features(student), _with_features(teacher)

    class Student(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name=student.name)
            self.network = learning  # the teacher stays outside: its weights are no state

        def call(self, pixels: Any, training: bool = False) -> Any:
            logits, features = learning(pixels, training=training)
            if training:
                target, kept = knowing(pixels, training=False)
                kept = ops.take(kept, kept_features, axis=1)
                self.add_loss(_divergence(ops, target, logits))
                self.add_loss(FEATURE_WEIGHT * _feature_error(ops, kept, features))
            return logits

    model = Student()
    model.build(student.input_shape)
    return model


def _divergence(ops: Any, target: Any, logits: Any) -> Any:
    target, logits = target / TEMPERATURE, logits / TEMPERATURE
    towards = ops.softmax(target)
    gap = ops.log_softmax(target) - ops.log_softmax(logits)
    return TEMPERATURE**2 * ops.mean(ops.sum(towards * gap, axis=1))


def _feature_error(ops: Any, target: Any, features: Any) -> Any:
    # Over the batch: the mean activation of a channel is no information about a picture.
    return ops.mean(ops.square(target - features)) / (ops.mean(ops.var(target, axis=0)) + 1e-6)


def _with_features(network: keras.Model) -> keras.Model:
    return keras_module().Model(
        network.input, [network.output, network.get_layer(FEATURES_LAYER).output]
    )


@dataclass(frozen=True)
class Lesson:
    """What a narrowed network learns from, and how.

    Attributes:
        how: ``teacher`` uses no label, ``labels`` no teacher, ``both`` adds their losses.
        kept_features: see ``with_teacher``.
        config: of the training loop; ``epochs`` 0 stops after the statistics.
    """

    how: Recovery
    teacher: keras.Model
    kept_features: NDArray[np.int64]
    config: TrainConfig
    images: TrainingImages
    side: int
    workers: int


def recover(
    network: keras.Model,
    lesson: Lesson,
    folder: Path,
    about: Mapping[str, Any],
    describe: Callable[[EpochRow], Mapping[str, Any]],
    callbacks: Callbacks,
) -> EpochRow:
    """Train a network with the loop of ``edge-effnet train``; its best weights end in
    ``folder/best.h5``. Where the folder holds the state of an interrupted run, it goes on.

    Args:
        network: gives logits, without dropout; it is copied and stays as it is.
        about: what a resumed run must agree with.
        describe: metadata of the checkpoint for the epoch it is of.

    Returns:
        The best epoch; 0 is the network as it came.

    Raises:
        As ``training_loop`` and ``TrainingLoop.fit``.
    """

    def save_best(copy: keras.Model, row: EpochRow) -> None:
        save_checkpoint(copy, folder / BEST_FILE, describe(row))

    _, loop = training_loop(network, lesson, folder, about, save_best, callbacks)
    loop.fit()
    best = loop.progress.best
    assert best is not None  # noqa: S101 (epoch 0 is always evaluated)
    return best


def training_loop(
    network: keras.Model,
    lesson: Lesson,
    folder: Path,
    about: Mapping[str, Any],
    save_best: Callable[[keras.Model, EpochRow], None],
    callbacks: Callbacks,
) -> tuple[keras.Model, TrainingLoop]:
    """The copy of a network that learns, and its loop, at the place where an interrupted run
    left them.

    Raises:
        UsageProblem: the stored state does not agree with ``about``.
        DataError: the state is damaged.
    """
    config, path = lesson.config, folder / STATE_FILE
    stored = stored_state(path, about)
    progress = stored.progress if stored else Progress()
    seed_everything(config.seed)
    copy = trainable_network(network, config)
    model = compiled(copy, lesson)
    if stored is not None:
        restore(model, stored, str(path))
    return copy, TrainingLoop(
        model,
        lesson.images,
        config,
        progress,
        side=lesson.side,
        workers=lesson.workers,
        callbacks=callbacks,
        save=lambda: write_state(path, model, progress, about),
        save_best=lambda row: save_best(copy, row),
        save_every_seconds=120.0,
    )


def stored_state(path: Path, about: Mapping[str, Any]) -> TrainingState | None:
    """What an interrupted recovery left, or None.

    Raises:
        UsageProblem: it was started with other pictures, weights or settings.
        EdgeEffnetError: the file is damaged.
    """
    if not path.exists():
        return None
    stored = read_state(path)
    refuse_changed(
        path.parent,
        stored.depends_on,
        about,
        expected="the same images and weights",
        fix=f"put them back, or remove {path.parent.parent} and prune anew",
    )
    return stored


def compiled(network: keras.Model, lesson: Lesson) -> keras.Model:
    if lesson.how in ("labels", "none"):
        compile_for_training(network, lesson.config)
        return network
    keras = keras_module()
    label_weight = 1.0 if lesson.how == "both" else 0.0
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=lesson.config.label_smoothing
    )
    model = with_teacher(network, lesson.teacher, lesson.kept_features)
    model.compile(
        make_optimizer(model, lesson.config),
        loss=lambda truth, logits: label_weight * loss(truth, logits),
        metrics=["accuracy"],
        jit_compile=has_accelerator() or keras.config.backend() == "jax",
    )
    return model
