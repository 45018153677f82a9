"""What stands behind a sign: procedural surfaces and scenes.

Every painter takes a random generator and a side in pixels and returns side x side x 3 RGB,
uint8. All random numbers are drawn independently of the side, so that one generator state
gives the same scene at every resolution.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_effnet.data.signs.shapes import Color
from edge_effnet.image.preprocessing import Pixels

Field: TypeAlias = NDArray[np.float32]
Painter: TypeAlias = Callable[[Generator, int], Pixels]

OCTAVES = (2, 4, 8, 16, 32, 64)  # cells along a side
SHIFT_BITS = 4


def color(rng: Generator, *, vivid: float = 0.25) -> Color:
    """A random color; ``vivid`` is the share of strongly saturated ones."""
    hue = rng.uniform(0.0, 1.0)
    saturation = rng.uniform(0.55, 1.0) if rng.random() < vivid else rng.uniform(0.0, 0.4)
    return hsv(hue, saturation, rng.uniform(0.12, 0.95))


def hsv(hue: float, saturation: float, value: float) -> Color:
    """RGB 0–255 of hue, saturation and value, each 0…1; the hue wraps around."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0), 1), min(max(value, 0), 1))
    return round(r * 255), round(g * 255), round(b * 255)


def fractal(rng: Generator, side_px: int, roughness: float = 1.0) -> Field:
    """1/f texture, side x side, about 0…1: octaves of noise, each weaker by its frequency.

    Args:
        roughness: 0 gives equal octaves (gravel), 1 gives 1/f (clouds), more is smoother.
    """
    total = np.zeros((1, 1), np.float32)
    weight_sum = 0.0
    for cells in OCTAVES:
        weight = float(cells) ** -roughness
        grown = cv2.resize(total, (cells, cells), interpolation=cv2.INTER_CUBIC)
        total = np.asarray(grown + weight * rng.random((cells, cells), np.float32), np.float32)
        weight_sum += weight
    # Area averaging where the field is finer than the image: sampling would alias.
    method = cv2.INTER_AREA if OCTAVES[-1] > side_px else cv2.INTER_CUBIC
    field = cv2.resize(total, (side_px, side_px), interpolation=method)
    return np.asarray(field / np.float32(weight_sum), np.float32)


def blend(first: Color, second: Color, share: Field) -> Pixels:
    """Mix two colors by a field of 0…1 (clipped): height x width x 3."""
    low, high = np.asarray(first, np.float32), np.asarray(second, np.float32)
    clipped = np.clip(share, 0, 1)[..., None]
    return np.asarray(low + (high - low) * clipped, np.uint8)


def near(rng: Generator, base: Color, spread: float) -> Color:
    """A color whose channels differ from ``base`` by up to ``spread``, mostly together."""
    common = rng.uniform(-spread, spread)
    red, green, blue = (
        round(min(max(channel + common + rng.uniform(-spread, spread) / 3, 0), 255))
        for channel in base
    )
    return red, green, blue


def dead_leaves(rng: Generator, side_px: int) -> Pixels:
    """Overlapping discs, ellipses and polygons with power-law sizes: statistics of clutter."""
    palette = [color(rng) for _ in range(int(rng.integers(3, 8)))]
    image = np.empty((side_px, side_px, 3), np.uint8)
    image[:] = palette[0]
    only = int(rng.integers(0, 6))  # 0–2: one kind of shape, else all
    for radius in _power_law(rng, int(rng.integers(50, 110))):
        kind = only if only < 3 else int(rng.integers(0, 3))
        shade = near(rng, palette[int(rng.integers(0, len(palette)))], 25)
        _leaf(rng, image, kind, float(radius), shade)
    return image


def _power_law(rng: Generator, count: int) -> NDArray[np.float64]:
    """Radii as shares of the side, density about r^-3 from 0.03 to 0.4, large ones first."""
    low, high = 0.03**-2, 0.4**-2
    radii = (low + (high - low) * rng.random(count)) ** -0.5
    return np.asarray(np.sort(radii)[::-1])


def _leaf(rng: Generator, image: Pixels, kind: int, radius: float, shade: Color) -> None:
    side = image.shape[0]
    x, y, angle, stretch = rng.random(), rng.random(), rng.uniform(0, 360), rng.uniform(0.25, 1)
    middle = (round(x * side * 16), round(y * side * 16))
    if kind == 0:
        cv2.circle(image, middle, round(radius * side * 16), shade, -1, cv2.LINE_AA, SHIFT_BITS)
    elif kind == 1:
        axes = (round(radius * side * 16), max(1, round(radius * stretch * side * 16)))
        cv2.ellipse(image, middle, axes, angle, 0, 360, shade, -1, cv2.LINE_AA, SHIFT_BITS)
    else:
        sides = int(rng.integers(3, 6))
        turns = np.radians(angle) + np.arange(sides) * (2 * np.pi / sides)
        reach = radius * side * 16 * (1 if sides == 4 else rng.uniform(0.5, 1.2, sides))
        points = np.stack(
            [middle[0] + reach * np.cos(turns), middle[1] + reach * stretch * np.sin(turns)], 1
        )
        cv2.fillPoly(image, [np.rint(points).astype(np.int32)], shade, cv2.LINE_AA, SHIFT_BITS)


def clouds(rng: Generator, side_px: int) -> Pixels:
    """1/f texture between two colors: walls, sky, cloth."""
    field = fractal(rng, side_px, rng.uniform(0.6, 1.6))
    contrast = rng.uniform(0.6, 3.0)
    return blend(color(rng), color(rng), (field - 0.5) * np.float32(contrast) + 0.5)


def gradient(rng: Generator, side_px: int) -> Pixels:
    """A smooth run from one color to another, faintly structured."""
    across, down = _grid(side_px)
    angle = rng.uniform(0, 2 * np.pi)
    slope = across * np.float32(np.cos(angle)) + down * np.float32(np.sin(angle))
    grain = (fractal(rng, side_px, 0.8) - 0.5) * np.float32(rng.uniform(0.0, 0.3))
    return blend(color(rng, vivid=0.15), color(rng, vivid=0.15), slope * 0.6 + 0.5 + grain)


def _grid(side_px: int) -> tuple[Field, Field]:
    """x and y of each pixel's middle, -0.5…0.5."""
    line = ((np.arange(side_px, dtype=np.float32) + 0.5) / side_px - 0.5).astype(np.float32)
    return line[None, :].repeat(side_px, 0), line[:, None].repeat(side_px, 1)


def _plane(rng: Generator, side_px: int, tilt: float) -> tuple[Field, Field]:
    """Coordinates on a turned, receding plane, so that floors and walls have perspective."""
    across, down = _grid(side_px)
    angle = rng.uniform(0, np.pi)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    slopes = rng.uniform(-tilt, tilt, 2).astype(np.float32)
    depth = 1 + down * slopes[0] + across * slopes[1]
    u, v = (across * c + down * s) / depth, (down * c - across * s) / depth
    return u.astype(np.float32), v.astype(np.float32)


def wood(rng: Generator, side_px: int) -> Pixels:
    """Planks with grain along them and dark joints between."""
    along, across = _plane(rng, side_px, 0.8)
    planks = np.float32(rng.uniform(2, 6))
    row = np.floor(across * planks)
    bends = fractal(rng, side_px, 1.5) * np.float32(rng.uniform(0.5, 3.0))
    rings = np.sin(
        (across * np.float32(rng.uniform(12, 40)) + bends * 3 + row * 2.4 + along * 1.5) * 2
    )
    grain = fractal(rng, side_px, 0.3)
    offsets = rng.uniform(-0.18, 0.18, 32).astype(np.float32)[row.astype(np.int64) % 32]
    share = 0.5 + 0.22 * rings + (grain - 0.5) * 0.9 + offsets
    joint = np.abs(across * planks - row - 0.5) > 0.47
    share = np.where(joint, share - 0.8, share).astype(np.float32)
    hue, value = rng.uniform(0.04, 0.12), rng.uniform(0.4, 0.95)
    saturation = rng.uniform(0.15, 0.65)
    return blend(hsv(hue, saturation, value * 0.5), hsv(hue, saturation * 0.8, value), share)


def tiles(rng: Generator, side_px: int) -> Pixels:
    """Tiles or bricks with joints, each with its own shade."""
    u, v = _plane(rng, side_px, 0.9)
    columns = np.float32(rng.uniform(2.5, 10))
    rows = np.float32(columns * rng.uniform(1.0, 3.0))
    row = np.floor(v * rows)
    bond = np.float32(0.5 if rng.random() < 0.6 else 0.0)
    column_at = u * columns + row * bond
    column = np.floor(column_at)
    width = np.float32(rng.uniform(0.02, 0.07))
    du, dv = np.abs(column_at - column - 0.5), np.abs(v * rows - row - 0.5)
    joint = (du > 0.5 - width) | (dv > 0.5 - width * np.float32(rows / columns))
    shades = rng.uniform(-1, 1, 211).astype(np.float32)
    cell = ((row * 31 + column * 7).astype(np.int64)) % 211
    base, other = color(rng, vivid=0.2), color(rng, vivid=0.1)
    share = 0.35 + shades[cell] * np.float32(rng.uniform(0.05, 0.35))
    share += (fractal(rng, side_px, 0.6) - 0.5) * np.float32(rng.uniform(0.1, 0.7))
    image = blend(base, other, share)
    image[joint] = near(rng, other, 60)
    return image


def asphalt(rng: Generator, side_px: int) -> Pixels:
    """Grey gravel with patches, sometimes with a painted line."""
    grain = fractal(rng, side_px, 0.05) - 0.5
    patches = fractal(rng, side_px, 1.2) - 0.5
    share = 0.5 + grain * np.float32(rng.uniform(0.8, 2.4)) + patches * np.float32(0.8)
    value, tint = rng.uniform(0.25, 0.75), rng.uniform(0, 1)
    dark, light = hsv(tint, 0.08, value * 0.55), hsv(tint, 0.06, value * 1.25)
    image = blend(dark, light, share)
    if rng.random() < 0.5:
        across, down = _plane(rng, side_px, 0.8)
        at, half = rng.uniform(-0.3, 0.3), rng.uniform(0.02, 0.08)
        dashed = (down * np.float32(rng.uniform(2, 6))) % 1 < rng.uniform(0.5, 1.2)
        image[(np.abs(across - np.float32(at)) < half) & dashed] = near(rng, (225, 220, 190), 30)
    return image


def foliage(rng: Generator, side_px: int) -> Pixels:
    """Leaves in one range of hues, lit unevenly."""
    hue = rng.uniform(0.14, 0.42)
    image = np.empty((side_px, side_px, 3), np.uint8)
    image[:] = hsv(hue, 0.6, 0.15)
    count = int(rng.integers(90, 170))
    lengths = rng.uniform(0.03, 0.11, count)
    for length, (x, y, turn, tone) in zip(lengths, rng.random((count, 4)), strict=True):
        axes = (round(length * side_px * 16), max(1, round(length * side_px * 6)))
        shade = hsv(hue + (tone - 0.5) * 0.1, 0.35 + 0.5 * turn, 0.15 + 0.7 * tone)
        middle = (round(x * side_px * 16), round(y * side_px * 16))
        cv2.ellipse(image, middle, axes, turn * 360, 0, 360, shade, -1, cv2.LINE_AA, SHIFT_BITS)
    return image


def shelves(rng: Generator, side_px: int) -> Pixels:
    """Upright and lying boxes: books, crates, windows, facades."""
    image = clouds(rng, side_px)
    palette = [color(rng, vivid=0.4) for _ in range(6)]
    top = rng.uniform(-0.1, 0.1)
    while top < 1.0:
        height, left = rng.uniform(0.15, 0.4), rng.uniform(-0.1, 0.0)
        while left < 1.0:
            width = rng.uniform(0.03, 0.25)
            shade = near(rng, palette[int(rng.integers(0, 6))], 20)
            upper = top + height * rng.uniform(0.0, 0.35)
            corner = (round(left * side_px), round(upper * side_px))
            opposite = (round((left + width * 0.94) * side_px), round((top + height) * side_px))
            cv2.rectangle(image, corner, opposite, shade, -1)
            left += width
        top += height + rng.uniform(0.01, 0.05)
    return image


SURFACES: tuple[Painter, ...] = (
    dead_leaves, clouds, gradient, wood, tiles, asphalt, foliage, shelves,
)  # fmt: skip


def paint(rng: Generator, side_px: int) -> Pixels:
    """A random scene: one surface, or two that meet at a slanted line (wall and floor)."""
    image = SURFACES[int(rng.integers(0, len(SURFACES)))](rng, side_px)
    if rng.random() < 0.35:
        other = SURFACES[int(rng.integers(0, len(SURFACES)))](rng, side_px)
        across, down = _grid(side_px)
        line = np.float32(rng.uniform(-0.25, 0.35)) + across * np.float32(rng.uniform(-0.35, 0.35))
        below = down > line
        image[below] = other[below]
    return image
