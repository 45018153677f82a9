"""MJPEG over HTTP: what most network cameras and phone apps send.

OpenCV can read it too, but looks at seconds of it first, and delays every image by what it
buffers; here an image is decoded when its last byte is there.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, build_opener

from edge_effnet.camera.sources.base import CapturedFrame, FrameSource, SourceLost
from edge_effnet.errors import DataError
from edge_effnet.image.reading import decode

NETWORK_TIMEOUT_S = 10.0
MAX_IMAGE_BYTES = 32 * 2**20
_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


def open_mjpeg(address: str, *, timeout_s: float = NETWORK_TIMEOUT_S) -> FrameSource | None:
    """Open an HTTP address; None if what it sends is something else than MJPEG.

    Raises:
        DataError: no answer, or a refusal.
    """
    name = without_password(address)
    try:
        # The scheme was checked to be http or https.
        response = build_opener().open(_request(address), timeout=timeout_s)
    except HTTPError as error:
        error.close()
        raise DataError(
            f"{name} refuses",
            found=f"HTTP {error.code} {error.reason}",
            fix="put user and password into the address: http://user:password@camera/…"
            if error.code in (401, 403)
            else "check the address",
        ) from None
    except (OSError, URLError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"{name} cannot be reached",
            found=str(reason),
            fix="check the address and that the camera is switched on",
        ) from error
    kind = response.headers.get_content_type()
    if kind.startswith("text/"):
        response.close()
        raise DataError(
            f"{name} gives no images",
            found=f"a page of type {kind}",
            expected="multipart/x-mixed-replace (MJPEG) or a video",
            fix="give the address of the stream itself",
        )
    if not kind.startswith("multipart/"):
        response.close()
        return None
    read, buffer = _reader(response), bytearray()
    return FrameSource(
        name=name,
        live=True,
        fps=None,
        read=lambda: _decoded(_next_image(read, buffer)),
        skip=lambda: _next_image(read, buffer),
        close=response.close,
    )


def _request(address: str) -> Request:
    """With user and password as a header, where the address has them."""
    parts = urlsplit(address)
    headers = {"User-Agent": "edge-effnet"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return Request(urlunsplit(parts), headers=headers)  # noqa: S310 (http or https, checked)


def _reader(response: HTTPResponse) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            data = response.read1(65536)
        except TimeoutError:
            raise SourceLost("nothing came for a while") from None
        except (OSError, HTTPException, ValueError, AttributeError) as error:
            # The last two: closed by another thread in the middle of a read.
            raise SourceLost(f"the connection broke ({type(error).__name__})") from None
        if not data:
            raise SourceLost("the stream ended")
        return data

    return read


def _next_image(read: Callable[[], bytes], buffer: bytearray) -> bytes:
    """The bytes of the next part; takes them from the buffer and fills it as needed.

    The part's own length is used where it is given. Else the image ends at the JPEG end
    marker that a part boundary or the next image follows.
    """
    while True:
        head = buffer.find(b"\r\n\r\n")
        if head >= 0:
            length = _content_length(bytes(buffer[:head]))
            if length is not None and length <= MAX_IMAGE_BYTES:
                end = head + 4 + length
                while len(buffer) < end:
                    buffer += read()
                image = bytes(buffer[head + 4 : end])
                del buffer[:end]
                return image
        start = buffer.find(_JPEG_START)
        if start >= 0:
            end = buffer.find(_JPEG_END + b"\r\n--", start)
            if end >= 0:
                image = bytes(buffer[start : end + 2])
                del buffer[: end + 2]
                return image
        if len(buffer) > MAX_IMAGE_BYTES or (start < 0 and len(buffer) > 2**20):
            raise SourceLost("what it sends are no images")
        buffer += read()


def _content_length(head: bytes) -> int | None:
    for line in head.rsplit(b"\r\n", 20):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return None


def _decoded(data: bytes) -> CapturedFrame | None:
    try:
        return CapturedFrame(decode(data, "an image of the stream"))
    except DataError:
        return None


def without_password(address: str) -> str:
    """An address for screens and logs."""
    return re.sub(r"//[^/\s]*@", "//", address)
