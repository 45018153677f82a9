"""Image files read as RGB pixels: what is no image, or cut off, is refused."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from edge_effnet.errors import DataError, cannot_read
from edge_effnet.image.kinds import decodable, kind_of, remedy
from edge_effnet.image.preprocessing import Pixels

IMAGE_SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .bmp .dib .webp .tif .tiff .gif .jp2 .avif"
    " .ppm .pgm .pbm .pnm .pam .pfm .hdr".split()
)
"""Of files that claim to be images: where the content says nothing, they are unreadable ones."""


def decode(data: bytes, name: str) -> Pixels:
    """Decode an image file's bytes to RGB pixels, height x width x 3, EXIF rotation applied.

    Raises:
        DataError: the bytes are no image OpenCV can read, or the image is cut off.
    """
    fix = "remove the file, replace it, or convert it to JPEG or PNG"
    if not data:
        raise DataError(f"{name} is empty", found="0 bytes", expected="an image file", fix=fix)
    _refuse_truncated(data, name, fix)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        pixels = None
    if pixels is None:
        kind = kind_of(data)
        if kind is not None and not decodable(kind):
            raise DataError(
                f"{name} is a {kind.name} image, which OpenCV does not read",
                expected="JPEG, PNG, BMP, WebP, PPM or TIFF",
                fix=remedy(kind),
            )
        raise DataError(
            f"{name} is not a readable image",
            found=f"bytes starting with {data[:8]!r}",
            expected="JPEG, PNG, BMP, WebP, PPM or TIFF",
            fix=fix,
        )
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _refuse_truncated(data: bytes, name: str, fix: str) -> None:
    """OpenCV fills the missing part of a cut-off file with grey or black and says nothing."""
    kind = kind_of(data)
    if kind is not None and kind.name in _WHOLE and not _WHOLE[kind.name](data):
        raise DataError(
            f"{name} is cut off",
            found=f"a {kind.name} without its end",
            expected="a whole one",
            fix=fix,
        )


# What ends a stretch of JPEG pixel data: a marker that is no stuffing and no restart.
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")


def _whole_jpeg(data: bytes) -> bool:
    """Whether the image's own end marker is there. Thumbnails before it and films behind it
    (phones write both) have end markers too, so segments are walked, not searched."""
    position = 2
    while marker := _JPEG_MARKER.search(data, position):
        position = marker.end()
        if marker[1] == b"\xd9":
            return True
        position += int.from_bytes(data[position : position + 2], "big")
    return False


def _whole_png(data: bytes) -> bool:
    """Whether the chunks reach the last one; what stands behind it is no part of the image."""
    position = 8
    while position + 12 <= len(data):
        if data[position + 4 : position + 8] == b"IEND":
            return True
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    return False


def _whole_bmp(data: bytes) -> bool:
    """Whether the file is as long as its header says; some writers leave that at 0."""
    return len(data) >= int.from_bytes(data[2:6], "little")


_WHOLE = {"JPEG": _whole_jpeg, "PNG": _whole_png, "BMP": _whole_bmp}


def read_image(path: Path) -> Pixels:
    """Read an image file as RGB pixels, height x width x 3.

    Raises:
        DataError: missing, unreadable, cut off, or no image.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise cannot_read(path, error) from error
    return decode(data, str(path))


def small_grey(data: bytes, side: int) -> Pixels | None:
    """Grey pixels, height x width, of an image file's bytes, for what needs no more than ``side``
    pixels a side: a large JPEG is decoded at an eighth, several times as fast. None where the
    bytes are no readable image."""
    try:
        _refuse_truncated(data, "the image", "")
        encoded = np.frombuffer(data, np.uint8)
        pixels = None
        if data.startswith(b"\xff\xd8\xff"):
            pixels = cv2.imdecode(encoded, cv2.IMREAD_REDUCED_GRAYSCALE_8)
        if pixels is None or min(pixels.shape) < side:
            pixels = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    except (DataError, cv2.error):
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)
