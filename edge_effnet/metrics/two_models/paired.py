"""The paired test of two models on the same labelled images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.intervals import (
    drop_at_most_points,
    drop_interval_points,
    drop_points,
    images_needed,
    mcnemar_p,
)

PROVE_BELOW_POINTS = 1.0


@dataclass(frozen=True)
class Paired:
    """The paired test on labelled images; a positive drop means the candidate is worse.

    Attributes:
        lost, gained: images only the reference, only the candidate gets right.
        drop_interval_points: 95 %, two-sided (Tango's score interval).
        drop_at_most_points: with 95 % confidence, one-sided, the drop is no larger.
        images_to_prove: images that would prove a drop under ``PROVE_BELOW_POINTS``, were
            there none, at the seen share of discordant images.
        bounded: False of frames in too few scenes, where bounds and test exclude nothing and are
            not shown.
    """

    lost: int
    gained: int
    drop_points: float
    drop_interval_points: tuple[float, float]
    drop_at_most_points: float
    mcnemar_p: float
    images_to_prove: int | None
    bounded: bool = True

    @property
    def proves_drop(self) -> bool:
        """Whether the interval lies above 0."""
        return self.drop_interval_points[0] > 0

    def to_json(self) -> dict[str, Any]:
        """For a document; bounds that exclude nothing are null."""
        return {
            "drop_points": self.drop_points,
            "drop_interval_points": list(self.drop_interval_points) if self.bounded else None,
            "drop_at_most_points": self.drop_at_most_points if self.bounded else None,
            "mcnemar_p": self.mcnemar_p if self.bounded else None,
            "lost": self.lost,
            "gained": self.gained,
            "prove_below_points": PROVE_BELOW_POINTS,
            "images_to_prove": self.images_to_prove,
        }


def paired_test(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> Paired:
    """From whether the reference and the candidate are right, (images,) each."""
    return paired_of(int((ours & ~theirs).sum()), int((theirs & ~ours).sum()), len(ours))


def paired_of(lost: int, gained: int, images: int) -> Paired:
    """From how many images only the reference, only the candidate gets right."""
    return Paired(
        lost=lost,
        gained=gained,
        drop_points=drop_points(lost, gained, images),
        drop_interval_points=drop_interval_points(lost, gained, images),
        drop_at_most_points=drop_at_most_points(lost, gained, images),
        mcnemar_p=mcnemar_p(lost, gained),
        images_to_prove=images_needed(PROVE_BELOW_POINTS, (lost + gained) / images),
    )
