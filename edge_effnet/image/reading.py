"""Image files read as RGB pixels: what is no image, or cut off, is refused."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_effnet.errors import DataError
from edge_effnet.files.limits import IMAGE_BYTES, IMAGE_PIXELS
from edge_effnet.files.read import read_bytes
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
        DataError: the bytes are no image OpenCV can read, the image is cut off, or it states
            more pixels than the limit.
    """
    fix = "remove the file, replace it, or convert it to JPEG or PNG"
    if not data:
        raise DataError(f"{name} is empty", found="0 bytes", expected="an image file", fix=fix)
    _refuse_truncated(data, name, fix)
    if size := declared_size(data):
        IMAGE_PIXELS.check(size[0] * size[1], name, DataError)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in str(error):  # by edge_effnet/__init__.py
            IMAGE_PIXELS.refuse(name, DataError)
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


# What ends a stretch of JPEG pixel data: a marker that is no stuffing and no restart. Fill bytes,
# any number of 0xFF, may stand before it.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers whose segment states height and width (ISO/IEC 10918-1, table B.1)."""


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Markers of a JPEG up to its end marker, each with the place behind it. Thumbnails before
    that and films behind it (phones write both) have end markers too, so segments are walked, not
    searched."""
    position = 2
    while marker := _JPEG_MARKER.search(data, position):
        position = marker.end()
        yield marker[1][0], position
        if marker[1] == b"\xd9":
            return
        position += int.from_bytes(data[position : position + 2], "big")


def _whole_jpeg(data: bytes) -> bool:
    """Whether the image's own end marker is there."""
    return any(marker == 0xD9 for marker, _ in _jpeg_segments(data))


def declared_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a JPEG or PNG states in its header; None for any other bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        for marker, at in _jpeg_segments(data):
            if marker in _JPEG_FRAMES and at + 7 <= len(data):
                height, width = struct.unpack_from(">HH", data, at + 3)
                return int(width), int(height)
    elif data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        return int(width), int(height)
    return None


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
        DataError: missing, unreadable, cut off, no image, or larger than the limits.
    """
    return decode(read_bytes(path, IMAGE_BYTES), str(path))


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
