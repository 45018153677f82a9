"""Take channels out of a network's weights: plain arrays by layer name, no network needed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from converters.pruning.selection.groups import channel_groups, narrowed
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import UsageProblem
from edge_effnet.network.weights.files import LayerWeights

Kept = Mapping[str, NDArray[np.int64]]
"""Indices of the channels that stay, ascending, by group; a group not named keeps all."""


def slice_channels(
    spec: VariantSpec, weights: LayerWeights, kept: Kept, name: str | None = None
) -> tuple[VariantSpec, LayerWeights]:
    """The narrower network: its variant, and the surviving weights for it.

    It computes what the unsliced network computes with the removed channels' contributions
    zeroed (``silenced``), up to rounding.

    Args:
        spec: the variant that ``weights`` belong to.
        weights: arrays by layer, as ``layer.get_weights()`` gives them.
        name: of the new variant.

    Raises:
        UsageProblem: an unknown group, no channel left, or indices that are not channels.
    """
    groups = channel_groups(spec)
    result = {layer: list(arrays) for layer, arrays in weights.items()}
    for group_name, indices in kept.items():
        refuse_bad_indices(spec, group_name, indices)
        for axis in groups[group_name].axes:
            arrays = result[axis.layer]
            arrays[axis.array] = np.take(arrays[axis.array], indices, axis=axis.axis)
    widths = {group_name: len(indices) for group_name, indices in kept.items()}
    return narrowed(spec, widths, name), result


def silenced(spec: VariantSpec, weights: LayerWeights, kept: Kept) -> LayerWeights:
    """The same shapes, with zeros where a removed channel would be read.

    What the network loses by slicing can so be measured without building another one.
    """
    groups = channel_groups(spec)
    result = {layer: list(arrays) for layer, arrays in weights.items()}
    for group_name, indices in kept.items():
        refuse_bad_indices(spec, group_name, indices)
        gone = np.setdiff1d(np.arange(groups[group_name].width), indices)
        for axis in groups[group_name].read:
            kernel = np.moveaxis(result[axis.layer][axis.array].copy(), axis.axis, 0)
            kernel[gone] = 0
            result[axis.layer][axis.array] = np.moveaxis(kernel, 0, axis.axis)
    return result


def refuse_bad_indices(spec: VariantSpec, group: str, indices: NDArray[np.int64]) -> None:
    """Raise UsageProblem unless ``indices`` are some of the group's channels, ascending."""
    groups = channel_groups(spec)
    if group not in groups:
        raise UsageProblem(
            f"{spec.name} has no channels called {group!r}",
            expected=f"one of {', '.join(groups)}",
            fix="correct the name",
        )
    width = groups[group].width
    ascending = len(indices) > 0 and bool(np.all(np.diff(indices) > 0))
    if not ascending or indices[0] < 0 or indices[-1] >= width:
        raise UsageProblem(
            f"the channels of {group} that stay are not channels of it",
            found=f"{len(indices)} indices",
            expected=f"at least one, ascending, from 0 to {width - 1}",
            fix="correct the indices",
        )
