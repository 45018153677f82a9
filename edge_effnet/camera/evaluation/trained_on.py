"""Frames that a model was trained on say nothing about it, on a camera either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge_effnet.camera.evaluation.ground_truth import GroundTruth, Known
from edge_effnet.camera.evaluation.scenes import KNOWN_SCENES
from edge_effnet.camera.frames import Frame
from edge_effnet.data.division.prints import prints_of, prints_of_pixels
from edge_effnet.data.division.trained_on import TrainingRecord, learned_from
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.plurals import counted

_REMEMBERED = 256
"""Frames: two models ask about each, and the slower one asks later."""


@dataclass
class LearnedScenes:
    """Whether frames look like images that the models learned from: asked once for each scene,
    by its first frame, because that takes longer than an answer.

    Attributes:
        records: of their trainings; without any nothing was learned.
    """

    records: Sequence[TrainingRecord]
    _learned: dict[int, bool] = field(default_factory=dict)

    def __call__(self, scene: int, pixels: Pixels) -> bool:
        """Args: pixels: of a frame of the scene, RGB, as the source gave it."""
        if not self.records:
            return False
        if scene not in self._learned:
            found = learned_from(prints_of_pixels(pixels), self.records)
            self._learned[scene] = bool(found[0])
            if len(self._learned) > KNOWN_SCENES:
                del self._learned[next(iter(self._learned))]
        return self._learned[scene]


@dataclass
class HeldOutTruth:
    """Ground truth that skips frames seen in training: those prove nothing.

    Attributes:
        records: the records of their trainings.
        trained: how many frames it skipped.
    """

    truth: GroundTruth
    records: Sequence[TrainingRecord]
    trained: int = 0
    _learned: dict[int, bool] = field(default_factory=dict)

    def __call__(self, frame: Frame) -> Known | None:
        true = self.truth(frame)
        if true is None:
            return None
        if frame.number not in self._learned:
            prints = prints_of([frame.path]) if frame.path else prints_of_pixels(frame.pixels)
            self._learned[frame.number] = bool(learned_from(prints, self.records)[0])
            self.trained += self._learned[frame.number]
            if len(self._learned) > _REMEMBERED:
                del self._learned[next(iter(self._learned))]
        return None if self._learned[frame.number] else true

    def line(self, labelled: int) -> str | None:
        """What to say first, given how many other frames had a known class."""
        if not self.trained:
            return None
        frames = counted(self.trained, "frame")
        said = f"the network was trained on {frames} (or on near-duplicates of them)"
        if labelled:
            return f"{said}: evaluated on the {labelled} others with a known class"
        return f"no evidence: {said}, and no other has a known class to evaluate it on"
