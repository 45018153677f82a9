"""One cut: what every step of a run works with, what is measured, what is taken away."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converters.pruning.allocation import Budget, Limits, measured_widths, uniform_widths
from converters.pruning.config import PruneConfig
from converters.pruning.data import PruningImages, open_pruning_images, sample, with_answers
from converters.pruning.distillation import reestimate_batch_norm
from converters.pruning.groups import channel_groups
from converters.pruning.importance import Scores, bn_scale, magnitude, strongest, taylor
from converters.pruning.reconstruction import reconstruct
from converters.pruning.sensitivity import (
    Point,
    answers,
    count_points,
    curves,
    log_softmax,
    measure_sensitivity,
)
from converters.pruning.slicing import cut
from edge_effnet.architecture.files import find_variant
from edge_effnet.architecture.spec import VariantSpec, network_plan
from edge_effnet.data.labels import imagenet_labels
from edge_effnet.network.build import NORMALIZATION_LAYER, build
from edge_effnet.network.weights.assign import load_layer_weights, read_for
from edge_effnet.network.weights.files import LayerWeights
from edge_effnet.network.weights.resolve import load, resolve_weights
from edge_effnet.training.epochs import Callbacks
from edge_effnet.training.trainer import say_skipped

if TYPE_CHECKING:
    import keras

STATISTICS_PICTURES = 512
SENSITIVITY_PICTURES = 100


@dataclass(frozen=True)
class Network:
    """A network at some point of the run.

    Attributes:
        spec: its row.
        kept: places of its channels among the whole network's, by group.
        steps: what was done to it, for the card.
    """

    spec: VariantSpec
    model: keras.Model
    kept: Mapping[str, NDArray[np.int64]]
    steps: tuple[Mapping[str, Any], ...]

    @property
    def weights(self) -> LayerWeights:
        return {layer.name: layer.get_weights() for layer in self.model.layers if layer.weights}


@dataclass(frozen=True)
class Bench:
    """What every step of a run works with.

    Attributes:
        origin: of the whole network's weights, for the card.
        labels: of the network; None where its weights do not say.
        side: of the input, in pixels.
    """

    config: PruneConfig
    folder: Path
    whole: Network
    origin: Mapping[str, str]
    labels: tuple[str, ...] | None
    side: int
    classes: int
    data: PruningImages
    workers: int
    callbacks: Callbacks
    limits: Limits


def open_bench(
    config: PruneConfig, folder: Path, *, runs: Path, workers: int, callbacks: Callbacks
) -> Bench:
    """Find the network and the pictures.

    Raises:
        UsageProblem: no such variant.
        WeightsError, DataError: nothing usable.
    """
    spec = find_variant(config.variant)
    resolved = resolve_weights(spec, config.weights, runs=runs)
    if resolved.notice:
        callbacks.say(resolved.notice)
    side = config.resolution or resolved.resolution or spec.resolution
    built = callbacks.stage("building the network", None)
    model = load(still(spec), resolved, resolution=side, classifier_activation=None)
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
    return Bench(
        config=config,
        folder=folder,
        whole=Network(spec, model, everything, resolved.steps),
        origin=resolved.origin,
        labels=resolved.labels,
        side=side,
        classes=classes,
        data=data,
        workers=workers,
        callbacks=callbacks,
        limits=Limits(config.multiple, {name: g.width for name, g in groups.items()}),
    )


def still(spec: VariantSpec) -> VariantSpec:
    """The row without anything random inside, for measuring and for learning from a teacher."""
    return replace(spec, dropout=0.0, drop_connect=0.0)


@dataclass(frozen=True)
class Cut:
    """One cut.

    Attributes:
        points: what was measured before it; empty with uniform allocation.
        widths: of the groups that became narrower.
    """

    network: Network
    points: tuple[Point, ...]
    widths: Mapping[str, int]


def measure(
    bench: Bench, network: Network, *, everything: bool = False
) -> tuple[Scores, list[Point]]:
    """Importance of every channel and, where widths follow from it, sensitivity of every group
    (without ``everything`` only of those that the target can gain by)."""
    config = bench.config
    images, labels = sample(
        bench.data.images.train, config.pictures, bench.side, config.seed, bench.workers
    )
    weights = network.weights
    if config.importance == "magnitude":
        scores = magnitude(network.spec, weights)
    elif config.importance == "bn-scale":
        scores = bn_scale(network.spec, weights)
    else:
        scores = taylor(
            network.model,
            network.spec,
            images,
            None,
            seed=config.seed,
            advance=bench.callbacks.stage("weighing channels", len(images) // 16 * 16),
        )
    if config.allocation == "uniform" and not everything:
        return scores, []
    few = slice(0, SENSITIVITY_PICTURES)
    squeezes = everything or config.measure in ("params", "size")
    points = measure_sensitivity(
        network.model,
        network.spec,
        weights,
        scores,
        images[few],
        labels[few] if bench.data.labelled else None,
        bench.limits,
        squeezes=squeezes,
        advance=bench.callbacks.stage(
            "measuring sensitivity", count_points(network.spec, bench.limits, squeezes=squeezes)
        ),
    )
    return scores, points


def make_cut(
    bench: Bench, network: Network, scores: Scores, points: list[Point], budget: Budget, name: str
) -> Cut:
    """Find widths that keep the budget, cut, and put right what needs no training."""
    if points:
        widths = measured_widths(network.spec, curves(points, scores), budget, bench.limits)
    else:
        widths = uniform_widths(network.spec, budget, bench.limits)
    places = {group: strongest(scores[group], width) for group, width in widths.items()}
    spec, weights = cut(network.spec, network.weights, places, name)
    kept = {
        group: before[places[group]] if group in places else before
        for group, before in network.kept.items()
    }
    model, put_right = quick_recovery(bench, network_of(spec, weights, bench), spec, kept)
    step = {
        "step": "pruned",
        "from": network.spec.name,
        "measure": budget.measure,
        "limit": budget.limit,
        "reached": budget.of(spec),
        "importance": bench.config.importance,
        "allocation": bench.config.allocation,
        "multiple": bench.config.multiple,
        "kept_shares": {
            group: round(len(kept[group]) / bench.limits.whole[group], 4)
            for group in kept
            if len(kept[group]) < bench.limits.whole[group]
        },
        "channels_sha256": _hash_places(kept),
        "put_right": list(put_right),
        "pictures": {
            "count": bench.config.pictures,
            "seed": bench.config.seed,
            "fingerprint": bench.data.images.lists.fingerprint,
        },
    }
    return Cut(Network(spec, model, kept, (*network.steps, step)), tuple(points), widths)


def quick_recovery(
    bench: Bench, model: keras.Model, spec: VariantSpec, kept: Mapping[str, NDArray[np.int64]]
) -> tuple[keras.Model, tuple[str, ...]]:
    """What can be put right without training, each only where it measurably helps: projections
    solved anew, then the statistics of BatchNorm.

    Returns:
        The network, and what was kept of the two.
    """
    if bench.config.recovery == "none":
        return model, ()
    images, _ = sample(
        bench.data.images.train,
        STATISTICS_PICTURES,
        bench.side,
        bench.config.seed + 1,
        bench.workers,
    )
    judges = images[-SENSITIVITY_PICTURES:]
    target = log_softmax(answers(bench.whole.model, judges))

    def distance() -> float:
        logs = log_softmax(answers(model, judges))
        return float((np.exp(target) * (target - logs)).sum(axis=1).mean())

    blocks = len(network_plan(spec).blocks)
    solved = bench.callbacks.stage("solving projections", blocks)
    ways: dict[str, Callable[[], None]] = {
        "projections": lambda: reconstruct(
            model,
            bench.whole.model,
            spec,
            kept,
            images[: bench.config.pictures],
            seed=bench.config.seed,
            advance=solved,
        ),
        "statistics": lambda: reestimate_batch_norm(model, images),
    }
    helped, best = [], distance()
    for name, way in ways.items():
        before = [layer.get_weights() for layer in model.layers]
        way()
        if (now := distance()) < best:
            helped.append(name)
            best = now
        else:
            for layer, values in zip(model.layers, before, strict=True):
                if values and layer.name != NORMALIZATION_LAYER:
                    layer.set_weights(values)
    return model, tuple(helped)


def network_of(spec: VariantSpec, weights: LayerWeights | Path, bench: Bench) -> keras.Model:
    """The network of a row, with weights from memory or from a file."""
    model = build(
        still(spec), classes=bench.classes, resolution=bench.side, classifier_activation=None
    )
    given = read_for(model, weights) if isinstance(weights, Path) else weights
    source = str(weights) if isinstance(weights, Path) else "the pruned weights"
    load_layer_weights(model, given, source=source)
    return model


def _hash_places(kept: Mapping[str, NDArray[np.int64]]) -> str:
    digest = hashlib.sha256()
    for group, places in kept.items():
        digest.update(group.encode() + places.astype("<i8").tobytes())
    return digest.hexdigest()
