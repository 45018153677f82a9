"""One image from (seed, index): the same again, another for another, right in every size."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_effnet.data.signs import backgrounds, render
from edge_effnet.data.signs.optics import CameraSettings, expose
from edge_effnet.data.signs.render import render_sample, split_index
from edge_effnet.data.signs.table import BACKGROUND, LABELS, SPLITS
from edge_effnet.errors import UsageProblem


@given(
    index=st.integers(0, 2**42),
    seed=st.integers(0, 2**32),
    size=st.integers(16, 160),
)
@settings(max_examples=60, deadline=None)
def test_any_seed_index_and_size_renders(index: int, seed: int, size: int) -> None:
    pixels, label = render_sample(index, seed, size)
    assert pixels.shape == (size, size, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert label == index % len(LABELS)


@pytest.mark.parametrize("label", range(len(LABELS)))
@pytest.mark.parametrize("size", [16, 96, 320])
def test_every_class_renders_at_every_size(label: int, size: int) -> None:
    pixels, given_label = render_sample(5, 1, size, label)
    assert given_label == label
    assert pixels.shape == (size, size, 3)


def test_the_same_seed_and_index_give_the_same_picture_in_any_order() -> None:
    first = [render_sample(index, 3, 96)[0] for index in range(32)]
    again = {index: render_sample(index, 3, 96)[0] for index in reversed(range(32))}
    for index, pixels in enumerate(first):
        np.testing.assert_array_equal(pixels, again[index])


def test_another_process_draws_the_same_image() -> None:
    code = (
        "import hashlib; from edge_effnet.data.signs.render import render_sample;"
        "print(hashlib.sha256(b''.join(render_sample(i, 7, 64)[0].tobytes()"
        " for i in range(16))).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_seeds_and_indices_and_splits_share_no_image() -> None:
    images = [render_sample(index, seed, 32, 3)[0] for seed in range(3) for index in range(20)]
    images += [render_sample(split_index(split, 7), 0, 32, 3)[0] for split in SPLITS[1:]]
    assert len({pixels.tobytes() for pixels in images}) == len(images)
    assert len({split_index(split, n) for split in SPLITS for n in range(100)}) == 300


def test_size_changes_the_resolution_and_not_the_scene() -> None:
    # Sharp, quiet images agree best; most of thirty must agree well.
    alike = []
    for index in range(30):
        large, small = (render_sample(index, 0, size)[0] for size in (192, 96))
        shrunk = cv2.resize(large, (96, 96), interpolation=cv2.INTER_AREA)
        alike.append(np.corrcoef(shrunk.ravel(), small.ravel())[0, 1])
    assert np.median(alike) > 0.95


def test_background_pictures_hold_no_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a sign was drawn")

    monkeypatch.setattr(render, "texture", refuse)
    for index in range(40):
        render_sample(index, 0, 48, BACKGROUND)
    with pytest.raises(AssertionError, match="a sign was drawn"):
        render_sample(0, 0, 48, LABELS.index("stop"))


def test_pictures_are_neither_black_nor_white_nor_flat() -> None:
    images = np.stack([render_sample(index, 0, 64)[0] for index in range(96)])
    assert 60 < images.mean() < 150
    spread = images.reshape(96, -1).std(axis=1)
    assert np.quantile(spread, 0.05) > 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((-1, 0, 64), "index -1"),
        ((0, -1, 64), "seed -1"),
        ((0, 0, 15), "16 to 2048"),
        ((0, 0, 4096), "4096 px"),
        ((0, 0, 64, 99), "label 99"),
    ],
)
def test_bad_arguments_are_told(arguments: tuple[int, ...], words: str) -> None:
    with pytest.raises(UsageProblem, match=words):
        render_sample(*arguments)


@pytest.mark.parametrize("painter", backgrounds.SURFACES, ids=lambda painter: painter.__name__)
def test_surfaces_are_images(painter: backgrounds.Painter) -> None:
    for seed in range(4):
        pixels = painter(np.random.default_rng(seed), 40)
        assert pixels.shape == (40, 40, 3)
        assert pixels.dtype == np.uint8


def test_noise_of_octaves_stays_in_range_and_gets_smoother() -> None:
    rough, smooth = (
        backgrounds.fractal(np.random.default_rng(1), 128, roughness) for roughness in (0.1, 1.8)
    )
    for field in (rough, smooth):
        assert -0.3 < field.min() < field.max() < 1.3

    def step(field: backgrounds.Field) -> float:
        return float(np.abs(np.diff(field)).mean() / field.std())

    assert step(smooth) < step(rough) / 3


def test_a_perfect_camera_changes_nothing() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(expose(pixels.astype(np.float32), CameraSettings(), None), pixels)


@pytest.mark.parametrize(
    ("camera", "darker", "smoother"),
    [
        (CameraSettings(exposure_ev=-1), True, True),
        (CameraSettings(vignette=0.6), True, True),
        (CameraSettings(defocus=0.05), False, True),
        (CameraSettings(blur_length=0.2, blur_deg=30), False, True),
        (CameraSettings(detail=0.4), False, True),
        (CameraSettings(contrast=0.5), False, True),
        (CameraSettings(jpeg_quality=10), False, True),
    ],
)
def test_each_flaw_of_a_camera_shows(camera: CameraSettings, darker: bool, smoother: bool) -> None:
    scene = np.random.default_rng(0).integers(40, 216, (64, 64, 3)).astype(np.float32)
    shot = expose(scene.copy(), camera, None)
    assert (shot.mean() < scene.mean() - 5) == darker
    assert (shot.std() < scene.std() - 1) == smoother


def test_noise_grows_with_light() -> None:
    grain = np.random.default_rng(0).standard_normal((64, 64, 3)).astype(np.float32)
    dark, bright = (
        expose(np.full((64, 64, 3), level, np.float32), CameraSettings(noise=8), grain.copy()).std()
        for level in (40, 180)
    )
    assert dark < bright < 16


def test_motion_blur_runs_in_its_direction() -> None:
    scene = np.zeros((65, 65, 3), np.float32)
    scene[32, 32] = 255
    streak = expose(scene, CameraSettings(blur_length=0.3, blur_deg=0), None)[..., 0]
    assert (streak[32] > 0).sum() > 15
    assert (streak[:, 32] > 0).sum() <= 3
