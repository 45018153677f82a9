"""How long the rest of a search takes, from what it has taken so far."""

from __future__ import annotations

from dataclasses import dataclass

from edge_effnet.plurals import counted


@dataclass(frozen=True)
class Pace:
    """What was timed.

    Attributes:
        epochs, training_seconds: that were trained, and what they took.
        parts, other_seconds: how often a training began or went on, and what that took: reading
            images, building and tracing the network.
    """

    epochs: int = 0
    training_seconds: float = 0.0
    parts: int = 0
    other_seconds: float = 0.0

    def with_part(self, epochs: int, training_seconds: float, seconds: float) -> Pace:
        """The same and one part more.

        Args:
            seconds: that the part took, training included.
        """
        return Pace(
            self.epochs + epochs,
            self.training_seconds + training_seconds,
            self.parts + 1,
            self.other_seconds + max(0.0, seconds - training_seconds),
        )

    def seconds_for(self, epochs: int, parts: int) -> float:
        """What so much more takes at this pace; at least one part was timed."""
        return (
            epochs * self.training_seconds / max(1, self.epochs)
            + parts * self.other_seconds / self.parts
        )


def duration(seconds: float) -> str:
    """``under a minute``, ``about 7 minutes``, ``about 2.5 hours``."""
    if seconds < 60:
        return "under a minute"
    if seconds < 90 * 60:
        return f"about {counted(round(seconds / 60), 'minute')}"
    return f"about {seconds / 3600:.1f} hours"
