"""The table of signs, their textures, their projection, and the sheet to print."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_effnet.data.signs import decoys
from edge_effnet.data.signs.raster import Pose, bounds, corners, draw, placement, texture
from edge_effnet.data.signs.shapes import BLACK, Disc, Polygon, Stroke, mirrored, text
from edge_effnet.data.signs.sheet import GRIDS, PAPERS, printable, sheet_pdf
from edge_effnet.data.signs.table import BACKGROUND, LABELS, SIGNS


def test_labels_are_in_the_order_of_sorted_folders() -> None:
    assert list(LABELS) == sorted(set(LABELS))
    assert LABELS[BACKGROUND] == "background"
    assert {"stop", "forward", "left", "right", "u-turn", "yield", "park"} <= set(LABELS)


@pytest.mark.parametrize("label", [n for n in range(len(SIGNS)) if n != BACKGROUND])
def test_every_sign_has_its_own_look_inside_its_square(label: int) -> None:
    pixels = texture(label, paper=False)[0]
    side = pixels.shape[0]
    assert pixels.shape == (side, side, 4)
    alpha = pixels[..., 3]
    rim = round(side * (1 - 1 / 1.3) / 2) - side // 50
    outside = alpha.copy()
    outside[rim : side - rim, rim : side - rim] = 0
    assert not outside.any()
    assert alpha[rim : side - rim, rim : side - rim].mean() > 100
    assert (pixels[..., :3] <= alpha[..., None]).all()  # premultiplied
    others = {texture(n, paper=False)[0].tobytes() for n in range(len(SIGNS)) if n != label}
    assert pixels.tobytes() not in others


def test_paper_fills_the_margin() -> None:
    bare, printed = (texture(1, paper=paper)[0][..., 3].mean() for paper in (False, True))
    assert printed > bare + 50


def test_right_is_left_in_the_mirror_and_speeds_differ_in_digits_only() -> None:
    left, right = (SIGNS[LABELS.index(name)] for name in ("left", "right"))
    assert mirrored(left.art) == right.art
    assert mirrored(mirrored(left.art)) == left.art
    thirty, fifty = (SIGNS[LABELS.index(f"speed-{n}")] for n in (30, 50))
    assert thirty.face == fifty.face
    assert thirty.symbol != fifty.symbol


def test_no_decoy_is_a_sign() -> None:
    faces = {sign.art for sign in SIGNS}
    assert not faces & set(decoys.EMPTY_FACES)
    assert len(decoys.EMPTY_FACES) >= 5
    assert not set(decoys.NEUTRAL_LETTERS) & set("STOP0235")


@pytest.mark.parametrize("kind", sorted({kind.__name__ for kind in decoys.DECOYS}))
def test_every_kind_of_decoy_draws_something(kind: str) -> None:
    make = getattr(decoys, kind)
    for seed in range(8):
        pixels = draw(make(np.random.default_rng(seed)), 64)
        assert pixels[..., 3].any()


def test_text_is_centred_and_as_high_as_asked() -> None:
    strokes = [shape for shape in text("STOP", 0.5, 0.2, BLACK) if isinstance(shape, Stroke)]
    points = [point for stroke in strokes for point in stroke.points]
    xs, ys = zip(*points, strict=True)
    assert max(xs) == pytest.approx(-min(xs), abs=0.02)
    assert (min(ys), max(ys)) == (pytest.approx(-0.25, abs=0.01), pytest.approx(0.25, abs=0.01))


@given(
    side=st.floats(0.1, 1),
    x=st.floats(0, 1),
    y=st.floats(0, 1),
    roll=st.floats(-180, 180),
    tilt=st.floats(0, 50),
    axis=st.floats(0, 360),
    distance=st.floats(2.5, 8),
)
@settings(max_examples=60)
def test_a_pose_keeps_its_promises(
    side: float, x: float, y: float, roll: float, tilt: float, axis: float, distance: float
) -> None:
    pose = Pose(side, x, y, roll, tilt, axis, distance)
    quad = corners(placement(pose, 200))
    low, high = bounds(quad)
    assert max(high - low) == pytest.approx(side * 200)
    assert tuple((low + high) / 2) == (pytest.approx(x * 200), pytest.approx(y * 200))
    # Seen from the front, never mirrored: the corners run clockwise.
    following = np.roll(quad, -1, axis=0)
    assert (quad[:, 0] * following[:, 1] - quad[:, 1] * following[:, 0]).sum() > 0


def test_a_tilt_shortens_and_none_does_not() -> None:
    flat = corners(placement(Pose(0.5, 0.5, 0.5), 100))
    np.testing.assert_allclose(flat, [[25, 25], [75, 25], [75, 75], [25, 75]])
    tilted = replace(Pose(0.5, 0.5, 0.5), tilt_deg=45, axis_deg=90, distance=1e6)
    width, height = np.ptp(corners(placement(tilted, 100)), axis=0)
    assert width / height == pytest.approx(np.cos(np.radians(45)), abs=1e-3)


def page_streams(data: bytes) -> list[str]:
    """What is drawn on each page."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    drawn = [zlib.decompress(stream).decode("cp1252") for stream in streams if stream[:1] == b"x"]
    return [text for text in drawn if "Tj" in text]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("per_page", GRIDS)
def test_the_sheet_holds_every_sign_and_is_always_the_same(paper: str, per_page: int) -> None:
    data = sheet_pdf(paper, per_page=per_page, cut_lines=True)
    assert data.startswith(b"%PDF-1.")
    assert data.endswith(b"%%EOF\n")
    pages = page_streams(data)
    assert len(pages) == -(-len(printable()) // per_page)
    for sign in printable():
        assert f"({sign.name}) Tj" in "".join(pages)
    assert data == sheet_pdf(paper, per_page=per_page, cut_lines=True)
    sides = re.findall(rb"MediaBox \[ 0 0 (\S+) (\S+) \]", data)[0]
    whole = [PAPERS[paper].width_mm / 25.4 * 72, PAPERS[paper].height_mm / 25.4 * 72]
    assert list(map(float, sides)) == pytest.approx(whole, abs=0.01)


def test_the_sheet_says_how_far_away_to_hold_a_sign() -> None:
    assert "30–60 cm" in page_streams(sheet_pdf("a4"))[0]
    dashes = "[ 4 3 ] 0 d"
    assert dashes not in "".join(page_streams(sheet_pdf("a4")))
    assert dashes in page_streams(sheet_pdf("a4", cut_lines=True))[0]


def test_the_sheet_holds_vectors_only() -> None:
    data = sheet_pdf("letter")
    assert b"/Subtype /Image" not in data
    assert len(data) < 40_000


def test_a_shape_outside_the_square_is_clipped_not_an_error() -> None:
    art = (Disc(3, 3, 0.5, BLACK), Polygon(((-9, 0), (9, 0), (0, 9)), BLACK))
    assert draw(art, 48).shape == (48, 48, 4)
