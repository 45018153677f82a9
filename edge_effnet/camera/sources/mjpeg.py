"""MJPEG over HTTP: what most network cameras and phone apps send.

OpenCV can read it too, but looks at seconds of it first, and delays every image by what it
buffers; here an image is decoded when its last byte is there.
"""

from __future__ import annotations

from edge_effnet.camera.sources.address import parse_http, shown_address
from edge_effnet.camera.sources.base import CapturedFrame, FrameSource
from edge_effnet.camera.sources.http_stream import request
from edge_effnet.camera.sources.jpeg import decode_frame
from edge_effnet.camera.sources.parts import PartReader
from edge_effnet.errors import DataError

NETWORK_TIMEOUT_S = 10.0


def open_mjpeg(address: str, *, timeout_s: float = NETWORK_TIMEOUT_S) -> FrameSource | str:
    """Open an HTTP address.

    Returns:
        The address where something else than MJPEG is, behind all redirects.

    Raises:
        DataError: no address, no answer in time, or a refusal.
    """
    name = shown_address(address)
    found, reply = request(parse_http(address), name, timeout_s)
    if reply.status != 200:
        reply.close()
        refused = reply.status in (401, 403)
        raise DataError(
            f"{name} refuses",
            found=f"HTTP {reply.status} {reply.reason}",
            fix="put user and password into the address: http://user:password@camera/…"
            if refused
            else "check the address",
        )
    if reply.kind.startswith("text/"):
        reply.close()
        raise DataError(
            f"{name} gives no images",
            found=f"a page of type {reply.kind}",
            expected="multipart/x-mixed-replace (MJPEG) or a video",
            fix="give the address of the stream itself",
        )
    if not reply.kind.startswith("multipart/"):
        reply.close()
        return found.text
    parts = PartReader(reply.read)

    def read() -> CapturedFrame | None:
        pixels = decode_frame(parts())
        return None if pixels is None else CapturedFrame(pixels)

    return FrameSource(
        name=name,
        live=True,
        fps=None,
        read=read,
        skip=parts,
        close=reply.close,
        interrupt=reply.interrupt,
    )
