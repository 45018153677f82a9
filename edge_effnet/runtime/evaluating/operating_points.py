"""Operating points of models on a data set: which images choose, and what the card keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.artifact import Card, artifact_bytes, read_artifact
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.prints import prints_of
from edge_effnet.data.division.split import divide
from edge_effnet.data.division.trained_on import learned_from, record, records
from edge_effnet.data.labels import listed, match_label
from edge_effnet.errors import DataError, ModelError, UsageProblem
from edge_effnet.heads.head import Head
from edge_effnet.heads.thresholds import ClassThreshold, Measure
from edge_effnet.metrics import (
    KeptPoints,
    OperatingPoints,
    Predictions,
    Target,
    compare_points,
    find_operating_points,
)
from edge_effnet.metrics.one_model.classification import Flags
from edge_effnet.plurals import counted, plural
from edge_effnet.runtime.evaluating.plan import EvaluationPlan
from edge_effnet.spelling import did_you_mean
from edge_effnet.stages import StartStage, no_progress
from edge_effnet.tflite.reader import read_model_bytes

SEED = 0
STEP = "thresholds chosen"


@dataclass(frozen=True)
class AskedTarget:
    """A target as it was asked for: ``name`` is a class as a person spells it."""

    measure: Measure
    name: str
    share: float


def resolve_targets(asked: Sequence[AskedTarget], plan: EvaluationPlan) -> tuple[Target, ...]:
    """Find the classes of targets among a plan's.

    Raises:
        UsageProblem: no such class.
        DataError: a name fits two classes, or the data has no classes.
    """
    if not asked:
        return ()
    samples = plan.dataset.samples
    if any(sample.label is None and sample.labels is None for sample in samples):
        raise DataError(
            f"--{asked[0].measure} needs images whose classes are known",
            found=f"{plan.dataset.source}, which names none",
            expected="a folder per class, or a CSV with a column label",
            fix=f"leave --{asked[0].measure} out, or give such images with --data",
        )
    labels = plan.labels or ()
    targets = []
    for one in asked:
        index = match_label(one.name, labels)
        if index is None:
            raise UsageProblem(
                f"--{one.measure}: there is no class {one.name!r}{did_you_mean(one.name, labels)}",
                expected=f"one of the {len(labels)} classes: {listed(labels)}",
                fix="spell it as the model does; evaluate --json lists its labels",
            )
        targets.append(Target(index, labels[index], one.measure, one.share))
    return tuple(targets)


@dataclass(frozen=True, eq=False)
class Halves:
    """One half of the images to choose on, the other to evaluate on.

    Attributes:
        chooses: (images,) of the predictions.
        chosen_on: the same images as a data set.
    """

    chooses: Flags
    chosen_on: Dataset
    notices: tuple[str, ...]


def halve(dataset: Dataset, predictions: Predictions, *, stage: StartStage = no_progress) -> Halves:
    """Divide the images that were predicted per class, near-duplicates on one side.

    Raises:
        DataError: an image is not there any more.
    """
    advance = stage("comparing images with each other", len(dataset))
    division = divide(dataset, 0.5, SEED, advance=advance)
    chosen = {sample.path for sample in division.rest.samples}
    return Halves(
        np.array([path in chosen for path in predictions.paths], np.bool_),
        division.rest,
        tuple(division.notices),
    )


def choose_points(
    predictions: Predictions, targets: Sequence[Target], halves: Halves
) -> OperatingPoints:
    """Choose a threshold for each target on one half, and evaluate it on the other."""
    return find_operating_points(predictions, targets, halves.chooses, notices=halves.notices)


def card_thresholds(card: Card | None, head: Head) -> dict[int, ClassThreshold]:
    """The thresholds of a card by class index; none where the head was named otherwise, so that
    scores mean something else."""
    if card is None or (card.head is not None and card.head.kind != head.kind):
        return {}
    return {card.labels.index(name): one for name, one in card.thresholds.items()}


def compare_at_thresholds(
    plan: EvaluationPlan,
    predictions: Sequence[Predictions],
    targets: Sequence[Target],
    *,
    stage: StartStage = no_progress,
) -> KeptPoints | None:
    """Whether the second model keeps the operating points of the first.

    Those of ``targets``, chosen on one half of the images and compared on the other; without any
    those of the first model's card, compared on images that they were not chosen on. None where
    there are none, or where the images have no classes.

    Raises:
        DataError: an image is not there any more.
    """
    ours, theirs = predictions
    if targets:
        halves = halve(plan.dataset, ours, stage=stage)
        found = choose_points(ours, targets, halves)
        chosen = [(one.target, one.threshold) for one in found.points if one.threshold]
        without = tuple(
            f"{one.target.label}, {one.target.text}: {one.conclusion}"
            for one in found.points
            if not one.threshold
        )
        return KeptPoints(
            compare_points(ours, theirs, chosen, ~halves.chooses),
            f"chosen on the other {counted(found.chosen_on, 'image')} with {ours.name}",
            found.evaluated_on,
            without,
            halves.notices,
        )
    card = read_artifact(plan.models[0]).card
    kept = card_thresholds(card, ours.effective_head)
    if card is None or not kept or ours.truth is None or ours.task == "value":
        return None
    chosen = [
        (Target(index, ours.labels[index], one.measure, one.share), one)
        for index, one in kept.items()
    ]
    known = _chosen_on(card, ours.paths)
    notices: tuple[str, ...] = ()
    if known.all():
        notices = (
            "all these images chose the thresholds too, which flatters the reference: give others",
        )
        known = np.zeros(len(known), np.bool_)
    elif known.any():
        count = int(known.sum())
        notices = (
            f"{counted(count, 'image')} that chose the thresholds "
            f"{plural(count, 'was', 'were')} left out here",
        )
    return KeptPoints(
        compare_points(ours, theirs, chosen, ~known),
        f"from the card of {ours.name}{_chosen_with(card)}",
        int((~known).sum()),
        notices=notices,
    )


def _chosen_with(card: Card) -> str:
    """Where a card's thresholds were chosen with the scores of another file."""
    others = {one.chosen_with for one in card.thresholds.values()} - {card.name}
    return f", chosen with {listed(sorted(others))}" if others else ""


def _chosen_on(card: Card, paths: Sequence[Path]) -> Flags:
    """For each image whether thresholds of the card were chosen on it."""
    steps = [step for step in card.steps if step.get("step") == STEP]
    known = records([{"data": step.get("chosen_on")} for step in steps])
    if not known:
        return np.zeros(len(paths), np.bool_)
    return learned_from(prints_of(paths), known)


def require_card(path: Path) -> Card:
    """The card of a model that thresholds are to be kept in.

    Raises:
        ModelError: it has none.
    """
    card = read_artifact(path).card
    if card is None:
        raise ModelError(
            f"{path} has no model card to keep thresholds in",
            found="a file that edge-effnet did not write",
            expected="a file of convert, train or prune",
            fix="leave --out out and keep the thresholds of --json, or convert the model first: "
            f"edge-effnet convert --model {path} --int8 --data IMAGES",
        )
    return card


def refuse_to_keep(targets: Sequence[Target], plan: EvaluationPlan, card: Card) -> None:
    """Refuse what a card could not keep, before time is spent on it.

    Raises:
        UsageProblem: two thresholds for one class, or scores that the card's model does not give.
        DataError: the network was trained on all images, so that they promise nothing.
    """
    if not plan.evaluation_set.is_evidence:
        raise DataError(
            "a threshold to keep needs images that the network was not trained on",
            found=f"all {counted(plan.evaluation_set.images, 'image')} of {plan.dataset.source}, "
            "or near-duplicates of them, were learned from",
            expected="images that it has not seen",
            fix="give such images with --data, or leave --out out",
        )
    kind = plan.head.kind if plan.head else None
    for option, differs in (
        ("--head", kind is not None and (card.head is None or kind != card.head.kind)),
        ("--preprocess", plan.preprocessing[0] != card.preprocess),
    ):
        if differs:
            raise UsageProblem(
                "a card keeps thresholds of the scores that its model gives as the card says",
                found=f"another {option} than the card's",
                fix=f"leave {option} out, or leave --out out",
            )
    seen = set()
    for target in targets:
        if target.index in seen:
            raise UsageProblem(
                "a card keeps one threshold for each class",
                found=f"two targets for {target.label!r}",
                fix="give one of them with --out, or leave --out out to see both",
            )
        seen.add(target.index)


def with_thresholds(path: Path, found: OperatingPoints, halves: Halves) -> bytes:
    """A copy of a model file whose card has the thresholds; those of other classes stay.

    Raises:
        ModelError: no card.
        DataError: a target without a threshold.
    """
    card = require_card(path)
    lacking = [one for one in found.points if one.threshold is None]
    if lacking:
        raise DataError(
            f"nothing was written: {lacking[0].target.label!r} has no threshold for a "
            f"{lacking[0].target.text}",
            found=lacking[0].conclusion,
            fix="give more images, or ask for less",
        )
    thresholds = {
        card.labels[one.target.index]: replace(one.threshold, chosen_with=card.name)
        for one in found.points
        if one.threshold
    }
    twice = next((name for name in thresholds if card.labels.count(name) > 1), None)
    if twice is not None:
        raise ModelError(
            f"{path} has two classes of one name, so its card cannot name the threshold's",
            found=f"{card.labels.count(twice)} classes called {twice!r}",
            expected="names that differ",
            fix="convert it again with --labels that differ",
        )
    step: dict[str, Any] = {
        "step": STEP,
        "classes": list(thresholds),
        "source": Path(halves.chosen_on.source).name,
        "seed": SEED,
        "chosen_on": {"images": record(halves.chosen_on, None)},
    }
    extended = replace(
        card,
        thresholds={**card.thresholds, **thresholds},
        steps=(*card.steps, step),
    )
    return artifact_bytes(read_model_bytes(path), extended)[0]
