"""JPEG frames of a camera, decoded only where their headers promise bounded work."""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np

from edge_effnet.files.limits import FRAME_PIXELS
from edge_effnet.image.preprocessing import Pixels

START = b"\xff\xd8\xff"
_MOST_SEGMENTS = 4096
_MOST_SCANS_OF_LARGEST = 4
"""A progressive image of few bytes can ask for hundreds of passes over all its pixels: so many
over the largest frame are allowed, and more over smaller ones."""
# A marker: no stuffed zero, no fill byte, no restart within a scan.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_END, _SCAN, _WITHOUT_LENGTH = 0xD9, 0xDA, 0x01
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class JpegSize:
    """What a JPEG says of itself.

    Attributes:
        pixels: width x height; 0 without a frame header.
        scans: passes over them.
    """

    pixels: int
    scans: int


def jpeg_size(data: bytes) -> JpegSize | None:
    """Read the headers of a JPEG up to its end marker, in linear time (ITU T.81, annex B).

    Returns:
        None where it is no whole JPEG.
    """
    if not data.startswith(START):
        return None
    position, pixels, scans = 2, 0, 0
    for _ in range(_MOST_SEGMENTS):
        marker = _MARKER.search(data, position)
        if marker is None:
            return None
        position, code = marker.end(), marker[1][0]
        if code == _END:
            return JpegSize(pixels, scans)
        if code == _WITHOUT_LENGTH:
            continue
        if code in _FRAMES:
            rows = int.from_bytes(data[position + 3 : position + 5], "big")
            columns = int.from_bytes(data[position + 5 : position + 7], "big")
            pixels = max(pixels, rows * columns)
        scans += code == _SCAN
        position += int.from_bytes(data[position : position + 2], "big")
    return None


def decode_frame(data: bytes) -> Pixels | None:
    """RGB pixels, height x width x 3; None for what is no whole JPEG or above the limits."""
    size = jpeg_size(data)
    if size is None or not size.pixels or not size.scans:
        return None
    most = FRAME_PIXELS.value
    if size.pixels > most or size.pixels * size.scans > _MOST_SCANS_OF_LARGEST * most:
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        return None if pixels is None else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
    except cv2.error:
        return None
