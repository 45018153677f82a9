"""Every format that libcamera grants becomes the same RGB, with and without padded rows."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_effnet.camera.sources.pixel_formats import FORMATS, rgb_of
from edge_effnet.errors import DataError

WIDTH, HEIGHT = 16, 8
Array = NDArray[np.uint8]
PICTURE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
PICTURE[:, :4], PICTURE[:, 4:8], PICTURE[:, 8:12] = (200, 40, 40), (40, 180, 60), (30, 50, 190)
PICTURE[:, 12:], PICTURE[4:, 12:] = (128, 128, 128), (240, 230, 30)


def yuv() -> tuple[Array, Array, Array]:
    """Y at every pixel, U and V at every other of every other row: BT.601, 16 to 235."""
    red, green, blue = np.moveaxis(PICTURE.astype(np.float64), 2, 0)
    y = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    u = 128 - 0.148 * red - 0.291 * green + 0.439 * blue
    v = 128 + 0.439 * red - 0.368 * green - 0.071 * blue
    rounded = [np.round(plane).astype(np.uint8) for plane in (y, u, v)]
    return rounded[0], rounded[1][::2, ::2], rounded[2][::2, ::2]


def planes(*order: int) -> Array:
    """Y, then both halved planes one after the other, as rows of the whole width."""
    parts = yuv()
    return np.concatenate([parts[one].reshape(-1, WIDTH) for one in (0, *order)])


def half_planes(*order: int) -> Array:
    """Y, then U and V in turn in one plane."""
    parts = yuv()
    turned = np.stack([parts[one] for one in order], axis=2).reshape(-1, WIDTH)
    return np.concatenate([parts[0], turned])


def packed(order: str) -> Array:
    """Pairs of bytes: two pixels in four."""
    y, u, v = yuv()
    u, v = np.repeat(u, 2, axis=0), np.repeat(v, 2, axis=0)
    values = {"Y": iter((y[:, ::2], y[:, 1::2])), "U": iter((u,)), "V": iter((v,))}
    four = np.stack([next(values[letter]) for letter in order], axis=2)
    return four.reshape(HEIGHT, WIDTH, 2)


def four_channels(pixels: Array) -> Array:
    return np.concatenate([pixels, np.full((HEIGHT, WIDTH, 1), 7, np.uint8)], axis=2)


MEMORY: dict[str, Callable[[], Array]] = {
    "BGR888": lambda: PICTURE,
    "RGB888": lambda: PICTURE[:, :, ::-1],
    "XBGR8888": lambda: four_channels(PICTURE),
    "XRGB8888": lambda: four_channels(PICTURE[:, :, ::-1]),
    "YUV420": lambda: planes(1, 2),
    "YVU420": lambda: planes(2, 1),
    "NV12": lambda: half_planes(1, 2),
    "NV21": lambda: half_planes(2, 1),
    "YUYV": lambda: packed("YUYV"),
    "YVYU": lambda: packed("YVYU"),
    "UYVY": lambda: packed("UYVY"),
    "VYUY": lambda: packed("VYUY"),
    "MJPEG": lambda: PICTURE,
}


YUV = set(FORMATS) - {"BGR888", "RGB888", "XBGR8888", "XRGB8888", "R8", "MJPEG"}


def full_range(kind: str) -> Array:
    """The same picture, its Y from 0 to 255 and its U and V about 128 with 255 steps."""
    array = MEMORY[kind]().astype(np.float64)
    if kind not in YUV:
        return MEMORY[kind]()
    y, c = (array - 16) * 255 / 219, 128 + (array - 128) * 255 / 224
    if array.ndim == 2:
        array = np.concatenate([y[:HEIGHT], c[HEIGHT:]])
    else:
        first = kind[0] == "Y"
        array = np.stack([(y if first else c)[:, :, 0], (c if first else y)[:, :, 1]], axis=2)
    return np.clip(np.round(array), 0, 255).astype(np.uint8)


def rgb(kind: str, array: Array) -> Array:
    return rgb_of({"format": kind, "size": (WIDTH, HEIGHT)}, "a camera")(array)


@pytest.mark.parametrize("kind", MEMORY)
def test_a_known_picture(kind: str) -> None:
    found = rgb(kind, MEMORY[kind]())
    assert found.shape == PICTURE.shape
    assert found.flags.c_contiguous
    difference = np.abs(found.astype(int) - PICTURE)
    assert difference.max() <= 3  # YUV in 8 bits


@pytest.mark.parametrize("kind", MEMORY)
def test_a_known_picture_of_full_range(kind: str) -> None:
    """As a JPEG camera's YUV: 0 to 255, which OpenCV takes for 16 to 235."""
    array = full_range(kind)
    found = rgb_of({"format": kind, "size": (WIDTH, HEIGHT)}, "a camera", full_range=True)(array)
    assert np.abs(found.astype(int) - PICTURE).max() <= 4  # rounded twice
    if kind in YUV:
        assert np.abs(rgb(kind, array).astype(int) - PICTURE).max() > 10


def test_every_format_is_tried() -> None:
    assert set(FORMATS) == {*MEMORY, "R8"}


def test_grey() -> None:
    grey = PICTURE[:, :, 1]
    padded = np.pad(grey, ((0, 0), (0, 16)))
    for kind, array in (("R8", grey), ("R8", padded), ("MJPEG", grey)):
        np.testing.assert_array_equal(rgb(kind, array), np.repeat(grey[:, :, None], 3, axis=2))


def padded(planes_of: Array, chroma_rows: int) -> Array:
    """I420 and YV12 with rows of twice the width: the halved planes are padded by half as much."""
    luma, chroma = planes_of[:HEIGHT], planes_of[HEIGHT:].reshape(chroma_rows, WIDTH // 2)
    luma = np.pad(luma, ((0, 0), (0, WIDTH)))
    return np.concatenate([luma, np.pad(chroma, ((0, 0), (0, WIDTH // 2))).reshape(-1, 2 * WIDTH)])


@pytest.mark.parametrize("kind", ["YUV420", "YVU420"])
def test_padded_planes_are_cut_behind_the_conversion(kind: str) -> None:
    np.testing.assert_array_equal(
        rgb(kind, padded(MEMORY[kind](), HEIGHT)), rgb(kind, MEMORY[kind]())
    )


@pytest.mark.parametrize("kind", ["YUYV", "UYVY", "YVYU", "VYUY"])
def test_padded_pairs(kind: str) -> None:
    wide = np.pad(MEMORY[kind](), ((0, 0), (0, 8), (0, 0)))
    np.testing.assert_array_equal(rgb(kind, wide), rgb(kind, MEMORY[kind]()))


def test_a_view_of_padded_rows() -> None:
    """As Picamera2 cuts NV12: rows that do not follow one another in memory."""
    view = np.pad(MEMORY["NV12"](), ((0, 0), (0, 16)))[:, :WIDTH]
    np.testing.assert_array_equal(rgb("NV12", view), rgb("NV12", MEMORY["NV12"]()))


def test_opencv_makes_the_same_planes() -> None:
    """The planes above are OpenCV's own, up to rounding."""
    theirs = cv2.cvtColor(PICTURE, cv2.COLOR_RGB2YUV_I420)
    assert np.abs(theirs.astype(int) - MEMORY["YUV420"]()).max() <= 1


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="not known; found SRGGB10_CSI2P; expected one of BGR888"):
        rgb_of({"format": "SRGGB10_CSI2P", "size": (4, 4)}, "CSI camera 0")
