"""Scenes: frames that look alike are one, whenever they come."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.camera.evaluation import scenes as scenes_module
from edge_effnet.camera.evaluation.scenes import Scenes
from edge_effnet.camera.sources.base import SourceEnded
from edge_effnet.camera.sources.files import open_video
from edge_effnet.image.preprocessing import Pixels
from tests.edge_effnet.camera.conftest import RGB, plain


def photo(seed: int, side: int = 64) -> Pixels:
    """An image of soft patches, unlike that of another seed."""
    random = np.random.default_rng(seed)
    patches = random.integers(0, 256, (4, 4, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(patches, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_frames_of_one_view_are_one_scene_and_another_view_is_another() -> None:
    scenes = Scenes()
    random = np.random.default_rng(1)
    for number in range(30):
        for _ in range(30):
            noise = random.normal(0, 8, (64, 64, 3))
            frame = np.clip(photo(number) + noise, 0, 255).astype(np.uint8)
            assert scenes.number(frame) == number
    assert scenes.count == 30


def test_light_makes_no_scene_but_colour_does() -> None:
    scenes = Scenes()
    numbers = [
        scenes.number(np.clip(photo(0) * gain, 0, 255).astype(np.uint8)) for gain in (1, 1.1)
    ]
    assert numbers == [0, 0]
    darker = [scenes.number((photo(0) // 2 + add).astype(np.uint8)) for add in (0, 60, 120)]
    assert len(set(darker)) == 1
    assert len({scenes.number(plain(colour)) for colour in RGB}) == 3


def test_a_scene_that_comes_back_is_no_new_one() -> None:
    """As in a clip that runs in a loop, or where a camera looks about."""
    scenes = Scenes()
    numbers = [scenes.number(photo(seed)) for _ in range(20) for seed in range(5)]
    assert numbers == [*range(5)] * 20


def test_a_slow_change_becomes_new_scenes_on_its_way() -> None:
    scenes = Scenes()
    shares = np.linspace(0, 1, 60)
    mixed = [(photo(0) * (1 - share) + photo(1) * share).astype(np.uint8) for share in shares]
    numbers = [scenes.number(image) for image in mixed]
    assert numbers == sorted(numbers)
    assert 2 <= scenes.count <= 10


def test_memory_is_bounded_and_numbers_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes_module, "KNOWN_SCENES", 16)
    scenes = Scenes()
    assert [scenes.number(photo(seed)) for seed in range(100)] == [*range(100)]
    assert scenes.number(photo(90)) == 90  # remembered
    assert scenes.number(photo(10)) == 100  # forgotten


def test_a_fixed_camera_on_a_real_table_shows_few_scenes(reference: Path) -> None:
    source, scenes = open_video(reference / "video/bottle-detection.mp4"), Scenes()
    frames = 0
    try:
        while (shot := source.read()) is not None:
            scenes.number(shot.pixels)
            frames += 1
    except SourceEnded:
        source.close()
    assert frames > 1000
    assert scenes.count < 10


def test_real_photos_are_scenes_of_their_own(reference: Path) -> None:
    scenes = Scenes()
    photos = sorted((reference / "images/imagenette/val").glob("*/*"))[::25]
    numbers = [scenes.number(np.asarray(cv2.imread(str(path)), np.uint8)) for path in photos]
    assert len(photos) >= 30
    assert numbers == [*range(len(photos))]
