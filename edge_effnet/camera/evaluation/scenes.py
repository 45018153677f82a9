"""Which frames look alike: the blocks on which intervals over a feed rest.

A frame belongs to a scene where a thumbnail of what the model sees is near that of the scene's
first frame. Time alone makes no new scene, and a scene that comes back is the same scene: an hour
of one image, or a clip that runs in a loop, shows no more than one pass of it.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge_effnet.arrays import Float32Array
from edge_effnet.image.preprocessing import Pixels

SIDE = 8
DIFFERENT_LEVELS = 20.0
"""Root mean square over the thumbnail, of 255 and without the difference in brightness; frames of
one view stay under 12, different photos hardly ever come under 20."""
KNOWN_SCENES = 2048
"""Thumbnails that are remembered, 1.5 MB; then the oldest is forgotten."""


class Scenes:
    """Numbers scenes from 0 as they first appear; takes 0.2 ms a frame while nothing changes."""

    def __init__(self) -> None:
        size = 3 * SIDE * SIDE
        self._known = np.zeros((KNOWN_SCENES, size), np.float32)
        self._squares = np.zeros(KNOWN_SCENES, np.float32)
        self._numbers = np.full(KNOWN_SCENES, -1, np.int64)
        self._limit = DIFFERENT_LEVELS**2 * size
        self._index = 0
        self.count = 0

    def number(self, pixels: Pixels) -> int:
        """The scene of a frame, RGB as the model sees it."""
        seen = _thumbnail(pixels)
        if not self.count or self._gap(seen, self._index) > self._limit:
            self._index = self._find(seen)
        return int(self._numbers[self._index])

    def _gap(self, seen: Float32Array, index: int) -> float:
        return float(((seen - self._known[index]) ** 2).sum())

    def _find(self, seen: Float32Array) -> int:
        known = min(self.count, KNOWN_SCENES)
        if known:
            # |a - b|² less |b|², by one product: every remembered scene in a fraction of a ms.
            nearest = self._squares[:known] - 2 * (self._known[:known] @ seen)
            index = int(nearest.argmin())
            if self._gap(seen, index) <= self._limit:
                return index
        index = self.count % KNOWN_SCENES
        self._known[index], self._squares[index] = seen, float((seen**2).sum())
        self._numbers[index] = self.count
        self.count += 1
        return index


def _thumbnail(pixels: Pixels) -> Float32Array:
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    flat = np.asarray(small, np.float32).reshape(-1)
    return np.asarray(flat - flat.mean(), np.float32)
