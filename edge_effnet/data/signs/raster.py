"""Shapes to pixels: RGBA textures, and their projection into an image.

Textures are premultiplied RGBA, uint8, square; the sign's square of -1…1 lies in their
middle, with a margin up to ±MARGIN for the paper it may be printed on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.signs.shapes import WHITE, Art, Disc, Polygon, Stroke, box, rounded
from edge_effnet.data.signs.table import SIGNS
from edge_effnet.image.preprocessing import Pixels

MARGIN = 1.3
TEXTURE_PX = 384
_SHIFT_BITS = 4  # OpenCV draws at sixteenths of a pixel

Matrix = NDArray[np.float64]

PAPER: Art = (Polygon(rounded(box(-1.24, -1.24, 1.24, 1.24), 0.02), WHITE),)


def draw(art: Art, side_px: int, *, margin: float = MARGIN, supersampling: int = 3) -> Pixels:
    """Rasterize shapes: side x side x 4, premultiplied RGBA.

    Drawn several times too large without anti-aliasing, then averaged: OpenCV's own
    anti-aliasing leaves seams between shapes that touch.
    """
    large = side_px * supersampling
    canvas = np.zeros((large, large, 4), np.uint8)
    unit = large / (2 * margin)

    def fixed(points: tuple[tuple[float, float], ...]) -> NDArray[np.int32]:
        pixels = (np.asarray(points, np.float64) + margin) * unit - 0.5
        return np.rint(pixels * (1 << _SHIFT_BITS)).astype(np.int32)

    for shape in art:
        color = (*shape.color, 255)
        if isinstance(shape, Disc):
            x, y = (int(value) for value in fixed(((shape.x, shape.y),))[0])
            radius = round(shape.radius * unit * (1 << _SHIFT_BITS))
            cv2.circle(canvas, (x, y), radius, color, cv2.FILLED, cv2.LINE_8, _SHIFT_BITS)
        elif isinstance(shape, Stroke):
            thickness = max(1, round(shape.width * unit))
            cv2.polylines(
                canvas, [fixed(shape.points)], False, color, thickness, cv2.LINE_8, _SHIFT_BITS
            )
        else:
            cv2.fillPoly(canvas, [fixed(shape.points)], color, cv2.LINE_8, _SHIFT_BITS)
    return np.asarray(
        cv2.resize(canvas, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8
    )


@lru_cache(maxsize=64)
def texture(label: int, *, paper: bool, side_px: int = TEXTURE_PX) -> tuple[Pixels, ...]:
    """A sign as a pyramid of textures, each half the side of the one before.

    Args:
        paper: on a white sheet, as printed, instead of cut out.
    """
    art = SIGNS[label].art
    return pyramid(draw(PAPER + art if paper else art, side_px))


def pyramid(level: Pixels) -> tuple[Pixels, ...]:
    """The texture and its halves, down to about 24 pixels."""
    levels = [level]
    while levels[-1].shape[0] >= 48:
        half = levels[-1].shape[0] // 2
        levels.append(
            np.asarray(cv2.resize(levels[-1], (half, half), interpolation=cv2.INTER_AREA), np.uint8)
        )
    for array in levels:
        array.setflags(write=False)  # shared by every image
    return tuple(levels)


@dataclass(frozen=True)
class Pose:
    """How a sign stands before the camera.

    Attributes:
        side: longer side of the box around the projected sign, as a share of the image.
        x, y: middle of that box, 0…1 of the image.
        roll_deg: turned in its own plane, clockwise.
        tilt_deg: turned out of the image's plane, around the axis at ``axis_deg``.
        distance: of the camera, in half sides; small is a strong perspective.
    """

    side: float
    x: float
    y: float
    roll_deg: float = 0.0
    tilt_deg: float = 0.0
    axis_deg: float = 0.0
    distance: float = 4.0


def placement(pose: Pose, size_px: float) -> Matrix:
    """The 3x3 homography from sign coordinates (-1…1) to pixels of a square image."""
    roll, tilt, axis = (math.radians(a) for a in (pose.roll_deg, pose.tilt_deg, pose.axis_deg))
    ux, uy = math.cos(axis), math.sin(axis)
    c, s, t = math.cos(tilt), math.sin(tilt), 1 - math.cos(tilt)
    # Rodrigues' rotation around the axis (ux, uy, 0); the sign has no depth, so two columns do.
    turn = np.array([[c + ux * ux * t, ux * uy * t], [ux * uy * t, c + uy * uy * t]])
    depth = np.array([-uy * s, ux * s])
    spin = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    view = np.eye(3)
    view[:2, :2] = turn @ spin
    view[2, :2] = (depth @ spin) / pose.distance
    low, high = bounds(corners(view))
    scale = pose.side * size_px / float(max(high - low))
    middle = (low + high) / 2
    fit = np.array(
        [
            [scale, 0, pose.x * size_px - scale * middle[0]],
            [0, scale, pose.y * size_px - scale * middle[1]],
            [0, 0, 1],
        ]
    )
    return np.asarray(fit @ view, np.float64)


def corners(transform: Matrix, half: float = 1.0) -> NDArray[np.float64]:
    """The projected corners of the square -half…half, 4 x 2, clockwise from the upper left."""
    square = np.array([[-half, -half, 1], [half, -half, 1], [half, half, 1], [-half, half, 1]])
    projected = square @ transform.T
    return np.asarray(projected[:, :2] / projected[:, 2:], np.float64)


def bounds(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper corner of the box around points."""
    return points.min(axis=0), points.max(axis=0)


def window(transform: Matrix, width: int, height: int, half: float) -> tuple[slice, slice]:
    """Rows and columns of an image that the square -half…half can touch; may be empty."""
    low, high = bounds(corners(transform, half))
    limits = (width, height)
    first = [int(np.clip(np.floor(low[axis]), 0, limits[axis])) for axis in (0, 1)]
    last = [int(np.clip(np.ceil(high[axis]) + 1, 0, limits[axis])) for axis in (0, 1)]
    return slice(first[1], last[1]), slice(first[0], last[0])


def project(levels: tuple[Pixels, ...], transform: Matrix, where: tuple[slice, slice]) -> Pixels:
    """Warp a texture into the window ``where`` of an image, premultiplied RGBA."""
    low, high = bounds(corners(transform, MARGIN))
    target = float(max(high - low))
    level = levels[0]
    for smaller in levels[1:]:
        if smaller.shape[0] < target:
            break
        level = smaller  # the smallest that is not magnified: linear sampling skips no pixel
    step = 2 * MARGIN / level.shape[0]
    offset = step / 2 - MARGIN
    to_sign = np.array([[step, 0, offset], [0, step, offset], [0, 0, 1]], np.float64)
    rows, columns = where
    to_pixel = np.array(
        [[1, 0, -0.5 - columns.start], [0, 1, -0.5 - rows.start], [0, 0, 1]], np.float64
    )
    warped = cv2.warpPerspective(
        level,
        to_pixel @ transform @ to_sign,
        (columns.stop - columns.start, rows.stop - rows.start),
        flags=cv2.INTER_LINEAR,
    )
    return np.asarray(warped, np.uint8)


def is_empty(where: tuple[slice, slice]) -> bool:
    return any(part.stop <= part.start for part in where)


def paste(image: NDArray[np.float32], layer: NDArray[np.float32]) -> None:
    """Lay premultiplied RGBA (0…255) over an RGB image, in place."""
    image *= 1 - layer[..., 3:] * np.float32(1 / 255)
    image += layer[..., :3]
