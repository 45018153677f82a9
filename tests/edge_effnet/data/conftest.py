"""Images that differ as photos do, and copies of them as people make them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

MakePhotos = Callable[[dict[str, int]], Path]


def draw(seed: int, side: int = 160) -> NDArray[np.uint8]:
    """An image of large and small blobs, as no other seed gives."""
    random = np.random.default_rng(seed)
    pixels = np.full((side, side + 40, 3), random.integers(60, 190, 3), np.uint8)
    for radius in (50, 40, 30, 20, 20, 10, 10, 10):
        centre = tuple(int(value) for value in random.integers(0, side, 2))
        cv2.circle(pixels, centre, radius, [int(v) for v in random.integers(0, 256, 3)], -1)
    return pixels


def write(path: Path, pixels: NDArray[np.uint8], quality: int = 95) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return path


@pytest.fixture
def photos(tmp_path: Path) -> MakePhotos:
    """``photos({"cat": 3, "dog": 2})``: so many different images in a folder per class."""
    made = 0

    def make(counts: dict[str, int]) -> Path:
        nonlocal made
        for name, count in counts.items():
            for number in range(count):
                write(tmp_path / "data" / name / f"{number:03}.jpg", draw(made))
                made += 1
        return tmp_path / "data"

    return make
