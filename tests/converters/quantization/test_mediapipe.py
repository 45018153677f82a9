"""A real client, MediaPipe's ImageClassifier, opens our files and gives our answers.

MediaPipe brings its own OpenCV, so it lives in an environment of its own, whose Python is
named by EDGE_EFFNET_MEDIAPIPE_PYTHON (``make test`` makes it).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import cv2
import pytest

from converters.config import ConvertConfig
from converters.float_model.variant_source import from_variant
from converters.pipeline import convert
from converters.quantization.recipes import RECIPES
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.data.labels import imagenet_labels
from edge_effnet.data.listing import load_dataset
from edge_effnet.image.preprocessing import preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.classifier import open_classifier

CLIENT = """
import json, sys
import cv2, mediapipe as mp
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision
base = tasks.BaseOptions(model_asset_path=sys.argv[1])
answers = []
options = vision.ImageClassifierOptions(base_options=base, max_results=1)
with vision.ImageClassifier.create_from_options(options) as classifier:
    for name in sys.argv[2:]:
        pixels = cv2.cvtColor(cv2.imread(name), cv2.COLOR_BGR2RGB)
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=pixels)
        best = classifier.classify(image).classifications[0].categories[0]
        answers.append([best.category_name, best.score])
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def client() -> str:
    python = os.environ.get("EDGE_EFFNET_MEDIAPIPE_PYTHON")
    if not python:
        pytest.skip("EDGE_EFFNET_MEDIAPIPE_PYTHON is not set: no MediaPipe to test with")
    return python


@pytest.fixture(scope="module")
def files(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """V2-B0 with ImageNet weights as float32 and int8, calibrated on photos."""
    source = from_variant(
        VARIANTS["v2-b0"],
        weights=str(reference / "models" / "efficientnetv2-b0_imagenet.h5"),
        runs=Path("runs"),
        resolution=None,
        labels=imagenet_labels(),
        preprocess=None,
    )
    config = ConvertConfig(
        out=tmp_path_factory.mktemp("out"),
        recipes=(RECIPES["int8"],),
        calibration=reference / "images" / "imagenet_calibration" / "labels.csv",
        data=reference / "images" / "imagenet_val" / "labels.csv",
        workers=2,
    )
    conversion = convert(source, config)
    comparison = conversion.made[1].comparison
    assert comparison is not None
    assert comparison.agreement_percent >= 95  # calibrated on photos
    assert conversion.made[1].size_bytes <= 0.30 * conversion.made[0].size_bytes
    return {made.recipe: made.path for made in conversion.made}


@pytest.fixture(scope="module")
def images(
    files: dict[str, Path], reference: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """50 photos at the network's input size: nobody's resizing is at play."""
    how = open_classifier(files["int8"]).preprocess
    dataset = load_dataset(reference / "images" / "imagenet_val" / "labels.csv")
    folder = tmp_path_factory.mktemp("images")
    paths = []
    for index, sample in enumerate(dataset.samples[::5]):
        path = folder / f"{index:02}.png"
        pixels = preprocess(read_image(sample.path), how)
        cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        paths.append(path)
    assert len(paths) == 50
    return paths


@pytest.mark.parametrize("recipe", ["float32", "int8"])
def test_mediapipe_gives_our_labels_and_our_answers(
    client: str, files: dict[str, Path], images: list[Path], recipe: str
) -> None:
    result = subprocess.run(
        [client, "-c", CLIENT, str(files[recipe]), *map(str, images)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    theirs = json.loads(result.stdout)
    classifier = open_classifier(files[recipe], preprocess="crop=1")  # they are prepared
    for path, (name, score) in zip(images, theirs, strict=True):
        scores = classifier.scores(read_image(path))
        assert name == classifier.labels[scores.argmax()], path
        assert score == pytest.approx(float(scores.max()), abs=1e-3)
