"""One step of a pruning run: measure, choose widths, slice, repair."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.pruning.context import Network, PruningContext, network_of
from converters.pruning.data import sample
from converters.pruning.finetuning.repair import repair
from converters.pruning.selection.allocation import Budget
from converters.pruning.selection.importance import (
    IMPORTANCE_MEASURES,
    ImportanceInputs,
    Scores,
    strongest,
)
from converters.pruning.selection.sensitivity import (
    SensitivityPoint,
    count_points,
    measure_sensitivity,
    widths_within,
)
from converters.pruning.slicing import slice_channels

SENSITIVITY_IMAGES = 100


@dataclass(frozen=True)
class PrunedStep:
    """What one step came to.

    Attributes:
        points: sensitivity before it; empty with uniform allocation.
        widths: of the groups that became narrower.
    """

    network: Network
    points: tuple[SensitivityPoint, ...]
    widths: Mapping[str, int]


def measure(
    context: PruningContext, network: Network, *, everything: bool = False
) -> tuple[Scores, list[SensitivityPoint]]:
    """Importance of every channel and, where widths follow from it, sensitivity of every group
    (without ``everything`` only of those that the target can gain by)."""
    config = context.config
    images, labels = sample(
        context.data.images.train, config.pictures, context.side, config.seed, context.workers
    )
    weights = network.weights
    advance = context.callbacks.stage("scoring channels", len(images))
    measured_on = ImportanceInputs(
        network.model, network.spec, weights, images, config.seed, advance
    )
    scores = IMPORTANCE_MEASURES[config.importance](measured_on)
    advance(len(images))
    if config.allocation == "uniform" and not everything:
        return scores, []
    few = slice(0, SENSITIVITY_IMAGES)
    squeezes = everything or config.measure in ("params", "size")
    points = measure_sensitivity(
        network.model,
        network.spec,
        weights,
        scores,
        images[few],
        labels[few] if context.data.labelled else None,
        context.limits,
        squeezes=squeezes,
        advance=context.callbacks.stage(
            "measuring sensitivity", count_points(network.spec, context.limits, squeezes=squeezes)
        ),
    )
    return scores, points


def prune_step(
    context: PruningContext,
    network: Network,
    scores: Scores,
    points: list[SensitivityPoint],
    budget: Budget,
    name: str,
) -> PrunedStep:
    """Find widths that keep the budget, slice the network to them, and repair it."""
    widths = widths_within(budget, network.spec, scores, points, context.limits)
    indices = {group: strongest(scores[group], width) for group, width in widths.items()}
    spec, weights = slice_channels(network.spec, network.weights, indices, name)
    kept = {
        group: before[indices[group]] if group in indices else before
        for group, before in network.kept.items()
    }
    model, repaired = repair(context, network_of(spec, weights, context), spec, kept)
    step = {
        "step": "pruned",
        "from": network.spec.name,
        "measure": budget.measure,
        "limit": budget.limit,
        "reached": budget.of(spec),
        "importance": context.config.importance,
        "allocation": context.config.allocation,
        "multiple": context.config.multiple,
        "kept_shares": {
            group: round(len(kept[group]) / context.limits.original[group], 4)
            for group in kept
            if len(kept[group]) < context.limits.original[group]
        },
        "channels_sha256": _hash_indices(kept),
        "put_right": list(repaired),
        "pictures": {
            "count": context.config.pictures,
            "seed": context.config.seed,
            "fingerprint": context.data.images.lists.fingerprint,
        },
    }
    return PrunedStep(Network(spec, model, kept, (*network.steps, step)), tuple(points), widths)


def _hash_indices(kept: Mapping[str, NDArray[np.int64]]) -> str:
    digest = hashlib.sha256()
    for group, indices in kept.items():
        digest.update(group.encode() + indices.astype("<i8").tobytes())
    return digest.hexdigest()
