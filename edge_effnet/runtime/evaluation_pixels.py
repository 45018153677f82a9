"""How pixels become the input of models that are run together, found once for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from edge_effnet.cores import available_cores
from edge_effnet.data.dataset import Dataset
from edge_effnet.runtime.classifier import Classifier
from edge_effnet.runtime.evaluation import true_answers
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.runtime.input_pixels.file_evidence import found_line
from edge_effnet.runtime.input_pixels.known import InputPixels, with_settings
from edge_effnet.runtime.input_pixels.labelled import TrialOutcome, find_with_photos, sample_of
from edge_effnet.runtime.input_pixels.trial import LabelledPhotos
from edge_effnet.tflite.reader import Structure, read_model_bytes

_STRENGTHS = ("open", "inferred", "stated")
_SAME_KERNELS = 0.8


def settle_pixels(
    models: Sequence[Classifier], dataset: Dataset | None = None, *, workers: int | None = None
) -> list[InputPixels]:
    """What goes into each model: as the user or a card says, else as found on labelled photos.

    Files of one network get one and the same: as the one says that was told or carries a card,
    else as found for the one whose file tells most.

    Args:
        models: opened without asking.
        dataset: with or without labels; None where there are no photos, as for a camera.

    Raises:
        ModelError: neither the file nor photos tell.
        DataError: a class of the data set that the model does not know.
    """
    settled: list[InputPixels | None] = [None] * len(models)
    for index, model in enumerate(models):
        if settled[index] is not None:
            continue
        same = [
            other
            for other in range(len(models))
            if settled[other] is None and _same_network(model, models[other])
        ]
        pixels = _settle([models[other] for other in same], dataset, workers)
        for other, one in zip(same, pixels, strict=True):
            settled[other] = one
    return [pixels for pixels in settled if pixels is not None]


def _settle(
    models: Sequence[Classifier], dataset: Dataset | None, workers: int | None
) -> list[InputPixels]:
    """Of files of one network; one whose input is not that network's keeps what it tells."""
    told = next((one.pixels for one in models if one.pixels.evidence is None), None)
    if told is None:
        leader = max(models, key=_strength)
        told = _found(leader, dataset, workers)
    return [
        one.pixels
        if one.pixels.evidence is None or one.pixels is told or one.pixels.evidence.warnings
        else with_settings(one.pixels, told.settings, _line(one, told))
        for one in models
    ]


def _line(model: Classifier, told: InputPixels) -> str:
    return f"{model.path.name}: pixels become its input as they do for {told.path.name}" * (
        told.path != model.path
    ) or "".join(told.notices[:1])


def _strength(model: Classifier) -> int:
    evidence = model.pixels.evidence
    if evidence is None:
        return len(_STRENGTHS)
    return -1 if evidence.warnings else _STRENGTHS.index(evidence.strength)


def _found(model: Classifier, dataset: Dataset | None, workers: int | None) -> InputPixels:
    """As found for one file, on the photos where they are labelled."""
    pixels = model.pixels
    if pixels.evidence is None:
        return pixels
    outcome = TrialOutcome(None, 0)
    if dataset is not None:
        outcome = _tried(model, pixels.evidence, dataset, workers)
    if outcome.found is not None:
        line = found_line(model.path.name, outcome.found)
        return with_settings(pixels, outcome.found.settings, line)
    if not pixels.known:
        raise pixels.refusal(outcome.photos)
    return pixels


def _tried(
    model: Classifier, evidence: Evidence, dataset: Dataset, workers: int | None
) -> TrialOutcome:
    sample = sample_of(dataset, evidence.settings)
    labels = model.names or dataset.labels  # else the classes are taken to be the data's
    truth = true_answers(sample, labels, model.head, model.path.name)
    if truth is None or len(np.unique(truth, axis=0)) < 2:
        return TrialOutcome(None, 0)
    return find_with_photos(
        read_model_bytes(model.path),
        model.head,
        evidence,
        LabelledPhotos(tuple(one.path for one in sample.samples), truth),
        workers=workers or available_cores(),
    )


def _same_network(one: Classifier, other: Classifier) -> bool:
    """Whether two files hold one network: of nearly the same kernels, however stored."""
    if one is other:
        return True
    if one.input_format.shape != other.input_format.shape or one.head != other.head:
        return False
    first, second = _kernels(one.pixels.structure), _kernels(other.pixels.structure)
    most = max(first.total(), second.total())
    return most > 0 and (first & second).total() >= _SAME_KERNELS * most


def _kernels(structure: Structure) -> Counter[tuple[int, ...]]:
    shapes = (tensor.shape for tensor in structure.tensors if tensor.constant_bytes)
    return Counter(shape for shape in shapes if len(shape) in (2, 4))
