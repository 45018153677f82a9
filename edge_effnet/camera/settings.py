"""What a run of ``edge-effnet camera`` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_effnet.camera.answers import UNKNOWN
from edge_effnet.camera.frames import Region


@dataclass(frozen=True)
class Pace:
    """How a source is run.

    Attributes:
        every_frame: a file at the models' speed, nothing left out; else it is paced at its
            own rate, like a camera.
        loop: start a file again when it ends.
        stall_s: a live source that gives nothing for so long is given up and reopened.
        first_pause_s, longest_pause_s: between attempts to reopen; each doubles the last until
            a frame comes.
    """

    every_frame: bool = False
    loop: bool = False
    stall_s: float = 5.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0


@dataclass(frozen=True)
class SessionSettings:
    """What a run is asked to do.

    Attributes:
        reference_kind: one word for how the reference keeps its numbers, beside its answers.
        smooth_s: time constant of the smoothing; 0 for none.
        none: the answer of a frame without a class or label.
        every_s: seconds from answer to answer, of a time lapse; ``fps`` is its inverse then.
        threshold: score below which a class is "unknown", or above which a label is answered.
        max_temp_c: the rate is lowered above it, or when the board throttles.
    """

    labels: tuple[str, ...]
    model_name: str
    reference_name: str | None = None
    reference_kind: str = "float"
    pace: Pace = field(default_factory=Pace)
    region: Region = field(default_factory=Region)
    fps: float | None = None
    every_s: float | None = None
    max_temp_c: float = 80.0
    smooth_s: float = 0.0
    threshold: float | None = None
    none: str = UNKNOWN
    top: int = 3
    compare_every: int = 1
