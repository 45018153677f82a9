"""Evaluating classifiers: one model (``summarize``), or two on the same images
(``compare_predictions``). Pure arithmetic on arrays: no file is read, no model is run."""

from edge_effnet.metrics.one_model.chance import likely_cause
from edge_effnet.metrics.one_model.class_summary import ClassSummary, summarize_classes
from edge_effnet.metrics.one_model.label_summary import LabelSummary
from edge_effnet.metrics.one_model.mistakes import Mistake, Mistakes, find_mistakes
from edge_effnet.metrics.one_model.operating_points import (
    OperatingPoint,
    OperatingPoints,
    Target,
    find_operating_points,
)
from edge_effnet.metrics.one_model.summary import Summary, evaluation_json, summarize
from edge_effnet.metrics.one_model.unknown import UnknownAnswers, unknown_answers
from edge_effnet.metrics.one_model.value_summary import ValueSummary
from edge_effnet.metrics.predictions import (
    HashedFile,
    Predictions,
    Skipped,
    refuse_other_head,
    require_same_labels,
)
from edge_effnet.metrics.two_models.comparison import Comparison, ScoreError, compare_predictions
from edge_effnet.metrics.two_models.flips import Flip
from edge_effnet.metrics.two_models.kept_points import KeptPoint, KeptPoints, compare_points
from edge_effnet.metrics.two_models.paired import Paired

__all__ = [
    "ClassSummary",
    "Comparison",
    "Flip",
    "HashedFile",
    "KeptPoint",
    "KeptPoints",
    "LabelSummary",
    "Mistake",
    "Mistakes",
    "OperatingPoint",
    "OperatingPoints",
    "Paired",
    "Predictions",
    "ScoreError",
    "Skipped",
    "Summary",
    "Target",
    "UnknownAnswers",
    "ValueSummary",
    "compare_points",
    "compare_predictions",
    "evaluation_json",
    "find_mistakes",
    "find_operating_points",
    "likely_cause",
    "refuse_other_head",
    "require_same_labels",
    "summarize",
    "summarize_classes",
    "unknown_answers",
]
