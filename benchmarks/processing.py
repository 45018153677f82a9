"""What happens around an inference: decoding, preprocessing, reading the scores."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.spec import BenchSpec
from edge_effnet.data.division.split import balanced_sample
from edge_effnet.data.given_labels import read_labels
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError, ModelError
from edge_effnet.image.preprocessing import Pixels, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.classifier import Classifier, open_classifier
from edge_effnet.runtime.tensors import dequantize_out

IMAGES = 20
ROUNDS = 3
STAND_IN = (480, 640, 3)  # a camera's frame, where no images are given


@dataclass(frozen=True)
class ProcessingTimes:
    """Samples in milliseconds; empty for what could not be timed.

    Attributes:
        decode_ms: from a file to pixels; empty without images.
        preprocess_ms: crop, resize, normalize, quantize.
        postprocess_ms: dequantize and find the best five.
    """

    decode_ms: tuple[float, ...] = ()
    preprocess_ms: tuple[float, ...] = ()
    postprocess_ms: tuple[float, ...] = ()


def time_processing(spec: BenchSpec, model: Path) -> ProcessingTimes:
    """Time what is around a classifier's inference; nothing for a model that is none."""
    labels = read_labels(spec.labels, spec.data) if spec.labels else None
    try:
        classifier = open_classifier(
            model, labels=labels, preprocess=spec.preprocess, head=spec.head_choice
        )
    except ModelError:
        return ProcessingTimes()
    decode: list[float] = []
    images = _images(spec, decode)
    before = [
        _milliseconds(partial(_prepare, classifier, pixels))
        for _ in range(ROUNDS)
        for pixels in images
    ]
    after = [_milliseconds(partial(_best, classifier)) for _ in range(ROUNDS * IMAGES)]
    return ProcessingTimes(tuple(decode), tuple(before), tuple(after))


def _prepare(classifier: Classifier, pixels: Pixels) -> object:
    return classifier.tensor(preprocess(pixels, classifier.preprocess))


def _best(classifier: Classifier) -> object:
    """What a program does with an output tensor to name the best five classes."""
    form = classifier.output_format
    stored = np.zeros(form.shape, form.dtype)
    scores = classifier.head.scores(dequantize_out(stored, form).reshape(-1))
    return np.argsort(scores)[-5:]


def _images(spec: BenchSpec, decode: list[float]) -> list[Pixels]:
    if spec.data is None:
        noise = np.random.default_rng(spec.seed).integers(0, 256, STAND_IN, dtype=np.uint8)
        return [noise] * IMAGES
    images: list[Pixels] = []
    for sample in balanced_sample(load_images(spec.data), IMAGES, spec.seed).samples:
        try:
            images.append(read_image(sample.path))
        except DataError:
            continue  # accuracy, which looks at all of them, names it
        decode.append(_milliseconds(partial(read_image, sample.path)))
    return images


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - began)
