"""SIGNS: one row per class. A new sign is a new row, in alphabetical order.

The order is that of sorted folder names, so an index means the same class whether an image
was rendered in memory or read back from a folder. The designs are our own, in the spirit of
road signs, for a small robot that drives by camera.

A left sign seen in a mirror is a right sign: never flip these images in augmentation.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_effnet.data.signs.shapes import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    Art,
    Color,
    Disc,
    Points,
    Polygon,
    Stroke,
    arc,
    arrow_head,
    box,
    mirrored,
    regular,
    rounded,
    text,
)


@dataclass(frozen=True)
class Sign:
    """One class.

    Attributes:
        name: the class name, also its folder's.
        face: the empty sign. Where there is a symbol, the face alone means nothing and
            serves as a decoy.
        symbol: what is drawn on the face. Both are empty for ``background``.
        meaning: a line for the printed sheet.
    """

    name: str
    face: Art
    symbol: Art
    meaning: str

    @property
    def art(self) -> Art:
        return self.face + self.symbol


def _plate(points: Points, inner: Points, color: Color) -> Art:
    return (Polygon(points, WHITE), Polygon(inner, color))


def _square(color: Color) -> Art:
    return _plate(
        rounded(box(-0.94, -0.94, 0.94, 0.94), 0.22),
        rounded(box(-0.87, -0.87, 0.87, 0.87), 0.18),
        color,
    )


_ORDER = (Disc(0, 0, 1.0, WHITE), Disc(0, 0, 0.93, BLUE))  # a blue disc tells what to do
_RING = (Disc(0, 0, 1.0, WHITE), Disc(0, 0, 0.97, RED), Disc(0, 0, 0.72, WHITE))
_PAD = (  # a pressed yellow plate with a black line: what lies ahead
    Polygon(rounded(regular(4, 1.0, 0), 0.14), YELLOW),
    Polygon(rounded(regular(4, 0.93, 0), 0.13), BLACK),
    Polygon(rounded(regular(4, 0.87, 0), 0.12), YELLOW),
)

_TURN_LEFT = (
    Stroke(((0.3, 0.55), (0.3, -0.02), (0.22, -0.12), (-0.2, -0.12)), 0.22, WHITE),
    arrow_head((-0.66, -0.12), 180, 0.46, 0.66, WHITE),
)
_U_TURN = (
    Stroke(((0.34, 0.6), (0.34, -0.18), *arc(0.02, -0.18, 0.32, 0.34, 0, -180), (-0.3, 0.1)),
           0.2, WHITE),
    arrow_head((-0.3, 0.52), 90, 0.44, 0.6, WHITE),
)  # fmt: skip
_WALKER = (
    Disc(0.03, -0.34, 0.1, BLACK),
    Stroke(((0.02, -0.18), (-0.02, 0.1)), 0.15, BLACK),
    Stroke(((-0.02, 0.1), (-0.18, 0.44)), 0.1, BLACK),
    Stroke(((-0.02, 0.1), (0.1, 0.26), (0.16, 0.44)), 0.1, BLACK),
    Stroke(((0.02, -0.14), (-0.18, 0.02)), 0.08, BLACK),
    Stroke(((0.02, -0.14), (0.2, 0.04)), 0.08, BLACK),
)


def _circling() -> Art:
    """Three arrows that chase one another around the middle."""
    shapes: list[Stroke | Polygon] = []
    for start in (-100.0, 20.0, 140.0):
        line = arc(0, 0, 0.5, 0.5, start, start + 58)
        ahead = arc(0, 0, 0.5, 0.5, start, start + 100)[-1]
        shapes.append(Stroke(line, 0.19, WHITE))
        shapes.append(arrow_head(ahead, start + 166, 0.38, 0.5, WHITE))
    return tuple(shapes)


def _limit(digits: str) -> Art:
    return text(digits, 0.66, 0.24, BLACK)


SIGNS: tuple[Sign, ...] = (
    Sign("background", (), (), "no sign in sight"),
    Sign(
        "charge",
        _square(GREEN),
        (
            Polygon(
                ((0.16, -0.72), (-0.46, 0.12), (-0.06, 0.12), (-0.2, 0.72), (0.46, -0.16),
                 (0.05, -0.16)),
                WHITE,
            ),
        ),
        "drive to the charger",
    ),
    Sign(
        "crossing",
        _PAD,
        (
            *_WALKER,
            *(Polygon(box(x, 0.55, x + 0.12, 0.63), BLACK) for x in (-0.23, -0.06, 0.11)),
        ),
        "people cross: slow down",
    ),
    Sign(
        "dead-end",
        _square(BLUE),
        (
            Polygon(box(-0.14, -0.1, 0.14, 0.7), WHITE),
            Polygon(box(-0.52, -0.46, 0.52, -0.06), WHITE),
            Polygon(box(-0.45, -0.39, 0.45, -0.13), RED),
        ),
        "no way through: turn back",
    ),
    Sign(
        "forward",
        _ORDER,
        (
            Stroke(((0.0, 0.6), (0.0, -0.2)), 0.22, WHITE),
            arrow_head((0.0, -0.7), -90, 0.5, 0.7, WHITE),
        ),
        "drive straight on",
    ),
    Sign("left", _ORDER, _TURN_LEFT, "turn left"),
    Sign(
        "no-entry",
        (Disc(0, 0, 1.0, WHITE), Disc(0, 0, 0.94, RED)),
        (Polygon(rounded(box(-0.64, -0.17, 0.64, 0.17), 0.05), WHITE),),
        "do not drive in here",
    ),
    Sign("park", _square(BLUE), text("P", 0.96, 0.23, WHITE), "park here"),
    Sign("right", _ORDER, mirrored(_TURN_LEFT), "turn right"),
    Sign("roundabout", _ORDER, _circling(), "drive around"),
    Sign("speed-20", _RING, _limit("20"), "speed 20 at most"),
    Sign("speed-30", _RING, _limit("30"), "speed 30 at most"),
    Sign("speed-50", _RING, _limit("50"), "speed 50 at most"),
    Sign(
        "stop",
        _plate(regular(8, 1.04, 22.5), regular(8, 0.97, 22.5), RED),
        text("STOP", 0.44, 0.2, WHITE),
        "stop and wait",
    ),
    Sign("u-turn", _ORDER, _U_TURN, "turn around"),
    Sign(
        "yield",
        (
            Polygon(rounded(((-1.0, -0.84), (1.0, -0.84), (0.0, 0.9)), 0.16), RED),
            Polygon(rounded(((-0.6, -0.6), (0.6, -0.6), (0.0, 0.44)), 0.08), WHITE),
        ),
        (),
        "let others pass first",
    ),
)  # fmt: skip

LABELS: tuple[str, ...] = tuple(sign.name for sign in SIGNS)
BACKGROUND: int = LABELS.index("background")

# Images of one seed for training, for choosing settings, and for the last word.
SPLITS = ("train", "val", "test")
