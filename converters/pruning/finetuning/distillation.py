"""Fine-tuning of a pruned network: on labels, or by distillation from the unpruned one.

The loop is training's own. Only the loss differs where the unpruned network is the teacher: it
sees the same augmented images, so no label is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converters.pruning.context import Network, PruningContext
from edge_effnet.network.backend import keras_module
from edge_effnet.network.weights.checkpoint import save_checkpoint
from edge_effnet.runs import refuse_changed
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.epochs import TrainingLoop
from edge_effnet.training.initialize import (
    compile_for_training,
    has_accelerator,
    make_optimizer,
    seed_everything,
    trainable_network,
)
from edge_effnet.training.run_folder.checkpointing import (
    TrainingState,
    read_state,
    restore,
    write_state,
)
from edge_effnet.training.run_folder.files import STATE_FILE
from edge_effnet.training.run_folder.trainer_state import EpochRow, TrainerState
from edge_effnet.training.teacher.distillation import divergence

if TYPE_CHECKING:
    import keras

BEST_FILE = "best.h5"

FEATURES_LAYER = "avg_pool"
TEMPERATURE = 2.0
FEATURE_WEIGHT = 1.0


def with_teacher(
    student: keras.Model,
    teacher: keras.Model,
    kept_features: NDArray[np.int64],
) -> keras.Model:
    """The student as a model that learns from the teacher's answers.

    Its loss is the Kullback-Leibler divergence of the softened scores, times the square of the
    temperature (Hinton et al. 2015, arXiv:1503.02531), plus the mean square error of the pooled
    features in units of their variance: over a thousand numbers tell more about an image than
    a few scores do.

    Args:
        student, teacher: give logits; the teacher is not changed.
        kept_features: indices of the student's pooled features among the teacher's.

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
                self.add_loss(ops.mean(divergence(target, logits, TEMPERATURE)))
                self.add_loss(FEATURE_WEIGHT * _feature_error(ops, kept, features))
            return logits

    model = Student()
    model.build(student.input_shape)
    return model


def _feature_error(ops: Any, target: Any, features: Any) -> Any:
    # Over the batch: the mean activation of a channel is no information about an image.
    return ops.mean(ops.square(target - features)) / (ops.mean(ops.var(target, axis=0)) + 1e-6)


def _with_features(network: keras.Model) -> keras.Model:
    return keras_module().Model(
        network.input, [network.output, network.get_layer(FEATURES_LAYER).output]
    )


def fine_tune(
    context: PruningContext,
    network: Network,
    training: TrainConfig,
    folder: Path,
    depends_on: Mapping[str, Any],
    describe: Callable[[EpochRow], Mapping[str, Any]],
) -> EpochRow:
    """Train a network; its best weights end in ``folder/best.h5``.

    Args:
        describe: metadata of the checkpoint for the epoch it is of.

    Returns:
        The best epoch; 0 is the network as it came.

    Raises:
        As ``train``.
    """

    def save_best(student: keras.Model, row: EpochRow) -> None:
        save_checkpoint(student, folder / BEST_FILE, describe(row))

    _, progress = train(context, network, training, folder, depends_on, save_best=save_best)
    assert progress.best is not None  # noqa: S101 (epoch 0 is always evaluated)
    return progress.best


def train(
    context: PruningContext,
    network: Network,
    training: TrainConfig,
    folder: Path,
    depends_on: Mapping[str, Any],
    *,
    after_step: Callable[[keras.Model, int, int], None] = lambda _student, _done, _total: None,
    save_best: Callable[[keras.Model, EpochRow], None] = lambda _student, _row: None,
) -> tuple[keras.Model, TrainerState]:
    """Run the loop of ``edge-effnet train``. Where the folder holds the state of an interrupted
    run, it goes on.

    Args:
        network: gives logits, without dropout; it is copied and stays as it is.
        depends_on: what a resumed run must agree with.
        after_step: is given the student, the steps done, and all of them.

    Returns:
        The trained copy, and every epoch.

    Raises:
        Interrupted: the user stopped it, after the state was stored.
        UsageProblem: the stored state does not agree with ``depends_on``.
        EdgeEffnetError: the loss is no number any more, or the disk is full.
    """
    path, callbacks = folder / STATE_FILE, context.callbacks
    stored = stored_state(path, depends_on)
    progress = stored.progress if stored else TrainerState()
    seed_everything(training.seed)
    student = trainable_network(network.model, training)
    model = _compiled(student, context, network, training)
    if stored is not None:
        restore(model, stored, str(path))

    def on_step(done: int, total: int) -> None:
        after_step(student, done, total)
        callbacks.on_step(done, total)

    TrainingLoop(
        model,
        context.data.images,
        training,
        progress,
        side=context.side,
        workers=context.workers,
        callbacks=replace(callbacks, on_step=on_step),
        save=lambda: write_state(path, model, progress, depends_on),
        save_best=lambda row, _right: save_best(student, row),
        save_every_seconds=120.0,
    ).fit()
    return student, progress


def stored_state(path: Path, depends_on: Mapping[str, Any]) -> TrainingState | None:
    """What an interrupted fine-tuning left, or None.

    Raises:
        UsageProblem: it was started with other images, weights or settings.
        EdgeEffnetError: the file is damaged.
    """
    if not path.exists():
        return None
    stored = read_state(path)
    refuse_changed(
        path.parent,
        stored.depends_on,
        depends_on,
        expected="the same images and weights",
        fix=f"put them back, or remove {path.parent.parent} and prune anew",
    )
    return stored


def _compiled(
    student: keras.Model, context: PruningContext, network: Network, training: TrainConfig
) -> keras.Model:
    """Ready to train on labels, on the unpruned network's answers, or on both losses' sum."""
    source = context.config.recovery
    if source in ("labels", "none"):
        compile_for_training(student, training)
        return student
    keras = keras_module()
    label_weight = 1.0 if source == "both" else 0.0
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=training.label_smoothing
    )
    model = with_teacher(student, context.original.model, np.asarray(network.kept["head"]))
    model.compile(
        make_optimizer(model, training),
        loss=lambda truth, logits: label_weight * loss(truth, logits),
        metrics=["accuracy"],
        jit_compile=has_accelerator() or keras.config.backend() == "jax",
    )
    return model
