"""What was found of how a network wants its images, where nobody said."""

from __future__ import annotations

from dataclasses import dataclass

from edge_effnet.image.preprocessing import Preprocess


@dataclass(frozen=True)
class FoundPreprocess:
    """How an image becomes the input of a network, and from what that was found.

    Attributes:
        reason: completes "found from …", such as "its TFLite metadata".
        default_fit: whether that tells nothing of how the photo is fitted.
    """

    settings: Preprocess
    reason: str
    default_fit: bool = False
