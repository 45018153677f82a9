"""One model's report, by the kind of its answer, and as a document."""

from __future__ import annotations

from typing import Any

from edge_effnet.metrics.one_model.class_summary import ClassSummary, summarize_classes
from edge_effnet.metrics.one_model.label_summary import LabelSummary, summarize_labels
from edge_effnet.metrics.one_model.value_summary import ValueSummary, summarize_values
from edge_effnet.metrics.predictions import Predictions

FORMAT = "edge-effnet/evaluation"
VERSION = 1


Summary = ClassSummary | LabelSummary | ValueSummary
"""What one model is worth, by the kind of its answer; all have ``headline``, ``figures``,
``warnings``, ``at_chance`` and ``figures_json``."""


def evaluation_json(summary: Summary) -> dict[str, Any]:
    """A document of its own: ``format``, ``version``, ``n``, the head and the figures."""
    predictions = summary.predictions
    return {
        "format": FORMAT,
        "version": VERSION,
        "n": summary.images,
        "head": predictions.effective_head.to_json(),
        **summary.figures_json(),
        "labels": list(predictions.labels),
        "skipped": [image.to_json() for image in predictions.skipped],
        "warnings": list(summary.warnings),
    }


def summarize(predictions: Predictions, *, top: int = 5) -> Summary:
    """Evaluate one model by what means something for its answers.

    Raises:
        ValueError: the truth is not known.
    """
    if predictions.task == "labels":
        return summarize_labels(predictions)
    if predictions.task == "value":
        return summarize_values(predictions)
    return summarize_classes(predictions, top=top)
