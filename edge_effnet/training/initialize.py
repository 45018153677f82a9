"""The network a run begins with: its variant, its weights, its classifier, its optimizer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import EdgeEffnetError, WeightsError
from edge_effnet.network.backend import keras_module
from edge_effnet.network.build import HEAD_LAYER, build
from edge_effnet.network.weights.assign import load_layer_weights, read_for
from edge_effnet.network.weights.files import LayerWeights
from edge_effnet.network.weights.resolve import ResolvedWeights, resolve_weights
from edge_effnet.plurals import counted
from edge_effnet.training.cluster.shares import Share
from edge_effnet.training.config import SIGNS_RESOLUTION, TrainConfig
from edge_effnet.training.steps.kernels import with_quick_kernels
from edge_effnet.training.steps.schedule import batch_norm_momentum
from edge_effnet.training.steps.shared_layers import with_shared_batches
from edge_effnet.training.teacher.distillation import distilling_accuracy, distilling_loss

if TYPE_CHECKING:
    import keras

RMSPROP = {"rho": 0.9, "momentum": 0.9, "epsilon": 1e-3}
"""As in EfficientNet (arXiv:1905.11946, section 5), whose «decay» Keras calls ``rho``."""


def find_weights(spec: VariantSpec, choice: str) -> ResolvedWeights:
    """What ``--weights`` means for training.

    ``auto`` is the official ImageNet file, else the demo weights. Unlike in ``convert`` it is
    never the newest run: a new run must not depend on what ran before.

    Raises:
        WeightsError: there is nothing to use, or it cannot be used.
    """
    if choice != "auto":
        found = resolve_weights(spec, choice)
        return replace(found, notice=None) if choice == "random" else found
    try:
        return resolve_weights(spec, "imagenet")
    except EdgeEffnetError as error:
        try:
            demo = resolve_weights(spec, "demo")
        except WeightsError:
            raise type(error)(
                error.what,
                found=error.found,
                expected=error.expected,
                fix=f"{error.fix}; --weights random trains from scratch, which takes thousands "
                "of images and many epochs",
            ) from error
        return replace(demo, notice=f"{demo.notice}, because {error.what}")


def choose_resolution(config: TrainConfig, weights: ResolvedWeights) -> int:
    """Side of the input: as told, else what the weights were trained at, else the variant's."""
    if config.chosen_resolution is not None:
        return config.chosen_resolution
    if config.on_signs:
        return weights.resolution or SIGNS_RESOLUTION
    return weights.resolution or weights.spec.resolution


def initialize(
    config: TrainConfig,
    weights: ResolvedWeights,
    *,
    resolution: int,
    labels: Sequence[str],
    steps_per_epoch: int,
    loading: bool = True,
    known_labels: Sequence[str] | None = None,
    share: Share | None = None,
) -> tuple[keras.Model, str | None]:
    """Build the network of a run and give it its first weights.

    Args:
        loading: False leaves the weights random, where stored ones follow.
        known_labels: the first of ``labels``, whose part of the file's classifier is kept.
        share: the rows of a batch that this one of several workers computes; None for one worker.

    Returns:
        A model that gives logits, and a line for the user where its classifier is new.

    Raises:
        WeightsError: the file does not fit.
    """
    model = build(
        training_row(weights.spec, config, steps_per_epoch),
        classes=len(labels),
        resolution=resolution,
        classifier_activation=None,
    )
    model = trainable_network(model, config, share)
    kept, read = False, LayerWeights()
    if weights.path is not None and loading:
        read = read_for(model, weights.path, weights.spec)
        kept = load_layer_weights(model, read, source=str(weights.path), allow_new_head=True)
        kept = kept and weights.labels in (None, tuple(labels))
    if not kept:
        # From zero, not from noise: a variant's initial classifier is for 1000 classes. With 16 its
        # weights are eight times too large, which costs a training from scratch thousands
        # of images, and transfer learning up to 7 points.
        head = model.get_layer(HEAD_LAYER)
        values = [np.zeros(weight.shape, np.float32) for weight in head.weights]
        if known_labels is not None and loading:
            for value, of_file in zip(values, read[HEAD_LAYER], strict=True):
                value[..., : len(known_labels)] = of_file
        head.set_weights(values)
    if kept or weights.path is None:
        return model, None
    return model, _new_head(labels, weights, known_labels)


def trainable_network(
    model: keras.Model, config: TrainConfig, share: Share | None = None
) -> keras.Model:
    """The network with the quicker kernels, where there are any, and the run's BatchNorm mode.

    Args:
        share: see ``initialize``.
    """
    quick = keras_module().config.backend() == "tensorflow" and not has_accelerator()
    if share is not None:
        model = with_shared_batches(model, share, quick=quick)
    elif quick:
        model = with_quick_kernels(model)
    freeze_batch_norm(model, frozen=config.freezes_batch_norm)
    return model


def training_row(spec: VariantSpec, config: TrainConfig, steps_per_epoch: int) -> VariantSpec:
    """The variant with the rates of this run; its layers and their names stay."""
    momentum = spec.batch_norm_momentum
    return replace(
        spec,
        drop_connect=spec.drop_connect if config.drop_connect is None else config.drop_connect,
        dropout=spec.dropout if config.dropout is None else config.dropout,
        batch_norm_momentum=batch_norm_momentum(momentum, steps_per_epoch),
    )


def freeze_batch_norm(model: keras.Model, *, frozen: bool) -> None:
    """In a frozen layer Keras normalizes with the stored statistics, in training too."""
    kind = keras_module().layers.BatchNormalization
    for layer in model.layers:
        if isinstance(layer, kind):
            layer.trainable = not frozen


def compile_for_training(
    model: keras.Model, config: TrainConfig, optimizer: Any | None = None
) -> None:
    """Give the model its optimizer, loss and step.

    With TensorFlow, XLA only where there is an accelerator: on CPUs it makes the step slower.

    Args:
        optimizer: that of another model with the same variables; None makes one.
    """
    keras = keras_module()
    if config.teacher is not None:
        loss, accuracy = distilling_loss(config), distilling_accuracy()
    else:
        smoothing = config.label_smoothing
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
        accuracy = "accuracy"
    model.compile(
        optimizer or make_optimizer(model, config),
        loss=loss,
        metrics=[accuracy],
        jit_compile=has_accelerator() or keras.config.backend() == "jax",
    )


def make_optimizer(model: keras.Model, config: TrainConfig) -> Any:
    """The optimizer of a run, built for the model; its learning rate is set step by step."""
    optimizers = keras_module().optimizers
    kind, settings = {
        "adamw": (optimizers.AdamW, {}),
        "rmsprop": (optimizers.RMSprop, RMSPROP),
    }[config.optimizer]
    if config.ema > 0:
        kind = _with_early_average(kind)
        settings = settings | {"use_ema": True, "ema_momentum": config.ema}
    optimizer = kind(learning_rate=0.0, weight_decay=config.weight_decay, **settings)
    if config.weight_decay:
        # Decay pulls kernels only: biases and normalization have nothing to gain from it.
        vectors = [weight for weight in model.trainable_variables if len(weight.shape) < 2]
        optimizer.exclude_from_weight_decay(var_list=vectors)
    optimizer.build(model.trainable_variables)
    if config.ema > 0:
        # Keras makes the averages as zeros; they are looked at before the first step.
        means = optimizer._model_variables_moving_average
        for variable, mean in zip(model.trainable_variables, means, strict=True):
            mean.assign(variable)
    return optimizer


def _with_early_average(kind: Any) -> Any:
    """An optimizer whose moving average of the weights forgets its beginning.

    Keras starts the average at the first step's weights and gives them their full share for
    1 / (1 - decay) steps. Here decay is at most (1 + step) / (10 + step), as in TensorFlow's
    ExponentialMovingAverage, so that short runs have an average worth saving too.
    """
    ops = keras_module().ops

    def update(self: Any, variables: Sequence[Any]) -> None:
        step = ops.cast(self.iterations, "float32")
        decay = ops.minimum(self.ema_momentum, (1.0 + step) / (10.0 + step))
        for variable, average in zip(variables, self._model_variables_moving_average, strict=True):
            if average is not None:
                keep = ops.cast(decay, average.dtype)
                average.assign(keep * average + (1 - keep) * ops.cast(variable, average.dtype))

    return type(kind.__name__, (kind,), {"_update_model_variables_moving_average": update})


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Inside the block the model has its averaged weights, where there are any."""
    if not model.optimizer.use_ema:
        yield
        return
    means = model.optimizer._model_variables_moving_average
    convert = keras_module().ops.convert_to_numpy
    variables = model.trainable_variables
    saved = [convert(variable).copy() for variable in variables]
    for variable, mean in zip(variables, means, strict=True):
        variable.assign(mean)
    try:
        yield
    finally:
        for variable, value in zip(variables, saved, strict=True):
            variable.assign(value)


def has_accelerator() -> bool:
    """Whether the backend computes on a GPU or TPU."""
    devices = keras_module().distribution.list_devices()
    return any(not device.lower().startswith("cpu") for device in devices)


@contextmanager
def precision(config: TrainConfig) -> Iterator[str]:
    """Inside the block layers compute in the precision of the run; yields its Keras name.

    ``auto`` is bfloat16 on an accelerator and float32 on CPUs, where it gains nothing: only a
    part of these networks is matrix products.
    """
    keras = keras_module()
    mixed = config.mixed_precision == "on" or (
        config.mixed_precision == "auto" and has_accelerator()
    )
    before = keras.config.dtype_policy()
    name = "mixed_bfloat16" if mixed else "float32"
    keras.config.set_dtype_policy(name)
    try:
        yield name
    finally:
        keras.config.set_dtype_policy(before)


def seed_everything(seed: int) -> None:
    """First weights and the streams of dropout follow from the seed."""
    keras_module().utils.set_random_seed(seed)


def warmup_steps(config: TrainConfig, steps_per_epoch: int) -> int:
    return math.ceil(config.warmup_epochs * steps_per_epoch)


def _new_head(
    labels: Sequence[str], weights: ResolvedWeights, known_labels: Sequence[str] | None
) -> str:
    if known_labels is not None:
        return (
            f"the classifier keeps its {counted(len(known_labels), 'class', 'classes')}; new: "
            f"{', '.join(map(repr, labels[len(known_labels) :]))}"
        )
    classes = len(labels)
    name = Path(weights.path).name if weights.path else "the weights"
    if weights.classes is None:
        had = "has no classifier"
    elif weights.classes == classes:
        had = "was made for other classes"
    else:
        had = f"was made for {counted(weights.classes, 'class', 'classes')}"
    return f"{name} {had}, the data has {classes}: the classifier is new and learned from zero"
