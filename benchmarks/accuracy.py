"""Accuracy on the same device and the same images, and what is worth its time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.spec import BenchSpec
from edge_effnet.data.given_labels import read_labels
from edge_effnet.metrics import Comparison, Predictions, compare_predictions, summarize
from edge_effnet.runtime.evaluating.plan import EvaluationPlan, plan_evaluation
from edge_effnet.stages import StartStage, no_progress
from edge_effnet.tflite.reader import read_structure

_SMALL = {"int8", "uint8", "int16", "int4", "float16"}


def reference_index(models: Sequence[Path]) -> int:
    """The first model whose weights are all float32, else the first model."""
    for index, path in enumerate(models):
        tensors = read_structure(path).tensors
        if not any(tensor.constant_bytes and tensor.dtype in _SMALL for tensor in tensors):
            return index
    return 0


def plan_accuracy(spec: BenchSpec, stage: StartStage = no_progress) -> EvaluationPlan | None:
    """Check data against models before minutes are spent on their latency; None without data.

    Raises:
        DataError, ModelError: no data set, no image classifier, other classes.
    """
    if spec.data is None:
        return None
    plan = plan_evaluation(
        spec.models,
        spec.data,
        labels=read_labels(spec.labels, spec.data) if spec.labels else None,
        preprocess=spec.preprocess,
        head=spec.head_choice,
        flat=True,
        stage=stage,
    )
    return plan if spec.images is None else plan.sample(spec.images, spec.seed)


def measure_accuracy(
    spec: BenchSpec,
    plan: EvaluationPlan,
    stage: StartStage,
) -> dict[str, Any]:
    """Run every model over the images and compare each with the reference.

    Returns:
        ``source``, ``images``, ``reference`` (index of a model), ``models`` (one entry each:
        file, sha256, agreement, ``headline`` with name, value and text, and the metrics of its
        head, such as top1 and top5 in percent; None where not known), ``comparisons`` (each
        other model's, as ``edge-effnet compare`` writes them), ``warnings``, ``skipped``
        (unreadable images), ``notes`` (how the data were read and fed), ``left_out`` and
        ``trained_on`` (see ``trained_on.EvaluationSet``).

    Raises:
        DataError, ModelError: as ``predict_many``.
    """
    dataset, chosen = plan.dataset, reference_index(spec.models)
    done = stage("accuracy", len(dataset))
    predictions = plan.predict(progress=lambda count, _: done(count))
    reference = predictions[chosen]
    comparisons = [
        None if index == chosen else compare_predictions(reference, made)
        for index, made in enumerate(predictions)
    ]
    others = [comparison for comparison in comparisons if comparison is not None]
    own = [] if others or reference.truth is None else summarize(reference).warnings
    return {
        "source": dataset.source,
        "images": len(reference.paths),
        **plan.evaluation_set.to_json(),
        "reference": chosen,
        "models": [
            _figures(made, comparison)
            for made, comparison in zip(predictions, comparisons, strict=True)
        ],
        "comparisons": [comparison.to_json() for comparison in others],
        # What is said of the reference stands in each comparison: once is enough.
        "warnings": list(
            dict.fromkeys([*plan.warnings, *own, *(w for one in others for w in one.warnings)])
        ),
        "skipped": [image.to_json() for image in reference.skipped],
        **dataset.reading_json(),
        "notes": [*dataset.notes, *plan.notices],
    }


def _figures(predictions: Predictions, comparison: Comparison | None) -> dict[str, Any]:
    """One model's entry; ``comparison`` with the reference, None for that itself."""
    model, values = predictions.model, predictions.task == "value"
    same = 100.0 if comparison is None else comparison.agreement_percent
    entry: dict[str, Any] = {
        **(model.to_json() if model else {}),
        **dict.fromkeys(("top1", "top1_interval", "top5", "headline")),
        "agreement": None if values else same,
    }
    if comparison is not None and comparison.value_difference:
        entry["difference"] = comparison.value_difference.mean_abs
    if predictions.truth is None:
        return entry
    summary = summarize(predictions)
    figures = {k: v for k, v in summary.figures_json().items() if k in (*entry, *_OTHER_HEADS)}
    headline = summary.headline
    told = {"name": headline.name, "value": headline.value, "text": headline.text}
    return {**entry, **figures, "headline": told}


_OTHER_HEADS = ("exact_match", "exact_match_interval", "mean_average_precision", "mae", "r2")


def pareto_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Which (cost, worth) points are on the front: no other costs no more and is worth no less,
    with one of the two better. Equal points share their place."""
    return [
        not any(
            other_cost <= cost
            and other_worth >= worth
            and (other_cost < cost or other_worth > worth)
            for other_cost, other_worth in points
        )
        for cost, worth in points
    ]
