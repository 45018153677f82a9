"""Damaged image files of every format that OpenCV reads."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_effnet.image.reading import read_image, small_grey
from tests.fuzz.damage import damaged

FORMATS = (".jpg", ".png", ".bmp", ".webp", ".tiff", ".gif", ".jp2", ".ppm", ".avif", ".hdr")


def originals() -> list[tuple[str, bytes]]:
    """One small whole image of each format that this OpenCV writes, and a progressive JPEG."""
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    pixels = cv2.blur(pixels, (9, 9))
    made = []
    for suffix in FORMATS:
        if cv2.haveImageWriter(suffix):
            image = pixels.astype(np.float32) if suffix == ".hdr" else pixels
            made.append((suffix, cv2.imencode(suffix, image)[1].tobytes()))
    progressive = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1]
    return [*made, ("progressive .jpg", progressive.tobytes())]


def damages(seed: int) -> Iterator[tuple[str, bytes, Callable[[Path], Any]]]:
    """Endless damaged images."""
    dice, known = random.Random(seed), originals()
    while True:
        suffix, content = dice.choice(known)
        what, copy = damaged(content, dice)
        if dice.random() < 0.3:
            more, copy = damaged(copy or b"\0", dice)
            what = f"{what}, {more}"
        yield f"{suffix}: {what}", copy, _read


def _read(path: Path) -> Any:
    small_grey(path.read_bytes(), 32)
    return read_image(path)
