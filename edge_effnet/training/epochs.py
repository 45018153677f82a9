"""Epochs and steps: from a compiled model and a place in the run to the end of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.image_sources import ImageSource
from edge_effnet.data.pipeline import evaluation_batches, training_batches
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.stages import OnProgress, StartStage, no_progress
from edge_effnet.training.cluster.group import ALONE, Group
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.augment import augment, plan_mix
from edge_effnet.training.data.lists import TrainingImages
from edge_effnet.training.image_sizes.sized_network import network_at
from edge_effnet.training.image_sizes.stages import SizeStage, stage_at, stages_of, steps_before
from edge_effnet.training.initialize import averaged_weights, compile_for_training, warmup_steps
from edge_effnet.training.run_folder.trainer_state import EpochRow, TrainerState
from edge_effnet.training.steps.schedule import learning_rate
from edge_effnet.training.steps.step import Step, right_labels, training_step
from edge_effnet.training.teacher.distillation import image_weights, right_answers, with_scores
from edge_effnet.training.teacher.teacher import TeacherScores

if TYPE_CHECKING:
    import keras

_EVALUATION_BATCH = 64


class Interrupted(KeyboardInterrupt):
    """The user asked to stop, and the state was stored."""


class Diverged(EdgeEffnetError):
    """The loss stopped being a number."""


@dataclass(frozen=True)
class Callbacks:
    """What a run tells whoever started it, and asks of them; the defaults are silent.

    Attributes:
        say: called with a line that the user must see.
        stage: see ``edge_effnet.stages``.
        on_step: called after each step with (steps done in all, steps in all).
        on_epoch: called with each finished row.
        stop: whether the user wants the run to stop.
    """

    say: Callable[[str], None] = lambda line: None  # noqa: ARG005
    stage: StartStage = no_progress
    on_step: OnProgress = lambda done, total: None  # noqa: ARG005
    on_epoch: Callable[[EpochRow], None] = lambda row: None  # noqa: ARG005
    stop: Callable[[], bool] = lambda: False


SILENT = Callbacks()


@dataclass(frozen=True)
class TrainingLoop:
    """The epochs of a compiled model.

    Attributes:
        progress: where the run stands; it is counted on.
        side: of the network's input, in pixels.
        workers: threads that prepare images.
        save: stores the state (model and progress).
        save_best: writes the checkpoint of the weights that the model has now; it is given their
            row, and whether each validation image is right.
        save_every_seconds: between states inside an epoch; one at its end comes anyway.
        teacher: whose scores are learned from beside the labels.
        group: of workers that make the same steps, each with its rows of the batches.
    """

    model: keras.Model
    images: TrainingImages
    config: TrainConfig
    progress: TrainerState
    side: int
    workers: int
    callbacks: Callbacks
    save: Callable[[], None]
    save_best: Callable[[EpochRow, NDArray[np.bool_]], None]
    save_every_seconds: float
    teacher: TeacherScores | None = None
    group: Group = ALONE
    _steps: dict[int, Step] = field(default_factory=dict, init=False, repr=False)

    @property
    def stages(self) -> tuple[SizeStage, ...]:
        return stages_of(self.config, self.side, len(self.images.learned_from))

    @property
    def stage(self) -> SizeStage:
        """That of the current epoch."""
        return stage_at(self.stages, self.progress.epoch)

    def fit(self) -> None:
        """Run the epochs that are left.

        Raises:
            Diverged: the loss stopped being a number.
            OutputError: a checkpoint cannot be written.
            Interrupted: ``callbacks.stop`` said so, after the state was stored.
        """
        progress = self.progress
        if progress.best_epoch is None and not self.config.from_scratch:
            self._close_epoch()
        while progress.epoch <= self.config.chosen_epochs and not progress.finished:
            self.run_epoch()
            self._close_epoch()
        progress.finished = True
        self.save()

    def run_epoch(self) -> None:
        """The steps of the current epoch that are left."""
        config, progress, stages, stage = self.config, self.progress, self.stages, self.stage
        epoch, steps, step = progress.epoch, stage.steps, self._step(stage)
        # The schedule counts epochs in steps of the last stage: each epoch has the same share.
        unit, earlier = stages[-1].steps, steps_before(stages, epoch)
        total = steps_before(stages, config.chosen_epochs + 1)
        balancing = self.images.balancing_weights if config.class_weights else None
        before, began = progress.seconds, time.monotonic()
        saved = began
        for batch in training_batches(
            self.images.learned_from,
            classes=len(self.images.lists.labels),
            batch_size=stage.batch_size,
            vary=lambda pixels, random: augment(pixels, config, stage.side, random, stage.strength),
            mix=lambda count, random: plan_mix(count, stage.side, config, random, stage.mixing),
            seed=config.seed,
            epoch=epoch,
            start=progress.step,
            rows=self.group.share(stage.batch_size).rows,
            workers=self.workers,
        ):
            self.model.optimizer.learning_rate = stage.rate * learning_rate(
                (epoch - 1) * unit + batch.step * unit / steps,
                peak=config.peak_learning_rate,
                total_steps=unit * config.chosen_epochs,
                warmup_steps=warmup_steps(config, unit),
            )
            truth, counts = batch.truth, image_weights(batch.truth, balancing)
            if self.teacher is not None:
                truth = with_scores(truth, self.teacher(batch.images))
            loss, accuracy = step(batch.images, truth, counts)
            if not math.isfinite(loss):
                raise self._diverged(batch.step)
            progress.step += 1
            progress.loss_sum += loss
            progress.accuracy_sum += accuracy
            now = time.monotonic()
            progress.seconds = before + now - began
            self.callbacks.on_step(earlier + progress.step, total)
            if self.group.any(self.callbacks.stop()):
                self.save()
                raise Interrupted
            if now - saved >= self.save_every_seconds and progress.step < steps:
                self.save()
                saved = time.monotonic()

    def _step(self, stage: SizeStage) -> Step:
        """A step with the images of a stage, made once."""
        if stage.side not in self._steps:
            share, network = self.group.share(stage.batch_size), self.model
            if stage.side != self.side:
                network = network_at(self.model, stage, None if share.is_all else share)
                compile_for_training(network, self.config, self.model.optimizer)
            right = right_answers if self.teacher else right_labels
            self._steps[stage.side] = training_step(
                network, right=right, share=share, group=self.group
            )
        return self._steps[stage.side]

    def _close_epoch(self) -> None:
        """Evaluate, keep the best, store the state; before the first step this is epoch 0."""
        config, progress = self.config, self.progress
        began, done = time.monotonic(), progress.step
        epoch = progress.epoch if done else 0
        with averaged_weights(self.model):
            loss, right = evaluate(
                self.model,
                self.images.val,
                side=self.side,
                workers=self.workers,
                smoothing=config.label_smoothing,
                group=self.group,
            )
            if not math.isfinite(loss):
                raise self._diverged(max(done - 1, 0))
            row = EpochRow(
                epoch=epoch,
                loss=progress.loss_sum / done if done else None,
                accuracy=progress.accuracy_sum / done if done else None,
                val_loss=loss,
                val_accuracy=float(right.mean()),
                learning_rate=float(np.asarray(self.model.optimizer.learning_rate))
                if done
                else 0.0,
                seconds=progress.seconds + time.monotonic() - began,
                val_images=len(right),
            )
            best = progress.best
            progress.rows.append(row)
            if not done:
                progress.wrong_at_first = np.flatnonzero(~right).tolist()
            if best is None or (_better(row, best) and self._leaves(best, right)):
                progress.best_epoch = epoch
                self.save_best(row, right)
        if config.patience and in_vain(epoch, progress.best_epoch, self.stages) >= config.patience:
            progress.finished = progress.stopped_early = True
        progress.start_epoch(epoch + 1)
        self.save()
        self.callbacks.on_epoch(row)
        if self.group.any(self.callbacks.stop()):
            raise Interrupted

    def _leaves(self, best: EpochRow, right: NDArray[np.bool_]) -> bool:
        """Whether the best row may give way to one that is better in figures."""
        wrong = self.progress.wrong_at_first
        return best.epoch != 0 or wrong is None or gained_more_than_luck(wrong, right)

    def _diverged(self, step: int) -> Diverged:
        best = self.progress.best
        if best is None:
            kept = "no epoch was finished, so there is no checkpoint"
        else:
            kept = f"best.h5 of epoch {best.epoch} ({100 * best.val_accuracy:.1f} %) is kept"
        return Diverged(
            "training diverged: the loss is no longer a number",
            found=f"NaN or infinity at step {step + 1} of {self.stage.steps} in epoch "
            f"{self.progress.epoch}; {kept}",
            expected="a finite loss",
            fix="start again with a lower --learning-rate than "
            f"{self.config.peak_learning_rate:g}, or a longer --warmup-epochs",
        )


def _better(row: EpochRow, best: EpochRow) -> bool:
    """More right answers, or as many with a loss that is lower by more than float noise."""
    if row.val_accuracy != best.val_accuracy:
        return row.val_accuracy > best.val_accuracy
    return row.val_loss < best.val_loss * (1 - 1e-4)


def in_vain(epoch: int, best_epoch: int | None, stages: Sequence[SizeStage]) -> int:
    """Epochs since the best one. While images grow there are none: an epoch that is no better says
    nothing about those that follow."""
    return epoch - max(best_epoch or 0, stages[-1].first_epoch - 1)


def gained_more_than_luck(wrong_at_first: Sequence[int], right: NDArray[np.bool_]) -> bool:
    """Whether an epoch answers more images right than epoch 0 did, by over one standard error.

    Of a few dozen images the best of several epochs is above epoch 0 by chance alone. Of the
    simpler model's figure that distance is the "one standard error rule" (Breiman, Friedman, Olshen
    and Stone 1984, Classification and Regression Trees, section 3.4.3); the error here is that of
    the difference of two models on the same images.

    Args:
        wrong_at_first: indices of the images that epoch 0 answers wrong.
        right: whether each image is answered right now, (images,).
    """
    first = np.ones(len(right), np.bool_)
    first[list(wrong_at_first)] = False
    gained, lost = int((right & ~first).sum()), int((first & ~right).sum())
    return gained - lost > math.sqrt(gained + lost)


def evaluate(
    model: keras.Model,
    source: ImageSource,
    *,
    side: int,
    workers: int,
    smoothing: float = 0.0,
    group: Group = ALONE,
) -> tuple[float, NDArray[np.bool_]]:
    """The mean cross-entropy of a model that gives logits, and whether each image is right.

    Args:
        smoothing: label smoothing of the loss, as in training, so that the two compare.
        group: of workers with the same model; each evaluates its share of the images.
    """
    own = group.subset(source)
    loss, right = 0.0, list[NDArray[np.bool_]]()
    for pixels, labels in evaluation_batches(
        own, side=side, batch_size=min(_EVALUATION_BATCH, len(own)), workers=workers
    ):
        logits = np.asarray(model.predict_on_batch(pixels.astype(np.float32)), np.float64)
        logs = log_softmax(logits[: len(labels)])
        picked = logs[np.arange(len(labels)), labels]
        loss -= float(((1 - smoothing) * picked + smoothing * logs.mean(axis=1)).sum())
        right.append(logs.argmax(axis=1) == labels)
    total = group.sum(np.array([loss]))
    return float(total[0]) / len(source), group.gather(np.concatenate(right), len(source))


def log_softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Logits (images, classes) to the logarithms of their probabilities."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
