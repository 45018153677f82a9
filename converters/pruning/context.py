"""What every step of a pruning run works with: the network as it was, the images, the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converters.pruning.config import PruneConfig
from converters.pruning.data import PruningImages, open_pruning_images, with_answers
from converters.pruning.selection.allocation import (
    WidthLimits,
)
from converters.pruning.selection.groups import channel_groups
from converters.pruning.selection.sensitivity import (
    answers,
)
from edge_effnet.architecture.files import find_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.data.labels import imagenet_labels
from edge_effnet.network.build import build
from edge_effnet.network.weights.assign import load_layer_weights, read_for
from edge_effnet.network.weights.files import LayerWeights
from edge_effnet.network.weights.resolve import load, resolve_weights
from edge_effnet.training.epochs import Callbacks
from edge_effnet.training.execution import say_skipped

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Network:
    """A network at some point of the run.

    Attributes:
        spec: its variant.
        kept: indices of its channels among the unpruned network's, by group.
        steps: its provenance for the card: an entry for everything that was done to it.
    """

    spec: VariantSpec
    model: keras.Model
    kept: Mapping[str, NDArray[np.int64]]
    steps: tuple[Mapping[str, Any], ...]

    @property
    def weights(self) -> LayerWeights:
        return {layer.name: layer.get_weights() for layer in self.model.layers if layer.weights}


@dataclass(frozen=True)
class PruningContext:
    """What every step of a run works with.

    Attributes:
        original: the unpruned network; ``origin`` of its weights, for the card.
        labels: of the network; None where its weights do not say.
        side: of the input, in pixels.
    """

    config: PruneConfig
    folder: Path
    original: Network
    origin: Mapping[str, str]
    labels: tuple[str, ...] | None
    side: int
    classes: int
    data: PruningImages
    workers: int
    callbacks: Callbacks
    limits: WidthLimits


def open_context(
    config: PruneConfig, folder: Path, *, runs: Path, workers: int, callbacks: Callbacks
) -> PruningContext:
    """Find the network and the images.

    Raises:
        UsageProblem: no such variant.
        WeightsError, DataError: nothing usable.
    """
    spec = find_variant(config.variant)
    resolved = resolve_weights(spec, config.weights, runs=runs)
    spec = resolved.spec
    if resolved.notice:
        callbacks.say(resolved.notice)
    side = config.resolution or resolved.resolution or spec.resolution
    built = callbacks.stage("building the network", None)
    quiet = replace(resolved, spec=without_dropout(spec))
    model = load(quiet, resolution=side, classifier_activation=None)
    built(1)
    classes = int(model.output_shape[-1])
    known = imagenet_labels() if classes == len(imagenet_labels()) else None
    data = open_pruning_images(
        config,
        resolved.labels or known,
        classes=classes,
        side=side,
        workers=workers,
        stage=callbacks.stage,
        steps=resolved.steps,
    )
    for line in data.notices:
        callbacks.say(line)
    say_skipped(data.images, callbacks)
    data = with_answers(data, lambda images: answers(model, images), side, workers)
    groups = channel_groups(spec)
    everything = {name: np.arange(group.width) for name, group in groups.items()}
    return PruningContext(
        config=config,
        folder=folder,
        original=Network(spec, model, everything, resolved.steps),
        origin=resolved.origin,
        labels=resolved.labels,
        side=side,
        classes=classes,
        data=data,
        workers=workers,
        callbacks=callbacks,
        limits=WidthLimits(config.multiple, {name: g.width for name, g in groups.items()}),
    )


def without_dropout(spec: VariantSpec) -> VariantSpec:
    """The variant without anything random inside, for measuring and for learning from a teacher."""
    return replace(spec, dropout=0.0, drop_connect=0.0)


def network_of(
    spec: VariantSpec, weights: LayerWeights | Path, context: PruningContext
) -> keras.Model:
    """The network of a variant, with weights from memory or from a file."""
    model = build(
        without_dropout(spec),
        classes=context.classes,
        resolution=context.side,
        classifier_activation=None,
    )
    given = read_for(model, weights, spec) if isinstance(weights, Path) else weights
    source = str(weights) if isinstance(weights, Path) else "the pruned weights"
    load_layer_weights(model, given, source=source)
    return model
