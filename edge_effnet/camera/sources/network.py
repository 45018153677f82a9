"""Network cameras: MJPEG over HTTP by our own reader, the rest by OpenCV with FFmpeg."""

from __future__ import annotations

from urllib.parse import urlsplit

import cv2

from edge_effnet.camera.sources.base import FrameSource, SourceLost, opencv_source
from edge_effnet.camera.sources.mjpeg import NETWORK_TIMEOUT_S, open_mjpeg, without_password
from edge_effnet.errors import DataError

_SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "udp", "tcp")


def open_address(address: str) -> FrameSource:
    """Open a camera by its address.

    Raises:
        DataError: no address, no answer, a refusal, or something that is no video.
    """
    parts = urlsplit(address)
    if parts.scheme.lower() not in _SCHEMES or not (parts.hostname or parts.scheme == "udp"):
        raise DataError(
            f"{without_password(address)} is no address of a camera",
            expected=", ".join(f"{scheme}://" for scheme in _SCHEMES[:4]),
            fix="for example --source http://192.168.1.20:8080/stream.mjpg",
        )
    if parts.scheme.lower() in ("http", "https"):
        stream = open_mjpeg(address)
        if stream is not None:
            return stream
    return _open_stream(address)


def _open_stream(address: str) -> FrameSource:
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
    return opencv_source(capture, name, live=True, gone=lambda: SourceLost("the stream ended"))
