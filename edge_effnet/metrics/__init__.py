"""Judging classifiers: one model (``summarize``), or two on the same images
(``compare_predictions``). Pure arithmetic on arrays: no file is read, no model is run."""

from edge_effnet.metrics.chance import likely_cause
from edge_effnet.metrics.comparison import (
    Comparison,
    Flip,
    Paired,
    ScoreError,
    compare_predictions,
)
from edge_effnet.metrics.predictions import (
    ModelFile,
    Predictions,
    Skipped,
    require_same_labels,
)
from edge_effnet.metrics.summary import Summary, summarize

__all__ = [
    "Comparison",
    "Flip",
    "ModelFile",
    "Paired",
    "Predictions",
    "ScoreError",
    "Skipped",
    "Summary",
    "compare_predictions",
    "likely_cause",
    "require_same_labels",
    "summarize",
]
