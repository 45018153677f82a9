"""What the network loses when one group is narrowed, measured on images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converters.pruning.selection.allocation import (
    Budget,
    SensitivityCurve,
    WidthLimits,
    measured_widths,
    uniform_widths,
)
from converters.pruning.selection.groups import ChannelGroup, channel_groups
from converters.pruning.selection.importance import Scores, strongest
from converters.pruning.slicing import silenced
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.network.weights.files import LayerWeights
from edge_effnet.training.epochs import log_softmax

if TYPE_CHECKING:
    import keras

SHARES = (0.75, 0.5, 0.25)
_BATCH = 100
_LEAST_IMPORTANCE = 1e-12  # keeps the sum of importances rising where channels are dead


@dataclass(frozen=True)
class SensitivityPoint:
    """One group at one width, nothing else changed and no fine-tuning.

    Attributes:
        width: channels kept, of ``whole``.
        divergence: mean Kullback-Leibler divergence of the network's scores from what they
            were, in nats.
        agreement: share of images with the same top answer as before.
        accuracy: share of right answers; None without labels.
    """

    group: str
    role: str
    width: int
    whole: int
    divergence: float
    agreement: float
    accuracy: float | None


def measure_sensitivity(
    network: keras.Model,
    spec: VariantSpec,
    weights: LayerWeights,
    scores: Scores,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    limits: WidthLimits,
    *,
    squeezes: bool = True,
    advance: Callable[[int], None] = lambda _done: None,
) -> list[SensitivityPoint]:
    """Narrow one group at a time to some shares of its width and ask the network.

    Args:
        network: gives logits; its weights are changed and put back.
        weights: its weights by layer.
        scores: which channels stay.
        squeezes: whether to measure squeeze-excite's widths too: they are parameters, and
            hardly any multiply-adds.
        advance: called with the number of widths done; see ``count_points``.
    """
    before = answers(network, images)
    logs = log_softmax(before)
    points = []
    for name, group in _measured(spec, squeezes=squeezes).items():
        touched = {axis.layer for axis in group.read}
        own = {layer: weights[layer] for layer in touched}
        for width in _widths(group.width, limits):
            kept = {name: strongest(scores[name], width)}
            quiet = silenced(spec, weights, kept)
            set_weights(network, {layer: quiet[layer] for layer in touched})
            after = log_softmax(answers(network, images))
            top = after.argmax(axis=1)
            points.append(
                SensitivityPoint(
                    group=name,
                    role=group.role,
                    width=width,
                    whole=group.width,
                    divergence=float((np.exp(logs) * (logs - after)).sum(axis=1).mean()),
                    agreement=float((top == before.argmax(axis=1)).mean()),
                    accuracy=None if labels is None else float((top == labels).mean()),
                )
            )
            advance(len(points))
        set_weights(network, own)
    return points


def count_points(spec: VariantSpec, limits: WidthLimits, *, squeezes: bool = True) -> int:
    """How many widths ``measure_sensitivity`` will try."""
    groups = _measured(spec, squeezes=squeezes).values()
    return sum(len(_widths(group.width, limits)) for group in groups)


def _measured(spec: VariantSpec, *, squeezes: bool) -> dict[str, ChannelGroup]:
    groups = channel_groups(spec)
    return {name: g for name, g in groups.items() if squeezes or g.role != "squeeze"}


def curves(points: Sequence[SensitivityPoint], scores: Scores) -> dict[str, SensitivityCurve]:
    """Divergence against width of every group that was measured."""
    found: dict[str, list[SensitivityPoint]] = {}
    for point in points:
        found.setdefault(point.group, []).append(point)
    return {
        name: SensitivityCurve(
            (own[0].whole, *(point.width for point in own)),
            (0.0, *(point.divergence for point in own)),
            (0.0, *np.cumsum(np.sort(scores[name]) + _LEAST_IMPORTANCE).tolist()),
        )
        for name, own in found.items()
    }


def widths_within(
    budget: Budget,
    spec: VariantSpec,
    scores: Scores,
    points: Sequence[SensitivityPoint],
    limits: WidthLimits,
) -> dict[str, int]:
    """Widths that keep a budget: by sensitivity, or without ``points`` one share for all.

    Raises:
        UsageProblem: the budget cannot be kept.
    """
    if points:
        return measured_widths(spec, curves(points, scores), budget, limits)
    return uniform_widths(spec, budget, limits)


def _widths(whole: int, limits: WidthLimits) -> list[int]:
    """Allowed widths near the shares, descending; none where a group cannot be narrowed."""
    step = limits.multiple
    widths = {max(step, round(share * whole / step) * step) for share in SHARES}
    return sorted((width for width in widths if width < whole), reverse=True)


def answers(network: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Logits, images x classes."""
    batch = min(_BATCH, len(images))
    rows = []
    for first in range(0, len(images), batch):
        part = images[first : first + batch]
        filled = np.resize(part, (batch, *part.shape[1:]))  # one shape, one trace
        rows.append(np.asarray(network.predict_on_batch(filled.astype(np.float32)))[: len(part)])
    return np.concatenate(rows).astype(np.float64)


def set_weights(network: keras.Model, weights: Mapping[str, list[Any]]) -> None:
    """Give some layers other values of the same shapes; not for the normalization layer."""
    for layer, arrays in weights.items():
        network.get_layer(layer).set_weights(arrays)
