"""The figures of a comparison that a model card keeps."""

from __future__ import annotations

from typing import Any

from edge_effnet.metrics.two_models.comparison import Comparison

_OF_BOTH = (
    "n",
    "agreement",
    "agreement_interval",
    "drop_points",
    "drop_interval_points",
    "mcnemar_p",
    "value_difference",
)
_OF_EACH = ("top1", "top5", "exact_match", "mean_average_precision", "mae", "r2")


def measured_figures(comparison: Comparison) -> dict[str, Any]:
    """What ``Card.measured`` says besides which images: float is the reference."""
    full = comparison.to_json()
    return {
        **{key: full[key] for key in _OF_BOTH if key in full},
        **{
            role: {key: full[role][key] for key in _OF_EACH if full[role].get(key) is not None}
            for role in ("reference", "candidate")
        },
    }
