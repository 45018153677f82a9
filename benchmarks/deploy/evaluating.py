"""Both models on the same photos, before one takes the place of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.deploy.evidence import Evidence, evidence_of, without_classes
from edge_effnet.artifact import Artifact
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.trained_on import EvaluationSet, leave_out_trained
from edge_effnet.errors import ModelError
from edge_effnet.metrics import Predictions, compare_predictions
from edge_effnet.metrics.two_models.previous import Against, Counts, compare_with_before
from edge_effnet.runtime.evaluating.plan import plan_evaluation
from edge_effnet.runtime.evaluating.predict import predict
from edge_effnet.stages import StartStage


def evaluate_both(
    old: tuple[Path, Artifact], new: tuple[Path, Artifact], data: Path, stage: StartStage
) -> Evidence:
    """Run both on photos that neither learned from, and test the difference in pairs.

    A photo of a class that the old file does not know counts as answered wrong by it; a loss on
    the classes that both know is one all the same.

    Raises:
        DataError, ModelError: photos that do not fit the models, or models that cannot be run.
    """
    (before, before_file), (now, now_file) = old, new
    if before_file.labels != now_file.labels and before_file.labels and now_file.labels:
        return _with_new_classes(old, new, data, stage)
    plan = plan_evaluation([before, now], data, stage=stage)
    shown = stage("evaluating both", len(plan.dataset))
    ours, theirs = plan.predict(progress=lambda done, _all: shown(done))
    comparison, usable = compare_predictions(ours, theirs), plan.evaluation_set
    if comparison.paired is not None:
        return _evidence(usable, without_classes(Counts.of(ours.right, theirs.right)))
    line = "; ".join(comparison.losses) or "no loss is proven"  # values
    return Evidence(
        f"on {plan.dataset.source}: {line}", bool(comparison.losses) and usable.is_evidence
    )


def _with_new_classes(
    old: tuple[Path, Artifact], new: tuple[Path, Artifact], data: Path, stage: StartStage
) -> Evidence:
    """The same of files whose classes differ, or stand in another order."""
    plan = plan_evaluation([new[0]], data, stage=stage)
    steps = [step for _, file in (old, new) if file.card for step in file.card.steps]
    usable = leave_out_trained(plan.given, steps)
    dataset = usable.dataset
    if any(sample.label is None for sample in dataset.samples):
        raise ModelError(
            "the two files cannot be compared on these photos",
            found="other labels in each, several of which may hold at a time",
            expected="the same labels, or models that answer one class",
            fix="omit --data",
        )
    known = _of_classes(dataset, old[1].labels or ())
    shown = stage("evaluating both", len(dataset) + len(known))
    (theirs,) = replace(plan, dataset=dataset).predict(progress=lambda done, _all: shown(done))
    was: dict[Path, bool] = {}
    if len(known):
        ours = predict(old[0], known, progress=lambda done, _all: shown(len(dataset) + done))
        was = _right_by_path(ours)
    truth = () if theirs.truth is None else theirs.truth  # known: each has a class
    against = compare_with_before(
        "the file there",
        [theirs.labels[index] for index in truth],
        np.array([was.get(path, False) for path in theirs.paths]),
        theirs.right,
        before=old[1].labels or (),
        after=new[1].labels or (),
    )
    return _evidence(usable, against)


def _of_classes(dataset: Dataset, names: Sequence[str]) -> Dataset:
    labels = {index for index, name in enumerate(dataset.labels) if name in names}
    samples = tuple(sample for sample in dataset.samples if sample.label in labels)
    return replace(dataset, samples=samples)


def _right_by_path(predictions: Predictions) -> dict[Path, bool]:
    return dict(zip(predictions.paths, map(bool, predictions.right), strict=True))


def _evidence(usable: EvaluationSet, against: Against) -> Evidence:
    found = evidence_of(against, f"on {usable.dataset.source}")
    line = f"{found.line}; {usable.line}" if usable.line else found.line
    return Evidence(line, found.is_worse and usable.is_evidence)
