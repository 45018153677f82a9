"""The file that is taught: the backbone as it was, a last layer behind it, and the card."""

from __future__ import annotations

import platform
from dataclasses import replace

import numpy as np

from edge_effnet import __version__
from edge_effnet.arrays import Float32Array
from edge_effnet.artifact import LABELS_NAME, Card
from edge_effnet.heads.head import Head
from edge_effnet.heads.learning.softmax_regression import LinearClassifier
from edge_effnet.teaching.backbone import TAUGHT, Backbone
from edge_effnet.tflite.metadata import METADATA_NAME, metadata_of
from edge_effnet.tflite.new_end import NewOperator, with_new_end

SCORES, SIMILARITY = "scores", "similarity"
# Steps that say something of classes that are not there any more.
_OF_OLD_CLASSES = frozenset({TAUGHT, "thresholds chosen"})
_UNIT, _LOGITS = "unit_features", "logits"


def taught_model(
    backbone: Backbone, layer: LinearClassifier, means: Float32Array, name: str
) -> bytes:
    """Put a last layer behind a backbone, whose operators and weights stay as they are.

    Args:
        layer: of unit features.
        means: unit features that stand for each class, float32 (classes, width).
        name: of the model, for its metadata.

    Returns:
        A model with two outputs: the scores, which other programs read as before, and for each
        class the cosine between the image's features and those of ``means``.
    """
    made = (1, len(layer.bias))
    unit, similarity = _similarity(backbone, means)
    behind = (
        *backbone.ending(),
        unit,
        NewOperator("FULLY_CONNECTED", _UNIT, _LOGITS, made, (layer.weights, layer.bias)),
        NewOperator("SOFTMAX", _LOGITS, SCORES, made),
        similarity,
    )
    model, structure, outputs = backbone.model, backbone.structure, [SCORES, SIMILARITY]
    metadata = _metadata(backbone, name)
    return with_new_end(model, structure, backbone.tensor, behind, outputs, metadata)


def with_similarity(backbone: Backbone, means: Float32Array, name: str) -> bytes:
    """Give a classifier that stays as it is the second output of ``taught_model``.

    Args:
        backbone: of the classifier.
        means: as there.
        name: of the model, for its metadata.
    """
    (scores,) = backbone.structure.outputs
    behind = (*backbone.ending(), *_similarity(backbone, means))
    return with_new_end(
        backbone.model,
        backbone.structure,
        scores,
        behind,
        [scores, SIMILARITY],
        _metadata(backbone, name),
    )


def _similarity(backbone: Backbone, means: Float32Array) -> tuple[NewOperator, NewOperator]:
    """Features of length 1, and their cosine to the mean features of each class."""
    classes, width = means.shape
    none = np.zeros(classes, np.float32)
    return (
        NewOperator("L2_NORMALIZATION", backbone.features, _UNIT, (1, width)),
        NewOperator("FULLY_CONNECTED", _UNIT, SIMILARITY, (1, classes), (means, none)),
    )


def _metadata(backbone: Backbone, name: str) -> dict[str, bytes]:
    content = metadata_of(
        backbone.preprocess,
        name=name,
        version=__version__,
        labels_file=LABELS_NAME,
        other_outputs=[(SIMILARITY, "cosine to the mean features of each class")],
    )
    return {METADATA_NAME: content}


def taught_card(backbone: Backbone, name: str, labels: tuple[str, ...]) -> Card:
    """The card of the base, for other classes: what was measured of the old ones is not of these.

    The caller adds the step.
    """
    tool = {"edge-effnet": __version__, "python": platform.python_version()}
    head = Head("softmax", len(labels))
    if backbone.card is None:
        weights = {"kind": "file", "file": backbone.path.name}
        return Card(name, labels, backbone.preprocess, weights=weights, tool=tool, head=head)
    steps = tuple(step for step in backbone.card.steps if step.get("step") not in _OF_OLD_CLASSES)
    return replace(
        backbone.card,
        name=name,
        labels=labels,
        preprocess=backbone.preprocess,
        steps=steps,
        measured=None,
        tool=tool,
        head=head,
        unknown=None,
        thresholds={},
    )
