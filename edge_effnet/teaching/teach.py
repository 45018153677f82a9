"""Teach a network new classes: a last layer, and how right it is on images set aside."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edge_effnet.artifact import Card
from edge_effnet.data.division.prints import Prints
from edge_effnet.data.division.trained_on import record_of
from edge_effnet.heads.head import Head
from edge_effnet.heads.learning.added_classes import lowered_by, with_lowered
from edge_effnet.heads.learning.cross_validation import (
    FOLDS,
    CrossValidation,
    TaughtImages,
    cross_validate,
    mean_features,
    unknown_rule,
)
from edge_effnet.heads.learning.softmax_regression import fit
from edge_effnet.heads.unknown import Unknown
from edge_effnet.metrics import Predictions
from edge_effnet.stages import StartStage
from edge_effnet.teaching.backbone import TAUGHT, Backbone
from edge_effnet.teaching.collection import Collection
from edge_effnet.teaching.layer_settings import LayerSettings
from edge_effnet.teaching.taught_file import taught_card, taught_model


@dataclass(frozen=True, eq=False)
class Taught:
    """What was taught.

    Attributes:
        predictions: of the images by cross-validation; None where no class has two different
            images, so that nothing can be said.
        half_right: share right by layers that learned from half as many images, or None.
        learned_right: share of the images right by the layer that learned from them.
        settings: of the layer.
        not_evaluated: classes with fewer than two different images.
        unknown: the rule for other things, in the card too.
        one_scene: classes most of whose images look the same, as frames of one clip: images that
            taught and images asked about are told apart by their bytes alone there.
    """

    model: bytes
    card: Card
    collection: Collection
    predictions: Predictions | None
    half_right: float | None
    learned_right: float
    settings: LayerSettings
    not_evaluated: tuple[str, ...]
    unknown: Unknown | None
    one_scene: tuple[str, ...]


def teach(
    collection: Collection,
    backbone: Backbone,
    *,
    name: str,
    lost_share: float,
    seed: int,
    stage: StartStage,
) -> Taught:
    """Teach a backbone the classes of a collection. The same for the same images and seed.

    Args:
        name: of what is made, for its card.
        lost_share: of images of the classes that may be answered "unknown".
    """
    duplicates = collection.duplicates
    images = TaughtImages(
        collection.features, collection.classes, duplicates.group, len(collection.labels)
    )
    done = stage("cross-validating", None)
    validation = cross_validate(images, seed)
    lowered = lowered_by(
        validation.scores,
        images.labels,
        validation.evaluated,
        [collection.labels.index(name) for name in collection.added],
    )
    validation = replace(validation, scores=with_lowered(validation.scores, lowered))
    settings = LayerSettings(
        validation.decay,
        {name: float(one) for name, one in zip(collection.labels, lowered, strict=True) if one},
    )
    done(1)
    done = stage("learning", None)
    labels = images.all_views(images.labels)
    layer = fit(images.problem, labels, images.classes, validation.decay).lowered(lowered)
    means = mean_features(images.asked, images.labels, images.classes)
    model = taught_model(backbone, layer, means, name)
    done(1)
    similarity = validation.similarity[validation.evaluated]
    rule = unknown_rule(similarity, lost_share) if len(similarity) else None
    step = {
        "step": TAUGHT,
        "base": backbone.path.name,
        "backbone_sha256": backbone.sha256,
        "images_per_class": collection.class_counts,
        "classes": collection.remembered(),
        **({"bursts": bursts} if (bursts := collection.bursts()) else {}),
        **({"added": list(collection.added)} if collection.added else {}),
        **settings.to_json(),
        "seed": seed,
        "cross_validation": _measured(validation, images),
        "data": {
            "source": collection.source,
            "images": record_of(duplicates.prints, _no_prints()),
        },
    }
    card = taught_card(backbone, name, collection.labels)
    return Taught(
        model,
        replace(card, steps=(*card.steps, step), unknown=rule or Unknown(-1.0, 0.0, 0)),
        collection,
        _predictions(collection, validation),
        validation.half_right,
        float((layer.scores(images.asked).argmax(axis=1) == images.labels).mean()),
        settings,
        tuple(
            name
            for label, name in enumerate(collection.labels)
            if not validation.evaluated[images.labels == label].any()
        ),
        rule,
        tuple(
            name
            for label, name in enumerate(collection.labels)
            if duplicates.alike[images.labels == label].any()
        ),
    )


def _no_prints() -> Prints:
    none = np.zeros(0, np.uint64)
    return Prints(none, none.reshape(0, 2), np.zeros(0, np.bool_))


def _predictions(collection: Collection, validation: CrossValidation) -> Predictions | None:
    """Of the images that could be evaluated, as an evaluation has them."""
    chosen = np.flatnonzero(validation.evaluated)
    if not len(chosen):
        return None
    return Predictions(
        scores=validation.scores[chosen],
        truth=collection.classes[chosen],
        paths=tuple(collection.paths[index] for index in chosen),
        labels=collection.labels,
        skipped=collection.skipped,
        head=Head("softmax", len(collection.labels)),
    )


def _measured(validation: CrossValidation, images: TaughtImages) -> dict[str, int]:
    right = (validation.scores.argmax(axis=1) == images.labels) & validation.evaluated
    return {"folds": FOLDS, "images": int(validation.evaluated.sum()), "right": int(right.sum())}
