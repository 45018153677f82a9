"""What a candidate is proven to have lost against its reference, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge_effnet.metrics.intervals import CONFIDENCE, normal_quantile
from edge_effnet.metrics.one_model.value_summary import LEAST_IMAGES
from edge_effnet.metrics.predictions import Predictions
from edge_effnet.metrics.two_models.paired import Paired

# A loss is a warning where its whole 95 % interval lies above so many points; of values, above
# such a share of the reference's own mean error and of the spread of the true values (of a nearly
# exact reference any rounding is a large share of its error), or, where the truth is not known,
# where they move by so much of the spread of its answers.
WARN_DROP_POINTS = 1.0
WARN_DISAGREEMENT_POINTS = 2.0
WARN_ERROR_SHARE = 0.1
WARN_ERROR_SPREAD_SHARE = 0.01
WARN_SPREAD_SHARE = 0.05


@dataclass(frozen=True)
class ValueDifference:
    """How far the candidate's values are from the reference's, in the unit of the value.

    Attributes:
        of_spread: the mean difference as a share of the reference values' standard deviation;
            None where they are all equal.
    """

    mean_abs: float
    max_abs: float
    of_spread: float | None


def losses_of(
    paired: Paired | None, agreement_interval_percent: tuple[float, float] | None
) -> list[str]:
    """What is proven to be lost of the answers, where it is more than may pass as small."""
    found = []
    if paired is not None and paired.drop_interval_points[0] > WARN_DROP_POINTS:
        low, high = paired.drop_interval_points
        found.append(
            f"loses {paired.drop_points:.1f} points of accuracy (95 % interval {low:.1f} to "
            f"{high:.1f})"
        )
    better = paired is not None and paired.drop_interval_points[1] < 0
    if agreement_interval_percent is not None and not better:
        low, high = (100 - bound for bound in reversed(agreement_interval_percent))
        if low > WARN_DISAGREEMENT_POINTS:
            found.append(
                f"answers {low:.1f} to {high:.1f} % of such images otherwise (95 % interval)"
            )
    return found


def value_losses(reference: Predictions, candidate: Predictions) -> list[str]:
    """The same of values: larger errors, or, where the truth is not known, other values."""
    if reference.truth is None:
        share = value_difference(reference, candidate).of_spread or 0.0
        moved = f"moves the values by {share:.0%} of their spread on average"
        return [moved] if share > WARN_SPREAD_SHARE else []
    truth = reference.truth
    if len(truth) < LEAST_IMAGES:
        return []
    ours, theirs = (
        np.abs(model.scores.astype(np.float64) - truth).mean(axis=1)
        for model in (reference, candidate)
    )
    more, own = theirs - ours, float(ours.mean())
    half = normal_quantile(CONFIDENCE) * float(more.std(ddof=1)) / math.sqrt(len(more))
    low, high = float(more.mean()) - half, float(more.mean()) + half
    small = max(WARN_ERROR_SHARE * own, WARN_ERROR_SPREAD_SHARE * float(truth.std()))
    if low <= small:
        return []
    return [
        f"errs by {more.mean():.3g} more on average (95 % interval {low:.3g} to {high:.3g}; "
        f"{own:.3g} before)"
    ]


def loss_warning(reference: Predictions, candidate: Predictions, found: list[str]) -> str:
    """One sentence of what was found, and what to do."""
    # No limit can be set on numbers.
    other_way = (
        "take --weights8 or --float16, which compute in float"
        if reference.task == "value"
        else "convert with a limit (--int8 with --max-drop 1 or --min-agreement 98), which tries "
        "stronger strategies, or take --float16"
    )
    return (
        f"{candidate.name} {' and '.join(found)}, measured against {reference.name}: do not use "
        f"it where that matters. If it was converted from it, {other_way}, or calibrate with more "
        "images like these"
    )


def value_difference(reference: Predictions, candidate: Predictions) -> ValueDifference:
    """Over all images and outputs."""
    gap = np.abs(reference.scores.astype(np.float64) - candidate.scores)
    spread = float(reference.scores.std(dtype=np.float64))
    mean = float(gap.mean())
    return ValueDifference(mean, float(gap.max()), mean / spread if spread else None)
