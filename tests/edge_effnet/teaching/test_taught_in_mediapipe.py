"""MediaPipe's ImageClassifier opens a taught file and gives its labels and scores.

It reads the first of the file's two outputs, as the metadata says.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import cv2
import pytest

from edge_effnet.image.preprocessing import preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.classifier import open_classifier
from tests.conftest import Cli
from tests.converters.quantization.test_mediapipe import CLIENT, client  # noqa: F401 (a fixture)


@pytest.mark.parametrize(
    "base",
    [
        "models/lite0_flowers5_modelmaker_int8.tflite",
        "teachable/fruit6/model_unquant.tflite",
        "edgetpu/mobilenet_v1_0.25_128_quant/model.tflite",
    ],
)
def test_mediapipe_gives_our_labels_and_scores(
    client: str,  # noqa: F811
    cli: Cli,
    reference: Path,
    tmp_path: Path,
    base: str,
) -> None:
    photos = few_photos(reference / "images" / "flowers5", tmp_path / "photos")
    taught = tmp_path / "taught.tflite"
    assert cli("teach", tmp_path / "photos", "--base", reference / base, "--out", taught)[0] == 0
    how = open_classifier(taught).preprocess
    prepared = []
    for number, photo in enumerate(photos):  # at the network's size: nobody's resizing is at play
        prepared.append(tmp_path / f"{number}.png")
        pixels = preprocess(read_image(photo), how)
        cv2.imwrite(str(prepared[-1]), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    result = subprocess.run(
        [client, "-c", CLIENT, str(taught), *map(str, prepared)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    classifier = open_classifier(taught, preprocess="crop=1")  # they are prepared
    for path, (name, score) in zip(prepared, json.loads(result.stdout), strict=True):
        scores = classifier.scores(read_image(path))
        assert name == classifier.labels[scores.argmax()], path
        assert score == pytest.approx(float(scores.max()), abs=1e-3)


def few_photos(flowers: Path, folder: Path) -> list[Path]:
    """A data set of four photos of each flower; their paths."""
    photos = []
    for kind in sorted(path for path in flowers.iterdir() if path.is_dir()):
        (folder / kind.name).mkdir(parents=True)
        for photo in sorted(kind.iterdir())[:4]:
            photos.append(folder / kind.name / photo.name)
            photos[-1].symlink_to(photo)
    return photos
