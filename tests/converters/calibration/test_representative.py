"""Calibration images: chosen fairly, hashed, checked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from converters.calibration.representative import (
    Calibration,
    calibration_warnings,
    choose_calibration,
)
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Preprocess
from tests.converters.conftest import write_image

HOW = Preprocess(32, 32)


def test_classes_are_balanced_and_the_seed_decides(photos: Path) -> None:
    dataset = load_dataset(photos)
    chosen, skipped = choose_calibration(dataset, HOW, count=20, seed=1)
    assert skipped == ()
    assert chosen.images is not None
    assert set(chosen.images.class_counts.values()) == {2}
    again, _ = choose_calibration(dataset, HOW, count=20, seed=1)
    other, _ = choose_calibration(dataset, HOW, count=20, seed=2)
    assert chosen.sha256() == again.sha256() != other.sha256()


def test_the_hash_covers_preprocessing_and_content(photos: Path, tmp_path: Path) -> None:
    chosen, _ = choose_calibration(load_dataset(photos), HOW, count=10, seed=0)
    assert chosen.sha256() != replace(chosen, preprocess=Preprocess(32, 32, crop=1.0)).sha256()
    for name, level in (("a", 1), ("b", 200)):
        write_image(tmp_path / name / "x.png", np.full((9, 9, 3), level, np.uint8))
    hashes = {Calibration(load_images(tmp_path / n), 0, HOW, 0).sha256() for n in "ab"}
    assert len(hashes) == 2


def test_several_labels_are_no_class_indices(photos: Path) -> None:
    chosen, _ = choose_calibration(load_dataset(photos), HOW, count=10, seed=0)
    assert chosen.images is not None
    assert chosen.class_indices == tuple(sample.label for sample in chosen.images.samples)
    several = replace(
        chosen.images,
        samples=tuple(
            replace(sample, label=None, labels=sample.stratum) for sample in chosen.images.samples
        ),
    )
    assert replace(chosen, images=several).class_indices is None


def test_an_unreadable_image_is_skipped_and_named(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_text("this is no image")
    for path in sorted(photos.glob("class0/*.png")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    chosen, skipped = choose_calibration(load_images(tmp_path), HOW, count=100, seed=0)
    assert len(chosen) == 8
    assert len(skipped) == 1
    assert "broken.jpg is not a readable image" in skipped[0]


def test_images_already_scaled_to_0_1_are_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for index in range(4):
        pixels = random.integers(0, 2, (40, 40, 3)).astype(np.uint8)
        write_image(tmp_path / f"{index}.png", pixels)
    with pytest.raises(DataError, match="pixels from 0 to 1 over all of them"):
        choose_calibration(load_images(tmp_path), HOW, count=4, seed=0)


def test_what_the_user_should_know_is_said(photos: Path) -> None:
    dataset = load_dataset(photos)
    chosen, _ = choose_calibration(dataset, HOW, count=20, seed=0)
    (few,) = calibration_warnings(chosen)
    assert "too few calibration images (20)" in few
    generated, _ = choose_calibration(None, HOW, count=200, seed=0)
    (line,) = calibration_warnings(generated)
    assert "100 generated images" in line


def test_signs_are_drawn_to_calibrate_and_to_evaluate(tmp_path: Path) -> None:
    from converters.calibration.images import choose_images
    from edge_effnet.data.division.split import leakage

    images = choose_images(
        HOW,
        data=Path("signs"),
        calibration=None,
        labels=None,
        count=32,
        evaluation_count=48,
        seed=0,
        strict=True,
        scratch=tmp_path,
    )
    assert images.calibration.images is not None
    assert (len(images.calibration), len(images.evaluation)) == (32, 48)
    assert not images.generated  # they have labels, so they are evidence
    assert leakage(images.calibration.images, images.evaluation) == []
