"""Accuracy on the same device and the same images, and what is worth its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.spec import BenchSpec
from edge_effnet.data.labels import read_labels
from edge_effnet.data.listing import Dataset, balanced_sample, load_dataset
from edge_effnet.errors import ModelError
from edge_effnet.metrics import Predictions, compare_predictions, summarize
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.runtime.evaluation import predict_many
from edge_effnet.tflite_file import read_structure

_SMALL = {"int8", "uint8", "int16", "int4", "float16"}


def reference_place(models: Sequence[Path]) -> int:
    """The first model whose weights are all float32, else the first model."""
    for place, path in enumerate(models):
        tensors = read_structure(path).tensors
        if not any(tensor.constant_bytes and tensor.dtype in _SMALL for tensor in tensors):
            return place
    return 0


@dataclass(frozen=True)
class Judging:
    """Images that fit all models, the labels they are told by, and which model is compared
    with."""

    dataset: Dataset
    labels: tuple[str, ...]
    reference: int


def prepare_judging(spec: BenchSpec) -> Judging | None:
    """Check data against models before minutes are spent on their latency; None without data.

    Raises:
        DataError, ModelError: no data set, no image classifier, other classes.
    """
    if spec.data is None:
        return None
    labels = read_labels(spec.labels, spec.data) if spec.labels else None
    place = reference_place(spec.models)
    opened = [
        open_classifier(path, labels=labels, preprocess=spec.preprocess) for path in spec.models
    ]
    known = opened[place].labels
    for classifier in opened:
        if len(classifier.labels) != len(known):
            raise ModelError(
                f"{classifier.path} and {spec.models[place]} do not tell the same classes",
                found=f"{len(classifier.labels)} and {len(known)}",
                expected="the same number",
                fix="measure them in two runs",
            )
    names = opened[place].names or next((one.names for one in opened if one.names), None)
    dataset = load_dataset(spec.data, labels=names, classes=len(known), flat=True)
    known = dataset.labels or names or known
    if spec.images is not None:
        dataset = balanced_sample(dataset, spec.images, spec.seed)
    return Judging(dataset, known, place)


def measure_accuracy(
    spec: BenchSpec,
    judging: Judging,
    stage: Callable[[str, int | None], Callable[[int], None]],
) -> dict[str, Any]:
    """Run every model over the images and compare each with the reference.

    Returns:
        ``source``, ``images``, ``reference`` (index of a model), ``models`` (one entry each:
        file, sha256, top1, top5, agreement …; percent, None where not known),
        ``comparisons`` (each other model's, as ``edge-effnet compare`` writes them), ``skipped``
        (unreadable images), ``notes`` (how the data were read) and ``left_out``.

    Raises:
        DataError, ModelError: as ``predict_many``.
    """
    dataset, place = judging.dataset, judging.reference
    done = stage("accuracy", len(dataset))
    predictions = predict_many(
        spec.models,
        dataset,
        labels=judging.labels,
        preprocess=spec.preprocess,
        progress=lambda count, _: done(count),
    )
    reference = predictions[place]
    comparisons = [
        None if index == place else compare_predictions(reference, made).to_json()
        for index, made in enumerate(predictions)
    ]
    return {
        "source": dataset.source,
        "images": len(reference.paths),
        "reference": place,
        "models": [
            {
                **_figures(made),
                "agreement": 100.0 if comparison is None else comparison["agreement"],
            }
            for made, comparison in zip(predictions, comparisons, strict=True)
        ],
        "comparisons": [comparison for comparison in comparisons if comparison is not None],
        "skipped": [
            {"file": str(image.path), "reason": image.reason} for image in reference.skipped
        ],
        **dataset.reading_json(),
    }


def _figures(predictions: Predictions) -> dict[str, Any]:
    model = predictions.model
    entry: dict[str, Any] = model.to_json() if model else {}
    if predictions.truth is None:
        return {**entry, "top1": None, "top1_interval": None, "top5": None}
    summary = summarize(predictions)
    return {
        **entry,
        "top1": summary.top1_percent,
        "top1_interval": list(summary.top1_interval_percent),
        "top5": summary.top_percent[5],
    }


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
