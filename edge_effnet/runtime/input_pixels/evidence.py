"""What is known of how an image becomes a network's input before any photo is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocessing import Preprocess

Strength = Literal["stated", "inferred", "open"]
FEWEST_PHOTOS = 8  # labelled ones, to tell more than chance


@dataclass(frozen=True)
class Evidence:
    """What a file tells, and what the user added.

    Attributes:
        settings: the best that is known; of an ``open`` file the size and channels alone.
        reason: completes "found from …".
        strength: of the scaling of pixels: ``stated`` holds whatever photos say, ``inferred``
            holds unless labelled photos contradict it, ``open`` says nothing.
        warnings: what is wrong with the file's input, in sentences.
        fit_known, channels_known: whether how the image is fitted and how its channels are
            ordered is known, by the user or as Teachable Machine does it.
    """

    settings: Preprocess
    reason: str
    strength: Strength
    warnings: tuple[str, ...] = ()
    fit_known: bool = False
    channels_known: bool = False

    @property
    def complete(self) -> bool:
        """Whether scaling, fit and channels are told."""
        return self.strength != "open" and self.fit_known and self.channels_known

    @property
    def found(self) -> FoundPreprocess | None:
        """The same as an answer; None where the file says nothing."""
        if self.strength == "open":
            return None
        return FoundPreprocess(self.settings, self.reason, default_fit=not self.fit_known)
