"""Where pictures come from: ``--source`` to an open source.

picamera2[:N]           a CSI camera of a Raspberry Pi, through Picamera2
N, /dev/videoN          a V4L2 camera (USB), through OpenCV
http://…, rtsp://…      a network camera: MJPEG by our own reader, the rest by OpenCV
clip.mp4                a video file
pictures/, cat.jpg      images, in the order of their names
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np

from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.folders import LeftOut
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError, EdgeEffnetError
from edge_effnet.image.kinds import decodable, kind_of_file
from edge_effnet.image.preprocessing import IMAGE_SUFFIXES, Pixels, read_image

DEFAULT_FPS = 25.0
_CREDIBLE_FPS = (0.1, 1000.0)
_SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "udp", "tcp")
NETWORK_TIMEOUT_S = 10.0


class SourceEnded(Exception):
    """The file or folder has no more pictures."""


class SourceLost(Exception):
    """A camera or stream stopped giving pictures; the message says how."""


@dataclass(frozen=True)
class Shot:
    """One picture, RGB, height x width x 3, and its file in an image folder."""

    pixels: Pixels
    path: Path | None = None


@dataclass(frozen=True)
class Source:
    """An open source.

    Attributes:
        name: for people; without the password of an address.
        live: whether it is a camera or stream, which is reopened when it stops.
        fps: of a video file or, where it says so, of a camera; None for images.
        read: the next picture; None for one that arrived broken. Raises SourceEnded or
            SourceLost.
        skip: pass over a picture without decoding it; raises SourceEnded.
        close: give the device back; harmless a second time.
        left_out: what lies in an image folder and is no image.
        unreadable: images that gave no picture so far, each with the reason.
    """

    name: str
    live: bool
    fps: float | None
    read: Callable[[], Shot | None]
    skip: Callable[[], object]
    close: Callable[[], None]
    left_out: tuple[LeftOut, ...] = ()
    unreadable: dict[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wish:
    """What is asked of a camera; it may give something else."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None


def default_source() -> str:
    """A CSI camera where Picamera2 is installed, else the first V4L2 device."""
    try:
        found = importlib.util.find_spec("picamera2") is not None
    except (ImportError, ValueError):
        found = False
    return "picamera2" if found else "0"


def open_source(text: str, wish: Wish | None = None) -> Source:
    """Open what ``--source`` names.

    Raises:
        DataError: nothing there, not allowed, busy, or nothing that gives pictures.
        MissingExtra: Picamera2 is asked for and not installed.
    """
    wish = wish or Wish()
    quiet_opencv()
    if match := re.fullmatch(r"picamera2?(?::(\d+))?", text, re.IGNORECASE):
        from edge_effnet.camera.sources.picamera import open_picamera

        return open_picamera(int(match[1] or 0), wish)
    if text.isdecimal():
        return _device(Path(f"/dev/video{text}"), wish)
    if "://" in text:
        return _open_address(text)
    path = Path(text)
    if text.startswith("/dev/"):
        return _device(path, wish)
    if path.is_dir() or is_picture(path):
        return open_images(path)
    if path.is_file():
        return open_video(path)
    raise DataError(
        f"{text} is no source of pictures",
        found="nothing there",
        expected="picamera2, a camera index, /dev/videoN, a video file, an image folder or an "
        "http:// or rtsp:// address",
        fix="check the path",
    )


def is_picture(path: Path) -> bool:
    """Whether a file is one picture, by its content; a GIF plays as a clip."""
    if not path.is_file():
        return False
    kind = kind_of_file(path)
    if kind is None:
        return path.suffix.lower() in IMAGE_SUFFIXES - {".gif"}
    return kind.name != "GIF"


def _device(path: Path, wish: Wish) -> Source:
    from edge_effnet.camera.sources.v4l2 import open_device

    return open_device(path, wish)


def quiet_opencv() -> None:
    """What OpenCV and FFmpeg would print about a missing camera, our errors say better."""
    if os.environ.get("EDGE_EFFNET_NATIVE_LOG"):
        return
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    logging: Any = getattr(getattr(cv2, "utils", None), "logging", None)
    if logging is not None:  # since 4.5
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)


def open_video(path: Path) -> Source:
    """Open a video file.

    Raises:
        DataError: it cannot be read, or OpenCV finds no video in it.
    """
    if not os.access(path, os.R_OK):
        raise DataError(
            f"{path} cannot be read", found="no permission", fix="change the file's permissions"
        )
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise DataError(
            f"{path} is no video that can be read",
            found=f"{path.stat().st_size} bytes without a video stream",
            expected="MP4, AVI, MKV or another format FFmpeg reads",
            fix="convert it: ffmpeg -i FILE -c:v libx264 clip.mp4",
        )

    def ended() -> Exception:
        return SourceEnded(path.name)

    return from_capture(capture, path.name, live=False, gone=ended)


def from_capture(
    capture: cv2.VideoCapture, name: str, *, live: bool, gone: Callable[[], Exception]
) -> Source:
    """A source that reads an open ``capture``; ``gone`` makes the error for its end."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    credible = math.isfinite(fps) and _CREDIBLE_FPS[0] <= fps <= _CREDIBLE_FPS[1]

    def skip() -> None:
        if not capture.grab():
            raise gone()

    def read() -> Shot | None:
        skip()
        good, pixels = capture.retrieve()
        return Shot(_rgb(pixels)) if good and pixels is not None and pixels.size else None

    return Source(
        name=name,
        live=live,
        fps=fps if credible else (None if live else DEFAULT_FPS),
        read=read,
        skip=skip,
        close=capture.release,
    )


def _rgb(pixels: Any) -> Pixels:
    code = cv2.COLOR_GRAY2RGB if pixels.ndim == 2 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)


def open_images(path: Path) -> Source:
    """Open a folder of images (folders per class too), or one image.

    Raises:
        DataError: there are none, or the one is of a kind that OpenCV does not decode.
    """
    if path.is_dir():
        listed = load_images(path, part=None)
    else:
        listed = Dataset((Sample(path, None),), (), str(path))
        kind = kind_of_file(path)
        if kind is not None and not decodable(kind):
            read_image(path)  # says what it is, and the remedy
    place = iter([sample.path for sample in listed.samples])
    unreadable: dict[Path, str] = {}

    def following() -> Path:
        try:
            return next(place)
        except StopIteration:
            raise SourceEnded(path.name) from None

    def read() -> Shot | None:
        file = following()
        try:
            return Shot(read_image(file), file)
        except DataError as error:
            unreadable[file] = str(error)
            return None

    left_out = listed.left_out
    return Source(path.name, False, None, read, following, lambda: None, left_out, unreadable)


def _open_address(address: str) -> Source:
    parts = urlsplit(address)
    if parts.scheme.lower() not in _SCHEMES or not (parts.hostname or parts.scheme == "udp"):
        raise DataError(
            f"{without_password(address)} is no address of a camera",
            expected=", ".join(f"{scheme}://" for scheme in _SCHEMES[:4]),
            fix="for example --source http://192.168.1.20:8080/stream.mjpg",
        )
    if parts.scheme.lower() in ("http", "https"):
        from edge_effnet.camera.sources.mjpeg import open_mjpeg

        stream = open_mjpeg(address)
        if stream is not None:
            return stream
    return _open_stream(address)


def _open_stream(address: str) -> Source:
    """What is no MJPEG over HTTP, through FFmpeg."""
    limit_ms = int(1e3 * NETWORK_TIMEOUT_S)
    settings = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit_ms]
    capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, settings)
    name = without_password(address)
    if not capture.isOpened():
        raise DataError(
            f"{name} gives no video",
            found="no answer, or none that is a video",
            fix="check address, user and password; is the camera switched on?",
        )
    return from_capture(capture, name, live=True, gone=lambda: SourceLost("the stream ended"))


def without_password(address: str) -> str:
    """An address for screens and logs."""
    return re.sub(r"//[^/\s]*@", "//", address)


def line_of(error: EdgeEffnetError) -> str:
    """What an error says, without the remedy: for a notice while it is tried again."""
    return error.what + (f" ({error.found})" if error.found else "")
