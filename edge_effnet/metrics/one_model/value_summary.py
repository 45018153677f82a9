"""One model's report where the answer is a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_effnet.metrics.one_model.base import BaseSummary, Headline, MetricRow
from edge_effnet.metrics.predictions import Predictions

# Under so few images nothing is said about a model that explains nothing.
LEAST_IMAGES = 20


@dataclass(frozen=True, eq=False)
class ValueSummary(BaseSummary):
    """Errors of one model, in the unit of its value.

    Attributes:
        mean_abs_error, root_mean_square_error: over all images and outputs.
        r2: share of the variance of the true values that the answers explain, at most 1; 0 is
            what the mean of the true values would reach. None where all true values are equal.
        at_chance: whether the mean of the true values would have done as well.
    """

    mean_abs_error: float
    root_mean_square_error: float
    r2: float | None

    @property
    def headline(self) -> Headline:
        value = self.mean_abs_error
        return Headline("mean error", value, f"{value:.4g}", right_percent=None)

    @property
    def figures(self) -> list[MetricRow]:
        rows = [
            MetricRow("mean absolute error", self.mean_abs_error, "{:.4g}"),
            MetricRow("root mean square error", self.root_mean_square_error, "{:.4g}"),
        ]
        if self.r2 is not None:
            exact = "1 is exact, 0 no better than the mean"
            rows.append(MetricRow("R²", self.r2, "{:.3f}", exact))
        return rows

    def figures_json(self) -> dict[str, Any]:
        """The figures alone, as they stand under each model of a comparison."""
        return {
            **self.model_json(),
            "mae": self.mean_abs_error,
            "rmse": self.root_mean_square_error,
            "r2": self.r2,
            "at_chance": self.at_chance,
        }


def summarize_values(predictions: Predictions) -> ValueSummary:
    """Evaluate a model whose answer is a number.

    Raises:
        ValueError: the truth is not known.
    """
    truth = predictions.truth
    if truth is None:
        raise ValueError("an error needs the true values")
    error = predictions.scores.astype(np.float64) - truth
    images = len(truth)
    spread = float(((truth - truth.mean(axis=0)) ** 2).sum())
    r2 = 1 - float((error**2).sum()) / spread if spread > 0 else None
    at_chance = r2 is not None and r2 <= 0 and images >= LEAST_IMAGES
    warnings = []
    if at_chance:
        warnings.append(
            f"{predictions.name} is no better than always answering the mean of the true values "
            f"(R² {r2:.2f}): check the unit of the column 'value' and how pixels become input "
            "(--preprocess)"
        )
    return ValueSummary(
        images=images,
        mean_abs_error=float(np.abs(error).mean()),
        root_mean_square_error=float(np.sqrt((error**2).mean())),
        r2=r2,
        at_chance=at_chance,
        predictions=predictions,
        warnings=tuple(warnings),
    )
