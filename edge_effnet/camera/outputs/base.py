"""What every output gives that takes the answers of a run: commands, pins, brokers, kept frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge_effnet.camera.answers import Decision
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.data.labels import match_label
from edge_effnet.errors import UsageProblem
from edge_effnet.printable import printable


class AnswerOutput(Protocol):
    """Takes the answers of a run. Called in the session's thread, and returns at once."""

    @property
    def problem(self) -> str | None:
        """Why something is cut or missing; None where nothing is."""

    def see(self, shown: Decision, frame: Frame) -> None:
        """Take the answer to a frame, steadied as it is shown."""

    def take_over(self, settings: SessionSettings) -> None:
        """Another model answers from now on. It knows the labels of the one before."""

    def tick(self, *, away: bool) -> None:
        """About ten times a second. ``away``: the camera gives no frames and is tried again."""

    def end(self) -> None:
        """The run is over, or failed."""


def answer_named(name: str, labels: Sequence[str], none: str, *, option: str) -> str:
    """The answer that an option names: a label, spelled in any way, or ``none``, that of no label.

    Raises:
        UsageProblem: no such label.
    """
    index = match_label(name, [printable(label) for label in labels])
    if index is not None:
        return labels[index]
    if name != none:
        raise UsageProblem(
            f"{option} {name}: the model knows no such label",
            expected=f"{none} or one of {', '.join(labels[:4])} …",
            fix="check the spelling",
        )
    return none
