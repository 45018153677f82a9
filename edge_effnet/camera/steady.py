"""The steadied answers of one model on one feed."""

from __future__ import annotations

from edge_effnet.arrays import Float32Array
from edge_effnet.camera.answers import Decision, Smoother, decide
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.heads.head import Head
from edge_effnet.heads.unknown import Unknown


class SteadyAnswers:
    """From each frame's scores to what is shown.

    Args:
        rule: when the model answers "unknown"; its similarity is smoothed as the scores are.
    """

    def __init__(self, settings: SessionSettings, head: Head, rule: Unknown | None) -> None:
        self.rule = rule
        self._settings, self._head = settings, head
        self._scores, self._similarity = (Smoother(settings.smooth_s) for _ in range(2))

    def add(self, scores: Float32Array, similarity: float | None, time_s: float) -> Decision:
        """The answer after a frame at ``time_s`` with scores (classes,)."""
        settings = self._settings
        return decide(
            self._scores.add(scores, time_s),
            settings.labels,
            self._head,
            top=settings.top,
            threshold=settings.threshold,
            similarity=self._similarity.add_number(similarity, time_s),
            rule=self.rule,
            none=settings.none,
        )
