"""Images for calibration where there are none: dead leaves over 1/f texture.

Overlapping discs, ellipses and polygons with power-law sizes share the edge and scale
statistics of photographs (Lee, Mumford & Huang 2001, "Occlusion models for natural images"),
which is what activation ranges depend on. They say nothing about accuracy.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.image.preprocessing import Pixels


def generated_image(index: int, seed: int, height: int, width: int) -> Pixels:
    """One image, RGB, height x width x 3; the same for the same index and seed."""
    random = np.random.default_rng([seed, index])
    canvas = _texture(random, height, width)
    largest = 0.5 * min(height, width)
    smallest = max(2.0, 0.02 * min(height, width))
    for _ in range(int(random.integers(20, 200))):
        # P(radius) ~ radius^-3 makes the image look alike at every scale.
        u = random.random()
        radius = smallest / np.sqrt(1 - u * (1 - (smallest / largest) ** 2))
        _leaf(random, canvas, float(radius))
    grain = random.normal(0, random.uniform(0, 6), (height, width, 1))
    return np.asarray(np.clip(canvas + grain, 0, 255), np.uint8)


def _texture(random: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """A 1/f amplitude spectrum with correlated colours, over the whole 0–255 range."""
    side = max(height, width)
    rows, columns = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = 1 / side
    phases = np.exp(2j * np.pi * random.random((4, *frequency.shape)))
    layers = np.fft.irfft2(phases / frequency, (side, side))
    mixed = 0.85 * layers[:1] + 0.15 * layers[1:]  # neighbouring channels agree, as in photos
    mixed = (mixed - mixed.mean()) / mixed.std()
    image = random.uniform(60, 190) + random.uniform(20, 60) * mixed
    return np.ascontiguousarray(image.transpose(1, 2, 0)[:height, :width], np.float32)


def _leaf(random: np.random.Generator, canvas: NDArray[np.float32], radius: float) -> None:
    height, width = canvas.shape[:2]
    centre = (int(random.integers(width)), int(random.integers(height)))
    level = random.uniform(0, 255)
    colour = tuple(float(v) for v in np.clip(level + random.normal(0, 40, 3), 0, 255))
    shape = random.integers(3)
    if shape == 0:
        cv2.circle(canvas, centre, round(radius), colour, -1, cv2.LINE_8)
    elif shape == 1:
        axes = (round(radius), max(1, round(radius * random.uniform(0.2, 1))))
        turn = random.uniform(0, 180)
        cv2.ellipse(canvas, centre, axes, turn, 0, 360, colour, -1, cv2.LINE_8)
    else:
        corners = int(random.integers(3, 8))
        angles = np.sort(random.uniform(0, 2 * np.pi, corners))
        reach = radius * random.uniform(0.5, 1.2, corners)
        points = np.stack([np.cos(angles), np.sin(angles)], 1) * reach[:, None] + centre
        cv2.fillPoly(canvas, [points.astype(np.int32)], colour, cv2.LINE_8)
