"""What ``--source`` names, as an open source: ``SOURCES`` is the table to add another kind to."""

from __future__ import annotations

import errno
import importlib.util
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2

from edge_effnet.camera.sources.address import shown_address
from edge_effnet.camera.sources.apart import open_apart
from edge_effnet.camera.sources.base import CameraRequest, FrameSource
from edge_effnet.camera.sources.files import is_image, open_images, open_video
from edge_effnet.camera.sources.network import open_address
from edge_effnet.camera.sources.picamera import has_csi_camera, open_picamera
from edge_effnet.camera.sources.v4l2 import first_usb_camera, open_device
from edge_effnet.errors import DataError
from edge_effnet.files.read import refuse_irregular


@dataclass(frozen=True)
class SourceKind:
    """A kind of source.

    Attributes:
        names: what the user writes, for help and errors.
        matches: whether a text names this kind; the first row that does opens it.
        open: opens it; may raise DataError.
        paced: what sets the pace of its frames: a camera itself, a video file's rate, or nothing,
            so that every image is answered.
    """

    names: str
    matches: Callable[[str], object]
    open: Callable[[str, CameraRequest], FrameSource]
    paced: Literal["by itself", "by its rate", "never"] = "by itself"


_PICAMERA = re.compile(r"picamera2?(?::([0-9]{1,4}))?", re.IGNORECASE)


def _open_csi(text: str, request: CameraRequest) -> FrameSource:
    match = _PICAMERA.fullmatch(text)
    return open_picamera(int(match[1] or 0) if match else 0, request)


SOURCES = (
    SourceKind("picamera2", _PICAMERA.fullmatch, _open_csi),
    SourceKind(
        "a camera index",
        str.isdecimal,
        lambda text, request: open_device(Path(f"/dev/video{text}"), request),
    ),
    SourceKind(
        "an http:// or rtsp:// address",
        lambda text: "://" in text,
        lambda text, _: open_address(text),
    ),
    SourceKind(
        "/dev/videoN",
        lambda text: text.startswith("/dev/"),
        lambda text, request: open_device(Path(text), request),
    ),
    SourceKind(
        "an image folder",
        lambda text: Path(text).is_dir() or is_image(Path(text)),
        lambda text, _: open_images(Path(text)),
        paced="never",
    ),
    SourceKind(
        "a video file",
        lambda text: Path(text).is_file(),
        lambda text, _: open_video(Path(text)),
        paced="by its rate",
    ),
)


def default_source() -> tuple[str, str]:
    """A CSI camera where Picamera2 has one, else the first USB camera, else the first device; and
    why, in words."""
    try:
        installed = importlib.util.find_spec("picamera2") is not None
    except (ImportError, ValueError):
        installed = False
    if installed and has_csi_camera():
        return "picamera2", "no --source was given: the first CSI camera is used"
    usb = first_usb_camera()
    if usb is not None:
        return str(usb), f"no --source was given, and no CSI camera is there: {usb}, a USB camera"
    if installed:
        return "picamera2", "no --source was given, and no USB camera is there: a CSI camera"
    return "0", "no --source was given: /dev/video0 is used"


def find_kind(text: str) -> SourceKind:
    """The kind of source that ``--source`` names.

    Raises:
        DataError: none; a pipe, for example.
    """
    try:
        for kind in SOURCES:
            if kind.matches(text):
                return kind
        if (path := Path(text)).exists():
            refuse_irregular(path, path.stat().st_mode)
    except OSError as error:
        # The error would show what is too long for a file's name, and may hold a password.
        if error.errno != errno.ENAMETOOLONG:
            raise
    *names, last = (kind.names for kind in SOURCES)
    raise DataError(
        f"{shown_address(text)} is no source of images",
        found="nothing there",
        expected=f"{', '.join(names)} or {last}",
        fix="check the path",
    )


def open_source(text: str, request: CameraRequest | None = None) -> FrameSource:
    """Open what ``--source`` names.

    Raises:
        DataError: nothing there, not allowed, busy, or nothing that gives frames.
    """
    _quiet_opencv()
    kind, asked = find_kind(text), request or CameraRequest()
    if kind.paced == "by itself":
        return open_apart(lambda: kind.open(text, asked))
    return kind.open(text, asked)


def _quiet_opencv() -> None:
    """What OpenCV and FFmpeg would print about a missing camera, our errors say better."""
    if os.environ.get("EDGE_EFFNET_NATIVE_LOG"):
        return
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    logging: Any = getattr(getattr(cv2, "utils", None), "logging", None)
    if logging is not None:  # since 4.5
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
