"""Limits that the user set. Light: ``--help`` comes through here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits; None where none is set.

    Attributes:
        max_drop_points: of the images answered right (top-1; with several labels, exact match),
            float minus quantized; needs labels.
        min_agreement_percent: images with the same answer (class, or labels) as float.
        max_class_drop_points: of the recall of every class or label; needs labels.
    """

    max_drop_points: float | None = None
    min_agreement_percent: float | None = None
    max_class_drop_points: float | None = None

    @classmethod
    def where_set(
        cls,
        max_drop_points: float | None,
        min_agreement_percent: float | None,
        max_class_drop_points: float | None,
    ) -> Limits | None:
        """The limits, or None where none of them is set."""
        limits = cls(max_drop_points, min_agreement_percent, max_class_drop_points)
        return None if limits == cls() else limits

    def without_labels(self) -> Limits:
        """The same limits where the truth is not known.

        An answer that did not change cannot have become wrong, so the drop is at most the
        disagreement: agreement of 100 - drop implies the limit.
        """
        if self.max_drop_points is None:
            return self
        agreement = max(100 - self.max_drop_points, self.min_agreement_percent or 0.0)
        return Limits(min_agreement_percent=agreement)
