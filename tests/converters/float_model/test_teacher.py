"""Model files as teachers: asked for the scores that their own network gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converters.float_model.teacher import open_teacher
from edge_effnet.errors import ModelError
from edge_effnet.files.read import content_hash
from tests.converters.conftest import CLASSES, SIDE, TinyModel


def test_a_tflite_of_ours_says_its_classes_and_its_networks_scores(
    tiny: TinyModel, tiny_file: Path
) -> None:
    teacher = open_teacher(tiny_file, data=None, workers=2)
    assert teacher.labels == tuple(f"class{index}" for index in range(CLASSES))
    assert (teacher.preprocess.height, teacher.classes) == (SIDE, CLASSES)
    assert teacher.origin["sha256"] == content_hash(tiny_file)
    pixels = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3)).astype(np.float32)
    logits = teacher.answer(pixels)
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.asarray(tiny.network(pixels))  # type: ignore[operator]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_keras_file_is_one_too(tiny: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "tiny.keras"
    tiny.network.save(path)  # type: ignore[attr-defined]
    teacher = open_teacher(path, data=None, workers=1)
    pixels = np.full((1, SIDE, SIDE, 3), 77, np.float32)
    expected = np.asarray(tiny.network(pixels))  # type: ignore[operator]
    np.testing.assert_allclose(np.exp(teacher.answer(pixels)), expected, atol=1e-5)
    assert teacher.origin["sha256"] == content_hash(path)


def test_a_quantized_file_is_refused(reference: Path) -> None:
    path = reference / "models" / "lite0_flowers5_modelmaker_int8.tflite"
    with pytest.raises(ModelError, match="quantized"):
        open_teacher(path, data=None, workers=1)
