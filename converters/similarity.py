"""The second output of converted classifiers, by which they answer "unknown" to other things.

A file gets the mean features of each class, of images that calibrate, computed by the file
itself. The threshold under which an image is unknown is chosen on the evaluation images, which
the network was not trained on: it is the highest below which of no class more of them lie than
may be lost. Over all classes together one may lose much: that of the fewest photos, or the one
whose photos differ most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.calibration.images import ConversionImages
from converters.comparing import workers_for
from converters.config import ConvertConfig
from edge_effnet.arrays import Float32Array, bincount
from edge_effnet.artifact import read_artifact, write_artifact
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.folders import both_parts
from edge_effnet.data.listing import load_dataset
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.heads.head import Head
from edge_effnet.heads.learning.cross_validation import LOST_SHARE, mean_features, unknown_rule
from edge_effnet.heads.learning.softmax_regression import unit
from edge_effnet.heads.unknown import Unknown
from edge_effnet.metrics import Comparison, compare_predictions
from edge_effnet.runtime.evaluating.predict import predict, true_answers
from edge_effnet.teaching.backbone import find_features, open_backbone
from edge_effnet.teaching.features import image_features
from edge_effnet.teaching.taught_file import with_similarity

_MOST_OF_A_CLASS = 20
_ENOUGH_OF_A_CLASS = round(1 / LOST_SHARE)
_UNDECIDED = Unknown(-1.0, LOST_SHARE, 0)


@dataclass(frozen=True, eq=False)
class KnownImages:
    """Images of each class of a network.

    Attributes:
        labels: of each path, (images,).
    """

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]
    classes: int


def known_images(
    images: ConversionImages, config: ConvertConfig, labels: tuple[str, ...], head: Head
) -> KnownImages | None:
    """Calibration images of each class, at most 20; None where that cannot be.

    The network must tell classes apart, and be evaluated on labelled images that it was not
    trained on; each class must have an image that calibrates. Other programs read one output.

    Args:
        labels: of the network.
    """
    evidence = images.evaluation_set is None or images.evaluation_set.is_evidence
    if config.target is not None:
        return None
    if head.task != "classes" or images.generated or images.spare or not evidence:
        return None
    calibrating = images.calibration.images
    dataset = calibrating and _labelled(calibrating, config, labels)
    if not dataset:
        return None
    try:
        truth = true_answers(dataset, labels, head, "the network")
    except EdgeEffnetError:  # other classes than the network's calibrate
        return None
    if truth is None or len(np.unique(truth)) < len(labels):
        return None
    places = [np.flatnonzero(truth == label)[:_MOST_OF_A_CLASS] for label in range(len(labels))]
    chosen = np.sort(np.concatenate(places))
    paths = tuple(dataset.samples[place].path for place in chosen)
    return KnownImages(paths, truth[chosen], len(labels))


def _labelled(
    calibrating: Dataset, config: ConvertConfig, labels: tuple[str, ...]
) -> Dataset | None:
    """Calibration images with their classes, which nothing else needs; None without any."""
    if all(sample.label is not None for sample in calibrating.samples):
        return calibrating
    parts = both_parts(config.data) if config.data is not None else None
    source = config.calibration or (parts and parts[0])
    if source is None:
        return None
    try:
        listed = load_dataset(source, labels=labels, part="training")
    except EdgeEffnetError:  # a folder of images alone, or of other classes
        return None
    wanted = {sample.path for sample in calibrating.samples}
    samples = tuple(sample for sample in listed.samples if sample.path in wanted)
    return replace(listed, samples=samples)


def add_similarity(path: Path, known: KnownImages, name: str, workers: int) -> bool:
    """Give a file its second output, with a rule that calls nothing unknown.

    Args:
        path: a file of ours, which is written anew.
        name: of the model, for its metadata.

    Returns:
        False where the file stays as it is: what its last layer reads is not float.
    """
    artifact = read_artifact(path)
    try:
        features = find_features(artifact.structure, str(path))
    except EdgeEffnetError:
        return False
    if artifact.card is None or artifact.structure.tensors[features].dtype != "float32":
        return False
    backbone = open_backbone(path)
    found = image_features(backbone, known.paths, workers=workers_for([path], workers), keep=False)
    labels = known.labels[list(found.index)]
    means = mean_features(unit(found.values[:, 0]), labels, known.classes)
    model = with_similarity(backbone, means, name)
    write_artifact(path, model, replace(artifact.card, unknown=_UNDECIDED), overwrite=True)
    return True


def decide_unknown(
    paths: Sequence[Path],
    comparisons: Sequence[Comparison | None],
    evaluation: Dataset,
    workers: int,
) -> tuple[dict[Path, Unknown], list[Comparison | None]]:
    """Choose the threshold of each file that has the second output.

    Args:
        paths: of the files, the reference first.
        comparisons: each file with the reference; None for the reference itself.

    Returns:
        The rules, and the comparisons with the answers "unknown" that follow from them.
    """
    compared = next((one for one in comparisons if one is not None), None)
    reference = (
        compared.reference_predictions
        if compared is not None
        else predict(paths[0], evaluation, workers=workers_for(paths[:1], workers))
    )
    found = [reference if one is None else one.candidate_predictions for one in comparisons]
    rules = {
        path: rule_for_each_class(one.similarity, one.truth)
        for path, one in zip(paths, found, strict=True)
        if one.similarity is not None and one.truth is not None
    }
    decided = [replace(one, rule=rules.get(path)) for path, one in zip(paths, found, strict=True)]
    return rules, [
        None if one is None else compare_predictions(decided[0], now)
        for one, now in zip(comparisons, decided, strict=True)
    ]


def rule_for_each_class(similarity: Float32Array, truth: NDArray[np.int64]) -> Unknown:
    """The lowest threshold of all evaluation images and of those of each class that has enough to
    choose one by; of fewer the lowest image alone would decide.

    Args:
        similarity, truth: of each evaluation image, (images,).
    """
    counts = bincount(truth)
    enough = [truth == label for label in np.flatnonzero(counts >= _ENOUGH_OF_A_CLASS)]
    chosen = [unknown_rule(similarity[which], LOST_SHARE) for which in enough]
    rules = [unknown_rule(similarity, LOST_SHARE), *chosen]
    lowest = min(rule.threshold for rule in rules)
    return replace(rules[0], threshold=lowest)
