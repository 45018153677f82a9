"""Light, lens and sensor: what happens to a scene on its way to a file.

Images here are float32, height x width x 3, RGB 0…255. A ``CameraSettings`` holds every setting, so
that a still draws one at random and a clip keeps one for its length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_effnet.data.signs.backgrounds import Field
from edge_effnet.image.preprocessing import Pixels


@dataclass(frozen=True)
class CameraSettings:
    """The settings of one shot.

    Attributes:
        exposure_ev: stops above or below the right exposure.
        gains: white balance error, a factor each for R, G, B.
        saturation: 1 keeps colors, 0 is grey.
        contrast: around mid-grey; below 1 is haze.
        vignette: light lost in the corners, 0…1.
        defocus: sigma of the blur, as a share of the short side.
        blur_length: of motion blur, as a share of the short side.
        blur_deg: its direction, 0 is horizontal.
        detail: resolution of the lens as a share of the image's, 1 is sharp.
        noise: standard deviation at mid-grey, in levels of 255.
        jpeg_quality: of a lossy round trip; None skips it.
    """

    exposure_ev: float = 0.0
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    contrast: float = 1.0
    vignette: float = 0.0
    defocus: float = 0.0
    blur_length: float = 0.0
    blur_deg: float = 0.0
    detail: float = 1.0
    noise: float = 0.0
    jpeg_quality: int | None = None


def random_camera(rng: Generator) -> CameraSettings:
    """A camera from fine to poor. Each flaw is there only sometimes: few images have all."""

    def maybe(chance: float, low: float, high: float, otherwise: float) -> float:
        hit, value = rng.random() < chance, rng.uniform(low, high)
        return value if hit else otherwise

    warmth, tint = rng.normal(0, 0.13), rng.normal(0, 0.05)
    return CameraSettings(
        exposure_ev=float(np.clip(rng.normal(-0.25, 0.75), -2.2, 1.0)),
        gains=(math.exp(warmth), math.exp(tint), math.exp(-warmth)),
        saturation=rng.uniform(0.35, 1.15),
        contrast=maybe(0.35, 0.35, 0.9, 1.0),
        vignette=maybe(0.4, 0.1, 0.6, 0.0),
        defocus=maybe(0.4, 0.003, 0.022, 0.0),
        blur_length=maybe(0.4, 0.02, 0.1, 0.0),
        blur_deg=rng.uniform(0, 180),
        detail=maybe(0.3, 0.35, 0.9, 1.0),
        noise=maybe(0.8, 1.0, 16.0, 0.0),
        jpeg_quality=int(maybe(0.6, 15, 90, 100)),
    )


def light(rng: Generator, image: NDArray[np.float32]) -> None:
    """Uneven light, cast shadows and glare on the scene, in place."""
    height, width = image.shape[:2]
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width - 0.5)[None, :]
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5)[:, None]
    angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.6)
    field = 1 + (x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle))) * np.float32(
        strength
    )
    if rng.random() < 0.4:
        field *= _shadow(rng, height, width)
    image *= field[..., None]
    if rng.random() < 0.15:
        middle = rng.uniform(-0.4, 0.4, 2).astype(np.float32)
        spread = np.float32(rng.uniform(0.05, 0.25))
        glare = np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * spread**2))
        image += (glare * np.float32(rng.uniform(30, 150)))[..., None]


def _shadow(rng: Generator, height: int, width: int) -> Field:
    """A factor of 1 in the light and down to 0.3 in a random polygon with soft edges."""
    corners = rng.uniform(-0.3, 1.3, (int(rng.integers(3, 7)), 2)) * (width * 16, height * 16)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 255, cv2.LINE_AA, 4)
    softness = rng.uniform(0.004, 0.04) * min(height, width)
    soft = cv2.GaussianBlur(mask, (0, 0), max(softness, 0.3))
    dark = np.float32((1 - rng.uniform(0.3, 0.8)) / 255)
    return np.asarray(1 - soft.astype(np.float32) * dark, np.float32)


def expose(
    image: NDArray[np.float32], camera: CameraSettings, grain: NDArray[np.float32] | None
) -> Pixels:
    """Take the shot: the scene as the 8-bit image a program gets.

    Args:
        image: the lit scene; it is overwritten.
        grain: standard normal noise of the image's shape; None for a noiseless sensor.
    """
    short = min(image.shape[:2])
    if camera.saturation != 1:
        grey = image.mean(axis=2, keepdims=True)
        image -= grey
        image *= np.float32(camera.saturation)
        image += grey
    # Values are gamma-coded, where a stop is about a factor of 2^(1/2.2).
    factor = 2 ** (camera.exposure_ev / 2.2) * camera.contrast
    image *= np.asarray(camera.gains, np.float32) * np.float32(factor)
    image += np.float32(128 * (1 - camera.contrast))
    if camera.vignette:
        image *= _vignette(image.shape[0], image.shape[1], camera.vignette)
    blurred = _lens(image, camera, short)
    if grain is not None and camera.noise:
        # Shot noise: its variance grows with the light, upon a floor of read noise.
        sigma = np.sqrt(np.clip(blurred, 0, 255) * np.float32(1 / 170) + np.float32(0.25))
        blurred += grain * sigma * np.float32(camera.noise)
    shot = np.rint(np.clip(blurred, 0, 255)).astype(np.uint8)
    if camera.jpeg_quality is None or camera.jpeg_quality >= 100:
        return shot
    return _jpeg(shot, camera.jpeg_quality)


def _vignette(height: int, width: int, strength: float) -> Field:
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width - 0.5)[None, :]
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5)[:, None]
    return np.asarray(1 - (x * x + y * y)[..., None] * np.float32(2 * strength), np.float32)


def _lens(image: NDArray[np.float32], camera: CameraSettings, short: int) -> NDArray[np.float32]:
    if camera.detail < 1:
        size = tuple(max(8, round(n * camera.detail)) for n in (image.shape[1], image.shape[0]))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(small, (image.shape[1], image.shape[0])), np.float32)
    sigma = camera.defocus * short
    if sigma > 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    length = camera.blur_length * short
    if length > 1:
        image = np.asarray(cv2.filter2D(image, -1, _streak(length, camera.blur_deg)), np.float32)
    return image


def _streak(length_px: float, degrees: float) -> Field:
    """The kernel of straight motion: a line of ``length_px`` through the middle, sum 1."""
    half = math.ceil(length_px / 2)
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    dx = math.cos(math.radians(degrees)) * length_px / 2
    dy = math.sin(math.radians(degrees)) * length_px / 2
    start, end = (
        (round((half + sign * dx) * 16), round((half + sign * dy) * 16)) for sign in (-1, 1)
    )
    cv2.line(kernel, start, end, 255, 1, cv2.LINE_AA, 4)
    weights = kernel.astype(np.float32)
    return np.asarray(weights / weights.sum(), np.float32)


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(
        ".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
