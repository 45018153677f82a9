"""Epochs and steps: from a compiled model and a place in the run to the end of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.data.image_sources import ImageSource
from edge_effnet.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.training.augment import Augmentation, augment, mix
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data import TrainingImages
from edge_effnet.training.initialize import averaged_weights, warmup_steps
from edge_effnet.training.progress import EpochRow, Progress
from edge_effnet.training.schedule import learning_rate

if TYPE_CHECKING:
    import keras

_EVALUATION_BATCH = 64


class Interrupted(KeyboardInterrupt):
    """The user asked to stop, and the state was stored."""


@dataclass(frozen=True)
class Hooks:
    """What the loop tells the world, and asks of it.

    Attributes:
        save: store the state (model and progress).
        save_best: write the checkpoint of the weights the model has now.
        on_step: called after each step with (steps done in all, steps in all).
        on_epoch: called with each finished row.
        stop: whether the user wants the run to stop.
        save_every_seconds: between states inside an epoch; one at its end comes anyway.
    """

    save: Callable[[], None]
    save_best: Callable[[EpochRow], None]
    on_step: Callable[[int, int], None]
    on_epoch: Callable[[EpochRow], None]
    stop: Callable[[], bool]
    save_every_seconds: float


def fit(
    model: keras.Model,
    images: TrainingImages,
    config: TrainConfig,
    progress: Progress,
    hooks: Hooks,
    *,
    side: int,
    workers: int,
) -> None:
    """Run the epochs that are left; ``progress`` is counted on.

    Raises:
        EdgeEffnetError: the loss stopped being a number.
        OutputError: a checkpoint cannot be written.
        Interrupted: ``hooks.stop`` said so, after the state was stored.
    """
    steps = steps_per_epoch(len(images.train), config.batch_size)
    epochs = config.chosen_epochs
    if progress.best_epoch is None and not config.from_scratch:
        _close_epoch(model, images, config, progress, hooks, side=side, workers=workers)
    while progress.epoch <= epochs and not progress.finished:
        run_epoch(model, images, config, progress, hooks, side=side, workers=workers, steps=steps)
        _close_epoch(model, images, config, progress, hooks, side=side, workers=workers)
    progress.finished = True
    hooks.save()


def run_epoch(
    model: keras.Model,
    images: TrainingImages,
    config: TrainConfig,
    progress: Progress,
    hooks: Hooks,
    *,
    side: int,
    workers: int,
    steps: int,
) -> None:
    """The steps of the current epoch that are left."""
    epoch, total = progress.epoch, steps * config.chosen_epochs
    warm = warmup_steps(config, steps)
    weights = balancing_weights(images.class_counts) if config.class_weights else None
    how = Augmentation(
        config.chosen_augment, side, config.flips, config.min_crop, config.mixup, config.cutmix
    )

    def vary(pixels: Pixels, random: np.random.Generator) -> Pixels:
        return augment(pixels, how, random)

    def mixed(
        batch: Pixels, truth: Float32Array, random: np.random.Generator
    ) -> tuple[Pixels | Float32Array, Float32Array]:
        return mix(batch, truth, how, random)

    before, began = progress.seconds, time.monotonic()
    saved = began
    for batch in training_batches(
        images.train,
        classes=len(images.lists.labels),
        batch_size=config.batch_size,
        vary=vary,
        mix=mixed,
        seed=config.seed,
        epoch=epoch,
        start=progress.step,
        workers=workers,
    ):
        model.optimizer.learning_rate = learning_rate(
            (epoch - 1) * steps + batch.step,
            peak=config.peak_learning_rate,
            total_steps=total,
            warmup_steps=warm,
        )
        logs = model.train_on_batch(
            batch.images,
            batch.truth,
            sample_weight=None if weights is None else batch.truth @ weights,
            return_dict=True,
        )
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise _diverged(progress, batch.step, steps, config)
        progress.step += 1
        progress.loss_sum += loss
        progress.accuracy_sum += float(logs["accuracy"])
        now = time.monotonic()
        progress.seconds = before + now - began
        hooks.on_step((epoch - 1) * steps + progress.step, total)
        if hooks.stop():
            hooks.save()
            raise Interrupted
        if now - saved >= hooks.save_every_seconds and progress.step < steps:
            hooks.save()
            saved = time.monotonic()


def _close_epoch(
    model: keras.Model,
    images: TrainingImages,
    config: TrainConfig,
    progress: Progress,
    hooks: Hooks,
    *,
    side: int,
    workers: int,
) -> None:
    """Evaluate, keep the best, store the state; before the first step this is epoch 0."""
    began, done = time.monotonic(), progress.step
    epoch = progress.epoch if done else 0
    with averaged_weights(model):
        loss, accuracy = evaluate(
            model, images.val, side=side, workers=workers, smoothing=config.label_smoothing
        )
        if not math.isfinite(loss):
            raise _diverged(progress, max(done - 1, 0), max(done, 1), config)
        row = EpochRow(
            epoch=epoch,
            loss=progress.loss_sum / done if done else None,
            accuracy=progress.accuracy_sum / done if done else None,
            val_loss=loss,
            val_accuracy=accuracy,
            learning_rate=float(np.asarray(model.optimizer.learning_rate)) if done else 0.0,
            seconds=progress.seconds + time.monotonic() - began,
        )
        best = progress.best
        progress.rows.append(row)
        if best is None or _better(row, best):
            progress.best_epoch = epoch
            hooks.save_best(row)
    stale = epoch - (progress.best_epoch or 0)
    if config.patience and stale >= config.patience:
        progress.finished = progress.stopped_early = True
    progress.start_epoch(epoch + 1)
    hooks.save()
    hooks.on_epoch(row)
    if hooks.stop():
        raise Interrupted


def _better(row: EpochRow, best: EpochRow) -> bool:
    """More right answers, or as many with a loss that is lower by more than float noise."""
    if row.val_accuracy != best.val_accuracy:
        return row.val_accuracy > best.val_accuracy
    return row.val_loss < best.val_loss * (1 - 1e-4)


def evaluate(
    model: keras.Model, source: ImageSource, *, side: int, workers: int, smoothing: float = 0.0
) -> tuple[float, float]:
    """(mean cross-entropy, share of right answers) of a model that gives logits.

    Args:
        smoothing: label smoothing of the loss, as in training, so that the two compare.
    """
    loss, right = 0.0, 0
    for pixels, labels in evaluation_batches(
        source, side=side, batch_size=min(_EVALUATION_BATCH, len(source)), workers=workers
    ):
        logits = np.asarray(model.predict_on_batch(pixels.astype(np.float32)), np.float64)
        logs = _log_softmax(logits[: len(labels)])
        picked = logs[np.arange(len(labels)), labels]
        loss -= float(((1 - smoothing) * picked + smoothing * logs.mean(axis=1)).sum())
        right += int((logs.argmax(axis=1) == labels).sum())
    return loss / len(source), right / len(source)


def balancing_weights(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """A weight per class that makes every class count the same; the mean over images is 1."""
    return np.asarray(counts.sum() / (len(counts) * np.maximum(counts, 1)), np.float32)


def _log_softmax(logits: NDArray[Any]) -> NDArray[Any]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _diverged(progress: Progress, step: int, steps: int, config: TrainConfig) -> EdgeEffnetError:
    best = progress.best
    if best is None:
        kept = "no epoch was finished, so there is no checkpoint"
    else:
        kept = f"best.h5 of epoch {best.epoch} ({100 * best.val_accuracy:.1f} %) is kept"
    return EdgeEffnetError(
        "training diverged: the loss is no longer a number",
        found=f"NaN or infinity at step {step + 1} of {steps} in epoch {progress.epoch}; {kept}",
        expected="a finite loss",
        fix=f"start again with a lower --learning-rate than {config.peak_learning_rate:g}, or a "
        "longer --warmup-epochs",
    )
