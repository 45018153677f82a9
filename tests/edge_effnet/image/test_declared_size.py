"""Images that state enormous sizes, or whose bytes lead nowhere, cost neither memory nor time."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.errors import DataError
from edge_effnet.files.limits import IMAGE_PIXELS
from edge_effnet.image.reading import declared_size, decode, small_grey


def png(width: int, height: int) -> bytes:
    """A PNG that states a size and holds no row."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_header_states_width_and_height(suffix: str) -> None:
    data = cv2.imencode(suffix, np.zeros((40, 60, 3), np.uint8))[1].tobytes()
    assert declared_size(data) == (60, 40)
    progressive = cv2.imencode(
        ".jpg", np.zeros((7, 9, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    )[1].tobytes()
    assert declared_size(progressive) == (9, 7)
    assert declared_size(b"GIF89a" + bytes(30)) is None


def test_more_pixels_than_the_limit_are_refused_by_the_header() -> None:
    with pytest.raises(DataError, match=r"bomb\.png claims more .* found 1,024,000,000 pixels"):
        decode(png(32_000, 32_000), "bomb.png")
    assert small_grey(png(32_000, 32_000), 32) is None


@pytest.mark.parametrize(
    ("set_to", "side", "limit"), [(None, 32_000, "100,000,000"), ("109", 11, "109")]
)
def test_opencv_refuses_them_in_every_other_format(
    set_to: str | None, side: int, limit: str
) -> None:
    """A process of its own: OpenCV reads its limit when it is loaded."""
    code = (
        "from edge_effnet.image.reading import decode;"
        f"decode(b'P6\\n{side} {side}\\n255\\n' + bytes(363), 'bomb.ppm')"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENCV_IO_MAX_IMAGE_PIXELS"}
    if set_to:
        environment[IMAGE_PIXELS.variable] = set_to
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    expected = f"bomb.ppm claims more than the limit for images; expected at most {limit} pixels"
    assert expected in result.stderr


def test_a_half_erased_jpeg_is_refused_in_linear_time() -> None:
    """A flash that was erased reads as 0xFF: each byte could begin a marker."""
    data = b"\xff\xd8\xff\xe0" + b"\xff" * 4_000_000
    begun = time.process_time()
    with pytest.raises(DataError, match="is cut off"):
        decode(data, "erased.jpg")
    assert time.process_time() - begun < 2  # a quadratic search takes hours


@given(st.binary(max_size=60), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b""]))
def test_any_bytes_have_a_size_or_none(data: bytes, start: bytes) -> None:
    found = declared_size(start + data)
    assert found is None or min(found) >= 0
