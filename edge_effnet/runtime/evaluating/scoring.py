"""Run open models over images, on all cores.

Each worker is a thread with an interpreter of its own for each model (the runtime releases
Python's lock while it computes). A worker decodes an image, prepares it once for each kind of
preprocessing among the models, asks every model, and drops it: memory holds a few images, the
interpreters, and the scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np

from edge_effnet.arrays import Float32Array
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.threads import ahead
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Pixels, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.metrics import Skipped
from edge_effnet.runtime.classifier import Classifier
from edge_effnet.stages import OnProgress


@dataclass(frozen=True)
class ScoreRows:
    """What one model says of each image.

    Attributes:
        scores: images x classes.
        similarity: (images,), see ``Classifier.similarity``; 0 of a model that has none.
    """

    scores: Float32Array
    similarity: Float32Array

    @staticmethod
    def of(model: Classifier, images: int) -> ScoreRows:
        return ScoreRows(
            np.zeros((images, len(model.labels)), np.float32), np.zeros(images, np.float32)
        )


def score_images(
    opened: Sequence[Sequence[Classifier]],
    dataset: Dataset,
    rows: Sequence[ScoreRows],
    *,
    strict: bool = False,
    progress: OnProgress | None = None,
) -> dict[int, Skipped]:
    """Fill the rows; return the images left out, by their index.

    Args:
        opened: the models once for each thread.
        strict: raise the DataError of an unreadable image instead of leaving it out.
    """
    idle: SimpleQueue[Sequence[Classifier]] = SimpleQueue()
    for classifiers in opened:
        idle.put(classifiers)

    def work(index: int) -> Skipped | None:
        path = dataset.samples[index].path
        try:
            pixels = read_image(path)
        except DataError as error:
            if strict:
                raise
            return Skipped(path, str(error))
        classifiers = idle.get()  # never waits: they are opened once for each thread
        try:
            _predict(classifiers, pixels, rows, index)
        finally:
            idle.put(classifiers)
        return None

    skipped: dict[int, Skipped] = {}
    total = len(dataset)
    with closing(ahead(work, range(total), len(opened), per_worker=4)) as outcomes:
        for index, outcome in enumerate(outcomes):
            if outcome is not None:
                skipped[index] = outcome
            if progress is not None:
                progress(index + 1, total)
    return skipped


def _predict(
    classifiers: Sequence[Classifier], pixels: Pixels, rows: Sequence[ScoreRows], index: int
) -> None:
    """Write what each model says of one image into its row."""
    prepared: dict[object, Pixels] = {}
    for classifier, found in zip(classifiers, rows, strict=True):
        settings = classifier.preprocess
        if settings.fitting not in prepared:
            prepared[settings.fitting] = preprocess(pixels, settings)
        tensor = classifier.tensor(prepared[settings.fitting])
        found.scores[index] = classifier.scores_of_input(tensor)
        found.similarity[index] = classifier.similarity() or 0.0
