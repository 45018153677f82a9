"""Two models on frames of a feed: ``compare_predictions``, with what scenes prove of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.one_model.label_summary import LabelSummary
from edge_effnet.metrics.one_model.summary import Summary
from edge_effnet.metrics.one_model.value_summary import ValueSummary
from edge_effnet.metrics.predictions import Predictions, same_answers
from edge_effnet.metrics.two_models.comparison import Comparison, compare_predictions
from edge_effnet.metrics.two_models.losses import loss_warning, losses_of
from edge_effnet.metrics.two_models.paired import Paired
from edge_effnet.metrics.two_models.scenes import (
    DropBounds,
    drop_bounds,
    share_interval_percent,
    sum_scenes,
)


def compare_frames(
    reference: Predictions,
    candidate: Predictions,
    scenes: NDArray[np.int64],
    *,
    in_time: bool = True,
) -> Comparison:
    """Compare two models on frames of which many look alike.

    Figures are those of all frames. Intervals and the paired test rest on scenes; with too few of
    them there are none, and nothing is proven. What a summary warns of, and larger errors of
    values, are looked for in the first frame of each scene.

    Args:
        scenes: the number of each frame's scene.
        in_time: whether they follow each other in time, see ``SceneSums``.

    Raises:
        ModelError, DataError: as ``compare_predictions``.
    """
    compared = compare_predictions(reference, candidate)
    values = reference.task == "value"
    same = np.ones(len(scenes), np.bool_) if values else same_answers(reference, candidate)
    agreed = sum_scenes(scenes, same, in_time=in_time)
    interval = share_interval_percent(agreed) if compared.agreement_interval_percent else None
    first = np.unique(scenes, return_index=True)[1]
    thinned = compare_predictions(_only(reference, first), _only(candidate, first))
    paired = _paired_over_scenes(compared.paired, reference, candidate, scenes, in_time)
    lost = losses_of(paired if paired and paired.bounded else None, interval)
    losses = thinned.losses if values and agreed.enough else ()
    if lost:
        losses = (loss_warning(reference, candidate, lost),)
    others = thinned.warnings[len(thinned.losses) :] if agreed.enough else ()
    return replace(
        compared,
        agreement_interval_percent=interval,
        reference=_over_scenes(compared.reference, scenes, in_time),
        candidate=_over_scenes(compared.candidate, scenes, in_time),
        paired=paired,
        losses=losses,
        warnings=(*losses, *others),
        scenes=agreed,
    )


def _only(predictions: Predictions, indices: NDArray[np.int64]) -> Predictions:
    return replace(
        predictions,
        scores=predictions.scores[indices],
        truth=None if predictions.truth is None else predictions.truth[indices],
        paths=tuple(predictions.paths[index] for index in indices),
        similarity=None if predictions.similarity is None else predictions.similarity[indices],
    )


def _paired_over_scenes(
    paired: Paired | None,
    reference: Predictions,
    candidate: Predictions,
    scenes: NDArray[np.int64],
    in_time: bool,
) -> Paired | None:
    if paired is None:
        return None
    lost, gained = reference.right & ~candidate.right, candidate.right & ~reference.right
    bounds = drop_bounds(sum_scenes(scenes, lost, gained, in_time=in_time))
    found = bounds or DropBounds((-100.0, 100.0), 100.0, 1.0)
    return replace(paired, **vars(found), images_to_prove=None, bounded=bounds is not None)


def _over_scenes(
    summary: Summary | None, scenes: NDArray[np.int64], in_time: bool
) -> Summary | None:
    """A summary with the interval of its right answers taken over scenes."""
    if summary is None or isinstance(summary, ValueSummary):
        return summary
    right = sum_scenes(scenes, summary.predictions.right, in_time=in_time)
    interval = share_interval_percent(right)
    if isinstance(summary, LabelSummary):
        return replace(summary, exact_match_interval_percent=interval)
    return replace(summary, top1_interval_percent=interval)
