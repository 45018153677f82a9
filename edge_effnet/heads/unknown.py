"""When a network should answer "unknown": what it sees is like none of the images it was taught.

A file with this has a second output: for each class, the cosine between the image's features and
the mean features of the class. Where the largest of them lies under the threshold, the image is
unknown, however sure the scores are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Unknown:
    """The rule of one file.

    Attributes:
        threshold: of the largest similarity, -1 to 1.
        lost_share: of images of the classes that may be answered "unknown" too, 0–1: what the
            threshold was chosen for.
        images: that it was chosen on, each held against features that it was no part of.
    """

    threshold: float
    lost_share: float
    images: int

    def __post_init__(self) -> None:
        if not (-1 <= self.threshold <= 1 and 0 <= self.lost_share < 1 and self.images >= 0):
            raise ValueError(f"no rule for unknown images: {self}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def is_unknown(rule: Unknown | None, similarity: float | None) -> bool:
    """Whether an image of this largest similarity is answered "unknown"; never without a rule."""
    return rule is not None and similarity is not None and similarity < rule.threshold


def unknown_from_json(raw: Mapping[str, Any] | None) -> Unknown | None:
    """What ``Unknown.to_json`` wrote; None for a file without such a rule.

    Raises:
        KeyError, TypeError, ValueError: damaged.
    """
    if raw is None:
        return None
    return Unknown(float(raw["threshold"]), float(raw["lost_share"]), int(raw["images"]))
