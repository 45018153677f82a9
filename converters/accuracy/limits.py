"""Limits that the user set. Light: ``--help`` comes through here."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_effnet.config_files import option
from edge_effnet.ui.quantities import Percent, Points


@dataclass(frozen=True)
class Limits:
    """The limits; None where none is set.

    Attributes:
        max_drop_points: of the images answered right (top-1; with several labels, exact match),
            float minus quantized; needs labels.
        min_agreement_percent: images with the same answer (class, or labels) as float.
        max_class_drop_points: of the recall of every class or label; needs labels.
    """

    max_drop_points: float | None = field(
        default=None,
        metadata=option(
            "Largest allowed top-1 drop in points; tries strategies until one keeps it.",
            flag="--max-drop",
            metavar="POINTS",
            kind=Points(least=0.1),
        ),
    )
    min_agreement_percent: float | None = field(
        default=None,
        metadata=option(
            "Smallest allowed share of answers that are float's; needs no labels.",
            flag="--min-agreement",
            metavar="PERCENT",
            kind=Percent(),
        ),
    )
    max_class_drop_points: float | None = field(
        default=None,
        metadata=option(
            "Where no single class may suffer: largest allowed drop of the recall of any.",
            flag="--max-class-drop",
            metavar="POINTS",
            kind=Points(least=1),
        ),
    )

    def __bool__(self) -> bool:
        """Whether any is set."""
        return self != Limits()

    def without_labels(self) -> Limits:
        """The same limits where the truth is not known.

        An answer that did not change cannot have become wrong, so the drop is at most the
        disagreement: agreement of 100 - drop implies the limit.
        """
        if self.max_drop_points is None:
            return self
        agreement = max(100 - self.max_drop_points, self.min_agreement_percent or 0.0)
        return Limits(min_agreement_percent=agreement)
