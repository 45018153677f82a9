"""How pixels become the input of models that are run together, found once for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from edge_effnet.data.dataset import Dataset
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.runtime.classifier import Classifier
from edge_effnet.runtime.evaluating.predict import true_answers
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.runtime.input_pixels.file_evidence import found_line
from edge_effnet.runtime.input_pixels.known import InputPixels, with_settings
from edge_effnet.runtime.input_pixels.labelled import TrialOutcome, find_with_photos, sample_of
from edge_effnet.runtime.input_pixels.same_network import same_network
from edge_effnet.runtime.input_pixels.trial import LabelledPhotos
from edge_effnet.runtime.input_pixels.ways import same_scaling, with_fit_and_channels
from edge_effnet.stages import StartStage, no_progress
from edge_effnet.system.cores import available_cores
from edge_effnet.tflite.reader import read_model_bytes

_STRENGTHS = ("open", "inferred", "stated")


def settle_pixels(
    models: Sequence[Classifier],
    dataset: Dataset | None = None,
    *,
    workers: int | None = None,
    stage: StartStage = no_progress,
) -> list[InputPixels]:
    """What goes into each model: as the user or a card says, else as found on labelled photos.

    Files of one network get one and the same: as the one says that was told or carries a card,
    else as found for the one whose file tells most. A scaling that a file states stays its own.

    Args:
        models: opened without asking.
        dataset: with or without labels; None where there are no photos, as for a camera.
        stage: started where photos are tried.

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
            if settled[other] is None and same_network(model, models[other])
        ]
        find = partial(_found, dataset=dataset, workers=workers, stage=stage)
        pixels = _settle([models[other] for other in same], find)
        for other, one in zip(same, pixels, strict=True):
            settled[other] = one
    return [pixels for pixels in settled if pixels is not None]


def _settle(
    models: Sequence[Classifier], find: Callable[[Classifier], InputPixels]
) -> list[InputPixels]:
    """Of files of one network; one whose input is not that network's keeps what it tells."""
    told = next((one.pixels for one in models if one.pixels.evidence is None), None)
    if told is None:
        told = find(max(models, key=_strength))
    return [_as_told(one.pixels, told) for one in models]


def _as_told(own: InputPixels, told: InputPixels) -> InputPixels:
    """A file's pixels, as they were told or found for a file of the same network."""
    evidence = own.evidence
    if evidence is None or evidence.warnings:
        return own
    if told.path == own.path:
        return told
    line = f"{own.path.name}: pixels become its input as they do for {told.path.name}"
    settings = told.settings
    if evidence.strength == "stated" and not same_scaling(evidence.settings, settings):
        settings = with_fit_and_channels(evidence.settings, settings)
        reason = f"{evidence.reason}, fit and channels as for {told.path.name}"
        line = found_line(own.path.name, FoundPreprocess(settings, reason))
    return with_settings(own, settings, line)


def _strength(model: Classifier) -> int:
    evidence = model.pixels.evidence
    if evidence is None:
        return len(_STRENGTHS)
    return -1 if evidence.warnings else _STRENGTHS.index(evidence.strength)


def _found(
    model: Classifier,
    dataset: Dataset | None,
    workers: int | None,
    stage: StartStage,
) -> InputPixels:
    """As found for one file, on the photos where they are labelled."""
    pixels = model.pixels
    if pixels.evidence is None:
        return pixels
    outcome = TrialOutcome(None, 0)
    if dataset is not None:
        outcome = _tried(model, pixels.evidence, dataset, workers, stage)
    if outcome.found is not None:
        line = found_line(model.path.name, outcome.found)
        return with_settings(pixels, outcome.found.settings, line)
    if not pixels.known:
        raise pixels.refusal(outcome.photos)
    return pixels


def _tried(
    model: Classifier,
    evidence: Evidence,
    dataset: Dataset,
    workers: int | None,
    stage: StartStage,
) -> TrialOutcome:
    sample = sample_of(dataset, evidence)
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
        stage=stage,
    )
