"""Image files to pixels."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.errors import DataError
from edge_effnet.image.reading import decode, read_image

# Red, green, blue and white quarters: every flip and every swap of channels shows.
QUARTERS = np.zeros((40, 60, 3), np.uint8)
QUARTERS[:20, :30] = (255, 0, 0)
QUARTERS[:20, 30:] = (0, 255, 0)
QUARTERS[20:, :30] = (0, 0, 255)
QUARTERS[20:, 30:] = (255, 255, 255)


def encoded(pixels: np.ndarray, suffix: str = ".png", options: tuple[int, ...] = ()) -> bytes:
    """As a file: RGB, RGBA or grey pixels."""
    swap = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, swap[pixels.shape[2]])
    good, data = cv2.imencode(suffix, pixels, options)
    assert good
    return bytes(data)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".tiff"])
def test_lossless_files_give_their_rgb_pixels(suffix: str) -> None:
    assert np.array_equal(decode(encoded(QUARTERS, suffix), "quarters"), QUARTERS)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_files_nearly_do(suffix: str) -> None:
    difference = decode(encoded(QUARTERS, suffix), "quarters").astype(int) - QUARTERS
    assert np.median(abs(difference)) <= 3


def test_grey_and_transparent_pictures_become_rgb(tmp_path: Path) -> None:
    grey = np.linspace(0, 255, 600).astype(np.uint8).reshape(20, 30)
    pixels = decode(encoded(grey), "grey")
    assert np.array_equal(pixels, np.repeat(grey[:, :, None], 3, axis=2))
    deep = grey.astype(np.uint16) * 257
    assert np.array_equal(decode(encoded(deep), "16 bit"), pixels)
    glass = np.dstack([QUARTERS, np.full((40, 60), 128, np.uint8)])
    (tmp_path / "glass.png").write_bytes(encoded(glass))
    assert np.array_equal(read_image(tmp_path / "glass.png"), QUARTERS)


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF segment that says how the camera was held."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    payload = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


def test_a_phone_held_upright_gives_an_upright_image() -> None:
    turned = decode(with_orientation(encoded(QUARTERS, ".jpg"), 6), "phone.jpg")
    assert turned.shape == (60, 40, 3)
    difference = turned.astype(int) - np.rot90(QUARTERS, -1)
    assert np.median(abs(difference)) <= 3


@pytest.mark.parametrize(
    "options",
    [
        (),
        (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        (cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    ],
    ids=["baseline", "progressive", "restart markers"],
)
def test_a_cut_off_jpeg_is_refused_wherever_it_is_cut(options: tuple[int, ...]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (40, 60, 3), np.uint8)
    whole = encoded(noise, ".jpg", options)
    assert decode(whole, "noise.jpg").shape == (40, 60, 3)
    for length in range(3, len(whole) - 1, 37):
        with pytest.raises(DataError, match=r"noise\.jpg is (cut off|not a readable image)"):
            decode(whole[:length], "noise.jpg")


def test_what_phones_put_around_a_picture_is_no_part_of_it() -> None:
    """A thumbnail before it has an end of its own; a film behind it has bytes like markers."""
    image = encoded(QUARTERS, ".jpg")
    thumbnail = encoded(QUARTERS[::4, ::4].copy(), ".jpg")
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    nested = image[:2] + segment + image[2:]
    film = b"....ftypmp42" + bytes(range(256)) + b"\xff\xd9 \xff\xda \xff"
    for data in (nested, image + film, nested + film):
        assert decode(data, "motion.jpg").shape == (40, 60, 3)
    with pytest.raises(DataError, match="cut off"):
        decode(nested[: len(nested) // 2 + len(thumbnail) // 2], "motion.jpg")
    assert decode(encoded(QUARTERS) + bytes(1000), "padded.png").shape == (40, 60, 3)


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_other_cut_off_files_are_refused(suffix: str) -> None:
    whole = encoded(QUARTERS, suffix)
    for length in (len(whole) - 1, len(whole) // 2, len(whole) // 5):
        with pytest.raises(DataError, match=r"is cut off; found a (PNG|BMP) without its end"):
            decode(whole[:length], "quarters")


@pytest.mark.parametrize("content", [b"these are words, not pixels\n" * 20, b"\xff\xd8", b"BM"])
def test_a_file_that_is_no_picture_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cat\.jpg is (not a readable image|cut off)") as refused:
        read_image(path)
    assert "to fix: remove the file" in str(refused.value)


def test_missing_and_empty(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.jpg cannot be read; found No such file"):
        read_image(tmp_path / "nothing.jpg")
    with pytest.raises(DataError, match="is no file; found a folder"):
        read_image(tmp_path)
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(DataError, match=r"empty\.jpg is empty"):
        read_image(tmp_path / "empty.jpg")
