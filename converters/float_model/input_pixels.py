"""How pixels become the input of a user's model: what its file leaves open, photos tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from converters.float_model.source import Source
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import balanced_sample
from edge_effnet.data.folders import Part
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.data.signs.option import is_signs
from edge_effnet.errors import DataError
from edge_effnet.image.preprocess_text import preprocess_text
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.evaluating.predict import true_answers
from edge_effnet.runtime.input_pixels.file_evidence import ask_how, found_line
from edge_effnet.runtime.input_pixels.labelled import TrialOutcome, find_with_photos, sample_of
from edge_effnet.runtime.input_pixels.suggestion import IMAGES
from edge_effnet.runtime.input_pixels.trial import LabelledPhotos
from edge_effnet.stages import StartStage, no_progress


def settle_input(
    source: Source,
    *,
    data: Path | None,
    calibration: Path | None,
    workers: int,
    stage: StartStage = no_progress,
) -> Source:
    """The source with its preprocessing settled, and a line and a step that say from what.

    Args:
        data, calibration: what the conversion was given; labelled photos of either tell.
        stage: started where photos are tried.

    Raises:
        ModelError: nothing tells; names the likely answers.
        DataError: nothing tells, and ``data`` is not labelled for this network.
    """
    evidence, name = source.evidence, source.weights.get("file", source.name)
    if evidence is None:
        return source
    outcome = _on_photos(source, data, calibration, workers, stage)
    found = outcome.found or evidence.found
    if found is None:
        if data is not None and not is_signs(data):
            _load(source, data, "evaluation")
        raise ask_how(
            name,
            source.model,
            source.structure,
            evidence.settings,
            photos=_photos(calibration or data),
            tried=outcome.photos,
        )
    step = {
        "step": "preprocess found",
        "preprocess": preprocess_text(found.settings),
        "from": found.reason,
    }
    warnings = tuple(f"{name}: {line}" for line in evidence.warnings)
    return replace(
        source,
        preprocess=found.settings,
        evidence=None,
        steps=(*source.steps, step),
        notices=(*source.notices, found_line(name, found), *warnings),
    )


def _on_photos(
    source: Source,
    data: Path | None,
    calibration: Path | None,
    workers: int,
    stage: StartStage,
) -> TrialOutcome:
    nothing = TrialOutcome(None, 0)
    labelled = _labelled(source, data, "evaluation") or _labelled(source, calibration, "training")
    if labelled is None or source.evidence is None:
        return nothing
    sample = sample_of(labelled, source.evidence)
    labels = source.labels or labelled.labels
    try:
        truth = true_answers(sample, labels, source.head, source.name)
    except DataError:  # which choosing the images says
        return nothing
    if truth is None or len(np.unique(truth, axis=0)) < 2:
        return nothing
    photos = LabelledPhotos(tuple(one.path for one in sample.samples), truth)
    return find_with_photos(
        source.model, source.head, source.evidence, photos, workers=workers, stage=stage
    )


def _labelled(source: Source, folder: Path | None, part: Part) -> Dataset | None:
    """Labelled images for this network; None where there are none."""
    if folder is None or is_signs(folder):
        return None
    try:
        return _load(source, folder, part)
    except DataError:
        return None


def _load(source: Source, folder: Path, part: Part) -> Dataset:
    return load_dataset(
        folder,
        labels=source.labels,
        classes=source.head.classes,
        task=source.head.task,
        part=part,
    )


def _photos(folder: Path | None) -> Sequence[Pixels]:
    """Some images of a folder with or without labels, that can be read."""
    if folder is None or is_signs(folder):
        return ()
    photos = []
    try:
        images = load_images(folder)
    except DataError:
        return ()
    for sample in balanced_sample(images, IMAGES, 0).samples:
        try:
            photos.append(read_image(sample.path))
        except DataError:
            continue
    return photos
