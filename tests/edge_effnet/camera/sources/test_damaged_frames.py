"""Streams and JPEGs of any bytes: every one ends, and no frame is larger than it said."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_effnet.camera.sources.base import SourceLost
from edge_effnet.camera.sources.jpeg import decode_frame, jpeg_size
from edge_effnet.camera.sources.parts import PartReader
from tests.edge_effnet.camera.hostile import GOOD, many_scans, part

PROGRESSIVE = cv2.imencode(
    ".jpg", np.full((40, 60, 3), 90, np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
)[1].tobytes()
MARKERS = [bytes([0xFF, code]) for code in (0xC0, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA, 0x01, 0xFF, 0x00)]
PIECES = st.sampled_from(
    [
        part(GOOD),
        part(GOOD, 5),
        part(GOOD, len(GOOD) + 40),
        part(GOOD, b"9" * 5000),
        part(GOOD, b"-1"),
        part(b""),
        b"--b\r\n\r\n" + GOOD + b"\r\n",
        b"Content-Length: 7\n\n",
        b"\r\n\r\n",
        b"\xff\xd8\xff",
        b"\xff\xd9\r\n--",
    ]
)


@settings(deadline=5000)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=20), st.integers(1, 3000))
def test_a_stream_of_any_pieces_is_read_to_its_end(pieces: list[bytes], step: int) -> None:
    data = b"".join(pieces)
    slices = iter([data[at : at + step] for at in range(0, len(data), step)])

    def read() -> bytes:
        if (following := next(slices, None)) is None:
            raise SourceLost("the stream ended")
        return following

    parts = PartReader(read)
    with pytest.raises(SourceLost):  # noqa: PT012 (as many parts as there are, and no more)
        for _ in range(len(data) + 2):
            decode_frame(parts())


def test_no_damaged_jpeg_decodes_to_more_pixels_than_it_says() -> None:
    dice, decoded = random.Random(4), 0
    for _ in range(2000):
        data = bytearray(dice.choice([GOOD, PROGRESSIVE, many_scans(64, 64, 5)]))
        for _ in range(dice.randrange(1, 5)):
            at = dice.randrange(min(len(data), 700))
            data[at : at + dice.randrange(2)] = dice.choice([*MARKERS, dice.randbytes(1)])
        size = jpeg_size(bytes(data))
        if size is None or size.pixels > 10**6:
            continue
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if pixels is not None:
            decoded += 1
            assert pixels.shape[0] * pixels.shape[1] <= size.pixels
    assert decoded > 200


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff" * 2**20,
        b"\xff\xd8\xff" + b"\xff\x00" * 2**19,
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * 2**18,
        b"\xff\xd8" + b"\xff\x01" * 2**19,
    ],
)
def test_a_megabyte_of_markers_is_passed_over(data: bytes) -> None:
    """Linear: a search that begins again at each 0xFF took an hour for this much."""
    assert jpeg_size(data) is None
