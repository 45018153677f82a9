"""Keras files of public repositories answer as their own runtime does."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from converters.float_model.keras_files.reader import read_keras_model
from tests.converters.float_model.conftest import answers


@pytest.mark.slow
@pytest.mark.parametrize("name", ["leaves_keras.h5", "cifar_255.keras", "hand_grey.h5"])
def test_files_of_public_repositories(name: str, reference: Path) -> None:
    expected = json.loads((reference / "wild/expected.json").read_text())["files"][name]
    height, width, channels = expected["input_shape"][1:]
    photos = sorted((reference / "images/imagenet_calibration").glob("*.*"))
    images = []
    for photo in [path for path in photos if path.suffix != ".csv"][::50]:
        image = cv2.cvtColor(cv2.imread(str(photo)), cv2.COLOR_BGR2RGB)
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
        images.append(np.float32(grey if channels == 1 else image))
    read = read_keras_model(reference / "wild" / name, resolution=None)
    found = answers(read.model, np.stack(images) / np.float32(expected["pixels_divided_by"]))
    np.testing.assert_allclose(found, expected["output"], atol=1e-3)


@pytest.mark.slow
def test_teachable_machine(reference: Path) -> None:
    folder = reference / "teachable/keras_2_4"
    expected = json.loads((folder / "expected.json").read_text())["output"]
    images = np.random.default_rng(0).uniform(-1, 1, (8, 7, 7, 3)).astype(np.float32)
    read = read_keras_model(folder / "keras_model.h5", resolution=None)
    found = answers(read.model, images.repeat(32, 1).repeat(32, 2))
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert read.found is not None
    settings = read.found.settings
    assert (settings.fit, settings.crop, settings.mean) == ("crop", 1.0, (127.5,))
