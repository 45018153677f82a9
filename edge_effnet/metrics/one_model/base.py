"""What the report of one model holds, whatever kind of answer it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge_effnet.metrics.predictions import Predictions


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


@dataclass(frozen=True)
class MetricRow:
    """One row of a report.

    Attributes:
        value: None where there is none to show.
        form: how it is written, as for ``str.format``.
        remark: what it means.
        compared: whether it stands in a comparison of two models too.
    """

    name: str
    value: float | None
    form: str = "{:.1f} %"
    remark: str = ""
    compared: bool = True

    @property
    def text(self) -> str:
        return "–" if self.value is None else self.form.format(self.value)


@dataclass(frozen=True, eq=False)
class BaseSummary:
    """What the figures of every kind of answer have in common.

    Attributes:
        at_chance: whether nothing shows that the model is better than chance.
    """

    predictions: Predictions
    images: int
    at_chance: bool
    warnings: tuple[str, ...]

    def model_json(self) -> dict[str, Any]:
        """The model's file, where its predictions come from one."""
        return self.predictions.model.to_json() if self.predictions.model else {}
