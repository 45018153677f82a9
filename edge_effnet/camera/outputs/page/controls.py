"""What viewers of the page can change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge_effnet.camera.collecting.collector import Collector
from edge_effnet.camera.collecting.review import Review
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.learning.learner import Learner


@dataclass(frozen=True)
class Kept:
    """Frames that are kept as photos, and what becomes of them.

    Attributes:
        review: labels of those that nobody told.
        learner: learns from those of known classes; None for a model that cannot be replaced.
    """

    collector: Collector
    review: Review
    learner: Learner | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "recorded": [list(row) for row in self.collector.recorded()],
            "waiting": self.review.waiting,
            "keeping": self.collector.keeping,
            "full": self.collector.full,
            "learner": self.learner.state() if self.learner is not None else None,
        }


@dataclass(frozen=True)
class Controls:
    """Each may be missing.

    Attributes:
        taps: the class of frames.
    """

    taps: Taps | None = None
    kept: Kept | None = None
