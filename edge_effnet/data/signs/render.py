"""One image of ``signs`` from (seed, index).

The same seed, index and size give the same pixels. Another OpenCV or processor draws the same
scene with other rounding: between OpenCV 4.6 and 5.0 a twentieth of the values differ, most
of them by one to three levels. The scene is drawn from one stream of
random numbers and the sensor's noise from another, so the size changes the resolution of a
image and not what is on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator, Philox, SeedSequence
from numpy.typing import NDArray

from edge_effnet.data.signs.backgrounds import Field, color, fractal, hsv, near, paint
from edge_effnet.data.signs.decoys import decoy
from edge_effnet.data.signs.optics import expose, light, random_camera
from edge_effnet.data.signs.raster import (
    MARGIN,
    PAPER,
    Matrix,
    Pose,
    bounds,
    corners,
    draw,
    is_empty,
    paste,
    placement,
    project,
    pyramid,
    texture,
    window,
)
from edge_effnet.data.signs.table import BACKGROUND, LABELS, SPLITS
from edge_effnet.errors import UsageProblem
from edge_effnet.image.preprocessing import Pixels

MIN_SIZE_PX, MAX_SIZE_PX = 16, 2048
DECOY_TEXTURE_PX = 128
DIRT_PX = 64
_SPLIT_STRIDE = 1 << 40  # far more images than anyone renders: splits share no index


def split_index(split: str, number: int) -> int:
    """The index of image ``number`` (from 0) of a split; no two splits share one."""
    return SPLITS.index(split) * _SPLIT_STRIDE + number


def render_sample(index: int, seed: int, size: int, label: int | None = None) -> tuple[Pixels, int]:
    """Render one image.

    Args:
        index: from 0; see ``split_index`` for images that training never saw.
        seed: from 0; another seed is another data set.
        size: side in pixels, 16 to 2048.
        label: index into ``LABELS``; without it the classes take turns.

    Returns:
        RGB pixels, size x size x 3, and the label.

    Raises:
        UsageProblem: a negative index or seed, a size out of range, an unknown label.
    """
    _check(index, seed, size, label)
    chosen = index % len(LABELS) if label is None else label
    scene, sensor = (Generator(Philox(SeedSequence([seed, index, stream]))) for stream in range(2))
    image = paint(scene, size)
    if chosen == BACKGROUND:
        place_decoys(scene, image, int(scene.integers(0, 4)), 0.2, 0.85)
    else:
        if scene.random() < 0.5:
            place_decoys(scene, image, int(scene.integers(1, 4)), 0.08, 0.3)
        _place_sign(scene, image, chosen)
    camera = random_camera(scene)
    lit = image.astype(np.float32)
    light(scene, lit)
    grain = sensor.standard_normal((size, size, 3), np.float32) if camera.noise else None
    return expose(lit, camera, grain), chosen


def _check(index: int, seed: int, size: int, label: int | None) -> None:
    if index < 0 or seed < 0:
        raise UsageProblem(
            "seed and index of an image are whole numbers from 0",
            found=f"seed {seed}, index {index}",
            fix="give a seed of 0 or more",
        )
    if not MIN_SIZE_PX <= size <= MAX_SIZE_PX:
        raise UsageProblem(
            "images of signs cannot have this size",
            found=f"{size} px",
            expected=f"{MIN_SIZE_PX} to {MAX_SIZE_PX} px",
            fix="use the resolution of your network, for example 128",
        )
    if label is not None and not 0 <= label < len(LABELS):
        raise UsageProblem(
            "there is no such class of signs",
            found=f"label {label}",
            expected=f"0 to {len(LABELS) - 1}",
            fix="take the index from LABELS",
        )


def random_pose(rng: Generator, smallest: float, largest: float, *, overhang: float) -> Pose:
    """A pose in the image.

    Args:
        smallest, largest: range of the side, as shares of the image.
        overhang: share of the side that may stick out of the central 0.9 of the image,
            which is what a classifier keeps of it.
    """
    side = rng.uniform(smallest, largest)
    room = max(0.45 - side * (0.5 - overhang), 0.0)
    # Steep tilts are rarer than mild ones, as with real signs.
    return Pose(
        side=side,
        x=0.5 + rng.uniform(-room, room),
        y=0.5 + rng.uniform(-room, room),
        roll_deg=float(np.clip(rng.normal(0, 9), -25, 25)),
        tilt_deg=50 * rng.random() ** 1.4,
        axis_deg=rng.uniform(0, 360),
        distance=rng.uniform(2.5, 6),
    )


def place_decoys(
    rng: Generator, image: Pixels, count: int, smallest: float, largest: float
) -> None:
    """Paste decoys into a square image, in place."""
    for _ in range(count):
        transform = placement(random_pose(rng, smallest, largest, overhang=0.4), image.shape[0])
        art = PAPER + decoy(rng) if rng.random() < 0.2 else decoy(rng)
        levels = pyramid(draw(art, DECOY_TEXTURE_PX, supersampling=2))
        where = window(transform, image.shape[1], image.shape[0], MARGIN)
        wear = random_wear(rng)
        if not is_empty(where):
            paste_worn(image, where, project(levels, transform, where), wear)


def _place_sign(rng: Generator, image: Pixels, label: int) -> None:
    size = image.shape[0]
    pose = random_pose(rng, 0.3, 0.95, overhang=0.12)
    transform = placement(pose, size)
    paper, pole = rng.random() < 0.3, rng.random() < 0.4
    if pole and not paper:
        _pole(rng, image, transform)
    where = window(transform, size, size, MARGIN + 0.25)  # room for the shadow beside it
    layer = project(texture(label, paper=paper), transform, where)
    if rng.random() < 0.4:
        _cast_shadow(rng, image[where], layer, pose.side * size)
    paste_worn(image, where, layer, random_wear(rng))
    if paper and rng.random() < 0.6:
        _fingers(rng, image, transform)
    if rng.random() < 0.4:
        _cover(rng, image, transform)


@dataclass(frozen=True)
class Wear:
    """What weather did to a sign: a factor for each channel, and dirt (0…1) over the image."""

    tint: Field
    dirt: Field | None


def random_wear(rng: Generator) -> Wear:
    tint = rng.uniform(0.82, 1.0, 3) * rng.uniform(0.75, 1.08)
    dirt = None
    if rng.random() < 0.3:
        dirt = fractal(rng, DIRT_PX, 0.9) * np.float32(rng.uniform(0.2, 0.7))
    return Wear(tint.astype(np.float32), dirt)


def paste_worn(image: Pixels, where: tuple[slice, slice], layer: Pixels, wear: Wear) -> None:
    """Paste a layer (premultiplied RGBA, as large as the window), faded, tinted and dirty."""
    worn = layer.astype(np.float32)
    worn[..., :3] *= wear.tint
    if wear.dirt is not None:
        dirt = cv2.resize(wear.dirt, (layer.shape[1], layer.shape[0]))
        worn[..., :3] *= (1 - np.asarray(dirt, np.float32))[..., None]
    ground = image[where].astype(np.float32)
    paste(ground, worn)
    image[where] = np.clip(ground, 0, 255, out=ground)


def _cast_shadow(rng: Generator, ground: Pixels, layer: Pixels, side_px: float) -> None:
    """Darken the ground behind a sign, a little beside it."""
    x, y = rng.uniform(-0.1, 0.1, 2) * side_px
    shift = np.array([[1, 0, x], [0, 1, y]], np.float64)
    alpha = cv2.warpAffine(layer[..., 3], shift, (layer.shape[1], layer.shape[0]))
    soft = cv2.GaussianBlur(alpha, (0, 0), max(0.02 * side_px, 0.3)).astype(np.float32)
    shade = 1 - soft * np.float32(rng.uniform(0.25, 0.6) / 255)
    ground[:] = ground * shade[..., None]


def _pole(rng: Generator, image: Pixels, transform: Matrix) -> None:
    """The post that carries a sign: a grey strip from its middle downwards."""
    half, shade = rng.uniform(0.04, 0.12), near(rng, (130, 132, 135), 50)
    strip = np.array([[-half, 0, 1], [half, 0, 1], [half, 2.4, 1], [-half, 2.4, 1]]) @ transform.T
    if (strip[:, 2] < 0.15).any():
        return  # it would pass behind the camera
    _fill(image, strip[:, :2] / strip[:, 2:], shade)


def _fingers(rng: Generator, image: Pixels, transform: Matrix) -> None:
    """The hand that holds a printed sheet by its edge."""
    skin = hsv(rng.uniform(0.03, 0.09), rng.uniform(0.25, 0.6), rng.uniform(0.3, 0.95))
    side, along = int(rng.integers(0, 4)), rng.uniform(-0.9, 0.9)
    for number in range(int(rng.integers(1, 4))):
        spot = along + number * 0.22
        u, v = ((spot, 1.3), (1.3, spot), (spot, -1.3), (-1.3, spot))[side]
        long, short = rng.uniform(0.25, 0.35), 0.11
        reach = (short, long) if side % 2 == 0 else (long, short)
        turns = np.linspace(0, 2 * math.pi, 20)
        outline = np.stack(
            [u + reach[0] * np.cos(turns), v + reach[1] * np.sin(turns), np.ones(20)], 1
        )
        points = outline @ transform.T
        _fill(image, points[:, :2] / points[:, 2:], near(rng, skin, 12))


def _cover(rng: Generator, image: Pixels, transform: Matrix) -> None:
    """Something before the sign: leaves at its rim, a twig, or specks. The symbol stays
    readable: little of the middle is ever hidden."""
    low, high = bounds(corners(transform))
    middle, side = (low + high) / 2, float(max(high - low))
    shade = color(rng)
    kind = int(rng.integers(0, 3))
    turns = np.linspace(0, 2 * math.pi, 14, endpoint=False)
    if kind == 0:
        direction = rng.uniform(0, 2 * math.pi)
        for _ in range(int(rng.integers(1, 5))):
            at = direction + rng.normal(0, 0.25)
            spot = middle + np.array([math.cos(at), math.sin(at)]) * side * rng.uniform(0.42, 0.6)
            reach = side * rng.uniform(0.08, 0.2) * rng.uniform(0.7, 1.1, turns.size)
            ring = np.stack([np.cos(turns), np.sin(turns)], 1) * reach[:, None]
            _fill(image, spot + ring, near(rng, shade, 30))
    elif kind == 1:
        start, end = (middle + rng.uniform(-0.7, 0.7, 2) * side for _ in range(2))
        bend = (start + end) / 2 + rng.uniform(-0.2, 0.2, 2) * side
        steps = np.linspace(0, 1, 10)[:, None]
        twig = (1 - steps) ** 2 * start + 2 * steps * (1 - steps) * bend + steps**2 * end
        thick = max(1, round(side * rng.uniform(0.02, 0.07)))
        cv2.polylines(image, [np.rint(twig * 16).astype(np.int32)], False, shade, thick, 16, 4)
    else:
        for _ in range(int(rng.integers(3, 16))):
            spot = np.rint((middle + rng.uniform(-0.5, 0.5, 2) * side) * 16).astype(int)
            radius = round(side * rng.uniform(0.01, 0.05) * 16)
            cv2.circle(image, (int(spot[0]), int(spot[1])), radius, near(rng, shade, 25), -1, 16, 4)


def _fill(image: Pixels, points: NDArray[np.float64], shade: tuple[int, int, int]) -> None:
    cv2.fillPoly(image, [np.rint(points * 16).astype(np.int32)], shade, cv2.LINE_AA, 4)
