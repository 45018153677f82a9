"""Teach a network new classes: features, a last layer, and how right it is on images set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_effnet.artifact import Card
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.near_duplicates import find_duplicates
from edge_effnet.data.trained_on import record
from edge_effnet.errors import DataError
from edge_effnet.heads.head import Head
from edge_effnet.heads.unknown import Unknown
from edge_effnet.metrics import Predictions
from edge_effnet.stages import StartStage
from edge_effnet.teaching.backbone import TAUGHT, Backbone
from edge_effnet.teaching.cross_validation import (
    FOLDS,
    CrossValidation,
    TaughtImages,
    cross_validate,
    mean_features,
    unknown_rule,
)
from edge_effnet.teaching.features import Features, image_features
from edge_effnet.teaching.softmax_regression import fit
from edge_effnet.teaching.taught_file import taught_card, taught_model


@dataclass(frozen=True, eq=False)
class Taught:
    """What was taught.

    Attributes:
        predictions: of the images by cross-validation; None where no class has two different
            images, so that nothing can be said.
        half_right: share right by layers that learned from half as many images, or None.
        not_evaluated: classes with fewer than two different images.
        unknown: the rule for other things, in the card too.
        one_scene: classes most of whose images look the same, as frames of one clip: images that
            taught and images asked about are told apart by their bytes alone there.
        in_two_classes: pairs of image files of different classes with the same bytes.
    """

    model: bytes
    card: Card
    dataset: Dataset
    predictions: Predictions | None
    half_right: float | None
    not_evaluated: tuple[str, ...]
    unknown: Unknown | None
    features: Features
    one_scene: tuple[str, ...]
    in_two_classes: tuple[tuple[Path, Path], ...]


def teach(
    dataset: Dataset,
    backbone: Backbone,
    *,
    name: str,
    lost_share: float,
    seed: int,
    workers: int | None,
    stage: StartStage,
) -> Taught:
    """Teach a backbone the classes of a data set. The same for the same images and seed.

    Args:
        name: of what is made, for its card.
        lost_share: of images of the classes that may be answered "unknown".

    Raises:
        DataError: none of the images, or none of a class, can be read.
    """
    seen = stage("computing features", len(dataset))
    paths = [sample.path for sample in dataset.samples]
    features = image_features(
        backbone, paths, workers=workers, progress=lambda count, _: seen(count)
    )
    learned = replace(dataset, samples=tuple(dataset.samples[index] for index in features.index))
    _refuse_missing_classes(dataset, learned)
    duplicates = find_duplicates(learned)
    images = TaughtImages(
        features.values,
        np.array([sample.label for sample in learned.samples], np.int64),
        duplicates.group,
        len(dataset.labels),
    )
    done = stage("cross-validating", None)
    validation = cross_validate(images, seed)
    done(1)
    done = stage("learning", None)
    labels = images.all_views(images.labels)
    layer = fit(images.problem, labels, images.classes, validation.decay)
    means = mean_features(images.asked, images.labels, images.classes)
    model = taught_model(backbone, layer, means, name)
    done(1)
    rule = unknown_rule(validation, lost_share)
    predictions = _predictions(learned, validation, features)
    step = {
        "step": TAUGHT,
        "base": backbone.path.name,
        "backbone_sha256": backbone.sha256,
        "images_per_class": learned.class_counts,
        "weight_decay": validation.decay,
        "seed": seed,
        "cross_validation": _measured(validation, images),
        "data": {"source": dataset.source, "images": record(learned, None)},
    }
    card = taught_card(backbone, name, dataset.labels)
    return Taught(
        model,
        replace(card, steps=(*card.steps, step), unknown=rule or Unknown(-1.0, 0.0, 0)),
        learned,
        predictions,
        validation.half_right,
        tuple(
            name
            for label, name in enumerate(dataset.labels)
            if not validation.evaluated[images.labels == label].any()
        ),
        rule,
        features,
        tuple(
            name
            for label, name in enumerate(dataset.labels)
            if duplicates.alike[images.labels == label].any()
        ),
        _in_two_classes(learned, features.hashes),
    )


def _in_two_classes(learned: Dataset, hashes: Sequence[str]) -> tuple[tuple[Path, Path], ...]:
    first, found = dict[str, Sample](), list[tuple[Path, Path]]()
    for sample, digest in zip(learned.samples, hashes, strict=True):
        before = first.setdefault(digest, sample)
        if before.label != sample.label:
            found.append((before.path, sample.path))
    return tuple(found)


def _refuse_missing_classes(dataset: Dataset, learned: Dataset) -> None:
    lacking = [name for name in dataset.class_counts if name not in learned.class_counts]
    if lacking:
        raise DataError(
            f"no image of {lacking[0]!r} in {dataset.source} can be read",
            found=f"{dataset.class_counts[lacking[0]]} files",
            expected="an image at least of each class",
            fix="replace them, or take the folder away",
        )


def _predictions(
    learned: Dataset, validation: CrossValidation, features: Features
) -> Predictions | None:
    """Of the images that could be evaluated, as an evaluation has them."""
    chosen = np.flatnonzero(validation.evaluated)
    if not len(chosen):
        return None
    samples = [learned.samples[index] for index in chosen]
    return Predictions(
        scores=validation.scores[chosen],
        truth=np.array([sample.label for sample in samples], np.int64),
        paths=tuple(sample.path for sample in samples),
        labels=learned.labels,
        skipped=features.skipped,
        head=Head("softmax", len(learned.labels)),
    )


def _measured(validation: CrossValidation, images: TaughtImages) -> dict[str, int]:
    right = (validation.scores.argmax(axis=1) == images.labels) & validation.evaluated
    return {"folds": FOLDS, "images": int(validation.evaluated.sum()), "right": int(right.sum())}
