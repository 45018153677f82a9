"""What a sign is drawn from: discs, polygons, strokes, and a stroke font.

Coordinates: the sign fills the square from -1 to 1; x grows to the right, y downwards.
The same shapes become pixels (``raster``) and paths on paper (``sheet``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

Color: TypeAlias = tuple[int, int, int]  # RGB, 0–255
Point: TypeAlias = tuple[float, float]
Points: TypeAlias = tuple[Point, ...]

WHITE: Color = (245, 245, 245)
BLACK: Color = (22, 22, 24)
RED: Color = (200, 24, 34)
BLUE: Color = (18, 82, 168)
GREEN: Color = (10, 128, 72)
YELLOW: Color = (246, 194, 20)


@dataclass(frozen=True)
class Disc:
    x: float
    y: float
    radius: float
    color: Color


@dataclass(frozen=True)
class Polygon:
    """A filled polygon without holes; it may be concave."""

    points: Points
    color: Color


@dataclass(frozen=True)
class Stroke:
    """A line through ``points`` with round ends and joins."""

    points: Points
    width: float
    color: Color


Shape: TypeAlias = Disc | Polygon | Stroke
Art: TypeAlias = tuple[Shape, ...]


def arc(
    x: float, y: float, radius_x: float, radius_y: float, start: float, end: float, parts: int = 20
) -> Points:
    """Points on an ellipse; angles in degrees: 0 is right, 90 down, -90 up."""
    angles = [math.radians(start + (end - start) * part / parts) for part in range(parts + 1)]
    return tuple((x + radius_x * math.cos(a), y + radius_y * math.sin(a)) for a in angles)


def regular(sides: int, radius: float, first_angle: float) -> Points:
    """A regular polygon around the origin; its first corner lies at ``first_angle`` degrees."""
    return arc(0, 0, radius, radius, first_angle, first_angle + 360, sides)[:-1]


def box(left: float, top: float, right: float, bottom: float) -> Points:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def rounded(points: Points, corner: float, parts: int = 6) -> Points:
    """Cut each corner ``corner`` before and behind it and join the cuts with a parabola."""
    smooth: list[Point] = []
    for before, here, after in zip((points[-1], *points[:-1]), points, (*points[1:], points[0])):  # noqa: B905 (same length by construction)
        enter, leave = _towards(here, before, corner), _towards(here, after, corner)
        for part in range(parts + 1):
            t = part / parts
            weights = ((1 - t) ** 2, 2 * t * (1 - t), t * t)
            x, y = (
                sum(weight * point[axis] for weight, point in zip(weights, (enter, here, leave)))  # noqa: B905
                for axis in (0, 1)
            )
            smooth.append((x, y))
    return tuple(smooth)


def _towards(start: Point, goal: Point, distance: float) -> Point:
    share = min(distance / math.dist(start, goal), 0.5)
    return (start[0] + (goal[0] - start[0]) * share, start[1] + (goal[1] - start[1]) * share)


def arrow_head(tip: Point, degrees: float, length: float, width: float, color: Color) -> Polygon:
    """A triangle whose tip points in the direction ``degrees`` (0 right, 90 down)."""
    along = (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    base = (tip[0] - length * along[0], tip[1] - length * along[1])
    side = (-along[1] * width / 2, along[0] * width / 2)
    corners = (tip, (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1]))
    return Polygon(corners, color)


def mirrored(art: Art) -> Art:
    """The same art with left and right exchanged."""
    return tuple(
        replace(shape, x=-shape.x)
        if isinstance(shape, Disc)
        else replace(shape, points=tuple((-x, y) for x, y in shape.points))
        for shape in art
    )


# A letter is a few lines in a cell that is 1 high and about 0.6 wide. Own design.
GLYPHS: dict[str, tuple[Points, ...]] = {
    "0": (arc(0.3, 0.5, 0.3, 0.5, -90, 270, 32),),
    "1": (((0.08, 0.22), (0.32, 0.0), (0.32, 1.0)),),
    "2": ((*arc(0.3, 0.29, 0.28, 0.29, -165, 35), (0.02, 1.0), (0.6, 1.0)),),
    "3": (arc(0.28, 0.25, 0.27, 0.25, -150, 90), arc(0.28, 0.74, 0.3, 0.26, -90, 150)),
    "4": (((0.46, 1.0), (0.46, 0.0), (0.0, 0.7), (0.62, 0.7)),),
    "5": (((0.54, 0.0), (0.1, 0.0), (0.06, 0.45)), arc(0.28, 0.68, 0.31, 0.32, -136, 145)),
    "7": (((0.0, 0.0), (0.58, 0.0), (0.2, 1.0)),),
    "8": (arc(0.3, 0.25, 0.25, 0.25, -90, 270), arc(0.3, 0.75, 0.3, 0.25, -90, 270)),
    "A": (((0.0, 1.0), (0.3, 0.0), (0.6, 1.0)), ((0.1, 0.66), (0.5, 0.66))),
    "E": (((0.55, 0.0), (0.0, 0.0), (0.0, 1.0), (0.55, 1.0)), ((0.0, 0.48), (0.45, 0.48))),
    "F": (((0.55, 0.0), (0.0, 0.0), (0.0, 1.0)), ((0.0, 0.48), (0.45, 0.48))),
    "H": (((0.0, 0.0), (0.0, 1.0)), ((0.58, 0.0), (0.58, 1.0)), ((0.0, 0.5), (0.58, 0.5))),
    "I": (((0.3, 0.0), (0.3, 1.0)),),
    "K": (((0.0, 0.0), (0.0, 1.0)), ((0.55, 0.0), (0.0, 0.6)), ((0.2, 0.42), (0.58, 1.0))),
    "L": (((0.0, 0.0), (0.0, 1.0), (0.5, 1.0)),),
    "M": (((0.0, 1.0), (0.0, 0.0), (0.35, 0.6), (0.7, 0.0), (0.7, 1.0)),),
    "N": (((0.0, 1.0), (0.0, 0.0), (0.58, 1.0), (0.58, 0.0)),),
    "O": (arc(0.32, 0.5, 0.34, 0.5, -90, 270, 32),),
    "P": (((0.0, 1.0), (0.0, 0.0), *arc(0.3, 0.28, 0.28, 0.28, -90, 90), (0.0, 0.56)),),
    "S": ((*arc(0.3, 0.25, 0.27, 0.25, -25, -270), *arc(0.3, 0.75, 0.29, 0.25, -90, 160)),),
    "T": (((0.0, 0.0), (0.6, 0.0)), ((0.3, 0.0), (0.3, 1.0))),
    "U": (((0.0, 0.0), *arc(0.29, 0.7, 0.29, 0.3, 180, 0), (0.58, 0.0)),),
    "V": (((0.0, 0.0), (0.3, 1.0), (0.6, 0.0)),),
    "X": (((0.0, 0.0), (0.6, 1.0)), ((0.6, 0.0), (0.0, 1.0))),
    "Z": (((0.0, 0.0), (0.58, 0.0), (0.0, 1.0), (0.58, 1.0)),),
}


def text(word: str, height: float, weight: float, color: Color, y: float = 0.0) -> Art:
    """Capital letters as strokes, centred on (0, y).

    Args:
        height: of a letter, between the middles of its outer strokes.
        weight: width of the strokes as a share of the height.
    """
    gap = 0.16 + weight
    widths = [max(x for line in GLYPHS[letter] for x, _ in line) for letter in word]
    left = -(sum(widths) + gap * (len(word) - 1)) / 2
    strokes: list[Stroke] = []
    for letter, width in zip(word, widths, strict=True):
        for line in GLYPHS[letter]:
            points = tuple(((left + u) * height, y + (v - 0.5) * height) for u, v in line)
            strokes.append(Stroke(points, weight * height, color))
        left += width + gap
    return tuple(strokes)


def moved(art: Sequence[Shape], x: float, y: float, scale: float) -> Art:
    """The art scaled around the origin, then shifted to (x, y)."""
    return tuple(
        Disc(x + shape.x * scale, y + shape.y * scale, shape.radius * scale, shape.color)
        if isinstance(shape, Disc)
        else _moved_points(shape, x, y, scale)
        for shape in art
    )


def _moved_points(shape: Polygon | Stroke, x: float, y: float, scale: float) -> Shape:
    points = tuple((x + u * scale, y + v * scale) for u, v in shape.points)
    if isinstance(shape, Stroke):
        return Stroke(points, shape.width * scale, shape.color)
    return Polygon(points, shape.color)
