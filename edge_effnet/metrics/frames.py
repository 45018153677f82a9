"""Two models on frames of a feed: ``compare_predictions``, with what scenes prove of it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.blocks import DropBounds, drop_bounds, share_interval_percent, sum_blocks
from edge_effnet.metrics.comparison import Comparison, Paired, compare_predictions
from edge_effnet.metrics.predictions import Predictions
from edge_effnet.metrics.summary import Summary

AnySummary = TypeVar("AnySummary", bound=Summary)


def compare_frames(
    reference: Predictions, candidate: Predictions, scenes: NDArray[np.int64]
) -> Comparison:
    """Compare two models on frames of which many look alike.

    Figures are those of all frames. Intervals and the paired test rest on scenes; with too few of
    them there are none, and nothing is proven. What a summary warns of is looked for in the first
    frame of each scene.

    Args:
        scenes: the number of each frame's scene.

    Raises:
        ModelError, DataError: as ``compare_predictions``.
    """
    compared = compare_predictions(reference, candidate)
    same = np.ones(len(scenes), np.bool_)
    flipped = {flip.path for flip in compared.flips}
    same[[place for place, path in enumerate(reference.paths) if path in flipped]] = False
    agreed = sum_blocks(scenes, same)
    interval = share_interval_percent(agreed) if compared.agreement_interval_percent else None
    first = np.unique(scenes, return_index=True)[1]
    thinned = compare_predictions(_only(reference, first), _only(candidate, first))
    return replace(
        compared,
        agreement_interval_percent=interval,
        reference=_over_scenes(compared.reference, scenes),
        candidate=_over_scenes(compared.candidate, scenes),
        paired=_paired(compared.paired, reference, candidate, scenes),
        warnings=thinned.warnings if agreed.enough else (),
        blocks=agreed,
    )


def _only(predictions: Predictions, places: NDArray[np.int64]) -> Predictions:
    return replace(
        predictions,
        scores=predictions.scores[places],
        truth=None if predictions.truth is None else predictions.truth[places],
        paths=tuple(predictions.paths[place] for place in places),
    )


def _paired(
    paired: Paired | None, reference: Predictions, candidate: Predictions, scenes: NDArray[np.int64]
) -> Paired | None:
    if paired is None:
        return None
    lost, gained = reference.right & ~candidate.right, candidate.right & ~reference.right
    bounds = drop_bounds(sum_blocks(scenes, lost, gained))
    found = bounds or DropBounds((-100.0, 100.0), 100.0, 1.0)
    return replace(paired, **vars(found), images_to_prove=None, bounded=bounds is not None)


def _over_scenes(summary: AnySummary | None, scenes: NDArray[np.int64]) -> AnySummary | None:
    """A summary with the interval of its right answers taken over scenes."""
    if summary is None:
        return None
    # By the names that the kinds of summaries use; that of values has none.
    names = {"top1_interval_percent", "exact_match_interval_percent"}
    changes: dict[str, Any] = {
        field.name: share_interval_percent(sum_blocks(scenes, summary.predictions.right))
        for field in fields(summary)
        if field.name in names
    }
    return replace(summary, **changes)
