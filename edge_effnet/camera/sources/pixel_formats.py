"""Frames of a CSI camera in RGB, by the format that libcamera granted, which is not always the one
that was asked for.

libcamera names the channels from the most significant byte down: its BGR888 lies in memory as R, G,
B. The shapes are those that Picamera2 0.3 gives an array of each format
(``picamera2/request.py``, ``_make_array_shared``), with rows that may be padded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Pixels

Convert = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def _opencv(code: int) -> Convert:
    return lambda array: np.asarray(cv2.cvtColor(np.ascontiguousarray(array), code), np.uint8)


def _decoded(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A JPEG that Picamera2 has decoded; one of a grey camera has no channels."""
    return array if array.ndim == 3 else np.repeat(array[:, :, None], 3, axis=2)


# YUV is of BT.601 in OpenCV, which is what is asked for (``picamera``), and of limited range.
FORMATS: Mapping[str, Convert] = {
    "BGR888": lambda array: array,
    "RGB888": lambda array: array[:, :, ::-1],
    "XBGR8888": lambda array: array[:, :, :3],
    "XRGB8888": lambda array: array[:, :, 2::-1],
    "YUV420": _opencv(cv2.COLOR_YUV2RGB_I420),
    "YVU420": _opencv(cv2.COLOR_YUV2RGB_YV12),
    "NV12": _opencv(cv2.COLOR_YUV2RGB_NV12),
    "NV21": _opencv(cv2.COLOR_YUV2RGB_NV21),
    "YUYV": _opencv(cv2.COLOR_YUV2RGB_YUYV),
    "YVYU": _opencv(cv2.COLOR_YUV2RGB_YVYU),
    "UYVY": _opencv(cv2.COLOR_YUV2RGB_UYVY),
    # OpenCV does not know VYUY; each pair of bytes turned round, it is YVYU.
    "VYUY": lambda array: _opencv(cv2.COLOR_YUV2RGB_YVYU)(array[:, :, ::-1]),
    "R8": _opencv(cv2.COLOR_GRAY2RGB),
    "MJPEG": _decoded,
}
"""By libcamera's name: an array of Picamera2 as RGB, uint8, (height, at least width, 3)."""


_LUMA_BYTE = {"YUYV": 0, "YVYU": 0, "UYVY": 1, "VYUY": 1}
_PLANES = ("YUV420", "YVU420", "NV12", "NV21")
_VALUES = np.arange(256)
# ITU-R BT.601: 219 steps of luma from 16, 224 of chroma about 128, where full range has 255.
_LUMA = np.round(16 + _VALUES * (219 / 255)).astype(np.uint8)
_CHROMA = np.round(128 + (_VALUES - 128) * (224 / 255)).astype(np.uint8)


def _limited(kind: str, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """YUV of full range, 0 to 255, as that of limited range; other formats as they are."""
    if kind in _PLANES:
        rows = array.shape[0] * 2 // 3
        parts = cv2.LUT(array[:rows], _LUMA), cv2.LUT(array[rows:], _CHROMA)
        return np.concatenate(parts).astype(np.uint8, copy=False)
    if kind in _LUMA_BYTE:
        tables = (_LUMA, _CHROMA) if _LUMA_BYTE[kind] == 0 else (_CHROMA, _LUMA)
        return np.asarray(cv2.LUT(array, np.stack(tables, axis=1)[None]), np.uint8)
    return array


def rgb_of(
    granted: Mapping[str, Any], name: str, *, full_range: bool = False
) -> Callable[[NDArray[np.uint8]], Pixels]:
    """How a stream's arrays become RGB frames, uint8, (height, width, 3).

    Args:
        granted: the stream's configuration after ``configure``: ``format`` and ``size``.
        name: of the camera, for the error.
        full_range: whether YUV has values from 0 to 255, as JPEG has.

    Raises:
        DataError: a format that is not known.
    """
    kind = granted["format"]
    convert = FORMATS.get(kind)
    if convert is None:
        raise DataError(
            f"{name} gives frames of a format that is not known",
            found=str(kind),
            expected=f"one of {', '.join(FORMATS)}",
            fix="try another --size, or give the camera as --source /dev/videoN",
        )
    width, height = granted["size"]

    def rgb(array: NDArray[np.uint8]) -> Pixels:
        limited = _limited(kind, array) if full_range else array
        return np.ascontiguousarray(convert(limited)[:height, :width])

    return rgb
