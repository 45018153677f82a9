"""The one figure that stands for a model in a table, whatever kind of answer it gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Headline:
    """What a table shows of a model.

    Attributes:
        name: "top-1", "exact match" or "mean error".
        value: percent of the images, or an error in the unit of the value.
        text: the value as people read it.
        right_percent: images answered right; None where answers are numbers.
    """

    name: str
    value: float
    text: str
    right_percent: float | None
