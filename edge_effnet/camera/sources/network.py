"""Network cameras: MJPEG over HTTP by our own reader, the rest by OpenCV with FFmpeg."""

from __future__ import annotations

from urllib.parse import urlsplit

import cv2

from edge_effnet.camera.sources.address import (
    bad_address,
    escaped,
    shown_address,
    what_to_check,
)
from edge_effnet.camera.sources.base import FrameSource, SourceLost, opencv_source
from edge_effnet.camera.sources.mjpeg import NETWORK_TIMEOUT_S, open_mjpeg
from edge_effnet.camera.sources.rtsp import refuse_other_host
from edge_effnet.errors import DataError

_SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "udp", "tcp")


def open_address(address: str) -> FrameSource:
    """Open a camera by its address.

    Raises:
        DataError: no address, no answer, a refusal, something that is no video, or an RTSP camera
            that redirects to another host than the one that user and password are for.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise bad_address(address) from None
    scheme = parts.scheme.lower()
    known = scheme in _SCHEMES and (parts.hostname or scheme == "udp")
    if parts.netloc.endswith(":") and "@" in address:  # "user:" of a password that begins with "/"
        raise bad_address(address)
    if not known or not address.isprintable():  # surrogates would end the process within OpenCV
        raise bad_address(address)
    if scheme not in ("http", "https"):
        if scheme in ("rtsp", "rtsps") and "@" in parts.netloc:
            refuse_other_host(escaped(address))
        return _open_stream(escaped(address), shown_address(address))
    stream = open_mjpeg(address)
    if isinstance(stream, FrameSource):
        return stream
    return _open_stream(stream, shown_address(address))


def _open_stream(address: str, name: str) -> FrameSource:
    """What is no MJPEG over HTTP, through FFmpeg."""
    limit_ms = int(1e3 * NETWORK_TIMEOUT_S)
    settings = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit_ms]
    capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, settings)
    if not capture.isOpened():
        capture.release()
        raise DataError(
            f"{name} gives no video",
            found="no answer, or none that is a video",
            fix=f"{what_to_check(name)}; are user and password right?",
        )
    return opencv_source(capture, name, live=True, gone=lambda: SourceLost("the stream ended"))
