"""What looks like a sign and is none: empty faces, plain shapes, scraps of text.

Every background image holds some, and many images of signs do, so that a network has to
read a sign's symbol and cannot get by with "a blue disc".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from numpy.random import Generator

from edge_effnet.data.signs.backgrounds import color, near
from edge_effnet.data.signs.shapes import (
    BLACK,
    BLUE,
    GLYPHS,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    Art,
    Color,
    Disc,
    Polygon,
    box,
    regular,
    rounded,
    text,
)
from edge_effnet.data.signs.table import SIGNS

Decoy: TypeAlias = Callable[[Generator], Art]

SIGN_COLORS: tuple[Color, ...] = (RED, BLUE, GREEN, YELLOW, WHITE, BLACK)

# A face that is a sign by itself (yield) must not appear in a background image.
EMPTY_FACES: tuple[Art, ...] = tuple(dict.fromkeys(s.face for s in SIGNS if s.symbol))
# Letters that belong to no sign's text.
NEUTRAL_LETTERS = "".join(sorted(set(GLYPHS) - set("0235STOP")))


def decoy(rng: Generator) -> Art:
    """A random decoy in the square -1…1."""
    return DECOYS[int(rng.integers(0, len(DECOYS)))](rng)


def empty_face(rng: Generator) -> Art:
    """A sign without its symbol."""
    return EMPTY_FACES[int(rng.integers(0, len(EMPTY_FACES)))]


def foreign_letter(rng: Generator) -> Art:
    """A sign's face with a letter that no sign has."""
    letter = NEUTRAL_LETTERS[int(rng.integers(0, len(NEUTRAL_LETTERS)))]
    ink = WHITE if rng.random() < 0.5 else BLACK
    return empty_face(rng) + text(letter, rng.uniform(0.6, 0.9), rng.uniform(0.12, 0.26), ink)


def plain_disc(rng: Generator) -> Art:
    """A disc, sometimes with a rim."""
    rim = Disc(0, 0, 1.0, _paint(rng))
    return (rim, Disc(0, 0, rng.uniform(0.6, 1.0), _paint(rng)))


def plain_polygon(rng: Generator) -> Art:
    """A polygon of three to eight corners in one color; one color makes no yield sign."""
    corners = regular(int(rng.integers(3, 9)), 1.0, rng.uniform(0, 360))
    return (Polygon(rounded(corners, rng.uniform(0.01, 0.25)), _paint(rng)),)


def text_scrap(rng: Generator) -> Art:
    """A word of random letters on a plate: posters, labels, number plates."""
    count = int(rng.integers(2, 7))
    word = "".join(NEUTRAL_LETTERS[i] for i in rng.integers(0, len(NEUTRAL_LETTERS), count))
    letters = text(word, 1.7 / count, rng.uniform(0.1, 0.24), _paint(rng))
    half = min(1.0, 1.7 / count)
    return (Polygon(rounded(box(-1, -half, 1, half), 0.05), _paint(rng)), *letters)


def stripes(rng: Generator) -> Art:
    """A barrier board or a bar code."""
    count = int(rng.integers(3, 9))
    lean, half = rng.uniform(-0.2, 0.2), rng.uniform(0.25, 0.8)
    ink, step = _paint(rng), 1.8 / count
    bars: list[Polygon] = [Polygon(box(-1, -half, 1, half), _paint(rng))]
    for number in range(count):
        left = -0.9 + number * step
        right = left + step * rng.uniform(0.3, 0.6)
        points = (
            (left + lean, -half), (right + lean, -half), (right - lean, half), (left - lean, half),
        )  # fmt: skip
        bars.append(Polygon(points, ink))
    return tuple(bars)


def _paint(rng: Generator) -> Color:
    if rng.random() < 0.65:
        return near(rng, SIGN_COLORS[int(rng.integers(0, len(SIGN_COLORS)))], 20)
    return color(rng, vivid=0.5)


DECOYS: tuple[Decoy, ...] = (
    empty_face, empty_face, foreign_letter, plain_disc, plain_polygon, text_scrap, stripes,
)  # fmt: skip
