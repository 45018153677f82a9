"""Maps of what a model looked at, laid over the images whose answer changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.report import flipped_images
from benchmarks.report.flipped_images import evidence_overlay, occlusion_map, thumbnail
from edge_effnet.runtime.classifier import open_classifier

MakeModel = Callable[..., Path]


def test_the_map_finds_the_evidence(colour_model: MakeModel, tmp_path: Path) -> None:
    image = np.full((4, 4, 3), 128, np.uint8)
    image[:2, :2] = (255, 0, 0)
    evidence = occlusion_map(open_classifier(colour_model()), image, 0, grid=4)
    assert evidence.shape == (4, 4)
    assert evidence[:2, :2].min() > evidence[2:, 2:].max()
    assert thumbnail(tmp_path / "missing.png") is None


def test_a_map_of_either_kind_is_laid_over_the_image(
    colour_model: MakeModel, colour_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, model = next(colour_folder.rglob("*.png")), colour_model()
    activation = evidence_overlay(image, model, 0, 3)
    monkeypatch.setattr(flipped_images, "_open_mapper", lambda _model: None)  # another ending
    occlusion = evidence_overlay(image, model, 0, 3)
    assert activation is not None
    assert occlusion is not None
    assert activation != occlusion
    assert evidence_overlay(image, model, 0, 4) is None  # another model by now
