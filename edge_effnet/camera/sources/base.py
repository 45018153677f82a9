"""What every source of frames gives, and what may be asked of a camera; ``open`` makes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_effnet.data.folders import LeftOut
from edge_effnet.errors import DataError
from edge_effnet.files.limits import FRAME_PIXELS
from edge_effnet.image.preprocessing import Pixels

DEFAULT_FPS = 25.0
_CREDIBLE_FPS = (0.1, 1000.0)


class SourceEnded(Exception):
    """The file or folder has no more frames."""


class SourceLost(Exception):
    """A camera or stream stopped giving frames; the message says how."""


@dataclass(frozen=True)
class CapturedFrame:
    """One frame, RGB, height x width x 3, and its file in an image folder."""

    pixels: Pixels
    path: Path | None = None


@dataclass(frozen=True)
class FrameSource:
    """An open source.

    Attributes:
        name: for people; without the password of an address.
        live: whether it is a camera or stream, which is reopened when it stops.
        fps: of a video file or, where it says so, of a camera; None for images.
        read: the next frame; None for one that arrived broken. Raises SourceEnded or
            SourceLost.
        skip: pass over a frame without decoding it; raises SourceEnded.
        close: give the device back; harmless a second time.
        interrupt: ends a ``read`` that waits in another thread, where the driver can do that; it
            raises SourceLost then.
        size: width and height of the frames, where the source tells it.
        left_out: what lies in an image folder and is no image.
        unreadable: images that gave no frame so far, each with the reason.
    """

    name: str
    live: bool
    fps: float | None
    read: Callable[[], CapturedFrame | None]
    skip: Callable[[], object]
    close: Callable[[], None]
    interrupt: Callable[[], None] = lambda: None
    size: tuple[int, int] | None = None
    left_out: tuple[LeftOut, ...] = ()
    unreadable: dict[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CameraRequest:
    """What is asked of a camera; it may give something else."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None


def opencv_source(
    capture: cv2.VideoCapture, name: str, *, live: bool, gone: Callable[[], Exception]
) -> FrameSource:
    """A source that reads an open ``capture``; ``gone`` makes the error for its end.

    Raises:
        DataError: its frames are above the limit.
    """
    try:
        size = _frame_size(capture)
        FRAME_PIXELS.check(size[0] * size[1], name, DataError)
    except DataError:
        capture.release()
        raise
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    credible = math.isfinite(fps) and _CREDIBLE_FPS[0] <= fps <= _CREDIBLE_FPS[1]

    def skip() -> None:
        if not capture.grab():
            raise gone()

    def read() -> CapturedFrame | None:
        skip()
        width, height = _frame_size(capture)
        if width * height > FRAME_PIXELS.value:  # it may grow on the way
            return None
        try:
            good, pixels = capture.retrieve()
            return CapturedFrame(_rgb(pixels)) if good and pixels is not None else None
        except cv2.error:  # a frame of no size, or of channels that are no colours
            return None

    return FrameSource(
        name=name,
        live=live,
        fps=fps if credible else (None if live else DEFAULT_FPS),
        read=read,
        skip=skip,
        close=capture.release,
        size=size if all(size) else None,
    )


def _frame_size(capture: cv2.VideoCapture) -> tuple[int, int]:
    sides = (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    width, height = (int(side) if math.isfinite(side) else 0 for side in sides)
    return width, height


def _rgb(pixels: Any) -> Pixels:
    code = cv2.COLOR_GRAY2RGB if pixels.ndim == 2 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
