"""What every output gives that takes the answers of a run: commands, pins, brokers, kept frames."""

from __future__ import annotations

from typing import Protocol

from edge_effnet.camera.answers import Decision
from edge_effnet.camera.frames import Frame


class AnswerOutput(Protocol):
    """Takes the answers of a run. Called in the session's thread, and returns at once."""

    @property
    def problem(self) -> str | None:
        """Why something is cut or missing; None where nothing is."""

    def see(self, shown: Decision, frame: Frame) -> None:
        """Take the answer to a frame, steadied as it is shown."""

    def tick(self, *, away: bool) -> None:
        """About ten times a second. ``away``: the camera gives no frames and is tried again."""

    def end(self) -> None:
        """The run is over, or failed."""
