"""A moving-camera clip with its truth: signs on walls, come upon, held in view, left behind.

What is true of a frame: a classifier sees the central square of ``VIEW_SHARE`` of the short
side. The sign of which most lies inside it is the frame's sign. It is the frame's *label*
where at least ``MIN_INSIDE`` of its bounding square is inside, and the longer side of its box is
at least ``MIN_SIDE`` of the square's side; else the label is ``background``. The box is written
wherever a part of a sign is inside, so a background frame with a box is a sign half in view
(which an honest score may leave out) and one without is empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator, Philox, SeedSequence
from numpy.typing import NDArray

from edge_effnet.data.signs.backgrounds import paint
from edge_effnet.data.signs.decoys import decoy
from edge_effnet.data.signs.optics import CameraSettings, expose
from edge_effnet.data.signs.raster import (
    MARGIN,
    Matrix,
    Pose,
    bounds,
    corners,
    draw,
    is_empty,
    placement,
    project,
    pyramid,
    texture,
    window,
)
from edge_effnet.data.signs.render import Wear, paste_worn, random_wear
from edge_effnet.data.signs.table import BACKGROUND, LABELS
from edge_effnet.image.preprocessing import Pixels

VIEW_SHARE = 0.9
MIN_INSIDE = 0.85
MIN_SIDE = 0.25

SECONDS_PER_STOP = 2.0
HOLD_SHARE = 0.5  # of a stop's time, the rest is travel
BARE_SHARE = 0.15  # of the stops: a decoy in place of a sign
SHUTTER = 0.4  # share of a frame's time that the shutter is open
WALL_PX = 1536
WALL_UNIT_PX = 260  # pixels of the wall's image that a sign's side covers
SIGN_TEXTURE_PX = 512


@dataclass(frozen=True)
class Truth:
    """What is in a frame; ``box`` is x0, y0, x1, y1 in pixels, None where no sign is."""

    label: int
    box: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class Stop:
    """A place on the wall, in sides of a sign, and how the camera looks at it."""

    x: float
    y: float
    label: int
    levels: tuple[Pixels, ...]
    tilt: Matrix
    wear: Wear
    side: float  # of the sign when held, as a share of the classifier's square
    aim_x: float  # how far the camera aims beside it, in sides
    aim_y: float
    roll_deg: float


@dataclass(frozen=True)
class _View:
    """Where the camera looks: a point of the wall, pixels per side, and its roll."""

    x: float
    y: float
    zoom: float
    roll_deg: float


def clip_frames(
    frames: int, fps: float, width: int, height: int, seed: int
) -> Iterator[tuple[Pixels, Truth]]:
    """The frames of a clip, RGB height x width x 3, each with its truth.

    The same arguments give the same clip. Memory does not grow with its length.
    """
    rng = Generator(Philox(SeedSequence([seed, 2])))
    wall = _wall(rng)
    stops = _stops(rng, max(1, math.ceil(frames / fps / SECONDS_PER_STOP)))
    camera = CameraSettings(
        gains=(math.exp(rng.normal(0, 0.06)), 1.0, math.exp(rng.normal(0, 0.06))),
        saturation=rng.uniform(0.7, 1.05),
        vignette=rng.uniform(0.1, 0.35),
        defocus=rng.uniform(0.0, 0.002),
        noise=rng.uniform(3, 8),
    )
    noise = rng.standard_normal((height, width, 3), np.float32)
    sway = rng.uniform(0, 2 * math.pi, 6)
    square = VIEW_SHARE * min(width, height)
    before = _view(stops, -1 / fps, square, sway)
    for frame in range(frames):
        seconds = frame / fps
        here = _view(stops, seconds, square, sway)
        matrix = _wall_to_frame(here, width, height)
        image = np.asarray(
            cv2.warpPerspective(
                wall, matrix @ _WALL_SCALE, (width, height),
                flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101,
            ),
            np.uint8,
        )  # fmt: skip
        truth = _hang_signs(image, stops, matrix, seconds, square)
        # One field of noise, shifted at random: a fresh one a frame would be most of the time.
        grain = np.roll(noise, tuple(rng.integers(0, (height, width))), axis=(0, 1))
        streak, streak_deg = _motion_blur(before, here, min(width, height))
        shot = replace(
            camera,
            exposure_ev=-0.2 + 0.5 * math.sin(seconds * 0.7 + sway[4]),
            blur_length=streak,
            blur_deg=streak_deg,
        )
        yield expose(image.astype(np.float32), shot, grain), truth
        before = here


_WALL_SCALE: Matrix = np.diag([1 / WALL_UNIT_PX, 1 / WALL_UNIT_PX, 1.0])


def _wall(rng: Generator) -> Pixels:
    """Four surfaces in a square; beyond its rim it repeats as in a mirror."""
    half = WALL_PX // 2
    quarters = [paint(rng, half) for _ in range(4)]
    return np.vstack([np.hstack(quarters[:2]), np.hstack(quarters[2:])])


def _stops(rng: Generator, count: int) -> list[Stop]:
    """Stops on a wandering line. Every sign has its turn before one comes again."""
    stops: list[Stop] = []
    queue: list[int] = []
    x, y, heading = 0.0, 0.0, rng.uniform(0, 2 * math.pi)
    for _ in range(count + 2):  # one before the clip's start and one after its end
        bare = rng.random() < BARE_SHARE
        if not bare and not queue:
            queue = [int(n) for n in rng.permutation(len(LABELS)) if n != BACKGROUND]
        label = BACKGROUND if bare else queue.pop()
        if bare:
            levels = pyramid(draw(decoy(rng), SIGN_TEXTURE_PX))
        else:
            levels = texture(label, paper=rng.random() < 0.3, side_px=SIGN_TEXTURE_PX)
        tilted = Pose(
            side=1.0, x=0.0, y=0.0, roll_deg=rng.normal(0, 4), tilt_deg=rng.uniform(0, 30),
            axis_deg=rng.uniform(0, 360), distance=rng.uniform(3, 6),
        )  # fmt: skip
        stops.append(
            Stop(
                x=x, y=y, label=label, levels=levels, tilt=placement(tilted, 1.0),
                wear=replace(random_wear(rng), dirt=None),  # it would swim at the frame's rim
 side=rng.uniform(0.4, 0.8),
                aim_x=rng.uniform(-0.12, 0.12), aim_y=rng.uniform(-0.12, 0.12),
                roll_deg=rng.normal(0, 5),
            )
        )  # fmt: skip
        heading += rng.uniform(-1.0, 1.0)
        step = rng.uniform(3.2, 4.2)
        x, y = x + step * math.cos(heading), y + step * math.sin(heading)
    return stops


def _view(stops: list[Stop], seconds: float, square_px: float, sway: NDArray[np.float64]) -> _View:
    """The camera's smooth path: hold at a stop, ease to the next, drawing back on the way."""
    at = max(seconds / SECONDS_PER_STOP + 0.75, 0.0)  # the clip starts on the way to stop 1
    number = min(int(at), len(stops) - 2)
    here, there = stops[number], stops[number + 1]
    way = min(max((at - number - HOLD_SHARE) / (1 - HOLD_SHARE), 0.0), 1.0)
    eased = way * way * (3 - 2 * way)

    def between(start: float, end: float) -> float:
        return start + (end - start) * eased

    # The hand is never still: slow waves, and a drift towards the sign while holding.
    shake = [math.sin(seconds * rate + phase) for rate, phase in zip(_RATES, sway, strict=True)]
    drift = 1 + 0.08 * math.sin(math.pi * min((at - number) / HOLD_SHARE, 1.0))
    zoom = math.exp(between(math.log(here.side), math.log(there.side)))
    return _View(
        x=between(here.x + here.aim_x, there.x + there.aim_x) + 0.03 * shake[0] + 0.01 * shake[2],
        y=between(here.y + here.aim_y, there.y + there.aim_y) + 0.03 * shake[1] + 0.01 * shake[3],
        zoom=square_px * zoom * drift * (1 - 0.25 * math.sin(math.pi * eased)),
        roll_deg=between(here.roll_deg, there.roll_deg) + 1.5 * shake[5],
    )


_RATES = (1.9, 2.3, 7.1, 8.3, 0.0, 1.3)  # radians a second; the fifth phase is the light's


def _wall_to_frame(view: _View, width: int, height: int) -> Matrix:
    turn = math.radians(view.roll_deg)
    c, s = math.cos(turn) * view.zoom, math.sin(turn) * view.zoom
    return np.array(
        [
            [c, -s, width / 2 - c * view.x + s * view.y],
            [s, c, height / 2 - s * view.x - c * view.y],
            [0, 0, 1],
        ]
    )


def _motion_blur(before: _View, here: _View, short_px: int) -> tuple[float, float]:
    """Length (share of the short side) and direction of the streak that the camera's own
    motion leaves while the shutter is open."""
    dx, dy = (here.x - before.x) * here.zoom, (here.y - before.y) * here.zoom
    length = math.hypot(dx, dy) * SHUTTER / short_px
    angle = math.degrees(math.atan2(dy, dx)) + here.roll_deg
    return min(length, 0.12), angle


def _hang_signs(
    image: Pixels, stops: list[Stop], matrix: Matrix, seconds: float, square_px: float
) -> Truth:
    """Paste the signs that are near and tell which one the classifier should name."""
    height, width = image.shape[:2]
    best, truth = 0.0, Truth(BACKGROUND, None)
    number = int(seconds / SECONDS_PER_STOP + 0.75)
    for stop in stops[max(number - 2, 0) : number + 4]:
        shift = np.array([[1, 0, stop.x], [0, 1, stop.y], [0, 0, 1]], np.float64)
        transform = matrix @ shift @ stop.tilt
        where = window(transform, width, height, MARGIN)
        if is_empty(where):
            continue
        paste_worn(image, where, project(stop.levels, transform, where), stop.wear)
        inside, box = inside_view(corners(transform), width, height)
        if stop.label == BACKGROUND or inside <= best:
            continue
        best = inside
        side = max(box[2] - box[0], box[3] - box[1])
        clear = inside >= MIN_INSIDE and side >= MIN_SIDE * square_px
        truth = Truth(stop.label if clear else BACKGROUND, box)
    return truth


def inside_view(
    quad: NDArray[np.float64], width: int, height: int
) -> tuple[float, tuple[float, float, float, float]]:
    """The share (0…1) of a convex quadrilateral inside the classifier's square, and its box."""
    half = VIEW_SHARE * min(width, height) / 2
    x, y = width / 2, height / 2
    square = np.array(
        [[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]],
        np.float32,
    )
    outline = quad.astype(np.float32)
    common, _ = cv2.intersectConvexConvex(outline, square)
    low, high = bounds(quad)
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return common / max(float(cv2.contourArea(outline)), 1e-6), box
