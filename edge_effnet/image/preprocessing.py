"""THE preprocessing: from a file or camera frame to the pixels a network sees.

Training's evaluation, calibration, benchmark and camera all call ``preprocess``; nothing else
in the project resizes an image for a network. OpenCV and NumPy only.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import DataError, UsageProblem, cannot_read
from edge_effnet.image.kinds import decodable, kind_of, remedy
from edge_effnet.spelling import read_share

Pixels = NDArray[np.uint8]

IMAGE_SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .bmp .dib .webp .tif .tiff .gif .jp2 .avif"
    " .ppm .pgm .pbm .pnm .pam .pfm .hdr".split()
)
"""Of files that claim to be images: where the content says nothing, they are unreadable ones."""


@dataclass(frozen=True)
class Preprocess:
    """How an image becomes the input of one network.

    Attributes:
        height, width: of the network's input, in pixels.
        crop: side of the central square (of the input's aspect ratio) that is kept, as a share
            of the largest one that fits; 1.0 keeps it whole.
        mean, std: what the host subtracts and divides by before the tensor; 0 and 1 (the
            default) hand over pixels 0–255, because our networks normalize inside the graph.
    """

    height: int
    width: int
    crop: float = 0.9
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise UsageProblem(
                "the input of a network has at least one pixel",
                found=f"{self.height}x{self.width}",
                fix="give a positive resolution",
            )
        if not 0 < self.crop <= 1:
            raise UsageProblem(
                "crop is the share of the image that is kept",
                found=str(self.crop),
                expected="more than 0 and at most 1",
                fix="use 0.9, or 1.0 to keep the whole central square",
            )
        if not valid_normalization(self.mean, self.std):
            raise UsageProblem(
                "mean and std are one finite number or three (R, G, B), and std is not 0",
                found=f"mean {self.mean}, std {self.std}",
                fix="for example mean=127.5,std=127.5",
            )

    @property
    def passes_pixels(self) -> bool:
        """Whether the host hands over unchanged pixels 0–255."""
        return not any(self.mean) and all(value == 1 for value in self.std)


def valid_normalization(mean: tuple[float, ...], std: tuple[float, ...]) -> bool:
    """Whether pixels can be normalized so: one number or three each, finite, no divisor 0."""
    counts = {len(mean), len(std)} <= {1, 3}
    return counts and all(map(math.isfinite, (*mean, *std))) and 0 not in std


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


def preprocess(pixels: Pixels, settings: Preprocess) -> Pixels:
    """Crop the centre and resize: height x width x 3 RGB pixels, ready for the network.

    The central rectangle of the network's aspect ratio, ``settings.crop`` of the largest that fits,
    is resized with area averaging when shrinking and cubic interpolation when growing. The
    rule is the same for every image, one of the network's own size too: images that were
    prepared elsewhere want ``crop=1``, which leaves them untouched.
    """
    rows, columns = pixels.shape[:2]
    scale = min(rows / settings.height, columns / settings.width) * settings.crop
    crop_height = max(1, min(rows, round(settings.height * scale)))
    crop_width = max(1, min(columns, round(settings.width * scale)))
    top, left = (rows - crop_height) // 2, (columns - crop_width) // 2
    square = pixels[top : top + crop_height, left : left + crop_width]
    if (crop_height, crop_width) == (settings.height, settings.width):
        return np.ascontiguousarray(square)
    shrinking = crop_height > settings.height or crop_width > settings.width
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    resized = cv2.resize(square, (settings.width, settings.height), interpolation=method)
    return np.asarray(resized, np.uint8)


def normalize(pixels: Pixels, settings: Preprocess) -> NDArray[np.float32]:
    """(pixel - mean) / std as float32, same shape: the real-valued input of the network."""
    mean, std = np.asarray(settings.mean, np.float32), np.asarray(settings.std, np.float32)
    return np.asarray((pixels.astype(np.float32) - mean) / std, np.float32)


def parse_preprocess(text: str, default: Preprocess) -> Preprocess:
    """Read ``--preprocess``: ``crop=0.875,mean=127.5,std=127.5``; three values are joined by
    ``/``: ``mean=123.7/116.3/103.5``. What is not named keeps the value of ``default``.

    Raises:
        UsageProblem: an unknown name or no number.
    """
    values: dict[str, tuple[float, ...]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, numbers = part.partition("=")
        try:
            read = read_share if name.strip() == "crop" else float
            values[name.strip()] = tuple(map(read, numbers.split("/")))
        except ValueError:
            values.clear()
            break
    if not values or set(values) - {"crop", "mean", "std"} or len(values.get("crop", (1,))) != 1:
        raise UsageProblem(
            "--preprocess is not understood",
            found=repr(text),
            expected="crop=…, mean=…, std=… joined by commas",
            fix="for example --preprocess crop=0.9,mean=127.5,std=127.5",
        )
    means, divisors = values.get("mean", ()), values.get("std", ())
    if 0 < max(map(abs, means), default=0) < 1 or 0 < min(map(abs, divisors), default=1) < 1:
        in_pixels = ",".join(
            f"{name}={'/'.join(f'{255 * value:.4g}' for value in values[name])}"
            for name in ("mean", "std")
            if name in values
        )
        raise UsageProblem(
            "--preprocess is about pixels from 0 to 255",
            found=f"{text!r}, which is about pixels from 0 to 1",
            fix=f"--preprocess {in_pixels}",
        )
    return Preprocess(
        height=default.height,
        width=default.width,
        crop=values.get("crop", (default.crop,))[0],
        mean=values.get("mean", default.mean),
        std=values.get("std", default.std),
    )
