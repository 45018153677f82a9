"""A model for a program of your own: a file, its labels, and answers to images."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.artifact import Card
from edge_effnet.errors import DataError
from edge_effnet.heads.unknown import is_unknown
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.answers import Answer, best_answers
from edge_effnet.runtime.classifier import Classifier, open_classifier
from edge_effnet.system.cores import available_cores


class Model:
    """An open ``.tflite`` classifier; ``open_model`` makes one.

    For one thread at a time: open another for a second thread.

    Attributes:
        classifier: what it runs on, with its tensors' formats.
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier

    @property
    def path(self) -> Path:
        return self.classifier.path

    @property
    def labels(self) -> tuple[str, ...]:
        """Names in index order; running numbers for a file that names no classes."""
        return self.classifier.labels

    @property
    def card(self) -> Card | None:
        """The model card, None for a file that this toolkit did not make."""
        return self.classifier.card

    def classify(
        self, image: NDArray[np.uint8] | str | PathLike[str], top: int = 5
    ) -> list[Answer]:
        """The best answers for an image.

        Args:
            image: RGB, uint8, height x width x 3, of any size, or the path of an image file.
                (OpenCV reads B, G, R: turn such an image round with ``image[:, :, ::-1]``.)
            top: classes at most, best first. Of a model for several labels all that it decides
                for are given; of one for values, all values. Where the image is like none that
                the model was taught, each is ``unknown`` and none ``answered``.

        Raises:
            DataError: no such file, no image, or an array of another type or shape.
        """
        if isinstance(image, np.ndarray):
            pixels = np.ascontiguousarray(_checked(image))
        else:
            pixels = read_image(Path(image))
        scores = self.classifier.scores(pixels)
        unknown = is_unknown(self.classifier.unknown, self.classifier.similarity())
        return best_answers(scores, self.labels, self.classifier.head, top, unknown=unknown)

    def __repr__(self) -> str:
        return f"Model({str(self.path)!r}, {len(self.labels)} labels)"


def open_model(
    path: str | PathLike[str],
    *,
    threads: int | None = None,
    labels: Sequence[str] | None = None,
    preprocess: str | None = None,
) -> Model:
    """Open a ``.tflite`` classifier, quantized or float. Needs no TensorFlow.

        model = edge_effnet.open_model("b0-int8.tflite")
        for answer in model.classify("cat.jpg", top=3):
            print(answer.label, answer.probability)

    Args:
        threads: CPU threads for an image; None takes every core this process may use.
        labels: for a file that carries none, or to rename its classes.
        preprocess: for a file that does not say how pixels become its input, as the option
            ``--preprocess`` takes it: ``"mean=127.5,std=127.5"``.

    Raises:
        ModelError: no model, damaged, no image classifier, or one that needs ``labels`` or
            ``preprocess`` that fit.
        EdgeEffnetError: no TFLite runtime is installed.
    """
    classifier = open_classifier(
        Path(path), labels=labels, preprocess=preprocess, threads=threads or available_cores()
    )
    for line in classifier.notices:
        logging.getLogger(__name__).warning(line)
    return Model(classifier)


def _checked(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size:
        return image
    raise DataError(
        "this array is no RGB image",
        found=f"{image.dtype}, shape {image.shape}",
        expected="uint8, height x width x 3",
        fix="give pixels 0 to 255, or the path of an image file",
    )
